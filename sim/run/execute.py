"""Do the work: make what is missing in a run directory, gather it into tables and a report, and seal it.

Steps: check the folder and the inputs of every arm (`check.py`) -> lock -> find what is finished -> claim the folder ->
take over what others hold (`reuse.py`) -> make the rest -> tables -> report -> manifest and mark. Nothing is touched
before the checks are passed; everything before the mark may be interrupted at any instant and done again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import RunDirectoryError
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
from sim.run.check import check_before, store_tables
from sim.run.compiling import compile_first
from sim.run.estimate import Estimate, estimate, note_run
from sim.run.gather import TABLES, Formats
from sim.run.memory import peak_mb
from sim.run.pool import LOCAL, check_room, pool_workers, run_jobs
from sim.run.replication import engine_told, make_batch, timed
from sim.run.reuse import Held, bytes_of, held_by, is_held, moved, take_over
from sim.run.work import (
    NOTE,
    Job,
    Work,
    check_folder,
    claim,
    is_finished,
    jobs_of,
    lacks_log,
    move_aside,
    note_of,
    read_note,
    read_result,
)  # fmt: skip
from sim.settings import given_digests

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
    reuse: Sequence[Path] = (),
) -> Outcome:
    """Make what is missing - replications, event logs, formats - and seal; what is there and complete stays as it is.

    Parameters
    ----------
    gather : makes tables and report; None for neither.
    formats : wanted of them, beside those that the run directory has already.
    is_fresh : move an existing run directory aside first, instead of going on with it.
    reuse : run directories of which replications with the same key are taken over; may hold `work`'s own, moved aside.

    Raises
    ------
    DgsimError
        If inputs are wrong, the folder holds something else or is being written, a worker keeps dying, the disk is
        full.
    """
    seconds: dict[str, float] = {}
    with timed(seconds, "check"):
        builder = check_before(work, is_fresh=is_fresh)
        held, lies = held_by(reuse, work, say), work.folder.resolve()
    if is_fresh and (aside := move_aside(work.folder)) is not None:
        say(f"the old run is now {aside}")
        held = moved(held, lies, aside.resolve())
    with room_on_disk(work.folder), only_writer(work.folder), _nothing_half_written(work.folder):
        jobs = jobs_of(work)
        noted = _noted_formats(work.folder)
        formats = formats.added_to(noted, work.arms[0].settings.run.language)
        if is_complete(work, jobs, say) and (gather is None or _is_gathered(noted, formats)):
            return Outcome(work.folder, 0, len(jobs), _report_of(work.folder))
        check_folder(work)
        missing = [job for job in jobs if not is_finished(job)]
        claim(work)
        if len(missing) < len(jobs):
            say(f"{len(jobs) - len(missing)} of {len(jobs)} replications are there already")
        store_tables(missing, builder)
        if reuse and missing:
            missing = _without_taken(work, missing, held, builder, say)
        without_log = [job for job in jobs if job not in missing and lacks_log(job)]
        if without_log:
            say(f"{len(without_log)} of them are made again for their event logs")
        results, workers = _make(work, [*missing, *without_log], builder, say, seconds)
        with timed(seconds, "seal" if gather is None else "gather"):
            report = _gather_and_seal(work, gather, formats)
        if work.arms[0].settings.run.pool == LOCAL:
            note_run(missing, results[: len(missing)], workers, seconds)
        say(_memory_text(results))
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


def _without_taken(work: Work, missing: list[Job], held: Held, builder: InputsBuilder, say: Say) -> list[Job]:
    """Take over what other run directories hold of the missing replications; return what is still to be made."""
    check_room(work.folder, bytes_of(missing, held))
    left = take_over(missing, held, builder, say)
    n_taken = len(missing) - len(left)
    say(f"{n_taken} of the {len(missing)} that are not there are taken over from other run directories")
    return left


def _make(
    work: Work, missing: Sequence[Job], builder: InputsBuilder, say: Say, seconds: dict[str, float]
) -> tuple[list[dict[str, Any]], int]:
    """Make what is missing, the inputs being checked; return the results and the number of workers."""
    if not missing:
        return [], 1
    first_of = {engine_told(job.settings)["name"]: job for job in reversed(missing)}
    for first in first_of.values():
        compile_first(first, builder, say)
    run = work.arms[0].settings.run
    workers = pool_workers(run.pool, run.workers)
    expected = estimate(missing, workers)
    check_room(work.folder, expected.n_bytes)
    say(expected.text())
    for line in engine_lines(work):
        say(line)
    with timed(seconds, "make"):
        return run_jobs(missing, make_batch, workers, where=run.pool, keep=_cost_of), workers


def _cost_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a result says of seconds and memory; the rest is on disk."""
    return {name: result[name] for name in ("seconds", "peak_mb") if name in result}


