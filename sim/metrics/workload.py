"""What units and stations had to do, by calendar year of the measured window.

A unit is *busy* from the dispatch that takes it out of its bay until it is home, or is stood down before it left. Work
that a year's end cuts is shared between the two years.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.log import LogKind
from sim.metrics.rows import LogIndex
from sim.metrics.states import YearWindows, build_states, is_own_station, is_own_unit, sum_by, year_windows

if TYPE_CHECKING:
    from sim.engine.log import EventLog
    from sim.inputs import RunInputs

_OUT_KINDS = (LogKind.DISPATCH, LogKind.ENROUTE, LogKind.TURN_BACK, LogKind.HOME)


def unit_workload_table(inputs: RunInputs, log: EventLog, index: LogIndex | None = None) -> dict[str, NDArray[Any]]:
    """Return one row per unit of the city's own and year, units first.

    Columns: unit, station, town, k, type_id, year; n_dispatches; busy_ms; in_service_ms (in service and its station
    open); crew_out_ms (people x ms, for crews that left the station).
    """
    windows = year_windows(inputs.calendar)
    units, stations = inputs.fleet.units, inputs.fleet.stations
    station = np.asarray(units.station)
    n_units, n_years = len(station), len(windows.year)
    states = build_states(inputs)
    index = index or LogIndex(log)
    unit, begin, end, crew = outings(index)
    lasts = windows.overlap_ms(begin, end)
    unit_id = np.repeat(np.arange(n_units, dtype=np.int32), n_years)
    of_unit = station[unit_id]
    table: dict[str, NDArray[Any]] = {
        "unit": unit_id,
        "station": of_unit.astype(np.int32),
        "town": np.asarray(stations.town)[of_unit].astype(np.int16),
        "k": np.asarray(stations.k)[of_unit].astype(np.int16),
        "type_id": np.asarray(units.type_id)[unit_id].astype(np.int16),
        "year": np.tile(windows.year, n_units),
        "n_dispatches": _dispatches(index, n_units, windows).reshape(-1),
        "busy_ms": sum_by(unit, lasts, n_units).reshape(-1),
        "in_service_ms": states.integral(states.is_in_service, windows).reshape(-1),
        "crew_out_ms": sum_by(unit, lasts * crew[:, None], n_units).reshape(-1),
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


def outings(log: LogIndex) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return (unit, begin_ms, end_ms, people) of every outing: from a bay back into it, one entry per outing.

    People are those aboard when the unit first left; 0 where it was stood down in its bay. An outing that the log does
    not end lasts until the log's last row.
    """
    rows = log.of_any(_OUT_KINDS)
    by_unit = rows["unit"]
    is_small = len(by_unit) == 0 or int(by_unit.max()) <= np.iinfo(np.int16).max
    order = np.argsort(by_unit.astype(np.int16) if is_small else by_unit, kind="stable")  # 16 bits: a radix sort
    unit, kind, time_ms = (rows[name][order] for name in ("unit", "kind", "time_ms"))
    is_first = np.append(True, unit[1:] != unit[:-1])[: len(unit)]
    before = np.append(0, kind[:-1])[: len(unit)]
    is_end = (kind == LogKind.HOME) | ((kind == LogKind.TURN_BACK) & (before == LogKind.DISPATCH))
    is_begin = is_first | np.append(True, is_end[:-1])[: len(unit)]
    begin = np.flatnonzero(is_begin)
    outing = np.cumsum(is_begin) - 1
    end_ms = np.full(len(begin), log.last_ms, dtype=np.int64)
    end_ms[outing[is_end]] = time_ms[is_end]
    people = np.zeros(len(begin), dtype=np.int64)
    is_leaving = kind == LogKind.ENROUTE
    people[outing[is_leaving][::-1]] = rows["value"][order][is_leaving][::-1]  # reversed, so that the first one stays
    return unit[begin].astype(np.int64), time_ms[begin], end_ms, people


def _dispatches(log: LogIndex, n_units: int, windows: YearWindows) -> NDArray[np.int64]:
    """Return how often each unit was dispatched in each year: (n_units, n_years) int64."""
    rows = log.of(LogKind.DISPATCH)
    time_ms = rows["time_ms"]
    year = np.searchsorted(windows.from_ms, time_ms, side="right") - 1
    is_measured = (year >= 0) & (time_ms < windows.to_ms[-1])
    n_years = len(windows.year)
    cell = rows["unit"][is_measured].astype(np.int64) * n_years + year[is_measured]
    return np.bincount(cell, minlength=n_units * n_years).reshape(n_units, n_years)
