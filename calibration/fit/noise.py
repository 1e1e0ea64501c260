"""Residuals of travel as they are: quantiles where they are not log-normal, and what units of one call have in common.

Rounding is taken out by smoothed expectation and maximisation over a fine histogram (Silverman, Jones, Wilson & Nychka
1990, JRSS B 52): each record's probability is spread over its cell as the present density has it, beginning with the
log-normal; a record known only to be longer goes to all that lies above. What is not identified: the form within a
cell much wider than the noise, for which the log-normal start decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, special

from calibration.fit.complete import is_wide, places_in_cells
from calibration.scores.keyed import Floats
from calibration.scores.recorded import Observed

Codes = NDArray[np.int64]
N_LEVELS = 100
LEVELS: Floats = (np.arange(N_LEVELS) + 0.5) / N_LEVELS
_N_ROUNDS = 8
_MOST_SD = 8.0
_BIN_SD = 0.05
_N_BINS = int(2 * _MOST_SD / _BIN_SD)
_LEAST_PAIRS = 20
_STEEPEST = 3.0
"""Beyond its outermost levels a tail goes on as steeply as there, but never more than three times a normal one."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Share of the residual variance that units of one call have in common, with its standard error; NaN without
    enough pairs. n_pairs: of units of one call.
    """

    share: float
    se: float
    n_pairs: int


def normal_quantiles(sd: Floats) -> Floats:
    """Return log residuals at even levels if normal with s.d. (n_bands,): (n_bands, n_levels)."""
    quantiles: Floats = sd[:, None] * special.ndtri(LEVELS)
    return quantiles


def noise_quantiles(seen: Observed, mean: Floats, band: Codes, sd: Floats) -> Floats:
    """Return log residuals at even levels by band, (n_bands, n_levels).

    Parameters
    ----------
    mean, band
        (n,) log of the expected seconds, and the band it lies in.
    sd
        (n_bands,) s.d. of a band, the yardstick of the histogram.
    """
    counts = np.zeros((len(sd), _N_BINS))
    late = np.flatnonzero(seen.is_censored)
    wide, fine = np.flatnonzero(is_wide(seen)), np.flatnonzero(~is_wide(seen) & ~seen.is_censored)
    own = _bins(np.log(np.maximum(seen.centre_s()[fine], 1e-6)) - mean[fine], band[fine], sd)
    known = _sum(own, np.ones(len(fine)), len(sd))
    t, weight, _ = places_in_cells(seen.rows(wide))
    at = _bins(np.log(np.maximum(t, 1e-6)) - mean[wide, None], band[wide, None], sd)
    weight = np.where(t > 0.0, weight / np.maximum(t, 1e-6), 0.0)
    above = _bins(np.log(np.maximum(seen.value_s[late], 1e-6)) - mean[late], band[late], sd)
    middle = (np.arange(_N_BINS) + 0.5) * _BIN_SD - _MOST_SD
    density = np.tile(np.exp(-0.5 * middle**2), (len(sd), 1))
    for _ in range(_N_ROUNDS if len(wide) + len(late) else 1):
        part = weight * density.ravel()[at]
        part = part / np.maximum(part.sum(axis=1, keepdims=True), 1e-300)
        counts = known + _sum(at, part, len(sd)) + _spread_above(above, density)
        density = _smooth(counts)
    return _quantiles(counts) * sd[:, None]


def interpolate(quantiles: Floats, levels: Floats) -> Floats:
    """Return log residuals at any levels in (0, 1) from those at even levels (n_levels,), straight in normal scores."""
    z, score = special.ndtri(levels), special.ndtri(LEVELS)
    inner: Floats = np.interp(z, score, quantiles)
    for side, begin, step in ((-1.0, 0, 4), (1.0, -1, -5)):
        slope = (quantiles[begin] - quantiles[step]) / (score[begin] - score[step])
        widest = _STEEPEST * (quantiles[84] - quantiles[15]) / (score[84] - score[15])
        beyond = np.maximum(side * (z - score[begin]), 0.0)
        inner = inner + side * beyond * min(float(slope), float(widest))
    return inner


def shared_within(standard: Floats, call: Codes, blocks: Codes, fitted: Sequence[tuple[Codes, Floats]] = ()) -> Shared:
    """Return what standardised residuals (n,) of units of one call, (n,) labels, have in common.

    Mean product over pairs of units of a call, which rounding leaves alone where stamps are each unit's own; over the
    variance, which is one. The error is that of a ratio of sums by day (Cochran 1977, 9A), `blocks` (n,).

    An effect fitted to both units of a pair takes from their product its posterior variance; that is put back. `fitted`
    holds (label, posterior variance over residual variance), (n,) each, of each effect.
    """
    _, first, code = np.unique(call, return_index=True, return_inverse=True)
    total, square = np.bincount(code, weights=standard), np.bincount(code, weights=standard**2)
    pairs, products = _pairs(code), (total**2 - square) / 2.0
    for label, known in fitted:
        values, own = np.unique(label, return_inverse=True)
        _, begin, both = np.unique(code * len(values) + own, return_index=True, return_inverse=True)
        added = _pairs(both) * known[begin]
        products = products + np.bincount(code[begin], weights=added, minlength=len(first))
    n_pairs = int(pairs.sum())
    if n_pairs < _LEAST_PAIRS:
        return Shared(float("nan"), float("nan"), n_pairs)
    share = float(products.sum() / pairs.sum())
    day = np.unique(blocks[first], return_inverse=True)[1]
    sums = np.bincount(day, weights=products - share * pairs)
    days = int((np.bincount(day, weights=pairs) > 0.0).sum())
    se = float(np.sqrt(sums @ sums * days / (days - 1.0))) / n_pairs if days > 1 else float("nan")
    return Shared(share, se, n_pairs)


def _pairs(code: Codes) -> Floats:
    """Return how many pairs each code has."""
    size = np.bincount(code).astype(np.float64)
    return size * (size - 1.0) / 2.0


def _bins(residual: Floats, band: Codes, sd: Floats) -> Codes:
    """Return places in the histograms of all bands, laid end to end."""
    place = np.floor((residual / sd[band] + _MOST_SD) / _BIN_SD).astype(np.int64)
    return np.clip(place, 0, _N_BINS - 1) + band * _N_BINS


def _sum(place: Codes, weight: Floats, n_bands: int) -> Floats:
    summed = np.bincount(place.ravel(), weights=weight.ravel(), minlength=n_bands * _N_BINS)
    return summed.astype(np.float64).reshape(n_bands, _N_BINS)


def _spread_above(above: Codes, density: Floats) -> Floats:
    """Return censored records, each spread over the bins from its own on as the density has it."""
    begun = np.bincount(above, minlength=density.size).reshape(density.shape)
    left = np.cumsum(density[:, ::-1], axis=1)[:, ::-1]
    return np.cumsum(begun / np.maximum(left, 1e-300), axis=1) * density


def _smooth(counts: Floats) -> Floats:
    """Return the histograms smoothed by a normal kernel of 0.9 n^-1/5 s.d. (Silverman 1986, 3.31)."""
    width = 0.9 * np.maximum(counts.sum(axis=1), 1.0) ** -0.2 / _BIN_SD
    rows = [ndimage.gaussian_filter1d(row, each, mode="constant") for row, each in zip(counts, width, strict=True)]
    return np.stack(rows) + 1e-9


def _quantiles(counts: Floats) -> Floats:
    """Return quantiles at even levels, in s.d., straight within a bin; of a band without records the normal ones."""
    edges = np.arange(_N_BINS + 1) * _BIN_SD - _MOST_SD
    found = np.empty((len(counts), N_LEVELS))
    for row, own in enumerate(counts):
        below = np.concatenate([[0.0], np.cumsum(own)])
        rising = below + np.arange(_N_BINS + 1) * 1e-12 * max(below[-1], 1.0)
        found[row] = np.interp(LEVELS * rising[-1], rising, edges) if below[-1] > 0.0 else special.ndtri(LEVELS)
    return found
