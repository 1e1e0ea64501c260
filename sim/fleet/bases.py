"""Bases: stations behind the city's own that house special teams or aircraft, each with its units, people and dates.

A base belongs to no town (`NO_TOWN`) and has no class, so that nothing counts it among a town's stations; it stands in
the cell of the station or field it shares. Bases come after all stations and their units after all units: ids of the
city's own never shift. `teams.py` and `aviation.py` say which bases there are. Nothing here decides who goes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.fleet.parts import CHANGE_DTYPE, CalendarLike, ChangeKind, Changes, Fleet, Stations, Units, UnitTypes
from sim.units import MS_PER_DAY

NO_TOWN, NO_CLASS = -1, -1
BASE = "base"
"""What `Stations.brigade` says of a base."""


@dataclass(frozen=True, slots=True)
class BaseUnit:
    """One unit of a base: its type, and the day on which it goes into service.

    `callout_ms` and `ready_ms` come on top of those of its type: for an aircraft to launch, to be cleared, and to fly
    from a field outside the city to its border and back.
    """

    type_id: int
    from_day: date
    callout_ms: int = 0
    ready_ms: int = 0


@dataclass(frozen=True, slots=True)
class Base:
    """Where a team or aircraft stands.

    `people`: (day, people on duty from then on), ascending; it opens on the first of these days.
    """

    code: str
    name_zh: str
    name_en: str
    cell: int
    units: tuple[BaseUnit, ...]
    people: tuple[tuple[date, int], ...]


def joined(types: UnitTypes, more: UnitTypes) -> UnitTypes:
    """Return the types of unit with `more` behind them."""
    return UnitTypes(**{f.name: behind(getattr(types, f.name), getattr(more, f.name)) for f in fields(UnitTypes)})


def with_bases(fleet: Fleet, types: UnitTypes, bases: tuple[Base, ...]) -> Fleet:
    """Return the fleet with the bases as stations behind its own; `types` are the fleet's and those of the bases."""
    if not bases:
        return fleet
    return Fleet(_stations(fleet.stations, bases), _units(fleet, types, bases), fleet.classes, types)


def is_base(stations: Any) -> NDArray[np.bool_]:
    """Return which stations are bases of teams or aircraft: (n_stations,) bool."""
    return np.array([brigade == BASE for brigade in stations.brigade], dtype=np.bool_)


def _stations(own: Stations, bases: tuple[Base, ...]) -> Stations:
    n = len(bases)
    values: dict[str, Any] = {
        "town": [NO_TOWN] * n, "k": range(n), "cell": [base.cell for base in bases], "class_id": [NO_CLASS] * n,
        "is_existing": [False] * n, "later_class_id": [NO_CLASS] * n, "planned_year": [-1] * n, "help_grade": [0] * n,
        "name": [base.code for base in bases], "name_zh": [base.name_zh for base in bases],
        "name_en": [base.name_en for base in bases], "brigade": [BASE] * n,
    }  # fmt: skip
    return Stations(**{name: behind(getattr(own, name), more) for name, more in values.items()})


def _units(fleet: Fleet, types: UnitTypes, bases: tuple[Base, ...]) -> Units:
    own, first = fleet.units, fleet.stations.n_stations
    every = [unit for base in bases for unit in base.units]
    type_id = np.array([unit.type_id for unit in every], dtype=np.int16)
    place = np.array([at for at, base in enumerate(bases) for _ in base.units], dtype=np.int64)
    traits = types.traits[type_id].copy()
    traits["callout_ms"] += np.array([unit.callout_ms for unit in every], dtype=np.int32)
    more_ready = np.array([unit.ready_ms for unit in every], dtype=np.int32)
    traits["ready_ms"] += np.where(traits["ready_ms"] >= 0, more_ready, 0)
    values: dict[str, Any] = {
        "station": first + place, "type_id": type_id, "capabilities": types.capabilities[type_id],
        "crew_min": types.crew_min[type_id], "crew_preferred": types.crew_preferred[type_id],
        "bay": [bay + 1 for base in bases for bay in range(len(base.units))],
        "is_added": [False] * len(type_id), "traits": traits,
    }  # fmt: skip
    return Units(**{name: behind(getattr(own, name), more) for name, more in values.items()})


def behind(own: Any, more: Any) -> Any:
    """Return a tuple or a read-only array with more entries behind its own."""
    if isinstance(own, tuple):
        return own + tuple(more)
    array = np.concatenate([own, np.asarray(more if isinstance(more, np.ndarray) else list(more), dtype=own.dtype)])
    array.flags.writeable = False
    return array


def with_bases_open(changes: Changes, fleet: Fleet, bases: tuple[Base, ...], calendar: CalendarLike) -> Changes:
    """Return the dated changes with the bases' own among them: opened, manned, each unit in service from its day.

    What lies before the run holds when it starts; what lies after it is left out. `fleet` has the bases already.
    """
    if not bases:
        return changes
    first_station = fleet.stations.name.index(bases[0].code)
    unit = int(np.searchsorted(fleet.units.station, first_station))
    rows: list[tuple[int, int, int, int]] = []
    for at, base in enumerate(bases):
        station, on_duty = first_station + at, _by_instant(base.people, calendar)
        if on_duty:
            rows.append((min(on_duty), int(ChangeKind.STATION_OPEN), station, 0))
        rows += [(time_ms, int(ChangeKind.STATION_PEOPLE), station, people) for time_ms, people in on_duty.items()]
        for of_base in base.units:
            time_ms = _instant(of_base.from_day, calendar)
            if time_ms is not None:
                rows.append((time_ms, int(ChangeKind.UNIT_IN_SERVICE), unit, 0))
            unit += 1
    return with_rows(changes, rows)


def with_rows(changes: Changes, rows: list[tuple[int, int, int, int]]) -> Changes:
    """Return dated changes with more rows in their places."""
    array = np.array(sorted([*changes.rows.tolist(), *rows]), dtype=CHANGE_DTYPE)
    array.flags.writeable = False
    return replace(changes, rows=array)


def _instant(day: date, calendar: CalendarLike) -> int | None:
    """Return a day's first instant in the run, 0 for one before it, None after its end."""
    offset = (day - calendar.start).days
    return max(offset, 0) * MS_PER_DAY if offset < calendar.n_days else None


def _by_instant(people: tuple[tuple[date, int], ...], calendar: CalendarLike) -> dict[int, int]:
    """Return the people on duty by the instant from which they are; of several before the run the last counts."""
    found: dict[int, int] = {}
    for day, on_duty in people:
        time_ms = _instant(day, calendar)
        if time_ms is not None:
            found[time_ms] = on_duty
    return found


def on_duty_in_all(bases: tuple[Base, ...]) -> tuple[tuple[date, int], ...]:
    """Return (day, people on duty in all bases together from then on), ascending."""
    days = sorted({day for base in bases for day, _ in base.people})
    return tuple((day, sum(_on(base, day) for base in bases)) for day in days)


def _on(base: Base, day: date) -> int:
    return sum([people for since, people in base.people if since <= day][-1:])
