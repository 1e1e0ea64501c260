"""What a finished run directory was made from, and whether it still is what it was.

`manifest.json` lists the SHA-256 of every file beside it, seeds, settings, digests of inputs, and the software that
wrote tables, report and itself (what made a replication stands in its `result.json`). `COMPLETE` holds the manifest's
SHA-256 and is written last: no mark, no result. This module reads and writes those two and hashes files; it does not
know how a run is made. Next: `run/verify.py`, which runs it again.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from sim.config import configs_root
from sim.errors import DgsimError, RunDirectoryError

MANIFEST = "manifest.json"
COMPLETE = "COMPLETE"
LOCK = ".lock"
MANIFEST_VERSION = 2
PART = ".part-"
"""Beginning of names under which things are written before they are renamed."""

RESULT_FREE = ("api.py", "audit", "cli.py", "commands", "compare", "compose", "report")
"""Parts of `sim/` that cannot change a replication's files; a run is not keyed by them."""
_VERSIONED = (
    "numpy", "numba", "llvmlite", "simpy", "scipy", "networkx", "pandas", "pyarrow", "hydra-core", "pydantic",
    "holidays", "matplotlib", "jinja2", "fonttools", "xlsxwriter",
)  # fmt: skip


STUDIES = "studies"
"""Folder of a city's own studies, beside its tables."""


# --- digests ----------------------------------------------------------------------------------------------------------


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_tree(folder: Path, *, suffixes: Iterable[str] = (), without: Iterable[str] = ()) -> str:
    """Return the SHA-256 over names and contents of a folder's files, hidden files and caches aside.

    `suffixes`: count only files that end so; `without`: leave out these files and folders (relative, with /).
    """
    kinds, left_out = tuple(suffixes), tuple(without)
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*"), key=lambda p: p.relative_to(folder).as_posix()):
        name = path.relative_to(folder).as_posix()
        is_hidden = any(part.startswith(".") or part == "__pycache__" for part in name.split("/"))
        is_left_out = any(name == out or name.startswith(f"{out}/") for out in left_out)
        if is_hidden or is_left_out or not path.is_file() or (kinds and not name.endswith(kinds)):
            continue
        digest.update(name.encode() + b"\0" + sha256_of_file(path).encode() + b"\0")
    return digest.hexdigest()


def source_digest(*, is_result_only: bool) -> str:
    """Return the SHA-256 of every file of `sim/` that is shipped, or only of what can change a replication's files."""
    package = Path(__file__).resolve().parent
    return sha256_of_tree(package, without=["_configs", *(RESULT_FREE if is_result_only else ())])


def configs_digest() -> str:
    """Return the SHA-256 of every choice in `configs/`, the cities aside, which have digests of their own."""
    return sha256_of_tree(configs_root(), without=["city"])


def city_digest(folder: Path) -> str:
    """Return the SHA-256 of a city folder's tables and settings; studies kept in it are of what is asked, not of it."""
    return sha256_of_tree(folder, suffixes=(".csv", ".yaml", ".npz", ".geojson"), without=[STUDIES])


def lock_digest() -> str:
    """Return the SHA-256 of `requirements.lock`, or "" where the program was not started from a clone."""
    path = configs_root().parent / "requirements.lock"
    return sha256_of_file(path) if path.is_file() else ""


@cache
def software() -> Mapping[str, Any]:
    """Return versions, platform and source of the program as this process found it when it first asked."""
    versions = {}
    for name in ("dongguan-response", *_VERSIONED):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed as a package"
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "byte_order": sys.byteorder,
        "n_cpus": os.cpu_count(),
        "versions": versions,
        "source": {
            "all": source_digest(is_result_only=False),
            "result": source_digest(is_result_only=True),
            "configs": configs_digest(),
            "lock": lock_digest(),
        },
    }


# --- writing ----------------------------------------------------------------------------------------------------------


def part_of(target: Path) -> Path:
    """Return the name under which this process, of all on any machine that shares the folder, writes `target`."""
    return target.with_name(f"{PART}{target.name}-{platform.node()}-{os.getpid()}")


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that it is either the old one or the whole new one."""
    part = part_of(path)
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def to_json(content: Any, *, is_sorted: bool = True) -> str:
    """Return JSON text whose bytes depend on the content only; keys sorted, or in their own order where it matters."""
    return json.dumps(content, indent=1, sort_keys=is_sorted, ensure_ascii=False) + "\n"


def list_files(folder: Path) -> list[Path]:
    """Return the files of a run directory that its manifest lists, sorted: all but manifest, mark, lock and parts."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in files if _is_listed(path.relative_to(folder).parts)]


