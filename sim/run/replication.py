"""One replication of one arm, from settings to a folder of tables: inputs -> engine -> static part -> metrics -> disk.

The folder appears whole or not at all. `result.json` holds the digests that let anyone see whether two replications
are the same, what happened in numbers, how long each step took, the most memory that the process had held by then, and
the software that made it, which stays as it is when tables and report are written again. Next: `pool.py`, which makes
many.
"""

from __future__ import annotations

import shutil
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.assemble import InputsBuilder, build_inputs
from sim.engine import engine_for
from sim.errors import RunDirectoryError
from sim.provenance import city_digest, sha256_of_file, software, to_json, whole_folder, write_whole
from sim.run.memory import peak_mb
from sim.run.work import LOG, RESULT, Batch, Job, is_finished, lacks_log, read_result

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sim.engine.log import EventLog
    from sim.inputs import RunInputs
    from sim.settings import Settings


def make_batch(batch: Batch) -> list[dict[str, Any]]:
    """Make the replications of a batch in turn and return their results; finished ones are taken as they are."""
    builder = _builder(city_digest(batch[0].settings.city_folder()))
    return [_made(job, builder) for job in batch]


def _made(job: Job, builder: InputsBuilder) -> dict[str, Any]:
    if not is_finished(job):
        return make_replication(job, builder)
    return add_log(job, builder) if lacks_log(job) else read_result(job.folder)


@lru_cache(maxsize=1)
def _builder(digest_of_city: str) -> InputsBuilder:
    """Return this process's builder, which keeps what batches share as long as the city's files stay as they are."""
    del digest_of_city
    return InputsBuilder()


def make_replication(job: Job, builder: InputsBuilder) -> dict[str, Any]:
    """Make one replication, write its folder and return its result.

    Raises
    ------
    DgsimError
        If inputs are wrong, the engine meets a forbidden state, or the disk is full; no folder is left then.
    """
    seconds: dict[str, float] = {}
    with timed(seconds, "inputs"):
        builder.take_tables(job.settings, job.tables)
        inputs = build_inputs(job.settings, job.replication, builder)
    with timed(seconds, "digest"):
        digests = inputs.digests(builder.known_digests)
    log, static_ms = play(inputs, job.settings.run.engine, seconds)
    with whole_folder(job.folder) as part:
        with timed(seconds, "tables"):
            incidents = _write_tables(part, inputs, log, static_ms, job)
        result = told_of(job, builder, log, digests, counts_of(inputs, log, len(incidents["identity"]))) | {
            "arm": job.arm,
            "engine": engine_told(job.settings),
            "software": software(),
            "seconds": {step: round(value, 4) for step, value in seconds.items()},
            "peak_mb": peak_mb(),
            "files": {path.name: sha256_of_file(path) for path in sorted(part.iterdir())},
        }
        write_whole(part / RESULT, to_json(result))
    return result


def add_log(job: Job, builder: InputsBuilder) -> dict[str, Any]:
    """Make a finished replication again for its event log, keep that beside its tables, and return its result.

    Raises
    ------
    RunDirectoryError
        If it comes out otherwise now; nothing is changed then.
    """
    from sim.engine import simulate

    builder.take_tables(job.settings, job.tables)
    log = simulate(build_inputs(job.settings, job.replication, builder), job.settings.run.engine)
    result = read_result(job.folder)
    if log.digest() != result["log_digest"]:
        mend = f"`dgsim verify` tells what differs; delete the folder {job.folder} and give the command again"
        raise RunDirectoryError(f"{job.folder}: made again for its event log, it comes out otherwise; {mend}")
    with whole_folder(job.folder, is_replacing=True) as part:
        for name in result["files"]:
            shutil.copyfile(job.folder / name, part / name)
        log.write_parquet(part / LOG)
        result["files"] = {path.name: sha256_of_file(path) for path in sorted(part.iterdir())}
        write_whole(part / RESULT, to_json(result))
    return result


def engine_told(settings: Settings) -> dict[str, str]:
    """Return which engine plays the replications of some settings, and why."""
    name, why = engine_for(settings.run.engine, settings.dispatch.own_rule)
    return {"name": name, "why": why}


def told_of(
    job: Job, builder: InputsBuilder, log: EventLog, digests: dict[str, str], counts: dict[str, int]
) -> dict[str, Any]:
    """Return what `result.json` says that must come out again whenever and wherever the replication is made again."""
    return {
        "replication": job.replication,
        "key": job.key,
        "city": city_digest(job.settings.city_folder()),
        "siting_world": builder.world_name(job.settings, job.replication),
        "log_digest": log.digest(),
        "inputs_digest": _digest_over(digests),
        "inputs": digests,
        "counts": counts,
    }


def play(inputs: RunInputs, engine: str, seconds: dict[str, float]) -> tuple[EventLog, NDArray[np.int64]]:
    """Return the event log and the static responses of one run, noting the seconds of both."""
    from sim.engine import simulate
    from sim.engine.static import static_responses

    with timed(seconds, "engine"):
        log = simulate(inputs, engine)
    with timed(seconds, "static"):
        static_ms = static_responses(inputs)
    return log, static_ms


def counts_of(inputs: RunInputs, log: EventLog, n_measured: int) -> dict[str, int]:
    """Return what happened in numbers: incidents in the whole run and in the measured window, rows of some kinds."""
    import numpy as np

    from sim.engine.log import LogKind

    n_of = np.bincount(log.column("kind").view(np.uint16), minlength=max(LogKind) + 1)
    shown = (LogKind.DISPATCH, LogKind.ARRIVE, LogKind.ESCALATE, LogKind.WAIT, LogKind.UNFILLED)
    counts = {f"n_{kind.name.lower()}": int(n_of[kind]) for kind in shown}
    return {"n_incidents": len(inputs.demand.incidents), "n_measured": n_measured, "n_log_rows": len(log.rows)} | counts


def _digest_over(digests: dict[str, str]) -> str:
    from sim.inputs import digest_of

    return digest_of(digests)


def _write_tables(
    part: Path, inputs: RunInputs, log: EventLog, static_ms: NDArray[np.int64], job: Job
) -> dict[str, Any]:
    from sim.metrics import write_replication_tables

    incidents = write_replication_tables(part, inputs, log, static_ms)
    if job.settings.run.log == "full":
        log.write_parquet(part / LOG)
    return incidents


class timed:  # noqa: N801 - reads as a statement
    """Adds the seconds that its block takes to `seconds[step]`."""

    def __init__(self, seconds: dict[str, float], step: str) -> None:
        self._seconds, self._step = seconds, step

    def __enter__(self) -> None:
        self._begun = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._seconds[self._step] = self._seconds.get(self._step, 0.0) + time.perf_counter() - self._begun
