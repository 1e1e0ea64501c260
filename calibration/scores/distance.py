"""How far two distributions of durations are apart: Kolmogorov-Smirnov and Wasserstein-1, censoring allowed.

Records with censored values enter as their product-limit estimate (Kaplan & Meier 1958, JASA 53), compared up to the
last instant at which anything is known. A unit that never came is no censoring: it is mass beyond every threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibration.scores.keyed import Floats
from calibration.scores.recorded import HORIZON_S, Observed


@dataclass(frozen=True, slots=True)
class Steps:
    """A distribution function that jumps: `upto[k]` is F at `at_s[k]`, both (k,) float64, `at_s` ascending and unique.

    known_to_s: nothing is said of later times.
    """

    at_s: Floats
    upto: Floats
    known_to_s: float

    def value(self, time_s: Floats) -> Floats:
        """Return F(t)."""
        return self._take(np.searchsorted(self.at_s, time_s, side="right"))

    def before(self, time_s: Floats) -> Floats:
        """Return F(t-), what lies strictly before t."""
        return self._take(np.searchsorted(self.at_s, time_s, side="left"))

    def quantile(self, levels: Floats) -> Floats:
        """Return the first time at which F reaches each level, s; inf where it never does within what is known."""
        place = np.searchsorted(self.upto, np.asarray(levels) * (1.0 - 1e-12), side="left")
        return np.append(self.at_s, np.inf)[place]

    def _take(self, place: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Floats:
        return np.where(place > 0, self.upto[np.maximum(place, 1) - 1], 0.0)


def steps_of(values_s: Floats, weights: Floats | None = None) -> Steps:
    """Return the distribution of values of any shape (inf: never), with weights of the same shape or equal ones.

    Raises
    ------
    ValueError
        If there is no value, or no weight.
    """
    values = np.ravel(np.asarray(values_s, dtype=np.float64))
    if len(values) == 0:
        raise ValueError("there is no duration to make a distribution of")
    if weights is None:
        values = np.sort(values)
        upto = np.arange(1, len(values) + 1) / len(values)
    else:
        order = np.argsort(values, kind="stable")
        values, upto = values[order], np.cumsum(np.ravel(weights)[order])
        if not upto[-1] > 0.0:
            raise ValueError("the weights of the durations sum to nothing")
        upto = upto / upto[-1]
    is_last = np.append(values[1:] != values[:-1], True)
    return Steps(values[is_last], upto[is_last], float("inf"))


def steps_of_records(seen: Observed, weights: Floats | None = None) -> Steps:
    """Return the distribution of recorded durations: the product-limit estimate where some are censored.

    `weights`: (n,) how often each call counts (bootstrap). A death at t is seen by what is censored at t.
    """
    if not seen.is_censored.any():
        return steps_of(seen.value_s, weights)
    order = np.lexsort((seen.is_censored, seen.value_s))
    value, censored = seen.value_s[order], seen.is_censored[order]
    weight = np.ones(len(seen)) if weights is None else np.asarray(weights, dtype=np.float64)[order]
    at_risk = np.cumsum(weight[::-1])[::-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        # One value at a time: with ties the product telescopes to 1 - d / n.
        hazard = np.where(censored | (at_risk <= 0.0), 0.0, weight / at_risk)
    upto = 1.0 - np.cumprod(1.0 - np.minimum(hazard, 1.0))
    is_last = np.append(value[1:] != value[:-1], True)
    known_to = float("inf") if not censored[-1] else float(value[-1])
    return Steps(value[is_last], upto[is_last], known_to)


def ks_distance(one: Steps, other: Steps) -> float:
    """Return the largest difference of two distribution functions, over all times at which both are known.

    Between two jumps of the one the other only rises, so the jumps of the one with fewer, seen from both sides, hold
    the largest difference. What never comes counts: the end of time is looked at from before.
    """
    few, many = (one, other) if len(one.at_s) <= len(other.at_s) else (other, one)
    known_to_s = min(one.known_to_s, other.known_to_s)
    after = np.append(few.at_s[few.at_s <= known_to_s], known_to_s if np.isfinite(known_to_s) else [])
    before = np.append(after, np.inf if np.isinf(known_to_s) else [])
    sizes = [np.abs(few.value(after) - many.value(after)), np.abs(few.before(before) - many.before(before))]
    return float(max(size.max(initial=0.0) for size in sizes))


def wasserstein_s(one: Steps, other: Steps, *, horizon_s: float = HORIZON_S) -> float:
    """Return the integral of |F - G| over time up to the horizon and to what is known, s.

    Up to the horizon this is the Wasserstein-1 distance of the durations cut there.
    """
    end_s = min(horizon_s, one.known_to_s, other.known_to_s)
    at_s = np.concatenate([one.at_s, other.at_s])
    at_s = np.append(np.sort(at_s[at_s < end_s], kind="stable"), end_s)
    gap = np.abs(one.value(at_s[:-1]) - other.value(at_s[:-1]))
    return float(gap @ np.diff(at_s))
