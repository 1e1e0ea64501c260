"""Reads a city folder into a checked `City`, reporting everything wrong with it at once.

Steps: settings -> tables, or stated places (`stated.py`) -> references between them -> towns and cells -> borders,
bridges, sites, rail -> the grid. Must not know how cells were made (`build.py`) nor what anyone does with them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.city import borders, schemas
from sim.city.forms import check_forms, is_stated
from sim.city.people import TownPeople, read_people
from sim.city.schemas import CitySettings
from sim.city.settings import plane_of, read_settings
from sim.city.stated import read_ground
from sim.city.types import NO_SITE, Cells, City, Plane, RailStations, Sites, Towns
from sim.errors import Problems
from sim.tables import Table, TableSpec, check_references, read_table

_SIDE = (schemas.ADJACENCY, schemas.BRIDGES, schemas.SITES, schemas.RAIL)
_FARTHEST_SEAT_CELLS = 10
"""A seat lies inside the grid or at most so many cells outside it."""
_FARTHEST_SITE_M = 10_000
"""A point given for a town lies at most so far from the town's nearest cell, or the coordinates are wrong."""


@dataclass(frozen=True, slots=True)
class Places:
    """The folder's checked settings and tables other than cells; `people` as in the plan."""

    settings: CitySettings
    plane: Plane
    towns: Towns
    people: TownPeople
    tables: dict[str, Table]


def load_city(folder: Path) -> City:
    """Return the city described by the tables of `folder`.

    Raises
    ------
    InputError
        With all problems found: files, values, unknown towns, populations that do not sum to the plan's, towns without
        cells, two cells at one place, a seat or site outside its town's plane, bridges between towns that do not touch.
    """
    problems = Problems()
    places, cells = (_stated if is_stated(folder) else _derived)(folder, problems)
    kinds = tuple(kind.code for kind in places.settings.site_kinds)
    grid, x0_m, y0_m = nearest_cell_grid(cells.x_m, cells.y_m, places.settings.cell_m)
    _check_seats(places.towns, grid, x0_m, y0_m, places.settings.cell_m, problems)
    pairs = _pairs(places.tables["adjacency.csv"], places.towns)
    water = _pairs(places.tables["bridges.csv"], places.towns)
    bridges = borders.place_bridges(places.tables["bridges.csv"], water, places.plane, cells, places.settings.cell_m)
    sites = _sites(places.tables["sites.csv"], places, cells, kinds, problems)
    rail = _rail(places.tables["rail.csv"], places, cells, problems)
    problems.raise_if_any()
    settings = places.settings
    return City(
        id=settings.id,
        name_zh=settings.name_zh,
        name_en=settings.name_en,
        plane=places.plane,
        towns=places.towns,
        cells=cells,
        grid=grid,
        grid_x0_m=x0_m,
        grid_y0_m=y0_m,
        cell_m=settings.cell_m,
        site_kinds=kinds,
        site_people=np.array([kind.siting_people for kind in settings.site_kinds], dtype=np.int64),
        sites=sites,
        rail_stations=rail,
        adjacent_pairs=_unique_pairs(pairs),
        water_pairs=_unique_pairs(water),
        bridges=bridges,
        epoch=np.datetime64(settings.epoch, "D"),
        utc_offset_h=settings.utc_offset_h,
        holidays_country=settings.holidays_country,
        population_year=settings.population_year,
    )


def _derived(folder: Path, problems: Problems) -> tuple[Places, Cells]:
    """Return the places and cells of a folder with a plan; raise everything wrong with them."""
    places = read_places(folder, problems)
    table = read_table(folder / "cells.csv", schemas.CELLS, problems)
    if places is None:
        towns = read_table(folder / "towns.csv", schemas.TOWNS, Problems())
        check_references(table, "town", towns.names("code"), "towns.csv", problems)
    problems.raise_if_any()
    assert places is not None
    if not places.settings.cell_m:
        problems.add("city.yaml", "(cell_m) is missing", mend="say the side of a cell, m")
    kinds = tuple(kind.code for kind in places.settings.site_kinds)
    cells = _cells(table, places, kinds, problems)
    problems.raise_if_any()
    return places, cells


