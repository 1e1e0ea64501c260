"""Skill with its paired interval, the check of Diebold and Mariano, blocks of days."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from calibration.scores import block_codes, block_weights, diebold_mariano, skill


def test_skill_is_one_less_the_ratio_of_mean_scores():
    found = skill(np.array([1.0, 3.0, 2.0]), np.array([4.0, 2.0, 4.0]), np.array([0, 0, 1]))
    assert found.value == pytest.approx(0.4)
    assert found.difference_s == pytest.approx(4 / 3)
    assert (found.n, found.n_blocks) == (3, 2)


def test_days_are_drawn_whole_and_as_often_as_there_are_days():
    weights = block_weights(30, n_bootstrap=500)
    assert (weights.sum(axis=1) == 30).all()
    # each count is binomial(30, 1/30): variance 29/30
    assert weights.var() == pytest.approx(29 / 30, rel=0.05)
    np.testing.assert_array_equal(weights[:100], block_weights(30, n_bootstrap=100))


def test_blocks_of_a_week_join_successive_dates():
    dates = np.array(["2025-01-02", "2025-01-01", "2025-01-03", "2025-01-05"], dtype="datetime64[D]")
    np.testing.assert_array_equal(block_codes(dates), [1, 0, 2, 3])
    np.testing.assert_array_equal(block_codes(dates, length=2), [0, 0, 1, 1])


def test_the_interval_covers_the_true_skill_as_often_as_it_says():
    rng = np.random.default_rng(4)
    covered = []
    for _ in range(300):
        day = np.repeat(np.arange(80), 8)
        shared = rng.gamma(4, 0.25, 80)[day]
        rival = shared * rng.gamma(4, 25, 640)
        ours = shared * rng.gamma(4, 22.5, 640)  # true skill 10 %
        found = skill(ours, rival, day, n_bootstrap=300)
        covered.append(found.low <= 0.1 <= found.high)
    # 95 % of 300, with a standard error of 1.3 %
    assert 0.90 <= np.mean(covered) <= 0.985


def test_scores_shared_by_a_day_make_the_interval_wider_than_calls_would():
    rng = np.random.default_rng(5)
    day = np.repeat(np.arange(60), 20)
    rival = rng.gamma(4, 25, 1200)
    ours = rival * 0.95 + rng.normal(0, 5, 60)[day]
    by_day, by_call = skill(ours, rival, day), skill(ours, rival, np.arange(1200))
    assert by_day.high - by_day.low > 2 * (by_call.high - by_call.low)


def test_equal_accuracy_is_rejected_at_its_level_only():
    rng = np.random.default_rng(6)
    p_values = np.array([diebold_mariano(rng.normal(0, 1, 200))[1] for _ in range(500)])
    assert 0.02 <= (p_values < 0.05).mean() <= 0.09
    assert diebold_mariano(rng.normal(1, 1, 200))[1] < 1e-6


def test_without_correlation_the_statistic_is_the_one_of_students_test():
    values = np.array([1.0, -1.0, 2.0, 3.0])
    centred = values - values.mean()
    lag_1 = centred[1:] @ centred[:-1]
    expected = 1.25 * 4 / np.sqrt(centred @ centred + 2 * 0.5 * lag_1)  # floor(4 (4/100)^(2/9)) = 1 lag
    statistic, p_value = diebold_mariano(values)
    assert statistic == pytest.approx(expected)
    assert p_value == pytest.approx(2 * stats.t.sf(expected, 3))


def test_one_day_has_a_skill_but_no_interval():
    found = skill(np.array([1.0, 2.0]), np.array([2.0, 2.0]), np.zeros(2, dtype=np.int64))
    assert found.value == pytest.approx(0.25)
    assert np.isnan([found.low, found.high, found.dm, found.p_value]).all()


@pytest.mark.parametrize(
    ("ours", "rival", "message"),
    [([1.0], [1.0, 2.0], "one of each"), ([np.inf], [1.0], "not finite"), ([1.0], [0.0], "no error at all")],
)
def test_scores_that_cannot_be_compared_are_refused(ours, rival, message):
    with pytest.raises(ValueError, match=message):
        skill(np.array(ours), np.array(rival), np.zeros(len(ours), dtype=np.int64))
