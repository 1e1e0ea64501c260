"""Aircraft: under which arrangement, from which field, from when on, and how long until they are over the city.

`air_bases.csv` of a city folder lists the fields, in the city or outside it; `aircraft_types.csv` the types, in the
form of `unit_types.csv`. An aircraft of a field outside the city stands in the cell nearest to it and needs the way
from the field to that cell on top of its launch, and the way back on top of its refuelling. When it may fly, and what
it is sent to, says `flying.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from math import hypot
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from sim.errors import Problems, nearest_name
from sim.fleet.bases import Base, BaseUnit, joined
from sim.fleet.parts import UnitMode, UnitTypes
from sim.fleet.settings import Share
from sim.fleet.tables import load_unit_types
from sim.tables import SOURCE, STANDING, Column, Table, TableSpec, read_table
from sim.units import ms_from_min

MILESTONES = ("crewed", "complete")
AIR_BASES = TableSpec(
    "air_bases",
    1,
    (
        Column("base", "str", "ASCII name of the field.", unique=True),
        Column("name_zh", "str", "Chinese name."),
        Column("name_en", "str", "English name."),
        Column("lat", "float", "Latitude.", "degrees", -90, 90),
        Column("lon", "float", "Longitude.", "degrees", -180, 180),
        SOURCE,
        STANDING,
    ),
)
Minutes = Annotated[float, Field(ge=0, le=1_440, allow_inf_nan=False)]
Days = Annotated[float, Field(ge=0, le=30, allow_inf_nan=False)]
Hour = Annotated[int, Field(ge=0, le=24)]
_DayOrNone = Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]


@dataclass
class AviationSettings:
    """Whether the city has aircraft, under which arrangement, and what keeps them on the ground."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    name: str
    """ASCII name of the choice."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    mode: Literal["none", "buy_service", "shared", "own"] = "none"
    """none; buy_service: aircraft and crews of a contractor; shared: of a partner, who may have them elsewhere; own:
    the city's, its crews among the city's staff."""
    base: str = ""
    """Field on which they stand, of the city's air_bases.csv."""
    aircraft: dict[str, Annotated[int, Field(ge=1, le=50)]] = field(default_factory=dict)
    """Number of aircraft by type, of the city's aircraft_types.csv; each has a crew on duty."""
    crewed: _DayOrNone = ""
    """Day from which they are crewed and contracted."""
    complete: _DayOrNone = ""
    """Day from which they are complete: no training days any more."""
    launch_min: Minutes = 0.0
    """From turnout to take-off, min."""
    clearance_min: Minutes = 0.0
    """Wait for the airspace to be cleared, min, before take-off."""
    duty_from_h: Hour = 0
    """First hour of the day with a flying crew on duty."""
    duty_to_h: Hour = 24
    """Hour of the day in which there is none any more."""
    is_flown_at_night: bool = False
    """Whether they fly outside the daylight of the city's flying_windows.csv."""
    servicing_days_per_month: Days = 0.0
    """Mean days a month on which an aircraft is being serviced."""
    training_days_per_month: Days = 0.0
    """Mean days a month on which it trains and cannot be sent, until it is complete."""
    partner_share: Share = 0.0
    """Share of days on which the partner of a shared aircraft has it elsewhere."""
    scene_min: dict[str, Minutes] = field(default_factory=dict)
    """Median time on scene of an aircraft by kind, min, whatever the grade and the delay; its spread is
    times.scene_sigma. At a kind that is not named it stays as long as a vehicle would."""

    @property
    def is_on(self) -> bool:
        """Whether there are any aircraft."""
        return self.mode != "none"


def check(values: Mapping[str, Any], where: str) -> None:
    """Raise an error for all that contradicts itself: a base without a mode, a mode without what it takes, dates."""
    problems = Problems()
    mode = values.get("mode", "none")
    if mode == "none":
        for key in ("base", "aircraft", "crewed", "complete", "scene_min"):
            if values.get(key):
                rule = f"(aviation.{key}) is given, but aviation.mode is none: nobody would fly"
                problems.add(where, rule, value=values[key], mend="choose buy_service, shared or own, or leave it out")
    else:
        for key in ("base", "aircraft", *MILESTONES):
            if not values.get(key):
                rule = f"(aviation.{key}) is missing: aviation.mode {mode} needs it"
                problems.add(where, rule, mend="give it, or set aviation.mode=none")
    days = [_day(str(values.get(key, "")), f"(aviation.{key})", where, problems) for key in MILESTONES]
    if days[0] and days[1] and days[0] > days[1]:
        rule = f"(aviation.complete) lies before the aircraft are crewed on {days[0]}"
        problems.add(where, rule, value=str(days[1]), mend="give crewed a day no later than complete")
    if values.get("duty_from_h", 0) >= values.get("duty_to_h", 24):
        rule = f"(aviation.duty_to_h) is not after duty_from_h, {values.get('duty_from_h', 0)}"
        problems.add(where, rule, value=values.get("duty_to_h", 24), mend="let the crew's day begin before it ends")
    if values.get("partner_share", 0) > 0 and mode != "shared":
        rule = "(aviation.partner_share) is for shared aircraft; these have no partner"
        problems.add(where, rule, value=values["partner_share"], mend="set aviation.mode=shared, or the share to 0")
    problems.raise_if_any()


