"""What a perfect model would show: distances of data sets drawn from the model to the model's own distribution.

A distance between held-out records and a forecast is never nought, however true the forecast; it is to be read against
data sets of the same size, with the same calls, drawn from the forecast. Calls are drawn independently of each other,
or (`is_joint`) a data set is one column of the draws, one simulated history, which then holds what its calls share.
The data sets are not censored: where records are, the true floor lies a little higher, so this one is the stricter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.scores.keyed import Floats, Purpose, row_chunks, uniforms
from calibration.scores.recorded import HORIZON_S, Observed, check_draws

N_SETS = 200
_N_KNOTS = 32768
_N_TAIL = 4096


@dataclass(frozen=True, slots=True)
class Floor:
    """Distances of drawn data sets to the model's distribution: ks and wasserstein_s, both (n_sets,) float64."""

    ks: Floats
    wasserstein_s: Floats

    def ks_at(self, level: float = 0.5) -> float:
        """Return a quantile of the Kolmogorov-Smirnov distances, by default the median."""
        return float(np.quantile(self.ks, level))

    def wasserstein_at(self, level: float = 0.5) -> float:
        """Return a quantile of the Wasserstein distances, s, by default the median."""
        return float(np.quantile(self.wasserstein_s, level))


def picks(seen: Observed, n_draws: int, *, n_sets: int = N_SETS) -> NDArray[np.int32]:
    """Return which draw each call takes in each data set: (n, n_sets) int32, keyed by the call's identity."""
    chosen = np.empty((len(seen), n_sets), dtype=np.int32)
    for rows in row_chunks(len(seen), n_sets):
        chosen[rows] = uniforms(Purpose.DATA_SET, seen.seed, seen.identity[rows], n_sets) * n_draws
    return chosen


def data_sets(draws: NDArray[Any], seen: Observed, *, n_sets: int = N_SETS, is_joint: bool = False) -> NDArray[Any]:
    """Return data sets drawn from per-call draws (n, m): (n, n_sets), or (n, at most m) if they are whole columns."""
    if is_joint:
        return draws[:, :n_sets]
    return np.take_along_axis(draws, picks(seen, draws.shape[1], n_sets=n_sets), axis=1)


def noise_floor(
    draws_s: Floats,
    seen: Observed,
    *,
    n_sets: int = N_SETS,
    is_joint: bool = False,
    horizon_s: float = HORIZON_S,
) -> Floor:
    """Return the distances of `n_sets` drawn data sets to the pooled draws (n, m), both written as the records are.

    Distances are taken at knots: all values of the pool if they are at most 32768, else that many of its quantiles and
    its 4096 largest values, which leaves the first distance at most 1/32768 too low. With whole columns, each is part
    of the pool by 1/m; the distances are put right by m / (m - 1).
    """
    draws = check_draws(draws_s, seen, least=2)
    written = np.empty_like(draws)
    for rows in row_chunks(*draws.shape):
        written[rows] = seen.rows(rows).written(draws[rows])
    sets = np.sort(data_sets(written, seen, n_sets=n_sets, is_joint=is_joint).T, axis=1)
    pool = np.sort(written, axis=None)
    knots = _knots(pool)
    upto = np.searchsorted(pool, knots, side="right") / len(pool)
    factor = draws.shape[1] / (draws.shape[1] - 1.0) if is_joint else 1.0
    return _distances(sets, knots, upto, horizon_s, factor)


def _knots(pool: Floats) -> Floats:
    """Return the times at which distances are looked at, from the sorted pool: ascending, unique."""
    n = len(pool)
    if n <= _N_KNOTS:
        return np.unique(pool)
    places = np.concatenate([np.arange(_N_KNOTS) * n // _N_KNOTS, np.arange(n - _N_TAIL, n)])
    return np.unique(pool[places])


def _distances(sets: Floats, knots: Floats, upto: Floats, horizon_s: float, factor: float) -> Floor:
    """Return the distances of sorted data sets (n_sets, n) to the function that is `upto` at the knots."""
    n_sets, n = sets.shape
    width_s = np.diff(np.minimum(knots, horizon_s), append=horizon_s).clip(min=0.0)
    ks, wasserstein = np.empty(n_sets), np.empty(n_sets)
    for number, values in enumerate(sets):
        gap = np.abs(np.searchsorted(values, knots, side="right") / n - upto)
        ks[number] = gap.max() * factor
        wasserstein[number] = (gap * width_s).sum() * factor
    return Floor(ks, wasserstein)
