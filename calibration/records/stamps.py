"""Texts of times and durations as numbers: which form a cell has, and what it says.

Times come out by the clock of the file, or universal where the text says so; `clocks.py` and `marks.py` go on from
there. Nothing is guessed: where day and month cannot be told apart, `date_order` must be declared.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from calibration.records.settings import DateOrder
from sim.units import MS_PER_DAY, MS_PER_H, MS_PER_MIN, MS_PER_S

_CLOCK = (
    r"(?P<pm0>上午|下午)?\s*(?P<h>\d{1,2})[::时](?P<mi>\d{1,2})(?:[::分](?P<s>\d{1,2})(?:[.,](?P<f>\d{1,9}))?秒?)?分?"
    r"\s*(?P<pm>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|z|UTC|GMT|[+-]\d{2}:?\d{2})?"
)
_YEAR_FIRST = re.compile(
    rf"(?P<y>\d{{4}})[-/.年](?P<a>\d{{1,2}})[-/.月](?P<b>\d{{1,2}})日?(?:(?:T|\s+|(?<=日)){_CLOCK})?"
)
_YEAR_LAST = re.compile(rf"(?P<a>\d{{1,2}})([-/.])(?P<b>\d{{1,2}})\2(?P<y>\d{{4}})(?:,?\s+{_CLOCK})?")
_TIME_ALONE = re.compile(_CLOCK)
_COMPACT = re.compile(r"(?P<y>(?:19|20)\d\d)(?P<a>\d\d)(?P<b>\d\d)(?:[T ]?(?P<h>\d\d)(?P<mi>\d\d)(?P<s>\d\d)?)?")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_EXCEL_DAYS = (20_000, 80_000)
_EXCEL_EPOCH = 25_569
"""Days from Excel's day 0 to 1970 (its calendar has a 29 February 1900)."""
_EPOCH_S = (1e8, 1e10)
_EPOCH_MS = (1e12, 1e13)
_LAYOUTS = ("yyyy-aa-bb hh:mm:ss", "yyyy-aa-bb hh:mm", "aa-bb-yyyy hh:mm:ss", "aa-bb-yyyy hh:mm")
"""What is read without a regular expression; `a` and `b` are month and day, or day and month."""
_SEPARATORS = {"-": b"-/.", " ": b" T", ":": b":"}
_ROUNDINGS_S = (300.0, 60.0, 1.0)
_FEWEST_FOR_5_MIN = 20
MISSING, READ, UNREADABLE = 0, 1, 2
Texts = Sequence[Any] | NDArray[Any]
Evidence = Literal["day_first", "month_first"]


@dataclass(frozen=True, slots=True)
class Stamps:
    """A column of times, all arrays (n,).

    `ms` int64: since 1970 by the local clock, since 1970 UTC where `is_utc`, since midnight where `is_time_alone`.
    `state` int8: `MISSING`, `READ` or `UNREADABLE`. `has_clock`: the text gave a time of day.
    `forms`: how many cells had which form. `resolution_s`: the coarsest of 300, 60, 1 and 0.001 s that they all fit.
    """

    ms: NDArray[np.int64]
    state: NDArray[np.int8]
    is_utc: NDArray[np.bool_]
    is_time_alone: NDArray[np.bool_]
    has_clock: NDArray[np.bool_]
    forms: tuple[tuple[str, int], ...]
    resolution_s: float

    def take(self, keep: NDArray[np.bool_]) -> Stamps:
        """Return the stamps of the rows to keep."""
        arrays = {name: getattr(self, name)[keep] for name in ("ms", "state", "is_utc", "is_time_alone", "has_clock")}
        return replace(self, **arrays)


def date_evidence(texts: Texts) -> tuple[bool, set[Evidence]]:
    """Return whether day and month have to be told apart, and which orders the texts prove: above 12 is only a day."""
    proof: set[Evidence] = set()
    has_any = False
    for text in dict.fromkeys(texts):
        match = None if text[:4].isdigit() else _YEAR_LAST.fullmatch(text)
        if match:
            has_any = True
            if int(match["a"]) > 12:
                proof.add("day_first")
            elif int(match["b"]) > 12:
                proof.add("month_first")
    return has_any, proof


