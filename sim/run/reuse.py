"""Replications that other run directories hold already: found by key and number, taken over whole.

What decides a replication is its arm's key and its number; where it lies and what its arm is called there decide
nothing. A study of which one arm is changed thus makes that arm alone. A copy is held against the digests that its
`result.json` notes, and keeps what that says of the software that made it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import RunDirectoryError
from sim.provenance import sha256_of_file, to_json, whole_folder, write_whole
from sim.run.work import LOG, RESULT, TABLES, Job, finished_folders, read_note, read_result

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sim.assemble import InputsBuilder

Held = Mapping[tuple[str, int], Path]
"""(key of the arm, number) -> folder of a finished replication."""


def held_by(folders: Sequence[Path]) -> Held:
    """Return where the finished replications of some run directories lie; the first directory that has one counts.

    Raises
    ------
    RunDirectoryError
        If one of them is no run directory, or a `result.json` in it cannot be read.
    """
    held: dict[tuple[str, int], Path] = {}
    for folder in folders:
        for told in read_note(folder)["arms"].values():
            for replication, path in finished_folders(folder / told["folder"]):
                held.setdefault((read_result(path)["key"], replication), path)
    return held


def take_over(missing: Sequence[Job], held: Held, builder: InputsBuilder, say: Callable[[str], None]) -> list[Job]:
    """Copy what is held of the missing replications, whole, and return the jobs that need not be made any more.

    What cannot be taken - it was changed, lost a file, or its arm's stored quantile tables are not the builder's - is
    told through `say`.
    """
    from tqdm import tqdm

    taken = []
    wanted = [(job, held[job.key, job.replication]) for job in missing if (job.key, job.replication) in held]
    for job, source in tqdm(wanted, desc="taking over", unit="replication", delay=2.0, disable=None):
        try:
            _check_tables(source.parent.parent / TABLES, builder.tables_made(job.settings))
            _copy(source, job)
        except RunDirectoryError as error:
            say(f"{error}; it is made anew")
        else:
            taken.append(job)
    return taken


def _check_tables(path: Path, own: Mapping[str, NDArray[np.int32]]) -> None:
    """Stop if quantile tables stored with an arm are others than those that the rest of this arm will be made with."""
    from sim.demand.quantiles import read_tables

    stored = read_tables(path)
    if stored.keys() != own.keys() or any((stored[name] != own[name]).any() for name in own):
        raise RunDirectoryError(f"{path}: holds other quantile tables than this machine makes")


def _copy(source: Path, job: Job) -> None:
    """Copy a finished replication to where a job wants it, under its arm's name; without an event log not wanted."""
    result: dict[str, Any] = read_result(source)
    files = {name: digest for name, digest in result["files"].items() if _is_wanted(name, job)}
    with whole_folder(job.folder) as part:
        for name, digest in files.items():
            try:
                shutil.copyfile(source / name, part / name)
            except FileNotFoundError as error:
                raise RunDirectoryError(f"{source / name}: is missing") from error
            if sha256_of_file(part / name) != digest:
                raise RunDirectoryError(f"{source / name}: was changed after it was written")
        write_whole(part / RESULT, to_json(result | {"arm": job.arm, "files": files}))


def _is_wanted(name: str, job: Job) -> bool:
    return name != LOG or job.settings.run.log == "full"