def _memory_text(results: Sequence[Mapping[str, Any]]) -> str:
    """Return how much memory was held at most by a process that made replications, and by this one."""
    made = max((result["peak_mb"] for result in results if "peak_mb" in result), default=0.0)
    of_makers = f"{made:.0f} MB in a process that makes replications, " if made else ""
    return f"memory held at most: {of_makers}{peak_mb():.0f} MB in this one"


def engine_lines(work: Work) -> list[str]:
    """Return which engine plays the arms of a run and why: a line for all, or one for each that is not alike."""
    arms_of: dict[str, list[str]] = {}
    for arm in work.arms:
        told = engine_told(arm.settings)
        arms_of.setdefault(f"{told['name']}, because {told['why']}", []).append(arm.name)
    if len(arms_of) == 1:
        return [f"engine: {told}" for told in arms_of]
    return [f"engine of {', '.join(arms)}: {told}" for told, arms in arms_of.items()]


def facts_of(work: Work) -> dict[str, Any]:
    """Return what the manifest says beside the files: settings, seeds, input and log digests, the most memory held."""
    arms: dict[str, Any] = {}
    noted = note_of(work)["arms"]
    for arm in work.arms:
        arms[arm.name] = {
            "folder": noted[arm.name]["folder"],
            "key": arm.key,
            "settings": arm.settings.as_map(),
            "seed": arm.settings.seed,
            "given_files": given_digests(arm.settings),
            "engine": engine_told(arm.settings),
            "replications": {},
        }
    most_mb = 0.0
    for job in jobs_of(work):
        result = read_result(job.folder)
        told = ("siting_world", "inputs_digest", "log_digest")
        arms[job.arm]["replications"][f"r{job.replication:04d}"] = {name: result[name] for name in told}
        most_mb = max(most_mb, result.get("peak_mb", 0.0))
    memory = {"replications_peak_mb": most_mb, "gathering_peak_mb": peak_mb()}
    return {"kind": work.kind, "name": work.name, "arms": arms, "memory": memory}


def _report_of(folder: Path) -> Path | None:
    report = folder / REPORT
    return report if report.is_file() else None


def foretell(work: Work, *, is_fresh: bool = False, reuse: Sequence[Path] = ()) -> Estimate:
    """Return what making the missing replications of `work` would take, after the checks that come before making them.

    Raises
    ------
    DgsimError
        What `execute` would raise before it touches anything.
    """
    check_before(work, is_fresh=is_fresh)
    return expected_of(work, is_fresh=is_fresh, reuse=reuse)


def held_text(work: Work, reuse: Sequence[Path], *, is_fresh: bool = False) -> str:
    """Return how many replications other run directories hold, and how much disk their copies take."""
    held = held_by(reuse, work)
    wanted = [job for job in jobs_of(work) if is_fresh or not job.folder.exists()]
    n_held = sum((job.key, job.replication) in held for job in wanted)
    told = f"{n_held} of the {len(wanted)} replications that are not there are held by other run directories"
    return f"{told}: {bytes_of(wanted, held) / 1e6:.0f} MB to copy"


def expected_of(work: Work, *, is_fresh: bool = False, reuse: Sequence[Path] = ()) -> Estimate:
    """Return what making the missing replications of `work` would take, its inputs having been checked."""
    held = held_by(reuse, work)
    wanted = [job for job in jobs_of(work) if _is_wanted(job, held, is_fresh=is_fresh)]
    run = work.arms[0].settings.run
    return estimate(wanted, pool_workers(run.pool, run.workers))


def _is_wanted(job: Job, held: Held, *, is_fresh: bool) -> bool:
    """Return whether a job has to be made: nothing finished is there or held elsewhere, or its log is asked for now."""
    return not is_held(job, held) if is_fresh or not job.folder.exists() else lacks_log(job)
