"""Does a finished run come out again? Files first, then inputs, then the engine, each by itself.

Steps: mark and manifest -> SHA-256 of every file -> inputs of each replication built again, digest by part -> engine
run again on them, digest of the event log -> the replication's tables written again, SHA-256 of each. Where a log
differs and was stored, the first differing event is shown with both sides. What folder, arms, configuration and results
say of each other is compared by `_record_faults`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sim.errors import InputError, Problem
from sim.provenance import check_files, sha256_of_file, source_digest
from sim.run.pool import n_workers, run_jobs
from sim.run.replication import LOG
from sim.run.work import CONFIG, REPLICATIONS, RESULT, Batch, Job, read_note, read_result, replication_folder
from sim.settings import Engine, load_settings

NOT_AGAIN = (
    "not made again: the comparison's tables/ and report.html, and the standing and sources in config.yaml; "
    "they are only compared with the manifest"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found, as far as it got: the manifest was right, or there would be an error instead."""

    n_files: int
    is_same_source: bool
    replications: tuple[Mapping[str, Any], ...] = field(default_factory=tuple)
    faults: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether the records agree and every replication came out the same, its tables too."""
        is_remade = all(not r["parts"] and not r["difference"] and not r["tables"] for r in self.replications)
        return is_remade and not self.faults

    def lines(self) -> list[str]:
        """Return the verdict as lines of text."""
        lines = [f"files: all {self.n_files} are as the manifest lists them"]
        if not self.is_same_source:
            lines.append("source: the program's source is not the one this run was made with")
        lines += [f"record: {fault}" for fault in self.faults]
        n = len(self.replications)
        other_inputs = [r for r in self.replications if r["parts"]]
        other_logs = [r for r in self.replications if r["difference"]]
        if not n:
            return [*lines, "inputs, engine and tables: not asked for"]
        lines.append(f"inputs: {n - len(other_inputs)} of {n} replications the same")
        lines += [f"  {_name(r)}: other {', '.join(r['parts'])}" for r in other_inputs]
        n_run = n - len(other_inputs)
        lines.append(f"engine: {n_run - len(other_logs)} of {n_run} event logs the same")
        lines += [f"  {_name(r)}: {r['difference']}" for r in other_logs]
        lines += self._table_lines(n_run - len(other_logs))
        lines.append("verdict: the same" if self.is_same else "verdict: NOT the same")
        return lines

    def _table_lines(self, n_run: int) -> list[str]:
        others = [r for r in self.replications if r["tables"]]
        n_same = sum(1 for r in self.replications if not (r["parts"] or r["difference"] or r["tables"]))
        return [
            f"tables: {n_same} of {n_run} replications the same",
            *(f"  {_name(r)}: other {', '.join(r['tables'])}" for r in others),
            NOT_AGAIN,
        ]


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
    faults = tuple(_record_faults(folder, manifest))
    if not is_rerun:
        return Verdict(len(manifest["files"]), is_same_source, faults=faults)
    jobs = _jobs(folder, manifest, frozenset(replications), engine)
    results = run_jobs(jobs, remake_batch, n_workers(workers))
    return Verdict(len(manifest["files"]), is_same_source, tuple(results), faults)


def _record_faults(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Return where run.json, manifest, configuration and results of a run directory contradict each other."""
    noted, listed = read_note(folder)["arms"], manifest["arms"]
    faults = [f"{name}: is not an arm of both run.json and the manifest" for name in sorted({*noted} ^ {*listed})]
    for name in sorted({*noted} & {*listed}):
        arm, where = listed[name], folder / listed[name]["folder"]
        if (arm["key"], arm["folder"]) != (noted[name]["key"], noted[name]["folder"]):
            faults.append(f"{name}: key or folder in run.json is not the manifest's")
        settings = load_settings(where / CONFIG)
        is_same_map = json.loads(json.dumps(settings.as_map())) == arm["settings"]
        if not is_same_map or settings.seed != arm["seed"]:
            faults.append(f"{name}: the settings in {CONFIG} are not the manifest's")
        wanted = [f"r{r:04d}" for r in range(noted[name]["n_replications"])]
        present = sorted(path.name for path in (where / REPLICATIONS).glob("*"))
        if wanted != sorted(arm["replications"]) or wanted != present:
            faults.append(f"{name}: replications are not exactly the {len(wanted)} that run.json names")
        faults += [f"{name} {r}: {RESULT} is not as the manifest tells it" for r in present if _is_other(where, r, arm)]
    return faults


def _is_other(where: Path, replication: str, arm: Mapping[str, Any]) -> bool:
    """Return whether a result has another key or other digests than the manifest says of it."""
    told = arm["replications"].get(replication)
    result = read_result(where / REPLICATIONS / replication)
    is_same = told is None or all(result.get(name) == value for name, value in told.items())
    return not is_same or result["key"] != arm["key"]


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
            if (not wanted or r in wanted) and replication_folder(where, r).is_dir()
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
    """Return what differs when one replication is made again: parts of the inputs, event log, tables."""
    from sim.assemble import build_inputs
    from sim.engine import simulate

    noted = read_result(job.folder)
    builder.take_tables(job.settings, job.tables)
    inputs = build_inputs(job.settings, job.replication, builder)
    digests = inputs.digests()
    parts = [name for name in sorted({*digests, *noted["inputs"]}) if digests.get(name) != noted["inputs"].get(name)]
    difference, tables = "", []
    if not parts:
        log = simulate(inputs, job.settings.run.engine)
        if log.digest() != noted["log_digest"] or _is_another_log(job.folder / LOG, log):
            difference = _difference(job.folder / LOG, log)
        else:
            tables = _other_tables(job.folder, inputs, log, noted["files"])
    told = {"parts": parts, "difference": difference, "tables": tables}
    return {"arm": job.arm, "replication": job.replication, **told}


def _is_another_log(stored: Path, log: Any) -> bool:
    """Return whether the rows that were kept, if any were, are not those of `log`."""
    from sim.engine.log import read_log

    return stored.is_file() and bool(read_log(stored).digest() != log.digest())


def _other_tables(folder: Path, inputs: Any, log: Any, noted: Mapping[str, str]) -> list[str]:
    """Return the files of a replication that are not, byte for byte, those that are written again from its log."""
    from sim.engine.static import static_responses
    from sim.metrics import write_replication_tables

    with tempfile.TemporaryDirectory() as scratch:
        write_replication_tables(Path(scratch), inputs, log, static_responses(inputs))
        if (folder / LOG).is_file():
            log.write_parquet(Path(scratch) / LOG)
        made = {path.name: sha256_of_file(path) for path in Path(scratch).iterdir()}
    lying = {path.name: sha256_of_file(path) for path in folder.iterdir() if path.name != RESULT}
    names = sorted({*made, *lying, *noted})
    return [name for name in names if not made.get(name) == lying.get(name) == noted.get(name)]


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
