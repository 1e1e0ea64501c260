"""Does a fitted distribution fit? Tests on the probability transform of the very records it was fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from calibration.scores.keyed import Floats

_N_BINS = 20
_LEVEL = 0.01


@dataclass(frozen=True, slots=True)
class Misfit:
    """What speaks against a fit.

    form_p: chi-square over 20 equal bins with 19 degrees of freedom; parameters fitted to the same records make it
    cautious (Chernoff & Lehmann 1954). form_distance: the largest gap of the transform to a uniform, how wrong rather
    than how surely. day_p, day_correlation: whether durations of one day resemble each other (F test in one-way
    analysis of variance of the normal scores, and their intraclass correlation). shape_p: whether the spread differs
    between groups (Brown & Forsythe 1974). NaN where there is too little to test.
    """

    form_p: float
    form_distance: float
    day_p: float
    day_correlation: float
    shape_p: float
    n: int

    @property
    def reasons(self) -> tuple[str, ...]:
        """What is wrong at the 1 % level, in words; empty if nothing is."""
        found = []
        if self.form_p < _LEVEL:
            found.append(f"the form does not fit (p {self.form_p:.2g}, off by up to {self.form_distance:.3f})")
        if self.day_p < _LEVEL:
            found.append(f"durations of a day go together (p {self.day_p:.2g}, correlation {self.day_correlation:.3f})")
        if self.shape_p < _LEVEL:
            found.append(f"the spread differs between groups (p {self.shape_p:.2g}): fit them apart")
        return tuple(found)


def misfit(
    transform: Floats,
    blocks: NDArray[np.int64],
    groups: NDArray[np.int64] | None = None,
    *,
    call: NDArray[np.int64] | None = None,
) -> Misfit:
    """Return the tests of probability transforms (n,), of which `blocks` are the days and `groups` any grouping.

    With `call` (n,) the first unit of each call speaks for its day: units of one call share more than their day.
    """
    n = len(transform)
    counts = np.bincount(np.minimum((transform * _N_BINS).astype(np.int64), _N_BINS - 1), minlength=_N_BINS)
    form_p = float(stats.chisquare(counts).pvalue) if n >= 5 * _N_BINS else float("nan")
    ordered = np.sort(transform)
    rank = np.arange(n + 1) / n
    distance = float(max((rank[1:] - ordered).max(), (ordered - rank[:-1]).max()))
    score = special.ndtri(np.clip(transform, 1e-6, 1.0 - 1e-6))
    one = np.arange(n) if call is None else np.unique(call, return_index=True)[1]
    day_p, correlation = between(score[one], np.unique(blocks[one], return_inverse=True)[1])
    return Misfit(form_p, distance, day_p, correlation, _spread_p(score, groups), n)


def between(score: Floats, code: NDArray[np.int64]) -> tuple[float, float]:
    """Return the p-value of equal means over groups `code` (n,) and the intraclass correlation.

    NaN if there are too few, or if all scores are the same, so that nothing differs within groups or between.
    """
    size = np.bincount(code).astype(np.float64)
    k, n = len(size), len(score)
    if k < 5 or n < 2 * k:
        return float("nan"), float("nan")
    mean = np.bincount(code, weights=score) / size
    between = float(size @ (mean - score.mean()) ** 2) / (k - 1)
    within = float(((score - mean[code]) ** 2).sum()) / (n - k)
    if not (between or within):
        return float("nan"), float("nan")
    typical = (n - float(size @ size) / n) / (k - 1)
    correlation = (between - within) / (between + (typical - 1.0) * within)
    return float(stats.f.sf(between / within if within else np.inf, k - 1, n - k)), correlation


def _spread_p(score: Floats, groups: NDArray[np.int64] | None) -> float:
    if groups is None:
        return float("nan")
    code = np.unique(groups, return_inverse=True)[1]
    parts = [score[code == each] for each in np.flatnonzero(np.bincount(code) >= 20)]
    return float(stats.levene(*parts, center="median").pvalue) if len(parts) > 1 else float("nan")
