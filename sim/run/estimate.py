"""What a run will take: replications, minutes and disk, from the rates that this machine showed.

A replication's seconds and bytes grow about in proportion to its *nominal* incidents (alarms per year x years run), so
a rate serves replications of up to `_REACH` times as many or as few, of the same engine and the same kind of log. The
cache folder keeps what earlier runs took; where it has no such rate, replications of a day and of a year are made and
timed. What comes once a run - checks, workers' start, tables and report - is known from earlier runs alone.
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
from typing import TYPE_CHECKING, Any

from sim.compiled import cache_root
from sim.engine import engine_for
from sim.provenance import to_json, write_whole
from sim.run.work import Job
from sim.settings import Settings

if TYPE_CHECKING:
    from sim.assemble import InputsBuilder

_DAYS_PER_YEAR = 365.25
_SPARE_DISK = 1.25
_TABLES_BYTES = 20_000_000
_TRIAL_DAYS = 365
_REACH = 6.0
_ONCE_REACH = 30.0
_MIN_PER_WORKER = 3
"""Replications that each worker must have made before their median says nothing of compilation."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What one replication of `n_incidents` nominal incidents took: seconds of a core, bytes."""

    n_incidents: float
    engine: str
    log: str
    make_s: float
    n_bytes: float
    measured: str

    def serves(self, settings: Settings) -> bool:
        """Return whether replications of these settings are made alike and are not much longer or shorter."""
        ratio = max(nominal_incidents(settings), 1.0) / self.n_incidents
        return _way(settings) == (self.engine, self.log) and 1 / _REACH <= ratio <= _REACH


@dataclass(frozen=True, slots=True)
class Overhead:
    """What a run took beside its replications: seconds before and between them, seconds to gather.

    `n_incidents`: nominal incidents of all its replications together.
    """

    n_arms: int
    n_incidents: float
    start_s: float
    gather_s: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What making some replications takes; `once_s` is what comes once a run, None where no run has shown it yet."""

    n_replications: int
    n_workers: int
    make_s: float
    once_s: float | None
    n_bytes: int
    measured: str

    @property
    def seconds(self) -> float:
        """All seconds that are known."""
        return self.make_s + (self.once_s or 0.0)

    def text(self) -> str:
        """Return the estimate in one sentence that says what it rests on."""
        if not self.n_replications:
            return "nothing to run: every replication is there"
        many = f"{self.n_replications} replications on {self.n_workers} processes"
        disk = f"{max(self.n_bytes / 1e6, 1):.0f} MB of disk"
        once = "no run like it has shown here yet how long checks, tables and report take on top"
        if self.once_s is not None:
            once = f"{_duration(self.once_s)} of it for checks, tables and report"
        return f"{many}: about {_duration(self.seconds)} and {disk} ({self.measured}; {once})"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{max(seconds, 1):.0f} seconds"
    return f"{seconds / 60:.1f} minutes" if seconds < 7_200 else f"{seconds / 3_600:.1f} hours"


def nominal_incidents(settings: Settings) -> float:
    """Return the alarms a replication of these settings would have at the reference year's rate."""
    window = settings.window
    days = (date.fromisoformat(window.measure_to) - date.fromisoformat(window.measure_from)).days
    return settings.demand.alarms_per_year * (days + window.warm_up_days + window.run_out_days) / _DAYS_PER_YEAR


def _way(settings: Settings) -> tuple[str, str]:
    """Return how replications are made, as far as it tells in their time and bytes: engine and log."""
    run = settings.run
    return engine_for(run.engine, settings.dispatch.own_rule)[0], run.log


def _is_like(job: Job, other: Job) -> bool:
    """Return whether a job is another arm's of the same replication, made alike and as long."""
    is_same = (job.replication, _way(job.settings)) == (other.replication, _way(other.settings))
    return is_same and job.arm != other.arm and nominal_incidents(job.settings) == nominal_incidents(other.settings)


