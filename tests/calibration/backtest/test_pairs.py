"""What pairs of station and place add to travel: nothing can be told of pairs met once."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.model.noise import fit_pairs


def test_pairs_met_once_each_take_nothing_from_the_noise():
    residual = np.random.default_rng(1).normal(0.0, 0.3, 200)
    pairs = fit_pairs(residual, np.arange(200))
    assert pairs.tau == 0.0
    assert pairs.n_free == 0.0
    np.testing.assert_array_equal(pairs.of(np.arange(200)), np.zeros(200))


def test_pairs_met_often_come_back():
    chance = np.random.default_rng(2)
    true = chance.normal(0.0, 0.2, 40)
    code = np.repeat(np.arange(40), 100)
    pairs = fit_pairs(true[code] + chance.normal(0.0, 0.3, len(code)), code)
    assert pairs.tau == pytest.approx(0.2, rel=0.3)
    assert np.abs(pairs.effect - true).max() < 4 * 0.3 / np.sqrt(100)
