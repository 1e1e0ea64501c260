"""Reads siting worlds and lists of real stations into `Siting`, with everything wrong reported at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.city import City, load_city
from sim.errors import InputError, Problem, Problems, nearest_name
from sim.siting import schemas
from sim.tables import Table, check_references, read_table


@dataclass(frozen=True, slots=True)
class Siting:
    """The sites of one world, ordered by town and then by number: all arrays (n_sites,).

    `town`: int16 town_id. `k`: int16, number within the town from 1, standing stations first. `cells`: int32 cell_id.
    `x_m`, `y_m`: int32, m. `is_existing`: bool. `order_in_city`: int32, position in the citywide order of building.
    `name`: empty where a site has none.
    """

    world: str
    method: str
    town: NDArray[np.int16]
    k: NDArray[np.int16]
    cells: NDArray[np.int32]
    x_m: NDArray[np.int32]
    y_m: NDArray[np.int32]
    is_existing: NDArray[np.bool_]
    order_in_city: NDArray[np.int32]
    name: tuple[str, ...]

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.cells)


@dataclass(frozen=True, slots=True)
class SitingWorld:
    """How one stored world was made: a row of `siting/worlds.csv`."""

    world: str
    method: str
    weight: str
    weight_range_percent: int
    land_percent: int
    n_spare_per_town: int
    distance: str
    seed: int
    source: str
    standing: str


def siting_worlds(folder: Path) -> tuple[SitingWorld, ...]:
    """Return the worlds of a city folder in the order of `siting/worlds.csv`.

    Raises
    ------
    InputError
        If the table has faults.
    """
    problems = Problems()
    table = read_table(folder / "siting" / "worlds.csv", schemas.WORLDS, problems)
    problems.raise_if_any()
    return tuple(
        SitingWorld(
            world=str(table["world"][i]),
            method=str(table["method"][i]),
            weight=str(table["weight"][i]),
            weight_range_percent=int(table["weight_range_percent"][i]),
            land_percent=int(table["land_percent"][i]),
            n_spare_per_town=int(table["n_spare_per_town"][i]),
            distance=str(table["distance"][i] or ""),
            seed=int(table["seed"][i]),
            source=str(table["source"][i]),
            standing=str(table["standing"][i]),
        )
        for i in range(table.n_rows)
    )


def load_siting(folder: Path, world: str, city: City | None = None) -> Siting:
    """Return the sites of `world` from `folder/siting/<world>.csv`; `city` saves loading the folder's city again.

    Raises
    ------
    InputError
        If the world is not in `worlds.csv`, a town is unknown, a cell does not exist, lies in another town, is not
        where the row says, or holds two sites; if numbers or the order of building have gaps, or a new site comes
        before a standing one.
    """
    known = [row.world for row in siting_worlds(folder)]
    if world not in known:
        where = "siting/worlds.csv"
        raise InputError([Problem(where, "is not one of the siting worlds", world, mend=nearest_name(world, known))])
    city = load_city(folder) if city is None else city
    problems = Problems()
    table = read_table(folder / "siting" / f"{world}.csv", schemas.SITES, problems)
    check_references(table, "town", city.towns.code, "towns.csv", problems)
    problems.raise_if_any()
    _check_world(table, world, problems)
    _check_cells(table, city, problems)
    _check_numbers(table, problems)
    if sorted(table["order_in_city"].tolist()) != list(range(table.n_rows)):
        problems.add(table.where, "(order_in_city) must count from 0 without gaps")
    problems.raise_if_any()
    town = np.array([city.towns.code.index(code) for code in table["town"]], dtype=np.int16)
    order = np.lexsort((table["k"], town))
    return Siting(
        world=world,
        method=str(table["method"][0]),
        town=town[order],
        k=table["k"].astype(np.int16)[order],
        cells=table["cell"].astype(np.int32)[order],
        x_m=table["x_m"].astype(np.int32)[order],
        y_m=table["y_m"].astype(np.int32)[order],
        is_existing=table["is_existing"].astype(np.bool_)[order],
        order_in_city=table["order_in_city"].astype(np.int32)[order],
        name=("",) * table.n_rows,
    )


def _check_world(table: Table, world: str, problems: Problems) -> None:
    for i, name in enumerate(table["world"]):
        if name != world:
            row = table.row_number(i)
            problems.add(table.where, "(world) is not the file's own", value=name, row=row, mend=f"write {world}")


def _check_cells(table: Table, city: City, problems: Problems) -> None:
    """Add a problem for cells that do not exist, lie elsewhere or in another town, or stand twice."""
    first: dict[int, int] = {}
    for i, cell in enumerate(table["cell"].tolist()):
        row = table.row_number(i)
        if cell >= city.cells.n_cells:
            rule = f"(cell) is outside every cell: there are {city.cells.n_cells}"
            problems.add(
                table.where, rule, value=cell, row=row, mend="make the siting worlds anew after changing cells"
            )
            continue
        at, given = (int(city.cells.x_m[cell]), int(city.cells.y_m[cell])), (int(table["x_m"][i]), int(table["y_m"][i]))
        own = city.towns.code[city.cells.town[cell]]
        if at != given:
            rule, mend = f"(x_m, y_m) is not the middle of cell {cell}, which is at {at}", "make the siting worlds anew"
            problems.add(table.where, rule, value=given, row=row, mend=mend)
        if own != table["town"][i]:
            problems.add(
                table.where, f"(town) is not the town of cell {cell}", value=table["town"][i], row=row, mend=own
            )
        if first.setdefault(cell, row) != row:
            rule = f"(cell) holds a site already, in row {first[cell]}"
            problems.add(table.where, rule, value=cell, row=row, mend="give each site a cell of its own")


def _check_numbers(table: Table, problems: Problems) -> None:
    """Add a problem where a town's numbers do not count from 1, or a standing site comes after a new one."""
    towns = table["town"].tolist()
    for town in sorted(set(towns)):
        own = [i for i, name in enumerate(towns) if name == town]
        by_k = sorted((int(table["k"][i]), bool(table["is_existing"][i])) for i in own)
        numbers = [k for k, _ in by_k]
        missing = [k for k in range(1, len(own) + 1) if k not in numbers]
        if missing:
            rule = f"(k) must count a town's sites from 1; missing: {missing}"
            problems.add(table.where, rule, value=town, mend="number the sites of the town anew")
        stands = [is_existing for _, is_existing in by_k]
        if stands != sorted(stands, reverse=True):
            rule = "(is_existing) a standing site has a higher k than a new one"
            problems.add(table.where, rule, value=town, mend="number the standing sites first")


