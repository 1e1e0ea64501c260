"""A user's matrix as the driving times of a city: which cell lies in which zone, and where the zones lie.

`travel_of` is the one place that chooses between a world's roads, its detour and its given matrix. What a matrix must
hold is checked in `matrix.py`; this module reads the table of zones.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.city.forms import is_stated
from sim.errors import Problems
from sim.fleet.stated import station_cells
from sim.tables import Column, TableSpec, read_table
from sim.travel.from_stations import StationMatrix
from sim.travel.matrix import MAX_SHOWN, GivenMatrix, cells_as_zones
from sim.travel.network import NetworkWays
from sim.travel.roads import load_roads
from sim.travel.source import TravelTables, build_travel, travel_tables
from sim.travel.straight import StraightWays

if TYPE_CHECKING:
    from sim.city import City
    from sim.travel.settings import TravelSettings

ZONES = TableSpec(
    "zones",
    1,
    (
        Column("cell", "int", "Cell, as in cells.csv.", minimum=0, unique=True),
        Column("zone", "str", "Label of its zone, as in the matrix."),
    ),
    key=("cell",),
)


def travel_of(city: City, settings: TravelSettings, folder: Path, cache_dir: Path) -> TravelTables:
    """Return the driving times of a travel world in the city of `folder`, from the cache when they were made before.

    Raises
    ------
    InputError
        With every fault of the roads, or of the matrix and its zones.
    """
    if settings.matrix and settings.matrix_from == "stations":
        return travel_tables(station_matrix(city, settings, folder), cache_dir)
    if settings.matrix:
        return travel_tables(given_matrix(city, settings), cache_dir)
    if settings.graph:
        return travel_tables(NetworkWays(city, settings), cache_dir)
    if settings.detour is not None:
        return travel_tables(StraightWays(city, settings), cache_dir)
    return build_travel(city, settings, load_roads(folder, city), cache_dir)


def given_matrix(city: City, settings: TravelSettings) -> GivenMatrix:
    """Return the matrix that `settings` names as a source of driving times between the cells of `city`.

    Raises
    ------
    InputError
        If the table of zones has faults: cells that do not exist, stand twice or have no zone.
    """
    zones, zone_of_cell = _zones_of(city, settings)
    return GivenMatrix(
        name=settings.name,
        path=Path(settings.matrix),
        unit=settings.matrix_unit,
        zones=zones,
        zone_of_cell=zone_of_cell,
        hours=settings.period_of_hour(),
        is_one_way_meant=settings.is_matrix_one_way,
        centre_m=zone_centres(city, zone_of_cell, len(zones)),
    )


def station_matrix(city: City, settings: TravelSettings, folder: Path) -> StationMatrix:
    """Return the table from stations that `settings` names as a source of driving times.

    Raises
    ------
    InputError
        If the city does not state its stations, or their table or that of zones has faults.
    """
    problems = Problems()
    if not is_stated(folder):
        rule = "(travel.matrix_from) is stations, and the city folder states none in stations.csv"
        problems.add(settings.name, rule, mend="set matrix_from to zones, or state the stations")
    problems.raise_if_any()
    zones, zone_of_cell = _zones_of(city, settings)
    return StationMatrix(
        name=settings.name,
        path=Path(settings.matrix),
        unit=settings.matrix_unit,
        city=city,
        station_cell=station_cells(folder, city),
        zones=zones,
        zone_of_cell=zone_of_cell,
        hours=settings.period_of_hour(),
    )


def _zones_of(city: City, settings: TravelSettings) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    if settings.matrix_zones:
        return read_zones(Path(settings.matrix_zones), city.cells.n_cells)
    return cells_as_zones(city.cells.n_cells)


def read_zones(path: Path, n_cells: int) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Return (`zones`, `zone_of_cell`) of `GivenMatrix` from a CSV (`ZONES`): labels sorted, (n_cells,) int32.

    Raises
    ------
    InputError
        With every problem of the table: cells that do not exist, stand twice or have no zone.
    """
    problems = Problems()
    table = read_table(path, ZONES, problems)
    cells = table["cell"]
    for i in np.flatnonzero(cells >= n_cells)[:MAX_SHOWN]:
        rule = "(cell) is not a cell of the city"
        problems.add(
            table.where, rule, value=int(cells[i]), row=table.row_number(int(i)), mend=f"cells are 0 to {n_cells - 1}"
        )
    absent = np.setdiff1d(np.arange(n_cells), cells)
    if len(absent):
        shown = ", ".join(str(cell) for cell in absent[:MAX_SHOWN]) + (", …" if len(absent) > MAX_SHOWN else "")
        problems.add(table.where, f"({len(absent)} cells) have no zone", value=shown, mend="give each cell one")
    problems.raise_if_any()
    zones, position = np.unique(table["zone"].astype(str), return_inverse=True)
    zone_of_cell = np.empty(n_cells, dtype=np.int32)
    zone_of_cell[cells] = position
    return tuple(str(zone) for zone in zones), zone_of_cell


def zone_centres(city: City, zone_of_cell: NDArray[np.int32], n_zones: int) -> NDArray[np.float64]:
    """Return (n_zones, 2) float64 m: the mean place of each zone's cells in the city's plane."""
    n_own = np.bincount(zone_of_cell, minlength=n_zones)
    sums = [np.bincount(zone_of_cell, weights=axis, minlength=n_zones) for axis in (city.cells.x_m, city.cells.y_m)]
    return np.stack(sums, axis=1) / n_own[:, None]
