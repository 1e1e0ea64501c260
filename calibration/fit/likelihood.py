"""The likelihood of durations as the records write them: exact, rounded, or only known to be longer.

A rounded duration has the probability that the records would have written it: F(end) - F(begin) of its cell, or, where
two stamps were cut, the integral of f(t) (1 - |t - v| / r), which is that of F above v less that below, over r.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from calibration.fit.families import Family
from calibration.scores.keyed import Floats
from calibration.scores.recorded import Observed, Rounding

_N_NODES, _N_FEW = 12, 3
_NARROW = 0.05
"""Up to this share of the value few nodes do: from a log s.d. of 0.05 on to a thousandth of each probability over 1e-6.
"""
_STEP = 1e-3
_N_CLIMBS, _N_HALVINGS = 60, 12
_NEAR_SE, _LONGEST = 0.01, 1.0
_FINE = 0.02
"""A resolution under this share of the value is as good as exact: the density at the middle of the cell is taken."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Distinct recorded durations, how often each came, and of which each record is one.

    value_s, resolution_s: (k,) float64; is_censored: (k,) bool; count: (k,) float64; place: (n,) int64 into them.
    """

    value_s: Floats
    resolution_s: Floats
    is_censored: NDArray[np.bool_]
    count: Floats
    place: NDArray[np.int64]
    rounding: Rounding

    def log_likelihood(self, family: Family, parameters: Floats) -> Floats:
        """Return the log probability (exact values: log density) of each distinct duration: (k,) float64."""
        out = np.empty(len(self.value_s))
        is_point = ~self.is_censored & (self.resolution_s <= _FINE * self.value_s)
        is_cell = ~self.is_censored & ~is_point
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            out[self.is_censored] = np.log(family.sf(parameters, self.value_s[self.is_censored]) + 1e-300)
            r = self.resolution_s[is_point]
            shift = 0.5 if self.rounding is Rounding.DOWN else 0.0
            density = family.log_density(parameters, self.value_s[is_point] + shift * r)
            out[is_point] = density + np.log(np.where(r > 0.0, r, 1.0))
            is_narrow = self.resolution_s <= _NARROW * self.value_s
            for chosen, n_nodes in ((is_cell & is_narrow, _N_FEW), (is_cell & ~is_narrow, _N_NODES)):
                out[chosen] = np.log(self._written(family, parameters, chosen, n_nodes) + 1e-300)
        return np.nan_to_num(np.maximum(out, -700.0), nan=-700.0)

    def bounds(self, family: Family, parameters: Floats) -> tuple[Floats, Floats]:
        """Return P(written < value) and P(written <= value) of each distinct duration; censored: up to 1."""
        nodes, weights = rule(self.rounding)
        at = self.value_s[:, None] + self.resolution_s[:, None] * nodes
        below = family.cdf(parameters, np.maximum(at, 0.0))
        low, high = -(below @ np.minimum(weights, 0.0)), below @ np.maximum(weights, 0.0)
        known = family.cdf(parameters, self.value_s)
        return np.where(self.is_censored, known, low), np.where(self.is_censored, 1.0, np.maximum(low, high))

    def _written(self, family: Family, parameters: Floats, chosen: NDArray[np.bool_], n_nodes: int) -> Floats:
        nodes, weights = rule(self.rounding, n_nodes)
        value, r = self.value_s[chosen][:, None], self.resolution_s[chosen][:, None]
        at = np.maximum(value + r * nodes, 0.0)
        # Differences are taken on the side that keeps their digits.
        is_high = family.cdf(parameters, value[:, 0]) > 0.5
        out = np.empty(len(at))
        out[is_high] = -(family.sf(parameters, at[is_high]) @ weights)
        out[~is_high] = family.cdf(parameters, at[~is_high]) @ weights
        return np.maximum(out, 0.0)


def rule(rounding: Rounding, n_nodes: int = _N_NODES) -> tuple[Floats, Floats]:
    """Return places (in resolutions from the value) and weights of the distribution function that make a cell."""
    if rounding is Rounding.STAMPS:
        x, w = np.polynomial.legendre.leggauss(n_nodes)
        x, w = (x + 1.0) / 2.0, w / 2.0
        return np.concatenate([-x, x]), np.concatenate([-w, w])
    begin = 0.0 if rounding is Rounding.DOWN else -0.5
    return np.array([begin, begin + 1.0]), np.array([-1.0, 1.0])


def cells_of(seen: Observed, factor: Floats | None = None) -> Cells:
    """Return the distinct durations, each divided by its own factor (n,) if given.

    Raises
    ------
    ValueError
        If there is no record, a duration is infinite or negative, or an exact one is nought.
    """
    if len(seen) == 0:
        raise ValueError("there is no duration to fit")
    if not (np.isfinite(seen.value_s) & (seen.value_s >= 0.0)).all():
        raise ValueError(
            "a duration is infinite or below nought: leave it out, or give the time up to which it is known"
        )
    if (~seen.is_censored & (seen.value_s + seen.resolution_s <= 0.0)).any():
        raise ValueError("a duration is exactly nought: give the resolution of the stamps")
    scale = np.ones(len(seen)) if factor is None else factor
    rows, place, count = distinct_rows(seen.value_s / scale, seen.resolution_s / scale, seen.is_censored)
    return Cells(rows[0], rows[1], rows[2] > 0, count, place, seen.rounding)


def distinct_rows(*columns: NDArray[Any]) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Return distinct rows of columns (n,), ascending, as (n_columns, k); which each row is (n,); how often it came."""
    order = np.lexsort(columns[::-1])
    table = np.stack([np.asarray(column, dtype=np.float64)[order] for column in columns])
    is_new = np.concatenate([[True], (np.diff(table, axis=1) != 0.0).any(axis=0)])
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.cumsum(is_new) - 1
    return table[:, is_new], place, np.bincount(place).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Parameters of a family with their covariance; log_likelihood is the total, n the records."""

    family: Family
    parameters: Floats
    covariance: Floats
    log_likelihood: float
    n: int

    @property
    def se(self) -> Floats:
        """Standard errors, (n_parameters,); NaN where the records do not fix a parameter."""
        variance = np.diag(self.covariance)
        return np.sqrt(np.where(variance > 0.0, variance, np.nan))


def maximum(
    family: Family, cells: Cells, blocks: NDArray[np.int64] | None = None, *, start: Floats | None = None
) -> Estimate:
    """Return the maximum-likelihood estimate, looked for from `start` if that is known to be near.

    With `blocks`, (n,) int64 labels of days, at least twenty of them, the covariance is the sandwich over days (White
    1982; Liang & Zeger 1986), which stays true when the calls of a day share something; else the inverse information.
    """
    begin = family.start(*_log_moments(cells)) if start is None else start
    p, is_found = _climb(family, cells, begin)
    if not is_found:

        def loss(q: Floats) -> float:
            return -float(cells.count @ cells.log_likelihood(family, q)) / len(cells.place)

        best = optimize.minimize(loss, p, method="BFGS", options={"gtol": 1e-6})
        if not best.success:
            best = optimize.minimize(loss, best.x, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-10})
        p = np.asarray(best.x, dtype=np.float64)
    total = float(cells.count @ cells.log_likelihood(family, p))
    return Estimate(family, p, _covariance(family, cells, p, blocks), total, len(cells.place))


def _log_moments(cells: Cells) -> tuple[float, float]:
    """Return mean and s.d. of log time, roughly."""
    seen = np.log(np.maximum(cells.value_s, 0.25 * cells.resolution_s + 1e-3))
    weight = cells.count / cells.count.sum()
    mean = float(weight @ seen)
    return mean, max(float(np.sqrt(weight @ (seen - mean) ** 2)), 0.05)


def _climb(family: Family, cells: Cells, start: Floats) -> tuple[Floats, bool]:
    """Return where the likelihood is highest, and whether it was found: to a hundredth of a standard error.

    Steps by the sum of squared slopes in the place of the information (Berndt, Hall, Hall & Hausman 1974), halved until
    the likelihood rises.
    """
    p = start
    each = cells.log_likelihood(family, p)
    for _ in range(_N_CLIMBS):
        slopes = _slopes(family, cells, p)
        weighted = slopes * cells.count
        slope = weighted.sum(axis=1)
        squares = weighted @ slopes.T
        step = np.linalg.lstsq(squares + 1e-9 * np.diag(np.diag(squares) + 1e-12), slope, rcond=1e-12)[0]
        if float(slope @ step) < _NEAR_SE**2:
            return p, True
        step = step * min(1.0, _LONGEST / float(np.abs(step).max()))
        for _ in range(_N_HALVINGS):
            after = cells.log_likelihood(family, p + step)
            if float(cells.count @ (after - each)) > 0.0:
                break
            step = step / 2.0
        else:
            return p, False
        p, each = p + step, after
    return p, False


def _slopes(family: Family, cells: Cells, p: Floats) -> Floats:
    """Return the derivatives of each distinct duration's log probability, (n_parameters, k)."""
    moves = _STEP * np.eye(len(p))
    pairs = [cells.log_likelihood(family, p + move) - cells.log_likelihood(family, p - move) for move in moves]
    slopes: Floats = np.array(pairs) / (2.0 * _STEP)
    return slopes


