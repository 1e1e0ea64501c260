"""KS and Wasserstein by hand and against the Kolmogorov law; the noise floor of a perfect model."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from calibration.scores import Rounding, ks_distance, noise_floor, observed, steps_of, steps_of_records, wasserstein_s
from calibration.scores.floor import data_sets


def test_distances_of_small_samples_by_hand():
    one, other = steps_of(np.array([100.0, 200.0])), steps_of(np.array([100.0, 150.0, 300.0, 400.0]))
    # F - G: 1/4 on [100, 150), 0 on [150, 200), 1/2 on [200, 300), 1/4 on [300, 400)
    assert ks_distance(one, other) == pytest.approx(0.5)
    assert wasserstein_s(one, other) == pytest.approx(50 / 4 + 100 / 2 + 100 / 4)


def test_distances_agree_with_scipy_on_random_samples():
    rng = np.random.default_rng(1)
    a, b = np.round(rng.gamma(4, 60, 300)), np.round(rng.gamma(5, 50, 700))
    assert ks_distance(steps_of(a), steps_of(b)) == pytest.approx(stats.ks_2samp(a, b).statistic)
    assert wasserstein_s(steps_of(a), steps_of(b)) == pytest.approx(stats.wasserstein_distance(a, b))


def test_what_never_comes_is_a_difference_although_no_time_tells_it():
    assert ks_distance(steps_of(np.array([100.0, np.inf])), steps_of(np.array([100.0, 100.0]))) == pytest.approx(0.5)
    many = steps_of(np.array([100.0, 100.0, np.inf, np.inf]))
    assert ks_distance(many, steps_of(np.array([100.0]))) == pytest.approx(0.5)
    assert wasserstein_s(many, steps_of(np.array([100.0])), horizon_s=600.0) == pytest.approx(250.0)


def test_the_product_limit_estimate_by_hand():
    # 100 of five at risk; 200 censored; 300 twice of three at risk; 400 censored
    seen = observed([300.0, 100.0, 200.0, 300.0, 400.0], is_censored=[False, False, True, False, True])
    steps = steps_of_records(seen)
    np.testing.assert_allclose(steps.at_s, [100, 200, 300, 400])
    np.testing.assert_allclose(steps.upto, [1 / 5, 1 / 5, 1 - 4 / 5 * 1 / 3, 1 - 4 / 5 * 1 / 3])
    assert steps.known_to_s == 400.0
    far = steps_of(np.array([1000.0, 1000.0]))
    assert ks_distance(steps, far) == pytest.approx(1 - 4 / 15)
    assert wasserstein_s(steps, far) == pytest.approx(200 / 5 + 100 * (1 - 4 / 15))


def test_quantiles_of_steps_and_of_what_never_comes():
    steps = steps_of(np.array([1.0, 2.0, 3.0, np.inf]))
    np.testing.assert_array_equal(steps.quantile(np.array([0.25, 0.5, 0.51, 0.9])), [1, 2, 3, np.inf])


def test_weights_are_repetitions():
    weighted = steps_of(np.array([3.0, 1.0]), np.array([1.0, 3.0]))
    np.testing.assert_allclose(weighted.upto, steps_of(np.array([1.0, 1.0, 1.0, 3.0])).upto[-2:])


def test_the_floor_of_equal_calls_is_the_kolmogorov_law():
    n = 2000
    draws = np.tile(stats.gamma(4, scale=60).ppf((np.arange(500) + 0.5) / 500), (n, 1))
    floor = noise_floor(draws, observed(np.full(n, 1.0)), n_sets=400)
    for level in (0.5, 0.9):
        expected = stats.kstwobign.ppf(level) / np.sqrt(n)
        assert floor.ks_at(level) == pytest.approx(expected, rel=0.08)


def test_knots_lose_next_to_nothing_of_a_large_pool():
    rng = np.random.default_rng(5)
    n = 900
    draws = rng.gamma(4, 60, (n, 80)) * rng.uniform(0.5, 2, n)[:, None]
    seen = observed(np.full(n, 1.0))
    floor = noise_floor(draws, seen, n_sets=3)
    pool = steps_of(draws)
    for number, values in enumerate(data_sets(draws, seen, n_sets=3).T):
        assert floor.ks[number] == pytest.approx(ks_distance(steps_of(values), pool), abs=2 / 32768)
        assert floor.wasserstein_s[number] == pytest.approx(wasserstein_s(steps_of(values), pool), abs=0.05)


def test_a_true_record_lies_among_its_floor_and_a_shifted_one_above():
    rng = np.random.default_rng(8)
    n = 3000
    centre = rng.uniform(200, 500, n)
    draws, true = centre[:, None] * rng.lognormal(0, 0.3, (n, 60)), centre * rng.lognormal(0, 0.3, n)
    minutes = {"resolution_s": 60.0, "rounding": Rounding.DOWN}
    seen = observed(np.floor(true / 60) * 60, **minutes)
    floor = noise_floor(draws, seen)
    pool = steps_of(seen.written(draws))
    assert ks_distance(steps_of_records(seen), pool) < floor.ks_at(0.99)
    late = observed(np.floor(true * 1.1 / 60) * 60, **minutes)
    assert ks_distance(steps_of_records(late), pool) > 1.6 * floor.ks_at()


def test_columns_that_share_a_day_have_a_higher_floor_than_independent_calls():
    rng = np.random.default_rng(9)
    draws = rng.lognormal(5.5, 0.3, (1000, 200)) * rng.lognormal(0, 0.2, 200)
    seen = observed(np.full(1000, 1.0))
    assert noise_floor(draws, seen, is_joint=True).ks_at() > 3 * noise_floor(draws, seen).ks_at()
