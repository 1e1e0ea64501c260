"""The rounds that find a travel model: curve, effects, their variances and the residual spread, each given the others.

Newton's method on the likelihood of the records as written for curve and effects, expectation and maximisation for the
variances, the spread by band from what is left (`travel` says what the model is, and what is made of it).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from calibration.fit.complete import log_times
from calibration.fit.mixed import Columns, columns_of
from calibration.fit.speed import Curve
from calibration.scores.keyed import Floats
from calibration.scores.recorded import Observed
from calibration.scores.regression import Known

ABSURD_SD = 5.0
_N_ROUNDS = 30
_N_BANDS = 5
_LEAST_PER_BAND = 100
_LEVEL = 0.01


@dataclass(frozen=True, slots=True)
class Spread:
    """S.d. of log time by band of log expected time, with standard errors; p: whether bands differ."""

    edges: Floats
    sd: Floats
    se: Floats
    p: float

    def of(self, mean: Floats) -> Floats:
        """Return the s.d. at each log expected time, (n,)."""
        return self.sd[np.searchsorted(self.edges, mean, side="right")]


@dataclass(frozen=True, slots=True)
class Found:
    """Estimates: curve and effects in the order of the columns, variances of effects, residual spread."""

    curve: Curve
    columns: Columns
    solution: Floats
    tau2: tuple[float, ...]
    spread: Spread

    @property
    def parameters(self) -> Floats:
        """The curve's parameters."""
        return self.solution[self.columns.parts[0]]

    def log_expected(self, known: Known) -> Floats:
        """Return the log median, of s, of each call, (n,); labels never met have no effect."""
        out = self.curve.log_s(self.parameters, known.distance)
        for name, values, part in zip(self.columns.names, self.columns.values, self.columns.parts[1:], strict=True):
            out = out + _looked_up(values, self.solution[part], known.labels[name])
        return out


@dataclass(frozen=True, slots=True)
class Last:
    """What the last round leaves: the curve's columns, slopes of the likelihood, normal equations, who was kept."""

    slopes: Floats
    slope: Floats
    penalty: Floats
    normal: Floats
    is_kept: NDArray[np.bool_]


def found_of(curve: Curve, seen: Observed, known: Known, near: Found | None = None) -> tuple[Found, Last]:
    """Return the estimates once they have settled, and the last round's equations.

    `near` are estimates of the same curve from other records, to begin with.
    """
    x, columns = known.distance, columns_of(len(curve.parameters), known.labels)
    found = _begin(curve, columns, x, seen) if near is None else _from(near, columns)
    parts = columns.parts
    for _ in range(_N_ROUNDS):
        before, solution = found, found.solution
        mean = curve.log_s(solution[parts[0]], x) + columns.effects(solution)
        sd = found.spread.of(mean)
        logs = log_times(seen, mean, sd)
        is_kept = np.abs(logs.mean - mean) <= ABSURD_SD * sd
        slope = np.where(is_kept, (logs.mean - mean) / sd**2, 0.0)
        weight = np.where(is_kept, np.clip(1.0 - logs.variance / sd**2, 1e-3, 1.0) / sd**2, 0.0)
        slopes = curve.slopes(solution[parts[0]], x)
        penalty = np.zeros(columns.n_columns)
        for part, tau2 in zip(parts[1:], found.tau2, strict=True):
            penalty[part] = 1.0 / tau2
        normal = columns.normal(slopes, weight) + np.diag(penalty + 1e-9)
        move, variance = columns.solve(normal, columns.right(slopes, slope) - penalty * solution)
        step = np.clip(move, -1.0, 1.0)
        solution = solution + step
        spread = _spread_of(mean, logs.mean - mean, logs.variance, is_kept, columns.n_columns)
        sizes = [float(np.mean(solution[part] ** 2 + variance[part])) for part in parts[1:]]
        found = replace(found, solution=solution, tau2=tuple(max(size, 1e-7) for size in sizes), spread=spread)
        if _is_settled(step / np.sqrt(variance), parts[0], before, found):
            break
    return found, Last(slopes, slope, penalty, normal, is_kept)