def _stated(folder: Path, problems: Problems) -> tuple[Places, Cells]:
    """Return the places and cells of a folder that states them; raise everything wrong with them."""
    check_forms(folder, problems)
    settings = read_settings(folder, problems)
    plane = None if settings is None else plane_of(settings)
    ground = None if settings is None or plane is None else read_ground(folder, settings, plane, problems)
    tables = {f"{s.name}.csv": _read_if_there(folder / f"{s.name}.csv", s, problems, is_needed=False) for s in _SIDE}
    kinds = None if settings is None else [kind.code for kind in settings.site_kinds]
    _check_side_tables(tables, None if ground is None else ground.towns.code, kinds, problems)
    problems.raise_if_any()
    assert ground is not None
    assert plane is not None
    return Places(ground.settings, plane, ground.towns, ground.people, tables), ground.cells


def read_places(folder: Path, problems: Problems) -> Places | None:
    """Return the folder's settings, towns and side tables, or None when there is nothing to go on with."""
    settings = read_settings(folder, problems)
    towns_table = read_table(folder / "towns.csv", schemas.TOWNS, problems)
    tables = {f"{s.name}.csv": _read_if_there(folder / f"{s.name}.csv", s, problems) for s in _SIDE}
    codes = towns_table.names("code")
    if towns_table.is_whole:
        _check_ids(towns_table, "town_id", problems)
    _check_side_tables(tables, codes, None if settings is None else [k.code for k in settings.site_kinds], problems)
    people = read_people(folder, towns_table, problems)
    if problems.found or settings is None or people is None:
        return None
    plane = plane_of(settings)
    return Places(settings, plane, _towns(towns_table, plane, people), people, tables)


def _read_if_there(path: Path, spec: TableSpec, problems: Problems, *, is_needed: bool = True) -> Table:
    """Return the table, or one without rows when a table that may be empty, or is not needed, is left out."""
    if (spec.may_be_empty or not is_needed) and not path.exists():
        columns = {column.name: np.empty(0, dtype=object) for column in spec.columns}
        return Table(path.name, spec, columns, np.empty(0, dtype=np.int64))
    return read_table(path, spec, problems)


def _check_ids(table: Table, column: str, problems: Problems) -> None:
    for i, value in enumerate(table[column]):
        if value != i:
            problems.add(
                table.where,
                f"({column}) must count the rows from 0",
                value=int(value),
                row=table.row_number(i),
                mend=f"write {i}",
            )
            return


def _check_side_tables(
    tables: dict[str, Table], codes: tuple[str, ...] | None, kinds: list[str] | None, problems: Problems
) -> None:
    for name, columns in {
        "adjacency.csv": ("town_a", "town_b"),
        "bridges.csv": ("town_a", "town_b"),
        "sites.csv": ("town",),
        "rail.csv": ("town",),
    }.items():
        for column in columns:
            check_references(tables[name], column, codes, "towns.csv", problems)
    check_references(tables["sites.csv"], "site_kind", kinds, "city.yaml (site_kinds)", problems)
    adjacency, bridges = tables["adjacency.csv"], tables["bridges.csv"]
    borders.check_pairs(adjacency, problems)
    if adjacency.is_whole and bridges.is_whole:
        borders.check_bridges(bridges, adjacency, problems)


def _towns(table: Table, plane: Plane, people: TownPeople) -> Towns:
    seats = [plane.xy_m(lat, lon) for lat, lon in zip(table["seat_lat"], table["seat_lon"], strict=True)]
    return Towns(
        code=tuple(table["code"]),
        name_zh=tuple(table["name_zh"]),
        name_en=tuple(table["name_en"]),
        seat_x_m=np.array([x for x, _ in seats], dtype=np.int32),
        seat_y_m=np.array([y for _, y in seats], dtype=np.int32),
        area_km2=table["area_km2"].astype(np.float64),
        population=people.population,
        built_up_km2=people.built_up_km2,
    )


