"""Walks through a log and adds up, by unit and year, how often it was sent and how long it and its people were out.

An *outing* is from a bay back into it: from the dispatch that takes a unit out until it is home, or is stood down
before it left. Compiled; it knows no more than the log. Next: `workload.py`, which says what the sums mean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.compiled import compiled_borrowing
from sim.engine.codes import LOG_DISPATCH, LOG_ENROUTE, LOG_HOME, LOG_TURN_BACK

IN_BAY = -1
BEGIN_MS, PEOPLE, LAST_KIND = range(3)
"""What is known of a unit: since when it is out, with how many people (-1 not left yet), the kind of its last row."""
N_DISPATCHES, BUSY_MS, CREW_OUT_MS = range(3)
"""What is added up."""


@compiled_borrowing
def _add(out, unit, begin_ms, end_ms, people, from_ms, to_ms):  # type: ignore[no-untyped-def]
    """Add an outing to the years in which it lies."""
    for year in range(len(from_ms)):
        lasts = min(end_ms, to_ms[year]) - max(begin_ms, from_ms[year])
        if lasts > 0:
            out[unit, year, BUSY_MS] += lasts
            out[unit, year, CREW_OUT_MS] += lasts * max(people, 0)


@compiled_borrowing
def _walk(rows, from_ms, to_ms, units, out):  # type: ignore[no-untyped-def]
    year = 0
    for at in range(len(rows)):
        kind, now, unit = rows[at].kind, rows[at].time_ms, rows[at].unit
        if kind not in (LOG_DISPATCH, LOG_ENROUTE, LOG_TURN_BACK, LOG_HOME):
            continue
        if units[unit, BEGIN_MS] == IN_BAY:
            units[unit, BEGIN_MS], units[unit, PEOPLE] = now, -1
        if kind == LOG_DISPATCH:
            while year < len(to_ms) and now >= to_ms[year]:
                year += 1
            if year < len(to_ms) and now >= from_ms[year]:
                out[unit, year, N_DISPATCHES] += 1
        elif kind == LOG_ENROUTE and units[unit, PEOPLE] < 0:
            units[unit, PEOPLE] = rows[at].value
        if kind == LOG_HOME or (kind == LOG_TURN_BACK and units[unit, LAST_KIND] == LOG_DISPATCH):
            _add(out, unit, units[unit, BEGIN_MS], now, units[unit, PEOPLE], from_ms, to_ms)
            units[unit, BEGIN_MS] = IN_BAY
        units[unit, LAST_KIND] = kind
    for unit in range(len(units)):
        if units[unit, BEGIN_MS] != IN_BAY:
            _add(out, unit, units[unit, BEGIN_MS], rows[-1].time_ms, units[unit, PEOPLE], from_ms, to_ms)


def outings(
    rows: NDArray[np.void], n_units: int, from_ms: NDArray[np.int64], to_ms: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return (n_units, n_years, 3) int64: dispatches, ms out, and people x ms out, those who left the station first.

    An outing that the log does not end lasts until its last row; nobody left on one that was stood down in its bay.

    Parameters
    ----------
    rows : the log. from_ms, to_ms : (n_years,) bounds of the years that are measured, one year after another.
    """
    units = np.zeros((n_units, LAST_KIND + 1), dtype=np.int64)
    units[:, BEGIN_MS] = IN_BAY
    out = np.zeros((n_units, len(from_ms), CREW_OUT_MS + 1), dtype=np.int64)
    _walk(rows, from_ms, to_ms, units, out)
    return out
