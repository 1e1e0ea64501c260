"""Which station serves: preferences are found where they are, nothing is found where nearest goes, shares add up."""

from __future__ import annotations

import time

import numpy as np
import pytest

from calibration.fit.choice import choices, passed_over, revealed_order
from tests.calibration.cities import compact
from tests.calibration.cities.dispatch import station_order
from tests.calibration.cities.travel import road_m

EXPECTED_S = np.array([[100.0, 200.0, 400.0]])
XY_M = np.zeros((1, 2))


def calls_of(served, *, expected_s=EXPECTED_S, xy_m=XY_M, zone=None, **flags):
    station = np.asarray(served)
    at = np.zeros(len(station), np.int64) if zone is None else np.asarray(zone)
    return choices(expected_s, xy_m, at, station, np.arange(len(station)) // 5, **flags)


def test_where_the_nearest_always_goes_nothing_is_raised_and_nobody_passed_over():
    seen = calls_of([0] * 30)
    order = revealed_order(seen)
    found = passed_over(seen, order)
    assert order.raised_s.tolist() == EXPECTED_S.tolist()
    assert (order.n_raised, order.affected.value) == (0, 0.0)
    assert found.shares.tolist() == [1, 0, 0, 0]
    assert found.not_nearest.value == 0.0


@pytest.mark.parametrize(
    ("served", "shares", "words"),
    [
        ([0, 0, 0, 0, 0], [1.0, 0.0, 0.0, 0.0], ()),
        ([0, 0, 0, 0, 1], [0.8, 0.2, 0.0, 0.0], ("stations are passed over more in some zones than in others (p 0)",)),
    ],
)
def test_zones_of_which_each_is_always_served_alike_are_told_apart_only_if_they_differ(served, shares, words):
    zone, is_free = np.repeat(np.arange(5), 4), np.ones((20, 3), bool)
    seen = calls_of(
        np.repeat(served, 4),
        zone=zone,
        expected_s=np.repeat(EXPECTED_S, 5, axis=0),
        xy_m=np.zeros((5, 2)),
        is_free=is_free,
    )
    found = passed_over(seen, revealed_order(seen))
    assert found.shares.tolist() == shares
    assert tuple(reason for reason in found.reasons if "some zones" in reason) == words


def test_a_station_beyond_the_river_stands_a_second_behind_the_one_that_serves():
    seen = calls_of([1] * 30, is_free=np.ones((30, 3), bool))
    order = revealed_order(seen)
    assert order.raised_s.tolist() == [[201.0, 200.0, 400.0]]
    assert (order.n_raised, order.n_zones, order.affected.value) == (1, 1, 1.0)
    found = passed_over(seen, order)
    assert found.shares.tolist() == [1, 0, 0, 0]
    assert (found.nearest_not_busy.value, found.nearest_busy.value) == (1.0, 0.0)
    assert found.reasons == ()


def test_two_that_are_raised_behind_one_stand_by_how_often_they_serve():
    # 30 - 4 > 2 sqrt(34) and 30 - 2 > 2 sqrt(32): both behind station 2; station 1 served more of the rest.
    seen = calls_of([2] * 30 + [1] * 4 + [0] * 2)
    assert revealed_order(seen).raised_s.tolist() == [[402.0, 401.0, 400.0]]
    seen = calls_of([2] * 30 + [1] * 2 + [0] * 4)
    assert revealed_order(seen).raised_s.tolist() == [[401.0, 402.0, 400.0]]


@pytest.mark.parametrize(("n_far", "is_raised"), [(17, False), (18, True)])
def test_a_preference_needs_two_standard_errors(n_far, is_raised):
    # against 8: 17 - 8 = 9 < 2 sqrt(25) = 10; 18 - 8 = 10 < 2 sqrt(26) = 10.2; with 7: 18 - 7 = 11 > 10
    n_near = 8 if not is_raised else 7
    order = revealed_order(calls_of([1] * n_far + [0] * n_near))
    assert (order.n_raised == 1) is is_raised


def test_a_busy_nearest_is_no_preference_if_that_is_known_and_looks_like_one_if_not():
    is_free = np.ones((30, 3), bool)
    is_free[:, 0] = False
    known = calls_of([1] * 30, is_free=is_free)
    order = revealed_order(known)
    assert order.n_raised == 0
    found = passed_over(known, order)
    assert (found.shares[0], found.nearest_busy.value, found.nearest_not_busy.value) == (1.0, 1.0, 0.0)
    unknown = calls_of([1] * 30)
    order = revealed_order(unknown)
    found = passed_over(unknown, order)
    assert (order.n_raised, found.nearest_unknown.value, found.for_run) == (1, 1.0, ())
    assert any("not identified" in reason for reason in found.reasons)


def test_a_closed_station_is_not_passed_over():
    is_open = np.ones((30, 3), bool)
    is_open[:, 0] = False
    seen = calls_of([1] * 30, is_open=is_open, is_free=np.ones((30, 3), bool))
    order = revealed_order(seen)
    found = passed_over(seen, order)
    assert (order.n_raised, found.not_nearest.value, found.shares[0]) == (0, 0.0, 1.0)


def test_a_thin_zone_leans_on_its_neighbours_but_not_over_the_border_of_two_stations():
    # Zone 0 (4 calls) and zone 1 (40 calls, 10 m off). In zone 1 the nearest is 0 and station 1 goes: a preference.
    xy_m, zone = np.array([[0.0, 0.0], [10.0, 0.0]]), [0] * 4 + [1] * 40
    alike = np.array([[100.0, 200.0, 400.0], [110.0, 190.0, 400.0]])
    order = revealed_order(calls_of([1] * 44, expected_s=alike, xy_m=xy_m, zone=zone))
    assert order.raised_s.tolist() == [[201, 200, 400], [191, 190, 400]]
    # Where station 1 is the nearest of zone 1, its serving there says nothing of zone 0.
    border = np.array([[100.0, 200.0, 400.0], [200.0, 100.0, 400.0]])
    order = revealed_order(calls_of([0] * 4 + [1] * 40, expected_s=border, xy_m=xy_m, zone=zone))
    assert order.n_raised == 0


def test_shares_are_of_calls_by_number_and_their_errors_by_days():
    seen = calls_of([0] * 70 + [1] * 20 + [2] * 10, is_free=np.ones((100, 3), bool))
    found = passed_over(seen, revealed_order(seen))
    assert found.shares.tolist() == [0.7, 0.2, 0.1, 0.0]
    assert found.for_run == (0.2, 0.1, 0.0)
    # Days of five calls all alike: 20 days, 14 of which pass over nobody; G / (G - 1) sum (5 (c_g - c))^2 / n^2.
    sums = np.repeat([5 * 0.3, -5 * 0.7], [14, 6])
    assert found.se[0] == pytest.approx(np.sqrt(20 / 19 * (sums @ sums)) / 100)
    assert found.reasons == ()


def test_dispatch_at_random_is_said_to_look_random():
    rng = np.random.default_rng(1)
    found_of = calls_of(rng.integers(0, 3, 300), is_free=np.ones((300, 3), bool))
    found = passed_over(found_of, revealed_order(found_of))
    assert any("looks random" in reason for reason in found.reasons)


def test_calls_without_a_station_or_a_way_are_counted_apart():
    expected_s = np.array([[100.0, 200.0, np.inf]])
    seen = calls_of([0] * 20 + [-1] * 3 + [2] * 2, expected_s=expected_s)
    assert (len(seen), seen.n_unknown, seen.n_impossible) == (20, 3, 2)
    found = passed_over(seen, revealed_order(seen))
    assert sum("of 25 calls" in reason for reason in found.reasons) == 2


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"zone": np.array([1])}, "a zone is not among the 1"),
        ({"station": np.array([3])}, "a station is not among the 3"),
        ({"station": np.array([-1])}, "no call says"),
        ({"expected_s": np.array([[-1.0, 2.0, 3.0]])}, "below nought"),
        ({"xy_m": np.zeros((2, 2))}, "for 1 zones"),
        ({"blocks": np.zeros(2, np.int64)}, "one of each per call"),
        ({"is_free": np.ones((1, 2), bool)}, "for 1 calls and 3 stations"),
    ],
)
def test_input_that_does_not_fit_together_is_refused_in_words(changed, words):
    given = {"expected_s": EXPECTED_S, "xy_m": XY_M, "zone": np.array([0]), "station": np.array([0])}
    given |= {"blocks": np.array([0])} | changed
    with pytest.raises(ValueError, match=words):
        choices(**given)


