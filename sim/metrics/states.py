"""The dated states of stations and units and the years of the measured window: what time integrals are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.fleet.parts import ChangeKind
from sim.units import MS_PER_DAY

if TYPE_CHECKING:
    from sim.inputs import Roster, RunInputs


@dataclass(frozen=True, slots=True)
class YearWindows:
    """The calendar years of the measured window: `year` (n_years,) int16; `from_ms`, `to_ms` (n_years,) int64."""

    year: NDArray[np.int16]
    from_ms: NDArray[np.int64]
    to_ms: NDArray[np.int64]

    def overlap_ms(self, begin_ms: NDArray[Any], end_ms: NDArray[Any]) -> NDArray[np.int64]:
        """Return how much of each interval lies in each year: (n_intervals, n_years) int64, ms."""
        begin = np.maximum(np.asarray(begin_ms, dtype=np.int64)[:, None], self.from_ms)
        end = np.minimum(np.asarray(end_ms, dtype=np.int64)[:, None], self.to_ms)
        lasts: NDArray[np.int64] = np.maximum(end - begin, 0)
        return lasts


@dataclass(frozen=True, slots=True)
class States:
    """What stood where between changes; n_steps rows.

    `from_ms`: (n_steps,) int64, the step lasts until the next one. `is_open`: (n_steps, n_stations) bool. `people`:
    (n_steps, n_stations) int64, on duty. `is_in_service`: (n_steps, n_units) bool, the unit and its station alike.
    """

    from_ms: NDArray[np.int64]
    is_open: NDArray[np.bool_]
    people: NDArray[np.int64]
    is_in_service: NDArray[np.bool_]

    def integral(self, values: NDArray[Any], windows: YearWindows) -> NDArray[np.int64]:
        """Return the time integral of a (n_steps, n) state over each year: (n, n_years) int64, value x ms."""
        until = np.append(self.from_ms[1:], np.iinfo(np.int64).max)
        lasts = windows.overlap_ms(self.from_ms, until)
        return values.astype(np.int64).T @ lasts

    def step_at(self, time_ms: int) -> int:
        """Return the step in force at an instant."""
        return int(np.searchsorted(self.from_ms, time_ms, side="right")) - 1


def year_windows(calendar: Any) -> YearWindows:
    """Return the years of the measured window; the first and the last may be parts of a year."""
    first, last = calendar.measure_from_ms // MS_PER_DAY, (calendar.measure_to_ms - 1) // MS_PER_DAY
    year = np.asarray(calendar.year)[first : last + 1]
    years, starts = np.unique(year, return_index=True)
    from_ms = np.maximum((starts + first) * MS_PER_DAY, calendar.measure_from_ms).astype(np.int64)
    to_ms = np.append(from_ms[1:], calendar.measure_to_ms).astype(np.int64)
    return YearWindows(years.astype(np.int16), from_ms, to_ms)


def build_states(inputs: RunInputs) -> States:
    """Return the states that the run's changes and its roster make, from time 0 on."""
    stations, units = inputs.fleet.stations, inputs.fleet.units
    changes = inputs.changes[inputs.changes["kind"] <= ChangeKind.STATION_PEOPLE]
    times, step = np.unique(np.append(changes["time_ms"], 0), return_inverse=True)
    step = step[:-1]
    kind, entity, value = changes["kind"], changes["entity"], changes["value"]
    station_kinds = (ChangeKind.STATION_CLOSE, ChangeKind.STATION_OPEN)
    n_stations, n_units, n_steps = len(stations.cell), len(units.station), len(times)
    is_open = _track(kind, entity, step, kind == ChangeKind.STATION_OPEN, station_kinds, (n_steps, n_stations))
    people = _track(kind, entity, step, value, (ChangeKind.STATION_PEOPLE,), (n_steps, n_stations))
    unit_kinds = (ChangeKind.UNIT_WITHDRAW, ChangeKind.UNIT_IN_SERVICE)
    in_service = _track(kind, entity, step, kind == ChangeKind.UNIT_IN_SERVICE, unit_kinds, (n_steps, n_units))
    open_bool = is_open.astype(bool)
    return _with_roster(
        States(times, open_bool, people, in_service.astype(bool) & open_bool[:, np.asarray(units.station)]),
        inputs.roster,
    )


