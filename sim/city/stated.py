"""Towns and cells of a folder that states its places: `cells.csv`, `areas.csv` or `areas.geojson`, without a plan.

- `cells.csv`: every cell with its place and residents; `areas.csv` may name the areas that they belong to.
- `areas.csv` alone: centres, areas and residents. The city is laid out on a lattice as `sim.city.build` does for a city
  without boundaries (outline, then power diagram), schematic like it.
- `areas.geojson`: polygons. The lattice squares whose middles lie in a polygon are its cells (`polygons.py`).

Where an area gives its residents as a whole, they spread evenly over its cells, or over the built-up ones nearest to
its centre where it says how much is built up. `cell_m` of `city.yaml` is the side of a cell; left out, it is the
smallest of `SIDES_M` that makes no more than `MOST_CELLS` cells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.city import diagram
from sim.city.forms import AREAS, CELLS, POLYGONS
from sim.city.people import TownPeople, largest_remainder
from sim.city.points import POINT_COLUMNS, points_of
from sim.city.polygons import Polygons, read_polygons, squares_of
from sim.city.schemas import CitySettings
from sim.city.types import NO_SITE, Cells, Plane, Towns
from sim.errors import Problems
from sim.tables import KNOWN_FROM, Column, Table, TableSpec, check_references, read_table

MOST_CELLS = 4_000
SIDES_M = (50, 100, 200, 250, 500, 1_000, 2_000, 2_500, 5_000, 10_000, 20_000)
THE_CITY = "city"
"""Code of the only area of a `cells.csv` that names none."""
_ROUNDING = 0.01
"""An area may be built up on so much more than itself, by rounding or the drawing of its outline."""
_BELL = 0.8
"""Width of an area's bell in the outline, as a multiple of the radius of a disc of its size; assumed, as in `build`."""
AREAS_SPEC = TableSpec(
    "areas",
    1,
    (
        Column("area", "str", "Code that all other tables use for the area.", unique=True),
        Column("name_zh", "str", "Chinese name; empty: the code.", optional=True),
        Column("name_en", "str", "English name; empty: the code.", optional=True),
        *POINT_COLUMNS,
        Column("area_km2", "float", "Whole area; needed without cells.csv.", "km2", 1e-6, 1_000_000, optional=True),
        Column("built_up_km2", "float", "Of it built up; empty: all.", "km2", 1e-6, 1_000_000, optional=True),
        Column("residents", "int", "Residents; needed without cells.csv.", minimum=0, maximum=10**9, optional=True),
        *KNOWN_FROM,
    ),
)
STATED_CELLS = TableSpec(
    "cells",
    1,
    (
        Column("cell_id", "int", "Position of the cell, from 0.", minimum=0, unique=True),
        Column("area", "str", "Code of its area; empty everywhere: the city is one area.", optional=True),
        *POINT_COLUMNS,
        Column("area_m2", "int", "Area; empty: a square of side cell_m.", "m2", 1, 2_000_000_000, optional=True),
        Column("is_built_up", "bool", "Whether it is built up; empty: where anybody lives.", optional=True),
        Column("population", "int", "Residents.", minimum=0, maximum=2_000_000_000),
        Column("site_kind", "str", "Code of the special site in it, from city.yaml, if any.", optional=True),
        *KNOWN_FROM,
    ),
)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a folder states of its places; `settings` with the side of a cell that was chosen, if it said none."""

    settings: CitySettings
    towns: Towns
    cells: Cells

    @property
    def people(self) -> TownPeople:
        """Residents and built-up area of each town."""
        return TownPeople(self.towns.population, self.towns.built_up_km2)


@dataclass(frozen=True, slots=True)
class _Areas:
    """Areas as stated; (n_areas,) each. NaN, or -1 residents, where nothing is said."""

    code: tuple[str, ...]
    name_zh: tuple[str, ...]
    name_en: tuple[str, ...]
    x_m: NDArray[np.float64]
    y_m: NDArray[np.float64]
    area_km2: NDArray[np.float64]
    built_up_km2: NDArray[np.float64]
    residents: NDArray[np.int64]


def read_ground(folder: Path, settings: CitySettings, plane: Plane, problems: Problems) -> Ground | None:
    """Return the towns and cells that the folder states, or None after adding everything wrong with them."""
    n_before = len(problems.found)
    has = {name: (folder / name).is_file() for name in (AREAS, POLYGONS, CELLS)}
    table = read_table(folder / AREAS, AREAS_SPEC, problems) if has[AREAS] else None
    polygons = read_polygons(folder / POLYGONS, settings.crs, plane, problems) if has[POLYGONS] else None
    areas = _areas_of(table, settings, plane, problems) if table is not None else None
    if has[CELLS]:
        cell_table = read_table(folder / CELLS, STATED_CELLS, problems)
        if table is not None:
            check_references(cell_table, "area", table.names("area"), AREAS, problems)
        if len(problems.found) > n_before:
            return None
        return _from_cells(cell_table, areas, settings, plane, problems)
    if len(problems.found) > n_before or (areas is None and polygons is None):
        return None
    if polygons is not None:
        return _from_polygons(polygons, settings, problems)
    assert table is not None
    assert areas is not None
    return _from_areas(table, areas, settings, problems)


def _areas_of(table: Table, settings: CitySettings, plane: Plane, problems: Problems) -> _Areas:
    x_m, y_m = points_of(table, settings.crs, plane, problems, optional=True)
    codes = tuple(str(code) for code in table["area"])
    residents = np.where(np.isnan(table["residents"]), -1, table["residents"]).astype(np.int64)
    name_zh, name_en = (
        tuple(str(name or code) for name, code in zip(table[column], codes, strict=True)) for column in _NAMES
    )
    return _Areas(codes, name_zh, name_en, x_m, y_m, table["area_km2"], table["built_up_km2"], residents)


_NAMES = ("name_zh", "name_en")


# --- cells as they stand ----------------------------------------------------------------------------------------------


def _from_cells(
    table: Table, areas: _Areas | None, settings: CitySettings, plane: Plane, problems: Problems
) -> Ground | None:
    """Return the ground of a table of cells."""
    n_before = len(problems.found)
    x_m, y_m = points_of(table, settings.crs, plane, problems)
    for i, value in enumerate(table["cell_id"].tolist()):
        if value != i:
            rule = "(cell_id) must count the rows from 0"
            problems.add(table.where, rule, value=value, row=table.row_number(i), mend=f"write {i}")
            break
    named = [code for code in table["area"] if code is not None]
    if named and len(named) < table.n_rows:
        row = next(i for i in range(table.n_rows) if table["area"][i] is None)
        problems.add(table.where, "(area) is empty here and given elsewhere", row=table.row_number(row))
    kinds = [kind.code for kind in settings.site_kinds]
    check_references(table, "site_kind", kinds, "city.yaml (site_kinds)", problems)
    if areas is not None and not named:
        problems.add(table.where, f"(area) is empty, and {AREAS} names areas", mend="give each cell its area")
    if len(problems.found) > n_before:
        return None
    _check_apart(table, x_m, y_m, problems)
    cell_m = settings.cell_m or _usual_gap_m(x_m, y_m)
    codes = areas.code if areas is not None else tuple(dict.fromkeys(named)) or (THE_CITY,)
    of_cell = [codes.index(code) if named else 0 for code in table["area"]]
    population = table["population"].astype(np.int64)
    said = zip(table["is_built_up"], population, strict=True)
    built_up = [people > 0 if is_it is None else bool(is_it) for is_it, people in said]
    cells = Cells(
        town=np.array(of_cell, dtype=np.int16),
        x_m=x_m.astype(np.int32),
        y_m=y_m.astype(np.int32),
        area_m2=np.where(np.isnan(table["area_m2"]), cell_m * cell_m, table["area_m2"]).astype(np.int32),
        population=population.astype(np.int32),
        is_built_up=np.array(built_up, dtype=np.bool_),
        site_kind=np.array([NO_SITE if k is None else kinds.index(k) for k in table["site_kind"]], dtype=np.int8),
    )
    sums = np.bincount(cells.town, population, minlength=len(codes)).astype(np.int64)
    for t, code in enumerate(codes):
        if not np.any(cells.town == t):
            problems.add(AREAS, "is an area without cells", value=code, mend="give it at least one cell in cells.csv")
        elif areas is not None and areas.residents[t] not in (-1, sums[t]):
            rule = f"(residents) says {areas.residents[t]}, its cells hold {sums[t]}"
            problems.add(AREAS, rule, value=code, mend="mend one, or leave residents empty")
    if len(problems.found) > n_before:
        return None
    return Ground(replace(settings, cell_m=cell_m), _towns(codes, areas, cells), cells)


def _check_apart(table: Table, x_m: NDArray[np.float64], y_m: NDArray[np.float64], problems: Problems) -> None:
    first: dict[tuple[float, float], int] = {}
    for i, place in enumerate(zip(x_m.tolist(), y_m.tolist(), strict=True)):
        if first.setdefault(place, i) != i:
            rule = f"lies where the cell of row {table.row_number(first[place])} lies"
            problems.add(table.where, rule, row=table.row_number(i), mend="each place may be one cell")


def _usual_gap_m(x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> int:
    """Return the median distance from a cell to its nearest neighbour, whole m, within what a cell may be."""
    if len(x_m) == 1:
        return 1_000
    gaps = []
    for x, y in zip(x_m, y_m, strict=True):
        squares = (x_m - x) ** 2 + (y_m - y) ** 2
        gaps.append(math.sqrt(float(np.partition(squares, 1)[1])))
    return min(max(math.floor(sorted(gaps)[len(gaps) // 2] + 0.5), 50), 20_000)


def _towns(codes: tuple[str, ...], areas: _Areas | None, cells: Cells) -> Towns:
    """Return the towns of cells: a seat where one is stated, else the middle of its people."""
    seats, built = [], np.where(cells.is_built_up, cells.area_m2, 0)
    for t in range(len(codes)):
        own = np.flatnonzero(cells.town == t)
        weight = cells.population[own].astype(np.float64) if cells.population[own].any() else np.ones(len(own))
        x = float(np.average(cells.x_m[own], weights=weight))
        y = float(np.average(cells.y_m[own], weights=weight))
        if areas is not None and not math.isnan(areas.x_m[t]):
            x, y = float(areas.x_m[t]), float(areas.y_m[t])
        seats.append((math.floor(x + 0.5), math.floor(y + 0.5)))
    n = len(codes)
    return Towns(
        code=codes,
        name_zh=areas.name_zh if areas is not None else codes,
        name_en=areas.name_en if areas is not None else codes,
        seat_x_m=np.array([x for x, _ in seats], dtype=np.int32),
        seat_y_m=np.array([y for _, y in seats], dtype=np.int32),
        area_km2=np.bincount(cells.town, cells.area_m2, minlength=n) / 1e6,
        population=np.bincount(cells.town, cells.population, minlength=n).astype(np.int64),
        built_up_km2=np.bincount(cells.town, built, minlength=n) / 1e6,
    )


# --- cells made of areas ----------------------------------------------------------------------------------------------


def side_for(area_m2: float) -> int:
    """Return the smallest of `SIDES_M` with which an area has at most `MOST_CELLS` cells; the largest if none has."""
    return next((side for side in SIDES_M if area_m2 / side**2 <= MOST_CELLS), SIDES_M[-1])


def _from_areas(table: Table, areas: _Areas, settings: CitySettings, problems: Problems) -> Ground | None:
    """Return the ground of centres, areas and residents, laid out by outline and power diagram."""
    n_before = len(problems.found)
    for name, is_given in (
        ("lat, lon or x_m, y_m", ~np.isnan(areas.x_m)),
        ("area_km2", ~np.isnan(areas.area_km2)),
        ("residents", areas.residents >= 0),
    ):
        for i in np.flatnonzero(~is_given):
            rule, row = f"({name}) is empty, and there is no cells.csv", table.row_number(int(i))
            problems.add(AREAS, rule, value=areas.code[i], row=row, mend="give it")
    _check_built_up(areas, AREAS, problems)
    if len(problems.found) > n_before:
        return None
    area_m2 = areas.area_km2 * 1e6
    cell_m = settings.cell_m or side_for(math.fsum(area_m2.tolist()))
    n_cells = max(math.floor(math.fsum(area_m2.tolist()) / cell_m**2 + 0.5), len(areas.code))
    if not _is_few(n_cells, cell_m, math.fsum(area_m2.tolist()), AREAS, problems):
        return None
    n_wanted = largest_remainder(n_cells - len(areas.code), area_m2) + 1
    centre_x, centre_y = areas.x_m.astype(np.int64), areas.y_m.astype(np.int64)
    reach_m = 3 * math.isqrt(int(area_m2.max())) + cell_m
    x_m, y_m = diagram.lattice(centre_x, centre_y, reach_m, cell_m)
    squared = diagram.squared_distances(x_m, y_m, centre_x, centre_y)
    inside = diagram.outline(squared, area_m2, n_cells, _BELL)
    try:
        town = diagram.power_diagram(squared[inside], n_wanted)
    except ValueError as error:
        problems.add(AREAS, f"cannot be laid out ({error})", mend="move the centres apart, or give polygons or cells")
        return None
    return _populated(areas, replace(settings, cell_m=cell_m), x_m[inside], y_m[inside], town)


def _from_polygons(polygons: Polygons, settings: CitySettings, problems: Problems) -> Ground | None:
    """Return the ground of polygons."""
    area_m2 = polygons.area_m2
    cell_m = settings.cell_m or side_for(math.fsum(area_m2.tolist()))
    if not _is_few(math.fsum(area_m2.tolist()) / cell_m**2, cell_m, math.fsum(area_m2.tolist()), POLYGONS, problems):
        return None
    n_before = len(problems.found)
    x_m, y_m, town = squares_of(polygons, cell_m, POLYGONS, problems)
    if len(problems.found) > n_before:
        return None
    nothing = np.full(len(polygons.code), np.nan)
    areas = _Areas(
        polygons.code, polygons.name_zh, polygons.name_en, nothing, nothing, area_m2 / 1e6, polygons.built_up_km2,
        polygons.residents,
    )  # fmt: skip
    _check_built_up(areas, POLYGONS, problems)
    if len(problems.found) > n_before:
        return None
    return _populated(areas, replace(settings, cell_m=cell_m), x_m, y_m, town)


def _check_built_up(areas: _Areas, where: str, problems: Problems) -> None:
    """Add a problem for each area that is built up on more than the whole of it, as where units were mixed up."""
    for code, whole, built_up in zip(areas.code, areas.area_km2, areas.built_up_km2, strict=True):
        if built_up > whole * (1 + _ROUNDING):
            rule = f"(built_up_km2) is {built_up:g} km2 of an area of {whole:.4g} km2"
            problems.add(where, rule, value=code, mend="look at the units: both are km2")


def _is_few(n_cells: float, cell_m: int, area_m2: float, where: str, problems: Problems) -> bool:
    if n_cells <= 1.05 * MOST_CELLS:
        return True
    rule = f"makes {n_cells:.0f} cells of {cell_m} m, and no more than about {MOST_CELLS} can be run"
    problems.add(where, rule, mend=f"write cell_m: {side_for(area_m2)} in city.yaml, or leave cell_m out")
    return False


def _populated(
    areas: _Areas, settings: CitySettings, x_m: NDArray[np.int64], y_m: NDArray[np.int64], town: NDArray[np.int64]
) -> Ground:
    """Return the ground of empty cells with each area's residents spread evenly over its built-up cells."""
    population = np.zeros(len(town), dtype=np.int32)
    is_built_up = np.zeros(len(town), dtype=np.bool_)
    for t in range(len(areas.code)):
        own = np.flatnonzero(town == t)
        middle = (x_m[own].mean(), y_m[own].mean()) if math.isnan(areas.x_m[t]) else (areas.x_m[t], areas.y_m[t])
        n_built_up = len(own)
        if not math.isnan(areas.built_up_km2[t]):
            n_built_up = min(max(math.floor(areas.built_up_km2[t] * 1e6 / settings.cell_m**2 + 0.5), 1), len(own))
        squares = (x_m[own] - middle[0]) ** 2 + (y_m[own] - middle[1]) ** 2
        lived_in = own[np.argsort(squares, kind="stable")[:n_built_up]]
        is_built_up[lived_in] = True
        population[np.sort(lived_in)] = largest_remainder(max(int(areas.residents[t]), 0), np.ones(n_built_up))
    cells = Cells(
        town.astype(np.int16), x_m.astype(np.int32), y_m.astype(np.int32),
        np.full(len(town), settings.cell_m**2, dtype=np.int32), population, is_built_up,
        np.full(len(town), NO_SITE, dtype=np.int8),
    )  # fmt: skip
    return Ground(settings, _towns(areas.code, areas, cells), cells)
