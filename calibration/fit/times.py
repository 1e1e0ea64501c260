"""Handling, turnout and time on scene: a distribution of positive durations, scaled by group.

    T = exp(sum_l u_l[group_l]) E,    E ~ family,    u_l ~ (0, tau_l^2)

Groups are given from coarse to fine, such as class and then class by hour; each level's effects are shrunk towards the
level above by empirical Bayes, so that a thin group leans on its parent. The family is the simplest whose held-out
log score, in whole days left out, lies within a standard error of the best (Breiman et al. 1984, the one-SE rule).
What is not identified: a duration seen only in whole minutes does not tell families apart that differ within a minute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.fit.families import FAMILIES, LOGNORMAL, Family, empirical
from calibration.fit.likelihood import Cells, Estimate, cells_of, distinct_rows, maximum
from calibration.fit.misfit import Misfit, misfit
from calibration.fit.shrinkage import shrink
from calibration.scores.distance import steps_of_records
from calibration.scores.keyed import Floats, Purpose, uniforms
from calibration.scores.recorded import Observed
from calibration.scores.transform import pit

Codes = NDArray[np.int64]
_N_ROUNDS = 3
_N_KNOTS = 100
_ENOUGH = 20_000


@dataclass(frozen=True, slots=True)
class Effects:
    """Shrunk effects on log time of one level of grouping.

    effect, se: by label, the standard error being that of prediction. own_n: records by label. tau: s.d. of effects.
    """

    effect: Mapping[int, float]
    se: Mapping[int, float]
    own_n: Mapping[int, int]
    tau: float

    def of(self, labels: Codes) -> Floats:
        """Return the effect of each label, 0 for one never met."""
        return _looked_up(self.effect, labels, 0.0)

    def se_of(self, labels: Codes) -> Floats:
        """Return the standard error of each label's effect, the s.d. of effects for one never met."""
        return _looked_up(self.se, labels, self.tau)


def _looked_up(table: Mapping[int, float], labels: Codes, otherwise: float) -> Floats:
    distinct, code = np.unique(labels, return_inverse=True)
    return np.array([table.get(int(label), otherwise) for label in distinct], dtype=np.float64)[code]


@dataclass(frozen=True, slots=True)
class Held:
    """Held-out log score of a family, per record: mean, and how far below the best with its standard error by days."""

    score: float
    below_best: float
    se: float


@dataclass(frozen=True, slots=True)
class TimesFit:
    """A fitted duration; make one with `fit_times`. `held`: by family, empty where there was nothing to choose."""

    estimate: Estimate
    effects: tuple[Effects, ...]
    held: Mapping[str, Held]
    misfit: Misfit

    def log_factor(self, groups: Sequence[Codes], n: int) -> Floats:
        """Return the sum of effects of n calls."""
        return _offsets(self.effects, groups, n)

    def quantiles_s(self, groups: Sequence[Codes], n: int, levels: Floats) -> Floats:
        """Return quantiles (n, n_levels), s."""
        own = self.estimate.family.ppf(self.estimate.parameters, levels)
        quantiles: Floats = np.exp(self.log_factor(groups, n))[:, None] * own
        return quantiles

    def quantile_se_s(self, levels: Floats) -> Floats:
        """Return standard errors of the quantiles at no effect, (n_levels,), s.

        By the delta method; of the empirical family from the binomial error of its level (Woodruff 1952).
        """
        family, p = self.estimate.family, self.estimate.parameters
        if family.name == "empirical":
            level_se = np.sqrt(levels * (1.0 - levels) / self.estimate.n)
            high, low = np.minimum(levels + level_se, 1.0 - 1e-6), np.maximum(levels - level_se, 1e-6)
            return (family.ppf(p, high) - family.ppf(p, low)) / 2.0
        step = 1e-4 * np.eye(len(p))
        slopes = np.array([(family.ppf(p + s, levels) - family.ppf(p - s, levels)) / 2e-4 for s in step])
        se: Floats = np.sqrt(np.einsum("ik,ij,jk->k", slopes, self.estimate.covariance, slopes))
        return se


