"""Whom a station with a crew can reach in time: the static view, without incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.metrics.states import build_states, can_send, year_windows
from sim.units import MS_PER_H

if TYPE_CHECKING:
    from sim.inputs import RunInputs

UNREACHED = -1


def coverage_table(inputs: RunInputs) -> dict[str, NDArray[Any]]:
    """Return one row per year and cell: who lives there and how soon the nearest station that can send anybody comes.

    Columns: year, cell, town, population, expected_ms. The last is mean turnout plus driving time from the nearest
    station (of each hour) that is open and can crew a unit at the year's end, averaged over the hours of the year; -1
    where there is no such station.
    """
    windows, states, cells = year_windows(inputs.calendar), build_states(inputs), inputs.city.cells
    n_cells = len(cells.town)
    expected = np.empty((len(windows.year), n_cells), dtype=np.int64)
    known: dict[tuple[bytes, bytes], NDArray[np.int64]] = {}
    for at in range(len(windows.year)):
        is_able = can_send(inputs, states, states.step_at(int(windows.to_ms[at]) - 1))
        hours = _hours(inputs, int(windows.from_ms[at]), int(windows.to_ms[at]))
        key = (is_able.tobytes(), hours.tobytes())
        if key not in known:
            known[key] = _expected_ms(inputs, is_able, hours)
        expected[at] = known[key]
    return {
        "year": np.repeat(windows.year, n_cells),
        "cell": np.tile(np.arange(n_cells, dtype=np.int32), len(windows.year)),
        "town": np.tile(np.asarray(cells.town, dtype=np.int16), len(windows.year)),
        "population": np.tile(np.asarray(cells.population, dtype=np.int32), len(windows.year)),
        "expected_ms": expected.reshape(-1),
    }


def _hours(inputs: RunInputs, from_ms: int, to_ms: int) -> NDArray[np.int64]:
    """Return how many hours of an interval fall into each travel period by day and by night: (n_periods, 2) int64."""
    hours = slice(from_ms // MS_PER_H, -(-to_ms // MS_PER_H))
    n_periods = inputs.travel.duration_ms.shape[0]
    both = inputs.period_of_hour[hours].astype(np.int64) * 2 + inputs.is_night_of_hour[hours]
    return np.bincount(both, minlength=2 * n_periods).reshape(n_periods, 2)


def _expected_ms(inputs: RunInputs, is_able: NDArray[np.bool_], hours: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the mean over the hours of turnout plus nearest drive: (n_cells,) int64 ms, rounded down."""
    from sim.engine.build import table_mean  # brings numba, which reading tables must not wait for

    n_cells = inputs.travel.duration_ms.shape[1]
    if not is_able.any():
        return np.full(n_cells, UNREACHED, dtype=np.int64)
    from_cells = np.unique(np.asarray(inputs.fleet.stations.cell)[is_able])
    durations = inputs.durations
    turnout = np.array([table_mean(durations.values[table]) for table in durations.turnout], dtype=np.int64)
    total = np.full(n_cells, int((hours.sum(axis=0) * turnout).sum()), dtype=np.int64)
    for period, n_hours in enumerate(hours.sum(axis=1)):
        if n_hours:
            nearest = inputs.travel.duration_ms[period, from_cells, :].min(axis=0)
            total += int(n_hours) * nearest.astype(np.int64)
    return total // int(hours.sum())