def read_stamps(texts: Texts, order: DateOrder | None, date_format: str = "") -> Stamps:
    """Return a column of texts as times; `order` is of day and month where the year stands behind."""
    parts, state, forms = _plain_parts(texts, order) if not date_format else _no_parts(texts)
    known: dict[str, tuple[str, tuple[int, ...]] | None] = {}
    rest = [(i, text) for i, text in enumerate(texts) if state[i] == UNREADABLE]
    for i, text in rest:
        if text not in known:
            known[text] = _formatted(text, date_format) if date_format else _parsed(text, order)
        found = known[text]
        if found is not None:
            forms[found[0]] += 1
            state[i] = READ
            parts[i] = found[1]
    ms, is_day = _ms_of(parts)
    state[(state == READ) & ~is_day] = UNREADABLE
    is_utc, is_time_alone, has_clock = (parts[:, k].astype(np.bool_) for k in (5, 6, 7))
    shown_s = ms[state == READ] / MS_PER_S
    return Stamps(ms, state, is_utc, is_time_alone, has_clock, tuple(sorted(forms.items())), resolution(shown_s))


def _no_parts(texts: Texts) -> tuple[NDArray[np.int64], NDArray[np.int8], Counter[str]]:
    """Return parts (n, 8) yet unknown: year, month, day, ms of day, ms ahead of UTC, whether UTC, time alone, clock."""
    state = np.array([UNREADABLE if text else MISSING for text in texts], dtype=np.int8)
    return np.zeros((len(texts), 8), dtype=np.int64), state, Counter()


def _plain_parts(texts: Texts, order: DateOrder | None) -> tuple[NDArray[np.int64], NDArray[np.int8], Counter[str]]:
    """Return the parts of texts of the commonest layouts, all at once; most logs are written so."""
    parts, state, forms = _no_parts(texts)
    for layout in _LAYOUTS:
        at = np.array(
            [i for i, text in enumerate(texts) if len(text) == len(layout) and text.isascii()], dtype=np.int64
        )
        if not len(at):
            continue
        found, is_plain = _by_layout(np.array([texts[i] for i in at], dtype=np.bytes_), layout, order)
        parts[at[is_plain]] = found[is_plain]
        state[at[is_plain]] = READ
        if is_plain.any():
            name = "year first" if layout[0] == "y" else "month first" if order == "month_first" else "day first"
            forms[name] += int(is_plain.sum())
    return parts, state, forms


def _by_layout(
    texts: NDArray[np.bytes_], layout: str, order: DateOrder | None
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the parts (n, 8) of texts as long as the layout, and which of them really have it."""
    letters = texts.view(np.uint8).reshape(len(texts), len(layout))
    is_plain = np.ones(len(texts), dtype=np.bool_)
    value = {name: np.zeros(len(texts), dtype=np.int64) for name in "yabhms"}
    for at, name in enumerate(layout):
        if name in value:
            digit = letters[:, at].astype(np.int64) - ord("0")
            is_plain &= (digit >= 0) & (digit <= 9)
            value[name] = value[name] * 10 + digit
        else:
            is_plain &= np.isin(letters[:, at], list(_SEPARATORS[name]))
    first_mark, second_mark = (at for at, name in enumerate(layout) if name == "-")
    is_plain &= letters[:, first_mark] == letters[:, second_mark]
    is_swapped = layout[0] != "y" and order != "month_first"
    month, day = (value["b"], value["a"]) if is_swapped else (value["a"], value["b"])
    for number, low, high in ((value["y"], 1900, 2200), (month, 1, 12), (day, 1, 31), (value["h"], 0, 23)):
        is_plain &= (number >= low) & (number <= high)
    is_plain &= (value["m"] <= 59) & (value["s"] <= 59)
    clock_ms = value["h"] * MS_PER_H + value["m"] * MS_PER_MIN + value["s"] * MS_PER_S
    nothing = np.zeros_like(day)
    return np.stack([value["y"], month, day, clock_ms, nothing, nothing, nothing, nothing + 1], axis=1), is_plain


def resolution(values_s: NDArray[np.float64]) -> float:
    """Return the resolution in seconds that the values show; five minutes only if at least 20 values show it."""
    for step in _ROUNDINGS_S:
        if step == _ROUNDINGS_S[0] and len(values_s) < _FEWEST_FOR_5_MIN:
            continue
        if len(values_s) and not np.any(values_s % step):
            return step
    return 0.001


def _ms_of(parts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the instants and whether the calendar has their day."""
    months = (parts[:, 0] - 1970) * 12 + parts[:, 1] - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]")
    days = first + (parts[:, 2] - 1)
    is_day = (days.astype("datetime64[M]").astype(np.int64) == months) | (parts[:, 6] == 1)
    since_1970 = np.where(parts[:, 6] == 1, 0, days.astype(np.int64))
    return since_1970 * MS_PER_DAY + parts[:, 3] - parts[:, 4], is_day


