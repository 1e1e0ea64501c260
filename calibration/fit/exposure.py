"""For how long the log was kept: hours observed by local day and hour, with gaps, part days and clock steps.

A rate is calls over hours observed. A day on which clocks go forward has 23 hours, one on which they go back counts
its repeated hour twice; a month that is missing from the log has none and must not read as a quiet one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.records.clocks import local_of
from calibration.scores.keyed import Floats
from sim.units import MS_PER_DAY

Ints = NDArray[np.int64]

_STEP_MS = 900_000
"""Offsets from universal time are whole quarters of an hour, so within a quarter the local hour does not change."""
_MS_PER_HOUR = 3_600_000
_DAYS_PER_YEAR = 365.2425


@dataclass(frozen=True, slots=True)
class Days:
    """Local days that were observed, wholly or in part.

    day: (n_days,) int64, days since 1970, ascending. weekday: 0 Monday to 6 Sunday. month: 0-11. is_off: no workday.
    years: middle of the day since `origin_day`, years. exposure_h: (n_days, 24) float64, hours observed.
    """

    day: Ints
    weekday: Ints
    month: Ints
    is_off: NDArray[np.bool_]
    years: Floats
    exposure_h: Floats
    origin_day: int

    def rows(self, chosen: NDArray[Any]) -> Days:
        """Return the chosen days, years still counted from the same origin."""
        return Days(
            self.day[chosen],
            self.weekday[chosen],
            self.month[chosen],
            self.is_off[chosen],
            self.years[chosen],
            self.exposure_h[chosen],
            self.origin_day,
        )


def calendar(day: Ints, exposure_h: Floats, *, days_off: Ints | None = None, origin_day: int | None = None) -> Days:
    """Return the days given, days since 1970, with weekday, month and whether off.

    days_off: days since 1970 without work, weekends included; without it Saturdays and Sundays. origin_day: where
    years are counted from; without it the middle of the days.
    """
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    is_off = weekday >= 5 if days_off is None else np.isin(day, days_off)
    origin = int(day.mean()) if origin_day is None else origin_day
    return Days(day, weekday, month, is_off, (day - origin) / _DAYS_PER_YEAR, exposure_h, origin)


def observed_days(spans_ms: Ints, zone: str, *, days_off: Ints | None = None) -> Days:
    """Return the local days within the spans of time in which the log was kept.

    spans_ms: (n, 2) int64, begin and end, ms since 1970 UTC, ascending and apart. zone: IANA name.

    Raises
    ------
    ValueError
        If there is no span, or one ends before it begins or before the one before it ends.
    """
    edges = np.asarray(spans_ms, dtype=np.int64).ravel()
    if len(edges) == 0 or (np.diff(edges) < 0).any() or edges[0] == edges[-1]:
        raise ValueError("spans observed must be ascending, apart and of some length")
    begin = edges[0] // _STEP_MS * _STEP_MS
    quarters = np.arange(begin, edges[-1] + _STEP_MS, _STEP_MS, dtype=np.int64)
    lengths = np.diff(edges)
    lengths[1::2] = 0
    covered = np.interp(quarters, edges, np.concatenate([[0], np.cumsum(lengths)]))
    hours = np.diff(covered) / _MS_PER_HOUR
    local = local_of(quarters[:-1], zone)
    first = int(local[0] // MS_PER_DAY)
    place = (local // MS_PER_DAY - first) * 24 + local % MS_PER_DAY // _MS_PER_HOUR
    n_days = int(local[-1] // MS_PER_DAY) - first + 1
    exposure: Floats = np.bincount(place, weights=hours, minlength=n_days * 24).astype(np.float64).reshape(n_days, 24)
    seen = np.flatnonzero(exposure.sum(axis=1) > 0.0)
    return calendar(first + seen, exposure[seen], days_off=days_off)


def spans_of_log(call_ms: Ints, zone: str, *, level: float = 1e-4) -> Ints:
    """Return spans (n, 2) in which the log was kept, as far as calls alone can tell: from first to last, without gaps.

    A silence is a gap if, at the usual rate of its hours, the chance of one as long anywhere in the log is under
    `level` (Poisson, times the number of calls). Where the caller knows when the log was kept, that is better.

    Raises
    ------
    ValueError
        If fewer than two different call times are given: there is no span.
    """
    call = np.sort(np.asarray(call_ms, dtype=np.int64))
    if len(call) < 2 or call[0] == call[-1]:
        raise ValueError(f"{len(call)} calls at one time or none: how long the log was kept cannot be told from it")
    local = local_of(call, zone)
    counts = np.bincount(local % MS_PER_DAY // _MS_PER_HOUR, minlength=24).astype(np.float64)
    is_gap = np.zeros(len(call) - 1, dtype=np.bool_)
    while True:
        kept_h = float(np.diff(call)[~is_gap].sum()) / _MS_PER_HOUR
        rate = np.maximum(counts, 0.5) / max(kept_h / 24.0, 1.0)
        edges = np.concatenate([[0.0], np.cumsum(rate)])
        expected = local // MS_PER_DAY * edges[-1] + np.interp(
            local % MS_PER_DAY / _MS_PER_HOUR, np.arange(25.0), edges
        )
        now = len(call) * np.exp(-np.diff(expected)) < level
        if (now | is_gap).sum() == is_gap.sum():
            break
        is_gap |= now
    begins = np.concatenate([[call[0]], call[1:][is_gap]])
    ends = np.concatenate([call[:-1][is_gap], [call[-1]]])
    spans = np.column_stack([begins, ends + 1])
    return spans


def counts_by_hour(call_ms: Ints, days: Days, zone: str) -> tuple[Floats, NDArray[np.bool_]]:
    """Return calls by day and hour (n_days, 24), and which calls lie outside what was observed (n,): not counted."""
    local = local_of(np.asarray(call_ms, dtype=np.int64), zone)
    day, hour = local // MS_PER_DAY, local % MS_PER_DAY // _MS_PER_HOUR
    row = np.minimum(np.searchsorted(days.day, day), len(days.day) - 1)
    is_out = (days.day[row] != day) | (days.exposure_h[row, hour] <= 0.0)
    place = row[~is_out] * 24 + hour[~is_out]
    counts = np.bincount(place, minlength=len(days.day) * 24).reshape(-1, 24)
    return counts.astype(np.float64), is_out
