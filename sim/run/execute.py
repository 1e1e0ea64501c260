"""Do the work: make what is missing in a run directory, gather it into tables and a report, and seal it.

Steps: lock -> claim the folder -> find what is finished -> check inputs of every arm once -> make the rest -> tables ->
report -> manifest and mark. Everything before the mark may be interrupted at any instant and done again.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import InputError, RunDirectoryError
from sim.provenance import (
    MANIFEST,
    file_faults,
    is_sealed,
    only_writer,
    read_manifest,
    remove_parts,
    room_on_disk,
    seal,
    unseal,
)  # fmt: skip
from sim.run.estimate import Estimate, estimate, note_rate
from sim.run.gather import TABLES, Formats
from sim.run.pool import check_room, n_workers, run_jobs
from sim.run.replication import make_batch
from sim.run.work import (
    NOTE,
    Job,
    Work,
    claim,
    is_finished,
    jobs_of,
    lacks_log,
    move_aside,
    note_of,
    read_note,
    read_result,
)  # fmt: skip

if TYPE_CHECKING:
    from sim.assemble import InputsBuilder

Say = Callable[[str], None]
Gather = Callable[[Work, Formats], Path | None]
"""Writes tables and report into the run directory and returns the report's path, if there is one."""
REPORT = "report.html"


