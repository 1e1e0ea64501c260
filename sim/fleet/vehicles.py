"""Vehicles grow old, break down, are mended and replaced: dated changes beside those of schedule and staffing.

Every vehicle has an age: drawn for those of standing stations, from its first day for a new one. Each day it may break
down, the likelier the older it is; it is then off the run until mended. Draws are keyed by station, bay and day, so a
vehicle's bad days are the same in every scenario, and a higher rate only adds to them. Crews stay on duty meanwhile and
may ride on the station's other vehicles.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from sim.chance import Stream, ranks4
from sim.compiled import compiled
from sim.fleet.parts import CHANGE_DTYPE, CalendarLike, ChangeKind, Changes, Fleet
from sim.fleet.vehicle_settings import VehicleSettings
from sim.units import MS_PER_DAY

_WHOLE = 4294967296.0
_DAYS_PER_YEAR = 365.25
_MID_YEAR = (7, 1)
_TOWN_BIT, _SITE_BIT, _BAY_BIT = 52, 40, 30
_AGE = 1 << 29
"""Place of the draw of a vehicle's age, beyond all days."""


def with_breakdowns(
    changes: Changes, fleet: Fleet, settings: VehicleSettings, calendar: CalendarLike, seed: int, replication: int
) -> Changes:
    """Return the changes with every breakdown and repair of one replication among them, sorted as before.

    The value of a UNIT_FAILS row is the vehicle's age, in days. What ends after the run's last day is left out.
    """
    if settings.rule == "none":
        return changes
    unit, key, birth, first = _vehicles(changes, fleet, settings, calendar, seed, replication)
    rows = []
    mended_ms = np.zeros(len(unit), dtype=np.int64)
    repair = (int(settings.repair_from_days * MS_PER_DAY), int(settings.repair_to_days * MS_PER_DAY))
    for begin, end in _between_replacements(calendar):
        for day in _replacement_days(begin, settings, calendar):
            birth = _replaced_on(birth, day, settings, _is_in_service(changes, fleet, day)[unit])
        rows.append(
            _breakdowns(
                seed, replication, calendar, (begin, end), (unit, key, birth, first), settings, repair, mended_ms
            )
        )
    both = np.concatenate([changes.rows, *rows])
    both = both[both["time_ms"] < calendar.n_days * MS_PER_DAY]
    both = both[np.lexsort((both["entity"], both["kind"], both["time_ms"]))]
    both.setflags(write=False)
    return replace(changes, rows=both)


def replaced_vehicles(
    changes: Changes, fleet: Fleet, settings: VehicleSettings, calendar: CalendarLike, seed: int, replication: int
) -> list[tuple[int, int]]:
    """Return (day, unit) of every vehicle that is bought in place of an old one in one replication, by day and unit.

    Days count from the run's start; those before it are of the years since ages are known.
    """
    if settings.rule == "none" or not settings.replace_at_years:
        return []
    unit, _, birth, _ = _vehicles(changes, fleet, settings, calendar, seed, replication)
    found: list[tuple[int, int]] = []
    for begin, _ in _between_replacements(calendar):
        for day in _replacement_days(begin, settings, calendar):
            later = _replaced_on(birth, day, settings, _is_in_service(changes, fleet, day)[unit])
            found += [(day, int(one)) for one in unit[later != birth]]
            birth = later
    return found


_Part = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def _vehicles(
    changes: Changes, fleet: Fleet, settings: VehicleSettings, calendar: CalendarLike, seed: int, replication: int
) -> _Part:
    """Return (unit, key, birth, first day in service) of every vehicle that is ever in service: (n,) int64 each.

    Days count from the run's start; a birth may lie long before it. Vehicles of standing stations are as old as drawn;
    those of a station that opened before the run are as old as its plan says, in the middle of that year.
    """
    units, stations = fleet.units, fleet.stations
    rows = changes.rows[changes.rows["kind"] == ChangeKind.UNIT_IN_SERVICE]
    rows = rows[stations.help_grade[units.station[rows["entity"]]] == 0]  # those of other cities are not known
    in_service, place = np.unique(rows["entity"], return_index=True)
    unit = in_service[fleet.unit_types.is_vehicle[units.type_id[in_service]]].astype(np.int64)
    first = rows["time_ms"][place][np.isin(in_service, unit)] // MS_PER_DAY
    station = units.station[unit]
    key = (
        (stations.town[station].astype(np.int64) << _TOWN_BIT)
        | (stations.k[station].astype(np.int64) << _SITE_BIT)
        | (units.bay[unit].astype(np.int64) << _BAY_BIT)
    )
    ranks = np.empty((len(unit), 2), dtype=np.int64)
    _fill_age_ranks(seed, replication, int(Stream.VEHICLE_FAILURE), key | _AGE, ranks)
    whole = np.searchsorted(np.cumsum(settings.age_share), (ranks[:, 0] + 0.5) / _WHOLE, side="right")
    years = np.minimum(whole, len(settings.age_share) - 1) + ranks[:, 1] / _WHOLE
    known_on = (date.fromisoformat(settings.ages_on) - calendar.start).days
    drawn = known_on - np.floor(years * _DAYS_PER_YEAR).astype(np.int64)
    planned = stations.planned_year[station].astype(np.int64)
    built = np.array([_day_of(int(year), calendar) if year > 0 else 0 for year in planned], dtype=np.int64)
    is_old = stations.is_existing[station] & ~units.is_added[unit]
    birth = np.where(is_old, drawn, np.where((first == 0) & (planned > 0), np.minimum(built, 0), first))
    return unit, key, birth, first


