"""Log score: how improbable the record was, in nats; lower is better, and far misses cost without limit.

Draws have no density, so one has to be stated: a mixture of log-normals, one kernel on each draw, or a single one with
the draws' mean and deviation on the log scale. The score is of the probability per second of what was recorded: the
density for an exact record, its mean over the cell for a rounded one (triangular for two stamps), the survival for a
censored one (a probability then, not a density), the share that never comes for a unit that never came. Scores of
records of different kinds do not compare with each other; those of two forecasts of the same records do.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from scipy import special

from calibration.scores.keyed import Floats, row_chunks
from calibration.scores.recorded import Observed, Rounding, check_draws

_LEAST_S = 1.0
"""Draws are raised to one second before their logarithm is taken."""
_LEAST_SPREAD = 0.01
"""Kernels are at least this wide on the log scale."""
_TINY = 1e-300


class Density(StrEnum):
    """How draws become a density."""

    KERNEL = "kernel"  # a log-normal kernel on each draw, Silverman's width on the log scale
    LOGNORMAL = "lognormal"  # one log-normal with the draws' moments on the log scale


def log_score(draws_s: Floats, seen: Observed, *, density: Density = Density.KERNEL) -> Floats:
    """Return the negative log probability of each record: (n,) float64, nats.

    The share that never comes is (count of infinite draws + 1/2) / (m + 1), so that no record is impossible for want
    of draws.

    Raises
    ------
    ValueError
        If draws and calls do not fit, or a call has fewer than two finite draws.
    """
    draws = check_draws(draws_s, seen, least=2)
    score = np.empty(len(seen))
    for rows in row_chunks(*draws.shape):
        score[rows] = _score(draws[rows], seen.rows(rows), density)
    return score


def _score(draws: Floats, seen: Observed, density: Density) -> Floats:
    comes = np.isfinite(draws)
    n_comes = comes.sum(axis=1)
    if (n_comes < 2).any():
        raise ValueError("a density needs at least two finite draws per call")
    never = (draws.shape[1] - n_comes + 0.5) / (draws.shape[1] + 1.0)
    log_draws = np.log(np.maximum(np.where(comes, draws, _LEAST_S), _LEAST_S))
    centre, width, share = _kernels(log_draws, comes / n_comes[:, None], n_comes, density)
    value = np.where(np.isfinite(seen.value_s), seen.value_s, 1.0)
    likelihood = (1.0 - never) * _per_second(value, seen, centre, width, share)
    survival = never + (1.0 - never) * (1.0 - _below(value, centre, width, share))
    likelihood = np.where(seen.is_censored, survival, np.where(np.isinf(seen.value_s), never, likelihood))
    score: Floats = -np.log(np.maximum(likelihood, _TINY))
    return score


def _kernels(log_draws: Floats, share: Floats, n: Floats, density: Density) -> tuple[Floats, Floats, Floats]:
    """Return centre, width and share of each kernel: (n, n_kernels), (n, 1), (n, n_kernels)."""
    mean = (share * log_draws).sum(axis=1, keepdims=True)
    deviation = np.sqrt((share * (log_draws - mean) ** 2).sum(axis=1, keepdims=True) * (n / (n - 1.0))[:, None])
    if density is Density.LOGNORMAL:
        return mean, np.maximum(deviation, _LEAST_SPREAD), np.ones_like(mean)
    # Silverman 1986, eq. 3.28 (Gaussian kernel, normal reference)
    width = 1.06 * deviation * (n[:, None] ** -0.2)
    return log_draws, np.maximum(width, _LEAST_SPREAD), share


def _per_second(value: Floats, seen: Observed, centre: Floats, width: Floats, share: Floats) -> Floats:
    """Return the density at exact records and its mean over the cell of rounded ones: (n,) 1/s."""
    cell = np.where(seen.resolution_s > 0.0, seen.resolution_s, 1.0)
    z = (np.log(np.maximum(value, _LEAST_S))[:, None] - centre) / width
    exact = (share * np.exp(-0.5 * z**2)).sum(axis=1) / (
        width[:, 0] * np.sqrt(2.0 * np.pi) * np.maximum(value, _LEAST_S)
    )
    if seen.is_exact:
        return np.asarray(exact)
    kernels = (centre, width, share)
    if seen.rounding is Rounding.STAMPS:
        # The second difference of the integral of F: a triangle of half-width r around the value.
        bend = _below_integral(value + cell, *kernels) - 2.0 * _below_integral(value, *kernels)
        rounded = (bend + _below_integral(value - cell, *kernels)) / cell**2
    else:
        begin = value - (0.5 * cell if seen.rounding is Rounding.NEAREST else 0.0)
        rounded = (_below(begin + cell, *kernels) - _below(begin, *kernels)) / cell
    per_second: Floats = np.where(seen.resolution_s > 0.0, rounded, exact)
    return per_second


def _below(value: Floats, centre: Floats, width: Floats, share: Floats) -> Floats:
    """Return F(value) of the mixture; 0 at and below nought."""
    z = (np.log(np.maximum(value, _TINY))[:, None] - centre) / width
    below: Floats = (share * special.ndtr(z)).sum(axis=1)
    return below


def _below_integral(value: Floats, centre: Floats, width: Floats, share: Floats) -> Floats:
    """Return the integral of F from nought to value: v F(v) - E[X; X <= v], log-normal by log-normal."""
    positive = np.maximum(value, _TINY)[:, None]
    z = (np.log(positive) - centre) / width
    mean = np.exp(centre + 0.5 * width**2)
    integral: Floats = (share * (positive * special.ndtr(z) - mean * special.ndtr(z - width))).sum(axis=1)
    return integral
