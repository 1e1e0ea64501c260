"""Areas as polygons of a GeoJSON file, and the squares of a lattice that lie in them.

Each feature is one area: a Polygon or MultiPolygon with the properties `area` (its code), `residents`, and maybe
`name_zh`, `name_en` and `built_up_km2`. Coordinates are longitude, latitude in the `crs` of `city.yaml` (GeoJSON itself
knows only WGS84; a `crs` of metres takes them as east, north). A square belongs to the area whose polygon holds its
middle, by the even-odd rule, so holes are left out; where polygons overlap, to the first. An area too small to hold
any middle gets the free square nearest to its own middle, so that none is lost.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.city.crs import GEOGRAPHIC
from sim.city.points import placed
from sim.city.types import Plane
from sim.errors import Problems, nearest_name

Ring = NDArray[np.float64]
"""(n_corners, 2) x and y in m, the last corner like the first."""
MAX_SHOWN = 5
_TEXTS = ("name_zh", "name_en")


@dataclass(frozen=True, slots=True)
class Polygons:
    """Areas with their rings: (n_areas,) each. -1 residents and NaN built-up area where nothing is said."""

    code: tuple[str, ...]
    name_zh: tuple[str, ...]
    name_en: tuple[str, ...]
    residents: NDArray[np.int64]
    built_up_km2: NDArray[np.float64]
    rings: tuple[tuple[Ring, ...], ...]

    @property
    def area_m2(self) -> NDArray[np.float64]:
        """Area of each, m2: outer rings less holes."""
        return np.array([abs(sum(_signed_m2(ring, i) for i, ring in enumerate(rings))) for rings in self.rings])


def _signed_m2(ring: Ring, place: int) -> float:
    """Return the area of a ring, m2, by the shoelace formula; holes, wound the other way, count less than zero."""
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
    return 0.5 * float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))


def read_polygons(path: Path, crs: str, plane: Plane, problems: Problems) -> Polygons | None:
    """Return the areas of a GeoJSON file, or None after adding everything wrong with it."""
    n_before = len(problems.found)
    features = _features(path, problems)
    codes, rings = [], []
    for number, feature in enumerate(features, 1):
        where = f"{path.name} feature {number}"
        given = _properties_of(feature)
        codes.append(_code_of(given, where, problems))
        rings.append(_rings_of(feature.get("geometry"), crs, plane, where, problems))
    for code in sorted({code for code in codes if code and codes.count(code) > 1}):
        problems.add(path.name, "(area) names two features", value=code, mend="join them into one MultiPolygon")
    properties = [_properties_of(feature) for feature in features]
    residents = [
        _number(given, "residents", path.name, i, problems, is_needed=True) for i, given in enumerate(properties, 1)
    ]
    built_up = [_number(given, "built_up_km2", path.name, i, problems) for i, given in enumerate(properties, 1)]
    if len(problems.found) > n_before or not features:
        return None
    name_zh, name_en = (
        tuple(str(given.get(name) or code) for given, code in zip(properties, codes, strict=True)) for name in _TEXTS
    )
    people = np.array(residents).astype(np.int64)
    return Polygons(tuple(codes), name_zh, name_en, people, np.array(built_up), tuple(rings))


def corners_of(path: Path, crs: str) -> list[tuple[float, float]]:
    """Return every corner of a faultless file: latitude and longitude of a geographic system, else east and north."""
    found = []
    for feature in _features(path, Problems()):
        shape = feature["geometry"]
        parts = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
        found += [(float(corner[0]), float(corner[1])) for part in parts for ring in part for corner in ring]
    return [(north, east) for east, north in found] if crs in GEOGRAPHIC else found


def _features(path: Path, problems: Problems) -> list[dict[str, Any]]:
    try:
        content = json.loads(_text_of(path))
    except (OSError, RecursionError, ValueError) as error:
        problems.add(path.name, f"cannot be read as GeoJSON ({error})", mend="save it as GeoJSON in UTF-8")
        return []
    found = content.get("features") if isinstance(content, dict) else None
    if not isinstance(found, list) or not found or not all(isinstance(feature, dict) for feature in found):
        problems.add(path.name, "is no FeatureCollection with features", mend="give one feature per area")
        return []
    return found


def _text_of(path: Path) -> str:
    """Return a file's text, UTF-8 with or without a mark, or GB18030."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")


def _properties_of(feature: dict[str, Any]) -> dict[str, Any]:
    given = feature.get("properties")
    return given if isinstance(given, dict) else {}


def _code_of(given: dict[str, Any], where: str, problems: Problems) -> str:
    """Return the code of an area; a whole number, as many files have it, is taken as its digits."""
    code = given.get("area")
    if isinstance(code, int) and not isinstance(code, bool):
        return str(code)
    if not isinstance(code, str) or not code:
        is_other = given and "area" not in given
        mend = nearest_name("area", [str(key) for key in given]) if is_other else 'add "area": "CODE"'
        problems.add(where, "has no property area, which is its code", value=code or None, mend=mend)
        return ""
    return code


