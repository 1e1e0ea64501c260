"""Where fitted demand does not fit: tests whose p-values are uniform if the model is right.

A small p-value names an assumption that the records refute; it does not say that the model is useless.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from calibration.fit.exposure import Days
from calibration.fit.rates import Rates
from calibration.scores.keyed import Floats

_BAND_H = 6
_LEAST_EXPECTED = 5.0


@dataclass(frozen=True, slots=True)
class Misfit:
    """One test: what is asserted in words, its statistic, and the p-value; NaN where too little is left to judge."""

    name: str
    asserts: str
    statistic: float
    p_value: float


def misfits(counts: Floats, days: Days, rates: Rates, by_place_hour: Floats) -> tuple[Misfit, ...]:
    """Return the tests for counts (n_days, 24) under their model, and calls by place and hour (n_places, 24)."""
    mean = days.exposure_h * np.exp(rates.log_rate(days))
    return (
        _within_day(counts, mean),
        _between_days(counts, mean, days, rates.day_cv2),
        _places_by_hour(by_place_hour),
    )


def _within_day(counts: Floats, mean: Floats) -> Misfit:
    """Test that the calls of a day fall on its hours independently, given their number.

    Chi-square of each day over four bands of six hours, summed, with its exact mean and variance under multinomial
    counts (Haldane 1937, Biometrika 29) against the normal.
    """
    shape = (len(counts), 24 // _BAND_H, _BAND_H)
    band, expected = counts.reshape(shape).sum(axis=2), mean.reshape(shape).sum(axis=2)
    kept = (band.sum(axis=1) > 0.0) & (expected > 0.0).all(axis=1)
    band, expected = band[kept], expected[kept]
    z = float("nan")
    if len(band) >= 10:
        n, share = band.sum(axis=1), expected / expected.sum(axis=1, keepdims=True)
        k = band.shape[1]
        chi2 = ((band - n[:, None] * share) ** 2 / (n[:, None] * share)).sum(axis=1)
        variance = 2.0 * (k - 1) + ((1.0 / share).sum(axis=1) - k**2 - 2 * k + 2) / n
        z = float((chi2 - (k - 1)).sum() / np.sqrt(variance.sum()))
    return Misfit("clumps_within_day", "calls of a day come independently of each other", z, float(stats.norm.sf(z)))


def _between_days(counts: Floats, mean: Floats, days: Days, phi: float) -> Misfit:
    """Test that successive days are independent: correlation of their standardised residuals, normal at size n."""
    expected = mean.sum(axis=1)
    residual = (counts.sum(axis=1) - expected) / np.sqrt(np.maximum(expected + phi * expected**2, 1e-300))
    follows = np.flatnonzero(np.diff(days.day) == 1)
    z = float("nan")
    if len(follows) >= 20:
        product = residual[follows] * residual[follows + 1]
        z = float(product.sum() / np.sqrt(np.sum(product**2)))
    p_value = float(2.0 * stats.norm.sf(abs(z)))
    return Misfit("days_correlated", "a busy day says nothing of the next", z, p_value)


def _places_by_hour(table: Floats) -> Misfit:
    """Test that places have the same course of the day: chi-square of homogeneity over four bands of six hours.

    Places that expect fewer than five calls in a band are taken together.
    """
    band = table.reshape(len(table), 24 // _BAND_H, _BAND_H).sum(axis=2)
    band = band[:, band.sum(axis=0) > 0.0]
    share = band.sum(axis=0) / max(band.sum(), 1.0)
    is_thin = (band.sum(axis=1)[:, None] * share < _LEAST_EXPECTED).any(axis=1)
    rows = np.vstack([band[~is_thin], band[is_thin].sum(axis=0)[None, :]])
    rows = rows[(rows.sum(axis=1)[:, None] * share >= _LEAST_EXPECTED).all(axis=1)]
    chi2, p_value = float("nan"), float("nan")
    if len(rows) >= 2 and rows.shape[1] >= 2:
        expected = rows.sum(axis=1, keepdims=True) * rows.sum(axis=0) / rows.sum()
        chi2 = float(((rows - expected) ** 2 / expected).sum())
        p_value = float(stats.chi2.sf(chi2, (len(rows) - 1) * (rows.shape[1] - 1)))
    return Misfit("places_by_hour", "places do not change with the hour", chi2, p_value)
