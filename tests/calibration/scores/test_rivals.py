"""The rivals: climatology leans where data are thin; the regression recovers its truth and is calibrated."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.scores import (
    Known,
    Rounding,
    Scale,
    coverage,
    crps,
    fit_climatology,
    fit_regression,
    observed,
    pit_bounds,
)

RNG = np.random.default_rng(21)
N, N_STATIONS = 8000, 40
DIST_M = RNG.gamma(3, 900, N)
STATION = RNG.integers(0, N_STATIONS, N)
HOUR = RNG.integers(0, 24, N)
OF_STATION = RNG.normal(0, 0.15, N_STATIONS)
OF_HOUR = 0.1 * np.sin(np.arange(24) / 24 * 2 * np.pi)
KNOWN = Known(DIST_M, {"station": STATION, "hour": HOUR})


def response(rng):
    mean = np.log(90 + DIST_M / 10) + OF_STATION[STATION] + OF_HOUR[HOUR]
    return np.exp(mean + rng.normal(0, 0.2, N))


def plain(draws, seen):
    return crps(draws, seen, is_fair=False).mean()


def test_climatology_of_all_calls_is_their_quantiles():
    seen = observed([300.0, 100.0, np.inf, 200.0])
    fitted = fit_climatology(seen, n_draws=4)
    np.testing.assert_array_equal(fitted.draws_s((), 2), [[100.0, 200.0, 300.0, np.inf]] * 2)


def test_a_thin_group_leans_on_the_larger_one_by_the_pseudo_calls():
    kind = np.array([0] * 6 + [1] * 2)
    seen = observed([100.0] * 6 + [500.0] * 2)
    fitted = fit_climatology(seen, (kind,), pseudo_calls=2.0, n_draws=1000)
    # kind 1: two calls of its own and two pseudo-calls, of which 6 in 8 are short: 1.5 of 4
    assert (fitted.draws_s((np.array([1]),), 1) == 100.0).mean() == pytest.approx(1.5 / 4, abs=1e-3)
    # kind 0: six of its own, two pseudo-calls: 7.5 of 8
    assert (fitted.draws_s((np.array([0]),), 1) == 100.0).mean() == pytest.approx(7.5 / 8, abs=1e-3)


def test_a_group_that_training_did_not_have_takes_its_parents_forecast():
    kind, hour = np.array([0, 0, 1]), np.array([3, 4, 3])
    fitted = fit_climatology(observed([100.0, 200.0, 900.0]), (kind, hour), n_draws=50)
    asked = (np.array([0, 7]), np.array([9, 3]))
    np.testing.assert_array_equal(fitted.draws_s(asked, 2)[0], fitted.quantiles_s[(0,)])
    np.testing.assert_array_equal(fitted.draws_s(asked, 2)[1], fitted.quantiles_s[()])


def test_climatology_stays_unbiased_where_only_arrivals_are_in_minutes():
    rng = np.random.default_rng(1)
    true, phase = rng.gamma(9, 30, (2, N)), rng.integers(0, 60, (2, N))
    train, held = (
        observed(np.floor((t + p) / 60) * 60 - p, resolution_s=60.0, phase_s=p, rounding=Rounding.DOWN)
        for t, p in zip(true, phase, strict=True)
    )
    low, high = pit_bounds(fit_climatology(train).draws_s((), N), held)
    assert (0.5 * (low + high)).mean() == pytest.approx(0.5, abs=3 / np.sqrt(12 * N))
    assert coverage(low, high).value == pytest.approx(0.9, abs=0.015)


def test_censored_calls_are_left_out_and_counted():
    fitted = fit_climatology(observed([100.0, 5.0], is_censored=[False, True]), n_draws=2)
    assert (fitted.n_fitted, fitted.n_left_out) == (1, 1)
    with pytest.raises(ValueError, match="no climatology"):
        fit_climatology(observed([5.0], is_censored=True))


def test_the_regression_recovers_station_and_hour_effects():
    fitted = fit_regression(observed(response(RNG)), KNOWN)
    assert fitted.scale is Scale.LOG
    found = np.array([fitted.effects["station"][k] for k in range(N_STATIONS)])
    # each effect rests on about 200 calls with a deviation of 0.2: standard error 0.014, the mean is the intercept's
    error = (found - found.mean()) - (OF_STATION - OF_STATION.mean())
    assert np.sqrt((error**2).mean()) < 0.02
    by_hour = np.array([fitted.effects["hour"][k] for k in range(24)])
    assert np.abs((by_hour - by_hour.mean()) - OF_HOUR).max() < 0.04


def test_the_regression_comes_near_the_truth_and_far_ahead_of_climatology():
    fitted = fit_regression(observed(response(RNG)), KNOWN)
    held = observed(response(RNG))
    levels = np.quantile(RNG.normal(0, 0.2, 100_000), (np.arange(200) + 0.5) / 200)
    mean = np.log(90 + DIST_M / 10) + OF_STATION[STATION] + OF_HOUR[HOUR]
    truth, rival = plain(np.exp(mean[:, None] + levels), held), plain(fitted.draws_s(KNOWN), held)
    assert truth < rival < 1.015 * truth
    assert rival < 0.6 * plain(fit_climatology(held).draws_s((), N), held)


@pytest.mark.parametrize("rounding", list(Rounding))
def test_its_intervals_cover_what_they_say_under_minutes_and_uneven_spread(rounding):
    def recorded(seed):
        rng = np.random.default_rng(seed)
        mean = 80 + DIST_M / 8 + 20 * OF_STATION[STATION]
        exact = np.maximum(mean + (10 + mean / 8) * rng.normal(0, 1, N), 1.0)
        frame = observed(exact, resolution_s=60.0, rounding=rounding, seed=seed)
        return observed(frame.written(exact[:, None])[:, 0], resolution_s=60.0, rounding=rounding)

    fitted = fit_regression(recorded(1), KNOWN, scale=Scale.LINEAR)
    low, high = pit_bounds(fitted.draws_s(KNOWN), recorded(2))
    for half in (np.median(DIST_M) > DIST_M, np.median(DIST_M) <= DIST_M):
        assert coverage(low[half], high[half]).value == pytest.approx(0.9, abs=0.015)


def test_effects_of_thin_stations_shrink_and_of_unknown_ones_are_nought():
    y = 300 + 60 * RNG.normal(0, 1, 400)
    station = np.append(np.repeat(np.arange(4), 99), [4, 5, 6, 7])
    fitted = fit_regression(observed(y), Known(np.full(400, 1000.0), {"station": station}), scale=Scale.LINEAR)
    thin = [abs(fitted.effects["station"][k]) for k in range(4, 8)]
    assert max(thin) < 15.0  # raw deviations are 60 s; the stations do not differ
    draws = fitted.draws_s(Known(np.array([1000.0]), {"station": np.array([99])}))
    assert np.median(draws) == pytest.approx(300, abs=10)


def test_equal_responses_are_forecast_as_they_are():
    known = Known(RNG.gamma(3, 900, 50), {"station": np.arange(50) % 5})
    draws = fit_regression(observed(np.full(50, 300.0)), known).draws_s(known, n_draws=5)
    np.testing.assert_allclose(draws, 300.0, rtol=1e-3)


def test_what_never_came_stays_a_share_of_every_forecast():
    value = response(RNG)
    value[: N // 10] = np.inf
    draws = fit_regression(observed(value), KNOWN, scale=Scale.LOG).draws_s(KNOWN, n_draws=100)
    assert np.isinf(draws).mean() == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("value", "distance", "message"),
    [(np.ones(5), np.ones(5), "ten at least"), (np.ones(12), -np.ones(12), "negative")],
)
def test_what_cannot_be_fitted_is_refused(value, distance, message):
    with pytest.raises(ValueError, match=message):
        fit_regression(observed(value), Known(distance, {}))
