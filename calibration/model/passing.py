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

from calibration.fit.choice import Choices, RevealedOrder, n_passed, pools

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
    gap = gap_to_second(order.raised_s)
    edges = np.unique(np.quantile(gap[seen.zone], np.arange(1, _N_GAPS) / _N_GAPS))
    bin_of = np.searchsorted(edges, gap, side="right")
    counts = np.zeros((len(gap), MOST_PASSED + 1))
    np.add.at(counts, (seen.zone, passed), 1.0)
    by_gap = np.zeros((len(edges) + 1, MOST_PASSED + 1))
    np.add.at(by_gap, bin_of, counts)
    whole = counts.sum(axis=0) / counts.sum()
    by_gap = (by_gap + whole) / (by_gap.sum(axis=1, keepdims=True) + 1.0)
    spoken_for = pools(counts.sum(axis=1).astype(np.int64), seen.xy_m, _LEAST_CALLS)
    pooled = np.stack([counts[zones].sum(axis=0) for zones in spoken_for])
    share = (pooled + _STRENGTH * by_gap[bin_of]) / (pooled.sum(axis=1, keepdims=True) + _STRENGTH)
    return Passing(upto(share), by_gap, edges)


def gap_to_second(cost_s: Floats) -> Floats:
    """Return how much later the second station of each zone comes than the first: (n_zones,), s."""
    finite = np.where(np.isfinite(cost_s), cost_s, 1e6)
    two = np.sort(np.partition(finite, min(1, finite.shape[1] - 1), axis=1)[:, :2], axis=1)
    gap: Floats = two[:, -1] - two[:, 0]
    return gap


def upto(share: Floats) -> Floats:
    """Return cumulative shares by row, whose last is one whatever rounding says."""
    cumulative = np.cumsum(share, axis=1)
    cumulative[:, -1] = 1.0
    return cumulative


def never_passed(n_zones: int) -> Passing:
    """Return the shares of a city in which the first that could send always does."""
    return Passing(np.ones((n_zones, MOST_PASSED + 1)), np.eye(1, MOST_PASSED + 1), np.zeros(0))
