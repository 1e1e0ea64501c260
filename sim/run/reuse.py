"""Replications that other run directories hold already: found by key and number, taken over whole.

What decides a replication is its arm's key and its number; where it lies and what its arm is called there decide
nothing. A study of which one arm is changed thus makes that arm alone. A copy is held against the digests that its
`result.json` notes, that against the manifest where there is one, and it keeps what made it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import InputError, RunDirectoryError
from sim.provenance import is_sealed, read_manifest, sha256_of_file, to_json, whole_folder, write_whole
from sim.run.work import (
    LOG,
    NOTE,
    RESULT,
    TABLES,
    Job,
    Work,
    aside_of,
    finished_folders,
    read_note,
    read_result,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sim.assemble import InputsBuilder

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finished replication lies, what it noted, and the SHA-256 of that note in its manifest, "" without."""

    folder: Path
    result: Mapping[str, Any]
    noted: str


Held = Mapping[tuple[str, int], Sequence[Place]]
"""(key of the arm, number) -> where such a replication lies, first choice first."""


def sources_of(work: Work, folders: Sequence[Path]) -> list[Path]:
    """Return the run directories to take from: the work's own stands for all that was moved aside of it too.

    So a command that was ended after it had moved the run aside finds it again.
    """
    found: list[Path] = []
    for folder in folders:
        is_own = folder.resolve() == work.folder.resolve()
        aside = [path for path in aside_of(work.folder) if (path / NOTE).is_file()] if is_own else []
        if not aside or (folder / NOTE).is_file():
            found.append(folder)
        found += reversed(aside)
    return found


def held_by(folders: Sequence[Path], say: Say | None = None) -> Held:
    """Return where the finished replications of some run directories lie, those of the first directory first.

    A `result.json` that cannot be read is told through `say`; what it is of counts as missing.

    Raises
    ------
    RunDirectoryError
        If one of the folders is no run directory, or its manifest was changed.
    """
    held: dict[tuple[str, int], list[Place]] = {}
    for folder in folders:
        for told in read_note(folder)["arms"].values():
            for replication, place in _places(folder, folder / told["folder"], say):
                held.setdefault((place.result["key"], replication), []).append(place)
    return held


def _places(folder: Path, arm: Path, say: Say | None) -> Iterator[tuple[int, Place]]:
    """Yield (number, place) of the finished replications of an arm, which lies in its run directory or is its own."""
    whole = folder if arm.resolve().is_relative_to(folder.resolve()) else arm
    noted: Mapping[str, str] = read_manifest(whole)["files"] if is_sealed(whole) else {}
    for replication, path in finished_folders(arm):
        name = (path.resolve() / RESULT).relative_to(whole.resolve()).as_posix()
        try:
            yield replication, Place(path, read_result(path), noted.get(name, ""))
        except RunDirectoryError as error:
            if say is not None:
                say(str(error).partition("; ")[0])


def is_held(job: Job, held: Held) -> bool:
    """Return whether a replication is held somewhere, with its event log where that is wanted."""
    return any(_suits(place, job) for place in held.get((job.key, job.replication), ()))


def _suits(place: Place, job: Job) -> bool:
    return job.settings.run.log != "full" or LOG in place.result["files"]


def take_over(missing: Sequence[Job], held: Held, builder: InputsBuilder, say: Say) -> list[Job]:
    """Copy what is held of the missing replications, whole, and return the jobs that need not be made any more.

    One with its event log is taken rather than one without, where that is wanted. What cannot be taken - it was
    changed, lost a file, or its arm's stored quantile tables are not the builder's - is told through `say`, once.
    """
    from tqdm import tqdm

    taken, told = [], set[str]()
    wanted = [job for job in missing if (job.key, job.replication) in held]
    for job in tqdm(wanted, desc="taking over", unit="replication", delay=2.0, disable=None):
        for place in sorted(held[job.key, job.replication], key=lambda place: not _suits(place, job)):
            try:
                _check_tables(place.folder.parent.parent / TABLES, builder.tables_made(job.settings))
                _copy(place, job)
            except (InputError, RunDirectoryError) as error:
                fault = f"{str(error).partition('; ')[0]}; not taken over"
                if fault not in told:
                    say(fault)
                told.add(fault)
            else:
                taken.append(job)
                break
    return taken


def _check_tables(path: Path, own: Mapping[str, NDArray[np.int32]]) -> None:
    """Stop if quantile tables stored with an arm are others than those that the rest of this arm will be made with."""
    from sim.demand.quantiles import read_tables

    if own and not path.exists():
        raise RunDirectoryError(f"{path}: is missing")
    stored = read_tables(path)
    if stored.keys() != own.keys() or any((stored[name] != own[name]).any() for name in own):
        raise RunDirectoryError(f"{path}: holds other quantile tables than this machine makes")


def _copy(place: Place, job: Job) -> None:
    """Copy a finished replication to where a job wants it, under its arm's name; without an event log not wanted."""
    path = place.folder / RESULT
    if (place.noted and sha256_of_file(path) != place.noted) or place.result["replication"] != job.replication:
        raise RunDirectoryError(f"{path}: was changed after it was written")
    files = {name: digest for name, digest in place.result["files"].items() if _is_wanted(name, job)}
    with whole_folder(job.folder) as part:
        for name, digest in files.items():
            try:
                shutil.copyfile(place.folder / name, part / name)
            except FileNotFoundError as error:
                raise RunDirectoryError(f"{place.folder / name}: is missing") from error
            if sha256_of_file(part / name) != digest:
                raise RunDirectoryError(f"{place.folder / name}: was changed after it was written")
        write_whole(part / RESULT, to_json({**place.result, "arm": job.arm, "files": files}))


def _is_wanted(name: str, job: Job) -> bool:
    return name != LOG or job.settings.run.log == "full"
