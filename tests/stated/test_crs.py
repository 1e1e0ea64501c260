"""Reference systems: published examples, the way back, and slips that are told as what they are."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.city.crs import (
    bd09_to_gcj02,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    is_crs,
    to_wgs84,
    wgs84_to_gcj02,
)
from sim.city.points import placed
from sim.city.settings import metres_per_degree
from sim.city.types import Plane
from sim.errors import Problems

GUANGDONG = Plane(22.95, 113.85, *metres_per_degree(22.95))
M_PER_DEG = 111_000.0


@pytest.mark.parametrize(
    ("wgs", "gcj"),
    [  # examples that the open-source converters eviltransform and coordtransform are tested with
        ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
        ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
        ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
        ((39.915, 116.404), (39.91640428150164, 116.41024449916938)),
    ],
)
def test_gcj02_is_the_formula_that_open_converters_share(wgs, gcj):
    assert wgs84_to_gcj02(*wgs) == pytest.approx(gcj, abs=1e-12)
    assert to_wgs84("gcj02", *gcj) == pytest.approx(wgs, abs=1e-10)


def test_bd09_is_the_formula_that_open_converters_share():
    assert gcj02_to_bd09(39.915, 116.404) == pytest.approx((39.92133699351021, 116.41036949371029), abs=1e-12)


@pytest.mark.parametrize(("there", "back"), [(wgs84_to_gcj02, gcj02_to_wgs84), (gcj02_to_bd09, bd09_to_gcj02)])
def test_the_way_back_meets_the_way_there_within_a_millimetre_all_over_the_mainland(there, back):
    worst_m = 0.0
    for lat in np.arange(18.0, 54.0, 1.7):
        for lon in np.arange(73.5, 135.0, 1.9):
            again = back(*there(float(lat), float(lon)))
            worst_m = max(worst_m, math.hypot(again[0] - lat, again[1] - lon) * M_PER_DEG)
    assert worst_m < 0.001


def test_an_undeclared_shift_would_be_hundreds_of_metres():
    x, y = GUANGDONG.xy_m(*wgs84_to_gcj02(22.95, 113.85))
    assert 300 < math.hypot(x, y) < 700


def test_a_projected_code_takes_east_and_north():
    assert to_wgs84("epsg:32649", 500_000.0, 0.0) == pytest.approx((0.0, 111.0), abs=1e-9)
    lat, lon = to_wgs84("epsg:4547", 500_000.0, 2_538_000.0)  # CGCS2000, Gauss-Kruger round 114 E
    assert (round(lat, 2), lon) == (22.94, pytest.approx(114.0, abs=1e-9))


@pytest.mark.parametrize("crs", ["wgs48", "epsg:", "epsg:0", "epsg:4490", "32649", "EPSG32649"])
def test_what_names_no_system_of_metres_or_of_ours_is_none(crs):
    assert not is_crs(crs)


@pytest.mark.parametrize(
    ("crs", "first", "second", "rule"),
    [
        ("wgs84", 113.85, 22.95, "(lat, lon) are swapped"),
        ("gcj02", 113.85, 22.95, "(lat, lon) are swapped"),
        ("wgs84", 2_538_000.0, 484_000.0, "(lat, lon) are no degrees, as crs wgs84 wants them; they look like metres"),
        ("epsg:4547", 2_538_000.0, 484_000.0, "(x_m, y_m) are swapped"),
        ("epsg:4547", 22.95, 113.85, "(x_m, y_m) look like degrees, crs epsg:4547 wants metres"),
        ("wgs84", 31.2, 121.5, "(lat, lon) lies 1"),
        ("bd09", 48.85, 2.35, "(lat, lon) is no place that crs bd09 has"),
    ],
)
def test_a_slip_is_told_as_what_it_is_and_gives_no_place(crs, first, second, rule):
    problems = Problems()
    assert placed(crs, first, second, GUANGDONG, "stations.csv", 2, problems) is None
    assert [problem.rule[: len(rule)] for problem in problems.found] == [rule]


def test_all_systems_put_one_place_on_one_metre():
    gcj = wgs84_to_gcj02(22.96, 113.8)
    from pyproj import Transformer

    east, north = Transformer.from_crs(4326, 32649, always_xy=True).transform(113.8, 22.96)
    expected = GUANGDONG.xy_m(22.96, 113.8)
    given = {"wgs84": (22.96, 113.8), "gcj02": gcj, "bd09": gcj02_to_bd09(*gcj), "epsg:32649": (east, north)}
    for crs, pair in {**given, "plane": tuple(map(float, expected))}.items():
        problems = Problems()
        found = placed(crs, *pair, GUANGDONG, "x", None, problems)
        assert found is not None, problems.found
        assert max(abs(found[0] - expected[0]), abs(found[1] - expected[1])) <= 1