def fit_times(
    seen: Observed,
    blocks: Codes,
    groups: Sequence[Codes] = (),
    *,
    families: Sequence[str] = (*FAMILIES, "empirical"),
    n_folds: int = 5,
    call: Codes | None = None,
) -> TimesFit:
    """Return the fitted duration of n records; `blocks` (n,) are the days, `groups` labels (n,) from coarse to fine.

    Where a call has several records, one per unit, `call` (n,) says which belong together.

    With fewer than five days or a hundred records there is nothing to choose by, and the first family is taken. The
    empirical family is no candidate where records are censored.

    Raises
    ------
    ValueError
        If fewer than five durations are seen to their end, or one is no duration.
    """
    if int((~seen.is_censored).sum()) < 5:
        raise ValueError(f"{int((~seen.is_censored).sum())} durations seen to their end: five at least are needed")
    candidates = [name for name in families if name != "empirical" or not seen.is_censored.any()]
    held: Mapping[str, Held] = {}
    name = candidates[0]
    if len(candidates) > 1 and len(np.unique(blocks)) >= n_folds and len(seen) >= 100:
        held = held_out(seen, blocks, groups, candidates, n_folds)
        name = simplest(held, {each: _n_parameters(each) for each in candidates})
    estimate, effects = _fit(name, seen, blocks, groups)
    cells = cells_of(seen, np.exp(_offsets(effects, groups, len(seen))))
    low, high = cells.bounds(estimate.family, estimate.parameters)
    transform = pit(low[cells.place], high[cells.place], seen)
    return TimesFit(estimate, effects, held, misfit(transform, blocks, groups[-1] if groups else None, call=call))


def held_out(
    seen: Observed, blocks: Codes, groups: Sequence[Codes], families: Sequence[str], n_folds: int
) -> Mapping[str, Held]:
    """Return the log score of each family on days left out, effects of groups being fitted without them."""
    few = some_days(blocks, seen.seed)
    seen, blocks, groups = seen.rows(few), blocks[few], [group[few] for group in groups]
    fold = day_folds(blocks, seen.seed, n_folds)
    score = {name: np.empty(len(seen)) for name in families}
    near: dict[str, Floats] = {}
    for number in range(n_folds):
        train, out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        of_train, own = seen.rows(train), [group[train] for group in groups]
        effects = _fit("lognormal", of_train, None, own)[1] if groups else ()
        known = _offsets(effects, own, len(train))
        inner = cells_of(of_train, _factor(of_train, known))
        offset = _offsets(effects, [group[out] for group in groups], len(out))
        outer = cells_of(seen.rows(out), np.exp(offset))
        for name in families:
            fitted = _family_fit(name, of_train, inner, None, known, near.get(name))
            near[name] = fitted.parameters
            score[name][out] = outer.log_likelihood(fitted.family, fitted.parameters)[outer.place]
    return held_against_best(score, blocks)


