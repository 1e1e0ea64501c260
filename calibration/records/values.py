"""Texts of durations, coordinates and flags as numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.records.schema import COLON_UNITS, UNITS_S
from calibration.records.stamps import MISSING, READ, UNREADABLE, Texts, resolution

_CLOCKED = re.compile(r"(?P<sign>-?)(?P<h>\d{1,3}):(?P<m>\d{2}):(?P<s>\d{2}(?:\.\d+)?)")
_TWO_PARTS = re.compile(r"(?P<sign>-?)(?P<a>\d{1,4}):(?P<b>\d{2})")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_YES = frozenset(("true", "yes", "y", "t", "1", "是"))
_NO = frozenset(("false", "no", "n", "f", "0", "否", ""))


@dataclass(frozen=True, slots=True)
class Durations:
    """A column of durations: `seconds` (n,) float64, NaN unless `state` (n,) is READ; resolution in seconds."""

    seconds: NDArray[np.float64]
    state: NDArray[np.int8]
    resolution_s: float

    def take(self, keep: NDArray[np.bool_]) -> Durations:
        """Return the durations of the rows to keep."""
        return replace(self, seconds=self.seconds[keep], state=self.state[keep])


def unit_needed(texts: Texts, unit: str, has_decimal_comma: bool) -> str | None:
    """Return the first text that cannot be read without a unit that is not given, None if there is no such text."""
    for text in dict.fromkeys(texts):
        is_number = _number(text, has_decimal_comma) is not None
        if (is_number and unit not in UNITS_S) or (_TWO_PARTS.fullmatch(text) and unit not in COLON_UNITS):
            return str(text)
    return None


def read_durations(texts: Texts, unit: str, has_decimal_comma: bool) -> Durations:
    """Return a column of texts as seconds; `unit` is that of bare numbers or of two numbers with a colon."""
    known = {text: _duration(text, unit, has_decimal_comma) for text in dict.fromkeys(texts)}
    seconds = np.array([known[text] for text in texts], dtype=np.float64)
    is_empty = np.array([not text for text in texts], dtype=np.bool_)
    state = np.where(is_empty, MISSING, np.where(np.isnan(seconds), UNREADABLE, READ)).astype(np.int8)
    return Durations(seconds, state, resolution(seconds[state == READ]))


def _duration(text: str, unit: str, has_decimal_comma: bool) -> float:
    if match := _CLOCKED.fullmatch(text):
        seconds = int(match["h"]) * 3600 + int(match["m"]) * 60 + float(match["s"])
        return -seconds if match["sign"] else seconds
    if match := _TWO_PARTS.fullmatch(text):
        small, large = (1, 60) if unit == "mm:ss" else (60, 3600)
        seconds = int(match["a"]) * large + int(match["b"]) * small
        return -seconds if match["sign"] else seconds
    number = _number(text, has_decimal_comma)
    return np.nan if number is None else round(number * UNITS_S[unit], 6)


def read_numbers(texts: Texts, has_decimal_comma: bool) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Return numbers (n,), NaN where there is none, and the state of each cell."""
    found = [_number(text, has_decimal_comma) for text in texts]
    numbers = np.array([np.nan if number is None else number for number in found], dtype=np.float64)
    is_empty = np.array([not text for text in texts], dtype=np.bool_)
    state = np.where(is_empty, MISSING, np.where(np.isnan(numbers), UNREADABLE, READ)).astype(np.int8)
    return numbers, state


def _number(text: str, has_decimal_comma: bool) -> float | None:
    plain = text.replace(",", ".") if has_decimal_comma else text
    return float(plain) if _NUMBER.fullmatch(plain) else None


def read_flags(texts: Texts) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the flags (n,) and which cells are none; those are taken as no."""
    folded = [text.casefold() for text in texts]
    flags = np.array([text in _YES for text in folded], dtype=np.bool_)
    is_unreadable = np.array([text not in _YES and text not in _NO for text in folded], dtype=np.bool_)
    return flags, is_unreadable
