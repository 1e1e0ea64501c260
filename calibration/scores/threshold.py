"""Within so many minutes or not: the Brier score of a threshold, and how reliable its shares are.

The Brier score of a threshold splits exactly into miscalibration - discrimination + uncertainty by isotonic regression
of what happened on what was forecast (CORP: Dimitriadis, Gneiting & Jordan 2021, PNAS 118). A call censored before the
threshold says nothing of it; the others count for it by the inverse probability of being still seen (Graf, Schmoor,
Sauerbrei & Schumacher 1999, Stat. Med. 18).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from calibration.scores.distance import steps_of_records
from calibration.scores.keyed import Floats, row_chunks
from calibration.scores.recorded import Observed, check_draws


@dataclass(frozen=True, slots=True)
class Brier:
    """Scores of one threshold.

    score: mean squared error of the forecast share, for a large ensemble (see `brier`); plain: of the draws as they
    are = miscalibration - discrimination + uncertainty. forecast, recalibrated: (n_known,) ascending, the reliability
    curve. forecast_share, observed_share: mean of both.
    """

    threshold_s: float
    score: float
    plain: float
    miscalibration: float
    discrimination: float
    uncertainty: float
    forecast_share: float
    observed_share: float
    n_known: int
    forecast: Floats
    recalibrated: Floats


def brier(draws_s: Floats, seen: Observed, threshold_s: float) -> Brier:
    """Return the Brier score of "first unit there within `threshold_s`" from draws (n, m).

    `score` takes p (1 - p) / (m - 1) off each call's squared error, what so few draws add (Ferro 2014).

    Raises
    ------
    ValueError
        If draws and calls do not fit, or every call is censored before the threshold.
    """
    draws = check_draws(draws_s, seen, least=2)
    share = np.empty(len(seen))
    for rows in row_chunks(*draws.shape):
        share[rows] = (seen.rows(rows).written(draws[rows]) <= threshold_s).mean(axis=1)
    known, weight = _known(seen, threshold_s)
    if not known.any():
        raise ValueError(f"every call is censored before {threshold_s} s: nothing is known of that threshold")
    order = np.argsort(share[known], kind="stable")
    p, w = share[known][order], weight[order]
    happened = (seen.value_s[known][order] <= threshold_s).astype(np.float64)
    fitted = _isotonic(p, happened, w)
    base = float(np.average(happened, weights=w))
    plain = _mean_square(p - happened, w)
    best, unskilled = _mean_square(fitted - happened, w), _mean_square(base - happened, w)
    excess = float(np.average(p * (1.0 - p), weights=w)) / (draws.shape[1] - 1)
    return Brier(
        threshold_s,
        plain - excess,
        plain,
        plain - best,
        unskilled - best,
        unskilled,
        float(np.average(p, weights=w)),
        base,
        len(p),
        p,
        fitted,
    )


def _mean_square(error: Floats, weights: Floats) -> float:
    return float(np.average(error**2, weights=weights))


def _isotonic(forecast: Floats, happened: Floats, weights: Floats) -> Floats:
    """Return the rising least-squares fit of what happened, equal where forecasts (ascending) are equal."""
    _, code = np.unique(forecast, return_inverse=True)
    total = np.bincount(code, weights=weights)
    mean = np.bincount(code, weights=weights * happened) / total
    fitted: Floats = optimize.isotonic_regression(mean, weights=total).x[code]
    return fitted


def _known(seen: Observed, threshold_s: float) -> tuple[NDArray[np.bool_], Floats]:
    """Return which calls (n,) tell of the threshold, and the weights of these."""
    known = ~(seen.is_censored & (seen.value_s < threshold_s))
    if known.all():
        return known, np.ones(len(seen))
    # Roles exchanged: being lost from sight is the event, and who was served can no longer be lost.
    by_value = replace(seen, is_censored=~seen.is_censored & np.isfinite(seen.value_s))
    lost = steps_of_records(by_value)
    still_seen = 1.0 - lost.before(np.minimum(seen.value_s[known], threshold_s))
    return known, 1.0 / np.maximum(still_seen, 1e-9)