def _is_listed(parts: tuple[str, ...]) -> bool:
    is_part = any(part.startswith(PART) for part in parts)
    return not is_part and parts not in ((MANIFEST,), (COMPLETE,), (LOCK,))


def seal(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write the manifest over all files of `folder` as they are now, then the mark of completion."""
    files = {path.relative_to(folder).as_posix(): sha256_of_file(path) for path in list_files(folder)}
    manifest = {"manifest_version": MANIFEST_VERSION, **facts, "software": software(), "files": files}
    write_whole(folder / MANIFEST, to_json(manifest))
    write_whole(folder / COMPLETE, sha256_of_file(folder / MANIFEST) + "\n")


def unseal(folder: Path) -> None:
    """Take the mark away before anything in the folder changes."""
    (folder / COMPLETE).unlink(missing_ok=True)


# --- checking ---------------------------------------------------------------------------------------------------------


def is_sealed(folder: Path) -> bool:
    """Return whether a folder has a mark of completion; `check_files` says whether it is true."""
    return (folder / COMPLETE).is_file()


def check_is_folder(folder: Path) -> None:
    """Raise RunDirectoryError where no folder is."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "there is no such run directory"
        raise RunDirectoryError(f"{folder}: {what}; `dgsim runs` lists those there are")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a finished run directory.

    Raises
    ------
    RunDirectoryError
        If there is no such folder, it was never finished, mark and manifest do not belong together, or the manifest
        lacks something.
    """
    check_is_folder(folder)
    if not is_sealed(folder):
        again = "the command that made it, given again, keeps what is finished and makes the rest"
        raise RunDirectoryError(f"{folder}: has no {COMPLETE}, so it was cut short or is not a run directory; {again}")
    path = folder / MANIFEST
    try:
        content, mark = path.read_bytes(), (folder / COMPLETE).read_bytes()
    except OSError as error:
        raise RunDirectoryError(f"{error.filename}: cannot be read ({error.strerror})") from error
    _check_mark(folder, mark, hashlib.sha256(content).hexdigest())
    try:
        manifest = json.loads(content)
    except ValueError as error:
        raise RunDirectoryError(f"{path}: is cut short or damaged, no JSON ({error}); {_RESTORE}") from error
    _check_manifest(path, manifest)
    return dict(manifest)


_RESTORE = "restore the run directory, or make the run again into another"
_HEX_DIGITS = 64


def _check_mark(folder: Path, mark: bytes, digest: str) -> None:
    """Raise an error that says whether the mark or the manifest was changed, if they do not belong together.

    The digests of two contents agree in about 4 of 64 places; a mark that agrees in most was written for this manifest.
    """
    if mark == f"{digest}\n".encode():
        return
    n_same = sum(a == b for a, b in zip(mark, digest.encode(), strict=False))
    is_digest = len(mark) == _HEX_DIGITS + 1 and mark.endswith(b"\n") and set(mark[:-1]) <= set(b"0123456789abcdef")
    if not is_digest or n_same > _HEX_DIGITS // 2:
        told = f"{n_same} of its {_HEX_DIGITS} first characters are those of the SHA-256 of {MANIFEST}"
        raise RunDirectoryError(f"{folder / COMPLETE}: is damaged: {told}; {_RESTORE}")
    raise RunDirectoryError(f"{folder / MANIFEST}: was changed after the run: {COMPLETE} holds another SHA-256")


def _check_manifest(path: Path, manifest: Any) -> None:
    """Raise an error if the manifest has another version or lacks something that readers need."""
    version = manifest.get("manifest_version") if isinstance(manifest, dict) else None
    if version != MANIFEST_VERSION:
        raise RunDirectoryError(f"{path}: has version {version}, this program reads {MANIFEST_VERSION}")
    wanted: dict[str, type] = {
        "kind": str,
        "name": str,
        "arms": dict,
        "gathered": dict,
        "software": dict,
        "files": dict,
    }
    lacking = [name for name, kind in wanted.items() if not isinstance(manifest.get(name), kind)]
    arms = manifest["arms"] if "arms" not in lacking else {}
    of_arm: dict[str, type] = {"folder": str, "key": str, "settings": dict, "seed": int, "replications": dict}
    for name, arm in arms.items():
        told = arm if isinstance(arm, dict) else {}
        lacking += [f"arms.{name}.{part}" for part, kind in of_arm.items() if not isinstance(told.get(part), kind)]
    if lacking:
        raise RunDirectoryError(f"{path}: is not whole, it lacks {', '.join(lacking)}; {_RESTORE}")


def check_files(folder: Path) -> dict[str, Any]:
    """Return the manifest after comparing every file with it.

    Raises
    ------
    RunDirectoryError
        Naming every file that is changed, missing, not listed or half-written.
    """
    manifest = read_manifest(folder)
    if faults := file_faults(folder, manifest):
        raise RunDirectoryError("\n".join(faults))
    return manifest


def file_faults(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the files of a run directory: each one that is not as the manifest lists it."""
    listed: dict[str, str] = manifest["files"]
    present = {path.relative_to(folder).as_posix(): path for path in list_files(folder)}
    faults = []
    for name in sorted({*listed, *present}):
        if name not in present:
            faults.append(f"{folder / name}: is missing")
        elif name not in listed:
            faults.append(f"{folder / name}: is not in {MANIFEST}, so it was added after the run")
        elif sha256_of_file(present[name]) != listed[name]:
            faults.append(f"{folder / name}: was changed after the run, its SHA-256 is not the one in {MANIFEST}")
    lock = folder / LOCK
    if lock.is_file() and lock.stat().st_size:
        faults.append(f"{lock}: was changed: it holds {lock.stat().st_size} bytes, a lock is empty; delete it")
    left = "is what an interrupted command left half-written, no part of the run; delete it"
    return faults + [f"{path}: {left}" for path in sorted(folder.rglob(f"{PART}*"))]


# --- files that must not be lost --------------------------------------------------------------------------------------


class DiskFullError(DgsimError):
    """The disk is full; what was finished before is whole."""


@contextmanager
def room_on_disk(folder: Path) -> Iterator[None]:
    """Turn "no space left" inside the block into one clear message."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFullError(full_message(folder)) from error
        raise


def full_message(folder: Path) -> str:
    """Return what to say when the disk under `folder` is full."""
    rest = "finished replications are kept; free some space and give the same command again"
    return f"{folder}: the disk is full; {rest}, or name another folder with run.outputs=…"


@contextmanager
def whole_folder(target: Path, *, is_replacing: bool = False) -> Iterator[Path]:
    """Give an empty folder to fill; it becomes `target` when the block ends well and disappears when it does not.

    `is_replacing`: a folder that is there already gives way; otherwise it stays and the new one disappears.
    """
    part = part_of(target)
    shutil.rmtree(part, ignore_errors=True)
    with room_on_disk(target.parent):
        try:
            part.mkdir(parents=True)
            yield part
            for path in list_files(part):
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            if is_replacing and target.exists():
                target.rename(part.with_name(f"{part.name}-old"))
            try:
                part.rename(target)
            except OSError as error:
                # A worker whose parent was killed may have finished the same folder meanwhile: it is as good.
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
            shutil.rmtree(part.with_name(f"{part.name}-old"), ignore_errors=True)


def remove_parts(folder: Path) -> None:
    """Remove what an interrupted process left half-written in `folder` and below."""
    for path in sorted(folder.rglob(f"{PART}*")):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a run directory if there is none.

    Raises
    ------
    RunDirectoryError
        If it, or a folder it would lie in, is a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        file = next(path for path in (folder, *folder.parents) if path.exists() and not path.is_dir())
        raise RunDirectoryError(
            f"{folder}: cannot be a run directory, {file} is a file; name another folder"
        ) from error


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two processes never write one run directory.

    Raises
    ------
    RunDirectoryError
        If another process holds it.
    """
    from filelock import FileLock, Timeout

    make_folder(folder)
    lock = FileLock(str(folder / LOCK), timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        wait = "wait for it, or name another folder"
        raise RunDirectoryError(f"{folder}: another process is writing this run directory; {wait}") from error
    try:
        yield
    finally:
        lock.release()
