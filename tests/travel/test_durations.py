"""Driving times on cities small enough to work out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.errors import InputError
from sim.travel.durations import MEAN_DISTANCE_IN_SQUARE, between_addresses, durations_from, with_acceleration
from sim.travel.graph import build_graph
from sim.travel.roads import RoadLink, Roads
from sim.travel.settings import Period
from sim.travel.source import build_travel


def table(city, world, roads, period=Period.DAY):
    graph = build_graph(city, roads, world)
    return durations_from(graph, world, period, np.arange(city.cells.n_cells))


def cruise(city, world, roads, start, end, period=Period.DAY):
    """Shortest cruise time by networkx, ms."""
    graph = build_graph(city, roads, world)
    return nx.dijkstra_path_length(graph, start, end, weight=lambda a, b, data: data["ms"][period])


def test_a_line_of_five_cells_takes_the_milliseconds_worked_out_by_hand(make_city, make_settings, plain_roads):
    # A cell is 1500 m of road: 150 s at 10 m/s. Trips of k cells: 150 k + 150 / (12 k) + v / a = 10 s.
    # Inside a cell: 0.5214054 x 150 s + 10 s.
    line = table(make_city(["AAAAA"]), make_settings(), plain_roads)
    assert line[0].tolist() == [88_211, 172_500, 316_250, 464_167, 613_125]
    assert line[2].tolist() == [316_250, 172_500, 88_211, 172_500, 316_250]


def test_a_trip_too_short_for_the_cruise_speed_takes_twice_the_root_of_distance_over_acceleration(
    make_city, make_settings, plain_roads
):
    # At 0.1 m/s2 the speed of 10 m/s is reached after 100 s and 500 m, so that 782 m inside a cell never reach it.
    inside = table(make_city(["AAAAA"]), make_settings(acceleration_ms2=0.1), plain_roads)[0, 0]
    assert inside == round(1000 * 2 * math.sqrt(MEAN_DISTANCE_IN_SQUARE * 1500 / 0.1)) == 176_874


@pytest.mark.parametrize(("dist_m", "expected_s"), [(50, 2 * math.sqrt(50)), (100, 20.0), (101, 20.1), (1000, 110.0)])
def test_acceleration_in_time_equals_its_form_in_distance(dist_m, expected_s):
    # v = 10 m/s, a = 1 m/s2: 2 sqrt(d / a) up to v^2 / a = 100 m, d / v + v / a from there on.
    found = with_acceleration(np.array([dist_m / 10.0 * 1000]), 10_000.0)
    assert found[0] == pytest.approx(expected_s * 1000, rel=1e-12)


def test_random_addresses_of_two_cells_are_as_far_apart_as_the_formula_says():
    points = np.random.default_rng(1).random((400_000, 4))
    for dx, dy in ((1, 0), (1, 1), (2, 0), (3, 1)):
        apart = np.hypot(points[:, 0] - points[:, 2] + dx, points[:, 1] - points[:, 3] + dy)
        formula = between_addresses(np.array([math.hypot(dx, dy)]), 1.0)[0]
        assert apart.mean() == pytest.approx(formula, abs=0.006 + 4 * apart.std() / math.sqrt(len(apart)))
    inside = np.hypot(points[:, 0] - points[:, 2], points[:, 1] - points[:, 3])
    assert inside.mean() == pytest.approx(MEAN_DISTANCE_IN_SQUARE, abs=4 * inside.std() / math.sqrt(len(inside)))
    assert pytest.approx((2 + math.sqrt(2) + 5 * math.log(1 + math.sqrt(2))) / 15) == MEAN_DISTANCE_IN_SQUARE


def test_tables_equal_dijkstra_of_networkx_to_the_millisecond(make_city, make_settings, plain_roads):
    city = make_city(["AAAB.", "AABBB", ".ACCB", "CCCC."], ["AB", "AC", "BC"], ["BC"], [(7, 10)])
    roads = Roads(plain_roads.detour, (RoadLink(0, 1, "arterial", "r"), RoadLink(0, 2, "expressway", "x")))
    world = make_settings(local_kmh=23.7, acceleration_ms2=0.43)
    graph = build_graph(city, roads, world)
    for period in Period:
        found = table(city, world, roads, period)
        tau_a = world.speed_kmh("local", period) / 3.6 / 0.43 * 1000
        cell_ms = math.floor(1500 * 3.6 / world.speed_kmh("local", period) * 1000 + 0.5)
        for start in range(city.cells.n_cells):
            reached = nx.single_source_dijkstra_path_length(graph, start, weight=lambda a, b, d: d["ms"][period])  # noqa: B023
            for end in range(city.cells.n_cells):
                tau = reached[end] + cell_ms**2 / 12 / max(reached[end], cell_ms)
                tau = MEAN_DISTANCE_IN_SQUARE * cell_ms if start == end else tau
                expected = tau + tau_a if tau >= tau_a else 2 * math.sqrt(tau * tau_a)
                assert found[start, end] == math.floor(expected + 0.5)


def test_streets_run_in_eight_directions(make_city, make_settings, plain_roads):
    city = make_city(["AA", "AA"])
    assert cruise(city, make_settings(), plain_roads, 0, 1) == 150_000
    assert cruise(city, make_settings(), plain_roads, 0, 3) == 212_100  # 1500 m x sqrt 2 = 2121 m


def test_the_river_is_crossed_only_at_its_bridge(make_city, make_settings, plain_roads):
    # A lies south of the river, B north; the one bridge joins the east ends, cells 3 and 7.
    city = make_city(["AAAA", "BBBB"], ["AB"], ["AB"], [(3, 7)])
    graph = build_graph(city, plain_roads, make_settings())
    across = [(a, b) for a, b in graph.edges if (a < 4) != (b < 4)]
    assert across == [(3, 7)]
    assert cruise(city, make_settings(), plain_roads, 0, 4) == 7 * 150_000
    assert cruise(make_city(["AAAA", "BBBB"], ["AB"]), make_settings(), plain_roads, 0, 4) == 150_000


def test_towns_that_only_touch_on_the_map_share_no_street(make_city, make_settings, plain_roads):
    # A and C touch, but only A-B and B-C are neighbours in the table.
    city = make_city(["AC", "BB"], ["AB", "BC"])
    assert not build_graph(city, plain_roads, make_settings()).has_edge(0, 1)
    assert cruise(city, make_settings(), plain_roads, 0, 1) == 150_000 + 212_100  # by B, once on a diagonal


def test_pieces_that_no_road_joins_are_listed(make_city, make_settings, plain_roads):
    with pytest.raises(InputError) as caught:
        build_graph(make_city(["AA.B", "AA.C"], ["AB", "AC", "BC"], ["BC"]), plain_roads, make_settings())
    assert str(caught.value).splitlines() == [
        "cells.csv: 'cell 2' (1 cells of B, the first at x 3500 m, y 500 m) cannot be reached by road; "
        "add a bridge, a pair of adjacent towns or a road link",
        "cells.csv: 'cell 5' (1 cells of C, the first at x 3500 m, y 1500 m) cannot be reached by road; "
        "add a bridge, a pair of adjacent towns or a road link",
    ]


def test_cells_off_the_lattice_are_an_error(make_city, make_settings, plain_roads):
    city = make_city(["AAA"])
    city.cells.x_m[1] += 1
    with pytest.raises(InputError, match="cell 1\\) is off the lattice of cell 0"):
        build_graph(city, plain_roads, make_settings())


def test_an_arterial_is_entered_in_every_cell_it_passes(make_city, make_settings, plain_roads):
    # Seats of A and B are cells 0 and 4, 4 km apart: 5000 m of arterial at 20 m/s, 62.5 s a cell.
    city = make_city(["AAAAB"], ["AB"])
    roads = Roads(plain_roads.detour, (RoadLink(0, 1, "arterial", "r"),))
    assert [cruise(city, make_settings(), roads, 0, end) for end in range(1, 5)] == [62_500, 125_000, 187_500, 250_000]
    assert cruise(city, make_settings(), roads, 1, 3) == 125_000


def test_a_given_length_replaces_straight_line_and_detour(make_city, make_settings, plain_roads):
    city = make_city(["AAAAB"], ["AB"])
    roads = Roads(plain_roads.detour, (RoadLink(0, 1, "arterial", "r", 4000.0),))
    assert cruise(city, make_settings(), roads, 0, 4) == 200_000


def test_an_arterial_over_water_takes_the_bridge(make_city, make_settings, plain_roads):
    # Seats are cells 0 and 4, one above the other; the bridge lies 3 km east: 7 km x 1.25 = 8750 m at 20 m/s.
    city = make_city(["AAAA", "BBBB"], ["AB"], ["AB"], [(3, 7)])
    roads = Roads(plain_roads.detour, (RoadLink(0, 1, "arterial", "r"),))
    assert cruise(city, make_settings(), roads, 0, 4) == 437_500
    bare = make_city(["AAAA", "BBBB"], ["AB"], ["AB"])
    with pytest.raises(InputError, match="arterial over water without a bridge"):
        build_graph(bare, roads, make_settings())


def test_an_expressway_costs_its_ramps_once_however_many_towns_it_passes(make_city, make_settings, plain_roads):
    # Seats 10 km apart each; 30 m/s and no detour: 60 s + 2 x 333.333 s + 60 s, without leaving at B.
    city = make_city(["A" * 10 + "B" * 10 + "C"], ["AB", "BC"])
    links = (RoadLink(0, 1, "expressway", "x"), RoadLink(1, 2, "expressway", "x"))
    assert cruise(city, make_settings(), Roads(plain_roads.detour, links), 0, 20) == 60_000 + 2 * 333_333 + 60_000
    apart = (links[0], RoadLink(1, 2, "expressway", "y"))
    assert cruise(city, make_settings(), Roads(plain_roads.detour, apart), 0, 20) == 4 * 60_000 + 2 * 333_333


def test_the_faster_of_two_roads_between_the_same_cells_is_kept(make_city, make_settings, plain_roads):
    roads = Roads(plain_roads.detour, (RoadLink(0, 1, "arterial", "r", 9_000.0),))
    assert cruise(make_city(["AB"], ["AB"]), make_settings(), roads, 0, 1) == 150_000


def test_rush_hours_are_slower_than_the_day_and_the_night_is_faster(make_city, make_settings, plain_roads, tmp_path):
    tables = build_travel(make_city(["AAAA", "AAAA"]), make_settings(), plain_roads, tmp_path)
    night, day, peak = tables.duration_ms
    assert (night < day).all()
    assert (day < peak).all()
    # Night is twice the speed, peak half of it: k cells cruise 75 k or 300 k seconds, starting takes 20 s or 5 s.
    assert (night[0, 1], peak[0, 1]) == (75_000 + 6_250 + 20_000, 300_000 + 25_000 + 5_000)


def test_periods_follow_the_hour_and_the_kind_of_day(make_settings):
    hours = make_settings(weekend_peak_hours=[10]).period_of_hour()
    assert hours.dtype == np.int8
    assert [int(hours[0, h]) for h in (0, 6, 7, 9, 10, 17, 21, 22)] == [0, 0, 2, 1, 1, 2, 1, 0]
    assert [int(hours[1, h]) for h in (0, 6, 7, 9, 10, 17, 21, 22)] == [0, 0, 1, 1, 2, 1, 1, 0]


shapes = st.lists(st.text("AAB.", min_size=5, max_size=5), min_size=3, max_size=5)


@settings(max_examples=25)
@given(rows=shapes, kmh=st.floats(3, 120), acceleration=st.floats(0.05, 5), ramp_s=st.floats(0, 300))
def test_a_detour_over_a_third_cell_never_saves_time(
    make_city, make_settings, plain_roads, rows, kmh, acceleration, ramp_s
):
    rows = ["AAAAA", *rows, "BBBBB"]
    city = make_city([row.replace(".", "B") for row in rows], ["AB"])
    links = (RoadLink(0, 1, "arterial", "r"), RoadLink(0, 1, "expressway", "x"))
    world = make_settings(local_kmh=kmh, arterial_kmh=1.3 * kmh, acceleration_ms2=acceleration, ramp_s=ramp_s)
    found = table(city, world, Roads(plain_roads.detour, links)).astype(np.int64)
    over_third = (found[:, :, None] + found[None, :, :]).min(axis=1)
    is_trip = ~np.eye(len(found), dtype=bool)
    assert (found <= over_third + 1)[is_trip].all()  # one millisecond of rounding


@settings(max_examples=25)
@given(
    speeds=st.tuples(st.floats(5, 60), st.floats(5, 90), st.floats(5, 120)),
    faster=st.tuples(st.floats(1, 1.3), st.floats(1, 1.3), st.floats(1, 1.3)),
)
def test_faster_roads_never_make_a_cruise_longer(make_city, make_settings, plain_roads, speeds, faster):
    city = make_city(["AAAAB", "AAABB", "ABBBB"], ["AB"])
    roads = Roads(plain_roads.detour, (RoadLink(0, 1, "arterial", "r"), RoadLink(0, 1, "expressway", "x")))

    def all_cruise(kmh):
        names = ("local_kmh", "arterial_kmh", "expressway_kmh")
        graph = build_graph(city, roads, make_settings(**dict(zip(names, kmh, strict=True))))
        lengths = nx.all_pairs_dijkstra_path_length(graph, weight=lambda a, b, data: data["ms"][Period.DAY])
        return np.array([[reached[end] for end in range(15)] for _, reached in lengths][:15])

    slow = all_cruise(speeds)
    fast = all_cruise([a * b for a, b in zip(speeds, faster, strict=True)])
    assert (fast <= slow + 15).all()  # each edge is rounded to the millisecond by itself


@settings(max_examples=60)
@given(
    dist_m=st.floats(1, 50_000),
    kmh=st.floats(3, 120),
    acceleration=st.floats(0.05, 5),
    faster=st.floats(1, 2),
    sharper=st.floats(1, 2),
)
def test_a_trip_of_given_length_gets_no_longer_with_speed_or_acceleration(dist_m, kmh, acceleration, faster, sharper):
    def trip_ms(kmh, acceleration):
        return with_acceleration(np.array([dist_m / kmh * 3600]), kmh / 3.6 / acceleration * 1000)[0]

    assert trip_ms(kmh * faster, acceleration) <= trip_ms(kmh, acceleration) * (1 + 1e-12)
    assert trip_ms(kmh, acceleration * sharper) <= trip_ms(kmh, acceleration) * (1 + 1e-12)


def test_tables_of_contiguous_int32_are_the_same_on_every_build(make_city, make_settings, plain_roads, tmp_path: Path):
    city = make_city(["AAAB", "AABB"], ["AB"])
    first = build_travel(city, make_settings(), plain_roads, tmp_path / "a")
    second = build_travel(city, make_settings(), plain_roads, tmp_path / "b")
    assert first.digest == second.digest
    assert first.duration_ms.dtype == np.int32
    assert first.duration_ms.flags.c_contiguous
    assert first.duration_ms.tobytes() == second.duration_ms.tobytes()
    assert not first.duration_ms.flags.writeable