def load_station_coordinates(path: Path, city: City) -> Siting:
    """Return the stations of a user's CSV (`schemas.COORDINATES`) in place of a stored world.

    Points are WGS84 degrees (`crs` wgs84) or metres of the city's plane (`crs` plane). Each goes to the cell whose
    square holds it; a station may stand in another town than the one that runs it, and two may share a cell. The order
    of building is that of the rows: standing stations first, then new ones.

    Raises
    ------
    InputError
        With all problems: unknown towns, coordinates that do not fit the crs, a station outside every cell, gaps in k.
    """
    problems = Problems()
    table = read_table(path, schemas.COORDINATES, problems)
    check_references(table, "town", city.towns.code, "towns.csv", problems)
    problems.raise_if_any()
    points = [_point(table, i, city, problems) for i in range(table.n_rows)]
    problems.raise_if_any()
    cells = [city.cell_at(x, y) for x, y in points]
    for i, cell in enumerate(cells):
        if cell < 0:
            rule = f"is outside every cell: x {points[i][0]} m, y {points[i][1]} m of the plane"
            mend = "look at crs, and whether lat and lon are swapped or from another datum"
            value = table["name"][i] or f"{table['town'][i]} {table['k'][i]}"
            problems.add(table.where, rule, value=value, row=table.row_number(i), mend=mend)
    _check_numbers(table, problems)
    problems.raise_if_any()
    town = np.array([city.towns.code.index(code) for code in table["town"]], dtype=np.int16)
    is_existing = table["is_existing"].astype(np.bool_)
    order_in_city = np.empty(table.n_rows, dtype=np.int32)
    order_in_city[np.argsort(~is_existing, kind="stable")] = np.arange(table.n_rows, dtype=np.int32)
    order = np.lexsort((table["k"], town))
    return Siting(
        world=path.stem,
        method="given",
        town=town[order],
        k=table["k"].astype(np.int16)[order],
        cells=np.array(cells, dtype=np.int32)[order],
        x_m=np.array([x for x, _ in points], dtype=np.int32)[order],
        y_m=np.array([y for _, y in points], dtype=np.int32)[order],
        is_existing=is_existing[order],
        order_in_city=order_in_city[order],
        name=tuple(str(table["name"][i] or "") for i in order),
    )


def _point(table: Table, i: int, city: City, problems: Problems) -> tuple[int, int]:
    """Return the station's place on the plane, whole metres; (0, 0) after adding a problem."""
    crs = str(table["crs"][i])
    pairs = {"wgs84": ("lat", "lon"), "plane": ("x_m", "y_m")}
    is_given = {name: not np.isnan(table[name][i]) for pair in pairs.values() for name in pair}
    wrong = [name for name, given in is_given.items() if given != (name in pairs[crs])]
    if wrong:
        rule = f"crs {crs} takes {' and '.join(pairs[crs])} and nothing else; look at {', '.join(wrong)}"
        problems.add(table.where, rule, row=table.row_number(i), mend="give one pair and the crs it is in")
        return 0, 0
    first, second = (float(table[name][i]) for name in pairs[crs])
    if crs == "wgs84":
        return city.plane.xy_m(first, second)
    return int(np.floor(first + 0.5)), int(np.floor(second + 0.5))
