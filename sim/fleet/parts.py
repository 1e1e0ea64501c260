"""What the fleet is made of: stations, units, classes and the dated changes, as arrays in which a position is an id.

Everything that is ever built stands in `Stations` and `Units` from the start; `Changes` says what of it is open, in
service and manned, and when. Nothing here decides anything; `build.py` makes a `Fleet`, `changes.py` makes `Changes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class ChangeKind(IntEnum):
    """Kinds of dated change; of the changes due at one instant the lower kind comes first."""

    STATION_CLOSE = 0
    STATION_OPEN = 1
    UNIT_WITHDRAW = 2
    UNIT_IN_SERVICE = 3
    STATION_PEOPLE = 4
    HANDLING_REGIME = 5
    UNIT_FAILS = 6
    UNIT_MENDED = 7


class UnitMode(IntEnum):
    """How a unit gets to an incident."""

    ROAD = 0
    AIR = 1
    WATER = 2


UNIT_TRAITS_DTYPE = np.dtype(
    [
        ("mode", "<i4"),
        ("callout_ms", "<i4"),
        ("ready_ms", "<i4"),
        ("access_ms", "<i4"),
        ("speed_mm_s", "<i4"),
        ("track_mm_s", "<i4"),
        ("range_m", "<i4"),
        ("duty_ms", "<i4"),
    ]
)
"""How a unit moves. `mode`: a `UnitMode`. `callout_ms`: added to turnout, for a team that has to gather or an aircraft
that has to be launched and cleared. `ready_ms`: from HOME to AVAILABLE, -1 as the policy says. `access_ms`: from the
address to the work, -1 as the kind of incident says. `speed_mm_s`: by air or by water. `track_mm_s`: along a railway
track, on foot or by vehicle. `range_m`: furthest place in a straight line from the base, 0 without a limit. `duty_ms`:
flying time a day, 0 without a limit."""


CHANGE_DTYPE = np.dtype([("time_ms", "<i8"), ("kind", "<i2"), ("entity", "<i4"), ("value", "<i8")])
"""A dated change. `entity` is a station for kinds 0, 1 and 4, a unit for 2, 3, 6 and 7, and -1 for the whole city."""


@dataclass(frozen=True, slots=True)
class StationClasses:
    """The classes of station that can be manned; n_classes rows.

    `on_duty_max` is the most people that the class's norm has on duty at once; `weight` is twice the middle of the
    norm's range, so that it stays a whole number.
    """

    code: tuple[str, ...]
    name_zh: tuple[str, ...]
    name_en: tuple[str, ...]
    weight: NDArray[np.int64]
    on_duty_max: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class UnitTypes:
    """The types of unit: what each can do, the people it leaves with, how it moves (`traits`); n_types rows."""

    code: tuple[str, ...]
    name_zh: tuple[str, ...]
    name_en: tuple[str, ...]
    is_vehicle: NDArray[np.bool_]
    capabilities: NDArray[np.uint64]
    crew_min: NDArray[np.int16]
    crew_preferred: NDArray[np.int16]
    traits: NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Stations:
    """Every station ever built, by town and then by number within the town; n_stations rows.

    `k` is the siting's number of the site within its town. `later_class_id` is the class after an upgrade (-1: there is
    none). `planned_year` is the year of the plan's table in which the station is built: 0 for one that stands already,
    -1 for a site that the plan does not use. `help_grade` is 0 for the city's own stations; one of another city sends
    its units from that alarm grade on, or once a need has waited long enough.
    """

    town: NDArray[np.int16]
    k: NDArray[np.int16]
    cell: NDArray[np.int32]
    class_id: NDArray[np.int8]
    is_existing: NDArray[np.bool_]
    name: tuple[str, ...]
    name_zh: tuple[str, ...]
    name_en: tuple[str, ...]
    brigade: tuple[str, ...]
    later_class_id: NDArray[np.int8]
    planned_year: NDArray[np.int16]
    help_grade: NDArray[np.int8]

    @property
    def n_stations(self) -> int:
        """Number of stations, open or not."""
        return len(self.name)


@dataclass(frozen=True, slots=True)
class Units:
    """Every unit there ever is, ascending with station id; n_units rows.

    `capabilities` is a bit mask over the city's register of capabilities. `bay` counts a station's units from 1.
    `is_added` marks units that come with an upgrade of their station and are not there before it. `traits` holds
    `UNIT_TRAITS_DTYPE`.
    """

    station: NDArray[np.int32]
    type_id: NDArray[np.int16]
    capabilities: NDArray[np.uint64]
    crew_min: NDArray[np.int16]
    crew_preferred: NDArray[np.int16]
    bay: NDArray[np.int16]
    is_added: NDArray[np.bool_]
    traits: NDArray[np.void]

    @property
    def n_units(self) -> int:
        """Number of units, in service or not."""
        return len(self.station)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Who responds, in one siting world: the same for every schedule and every staffing."""

    stations: Stations
    units: Units
    classes: StationClasses
    unit_types: UnitTypes


