"""Does a finished run come out again? Files first, then inputs, then the engine, each by itself.

Steps: mark and manifest -> SHA-256 of every file -> inputs of each replication built again, digest by part -> engine
run again on them, digest of the event log. Where a log differs and was stored, the first differing event is shown
with both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sim.errors import InputError, Problem
from sim.provenance import check_files, source_digest
from sim.run.pool import n_workers, run_jobs
from sim.run.replication import LOG
from sim.run.work import CONFIG, Batch, Job, read_result, replication_folder
from sim.settings import Engine, load_settings


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found, as far as it got: the manifest was right, or there would be an error instead."""

    n_files: int
    is_same_source: bool
    replications: tuple[Mapping[str, Any], ...] = field(default_factory=tuple)

    @property
    def is_same(self) -> bool:
        """Whether every replication came out the same."""
        return all(not r["parts"] and not r["difference"] for r in self.replications)

    def lines(self) -> list[str]:
        """Return the verdict as lines of text."""
        lines = [f"files: all {self.n_files} are as the manifest lists them"]
        if not self.is_same_source:
            lines.append("source: the program's source is not the one this run was made with")
        n = len(self.replications)
        other_inputs = [r for r in self.replications if r["parts"]]
        other_logs = [r for r in self.replications if r["difference"]]
        if not n:
            return [*lines, "inputs and engine: not asked for"]
        lines.append(f"inputs: {n - len(other_inputs)} of {n} replications the same")
        lines += [f"  {_name(r)}: other {', '.join(r['parts'])}" for r in other_inputs]
        n_run = n - len(other_inputs)
        lines.append(f"engine: {n_run - len(other_logs)} of {n_run} event logs the same")
        lines += [f"  {_name(r)}: {r['difference']}" for r in other_logs]
        lines.append("verdict: the same" if self.is_same else "verdict: NOT the same")
        return lines


def _name(result: Mapping[str, Any]) -> str:
    return f"{result['arm']} r{result['replication']:04d}"


def verify(
    folder: Path,
    *,
    engine: Engine | None = None,
    replications: Iterable[int] = (),
    is_rerun: bool = True,
    workers: int = 0,
) -> Verdict:
    """Return whether the run directory is what it says and comes out again.

    Parameters
    ----------
    engine : engine to run again with; None is the one of the run's own settings.
    replications : numbers to make again; empty for all.
    is_rerun : False checks the files alone.

    Raises
    ------
    RunDirectoryError
        If the folder was never finished, or a file is changed, missing or added; all of them are named.
    """
    manifest = check_files(folder)
    is_same_source = manifest["software"]["source"]["result"] == source_digest(is_result_only=True)
    if not is_rerun:
        return Verdict(len(manifest["files"]), is_same_source)
    jobs = _jobs(folder, manifest, frozenset(replications), engine)
    results = run_jobs(jobs, remake_batch, n_workers(workers))
    return Verdict(len(manifest["files"]), is_same_source, tuple(results))


def _jobs(folder: Path, manifest: Mapping[str, Any], wanted: frozenset[int], engine: Engine | None) -> list[Job]:
    jobs = []
    for name, arm in manifest["arms"].items():
        where = folder / arm["folder"]
        settings = load_settings(where / CONFIG)
        if engine:
            settings = replace(settings, run=replace(settings.run, engine=engine))
        numbers = sorted(int(number[1:]) for number in arm["replications"])
        jobs += [
            Job(name, arm["key"], r, settings, replication_folder(where, r))
            for r in numbers
            if not wanted or r in wanted
        ]
    if not jobs:
        problem = Problem(
            str(folder), "has no such replication", sorted(wanted), mend="leave --replications out for all"
        )
        raise InputError([problem])
    return sorted(jobs, key=lambda job: job.replication)


def remake_batch(batch: Batch) -> list[dict[str, Any]]:
    """Make the replications of a batch again, writing nothing, and return what differs in each."""
    from sim.assemble import InputsBuilder

    builder = InputsBuilder()
    return [remake(job, builder) for job in batch]


def remake(job: Job, builder: Any) -> dict[str, Any]:
    """Return what differs when one replication is made again: parts of the inputs, and the event log."""
    from sim.assemble import build_inputs
    from sim.engine import simulate

    noted = read_result(job.folder)
    builder.take_tables(job.settings, job.tables)
    inputs = build_inputs(job.settings, job.replication, builder)
    digests = inputs.digests()
    parts = [name for name in sorted({*digests, *noted["inputs"]}) if digests.get(name) != noted["inputs"].get(name)]
    difference = ""
    if not parts:
        log = simulate(inputs, job.settings.run.engine)
        if log.digest() != noted["log_digest"]:
            difference = _difference(job.folder / LOG, log)
    return {"arm": job.arm, "replication": job.replication, "parts": parts, "difference": difference}


def _difference(stored: Path, log: Any) -> str:
    """Return the first event that differs, with both sides, as far as the stored log can tell."""
    from sim.engine.log import read_log
    from sim.engine.parity import describe_rows, first_difference

    if not stored.is_file():
        return "the event log is another; its rows were not kept (run.log=full keeps them)"
    before = read_log(stored)
    at = first_difference(before, log)
    if at is None:
        return "the event log is another than result.json says, but the stored one is the same as the new one"
    sides = f"in the run\n{describe_rows(before, at)}\nnow\n{describe_rows(log, at)}"
    return f"the event log differs from row {at} on:\n{sides}"
