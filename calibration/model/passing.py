"""How many stations that could send are passed over at a call: a distribution by zone, not one for the whole city.

Passing over happens at the borders of districts, where the next station is as near, and where roads are not what the
map says. The shares of a zone are those of its calls (with those of the zones around it, until there are enough), drawn
towards the shares of all zones whose second station comes as much later than the first (Dirichlet, `_STRENGTH` calls).
Where no record tells whether a station was busy, being busy is in these shares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fit.choice import Choices, RevealedOrder
from calibration.scores.keyed import row_chunks

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MOST_PASSED = 20
_STRENGTH = 8.0
_LEAST_CALLS = 25
_N_GAPS = 8


@dataclass(frozen=True, slots=True)
class Passing:
    """Shares by zone: `cumulative` (n_zones, `MOST_PASSED` + 1) float64, ascending to 1, of 0, 1, ... passed over.

    `by_gap`: (n_gaps, `MOST_PASSED` + 1) shares by how much later the second station comes, `edges_s` (n_gaps - 1,).
    """

    cumulative: Floats
    by_gap: Floats
    edges_s: Floats

    def draw(self, zone: Ints, uniform: Floats) -> NDArray[np.int8]:
        """Return how many are passed over at each call: (n,) from zones and uniforms (n,)."""
        passed = (uniform[:, None] > self.cumulative[zone][:, :-1]).sum(axis=1)
        return np.asarray(passed, dtype=np.int8)


def fit_passing(seen: Choices, order: RevealedOrder) -> Passing:
    """Return the shares by zone of the calls seen."""
    passed = np.minimum(n_passed(seen, order), MOST_PASSED)
    finite = np.where(np.isfinite(order.raised_s), order.raised_s, 1e6)
    two = np.sort(np.partition(finite, min(1, finite.shape[1] - 1), axis=1)[:, :2], axis=1)
    gap = two[:, -1] - two[:, 0]
    edges = np.unique(np.quantile(gap[seen.zone], np.arange(1, _N_GAPS) / _N_GAPS))
    bin_of = np.searchsorted(edges, gap, side="right")
    counts = np.zeros((len(gap), MOST_PASSED + 1))
    np.add.at(counts, (seen.zone, passed), 1.0)
    by_gap = np.zeros((len(edges) + 1, MOST_PASSED + 1))
    np.add.at(by_gap, bin_of, counts)
    whole = counts.sum(axis=0) / counts.sum()
    by_gap = (by_gap + whole) / (by_gap.sum(axis=1, keepdims=True) + 1.0)
    pooled = _pooled(counts, seen.xy_m)
    share = (pooled + _STRENGTH * by_gap[bin_of]) / (pooled.sum(axis=1, keepdims=True) + _STRENGTH)
    cumulative = np.cumsum(share, axis=1)
    cumulative[:, -1] = 1.0
    return Passing(cumulative, by_gap, edges)


def never_passed(n_zones: int) -> Passing:
    """Return the shares of a city in which the first that could send always does."""
    return Passing(np.ones((n_zones, MOST_PASSED + 1)), np.eye(1, MOST_PASSED + 1), np.zeros(0))


def n_passed(seen: Choices, order: RevealedOrder) -> Ints:
    """Return how many stations that could send come before the one that served: (n,)."""
    passed = np.empty(len(seen), dtype=np.int64)
    for rows in row_chunks(*seen.could_send.shape):
        cost = order.raised_s[seen.zone[rows]]
        own = np.take_along_axis(cost, seen.station[rows, None], axis=1)
        passed[rows] = ((cost < own) & seen.could_send[rows]).sum(axis=1)
    return passed


def _pooled(counts: Floats, xy_m: Floats) -> Floats:
    """Return the counts of each zone, with those of the nearest zones until there are `_LEAST_CALLS`."""
    from scipy.spatial import cKDTree

    size = counts.sum(axis=1)
    called = np.flatnonzero(size)
    k = min(_LEAST_CALLS, len(called))
    near = called[cKDTree(xy_m[called]).query(xy_m, k=k)[1].reshape(len(counts), k)]
    before = np.cumsum(size[near], axis=1) - size[near]
    is_taken = before < _LEAST_CALLS
    thin = size < _LEAST_CALLS
    out = counts.copy()
    weights = is_taken[thin][:, :, None]
    out[thin] = (counts[near[thin]] * weights).sum(axis=1)
    return out
