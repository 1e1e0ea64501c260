"""Monte Carlo variance from within a replication: days are drawn anew, with their incidents, year by year.

Days are the blocks because incidents of one day share its weather, its surges and its queues; a day's work that hangs
over midnight is a small part of it. The draws are keyed by the replication's number alone, so two arms that are paired
take the same days, and the variance of their difference is the variance of paired differences.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.compare.cells import Frame, group_masks, year_place
from sim.compare.cube import N_BINS, N_METRICS, metrics_of_histogram
from sim.compare.parts import CLOCKS, GROUPS
from sim.metrics.store import Columns
from sim.units import MS_PER_DAY

N_DRAWS = 12
_N_PARTS = 4  # fires, rescues, other headline incidents, all others: the disjoint parts of GROUPS


def day_weights(day_year: NDArray[np.int64], number: int, n_draws: int = N_DRAWS) -> NDArray[np.float64]:
    """Return how often each day is drawn: (n_draws, n_days); within each year as many days as it has.

    `day_year`: (n_days,) year of each day. `number`: the replication's number, which keys the draws.
    """
    from sim.chance import Stream, slot_ranks  # brings numba, which most comparisons do not need

    n_days = len(day_year)
    n_words = -(-n_days // 4)
    ranks = np.empty((n_draws * n_words, 4), dtype=np.uint32)
    start = np.arange(n_draws + 1, dtype=np.int64) * n_words
    slot_ranks(0, number, int(Stream.BOOTSTRAP), np.arange(n_draws, dtype=np.uint64), start, ranks)
    ranks = ranks.reshape(n_draws, 4 * n_words)
    weights = np.zeros((n_draws, n_days))
    for year in np.unique(day_year):
        days = np.flatnonzero(day_year == year)
        drawn = days[(ranks[:, days].astype(np.uint64) * np.uint64(len(days))) >> np.uint64(32)]
        for draw in range(n_draws):
            weights[draw] += np.bincount(drawn[draw], minlength=n_days)
    return weights


def bootstrap_city(
    frame: Frame, table: Columns, response_ms: NDArray[np.int64], bins: NDArray[np.int32], number: int
) -> NDArray[np.float64]:
    """Return the city's metrics in each draw: (n_draws, n_clocks told, n_years + 1, n_groups, n_metrics)."""
    day = table["call_ms"] // MS_PER_DAY
    first = int(day.min()) if len(day) else 0
    year = year_place(frame, table)
    day_year = np.zeros(int(day.max()) - first + 1 if len(day) else 0, dtype=np.int64)
    day_year[day - first] = year
    # A day without any incident has no year of its own here; it takes that of the day before.
    known = np.maximum.accumulate(np.where(day_year > 0, np.arange(len(day_year)), 0))
    weights = day_weights(day_year[known], number)
    headline, fire, rescue, _ = group_masks(frame, table)
    part = np.select([fire, rescue, headline], [0, 1, 2], default=3)
    cell = (year - 1) * _N_PARTS + part
    out = np.empty((len(weights), len(CLOCKS), len(frame.all_years), len(GROUPS), N_METRICS))
    for draw, of_day in enumerate(weights):
        weight = of_day[day - first]
        for clock in range(len(CLOCKS)):
            out[draw, clock] = _drawn(frame, cell, weight, response_ms[clock], bins[clock])
    return out


def _drawn(
    frame: Frame,
    cell: NDArray[np.int64],
    weight: NDArray[np.float64],
    response_ms: NDArray[np.int64],
    bins: NDArray[np.int32],
) -> NDArray[np.float64]:
    """Return the metrics of one draw and clock: (n_years + 1, n_groups, n_metrics)."""
    n_cells = len(frame.years) * _N_PARTS
    counts = np.bincount(cell * N_BINS + bins, weights=weight, minlength=n_cells * N_BINS)
    served = np.where(response_ms >= 0, weight, 0.0)
    sum_ms = np.bincount(cell, weights=served * np.maximum(response_ms, 0), minlength=n_cells)
    n_served = np.bincount(cell, weights=served, minlength=n_cells)
    whole = _groups(counts.reshape(-1, _N_PARTS, N_BINS)).reshape(-1, N_BINS)
    of_group = _groups(np.stack([sum_ms, n_served], axis=1).reshape(-1, _N_PARTS, 2)).reshape(-1, 2)
    metrics = metrics_of_histogram(whole, of_group[:, 0], of_group[:, 1])
    return metrics.reshape(len(frame.all_years), len(GROUPS), N_METRICS)


def _groups(parts: NDArray[Any]) -> NDArray[np.float64]:
    """Return (n_years + 1, n_groups, n): the pooled year first, groups in the order of `GROUPS`."""
    years = np.concatenate([parts.sum(axis=0, keepdims=True), parts])
    fire, rescue, other, rest = (years[:, part] for part in range(_N_PARTS))
    headline = fire + rescue + other
    return np.stack([headline, fire, rescue, headline + rest], axis=1)
