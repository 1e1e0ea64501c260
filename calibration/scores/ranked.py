"""Continuous ranked probability score of ensembles: seconds, lower is better.

CRPS(F, y) = E|X - y| - E|X - X'| / 2 (Gneiting & Raftery 2007, JASA 102, eq. 21). What is censored at c, or beyond the
horizon, is scored up to there: the CRPS of min(X, c) and min(y, c), which is the threshold-weighted score with weight
1{t <= c} (Gneiting & Ranjan 2011, J. Bus. Econ. Stat. 29; chaining as in Allen, Ginsbourger & Ziegel 2023) and proper.
Rounded records are compared with the rounded forecast.
"""

from __future__ import annotations

import numpy as np

from calibration.scores.keyed import Floats, row_chunks
from calibration.scores.recorded import HORIZON_S, Observed, check_draws


def crps(
    draws_s: Floats,
    seen: Observed,
    *,
    weights: Floats | None = None,
    is_fair: bool = True,
    horizon_s: float = HORIZON_S,
) -> Floats:
    """Return the score of each call: (n,) float64, s. O(m log m) in the draws.

    Parameters
    ----------
    draws_s
        (n, m) predicted durations, s; inf for a unit that never comes.
    weights
        (m,) or (n, m) weights of the draws, any positive scale; none means equal ones.
    is_fair
        Whether to score the distribution that random draws came from: E|X - X'| by unequal pairs only (Ferro 2014,
        Q. J. R. Meteorol. Soc. 140). Draws that are themselves quantiles at even levels are to be scored plain.

    Raises
    ------
    ValueError
        If draws and calls do not fit, or a fair score is asked of a single draw.
    """
    draws = check_draws(draws_s, seen, least=2 if is_fair else 1)
    limit_s = seen.limit_s(horizon_s)
    value_s = np.minimum(seen.value_s, limit_s)
    score = np.empty(len(seen))
    for rows in row_chunks(*draws.shape):
        x = np.minimum(seen.rows(rows).written(draws[rows]), limit_s[rows, None])
        if weights is None:
            score[rows] = _equal(x, value_s[rows], is_fair)
        else:
            of_rows = weights if np.ndim(weights) == 1 else weights[rows]
            score[rows] = _weighted(x, value_s[rows], np.broadcast_to(of_rows, x.shape), is_fair)
    return score


def _equal(x: Floats, y: Floats, is_fair: bool) -> Floats:
    """Score equally weighted draws: the sum over pairs i < j of x_j - x_i is that of (2 i - m - 1) x_i when sorted."""
    n_draws = x.shape[1]
    x = np.sort(x, axis=1)
    pairs = x @ (2.0 * np.arange(1, n_draws + 1) - n_draws - 1.0)
    n_pairs = n_draws * (n_draws - 1.0) if is_fair else float(n_draws**2)
    score: Floats = np.abs(x - y[:, None]).mean(axis=1) - pairs / n_pairs
    return score


def _weighted(x: Floats, y: Floats, weights: Floats, is_fair: bool) -> Floats:
    """Score weighted draws: with W_i the weight up to draw i, pairs sum to that of w_i x_i (W_i-1 + W_i - 1)."""
    order = np.argsort(x, axis=1, kind="stable")
    x = np.take_along_axis(x, order, axis=1)
    w = np.take_along_axis(weights, order, axis=1) / weights.sum(axis=1, keepdims=True)
    upto = np.cumsum(w, axis=1)
    pairs = (w * x * (2.0 * upto - w - 1.0)).sum(axis=1)
    scale = 1.0 - (w**2).sum(axis=1) if is_fair else 1.0
    score: Floats = (w * np.abs(x - y[:, None])).sum(axis=1) - pairs / scale
    return score
