"""Errors by station with their floors; how many are open at once, how busy units are."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.scores import (
    Occupancy,
    busy_shares,
    call_weighted,
    group_distances,
    group_errors,
    ks_distance,
    noise_floor,
    observed,
    occupancy,
    occupancy_gap,
    steps_of,
    steps_of_records,
    wasserstein_s,
)

RNG = np.random.default_rng(31)


def test_medians_and_their_errors_by_hand():
    draws = np.array([[100.0, 110.0], [120.0, 130.0], [300.0, 300.0]])
    errors = group_errors(draws, observed([105.0, 140.0, np.inf]), np.array(["b", "b", "a"]))
    assert errors.label.tolist() == ["a", "b"]
    assert errors.n.tolist() == [1, 2]
    np.testing.assert_array_equal(errors.observed_s, [np.inf, 105.0])
    np.testing.assert_array_equal(errors.predicted_s, [300.0, 110.0])
    np.testing.assert_array_equal(errors.error_s, [-np.inf, 5.0])


def test_the_floor_of_a_station_is_the_sampling_error_of_its_median():
    station = np.repeat([0, 1], [100, 900])
    draws, true = RNG.normal(300, 60, (1000, 200)), RNG.normal(300, 60, 1000)
    errors = group_errors(draws, observed(true), station, n_sets=400)
    # median of |N(0, se)| is 0.6745 se, its 95 % quantile 1.96 se, with se = 60 sqrt(pi / 2) / sqrt(n)
    se = 60 * np.sqrt(np.pi / 2) / np.sqrt([100, 900])
    np.testing.assert_allclose(errors.floor_s, 0.6745 * se, rtol=0.15)
    np.testing.assert_allclose(errors.limit_s, 1.96 * se, rtol=0.15)


def test_a_true_forecast_exceeds_its_limits_in_a_twentieth_of_stations_a_late_one_in_most():
    station = np.repeat(np.arange(200), 30)
    draws, true = RNG.gamma(9, 30, (6000, 50)), RNG.gamma(9, 30, 6000)
    right, late = (group_errors(draws, observed(true * factor), station) for factor in (1.0, 1.25))
    outside = (np.abs(right.error_s) > right.limit_s).mean()
    assert 0.01 <= outside <= 0.10  # 5 % with a standard error of 1.5 %
    assert (np.abs(late.error_s) > late.limit_s).mean() > 0.7


def test_distances_by_station_are_those_of_its_calls_alone():
    station = np.array(["b", "a"] * 40)
    draws, true = RNG.gamma(9, 30, (80, 20)), RNG.gamma(9, 30, 80)
    seen = observed(true)
    found = group_distances(draws, seen, station, n_sets=20)
    of_b = np.flatnonzero(station == "b")
    assert found.label.tolist() == ["a", "b"]
    assert found.ks[1] == pytest.approx(ks_distance(steps_of(draws[of_b]), steps_of_records(seen.rows(of_b))))
    assert found.ks_floor[1] == noise_floor(draws[of_b], seen.rows(of_b), n_sets=20).ks_at()
    assert found.wasserstein_s[1] == pytest.approx(wasserstein_s(steps_of(draws[of_b]), steps_of(true[of_b])))


def test_stations_count_by_their_calls_and_small_ones_not():
    draws = np.repeat([[310.0], [260.0], [900.0]], [300, 100, 99], axis=0) * np.ones((1, 3))
    seen = observed(np.repeat([300.0, 300.0, 300.0], [300, 100, 99]))
    found = call_weighted(group_errors(draws, seen, np.repeat([1, 2, 3], [300, 100, 99])))
    assert found.value_s == pytest.approx(10 * 0.75 + 40 * 0.25)
    assert (found.n_groups, found.n_calls) == (2, 400)
    assert found.floor_s == 0.0
    none = call_weighted(group_errors(draws[:5], seen.rows(slice(0, 5)), np.zeros(5)))
    assert np.isnan(none.value_s)


def test_shares_of_time_by_number_open():
    found = occupancy(np.array([0.0, 10.0, 20.0, -50.0, 90.0]), np.array([20.0, 30.0, 40.0, 0.0, np.nan]), (0.0, 100.0))
    # one open on [0, 10), two on [10, 30) as the first hands over to the third at 20, one on [30, 40) and [90, 100)
    np.testing.assert_allclose(found.share, [0.5, 0.3, 0.2])
    assert found.n == 4
    assert found.mean == pytest.approx(0.7)
    assert found.at_least(1) == pytest.approx(0.5)
    idle = occupancy(np.empty(0), np.empty(0), (0.0, 100.0))
    np.testing.assert_array_equal(idle.share, [1.0])
    assert found.gap(idle) == pytest.approx(0.5)


def test_a_poisson_stream_of_calls_is_open_in_poisson_numbers():
    start = np.sort(RNG.uniform(0, 1e6, 5000))
    found = occupancy(start, start + RNG.exponential(400, 5000), (1e4, 1e6))
    # M/G/infinity: 5000 / 1e6 * 400 = 2 open on average, Poisson
    expected = np.exp(-2) * np.array([1, 2, 2, 4 / 3])
    np.testing.assert_allclose(found.share[:4], expected, atol=0.02)


def test_a_record_is_as_far_from_true_histories_as_they_from_each_other_and_a_busier_city_farther():
    def history(mean_s):
        start = RNG.uniform(0, 1e5, 500)
        return occupancy(start, start + RNG.exponential(mean_s, 500), (1e4, 1e5))

    histories = [history(400) for _ in range(40)]
    true, busier = occupancy_gap(history(400), histories), occupancy_gap(history(600), histories)
    assert true.value < np.quantile(true.drawn, 0.975)
    assert busier.value > busier.drawn.max()
    assert busier.mean_difference == pytest.approx(-1.0, abs=0.35)
    two = occupancy_gap(
        Occupancy(np.array([1.0]), 0), [Occupancy(np.array([0.5, 0.5]), 1), Occupancy(np.array([1.0]), 0)]
    )
    assert (two.value, two.mean_difference, two.drawn.tolist()) == (0.25, 0.25, [0.5, 0.5])
    with pytest.raises(ValueError, match="two at least"):
        occupancy_gap(histories[0], histories[:1])


def test_overlapping_work_of_a_unit_counts_once():
    unit = np.array([1, 0, 1, 1, 0])
    start, end = np.array([10.0, 0.0, 15.0, 50.0, 90.0]), np.array([30.0, 10.0, 20.0, 60.0, 150.0])
    np.testing.assert_allclose(busy_shares(start, end, unit, 3, (0.0, 100.0)), [0.2, 0.3, 0.0])
    served = np.array([50.0, 100.0, 0.0])
    found = busy_shares(start, end, unit, 3, (0.0, 100.0), in_service_s=served)
    np.testing.assert_allclose(found, [0.4, 0.3, np.nan])
    np.testing.assert_array_equal(busy_shares(np.empty(0), np.empty(0), np.empty(0, dtype=int), 1, (0.0, 1.0)), [0.0])


@pytest.mark.parametrize(
    ("start", "end", "window", "message"),
    [
        ([5.0], [4.0], (0.0, 9.0), "before it starts"),
        ([1.0], [2.0], (3.0, 3.0), "empty"),
        ([np.nan], [2.0], (0.0, 3.0), "start"),
    ],
)
def test_intervals_that_are_none_are_refused(start, end, window, message):
    with pytest.raises(ValueError, match=message):
        occupancy(np.array(start), np.array(end), window)
