"""A city's plan as data: what each town has, needs and builds by year, the indicators, station classes and facts.

`load_plan` reads a city folder's plan tables into one frozen `Plan`. Numbers stay as the plan prints them; whether
they agree with each other is asked by `sim.audit` and never mended here. This module knows no city and no model: who
stands where is `sim.city` and `sim.siting`, what a station holds is `sim.fleet`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, Problem, Problems, nearest_name
from sim.tables import SOURCE, STANDING, Column, Table, TableSpec, check_references, read_table

_T = TypeVar("_T")
PEOPLE_PER_10K = 10_000
RELATIONS = ("=", "<", "<=", ">", ">=", "about")

_BUILD_COLUMN = re.compile(r"build_([0-9]{4})")
_PLACE = Column("place", "str", "Chapter and section, box or annex where the value stands.")
_NAMES = (Column("name_zh", "str", "Chinese name."), Column("name_en", "str", "English name."))
_NOTE = Column("note", "str", "What the value leaves open.", optional=True)


def towns_spec(years: tuple[int, ...]) -> TableSpec:
    """Return the spec of `plan_towns.csv` for a programme that builds in `years`."""
    builds = tuple(Column(f"build_{year}", "int", f"Stations to be built in {year}.", minimum=0) for year in years)
    columns = (
        Column("code", "str", "Town code, as in towns.csv.", unique=True),
        Column("name_zh", "str", "Chinese name as the plan prints it.", unique=True),
        Column("built_up_km2", "float", "Built-up area.", unit="km2", minimum=0),
        Column("resident_pop_10k", "float", "Residents in ten thousands, at most four decimals.", minimum=0),
        Column("stations_now", "int", "Stations in the base year.", minimum=0),
        Column("stations_needed", "int", "Stations the town should have after the plan.", minimum=0),
        Column("stations_gap", "int", "Stations the town lacks.", minimum=0),
        Column(
            "new_hydrants", "int", "Street hydrants to be added; empty where none is printed.", minimum=0, optional=True
        ),
        Column("volunteers_10k", "float", "Volunteers taking part, ten thousands of times.", minimum=0, optional=True),
        *builds,
        Column("centre_station_status", "str", "Is the centre station up to norm?", choices=("met", "not_met", "none")),
        Column("note", "str", "The row's note as printed.", optional=True),
        SOURCE,
        STANDING,
    )
    return TableSpec("plan_towns", 1, columns, key=("code",))


TOTALS = TableSpec(
    "plan_totals",
    1,
    (
        Column("column", "str", "Column of plan_towns.csv whose total is printed."),
        Column("value", "float", "The total as printed."),
        _PLACE,
        SOURCE,
        STANDING,
    ),
    key=("column",),
)
INDICATORS = TableSpec(
    "plan_indicators",
    1,
    (
        Column("indicator", "str", "Id of the indicator."),
        *_NAMES,
        Column("role", "str", "Base-year value or target.", choices=("base", "target")),
        Column("year", "int", "Year of the value.", minimum=1900, maximum=2200),
        Column("relation", "str", "How the value bounds the indicator.", choices=RELATIONS),
        Column("value", "float", "The value; empty where the plan gives none.", optional=True),
        Column("unit", "str", "Unit of the value."),
        _PLACE,
        SOURCE,
        STANDING,
    ),
    key=("indicator", "year"),
)
FACTS = TableSpec(
    "plan_facts",
    1,
    (
        Column("id", "str", "Id of the fact.", unique=True),
        Column("topic", "str", "What the fact is about."),
        *_NAMES,
        Column("relation", "str", "How the value bounds the fact.", choices=RELATIONS),
        Column("value", "float", "The number; empty for a fact in words.", optional=True),
        Column("unit", "str", "Unit of the number, or `words`."),
        Column("first_year", "int", "First year it holds for.", minimum=1900, maximum=2200, optional=True),
        Column("last_year", "int", "Last year it holds for.", minimum=1900, maximum=2200, optional=True),
        _PLACE,
        _NOTE,
        SOURCE,
        STANDING,
    ),
    key=("id",),
)
CLASSES = TableSpec(
    "station_classes",
    1,
    (
        Column("class", "str", "Id of the station class."),
        *_NAMES,
        Column(
            "figure",
            "str",
            "What is bounded.",
            choices=("area_km2", "on_duty", "vehicles", "floor_m2", "site_m2", "people_all"),
        ),
        Column("low", "float", "Lower bound; empty where none is given.", minimum=0, optional=True),
        Column("high", "float", "Upper bound; empty where none is given.", minimum=0, optional=True),
        Column("unit", "str", "Unit of the bounds."),
        Column("confidence", "str", "How the figure is known to us.", choices=("read", "remembered", "judged")),
        _NOTE,
        SOURCE,
        STANDING,
    ),
    key=("class", "figure"),
)
BRIGADES = TableSpec(
    "plan_brigades",
    1,
    (
        Column("brigade", "str", "Id of the brigade that carries special teams.", unique=True),
        *_NAMES,
        Column("home_town", "str", "Town code of its home, where known.", optional=True),
        Column("people", "int", "People of its special teams together.", minimum=1),
        _PLACE,
        _NOTE,
        SOURCE,
        STANDING,
    ),
    key=("brigade",),
)
TEAMS = TableSpec(
    "teams",
    1,
    (
        Column("team", "str", "Id of the special team.", unique=True),
        *_NAMES,
        Column("brigade", "str", "Brigade that carries it, where the plan names one.", optional=True),
        Column("crewed_year", "int", "Year by whose end crew and gear are complete, where given.", optional=True),
        Column("complete_year", "int", "Year by whose end the team is complete, where given.", optional=True),
        _PLACE,
        _NOTE,
        SOURCE,
        STANDING,
    ),
    key=("team",),
)
LISTS = TableSpec(
    "plan_team_lists",
    1,
    (
        Column("list", "str", "Place of the plan that lists teams."),
        Column("team", "str", "Id of the team, as in teams.csv."),
        Column("brigade", "str", "Brigade named beside it, if any.", optional=True),
        SOURCE,
        STANDING,
    ),
    key=("list", "team"),
)
VEHICLES = TableSpec(
    "plan_vehicles",
    1,
    (
        Column("norm", "str", "Id of the vehicle norm."),
        Column("vehicle", "str", "Id of the vehicle type."),
        *_NAMES,
        Column("number", "int", "Vehicles of this type.", minimum=0),
        Column("is_optional", "bool", "Left to choice by the norm."),
        _PLACE,
        SOURCE,
        STANDING,
    ),
    key=("norm", "vehicle"),
)
BOXES = TableSpec(
    "plan_boxes",
    1,
    (
        Column("box", "str", "Box of the plan."),
        Column("item", "str", "Id of the item in the box."),
        *_NAMES,
        Column("low", "float", "Lower bound, or the number itself.", minimum=0),
        Column("high", "float", "Upper bound, or the number itself.", minimum=0),
        Column("unit", "str", "Unit of the bounds."),
        Column("choose_one_of", "str", "Items with the same word here are alternatives.", optional=True),
        _PLACE,
        SOURCE,
        STANDING,
    ),
    key=("box", "item"),
)

REQUIRED = ("towns", "indicators", "classes")
"""Tables without which there is no plan; the others may be left out of a city folder."""

_FILES: tuple[tuple[str, str, TableSpec | None], ...] = (
    ("towns", "plan_towns.csv", None),
    ("totals", "plan_totals.csv", TOTALS),
    ("indicators", "plan_indicators.csv", INDICATORS),
    ("facts", "plan_facts.csv", FACTS),
    ("outside", "plan_outside.csv", FACTS),
    ("classes", "station_classes.csv", CLASSES),
    ("brigades", "plan_brigades.csv", BRIGADES),
    ("teams", "teams.csv", TEAMS),
    ("lists", "plan_team_lists.csv", LISTS),
    ("vehicles", "plan_vehicles.csv", VEHICLES),
    ("boxes", "plan_boxes.csv", BOXES),
)


@dataclass(frozen=True, slots=True)
class Indicator:
    """One value of one indicator: `base` or `target` of a year. `value` is NaN where the plan gives none."""

    id: str
    name_zh: str
    name_en: str
    role: str
    year: int
    relation: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One number of the plan, or read beside it. `value` is NaN for a fact in words."""

    id: str
    name_zh: str
    name_en: str
    value: float
    unit: str
    standing: str


