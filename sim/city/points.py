"""Places that a table gives in a declared reference system, as whole metres of the city's plane.

A row gives `lat` and `lon`, or `x_m` and `y_m`, and says in `crs` what they are; an empty `crs` is the one that
`city.yaml` declares for the folder. What looks like the classic slips - latitude and longitude swapped, metres declared
as degrees - is told as such and never goes on as a plausible place. Next: `crs.py`, which converts.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.city.crs import GEOGRAPHIC, PLANE, Crs, is_crs, to_wgs84
from sim.city.types import Plane
from sim.errors import Problems
from sim.tables import Column, Table

FARTHEST_M = 500_000
"""A point lies at most so far from the origin of the plane, or its coordinates are not what they are declared to be."""
HOW_CRS = "write wgs84, gcj02, bd09, plane or epsg:NUMBER"
POINT_COLUMNS = (
    Column("lat", "float", "Latitude, for wgs84, gcj02 and bd09.", "degrees", optional=True),
    Column("lon", "float", "Longitude, for wgs84, gcj02 and bd09.", "degrees", optional=True),
    Column("x_m", "float", "East, for plane and projected systems.", "m", optional=True),
    Column("y_m", "float", "North, for plane and projected systems.", "m", optional=True),
    Column("crs", "str", "What the coordinates are in; empty: as `crs` of city.yaml says.", optional=True),
)


def points_of(
    table: Table, default_crs: str, plane: Plane, problems: Problems, *, optional: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (x_m, y_m) of each row, whole metres of the plane, NaN where there is no point or it has a fault.

    `optional`: a row may give no point at all.
    """
    x_m, y_m = np.full(table.n_rows, np.nan), np.full(table.n_rows, np.nan)
    for i in range(table.n_rows):
        crs, row = str(table["crs"][i] or default_crs).lower(), table.row_number(i)
        if not is_crs(crs):
            problems.add(table.where, "(crs) is not known", value=table["crs"][i], row=row, mend=HOW_CRS)
            continue
        wanted = ("lat", "lon") if crs in GEOGRAPHIC else ("x_m", "y_m")
        given = [name for name in ("lat", "lon", "x_m", "y_m") if not math.isnan(table[name][i])]
        if not given and optional:
            continue
        if tuple(given) != wanted:
            rule = f"crs {crs} takes {' and '.join(wanted)} and nothing else; given: {', '.join(given) or 'nothing'}"
            problems.add(table.where, rule, row=row, mend="give that pair, or declare another crs")
            continue
        first, second = (float(table[name][i]) for name in wanted)
        found = placed(crs, first, second, plane, table.where, row, problems)
        if found is not None:
            x_m[i], y_m[i] = found
    return x_m, y_m


def placed(
    crs: Crs, first: float, second: float, plane: Plane, where: str, row: int | None, problems: Problems
) -> tuple[int, int] | None:
    """Return (x_m, y_m) of one point, or None after adding what is wrong with it.

    `first`, `second`: latitude and longitude where the system is geographic, else east and north in metres.
    """
    shown = f"{first:g}, {second:g}"
    if crs in GEOGRAPHIC and not (abs(first) <= 90 and abs(second) <= 180):
        if abs(first) <= 180 and abs(second) <= 90:
            problems.add(where, "(lat, lon) are swapped", value=shown, row=row, mend="exchange lat and lon")
        else:
            rule = f"(lat, lon) are no degrees, as crs {crs} wants them; they look like metres"
            problems.add(where, rule, value=shown, row=row, mend="declare plane or epsg:NUMBER and give x_m and y_m")
        return None
    found = _on_plane(crs, first, second, plane)
    if found is not None and math.hypot(*found) <= FARTHEST_M:
        return found
    other = _on_plane(crs, second, first, plane)
    names = "lat, lon" if crs in GEOGRAPHIC else "x_m, y_m"
    if other is not None and math.hypot(*other) <= FARTHEST_M:
        rule, mend = f"({names}) are swapped", f"exchange {names.replace(', ', ' and ')}"
        problems.add(where, rule, value=shown, row=row, mend=mend)
        return None
    if crs not in GEOGRAPHIC and _on_plane("wgs84", first, second, plane) is not None and abs(first) <= 90:
        rule, mend = f"({names}) look like degrees, crs {crs} wants metres", "declare wgs84, gcj02 or bd09"
    elif found is None:
        rule, mend = f"({names}) is no place that crs {crs} has", "look at the crs and the coordinates"
    else:
        away = math.hypot(*found) / 1000
        rule = f"({names}) lies {away:.0f} km from the origin of the city's plane"
        mend = f"look at the crs ({crs}), and at lat0 and lon0 of city.yaml"
    problems.add(where, rule, value=shown, row=row, mend=mend)
    return None


def _on_plane(crs: Crs, first: float, second: float, plane: Plane) -> tuple[int, int] | None:
    if crs == PLANE:
        return math.floor(first + 0.5), math.floor(second + 0.5)
    degrees = to_wgs84(crs, first, second)
    return None if degrees is None else plane.xy_m(*degrees)