def _be_quiet(text: str) -> None:
    del text


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the work: how many replications were made and how many were there, and the report, if any."""

    folder: Path
    n_made: int
    n_kept: int
    report: Path | None


def execute(
    work: Work,
    *,
    gather: Gather | None = None,
    formats: Formats = Formats(),  # noqa: B008 - frozen
    say: Say = _be_quiet,
    is_fresh: bool = False,
) -> Outcome:
    """Make what is missing - replications, event logs, formats - and seal; what is there and complete stays as it is.

    Parameters
    ----------
    gather : makes tables and report; None for neither.
    formats : wanted of them, beside those that the run directory has already.
    is_fresh : move an existing run directory aside first, instead of going on with it.

    Raises
    ------
    DgsimError
        If inputs are wrong, the folder holds something else or is being written, a worker keeps dying, the disk is
        full.
    """
    if is_fresh and (aside := move_aside(work.folder)) is not None:
        say(f"the old run is now {aside}")
    with room_on_disk(work.folder), only_writer(work.folder), _nothing_half_written(work.folder):
        jobs = jobs_of(work)
        noted = _noted_formats(work.folder)
        formats = formats.added_to(noted, work.arms[0].settings.run.language)
        if is_complete(work, jobs, say) and (gather is None or _is_gathered(noted, formats)):
            return Outcome(work.folder, 0, len(jobs), _report_of(work.folder))
        claim(work)
        missing = [job for job in jobs if not is_finished(job)]
        without_log = [job for job in jobs if job not in missing and lacks_log(job)]
        if len(missing) < len(jobs):
            say(f"{len(jobs) - len(missing)} of {len(jobs)} replications are there already")
        if without_log:
            say(f"{len(without_log)} of them are made again for their event logs")
        results = _make(work, [*missing, *without_log], say)
        begun = time.perf_counter()
        report = _gather_and_seal(work, gather, formats)
        note_rate(missing, results[: len(missing)], time.perf_counter() - begun)
    return Outcome(work.folder, len(missing), len(jobs) - len(missing), report)


def gather_only(work: Work, *, gather: Gather, formats: Formats = Formats()) -> Outcome:  # noqa: B008 - frozen
    """Gather finished runs that lie elsewhere (a sweep's jobs, runs to compare) into the work's folder and seal it.

    Raises
    ------
    RunDirectoryError
        If a replication is missing or damaged, or the folder holds something else.
    """
    with room_on_disk(work.folder), only_writer(work.folder), _nothing_half_written(work.folder):
        jobs = jobs_of(work)
        noted = _noted_formats(work.folder)
        formats = formats.added_to(noted, work.arms[0].settings.run.language)
        if not (is_complete(work, jobs) and _is_gathered(noted, formats)):
            for job in jobs:
                if not is_finished(job):
                    raise RunDirectoryError(f"{job.folder}: is missing; give the command again to make it")
            claim(work)
            _gather_and_seal(work, gather, formats)
    return Outcome(work.folder, 0, len(jobs), _report_of(work.folder))


def gather_again(work: Work, *, gather: Gather, formats: Formats = Formats()) -> Outcome:  # noqa: B008 - frozen
    """Write tables and report of a finished run directory anew and seal it again; its replications stay as they are."""
    with room_on_disk(work.folder), only_writer(work.folder), _nothing_half_written(work.folder):
        formats = formats.added_to(_noted_formats(work.folder), work.arms[0].settings.run.language)
        unseal(work.folder)
        report = _gather_and_seal(work, gather, formats)
    return Outcome(work.folder, 0, len(jobs_of(work)), report)


@contextmanager
def _nothing_half_written(folder: Path) -> Iterator[None]:
    """Remove from a run directory, however the block ends, what killed workers and interrupted steps left behind."""
    try:
        yield
    finally:
        if (folder / NOTE).is_file():
            remove_parts(folder)


def _gather_and_seal(work: Work, gather: Gather | None, formats: Formats) -> Path | None:
    """Write tables and report, or take away those of fewer replications, then the manifest and the mark."""
    report = None if gather is None else gather(work, formats)
    gathered = {} if gather is None else formats.as_map() | {"report": report is not None}
    if gather is None:
        shutil.rmtree(work.folder / TABLES, ignore_errors=True)
    if report is None:
        (work.folder / REPORT).unlink(missing_ok=True)
    seal(work.folder, facts_of(work) | {"gathered": gathered})
    return report


def _noted_formats(folder: Path) -> dict[str, Any]:
    """Return what the manifest of a run directory, sealed or not, notes of its formats; {} where it notes none."""
    try:
        noted = json.loads((folder / MANIFEST).read_bytes())["gathered"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _is_gathered(noted: Mapping[str, Any], formats: Formats) -> bool:
    return {name: noted.get(name) for name in formats.as_map()} == formats.as_map()


def is_complete(work: Work, jobs: Sequence[Job], say: Say = _be_quiet) -> bool:
    """Return whether the folder holds exactly this work, sealed, with every replication and every other file whole.

    A file beside the replications that is not as the manifest lists it is told through `say`: it will be made again.

    Raises
    ------
    RunDirectoryError
        If a replication is half-written, changed, or of another run.
    """
    if not is_sealed(work.folder):
        return False
    try:
        is_same = read_note(work.folder) == note_of(work)
        faults = file_faults(work.folder, read_manifest(work.folder)) if is_same else []
    except RunDirectoryError as error:
        say(str(error))
        return False
    for fault in faults:
        say(fault)
    return is_same and not faults and all(is_finished(job) and not lacks_log(job) for job in jobs)


def _make(work: Work, missing: Sequence[Job], say: Say) -> list[dict[str, Any]]:
    """Check the inputs of every arm, then make what is missing; return the results."""
    if not missing:
        return []
    workers = n_workers(work.arms[0].settings.run.workers)
    expected = estimate(missing, workers)
    check_room(work.folder, expected.n_bytes)
    say(expected.text())
    check_inputs(missing)
    return run_jobs(missing, make_batch, workers)


def _store_tables(job: Job, builder: InputsBuilder) -> None:
    """Store the quantile tables made for an arm's own parameters, once, so that no later reader makes them again."""
    builder.take_tables(job.settings, job.tables)
    made = builder.tables_made(job.settings)
    if made:
        from sim.demand.quantiles import write_tables

        job.tables.parent.mkdir(parents=True, exist_ok=True)
        write_tables(job.tables, made)


def check_inputs(missing: Sequence[Job]) -> None:
    """Build the first inputs of every arm, all but chance, and report what is wrong with any of them together.

    Raises
    ------
    InputError
        With the problems of all arms, each once.
    """
    from sim.assemble import InputsBuilder

    builder = InputsBuilder()
    problems = []
    first = {job.key: job for job in reversed(missing)}
    for job in first.values():
        try:
            builder.changes(job.settings, job.replication)
            builder.durations(job.settings)
            builder.travel(job.settings)
            _store_tables(job, builder)
        except InputError as error:
            problems += [problem for problem in error.problems if problem not in problems]
    if problems:
        raise InputError(problems)


def facts_of(work: Work) -> dict[str, Any]:
    """Return what the manifest says beside the files: settings, seeds, input digests and log digests."""
    arms: dict[str, Any] = {}
    noted = note_of(work)["arms"]
    for arm in work.arms:
        arms[arm.name] = {
            "folder": noted[arm.name]["folder"],
            "key": arm.key,
            "settings": arm.settings.as_map(),
            "seed": arm.settings.seed,
            "replications": {},
        }
    for job in jobs_of(work):
        result = read_result(job.folder)
        told = ("siting_world", "inputs_digest", "log_digest")
        arms[job.arm]["replications"][f"r{job.replication:04d}"] = {name: result[name] for name in told}
    return {"kind": work.kind, "name": work.name, "arms": arms}


def _report_of(folder: Path) -> Path | None:
    report = folder / REPORT
    return report if report.is_file() else None


def foretell(work: Work) -> Estimate:
    """Return what making the missing replications of `work` would take, without touching anything on disk."""
    missing = [job for job in jobs_of(work) if not job.folder.exists() or lacks_log(job)]
    return estimate(missing, n_workers(work.arms[0].settings.run.workers))
