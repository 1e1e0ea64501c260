"""Do the work: make what is missing in a run directory, gather it into tables and a report, and seal it.

Steps: check the folder and the inputs of every arm (`check.py`) -> lock -> find what is finished -> claim the folder ->
make the rest -> tables -> report -> manifest and mark. Nothing is touched before the checks are passed; everything
before the mark may be interrupted at any instant and done again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import RunDirectoryError
from sim.provenance import is_sealed, only_writer, remove_parts, room_on_disk, seal, unseal, write_manifest
from sim.run.check import check_before, missing_of, store_tables
from sim.run.estimate import Estimate, estimate, note_run
from sim.run.pool import check_room, n_workers, run_jobs
from sim.run.replication import make_batch, timed
from sim.run.work import (
    Job,
    Work,
    check_folder,
    claim,
    is_finished,
    jobs_of,
    move_aside,
    note_of,
    read_note,
    read_result,
)
from sim.settings import given_digests

if TYPE_CHECKING:
    from sim.assemble import InputsBuilder

Say = Callable[[str], None]
Gather = Callable[[Work], Path | None]


def _be_quiet(text: str) -> None:
    del text


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the work: how many replications were made and how many were there, and the report, if any."""

    folder: Path
    n_made: int
    n_kept: int
    report: Path | None


def execute(work: Work, *, gather: Gather | None = None, say: Say = _be_quiet, is_fresh: bool = False) -> Outcome:
    """Make every replication that is missing, then gather and seal; a run directory that is complete is left as it is.

    Parameters
    ----------
    gather : writes tables and report into the run directory and returns the report's path; None for neither.
    is_fresh : move an existing run directory aside first, instead of going on with it.

    Raises
    ------
    DgsimError
        If inputs are wrong, the folder holds something else or is being written, a worker keeps dying, the disk is
        full.
    """
    seconds: dict[str, float] = {}
    with timed(seconds, "check"):
        builder = check_before(work, is_fresh=is_fresh)
    if is_fresh and (aside := move_aside(work.folder)) is not None:
        say(f"the old run is now {aside}")
    with room_on_disk(work.folder), only_writer(work.folder):
        jobs = jobs_of(work)
        is_gathered = gather is None or _report_of(work.folder) is not None
        if is_gathered and is_complete(work, jobs):
            return Outcome(work.folder, 0, len(jobs), _report_of(work.folder))
        check_folder(work)
        missing = [job for job in jobs if not is_finished(job)]
        claim(work)
        if len(missing) < len(jobs):
            say(f"{len(jobs) - len(missing)} of {len(jobs)} replications are there already")
        results = _make(work, missing, builder, say, seconds)
        with timed(seconds, "seal" if gather is None else "gather"):
            report = _gather_and_seal(work, gather)
        note_run(missing, results, n_workers(work.arms[0].settings.run.workers), seconds)
    return Outcome(work.folder, len(missing), len(jobs) - len(missing), report)


def gather_only(work: Work, *, gather: Gather) -> Outcome:
    """Gather finished runs that lie elsewhere (a sweep's jobs, runs to compare) into the work's folder and seal it.

    Raises
    ------
    RunDirectoryError
        If a replication is missing or damaged, or the folder holds something else.
    """
    with room_on_disk(work.folder), only_writer(work.folder):
        jobs = jobs_of(work)
        if not is_complete(work, jobs) or _report_of(work.folder) is None:
            for job in jobs:
                if not is_finished(job):
                    raise RunDirectoryError(f"{job.folder}: is missing; give the command again to make it")
            claim(work)
            _gather_and_seal(work, gather)
    return Outcome(work.folder, 0, len(jobs), _report_of(work.folder))


def gather_again(work: Work, *, gather: Gather) -> Outcome:
    """Write tables and report of a finished run directory anew and seal it again."""
    with room_on_disk(work.folder), only_writer(work.folder):
        unseal(work.folder)
        report = _gather_and_seal(work, gather)
    return Outcome(work.folder, 0, len(jobs_of(work)), report)


def _gather_and_seal(work: Work, gather: Gather | None) -> Path | None:
    """Write what the report needs to know, tables and report, then the manifest over everything and the mark."""
    facts = facts_of(work)
    write_manifest(work.folder, facts)
    report = None if gather is None else gather(work)
    seal(work.folder, facts)
    return report


def is_complete(work: Work, jobs: Sequence[Job]) -> bool:
    """Return whether the folder holds exactly this work, sealed, with every replication whole."""
    if not is_sealed(work.folder):
        return False
    try:
        is_same = read_note(work.folder) == note_of(work)
    except RunDirectoryError:
        return False
    return is_same and all(is_finished(job) for job in jobs)


def _make(
    work: Work, missing: Sequence[Job], builder: InputsBuilder, say: Say, seconds: dict[str, float]
) -> list[dict[str, Any]]:
    """Make what is missing, the inputs being checked; return the results."""
    if not missing:
        return []
    workers = n_workers(work.arms[0].settings.run.workers)
    expected = estimate(missing, workers)
    check_room(work.folder, expected.n_bytes)
    say(expected.text())
    store_tables(missing, builder)
    with timed(seconds, "make"):
        results = run_jobs(missing, make_batch, workers)
    remove_parts(work.folder)  # what a killed worker left half-written
    return results


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
            "given_files": given_digests(arm.settings),
            "replications": {},
        }
    for job in jobs_of(work):
        result = read_result(job.folder)
        told = ("siting_world", "inputs_digest", "log_digest")
        arms[job.arm]["replications"][f"r{job.replication:04d}"] = {name: result[name] for name in told}
    return {"kind": work.kind, "name": work.name, "arms": arms}


def _report_of(folder: Path) -> Path | None:
    report = folder / "report.html"
    return report if report.is_file() else None


def foretell(work: Work, *, is_fresh: bool = False) -> Estimate:
    """Return what making the missing replications of `work` would take, after the checks that come before making them.

    Raises
    ------
    DgsimError
        What `execute` would raise before it touches anything.
    """
    check_before(work, is_fresh=is_fresh)
    return expected_of(work, is_fresh=is_fresh)


def expected_of(work: Work, *, is_fresh: bool = False) -> Estimate:
    """Return what making the missing replications of `work` would take, its inputs having been checked."""
    return estimate(missing_of(work, is_fresh=is_fresh), n_workers(work.arms[0].settings.run.workers))
