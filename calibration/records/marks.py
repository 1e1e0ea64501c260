"""From clock readings to seconds after the call: clock steps, midnight, order and limits, each mend accounted for.

Steps of `timeline`: candidates in universal time -> order along the marks -> limits -> given durations -> intervals.
Knows neither places nor files. The rules' words are in `rules.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.records.account import Ledger
from calibration.records.clocks import Universal, local_of, universal
from calibration.records.part import Mask, Part
from calibration.records.stamps import READ, UNREADABLE, Stamps
from sim.units import MS_PER_DAY, MS_PER_H, MS_PER_S

Seconds = NDArray[np.float64]
_WRAP_S = 6 * 3600.0
_WRAP_ALONE_S = 20 * 3600.0
"""The longest wait after the mark before that is believed, over midnight of a dated mark, and of a time of day alone
(assumed); what lies farther off lies before."""
_FAR_MS = 366 * MS_PER_DAY
_FAR_TIMES = 10.0
_LEAST_ROWS = 10
_NEVER_MS = 2**60


@dataclass(frozen=True, slots=True)
class Calls:
    """Call times (n,): local clock and universal time, ms since 1970, and the resolution in seconds."""

    local_ms: NDArray[np.int64]
    utc_ms: NDArray[np.int64]
    resolution_s: float

    def take(self, keep: Mask) -> Calls:
        """Return the calls of the rows to keep."""
        return replace(self, local_ms=self.local_ms[keep], utc_ms=self.utc_ms[keep])


@dataclass(frozen=True, slots=True)
class Timeline:
    """`offset_s`: by mark, seconds after the call; `interval_s`: by duration; all (n,) float64, NaN where unknown."""

    offset_s: Mapping[str, Seconds]
    interval_s: Mapping[str, Seconds]


def is_placed_in_time(part: Part) -> Mask:
    """Return which rows have a readable call with its day, (n,) bool."""
    call, day = part.stamps["call"], part.stamps.get("call_date")
    has_day = ~call.is_time_alone if day is None else ~call.is_time_alone | (day.state == READ)
    has_clock = call.has_clock | (np.zeros(len(part.rows), dtype=np.bool_) if day is None else False)
    placed: Mask = (call.state == READ) & has_day & has_clock
    return placed


def is_near_in_time(part: Part) -> Mask:
    """Return which calls of rows that `is_placed_in_time` lie near the median call, (n,) bool."""
    ms = _clock_ms(part)
    if len(ms) < _LEAST_ROWS:
        return np.ones(len(ms), dtype=np.bool_)
    away_ms = np.abs(ms - np.median(ms))
    near: Mask = away_ms <= max(_FAR_MS, _FAR_TIMES * float(np.median(away_ms)))
    return near


def _clock_ms(part: Part) -> NDArray[np.int64]:
    """Return the call times as written, ms: of the local clock, or UTC where they say so."""
    call, day = part.stamps["call"], part.stamps.get("call_date")
    midnight = 0 if day is None else day.ms - day.ms % MS_PER_DAY
    return np.asarray(call.ms + np.where(call.is_time_alone, midnight, 0), dtype=np.int64)


def call_times(part: Part, zone: str, ledger: Ledger) -> Calls:
    """Return the call times of rows that `is_placed_in_time`; clock steps are accounted for."""
    call, local = part.stamps["call"], _clock_ms(part)
    passed = _universal(local, call.is_utc, zone)
    is_double = passed.first_ms != passed.second_ms
    following = _next_mark(part, local, zone)
    waits_first, waits_second = (_wait_ms(call_ms, following) for call_ms in (passed.first_ms, passed.second_ms))
    utc = np.where(is_double & (waits_second < waits_first), passed.second_ms, passed.first_ms)
    part.note("ambiguous_hour", "call", is_double, ledger)
    part.note("nonexistent_hour", "call", passed.is_skipped, ledger)
    return Calls(local_of(utc, zone), utc, call.resolution_s)


def _universal(local_ms: NDArray[np.int64], is_utc: Mask, zone: str) -> Universal:
    found = universal(local_ms, zone)
    first, second = (np.where(is_utc, local_ms, ms) for ms in (found.first_ms, found.second_ms))
    return Universal(first, second, found.is_skipped & ~is_utc)


def _wait_ms(call_ms: NDArray[np.int64], following: tuple[NDArray[np.int64], NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the time to the earlier passing of the next mark that is not before the call; endless where none is."""
    first, second = following
    wait = np.where(second >= call_ms, second - call_ms, _NEVER_MS)
    return np.where(first >= call_ms, first - call_ms, wait)


