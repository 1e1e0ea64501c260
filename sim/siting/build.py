"""Makes the siting worlds of a city folder: `python -m sim.siting.build CITY_FOLDER TRAVEL_WORLD.yaml`.

Reads how each world is to be made from `siting/worlds.csv` and writes `siting/<world>.csv`. Steps per world: weight of
each cell (residents plus what its special sites count for, times a drawn factor) -> cells of each town in which a plot
can be had (drawn) -> the stations that stand, town by town: the first at the town seat, the others by the criterion,
greedy and then swapped -> the new ones in the order in which the plan builds, each where the criterion is best given
all that stands in the city by then -> the spare ones, beyond the plan, in the same way after all of them, so that they
move none. A random world draws standing and new sites alike, and calls the standing one nearest to the seat its first.
Draws are keyed (`sim.chance`), so a world never depends on the others.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.chance import Stream, rank
from sim.city import City, load_city
from sim.errors import DgsimError, Problems
from sim.plan import Plan, load_plan
from sim.siting import schemas
from sim.siting.choose import Criterion, Demand, add_sites, best_sites
from sim.siting.load import SitingWorld, siting_worlds
from sim.tables import write_table

_WEIGHT_SLOT, _LAND_SLOT, _CHOICE_SLOT = 0, 1, 2
_CRITERIA = {"p_median": Criterion.P_MEDIAN, "p_centre": Criterion.P_CENTRE}


@dataclass(frozen=True, slots=True)
class Need:
    """How many sites each town has and gets, in the city's order of towns.

    `n_standing`: (n_towns,) int64. `order`: (n_new,) town_ids in citywide order of building, the spare ones last.
    """

    n_standing: NDArray[np.int64]
    order: tuple[int, ...]
    n_spare_per_town: int = 0

    def n_sites(self, town: int) -> int:
        """Return how many sites the town has in the end, the spare ones too."""
        return int(self.n_standing[town]) + self.order.count(town)

    def n_planned(self, town: int) -> int:
        """Return how many sites the town has when the plan is complete."""
        return self.n_sites(town) - self.n_spare_per_town


def needs(city: City, plan: Plan, n_spare_per_town: int = 0) -> Need:
    """Return the plan's stations year by year, and within a year town by town until each has its builds of that year.

    After them come `n_spare_per_town` turns in which every town gets one more.
    """
    row = [plan.code.index(code) for code in city.towns.code]
    order: list[int] = []
    for year in range(len(plan.years)):
        builds = plan.builds[row, year]
        for turn in range(int(builds.max(initial=0))):
            order.extend(t for t in range(city.towns.n_towns) if builds[t] > turn)
    order.extend(list(range(city.towns.n_towns)) * n_spare_per_town)
    return Need(plan.stations_now[row].astype(np.int64), tuple(order), n_spare_per_town)


def cell_weights(city: City, seed: int, range_percent: int) -> NDArray[np.int64]:
    """Return (n_cells,) int64 weights: residents plus the sites' share, in hundredths, times the drawn factor."""
    people = city.cells.population.astype(np.int64)
    np.add.at(people, city.sites.cell, city.site_people[city.sites.kind])
    if range_percent == 0:
        return people * 100
    ranks = _ranks(seed, city.cells.n_cells, _WEIGHT_SLOT)
    factor = 100 - range_percent + ((ranks * np.uint64(2 * range_percent + 1)) >> np.uint64(32)).astype(np.int64)
    return people * factor


def _ranks(seed: int, n_cells: int, slot: int) -> NDArray[np.uint64]:
    return np.array([rank(seed, 0, int(Stream.SITING), cell, slot) for cell in range(n_cells)], dtype=np.uint64)


