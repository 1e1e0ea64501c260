"""What units and stations had to do, by calendar year of the measured window.

A unit is *busy* from the dispatch that takes it out of its bay until it is home, or is stood down before it left. Work
that a year's end cuts is shared between the two years.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.metrics.states import build_states, is_own_station, is_own_unit, sum_by, year_windows

if TYPE_CHECKING:
    from sim.engine.log import EventLog
    from sim.inputs import RunInputs


def unit_workload_table(inputs: RunInputs, log: EventLog) -> dict[str, NDArray[Any]]:
    """Return one row per unit of the city's own and year, units first.

    Columns: unit, station, town, k, type_id, year; n_dispatches; busy_ms; in_service_ms (in service and its station
    open); crew_out_ms (people x ms, for crews that left the station).
    """
    from sim.metrics.outings import BUSY_MS, CREW_OUT_MS, N_DISPATCHES, outings  # brings numba

    windows = year_windows(inputs.calendar)
    units, stations = inputs.fleet.units, inputs.fleet.stations
    station = np.asarray(units.station)
    n_units, n_years = len(station), len(windows.year)
    states = build_states(inputs)
    found = outings(log.rows, n_units, windows.from_ms, windows.to_ms).reshape(n_units * n_years, -1)
    unit_id = np.repeat(np.arange(n_units, dtype=np.int32), n_years)
    of_unit = station[unit_id]
    table: dict[str, NDArray[Any]] = {
        "unit": unit_id,
        "station": of_unit.astype(np.int32),
        "town": np.asarray(stations.town)[of_unit].astype(np.int16),
        "k": np.asarray(stations.k)[of_unit].astype(np.int16),
        "type_id": np.asarray(units.type_id)[unit_id].astype(np.int16),
        "year": np.tile(windows.year, n_units),
        "n_dispatches": found[:, N_DISPATCHES],
        "busy_ms": found[:, BUSY_MS],
        "in_service_ms": states.integral(states.is_in_service, windows).reshape(-1),
        "crew_out_ms": found[:, CREW_OUT_MS],
    }
    is_own = np.repeat(is_own_unit(inputs), n_years)
    return {name: values[is_own] for name, values in table.items()}


def workload_table(
    inputs: RunInputs, log: EventLog, by_unit: dict[str, NDArray[Any]] | None = None
) -> dict[str, NDArray[Any]]:
    """Return one row per station of the city's own and year, stations first.

    Columns: station, town, k, year; open_ms; people_duty_ms (people x ms on duty while open); and the sums over the
    station's units of n_dispatches, busy_ms, in_service_ms, crew_out_ms. `by_unit` spares a second pass over the log.
    """
    windows = year_windows(inputs.calendar)
    stations = inputs.fleet.stations
    n_stations, n_years = len(stations.cell), len(windows.year)
    states = build_states(inputs)
    by_unit = unit_workload_table(inputs, log) if by_unit is None else by_unit
    is_own = is_own_station(inputs)
    station_of_unit = np.asarray(inputs.fleet.units.station)[is_own_unit(inputs)]
    station_id = np.repeat(np.arange(n_stations, dtype=np.int32), n_years)
    table: dict[str, NDArray[Any]] = {
        "station": station_id,
        "town": np.asarray(stations.town)[station_id].astype(np.int16),
        "k": np.asarray(stations.k)[station_id].astype(np.int16),
        "year": np.tile(windows.year, n_stations),
        "open_ms": states.integral(states.is_open, windows).reshape(-1),
        "people_duty_ms": states.integral(states.people * states.is_open, windows).reshape(-1),
    }
    for name in ("n_dispatches", "busy_ms", "in_service_ms", "crew_out_ms"):
        per_unit = by_unit[name].reshape(-1, n_years)
        table[name] = sum_by(station_of_unit, per_unit, n_stations).reshape(-1)
    return {name: values[np.repeat(is_own, n_years)] for name, values in table.items()}
