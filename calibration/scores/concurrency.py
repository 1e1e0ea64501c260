"""How busy the city is: how many units or incidents are open at once, and for what share of its time a unit is away.

Both are shares of time, not of calls, and come from intervals alone, so records and simulated logs are read alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.scores.keyed import Floats


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Share of time with k open at once: share (k_max + 1,) float64, sums to 1; n: intervals that touch the window."""

    share: Floats
    n: int

    @property
    def mean(self) -> float:
        """Mean number open: the load, in erlangs."""
        return float(self.share @ np.arange(len(self.share)))

    def at_least(self, number: int) -> float:
        """Return the share of time with `number` or more open."""
        return float(self.share[number:].sum())

    def gap(self, other: Occupancy) -> float:
        """Return the total variation distance: the share of time by which the two differ, 0 to 1."""
        size = max(len(self.share), len(other.share))
        padded = [np.pad(each.share, (0, size - len(each.share))) for each in (self, other)]
        return float(0.5 * np.abs(padded[0] - padded[1]).sum())


@dataclass(frozen=True, slots=True)
class OccupancyGap:
    """How far a record lies from simulated histories, and they from each other.

    value: `Occupancy.gap` of the record to the mean of the histories. mean_difference: simulated less recorded mean
    number open. drawn: (n_histories,) the gap of each history to the mean of the others, what a perfect model shows.
    """

    value: float
    mean_difference: float
    drawn: Floats


def occupancy_gap(recorded: Occupancy, simulated: Sequence[Occupancy]) -> OccupancyGap:
    """Return the gap between a record and simulated histories of the same length, at least two of them."""
    if len(simulated) < 2:
        raise ValueError(f"{len(simulated)} simulated histories: two at least are needed to see how they differ")
    size = max(len(each.share) for each in simulated)
    shares = np.array([np.pad(each.share, (0, size - len(each.share))) for each in simulated])
    total, n = shares.sum(axis=0), len(simulated)
    drawn = [Occupancy(own, 0).gap(Occupancy((total - own) / (n - 1), 0)) for own in shares]
    mean = Occupancy(total / n, sum(each.n for each in simulated) // n)
    return OccupancyGap(recorded.gap(mean), mean.mean - recorded.mean, np.array(drawn))


def occupancy(start_s: Floats, end_s: Floats, window_s: tuple[float, float]) -> Occupancy:
    """Return how many of the intervals [start, end), (n,) s, are open at once within a window.

    An end that is infinite or no number is open to the window's end. An interval without length holds no time.

    Raises
    ------
    ValueError
        If the window is empty, a start is no number, or an interval ends before it starts.
    """
    start, end = _within(start_s, end_s, window_s)
    touches = end > start
    start, end = start[touches], end[touches]
    at = np.concatenate([[window_s[0]], start, end, [window_s[1]]])
    step = np.concatenate([[0], np.ones(len(start), dtype=np.int64), -np.ones(len(end), dtype=np.int64), [0]])
    order = np.argsort(at, kind="stable")
    n_open = np.cumsum(step[order])[:-1]
    # At one instant a start may stand before an end; the excess lasts no time, as an end before a start does not.
    lasting = np.diff(at[order])
    time = np.bincount(n_open[lasting > 0.0], weights=lasting[lasting > 0.0], minlength=1)
    return Occupancy(time / (window_s[1] - window_s[0]), int(touches.sum()))


def busy_shares(
    start_s: Floats,
    end_s: Floats,
    unit: NDArray[np.int64],
    n_units: int,
    window_s: tuple[float, float],
    *,
    in_service_s: Floats | None = None,
) -> Floats:
    """Return the share of its time in service that each unit is out: (n_units,) float64; NaN if it never serves.

    Intervals of one unit that overlap count once. `in_service_s`: (n_units,) seconds within the window, by default all
    of it. Errors as `occupancy`; also a unit number outside 0 to n_units - 1.
    """
    start, end = _within(start_s, end_s, window_s)
    if len(unit) and not (unit.min() >= 0 and unit.max() < n_units):
        raise ValueError(f"unit numbers run from {unit.min()} to {unit.max()}, there are {n_units} units")
    order = np.lexsort((start, unit))
    unit = unit[order]
    # Units are laid one after another on one line, so that one running maximum serves all.
    shift = unit * (window_s[1] - window_s[0]) - window_s[0]
    begin, finish = start[order] + shift, np.maximum.accumulate(end[order] + shift) if len(unit) else end
    covered = np.concatenate([[-np.inf], finish[:-1]])
    busy = np.clip(finish - np.maximum(begin, covered), 0.0, None) if len(unit) else np.zeros(0)
    served = np.full(n_units, window_s[1] - window_s[0]) if in_service_s is None else in_service_s
    total = np.bincount(unit, weights=busy, minlength=n_units)
    share: Floats = np.divide(total, served, out=np.full(n_units, np.nan), where=served > 0.0)
    return share


def _within(start_s: Floats, end_s: Floats, window_s: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return starts and ends cut to the window, checked."""
    if not window_s[1] > window_s[0]:
        raise ValueError(f"the window from {window_s[0]} to {window_s[1]} s is empty")
    start, end = np.asarray(start_s, dtype=np.float64), np.asarray(end_s, dtype=np.float64)
    end = np.where(np.isnan(end), np.inf, end)
    if np.isnan(start).any():
        raise ValueError("a start is not a number")
    if (end < start).any():
        row = int(np.flatnonzero(end < start)[0])
        raise ValueError(f"interval {row} ends at {end[row]} s, before it starts at {start[row]} s")
    return np.clip(start, *window_s), np.clip(end, *window_s)