def _with_roster(posted: States, roster: Roster) -> States:
    """Return the states with the people of a roster, over whatever was posted by changes; as they are without rows."""
    if not len(roster.shift_ms):
        return posted
    times = np.union1d(posted.from_ms, roster.shift_ms)
    step = np.searchsorted(posted.from_ms, times, side="right") - 1
    shift = np.searchsorted(roster.shift_ms, times, side="right") - 1
    people = np.asarray(roster.people, dtype=np.int64)[shift]
    return States(times, posted.is_open[step], people, posted.is_in_service[step])


def _track(
    kind: NDArray[Any], entity: NDArray[Any], step: NDArray[Any], value: NDArray[Any], kinds: Any, shape: Any
) -> NDArray[np.int64]:
    """Return the value in force in each step: the last change of an entity holds until the next one; 0 before."""
    out = np.zeros(shape, dtype=np.int64)
    is_one = np.isin(kind, [int(k) for k in kinds])
    of_step = np.split(np.flatnonzero(is_one), np.searchsorted(step[is_one], np.arange(1, shape[0])))
    for at, rows in enumerate(of_step):
        if at:
            out[at] = out[at - 1]
        out[at, entity[rows]] = value[rows]  # rows are in order of kind: of two at one instant the later one stays
    return out


def failed_units(changes: NDArray[Any], n_units: int, times: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which units are broken down just after each instant: (n_times, n_units) bool."""
    kinds = (ChangeKind.UNIT_FAILS, ChangeKind.UNIT_MENDED)
    rows = changes[np.isin(changes["kind"], kinds)]
    from_ms, step = np.unique(np.append(rows["time_ms"], 0), return_inverse=True)
    value = rows["kind"] == ChangeKind.UNIT_FAILS
    state = _track(rows["kind"], rows["entity"], step[:-1], value, kinds, (len(from_ms), n_units))
    return state[np.searchsorted(from_ms, times, side="right") - 1].astype(bool)


def is_own_station(inputs: RunInputs) -> NDArray[np.bool_]:
    """Return which stations are the city's own, not posts of help from outside: (n_stations,) bool."""
    is_own: NDArray[np.bool_] = np.asarray(inputs.fleet.stations.help_grade) == 0
    return is_own


def is_own_unit(inputs: RunInputs) -> NDArray[np.bool_]:
    """Return which units belong to the city's own stations: (n_units,) bool."""
    is_own: NDArray[np.bool_] = is_own_station(inputs)[np.asarray(inputs.fleet.units.station)]
    return is_own


def can_send(inputs: RunInputs, states: States, step: int) -> NDArray[np.bool_]:
    """Return which stations of the city's towns are open and have a unit in service and the people to crew it.

    Bases of special teams and aircraft are none of them, nor are posts of help: theirs is not the next station that
    sends a first unit.
    Returns (n_stations,) bool.
    """
    units = inputs.fleet.units
    station = np.asarray(units.station)
    is_manned = states.is_in_service[step] & (states.people[step][station] >= np.asarray(units.crew_min))
    of_town = is_own_station(inputs) & (np.asarray(inputs.fleet.stations.town) >= 0)
    return (np.bincount(station[is_manned], minlength=states.is_open.shape[1]) > 0) & of_town


def sum_by(key: NDArray[Any], values: NDArray[Any], n: int) -> NDArray[np.int64]:
    """Return the sums of (n_rows, n_years) values by key: (n, n_years) int64."""
    out = np.zeros((n, values.shape[1]), dtype=np.int64)
    np.add.at(out, key, values)
    return out
