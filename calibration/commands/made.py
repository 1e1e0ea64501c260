"""What a directory was made from, and how it comes to be: whole or not at all, and never twice from the same.

`record.json` holds the command, the digests of everything that went in, the program's versions, and the digest of
every file beside it but `timings.json`. A directory is written under a name of its own and renamed at the end.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from calibration.backtest.run import Prepared
from calibration.page.context import words
from calibration.page.sections.reproduce import Made
from calibration.records.settings import NAME
from sim.config import read_yaml
from sim.errors import Problems, RunDirectoryError
from sim.provenance import city_digest, list_files, sha256_of_file, sha256_of_tree, software, to_json, whole_folder
from sim.report.texts import Bi

RECORD, TIMINGS, ACCOUNT, SUMMARY, PARAMS, REPORT = (
    "record.json", "timings.json", "account.csv", "account_summary.csv", "params.yaml", "report.html",
)  # fmt: skip
PROGRAM = "dongguan-response"


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that decides what comes out: `facts` as they stand in `record.json`; `command`: what to type."""

    kind: str
    command: str
    facts: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """Return the digest of the facts."""
        return hashlib.sha256(to_json(self.facts).encode()).hexdigest()

    def made(self, city: str, files: Mapping[str, Bi], facts: Mapping[str, str]) -> Made:
        """Return what a page tells of them."""
        return Made(
            city, self.command, self.facts["records"]["sha256"], self.facts["city"]["sha256"],
            f"{PROGRAM} {self.facts['software']['versions'][PROGRAM]}", files, facts,
        )  # fmt: skip


def inputs_of(
    kind: str, city: Path, records: Path, prepared: Prepared, argv: Sequence[str], options: Mapping[str, Any]
) -> Inputs:
    """Return the inputs of a command: both folders' digests, its options, and the program."""
    read = [*prepared.records.resolution_s, NAME]
    of_records = {name: sha256_of_file(records / name) for name in read if (records / name).is_file()}
    program = software()
    sources = {**program["source"], "calibration": _own_source()}
    facts = {
        "kind": kind,
        "records": {"sha256": prepared.records.digest, "files": of_records},
        "city": {"sha256": city_digest(city)},
        "options": dict(options),
        "software": {**program, "source": sources},
    }
    return Inputs(kind, command_of(kind, argv), facts)


def command_of(kind: str, argv: Sequence[str]) -> str:
    """Return the command as it is typed, without what changes no file: where it writes, and whether anew."""
    kept, skips = [], False
    for word in argv:
        if skips or word == "--fresh" or word.startswith(("--out=", "--city-out=")):
            skips = False
        elif word in ("--out", "--city-out"):
            skips = True
        else:
            kept.append(word)
    return shlex.join(["dgsim", kind, *kept])


@cache
def _own_source() -> str:
    """Return the digest of this package as the process found it when it first asked, as `software` does."""
    return sha256_of_tree(Path(__file__).resolve().parents[1])


def city_name(folder: Path) -> str:
    """Return what a checked city folder calls itself in `city.yaml`, or the folder's name."""
    path = folder / "city.yaml"
    content = read_yaml(path, Problems()) if path.is_file() else None
    named = content.get("id") if isinstance(content, Mapping) else None
    return str(named or folder.resolve().name)


def is_made(folder: Path, inputs: Inputs) -> bool:
    """Return whether the folder was made whole from the same inputs and is unchanged.

    Raises
    ------
    RunDirectoryError
        If the folder holds something else.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    record = _record_in(folder)
    mend = "give --fresh to move it aside, or another --out"
    if record is None:
        raise RunDirectoryError(f"{folder}: holds something else than a finished {inputs.kind}; name another --out")
    if record.get("inputs_sha256") != inputs.sha256:
        raise RunDirectoryError(
            f"{folder}: was made from other records, options or program ({_differences(record, inputs)}); {mend}"
        )
    changed = [name for name, digest in record["files"].items() if not _is_same(folder / name, digest)]
    if changed:
        raise RunDirectoryError(f"{folder}: was changed after it was made ({', '.join(changed)}); {mend}")
    return True


def _record_in(folder: Path) -> dict[str, Any] | None:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("files"), dict) else None


def _is_same(path: Path, digest: str) -> bool:
    return path.is_file() and sha256_of_file(path) == digest


def _differences(record: Mapping[str, Any], inputs: Inputs) -> str:
    before = record.get("inputs")
    known: Mapping[str, Any] = before if isinstance(before, Mapping) else {}
    return ", ".join(name for name, value in inputs.facts.items() if known.get(name) != value) or "unknown"


def is_there(folder: Path, inputs: Inputs, what: str, *, is_fresh: bool) -> bool:
    """Return whether the folder was made from the same inputs; `is_fresh`: no, and what it holds is moved aside.

    Raises
    ------
    RunDirectoryError
        If the folder holds something else.
    """
    if not is_fresh:
        return is_made(folder, inputs)
    if (aside := move_aside(folder)) is not None:
        print(f"the old {what} is now {aside}")
    return False


def move_aside(folder: Path) -> Path | None:
    """Rename a finished directory to `NAME~1`, `~2`, ...; None if there is none.

    Raises
    ------
    RunDirectoryError
        If it holds something that no command of these made.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    if _record_in(folder) is None:
        raise RunDirectoryError(f"{folder}: holds no {RECORD}, so it is left alone; name another --out")
    n = 1
    while folder.with_name(f"{folder.name}~{n}").exists():
        n += 1
    return folder.rename(folder.with_name(f"{folder.name}~{n}"))


def write_directory(
    folder: Path, inputs: Inputs, fill: Callable[[Path], None], timings: Callable[[], Mapping[str, Any]]
) -> None:
    """Fill a directory and rename it to `folder` when it is whole.

    Raises
    ------
    RunDirectoryError
        If another process made one there meanwhile.
    """
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    with whole_folder(folder) as part:
        fill(part)
        files = {path.relative_to(part).as_posix(): sha256_of_file(path) for path in list_files(part)}
        record = {
            "command": inputs.command, "inputs": inputs.facts, "inputs_sha256": inputs.sha256, "files": files,
        }  # fmt: skip
        (part / RECORD).write_text(to_json(record, is_sorted=False), encoding="utf-8", newline="\n")
        (part / TIMINGS).write_text(to_json(timings(), is_sorted=False), encoding="utf-8", newline="\n")
    found = _record_in(folder)
    if found is None or found.get("inputs_sha256") != inputs.sha256:
        raise RunDirectoryError(f"{folder}: was made by another process meanwhile; give another --out")


def file_words(names: Sequence[str]) -> Mapping[str, Bi]:
    """Return what the files beside a page hold, those named and those that are always there."""
    return {name: words()[f"file.{name}"] for name in (*names, ACCOUNT, SUMMARY, RECORD, TIMINGS)}


def write_account(folder: Path, prepared: Prepared) -> None:
    """Write what became of every row, and the counts by reason."""
    account = prepared.records.account
    account.write(folder / ACCOUNT)
    account.counts.to_csv(folder / SUMMARY, index=False, lineterminator="\n")
