"""Demand: exposure by hand, parameters got back within their standard errors, wrong assumptions seen."""

import numpy as np
import pytest

from calibration.fit.demand import fit_demand, identified
from calibration.fit.exposure import calendar, counts_by_hour, observed_days, spans_of_log
from calibration.fit.places import fit_places
from calibration.fit.rates import BLOCKS, columns_of, cycle, fit_rates

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
HOURS = 0.5 * np.sin(2.0 * np.pi * (np.arange(24) - 9.0) / 24.0)
MONTHS = 0.15 * np.cos(2.0 * np.pi * np.arange(12) / 12.0)
WEEKDAYS = np.array([0.05, 0.0, 0.0, 0.0, 0.05, -0.05, -0.05])
DRIFT = 0.05


def utc_ms(text):
    return int(np.datetime64(text, "ms").astype(np.int64))


def some_days(n_days, exposure_h=1.0):
    return calendar(18_628 + np.arange(n_days), np.full((n_days, 24), exposure_h))


def simulate(days, rng, *, phi, level=0.0):
    log_mean = level + DRIFT * days.years + MONTHS[days.month] + WEEKDAYS[days.weekday]
    factor = rng.gamma(1.0 / phi, phi, len(days.day)) if phi else np.ones(len(days.day))
    mean = days.exposure_h * np.exp(log_mean[:, None] + HOURS) * factor[:, None]
    return rng.poisson(mean).astype(np.float64)


def calls_of(counts, days, rng):
    """Return call times of counts, in a zone that is universal time."""
    row, hour = np.nonzero(counts)
    n = counts[row, hour].astype(np.int64)
    begin = np.repeat(days.day[row] * DAY_MS + hour * HOUR_MS, n)
    return begin + rng.integers(0, HOUR_MS, len(begin))


def test_a_day_of_25_hours_counts_its_repeated_hour_twice_and_one_of_23_skips_one():
    autumn = observed_days(np.array([[utc_ms("2025-10-25T22:00"), utc_ms("2025-10-26T23:00")]]), "Europe/Berlin")
    spring = observed_days(np.array([[utc_ms("2025-03-29T23:00"), utc_ms("2025-03-30T22:00")]]), "Europe/Berlin")
    assert autumn.exposure_h.tolist() == [[1.0, 1.0, 2.0, *[1.0] * 21]]
    assert spring.exposure_h.tolist() == [[1.0, 1.0, 0.0, *[1.0] * 21]]
    assert autumn.weekday.tolist() == [6]
    assert autumn.month.tolist() == [9]


def test_part_days_and_gaps_count_only_what_was_observed():
    spans = np.array(
        [
            [utc_ms("2025-01-01T22:10"), utc_ms("2025-01-02T00:00")],
            [utc_ms("2025-01-05T00:00"), utc_ms("2025-01-05T00:06")],
        ]
    )
    days = observed_days(spans, "UTC")
    assert (days.day - days.day[0]).tolist() == [0, 4]
    np.testing.assert_allclose(days.exposure_h.sum(axis=1), [1.0 + 50.0 / 60.0, 0.1])
    np.testing.assert_allclose(days.exposure_h[0, 22:], [50.0 / 60.0, 1.0])
    counts, is_out = counts_by_hour(np.array([spans[0, 0], utc_ms("2025-01-03T12:00")]), days, "UTC")
    assert counts.sum() == 1.0
    assert is_out.tolist() == [False, True]


def test_a_month_missing_from_the_log_is_a_gap_and_quiet_nights_are_none():
    rng = np.random.default_rng(3)
    days = some_days(200)
    counts = simulate(days, rng, phi=0.05, level=-0.5)
    counts[:, 2:5] = 0.0
    call = calls_of(counts, days, rng)
    assert len(spans_of_log(call, "UTC")) == 1
    hole = (call >= days.day[100] * DAY_MS) & (call < days.day[130] * DAY_MS)
    spans = spans_of_log(call[~hole], "UTC")
    assert len(spans) == 2
    assert spans[1, 0] - spans[0, 1] >= 30 * DAY_MS
    with pytest.raises(ValueError, match="cannot be told"):
        spans_of_log(call[:1], "UTC")


@pytest.mark.parametrize("scale", [1.0, 0.0])
def test_the_strength_of_each_penalty_is_where_expectation_and_maximisation_stays(scale):
    # s sum w (b^2 + C) = m - 1 for the m effects of a block, whether there is an effect or none.
    rng, days = np.random.default_rng(8), some_days(730)
    counts = simulate(days, rng, phi=0.02) if scale else rng.poisson(1.0, (730, 24)).astype(np.float64)
    found = fit_rates(counts, days, BLOCKS)
    for block, part in columns_of(BLOCKS).items():
        if block == "drift":
            continue
        weight = cycle(*{"month": (12, 1), "weekday": (7, 0)}.get(block, (24, 2)))[1]
        size = found.coefficients[part] ** 2 + np.diag(found.covariance)[part]
        assert found.penalties[block] * (weight @ size) == pytest.approx(len(weight) - 1.0, rel=0.003)