def estimate(jobs: Sequence[Job], workers: int) -> Estimate:
    """Return what `jobs` will take on that many processes."""
    if not jobs:
        return Estimate(0, workers, 0.0, 0.0, 0, "")
    noted = _read()
    rates = [*noted.rates]
    workers = min(workers, len(jobs))
    make_s = n_bytes = 0.0
    used: dict[str, None] = {}
    for job in jobs:
        rate = _nearest(rates, job.settings)
        if rate is None:
            rate = measure_rate([job, *(other for other in jobs if _is_like(other, job))])
            rates.append(rate)
        share = nominal_incidents(job.settings) / rate.n_incidents
        make_s += rate.make_s * share
        n_bytes += rate.n_bytes * share
        used[rate.measured] = None
    n_incidents = sum(nominal_incidents(job.settings) for job in jobs)
    once_s = predict_once(noted.overheads, len({job.arm for job in jobs}), n_incidents)
    size = int(n_bytes * _SPARE_DISK) + _TABLES_BYTES
    return Estimate(len(jobs), workers, make_s / workers, once_s, size, "; ".join(used))


def _nearest(rates: Sequence[Rate], settings: Settings) -> Rate | None:
    """Return the rate that serves these settings best, or None."""
    n = max(nominal_incidents(settings), 1.0)
    serving = [rate for rate in rates if rate.serves(settings)]
    return min(serving, key=lambda rate: abs(math.log(rate.n_incidents / n)), default=None)


def predict_once(overheads: Sequence[Overhead], n_arms: int, n_incidents: float) -> float | None:
    """Return the seconds that come once a run, from the run nearest to it in arms and incidents; None without any near.

    Gathering is taken to grow in proportion to the arms beyond those of that run, and not to shrink below it. A run of
    `_ONCE_REACH` times as many incidents in all, or as few, is not near.
    """

    def steps(overhead: Overhead) -> float:
        return abs(math.log(overhead.n_incidents / max(n_incidents, 1.0)))

    near = [overhead for overhead in overheads if steps(overhead) <= math.log(_ONCE_REACH)]
    if not near:
        return None
    nearest = min(near, key=lambda overhead: abs(math.log(overhead.n_arms / n_arms)) + steps(overhead))
    return nearest.start_s + nearest.gather_s * max(1.0, n_arms / nearest.n_arms)


# --- what this machine showed -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Noted:
    """The rates by length, engine and log, and the overheads by number of arms."""

    rates: tuple[Rate, ...] = ()
    overheads: tuple[Overhead, ...] = ()


def _rate_file() -> Path:
    return cache_root() / "rates-2.json"


