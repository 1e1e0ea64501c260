"""Quantiles: of each call's forecast, scored; and of all calls, observed and predicted side by side.

A call's quantile at level p stands at position p (m + 1) among its m sorted draws (Weibull; Hyndman & Fan 1996, Am.
Stat. 50, type 6), the only choice by which a new draw falls below it with probability p. Pooled quantiles are the
inverse of the distribution function, by the product-limit estimate where records are censored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.scores.distance import steps_of, steps_of_records
from calibration.scores.keyed import Floats, row_chunks
from calibration.scores.paired import block_weights
from calibration.scores.recorded import HORIZON_S, Observed, check_draws

LEVELS = (0.1, 0.5, 0.9, 0.95)
_NEAR = 0.02


def row_quantiles(draws_s: Floats, levels: Floats, *, weights: Floats | None = None) -> Floats:
    """Return quantiles of each row of draws (n, m): (n, n_levels), s; inf where the draws on both sides reach there.

    With `weights`, (m,) or (n, m), the first draw at which the weight reaches the level, without interpolation.
    """
    draws = np.asarray(draws_s, dtype=np.float64)
    levels = np.asarray(levels, dtype=np.float64)
    if weights is not None:
        return _weighted_row_quantiles(draws, levels, np.broadcast_to(weights, draws.shape))
    place = np.clip(levels * (draws.shape[1] + 1) - 1.0, 0.0, draws.shape[1] - 1.0)
    lower = place.astype(np.int64)
    part = place - lower
    ordered = np.sort(draws, axis=1)
    below, above = ordered[:, lower], ordered[:, np.minimum(lower + 1, draws.shape[1] - 1)]
    with np.errstate(invalid="ignore"):
        return np.where((part == 0.0) | (below == above), below, below + part * (above - below))


def _weighted_row_quantiles(draws: Floats, levels: Floats, weights: Floats) -> Floats:
    order = np.argsort(draws, axis=1, kind="stable")
    ordered = np.take_along_axis(draws, order, axis=1)
    upto = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    upto /= upto[:, -1:]
    out = np.empty((len(draws), len(levels)))
    for number, level in enumerate(levels):
        first = (upto >= level * (1.0 - 1e-12)).argmax(axis=1)
        out[:, number] = np.take_along_axis(ordered, first[:, None], axis=1)[:, 0]
    return out


def pinball_s(quantiles_s: Floats, levels: Floats, seen: Observed, *, horizon_s: float = HORIZON_S) -> Floats:
    """Return the quantile score of each call and level, (n, n_levels), s: (1{y < q} - p) (q - y).

    Twice its mean over all levels is the CRPS (Gneiting & Raftery 2007). Quantile and record are cut at the horizon or
    the censoring, which keeps the score proper as quantiles move with any rising function.
    """
    limit_s = seen.limit_s(horizon_s)[:, None]
    quantile = np.minimum(quantiles_s, limit_s)
    value = np.minimum(seen.value_s[:, None], limit_s)
    score: Floats = ((value < quantile) - np.asarray(levels)) * (quantile - value)
    return score


@dataclass(frozen=True, slots=True)
class QuantileRow:
    """One level, observed and predicted, s.

    se_observed_s: by drawing whole blocks anew. se_predicted_s: Monte Carlo, from the spread of whole columns of draws.
    se_difference_s: of predicted less observed for these very calls, which both sides share, so that it may be smaller
    than se_observed_s. NaN where less than two blocks, or never-arriving calls, leave no number.
    """

    level: float
    observed_s: float
    predicted_s: float
    difference_s: float
    se_observed_s: float
    se_predicted_s: float
    se_difference_s: float
    n: int


def quantile_rows(
    draws_s: Floats,
    seen: Observed,
    blocks: NDArray[np.int64],
    *,
    levels: tuple[float, ...] = LEVELS,
    n_bootstrap: int = 200,
) -> list[QuantileRow]:
    """Return the quantiles of all calls side by side; column j of draws (n, m) is one simulated data set.

    Rounded records and forecasts are both spread evenly over the cells of the rounding first. The difference is
    predicted less observed.
    """
    draws = check_draws(draws_s, seen)
    spread = np.empty_like(draws)
    for rows in row_chunks(*draws.shape):
        spread[rows] = seen.rows(rows).spread(draws[rows])
    at = np.asarray(levels)
    value = seen.spread_value()
    found = steps_of_records(value).quantile(at)
    predicted = steps_of(spread).quantile(at)
    se_found = _bootstrap_se(value, blocks, at, n_bootstrap)
    columns = column_quantiles(spread, at)
    se_predicted = _deviation(columns) / np.sqrt(draws.shape[1])
    with np.errstate(invalid="ignore"):
        difference = predicted - found
    paired = se_found if value.is_censored.any() else _paired_se(spread, value, blocks, at, found, predicted)
    both = np.hypot(paired, se_predicted)
    parts = np.array([levels, found, predicted, difference, se_found, se_predicted, both]).T
    return [QuantileRow(p, f, q, d, se_f, se_q, se_d, len(seen)) for p, f, q, d, se_f, se_q, se_d in parts.tolist()]


def _paired_se(
    spread: Floats, value: Observed, blocks: NDArray[np.int64], levels: Floats, found: Floats, predicted: Floats
) -> Floats:
    """Return the standard error of found - predicted quantiles by how far the calls are known: (n_levels,), s.

    To first order the difference is the mean of P(X_i <= predicted) - 1{y_i <= found} over the density at the quantile
    (Bahadur 1966; Woodruff 1952), whose variance comes from its sums over blocks; what the calls have in common on
    both sides cancels. The density is that of the pooled draws between levels 0.02 to either side.
    """
    n_blocks = int(blocks.max()) + 1
    if n_blocks < 2:
        return np.full(len(levels), np.nan)
    pool = steps_of(spread)
    low, high = np.maximum(levels - _NEAR, 0.0), np.minimum(levels + _NEAR, 1.0)
    with np.errstate(invalid="ignore"):
        spacing_s = (pool.quantile(high) - pool.quantile(low)) / (high - low)
    sums = np.empty((len(levels), n_blocks))
    for number in range(len(levels)):
        below = (spread <= predicted[number]).mean(axis=1) - (value.value_s <= found[number])
        sums[number] = np.bincount(blocks, weights=below - below.mean(), minlength=n_blocks)
    deviation = np.sqrt(n_blocks / (n_blocks - 1.0) * (sums**2).sum(axis=1)) / len(spread)
    return np.where(np.isfinite(spacing_s) & np.isfinite(found), deviation * spacing_s, np.nan)


def column_quantiles(values_s: Floats, levels: Floats) -> Floats:
    """Return the quantiles (first value reaching the level) of each column of values (n, m): (m, n_levels)."""
    n = len(values_s)
    place = np.maximum(np.ceil(np.asarray(levels) * n * (1.0 - 1e-12)).astype(np.int64) - 1, 0)
    return np.partition(values_s, np.unique(place), axis=0)[place].T


def _bootstrap_se(value: Observed, blocks: NDArray[np.int64], levels: Floats, n_bootstrap: int) -> Floats:
    n_blocks = int(blocks.max()) + 1
    if n_blocks < 2:
        return np.full(len(levels), np.nan)
    order = np.argsort(value.value_s, kind="stable")
    value, blocks = value.rows(order), blocks[order]
    weights = block_weights(n_blocks, n_bootstrap=n_bootstrap, seed=value.seed)
    drawn = [_reweighted(value, of_block[blocks].astype(np.float64), levels) for of_block in weights]
    return _deviation(np.array(drawn))


def _reweighted(value: Observed, weight: Floats, levels: Floats) -> Floats:
    """Return quantiles of records sorted by value, each counting `weight` times."""
    if value.is_censored.any():
        return steps_of_records(value, weight).quantile(levels)
    upto = np.cumsum(weight)
    place = np.minimum(np.searchsorted(upto, levels * upto[-1] * (1.0 - 1e-12)), len(upto) - 1)
    quantiles: Floats = value.value_s[place]
    return quantiles


def _deviation(rows: Floats) -> Floats:
    """Return the standard deviation over rows; NaN where one is infinite, or there is a single row."""
    if len(rows) < 2:
        return np.full(rows.shape[1], np.nan)
    with np.errstate(invalid="ignore"):
        deviation: Floats = rows.std(axis=0, ddof=1)
    return deviation
