"""How often vehicles broke down and how long they were missing, by type and year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.fleet.parts import ChangeKind
from sim.metrics.states import build_states, sum_by, year_windows
from sim.units import MS_PER_DAY

if TYPE_CHECKING:
    from sim.inputs import RunInputs

OVER_DAYS = 3_652
"""More than ten years old, at which the plan wants a vehicle withdrawn."""


def has_breakdowns(inputs: RunInputs) -> bool:
    """Return whether any unit of the run ever fails."""
    return bool((inputs.changes["kind"] == ChangeKind.UNIT_FAILS).any())


def breakdown_table(inputs: RunInputs) -> dict[str, NDArray[Any]]:
    """Return one row per year of the measured window and type of unit that is ever in service.

    Columns: year; type_id; n_in_service, units in service in an open station at the year's end; in_service_ms;
    n_failures in the year, n_failures_over_ten of them of vehicles more than ten years old, age_days the sum of their
    ages; down_ms, time in repair.
    """
    windows, states = year_windows(inputs.calendar), build_states(inputs)
    units = inputs.fleet.units
    type_id = np.asarray(units.type_id, dtype=np.int64)
    n_types, n_years = int(type_id.max()) + 1, len(windows.year)
    unit, fails_ms, mended_ms, age = _repairs(inputs)
    down = windows.overlap_ms(fails_ms, mended_ms)
    in_year = (fails_ms[:, None] >= windows.from_ms) & (fails_ms[:, None] < windows.to_ms)
    serving = states.integral(states.is_in_service, windows)
    at_end = np.stack([states.is_in_service[states.step_at(int(end) - 1)] for end in windows.to_ms], axis=1)
    of_failure = type_id[unit]
    sums = {
        "n_in_service": sum_by(type_id, at_end.astype(np.int64), n_types),
        "in_service_ms": sum_by(type_id, serving, n_types),
        "n_failures": sum_by(of_failure, in_year.astype(np.int64), n_types),
        "n_failures_over_ten": sum_by(of_failure, in_year & (age > OVER_DAYS)[:, None], n_types),
        "age_days": sum_by(of_failure, in_year * age[:, None], n_types),
        "down_ms": sum_by(of_failure, down, n_types),
    }
    is_used = sums["in_service_ms"].sum(axis=1) > 0
    types = np.flatnonzero(is_used)
    table: dict[str, NDArray[Any]] = {
        "year": np.tile(windows.year, len(types)).astype(np.int64),
        "type_id": np.repeat(types, n_years),
    }
    return table | {name: values[is_used].reshape(-1) for name, values in sums.items()}


def _repairs(
    inputs: RunInputs,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return (unit, fails_ms, mended_ms, age in days) of every breakdown; one never mended lasts to the end."""
    rows = inputs.changes[np.isin(inputs.changes["kind"], (ChangeKind.UNIT_FAILS, ChangeKind.UNIT_MENDED))]
    rows = rows[np.argsort(rows["entity"], kind="stable")]
    fails = np.flatnonzero(rows["kind"] == ChangeKind.UNIT_FAILS)
    after = np.minimum(fails + 1, len(rows) - 1)
    is_mended = (after > fails) & (rows["entity"][after] == rows["entity"][fails])
    is_mended &= rows["kind"][after] == ChangeKind.UNIT_MENDED
    end = np.where(is_mended, rows["time_ms"][after], inputs.calendar.measure_to_ms + MS_PER_DAY)
    return rows["entity"][fails].astype(np.int64), rows["time_ms"][fails], end, rows["value"][fails]
