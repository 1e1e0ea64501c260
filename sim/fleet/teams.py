"""Special teams: who they are, where their bases stand, with how many people, and from when on.

A city folder lists them in three tables: `team_bases.csv` (where, how many people), `team_units.csv` (which units of
which team stand in which base, and whether they come with its first crew or when it is complete) and
`team_unit_types.csv` (what those units can do, and how long they take to gather). The settings give each team its two
dates; a team without dates does not exist. People of a base man whatever stands in it. What teams are needed for is in
`team_cards.csv` (`sim/demand/team_cards.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from math import isnan
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from pydantic import ConfigDict

from sim.errors import Problems, nearest_name
from sim.fleet.aviation import CityWithPlaneLike, place_of
from sim.fleet.bases import Base, BaseUnit, joined
from sim.fleet.parts import Fleet, TownsLike, UnitTypes
from sim.fleet.settings import Day
from sim.fleet.staffing import exact
from sim.fleet.tables import GROUPS, load_unit_types
from sim.tables import SOURCE, STANDING, STANDINGS, Column, Table, TableSpec, check_references, read_table

STAGES = ("crewed", "complete")
TEAM_BASES = TableSpec(
    "team_bases",
    1,
    (
        Column("base", "str", "ASCII name of the base.", unique=True),
        Column("name_zh", "str", "Chinese name."),
        Column("name_en", "str", "English name."),
        Column("town", "str", "Town of the station whose place it shares.", optional=True),
        Column("group", "str", "Whether that station stands or is new.", choices=GROUPS, optional=True),
        Column("number", "int", "Its number among those of the town, from 1.", minimum=1, optional=True),
        Column("lat", "float", "Latitude, where it has a place of its own.", "degrees", -90, 90, optional=True),
        Column("lon", "float", "Longitude of that place.", "degrees", -180, 180, optional=True),
        Column("place_source", "str", "Where the place comes from."),
        Column("place_standing", "str", "How well it is known.", choices=STANDINGS),
        Column("people_crewed", "int", "People of all shifts once its first team is crewed.", "people", 1, 10_000),
        Column("people_complete", "int", "People once all its teams are complete.", "people", 1, 10_000),
        SOURCE,
        STANDING,
    ),
)
TEAM_UNITS = TableSpec(
    "team_units",
    1,
    (
        Column("team", "str", "Code of the team."),
        Column("base", "str", "Base in which the units stand."),
        Column("unit_type", "str", "Type of unit, of team_unit_types.csv."),
        Column("stage", "str", "Whether they come with the first crew or when the team is complete.", choices=STAGES),
        Column("number", "int", "How many of them.", minimum=1, maximum=100),
        SOURCE,
        STANDING,
    ),
    key=("team", "base", "unit_type", "stage"),
)


class CityWithTownsLike(CityWithPlaneLike, Protocol):
    """What teams ask of a city (`sim.city.City` gives it)."""

    @property
    def towns(self) -> TownsLike:
        """The towns."""
        ...


@dataclass
class TeamDates:
    """From when on a team is there."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    crewed: Day
    """Day from which its first units are crewed."""
    complete: Day
    """Day from which it has all its units and people."""


@dataclass
class TeamsSettings:
    """Which special teams there are, from when on, and whether anybody asks for them."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    name: str
    """ASCII name of the choice."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    is_asked_for: bool = False
    """Whether run cards ask for the teams (the city's team_cards.csv), be they there or not."""
    people: Literal["of_the_city", "on_top"] = "of_the_city"
    """Whether the teams' people are among the city's staff, leaving so many fewer to the stations, or on top of it."""
    teams: dict[str, TeamDates] = field(default_factory=dict)
    """Dates of each team, by its code in the city's team_units.csv."""


def check(values: Mapping[str, Any], where: str) -> None:
    """Raise an error for every team whose dates are none or contradict each other."""
    problems = Problems()
    for team, dates in values.get("teams", {}).items():
        days = [_day(dates[stage], f"(teams.teams.{team}.{stage})", where, problems) for stage in STAGES]
        if days[0] and days[1] and days[0] > days[1]:
            rule = f"(teams.teams.{team}) is complete before it is crewed on {days[0]}"
            problems.add(where, rule, value=str(days[1]), mend="give crewed a day no later than complete")
    problems.raise_if_any()


def _day(text: str, key: str, where: str, problems: Problems) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        problems.add(where, f"{key} is not a day of the calendar", value=text, mend="write it as YYYY-MM-DD")
        return None


