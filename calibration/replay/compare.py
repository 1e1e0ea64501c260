"""What the change does to each call, paired: the same calls, the same chance, before and after.

A change is after less before, s, positive where the call is reached later. Intervals are of whole days drawn anew
(`calibration.scores.paired`), as calls of a day share units and queues. A call that one side never reaches has no
change in seconds: it counts as later, or sooner, than any limit, and is counted by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.model.samples import Calls
from calibration.replay.cast import Cast
from calibration.scores.paired import block_codes, block_weights

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
LIMITS_S = (60, 120, 300)
LEVELS = (0.1, 0.5, 0.9, 0.95)
MINUTES = (4, 5, 6, 8, 10, 15)
_SAME_S = 0.0005


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure over all calls with its 95 % interval by days; NaN limits from a single day."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Change:
    """Change of one arrival (first or second) over the calls that have it on both sides.

    `by_call`: (n_calls,) float64 mean over draws, NaN without one. `mean`: s. `later`, `sooner`: share of calls by
    limit of `LIMITS_S`; `changed`: share reached at another time at all. `n`: calls; `n_lost`, `n_gained`: calls in
    any draw never reached after, before alone. `quantiles`: of the change of single calls at `LEVELS`, s.
    """

    by_call: Floats
    mean: Estimate
    later: Mapping[int, Estimate]
    sooner: Mapping[int, Estimate]
    changed: Estimate
    quantiles: Floats
    n: int
    n_days: int
    n_lost: int
    n_gained: int


@dataclass(frozen=True, slots=True)
class Group:
    """Calls of one station, kind or hour: how many, mean arrivals before and after, mean change and its interval, share
    later by more than a minute."""

    name: str
    n: int
    before_s: float
    after_s: float
    change: Estimate
    later: float


def change_of(before: NDArray[np.float32], after: NDArray[np.float32], day: Ints) -> Change:
    """Return the change of one arrival: before, after (n_calls, n_draws), day (n_calls,)."""
    a, b = before.astype(np.float64), after.astype(np.float64)
    has = ~np.isnan(a) & ~np.isnan(b)
    both = has & np.isfinite(a) & np.isfinite(b)
    step = np.where(both, b - np.where(both, a, 0.0), 0.0)
    lost, gained = has & np.isfinite(a) & np.isinf(b), has & np.isinf(a) & np.isfinite(b)
    n_of, n_both = has.sum(axis=1), both.sum(axis=1)
    by_call = np.where(n_both > 0, step.sum(axis=1) / np.maximum(n_both, 1), np.nan)
    block = block_codes(day)
    weights = block_weights(int(block.max()) + 1)

    def estimate(values: Floats, of: Ints) -> Estimate:
        return _ratio(values, of.astype(np.float64), block, weights)

    ahead, behind = np.where(lost, np.inf, step), np.where(gained, -np.inf, step)
    later = {limit: estimate((ahead > limit).sum(axis=1).astype(np.float64), n_of) for limit in LIMITS_S}
    sooner = {limit: estimate((behind < -limit).sum(axis=1).astype(np.float64), n_of) for limit in LIMITS_S}
    is_other = (np.abs(step) > _SAME_S) | lost | gained
    single = step[both]
    return Change(
        by_call, estimate(step.sum(axis=1), n_both), later, sooner,
        estimate(is_other.sum(axis=1).astype(np.float64), n_of),
        np.quantile(single, LEVELS) if len(single) else np.full(len(LEVELS), np.nan), int((n_of > 0).sum()),
        len(np.unique(day[n_of > 0])), int(lost.any(axis=1).sum()), int(gained.any(axis=1).sum()),
    )  # fmt: skip


def _ratio(values: Floats, size: Floats, block: Ints, weights: NDArray[np.int32]) -> Estimate:
    """Return sum of values over sum of sizes with its interval by blocks."""
    n_blocks, whole = weights.shape[1], float(size.sum())
    if whole == 0.0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    value = float(values.sum()) / whole
    if n_blocks < 2:
        return Estimate(value, float("nan"), float("nan"))
    sums = np.array([np.bincount(block, weights=part, minlength=n_blocks) for part in (values, size)])
    drawn = weights @ sums.T
    low, high = np.quantile(drawn[:, 0] / np.maximum(drawn[:, 1], 1e-12), [0.025, 0.975])
    return Estimate(value, float(low), float(high))


def groups_of(change: Change, before: NDArray[np.float32], after: NDArray[np.float32], code: Ints, names: Sequence[str],
              day: Ints) -> list[Group]:  # fmt: skip
    """Return the change by group: code (n_calls,) positions in names, -1 for none; the largest change first."""
    a, b = _mean(before), _mean(after)
    block = block_codes(day)
    weights = block_weights(int(block.max()) + 1)
    out = []
    for number, name in enumerate(names):
        rows = np.flatnonzero((code == number) & np.isfinite(change.by_call))
        if not len(rows):
            continue
        own = np.zeros(len(code))
        size = np.zeros(len(code))
        own[rows], size[rows] = change.by_call[rows], 1.0
        estimate = _ratio(own, size, block, weights)
        late = float((change.by_call[rows] > LIMITS_S[0]).mean())
        out.append(Group(name, len(rows), float(a[rows].mean()), float(b[rows].mean()), estimate, late))
    return out


def _mean(arrival: NDArray[np.float32]) -> Floats:
    """Return the mean over the draws in which somebody came: (n_calls,), NaN without one."""
    is_there = np.isfinite(arrival)
    n = is_there.sum(axis=1)
    total = np.where(is_there, arrival, 0.0).sum(axis=1, dtype=np.float64)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def most_often(values: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return the value that each row (n, n_draws) holds most often, of equals the lowest: (n,)."""
    if values.shape[1] == 1:
        return values[:, 0]
    ordered = np.sort(values, axis=1)
    count = np.stack([(ordered == ordered[:, [k]]).sum(axis=1) for k in range(values.shape[1])], axis=1)
    return np.asarray(np.take_along_axis(ordered, count.argmax(axis=1)[:, None], axis=1)[:, 0], dtype=np.int16)


def nearest_station(cast: Cast, calls: Calls) -> Ints:
    """Return the open station with units that is nearest by driving time to each call at its hour: (n_calls,)."""
    zones = cast.resources.zones
    period = cast.period_of_hour[calls.is_off.astype(np.int64), calls.hour].astype(np.int64)
    drive = cast.travel_ms[period[:, None], zones.of_station[None, :], calls.zone[:, None]].astype(np.float64)
    is_open = cast.is_open[calls.day - calls.day.min()]
    has_units = np.bincount(cast.resources.fleet.station, minlength=len(cast.stations)) > 0
    return np.asarray(np.where(is_open & has_units[None, :], drive, np.inf).argmin(axis=1), dtype=np.int64)


def quantiles_of(arrival: NDArray[np.float32] | Floats) -> tuple[Floats, Floats, int]:
    """Return quantiles at `LEVELS`, s, shares within `MINUTES`, and how many calls, all draws together."""
    has = arrival[~np.isnan(arrival)].astype(np.float64)
    if not len(has):
        return np.full(len(LEVELS), np.nan), np.full(len(MINUTES), np.nan), 0
    ordered = np.sort(has)
    place = np.minimum((np.array(LEVELS) * len(ordered)).astype(np.int64), len(ordered) - 1)
    within = np.array([(has <= 60.0 * minute).mean() for minute in MINUTES])
    n = int((~np.isnan(arrival)).any(axis=1).sum()) if arrival.ndim == 2 else len(has)
    return ordered[place], within, n
