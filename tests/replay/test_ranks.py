"""The rank of a value is the one at which the engine's table gives it."""

from __future__ import annotations

import numpy as np
from scipy import special

from calibration.replay.ranks import rank_of
from sim.chance import look_up, quantile_table
from sim.units import Q16

SPREAD = 0.3


def noise(u):
    return Q16 * np.exp(SPREAD * special.ndtri(u) - SPREAD**2 / 2)


def test_the_table_gives_the_value_back_as_near_as_its_bins_are_fine() -> None:
    table = quantile_table(noise, Q16)
    values = noise(np.array([0.001, 0.02, 0.3, 0.5, 0.9, 0.995, 0.9995, 0.99995]))
    ranks = rank_of(table, values)
    found = np.array([look_up(table, rank) for rank in ranks])
    assert ranks.dtype == np.uint32
    assert (np.diff(ranks.astype(np.int64)) > 0).all()
    assert np.abs(np.log(found / values))[1:].max() < 0.02
    assert abs(np.log(found[0] / values[0])) < 0.1  # one bin holds the lowest thousandth


def test_values_beyond_the_table_take_its_ends() -> None:
    table = quantile_table(noise, Q16)
    low, high = rank_of(table, np.array([1.0, 1e9]))
    assert look_up(table, low) == table[0]
    assert look_up(table, high) >= table[1022]