def _covariance(family: Family, cells: Cells, p: Floats, blocks: NDArray[np.int64] | None) -> Floats:
    step, k = _STEP, len(p)
    moves = step * np.eye(k)

    def total(q: Floats) -> float:
        return float(cells.count @ cells.log_likelihood(family, q))

    information: Floats = np.empty((k, k))
    for i in range(k):
        for j in range(i + 1):
            plus = total(p + moves[i] + moves[j]) + total(p - moves[i] - moves[j])
            minus = total(p + moves[i] - moves[j]) + total(p - moves[i] + moves[j])
            information[i, j] = information[j, i] = (minus - plus) / (4.0 * step * step)
    eigenvalues = np.linalg.eigvalsh(information)
    if not eigenvalues[0] > 1e-9 * max(eigenvalues[-1], 1e-9):
        return np.full((k, k), np.nan)
    inverse: Floats = np.asarray(np.linalg.inv(information), dtype=np.float64)
    if blocks is None or len(np.unique(blocks)) < 20:
        return inverse
    slopes = _slopes(family, cells, p)
    code = np.unique(blocks, return_inverse=True)[1]
    sums = np.array([np.bincount(code, weights=slope[cells.place]) for slope in slopes])
    n_blocks = sums.shape[1]
    return np.asarray(inverse @ (sums @ sums.T) @ inverse * n_blocks / (n_blocks - 1.0))
