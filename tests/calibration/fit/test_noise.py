"""Residuals of travel: quantiles as they are, rounding taken out, and what units of one call share."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from calibration.fit.noise import (
    LEVELS,
    Shared,
    interpolate,
    noise_quantiles,
    normal_quantiles,
    shared_within,
)
from calibration.fit.times import fit_times
from calibration.fit.travel import fit_travel
from calibration.scores import Known, observed
from calibration.scores.recorded import Rounding
from tests.calibration.cities import compact

N = 30_000
ONE = np.array([0.25])
NOBODY = np.zeros(N, np.int64)


def test_levels_are_even_and_a_normal_residual_has_its_quantiles():
    assert LEVELS[[0, 50, 99]].tolist() == [0.005, 0.505, 0.995]
    quantiles = normal_quantiles(np.array([0.2, 0.4]))
    np.testing.assert_allclose(quantiles[:, 99], [0.2 * special.ndtri(0.995), 0.4 * special.ndtri(0.995)])


def test_between_and_beyond_the_levels_a_normal_residual_stays_normal():
    levels = np.array([1e-6, 0.003, 0.1234, 0.5, 0.9, 0.999999])
    quantiles = interpolate(normal_quantiles(ONE)[0], levels)
    np.testing.assert_allclose(quantiles, 0.25 * special.ndtri(levels), rtol=1e-9, atol=1e-12)


def test_exact_residuals_of_two_values_keep_them():
    # A quarter of the journeys take e^-0.1, the others e^0.2 of what is expected: to the width of a bin, 0.05 s.d.
    residual = np.where(np.arange(N) % 4 == 0, -0.1, 0.2)
    quantiles = noise_quantiles(observed(np.exp(6.0 + residual)), np.full(N, 6.0), NOBODY, np.array([0.1]))[0]
    np.testing.assert_allclose(quantiles[LEVELS < 0.25], -0.1, atol=0.0051)
    np.testing.assert_allclose(quantiles[LEVELS > 0.25], 0.2, atol=0.0051)


@pytest.mark.parametrize(
    ("rounding", "shift"), [(Rounding.STAMPS, None), (Rounding.NEAREST, 0.5), (Rounding.DOWN, 0.0)]
)
def test_minutes_are_taken_out_of_a_heavy_tailed_residual(rounding, shift):
    rng = np.random.default_rng(4)
    mean = rng.uniform(np.log(240), np.log(600), N)
    true = np.exp(mean + 0.15 * rng.standard_t(3, N))
    written = np.floor(true / 60 + (rng.uniform(size=N) if shift is None else shift)) * 60
    seen = observed(written, resolution_s=60.0, rounding=rounding)
    quantiles = noise_quantiles(seen, mean, NOBODY, ONE)[0]
    truth = 0.15 * stats.t(3).ppf(LEVELS)
    middle = (LEVELS > 0.02) & (LEVELS < 0.98)
    assert np.abs(quantiles - truth)[middle].max() < 0.025  # stamps alone add 24 s to 400 s: 0.06
    assert quantiles[1] == pytest.approx(truth[1], rel=0.15)
    assert quantiles[-2] == pytest.approx(truth[-2], rel=0.15)


def test_journeys_known_to_be_longer_count_as_what_lies_above():
    rng = np.random.default_rng(5)
    true, limit = np.exp(6.0 + 0.25 * rng.normal(size=N)), np.exp(6.0 + 0.4 * rng.normal(size=N))
    seen = observed(np.minimum(true, limit), is_censored=true > limit)
    quantiles = noise_quantiles(seen, np.full(N, 6.0), NOBODY, ONE)[0]
    np.testing.assert_allclose(quantiles[5:95], 0.25 * special.ndtri(LEVELS[5:95]), atol=0.02)


def test_what_units_of_a_call_share_is_the_mean_product_of_pairs():
    # Calls of two units: ten with residuals 1 and 1, ten with 1 and -0.5: mean product (1 - 0.5) / 2.
    standard = np.array([1.0, 1.0] * 10 + [1.0, -0.5] * 10 + [2.0])
    call = np.append(np.repeat(np.arange(20), 2), 20)
    day = call % 2
    found = shared_within(standard, call, day)
    assert (found.share, found.n_pairs) == (0.25, 20)
    assert found.se == pytest.approx(0.0, abs=1e-12)  # both days have five of each
    by_kind = shared_within(standard, call, (call >= 10).astype(np.int64))
    assert by_kind.se == pytest.approx(np.sqrt(2 * 2 * (10 * 0.75) ** 2) / 20)


def test_an_effect_fitted_to_both_units_is_put_back_and_one_of_a_single_unit_is_not():
    standard, call = np.tile([1.0, -1.0], 20), np.repeat(np.arange(20), 2)
    place, station = call // 2, np.arange(40) % 2  # units of a call share the place, never the station
    fitted = [(place, np.full(40, 0.3)), (station, np.full(40, 0.9))]
    assert shared_within(standard, call, call, fitted).share == pytest.approx(-1.0 + 0.3)


def test_few_pairs_say_nothing():
    found = shared_within(np.ones(30), np.arange(30) // 2, np.arange(30))
    assert np.isnan([found.share, found.se]).all()
    assert found.n_pairs == 15


def pairs(seed, share, *, r=1.0, n_calls=1500):
    """Two units a call whose log residuals, of s.d. 0.25, share a part; stamps of r seconds, ten calls a day."""
    rng = np.random.default_rng(seed)
    call = np.repeat(np.arange(n_calls), 2)
    distance = rng.gamma(2, 1500, 2 * n_calls)
    noise = np.sqrt(share) * rng.normal(size=n_calls)[call] + np.sqrt(1 - share) * rng.normal(size=2 * n_calls)
    true = (90 + 0.07 * distance) * np.exp(0.25 * noise)
    written = np.floor(true / r + rng.uniform(size=len(true))) * r
    return observed(written, resolution_s=r), Known(distance, {}), call // 10, call


@pytest.mark.parametrize("r", [1.0, 60.0])
def test_the_share_in_common_comes_back_within_its_error(r):
    z = []
    for seed in range(12):
        seen, known, day, call = pairs(seed, 0.3, r=r, n_calls=600)
        found = fit_travel(seen, known, day, curves=("line",), call=call).common
        z.append((found.share - 0.3) / found.se)
    assert abs(np.mean(z)) < 3 / np.sqrt(12)
    assert np.std(z) < 1.7


def test_the_share_in_common_of_a_synthetic_city_comes_back_though_places_are_fitted_too():
    ratio = []
    for seed in range(8):
        truth = compact(None, 3_000, seed, days=90, one_way=False)
        history, place = truth.history, truth.calls.patch[truth.history.call]
        labels = {"place": place, "station": history.station, "hour": truth.call_hour[history.call]}
        known = Known(truth.ways.road_m[history.call, history.station], labels)
        seen = observed(history.travel_s)
        day = truth.call_day[history.call]
        found = fit_travel(seen, known, day, curves=("switch",), call=history.call).common
        ratio.append((found.share - truth.world.common_share) / found.se)
    assert abs(np.mean(ratio)) < 3 / np.sqrt(8)


def test_units_of_a_call_do_not_make_their_day_look_alike():
    seen, known, day, call = pairs(3, 0.8, n_calls=600)
    assert fit_travel(seen, known, day, curves=("line",)).misfit.day_p < 0.01
    assert fit_travel(seen, known, day, curves=("line",), call=call).misfit.day_p > 0.01
    assert fit_times(seen, day, families=("lognormal",), call=call).misfit.day_p > 0.01


def test_a_fit_takes_quantiles_of_the_records_only_where_they_are_not_log_normal():
    seen, known, day, _ = pairs(1, 0.0)
    plain = fit_travel(seen, known, day, curves=("line",))
    assert plain.is_lognormal
    assert plain.noise_quantiles.tolist() == normal_quantiles(plain.sd).tolist()
    assert np.isnan(plain.common.share)
    rng = np.random.default_rng(2)
    heavy = observed((90 + 0.07 * known.distance) * np.exp(0.15 * rng.standard_t(2, len(day))))
    fit = fit_travel(heavy, known, day, curves=("line",))
    assert not fit.is_lognormal
    tails = fit.quantiles_s(known.rows(np.arange(1)), np.array([0.02, 0.5, 0.98]))[0]
    truth = (90 + 0.07 * known.distance[0]) * np.exp(0.15 * stats.t(2).ppf([0.02, 0.5, 0.98]))
    np.testing.assert_allclose(np.log(tails), np.log(truth), atol=0.12)
    assert isinstance(fit.common, Shared)