def _cells(table: Table, places: Places, kinds: tuple[str, ...], problems: Problems) -> Cells:
    """Return the cells after checking them against towns, kinds and the plan's populations."""
    codes = places.towns.code
    check_references(table, "town", codes, "towns.csv", problems)
    check_references(table, "site_kind", kinds, "city.yaml (site_kinds)", problems)
    _check_ids(table, "cell_id", problems)
    problems.raise_if_any()
    town = np.array([codes.index(code) for code in table["town"]], dtype=np.int16)
    sums = np.zeros(len(codes), dtype=np.int64)
    np.add.at(sums, town, table["population"].astype(np.int64))
    for t, code in enumerate(codes):
        if not np.any(town == t):
            problems.add("cells.csv", "is a town without cells", value=code, mend="give it at least one cell")
        elif sums[t] != places.towns.population[t]:
            problems.add(
                "cells.csv",
                f"has {sums[t]} residents in its cells, the plan says {places.towns.population[t]}",
                value=code,
                mend="run `python -m sim.city.build` on the folder, or mend the column population",
            )
    return Cells(
        town=town,
        x_m=table["x_m"].astype(np.int32),
        y_m=table["y_m"].astype(np.int32),
        area_m2=table["area_m2"].astype(np.int32),
        population=table["population"].astype(np.int32),
        is_built_up=table["is_built_up"].astype(np.bool_),
        site_kind=np.array([NO_SITE if k is None else kinds.index(k) for k in table["site_kind"]], dtype=np.int8),
    )


def _pairs(table: Table, towns: Towns) -> NDArray[np.int16]:
    """Return (n_rows, 2) int16 town_ids of the table's rows, the lower first."""
    ids = [
        sorted((towns.code.index(a), towns.code.index(b)))
        for a, b in zip(table["town_a"], table["town_b"], strict=True)
    ]
    return np.array(ids, dtype=np.int16).reshape(-1, 2)


def _unique_pairs(pairs: NDArray[np.int16]) -> NDArray[np.int16]:
    return np.array(sorted(set(map(tuple, pairs.tolist()))), dtype=np.int16).reshape(-1, 2)


def _check_seats(towns: Towns, grid: NDArray[np.int32], x0_m: int, y0_m: int, cell_m: int, problems: Problems) -> None:
    """Add a problem for each seat far outside the rectangle of the cells, as swapped coordinates would put it."""
    margin = _FARTHEST_SEAT_CELLS * cell_m
    n_rows, n_columns = grid.shape
    for t, code in enumerate(towns.code):
        dx, dy = int(towns.seat_x_m[t]) - x0_m, int(towns.seat_y_m[t]) - y0_m
        if not (-margin <= dx <= n_columns * cell_m + margin and -margin <= dy <= n_rows * cell_m + margin):
            problems.add(
                "towns.csv",
                f"has its seat at x {dx + x0_m} m, y {dy + y0_m} m, far outside the cells",
                value=code,
                mend="look whether seat_lat and seat_lon are swapped, or lat0 and lon0 of city.yaml wrong",
            )


def nearest_cell_of_town(cells: Cells, town: int, x_m: int, y_m: int) -> tuple[int, int]:
    """Return (cell_id, distance in whole m) of the town's cell nearest to a point; ties go to the lowest id."""
    ids = np.flatnonzero(cells.town == town)
    squares = (cells.x_m[ids].astype(np.int64) - x_m) ** 2 + (cells.y_m[ids].astype(np.int64) - y_m) ** 2
    best = int(np.argmin(squares))
    return int(ids[best]), int(np.sqrt(squares[best]))