@pytest.mark.slow
def test_effects_and_day_factor_are_got_back_within_their_standard_errors_over_a_hundred_repeats():
    days = some_days(730)
    inside = {name: [] for name in ("hour", "month", "weekday", "drift", "day_cv2", "level")}
    for seed in range(100):
        rates = fit_rates(simulate(days, np.random.default_rng(seed), phi=0.06), days)
        truth = {"hour": HOURS, "month": MONTHS, "weekday": WEEKDAYS, "drift": np.array([DRIFT])}
        for name, wanted in truth.items():
            value, se = rates.effect(name)
            inside[name].append(np.mean(np.abs(value - wanted) < 1.96 * se))
        inside["day_cv2"].append(abs(rates.day_cv2 - 0.06) < 1.96 * rates.day_cv2_se)
        inside["level"].append(abs(rates.coefficients[0]) < 1.96 * np.sqrt(rates.covariance[0, 0]))
    # A share of 100 intervals of 95 % has a standard error of 0.022; weekdays are shrunk, so theirs is an average.
    for name, hits in inside.items():
        assert 0.85 <= np.mean(hits) <= 1.0, (name, {n: float(np.mean(h)) for n, h in inside.items()})


@pytest.mark.slow
def test_p_values_of_no_day_factor_are_not_small_where_there_is_none():
    days = some_days(365)
    found = [fit_rates(simulate(days, np.random.default_rng(seed), phi=0.0), days) for seed in range(60)]
    assert np.mean([rates.day_cv2_p < 0.05 for rates in found]) <= 0.05 + 3.0 * np.sqrt(0.05 * 0.95 / 60)
    assert fit_rates(simulate(days, np.random.default_rng(0), phi=0.06), days).day_cv2_p < 1e-6


def test_rates_do_not_fall_where_half_of_every_hour_was_not_observed():
    whole, half = some_days(200), some_days(200, 0.5)
    of_whole = fit_rates(simulate(whole, np.random.default_rng(1), phi=0.0), whole, ("hour",))
    of_half = fit_rates(simulate(half, np.random.default_rng(2), phi=0.0), half, ("hour",))
    apart = of_whole.coefficients[0] - of_half.coefficients[0]
    assert abs(apart) < 3.0 * np.sqrt(of_whole.covariance[0, 0] + of_half.covariance[0, 0])


def test_shares_of_places_are_got_back_and_thin_kinds_lean_on_the_rest():
    rng = np.random.default_rng(5)
    truth = rng.dirichlet(np.full(30, 2.0))
    inside = []
    for _ in range(100):
        found = fit_places(np.stack([rng.multinomial(3000, truth), rng.multinomial(20, truth)]).astype(np.float64))
        inside.append(np.abs(found.share - truth) < 1.96 * found.se)
        np.testing.assert_allclose(found.share.sum(axis=1), 1.0)
    assert 0.90 <= np.mean(inside) <= 0.99
    own = fit_places(np.array([[900.0, 100.0], [100.0, 900.0]]))
    np.testing.assert_allclose(own.share, [[0.9, 0.1], [0.1, 0.9]], atol=0.01)


@pytest.fixture(scope="module")
def whole_demand():
    rng = np.random.default_rng(11)
    days = some_days(120)
    counts = {"fire": simulate(days, rng, phi=0.05), "rescue": simulate(days, rng, phi=0.05, level=0.5)}
    call = np.concatenate([calls_of(part, days, rng) for part in counts.values()])
    kind = np.repeat(list(counts), [int(part.sum()) for part in counts.values()])
    place = rng.choice(["north", "south"], p=[0.3, 0.7], size=len(call))
    return days, call, kind, place


def test_the_rates_add_up_to_the_calls_and_a_short_log_says_what_it_cannot_show(whole_demand):
    days, call, kind, place = whole_demand
    demand = fit_demand(call, kind, place, days, "UTC")
    rate = demand.rate_per_h(days)
    assert rate.shape == (2, 2, 120, 24)
    expected = (rate * days.exposure_h).sum(axis=(1, 2, 3))
    observed = np.array([(kind == name).sum() for name in demand.kinds])
    np.testing.assert_allclose(expected, observed, rtol=0.02)
    assert [text.split(":")[0] for text in demand.said] == ["drift", "month"]
    assert not {"drift", "month"} & set(demand.shape.blocks)
    assert "hour" in demand.shape.blocks
    assert all(test.p_value > 0.001 for test in demand.tests)
    assert demand.params()["calls"] == len(call)


def test_clumps_of_calls_and_places_with_their_own_hours_are_seen_as_misfit(whole_demand):
    days, call, kind, place = whole_demand
    rng = np.random.default_rng(12)
    storm = rng.random(len(call)) < 0.05
    clumped = np.concatenate([call, np.repeat(call[storm] // HOUR_MS * HOUR_MS + HOUR_MS // 2, 5)])
    more = np.concatenate([np.arange(len(call)), np.repeat(np.flatnonzero(storm), 5)])
    of_clumps = fit_demand(clumped, kind[more], place[more], days, "UTC")
    assert next(test.p_value for test in of_clumps.tests if test.name == "clumps_within_day") < 1e-6
    by_night = np.where(call // HOUR_MS % 24 < 8, "north", place)
    of_places = fit_demand(call, kind, by_night, days, "UTC")
    assert next(test.p_value for test in of_places.tests if test.name == "places_by_hour") < 1e-6


def test_one_day_shows_no_weekday_and_a_call_outside_the_time_observed_is_counted_apart():
    blocks, said = identified(some_days(1))
    assert blocks == ()
    assert len(said) == 5
    days = some_days(1)
    call = days.day[0] * DAY_MS + np.array([1, 5, 30]) * HOUR_MS
    demand = fit_demand(call, np.full(3, "fire"), np.full(3, "here"), days, "UTC")
    assert demand.n_outside == 1
    np.testing.assert_allclose(demand.rate_per_h(days).sum(), 2.0, rtol=1e-6)
    with pytest.raises(ValueError, match="missing"):
        fit_demand(call, np.array(["fire", "", "fire"]), np.full(3, "here"), days, "UTC")
