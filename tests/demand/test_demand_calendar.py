"""Days off, make-up workdays and named days of China, and the arithmetic of windows."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from sim.demand.calendar import MAKE_UP_WORKDAY, ORDINARY_DAY, build_calendar
from sim.demand.settings import CalendarSettings
from sim.errors import InputError

SPRING = "Chinese New Year (Spring Festival)"
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def calendar():
    return build_calendar(CalendarSettings("2022-01-01", "2027-01-01", 14, 7), "CN", 2023)


def _at(calendar, day: str) -> tuple[int, str]:
    i = (date.fromisoformat(day) - calendar.start).days
    return int(calendar.day_type[i]), calendar.labels[calendar.label[i]]


@pytest.mark.parametrize(
    ("day", "day_type", "label"),
    [
        ("2023-01-21", 1, "Chinese New Year's Eve"),
        ("2023-01-22", 1, SPRING),
        ("2023-01-27", 1, SPRING),  # a substituted day off at the end of the week
        ("2023-01-28", 0, MAKE_UP_WORKDAY),  # a Saturday
        ("2023-01-29", 0, MAKE_UP_WORKDAY),
        ("2023-01-30", 0, ORDINARY_DAY),
        ("2024-02-09", 0, "Chinese New Year's Eve"),  # still a working day that year
        ("2023-10-06", 1, "National Day"),
        ("2023-10-07", 0, MAKE_UP_WORKDAY),
        ("2026-02-16", 1, "Chinese New Year's Eve"),
        ("2026-07-18", 1, ORDINARY_DAY),  # a plain Saturday
        ("2026-07-20", 0, ORDINARY_DAY),
    ],
)
def test_days_of_china_are_known(calendar, day, day_type, label):
    assert _at(calendar, day) == (day_type, label)


def test_a_year_has_the_announced_number_of_days_off(calendar):
    """2023: 105 weekend days, 7 of them worked, and 18 days off on weekdays (State Council notice for 2023)."""
    in_2023 = calendar.year == 2023
    assert int(calendar.day_type[in_2023].sum()) == 105 - 7 + 18


def test_windows_are_whole_days_in_ms(calendar):
    assert calendar.start == date(2021, 12, 18)
    assert calendar.n_days == 14 + 1826 + 7
    assert calendar.measure_from_ms == 14 * DAY_MS
    assert calendar.measure_to_ms == (14 + 1826) * DAY_MS
    assert calendar.ms_of(date(2022, 1, 1)) == calendar.measure_from_ms
    assert calendar.date_of(calendar.measure_from_ms - 1) == date(2021, 12, 31)
    assert calendar.weekday[0] == 5
    assert len(calendar.reference.year) == 365
    assert np.all(calendar.reference.year == 2023)


def test_all_faults_of_a_window_are_told_at_once():
    with pytest.raises(InputError) as caught:
        build_calendar(CalendarSettings("2022-02-30", "2021-01-01", -1, 0), "XX", 2023)
    text = str(caught.value)
    assert "calendar.measure_from: '2022-02-30' is not a day" in text
    assert "calendar.warm_up_days: -1" in text
    assert "'XX' has no public holidays" in text
    with pytest.raises(InputError, match="must be after measure_from"):
        build_calendar(CalendarSettings("2022-01-01", "2022-01-01", 0, 0), "CN", 2023)
