"""The arithmetic behind schematic cells, against hand-made cases and independent solvers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from sim.city import Cells, Plane
from sim.city.borders import touching_cells
from sim.city.diagram import lattice, n_pieces, outline, power_diagram, squared_distances
from sim.city.people import largest_remainder, spread_people
from sim.city.settings import metres_per_degree


def test_power_diagram_gives_each_town_its_number_on_a_line() -> None:
    x = np.arange(6, dtype=np.int64) * 1000
    squared = squared_distances(x, x * 0, np.array([0, 5000]), np.array([0, 0]))
    assert power_diagram(squared, np.array([2, 4])).tolist() == [0, 0, 1, 1, 1, 1]
    assert power_diagram(squared, np.array([5, 1])).tolist() == [0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_power_diagram_is_the_cheapest_assignment(seed: int) -> None:
    rng = np.random.RandomState(seed)  # legacy stream, frozen by numpy
    centre_x, centre_y = rng.randint(0, 12_000, size=(2, 5))
    x, y = lattice(np.array([0, 11_000]), np.array([0, 11_000]), 0, 1000)
    n_wanted = largest_remainder(len(x), rng.randint(1, 9, size=5).astype(float))
    squared = squared_distances(x, y, centre_x, centre_y)
    town = power_diagram(squared, n_wanted)
    assert np.bincount(town, minlength=5).tolist() == n_wanted.tolist()
    slots = np.repeat(np.arange(5), n_wanted)
    rows, columns = linear_sum_assignment(squared[:, slots].astype(float))
    dearer = squared[np.arange(len(x)), town].sum() - squared[rows, slots[columns]].sum()
    assert 0 <= dearer < len(x)  # ties are broken by less than 1 m2 a square


def test_power_diagram_settles_where_squares_are_mirror_images() -> None:
    x, y = lattice(np.array([500, 4500]), np.array([500, 500]), 2000, 1000)
    squared = squared_distances(x, y, np.array([500, 4500]), np.array([500, 500]))
    assert np.bincount(power_diagram(squared, np.array([len(x) - 7, 7]))).tolist() == [len(x) - 7, 7]


def test_power_diagram_refuses_numbers_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="3 squares wanted of 2"):
        power_diagram(np.zeros((2, 2), dtype=np.int64), np.array([1, 2]))


def test_outline_of_one_town_is_a_disc_of_its_area() -> None:
    x, y = lattice(np.array([500]), np.array([500]), 20_000, 1000)
    squared = squared_distances(x, y, np.array([500]), np.array([500]))
    inside = outline(squared, np.array([81e6]), 81, 0.8)
    assert len(inside) == 81
    assert squared[inside].max() <= np.delete(squared[:, 0], inside).min()


def test_lattice_squares_have_their_corners_on_whole_cells_and_reach_far_enough() -> None:
    x, y = lattice(np.array([-250, 3100]), np.array([40, 40]), 1500, 1000)
    assert set(x % 1000) == {500}
    assert set(y % 1000) == {500}
    assert (x.min(), x.max()) == (-1500, 4500)
    assert (np.diff(x[:3]) == 1000).all()
    assert y[0] == y[1]


def test_pieces_are_joined_through_sides_not_corners() -> None:
    x = np.array([0, 1000, 2000, 3000])
    assert n_pieces(x, np.array([0, 0, 1000, 1000]), 1000) == 2
    assert n_pieces(x, np.zeros(4, dtype=int), 1000) == 1


@given(st.integers(0, 10**7), st.lists(st.floats(0.001, 1e6), min_size=1, max_size=40))
def test_largest_remainder_sums_exactly_and_stays_within_one_of_the_share(total: int, weights: list[float]) -> None:
    shares = largest_remainder(total, np.array(weights))
    assert shares.sum() == total
    exact = total * np.array(weights) / math.fsum(weights)
    assert np.all(np.abs(shares - exact) <= 1 + 1e-6)


def test_largest_remainder_gives_the_odd_one_to_the_first_of_equals() -> None:
    assert largest_remainder(7, np.ones(3)).tolist() == [3, 2, 2]
    assert largest_remainder(0, np.ones(2)).tolist() == [0, 0]


def test_people_fall_by_a_factor_e_per_scale_and_the_rural_share_is_even() -> None:
    dist = np.array([0.0, 2000.0, 9000.0, 4000.0])
    people, is_built_up = spread_people(1000, dist, 2, 2000.0, 0.1)
    assert is_built_up.tolist() == [True, True, False, False]
    first = 900 / (1 + math.exp(-1))  # 657.96
    assert people.tolist() == [658, 242, 50, 50]
    assert abs(people[0] - first) < 1


def test_a_town_built_up_to_its_border_has_no_rural_people() -> None:
    people, is_built_up = spread_people(10, np.array([0.0, 0.0]), 2, 2000.0, 0.5)
    assert people.tolist() == [5, 5]
    assert is_built_up.all()


def test_plane_gives_whole_metres_and_comes_back() -> None:
    plane = Plane(22.95, 113.85, 110743.3, 102560.4)
    assert plane.xy_m(22.95, 113.85) == (0, 0)
    assert plane.xy_m(22.96, 113.84) == (-1026, 1107)  # -0.01 x 102560.4 = -1025.6; 0.01 x 110743.3 = 1107.4
    lat, lon = plane.lat_lon(-1026, 1107)
    assert abs(lat - 22.96) < 1e-5
    assert abs(lon - 113.84) < 1e-5


def test_length_of_a_degree_agrees_with_the_radii_of_the_ellipsoid() -> None:
    a, e2 = 6_378_137.0, 0.00669437999014
    for lat in (0.0, 22.95, 60.0):
        s = math.sin(math.radians(lat))
        meridian = a * (1 - e2) / (1 - e2 * s * s) ** 1.5
        parallel = a * math.cos(math.radians(lat)) / math.sqrt(1 - e2 * s * s)
        along_meridian, along_parallel = metres_per_degree(lat)
        assert abs(along_meridian - math.radians(meridian)) < 1
        assert abs(along_parallel - math.radians(parallel)) < 1


def _strip(towns: list[int], xs: list[int], ys: list[int]) -> Cells:
    n = len(towns)
    zeros = np.zeros(n, dtype=np.int32)
    return Cells(
        np.array(towns, dtype=np.int16),
        np.array(xs, dtype=np.int32),
        np.array(ys, dtype=np.int32),
        np.full(n, 1_000_000, dtype=np.int32),
        zeros,
        zeros.astype(np.bool_),
        zeros.astype(np.int8),
    )


def test_touching_cells_are_side_by_side_and_sorted_along_the_border() -> None:
    cells = _strip([0, 0, 0, 1, 1, 1], [500, 500, 500, 1500, 1500, 1500], [500, 1500, 2500, 500, 1500, 2500])
    along = touching_cells(cells, 0, 1, 1000).tolist()
    assert along in ([[0, 3], [1, 4], [2, 5]], [[2, 5], [1, 4], [0, 3]])


def test_towns_that_touch_at_a_corner_or_not_at_all_have_one_nearest_pair() -> None:
    corner = _strip([0, 0, 1], [500, 500, 1500], [500, 1500, 2500])
    assert touching_cells(corner, 0, 1, 1000).tolist() == [[1, 2]]
    apart = _strip([0, 0, 1], [500, 500, 8500], [500, 1500, 500])
    assert touching_cells(apart, 0, 1, 1000).tolist() == [[0, 2]]
