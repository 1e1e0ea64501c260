"""What every section is given, and the words it is told with."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.report.texts import Bi, Words, load_words, same

FOLDER = Path(__file__).resolve().parent


@cache
def words() -> Words:
    """Return the sentences of these pages."""
    return load_words(FOLDER / "words")


def day_of(number: int) -> date:
    """Return the date of a day counted from 1970."""
    return date(1970, 1, 1) + timedelta(days=int(number))


def span_of(day: NDArray[np.int64]) -> Bi:
    """Return "2025-01-01 - 2025-03-31" for the days of some calls."""
    return same(f"{day_of(day.min())} – {day_of(day.max())}") if len(day) else same("–")