def _day(text: str, key: str, where: str, problems: Problems) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        problems.add(where, f"{key} is not a day of the calendar", value=text, mend="write it as YYYY-MM-DD")
        return None


class PlaneLike(Protocol):
    """What a field asks of a city's plane."""

    def xy_m(self, lat: float, lon: float) -> tuple[int, int]:
        """Return metres east and north."""
        ...


class CellPlacesLike(Protocol):
    """What a field asks of a city's cells."""

    @property
    def x_m(self) -> NDArray[np.int32]:
        """(n_cells,) metres east."""
        ...

    @property
    def y_m(self) -> NDArray[np.int32]:
        """(n_cells,) metres north."""
        ...


class CityWithPlaneLike(Protocol):
    """What a field asks of a city (`sim.city.City` gives it)."""

    @property
    def plane(self) -> PlaneLike:
        """The plane."""
        ...

    @property
    def cells(self) -> CellPlacesLike:
        """The cells."""
        ...

    @property
    def cell_m(self) -> int:
        """Side of a cell, m."""
        ...


def load_air_base(
    folder: Path, city: CityWithPlaneLike, types: UnitTypes, bits: Mapping[str, int], settings: AviationSettings
) -> tuple[UnitTypes, tuple[Base, ...]]:
    """Return the types of unit with those of aircraft behind them, and the field with its aircraft, if there are any.

    Raises
    ------
    InputError
        With all problems: missing tables, an unknown field or type, a type that does not fly, a field so far away that
        an aircraft's range ends before the city.
    """
    if not settings.is_on:
        return types, ()
    problems = Problems()
    bases = read_table(folder / "air_bases.csv", AIR_BASES, problems)
    more = load_unit_types(folder / "aircraft_types.csv", bits, problems)
    problems.raise_if_any()
    assert more is not None
    where, known = f"aviation {settings.name}", tuple(bases["base"])
    if settings.base not in known:
        rule = "(aviation.base) is not in air_bases.csv"
        problems.add(where, rule, value=settings.base, mend=nearest_name(settings.base, known))
    for code in settings.aircraft:
        if code not in more.code:
            rule, mend = "(aviation.aircraft) is not in aircraft_types.csv", nearest_name(code, more.code)
            problems.add(where, rule, value=code, mend=mend)
        elif more.traits["mode"][more.code.index(code)] != UnitMode.AIR:
            rule = "(mode) is not air: the type cannot stand on a field"
            problems.add("aircraft_types.csv", rule, value=code, mend="make its mode air and give it a speed")
    problems.raise_if_any()
    return joined(types, more), (_base(bases, known.index(settings.base), city, types, more, settings),)


def _base(
    bases: Table, row: int, city: CityWithPlaneLike, types: UnitTypes, more: UnitTypes, settings: AviationSettings
) -> Base:
    """Return the field as a base, its aircraft crewed from the settings' day on."""
    cell, outside_m = place_of(city, float(bases["lat"][row]), float(bases["lon"][row]))
    day = date.fromisoformat(settings.crewed)
    found: list[BaseUnit] = []
    people = 0
    for code, number in settings.aircraft.items():
        type_id = more.code.index(code)
        way_ms = outside_m * 1_000_000 // int(more.traits["speed_mm_s"][type_id])
        callout_ms = ms_from_min(settings.launch_min) + ms_from_min(settings.clearance_min) + way_ms
        found += [BaseUnit(len(types.code) + type_id, day, callout_ms, way_ms)] * number
        people += number * int(more.crew_preferred[type_id])
    return Base(
        bases["base"][row], bases["name_zh"][row], bases["name_en"][row], cell, tuple(found), ((day, people),)
    )  # fmt: skip


def place_of(city: CityWithPlaneLike, lat: float, lon: float) -> tuple[int, int]:
    """Return (nearest cell, metres from the point to its middle; 0 where the point lies within a cell's side)."""
    x, y = city.plane.xy_m(lat, lon)
    dx, dy = np.asarray(city.cells.x_m, dtype=np.int64) - x, np.asarray(city.cells.y_m, dtype=np.int64) - y
    cell = int(np.argmin(dx * dx + dy * dy))
    away_m = int(hypot(int(dx[cell]), int(dy[cell])))
    return cell, away_m if away_m > city.cell_m else 0
