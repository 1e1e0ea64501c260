"""What special teams and aircraft were sent to, when they came, who else came, and what kept aircraft on the ground.

Times are milliseconds after the instant at which the dispatch order was due; -1 is never. Everything comes from the
log, but for the hours and days on which no aircraft could have gone, which are in the run's inputs.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.log import LogKind
from sim.fleet.bases import is_base
from sim.fleet.parts import ChangeKind, UnitMode
from sim.metrics.incidents import capability_of
from sim.metrics.rows import LogIndex, RowsOfKind
from sim.units import MS_PER_DAY, MS_PER_H

if TYPE_CHECKING:
    from sim.inputs import RunInputs

NEVER = -1
_LATE = np.iinfo(np.int64).max
Columns = dict[str, NDArray[Any]]


class Grounded(IntEnum):
    """Why no aircraft could be sent when the dispatch order was due; the first that holds."""

    NOT_AT_ALL = 0
    NO_FLYING_HOUR = 1
    NONE_THERE = 2
    ALL_OUT = 3


def special_tables(inputs: RunInputs, log: LogIndex) -> dict[str, Columns]:
    """Return the table `turnouts` where there are bases of teams or aircraft, and `air` where there are aircraft."""
    of_base = _of_base(inputs)
    if not of_base.any():
        return {}
    of_teams, has_aircraft = log.of_units(of_base), bool(_aircraft(inputs).any())
    is_told = _asked(inputs) > 0 if has_aircraft else np.zeros(len(inputs.demand.incidents), dtype=np.bool_)
    is_told[of_teams.of(LogKind.DISPATCH)["incident"]] = True
    missions = Missions(inputs, log.about(is_told))
    tables = {"turnouts": turnout_table(inputs, of_teams, missions)}
    if has_aircraft:
        tables["air"] = air_table(inputs, of_teams, missions)
    return tables


def _of_base(inputs: RunInputs) -> NDArray[np.bool_]:
    """Return which units stand in a base: (n_units,) bool."""
    of_unit: NDArray[np.bool_] = is_base(inputs.fleet.stations)[np.asarray(inputs.fleet.units.station)]
    return of_unit


def _aircraft(inputs: RunInputs) -> NDArray[np.bool_]:
    flies: NDArray[np.bool_] = np.asarray(inputs.fleet.units.traits["mode"]) == UnitMode.AIR
    return flies & _of_base(inputs)


class Missions:
    """Missions of units to those incidents of the measured window that the log given is about, in its order.

    `incident`, `unit`, `capability` (bit asked for), `sent_ms`, `leave_ms`, `arrive_ms`, `work_ms`: (n_missions,)
    instants, the largest integer for what was turned back before. `due_ms`: (n_incidents,) when each order was due, -1
    where the log says nothing of it.
    """

    def __init__(self, inputs: RunInputs, log: LogIndex) -> None:
        sent, came = log.of(LogKind.DISPATCH), log.of(LogKind.ARRIVE)
        incident, call_ms = sent["incident"], inputs.demand.incidents["call_ms"]
        calendar = inputs.calendar
        is_measured = (call_ms >= calendar.measure_from_ms) & (call_ms < calendar.measure_to_ms)
        kept = is_measured[incident]
        self.incident, self.unit = incident[kept].astype(np.int64), sent["unit"][kept]
        self.capability = capability_of(inputs, self.incident, sent["slot"][kept].astype(np.int64))
        self.due_ms = due_instants(inputs, log)
        self.sent_ms = sent["time_ms"][kept]
        key = _mission_keys(self.unit, sent["mission"][kept])
        row = _rows_of(came, key)
        has_come = row >= 0
        arrive_ms, access_ms = (np.append(came[name], 0)[row] for name in ("time_ms", "value"))
        self.arrive_ms = np.where(has_come, arrive_ms, _LATE)
        self.work_ms = np.where(has_come, arrive_ms + access_ms, _LATE)
        left, row = log.of(LogKind.ENROUTE), _rows_of(log.of(LogKind.ENROUTE), key)
        self.leave_ms = np.where(row >= 0, np.append(left["time_ms"], 0)[row], _LATE)

    def away_ms(self, log: LogIndex, which: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return how long the chosen missions kept their units away; never for one that did not leave for it.

        Away is from leaving until home or sent on. What the log does not end lasts until its last row.
        """
        ends = log.of_any((LogKind.DISPATCH, LogKind.HOME))
        unit, time_ms = ends["unit"], ends["time_ms"]
        of, leave_ms = self.unit[which], self.leave_ms[which]
        out = np.full(len(of), NEVER, dtype=np.int64)
        for one in np.unique(of):
            mine = np.flatnonzero((of == one) & (leave_ms < _LATE))
            until = np.append(time_ms[unit == one], log.last_ms)
            out[mine] = until[np.searchsorted(until[:-1], leave_ms[mine], side="right")] - leave_ms[mine]
        return out

    def after_due(self, incident: NDArray[np.int64], instant: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return instants as ms after the order of each incident was due; -1 for never."""
        return np.where(instant == _LATE, NEVER, instant - self.due_ms[incident])

    def first(self, which: NDArray[np.bool_], instant: NDArray[np.int64], n: int) -> NDArray[np.int64]:
        """Return the earliest instant of the chosen missions at each incident: (n,), the largest integer for none."""
        out = np.full(n, _LATE, dtype=np.int64)
        np.minimum.at(out, self.incident[which], instant[which])
        return out


def _mission_keys(unit: NDArray[np.int32], mission: NDArray[np.int32]) -> NDArray[np.int64]:
    keys: NDArray[np.int64] = unit.astype(np.int64) << 32 | mission.astype(np.int64)
    return keys


def _rows_of(rows: RowsOfKind, key: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which of the rows belongs to each mission: (n_missions,) int64, -1 for none."""
    known = _mission_keys(rows["unit"], rows["mission"])
    if not len(known):
        return np.full(len(key), -1, dtype=np.int64)
    order = np.argsort(known, kind="stable")
    at = order[np.minimum(np.searchsorted(known[order], key), len(known) - 1)]
    return np.where(known[at] == key, at, -1)


def due_instants(inputs: RunInputs, log: LogIndex) -> NDArray[np.int64]:
    """Return when each incident's dispatch order was due: (n_incidents,) int64."""
    calls = log.of(LogKind.CALL)
    due = np.full(len(inputs.demand.incidents), NEVER, dtype=np.int64)
    due[calls["incident"]] = calls["time_ms"]
    return due


def _about(inputs: RunInputs, incident: NDArray[np.int64]) -> Columns:
    """Return the columns that say which incident a row is about."""
    rows, year = inputs.demand.incidents[incident], np.asarray(inputs.calendar.year)
    found: Columns = {name: rows[name] for name in ("identity", "town", "cell", "kind", "grade")}
    found["year"] = year[np.minimum(rows["call_ms"] // MS_PER_DAY, len(year) - 1)].astype(np.int16)
    return found


def turnout_table(inputs: RunInputs, log: LogIndex, missions: Missions) -> Columns:
    """Return one row per dispatch of a unit of a base to an incident of the measured window, in the order of the log.

    `log`: the rows of the bases' units; `missions`: all to the incidents that these were sent to.

    Columns: identity, town, cell, kind, grade, year of the incident; unit, base, type (texts), capability (bit) it was
    sent for; dispatch_ms, arrival_ms, work_ms (never where it was turned back); gather_ms, from its dispatch until it
    left (never where it did not); away_ms, how long it was away for it,
    from leaving until home or sent on (never where it did not leave); is_first_arrival, whether it was there
    before anybody else; others_work_ms, when the first vehicle of the stations sent for the same capability was at work
    (never: the need was the team's alone); is_alone, whether no unit of the stations' has the capability at all.
    """
    of_base = _of_base(inputs)
    n, units = len(inputs.demand.incidents), inputs.fleet.units
    mine = of_base[missions.unit]
    incident, unit, capability = missions.incident[mine], missions.unit[mine], missions.capability[mine]
    first = missions.first(np.ones(len(mine), dtype=np.bool_), missions.arrive_ms, n)[incident]
    need = missions.incident * 64 + missions.capability
    told, at = np.unique(need[mine], return_inverse=True)
    others = np.full(len(told), _LATE, dtype=np.int64)
    is_same = ~mine & np.isin(need, told)
    np.minimum.at(others, np.searchsorted(told, need[is_same]), missions.work_ms[is_same])
    has_it = np.bitwise_or.reduce(np.asarray(units.capabilities)[~of_base]) if (~of_base).any() else np.uint64(0)
    arrive_ms = missions.arrive_ms[mine]
    return _about(inputs, incident) | {
        "unit": unit.astype(np.int32),
        "base": _texts(inputs.fleet.stations.name, np.asarray(units.station)[unit]),
        "type": _texts(inputs.fleet.unit_types.code, np.asarray(units.type_id)[unit]),
        "capability": capability.astype(np.int8),
        "dispatch_ms": missions.after_due(incident, missions.sent_ms[mine]),
        "arrival_ms": missions.after_due(incident, arrive_ms),
        "work_ms": missions.after_due(incident, missions.work_ms[mine]),
        "gather_ms": np.where(missions.leave_ms[mine] < _LATE, missions.leave_ms[mine] - missions.sent_ms[mine], NEVER),
        "away_ms": missions.away_ms(log, mine),
        "is_first_arrival": (arrive_ms < _LATE) & (arrive_ms == first),
        "others_work_ms": missions.after_due(incident, others[at]),
        "is_alone": (int(has_it) >> capability) & 1 == 0,
    }


def air_table(inputs: RunInputs, log: LogIndex, missions: Missions) -> Columns:
    """Return one row per incident of the measured window for which aircraft are asked, while there are any.

    `log`: the rows of the bases' units; `missions`: all to these incidents.
    Aircraft are asked where the kind that the caller told, or the true one, has a task for them. Columns: identity,
    town, cell, kind, grade, year of the incident; grounded, a `Grounded`, when the order was due; is_sent;
    air_arrival_ms, ground_arrival_ms, the first aircraft and the first vehicle at the address; air_work_ms,
    ground_work_ms, the first at work of those sent for a capability for which aircraft are asked; is_first_arrival,
    is_first_work, whether the aircraft came, or worked, before any vehicle.
    """
    aircraft = _aircraft(inputs)
    rows, n = inputs.demand.incidents, len(inputs.demand.incidents)
    asked = _asked(inputs)
    is_there, grounded = _grounded(inputs, log, missions.due_ms, np.flatnonzero(aircraft))
    calendar = inputs.calendar
    is_measured = (rows["call_ms"] >= calendar.measure_from_ms) & (rows["call_ms"] < calendar.measure_to_ms)
    chosen = np.flatnonzero(is_measured & (asked > 0) & is_there & (missions.due_ms >= 0))
    by_air = aircraft[missions.unit]
    for_task = (asked[missions.incident] >> missions.capability) & 1 == 1
    firsts = {
        "air_arrival_ms": missions.first(by_air, missions.arrive_ms, n)[chosen],
        "ground_arrival_ms": missions.first(~by_air, missions.arrive_ms, n)[chosen],
        "air_work_ms": missions.first(by_air & for_task, missions.work_ms, n)[chosen],
        "ground_work_ms": missions.first(~by_air & for_task, missions.work_ms, n)[chosen],
    }
    table = _about(inputs, chosen) | {
        "grounded": grounded[chosen].astype(np.int8),
        "is_sent": np.isin(chosen, missions.incident[by_air]),
        "is_first_arrival": firsts["air_arrival_ms"] < firsts["ground_arrival_ms"],
        "is_first_work": firsts["air_work_ms"] < firsts["ground_work_ms"],
    }
    return table | {name: missions.after_due(chosen, instant) for name, instant in firsts.items()}


def _asked(inputs: RunInputs) -> NDArray[np.int64]:
    """Return the mask of capabilities for which aircraft are asked at each incident: (n_incidents,) int64."""
    rows, tasks = inputs.demand.incidents, np.array(inputs.policy.air_tasks or [0], dtype=np.int64)
    if len(tasks) == 1:
        return np.zeros(len(rows), dtype=np.int64)
    return np.asarray(tasks[rows["kind"]] | tasks[rows["reported_kind"]], dtype=np.int64)


def _grounded(
    inputs: RunInputs, log: LogIndex, due_ms: NDArray[np.int64], aircraft: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return, at each instant, whether there are aircraft at all yet, and why none could be sent: two (n,) arrays."""
    n = len(due_ms)
    is_there, is_fit, is_in = (np.zeros(n, dtype=np.bool_) for _ in range(3))
    out, back = log.of(LogKind.DISPATCH), log.of(LogKind.AVAILABLE)
    for unit in aircraft:
        in_service = _state(inputs, unit, ChangeKind.UNIT_IN_SERVICE, ChangeKind.UNIT_WITHDRAW, due_ms)
        fit = in_service & ~_state(inputs, unit, ChangeKind.UNIT_FAILS, ChangeKind.UNIT_MENDED, due_ms)
        # an aircraft is never diverted, so dispatches and returns alternate; one sent at this very instant was in
        n_sent = np.searchsorted(np.sort(out["time_ms"][out["unit"] == unit]), due_ms, side="left")
        n_back = np.searchsorted(_returns(log, back, unit), due_ms, side="right")
        is_there |= in_service
        is_fit |= fit
        is_in |= fit & (n_back >= n_sent)
    hour = np.minimum(np.maximum(due_ms, 0) // MS_PER_H, len(inputs.sky.is_flyable) - 1)
    may_fly = np.asarray(inputs.sky.is_flyable)[hour] != 0
    why = np.select(
        [~may_fly, ~is_fit, ~is_in], [Grounded.NO_FLYING_HOUR, Grounded.NONE_THERE, Grounded.ALL_OUT], 0
    )  # fmt: skip
    return is_there, why.astype(np.int64)


def _returns(log: LogIndex, back: Any, unit: int) -> NDArray[np.int64]:
    """Return the instants at which an aircraft is ready again: after a flight, or stood down before it left."""
    rows = log.of_any((LogKind.DISPATCH, LogKind.ENROUTE, LogKind.TURN_BACK))
    is_mine = rows["unit"] == unit
    kind, time_ms = rows["kind"][is_mine], rows["time_ms"][is_mine]
    before = np.append(0, kind[:-1])[: len(kind)]
    stood_down = time_ms[(kind == LogKind.TURN_BACK) & (before == LogKind.DISPATCH)]
    return np.sort(np.concatenate([stood_down, back["time_ms"][back["unit"] == unit]]))


def _state(
    inputs: RunInputs, unit: int, begins: ChangeKind, ends: ChangeKind, at_ms: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return whether a unit is in a state that dated changes begin and end, at each instant: (n,) bool."""
    changes = inputs.changes
    rows = changes[(changes["entity"] == unit) & np.isin(changes["kind"], [begins, ends])]
    is_in = np.concatenate([[False], rows["kind"] == begins])
    return np.asarray(is_in[np.searchsorted(rows["time_ms"], at_ms, side="right")], dtype=np.bool_)


def _texts(names: tuple[str, ...], at: NDArray[Any]) -> NDArray[np.object_]:
    texts: NDArray[np.object_] = np.array(names, dtype=object)[at]
    return texts