def world(n, n_zones, n_stations, shares):
    """Calls in a square: stations are free at random, a river keeps three of them from its far side."""
    rng = np.random.default_rng(5)
    xy_m, base = rng.uniform(0, 2e4, (n_zones, 2)), rng.uniform(0, 2e4, (n_stations, 2))
    expected_s = 90 + np.hypot(*(xy_m[:, None] - base[None]).transpose(2, 0, 1)) / 12
    is_over = (xy_m[:, 0] > 1e4)[:, None] != (base[:, 0] > 1e4)[None]
    true_s = np.where(is_over, expected_s + 600.0, expected_s)
    zone, is_free = rng.integers(0, n_zones, n), rng.uniform(size=(n, n_stations)) < 0.85
    n_passed = rng.choice(len(shares), n, p=shares)
    ranked = np.argsort(np.where(is_free, true_s[zone], np.inf), axis=1)
    station = ranked[np.arange(n), n_passed]
    return choices(expected_s, xy_m, zone, station, np.arange(n) // 100, is_free=is_free)


def test_a_river_is_found_and_the_shares_passed_over_come_back():
    seen = world(20_000, 100, 12, [0.85, 0.1, 0.05])
    plain = passed_over(seen, revealed_order(seen)).shares
    np.testing.assert_allclose(plain, [0.85, 0.1, 0.05, 0.0], atol=0.012)


@pytest.mark.parametrize(("wrong_station", "words"), [(0.0, None), (0.15, "looks random")])
def test_the_district_map_of_a_synthetic_city_is_revealed_and_errors_of_dispatch_are_said(wrong_station, words):
    truth = compact(None, n_calls=20_000, seed=2, wrong_station=wrong_station)
    world, history, zone = truth.world, truth.history, truth.calls.patch
    expected_s = 90 + world.curve_s(road_m(world, world.patch_middle_m(), world.xy_m))
    first = np.flatnonzero(history.slot == 0)
    station = np.full(len(zone), -1)
    station[history.call[first]] = history.station[first]
    is_free = truth.is_free(0)
    seen = choices(expected_s, world.patch_middle_m(), zone, station, truth.call_day, is_free=is_free)
    order = revealed_order(seen)
    able = np.flatnonzero(is_free.any(axis=1))
    by_map = np.argsort(np.array(station_order(world)), axis=1)[zone]

    def agrees(cost):
        first_of = [np.where(is_free, each, np.inf)[able].argmin(axis=1) for each in (cost, by_map)]
        return first_of[0] == first_of[1]

    assert agrees(expected_s[zone]).mean() < 0.96
    assert agrees(order.raised_s[zone]).mean() > 0.99
    found = passed_over(seen, order)
    if words is None:
        n_passed = history.was_passed[first].mean()
        assert abs(found.shares[1:].sum() - n_passed) < 4 * found.se[0]
        assert found.reasons == ()
    else:
        assert words in found.reasons[0]


def test_a_hundred_thousand_calls_take_under_two_seconds():
    seen = world(100_000, 400, 60, [0.9, 0.07, 0.03])
    begin = time.perf_counter()
    passed_over(seen, revealed_order(seen))
    assert time.perf_counter() - begin < 2.0
