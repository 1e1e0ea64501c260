"""Incidents that happen for certain, the same in every scenario: days of stress, and rare ones one at a time.

An *event* has a date and an exact number of incidents; chance decides only their instants within its hours, their
places, and what is drawn for any incident. A *series* plants one incident (or some at once) of a rare class every so
many days; the classes take turns, and with the replication's number the turn moves on, so that every date has had all
of them. Each planted incident of a series stands for a part of what a year brings of its class by chance.

Planted incidents have identities of their own processes, so planting any leaves every other incident as it was.
`draw.py` marks them like all others. Next: `sim/metrics/planted.py`, what became of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from sim.chance import Stream, ranks4
from sim.city.types import City
from sim.compiled import compiled
from sim.demand.calendar import Calendar
from sim.demand.intensity import Intensity, town_weights
from sim.demand.kinds import RANK_WHOLE, DemandTables
from sim.demand.planted_settings import PlantedEvent, PlantedSeries, PlantedSettings
from sim.demand.types import EVENT, PLANTED_DTYPE, PROCESS_BIT, SERIES, SURGE_DTYPE
from sim.errors import Problems, nearest_name
from sim.units import M_PER_KM, MS_PER_DAY, MS_PER_H, Q16

_TOWN_BIT, _KIND_BIT, _DAY_BIT, _CAUSE_BIT = 48, 40, 20, 12
_WHOLE = 4294967296.0
_DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class _Class:
    """What one series is made of: kinds, their yearly number, and the chance of each grade in it.

    `kinds`: (n,) int64. `per_year`: (n,) float64. `grade`: (n, 5) float64, share of grades 1 to 5, rows sum to one.
    """

    kinds: NDArray[np.int64]
    per_year: NDArray[np.float64]
    grade: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Planting:
    """Checked settings with what they mean in a city: ready to plant any replication.

    `begin_ms`: (n_events,) int64, since the run's start. `seat`: (n_events,) int64 town, -1 for the whole city.
    `storm`: (n_events,) int64 type of surge day, -1 for none. `days`: (n_windows,) int64, days of the run on which the
    series plant.
    """

    settings: PlantedSettings
    begin_ms: NDArray[np.int64]
    seat: NDArray[np.int64]
    storm: NDArray[np.int64]
    days: NDArray[np.int64]
    classes: tuple[_Class, ...]
    kinds: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the causes: events, then series."""
        events, series = self.settings.events, self.settings.series
        return (*(event.name for event in events), *(one.name for one in series))


@dataclass(frozen=True, slots=True)
class Planted:
    """The planted incidents of one replication: (n,) int64 arrays, and the storms that come with them.

    `given_grade` is 0 where the grade is drawn. `rows` is `PLANTED_DTYPE`, in the same order; `storms` `SURGE_DTYPE`.
    """

    identity: NDArray[np.int64]
    call_ms: NDArray[np.int64]
    given_grade: NDArray[np.int64]
    rows: NDArray[np.void]
    storms: NDArray[np.void]


def prepare_planting(
    city: City,
    tables: DemandTables,
    settings: PlantedSettings,
    calendar: Calendar,
    intensity: Intensity,
    surges: Sequence[str],
) -> Planting:
    """Return what `plant` needs.

    Raises
    ------
    InputError
        With every fault: dates outside the measured days, unknown towns, kinds or storms, grades that a kind does not
        have, classes that nothing belongs to.
    """
    problems = Problems()
    begin = [_begin_ms(event, calendar, problems) for event in settings.events]
    for event in settings.events:
        _check_event(event, city, tables, surges, intensity, problems)
    for series in settings.series:
        _check_known(f"planted.series: {series.name}: kinds", series.kinds, tables.kinds.code, problems)
    problems.raise_if_any()
    classes = tuple(_class_of(series, tables, calendar, intensity, problems) for series in settings.series)
    problems.raise_if_any()
    first, last = calendar.measure_from_ms // MS_PER_DAY, calendar.measure_to_ms // MS_PER_DAY
    days = np.arange(first, last, dtype=np.int64)
    return Planting(
        settings=settings,
        begin_ms=np.array(begin, dtype=np.int64),
        seat=np.array([city.towns.code.index(e.town) if e.town else -1 for e in settings.events], dtype=np.int64),
        storm=np.array([surges.index(e.storm) if e.storm else -1 for e in settings.events], dtype=np.int64),
        days=days[(days + intensity.first_day) % settings.every_days == 0] if settings.series else days[:0],
        classes=classes,
        kinds=tables.kinds.code,
    )


def plant(planting: Planting, intensity: Intensity, seed: int, replication: int) -> Planted:
    """Return the planted incidents of one replication, events first."""
    parts = [_plant_event(planting, intensity, seed, replication, at) for at in range(len(planting.begin_ms))]
    n_series = len(planting.classes)
    days = planting.days
    turn = ((days + intensity.first_day) // planting.settings.every_days + replication) % max(n_series, 1)
    for at in range(n_series):
        parts.append(_plant_series(planting, intensity, seed, replication, at, days[turn == at]))
    storms = [_storm(planting, intensity, at) for at in np.flatnonzero(planting.storm >= 0).tolist()]
    identity, call_ms, grade = (np.concatenate([part[place] for part in parts]) for place in range(3))
    rows = np.concatenate([part[3] for part in parts])
    return Planted(identity, call_ms, grade, rows, np.concatenate([np.zeros(0, SURGE_DTYPE), *storms]))


_Part = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.void]]


