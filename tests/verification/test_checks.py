"""When a check holds: within its standard errors, and never by seeing nothing."""

from __future__ import annotations

import math

import pytest

from sim.verification.checks import AT_LEAST, AT_MOST, EXACT, Check, Rule, Told
from sim.verification.estimates import mean_of, ratio_of, variance_of


def check(found: float, error: float, rule: Rule, expected: float = 10.0) -> Check:
    return Check("x", Told("x", "x"), "theory", "x", "s", expected, found, error, "kernel", 9, rule)


@pytest.mark.parametrize(
    ("found", "error", "verdict"),
    [
        (10.5, 0.125, "holds"),
        (9.5, 0.125, "holds"),
        (10.625, 0.125, "fails"),
        (9.375, 0.125, "fails"),
        (10.0, 0.25, "blind"),
        (11.25, 0.25, "fails"),
        (10.0, 0.0, "blind"),
        (math.nan, 0.1, "fails"),
    ],
)
def test_four_standard_errors_hold_and_a_wide_one_is_blind(found, error, verdict):
    assert check(found, error, Rule.within(0.2)).verdict == verdict


@pytest.mark.parametrize(
    ("rule", "found", "holds"),
    [
        (EXACT, 10.0, True),
        (EXACT, 10.000001, False),
        (AT_LEAST, 9.9, False),
        (AT_MOST, 11, False),
        (AT_MOST, 9, True),
    ],
)
def test_bounds_and_exact_answers_need_no_standard_error(rule, found, holds):
    assert check(found, 0.0, rule).holds is holds


def test_a_mean_of_replications_has_s_over_root_n():
    made = mean_of([1.0, 2.0, 3.0, 4.0])
    assert (made.value, made.n) == (2.5, 4)
    assert made.standard_error == pytest.approx(math.sqrt(5.0 / 3.0) / 2.0)


def test_a_ratio_weighs_replications_by_their_counts():
    """Residuals of totals 2, 9 over counts 10, 30 at ratio 0.275: -0.75 and 0.75."""
    made = ratio_of([2.0, 9.0], [10.0, 30.0])
    assert made.value == pytest.approx(0.275)
    assert made.standard_error == pytest.approx(math.sqrt(2 * 0.75**2 / 1 / 2) / 20.0)


def test_a_variance_s_error_follows_the_fourth_moment():
    """For +1 and -1 in turn the variance is all but certain."""
    made = variance_of([1.0, -1.0] * 500)
    assert made.value == pytest.approx(1000 / 999)
    assert made.standard_error < 0.002
