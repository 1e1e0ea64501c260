"""What a city folder's coordinates and driving times amount to: conversions with their error, speeds that are implied.

Numbers in which a wrong declaration shows: a shift of half a kilometre that nobody meant, a trip at 90 km/h through the
old town, a way that takes twice as long as the way back.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.city.crs import GEOGRAPHIC, PLANE, WGS84, to_wgs84
from sim.city.forms import AREAS, CELLS, POLYGONS, STATIONS, is_stated
from sim.city.load import cells_without_square
from sim.city.polygons import corners_of
from sim.city.settings import metres_per_degree, read_settings
from sim.city.stated import AREAS_SPEC, STATED_CELLS
from sim.errors import Problems
from sim.fleet.stated import STATED_STATIONS
from sim.tables import Table, read_table
from sim.travel.settings import Period
from sim.units import MS_PER_H

if TYPE_CHECKING:
    from sim.city import City
    from sim.travel import TravelTables

FAR_M = 1_000.0
"""Speeds are told of places at least so far apart, m: between neighbours the slow start says most."""
_PROJECTED = "below a metre for the projection, a change of datum as the code has it"
_RECONSTRUCTED = "a metre or two, as the formula is a public reconstruction; there and back meet within 1 mm"
CRS_ERRORS = {WGS84: "none", PLANE: "none", "gcj02": _RECONSTRUCTED, "bd09": _RECONSTRUCTED}
"""Error of the conversion of each system to WGS84; of others `_PROJECTED`."""


def place_facts(folder: Path, city: City) -> list[str]:
    """Return what was converted, by file and system, with the error, and how true the city's plane is to length."""
    told = []
    for name, points in _points(folder).items() if is_stated(folder) else ():
        for crs in sorted({crs for crs, _, _ in points}):
            own = [(first, second) for of, first, second in points if of == crs]
            told.append(f"coordinates in {crs}: {len(own)} of {name}, {_moved(crs, own)}")
    told += _hidden_cells(city)
    x_m, y_m = city.cells.x_m.astype(np.float64), city.cells.y_m.astype(np.float64)
    plane, away_m = city.plane, float(np.hypot(x_m, y_m).max())
    lats = [plane.lat0 + float(y) / plane.m_per_deg_lat for y in (y_m.min(), y_m.max())]
    off = max(abs(metres_per_degree(lat)[1] / plane.m_per_deg_lon - 1) for lat in lats)
    where = f"plane round lat {plane.lat0:g}, lon {plane.lon0:g}"
    return [*told, f"{where}: cells lie up to {away_m / 1000:.1f} km from there, lengths are off by up to {off:.2%}"]


def _hidden_cells(city: City) -> list[str]:
    """Return which cells have no square of the grid, from whose middles it is reckoned where units on their way are."""
    hidden = cells_without_square(city.cells.n_cells, city.grid)
    if not len(hidden):
        return []
    return [
        f"{len(hidden)} of {city.cells.n_cells} cells are nearest to the middle of no square of {city.cell_m} m"
        f" (cell_m), cell {hidden[0]} for one: a unit that is sent on while it passes there starts from a neighbour"
    ]


def _moved(crs: str, points: list[tuple[float, float]]) -> str:
    """Return how far a conversion moves points, where both sides are degrees, and its error."""
    error = f"error of the conversion: {CRS_ERRORS.get(crs, _PROJECTED)}"
    if crs == WGS84 or crs not in GEOGRAPHIC:
        return error
    apart = []
    for lat, lon in points:
        found = to_wgs84(crs, lat, lon)
        if found is not None:
            per_lat, per_lon = metres_per_degree(lat)
            apart.append(math.hypot((found[0] - lat) * per_lat, (found[1] - lon) * per_lon))
    return f"moved by {min(apart):.0f} to {max(apart):.0f} m; {error}"


def _points(folder: Path) -> dict[str, list[tuple[str, float, float]]]:
    """Return (crs, first, second) of every point, by file: latitude and longitude, or east and north."""
    ignored = Problems()  # the files were read before, and are whole
    settings = read_settings(folder, ignored)
    default = settings.crs if settings is not None else WGS84
    found = {}
    for name, spec in ((AREAS, AREAS_SPEC), (CELLS, STATED_CELLS), (STATIONS, STATED_STATIONS)):
        if (folder / name).is_file():
            found[name] = list(_of_table(read_table(folder / name, spec, ignored), default))
    if (folder / POLYGONS).is_file():
        found[POLYGONS] = [(default, *corner) for corner in corners_of(folder / POLYGONS, default)]
    return {name: points for name, points in found.items() if points}


def _of_table(table: Table, default: str) -> Iterator[tuple[str, float, float]]:
    for i in range(table.n_rows):
        crs = str(table["crs"][i] or default).lower()
        first, second = ("lat", "lon") if crs in GEOGRAPHIC else ("x_m", "y_m")
        if not math.isnan(table[first][i]):
            yield crs, float(table[first][i]), float(table[second][i])


def travel_facts(tables: TravelTables, city: City, n_zones: int = 0) -> list[str]:
    """Return the speeds by day that the driving times imply, as the crow flies, and how unlike ways back are."""
    told = [f"travel {tables.name}" + (f", {n_zones} zones of the matrix" if n_zones else "")]
    x_m, y_m = city.cells.x_m.astype(np.float64), city.cells.y_m.astype(np.float64)
    apart_m: NDArray[np.float64] = np.hypot(x_m[:, None] - x_m, y_m[:, None] - y_m)
    ms = tables.duration_ms[Period.DAY].astype(np.float64)
    is_far = (apart_m >= FAR_M) & (ms > 0)
    if not is_far.any():
        return [f"{told[0]}; no two cells lie {FAR_M / 1000:g} km apart"]
    kmh = np.where(is_far, apart_m / np.maximum(ms, 1.0) * (MS_PER_H / 1_000.0), np.nan)
    fastest, slowest = (_pair(int(at(kmh)), len(x_m)) for at in (np.nanargmax, np.nanargmin))
    told.append(
        f"by day, as the crow flies, {FAR_M / 1000:g} km apart or more: median {np.nanmedian(kmh):.1f} km/h,"
        f" fastest {kmh[fastest]:.1f} (cell {fastest[0]} to {fastest[1]}),"
        f" slowest {kmh[slowest]:.1f} (cell {slowest[0]} to {slowest[1]})"
    )
    times = np.where(is_far, ms / np.maximum(ms.T, 1.0), 0.0)
    a, b = _pair(int(np.argmax(times)), len(x_m))
    unlike = f"cell {a} to {b} takes {times[a, b]:.2f} times as long as the way back, the most of all"
    return [*told, unlike if times[a, b] > 1 else "every way takes as long as the way back"]


def _pair(at: int, n: int) -> tuple[int, int]:
    return at // n, at % n
