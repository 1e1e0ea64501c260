"""What a run will take: replications, minutes and disk, from the rate that this machine showed in earlier runs.

The rate is seconds and bytes per *nominal* incident (alarms per year x years run), so it carries over to other
windows and demands. It is kept in the cache folder; without one, a month of the first arm is run and timed.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from sim.compiled import cache_root
from sim.provenance import to_json, write_whole
from sim.run.work import Job
from sim.settings import Settings

_DAYS_PER_YEAR = 365.25
_SPARE_DISK = 1.25
_TABLES_BYTES = 20_000_000
_MONTH_DAYS = 30


@dataclass(frozen=True, slots=True)
class Rate:
    """Seconds of one core and bytes on disk per nominal incident, and where the figures come from."""

    s_per_incident: float
    bytes_per_incident: float
    measured: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """What making some replications takes."""

    n_replications: int
    n_workers: int
    seconds: float
    n_bytes: int
    measured: str

    def text(self) -> str:
        """Return the estimate in one sentence that says what it rests on."""
        if not self.n_replications:
            return "nothing to run: every replication is there"
        minutes = f"{self.seconds / 60:.1f} minutes" if self.seconds >= 60 else f"{self.seconds:.0f} seconds"
        disk = f"{self.n_bytes / 1e6:.0f} MB of disk"
        many = f"{self.n_replications} replications on {self.n_workers} processes"
        return f"{many}: about {minutes} and {disk} ({self.measured})"


def nominal_incidents(settings: Settings) -> float:
    """Return the alarms a replication of these settings would have at the reference year's rate."""
    window = settings.window
    days = (date.fromisoformat(window.measure_to) - date.fromisoformat(window.measure_from)).days
    return settings.demand.alarms_per_year * (days + window.warm_up_days + window.run_out_days) / _DAYS_PER_YEAR


def estimate(jobs: Sequence[Job], workers: int) -> Estimate:
    """Return what `jobs` will take on that many processes."""
    if not jobs:
        return Estimate(0, workers, 0.0, 0, "")
    rate = read_rate() or measure_rate(jobs[0])
    n_incidents = sum(nominal_incidents(job.settings) for job in jobs)
    seconds = n_incidents * rate.s_per_incident / min(workers, len(jobs))
    n_bytes = int(n_incidents * rate.bytes_per_incident * _SPARE_DISK) + _TABLES_BYTES
    return Estimate(len(jobs), min(workers, len(jobs)), seconds, n_bytes, rate.measured)


def _rate_file() -> Path:
    return cache_root() / "rate.json"


def read_rate() -> Rate | None:
    """Return the rate of earlier runs on this machine, or None if there is none that can be read."""
    try:
        noted = json.loads(_rate_file().read_text(encoding="utf-8"))
        return Rate(float(noted["s_per_incident"]), float(noted["bytes_per_incident"]), str(noted["measured"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def note_rate(jobs: Sequence[Job], results: Sequence[Mapping[str, Any]]) -> None:
    """Keep the median rate of replications just made; a disk that refuses is let be, for this is a convenience."""
    rates = [
        sum(r["seconds"].values()) / max(nominal_incidents(j.settings), 1) for j, r in zip(jobs, results, strict=True)
    ]
    sizes = [_size(job.folder) / max(nominal_incidents(job.settings), 1) for job in jobs]
    if len(rates) < 2:  # a single one was mostly compiling
        return
    day = time.strftime("%Y-%m-%d")
    measured = f"measured here on {day} over {len(rates)} replications"
    noted = {"s_per_incident": median(rates), "bytes_per_incident": median(sizes), "measured": measured}
    try:
        _rate_file().parent.mkdir(parents=True, exist_ok=True)
        write_whole(_rate_file(), to_json(noted))
    except OSError:
        return


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir()) if folder.is_dir() else 0


def measure_rate(job: Job) -> Rate:
    """Return the rate over the first month of a job, run twice so that compilation does not count."""
    from sim.assemble import InputsBuilder
    from sim.run.replication import make_replication

    builder = InputsBuilder()
    short = _first_month(job.settings)
    n_incidents = max(nominal_incidents(short), 1)
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("compiled", "timed"):
            trial = replace(job, settings=short, folder=Path(scratch) / name)
            result = make_replication(trial, builder)
        n_bytes = _size(trial.folder)
    seconds = sum(result["seconds"].values())
    return Rate(seconds / n_incidents, n_bytes / n_incidents, "from the first month of the first arm, run now")


def _first_month(settings: Settings) -> Settings:
    window = settings.window
    last = date.fromisoformat(window.measure_from) + timedelta(days=_MONTH_DAYS)
    to = min(last, date.fromisoformat(window.measure_to)).isoformat()
    short = replace(window, measure_to=to, warm_up_days=min(window.warm_up_days, 1), run_out_days=1)
    return replace(settings, window=short, schedule=replace(settings.schedule, is_outside_run_allowed=True))
