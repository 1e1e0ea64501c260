"""Walks through a log and finds, for every incident, the instants and numbers that its row in the table is made of.

Compiled: one pass over the log, then one over the incidents. It knows no more than the log, the true and the reported
kind of each incident and what their run cards ask for. Next: `incidents.py`, which says what the instants mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.compiled import compiled_borrowing
from sim.engine.codes import LOG_ARRIVE, LOG_CALL, LOG_CLEAR, LOG_DISPATCH, LOG_ESCALATE, LOG_UNFILLED

if TYPE_CHECKING:
    from sim.engine.log import EventLog
    from sim.inputs import RunInputs

LATE = np.iinfo(np.int64).max
"""The instant of what never came."""
DUE, DISPATCHED, ARRIVED, OWN_ARRIVED, FULL, CRITICAL, N_DISPATCHED, N_UNFILLED, N_ESCALATIONS, LAST = range(10)
"""What is known of an incident: instants, numbers, and its last arrival in the list of arrivals (-1 none)."""
N_KNOWN = 10
ROW, BEFORE, SLOT, CAPABILITY, TIME_MS, AT_WORK_MS = range(6)
"""What is known of an arrival: its row in the log, the incident's arrival before it (-1 none), whom it served, when."""
_N_CAPABILITIES = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """What run cards ask for. `n_needed`: (n_kinds, 6) needs by kind and grade; `n_critical`: (n_kinds, 6, 64) critical
    ones by capability; `start`, `from_grade`, `capability`: the cards' rows, int64.
    """

    start: NDArray[np.int64]
    from_grade: NDArray[np.int64]
    capability: NDArray[np.int64]
    n_needed: NDArray[np.int64]
    n_critical: NDArray[np.int64]


def asked(cards: Any) -> Asked:
    """Return what the run cards ask for, added up by kind and grade."""
    start = np.asarray(cards.start, dtype=np.int64)
    from_grade, capability = np.asarray(cards.from_grade, np.int64), np.asarray(cards.capability, np.int64)
    kind = np.repeat(np.arange(len(start) - 1), np.diff(start))
    n_needed = np.zeros((len(start) - 1, 6), dtype=np.int64)
    n_critical = np.zeros((len(start) - 1, 6, _N_CAPABILITIES), dtype=np.int64)
    is_critical = np.asarray(cards.is_critical, dtype=bool)
    for grade in range(1, 6):
        is_needed = from_grade <= grade
        np.add.at(n_needed[:, grade], kind[is_needed], 1)
        chosen = is_needed & is_critical
        np.add.at(n_critical[:, grade], (kind[chosen], capability[chosen]), 1)
    return Asked(start, from_grade, capability, n_needed, n_critical)


@compiled_borrowing
def _read(rows, is_own, is_told_wrong, known, arrivals):  # type: ignore[no-untyped-def]
    """Take down every row that names an incident; return the number of arrivals."""
    n = 0
    for at in range(len(rows)):
        what, incident, now = rows[at].kind, rows[at].incident, rows[at].time_ms
        if what == LOG_CALL:
            known[incident, DUE] = now
        elif what == LOG_DISPATCH:
            known[incident, N_DISPATCHED] += 1
            known[incident, DISPATCHED] = min(known[incident, DISPATCHED], now)
        elif what == LOG_ARRIVE:
            known[incident, ARRIVED] = min(known[incident, ARRIVED], now)
            if len(is_own) == 0 or is_own[rows[at].unit]:
                known[incident, OWN_ARRIVED] = min(known[incident, OWN_ARRIVED], now)
            arrivals[n, ROW], arrivals[n, SLOT] = at, rows[at].slot
            arrivals[n, TIME_MS], arrivals[n, AT_WORK_MS] = now, now + rows[at].value
            arrivals[n, BEFORE] = known[incident, LAST]
            known[incident, LAST] = n
            n += 1
        elif what == LOG_UNFILLED:
            known[incident, N_UNFILLED] += 1
        elif what == LOG_ESCALATE:
            known[incident, N_ESCALATIONS] += 1
        elif what == LOG_CLEAR and is_told_wrong[incident]:
            _hand_over(rows, at, known[incident, LAST], arrivals)
    return n


