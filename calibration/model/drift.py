"""Where a level stands at the end of the log, if it wanders: what comes next may be nearer to it than to the mean.

Weekly means of durations over what is expected of them - means, as rounding leaves those alone - are smoothed with
weights that fall by half every `_HALF_WEEKS`. Whether that tells anything of what comes is learnt from the log itself:
from every week in its later part the smoothed level is held against the mean of the weeks that follow, and the slope of
the one on the other, between nought and one, is what is kept of the level at the end. Levels that swing back, as
weather and congestion do, have no slope and are not carried on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_WEEK_DAYS = 7
_LEAST_WEEKS = 26
_HALF_WEEKS = 6.0
_HORIZON_WEEKS = 13
_LEAST_PER_WEEK = 5
_MOST_RATIO = 4.0


@dataclass(frozen=True, slots=True)
class Drift:
    """Log level at the end over that of the whole log, the s.d. of what it misses of the weeks after, and the share of
    the smoothed level that was kept."""

    level: float
    se: float
    kept: float


NO_DRIFT = Drift(0.0, 0.0, 0.0)


def level_at_end(ratio: NDArray[np.float64], day: NDArray[np.int64]) -> Drift:
    """Return the level of durations over expected ones (n,) on days (n,), as it is at the end of the last of them."""
    residual = np.clip(ratio / ratio.mean(), 0.0, _MOST_RATIO)
    residual = residual / residual.mean() - 1.0
    _, code = np.unique((day - day.max() - 1) // _WEEK_DAYS, return_inverse=True)
    size = np.bincount(code)
    is_full = size >= _LEAST_PER_WEEK
    mean = (np.bincount(code, weights=residual) / size)[is_full]
    if len(mean) < _LEAST_WEEKS:
        return NO_DRIFT
    before = np.array([_smoothed(mean[: end + 1]) - mean[: end + 1].mean() for end in range(len(mean))])
    horizon = min(_HORIZON_WEEKS, len(mean) // 4)
    origins = np.arange(len(mean) // 3, len(mean) - horizon)
    after = np.array([mean[end + 1 : end + 1 + horizon].mean() - mean[: end + 1].mean() for end in origins])
    size_of = float(before[origins] @ before[origins])
    slope = float(before[origins] @ after) / size_of if size_of > 0.0 else 0.0
    # Origins overlap: as many of them as there are horizons count.
    n_apart = max(len(origins) / horizon, 1.0)
    left = after - slope * before[origins]
    se = float(np.sqrt((left @ left) / len(origins) / max(size_of / len(origins), 1e-12) / n_apart))
    kept = float(np.clip(slope - se, 0.0, 1.0))
    level = kept * float(before[-1])
    return Drift(float(np.log1p(level)), float(np.sqrt((left @ left) / len(origins))), kept)


def _smoothed(mean: NDArray[np.float64]) -> float:
    weight = 0.5 ** (np.arange(len(mean))[::-1] / _HALF_WEEKS)
    return float(weight @ mean / weight.sum())