def _read() -> _Noted:
    """Return what was noted on this machine; nothing if there is nothing that can be read."""
    try:
        noted = json.loads(_rate_file().read_text(encoding="utf-8"))
        rates = tuple(Rate(**entry) for entry in noted["rates"])
        return _Noted(rates, tuple(Overhead(**entry) for entry in noted["overheads"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return _Noted()


def note_run(
    jobs: Sequence[Job], results: Sequence[Mapping[str, Any]], workers: int, seconds_of: Mapping[str, float]
) -> None:
    """Keep what a run just finished took, in place of an earlier one like it.

    Parameters
    ----------
    seconds_of : seconds by the clock for "check", "make" (all replications on all workers) and, if there was anything
        to gather, "gather"; without it the run says nothing of what comes once.
    """
    if len(jobs) < _MIN_PER_WORKER * workers or len({_way(job.settings) for job in jobs}) > 1:
        return
    seconds = [sum(result["seconds"].values()) for result in results]
    n = max(median(nominal_incidents(job.settings) for job in jobs), 1.0)
    n_bytes = median(_size(job.folder) for job in jobs)
    told = f"measured here on {time.strftime('%Y-%m-%d')} over {len(jobs)} replications of about {n:.0f} incidents"
    start_s = seconds_of["check"] + max(seconds_of["make"] - sum(seconds) / workers, 0.0)
    n_arms = len({job.arm for job in jobs})
    n_all = max(sum(nominal_incidents(job.settings) for job in jobs), 1.0)
    overheads = [Overhead(n_arms, n_all, start_s, seconds_of["gather"])] if "gather" in seconds_of else []
    _keep([Rate(n, *_way(jobs[0].settings), median(seconds), n_bytes, told)], overheads)


def _keep(rates: Sequence[Rate], overheads: Sequence[Overhead] = ()) -> None:
    """Add what was measured to the cache, each in place of its like; a disk that refuses it is let be."""
    noted = _read()
    by_kind = {(round(2 * math.log10(r.n_incidents)), r.engine, r.log): r for r in (*noted.rates, *rates)}
    by_arms = {(o.n_arms, round(math.log10(o.n_incidents))): o for o in (*noted.overheads, *overheads)}
    content = {
        "rates": [asdict(by_kind[key]) for key in sorted(by_kind)],
        "overheads": [asdict(by_arms[key]) for key in sorted(by_arms)],
    }
    try:
        _rate_file().parent.mkdir(parents=True, exist_ok=True)
        write_whole(_rate_file(), to_json(content))
    except OSError:
        return


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir()) if folder.is_dir() else 0


def measure_rate(arms: Sequence[Job]) -> Rate:
    """Return and keep what one of a replication's arms takes on the mean, from what a day and a year of it take.

    Timed is a replication after one that took compiling and whatever is kept from one to the next upon itself, and
    another arm of it, which has the same incidents; each counts as often as it will be made.
    """
    from sim.assemble import InputsBuilder

    builder, job = InputsBuilder(), arms[0]
    with tempfile.TemporaryDirectory() as scratch:
        short, long = (_trial(arms, days, builder, Path(scratch) / str(days)) for days in (1, _TRIAL_DAYS))
    n = max(nominal_incidents(job.settings), 1.0)
    told = f"from replications of {long.n_told} incidents made just now"
    rate = Rate(n, *_way(job.settings), _longer(short, long, "make_s", n), _longer(short, long, "n_bytes", n), told)
    _keep([replace(rate, measured=told.replace("just now", f"here on {time.strftime('%Y-%m-%d')}"))])
    return rate


@dataclass(frozen=True, slots=True)
class _Trial:
    """What a replication of `n_incidents` nominal incidents, `n_told` in fact, took on the mean: seconds, bytes."""

    n_incidents: float
    n_told: int
    make_s: float
    n_bytes: float


def _trial(arms: Sequence[Job], days: int, builder: InputsBuilder, scratch: Path) -> _Trial:
    from sim.run.replication import make_replication

    first = arms[0]
    n_told, seconds = 0, list[float]()
    for replication, timed in ((first.replication, [first]), (first.replication + 1, arms[:2])):
        seconds.clear()
        for job in timed:
            folder = scratch / f"{replication}-{len(seconds)}"
            settings = first_days(job.settings, days)
            result = make_replication(replace(job, settings=settings, replication=replication, folder=folder), builder)
            n_told = result["counts"]["n_incidents"]
            seconds.append(sum(result["seconds"].values()))
    make_s = (seconds[0] + (len(arms) - 1) * seconds[-1]) / len(arms)
    return _Trial(nominal_incidents(first_days(first.settings, days)), n_told, make_s, _size(folder))


def _longer(short: _Trial, long: _Trial, what: str, n: float) -> float:
    """Return what a replication of `n` nominal incidents takes of seconds or bytes, along the line through two."""
    low, high = getattr(short, what), getattr(long, what)
    if long.n_incidents <= short.n_incidents or high <= low:
        return float(high) * max(n / max(long.n_incidents, 1.0), 1.0)
    return float(low + (high - low) * (n - short.n_incidents) / (long.n_incidents - short.n_incidents))


def first_days(settings: Settings, days: int) -> Settings:
    """Return the settings with a window of so many days at most; its changes stand at the run's start."""
    window = settings.window
    last = date.fromisoformat(window.measure_from) + timedelta(days=days)
    if last >= date.fromisoformat(window.measure_to):
        return settings
    short = replace(window, measure_to=last.isoformat(), warm_up_days=min(window.warm_up_days, 1), run_out_days=1)
    schedule = replace(settings.schedule, is_outside_run_allowed=True)
    planted = replace(settings.planted, events=[])  # their dates may lie in any month
    return replace(settings, window=short, schedule=schedule, planted=planted)