def _next_mark(part: Part, call_local_ms: NDArray[np.int64], zone: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return both passings of the first mark known, ms UTC; where there is none, long before any call."""
    first = np.full(len(part.rows), -_NEVER_MS)
    second = first
    for mark in reversed([mark for mark in part.spec.marks if mark in part.stamps]):
        stamps = part.stamps[mark]
        passed = _universal(_dated(stamps, call_local_ms), stamps.is_utc, zone)
        is_read = (stamps.state == READ) & stamps.has_clock
        first, second = np.where(is_read, passed.first_ms, first), np.where(is_read, passed.second_ms, second)
    return first, second


def _dated(stamps: Stamps, call_local_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    midnight = call_local_ms - call_local_ms % MS_PER_DAY
    dated: NDArray[np.int64] = stamps.ms + np.where(stamps.is_time_alone, midnight, 0)
    return dated


def timeline(part: Part, calls: Calls, zone: str, ledger: Ledger) -> Timeline:
    """Return marks and intervals of the rows, mended by the rules; `calls` are those of the rows' incidents."""
    offset = _ordered(part, calls, zone, ledger)
    offset = _limited(part, offset, ledger)
    given = _given_durations(part, ledger)
    _flag_disagreement(part, offset, given, calls, ledger)
    offset = _filled(part, offset, given)
    nothing = np.full(len(part.rows), np.nan)
    interval = {}
    for field in part.spec.of_kind("duration"):
        first, last = field.between or ("", "")
        between = offset[last] - offset[first]
        interval[field.name] = np.where(
            np.isfinite(given.get(field.name, nothing)), given.get(field.name, nothing), between
        )
    return Timeline({mark: offset[mark] for mark in part.spec.marks}, interval)


def _ordered(part: Part, calls: Calls, zone: str, ledger: Ledger) -> dict[str, Seconds]:
    """Return each mark as seconds after the call, none before an earlier one."""
    n = len(part.rows)
    latest = np.zeros(n)
    latest_resolution_s = np.full(n, calls.resolution_s)
    offset = {"call": np.zeros(n), **{mark: np.full(n, np.nan) for mark in part.spec.marks}}
    for mark in (mark for mark in part.spec.marks if mark in part.stamps):
        stamps = part.stamps[mark]
        part.note("cell_unreadable", mark, stamps.state == UNREADABLE, ledger)
        coarser_s = np.maximum(latest_resolution_s, stamps.resolution_s)
        slack_s = np.where((latest_resolution_s != stamps.resolution_s) & (coarser_s > 1), coarser_s, 0.0)
        offset[mark] = _in_order(part, mark, calls, zone, latest, slack_s, ledger)
        is_later = offset[mark] > latest
        latest_resolution_s = np.where(is_later, stamps.resolution_s, latest_resolution_s)
        latest = np.where(is_later, offset[mark], latest)
    return offset


def _in_order(
    part: Part, mark: str, calls: Calls, zone: str, latest: Seconds, slack_s: Seconds, ledger: Ledger
) -> Seconds:
    stamps = part.stamps[mark]
    is_read = (stamps.state == READ) & stamps.has_clock
    part.note("cell_unreadable", mark, (stamps.state == READ) & ~stamps.has_clock, ledger)
    local = _dated(stamps, calls.local_ms)
    passed = _universal(local, stamps.is_utc, zone)
    first, second, next_day = (
        np.where(is_read, (ms - calls.utc_ms) / MS_PER_S, np.nan)
        for ms in (passed.first_ms, passed.second_ms, _universal(local + MS_PER_DAY, stamps.is_utc, zone).first_ms)
    )
    is_double = is_read & (first != second)
    found = np.where((first < latest - slack_s) & (second >= latest - slack_s), second, first)
    is_early = found < latest - slack_s
    longest_s = np.where(stamps.is_time_alone, _WRAP_ALONE_S, _WRAP_S)
    is_next_day = is_early & (next_day >= latest - slack_s) & (next_day <= latest + longest_s)
    found = np.where(is_next_day, next_day, found)
    is_broken = (is_early & ~is_next_day) | (stamps.is_time_alone & (found > latest + _WRAP_ALONE_S))
    is_rounded = ~is_broken & (found < latest)
    part.note("ambiguous_hour", mark, is_double, ledger)
    part.note("nonexistent_hour", mark, is_read & passed.is_skipped, ledger)
    part.note("midnight_wrap", mark, is_next_day, ledger)
    part.note("order_broken", mark, is_broken, ledger)
    part.note("rounded_order", mark, is_rounded, ledger)
    return np.where(is_broken, np.nan, np.where(is_rounded, latest, found))


def _limit_s(part: Part, name: str) -> float:
    return part.settings.limits_h.get(name, part.spec[name].limit_h) * (MS_PER_H / MS_PER_S)


def _limited(part: Part, offset: dict[str, Seconds], ledger: Ledger) -> dict[str, Seconds]:
    """Return the marks without those that end an absurdly long interval."""
    for field in part.spec.of_kind("duration"):
        first, last = field.between or ("", "")
        is_absurd = offset[last] - offset[first] > _limit_s(part, field.name)
        part.note("interval_absurd", last, is_absurd, ledger)
        offset = {**offset, last: np.where(is_absurd, np.nan, offset[last])}
    return offset


def _given_durations(part: Part, ledger: Ledger) -> dict[str, Seconds]:
    given = {}
    for name, durations in part.durations.items():
        seconds = durations.seconds
        is_negative, is_absurd = seconds < 0, seconds > _limit_s(part, name)
        part.note("cell_unreadable", name, durations.state == UNREADABLE, ledger)
        part.note("interval_negative", name, is_negative, ledger)
        part.note("interval_absurd", name, is_absurd, ledger)
        given[name] = np.where(is_negative | is_absurd, np.nan, seconds)
    return given


def _flag_disagreement(
    part: Part, offset: Mapping[str, Seconds], given: Mapping[str, Seconds], calls: Calls, ledger: Ledger
) -> None:
    resolution = {"call": calls.resolution_s, **{mark: stamps.resolution_s for mark, stamps in part.stamps.items()}}
    for name, seconds in given.items():
        first, last = part.spec[name].between or ("", "")
        slack_s = part.durations[name].resolution_s + max(resolution.get(first, 0.0), resolution.get(last, 0.0))
        is_off = np.abs(offset[last] - offset[first] - seconds) > slack_s
        part.note("interval_disagrees", name, is_off, ledger)


def _filled(part: Part, offset: dict[str, Seconds], given: Mapping[str, Seconds]) -> dict[str, Seconds]:
    """Return the marks with missing ones reckoned from given durations, forwards and backwards."""
    for _ in part.spec.marks:
        for name, seconds in given.items():
            first, last = part.spec[name].between or ("", "")
            reckoned_last = np.where(np.isnan(offset[last]), offset[first] + seconds, offset[last])
            offset = {**offset, last: reckoned_last}
            if first != "call":
                back = np.where(offset[last] >= seconds, offset[last] - seconds, np.nan)
                back = np.where(np.isnan(offset[first]), back, offset[first])
                offset = {**offset, first: back}
    return offset