def _parsed(text: str, order: DateOrder | None) -> tuple[str, tuple[int, ...]] | None:
    """Return the form of a text and its parts, None if it has no accepted form."""
    if match := _YEAR_FIRST.fullmatch(text):
        return _with_clock("year first", match, int(match["y"]), int(match["a"]), int(match["b"]))
    if match := _YEAR_LAST.fullmatch(text):
        a, b = int(match["a"]), int(match["b"])
        day, month = (b, a) if order == "month_first" else (a, b)
        return _with_clock("month first" if order == "month_first" else "day first", match, int(match["y"]), month, day)
    if match := _COMPACT.fullmatch(text):
        return _with_clock("digits", match, int(match["y"]), int(match["a"]), int(match["b"]))
    if match := _TIME_ALONE.fullmatch(text):
        return _with_clock("time alone", match, 1970, 1, 1)
    return _numeric(float(text.replace(",", "."))) if _NUMBER.fullmatch(text) else None


def _with_clock(form: str, match: re.Match[str], year: int, month: int, day: int) -> tuple[str, tuple[int, ...]] | None:
    of = match.groupdict()
    clock_ms = _clock_ms(of)
    if clock_ms is None or not 1 <= month <= 12 or not 1 <= day <= 31 or not 1900 <= year <= 2200:
        return None
    zone = of.get("zone")
    ahead = 0 if not zone or zone[0] not in "+-" else _ahead_ms(zone)
    return form, (year, month, day, clock_ms, ahead, bool(zone), form == "time alone", of["h"] is not None)


def _clock_ms(of: dict[str, str | None]) -> int | None:
    """Return the milliseconds since midnight, 0 for a date alone, None for an impossible time of day."""
    h, mi, s = (int(of.get(name) or 0) for name in ("h", "mi", "s"))
    half = (of.get("pm") or of.get("pm0") or "").lower()
    if half:
        if not 1 <= h <= 12:
            return None
        h = h % 12 + (12 if half[0] in "p下" else 0)
    if h > 23 or mi > 59 or s > 59:
        return None
    fraction = int((of.get("f") or "0").ljust(9, "0")) // 1_000_000
    return h * MS_PER_H + mi * MS_PER_MIN + s * MS_PER_S + fraction


def _ahead_ms(zone: str) -> int:
    digits = zone[1:].replace(":", "")
    ms = int(digits[:2]) * MS_PER_H + int(digits[2:]) * MS_PER_MIN
    return -ms if zone[0] == "-" else ms


def _numeric(value: float) -> tuple[str, tuple[int, ...]] | None:
    """Return Excel serials (read to the second) and counts since 1970; they lie too far apart to be mistaken."""
    day_ms = round(value % 1 * MS_PER_DAY / MS_PER_S) * MS_PER_S
    if 0 < value < 1:
        return "Excel time", (1970, 1, 1, day_ms, 0, False, True, True)
    if _EXCEL_DAYS[0] <= value < _EXCEL_DAYS[1]:
        ms = (int(value) - _EXCEL_EPOCH) * MS_PER_DAY + day_ms
        return "Excel serial", (1970, 1, 1, ms, 0, False, False, True)
    if _EPOCH_S[0] <= value < _EPOCH_S[1]:
        return "epoch seconds", (1970, 1, 1, round(value * MS_PER_S), 0, True, False, True)
    if _EPOCH_MS[0] <= value < _EPOCH_MS[1]:
        return "epoch milliseconds", (1970, 1, 1, round(value), 0, True, False, True)
    return None


def _formatted(text: str, date_format: str) -> tuple[str, tuple[int, ...]] | None:
    from datetime import datetime

    try:
        when = datetime.strptime(text, date_format)
    except ValueError:
        return None
    ahead = when.utcoffset()
    clock = when.hour * MS_PER_H + when.minute * MS_PER_MIN + when.second * MS_PER_S + when.microsecond // 1000
    has_zone = ahead is not None
    ahead_ms = round(ahead.total_seconds() * MS_PER_S) if ahead is not None else 0
    return "as declared", (
        when.year,
        when.month,
        when.day,
        clock,
        ahead_ms,
        has_zone,
        False,
        "%H" in date_format or "%I" in date_format or "%T" in date_format,
    )