def _begin(curve: Curve, columns: Columns, x: Floats, seen: Observed) -> Found:
    y = np.log(np.maximum(seen.centre_s(), 1.0))
    solution = np.zeros(columns.n_columns)
    solution[columns.parts[0]] = curve.rough(x, y)
    residual = y - curve.log_s(solution[columns.parts[0]], x)
    sd = max(1.4826 * float(np.median(np.abs(residual))), 0.02)
    spread = Spread(np.zeros(0), np.array([sd]), np.zeros(1), 1.0)
    return Found(curve, columns, solution, (0.01,) * len(columns.names), spread)


def _from(near: Found, columns: Columns) -> Found:
    """Return the estimates for other columns; labels of as many values may stand in another order."""
    place = [near.columns.names.index(name) for name in columns.names]
    effects = [
        _looked_up(near.columns.values[at], near.solution[near.columns.parts[1 + at]], values)
        for at, values in zip(place, columns.values, strict=True)
    ]
    solution = np.concatenate([near.parameters, *effects])
    return Found(near.curve, columns, solution, tuple(near.tau2[at] for at in place), near.spread)


def _looked_up(values: NDArray[np.int64], effects: Floats, labels: NDArray[np.int64]) -> Floats:
    """Return the effect of each label (n,), nought for one that is not among the values, which ascend."""
    place = np.minimum(np.searchsorted(values, labels), len(values) - 1)
    return np.where(values[place] == labels, effects[place], 0.0)


def _spread_of(mean: Floats, residual: Floats, variance: Floats, is_kept: NDArray[np.bool_], n_free: int) -> Spread:
    """Return one s.d., or one by fifth of expected time where they differ (Brown & Forsythe, 1 % level)."""
    n = int(is_kept.sum())
    total = float((residual**2 + variance)[is_kept].sum())
    one = np.sqrt(max(total / max(n - min(n_free, n // 2), 1), 1e-8))
    n_bands = min(_N_BANDS, n // _LEAST_PER_BAND)
    single = Spread(np.zeros(0), np.array([one]), np.array([one / np.sqrt(2.0 * max(n, 1))]), 1.0)
    if n_bands < 2:
        return single
    edges = np.unique(np.quantile(mean[is_kept], np.arange(1, n_bands) / n_bands))
    band = np.searchsorted(edges, mean[is_kept], side="right")
    size = np.bincount(band, minlength=len(edges) + 1)
    if size.min() < 2:
        return single
    # What rounding hides is added back, with its sign, so that bands of short times do not look narrow.
    whole = np.sign(residual) * np.sqrt(residual**2 + variance)
    parts = [whole[is_kept][band == each] for each in range(len(size))]
    p = float(stats.levene(*parts, center="median").pvalue)
    if not p < _LEVEL:
        return replace(single, p=p)
    square = np.bincount(band, weights=(residual**2 + variance)[is_kept]) / size
    sd = np.sqrt(np.maximum(square * n / max(n - min(n_free, n // 2), 1), 1e-8))
    return Spread(edges, sd, sd / np.sqrt(2.0 * size), p)


def _is_settled(step_se: Floats, of_curve: slice, before: Found, after: Found) -> bool:
    """Return whether estimates moved by no fiftieth of their errors, s.d. by no tenth, and variances by no hundredth.

    Of effects the root mean square counts: in a wrong curve, one row at a border of bands may change sides for ever.
    """
    moved = max(float(np.abs(step_se[of_curve]).max()), float(np.sqrt(np.mean(step_se**2))))
    if moved > 0.02 or len(before.spread.sd) != len(after.spread.sd):
        return False
    is_even = bool((np.abs(after.spread.sd - before.spread.sd) <= 0.1 * after.spread.se).all())
    return is_even and bool(np.allclose(before.tau2, after.tau2, rtol=0.01, atol=1e-5))
