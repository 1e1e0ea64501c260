"""Does a finished run come out again? Files first, then what they say of each other, then everything made anew.

Steps: mark and manifest -> SHA-256 of every file -> `record.py`: do manifest, notes, configurations and results agree
-> `remake.py`: inputs of each replication built again, digest by part -> engine run again on them, digest of the event
log -> the replication's tables written again -> the comparison's tables and the report made again. Where a log differs
and was stored, the first differing event is shown with both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sim.errors import InputError, Problem
from sim.provenance import check_files, software
from sim.run.compared import work_in
from sim.run.pool import n_workers, run_jobs
from sim.run.record import record_faults
from sim.run.remake import other_gathered, remake_batch
from sim.run.work import Job, Work, jobs_of, read_result
from sim.settings import Engine

NOT_AGAIN = (
    "not made again: texts and names in run.json; seconds, versions and platform in result.json and manifest.json; "
    "they are only compared with the manifest"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found, as far as it got: the files are as the manifest lists them, or there would be an error.

    `n_noted`: replications there are; `n_other_source`: those made with other source than the program's now;
    `other_software`: versions and platforms of theirs that are not those of now, as text, each once. `replications`:
    one map per replication made again. `gathered`: what differs in the comparison; None where it was not made again.
    """

    n_files: int
    n_noted: int
    n_other_source: int
    other_software: tuple[str, ...] = ()
    replications: tuple[Mapping[str, Any], ...] = field(default_factory=tuple)
    faults: tuple[str, ...] = ()
    gathered: tuple[str, ...] | None = None
    has_gathered: bool = False

    @property
    def is_same_source(self) -> bool:
        """Whether every replication was made with the program's source as it is now."""
        return not self.n_other_source

    @property
    def is_same(self) -> bool:
        """Whether the records agree and every replication came out the same, its tables and the comparison too."""
        is_remade = all(not r["parts"] and not r["difference"] and not r["tables"] for r in self.replications)
        return is_remade and not self.faults and not self.gathered

    def lines(self) -> list[str]:
        """Return the verdict as lines of text."""
        lines = [f"files: all {self.n_files} are as the manifest lists them"]
        if self.n_other_source:
            of = f"{self.n_other_source} of {self.n_noted} replications"
            lines.append(f"source: the program's source is not the one that {of} were made with")
        if self.other_software:
            lines.append(f"software: replications were made with {'; '.join(self.other_software)}")
        lines += [f"record: {fault}" for fault in self.faults]
        if not self.replications:
            return [*lines, *self._verdict("inputs, engine, tables and comparison: not asked for")]
        return [*lines, *self._replication_lines(), *self._gathered_lines(), *self._verdict(NOT_AGAIN)]

    def _verdict(self, not_done: str) -> list[str]:
        return [not_done, "verdict: the same" if self.is_same else "verdict: NOT the same"]

    def _replication_lines(self) -> list[str]:
        n = len(self.replications)
        other_inputs = [r for r in self.replications if r["parts"]]
        other_logs = [r for r in self.replications if r["difference"]]
        other_tables = [r for r in self.replications if r["tables"]]
        n_run = n - len(other_inputs)
        n_written = n_run - len(other_logs)
        return [
            f"inputs: {n_run} of {n} replications the same",
            *(f"  {_name(r)}: other {', '.join(r['parts'])}" for r in other_inputs),
            f"engine: {n_written} of {n_run} event logs the same",
            *(f"  {_name(r)}: {r['difference']}" for r in other_logs),
            f"tables: {n_written - len(other_tables)} of {n_written} replications the same",
            *(f"  {_name(r)}: other {', '.join(r['tables'])}" for r in other_tables),
        ]

    def _gathered_lines(self) -> list[str]:
        if self.gathered:
            return ["comparison: NOT the same", *(f"  {difference}" for difference in self.gathered)]
        return [f"comparison: {'tables and report the same' if self.has_gathered else 'none was written'}"]


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
    replications : numbers to make again; empty for all. The comparison is made again from all that are stored.
    is_rerun : False checks the files and what they say of each other alone.

    Raises
    ------
    RunDirectoryError
        If the folder was never finished, or a file is changed, missing or added; all of them are named.
    """
    manifest = check_files(folder)
    work = work_in(folder)
    results = [read_result(job.folder) for job in jobs_of(work) if job.folder.is_dir()]
    now = software()
    verdict = Verdict(
        n_files=len(manifest["files"]),
        n_noted=len(results),
        n_other_source=sum(r["software"]["source"]["result"] != now["source"]["result"] for r in results),
        other_software=tuple(dict.fromkeys(text for r in results for text in _other_software(r["software"], now))),
        faults=tuple(record_faults(work, manifest)),
        has_gathered=bool(manifest["gathered"]),
    )
    if not is_rerun:
        return verdict
    made = run_jobs(_jobs(work, frozenset(replications), engine), remake_batch, n_workers(workers))
    return replace(verdict, replications=tuple(made), gathered=tuple(other_gathered(work, manifest["gathered"])))


def _other_software(noted: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what of versions and platform is not as it is now, as `numpy 2.4.6, now 2.5.0`."""
    before = {name: noted[name] for name in ("python", "platform")} | dict(noted["versions"])
    today = {name: now[name] for name in ("python", "platform")} | dict(now["versions"])
    names = [name for name in before if before[name] != today.get(name)]
    return [f"{name} {before[name]}, now {today.get(name, 'unknown')}" for name in names]


def _jobs(work: Work, wanted: frozenset[int], engine: Engine | None) -> list[Job]:
    jobs = [job for job in jobs_of(work) if job.folder.is_dir() and (not wanted or job.replication in wanted)]
    if not jobs:
        rule, mend = "names no replication of this run", "leave --replications out for all"
        raise InputError([Problem(str(work.folder), rule, sorted(wanted), mend=mend)])
    if engine is None:
        return jobs
    run = [replace(job.settings.run, engine=engine) for job in jobs]
    return [replace(job, settings=replace(job.settings, run=run)) for job, run in zip(jobs, run, strict=True)]
