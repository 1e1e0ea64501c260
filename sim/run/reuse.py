"""Replications that other run directories hold already: found by key and number, taken over whole.

What decides a replication is its arm's key and its number; where it lies and what its arm is called there decide
nothing. A study of which one arm is changed thus makes that arm alone. A copy is held against the digests that its
`result.json` notes, that against the manifest where there is one, and it keeps what made it. Damage costs the
replication that it is of, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import InputError, RunDirectoryError
from sim.provenance import is_sealed, read_manifest, sha256_of_file, to_json, whole_folder, write_whole
from sim.run.work import LOG, NOTE, RESULT, TABLES, Job, Work, aside_of, finished_folders, read_note, read_result

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sim.assemble import InputsBuilder

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finished replication lies, whether with its event log; the SHA-256 of its note in a manifest, or ""."""

    folder: Path
    has_log: bool
    noted: str


Held = Mapping[tuple[str, int], Sequence[Place]]
"""(key of the arm, number) -> where such a replication lies, first choice first."""


def held_by(folders: Sequence[Path], work: Work, say: Say | None = None) -> Held:
    """Return where the finished replications of some run directories lie, those of the first directory first.

    The run directory of `work` stands for all that was moved aside of it too, newest first: so a command that was
    ended after it had moved the run aside finds it again. A `result.json` that cannot be read or is none of a sealed
    run, and what was moved aside and is no whole run, are told through `say`; what they are of counts as missing.

    Raises
    ------
    RunDirectoryError
        If one of the folders is no run directory, or its manifest was changed.
    """
    held: dict[tuple[str, int], list[Place]] = {}
    for folder in folders:
        aside = aside_of(work.folder)[::-1] if folder.resolve() == work.folder.resolve() else []
        if not aside or (folder / NOTE).is_file():
            _add(held, folder, say)
        for old in aside:
            try:
                _add(held, old, say)
            except RunDirectoryError as error:
                _tell(say, error)
    return held


def _add(held: dict[tuple[str, int], list[Place]], folder: Path, say: Say | None) -> None:
    """Add what a run directory holds."""
    for told in read_note(folder)["arms"].values():
        for key, place in _places((folder / told["folder"]).resolve(), say):
            held.setdefault(key, []).append(place)


def _places(arm: Path, say: Say | None) -> Iterator[tuple[tuple[str, int], Place]]:
    """Yield the finished replications of an arm, with what the manifest of the run that it lies in says of them."""
    run = next((folder for folder in (arm, *arm.parents) if (folder / NOTE).is_file()), arm)
    listed = read_manifest(run)["files"] if is_sealed(run) else None
    for number, path in finished_folders(arm):
        try:
            result = read_result(path)
            noted = "" if listed is None else listed.get((path / RESULT).relative_to(run).as_posix())
            if noted is None or result["replication"] != number:
                raise RunDirectoryError(f"{path / RESULT}: is not the one that was written there")
        except RunDirectoryError as error:
            _tell(say, error)
        else:
            yield (result["key"], number), Place(path, LOG in result["files"], noted)


def _tell(say: Say | None, error: Exception) -> None:
    if say is not None:
        say(f"{_fault_of(error)}; not taken over")


def _fault_of(error: Exception) -> str:
    """Return what an error says without the way to mend it, which is for those who own the folder."""
    return str(error).partition("; ")[0]


def moved(held: Held, old: Path, new: Path) -> Held:
    """Return the same places after a folder was renamed; both paths resolved."""
    return {
        key: [
            replace(place, folder=new / place.folder.relative_to(old)) if place.folder.is_relative_to(old) else place
            for place in places
        ]
        for key, places in held.items()
    }


def is_held(job: Job, held: Held) -> bool:
    """Return whether a replication is held somewhere, with its event log where that is wanted."""
    return any(place.has_log or not _wants_log(job) for place in held.get((job.key, job.replication), ()))


def _wants_log(job: Job) -> bool:
    return job.settings.run.log == "full"


def bytes_of(jobs: Sequence[Job], held: Held) -> int:
    """Return the disk that copies of what is held of some jobs take, about."""
    folders = [held[job.key, job.replication][0].folder for job in jobs if (job.key, job.replication) in held]
    return sum(path.stat().st_size for folder in folders for path in folder.iterdir() if path.is_file())


def take_over(missing: Sequence[Job], held: Held, builder: InputsBuilder, say: Say) -> list[Job]:
    """Copy what is held of the missing replications, whole, and return the jobs that are still to be made.

    One with its event log is taken rather than one without, where that is wanted. What cannot be taken - it was
    changed, lost a file, or its arm's stored quantile tables are not the builder's - is told through `say`, once.
    """
    from tqdm import tqdm

    left, told, faults = list[Job](), set[str](), dict[tuple[str, Path], str]()
    for job in tqdm(missing, desc="taking over", unit="replication", delay=2.0, disable=None):
        places = sorted(held.get((job.key, job.replication), ()), key=lambda place: _wants_log(job) > place.has_log)
        for place in places:
            arm = place.folder.parent.parent
            if (job.key, arm) not in faults:
                faults[job.key, arm] = _table_fault(arm / TABLES, builder.tables_made(job.settings))
            fault = faults[job.key, arm] or _copied(place, job)
            if not fault:
                break
            if fault not in told:
                say(f"{fault}; not taken over")
            told.add(fault)
        else:
            left.append(job)
    return left


def _table_fault(path: Path, own: Mapping[str, NDArray[np.int32]]) -> str:
    """Return what is wrong with an arm's stored quantile tables, the rest of it being made with `own`; or ""."""
    from sim.demand.quantiles import read_tables

    if own and not path.exists():
        return f"{path}: is missing"
    try:
        stored = read_tables(path)
    except InputError as error:
        return _fault_of(error)
    if stored.keys() != own.keys() or any((stored[name] != own[name]).any() for name in own):
        return f"{path}: holds other quantile tables than this machine makes"
    return ""


def _copied(place: Place, job: Job) -> str:
    """Copy a finished replication to where a job wants it, under its arm's name; return what keeps it from that.

    Its event log is left out where it is not wanted.
    """
    changed = "was changed after it was written"
    path = place.folder / RESULT
    try:
        if place.noted and sha256_of_file(path) != place.noted:
            return f"{path}: {changed}"
        result = read_result(place.folder)
        files = {name: digest for name, digest in result["files"].items() if name != LOG or _wants_log(job)}
        with whole_folder(job.folder) as part:
            for name, digest in files.items():
                path = place.folder / name
                content = _content(path)
                (part / name).write_bytes(content)
                if sha256_of_file(part / name) != digest:
                    raise RunDirectoryError(f"{path}: {changed}")
            write_whole(part / RESULT, to_json(result | {"arm": job.arm, "files": files}))
    except RunDirectoryError as error:
        return _fault_of(error)
    return ""


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise RunDirectoryError(f"{path}: is missing") from error
    except OSError as error:
        raise RunDirectoryError(f"{path}: cannot be read ({error.strerror})") from error
