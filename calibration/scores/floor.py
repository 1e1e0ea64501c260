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

from calibration.scores.distance import Steps, steps_of
from calibration.scores.keyed import Floats, Purpose, row_chunks, uniforms
from calibration.scores.observed import HORIZON_S, Observed, check_draws

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
    pool = steps_of(written)
    knots = _knots(pool)
    codes = np.empty(draws.shape, dtype=np.int32)
    for rows in row_chunks(*draws.shape):
        codes[rows] = np.searchsorted(knots, written[rows], side="left")
    sets = np.ascontiguousarray(data_sets(codes, seen, n_sets=n_sets, is_joint=is_joint).T)
    factor = draws.shape[1] / (draws.shape[1] - 1.0) if is_joint else 1.0
    return _distances(sets, knots, pool.value(knots), horizon_s, factor)


def _knots(pool: Steps) -> Floats:
    """Return the finite times at which distances are looked at, ascending, and inf behind them."""
    at_s = pool.at_s[np.isfinite(pool.at_s)]
    if len(at_s) > _N_KNOTS:
        levels = np.searchsorted(pool.upto[: len(at_s)], np.arange(1, _N_KNOTS) / _N_KNOTS)
        places = np.concatenate([[0], levels, np.arange(len(at_s) - _N_TAIL, len(at_s))])
        at_s = at_s[np.unique(np.minimum(places, len(at_s) - 1))]
    return np.append(at_s, np.inf)


def _distances(sets: NDArray[np.int32], knots: Floats, upto: Floats, horizon_s: float, factor: float) -> Floor:
    """Return the distances of data sets given as places among the knots: (n_sets, n) int32."""
    n_sets, n = sets.shape
    width_s = np.diff(np.minimum(knots, horizon_s))
    ks, wasserstein = np.empty(n_sets), np.empty(n_sets)
    for number, codes in enumerate(sets):
        gap = np.abs(np.cumsum(np.bincount(codes, minlength=len(knots))) / n - upto)
        ks[number] = gap.max() * factor
        wasserstein[number] = float(gap[:-1] @ width_s) * factor
    return Floor(ks, wasserstein)
