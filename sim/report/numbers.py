"""Values as text: seconds, shares, points, counts and intervals, the same in both languages.

A missing value (None, NaN) is an en dash everywhere. Minus is the true sign, thousands are separated by commas.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

NOTHING = "–"
_ALPHA = 0.05
Write = Callable[[Any], str]


def is_missing(value: Any) -> bool:
    """Return whether there is no number: None, NaN, infinite or not a number at all."""
    try:
        return not math.isfinite(value)
    except TypeError:
        return True


def plain(value: Any, digits: int = 0) -> str:
    """Return a number with `digits` decimals, thousands separated; a rounded zero has no sign."""
    if is_missing(value):
        return NOTHING
    text = f"{float(value):,.{digits}f}"
    if text.startswith("-"):
        text = "−" + text[1:] if float(text.replace(",", "")) != 0 else text[1:]
    return text


def signed(value: Any, digits: int = 0) -> str:
    """Return a number as `plain`, with a plus before a positive one."""
    text = plain(value, digits)
    positive = not is_missing(value) and float(value) > 0 and any(c in "123456789" for c in text)
    return f"+{text}" if positive else text


def seconds(value: Any) -> str:
    """Return seconds rounded to whole ones (the unit stands in the heading or the sentence)."""
    return plain(value)


def signed_seconds(value: Any) -> str:
    """Return a difference in seconds; one decimal below ten."""
    return signed(value, 0 if is_missing(value) or abs(value) >= 10 else 1)


def signed_minutes(value: Any) -> str:
    """Return a difference given in seconds in minutes with one decimal, with its sign."""
    return signed(None if is_missing(value) else float(value) / 60.0, 1)


def share(value: Any) -> str:
    """Return a share of one as a percentage, without its sign."""
    return NOTHING if is_missing(value) else plain(100 * float(value), 1)


def points(value: Any) -> str:
    """Return a difference of two shares of one in percentage points, with its sign."""
    return NOTHING if is_missing(value) else signed(100 * float(value), 2 if 0 < abs(value) < 0.001 else 1)


def count(value: Any) -> str:
    """Return a whole number."""
    return plain(value)


def rate(value: Any) -> str:
    """Return how often a year something happens: whole from a hundred on, else with one decimal."""
    return plain(value, 0 if not is_missing(value) and abs(value) >= 100 else 1)


def small(value: Any) -> str:
    """Return a number with as many decimals as three figures need."""
    if is_missing(value):
        return NOTHING
    size = abs(float(value))
    return plain(value, 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 or size == 0 else 3)


def clock(value: Any) -> str:
    """Return seconds as minutes:seconds, for reading aloud."""
    if is_missing(value):
        return NOTHING
    whole = round(float(value))
    return f"{whole // 60}:{whole % 60:02d}"


def minutes(value: Any) -> str:
    """Return seconds in minutes with one decimal; what never came is without end."""
    if value == float("inf"):
        return "∞"
    return plain(None if is_missing(value) else float(value) / 60.0, 1)


def interval(low: Any, high: Any, write: Write) -> str:
    """Return "[low, high]", or nothing where either end is missing."""
    return "" if is_missing(low) or is_missing(high) else f"[{write(low)}, {write(high)}]"


def chance_interval(low: Any, high: Any, write: Write) -> str:
    """Return "(low, high)", the form that stands for the Monte Carlo interval, or nothing."""
    return "" if is_missing(low) or is_missing(high) else f"({write(low)}, {write(high)})"


def p_value(value: Any) -> str:
    """Return a p-value with three decimals, "<0.001" below that."""
    if is_missing(value):
        return NOTHING
    return "<0.001" if float(value) < 0.001 else f"{float(value):.3f}"


def writer_of(metric: str) -> Write:
    """Return how a metric's value is written: a share in per cent, a time in whole seconds."""
    return share if metric.startswith("share") else seconds


def diff_writer_of(metric: str) -> Write:
    """Return how a difference of a metric is written: percentage points or seconds, with sign."""
    return points if metric.startswith("share") else signed_seconds


def is_clear(low: Any, high: Any) -> bool:
    """Return whether an interval is known and leaves zero out."""
    return not (is_missing(low) or is_missing(high)) and (low > 0 or high < 0)


def is_settled(row: Mapping[Any, Any]) -> bool:
    """Return whether a difference may be called clear.

    Its interval has to leave zero out; one that was declared before the run has to pass the correction for the number
    of such differences too (adjusted p below 0.05).
    """
    if not is_clear(row.get("low"), row.get("high")):
        return False
    p = row.get("p_adjusted")
    return not row.get("is_primary") or is_missing(p) or float(str(p)) < _ALPHA


def without_scheme(value: Any) -> str:
    """Return a source as words: an address without its scheme, so that the page holds none that could be opened."""
    return "" if value is None else str(value).replace("https://", "").replace("http://", "")