@compiled_borrowing
def _hand_over(rows, at, last, arrivals):  # type: ignore[no-untyped-def]
    """Give an arrival that was logged under what the caller told the need it clears from: that of the same mission."""
    arrival = last
    while arrival >= 0:
        row = arrivals[arrival, ROW]
        if rows[row].unit == rows[at].unit and rows[row].mission == rows[at].mission:
            arrivals[arrival, SLOT] = rows[at].slot
            return
        arrival = arrivals[arrival, BEFORE]


@compiled_borrowing
def _fill_alarms(kind, reported, grade, start, from_grade, capability, n_needed, n_critical, known, arrivals):  # type: ignore[no-untyped-def]
    """Find when the full alarm and the critical task of each incident were complete."""
    for incident in range(len(known)):
        true, its_grade = np.int64(kind[incident]), np.int64(grade[incident])
        card, n_true = start[true], start[true + 1] - start[true]
        n_come, latest = 0, np.int64(0)
        arrival = known[incident, LAST]
        while arrival >= 0:
            slot = arrivals[arrival, SLOT]
            if slot < n_true and from_grade[card + slot] <= its_grade:
                n_come, latest = n_come + 1, max(latest, arrivals[arrival, TIME_MS])
            of_slot = card + slot if slot < n_true else start[reported[incident]] + slot - n_true
            arrivals[arrival, CAPABILITY] = capability[of_slot]
            arrival = arrivals[arrival, BEFORE]
        if n_needed[true, its_grade] > 0 and n_come >= n_needed[true, its_grade]:
            known[incident, FULL] = latest
        known[incident, CRITICAL] = _critical(n_critical[true, its_grade], known, incident, arrivals)


@compiled_borrowing
def _critical(wanted, known, incident, arrivals):  # type: ignore[no-untyped-def]
    """Return when as many as wanted of every capability were at work; the first arrival where none is wanted."""
    n_wanted = 0
    for number in wanted:
        n_wanted += number > 0
    if n_wanted == 0:
        return known[incident, ARRIVED]
    n_enough, latest = 0, np.int64(0)
    arrival = known[incident, LAST]
    while arrival >= 0:
        number = wanted[arrivals[arrival, CAPABILITY]]
        if number > 0 and _place(arrival, known[incident, LAST], arrivals) == number:
            n_enough, latest = n_enough + 1, max(latest, arrivals[arrival, AT_WORK_MS])
        arrival = arrivals[arrival, BEFORE]
    return latest if n_enough >= n_wanted else LATE


@compiled_borrowing
def _place(arrival, last, arrivals):  # type: ignore[no-untyped-def]
    """Return the place of an arrival, from 1, among those for its capability by the instant they were at work."""
    at_work = arrivals[arrival, AT_WORK_MS]
    place, other = 1, last
    while other >= 0:
        if other != arrival and arrivals[other, CAPABILITY] == arrivals[arrival, CAPABILITY]:
            its = arrivals[other, AT_WORK_MS]
            place += its < at_work or (its == at_work and other < arrival)
        other = arrivals[other, BEFORE]
    return place


def milestones(inputs: RunInputs, log: EventLog, is_own: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return (n_incidents, N_KNOWN) int64, the columns from DUE to LAST: instants (`LATE` never, DUE -1) and numbers.

    FULL: when every need of the true kind at its true grade had its unit. CRITICAL: when, for each critical capability,
    as many units sent for it were at work as it has critical needs, whichever slots they fill; without a critical need
    the first arrival. The first arrival at a misreported incident is logged under the slot it was sent to and handed to
    a true need in the same instant; its CLEAR row names that need.

    Parameters
    ----------
    is_own : (n_units,) bool, whose arrivals count for OWN_ARRIVED; of no length: those of all.
    """
    demand, card = inputs.demand.incidents, asked(inputs.cards)
    kind, reported, grade = (np.ascontiguousarray(demand[name]) for name in ("kind", "reported_kind", "grade"))
    is_told_wrong = (kind != reported) | (np.asarray(demand["reported_grade"]) > grade)
    known = np.zeros((len(demand), N_KNOWN), dtype=np.int64)
    known[:, DISPATCHED : CRITICAL + 1] = LATE
    known[:, DUE] = known[:, LAST] = -1
    arrivals = np.empty(
        (len(log.rows), AT_WORK_MS + 1), dtype=np.int64
    )  # room for the most there can be; untouched, it costs none
    _read(log.rows, is_own, is_told_wrong, known, arrivals)
    _fill_alarms(
        kind, reported, grade, card.start, card.from_grade, card.capability, card.n_needed, card.n_critical,
        known, arrivals,
    )  # fmt: skip
    return known
