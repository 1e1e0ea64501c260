"""Writes the generated files of a city folder: `ceilings.csv` and the store of quantile tables of its defaults.

`python -m sim.demand.build CITY_FOLDER DEMAND_YAML TIMES_YAML`. Ceilings are the highest rates of the given settings in
2022-2026 with room above; changing a ceiling changes every draw of that town and kind, so this is run once per city.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.city.types import City
from sim.config import Group, checked, read_yaml
from sim.demand.calendar import Calendar, build_calendar
from sim.demand.ceilings import preferred_above
from sim.demand.durations import build_durations
from sim.demand.intensity import build_intensity, highest_rates, highest_surge_rates
from sim.demand.kinds import DemandTables, load_demand_tables
from sim.demand.quantiles import QuantileStore, gamma_factor, load_store, write_store
from sim.demand.schemas import CEILINGS
from sim.demand.settings import CalendarSettings, DemandSettings, TimesSettings
from sim.errors import Problems
from sim.tables import write_table

HEADROOM = 2.5
FIRST_DAY, LAST_DAY = "2022-01-01", "2027-01-01"
_EXTRA_FOR_CEILING = 2_000.0
_Settings = TypeVar("_Settings")


def read_settings(path: Path, group: str, schema: type[_Settings]) -> _Settings:
    """Return the settings of one YAML, checked; for files outside a composition.

    Raises
    ------
    InputError
        With everything wrong in the file.
    """
    problems = Problems()
    values = read_yaml(path, problems)
    problems.raise_if_any()
    found = checked(Group(group, f"{schema.__module__}:{schema.__name__}"), values, {"": str(path)}, problems)
    problems.raise_if_any()
    assert isinstance(found, schema)
    return found


def make_ceilings(
    city: City, tables: DemandTables, settings: DemandSettings, calendar: Calendar, headroom: float = HEADROOM
) -> dict[str, list[Any]]:
    """Return the columns of `ceilings.csv`: the preferred number at or above `headroom` x the highest rate.

    A kind that is off by default (rate 0) gets the ceiling of 2,000 a year, so that it can be switched on.
    """
    off = {
        code: _EXTRA_FOR_CEILING for code, share in zip(tables.kinds.code, tables.kinds.share, strict=True) if not share
    }
    extra = {**off, **{code: n for code, n in settings.extra_alarms_per_year.items() if n > 0}}
    full = DemandSettings(**{**vars(settings), "extra_alarms_per_year": extra, "is_surge_on": True})
    intensity = build_intensity(city, tables, full, calendar, QuantileStore())
    columns: dict[str, list[Any]] = {name: [] for name in CEILINGS.names}
    for process, highest in (("ordinary", highest_rates(intensity)), ("surge", highest_surge_rates(intensity))):
        _add_rows(columns, process, city, tables, highest, headroom)
    return columns


def with_ceilings(city: City, tables: DemandTables, settings: DemandSettings, calendar: Calendar) -> DemandTables:
    """Return the tables of a city without `ceilings.csv`, with ceilings above the rates of these settings and days.

    They are preferred numbers with room above, so that a change of rates within `HEADROOM` mostly keeps them; where
    arms of other demand must draw the same incidents whatever their rates, the folder needs ceilings of its own.
    """
    made = make_ceilings(city, tables, settings, calendar)
    keys = zip(made["process"], made["town"], made["kind"], strict=True)
    return replace(tables, ceilings=dict(zip(keys, made["per_day"], strict=True)))


def _add_rows(
    columns: dict[str, list[Any]],
    process: str,
    city: City,
    tables: DemandTables,
    highest: NDArray[np.float64],
    headroom: float,
) -> None:
    source = f"the highest rate of any hour at the defaults in 2022-2026 times {headroom:g}, rounded up (computed)"
    for kind, code in enumerate(tables.kinds.code):
        for town, name in enumerate(city.towns.code):
            if highest[town, kind] > 0:
                row = (process, name, code, preferred_above(headroom * float(highest[town, kind])), source, "assumed")
                for column, value in zip(CEILINGS.names, row, strict=True):
                    columns[column].append(value)


def default_table_names(tables: DemandTables, demand: DemandSettings, times: TimesSettings) -> list[str]:
    """Return the names of the quantile tables that the defaults use."""
    names = list(build_durations(tables.kinds, times, QuantileStore()).names)
    cvs = [demand.city_day_cv, demand.town_day_cv, *(surge.size_cv for surge in demand.surges.values())]
    return sorted({*names, *(gamma_factor(cv) for cv in cvs)})


def main(arguments: list[str]) -> None:
    """Write both files into the city folder."""
    from sim.city import load_city

    folder, demand_path, times_path = (Path(argument) for argument in arguments)
    demand, times = (
        read_settings(demand_path, "demand", DemandSettings),
        read_settings(times_path, "times", TimesSettings),
    )
    city, tables = load_city(folder), load_demand_tables(folder, with_ceilings=False)
    days = CalendarSettings(FIRST_DAY, LAST_DAY, warm_up_days=0, run_out_days=0)
    calendar = build_calendar(days, city.holidays_country, demand.reference_year)
    write_store(folder, default_table_names(tables, demand, times))
    write_table(folder / "ceilings.csv", CEILINGS, make_ceilings(city, tables, demand, calendar))
    print(f"wrote {len(load_store(folder).stored)} quantile tables and ceilings.csv in {folder}")


if __name__ == "__main__":
    main(sys.argv[1:])
