"""The city as frozen arrays: what every later part reads, and nothing about how it was read or made."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_SITE = -1
"""`Cells.site_kind` of an ordinary cell, and `RailStations.cell` of a station whose place is not known."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A local plane: x metres east and y metres north of (lat0, lon0), WGS84, equirectangular.

    The lengths of a degree are stored numbers, so that projecting takes only additions and products and gives the
    same metre on every machine. At 50 km from the origin the projection is off by about 0.1 % of the distance.
    """

    lat0: float
    lon0: float
    m_per_deg_lat: float
    m_per_deg_lon: float

    def xy_m(self, lat: float, lon: float) -> tuple[int, int]:
        """Return (x_m, y_m), whole metres rounded half up, of a WGS84 point in degrees."""
        x = (lon - self.lon0) * self.m_per_deg_lon
        y = (lat - self.lat0) * self.m_per_deg_lat
        return math.floor(x + 0.5), math.floor(y + 0.5)

    def lat_lon(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Return (lat, lon) in degrees of a point of the plane."""
        return self.lat0 + y_m / self.m_per_deg_lat, self.lon0 + x_m / self.m_per_deg_lon


@dataclass(frozen=True, slots=True)
class Towns:
    """One entry per town, in the order of `towns.csv`; a town_id is a position here.

    `code`, `name_zh`, `name_en`: (n_towns,) texts. `seat_x_m`, `seat_y_m`: (n_towns,) int32, m, the town's centre of
    life, not of area. `area_km2`, `built_up_km2`: (n_towns,) float64. `population`: (n_towns,) int64, residents.
    """

    code: tuple[str, ...]
    name_zh: tuple[str, ...]
    name_en: tuple[str, ...]
    seat_x_m: NDArray[np.int32]
    seat_y_m: NDArray[np.int32]
    area_km2: NDArray[np.float64]
    population: NDArray[np.int64]
    built_up_km2: NDArray[np.float64]

    @property
    def n_towns(self) -> int:
        """Number of towns."""
        return len(self.code)


@dataclass(frozen=True, slots=True)
class Cells:
    """One entry per demand cell, in the order of `cells.csv`; a cell_id is a position here.

    `town`: (n_cells,) int16 town_id. `x_m`, `y_m`: int32, m, the cell's middle. `area_m2`: int32. `population`: int32,
    residents; their sum over a town is its population exactly. `is_built_up`: bool. `site_kind`: int8, position in
    `City.site_kinds`, `NO_SITE` for an ordinary cell.
    """

    town: NDArray[np.int16]
    x_m: NDArray[np.int32]
    y_m: NDArray[np.int32]
    area_m2: NDArray[np.int32]
    population: NDArray[np.int32]
    is_built_up: NDArray[np.bool_]
    site_kind: NDArray[np.int8]

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.town)


@dataclass(frozen=True, slots=True)
class Sites:
    """Special sites, in the order of `sites.csv`: all arrays (n_sites,).

    `kind`: int8, position in `City.site_kinds`. `town`: int16 town_id. `cell`: int32, the nearest cell of that town;
    several sites may share one. `standing`: how the point is known.
    """

    name_zh: tuple[str, ...]
    name_en: tuple[str, ...]
    kind: NDArray[np.int8]
    town: NDArray[np.int16]
    cell: NDArray[np.int32]
    standing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RailStations:
    """Railway and metro stations, in the order of `rail.csv`: all of length n_rail_stations.

    `line` is an ASCII name, `order` the position along the line (0 where it has no order), `mode` metro, intercity or
    mainline. `cell`: int32, the nearest cell of the town, `NO_SITE` where no coordinate is known. `opens`: day
    number (datetime64[D]); NaT where the station was open before the first year of interest.
    """

    line: tuple[str, ...]
    order: NDArray[np.int16]
    name_zh: tuple[str, ...]
    name_en: tuple[str, ...]
    mode: tuple[str, ...]
    town: NDArray[np.int16]
    cell: NDArray[np.int32]
    opens: NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class City:
    """One city: towns, cells and what lies between them.

    `grid`: (ny, nx) int32, the cell nearest to the middle of each square of side `cell_m`; square (0, 0) has its lower
    left corner at (`grid_x0_m`, `grid_y0_m`). `site_kinds`: codes, in order of precedence; `site_people`: (n_kinds,)
    int64, residents that one site of the kind counts for in siting. `adjacent_pairs`: (n_pairs, 2) int16 town_ids,
    lower first: only these towns may share a local street. `water_pairs`: those of them whose border is water;
    `bridges`: (n_bridges, 2) int32 cell_ids, the only local crossings between the towns of a water pair.
    """

    id: str
    name_zh: str
    name_en: str
    plane: Plane
    towns: Towns
    cells: Cells
    grid: NDArray[np.int32]
    grid_x0_m: int
    grid_y0_m: int
    cell_m: int
    site_kinds: tuple[str, ...]
    site_people: NDArray[np.int64]
    sites: Sites
    rail_stations: RailStations
    adjacent_pairs: NDArray[np.int16]
    water_pairs: NDArray[np.int16]
    bridges: NDArray[np.int32]
    epoch: np.datetime64
    utc_offset_h: float
    holidays_country: str
    population_year: int

    def nearest_cell(self, x_m: int, y_m: int) -> int:
        """Return the cell nearest to the grid square that holds the point, or -1 for a point outside the grid."""
        column, row = (x_m - self.grid_x0_m) // self.cell_m, (y_m - self.grid_y0_m) // self.cell_m
        n_rows, n_columns = self.grid.shape
        return int(self.grid[row, column]) if 0 <= row < n_rows and 0 <= column < n_columns else -1

    def cell_at(self, x_m: int, y_m: int) -> int:
        """Return the cell whose square of side `cell_m` holds the point, or -1 where there is none."""
        cell = self.nearest_cell(x_m, y_m)
        if cell < 0:
            return -1
        reach = max(abs(x_m - int(self.cells.x_m[cell])), abs(y_m - int(self.cells.y_m[cell])))
        return cell if 2 * reach <= self.cell_m else -1
