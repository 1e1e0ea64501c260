"""Quantiles of forecasts and of all calls; pinball, Brier and log scores by hand and against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from calibration.scores import (
    Density,
    Rounding,
    brier,
    crps,
    log_score,
    observed,
    pinball_s,
    quantile_rows,
    row_quantiles,
)


def test_quantiles_of_a_forecast_stand_where_a_new_draw_falls_below_with_that_probability():
    draws = np.array([[400.0, 100.0, 200.0, np.inf]])
    np.testing.assert_allclose(row_quantiles(draws, [0.2, 0.3, 0.6]), [[100.0, 150.0, 400.0]])
    assert row_quantiles(draws, [0.7, 0.99]).tolist() == [[np.inf, np.inf]]
    weighted = row_quantiles(draws, [0.5, 0.51], weights=np.array([1.0, 5.0, 3.0, 1.0]))
    assert weighted.tolist() == [[100.0, 200.0]]


def test_pinball_by_hand_and_its_mean_over_levels_is_half_the_crps():
    seen = observed([300.0])
    np.testing.assert_allclose(pinball_s(np.array([[200.0, 400.0]]), [0.5, 0.9], seen), [[50.0, 10.0]])
    levels = (np.arange(500) + 0.5) / 500
    draws = stats.gamma(4, scale=70).ppf(levels)[None, :]
    twice_mean = 2 * pinball_s(draws, levels, seen).mean()
    assert twice_mean == pytest.approx(crps(draws, seen, is_fair=False)[0], rel=1e-9)


def test_pinball_is_cut_where_the_record_was():
    seen = observed([300.0], is_censored=True)
    np.testing.assert_allclose(pinball_s(np.array([[200.0, 900.0]]), [0.9, 0.9], seen), [[90.0, 0.0]])


def test_observed_and_predicted_quantiles_with_their_standard_errors():
    rng = np.random.default_rng(2)
    n = 4000
    true, draws = rng.normal(300, 60, n), rng.normal(310, 60, (n, 40))
    rows = quantile_rows(draws, observed(true), np.arange(n) // 10, levels=(0.5, 0.9))
    for row, z in zip(rows, stats.norm.ppf([0.5, 0.9]), strict=True):
        # sqrt(p (1 - p) / n) / f
        expected = np.sqrt(row.level * (1 - row.level) / n) / (stats.norm.pdf(z) / 60)
        assert row.se_observed_s == pytest.approx(expected, rel=0.25)
        assert row.se_predicted_s == pytest.approx(expected / np.sqrt(40), rel=0.4)
        assert row.predicted_s == pytest.approx(310 + 60 * z, abs=1.0)
        assert abs(row.difference_s - 10.0) < 3 * row.se_difference_s


def test_the_standard_error_of_a_difference_is_that_of_these_calls():
    def standardised(seed):
        rng = np.random.default_rng(seed)
        day, expected = np.repeat(np.arange(40), 10), rng.uniform(150, 500, 400)
        draws = expected[:, None] * rng.lognormal(0, 0.2, (400, 30)) * rng.lognormal(0, 0.1, (40, 30))[day]
        true = expected * rng.lognormal(0, 0.2, 400) * rng.lognormal(0, 0.1, 40)[day]
        (row,) = quantile_rows(draws, observed(true), day, levels=(0.5,), n_bootstrap=20)
        return row.difference_s / row.se_difference_s, row.se_difference_s, row.se_observed_s

    z, paired, alone = np.array([standardised(seed) for seed in range(200)]).T
    assert z.std() == pytest.approx(1.0, abs=0.16)  # three standard errors of 200 deviations
    assert (paired**2).mean() < 0.8 * (alone**2).mean()  # both sides know how far the calls are


@pytest.mark.parametrize("rounding", list(Rounding))
def test_minutes_do_not_hide_a_shift_of_a_median_by_fifteen_seconds(rounding):
    rng = np.random.default_rng(3)
    true, draws = rng.gamma(9, 30, 20000), rng.gamma(9, 30, (20000, 20)) + 15.0
    exact = observed(true, resolution_s=60.0, rounding=rounding, seed=5)
    minutes = observed(exact.written(true[:, None])[:, 0], resolution_s=60.0, rounding=rounding)
    (row,) = quantile_rows(draws, minutes, np.arange(20000) // 50, levels=(0.5,))
    assert row.difference_s == pytest.approx(15.0, abs=3 * row.se_difference_s)
    assert row.se_difference_s < 2.0


def test_a_quantile_among_calls_that_nobody_reached_is_infinite_and_has_no_standard_error():
    rows = quantile_rows(np.full((4, 3), 100.0), observed([100.0, 100.0, np.inf, np.inf]), np.arange(4), levels=(0.9,))
    assert np.isinf(rows[0].observed_s)
    assert np.isnan(rows[0].se_observed_s)


def test_calls_that_nobody_reaches_nor_was_to_reach_have_infinite_quantiles_that_agree():
    rows = quantile_rows(np.full((3, 2), np.inf), observed(np.full(3, np.inf)), np.arange(3), levels=(0.5,))
    assert np.isinf([rows[0].observed_s, rows[0].predicted_s]).all()
    assert np.isnan([rows[0].difference_s, rows[0].se_difference_s]).all()


def test_brier_by_hand_splits_exactly():
    draws = np.array([[100.0, 100.0, 100.0, 400.0]] * 4 + [[400.0, 400.0, 400.0, 100.0]] * 4)
    seen = observed([100.0, 100.0, 400.0, 400.0, 400.0, 400.0, 400.0, 400.0])
    found = brier(draws, seen, 300.0)
    # forecasts 3/4 and 1/4, happened 2 of 4 and 0 of 4
    assert found.plain == pytest.approx((2 / 16 + 2 * 9 / 16 + 4 / 16) / 8)
    assert found.uncertainty == pytest.approx(1 / 4 * 3 / 4)
    assert found.miscalibration == pytest.approx(1 / 16)
    assert found.discrimination == pytest.approx(3 / 16 - 1 / 8)
    assert found.plain == pytest.approx(found.miscalibration - found.discrimination + found.uncertainty)
    assert found.score == pytest.approx(found.plain - 3 / 16 / 3)


def test_who_was_lost_before_the_threshold_is_weighed_in_by_the_others():
    draws = np.full((4, 2), 100.0)
    seen = observed([100.0, 200.0, 300.0, 400.0], is_censored=[False, True, False, False])
    found = brier(draws, seen, 350.0)
    # lost at 200 with three at risk: the two seen longer count 3/2; 1 + 3/2 of 4 are there within 350
    assert found.observed_share == pytest.approx(2.5 / 4)
    assert found.n_known == 3
    with pytest.raises(ValueError, match="censored before"):
        brier(draws[:1], seen.rows(slice(1, 2)), 350.0)


def test_one_lognormal_gives_the_closed_density_and_survival():
    levels = (np.arange(1000) + 0.5) / 1000
    family = stats.lognorm(0.4, scale=300.0)
    draws = np.tile(family.ppf(levels), (2, 1))
    seen = observed([250.0, 500.0], is_censored=[False, True])
    never = 0.5 / 1001
    expected = [-np.log((1 - never) * family.pdf(250.0)), -np.log(never + (1 - never) * family.sf(500.0))]
    np.testing.assert_allclose(log_score(draws, seen, density=Density.LOGNORMAL), expected, rtol=2e-3)


@pytest.mark.parametrize("rounding", list(Rounding))
def test_the_log_score_of_a_minute_is_the_mean_density_over_its_cell(rounding):
    draws = np.array([[150.0, 240.0, 300.0, np.inf]])
    exact = lambda t: float(np.exp(-log_score(draws, observed([t]))[0]))  # noqa: E731
    begin, end = {"nearest": (210, 270), "down": (240, 300), "stamps": (180, 300)}[rounding]
    weight = (lambda t: 1 - abs(t - 240) / 60) if rounding is Rounding.STAMPS else (lambda t: 1.0)
    mean = integrate.quad(lambda t: exact(t) * weight(t), begin, end, points=[240])[0] / 60
    found = log_score(draws, observed([240.0], resolution_s=60.0, rounding=rounding))
    assert found[0] == pytest.approx(-np.log(mean), rel=1e-4)


def test_kernels_find_the_density_that_the_draws_came_from():
    family = stats.lognorm(0.4, scale=300.0)
    draws = family.rvs((1, 20000), random_state=1)
    assert log_score(draws, observed([280.0]))[0] == pytest.approx(-family.logpdf(280.0), abs=0.05)
    assert log_score(draws, observed([np.inf]))[0] == pytest.approx(-np.log(0.5 / 20001))
