"""Run both engines on the same inputs and stop at the first event on which they differ.

Both run to their end first, as fast as they can; only where their logs differ are they run again, event by event, up to
the first event that differs, to show the state around it on both sides (`difference.py`).
"""

from __future__ import annotations

from collections.abc import Callable
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
        At the first event that differs, with both sides, the rows around it and the state before and after it; or what
        stopped one engine (or both alike).
    """
    from sim.engine.difference import describe_difference

    (simpy_log, simpy_error), (kernel_log, kernel_error) = _tried(run_simpy, inputs), _tried(run_kernel, inputs)
    if simpy_log is None or kernel_log is None:
        raise EngineError(_stopped(inputs, simpy_error, kernel_error))
    at = first_difference(simpy_log, kernel_log)
    if at is not None:
        raise EngineError(
            f"the engines differ from row {at} on\nSimPy:\n{describe_rows(simpy_log, at)}\n"
            f"kernel:\n{describe_rows(kernel_log, at)}\n{describe_difference(inputs)}"
        )
    return simpy_log


def _tried(run: Callable[[RunInputs], EventLog], inputs: RunInputs) -> tuple[EventLog | None, str]:
    """Return (log, "") of an engine, or (None, what stopped it)."""
    try:
        return run(inputs), ""
    except EngineError as error:
        return None, str(error)


def _stopped(inputs: RunInputs, simpy_error: str, kernel_error: str) -> str:
    from sim.engine.difference import describe_difference

    told = [
        f"{name}: {error or 'ran to its end'}" for name, error in (("SimPy", simpy_error), ("kernel", kernel_error))
    ]
    return "\n".join(["an engine did not run to its end", *told, describe_difference(inputs)])
