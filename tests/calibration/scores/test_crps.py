"""CRPS against closed forms and by hand; censoring, rounding and weights."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from calibration.scores import Rounding, crps, observed

EXACT = {"is_fair": False, "horizon_s": 1e9}


def quantile_draws(family, n_calls, n_draws=4000):
    levels = (np.arange(n_draws) + 0.5) / n_draws
    return np.tile(family.ppf(levels), (n_calls, 1))


def test_crps_of_a_normal_forecast_is_the_closed_form():
    y = np.array([180.0, 300.0, 470.0])
    mean, sd = 300.0, 80.0
    z = (y - mean) / sd
    # Gneiting & Raftery 2007: sd (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi))
    expected = sd * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))
    draws = quantile_draws(stats.norm(mean, sd), len(y))
    np.testing.assert_allclose(crps(draws, observed(y), **EXACT), expected, rtol=1e-4)


def test_crps_of_an_exponential_forecast_is_the_closed_form():
    y = np.array([10.0, 200.0, 900.0])
    # y - (2 / rate) F(y) + 1 / (2 rate), Jordan, Krueger & Lerch 2019
    expected = y - 2 * 240.0 * (1 - np.exp(-y / 240.0)) + 120.0
    draws = quantile_draws(stats.expon(scale=240.0), len(y))
    np.testing.assert_allclose(crps(draws, observed(y), **EXACT), expected, rtol=2e-3)


def test_three_draws_by_hand_plain_and_fair():
    draws = np.array([[100.0, 400.0, 200.0]])
    seen = observed([250.0])
    # E|X - y| = (150 + 150 + 50) / 3; the pairs differ by 300, 100, 200
    assert crps(draws, seen, is_fair=False)[0] == pytest.approx(350 / 3 - 600 / 9)
    assert crps(draws, seen)[0] == pytest.approx(350 / 3 - 600 / 6)


def test_the_score_is_the_integral_of_the_squared_difference_up_to_the_horizon():
    draws = np.array([[100.0, 400.0, np.inf, 900.0]])
    # up to 600 s: F is 0, 1/4 from 100, 1/2 from 400; the record steps up at 250
    expected = 150 * (1 / 4) ** 2 + 150 * (3 / 4) ** 2 + 200 * (1 / 2) ** 2
    assert crps(draws, observed([250.0]), is_fair=False, horizon_s=600.0)[0] == pytest.approx(expected)


def test_the_sorted_sum_is_the_integral_by_quadrature():
    rng = np.random.default_rng(7)
    draws, y = rng.gamma(4, 60, (5, 12)), rng.gamma(4, 60, 5)
    fine = np.arange(0.0, 1200.0, 0.05) + 0.025
    forecast = (draws[:, :, None] <= fine).mean(axis=1)
    by_quadrature = ((forecast - (y[:, None] <= fine)) ** 2).sum(axis=1) * 0.05
    np.testing.assert_allclose(crps(draws, observed(y), is_fair=False), by_quadrature, atol=0.05)


def test_what_is_censored_is_scored_up_to_its_censoring():
    draws = np.array([[100.0, 400.0, 200.0]])
    seen = observed([300.0], is_censored=[True])
    expected = 100 * (1 / 3) ** 2 + 100 * (2 / 3) ** 2
    assert crps(draws, seen, is_fair=False)[0] == pytest.approx(expected)


def test_never_arriving_costs_the_time_up_to_the_horizon():
    draws = np.array([[100.0, 100.0]])
    assert crps(draws, observed([np.inf]), horizon_s=600.0)[0] == pytest.approx(500.0)


def test_a_weighted_draw_counts_as_that_many_draws():
    repeated = crps(np.array([[100.0, 100.0, 100.0, 400.0]]), observed([250.0]), is_fair=False)
    weighted = crps(np.array([[400.0, 100.0]]), observed([250.0]), weights=np.array([1.0, 3.0]), is_fair=False)
    np.testing.assert_allclose(weighted, repeated)
    equal = crps(np.array([[400.0, 100.0]]), observed([250.0]), weights=np.array([2.0, 2.0]))
    np.testing.assert_allclose(equal, crps(np.array([[400.0, 100.0]]), observed([250.0])))


def test_rounded_records_are_compared_with_the_rounded_forecast():
    draws = np.array([[89.0, 91.0, 151.0]])
    minutes = observed([120.0], resolution_s=60.0, rounding=Rounding.NEAREST)
    as_written = crps(np.array([[60.0, 120.0, 180.0]]), observed([120.0]))
    np.testing.assert_allclose(crps(draws, minutes), as_written)


def test_two_stamps_in_minutes_keep_the_mean_of_a_duration():
    seen = observed(np.full(2000, 240.0), resolution_s=60.0, rounding=Rounding.STAMPS)
    written = seen.written(np.full((2000, 20), 250.0))
    assert set(np.unique(written)) == {240.0, 300.0}
    # a fraction of 1/6 is written up: mean 250 s, standard error of 40,000 such draws 0.11 s
    assert written.mean() == pytest.approx(250.0, abs=0.5)


def test_a_second_stamp_in_minutes_is_cut_from_where_the_first_one_stands():
    # called at :23 past the minute: arrivals at 7:22 and 7:24 after whole minutes are written 6 and 7 minutes on
    seen = observed([337.0], resolution_s=60.0, phase_s=23.0, rounding=Rounding.DOWN)
    np.testing.assert_array_equal(
        seen.written(np.array([[336.0, 337.0, 396.0, 397.0]])), [[277.0, 337.0, 337.0, 397.0]]
    )
    nearest = observed([337.0], resolution_s=60.0, phase_s=23.0, rounding=Rounding.NEAREST)
    np.testing.assert_array_equal(nearest.written(np.array([[306.0, 307.0]])), [[277.0, 337.0]])


def test_the_fair_score_does_not_reward_more_draws():
    rng = np.random.default_rng(3)
    seen = observed(rng.normal(300, 60, 4000))
    few, many = (crps(rng.normal(300, 60, (4000, m)), seen) for m in (3, 200))
    se = np.sqrt(few.var() / 4000 + many.var() / 4000)
    assert abs(few.mean() - many.mean()) < 3 * se
    assert crps(rng.normal(300, 60, (4000, 3)), seen, is_fair=False).mean() > many.mean() + 5


def test_scores_of_no_calls_are_refused():
    with pytest.raises(ValueError, match="no call to score"):
        crps(np.empty((0, 5)), observed(np.empty(0)))


@pytest.mark.parametrize(
    ("draws", "message"),
    [
        (np.zeros((2, 5)), "one row per call"),
        (np.zeros((1, 1)), "at least 2"),
        (np.full((1, 2), np.nan), "not a number"),
    ],
)
def test_draws_that_do_not_fit_the_calls_are_refused(draws, message):
    with pytest.raises(ValueError, match=message):
        crps(draws, observed([100.0]))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"value_s": [np.nan]}, "not a number"),
        ({"value_s": [1.0], "resolution_s": -1.0}, "resolution"),
        ({"value_s": [np.inf], "is_censored": True}, "nobody came"),
        ({"value_s": [1.0], "phase_s": 3.0}, "one stamp alone"),
        ({"value_s": [1.0], "identity": [1, 2]}, "2 identities for 1"),
    ],
)
def test_records_that_say_nothing_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        observed(**given)
