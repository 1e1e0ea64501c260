"""Stations and units as a city folder states them: `stations.csv` and `units.csv` in place of plan, sites and roles.

A station stands where its row says, from the day it opens until the day it closes; a unit serves from and until the
days of its row. `people_on_duty` is what the station has at all hours; where it is empty the station has enough people
for the preferred crew of every unit in service (`staffing=stated`). `unit_types.csv` may say what the types of unit can
do; without it each row of `units.csv` says so itself, and its crew and capabilities hold over those of its type.
Next: `changes.py`, which walks through the days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.city.crs import WGS84
from sim.city.forms import STATIONS, UNITS
from sim.city.points import POINT_COLUMNS, points_of
from sim.city.settings import read_settings
from sim.city.types import City
from sim.errors import Problems, nearest_name
from sim.fleet.parts import UNIT_TRAITS_DTYPE, Fleet, StationClasses, Stations, Units, UnitTypes
from sim.fleet.settings import FleetSettings
from sim.fleet.tables import BRIGADES, FleetTables, load_unit_types
from sim.tables import KNOWN_FROM, Column, Table, TableSpec, check_references, read_table
from sim.units import MM_S_PER_KMH

UNIT_TYPES_FILE = "unit_types.csv"
ONE_CLASS = "station"
"""Class of a station whose row names none."""
TRACK_KMH = 3.0
"""Along a railway track on foot, of types that no table describes; assumed, as in the cities that have the table."""
FARTHEST_SIDES = 2
"""A station stands inside a cell or so many of its sides from the nearest one."""
STATED_STATIONS = TableSpec(
    "stations",
    1,
    (
        Column("station", "str", "Code that units.csv uses for the station.", unique=True),
        Column("name_zh", "str", "Chinese name; empty: the code.", optional=True),
        Column("name_en", "str", "English name; empty: the code.", optional=True),
        Column("area", "str", "Code of the area that runs it; empty: the one it stands in.", optional=True),
        *POINT_COLUMNS,
        Column("class", "str", "Class of the station; empty: all are one class.", optional=True),
        Column("brigade", "str", "Who runs it; empty: government.", choices=BRIGADES, optional=True),
        Column("opens", "date", "First day of service; empty: it stands from before.", optional=True),
        Column("closes", "date", "First day out of service; empty: never.", optional=True),
        Column(
            "people_on_duty", "int", "At all hours; empty: enough for every unit's crew.", "people", 0, 1_000,
            optional=True,
        ),
        *KNOWN_FROM,
    ),
)  # fmt: skip
STATED_UNITS = TableSpec(
    "units",
    1,
    (
        Column("unit", "str", "Code of the unit.", unique=True),
        Column("station", "str", "Code of its station."),
        Column("type", "str", "Type of unit."),
        Column("crew_min", "int", "Smallest crew; empty: its type's.", "people", 1, 100, optional=True),
        Column("crew_preferred", "int", "Crew if it can; empty: its type's.", "people", 1, 100, optional=True),
        Column("capabilities", "str", "Codes separated by blanks; empty: its type's.", optional=True),
        Column("from", "date", "First day in service; empty: from before.", optional=True),
        Column("until", "date", "First day out of service; empty: never.", optional=True),
        *KNOWN_FROM,
    ),
)


@dataclass(frozen=True, slots=True)
class Dated:
    """When stated stations and units are there, and who is on duty.

    `opens`, `closes`: (n_stations,), `since`, `until`: (n_units,) datetime64[D], NaT where nothing is said. `people`:
    (n_stations,) int64 on duty at all hours, -1 where the units say.
    """

    opens: NDArray[np.datetime64]
    closes: NDArray[np.datetime64]
    since: NDArray[np.datetime64]
    until: NDArray[np.datetime64]
    people: NDArray[np.int64]

    def is_open(self, day: date) -> NDArray[np.bool_]:
        """Return which stations are open on a day."""
        return _covers(self.opens, self.closes, day)

    def is_there(self, day: date) -> NDArray[np.bool_]:
        """Return which units are in service on a day, their stations aside."""
        return _covers(self.since, self.until, day)

    def days(self) -> list[date]:
        """Return every day on which a station or unit comes or goes, ascending."""
        every = np.concatenate([self.opens, self.closes, self.since, self.until])
        return [day.item() for day in np.unique(every[~np.isnat(every)])]


def _covers(first: NDArray[np.datetime64], end: NDArray[np.datetime64], day: date) -> NDArray[np.bool_]:
    now = np.datetime64(day, "D")
    return (np.isnat(first) | (first <= now)) & (np.isnat(end) | (now < end))


@dataclass(frozen=True, slots=True)
class StatedFleet:
    """The fleet that the tables state, with its dates and what help from outside is described by."""

    fleet: Fleet
    dated: Dated
    tables: FleetTables


def load_stated_fleet(
    folder: Path, city: City, capability_bits: Mapping[str, int], settings: FleetSettings
) -> StatedFleet:
    """Return the stations and units that the folder states.

    Stations are ordered by area, then as in their table; units by station, then as in theirs.

    Raises
    ------
    InputError
        With all problems of the tables: unknown stations, areas, types and capabilities, places outside every cell,
        crews the wrong way round or not given, days the wrong way round.
    """
    problems = Problems()
    stations = read_table(folder / STATIONS, STATED_STATIONS, problems)
    units = read_table(folder / UNITS, STATED_UNITS, problems)
    check_references(stations, "area", city.towns.code, "the city's areas", problems)
    check_references(units, "station", stations.names("station"), STATIONS, problems)
    for table, first, last in ((stations, "opens", "closes"), (units, "from", "until")):
        _check_days(table, first, last, problems)
    city_settings = read_settings(folder, problems)
    cells = _cells_of(stations, city, city_settings.crs if city_settings is not None else WGS84, problems)
    has_types = (folder / UNIT_TYPES_FILE).is_file()
    types = load_unit_types(folder / UNIT_TYPES_FILE, capability_bits, problems) if has_types else None
    if types is not None:
        check_references(units, "type", types.code, UNIT_TYPES_FILE, problems)
    own = _crews_of(units, types, capability_bits, problems) if types is not None or not has_types else None
    problems.raise_if_any()
    assert own is not None
    if settings.crew_min_for_all:
        own = _Crews(np.minimum(settings.crew_min_for_all, own.preferred), own.preferred, own.masks)
    types = _types_of(units, own) if types is None else types
    town = np.array([
        int(city.cells.town[cell]) if code is None else city.towns.code.index(code)
        for cell, code in zip(cells, stations["area"], strict=True)
    ])  # fmt: skip
    order = np.argsort(town, kind="stable")
    fleet, in_order = _fleet(stations, units, order, town, cells, own, types)
    dated = Dated(
        _day_array(stations["opens"][order]),
        _day_array(stations["closes"][order]),
        _day_array(units["from"][in_order]),
        _day_array(units["until"][in_order]),
        np.where(np.isnan(stations["people_on_duty"]), -1, stations["people_on_duty"]).astype(np.int64)[order],
    )
    return StatedFleet(fleet, dated, FleetTables(types, {}, {}, UNITS))


def station_cells(folder: Path, city: City) -> dict[str, int]:
    """Return the cell of every station that the folder states, by code, in the order of its table.

    Raises
    ------
    InputError
        With all that is wrong with the table or the places in it.
    """
    problems = Problems()
    stations, settings = read_table(folder / STATIONS, STATED_STATIONS, problems), read_settings(folder, problems)
    cells = _cells_of(stations, city, settings.crs if settings is not None else WGS84, problems)
    problems.raise_if_any()
    return dict(zip((str(code) for code in stations["station"]), cells, strict=True))


@dataclass(frozen=True, slots=True)
class _Crews:
    """Smallest and preferred crew and capabilities of each row of `units.csv`."""

    smallest: NDArray[np.int64]
    preferred: NDArray[np.int64]
    masks: NDArray[np.uint64]


def _check_days(table: Table, first: str, last: str, problems: Problems) -> None:
    for i in range(table.n_rows):
        begin, end = table[first][i], table[last][i]
        if begin is not None and end is not None and not begin < end:
            rule = f"({last}) must come after {first}, {begin}"
            problems.add(table.where, rule, value=str(end), row=table.row_number(i), mend="mend one of the days")


def _cells_of(stations: Table, city: City, crs: str, problems: Problems) -> list[int]:
    """Return the cell of each station: the nearest, if it is near; of several as near the one whose square holds it.

    The grid's squares alone would not do: where cells lie closer than its side, some have no square of their own.
    """
    x_m, y_m = points_of(stations, crs, city.plane, problems)
    found = []
    for i in range(stations.n_rows):
        if math.isnan(x_m[i]):
            found.append(0)
            continue
        x, y = int(x_m[i]), int(y_m[i])
        squares = (city.cells.x_m.astype(np.int64) - x) ** 2 + (city.cells.y_m.astype(np.int64) - y) ** 2
        cell, holding = int(np.argmin(squares)), city.cell_at(x, y)
        if holding >= 0 and squares[holding] == squares[cell]:
            cell = holding
        away_m = math.sqrt(int(squares[cell]))
        side_m = max(city.cell_m, math.sqrt(int(city.cells.area_m2[cell])))
        if away_m > FARTHEST_SIDES * side_m:
            rule = f"lies {away_m / 1000:.1f} km from the nearest cell"
            mend = "look at its coordinates and their crs, or add cells there"
            problems.add(stations.where, rule, value=stations["station"][i], row=stations.row_number(i), mend=mend)
        found.append(cell)
    return found


def _crews_of(units: Table, types: UnitTypes | None, bits: Mapping[str, int], problems: Problems) -> _Crews:
    """Return each unit's crews and capabilities: its own where its row says, else its type's."""
    smallest, preferred, masks = [], [], []
    for i in range(units.n_rows):
        row, code = units.row_number(i), str(units["type"][i])
        at = types.code.index(code) if types is not None and code in types.code else -1
        crews = []
        for column, of_type in (("crew_min", "crew_min"), ("crew_preferred", "crew_preferred")):
            value = float(units[column][i])
            if math.isnan(value) and types is not None and at >= 0:
                value = float(getattr(types, of_type)[at])
            elif math.isnan(value) and types is None:
                mend = f"give it, or describe the type in {UNIT_TYPES_FILE}"
                problems.add(UNITS, f"({column}) is empty, and there is no {UNIT_TYPES_FILE}", row=row, mend=mend)
            crews.append(0 if math.isnan(value) else int(value))
        if crews[0] > crews[1] > 0:
            rule = f"(crew_min) is above the preferred crew of {crews[1]}"
            problems.add(UNITS, rule, value=crews[0], row=row, mend="lower it")
        smallest.append(crews[0])
        preferred.append(crews[1])
        mask = int(types.capabilities[at]) if types is not None and at >= 0 else 0
        text = units["capabilities"][i]
        if text is None and types is None:
            rule = f"(capabilities) is empty, and there is no {UNIT_TYPES_FILE}"
            problems.add(UNITS, rule, row=row, mend=f"give them, or describe the type in {UNIT_TYPES_FILE}")
        masks.append(mask if text is None else _mask(str(text), bits, row, problems))
    return _Crews(np.array(smallest, np.int64), np.array(preferred, np.int64), np.array(masks, np.uint64))


def _mask(text: str, bits: Mapping[str, int], row: int, problems: Problems) -> int:
    mask = 0
    for code in text.split():
        if code not in bits:
            rule = "(capabilities) is not in the city's register of capabilities"
            problems.add(UNITS, rule, value=code, row=row, mend=nearest_name(code, bits))
        else:
            mask |= 1 << bits[code]
    return mask


def _types_of(units: Table, own: _Crews) -> UnitTypes:
    """Return the types that the units name, each as the first unit of it is: vehicles that move by road."""
    codes = tuple(dict.fromkeys(str(code) for code in units["type"]))
    first = [int(np.flatnonzero(units["type"] == code)[0]) for code in codes]
    traits = np.zeros(len(codes), dtype=UNIT_TRAITS_DTYPE)
    traits["ready_ms"], traits["access_ms"] = -1, -1
    traits["track_mm_s"] = int(TRACK_KMH * MM_S_PER_KMH + 0.5)
    return UnitTypes(
        code=codes, name_zh=codes, name_en=codes, is_vehicle=np.ones(len(codes), dtype=np.bool_),
        capabilities=own.masks[first], crew_min=own.smallest[first].astype(np.int16),
        crew_preferred=own.preferred[first].astype(np.int16), traits=traits,
    )  # fmt: skip


def _fleet(
    stations: Table,
    units: Table,
    order: NDArray[np.int64],
    town: NDArray[np.int64],
    cells: list[int],
    own: _Crews,
    types: UnitTypes,
) -> tuple[Fleet, NDArray[np.int64]]:
    """Return the fleet, and the rows of `units.csv` in the order of its units."""
    codes = [str(code) for code in stations["station"][order]]
    of_unit = np.array([codes.index(code) for code in units["station"]], dtype=np.int32)
    in_order = np.argsort(of_unit, kind="stable")
    station = of_unit[in_order]
    bay = np.arange(len(station)) - np.searchsorted(station, station) + 1
    type_id = np.array([types.code.index(code) for code in units["type"][in_order]], dtype=np.int16)
    stated = np.where(np.isnan(stations["people_on_duty"]), -1, stations["people_on_duty"]).astype(np.int64)[order]
    crews = np.bincount(station, own.preferred[in_order], minlength=len(codes)).astype(np.int64)
    classes, class_id = _classes([code or ONE_CLASS for code in stations["class"][order]], np.maximum(stated, crews))
    towns = town[order]
    names = {name: tuple(n or c for n, c in zip(stations[name][order], codes, strict=True)) for name in _NAMES}
    built = Stations(
        town=towns.astype(np.int16),
        k=(np.arange(len(towns)) - np.searchsorted(towns, towns) + 1).astype(np.int16),
        cell=np.array(cells, dtype=np.int32)[order],
        class_id=class_id,
        is_existing=np.array([day is None for day in stations["opens"][order]], dtype=np.bool_),
        name=tuple(codes),
        **names,
        brigade=tuple(who or BRIGADES[1] for who in stations["brigade"][order]),
        later_class_id=np.full(len(towns), -1, dtype=np.int8),
        planned_year=np.where([day is None for day in stations["opens"][order]], 0, -1).astype(np.int16),
        help_grade=np.zeros(len(towns), dtype=np.int8),
    )
    every = Units(
        station=station, type_id=type_id, capabilities=own.masks[in_order],
        crew_min=own.smallest[in_order].astype(np.int16), crew_preferred=own.preferred[in_order].astype(np.int16),
        bay=bay.astype(np.int16), is_added=np.zeros(len(station), dtype=np.bool_), traits=types.traits[type_id],
    )  # fmt: skip
    for part in (built, every):
        for name in part.__slots__:
            value: Any = getattr(part, name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
    return Fleet(built, every, classes, types), in_order


_NAMES = ("name_zh", "name_en")


def _classes(of_station: list[str], most: NDArray[np.int64]) -> tuple[StationClasses, NDArray[np.int8]]:
    """Return the classes that the stations name; the norm of each is the most people that any of its stations uses."""
    codes = tuple(dict.fromkeys(of_station))
    class_id = np.array([codes.index(code) for code in of_station], dtype=np.int8)
    people = np.array([max(int(most[class_id == i].max()), 1) for i in range(len(codes))], dtype=np.int64)
    return StationClasses(codes, codes, codes, 2 * people, people), class_id


def _day_array(values: NDArray[Any]) -> NDArray[np.datetime64]:
    return np.array([np.datetime64("NaT") if day is None else np.datetime64(day) for day in values], "datetime64[D]")