def cells_with_land(city: City, town: int, n_needed: int, ranks: NDArray[np.uint64], percent: int) -> NDArray[np.int64]:
    """Return the town's built-up cells in which a plot can be had, ascending: the drawn share, at least `n_needed`."""
    built_up = np.flatnonzero((city.cells.town == town) & city.cells.is_built_up)
    n_kept = max(n_needed, -(-len(built_up) * percent // 100))
    return np.sort(built_up[np.argsort(ranks[built_up], kind="stable")[:n_kept]])


def seat_cell(city: City, town: int) -> int:
    """Return the built-up cell of the town nearest to its seat."""
    return int(_by_distance_to_seat(city, town, np.flatnonzero((city.cells.town == town) & city.cells.is_built_up))[0])


def _by_distance_to_seat(city: City, town: int, cells: NDArray[np.int64]) -> NDArray[np.int64]:
    dx = city.cells.x_m[cells].astype(np.int64) - int(city.towns.seat_x_m[town])
    dy = city.cells.y_m[cells].astype(np.int64) - int(city.towns.seat_y_m[town])
    return cells[np.argsort(dx * dx + dy * dy, kind="stable")]


def choose_world(
    city: City, need: Need, duration_ms: NDArray[np.int32], world: SitingWorld
) -> tuple[list[list[int]], list[int]]:
    """Return (sites, new): each town's cells in order of k, and the new sites' cells in citywide order of building.

    `duration_ms`: (n_cells, n_cells) int32, row = from. Depends on nothing but its arguments.
    """
    land_ranks = _ranks(world.seed, city.cells.n_cells, _LAND_SLOT)
    towns = range(city.towns.n_towns)
    land = [cells_with_land(city, t, need.n_planned(t), land_ranks, world.land_percent) for t in towns]
    spare_land = [cells_with_land(city, t, need.n_sites(t), land_ranks, world.land_percent) for t in towns]
    if world.method == "random":
        return _random_sites(city, need, land, spare_land, _ranks(world.seed, city.cells.n_cells, _CHOICE_SLOT))
    criterion = _CRITERIA[world.method]
    weight = cell_weights(city, world.seed, world.weight_range_percent)
    sites = [_standing_sites(city, t, need, land[t], duration_ms, weight, criterion) for t in towns]
    new = _new_sites(city, need, land, spare_land, duration_ms, weight, criterion, sites)
    return sites, new


def _random_sites(
    city: City,
    need: Need,
    land: list[NDArray[np.int64]],
    spare_land: list[NDArray[np.int64]],
    ranks: NDArray[np.uint64],
) -> tuple[list[list[int]], list[int]]:
    """Return (sites, new) as `choose_world` does: the lowest ranks of each town, standing ones before new ones."""
    sites: list[list[int]] = []
    for t, cells in enumerate(land):
        planned = cells[np.argsort(ranks[cells], kind="stable")[: need.n_planned(t)]]
        rest = spare_land[t][~np.isin(spare_land[t], planned)]
        spare = rest[np.argsort(ranks[rest], kind="stable")[: need.n_spare_per_town]]
        drawn = np.concatenate([planned, spare])
        n_standing = int(need.n_standing[t])
        first = _by_distance_to_seat(city, t, np.sort(drawn[:n_standing]))[:1].tolist()
        sites.append(first + [cell for cell in drawn.tolist() if cell not in first])
    waiting = [iter(own[int(need.n_standing[t]) :]) for t, own in enumerate(sites)]
    return sites, [next(waiting[t]) for t in need.order]


def _standing_sites(
    city: City,
    town: int,
    need: Need,
    land: NDArray[np.int64],
    duration_ms: NDArray[np.int32],
    weight: NDArray[np.int64],
    criterion: Criterion,
) -> list[int]:
    """Return the cells of the town's standing stations: each town was served from within, its seat first."""
    n_standing = int(need.n_standing[town])
    if n_standing == 0:
        return []
    seat = seat_cell(city, town)
    candidates = np.concatenate([[seat], land[land != seat]])
    own = np.flatnonzero(city.cells.town == town)
    demand = Demand(weight[own], city.cells.is_built_up[own])
    chosen = best_sites(criterion, duration_ms[np.ix_(candidates, own)], demand, [0], n_standing)
    return [int(candidates[i]) for i in chosen]


def _new_sites(
    city: City,
    need: Need,
    land: list[NDArray[np.int64]],
    spare_land: list[NDArray[np.int64]],
    duration_ms: NDArray[np.int32],
    weight: NDArray[np.int64],
    criterion: Criterion,
    sites: list[list[int]],
) -> list[int]:
    """Return the new sites' cells in order of building, adding each to its town in `sites`."""
    nearest = duration_ms[[cell for own in sites for cell in own]].min(axis=0)
    new: list[int] = []
    for t in need.order:
        cells = land[t] if len(sites[t]) < need.n_planned(t) else spare_land[t]
        candidates = cells[~np.isin(cells, sites[t])]
        demand = Demand(weight, (city.cells.town == t) & city.cells.is_built_up)
        best = add_sites(criterion, duration_ms[candidates], demand, [], 1, nearest)[0]
        cell = int(candidates[best])
        nearest = np.minimum(nearest, duration_ms[cell])
        sites[t].append(cell)
        new.append(cell)
    return new


def world_columns(city: City, need: Need, duration_ms: NDArray[np.int32], world: SitingWorld) -> dict[str, list[Any]]:
    """Return the columns of `siting/<world>.csv`, ordered by town and k."""
    sites, new = choose_world(city, need, duration_ms, world)
    position = {cell: need.n_standing.sum() + i for i, cell in enumerate(new)}
    rows = [(t, k, cell) for t, own in enumerate(sites) for k, cell in enumerate(own, start=1)]
    standing = iter(range(int(need.n_standing.sum())))
    return {
        "world": [world.world] * len(rows),
        "method": [world.method] * len(rows),
        "town": [city.towns.code[t] for t, _, _ in rows],
        "k": [k for _, k, _ in rows],
        "cell": [cell for _, _, cell in rows],
        "x_m": city.cells.x_m[[cell for _, _, cell in rows]].tolist(),
        "y_m": city.cells.y_m[[cell for _, _, cell in rows]].tolist(),
        "is_existing": [k <= need.n_standing[t] for t, k, _ in rows],
        "order_in_city": [int(position[cell]) if cell in position else next(standing) for _, _, cell in rows],
    }


def check_needs(city: City, need: Need, problems: Problems) -> None:
    """Add a problem for each town that has fewer built-up cells than sites."""
    for t, code in enumerate(city.towns.code):
        n_cells = int(((city.cells.town == t) & city.cells.is_built_up).sum())
        if n_cells < need.n_sites(t):
            rule = f"has {n_cells} built-up cells for {need.n_sites(t)} sites"
            problems.add("cells.csv", rule, value=code, mend="make the cells smaller (cell_m)")


def _distance_name(travel_world: str, period: str) -> str:
    """Return what `worlds.csv` calls the driving times of a travel world in a period."""
    return f"{travel_world} {period.lower()}"


def build_worlds(folder: Path, travel_world: Path, cache_dir: Path) -> dict[str, dict[str, list[Any]]]:
    """Return the columns of each world's table by the world's name.

    Raises
    ------
    InputError
        With everything wrong in the folder, or a distance in `worlds.csv` that is not one of the travel world's.
    """
    from sim.travel import travel_of
    from sim.travel.settings import Period, load_travel_world

    city, plan, worlds = load_city(folder), load_plan(folder), siting_worlds(folder)
    settings = load_travel_world(travel_world).settings
    names = {_distance_name(settings.name, period.name): period for period in Period}
    problems = Problems()
    for world in worlds:
        check_needs(city, needs(city, plan, world.n_spare_per_town), problems)
        if world.method != "random" and world.distance not in names:
            rule = f"(distance) must be one of {', '.join(names)}"
            problems.add("siting/worlds.csv", rule, value=world.distance, mend="give the travel world it was made with")
    problems.raise_if_any()
    tables = travel_of(city, settings, folder, cache_dir)
    columns = {}
    for world in worlds:
        duration_ms = tables.duration_ms[names.get(world.distance, Period.DAY)]
        columns[world.world] = world_columns(city, needs(city, plan, world.n_spare_per_town), duration_ms, world)
    return columns


def main(argv: list[str]) -> int:
    """Write the siting worlds of the folder named on the command line; return the exit code."""
    if len(argv) != 2:
        print("usage: python -m sim.siting.build CITY_FOLDER TRAVEL_WORLD.yaml", file=sys.stderr)
        return 2
    folder = Path(argv[0])
    try:
        worlds = build_worlds(folder, Path(argv[1]), Path("outputs") / ".cache" / "travel")
        for name, columns in worlds.items():
            write_table(folder / "siting" / f"{name}.csv", schemas.SITES, columns)
    except DgsimError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{folder / 'siting'}: {len(worlds)} worlds")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
