"""Parts of a folded city with values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from calibration.city.demand import family_of
from calibration.city.sending import grades_of_patterns, mean_units
from calibration.city.source import codes_of
from calibration.city.times import grouped_hours, spread_of


def test_a_log_normal_is_found_again():
    levels = (np.arange(100_000) + 0.5) / 100_000
    found = spread_of(np.log(80.0) + 0.3 * special.ndtri(levels))
    assert found.median_s == pytest.approx(80.0, rel=1e-3)
    assert found.sigma == pytest.approx(0.3, rel=1e-3)


def test_hours_fall_into_the_three_groups_that_their_effects_make():
    effect = np.zeros((2, 24))
    effect[:, [23, 0, 1, 2]] = -0.2
    effect[0, [8, 17]] = 0.3
    period = grouped_hours(effect, np.ones((2, 24)))
    assert np.flatnonzero((period == 0).all(axis=0)).tolist() == [0, 1, 2, 23]
    assert np.flatnonzero(period[0] == 2).tolist() == [8, 17]
    assert np.flatnonzero(period[1] == 2).tolist() == []


def test_hours_without_effects_are_one_group():
    assert set(grouped_hours(np.zeros((2, 24)), np.ones((2, 24))).ravel().tolist()) == {1}


def test_grades_are_numbers_of_units_with_their_shares_and_hold_those_below():
    table = np.array([[1, 0], [2, 0], [1, 1], [2, 1]])
    found = grades_of_patterns(table, np.array([0.6, 0.1, 0.2, 0.1]))
    assert found.share.tolist() == [60_000, 30_000, 10_000]
    assert found.needs.tolist() == [[1, 0], [1, 1], [2, 1]]
    assert mean_units(found) == pytest.approx(0.6 + 2 * 0.3 + 3 * 0.1)


def test_more_than_five_numbers_of_units_share_the_last_grade():
    table = np.arange(1, 8)[:, None]
    found = grades_of_patterns(table, np.array([0.4, 0.2, 0.1, 0.1, 0.05, 0.1, 0.05]))
    assert found.share.tolist() == [40_000, 20_000, 10_000, 10_000, 20_000]
    assert found.needs[:, 0].tolist() == [1, 2, 3, 4, 6]


def test_numbers_of_units_that_no_call_of_a_kind_had_are_no_grade():
    found = grades_of_patterns(np.array([[1], [2], [3]]), np.array([0.5, 0.0, 0.5]))
    assert found.needs[:, 0].tolist() == [1, 3]


@pytest.mark.parametrize(
    ("name", "family"),
    [("Building Fire", "fire"), ("fire alarm", "false_alarm"), ("建筑火灾", "fire"), ("误报", "false_alarm"),
     ("Road Traffic Collision", "rescue"), ("急救", "medical"), ("door opening", "social")],
)  # fmt: skip
def test_the_family_is_read_from_the_name(name, family):
    assert family_of(name) == family


def test_codes_are_ascii_and_each_once():
    assert codes_of(["Building Fire", "建筑火灾", "building-fire"], "kind") == ("building_fire", "kind_2", "kind_3")
