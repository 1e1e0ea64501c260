"""What replications say of a quantity, with its standard error: they are independent, and nothing else is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, its standard error, and the number of replications it comes from."""

    value: float
    standard_error: float
    n: int


def mean_of(values: Sequence[float] | NDArray[np.float64]) -> Estimate:
    """Return the mean over replications: s / sqrt(n)."""
    given = np.asarray(values, dtype=np.float64)
    n = len(given)
    return Estimate(float(given.mean()), float(given.std(ddof=1)) / n**0.5, n)


def ratio_of(totals: Sequence[float], counts: Sequence[float]) -> Estimate:
    """Return sum of totals over sum of counts, a pair per replication, with its standard error by linearisation.

    Cochran, Sampling Techniques (1977), 6.4: the residuals are total - ratio x count. The bias is of order one over the
    number of calls in all replications, far below the standard error.
    """
    total, count = np.asarray(totals, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    ratio, n = float(total.sum() / count.sum()), len(total)
    residual = total - ratio * count
    error = float(np.sqrt((residual @ residual) / (n - 1) / n) / count.mean())
    return Estimate(ratio, error, n)


def variance_of(values: Sequence[float] | NDArray[np.float64]) -> Estimate:
    """Return the variance over replications, with its standard error by the fourth central moment.

    Var(s^2) = (m4 - (n - 3) / (n - 1) s^4) / n, Cramér (1946), 27.4.
    """
    given = np.asarray(values, dtype=np.float64)
    n, variance = len(given), float(given.var(ddof=1))
    fourth = float(((given - given.mean()) ** 4).mean())
    return Estimate(variance, max(0.0, (fourth - (n - 3) / (n - 1) * variance**2) / n) ** 0.5, n)
