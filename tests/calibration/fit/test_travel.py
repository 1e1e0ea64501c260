"""Fitted travel times: curve, effects and spread come back within their errors; wrong worlds are said to be wrong."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.fit.complete import log_times
from calibration.fit.speed import CURVES, OF_MATRIX
from calibration.fit.travel import fit_travel
from calibration.scores import Known, observed

N = 2500
DAY = np.arange(N) // 25
TRUTH = {
    "root": [np.log(40.0), np.log(4.0)],
    "line": [np.log(90.0), np.log(0.07)],
    "switch": [np.log(14.0), np.log(0.05)],
}


def world(seed, curve="root", *, sd=0.2, n=N, n_stations=30):
    rng = np.random.default_rng(seed)
    known = Known(rng.gamma(2, 1500, n), {"station": rng.integers(0, n_stations, n), "hour": rng.integers(0, 24, n)})
    station, hour = rng.normal(0, 0.15, n_stations), 0.1 * np.sin(np.arange(24) / 24 * 2 * np.pi)
    mean = CURVES[curve].log_s(np.array(TRUTH[curve]), known.distance)
    mean = mean + station[known.labels["station"]] + hour[known.labels["hour"]]
    return rng, known, np.exp(mean + sd * rng.normal(size=n)), station


def stamped(true, rng, r=60.0):
    return observed(np.floor(true / r + rng.uniform(size=len(true))) * r, resolution_s=r)


def test_switch_is_one_curve_where_its_parts_meet():
    p = np.array([np.log(10.0), np.log(0.5)])  # meets at 10^2 / 0.5 = 200 m, after 40 s
    np.testing.assert_allclose(
        np.exp(CURVES["switch"].log_s(p, np.array([50.0, 200.0, 200.001, 400.0]))), [20, 40, 40, 60], atol=1e-3
    )


def test_a_minute_stamp_says_what_simulated_journeys_say():
    rng = np.random.default_rng(1)
    true = np.exp(4.8 + 0.3 * rng.normal(size=400_000))
    written = np.floor(true / 60 + rng.uniform(size=len(true))) * 60
    one = log_times(observed([120.0], resolution_s=60.0), np.array([4.8]), np.array([0.3]))
    own = np.log(true[written == 120.0])
    assert one.mean[0] == pytest.approx(own.mean(), abs=4 * own.std() / np.sqrt(len(own)))
    assert one.variance[0] == pytest.approx(own.var(), rel=0.02)
    assert np.exp(one.log_p[0]) == pytest.approx((written == 120.0).mean(), abs=0.003)


def test_a_journey_known_to_be_longer_counts_as_the_upper_part():
    one = log_times(observed([np.exp(5.0)], is_censored=True), np.array([5.0]), np.array([0.4]))
    assert one.mean[0] == pytest.approx(5.0 + 0.4 * np.sqrt(2 / np.pi))
    assert one.variance[0] == pytest.approx(0.16 * (1 - 2 / np.pi))


@pytest.mark.parametrize("curve", TRUTH)
def test_the_true_curve_is_chosen_and_fits(curve):
    rng, known, true, _ = world(4, curve)
    fit = fit_travel(stamped(true, rng, 1.0), known, DAY)
    assert fit.curve.name == curve
    assert fit.reasons == ()
    assert np.all(np.abs(fit.parameters - TRUTH[curve]) < 3 * fit.se)
    assert fit.sd[0] == pytest.approx(0.2, abs=4 * fit.sd_se[0])


def test_minute_stamps_give_curve_stations_and_spread_back():
    level, station_ratio, sd = [], [], []
    for seed in range(12):
        rng, known, true, station = world(seed, n=1500)
        fit = fit_travel(stamped(true, rng), known, DAY[:1500], curves=("root",))
        level.append((fit.parameters - TRUTH["root"]) / fit.se)
        effect = fit.effects["station"]
        error = effect.of(np.arange(30)) - station
        station_ratio.append((error - error.mean()) / np.array([effect.se[s] for s in range(30)]))
        sd.append(fit.sd.mean())
    assert np.mean(np.abs(level) < 1.645) == pytest.approx(0.9, abs=3 * np.sqrt(0.09 / 24))
    assert np.mean(np.abs(station_ratio) < 1.645) == pytest.approx(0.9, abs=0.08)
    assert np.mean(sd) == pytest.approx(0.2, abs=0.01)


def test_absurd_rows_are_counted_and_move_nothing():
    rng, known, true, _ = world(9)
    plain = fit_travel(observed(true), known, DAY, curves=("root",))
    wrong = true.copy()
    wrong[:25] = rng.choice([2.0, 10_000.0], 25)
    fit = fit_travel(observed(wrong), known, DAY, curves=("root",))
    assert 20 <= fit.n_absurd <= 25
    assert np.all(np.abs(fit.parameters - plain.parameters) < plain.se)
    assert any("beyond" in reason for reason in fit.reasons)


def test_a_spread_that_falls_with_the_way_is_found_and_an_even_one_is_left_alone():
    rng, known, true, _ = world(2)
    even = fit_travel(observed(true), known, DAY, curves=("root",))
    assert len(even.sd) == 1
    wide = true * np.exp(np.where(known.distance < 2000, 0.4, 0.0) * rng.normal(size=N))
    fit = fit_travel(observed(wide), known, DAY, curves=("root",))
    assert fit.sd[0] > 1.5 * fit.sd[-1]
    assert fit.spread_p < 1e-6


def test_wrong_worlds_are_said_to_be_wrong():
    rng, known, true, _ = world(3)
    heavy = fit_travel(observed(true * np.exp(0.15 * rng.standard_t(2, N))), known, DAY, curves=("root",))
    assert heavy.misfit.form_p < 0.01
    shared = fit_travel(observed(true * np.exp(0.15 * rng.normal(size=100))[DAY]), known, DAY, curves=("root",))
    assert shared.misfit.day_p < 1e-6
    assert shared.misfit.day_correlation == pytest.approx(0.36, abs=0.1)
    _, known, true, _ = world(3, "line")
    bent = fit_travel(observed(true), known, DAY, curves=("root",))
    assert bent.curve_p < 0.01


def test_a_true_world_is_seldom_rejected():
    p = []
    for seed in range(20):
        rng, known, true, _ = world(seed, n=1000, n_stations=8)
        fit = fit_travel(stamped(true, rng), known, DAY[:1000], curves=("root",))
        p.append([fit.misfit.form_p, fit.misfit.day_p, fit.curve_p])
    assert (np.array(p) < 0.01).sum(axis=0).max() <= 2


def test_a_matrix_is_corrected_by_a_factor():
    rng = np.random.default_rng(6)
    known = Known(rng.gamma(4, 80, N), {"station": rng.integers(0, 10, N)})
    fit = fit_travel(observed(1.3 * known.distance * np.exp(0.2 * rng.normal(size=N))), known, DAY, curves=OF_MATRIX)
    assert fit.curve.name == "factor"
    assert abs(fit.parameters[0] - np.log(1.3)) < 3 * fit.se[0]


def test_what_short_ways_do_not_show_is_called_not_identified():
    rng = np.random.default_rng(7)
    known = Known(rng.uniform(20, 200, 300), {})
    true = np.exp(CURVES["switch"].log_s(np.array([np.log(20.0), np.log(0.5)]), known.distance))
    fit = fit_travel(
        observed(true * np.exp(0.2 * rng.normal(size=300))), known, np.arange(300) // 10, curves=("switch",)
    )
    assert fit.vague == ("log_speed",)


def test_what_is_no_journey_is_refused():
    with pytest.raises(ValueError, match="distance"):
        fit_travel(observed([60.0] * 30), Known(np.full(30, -1.0), {}), np.arange(30))
    with pytest.raises(ValueError, match="twenty"):
        fit_travel(observed([60.0] * 5), Known(np.ones(5), {}), np.arange(5))