def _plant_event(planting: Planting, intensity: Intensity, seed: int, replication: int, at: int) -> _Part:
    event, begin = planting.settings.events[at], int(planting.begin_ms[at])
    kind = np.repeat(
        np.array([planting.kinds.index(code) for code in event.kind_share], dtype=np.int64),
        whole_shares(list(event.kind_share.values()), event.alarms),
    )
    day = intensity.first_day + begin // MS_PER_DAY
    number = (at << _CAUSE_BIT) | np.arange(event.alarms, dtype=np.int64)
    key = (np.int64(EVENT) << PROCESS_BIT) | (np.int64(day) << _DAY_BIT) | number
    ranks = _ranks(seed, replication, key)
    call_ms = begin + ((ranks[:, 0] * int(event.hours * MS_PER_H)) >> 32)
    town = np.empty(event.alarms, dtype=np.int64)
    near = _nearness(event, int(planting.seat[at]), intensity)
    for one in np.unique(kind).tolist():
        mine = kind == one
        town[mine] = _chosen(intensity.places.town_share[intensity.places.pattern[one]] * near, ranks[mine, 1])
    identity = _identities(key, town, kind)
    rows = np.zeros(event.alarms, dtype=PLANTED_DTYPE)
    rows["identity"], rows["cause"] = identity, at
    return identity, call_ms, np.full(event.alarms, event.grade, dtype=np.int64), rows


def _plant_series(
    planting: Planting, intensity: Intensity, seed: int, replication: int, at: int, days: NDArray[np.int64]
) -> _Part:
    """Return one class's incidents: kind by yearly number, town by the kind's rate, hour by the kind's profile."""
    series, found = planting.settings.series[at], planting.classes[at]
    n, cause = len(days) * series.at_once, len(planting.begin_ms) + at
    day, number = np.repeat(days, series.at_once), np.tile(np.arange(series.at_once, dtype=np.int64), len(days))
    key = (np.int64(SERIES) << PROCESS_BIT) | ((day + intensity.first_day) << _DAY_BIT) | (cause << _CAUSE_BIT) | number
    ranks = _ranks(seed, replication, key)
    instant = _ranks(seed, replication, key - number, 1)  # of the first at once, for all of them
    place = _chosen(found.per_year, ranks[:, 0])
    kind = found.kinds[place]
    town, grade, call_ms = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    for one in np.unique(place).tolist():
        mine = place == one
        town[mine] = _chosen(intensity.rate[:, found.kinds[one]], ranks[mine, 1])
        grade[mine] = 1 + _chosen(found.grade[one], ranks[mine, 2])
    for one in np.unique(kind[:: series.at_once]).tolist():  # the first of each instant gives the hour
        mine = np.repeat(kind[:: series.at_once] == one, series.at_once)
        hour = _chosen(intensity.hour[one], instant[mine, 1])
        call_ms[mine] = day[mine] * MS_PER_DAY + hour * MS_PER_H + ((instant[mine, 0] * MS_PER_H) >> 32)
    identity = _identities(key, town, kind)
    rows = np.zeros(n, dtype=PLANTED_DTYPE)
    rows["identity"], rows["cause"] = identity, cause
    rows["per_year"] = float(np.cumsum(found.per_year)[-1]) / max(n, 1) if series.at_once == 1 else 0.0
    return identity, call_ms, grade, rows


def _identities(key: NDArray[np.int64], town: NDArray[np.int64], kind: NDArray[np.int64]) -> NDArray[np.int64]:
    identity: NDArray[np.int64] = key | (town << _TOWN_BIT) | (kind << _KIND_BIT)
    return identity


def _nearness(event: PlantedEvent, seat: int, intensity: Intensity) -> NDArray[np.float64]:
    """Return (n_towns,) float64, the weight of each town in an event."""
    n_towns = len(intensity.seat_x_m)
    if seat < 0:
        return np.ones(n_towns)
    if event.range_km > 0:
        x_m, y_m = int(intensity.seat_x_m[seat]), int(intensity.seat_y_m[seat])
        return town_weights(intensity, x_m, y_m, event.range_km * M_PER_KM)
    own: NDArray[np.float64] = (np.arange(n_towns) == seat).astype(np.float64)
    return own


def _storm(planting: Planting, intensity: Intensity, at: int) -> NDArray[np.void]:
    """Return the surge day that an event stands for, as one row."""
    event, begin, seat = planting.settings.events[at], int(planting.begin_ms[at]), int(planting.seat[at])
    row = np.zeros(1, dtype=SURGE_DTYPE)
    row["day"], row["surge_type"], row["size_q16"] = begin // MS_PER_DAY, planting.storm[at], Q16
    row["begin_ms"], row["end_ms"] = begin, begin + int(event.hours * MS_PER_H)
    if seat >= 0:
        row["x_m"], row["y_m"] = intensity.seat_x_m[seat], intensity.seat_y_m[seat]
    return row


