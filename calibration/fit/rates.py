r"""Calls per hour by hour, weekday, month and year: a multiplicative model with smoothing and a factor for the day.

    y_dh ~ Poisson(G_d mu_dh),   G_d ~ gamma with mean 1 and variance phi,   y_dh independent given G_d
    log mu_dh = log(exposure_dh) + offset_dh + level + drift t_d + month + weekday + hour + (hour on days off)

Effects of months, weekdays and hours stand in the Fourier basis of their cycle, where a penalty on cyclic differences
is diagonal with weights (2 sin(pi k / n))^(2 order) (Wahba 1990, Spline Models, ch. 2): second differences of hours,
first ones of months, none (plain shrinkage) of weekdays. The strength of each penalty is fitted too (`_strength`), so
that what the data do not show stays nearly flat. G is integrated out
exactly; phi solves Pearson = residual degrees of freedom (Breslow 1984, Appl. Stat. 33), kept at nought or above.
Standard errors are those of the posterior, (X' V^-1 X + S)^-1, V with the common factor of each day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, special

from calibration.fit.exposure import Days
from calibration.scores.keyed import Floats

_N_ITERATIONS = 200
_TOLERANCE = 1e-7
_PENALTY_TOLERANCE = 1e-3
_PENALTY_RANGE = (1e-3, 1e7)
_PENALTY_STEP = 2.0
_PHI_MOST = 25.0

DAY_BLOCKS = ("drift", "month", "weekday")
HOUR_BLOCKS = ("hour", "off_hour")
BLOCKS = (*DAY_BLOCKS, *HOUR_BLOCKS)
_DIFFERENCES = {"month": (12, 1), "weekday": (7, 0), "hour": (24, 2), "off_hour": (24, 2)}


def cycle(n: int, order: int) -> tuple[Floats, Floats]:
    """Return an orthonormal basis (n, n - 1) of cyclic effects that add to nought, and the penalty's weight of each."""
    step = np.arange(n)
    columns, weights = [], []
    for k in range(1, n // 2 + 1):
        angle = 2.0 * np.pi * k * step / n
        waves = [np.cos(angle)] if 2 * k == n else [np.cos(angle), np.sin(angle)]
        columns += [wave / np.linalg.norm(wave) for wave in waves]
        weights += [(2.0 * np.sin(np.pi * k / n)) ** (2 * order)] * len(waves)
    return np.column_stack(columns), np.asarray(weights)


@dataclass(frozen=True, slots=True)
class Rates:
    """A fitted model of one series of counts; make one with `fit_rates`.

    blocks: effects it has. coefficients, covariance: level first, then the blocks' in their bases. penalties: by block.
    day_cv2: phi, with its standard error and the p-value of nought (half-half chi-square of one degree at the border).
    n_calls, n_days, exposure_h: what it was fitted to.
    """

    blocks: tuple[str, ...]
    coefficients: Floats
    covariance: Floats
    penalties: dict[str, float]
    day_cv2: float
    day_cv2_se: float
    day_cv2_p: float
    n_calls: int
    n_days: int
    exposure_h: float

    def log_rate(self, days: Days) -> Floats:
        """Return the log of calls per hour, less any offset it was fitted with: (n_days, 24)."""
        design = Design.of(days, self.blocks)
        return design.linear(self.coefficients)

    def effect(self, block: str) -> tuple[Floats, Floats]:
        """Return log effects of a block, (n,) adding to nought, or (1,) per year of "drift", and their standard errors.

        A block the model does not have is nought exactly.
        """
        n = 1 if block == "drift" else _DIFFERENCES[block][0]
        if block not in self.blocks:
            return np.zeros(n), np.zeros(n)
        basis = np.ones((1, 1)) if block == "drift" else cycle(*_DIFFERENCES[block])[0]
        part = columns_of(self.blocks)[block]
        variance = np.einsum("ij,jk,ik->i", basis, self.covariance[part, part], basis)
        return basis @ self.coefficients[part], np.sqrt(variance)


def columns_of(blocks: Sequence[str]) -> dict[str, slice]:
    """Return which coefficients each block has; the level is the first."""
    found, begin = {}, 1
    for block in blocks:
        size = 1 if block == "drift" else _DIFFERENCES[block][0] - 1
        found[block] = slice(begin, begin + size)
        begin += size
    return found


@dataclass(frozen=True, slots=True)
class Design:
    """The design matrix in parts: columns that belong to a day (n_days, q), and bases of hours (24, m) with when."""

    by_day: Floats
    by_hour: tuple[tuple[Floats, Floats], ...]

    @classmethod
    def of(cls, days: Days, blocks: Sequence[str]) -> Design:
        """Return the design of some days; blocks must stand in the order of `BLOCKS`."""
        parts = [np.ones((len(days.day), 1))]
        for block in (block for block in blocks if block in DAY_BLOCKS):
            if block == "drift":
                parts.append(days.years[:, None])
            else:
                which = days.month if block == "month" else days.weekday
                parts.append(cycle(*_DIFFERENCES[block])[0][which])
        when = {"hour": np.ones(len(days.day)), "off_hour": days.is_off.astype(np.float64)}
        hours = tuple((cycle(*_DIFFERENCES[b])[0], when[b]) for b in blocks if b in HOUR_BLOCKS)
        return cls(np.hstack(parts), hours)

    def linear(self, coefficients: Floats) -> Floats:
        """Return X b by day and hour (n_days, 24)."""
        q = self.by_day.shape[1]
        total = np.repeat((self.by_day @ coefficients[:q])[:, None], 24, axis=1)
        for basis, when in self.by_hour:
            total = total + when[:, None] * (basis @ coefficients[q : q + basis.shape[1]])
            q += basis.shape[1]
        return total

    def daily(self, values: Floats) -> Floats:
        """Return X' values of each day, values (n_days, 24): (n_days, n_columns)."""
        parts = [self.by_day * values.sum(axis=1)[:, None]]
        parts += [when[:, None] * (values @ basis) for basis, when in self.by_hour]
        return np.hstack(parts)

    def gram(self, values: Floats, daily: Floats) -> Floats:
        """Return X' diag(values) X, (n_columns, n_columns), of values and their `daily`."""
        rows = [self.by_day.T @ daily]
        for basis, when in self.by_hour:
            own = values * when[:, None]
            blocks = [basis.T @ (own.T @ self.by_day)]
            blocks += [basis.T @ ((own.T @ other)[:, None] * second) for second, other in self.by_hour]
            rows.append(np.hstack(blocks))
        return np.vstack(rows)


def fit_rates(
    counts: Floats, days: Days, blocks: Sequence[str] = BLOCKS, *, offset: Floats | None = None, has_factor: bool = True
) -> Rates:
    """Return the model of counts (n_days, 24); `offset` is a known log shape, `has_factor` allows a day's factor.

    Raises
    ------
    ValueError
        If shapes differ, a call lies in an hour that was not observed, or there is no call.
    """
    _check(counts, days)
    chosen = tuple(block for block in BLOCKS if block in blocks)
    design, where = Design.of(days, chosen), columns_of(chosen)
    base = days.exposure_h * (1.0 if offset is None else np.exp(offset))
    weights = {block: cycle(*_DIFFERENCES[block])[1] for block in chosen if block != "drift"}
    penalties, phi = dict.fromkeys(weights, 10.0), 0.0
    solution = np.zeros(1 + sum(part.stop - part.start for part in where.values()))
    solution[0] = np.log(counts.sum() / base.sum())
    for _ in range(_N_ITERATIONS):
        mean = base * np.exp(design.linear(solution))
        information, score = _information(design, counts, mean, phi)
        penalty = _penalty(penalties, weights, where, len(solution))
        covariance = np.asarray(np.linalg.inv(information + np.diag(penalty)), dtype=np.float64)
        step = covariance @ (score - penalty * solution)
        solution = solution + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        old = penalties
        penalties = {
            block: _strength(weight, solution[where[block]], covariance[where[block], where[block]], old[block])
            for block, weight in weights.items()
        }
        if has_factor:
            q = design.by_day.shape[1]
            n_used = float(np.trace((covariance @ information)[:q, :q]))
            phi = _dispersion(counts.sum(axis=1), mean.sum(axis=1), n_used)
        moved = max((abs(np.log(penalties[block] / old[block])) for block in weights), default=0.0)
        if float(np.abs(step).max()) < _TOLERANCE and moved < _PENALTY_TOLERANCE:
            break
    total, expected = counts.sum(axis=1), (base * np.exp(design.linear(solution))).sum(axis=1)
    se, p_value = _judge_dispersion(total, expected, phi)
    size = (int(counts.sum()), len(counts), float(days.exposure_h.sum()))
    return Rates(chosen, solution, covariance, penalties, phi, se, p_value, *size)


def _check(counts: Floats, days: Days) -> None:
    if counts.shape != days.exposure_h.shape:
        raise ValueError(f"counts {counts.shape} and hours observed {days.exposure_h.shape} differ in shape")
    if (counts[days.exposure_h <= 0.0] > 0.0).any():
        raise ValueError("a call lies in an hour in which the log was not kept: mend the spans observed")
    if not counts.sum() > 0.0:
        raise ValueError("no call at all: a rate of nought has no shape; leave the series out")


def _penalty(strengths: dict[str, float], weights: dict[str, Floats], where: dict[str, slice], n: int) -> Floats:
    """Return the diagonal of S (n,); next to nothing where a coefficient is free."""
    penalty = np.full(n, 1e-9)
    for block, weight in weights.items():
        penalty[where[block]] = strengths[block] * weight
    return penalty


def _information(design: Design, counts: Floats, mean: Floats, phi: float) -> tuple[Floats, Floats]:
    """Return expected information and score with the day's factor integrated out (Lawless 1987, Can. J. Stat. 15)."""
    of_day = mean.sum(axis=1)
    factor = (1.0 + phi * counts.sum(axis=1)) / (1.0 + phi * of_day)
    by_day = design.daily(mean)
    shared = by_day * np.sqrt(phi / (1.0 + phi * of_day))[:, None]
    score = design.daily(counts - mean * factor[:, None]).sum(axis=0)
    return design.gram(mean, by_day) - shared.T @ shared, score


def _strength(weight: Floats, effects: Floats, covariance: Floats, now: float) -> float:
    """Return the next strength s of a penalty, by Newton's method on log s.

    Sought is where expectation and maximisation of restricted likelihood times deviation stays as it is: s D(s) = m - 1
    for m effects of size D = sum w (b^2 + C). Its own steps are slow where little is shown, but C' = -C w C and
    b' = -C w b give the slope. The deviation as prior keeps it from an estimate of nought, at which standard errors
    would be too small (Chung et al. 2013, Psychometrika 78).
    """
    size = max(float((weight * (effects**2 + np.diag(covariance))).sum()), 1e-12)
    pull = weight * effects
    shrinking = 2.0 * float(pull @ covariance @ pull) + float(weight @ covariance**2 @ weight)
    excess = np.log((len(weight) - 1.0) / size) - np.log(now)
    slope = min(now * shrinking / size - 1.0, -0.5 / len(weight))
    step = float(np.clip(-excess / slope, -_PENALTY_STEP, _PENALTY_STEP))
    return float(np.clip(now * np.exp(step), *_PENALTY_RANGE))


def _dispersion(total: Floats, mean: Floats, n_used: float) -> float:
    """Return phi at which Pearson's statistic of the days equals their residual degrees of freedom; nought if under."""
    left = max(len(total) - n_used, 1.0)

    def excess(phi: float) -> float:
        return float(((total - mean) ** 2 / np.maximum(mean + phi * mean**2, 1e-300)).sum()) - left

    if excess(0.0) <= 0.0:
        return 0.0
    return _PHI_MOST if excess(_PHI_MOST) > 0.0 else float(optimize.brentq(excess, 0.0, _PHI_MOST, xtol=1e-9))


def _judge_dispersion(total: Floats, mean: Floats, phi: float) -> tuple[float, float]:
    """Return the standard error of phi, and the p-value of no dispersion between days."""
    se = float(1.0 / np.sqrt(0.5 * np.sum((mean / (1.0 + phi * mean)) ** 2)))
    spare = max(2.0 * (float(log_days(total, mean, phi).sum()) - float(log_days(total, mean, 0.0).sum())), 0.0)
    return se, float(0.5 * special.chdtrc(1.0, spare)) if spare > 0.0 else 1.0


def log_days(total: Floats, mean: Floats, phi: float) -> Floats:
    """Return the log probability of each day's number of calls (n_days,): negative binomial, Poisson at phi = 0."""
    mean = np.maximum(mean, 1e-300)
    if phi < 1e-8:
        return np.asarray(total * np.log(mean) - mean - special.gammaln(total + 1.0))
    size = 1.0 / phi
    log_p: Any = special.gammaln(total + size) - special.gammaln(size) - special.gammaln(total + 1.0)
    log_p = log_p - size * np.log1p(mean / size) + total * (np.log(mean) - np.log(size + mean))
    return np.asarray(log_p, dtype=np.float64)


def log_score(rates: Rates, counts: Floats, days: Days, *, offset: Floats | None = None) -> Floats:
    """Return the log probability of each day's calls by hour (n_days,), up to what no model changes (multinomial's)."""
    mean = days.exposure_h * np.exp(rates.log_rate(days) + (0.0 if offset is None else offset))
    of_day = mean.sum(axis=1)
    share = np.maximum(mean, 1e-300) / np.maximum(of_day, 1e-300)[:, None]
    score: Floats = log_days(counts.sum(axis=1), of_day, rates.day_cv2) + (counts * np.log(share)).sum(axis=1)
    return score
