"""Who stood ready when, read from the log: units with their crews, and the part of the city that they cover.

A unit is *ready* as the engine has it (`sim/engine/cover.py`): it fights fires, stands in its bay, is in service and
whole, its station is open, and its smallest crew is among the people free; one after another, in the order of bays. A
station *covers* the cells within the policy's driving time on dry roads while it has a unit ready or a guest standing
by. Cells weigh by the fires and rescues to be expected of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.log import LogKind
from sim.fleet.parts import UnitMode
from sim.metrics.rows import LogIndex
from sim.metrics.states import build_states, failed_units
from sim.units import MS_PER_H

if TYPE_CHECKING:
    from sim.inputs import RunInputs

PPM = 1_000_000
_LEAVING = (LogKind.DISPATCH, LogKind.ENROUTE, LogKind.TURN_BACK, LogKind.HOME, LogKind.MOVE_UP)
_POSTED = (LogKind.STAND_BY, LogKind.RECALL, LogKind.DISPATCH)
_TIME_BITS = 42


@dataclass(frozen=True, slots=True)
class Readiness:
    """What stood ready at some instants.

    `n_units`: (n_times,) int64, units ready in the whole city. `n_at`: (n_times, n_stations) int64, of each station.
    `cover_ppm`: (n_times,) int64, millionths of the expected fires and rescues that lie within reach. `kept_ppm`: the
    same in millionths of what is within reach with every unit at home, whole or not, so that slow hours of the day do
    not count as lost cover.
    """

    n_units: NDArray[np.int64]
    n_at: NDArray[np.int64]
    cover_ppm: NDArray[np.int64]
    kept_ppm: NDArray[np.int64]


def readiness(inputs: RunInputs, log: LogIndex, times: NDArray[np.int64]) -> Readiness:
    """Return what stood ready just after each of the instants, which must ascend: ms since the run's start."""
    stations = inputs.fleet.stations
    is_out, people_out, n_guests = _away(inputs, log, times)
    is_open, people, in_service, is_whole = _states(inputs, times)
    n_at = _n_ready(inputs, is_open, people - people_out, in_service & is_whole & ~is_out)
    n_home = _n_ready(inputs, is_open, people, in_service)
    own = is_open & (np.asarray(stations.help_grade) == 0)
    cover = _cover_ppm(inputs, own & ((n_at > 0) | (n_guests > 0)), times)
    idle = _cover_ppm(inputs, own & (n_home > 0), times)
    return Readiness(n_at.sum(axis=1), n_at, cover, cover * PPM // np.maximum(idle, 1))


def _n_ready(
    inputs: RunInputs, is_open: NDArray[np.bool_], people: NDArray[np.int64], is_fit: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return how many units could leave one after another with their smallest crews: (n_times, n_stations) int64."""
    units, help_grade = inputs.fleet.units, np.asarray(inputs.fleet.stations.help_grade)
    station = np.asarray(units.station, dtype=np.int64)
    can_fight = (np.asarray(units.capabilities) >> np.uint64(inputs.policy.cover_bit)) & np.uint64(1) > 0
    can_fight &= (np.asarray(units.traits["mode"]) == UnitMode.ROAD) & (help_grade[station] == 0)
    free, n_at = people.copy(), np.zeros(people.shape, dtype=np.int64)
    for unit in np.flatnonzero(can_fight).tolist():
        home, crew = station[unit], int(units.crew_min[unit])
        is_ready = is_open[:, home] & is_fit[:, unit] & (free[:, home] >= crew)
        free[:, home] -= crew * is_ready
        n_at[:, home] += is_ready
    return n_at


def _states(
    inputs: RunInputs, times: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return open stations, people on duty by station, units in service, and units not broken down, at each instant."""
    states = build_states(inputs)
    step = np.searchsorted(states.from_ms, times, side="right") - 1
    people = states.people[step]
    if len(inputs.roster.shift_ms):
        shift = np.searchsorted(inputs.roster.shift_ms, times, side="right") - 1
        people = np.asarray(inputs.roster.people, dtype=np.int64)[shift]
    has_failed = failed_units(inputs.changes, len(inputs.fleet.units.station), times)
    return states.is_open[step], people, states.is_in_service[step], ~has_failed


def _away(
    inputs: RunInputs, log: LogIndex, times: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Return units not in their bays or made ready there, people out by station, and guests by station.

    Shapes (n_times, n_units), (n_times, n_stations), (n_times, n_stations). A crew's people are those aboard when it
    left, those it prefers where it never did; a crew that rests after a long mission is out until it is rested.
    """
    units, n_stations = inputs.fleet.units, len(inputs.fleet.stations.cell)
    station = np.asarray(units.station, dtype=np.int64)
    unit, begin, home, people = _outings(inputs, log)
    is_out = _overlay(times, begin, _until_available(log, unit, home), unit, np.ones_like(unit), len(station)) > 0
    out = _overlay(times, begin, home, station[unit], people, n_stations)
    rested = log.of(LogKind.RESTED)
    rest_from = rested["time_ms"] - inputs.policy.rest_ms
    out += _overlay(times, rest_from, rested["time_ms"], rested["incident"], rested["value"], n_stations)
    return is_out, out, _guests(log, times, n_stations)


def _outings(
    inputs: RunInputs, log: LogIndex
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return (unit, begin_ms, home_ms, people) of every outing, those to stand by elsewhere among them."""
    rows = log.of_any(_LEAVING)
    order = np.argsort(rows["unit"], kind="stable")
    unit, kind, time_ms, value = (rows[name][order] for name in ("unit", "kind", "time_ms", "value"))
    before = np.append(0, kind[:-1])[: len(unit)]
    same_unit = np.append(False, unit[1:] == unit[:-1])[: len(unit)]
    is_end = (kind == LogKind.HOME) | ((kind == LogKind.TURN_BACK) & (before == LogKind.DISPATCH) & same_unit)
    is_begin = ~same_unit | np.append(True, is_end[:-1])[: len(unit)]
    first = np.flatnonzero(is_begin)
    outing = np.cumsum(is_begin) - 1
    home = np.full(len(first), log.last_ms + 1, dtype=np.int64)
    home[outing[is_end]] = time_ms[is_end]
    people = np.asarray(inputs.fleet.units.crew_preferred, dtype=np.int64)[unit[first]]
    leaves = kind == LogKind.ENROUTE
    people[outing[leaves][::-1]] = value[leaves][::-1]  # reversed, so that the first one stays
    return unit[first].astype(np.int64), time_ms[first], home, people


def _until_available(log: LogIndex, unit: NDArray[np.int64], home: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return when each unit could be sent from its bay again after it was home: its next AVAILABLE, if it has one."""
    rows = log.of(LogKind.AVAILABLE)
    key = np.sort(rows["unit"].astype(np.int64) << _TIME_BITS | rows["time_ms"])
    at = np.searchsorted(key, unit << _TIME_BITS | home)
    if len(key) == 0:
        return home
    found = key[np.minimum(at, len(key) - 1)]
    is_own = (at < len(key)) & (found >> _TIME_BITS == unit)
    stood_down = ~np.isin(unit << _TIME_BITS | home, _home_keys(log))
    until: NDArray[np.int64] = np.where(is_own & ~stood_down, found & ((1 << _TIME_BITS) - 1), home)
    return until


def _home_keys(log: LogIndex) -> NDArray[np.int64]:
    rows = log.of(LogKind.HOME)
    keys: NDArray[np.int64] = rows["unit"].astype(np.int64) << _TIME_BITS | rows["time_ms"]
    return keys


def _guests(log: LogIndex, times: NDArray[np.int64], n_stations: int) -> NDArray[np.int64]:
    """Return how many units of other stations stand by in each: (n_times, n_stations) int64."""
    rows = log.of_any(_POSTED)
    order = np.argsort(rows["unit"], kind="stable")
    unit, kind, time_ms, post = (rows[name][order] for name in ("unit", "kind", "time_ms", "incident"))
    here = np.flatnonzero(kind == LogKind.STAND_BY)
    following = np.minimum(here + 1, len(unit) - 1) if len(here) else here
    ends = (following > here) & (unit[following] == unit[here])
    until = np.where(ends, time_ms[following], log.last_ms + 1)
    return _overlay(times, time_ms[here], until, post[here], np.ones(len(here), dtype=np.int64), n_stations)


def _overlay(
    times: NDArray[np.int64],
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
    place: NDArray[Any],
    value: NDArray[Any],
    n_places: int,
) -> NDArray[np.int64]:
    """Return the sum of the values of the intervals that hold each instant, by place: (n_times, n_places) int64.

    An interval holds its beginning and not its end.
    """
    steps = np.zeros((len(times) + 1, n_places), dtype=np.int64)
    np.add.at(steps, (np.searchsorted(times, begin), place), value)
    np.subtract.at(steps, (np.searchsorted(times, end), place), value)
    return np.cumsum(steps, axis=0)[:-1]


def _cover_ppm(inputs: RunInputs, covers: NDArray[np.bool_], times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the weight within reach of the stations that cover, in millionths of all: (n_times,) int64."""
    hour = np.minimum(times // MS_PER_H, len(inputs.period_of_hour) - 1)
    period = inputs.period_of_hour[hour]
    cell, weight = np.asarray(inputs.fleet.stations.cell), np.asarray(inputs.cell_weight)
    weighty = np.flatnonzero(weight)
    total = int(weight.sum())
    reach = inputs.travel.duration_ms[:, cell][:, :, weighty] <= inputs.policy.cover_ms
    known: dict[tuple[int, bytes], int] = {}
    out = np.zeros(len(times), dtype=np.int64)
    for at in range(len(times)):
        key = (int(period[at]), covers[at].tobytes())
        if key not in known:
            within = reach[key[0], covers[at]].any(axis=0)
            known[key] = int(weight[weighty][within].sum()) * PPM // max(total, 1)
        out[at] = known[key]
    return out