@dataclass(frozen=True, slots=True)
class ClassFigure:
    """Bounds of one figure of a station class; NaN where one is not given."""

    low: float
    high: float
    unit: str
    standing: str

    @property
    def middle(self) -> float:
        """Midpoint of the bounds, or the bound that is given."""
        known = [bound for bound in (self.low, self.high) if not math.isnan(bound)]
        return sum(known) / len(known)


@dataclass(frozen=True, slots=True)
class StationClass:
    """A station class and its figures by name: area_km2, on_duty, vehicles, floor_m2, site_m2, people_all."""

    id: str
    name_zh: str
    name_en: str
    figures: Mapping[str, ClassFigure]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the plan says, town by town in the order of its table.

    Arrays over towns are (n_towns,) int64 unless said otherwise; `builds` is (n_towns, n_years). `population` is whole
    residents, exactly 10,000 x the printed ten thousands. `new_hydrants` and `volunteers_10k` are float64, NaN where
    the plan prints none. `facts` holds the plan's facts and those read beside it, by id.
    """

    code: tuple[str, ...]
    name_zh: tuple[str, ...]
    population: NDArray[np.int64]
    built_up_km2: NDArray[np.float64]
    stations_now: NDArray[np.int64]
    stations_needed: NDArray[np.int64]
    stations_gap: NDArray[np.int64]
    builds: NDArray[np.int64]
    years: tuple[int, ...]
    new_hydrants: NDArray[np.float64]
    volunteers_10k: NDArray[np.float64]
    centre_station_status: tuple[str, ...]
    note: tuple[str, ...]
    indicators: tuple[Indicator, ...]
    classes: tuple[StationClass, ...]
    facts: Mapping[str, Fact]

    @property
    def n_towns(self) -> int:
        """Number of towns."""
        return len(self.code)

    def indicator(self, name: str, year: int) -> Indicator:
        """Return the indicator's value of a year; `InputError` when there is none."""
        for indicator in self.indicators:
            if (indicator.id, indicator.year) == (name, year):
                return indicator
        known = [f"{i.id} {i.year}" for i in self.indicators]
        raise _unknown("plan_indicators.csv", f"{name} {year}", known)

    def station_class(self, name: str) -> StationClass:
        """Return the station class of that id; `InputError` when there is none."""
        for station_class in self.classes:
            if station_class.id == name:
                return station_class
        raise _unknown("station_classes.csv", name, [c.id for c in self.classes])


