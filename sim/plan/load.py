"""Reads a city folder's plan tables into one frozen `Plan`; what each table must hold is in `schemas.py`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, Problem, Problems, nearest_name
from sim.plan.schemas import FILES, REQUIRED, towns_spec
from sim.tables import Table, check_references, read_table

_T = TypeVar("_T")
PEOPLE_PER_10K = 10_000

_BUILD_COLUMN = re.compile(r"build_([0-9]{4})")


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
    return {name: file for name, file, _ in FILES}


def read_plan_tables(folder: Path, problems: Problems) -> dict[str, Table]:
    """Return the plan's tables of a city folder by short name; tables that are not required may be absent."""
    tables = {}
    for name, file, spec in FILES:
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


def no_plan(
    code: Sequence[str], name_zh: Sequence[str], population: NDArray[np.int64], built_up_km2: NDArray[np.float64]
) -> Plan:
    """Return the plan of a city that has none: its towns with their residents, and nothing to be built or reached."""
    n_towns = len(code)
    none = np.zeros(n_towns, dtype=np.int64)
    unknown = np.full(n_towns, np.nan)
    return Plan(
        code=tuple(code), name_zh=tuple(name_zh), population=population, built_up_km2=built_up_km2,
        stations_now=none, stations_needed=none, stations_gap=none, builds=none[:, None][:, :0], years=(),
        new_hydrants=unknown, volunteers_10k=unknown, centre_station_status=("",) * n_towns, note=("",) * n_towns,
        indicators=(), classes=(), facts={},
    )  # fmt: skip


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