def locate(table: Table, places: Places, cells: Cells, problems: Problems) -> list[int]:
    """Return for each row the nearest cell of its town, or `NO_SITE` where it gives no point."""
    found: list[int] = []
    for i, (lat, lon) in enumerate(zip(table["lat"], table["lon"], strict=True)):
        if np.isnan(lat) != np.isnan(lon):
            problems.add(
                table.where, "gives only one of lat and lon", row=table.row_number(i), mend="give both or none"
            )
        if np.isnan(lat) or np.isnan(lon):
            found.append(NO_SITE)
            continue
        town = places.towns.code.index(table["town"][i])
        cell, dist_m = nearest_cell_of_town(cells, town, *places.plane.xy_m(float(lat), float(lon)))
        if dist_m > _FARTHEST_SITE_M:
            rule = f"({lat}, {lon}) lies {dist_m / 1000:.0f} km from the nearest cell of {table['town'][i]}"
            mend = "look whether lat and lon are swapped, or the town is wrong"
            problems.add(table.where, rule, value=table["name_zh"][i], row=table.row_number(i), mend=mend)
        found.append(cell)
    return found


def _sites(table: Table, places: Places, cells: Cells, kinds: tuple[str, ...], problems: Problems) -> Sites:
    """Return the special sites; one without a point stands at its town's seat."""
    town = np.array([places.towns.code.index(code) for code in table["town"]], dtype=np.int16)
    located = locate(table, places, cells, problems)
    seats = zip(places.towns.seat_x_m[town], places.towns.seat_y_m[town], strict=True)
    cell = [
        nearest_cell_of_town(cells, t, int(x), int(y))[0] if c == NO_SITE else c
        for c, t, (x, y) in zip(located, town.tolist(), seats, strict=True)
    ]
    return Sites(
        name_zh=tuple(table["name_zh"]),
        name_en=tuple(table["name_en"]),
        kind=np.array([kinds.index(code) for code in table["site_kind"]], dtype=np.int8),
        town=town,
        cell=np.array(cell, dtype=np.int32),
        standing=tuple(table["standing"]),
    )


def _rail(table: Table, places: Places, cells: Cells, problems: Problems) -> RailStations:
    return RailStations(
        line=tuple(table["line"]),
        order=table["order"].astype(np.int16),
        name_zh=tuple(table["name_zh"]),
        name_en=tuple(table["name_en"]),
        mode=tuple(table["mode"]),
        town=np.array([places.towns.code.index(code) for code in table["town"]], dtype=np.int16),
        cell=np.array(locate(table, places, cells, problems), dtype=np.int32),
        opens=np.array(_days(table["opens"]), dtype="datetime64[D]"),
    )


def _days(values: Iterable[object]) -> list[np.datetime64]:
    return [np.datetime64("NaT") if value is None else np.datetime64(str(value), "D") for value in values]


def cells_without_square(n_cells: int, grid: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the cells that are nearest to the middle of no square of the grid: (n,) int64, ascending."""
    return np.flatnonzero(np.bincount(grid.reshape(-1), minlength=n_cells) == 0)


def nearest_cell_grid(
    x_m: NDArray[np.int32], y_m: NDArray[np.int32], cell_m: int
) -> tuple[NDArray[np.int32], int, int]:
    """Return (grid, x0_m, y0_m): the nearest cell of each square of side `cell_m` over the rectangle of all cells.

    `grid` is (ny, nx) int32; ties go to the lowest cell_id.
    """
    x0_m, y0_m = int(x_m.min()) - cell_m // 2, int(y_m.min()) - cell_m // 2
    n_columns = (int(x_m.max()) - x0_m) // cell_m + 1
    n_rows = (int(y_m.max()) - y0_m) // cell_m + 1
    grid = np.empty((n_rows, n_columns), dtype=np.int32)
    mid_x = x0_m + cell_m // 2 + cell_m * np.arange(n_columns, dtype=np.int64)
    dx2 = (mid_x[:, None] - x_m.astype(np.int64)) ** 2
    for row in range(n_rows):
        mid_y = y0_m + cell_m // 2 + cell_m * row
        grid[row] = np.argmin(dx2 + (mid_y - y_m.astype(np.int64)) ** 2, axis=1)
    return grid, x0_m, y0_m
