"""Reference systems of coordinates, to WGS84 degrees: WGS84 itself, China's GCJ-02 and BD-09, and EPSG codes.

GCJ-02 shifts WGS84 by a few hundred metres along a formula that its office never published; the one below is the public
reconstruction that open-source converters share (`eviltransform` and `gcoord` agree in it), within mainland China
only. BD-09 is a second shift on top of GCJ-02, published with the map service's own client code. The way back has no
closed form: it is found by fixed-point iteration until the forward formula gives the point again.

Error: the way back meets the way there within a millimetre (a test holds it). The reconstruction itself is good to
about a metre or two against what devices and services give; nobody outside can say better. EPSG codes are converted by
PROJ, whose own error is below a metre for the projections in use; shifts of datum depend on the code.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pyproj import Transformer

Crs: TypeAlias = str
WGS84 = "wgs84"
GEOGRAPHIC = (WGS84, "gcj02", "bd09")
"""Systems in degrees, given as latitude and longitude."""
PLANE = "plane"
"""Metres of the city's own plane."""
EPSG = "epsg:"

_AXIS_M = 6_378_245.0
_E2 = 0.00669342162296594323
"""Krassowsky 1940: half axis, m, and squared eccentricity."""
_MAINLAND = (0.8293, 55.8271, 72.004, 137.8347)
"""Least and greatest latitude and longitude in which GCJ-02 shifts anything."""
_BD_FACTOR = math.pi * 3000.0 / 180.0
_MOST_ROUNDS = 50
_CLOSE_DEG = 1e-12


def is_crs(crs: Crs) -> bool:
    """Return whether a text names a system that can be converted."""
    if crs in GEOGRAPHIC or crs == PLANE:
        return True
    return crs.startswith(EPSG) and crs[len(EPSG) :].isdigit() and transformer(crs) is not None


def to_wgs84(crs: Crs, first: float, second: float) -> tuple[float, float] | None:
    """Return (lat, lon), WGS84 degrees, of a point in `crs`; None where the system has no such point.

    `first`, `second`: latitude and longitude of a geographic system, else east and north in metres.
    """
    if crs == WGS84:
        return first, second
    if crs in GEOGRAPHIC:
        lat, lon = bd09_to_gcj02(first, second) if crs == "bd09" else (first, second)
        return gcj02_to_wgs84(lat, lon) if is_in_mainland(lat, lon) else None
    found = transformer(crs)
    if found is None:
        return None
    lon, lat = found.transform(first, second)
    return (float(lat), float(lon)) if math.isfinite(lat) and math.isfinite(lon) else None


@lru_cache(maxsize=16)
def transformer(crs: Crs) -> Transformer | None:
    """Return what converts (east, north) of a projected EPSG code to (lon, lat), None for no such code."""
    from pyproj import CRS, Transformer
    from pyproj.exceptions import CRSError

    try:
        system = CRS.from_epsg(int(crs[len(EPSG) :]))
    except CRSError:
        return None
    return Transformer.from_crs(system, 4326, always_xy=True) if system.is_projected else None


def is_in_mainland(lat: float, lon: float) -> bool:
    """Return whether GCJ-02 shifts a point at all."""
    south, north, west, east = _MAINLAND
    return south <= lat <= north and west <= lon <= east


def wgs84_to_gcj02(lat: float, lon: float) -> tuple[float, float]:
    """Return (lat, lon) in GCJ-02 of a WGS84 point in mainland China."""
    x, y = lon - 105.0, lat - 35.0
    root = math.sqrt(abs(x))
    common = (20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common
    north += (20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    north += (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common
    east += (20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    east += (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2.0 / 3.0
    phi = math.radians(lat)
    w2 = 1.0 - _E2 * math.sin(phi) ** 2
    d_lat = north * 180.0 / (_AXIS_M * (1.0 - _E2) / (w2 * math.sqrt(w2)) * math.pi)
    d_lon = east * 180.0 / (_AXIS_M / math.sqrt(w2) * math.cos(phi) * math.pi)
    return lat + d_lat, lon + d_lon


def gcj02_to_bd09(lat: float, lon: float) -> tuple[float, float]:
    """Return (lat, lon) in BD-09 of a GCJ-02 point."""
    length = math.hypot(lon, lat) + 0.00002 * math.sin(lat * _BD_FACTOR)
    angle = math.atan2(lat, lon) + 0.000003 * math.cos(lon * _BD_FACTOR)
    return length * math.sin(angle) + 0.006, length * math.cos(angle) + 0.0065


def gcj02_to_wgs84(lat: float, lon: float) -> tuple[float, float]:
    """Return the WGS84 point that `wgs84_to_gcj02` takes to (lat, lon)."""
    return _back(wgs84_to_gcj02, lat, lon)


def bd09_to_gcj02(lat: float, lon: float) -> tuple[float, float]:
    """Return the GCJ-02 point that `gcj02_to_bd09` takes to (lat, lon)."""
    return _back(gcj02_to_bd09, lat, lon)


def _back(forward: object, lat: float, lon: float) -> tuple[float, float]:
    """Return the point that `forward` takes to (lat, lon): what is missing is added until nothing is."""
    assert callable(forward)
    found_lat, found_lon = lat, lon
    for _ in range(_MOST_ROUNDS):
        there_lat, there_lon = forward(found_lat, found_lon)
        found_lat, found_lon = found_lat + lat - there_lat, found_lon + lon - there_lon
        if max(abs(lat - there_lat), abs(lon - there_lon)) < _CLOSE_DEG:
            break
    return found_lat, found_lon
