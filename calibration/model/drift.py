"""Where a level stands at the end of the log, if it wanders: what comes next is nearer to it than to the mean.

Weekly means of log residuals follow a local level, m_t = l_t + e_t, l_t = l_{t-1} + w_t (Harvey 1989, Forecasting,
Structural Time Series Models, ch. 2): the variance of w by moments of the successive differences, the last level by the
Kalman filter. A log whose level does not wander gives nought, and little noise does little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_WEEK_DAYS = 7
_LEAST_WEEKS = 12
_LEAST_PER_WEEK = 5


@dataclass(frozen=True, slots=True)
class Drift:
    """Log level at the end over that of the whole log, its standard error, and the s.d. of a week's step."""

    level: float
    se: float
    step_sd: float


NO_DRIFT = Drift(0.0, 0.0, 0.0)


def level_at_end(residual: NDArray[np.float64], day: NDArray[np.int64]) -> Drift:
    """Return the level of log residuals (n,) about nought on days (n,) at the end of the last of them."""
    week, code = np.unique((day - day.max()) // _WEEK_DAYS, return_inverse=True)
    size = np.bincount(code)
    is_full = size >= _LEAST_PER_WEEK
    if int(is_full.sum()) < _LEAST_WEEKS:
        return NO_DRIFT
    mean = (np.bincount(code, weights=residual) / size)[is_full]
    inner = (np.bincount(code, weights=residual**2) / size)[is_full] - mean**2
    variance = np.maximum(float(np.average(inner, weights=size[is_full])), 1e-8) / size[is_full]
    gap = np.diff(week[is_full]).astype(np.float64)
    step = np.diff(mean) ** 2 - variance[1:] - variance[:-1]
    q = max(float(np.median(np.diff(mean) ** 2 / (variance[1:] + variance[:-1])) / 0.455 - 1.0), 0.0)
    q = min(q * float(variance.mean()), max(float(step.sum() / gap.sum()), 0.0))
    if q <= 0.0:
        return NO_DRIFT
    level, spread = 0.0, float(np.var(mean))
    for number, value in enumerate(mean):
        spread += q * (gap[number - 1] if number else 0.0)
        gain = spread / (spread + variance[number])
        level, spread = level + gain * (value - level), spread * (1.0 - gain)
    return Drift(float(level), float(np.sqrt(spread)), float(np.sqrt(q)))
