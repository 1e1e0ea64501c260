"""Response times in one-second bins: quantiles, shares and means of many groups of incidents at once.

A response of r ms lies in bin ceil(r / 1000): bin b holds what took more than b - 1 and at most b seconds, so the share
within a whole number of seconds is exact. Two bins lie above every quantile that is told: more than an hour, and never.

The p-quantile of n incidents is read from the bins by linear interpolation: with target = p n, in the first bin b whose
cumulated count reaches the target, (b - 1) + (target - count before b) / (count in b). It differs from the quantile of
the milliseconds by less than a second, needs no more memory for more replications, and `headlines.sql` repeats it to
the last bit. A quantile that falls beyond an hour is infinite; nothing is known of a group without incidents (NaN).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.compare.parts import METRICS
from sim.compare.series import Series

N_BINS = 4096
LAST_BIN = 3600
LATE_BIN = LAST_BIN + 1
NEVER_BIN = N_BINS - 1
QUANTILES = (0.5, 0.8, 0.9, 0.95)
THRESHOLDS_S = (300, 480, 600)
N_METRICS = len(METRICS)


def bins_of(response_ms: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the bin of each response: (n,) int32; negative responses never came."""
    bins = np.minimum((response_ms + 999) // 1000, LATE_BIN)
    return np.where(response_ms < 0, NEVER_BIN, bins).astype(np.int32)


@dataclass(frozen=True, slots=True)
class SortedCells:
    """Incidents sorted by (cell, bin): `key` (n,) int32 is cell x 4096 + bin, `start` (n_cells + 1,) its borders."""

    key: NDArray[np.int32]
    start: NDArray[np.int64]

    @property
    def n(self) -> NDArray[np.int64]:
        """(n_cells,) incidents of each cell."""
        return np.diff(self.start)

    def within(self, cells: NDArray[np.int64], seconds: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many incidents of each cell had a response of at most so many seconds (arrays broadcast)."""
        reached = np.searchsorted(self.key, (cells * N_BINS + seconds).astype(np.int32), side="right")
        return reached - self.start[cells]

    def sum_ms(
        self, cell: NDArray[np.int32], row: NDArray[np.intp], response_ms: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the sum of the responses that came in each cell, ms; whole numbers, exact in float64."""
        told = np.maximum(response_ms, 0).astype(np.float64)
        return np.bincount(cell, weights=told[row], minlength=len(self.start) - 1).astype(np.float64)

    def n_served(self) -> NDArray[np.float64]:
        """Return the incidents of each cell that anybody came to."""
        return self.within(np.arange(len(self.start) - 1), np.array(NEVER_BIN - 1)).astype(np.float64)

    def runs(self) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the distinct keys and how often each occurs."""
        is_new = np.append(True, self.key[1:] != self.key[:-1]) if len(self.key) else np.zeros(0, dtype=bool)
        at = np.flatnonzero(is_new)
        return self.key[at], np.diff(np.append(at, len(self.key)))


def sort_cells(cell: NDArray[np.int32], bins: NDArray[np.int32], n_cells: int) -> SortedCells:
    """Return incidents sorted by cell and bin."""
    key = np.sort(cell * np.int32(N_BINS) + bins)
    borders = np.arange(n_cells + 1, dtype=np.int64) * N_BINS
    return SortedCells(key, np.searchsorted(key, borders, side="left").astype(np.int64))


def metrics_of_sorted(
    cells: SortedCells, sum_ms: NDArray[np.float64], n_served: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the metrics of each cell: (n_cells, n_metrics), seconds and shares, in the order of `METRICS`."""
    n, begin = cells.n, cells.start[:-1]
    out = np.full((len(n), N_METRICS), np.nan)
    some = np.flatnonzero(n > 0)
    for place, quantile in enumerate(QUANTILES):
        target = quantile * n[some].astype(np.float64)
        key = cells.key[begin[some] + np.ceil(target).astype(np.int64) - 1]
        first = np.searchsorted(cells.key, key, side="left")
        count = np.searchsorted(cells.key, key, side="right") - first
        out[some, place] = _interpolate(key & np.int32(N_BINS - 1), target, first - begin[some], count)
    for place, limit in enumerate(THRESHOLDS_S):
        out[some, len(QUANTILES) + 1 + place] = cells.within(some, np.array(limit)) / n[some]
    out[:, len(QUANTILES)] = _mean_s(sum_ms, n_served)
    return out


def metrics_of_histogram(
    histogram: NDArray[Any], sum_ms: NDArray[np.float64], n_served: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the metrics of (n_cells, 4096) counts: (n_cells, n_metrics), by the same definitions."""
    out = np.full((len(histogram), N_METRICS), np.nan)
    out[:, len(QUANTILES)] = _mean_s(sum_ms, n_served)
    some = np.flatnonzero(histogram.any(axis=1))
    if some.size == 0:
        return out
    counts = histogram if some.size == len(histogram) else histogram[some]
    reached = np.cumsum(counts, axis=1)
    n = reached[:, -1].astype(np.float64)
    rows = np.arange(len(some))
    for place, quantile in enumerate(QUANTILES):
        target = quantile * n
        at = (reached < target[:, None]).sum(axis=1)
        count = counts[rows, at].astype(np.float64)
        before = reached[rows, at].astype(np.float64) - count
        out[some, place] = _interpolate(at, target, before, count)
    for place, limit in enumerate(THRESHOLDS_S):
        out[some, len(QUANTILES) + 1 + place] = reached[:, limit] / n
    return out


def _interpolate(
    at: NDArray[Any], target: NDArray[np.float64], before: NDArray[Any], count: NDArray[Any]
) -> NDArray[np.float64]:
    value = np.maximum((at.astype(np.float64) - 1.0) + (target - before) / count, 0.0)
    return np.where(at.astype(np.int64) > LAST_BIN, np.inf, value)


def _mean_s(sum_ms: NDArray[np.float64], n_served: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean response of those served, seconds; NaN where nobody was."""
    out = np.full(len(sum_ms), np.nan)
    np.divide(sum_ms, 1000.0 * n_served, out=out, where=n_served > 0)
    return out


class Cube:
    """Pools replications: counts by clock, cell and bin, and each replication's own metrics and incidents.

    The first `n_clocks` clocks are pooled; those that `add` is given beyond them have the replications' metrics only.
    `values`: (n_clocks or more, n_cells, n_metrics) and `n`: (n_cells,), of each replication, in files of `folder`.
    """

    def __init__(self, n_clocks: int, n_cells: int, folder: Path, name: str = "cube") -> None:
        self.n_cells = n_cells
        self.histogram = np.zeros((n_clocks, n_cells, N_BINS), dtype=np.int32)
        self.sum_ms = np.zeros((n_clocks, n_cells))
        self.n_served = np.zeros((n_clocks, n_cells))
        self.values, self.n = Series(folder / f"{name}.values"), Series(folder / f"{name}.n")
        self._n_pooled = np.zeros(n_cells, dtype=np.int64)
        self._pooled: dict[int, NDArray[np.float64]] = {}

    def add(
        self,
        cell: NDArray[np.int32],
        row: NDArray[np.intp],
        response_ms: NDArray[np.int64],
        bins: NDArray[np.int32],
        totals_ms: NDArray[np.float64] | None = None,
    ) -> list[SortedCells]:
        """Add one replication and return its sorted cells by clock.

        Parameters
        ----------
        cell, row : (n,) entry i says that incident `row[i]` belongs to `cell[i]`; an incident may belong to many.
        response_ms, bins : (n_clocks or more, n_incidents).
        totals_ms : (as many, n_cells) sum of each cell's responses that came, where it is known already.
        """
        values, found = [], []
        self._pooled.clear()
        for clock in range(len(response_ms)):
            one = sort_cells(cell, bins[clock][row], self.n_cells)
            sum_ms = one.sum_ms(cell, row, response_ms[clock]) if totals_ms is None else totals_ms[clock]
            n_served = one.n_served()
            if clock < len(self.histogram):
                keys, counts = one.runs()
                self.histogram[clock].reshape(-1)[keys] += counts.astype(np.int32)
                self.sum_ms[clock] += sum_ms
                self.n_served[clock] += n_served
            values.append(metrics_of_sorted(one, sum_ms, n_served))
            found.append(one)
        self.values.append(np.stack(values))
        self.n.append(found[0].n)
        self._n_pooled += found[0].n
        return found

    def pooled(self, clock: int) -> NDArray[np.float64]:
        """Return the metrics of all replications' incidents together: (n_cells, n_metrics)."""
        if clock not in self._pooled:
            whole = metrics_of_histogram(self.histogram[clock], self.sum_ms[clock], self.n_served[clock])
            self._pooled[clock] = whole
        return self._pooled[clock]

    def n_pooled(self) -> NDArray[np.int64]:
        """Return the incidents of all replications: (n_cells,) int64."""
        return self._n_pooled

    def release(self) -> None:
        """Let go of what is pooled; each replication's own stays."""
        self.histogram = self.histogram[:0].copy()
        self.sum_ms, self.n_served = self.sum_ms[:0].copy(), self.n_served[:0].copy()
        self._pooled.clear()
