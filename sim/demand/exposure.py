"""Where incidents fall: each kind is spread over the cells by a few drivers, such as residents or built-up land.

A cell's weight for a kind is the sum over the kind's drivers of (share of the driver) x (the cell's part of the
driver's citywide total). Drivers of one kind make one *place pattern*; kinds with equal drivers share it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.city.types import City
from sim.demand.kinds import RANK_WHOLE, DemandTables
from sim.demand.schemas import PER_MILLE
from sim.errors import Problems, nearest_name

_PLAIN_DRIVERS = ("population", "built_up", "open_land", "area")


@dataclass(frozen=True, slots=True)
class Places:
    """Place patterns and the cells of each town.

    `pattern`: (n_kinds,) int16. `cell_start`: (n_towns + 1,) int32, rows of `cell` and `threshold` by town. `cell`:
    (n_cells,) int32 cell_ids grouped by town. `threshold`: (n_patterns, n_cells) int64, cumulative within each town, in
    ranks: the first cell of the town whose threshold is above the rank is taken. `town_share`: (n_patterns, n_towns)
    float64, each row sums to one.
    """

    pattern: NDArray[np.int16]
    cell_start: NDArray[np.int32]
    cell: NDArray[np.int32]
    threshold: NDArray[np.int64]
    town_share: NDArray[np.float64]


def driver_weights(city: City, driver: str) -> NDArray[np.int64] | None:
    """Return (n_cells,) int64 weights of a driver, None for an unknown one.

    `population` counts residents, `built_up` and `open_land` square metres of built-up and other cells, `area` all
    square metres, `site:KIND` special sites of that kind, `rail:MODE` railway stations of that mode.
    """
    cells = city.cells
    area = cells.area_m2.astype(np.int64)
    plain = {
        "population": cells.population.astype(np.int64),
        "built_up": np.where(cells.is_built_up, area, 0),
        "open_land": np.where(cells.is_built_up, 0, area),
        "area": area,
    }
    if driver in plain:
        return plain[driver]
    family, _, name = driver.partition(":")
    counts = np.zeros(cells.n_cells, dtype=np.int64)
    if family == "site" and name in city.site_kinds:
        np.add.at(counts, city.sites.cell[city.sites.kind == city.site_kinds.index(name)], 1)
        return counts
    if family == "rail" and name in city.rail_stations.mode:
        on_mode = np.array([mode == name for mode in city.rail_stations.mode]) & (city.rail_stations.cell >= 0)
        np.add.at(counts, city.rail_stations.cell[on_mode], 1)
        return counts
    return None


def build_places(city: City, tables: DemandTables) -> Places:
    """Return the place patterns of all kinds.

    Raises
    ------
    InputError
        For each driver that the city does not have, or of which its cells hold nothing.
    """
    known = [*_PLAIN_DRIVERS, *(f"site:{kind}" for kind in city.site_kinds)]
    known += [f"rail:{mode}" for mode in sorted(set(city.rail_stations.mode))]
    problems = Problems()
    weights: dict[str, NDArray[np.int64]] = {}
    for code, drivers in zip(tables.kinds.code, tables.exposure, strict=True):
        for driver, _ in drivers:
            found = driver_weights(city, driver)
            if found is None:
                rule = f"(driver) of kind {code!r} is not one of this city"
                problems.add("exposure.csv", rule, value=driver, mend=nearest_name(driver, known))
            elif not found.any():
                problems.add("exposure.csv", f"(driver) of kind {code!r} has no weight in any cell", value=driver)
            else:
                weights[driver] = found
    problems.raise_if_any()
    patterns = sorted(set(tables.exposure))
    order = np.argsort(city.cells.town, kind="stable").astype(np.int32)
    start = np.searchsorted(city.cells.town[order], np.arange(city.towns.n_towns + 1)).astype(np.int32)
    spread = [_cell_weights(weights, drivers)[order] for drivers in patterns]
    made = [_by_town(pattern, start) for pattern in spread]
    return Places(
        pattern=np.array([patterns.index(drivers) for drivers in tables.exposure], dtype=np.int16),
        cell_start=start,
        cell=order,
        threshold=np.stack([threshold for threshold, _ in made]),
        town_share=np.stack([share for _, share in made]),
    )


def _cell_weights(weights: dict[str, NDArray[np.int64]], drivers: tuple[tuple[str, int], ...]) -> NDArray[np.float64]:
    """Return the cells' weights of one pattern; they sum to one up to rounding."""
    total = np.zeros(len(next(iter(weights.values()))))
    for driver, share in drivers:
        total += weights[driver] * (share / PER_MILLE / float(weights[driver].sum()))
    return total


def _by_town(weight: NDArray[np.float64], start: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the thresholds within each town and the towns' shares (sums in the order of cells, so always the same)."""
    threshold = np.zeros(len(weight), dtype=np.int64)
    n_towns = len(start) - 1
    share = np.zeros(n_towns)
    for town in range(n_towns):
        rows = slice(int(start[town]), int(start[town + 1]))
        running = np.cumsum(weight[rows])
        if len(running) and running[-1] > 0:
            share[town] = running[-1]
            threshold[rows] = np.floor(running / running[-1] * RANK_WHOLE).astype(np.int64)
    return threshold, share / np.cumsum(share)[-1]
