"""Ceilings: how many candidates a town and kind gets per day, whatever the settings, and how their number is drawn.

The number of candidates of a day is a Poisson number looked up by rank in whole thresholds. The thresholds are computed
with decimal arithmetic, correctly rounded on every machine, so they need no store. Ceilings are preferred numbers
(steps of about a third), so that towns share thresholds.

`python -m sim.demand.build CITY_FOLDER DEMAND_YAML` writes `ceilings.csv`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal

import numpy as np
from numpy.typing import NDArray

_PREFERRED = (1.0, 1.3, 1.8, 2.4, 3.2, 4.2, 5.6, 7.5)
_DIGITS = Context(prec=50)
_RANKS = Decimal(1 << 32)


@dataclass(frozen=True, slots=True)
class CountTables:
    """Ceilings and the thresholds by which numbers of candidates are drawn.

    `per_day`: (n_towns, n_kinds) float64. `table`: (n_towns, n_kinds) int32, row of `start`. The number of candidates
    is the number of entries of `threshold[start[table] : start[table + 1]]` at or below the rank.
    """

    per_day: NDArray[np.float64]
    table: NDArray[np.int32]
    start: NDArray[np.int32]
    threshold: NDArray[np.int64]


def count_tables(
    ceilings: Mapping[tuple[str, str, str], float], process: str, towns: Sequence[str], kinds: Sequence[str]
) -> CountTables:
    """Return the ceilings of one process as arrays; a town and kind without a row has ceiling zero."""
    per_day = np.array([[ceilings.get((process, town, kind), 0.0) for kind in kinds] for town in towns])
    values = sorted({float(value) for value in per_day.ravel()})
    thresholds = [poisson_thresholds(value) for value in values]
    table = np.searchsorted(np.array(values), per_day).astype(np.int32)
    start = np.concatenate([[0], np.cumsum([len(t) for t in thresholds])]).astype(np.int32)
    return CountTables(per_day, table, start, np.array([t for row in thresholds for t in row], dtype=np.int64))


def poisson_thresholds(mean: float) -> list[int]:
    """Return floor(2**32 x P(N <= n)) for n = 0, 1, … as long as it is below 2**32 (Poisson with the given mean).

    A rank r gives the number of entries <= r, so P(N <= n) is right to 2**-32; the last entry stands for the tail.
    """
    if mean <= 0:
        return []
    exact = Decimal(mean)
    term = _DIGITS.exp(-exact)
    total, n, thresholds = term, 0, []
    while True:
        threshold = int(_DIGITS.multiply(total, _RANKS).to_integral_value(ROUND_FLOOR))
        thresholds.append(threshold)
        n += 1
        term = _DIGITS.divide(_DIGITS.multiply(term, exact), Decimal(n))
        total = _DIGITS.add(total, term)
        if n > exact and _DIGITS.multiply(term, _RANKS) < Decimal("0.25"):
            return [t for t in thresholds if t < (1 << 32)]


def preferred_above(value: float) -> float:
    """Return the smallest preferred number at or above `value`: 1, 1.3, 1.8, 2.4, 3.2, 4.2, 5.6 or 7.5 times 10^n."""
    if value <= 0:
        return 0.0
    exponent = -12
    while float(f"10e{exponent}") < value:
        exponent += 1
    return next(n for n in (float(f"{p}e{exponent}") for p in (*_PREFERRED, 10.0)) if n >= value)
