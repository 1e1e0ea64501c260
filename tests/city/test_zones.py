"""The index of zones finds the nearest one to any point, whatever the zones lie like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.city.zones import index_zones
from sim.errors import InputError

points = st.tuples(st.integers(-300, 300), st.integers(-40, 40))


@given(zones=st.lists(points, min_size=1, max_size=12), data=st.data())
def test_the_nearest_zone_to_any_point_between_them_is_among_its_candidates(zones, data):
    x, y = np.array(zones).T
    index = index_zones(x, y)
    for _ in range(20):
        at_x, at_y = data.draw(st.integers(int(x.min()), int(x.max()))), data.draw(st.integers(y.min(), y.max()))
        square = (x - at_x) ** 2 + (y - at_y) ** 2
        candidates = index.candidates(at_x, at_y)
        assert candidates == sorted(candidates)
        assert set(np.flatnonzero(square == square.min()).tolist()) <= set(candidates)


def test_a_city_of_thousands_of_zones_has_few_candidates_anywhere():
    chance = np.random.Generator(np.random.PCG64(5))
    x, y = chance.integers(0, 40_000, 2000), chance.integers(0, 40_000, 2000)
    index = index_zones(x, y)
    assert index.square.size < 4 * 2000
    assert index.near[0] < 20


def test_a_single_zone_is_nearest_everywhere():
    assert index_zones(np.array([7]), np.array([-3])).square.tolist() == [[0]]


@pytest.mark.parametrize(("x", "rule"), [([], "1 to 30000"), ([0, 30_000_000], "apart")])
def test_no_zones_and_zones_that_cannot_be_on_one_plane_are_refused(x, rule):
    with pytest.raises(InputError, match=rule):
        index_zones(np.array(x), np.zeros(len(x)))
