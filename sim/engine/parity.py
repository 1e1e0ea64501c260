"""Run both engines on the same inputs and stop at the first event on which they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.engine.kernel import run_kernel
from sim.engine.log import LOG_DTYPE, EventLog, LogKind
from sim.engine.model import run_simpy
from sim.errors import EngineError

if TYPE_CHECKING:
    from sim.inputs import RunInputs

_ROWS_AROUND = 4


def first_difference(a: EventLog, b: EventLog) -> int | None:
    """Return the number of the first row in which two logs differ, or None when they are the same."""
    n = min(len(a.rows), len(b.rows))
    differs = np.zeros(n, dtype=bool)
    for name in LOG_DTYPE.names or ():
        differs |= a.rows[name][:n] != b.rows[name][:n]
    if differs.any():
        return int(np.argmax(differs))
    return None if len(a.rows) == len(b.rows) else n


def describe_rows(log: EventLog, around: int) -> str:
    """Return the rows about one row number as lines of text, the row itself marked with an arrow."""
    lines = []
    for place in range(max(0, around - _ROWS_AROUND), min(len(log.rows), around + _ROWS_AROUND + 1)):
        row = log.rows[place]
        mark = "->" if place == around else "  "
        told = " ".join(f"{name}={int(row[name])}" for name in ("incident", "slot", "unit", "mission", "value"))
        lines.append(f"{mark} {place} t={int(row['time_ms'])} {LogKind(int(row['kind'])).name} {told}")
    return "\n".join(lines) or "   (no rows)"


def run_both(inputs: RunInputs) -> EventLog:
    """Return the log when both engines agree byte for byte.

    Raises
    ------
    EngineError
        At the first row that differs, with both sides and the rows around it.
    """
    simpy_log, kernel_log = run_simpy(inputs), run_kernel(inputs)
    at = first_difference(simpy_log, kernel_log)
    if at is not None:
        raise EngineError(
            f"the engines differ from row {at} on\nSimPy:\n{describe_rows(simpy_log, at)}\n"
            f"kernel:\n{describe_rows(kernel_log, at)}"
        )
    return simpy_log
