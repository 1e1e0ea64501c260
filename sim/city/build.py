"""Makes `cells.csv` of a city folder from its towns alone: `python -m sim.city.build FOLDER`.

For cities without boundaries. Steps: centres on the plane -> number of cells per town (largest remainders of the areas)
-> outline -> power diagram -> built-up cells and people round the seat -> special sites. Deterministic; the committed
table is compared with a rebuilt one by a test.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.city import diagram, schemas
from sim.city.load import Places, locate, nearest_cell_of_town, read_places
from sim.city.people import largest_remainder, spread_people
from sim.city.types import NO_SITE, Cells
from sim.errors import DgsimError, Problems
from sim.tables import Table, read_table, write_table


def build_cells(folder: Path) -> dict[str, list[Any]]:
    """Return the columns of `cells.csv` made from the folder's towns, plan and sites.

    Raises
    ------
    InputError
        With everything wrong in the folder, or where the towns cannot be laid out: no `build` settings, a built-up
        area larger than the town, a town that falls into pieces.
    """
    problems = Problems()
    places = read_places(folder, problems)
    towns_table = read_table(folder / "towns.csv", schemas.TOWNS, problems) if places else None
    if places is not None and places.settings.build is None:
        problems.add("city.yaml", "has no section build", mend="say outline_spread, density_scale_m and rural_share")
    problems.raise_if_any()
    assert places is not None
    assert towns_table is not None
    x_m, y_m, town = lay_out_towns(places, towns_table)
    _check_layout(places, x_m, y_m, town, problems)
    problems.raise_if_any()
    cells = _populate(places, x_m, y_m, town)
    kind = _site_kinds(places, cells, problems)
    problems.raise_if_any()
    return _columns(places, cells, kind)


def lay_out_towns(places: Places, towns: Table) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return (x_m, y_m, town) of the cells, row by row from the south-west; a town's cells have its area together."""
    assert places.settings.build is not None
    cell_m = places.settings.cell_m
    centres = [places.plane.xy_m(lat, lon) for lat, lon in zip(towns["centre_lat"], towns["centre_lon"], strict=True)]
    centre_x, centre_y = (np.array(values, dtype=np.int64) for values in zip(*centres, strict=True))
    area_m2 = places.towns.area_km2 * 1e6
    n_cells = math.floor(math.fsum(area_m2.tolist()) / cell_m**2 + 0.5)
    n_wanted = largest_remainder(n_cells, area_m2)
    reach_m = 3 * math.isqrt(int(area_m2.max()))
    x_m, y_m = diagram.lattice(centre_x, centre_y, reach_m, cell_m)
    squared = diagram.squared_distances(x_m, y_m, centre_x, centre_y)
    inside = diagram.outline(squared, area_m2, n_cells, places.settings.build.outline_spread.value)
    town = diagram.power_diagram(squared[inside], n_wanted)
    return x_m[inside], y_m[inside], town


def _check_layout(
    places: Places, x_m: NDArray[np.int64], y_m: NDArray[np.int64], town: NDArray[np.int64], problems: Problems
) -> None:
    for t, code in enumerate(places.towns.code):
        own = town == t
        n_built_up = _n_built_up(places, t)
        if n_built_up > int(own.sum()):
            rule = f"has {n_built_up} built-up cells wanted but only {own.sum()} cells"
            problems.add("towns.csv", rule, value=code, mend="look at area_km2 and the plan's built_up_km2")
        n_pieces = diagram.n_pieces(x_m[own], y_m[own], places.settings.cell_m)
        if n_pieces != 1:
            rule, mend = f"falls into {n_pieces} pieces on the lattice", "make cell_m smaller or move its centre"
            problems.add("towns.csv", rule, value=code, mend=mend)


def _n_built_up(places: Places, town: int) -> int:
    """Return how many cells the town's built-up area makes, at least one."""
    cell_km2 = (places.settings.cell_m / 1000.0) ** 2
    return max(1, math.floor(float(places.towns.built_up_km2[town]) / cell_km2 + 0.5))


def _populate(places: Places, x_m: NDArray[np.int64], y_m: NDArray[np.int64], town: NDArray[np.int64]) -> Cells:
    assert places.settings.build is not None
    people = np.zeros(len(town), dtype=np.int32)
    is_built_up = np.zeros(len(town), dtype=np.bool_)
    for t in range(places.towns.n_towns):
        own = np.flatnonzero(town == t)
        squared = (x_m[own] - places.towns.seat_x_m[t]) ** 2 + (y_m[own] - places.towns.seat_y_m[t]) ** 2
        people[own], is_built_up[own] = spread_people(
            int(places.towns.population[t]),
            np.sqrt(squared.astype(np.float64)),
            _n_built_up(places, t),
            places.settings.build.density_scale_m.value,
            places.settings.build.rural_share.value,
        )
    area_m2 = np.full(len(town), places.settings.cell_m**2, dtype=np.int32)
    none = np.full(len(town), NO_SITE, dtype=np.int8)
    return Cells(town.astype(np.int16), x_m.astype(np.int32), y_m.astype(np.int32), area_m2, people, is_built_up, none)


def _site_kinds(places: Places, cells: Cells, problems: Problems) -> list[str | None]:
    """Return each cell's special kind; where several sites share a cell, the first kind of city.yaml."""
    codes = [kind.code for kind in places.settings.site_kinds]
    table = places.tables["sites.csv"]
    best = [len(codes)] * cells.n_cells
    for i, cell in enumerate(locate(table, places, cells, problems)):
        if cell == NO_SITE:
            t = places.towns.code.index(table["town"][i])
            cell, _ = nearest_cell_of_town(cells, t, int(places.towns.seat_x_m[t]), int(places.towns.seat_y_m[t]))
        best[cell] = min(best[cell], codes.index(table["site_kind"][i]))
    return [None if b == len(codes) else codes[b] for b in best]


def _columns(places: Places, cells: Cells, kind: list[str | None]) -> dict[str, list[Any]]:
    return {
        "cell_id": list(range(cells.n_cells)),
        "town": [places.towns.code[t] for t in cells.town],
        "x_m": cells.x_m.tolist(),
        "y_m": cells.y_m.tolist(),
        "area_m2": cells.area_m2.tolist(),
        "is_built_up": cells.is_built_up.tolist(),
        "population": cells.population.tolist(),
        "site_kind": kind,
    }


def main(argv: list[str]) -> int:
    """Write `cells.csv` into the folder named on the command line; return the exit code."""
    if len(argv) != 1:
        print("usage: python -m sim.city.build CITY_FOLDER", file=sys.stderr)
        return 2
    folder = Path(argv[0])
    try:
        columns = build_cells(folder)
        write_table(folder / "cells.csv", schemas.CELLS, columns)
    except DgsimError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{folder / 'cells.csv'}: {len(columns['cell_id'])} cells")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
