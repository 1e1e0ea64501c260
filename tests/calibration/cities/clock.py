"""The hours of the log and what the wall clock says in them: everything is counted in ms since 1970 UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
HOUR_MS = 3_600_000
_SPARE_H = 24 * 14
"""Hours after the last call for which the clock is known: marks may follow it."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Hours from `begin_ms` on, (n_hours,) int64 each: offset_ms of the wall clock, local day since 1970 and hour."""

    begin_ms: int
    n_hours: int
    offset_ms: Ints
    day: Ints
    hour: Ints

    @property
    def weekday(self) -> Ints:
        """0 Monday to 6 Sunday, of each hour."""
        return (self.day + 3) % 7

    @property
    def month(self) -> Ints:
        """0 January to 11 December, of each hour."""
        return self.day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12

    def hour_of(self, time_ms: Ints) -> Ints:
        """Return the position of the hour in which each instant lies."""
        return np.clip((time_ms - self.begin_ms) // HOUR_MS, 0, len(self.offset_ms) - 1)

    def local_ms(self, time_ms: Ints) -> Ints:
        """Return what the wall clock shows, ms since 1970 as if it were UTC."""
        return time_ms + self.offset_ms[self.hour_of(time_ms)]


def clock_of(first_day: str, n_days: int, time_zone: str) -> Clock:
    """Return the clock of n_days local days from `first_day` (YYYY-MM-DD) on."""
    zone = ZoneInfo(time_zone)
    begin_ms = int(datetime.fromisoformat(first_day).replace(tzinfo=zone).timestamp()) * 1000
    hours_ms = begin_ms + HOUR_MS * np.arange(n_days * 24 + _SPARE_H)
    offset_s = []
    for at in hours_ms.tolist():
        offset = datetime.fromtimestamp(at // 1000, tz=UTC).astimezone(zone).utcoffset()
        assert offset is not None
        offset_s.append(int(offset.total_seconds()))
    offset_ms = np.array(offset_s, dtype=np.int64) * 1000
    local = hours_ms + offset_ms
    return Clock(begin_ms, n_days * 24, offset_ms, local // (24 * HOUR_MS), local // HOUR_MS % 24)
