"""How many residents the staffing ratio is applied to: the city's own number, one of each year, or one that grows.

`residents.csv` of a city folder gives residents by year, of the whole city (`town` empty) and, for a year that has
them, of every town. A year's figure counts from 1 January to 31 December of that year; no year is guessed from others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, Problem, Problems
from sim.fleet.parts import CalendarLike, CityLike
from sim.fleet.settings import StaffingSettings
from sim.fleet.staffing import exact, half_up
from sim.tables import SOURCE, STANDING, Column, Table, TableSpec, check_references, read_table

FILE = "residents.csv"
RESIDENTS = TableSpec(
    "residents",
    1,
    (
        Column("year", "int", "Year in which the figure counts.", minimum=1900, maximum=2200),
        Column("town", "str", "Code of the town; empty for the whole city.", optional=True),
        Column("residents", "int", "Residents.", unit="people", minimum=1, maximum=1_000_000_000),
        SOURCE,
        STANDING,
    ),
    key=("year", "town"),
)


@dataclass(frozen=True, slots=True)
class ResidentsByYear:
    """Residents of the whole city by year, and of the towns, (n_towns,) int64, in the years that have them."""

    city: Mapping[int, int]
    towns: Mapping[int, NDArray[np.int64]]


def load_residents(folder: Path, towns: Sequence[str]) -> ResidentsByYear:
    """Return the residents by year of the city folder `folder`, whose towns have the codes `towns`.

    Raises
    ------
    InputError
        With every problem: no such table, wrong cells, unknown towns, a year that has some of the towns only, towns
        that do not add up to the city.
    """
    path, problems = folder / FILE, Problems()
    if not path.is_file():
        mend = "choose staffing.residents=plan, or write the city's residents by year there"
        raise InputError([Problem(str(path), "(staffing.residents) 'by_year' needs this table of the city", mend=mend)])
    table = read_table(path, RESIDENTS, problems)
    check_references(table, "town", towns, "towns.csv", problems)
    problems.raise_if_any()
    found = _by_year(table, towns, problems)
    problems.raise_if_any()
    return found


def _by_year(table: Table, towns: Sequence[str], problems: Problems) -> ResidentsByYear:
    """Return the rows by year; a year with towns and without the city has their sum."""
    city: dict[int, int] = {}
    of_town: dict[int, dict[str, int]] = {}
    rows = zip(table["year"].tolist(), table["town"], table["residents"].tolist(), strict=True)
    for year, town, residents in rows:
        if town is None:
            city[year] = residents
        else:
            of_town.setdefault(year, {})[str(town)] = residents
    for year, found in sorted(of_town.items()):
        total, lacking = sum(found.values()), [code for code in towns if code not in found]
        if lacking:
            shown = ", ".join(lacking[:5]) + (", …" if len(lacking) > 5 else "")
            mend = "give every town of that year a row, or none"
            problems.add(
                table.where, f"(town) {year} lacks {len(lacking)} of {len(towns)} towns", value=shown, mend=mend
            )
        elif city.setdefault(year, total) != total:
            rule = f"(residents) of the whole city in {year} is not the sum of its towns, {total}"
            problems.add(table.where, rule, value=city[year], mend="mend either, or leave the city's row out")
    arrays = {y: np.array([of.get(code, 0) for code in towns], dtype=np.int64) for y, of in of_town.items()}
    return ResidentsByYear(city, arrays)


@dataclass(frozen=True, slots=True)
class Denominator:
    """The residents that a staffing's ratio is applied to, on any day of a run."""

    staffing: StaffingSettings
    city: CityLike
    by_year: ResidentsByYear | None = None

    def residents(self, day: date) -> int:
        """Return the residents of the whole city that count on `day`; growth is rounded half up."""
        own = int(self.city.towns.population.sum())
        if self.staffing.residents == "by_year" and self.by_year is not None:
            return self.by_year.city[day.year]
        if self.staffing.residents == "growth":
            rate = 1 + exact(self.staffing.residents_growth_per_year)
            return half_up(own * rate ** (day.year - self.city.population_year))
        return own

    def of_towns(self, day: date) -> NDArray[np.int64]:
        """Return the residents by which towns share on `day`: that year's if it has them, else the city's own."""
        if self.staffing.residents == "by_year" and self.by_year is not None and day.year in self.by_year.towns:
            return self.by_year.towns[day.year]
        return self.city.towns.population

    def check(self, calendar: CalendarLike, problems: Problems) -> None:
        """Add problems for a rate of growth that nothing uses, and for years of the run without a figure."""
        staffing = self.staffing
        if staffing.residents_growth_per_year and staffing.residents != "growth":
            rule = f"(residents_growth_per_year) changes nothing while residents is {staffing.residents!r}"
            mend = "set staffing.residents=growth, or the rate to 0"
            problems.add(staffing.name, rule, value=staffing.residents_growth_per_year, mend=mend)
        if self.by_year is None:
            return
        last = date.fromordinal(calendar.start.toordinal() + calendar.n_days - 1)
        years = range(calendar.start.year, last.year + 1)
        lacking = ", ".join(str(year) for year in years if year not in self.by_year.city)
        if lacking:
            rule = f"(year) has no row of the whole city for years of the run, which is from {calendar.start} to {last}"
            mend = "give each of them one, change the window, or set staffing.residents=plan"
            problems.add(FILE, rule, value=lacking, mend=mend)

    def new_days(self, calendar: CalendarLike) -> list[date]:
        """Return the days of the run, its first apart, from which another year's residents count."""
        if self.staffing.residents == "plan":
            return []
        last = date.fromordinal(calendar.start.toordinal() + calendar.n_days - 1)
        return [date(year, 1, 1) for year in range(calendar.start.year + 1, last.year + 1)]
