"""Reads `city.yaml` into checked settings, adding every fault to a list of problems."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

from sim.city.crs import is_crs
from sim.city.schemas import CitySettings
from sim.city.types import Plane
from sim.config import Group, checked, read_yaml
from sim.errors import Problems, nearest_name
from sim.tables import STANDINGS

_SCALE_TOLERANCE = 0.001
SMALLEST_CELL_M = 50
_SCHEMA = Group("", "sim.city.schemas:CitySettings")


def read_settings(folder: Path, problems: Problems) -> CitySettings | None:
    """Return the settings in `folder/city.yaml`, or None when they cannot be used; faults go to `problems`."""
    path = folder / "city.yaml"
    if not path.is_file():
        problems.add(str(path), "does not exist", mend="give the path of a city folder, which holds city.yaml")
        return None
    n_before = len(problems.found)
    content = read_yaml(path, problems)
    if len(problems.found) > n_before:
        return None
    settings: CitySettings | None = checked(_SCHEMA, content, {"": path.name}, problems)
    if settings is not None:
        _check(settings, problems)
    return settings if len(problems.found) == n_before else None


def _check(settings: CitySettings, problems: Problems) -> None:
    """Check what single fields cannot say: the epoch, the length of a degree, repeated kinds, words of standing."""
    try:
        date.fromisoformat(settings.epoch)
    except ValueError:
        problems.add("city.yaml", "(epoch) must be a day", value=settings.epoch, mend="write YYYY-MM-DD")
    plane = settings.plane
    for name, given, expected in zip(
        ("m_per_deg_lat", "m_per_deg_lon"),
        (plane.m_per_deg_lat, plane.m_per_deg_lon),
        metres_per_degree(plane.lat0),
        strict=True,
    ):
        if given is not None and abs(given / expected - 1) > _SCALE_TOLERANCE:
            rule = f"(plane.{name}) is not the length of a degree at lat0"
            problems.add("city.yaml", rule, value=given, mend=f"write {expected:.1f}")
    if 0 < settings.cell_m < SMALLEST_CELL_M:
        rule, mend = f"(cell_m) is below {SMALLEST_CELL_M} m", "make cells larger, or leave it out"
        problems.add("city.yaml", rule, value=settings.cell_m, mend=mend)
    if not is_crs(settings.crs):
        mend = "write wgs84, gcj02, bd09, plane or epsg:NUMBER"
        problems.add("city.yaml", "(crs) is not known", value=settings.crs, mend=mend)
    codes = [kind.code for kind in settings.site_kinds]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        problems.add("city.yaml", "(site_kinds) stands twice", value=code, mend="keep one of them")
    build = settings.build
    numbers = [] if build is None else [build.outline_spread, build.density_scale_m, build.rural_share]
    for standing in [kind.standing for kind in settings.site_kinds] + [number.standing for number in numbers]:
        if standing not in STANDINGS:
            rule = f"(standing) must be one of {', '.join(STANDINGS)}"
            problems.add("city.yaml", rule, value=standing, mend=nearest_name(standing, STANDINGS))


def plane_of(settings: CitySettings) -> Plane:
    """Return the plane of checked settings."""
    given, lengths = settings.plane, metres_per_degree(settings.plane.lat0)
    return Plane(given.lat0, given.lon0, given.m_per_deg_lat or lengths[0], given.m_per_deg_lon or lengths[1])


def metres_per_degree(lat: float) -> tuple[float, float]:
    """Return the metres in a degree of latitude and of longitude at `lat` degrees on the WGS84 ellipsoid.

    The usual series of the meridian and parallel radii (e.g. US National Geospatial-Intelligence Agency, length of a
    degree calculator), good to centimetres.
    """
    phi = math.radians(lat)
    along_meridian = 111_132.92 - 559.82 * math.cos(2 * phi) + 1.175 * math.cos(4 * phi)
    along_parallel = 111_412.84 * math.cos(phi) - 93.5 * math.cos(3 * phi) + 0.118 * math.cos(5 * phi)
    return along_meridian, along_parallel
