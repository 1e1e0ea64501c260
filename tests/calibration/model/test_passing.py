"""How many stations are passed over, by zone."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.fit.choice import choices, revealed_order
from calibration.model.passing import MOST_PASSED, fit_passing, n_passed, never_passed

N_ZONES = 40


@pytest.fixture(scope="module")
def town():
    """Three stations on a line of zones; in zones 0-9 one call in two passes over the nearest, elsewhere none."""
    rng = np.random.default_rng(1)
    xy = np.column_stack([np.arange(N_ZONES) * 500.0, np.zeros(N_ZONES)])
    stations = np.array([0.0, 10_000.0, 20_000.0])
    expected = 100.0 + np.abs(xy[:, :1] - stations[None, :]) / 10.0
    zone = np.repeat(np.arange(N_ZONES), 60)
    order = np.argsort(expected, axis=1)
    passed = np.where(zone < 10, rng.random(len(zone)) < 0.5, 0).astype(int)
    seen = choices(expected, xy, zone, order[zone, passed], np.arange(len(zone)) % 50)
    return seen, revealed_order(seen), passed


def test_what_was_passed_over_is_counted(town):
    seen, order, passed = town
    assert n_passed(seen, order).mean() == pytest.approx(passed.mean(), abs=0.02)


def test_zones_keep_their_own_shares(town):
    seen, order, _ = town
    none = fit_passing(seen, order).cumulative[:, 0]
    assert none[:10] == pytest.approx(0.5, abs=0.2)
    assert none[:10].mean() == pytest.approx(0.53, abs=0.06)
    assert (none[12:] > 0.97).all()


def test_draws_follow_the_shares(town):
    seen, order, _ = town
    passing = fit_passing(seen, order)
    zone = np.repeat([5, 30], 20_000)
    drawn = passing.draw(zone, np.random.default_rng(2).random(len(zone)))
    assert (drawn[:20_000] == 0).mean() == pytest.approx(passing.cumulative[5, 0], abs=0.01)
    assert (drawn[20_000:] == 0).mean() == pytest.approx(passing.cumulative[30, 0], abs=0.01)


def test_never_is_never():
    passing = never_passed(3)
    assert passing.cumulative.shape == (3, MOST_PASSED + 1)
    assert (passing.draw(np.array([0, 1, 2]), np.array([0.0, 0.5, 0.999999])) == 0).all()