@dataclass(frozen=True, slots=True)
class Note:
    """Something a reader of the results should know about a scenario's fleet.

    `code` is one of `opens_empty` (a station opens without the people for any of its units), `falls_empty` (an open one
    loses them), `is_manned_again`, `unit_never_manned` (a unit's smallest crew is larger than its station ever is) and
    `no_station` (people are on duty and no station is open for them).
    """

    code: str
    time_ms: int
    station: int
    unit: int
    people: int
    text: str


@dataclass(frozen=True, slots=True)
class StaffStep:
    """How many people there are from one instant on, and how many stations share them."""

    time_ms: int
    day: date
    permille: float
    residents: int
    staff: int
    on_duty: int
    n_open: int
    n_empty: int
    n_vehicles: int


@dataclass(frozen=True, slots=True)
class Changes:
    """A scenario's dated changes, with what a report has to tell about them.

    `rows` is a read-only array of `CHANGE_DTYPE`, sorted by time, kind and entity; its rows at time 0 are the state at
    the run's start. `staff_steps` has one line per instant at which stations or people change.
    """

    rows: NDArray[np.void]
    notes: tuple[Note, ...]
    staff_steps: tuple[StaffStep, ...]

    def open_stations(self, time_ms: int, n_stations: int) -> NDArray[np.bool_]:
        """Return which stations are open just after `time_ms`: (n_stations,) bool."""
        is_open = np.zeros(n_stations, dtype=np.bool_)
        for row in self.rows[self.rows["time_ms"] <= time_ms]:
            if row["kind"] in (ChangeKind.STATION_OPEN, ChangeKind.STATION_CLOSE):
                is_open[row["entity"]] = row["kind"] == ChangeKind.STATION_OPEN
        return is_open


class TownsLike(Protocol):
    """What the fleet asks of a city's towns."""

    @property
    def code(self) -> tuple[str, ...]:
        """Town codes, in the order of town ids."""
        ...

    @property
    def name_zh(self) -> tuple[str, ...]:
        """Chinese names."""
        ...

    @property
    def name_en(self) -> tuple[str, ...]:
        """English names."""
        ...

    @property
    def population(self) -> NDArray[np.int64]:
        """(n_towns,) residents."""
        ...


class CellsLike(Protocol):
    """What the fleet asks of a city's cells."""

    @property
    def town(self) -> NDArray[np.int16]:
        """(n_cells,) town of each cell."""
        ...


class CityLike(Protocol):
    """What the fleet asks of a city (`sim.city.City` gives it)."""

    @property
    def towns(self) -> TownsLike:
        """The towns."""
        ...

    @property
    def cells(self) -> CellsLike:
        """The cells."""
        ...

    @property
    def population_year(self) -> int:
        """Year of the towns' populations."""
        ...


class SitingLike(Protocol):
    """What the fleet asks of a siting world: one entry per site (`sim.siting.Siting` gives it)."""

    @property
    def cells(self) -> NDArray[np.int32]:
        """(n_sites,) cell."""
        ...

    @property
    def town(self) -> NDArray[np.int16]:
        """(n_sites,) town id."""
        ...

    @property
    def k(self) -> NDArray[Any]:
        """(n_sites,) number within the town, existing sites first, then in build order."""
        ...

    @property
    def is_existing(self) -> NDArray[np.bool_]:
        """(n_sites,) whether the station stands before the plan."""
        ...


class CalendarLike(Protocol):
    """What the fleet asks of a calendar (`sim.demand.calendar.Calendar` gives it)."""

    @property
    def start(self) -> date:
        """First day of the run."""
        ...

    @property
    def n_days(self) -> int:
        """Days in the run."""
        ...


class BoundsLike(Protocol):
    """What the fleet asks of a figure of a station class: bounds, NaN where one is not given."""

    @property
    def low(self) -> float:
        """Lower bound."""
        ...

    @property
    def high(self) -> float:
        """Upper bound."""
        ...


class ClassLike(Protocol):
    """What the fleet asks of a station class of the plan."""

    @property
    def id(self) -> str:
        """Code."""
        ...

    @property
    def name_zh(self) -> str:
        """Chinese name."""
        ...

    @property
    def name_en(self) -> str:
        """English name."""
        ...

    @property
    def figures(self) -> Mapping[str, BoundsLike]:
        """Figures of the class; `on_duty` is the one the fleet needs."""
        ...


class PlanLike(Protocol):
    """What the fleet asks of a plan (`sim.plan.Plan` gives it)."""

    @property
    def code(self) -> Sequence[str]:
        """Codes of the plan's towns."""
        ...

    @property
    def stations_now(self) -> NDArray[np.int64]:
        """(n_towns,) stations that stand."""
        ...

    @property
    def years(self) -> Sequence[int]:
        """(n_years,) years of the building programme."""
        ...

    @property
    def builds(self) -> NDArray[np.int64]:
        """(n_towns, n_years) stations to build."""
        ...

    @property
    def classes(self) -> Sequence[ClassLike]:
        """Station classes."""
        ...
