"""A level at the end of a log is carried on where the log shows that levels last, and not where they swing back."""

from __future__ import annotations

import numpy as np

from calibration.model.drift import NO_DRIFT, level_at_end

WEEKS, PER_WEEK = 104, 60


def ratios(level, seed):
    """Durations over expected ones, with a level by week on the log scale."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(WEEKS * 7), PER_WEEK // 7)
    return np.exp(level[day // 7] + rng.normal(0, 0.3, len(day))), day


def test_a_slope_that_goes_on_is_carried_on():
    level = np.linspace(0.0, 0.3, WEEKS)
    found = level_at_end(*ratios(level, 1))
    assert found.kept > 0.5
    assert 0.07 < found.level < 0.16  # it ends 0.15 above its mean; what is kept of it lags by half a dozen weeks


def test_a_step_long_ago_is_kept_whole_or_nearly():
    level = np.where(np.arange(WEEKS) < 52, 0.0, 0.2)
    found = level_at_end(*ratios(level, 2))
    assert 0.05 < found.level < 0.12


def test_noise_alone_moves_nothing_that_matters():
    levels = [level_at_end(*ratios(np.zeros(WEEKS), seed)).level for seed in range(8)]
    assert np.abs(levels).max() < 0.01


def test_a_level_that_swings_back_is_not_carried_on():
    rng = np.random.default_rng(3)
    level = np.zeros(WEEKS)
    for week in range(1, WEEKS):
        level[week] = 0.2 * level[week - 1] + rng.normal(0, 0.15)
    level[-1] = -0.5
    assert abs(level_at_end(*ratios(level, 4)).level) < 0.05


def test_half_a_year_is_needed():
    ratio, day = ratios(np.linspace(0.0, 1.0, WEEKS), 5)
    few = day < 7 * 25
    assert level_at_end(ratio[few], day[few]) == NO_DRIFT
