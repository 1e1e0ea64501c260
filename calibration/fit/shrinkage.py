"""Partial pooling: estimates of many groups drawn towards their common mean by how little each is known."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from calibration.scores.keyed import Floats


def shrink(estimate: Floats, se: Floats) -> tuple[Floats, Floats, float]:
    """Return shrunk deviations from nought, their standard errors and the s.d. between groups: (n,), (n,), float.

    Empirical Bayes for y_i ~ N(u_i, se_i^2), u_i ~ N(0, tau^2), with tau^2 by Paule & Mandel (1982): the value at which
    sum (y_i - m)^2 / (se_i^2 + tau^2) = n - 1 about the weighted mean m, which is taken off so that effects are about
    nought. Standard errors hold tau as known.
    """
    n = len(estimate)
    variance = se**2

    def excess(tau2: float) -> float:
        weight = 1.0 / (variance + tau2)
        mean = float(weight @ estimate) / float(weight.sum())
        return float(weight @ (estimate - mean) ** 2) - (n - 1)

    if n < 2 or excess(0.0) <= 0.0:
        return np.zeros(n), np.zeros(n), 0.0
    top = float(np.var(estimate)) * n + 1e-12
    tau2 = float(optimize.brentq(excess, 0.0, top)) if excess(top) < 0.0 else top
    weight = 1.0 / (variance + tau2)
    mean = float(weight @ estimate) / float(weight.sum())
    kept = tau2 * weight
    return (
        kept * (estimate - mean),
        np.sqrt(kept * variance + (1.0 - kept) ** 2 / float(weight.sum())),
        float(np.sqrt(tau2)),
    )
