"""PIT and coverage: uniform for a true forecast under any rounding, bent by bias and wrong spread."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from calibration.scores import Rounding, coverage, observed, pit, pit_bounds, pit_histogram, share_of

N, M = 6000, 99
RNG = np.random.default_rng(11)
CENTRE = RNG.uniform(200, 500, N)
TRUE = CENTRE * RNG.lognormal(0.0, 0.3, N)
DRAWS = CENTRE[:, None] * RNG.lognormal(0.0, 0.3, (N, M))


def values(draws, seen):
    return pit(*pit_bounds(draws, seen), seen)


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("resolution_s", [0.0, 60.0])
def test_a_true_forecast_is_uniform_and_covered_whatever_the_rounding(rounding, resolution_s):
    seen = observed(TRUE, resolution_s=resolution_s, rounding=rounding)
    as_recorded = seen.written(TRUE[:, None])[:, 0]
    seen = observed(as_recorded, resolution_s=resolution_s, rounding=rounding, seed=1)
    low, high = pit_bounds(DRAWS, seen)
    assert stats.kstest(pit(low, high, seen), "uniform").pvalue > 0.01
    share = coverage(low, high)
    assert abs(share.value - 0.9) < 3 * share.se


def test_bias_and_spread_show_in_mean_and_dispersion():
    seen = observed(TRUE)
    true, early = pit_histogram(values(DRAWS, seen)), pit_histogram(values(DRAWS * 0.9, seen))
    narrow = pit_histogram(values(CENTRE[:, None] * (DRAWS / CENTRE[:, None]) ** 0.6, seen))
    wide = pit_histogram(values(CENTRE[:, None] * (DRAWS / CENTRE[:, None]) ** 1.6, seen))
    assert abs(true.mean - 0.5) < 3 / np.sqrt(12 * N)
    assert early.mean > 0.55
    assert wide.dispersion < 0.85 < true.dispersion < 1.15 < narrow.dispersion
    assert (true.counts < true.low).sum() + (true.counts > true.high).sum() <= 4
    assert narrow.counts[[0, -1]].min() > narrow.high


def test_censored_records_leave_a_true_forecast_uniform():
    end = RNG.uniform(150, 900, N)
    seen = observed(np.minimum(TRUE, end), is_censored=end < TRUE)
    assert 0.1 < seen.is_censored.mean() < 0.9
    assert stats.kstest(values(DRAWS, seen), "uniform").pvalue > 0.01


def test_bounds_by_hand():
    draws = np.array([[100.0, 200.0, 200.0, np.inf]] * 4)
    seen = observed([200.0, 150.0, np.inf, 200.0], is_censored=[False, False, False, True])
    low, high = pit_bounds(draws, seen)
    np.testing.assert_allclose(low, [1 / 5, 1 / 5, 3 / 5, 3 / 5])
    np.testing.assert_allclose(high, [4 / 5, 2 / 5, 1.0, 1.0])
    low, high = pit_bounds(draws, seen, weights=np.array([1.0, 1.0, 2.0, 4.0]))
    np.testing.assert_allclose(low, [1 / 8, 1 / 8, 4 / 8, 4 / 8])
    np.testing.assert_allclose(high, [4 / 8, 1 / 8, 1.0, 1.0])


def test_a_record_half_inside_counts_half():
    share = coverage(np.array([0.0, 0.4]), np.array([0.1, 0.6]), level=0.9)
    assert share.value == pytest.approx((0.5 + 1.0) / 2)


def test_the_same_call_has_the_same_transform_in_any_order():
    seen = observed(TRUE, resolution_s=60.0, identity=np.arange(N) + 7)
    order = RNG.permutation(N)
    np.testing.assert_array_equal(values(DRAWS, seen)[order], values(DRAWS[order], seen.rows(order)))


def test_calls_that_agree_by_day_widen_the_interval_of_a_share():
    inside = np.repeat(np.array([1, 1, 1, 0]), 25)
    alone, together = share_of(inside), share_of(inside, clusters=np.arange(100) // 25)
    # by hand: sums of deviations 6.25, 6.25, 6.25, -18.75; 4/3 * 468.75 / 100^2 over 0.1875 / 100
    assert together.design_effect == pytest.approx(0.0625 / 0.001875)
    assert together.high - together.low > alone.high - alone.low
    assert share_of(inside, clusters=np.zeros(100)).design_effect == 100
    assert np.isnan(share_of(np.empty(0)).value)