def whole_shares(shares: Sequence[float], total: int) -> NDArray[np.int64]:
    """Return whole numbers that make `total`, by the largest remainder; ties go to the first."""
    exact = np.array(shares, dtype=np.float64) * total
    whole = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return whole


def _chosen(weight: NDArray[np.float64], rank: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position that each rank falls on, in proportion to the weights; never one without weight."""
    running = np.cumsum(weight)
    at = np.searchsorted(running, (rank + 0.5) / _WHOLE * running[-1], side="right")
    chosen: NDArray[np.int64] = np.minimum(at, np.flatnonzero(weight)[-1]).astype(np.int64)
    return chosen


def _ranks(seed: int, replication: int, key: NDArray[np.int64], block: int = 0) -> NDArray[np.int64]:
    out = np.empty((len(key), 4), dtype=np.int64)
    _fill_ranks(seed, replication, int(Stream.PLANTED), key, block, out)
    return out


@compiled
def _fill_ranks(seed, replication, stream, key, block, out):  # type: ignore[no-untyped-def]
    for i in range(key.shape[0]):
        r0, r1, r2, r3 = ranks4(seed, replication, stream, key[i], block)
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = np.int64(r0), np.int64(r1), np.int64(r2), np.int64(r3)


# --- checks -----------------------------------------------------------------------------------------------------------


def _begin_ms(event: PlantedEvent, calendar: Calendar, problems: Problems) -> int:
    where = f"planted.events: {event.name}: date"
    try:
        day = date.fromisoformat(event.date)
    except ValueError:
        problems.add(where, "is not a day", value=event.date, mend="write it as 2026-01-31")
        return 0
    begin = calendar.ms_of(day) + int(event.from_h * MS_PER_H)
    end = begin + int(event.hours * MS_PER_H)
    if begin < calendar.measure_from_ms or end > calendar.measure_to_ms:
        first = calendar.date_of(calendar.measure_from_ms)
        last = calendar.date_of(calendar.measure_to_ms) - timedelta(days=1)
        mend = f"the measured days are {first} to {last}: choose another window"
        problems.add(where, "lies outside the measured days", value=event.date, mend=mend)
    return begin


def _check_event(
    event: PlantedEvent,
    city: City,
    tables: DemandTables,
    surges: Sequence[str],
    intensity: Intensity,
    problems: Problems,
) -> None:
    where = f"planted.events: {event.name}"
    kinds = tables.kinds
    _check_known(f"{where}: kind_share", event.kind_share, kinds.code, problems)
    for name, value, known in (("town", event.town, city.towns.code), ("storm", event.storm, surges)):
        if value and value not in known:
            problems.add(f"{where}: {name}", "is not known", value=value, mend=nearest_name(value, known))
    for code in event.kind_share:
        if code in kinds.code and event.grade > int(kinds.max_grade[kinds.code.index(code)]):
            problems.add(f"{where}: grade", f"is more than kind {code!r} has", value=event.grade)
        if code in kinds.code and event.town in city.towns.code and event.range_km == 0:
            pattern = intensity.places.pattern[kinds.code.index(code)]
            if not intensity.places.town_share[pattern, city.towns.code.index(event.town)]:
                mend = "choose another town, or give it a range_km"
                problems.add(f"{where}: town", f"has no place where kind {code!r} happens", value=event.town, mend=mend)


def _check_known(where: str, given: Iterable[str], known: Sequence[str], problems: Problems) -> None:
    for code in given:
        if code not in known:
            problems.add(where, "is no kind of the city", value=code, mend=nearest_name(code, known))


def _class_of(
    series: PlantedSeries, tables: DemandTables, calendar: Calendar, intensity: Intensity, problems: Problems
) -> _Class:
    """Return what a series is made of: ordinary incidents of the measured days, by kind and grade, told a year."""
    kinds = np.array([tables.kinds.code.index(code) for code in series.kinds], dtype=np.int64)
    days = slice(calendar.measure_from_ms // MS_PER_DAY, calendar.measure_to_ms // MS_PER_DAY)
    grade = np.diff(tables.reporting.grade[kinds], prepend=0, axis=1) / RANK_WHOLE
    at = np.arange(1, grade.shape[1] + 1)
    grade = np.where((at < series.from_grade) | (at > series.to_grade), 0.0, grade)
    share = np.cumsum(grade, axis=1)[:, -1]
    total = np.cumsum(intensity.rate[:, kinds], axis=0)[-1] * intensity.day[kinds, days].mean(axis=1)
    per_year = total * share * _DAYS_PER_YEAR
    if not (per_year > 0).any():
        rule = f"(planted.series: {series.name}) has no incident of its kinds and grades"
        problems.add("settings", rule, value=series.kinds, mend="widen the grades or choose other kinds")
    kept = per_year > 0
    return _Class(kinds[kept], per_year[kept], grade[kept] / share[kept][:, None])
