"""Fitted durations: the truth comes back within its standard errors, and what does not fit is said not to."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from calibration.fit import likelihood, times
from calibration.fit.families import FAMILIES
from calibration.fit.likelihood import cells_of, distinct_rows, maximum
from calibration.fit.shrinkage import shrink
from calibration.fit.times import fit_times
from calibration.scores import Rounding, observed

N = 2000
DAY = np.arange(N) // 20
TRUTH = {
    "lognormal": [4.0, np.log(0.5)],
    "gamma": [4.5, np.log(3.0)],
    "weibull": [4.5, np.log(0.6)],
    "loglogistic": [4.3, np.log(0.35)],
    "shifted_lognormal": [4.0, np.log(0.8), np.log(40.0)],
    "two_lognormals": [3.0, np.log(0.2), 5.0, np.log(0.3), 0.5],
}


def drawn(name, rng, n=N):
    family = FAMILIES[name]
    return family.ppf(np.array(TRUTH[name]), rng.uniform(1e-9, 1 - 1e-9, n))


def stamped(true, rng, r=60.0):
    return observed(np.floor(true / r + rng.uniform(size=len(true))) * r, resolution_s=r)


@pytest.mark.parametrize("name", TRUTH)
def test_density_is_the_slope_of_the_distribution_and_tails_sum_to_one(name):
    family, p = FAMILIES[name], np.array(TRUTH[name])
    at = np.array([45.0, 80.0, 150.0, 400.0])
    slope = (family.cdf(p, at + 1e-3) - family.cdf(p, at - 1e-3)) / 2e-3
    np.testing.assert_allclose(np.exp(family.log_density(p, at)), slope, rtol=1e-5)
    np.testing.assert_allclose(family.cdf(p, at) + family.sf(p, at), 1.0)


@pytest.mark.parametrize("rounding", list(Rounding))
def test_probabilities_of_all_written_durations_sum_to_one(rounding):
    cells = cells_of(observed(np.arange(0.0, 30000.0, 60.0), resolution_s=60.0, rounding=rounding))
    p = cells.log_likelihood(FAMILIES["lognormal"], np.array([4.0, np.log(0.5)]))
    assert np.exp(p).sum() == pytest.approx(1.0, abs=1e-4)


def test_distinct_rows_are_ascending_and_give_every_row_back():
    first, second = np.array([2.0, 1.0, 2.0, 1.0, 2.0]), np.array([True, False, True, True, False])
    rows, place, count = distinct_rows(first, second)
    assert rows.tolist() == [[1, 1, 2, 2], [0, 1, 0, 1]]
    assert place.tolist() == [3, 0, 3, 1, 2]
    assert count.tolist() == [1, 1, 1, 2]


@pytest.mark.parametrize("name", TRUTH)
def test_the_highest_likelihood_is_the_one_that_a_general_search_finds(name):
    rng = np.random.default_rng(9)
    cells = cells_of(stamped(drawn(name, rng, 600), rng, 20.0))
    found = maximum(FAMILIES[name], cells)
    general = optimize.minimize(
        lambda p: -float(cells.count @ cells.log_likelihood(FAMILIES[name], p)),
        np.array(TRUTH[name]),
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-9, "maxfev": 4000},
    )
    assert found.log_likelihood == pytest.approx(-general.fun, abs=1e-3)
    assert np.all(np.abs(found.parameters - general.x) < 0.05 * found.se)


def test_few_nodes_do_for_narrow_cells(monkeypatch):
    cells = cells_of(observed(np.arange(20.0, 60.0), resolution_s=1.0))
    for name, p in (("lognormal", [3.6, np.log(0.05)]), ("gamma", [3.7, np.log(9.0)])):
        few = cells.log_likelihood(FAMILIES[name], np.array(p))
        with monkeypatch.context() as patch:
            patch.setattr(likelihood, "_N_FEW", 12)
            many = cells.log_likelihood(FAMILIES[name], np.array(p))
        likely = many > np.log(1e-6)
        assert likely.sum() >= 15
        np.testing.assert_allclose(few[likely], many[likely], atol=1e-3)


@pytest.mark.parametrize("r", [1.0, 60.0])
def test_putting_near_groups_together_moves_nothing_by_a_tenth_of_its_error(monkeypatch, r):
    rng = np.random.default_rng(4)
    hour, station = rng.integers(0, 24, N), rng.integers(0, 20, N)
    true = drawn("lognormal", rng) * np.exp(rng.normal(0, 0.2, 24)[hour] + rng.normal(0, 0.1, 20)[station])
    seen, groups = stamped(true, rng, r), [hour, hour * 20 + station]
    near = fit_times(seen, DAY, groups, families=("lognormal",))
    monkeypatch.setattr(times, "_factor", lambda _, offset: np.exp(offset))
    apart = fit_times(seen, DAY, groups, families=("lognormal",))
    assert np.all(np.abs(near.estimate.parameters - apart.estimate.parameters) < 0.1 * apart.estimate.se)
    for one, other in zip(near.effects, apart.effects, strict=True):
        assert all(abs(one.effect[key] - other.effect[key]) <= 0.1 * other.se[key] for key in other.effect)


@pytest.mark.parametrize("name", ["lognormal", "gamma", "weibull", "loglogistic"])
def test_minute_stamps_give_the_truth_back_and_intervals_cover_it(name):
    inside, truth = [], np.array(TRUTH[name])
    for seed in range(100):
        rng = np.random.default_rng(seed)
        fitted = maximum(FAMILIES[name], cells_of(stamped(drawn(name, rng, 600), rng)))
        inside.append(np.abs(fitted.parameters - truth) < 1.645 * fitted.se)
    # 90 % of 200, give or take three standard errors
    assert np.mean(inside) == pytest.approx(0.9, abs=3 * np.sqrt(0.09 / 200))


def test_censored_durations_do_not_bias_the_fit():
    rng = np.random.default_rng(3)
    true, limit = drawn("lognormal", rng), rng.uniform(20, 120, N)
    seen = observed(np.minimum(true, limit), is_censored=true > limit)
    fitted = maximum(FAMILIES["lognormal"], cells_of(seen))
    assert np.all(np.abs(fitted.parameters - TRUTH["lognormal"]) < 3 * fitted.se)
    assert 0.2 < seen.is_censored.mean() < 0.6


@pytest.mark.parametrize("name", TRUTH)
def test_the_chosen_family_fits_as_well_as_the_true_one(name):
    rng = np.random.default_rng(8)
    fit = fit_times(observed(drawn(name, rng)), DAY)
    assert fit.held[fit.estimate.family.name].score >= fit.held[name].score - 2 * fit.held[name].se - 0.002
    assert not fit.misfit.reasons
    found = fit.quantiles_s((), 1, np.array([0.5, 0.9]))[0]
    truth = FAMILIES[name].ppf(np.array(TRUTH[name]), np.array([0.5, 0.9]))
    assert np.all(np.abs(found - truth) < 3.5 * fit.quantile_se_s(np.array([0.5, 0.9])))


def test_a_wrong_family_alone_is_said_not_to_fit():
    rng = np.random.default_rng(5)
    fit = fit_times(observed(drawn("two_lognormals", rng)), DAY, families=("lognormal",))
    assert fit.misfit.form_p < 1e-6
    assert "form" in fit.misfit.reasons[0]


def test_a_true_form_is_seldom_rejected():
    p = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        fit = fit_times(stamped(drawn("gamma", rng, 500), rng), DAY[:500], families=("gamma",))
        p.append([fit.misfit.form_p, fit.misfit.day_p])
    assert (np.array(p) < 0.01).sum(axis=0).max() <= 5  # of 100, expected 1 or fewer


def test_days_that_go_together_are_found_and_widen_the_errors():
    rng = np.random.default_rng(6)
    shared = observed(drawn("lognormal", rng) * np.exp(0.3 * rng.normal(size=100))[DAY])
    fit = fit_times(shared, DAY, families=("lognormal",))
    assert fit.misfit.day_p < 1e-6
    assert fit.misfit.day_correlation == pytest.approx(0.09 / 0.34, abs=0.1)
    alone = maximum(FAMILIES["lognormal"], cells_of(shared))
    assert fit.estimate.se[0] > 1.5 * alone.se[0]


def test_group_factors_are_recovered_within_their_errors():
    ratio = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        hour = rng.integers(0, 24, N)
        truth = rng.normal(0, 0.2, 24)
        fit = fit_times(stamped(drawn("gamma", rng) * np.exp(truth)[hour], rng), DAY, [hour], families=("gamma",))
        level = fit.effects[0]
        found = level.of(np.arange(24)) - truth + truth.mean()
        ratio.append(found / np.array([level.se[h] for h in range(24)]))
    assert np.mean(np.abs(ratio) < 1.645) == pytest.approx(0.9, abs=0.07)


def test_groups_of_another_spread_are_found():
    rng = np.random.default_rng(2)
    kind = rng.integers(0, 2, N)
    true = np.exp(5 + np.array([0.3, 0.8])[kind] * rng.normal(size=N))
    assert fit_times(observed(true), DAY, [kind], families=("lognormal",)).misfit.shape_p < 1e-6


def test_a_thin_group_leans_on_the_others():
    effect, _, tau = shrink(np.array([0.4, -0.4, 0.4, -0.4]), np.array([0.01, 0.01, 0.4, 0.4]))
    assert abs(effect[2]) < 0.7 * abs(effect[0])
    assert tau > 0.2
    np.testing.assert_array_equal(shrink(np.array([0.1, -0.1]), np.array([0.5, 0.5]))[0], 0.0)


def test_what_is_no_duration_is_refused():
    with pytest.raises(ValueError, match="resolution of the stamps"):
        fit_times(observed([0.0] * 9), np.arange(9))
    with pytest.raises(ValueError, match="infinite"):
        fit_times(observed([np.inf] * 9), np.arange(9))
    with pytest.raises(ValueError, match="five"):
        fit_times(observed([1.0]), np.arange(1))