def _number(
    given: dict[str, Any], name: str, file: str, number: int, problems: Problems, *, is_needed: bool = False
) -> float:
    value = given.get(name)
    if value is None and not is_needed:
        return math.nan
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    found = float(value) if is_number else math.nan  # type: ignore[arg-type]
    if not (math.isfinite(found) and found >= 0) or (name == "residents" and found != int(found)):
        kind = "a whole number of people" if name == "residents" else "a number of km2"
        problems.add(f"{file} feature {number}", f"(properties.{name}) must be {kind}", value=value, mend="give it")
        return 0.0
    return found


def _rings_of(geometry: Any, crs: str, plane: Plane, where: str, problems: Problems) -> tuple[Ring, ...]:
    """Return all rings of a geometry on the plane, outer ones wound one way and holes the other."""
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        problems.add(where, "must be a Polygon or MultiPolygon", value=kind, mend="give the area's outline")
        return ()
    coordinates = geometry.get("coordinates")
    parts = coordinates if kind == "MultiPolygon" else [coordinates]
    if not isinstance(parts, list) or not parts or not all(isinstance(part, list) and part for part in parts):
        mend = "give the area's outline"
        problems.add(where, "has no rings in its coordinates", mend=mend)
        return ()
    found: list[Ring] = []
    for part in parts:
        for place, ring in enumerate(part):
            corners = _corners(ring, crs, plane, where, problems)
            if corners is None:
                return ()
            is_hole = place > 0
            found.append(corners[::-1] if (_signed_m2(corners, 0) < 0) != is_hole else corners)
    if not sum(_signed_m2(ring, 0) for ring in found) > 0:
        problems.add(where, "has an outline that holds no area", mend="give it corners that lie apart")
        return ()
    return tuple(found)


def _corners(ring: Any, crs: str, plane: Plane, where: str, problems: Problems) -> Ring | None:
    try:
        pairs = [(float(corner[0]), float(corner[1])) for corner in ring]
    except (TypeError, ValueError, IndexError):
        problems.add(where, "has a ring that is no list of number pairs", mend="write [[lon, lat], …]")
        return None
    if not all(math.isfinite(value) for pair in pairs for value in pair):
        problems.add(where, "has a corner that is no finite number", mend="write [[lon, lat], …]")
        return None
    if len(pairs) < 4 or pairs[0] != pairs[-1]:
        problems.add(where, "has a ring that is not closed", value=len(pairs), mend="end it with its first corner")
        return None
    out = []
    for east, north in pairs:
        first, second = (north, east) if crs in GEOGRAPHIC else (east, north)
        point = placed(crs, first, second, plane, where, None, problems)
        if point is None:
            return None
        out.append(point)
    return np.array(out, dtype=np.float64)


def squares_of(
    polygons: Polygons, cell_m: int, where: str, problems: Problems
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return (x_m, y_m, area) of the cells, row by row from the south-west: (n_cells,) int64 each.

    Corners lie on whole multiples of `cell_m`. An area that others cover wholly is a problem.
    """
    corners = np.concatenate([ring for rings in polygons.rings for ring in rings])
    low = np.floor(corners.min(axis=0) / cell_m).astype(np.int64) - 1
    high = np.floor(corners.max(axis=0) / cell_m).astype(np.int64) + 1
    xs = np.arange(low[0], high[0] + 1) * cell_m + cell_m // 2
    ys = np.arange(low[1], high[1] + 1) * cell_m + cell_m // 2
    x_m, y_m = np.tile(xs, len(ys)), np.repeat(ys, len(xs))
    area = np.full(len(x_m), -1, dtype=np.int64)
    for number, rings in enumerate(polygons.rings):
        inside = is_inside(x_m, y_m, rings)
        taken = area[inside]
        if len(taken) and np.all(taken >= 0):
            first = polygons.code[int(taken[0])]
            rule = f"(area) lies wholly within areas that stand before it, {first!r} for one"
            problems.add(where, rule, value=polygons.code[number], mend="mend the polygons: they must not overlap")
        area[inside & (area < 0)] = number
    for number, rings in enumerate(polygons.rings):
        if not np.any(area == number):
            middle = np.concatenate(rings).mean(axis=0)
            squares = (x_m - middle[0]) ** 2 + (y_m - middle[1]) ** 2
            is_free = (area < 0) | (np.bincount(area[area >= 0], minlength=len(polygons.code))[area] > 1)
            area[int(np.argmin(np.where(is_free, squares, np.inf)))] = number
    kept = np.flatnonzero(area >= 0)
    return x_m[kept], y_m[kept], area[kept]


def is_inside(x_m: NDArray[np.int64], y_m: NDArray[np.int64], rings: tuple[Ring, ...]) -> NDArray[np.bool_]:
    """Return (n,) whether each point lies inside an odd number of rings (ray to the east, edges half open)."""
    inside = np.zeros(len(x_m), dtype=np.bool_)
    for ring in rings:
        for (x0, y0), (x1, y1) in pairwise(ring):
            if y0 == y1:
                continue
            crosses = (y0 > y_m) != (y1 > y_m)
            inside ^= crosses & (x_m < (x1 - x0) * (y_m - y0) / (y1 - y0) + x0)
    return inside