def load_team_bases(
    folder: Path,
    city: CityWithTownsLike,
    fleet: Fleet,
    bits: Mapping[str, int],
    settings: TeamsSettings,
    present_share: float,
) -> tuple[UnitTypes, tuple[Base, ...]]:
    """Return the fleet's types of unit with those of the teams, and the bases that have a team with dates.

    Parameters
    ----------
    bits : bit number of each capability of the city's register, by code.
    present_share : people on duty per person of a team, as in the city's stations; rounded down for each base.

    Raises
    ------
    InputError
        With all problems: missing tables; unknown towns, stations, bases, unit types, capabilities; teams with dates
        and no units; units whose smallest crew is above what their base has on duty when they come.
    """
    if not settings.teams:
        return fleet.unit_types, ()
    problems = Problems()
    bases = read_table(folder / "team_bases.csv", TEAM_BASES, problems)
    units = read_table(folder / "team_units.csv", TEAM_UNITS, problems)
    types = load_unit_types(folder / "team_unit_types.csv", bits, problems)
    if bases.n_rows:
        check_references(bases, "town", city.towns.code, "towns.csv", problems)
        _check_places(bases, problems)
        check_references(units, "base", bases["base"], "team_bases.csv", problems)
    if types is not None:
        check_references(units, "unit_type", types.code, "team_unit_types.csv", problems)
    known = sorted({str(team) for team in units["team"]})
    for team in settings.teams if known else ():
        if team not in known:
            rule = "(teams.teams) has dates for a team without units in team_units.csv"
            problems.add(f"teams {settings.name}", rule, value=team, mend=nearest_name(team, known))
    problems.raise_if_any()
    assert types is not None
    found = [
        base
        for row in range(bases.n_rows)
        if (base := _base(row, bases, units, types, city, fleet, settings, present_share, problems)) is not None
    ]
    problems.raise_if_any()
    return joined(fleet.unit_types, types), tuple(found)


def _base(
    row: int,
    bases: Table,
    units: Table,
    types: UnitTypes,
    city: CityWithTownsLike,
    fleet: Fleet,
    settings: TeamsSettings,
    present_share: float,
    problems: Problems,
) -> Base | None:
    """Return one base with the units of its dated teams, or None where it has none or something is wrong with it."""
    code = str(bases["base"][row])
    rows = [i for i in range(units.n_rows) if units["base"][i] == code and units["team"][i] in settings.teams]
    cell = _cell(row, bases, city, fleet, problems) if rows else None
    if cell is None:
        return None
    dates = {str(units["team"][i]): settings.teams[units["team"][i]] for i in rows}
    on_duty = {stage: int(int(bases[f"people_{stage}"][row]) * exact(present_share)) for stage in STAGES}
    first = min(date.fromisoformat(of.crewed) for of in dates.values())
    full = max(date.fromisoformat(of.complete) for of in dates.values())
    found: list[BaseUnit] = []
    for i in rows:
        type_id = types.code.index(units["unit_type"][i])
        day = date.fromisoformat(getattr(dates[units["team"][i]], units["stage"][i]))
        there = on_duty["complete" if day >= full else "crewed"]
        if types.crew_min[type_id] > there:
            rule = f"(unit_type) needs a smallest crew of {types.crew_min[type_id]}; {code!r} has {there} on duty then"
            mend = "give the base more people in team_bases.csv, or let the unit come later"
            problems.add(units.where, rule, value=units["unit_type"][i], row=units.row_number(i), mend=mend)
        found += [BaseUnit(len(fleet.unit_types.code) + type_id, day)] * int(units["number"][i])
    people = ((first, on_duty["crewed"]), (full, on_duty["complete"]))
    return Base(code, bases["name_zh"][row], bases["name_en"][row], cell, tuple(found), people)


def _check_places(bases: Table, problems: Problems) -> None:
    """Add a problem for each base that has neither a station's place nor one of its own, or both."""
    for i in range(bases.n_rows):
        of_station = [bases["town"][i] is not None, bases["group"][i] is not None, not isnan(bases["number"][i])]
        own = [not isnan(bases["lat"][i]), not isnan(bases["lon"][i])]
        if not (all(of_station) and not any(own)) and not (all(own) and not any(of_station)):
            rule = "needs the place of a station (town, group, number) or one of its own (lat, lon), and not both"
            problems.add(bases.where, rule, value=bases["base"][i], row=bases.row_number(i), mend="fill in the one")


def _cell(row: int, bases: Table, city: CityWithTownsLike, fleet: Fleet, problems: Problems) -> int | None:
    """Return the cell in which a base stands, or None after adding that there is no such station."""
    if bases["town"][row] is None:
        return place_of(city, float(bases["lat"][row]), float(bases["lon"][row]))[0]
    stations, town = fleet.stations, city.towns.code.index(bases["town"][row])
    stands = bases["group"][row] == "existing"
    places = np.flatnonzero((stations.town == town) & (stations.is_existing == stands))
    number = int(bases["number"][row])
    if number > len(places):
        rule = f"(number) {bases['town'][row]!r} has only {len(places)} {bases['group'][row]} stations"
        problems.add(bases.where, rule, value=number, row=bases.row_number(row), mend="lower it or name another town")
        return None
    return int(stations.cell[places[number - 1]])
