"""One row per incident of the measured window: when it was met, by how much force, and what it would have been alone.

All milestones are milliseconds after the instant at which the dispatch order was due (the CALL row); -1 is *never*,
which counts as above every threshold and is never dropped. The first arrival is that of the city's own units; the
alarm and the critical task may be completed by help from outside (`mutual_aid.py`). Everything is computed from the
log's columns and the incidents' true kind and grade, without a loop over incidents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.demand.types import PROCESS_BIT, SERIES
from sim.engine.log import LogKind
from sim.metrics.rows import LogIndex, RowsOfKind
from sim.metrics.states import is_own_unit
from sim.units import MS_PER_DAY, MS_PER_H

if TYPE_CHECKING:
    from sim.engine.log import EventLog
    from sim.inputs import RunInputs

NEVER = -1
_LATE = np.iinfo(np.int64).max
INCIDENT_COLUMNS: dict[str, str] = {
    "identity": "<u8",
    "call_ms": "<i8",
    "dispatch_due_ms": "<i8",
    "year": "<i2",
    "hour": "i1",
    "town": "<i2",
    "cell": "<i4",
    "kind": "<i2",
    "grade": "i1",
    "reported_kind": "<i2",
    "is_headline": "?",
    "first_dispatch_ms": "<i8",
    "first_arrival_ms": "<i8",
    "first_critical_ms": "<i8",
    "full_alarm_ms": "<i8",
    "queue_ms": "<i8",
    "n_dispatched": "<i2",
    "n_unfilled": "<i2",
    "n_escalations": "i1",
    "static_arrival_ms": "<i8",
}


def incident_table(
    inputs: RunInputs, log: EventLog, static_ms: NDArray[np.int64], index: LogIndex | None = None
) -> dict[str, NDArray[Any]]:
    """Return the incidents whose call lies in the measured window, in the order of the demand table.

    Parameters
    ----------
    static_ms
        (n_incidents,) int64 from `sim.engine.static.static_responses`: dispatch to first arrival in the idle city.
    index
        The log's rows by kind, if they have been found already.

    Returns
    -------
    Columns `INCIDENT_COLUMNS`, each (n_measured,). Times are ms after `dispatch_due_ms`, -1 never; `call_ms` and
    `dispatch_due_ms` are ms since the run's start.
    """
    rows, calendar = inputs.demand.incidents, inputs.calendar
    call_ms = rows["call_ms"]
    is_measured = (call_ms >= calendar.measure_from_ms) & (call_ms < calendar.measure_to_ms)
    found = _milestones(inputs, index or LogIndex(log))
    found["static_arrival_ms"] = np.asarray(static_ms)
    found["year"] = np.asarray(calendar.year)[np.minimum(call_ms // MS_PER_DAY, len(calendar.year) - 1)]
    found["hour"] = call_ms % MS_PER_DAY // MS_PER_H
    is_sample = (
        np.asarray(rows["identity"]) >> np.uint64(PROCESS_BIT) == SERIES
    )  # planted as a sample, no part of what happens
    found["is_headline"] = np.asarray(inputs.kinds.is_headline)[rows["kind"]] & ~is_sample
    for name in ("identity", "call_ms", "town", "cell", "kind", "grade", "reported_kind"):
        found[name] = rows[name]
    return {name: found[name][is_measured].astype(dtype, copy=False) for name, dtype in INCIDENT_COLUMNS.items()}


def _milestones(inputs: RunInputs, log: LogIndex) -> dict[str, NDArray[Any]]:
    """Return the columns that come from the log, for all incidents."""
    n = inputs.demand.incidents.shape[0]
    calls, arrivals = log.of(LogKind.CALL), log.of(LogKind.ARRIVE)
    dispatches = log.of(LogKind.DISPATCH)
    dispatched = dispatches["incident"]
    due = np.full(n, NEVER, dtype=np.int64)
    due[calls["incident"]] = calls["time_ms"]
    first_dispatch = _after(due, _first(n, dispatched, dispatches["time_ms"]))
    first_of_all = _first(n, arrivals["incident"], arrivals["time_ms"])
    first_own = first_of_all
    if np.any(inputs.fleet.stations.help_grade):
        is_own = is_own_unit(inputs)[arrivals["unit"]]
        first_own = _first(n, arrivals["incident"][is_own], arrivals["time_ms"][is_own])
    slot = _final_slot(inputs, arrivals, log.of(LogKind.CLEAR))
    full, critical = _alarm_times(inputs, arrivals, slot, first_of_all)
    return {
        "dispatch_due_ms": due,
        "first_dispatch_ms": first_dispatch,
        "first_arrival_ms": _after(due, first_own),
        "first_critical_ms": _after(due, critical),
        "full_alarm_ms": _after(due, full),
        "queue_ms": first_dispatch,
        "n_dispatched": np.bincount(dispatched, minlength=n),
        "n_unfilled": np.bincount(log.of(LogKind.UNFILLED)["incident"], minlength=n),
        "n_escalations": np.bincount(log.of(LogKind.ESCALATE)["incident"], minlength=n),
    }


def _first(n: int, incident: NDArray[Any], time_ms: NDArray[Any]) -> NDArray[np.int64]:
    """Return the earliest instant of each incident, the largest integer where there is none."""
    out = np.full(n, _LATE, dtype=np.int64)
    np.minimum.at(out, incident, time_ms)
    return out


def _after(due: NDArray[np.int64], instant: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return instants as ms after the dispatch order was due; -1 for those that never came."""
    return np.where((instant == _LATE) | (due < 0), NEVER, instant - due)


