"""A share of calls with an interval that knows that the calls of one day are not independent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from calibration.scores.keyed import Floats


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its standard error and interval; all NaN where there are no calls.

    design_effect: variance of the share over that of independent calls, at least 1.
    """

    value: float
    se: float
    low: float
    high: float
    n: int
    n_clusters: int
    design_effect: float


def share_of(inside: NDArray[Any], *, clusters: NDArray[Any] | None = None, confidence: float = 0.95) -> Share:
    """Return the mean of indicators (n,), or of parts between 0 and 1, with a Wilson interval.

    With G clusters the variance of the share is that of a ratio of cluster sums, G / (G - 1) sum_g (sum_i (c_i - c))^2
    / n^2 (Cochran 1977, Sampling Techniques, 9A); the Wilson interval then takes n over the design effect as its size.
    A single cluster counts as one call.
    """
    part: Floats = np.asarray(inside, dtype=np.float64)
    n = len(part)
    if n == 0:
        nan = float("nan")
        return Share(nan, nan, nan, nan, 0, 0, nan)
    value = float(part.mean())
    simple = value * (1.0 - value) / n
    effect, n_clusters = 1.0, n
    if clusters is not None:
        _, code = np.unique(clusters, return_inverse=True)
        sums = np.bincount(code, weights=part - value)
        n_clusters = len(sums)
        if n_clusters == 1:
            effect = float(n)
        elif simple > 0.0:
            between = n_clusters / (n_clusters - 1.0) * float(sums @ sums) / n**2
            effect = max(1.0, between / simple)
    low, high = _wilson(value, n / effect, confidence)
    return Share(value, float(np.sqrt(simple * effect)), low, high, n, n_clusters, effect)


def _wilson(value: float, size: float, confidence: float) -> tuple[float, float]:
    """Return the score interval of a binomial share (Wilson 1927, JASA 22)."""
    z = float(stats.norm.ppf(0.5 + confidence / 2.0))
    centre = (value + z * z / (2.0 * size)) / (1.0 + z * z / size)
    half = z / (1.0 + z * z / size) * float(np.sqrt(value * (1.0 - value) / size + z * z / (4.0 * size * size)))
    return centre - half, centre + half
