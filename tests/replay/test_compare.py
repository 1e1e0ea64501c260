"""Changes of calls, paired, by hand: two days of calls with two draws each."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.replay.compare import change_of, groups_of, most_often, quantiles_of

DAY = np.array([10, 10, 11, 11])
BEFORE = np.array([[100, 100], [200, 220], [300, 300], [400, np.inf]], np.float32)
AFTER = np.array([[100, 100], [290, 350], [230, 300], [np.inf, 500]], np.float32)


def test_means_and_shares_are_over_calls_and_draws() -> None:
    found = change_of(BEFORE, AFTER, DAY)
    assert found.by_call.tolist()[:3] == [0, (90 + 130) / 2, (-70 + 0) / 2]
    assert np.isnan(found.by_call[3])
    assert found.mean.value == pytest.approx((90 + 130 - 70) / 6)
    # of eight: +90, +130 and one that nobody reaches any more are later by over a minute
    assert found.later[60].value == 3 / 8
    assert found.later[120].value == 2 / 8
    assert found.later[300].value == 1 / 8
    # -70, and one that nobody reached before
    assert found.sooner[60].value == 2 / 8
    assert found.sooner[120].value == 1 / 8
    assert found.changed.value == 5 / 8
    assert (found.n, found.n_days, found.n_lost, found.n_gained) == (4, 2, 1, 1)


def test_limits_are_those_of_days_drawn_anew() -> None:
    found = change_of(BEFORE, AFTER, DAY)
    # the days alone give 220 / 4 and -70 / 2, both together the mean
    assert (found.mean.low, found.mean.high) == (pytest.approx(-35), pytest.approx(55))
    one_day = change_of(BEFORE, AFTER, np.zeros(4, np.int64))
    assert one_day.mean.value == pytest.approx(found.mean.value)
    assert np.isnan(one_day.mean.low)


def test_a_call_without_a_second_unit_has_no_second_arrival() -> None:
    second = np.array([[np.nan, np.nan], [500, 520], [np.nan, np.nan], [600, 600]], np.float32)
    found = change_of(second, second + 30, DAY)
    assert found.n == 2
    assert (found.mean.value, found.later[60].value, found.changed.value) == (30, 0, 1)


def test_groups_hold_their_own_calls() -> None:
    found = change_of(BEFORE, AFTER, DAY)
    one, two = groups_of(found, BEFORE, AFTER, np.array([0, 0, 1, 1]), ("A", "B", "C"), DAY)
    assert (one.name, one.n, one.before_s, one.after_s, one.change.value, one.later) == ("A", 2, 155, 210, 55, 0.5)
    assert (two.name, two.n, two.change.value, two.later) == ("B", 1, -35, 0)


def test_the_station_most_often_first_and_of_equals_the_lower() -> None:
    assert most_often(np.array([[3, 1, 3], [2, 1, 0], [-1, -1, 4]], np.int16)).tolist() == [3, 0, -1]


def test_quantiles_leave_out_what_is_not_known_and_keep_what_never_came() -> None:
    levels, within, n = quantiles_of(np.array([300.0, np.nan, 100.0, np.inf]))
    assert levels.tolist() == [100, 300, np.inf, np.inf]
    assert within.tolist() == [1 / 3, 2 / 3, 2 / 3, 2 / 3, 2 / 3, 2 / 3]
    assert n == 3
