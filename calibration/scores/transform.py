"""Is the forecast honest about its spread? Probability integral transform and coverage of intervals.

Each call gets the interval of probabilities that its record leaves open: with m exchangeable draws, L below the record
and E equal to it, that is [L, L + E + 1] / (m + 1); a uniform within is exactly uniform over calls if the forecast is
true, ties from rounding included (Czado, Gneiting & Held 2009, Biometrics 65, for discrete data; the rank histogram
for ensembles). A call censored at c leaves all above the draws up to c open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from calibration.scores.keyed import Floats, Purpose, row_chunks, uniforms
from calibration.scores.recorded import Observed, check_draws
from calibration.scores.shares import Share, share_of


def pit_bounds(draws_s: Floats, seen: Observed, *, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Return the lowest and highest probability that each call's record is compatible with: two (n,) float64.

    With `weights`, (m,) or (n, m), the bounds are F(y-) and F(y) of the weighted draws.
    """
    draws = check_draws(draws_s, seen)
    low, high = np.empty(len(seen)), np.empty(len(seen))
    n_draws = draws.shape[1]
    for rows in row_chunks(*draws.shape):
        here = seen.rows(rows)
        x, y = here.written(draws[rows]), here.value_s[:, None]
        below = np.where(here.is_censored[:, None], x <= y, x < y)
        upto = here.is_censored[:, None] | (x <= y)
        if weights is None:
            low[rows] = below.sum(axis=1) / (n_draws + 1)
            high[rows] = (upto.sum(axis=1) + 1) / (n_draws + 1)
        else:
            w = np.broadcast_to(weights if np.ndim(weights) == 1 else weights[rows], x.shape)
            low[rows] = (w * below).sum(axis=1) / w.sum(axis=1)
            high[rows] = (w * upto).sum(axis=1) / w.sum(axis=1)
    return low, high


def pit(low: Floats, high: Floats, seen: Observed) -> Floats:
    """Return one probability per call, uniform between its bounds and keyed by its identity: (n,) float64."""
    return low + (high - low) * uniforms(Purpose.PIT, seen.seed, seen.identity, 1)[:, 0]


@dataclass(frozen=True, slots=True)
class PitHistogram:
    """Counts of the transform in equal bins, with what chance alone would show.

    counts: (n_bins,) int64. low, high: the range of one bin's count in 95 % of true forecasts (binomial).
    mean: 0.5 if unbiased, higher if units come later than predicted. dispersion: 12 x variance, 1 if the spread is
    right, above 1 if the forecast is too narrow, below 1 if it is too wide.
    """

    counts: NDArray[np.int64]
    low: int
    high: int
    mean: float
    dispersion: float


def pit_histogram(values: Floats, *, n_bins: int = 20) -> PitHistogram:
    """Return the histogram of `pit` values (n,)."""
    n = len(values)
    counts = np.bincount(np.minimum((values * n_bins).astype(np.int64), n_bins - 1), minlength=n_bins)
    low, high = (int(stats.binom.ppf(level, n, 1.0 / n_bins)) for level in (0.025, 0.975))
    if n == 0:
        return PitHistogram(counts, 0, 0, float("nan"), float("nan"))
    return PitHistogram(counts, low, high, float(values.mean()), float(12.0 * ((values - 0.5) ** 2).mean()))


def coverage(low: Floats, high: Floats, *, level: float = 0.9, clusters: NDArray[Any] | None = None) -> Share:
    """Return the share of calls inside their central interval, from the bounds of `pit_bounds`.

    A record that rounding leaves partly inside counts by the part of its bounds that lies inside, so the expected share
    of a true forecast is exactly `level`. `clusters`: (n,) labels of what belongs together, such as local dates.
    """
    begin, end = (1.0 - level) / 2.0, (1.0 + level) / 2.0
    width = high - low
    overlap = np.clip(np.minimum(high, end) - np.maximum(low, begin), 0.0, None)
    is_point = width <= 0.0
    inside = np.where(is_point, (low >= begin) & (low <= end), overlap / np.where(is_point, 1.0, width))
    return share_of(inside, clusters=clusters)
