"""Which sites a schedule builds in which year: as the plan's table says, or as many a year where demand is largest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems, nearest_name
from sim.fleet.parts import Fleet
from sim.fleet.settings import ScheduleSettings


@dataclass(frozen=True, slots=True)
class Build:
    """One station to open: the year it opens in, its town, its number in the town (from 1) and its row."""

    year: int
    town: int
    site: int
    station: int


def planned_builds(
    fleet: Fleet, schedule: ScheduleSettings, town_weight: NDArray[np.float64], problems: Problems
) -> list[Build]:
    """Return the stations that a schedule takes from the plan's building table, in no particular order.

    `town_weight`: (n_towns,) expected incidents, for the allocation by demand only.
    """
    if not schedule.is_plan_built:
        return []
    stations = fleet.stations
    first = np.searchsorted(stations.town, stations.town)
    site = np.arange(stations.n_stations) - first + 1
    planned = np.flatnonzero(stations.planned_year > 0)
    years = sorted({int(year) for year in stations.planned_year[planned]})
    opens_in = _opening_years(schedule, years, problems)
    if schedule.allocation == "by_demand":
        n_per_year = [(year, int(np.sum(stations.planned_year[planned] == year))) for year in years]
        chosen = by_demand(stations.town, stations.is_existing, n_per_year, town_weight)
    else:
        chosen = [(int(stations.planned_year[station]), int(station)) for station in planned]
    return [Build(opens_in[year], int(stations.town[at]), int(site[at]), at) for year, at in chosen]


def _opening_years(schedule: ScheduleSettings, years: list[int], problems: Problems) -> dict[int, int]:
    """Return the year in which each year of the plan's table opens."""
    given = schedule.plan_year_opens_in
    for year in given:
        if year not in years:
            rule = "(plan_year_opens_in) is no year of the plan's building table"
            problems.add(f"schedule {schedule.name}", rule, value=year, mend=nearest_name(str(year), map(str, years)))
    return {year: given.get(year, year) for year in years}


def by_demand(
    town: NDArray[np.int16],
    is_existing: NDArray[np.bool_],
    n_per_year: list[tuple[int, int]],
    weight: NDArray[np.float64],
) -> list[tuple[int, int]]:
    """Return (year, station): each next station goes to the town with the most expected incidents per station.

    The station to be built counts among the town's (Jefferson's method of apportionment); ties go to the first town.
    A town without a free site is passed over; with no site left anywhere, fewer are built.
    """
    n_sites = np.bincount(town, minlength=len(weight))
    n_built = np.bincount(town[is_existing], minlength=len(weight))
    first = np.searchsorted(town, np.arange(len(weight)))
    found: list[tuple[int, int]] = []
    for year, n in n_per_year:
        for _ in range(n):
            has_site = n_built < n_sites
            if not has_site.any():
                return found
            best = int(np.argmax(np.where(has_site, weight / (n_built + 1), -1.0)))
            found.append((year, int(first[best] + n_built[best])))
            n_built[best] += 1
    return found
