"""How values are written."""

from __future__ import annotations

import math

import pytest

from sim.report import numbers


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1234567, 0, "1,234,567"),
        (-1234.5, 1, "−1,234.5"),
        (-0.04, 1, "0.0"),
        (math.nan, 0, "–"),
        (None, 2, "–"),
        (math.inf, 0, "–"),
    ],
)
def test_numbers_have_separated_thousands_a_true_minus_and_no_negative_zero(
    value: float, digits: int, text: str
) -> None:
    assert numbers.plain(value, digits) == text


def test_shares_become_per_cent_and_their_differences_points_with_a_sign() -> None:
    assert numbers.share(0.6234) == "62.3"
    assert (numbers.points(0.0712), numbers.points(-0.0712), numbers.points(0.0), numbers.points(0.0004)) == (
        "+7.1", "−7.1", "0.0", "+0.04",
    )  # fmt: skip


def test_differences_in_seconds_below_ten_keep_a_decimal() -> None:
    assert [numbers.signed_seconds(v) for v in (41.4, 4.14, -4.14, 0.04)] == ["+41", "+4.1", "−4.1", "0.0"]


def test_an_interval_is_clear_only_if_it_is_known_and_leaves_zero_out() -> None:
    assert [numbers.is_clear(*ends) for ends in ((1, 2), (-2, -1), (-1, 2), (0, 2), (math.nan, 2), (None, None))] == [
        True, True, False, False, False, False,
    ]  # fmt: skip


def test_intervals_with_an_unknown_end_are_not_written() -> None:
    assert numbers.interval(1, 2, numbers.seconds) == "[1, 2]"
    assert numbers.interval(math.nan, 2, numbers.seconds) == ""
    assert numbers.chance_interval(1, 2, numbers.seconds) == "(1, 2)"


def test_small_p_values_are_bounded_not_rounded_to_zero() -> None:
    assert [numbers.p_value(p) for p in (0.00001, 0.0123, 1.0, math.nan)] == ["<0.001", "0.012", "1.000", "–"]
