"""Fits on the synthetic cities: what is true in them comes back within its standard errors, from stamps as recorded.

The cities are simulated by code that knows nothing of the fits (`tests.calibration.cities`). A share of n intervals of
90 % that hold the truth has a standard error of sqrt(0.09 / n), more where intervals of one city hang together.
"""

from __future__ import annotations

import numpy as np
import pytest

from calibration.fit.exposure import calendar, counts_by_hour
from calibration.fit.families import FAMILIES
from calibration.fit.likelihood import cells_of, maximum
from calibration.fit.places import fit_places
from calibration.fit.rates import fit_rates
from calibration.fit.times import fit_times
from calibration.fit.travel import fit_travel
from calibration.scores import Known, observed
from tests.calibration.cities import compact
from tests.calibration.cities.calls import draw_calls, evening_of, place_shares
from tests.calibration.cities.clock import clock_of
from tests.calibration.cities.worlds import Shape, world_of

REPEATS = 32
Z90 = 1.645
FLAT = np.zeros(144)


def recorded(begin_ms, end_ms, resolution_s=1):
    """Gives the interval of two stamps that were cut."""
    cell_ms = resolution_s * 1000
    return observed((end_ms // cell_ms - begin_ms // cell_ms) * float(resolution_s), resolution_s=resolution_s)


def plain_city(seed, n_calls, **otherwise):
    """A compact town whose ways are what the fit supposes: all ways alike at rush hours, units of a call apart."""
    return compact(None, n_calls, seed, **{"one_way": False, "common_share": 0.0, "days": 90} | otherwise)


def labels(truth, **chosen):
    """Gives the distance by road of every response, with the labels named."""
    history = truth.history
    every = {
        "station": history.station,
        "hour": truth.call_hour[history.call],
        "place": truth.calls.patch[history.call],
    }
    return Known(truth.ways.road_m[history.call, history.station], {name: every[name] for name in chosen or every})


def fit_ways(truth, known=None, **otherwise):
    history = truth.history
    seen = recorded(history.en_route_ms, history.arrival_ms, truth.options.resolution_s)
    known = known or labels(truth)
    return fit_travel(seen, known, truth.call_day[history.call], **{"curves": ("switch",)} | otherwise)


def ratios(effect, truth, *, is_weighted=True):
    """Gives error over standard error of every label met, about their common mean: the level is the curve's."""
    met = np.array(sorted(effect.effect))
    error = effect.of(met) - truth[met]
    weight = np.array([effect.own_n[each] for each in met], dtype=float) if is_weighted else None
    return (error - np.average(error, weights=weight)) / np.array([effect.se[each] for each in met])


def share_inside(found):
    return float(np.mean(np.abs(np.concatenate([np.atleast_1d(each) for each in found])) < Z90))


def test_turnout_by_hour_and_station_comes_back_within_its_errors():
    hour, station, spread = [], [], []
    for seed in range(REPEATS):
        truth = plain_city(seed, 1_500)
        world, history = truth.world, truth.history
        sent_h = truth.clock.hour[truth.clock.hour_of(history.dispatch_ms)]
        seen = recorded(history.dispatch_ms, history.en_route_ms)
        day = truth.call_day[history.call]
        fit = fit_times(seen, day, [sent_h, history.station], families=("lognormal",))
        hour.append(ratios(fit.effects[0], world.hour_turnout))
        station.append(ratios(fit.effects[1], world.turnout_effect))
        spread.append((fit.estimate.parameters[1] - np.log(world.turnout_sd)) / fit.estimate.se[1])
    assert share_inside(hour) == pytest.approx(0.9, abs=0.05)
    assert share_inside(station) == pytest.approx(0.9, abs=0.05)
    assert share_inside(spread) == pytest.approx(0.9, abs=3 * np.sqrt(0.09 / REPEATS))


def test_handling_of_each_kind_comes_back_within_its_errors():
    inside = []
    for seed in range(REPEATS):
        truth = plain_city(seed, 1_200)
        call, seen = handled(truth)
        for number, kind in enumerate(truth.world.kinds):
            found = maximum(FAMILIES["lognormal"], cells_of(seen.rows(truth.calls.kind[call] == number)))
            inside.append((found.parameters - np.log([kind.handling_s, kind.handling_sd])) / found.se)
    assert share_inside(inside) == pytest.approx(0.9, abs=0.05)


def handled(truth):
    """Gives the calls and, as recorded, how long each was handled: until the first unit was sent; nobody waits here."""
    first = np.flatnonzero(truth.history.slot == 0)
    call = truth.history.call[first]
    return call, recorded(truth.calls.call_ms[call], truth.history.dispatch_ms[first])


def test_kinds_that_differ_in_spread_are_said_to_need_fits_of_their_own():
    truth = plain_city(1, 3_000)
    call, seen = handled(truth)
    kind, day = truth.calls.kind[call], truth.call_day[call]
    together = fit_times(seen, day, [kind], families=("lognormal",))
    assert any("fit them apart" in reason for reason in together.misfit.reasons)
    alarms = np.flatnonzero(kind == 2)
    assert fit_times(seen.rows(alarms), day[alarms], families=("lognormal",)).misfit.reasons == ()


@pytest.mark.slow
def test_curve_station_hour_and_place_of_ways_come_back_within_their_errors():
    curve, found, spread, n_wrong = [], {"station": [], "hour": [], "place": []}, [], 0
    for seed in range(REPEATS):
        truth = plain_city(seed, 1_500)
        world, fit = truth.world, fit_ways(truth)
        # Hours are told apart from their own mean, which is the curve's: t times f is v / f and c / f^2.
        mean = world.hour_drive.mean()
        wanted = np.log([world.speed_ms, world.pull_ms2]) - np.array([mean, 2.0 * mean])
        curve.append((fit.parameters - wanted) / fit.se)
        for name, effect in (
            ("station", world.drive_effect),
            ("hour", world.hour_drive.ravel()),
            ("place", world.place_effect),
        ):
            found[name].append(ratios(fit.effects[name], effect))
        spread.append(fit.sd / true_spread(truth, fit) - 1.0)
        n_wrong += bool(fit.reasons)
    assert share_inside(curve) == pytest.approx(0.9, abs=0.1)
    for name, each in found.items():
        assert share_inside(each) == pytest.approx(0.9, abs=0.06), name
    assert np.mean(spread) == pytest.approx(0.0, abs=0.04)
    assert n_wrong <= 4  # at 1 % a test, three tests a fit


def true_spread(truth, fit):
    """Gives the true s.d. of log time in each of the bands that the fit has found."""
    true_sd = truth.world.noise_sd_of(truth.median_travel_s)
    band = np.searchsorted(fit.edges_s, np.exp(fit.log_expected(labels(truth))), side="right")
    return np.array([np.sqrt(np.mean(true_sd[band == each] ** 2)) for each in range(len(fit.sd))])


def test_ways_of_one_town_come_back_and_short_ones_are_found_to_scatter_more():
    truth = plain_city(2, 2_000, place_effect=FLAT)
    fit = fit_ways(truth, labels(truth, station=True, hour=True))
    assert fit.reasons == ()
    assert fit.sd[0] > 1.3 * fit.sd[-1]
    np.testing.assert_allclose(fit.sd, true_spread(truth, fit), rtol=0.1)
    error = fit.log_expected(labels(truth)) - np.log(truth.median_travel_s)
    assert np.sqrt(np.mean(error**2)) < 0.05
    peak, usual = fit.effects["hour"].of(np.array([8, 18])), fit.effects["hour"].of(np.array([11, 14]))
    np.testing.assert_allclose(peak - usual, np.log(1.4), atol=0.12)


def test_minutes_instead_of_seconds_widen_the_errors_and_leave_the_curve():
    by_second, by_minute = (
        fit_ways(truth, labels(truth, station=True))
        for truth in (plain_city(3, 2_000, place_effect=FLAT, resolution_s=r) for r in (1, 60))
    )
    assert (by_minute.se > by_second.se).all()
    assert (np.abs(by_minute.parameters - by_second.parameters) < 2.0 * by_minute.se).all()


@pytest.mark.parametrize(
    ("otherwise", "reason"),
    [
        ({"noise": "heavy"}, "the form does not fit"),
        ({"noise": "heavy"}, "heavy tails"),
        ({"congestion_sd": 0.25}, "durations of a day go together"),
    ],
)
def test_ways_that_are_not_as_supposed_are_said_not_to_fit(otherwise, reason):
    truth = plain_city(4, 1_500, place_effect=FLAT, **otherwise)
    fit = fit_ways(truth, labels(truth, station=True, hour=True))
    assert any(reason in each for each in fit.reasons)


def test_congestion_that_a_day_shares_widens_the_errors_of_the_curve():
    usual, shared = (
        fit_ways(truth, Known(truth.ways.road_m[truth.history.call, truth.history.station], {}))
        for truth in (plain_city(5, 1_500, place_effect=FLAT, congestion_sd=sd) for sd in (0.0, 0.25))
    )
    assert shared.se[0] > 1.5 * usual.se[0]
    assert shared.misfit.day_correlation > 0.15


def test_units_sent_from_anywhere_are_seen_where_the_nearest_is_taken_to_have_come():
    """Without names of stations the nearest is supposed; how far that is off is told by the distance from the form."""
    off = []
    for wrong in (0.0, 0.15):
        truth = plain_city(6, 1_500, place_effect=FLAT, wrong_station=wrong)
        first, history = truth.first_row, truth.history
        nearest = truth.ways.road_m.argmin(axis=1)
        known = Known(truth.ways.road_m.min(axis=1), {"station": nearest})
        fit = fit_travel(
            recorded(history.en_route_ms[first], history.arrival_ms[first]), known, truth.call_day, curves=("switch",)
        )
        off.append(fit.misfit.form_distance)
    assert any("the form does not fit" in each for each in fit.reasons)
    assert off[1] > 2.0 * off[0]


def test_calls_by_hour_weekday_month_and_year_come_back_within_their_errors():
    world, clock = world_of(Shape.COMPACT, 1), clock_of("2021-01-01", 730, "Asia/Shanghai")
    days = calendar(np.unique(clock.day[: clock.n_hours]), np.ones((730, 24)))
    kinds = range(len(world.kinds))
    of_kinds = np.log(sum(world.kinds[k].share * np.exp(evening_of(world, k)) for k in kinds))
    hour = world.hour_calls + of_kinds
    wanted = {
        "hour": hour - hour.mean(),
        "weekday": world.weekday_calls,
        "month": world.month_calls,
        "drift": np.array([world.drift_per_year]),
    }
    inside, dispersion = {name: [] for name in (*wanted, "level")}, []
    for seed in range(REPEATS):
        calls = draw_calls(world, clock, 8_000, seed)
        counts, is_out = counts_by_hour(calls.call_ms, days, world.time_zone)
        assert not is_out.any()
        rates = fit_rates(counts, days, tuple(wanted))
        for name, truth in wanted.items():
            value, se = rates.effect(name)
            inside[name].append((value - truth) / se)
        level = np.log(calls.level_per_h) + hour.mean()
        inside["level"].append((rates.coefficients[0] - level) / np.sqrt(rates.covariance[0, 0]))
        dispersion.append((rates.day_cv2 - world.day_cv2) / rates.day_cv2_se)
    for name, each in inside.items():
        assert share_inside(each) > 0.9 - 3 * np.sqrt(0.09 / REPEATS), name
    assert share_inside(dispersion) == pytest.approx(0.9, abs=3 * np.sqrt(0.09 / REPEATS))


def test_a_kind_that_lies_elsewhere_leans_less_on_the_others_and_its_errors_say_so():
    world, clock = world_of(Shape.COMPACT, 1), clock_of("2021-01-01", 60, "Asia/Shanghai")
    wanted = np.stack([place_shares(world, k) for k in range(len(world.kinds))])
    np.testing.assert_allclose(wanted.sum(axis=1), 1.0)
    outdoor, inside = [kind.code for kind in world.kinds].index("outdoor_fire"), []
    for seed in range(REPEATS):
        calls = draw_calls(world, clock, 40_000, seed)
        table = np.stack([np.bincount(calls.patch[calls.kind == k], minlength=144) for k in range(len(wanted))])
        found = fit_places(table.astype(float))
        inside.append((found.share - wanted) / found.se)
        assert found.strength[outdoor] == found.strength.min()
    assert share_inside(np.array(inside).ravel()) == pytest.approx(0.9, abs=0.04)
    assert share_inside(np.array(inside)[:, outdoor].ravel()) > 0.85  # one strength for all kinds: 0.80