def _unknown(where: str, name: str, known: list[str]) -> InputError:
    return InputError([Problem(where, "is not in this table", name, mend=nearest_name(name, known))])


def plan_files() -> dict[str, str]:
    """Return the file of each plan table by the short name that checks use, in a fixed order."""
    return {name: file for name, file, _ in _FILES}


def read_plan_tables(folder: Path, problems: Problems) -> dict[str, Table]:
    """Return the plan's tables of a city folder by short name; tables that are not required may be absent."""
    tables = {}
    for name, file, spec in _FILES:
        path = folder / file
        if name in REQUIRED or path.exists():
            tables[name] = read_table(path, towns_spec(_years_of(path)) if spec is None else spec, problems)
    _check_bounds(tables, problems)
    _check_names(tables, problems)
    _check_population(tables["towns"], problems)
    return tables


def load_plan(folder: Path) -> Plan:
    """Return the plan of the city folder.

    Raises
    ------
    InputError
        With every problem of every plan table: what `read_table` finds, bounds the wrong way round, teams, brigades and
        totals that name nothing, residents that are no whole number of people.
    """
    problems = Problems()
    tables = read_plan_tables(folder, problems)
    problems.raise_if_any()
    towns = tables["towns"]
    years = tuple(int(m[1]) for name in towns.spec.names if (m := _BUILD_COLUMN.fullmatch(name)))
    builds = np.array([towns[f"build_{year}"] for year in years], dtype=np.int64).reshape(len(years), towns.n_rows)
    return Plan(
        code=tuple(towns["code"]),
        name_zh=tuple(towns["name_zh"]),
        population=_people(towns["resident_pop_10k"]),
        built_up_km2=towns["built_up_km2"],
        stations_now=towns["stations_now"],
        stations_needed=towns["stations_needed"],
        stations_gap=towns["stations_gap"],
        builds=np.ascontiguousarray(builds.T),
        years=years,
        new_hydrants=towns["new_hydrants"],
        volunteers_10k=towns["volunteers_10k"],
        centre_station_status=tuple(towns["centre_station_status"]),
        note=tuple(note or "" for note in towns["note"]),
        indicators=tuple(_rows(tables["indicators"], _indicator)),
        classes=_classes(tables["classes"]),
        facts={f.id: f for name in ("facts", "outside") if name in tables for f in _rows(tables[name], _fact)},
    )