def some_days(blocks: Codes, seed: int) -> Codes:
    """Return the rows of whole days, keyed, with some 20 000 records at most: families are told apart by fewer."""
    parts = -(-len(blocks) // _ENOUGH)
    return np.flatnonzero(day_folds(blocks, seed, parts) == 0)


def day_folds(blocks: Codes, seed: int, n_folds: int) -> Codes:
    """Return the fold of each record, (n,) int64: whole days, in an order keyed by the day."""
    days, code = np.unique(blocks, return_inverse=True)
    order = np.argsort(uniforms(Purpose.SPLIT, seed, days.astype(np.uint64), 1)[:, 0])
    fold = np.empty(len(days), dtype=np.int64)
    fold[order] = np.arange(len(days)) % n_folds
    return fold[code]


def held_against_best(score: Mapping[str, Floats], blocks: Codes) -> Mapping[str, Held]:
    """Return the mean of each candidate's log scores (n,), and how far below the best, with its error by days."""
    code = np.unique(blocks, return_inverse=True)[1]
    best = max(score, key=lambda name: float(score[name].mean()))
    size, found = np.bincount(code), {}
    for name, own in score.items():
        short = score[best] - own
        sums = np.bincount(code, weights=short) - short.mean() * size
        found[name] = Held(float(own.mean()), float(short.mean()), float(np.sqrt(sums @ sums)) / len(own))
    return found


def simplest(held: Mapping[str, Held], size: Mapping[str, int]) -> str:
    """Return the candidate of fewest parameters within a standard error of the best; of equals the better."""
    near = [name for name, each in held.items() if each.below_best <= each.se]
    least = min(size[name] for name in near)
    return max((name for name in near if size[name] == least), key=lambda name: held[name].score)


def _n_parameters(name: str) -> int:
    return len(FAMILIES[name].parameters) if name in FAMILIES else _N_KNOTS


def _offsets(effects: Sequence[Effects], groups: Sequence[Codes], n: int) -> Floats:
    offset = np.zeros(n)
    for level, labels in zip(effects, groups, strict=True):
        offset = offset + level.of(labels)
    return offset


def _factor(seen: Observed, offset: Floats) -> Floats:
    """Return exp(offset), of rounded durations made few: those within a twentieth of the spread become their mean.

    That makes the spread wider by a ten-thousandth at most (1/20^2/12 of the variance) and moves no mean.
    """
    if seen.is_exact:
        return np.exp(offset)
    y = np.log(np.maximum(seen.value_s, 0.25 * seen.resolution_s + 1e-3)) - offset
    step = max(float(np.subtract(*np.quantile(y, [0.84, 0.16]))) / 40.0, 1e-4)
    place = np.unique(np.round(offset / step).astype(np.int64), return_inverse=True)[1]
    return np.exp(np.bincount(place, weights=offset) / np.bincount(place))[place]


def _family_fit(
    name: str, seen: Observed, cells: Cells, blocks: Codes | None, offset: Floats, start: Floats | None = None
) -> Estimate:
    if name != "empirical":
        return maximum(FAMILIES[name], cells, blocks, start=start)
    tail = maximum(LOGNORMAL, cells, blocks, start=start)
    spread = seen.spread_value()
    value = np.maximum(spread.value_s * np.exp(-offset), 1e-3)
    n_knots = int(np.clip(np.sqrt(len(seen)), 5, _N_KNOTS))
    levels = np.linspace(0.0, 1.0, n_knots + 1)
    inner = steps_of_records(replace(spread, value_s=value)).quantile(levels[1:])
    knots = np.concatenate([[value.min() * (1.0 - 1e-9)], inner])
    family = empirical(np.maximum.accumulate(knots + np.arange(len(knots)) * 1e-9), levels)
    total = float(cells.count @ cells.log_likelihood(family, tail.parameters))
    return Estimate(family, tail.parameters, tail.covariance, total, len(seen))


def _fit(
    name: str, seen: Observed, blocks: Codes | None, groups: Sequence[Codes]
) -> tuple[Estimate, tuple[Effects, ...]]:
    """Return the family and the effects, each fitted in turn given the other."""
    effects = tuple(Effects({}, {}, {}, 0.0) for _ in groups)
    offset, start = np.zeros(len(seen)), None
    for _ in range(_N_ROUNDS if groups else 0):
        form = LOGNORMAL if name == "empirical" else FAMILIES[name]
        within = maximum(form, cells_of(seen, _factor(seen, offset)), start=start)
        start = within.parameters
        levels: list[Effects] = []
        offset = np.zeros(len(seen))
        for labels in groups:
            level = _level(within.family, within.parameters, seen, labels, offset)
            levels.append(level)
            offset = offset + level.of(labels)
        effects = tuple(levels)
    return _family_fit(name, seen, cells_of(seen, _factor(seen, offset)), blocks, offset, start), effects


def _level(family: Family, parameters: Floats, seen: Observed, labels: Codes, offset: Floats) -> Effects:
    """Return shrunk log factors by label: Newton's method on each group's own likelihood, all groups at once."""
    distinct, code = np.unique(labels, return_inverse=True)
    rows, place, count = distinct_rows(seen.value_s, seen.resolution_s, seen.is_censored, code, offset)
    cells = Cells(rows[0], rows[1], rows[2] > 0, count, place, seen.rounding)
    group = rows[3].astype(np.int64)
    own = np.zeros(len(distinct))
    information = np.ones(len(distinct))
    step = 0.02
    for _ in range(8):
        centre = rows[4] + own[group]
        at = [_by_group(family, parameters, cells, group, centre + move, len(own)) for move in (-step, 0.0, step)]
        slope, bend = (at[2] - at[0]) / (2.0 * step), (2.0 * at[1] - at[0] - at[2]) / step**2
        information = np.maximum(bend, 1e-6)
        move = np.where(bend > 1e-6, np.clip(slope / information, -0.5, 0.5), 0.1 * np.sign(slope))
        own = own + move
        if bool((np.abs(move) * np.sqrt(information) < 0.02).all()):
            break
    effect, se, tau = shrink(own, information**-0.5)
    own_n = np.bincount(code)
    keys = [int(label) for label in distinct]
    return Effects(
        dict(zip(keys, effect.tolist(), strict=True)),
        dict(zip(keys, se.tolist(), strict=True)),
        dict(zip(keys, own_n.tolist(), strict=True)),
        tau,
    )


def _by_group(
    family: Family, parameters: Floats, cells: Cells, code: Codes, log_scale: Floats, n_groups: int
) -> Floats:
    """Return the log likelihood of each group, (n_groups,), if distinct durations are divided by exp(log_scale)."""
    scale = np.exp(log_scale)
    scaled = replace(cells, value_s=cells.value_s / scale, resolution_s=cells.resolution_s / scale)
    is_density = (cells.resolution_s == 0.0) & ~cells.is_censored
    each = scaled.log_likelihood(family, parameters) - np.where(is_density, log_scale, 0.0)
    total: Floats = np.bincount(code, weights=cells.count * each, minlength=n_groups).astype(np.float64)
    return total