def _day_of(year: int, calendar: CalendarLike) -> int:
    return (date(year, *_MID_YEAR) - calendar.start).days


def _between_replacements(calendar: CalendarLike) -> list[tuple[int, int]]:
    """Return the stretches of days (first, day after the last) between one day of replacement and the next."""
    last = calendar.start + timedelta(days=calendar.n_days)
    days = [_day_of(year, calendar) for year in range(calendar.start.year, last.year + 1)]
    cuts = [0, *(day for day in days if 0 < day < calendar.n_days), calendar.n_days]
    return list(itertools.pairwise(cuts))


def _replacement_days(today: int, settings: VehicleSettings, calendar: CalendarLike) -> list[int]:
    """Return the days of replacement that `today` stands for: itself; at the run's start, all since ages are known."""
    if not settings.replace_at_years:
        return []
    if today:
        return [today]
    known_on = date.fromisoformat(settings.ages_on)
    days = [_day_of(year, calendar) for year in range(known_on.year, calendar.start.year + 1)]
    return [day for day in days if (known_on - calendar.start).days < day <= 0]


def _is_in_service(changes: Changes, fleet: Fleet, day: int) -> NDArray[np.bool_]:
    """Return which units are in service on a day, as changes of that day leave them; before the run, as it begins."""
    rows = changes.rows[changes.rows["time_ms"] <= max(day, 0) * MS_PER_DAY]
    rows = rows[np.isin(rows["kind"], (ChangeKind.UNIT_IN_SERVICE, ChangeKind.UNIT_WITHDRAW))]
    is_in_service = np.zeros(fleet.units.n_units, dtype=np.bool_)
    for entity, kind in zip(rows["entity"].tolist(), rows["kind"].tolist(), strict=True):  # the last one holds
        is_in_service[entity] = kind == ChangeKind.UNIT_IN_SERVICE
    return is_in_service


def _replaced_on(
    birth: NDArray[np.int64], day: int, settings: VehicleSettings, is_in_service: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return births after the vehicles in service that are due on a day have been replaced, the oldest first."""
    age, birth = day - birth, birth.copy()
    due = np.flatnonzero((age >= settings.replace_at_years * _DAYS_PER_YEAR) & is_in_service)
    order = due[np.argsort(-age[due], kind="stable")]
    birth[order[: settings.replace_most or len(order)]] = day
    return birth


def _breakdowns(
    seed: int,
    replication: int,
    calendar: CalendarLike,
    days: tuple[int, int],
    vehicles: _Part,
    settings: VehicleSettings,
    repair_ms: tuple[int, int],
    mended_ms: NDArray[np.int64],
) -> NDArray[np.void]:
    """Return UNIT_FAILS and UNIT_MENDED rows of one stretch of days; `mended_ms` carries over what is in repair."""
    unit, key, birth, first = vehicles
    room = 1_024
    while True:
        out = np.empty((room, 4), dtype=np.int64)
        mended = mended_ms.copy()
        n = _fill_breakdowns(
            seed, replication, int(Stream.VEHICLE_FAILURE), key, birth, first, days[0], days[1],
            calendar.start.toordinal(), settings.failures_per_year / _DAYS_PER_YEAR,
            settings.growth_per_year / _DAYS_PER_YEAR, repair_ms[0], repair_ms[1], mended, out,
        )  # fmt: skip
        if n <= room:
            break
        room = int(n)
    mended_ms[:] = mended
    rows = np.zeros(2 * int(n), dtype=CHANGE_DTYPE)
    found = out[: int(n)]
    for half, kind, time, value in ((0, ChangeKind.UNIT_FAILS, 1, 3), (1, ChangeKind.UNIT_MENDED, 2, 3)):
        part = slice(half * int(n), (half + 1) * int(n))
        rows["kind"][part], rows["entity"][part] = kind, unit[found[:, 0]]
        rows["time_ms"][part], rows["value"][part] = found[:, time], found[:, value]
    return rows


@compiled
def _fill_age_ranks(seed, replication, stream, key, out):  # type: ignore[no-untyped-def]
    for i in range(key.shape[0]):
        r0, r1, _, _ = ranks4(seed, replication, stream, key[i], 0)
        out[i, 0], out[i, 1] = np.int64(r0), np.int64(r1)


@compiled
def _fill_breakdowns(  # type: ignore[no-untyped-def]
    seed, replication, stream, key, birth, first, begin, end, epoch_day, rate, growth, shortest, longest, mended, out
):
    """Write (vehicle, fails_ms, mended_ms, age in days) of each breakdown; return how many, perhaps beyond the room."""
    n = 0
    for i in range(key.shape[0]):
        for day in range(max(begin, first[i]), end):
            age = max(day - birth[i], 0)
            r0, r1, r2, _ = ranks4(seed, replication, stream, key[i] | np.int64(epoch_day + day), 0)
            if np.float64(np.int64(r0)) >= rate * (1.0 + growth * age) * 4294967296.0:
                continue
            fails = day * 86_400_000 + ((np.int64(r1) * 86_400_000) >> 32)
            if fails < mended[i]:
                continue
            mended[i] = fails + shortest + (((np.int64(r2) >> 4) * (longest - shortest)) >> 28) + 1
            if n < out.shape[0]:
                out[n, 0], out[n, 1], out[n, 2], out[n, 3] = i, fails, mended[i], age
            n += 1
    return n