def _years_of(path: Path) -> tuple[int, ...]:
    """Return the years of the `build_YYYY` columns in the header; empty when the file cannot be read."""
    try:
        with path.open("rb") as file:
            header = file.readline().decode("utf-8-sig", errors="replace")
    except OSError:
        return ()
    matches = (_BUILD_COLUMN.fullmatch(name.strip().strip('"')) for name in header.split(","))
    return tuple(sorted({int(match[1]) for match in matches if match}))


def _people(residents_10k: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.floor(residents_10k * PEOPLE_PER_10K + 0.5).astype(np.int64)


def _check_population(towns: Table, problems: Problems) -> None:
    residents_10k = towns["resident_pop_10k"]
    for i, people in enumerate(_people(residents_10k)):
        if abs(residents_10k[i] * PEOPLE_PER_10K - people) > 1e-4:
            rule = "(resident_pop_10k) is no whole number of people"
            problems.add(
                towns.where, rule, value=float(residents_10k[i]), row=towns.row_number(i), mend="keep four decimals"
            )


def _check_bounds(tables: Mapping[str, Table], problems: Problems) -> None:
    """Add bounds that stand the wrong way round, and class figures with no bound at all."""
    for table in (tables[name] for name in ("classes", "boxes") if name in tables):
        for i, (low, high) in enumerate(zip(table["low"].tolist(), table["high"].tolist(), strict=True)):
            if low > high or (math.isnan(low) and math.isnan(high)):
                problems.add(
                    table.where, "has no low that is at most its high", value=(low, high), row=table.row_number(i)
                )


def _check_names(tables: Mapping[str, Table], problems: Problems) -> None:
    """Add names that point nowhere: totals of no column, homes in no town, teams of no brigade, lists of no team."""
    towns = tables["towns"]
    if "totals" in tables:
        check_references(tables["totals"], "column", towns.spec.names, towns.where, problems)
    if "brigades" in tables:
        check_references(tables["brigades"], "home_town", towns.names("code"), towns.where, problems)
        for table in (tables[name] for name in ("teams", "lists") if name in tables):
            brigades = tables["brigades"]
            check_references(table, "brigade", brigades.names("brigade"), brigades.where, problems)
    if "lists" in tables and "teams" in tables:
        check_references(tables["lists"], "team", tables["teams"].names("team"), tables["teams"].where, problems)


def _rows(table: Table, make: Callable[[dict[str, Any]], _T]) -> list[_T]:
    return [make({name: table[name][i] for name in table.spec.names}) for i in range(table.n_rows)]


def _indicator(row: dict[str, Any]) -> Indicator:
    names = (row["indicator"], row["name_zh"], row["name_en"], row["role"])
    return Indicator(*names, int(row["year"]), row["relation"], float(row["value"]), row["unit"])


def _fact(row: dict[str, Any]) -> Fact:
    return Fact(row["id"], row["name_zh"], row["name_en"], float(row["value"]), row["unit"], row["standing"])


def _classes(table: Table) -> tuple[StationClass, ...]:
    """Return the station classes in the order of their first row."""
    figures: dict[tuple[str, str, str], dict[str, ClassFigure]] = {}
    for row in _rows(table, dict):
        names = (row["class"], row["name_zh"], row["name_en"])
        figure = ClassFigure(float(row["low"]), float(row["high"]), row["unit"], row["standing"])
        figures.setdefault(names, {})[row["figure"]] = figure
    return tuple(StationClass(*names, own) for names, own in figures.items())
