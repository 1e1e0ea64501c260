"""Dates that are none are told with everything else, before anything runs."""

from __future__ import annotations

import pytest

from sim.compose import compose
from sim.errors import InputError


def test_days_that_the_calendar_does_not_have_are_named_together():
    with pytest.raises(InputError) as caught:
        compose(["window.measure_from=2022-02-30", "window.measure_to=2022-13-01", "times.turnout_day_s=-1"])
    told = str(caught.value)
    assert "(window.measure_from) is not a day" in told
    assert "(window.measure_to) is not a day" in told
    assert "turnout_day_s" in told


def test_a_window_that_ends_before_it_begins_is_named_by_its_key():
    with pytest.raises(InputError, match=r"\(window.measure_to\) must come after measure_from, 2023-01-01"):
        compose(["window.measure_from=2023-01-01", "window.measure_to=2022-01-01"])
