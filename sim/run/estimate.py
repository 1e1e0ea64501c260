"""What a run will take: replications, minutes and disk, from the rates that this machine showed in earlier runs.

A replication's seconds and bytes grow about linearly with its *nominal* incidents (alarms per year x years run). The
cache folder keeps what replications of each order of magnitude took; without any, a month of the first arm is run and
timed.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
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
    """What one replication of `n_incidents` nominal incidents took: seconds of a core to make and to gather, bytes."""

    n_incidents: float
    make_s: float
    gather_s: float
    n_bytes: float
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
    rates = read_rates() or [measure_rate(jobs[0])]
    workers = min(workers, len(jobs))
    make_s = gather_s = n_bytes = 0.0
    for job in jobs:
        n = nominal_incidents(job.settings)
        make_s += predict(rates, n, "make_s") / workers
        gather_s += predict(rates, n, "gather_s")
        n_bytes += predict(rates, n, "n_bytes")
    nearest = min(rates, key=lambda rate: abs(math.log(rate.n_incidents / max(nominal_incidents(jobs[0].settings), 1))))
    return Estimate(len(jobs), workers, make_s + gather_s, int(n_bytes * _SPARE_DISK) + _TABLES_BYTES, nearest.measured)


def predict(rates: Sequence[Rate], n_incidents: float, figure: str) -> float:
    """Return a figure of a replication by the line through the two nearest rates; a single one is scaled."""
    nearest = sorted(rates, key=lambda rate: abs(math.log(rate.n_incidents / max(n_incidents, 1))))[:2]
    a = nearest[0]
    share: float = getattr(a, figure) * n_incidents / a.n_incidents
    if len(nearest) < 2:
        return share
    b = nearest[1]
    slope = (getattr(b, figure) - getattr(a, figure)) / (b.n_incidents - a.n_incidents)
    value: float = getattr(a, figure) + slope * (n_incidents - a.n_incidents)
    return value if value > 0 else share


def _rate_file() -> Path:
    return cache_root() / "rates.json"


def read_rates() -> list[Rate]:
    """Return the rates of earlier runs on this machine; none if there are none that can be read."""
    try:
        noted = json.loads(_rate_file().read_text(encoding="utf-8"))
        return [Rate(**entry) for _, entry in sorted(noted.items())]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def note_rate(jobs: Sequence[Job], results: Sequence[Mapping[str, Any]], gather_s: float = 0.0) -> None:
    """Keep what replications just made took, by the median; a disk that refuses it is let be."""
    if len(jobs) < 2:  # a single one was mostly compiling
        return
    n = median(nominal_incidents(job.settings) for job in jobs)
    measured = f"measured here on {time.strftime('%Y-%m-%d')} over {len(jobs)} replications of about {n:.0f} incidents"
    make_s = median(sum(result["seconds"].values()) for result in results)
    n_bytes = median(_size(job.folder) for job in jobs)
    _keep(Rate(max(n, 1.0), make_s, gather_s / len(jobs), n_bytes, measured))


def _keep(rate: Rate) -> None:
    kept = {f"{round(math.log10(old.n_incidents))}": asdict(old) for old in read_rates()}
    kept[f"{round(math.log10(rate.n_incidents))}"] = asdict(rate)
    try:
        _rate_file().parent.mkdir(parents=True, exist_ok=True)
        write_whole(_rate_file(), to_json(kept))
    except OSError:
        return


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir()) if folder.is_dir() else 0


def measure_rate(job: Job) -> Rate:
    """Return what the first month of a job takes, run twice so that compilation does not count."""
    from sim.assemble import InputsBuilder
    from sim.run.replication import make_replication

    builder = InputsBuilder()
    short = _first_month(job.settings)
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("compiled", "timed"):
            trial = replace(job, settings=short, folder=Path(scratch) / name)
            result = make_replication(trial, builder)
        n_bytes = _size(trial.folder)
    seconds = sum(result["seconds"].values())
    told = "from the first month of the first arm, run just now"
    rate = Rate(max(nominal_incidents(short), 1.0), seconds, 0.0, n_bytes, told)
    _keep(rate)
    return rate


def _first_month(settings: Settings) -> Settings:
    window = settings.window
    last = date.fromisoformat(window.measure_from) + timedelta(days=_MONTH_DAYS)
    to = min(last, date.fromisoformat(window.measure_to)).isoformat()
    short = replace(window, measure_to=to, warm_up_days=min(window.warm_up_days, 1), run_out_days=1)
    schedule = replace(settings.schedule, is_outside_run_allowed=True)
    planted = replace(settings.planted, events=[])  # their dates may lie in any month
    return replace(settings, window=short, schedule=schedule, planted=planted)
