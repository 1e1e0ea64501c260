"""How many units are sent: grades as classes of the number of units, and run cards that each grade adds to.

A call's units were drawn from the patterns of its kind. The main tool has up to five grades, each with the needs of
those below it and more: classes of numbers of units, one number each as long as there are five or fewer, and the
largest together otherwise. A class's units by type are the mean of its patterns, rounded, and no fewer than below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.city.demand import Calls
from calibration.city.source import FITTED, Source, write_table
from calibration.model.fitted import Fitted
from sim.city.people import largest_remainder
from sim.demand.schemas import MAX_GRADE, SHARE_WHOLE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grades:
    """Grades of one kind: `share` (n_grades,) int64 of `SHARE_WHOLE`, `needs` (n_grades, n_types) int64 units."""

    share: Ints
    needs: Ints


def grades_of(fitted: Fitted, calls: Calls) -> tuple[Grades, ...]:
    """Return the grades of each of the folder's kinds."""
    patterns = fitted.sent.patterns
    table = np.zeros((len(patterns), len(fitted.fleet.types)), dtype=np.int64)
    for row, pattern in enumerate(patterns):
        np.add.at(table[row], list(pattern), 1)
    return tuple(grades_of_patterns(table, fitted.sent.share[kind]) for kind in calls.kind)


def mean_units(grades: Grades) -> float:
    """Return the mean number of units that these grades ask for."""
    return float(grades.share @ grades.needs.sum(axis=1)) / SHARE_WHOLE


def grades_of_patterns(table: Ints, share: Floats) -> Grades:
    """Return the grades of patterns (n_patterns, n_types) that have the given shares."""
    size = table.sum(axis=1)
    sizes = np.unique(size[share > 0.0])
    lowest = sizes[:MAX_GRADE]
    grade = np.minimum(np.searchsorted(sizes, size), len(lowest) - 1)
    own = np.bincount(grade, weights=share, minlength=len(lowest))
    needs = np.zeros((len(lowest), table.shape[1]), dtype=np.int64)
    for number in range(len(lowest)):
        weight = np.where(grade == number, share, 0.0)
        mean = weight @ table / weight.sum()
        below = needs[number - 1] if number else np.zeros(table.shape[1], dtype=np.int64)
        n_more = max(int(np.floor(mean.sum() + 0.5)) - int(below.sum()), 1)
        missing = np.maximum(mean - below, 0.0)
        needs[number] = below + largest_remainder(n_more, missing if missing.sum() > 0.0 else mean)
    return Grades(largest_remainder(SHARE_WHOLE, own.astype(np.float64)), needs)


def write_sending(
    folder: Path, calls: Calls, grades: tuple[Grades, ...], types: tuple[str, ...], source: Source
) -> None:
    """Write `grades.csv` and `run_cards.csv`; what callers tell is the true grade."""
    shares, cards = [], []
    for code, own in zip(calls.code, grades, strict=True):
        before, number = np.zeros(len(types), dtype=np.int64), 0
        for grade, (share, needs) in enumerate(zip(own.share, own.needs, strict=True), start=1):
            units = int(needs.sum())
            told = {"kind": code, "grade": grade, "share": int(share), "reported_lower": 0, "reported_higher": 0}
            shares.append({**told, **source.row(FITTED, f"calls of this kind that {units} units came to")})
            for kind in np.repeat(np.arange(len(types)), needs - before):
                need = {"kind": code, "need_no": number, "capability": types[kind], "from_grade": grade}
                why = source.row(FITTED, f"mean units by type of calls with {units} units, rounded")
                cards.append({**need, "is_critical": "true" if number == 0 else "false", **why})
                number += 1
            before = needs
    write_table(folder / "grades.csv", shares)
    write_table(folder / "run_cards.csv", cards)
