"""What is left of travel times: effects of station and place together, and the residuals by length of trip.

After the curve and the effects of `fit_travel` a pair of station and place may still differ - a river, a one-way
system, a gate - so residuals of each pair are drawn towards nought by partial pooling, first by patch and then by zone.
What remains is kept as it is, as quantiles of log residuals in bands of expected time, widened by what the fitted
effects took from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fit.shrinkage import shrink

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
N_LEVELS = 400
_PER_BAND = 600
_MOST_BANDS = 5
_MOST_LOG = 2.5
_LEAST_AGAIN = 30
"""Pairs are told from chance by those met more than once: with fewer records beyond each pair's first, none is."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Residuals by band of expected time.

    `edges_s`: (n_bands - 1,) expected times between bands, s. `log_quantiles`: (n_bands, `N_LEVELS`) float64 at even
    levels. `common_share`: share of the variance that units of one call have in common.
    """

    edges_s: Floats
    log_quantiles: Floats
    common_share: float


@dataclass(frozen=True, slots=True)
class Pairs:
    """Effects of pairs on log time: `code` (n,) ascending, `effect`, `se` (n,); `tau`: their s.d.; `n_free`: how many
    free numbers they amount to."""

    code: Ints
    effect: Floats
    se: Floats
    tau: float
    n_free: float

    def of(self, code: Ints) -> Floats:
        """Return the effect of each pair, 0 for one never met."""
        if not len(self.code):
            return np.zeros(code.shape)
        at = np.minimum(np.searchsorted(self.code, code), len(self.code) - 1)
        return np.where(self.code[at] == code, self.effect[at], 0.0)


def fit_pairs(residual: Floats, code: Ints) -> Pairs:
    """Return the shrunk mean residual of each pair: residual, code (n,)."""
    distinct, at = np.unique(code, return_inverse=True)
    size = np.bincount(at)
    if len(residual) - len(distinct) < _LEAST_AGAIN:
        none = np.zeros(len(distinct))
        return Pairs(distinct, none, none, 0.0, 0.0)
    mean = np.bincount(at, weights=residual) / size
    inner = float(((residual - mean[at]) ** 2).sum()) / max(len(residual) - len(distinct), 1)
    spread = float(np.sqrt(max(inner, 1e-8)))
    effect, se, tau = shrink(mean, spread / np.sqrt(size))
    kept = tau**2 / (tau**2 + spread**2 / size) if tau > 0.0 else np.zeros(len(size))
    # About nought, not about their mean: the level is the curve's.
    return Pairs(distinct, effect, se, tau, float(np.sum(kept)))


def noise_of(
    residual: Floats, log_expected: Floats, n_free: float, rounding_variance: Floats, common_share: float
) -> Noise:
    """Return the noise from log residuals (n,) and log expected s (n,).

    `n_free`: free numbers that the fit took; `rounding_variance`: (n,) what rounding added to each residual's square;
    `common_share`: what units of one call share, NaN where too few calls had several.
    """
    n = len(residual)
    widen = np.sqrt(n / max(n - min(n_free, 0.5 * n), 1.0))
    n_bands = int(np.clip(n // _PER_BAND, 1, _MOST_BANDS))
    edges = np.unique(np.quantile(log_expected, np.arange(1, n_bands) / n_bands)) if n_bands > 1 else np.zeros(0)
    band = np.searchsorted(edges, log_expected, side="right")
    levels = (np.arange(N_LEVELS) + 0.5) / N_LEVELS
    rows = []
    for number in range(len(edges) + 1):
        own, added = residual[band == number], rounding_variance[band == number]
        total = max(float(own.var()), 1e-8)
        narrow = np.sqrt(max(1.0 - float(added.mean()) / total, 0.05))
        centre = float(np.median(own))
        quantiles = centre + widen * narrow * (np.quantile(own, levels) - centre)
        rows.append(np.clip(quantiles, -_MOST_LOG, _MOST_LOG))
    return Noise(np.exp(edges), np.array(rows), float(np.clip(np.nan_to_num(common_share), 0.0, 0.9)))