def _final_slot(inputs: RunInputs, arrivals: RowsOfKind, clears: RowsOfKind) -> NDArray[np.int64]:
    """Return the need each arrival served in the end: (n_arrivals,) int64.

    The first arrival at a misreported incident is logged under the reported kind's slot and handed to a need of the
    true kind in the same instant; its CLEAR row, found by unit and mission, names that need.
    """
    slot = arrivals["slot"].astype(np.int64)
    n_true = np.diff(inputs.cards.start)[inputs.demand.incidents["kind"]]
    moved = np.flatnonzero(slot >= n_true[arrivals["incident"]])
    if moved.size == 0:
        return slot
    cleared = _mission_key(clears)
    order = np.argsort(cleared, kind="stable")
    wanted = _mission_key(arrivals)[moved]
    place = np.minimum(np.searchsorted(cleared[order], wanted), max(len(cleared) - 1, 0))
    is_found = np.zeros(len(moved), dtype=bool) if len(cleared) == 0 else cleared[order][place] == wanted
    slot[moved[is_found]] = clears["slot"][order][place[is_found]]
    return slot


def _mission_key(rows: RowsOfKind) -> NDArray[np.int64]:
    return rows["unit"].astype(np.int64) << 32 | rows["mission"].astype(np.int64)


def _alarm_times(
    inputs: RunInputs, arrivals: RowsOfKind, slot: NDArray[np.int64], first_arrival: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (full first alarm, critical task at work): (n_incidents,) instants, the largest integer for never.

    Both are about the needs of the true kind at its true first-alarm grade: the full alarm is there when every such
    need has its unit; the critical task is met when, for each critical capability, as many units sent for it are at
    work as it has critical needs, whichever slots they fill. A kind without a critical need is met by whoever comes
    first.
    """
    rows, cards = inputs.demand.incidents, inputs.cards
    start, from_grade = np.asarray(cards.start, dtype=np.int64), np.asarray(cards.from_grade)
    incident = arrivals["incident"]
    kind, grade = rows["kind"].astype(np.int64)[incident], rows["grade"][incident]
    need = np.minimum(start[kind] + slot, start[kind + 1] - 1)
    is_due = (start[kind] + slot < start[kind + 1]) & (from_grade[need] <= grade)
    n_needed, n_critical = _needed(start, from_grade, np.asarray(cards.is_critical, dtype=bool), cards.capability)
    of_incident = (rows["kind"], rows["grade"])
    full = _when_all(incident[is_due], arrivals["time_ms"][is_due], n_needed[of_incident])
    capability = capability_of(inputs, incident, slot)
    at_work = arrivals["time_ms"] + arrivals["value"]
    is_enough = _rank_in_group(incident, capability, at_work) == n_critical[kind, grade, capability]
    n_capabilities = (n_critical[of_incident] > 0).sum(axis=1)
    critical = _when_all(incident[is_enough], at_work[is_enough], n_capabilities)
    return full, np.where(n_capabilities == 0, first_arrival, critical)


def capability_of(inputs: RunInputs, incident: NDArray[Any], slot: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the capability, as bit number, that each slot of an incident asks for: the arrays' own length.

    Slots count the needs of the true kind's card, then those of the reported kind's where that is another.
    """
    rows, cards = inputs.demand.incidents, inputs.cards
    start = np.asarray(cards.start, dtype=np.int64)
    kind, reported = rows["kind"].astype(np.int64)[incident], rows["reported_kind"].astype(np.int64)[incident]
    n_true = start[kind + 1] - start[kind]
    of_slot = np.where(slot < n_true, start[kind] + slot, start[reported] + slot - n_true)
    capability: NDArray[np.int64] = np.asarray(cards.capability, dtype=np.int64)[of_slot]
    return capability


def _needed(
    start: NDArray[np.int64], from_grade: NDArray[Any], is_critical: NDArray[np.bool_], capability: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return needs by kind and grade, (n_kinds, 6) int64, and critical ones by capability too, (n_kinds, 6, 64)."""
    kind_of_need = np.repeat(np.arange(len(start) - 1), np.diff(start))
    n_needed = np.zeros((len(start) - 1, 6), dtype=np.int64)
    n_critical = np.zeros((len(start) - 1, 6, 64), dtype=np.int64)
    for grade in range(1, 6):
        is_needed = from_grade <= grade
        n_needed[:, grade] = np.bincount(kind_of_need[is_needed], minlength=len(start) - 1)
        chosen = is_needed & is_critical
        for kind, bit in zip(kind_of_need[chosen].tolist(), np.asarray(capability)[chosen].tolist(), strict=True):
            n_critical[kind, grade, bit] += 1
    return n_needed, n_critical


def _rank_in_group(incident: NDArray[Any], capability: NDArray[Any], instant: NDArray[Any]) -> NDArray[np.int64]:
    """Return each arrival's place, from 1 and by instant, among those of its incident sent for its capability."""
    order = np.lexsort((instant, capability, incident))
    group = incident[order].astype(np.int64) << 6 | capability[order]
    is_first = np.concatenate([[True], group[1:] != group[:-1]]) if len(group) else np.zeros(0, dtype=bool)
    begin = np.maximum.accumulate(np.where(is_first, np.arange(len(group)), 0))
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(len(group)) - begin + 1
    return rank


def _when_all(incident: NDArray[Any], instant: NDArray[Any], n_needed: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the instant at which the last of `n_needed` came, the largest integer where not all came."""
    n_come = np.bincount(incident, minlength=len(n_needed))
    latest = np.zeros(len(n_needed), dtype=np.int64)
    np.maximum.at(latest, incident, instant)
    return np.where((n_needed > 0) & (n_come >= n_needed), latest, _LATE)
