"""The static part of a response: each incident alone, in the idle city of its moment.

Every unit stands in its bay, every open station has all its people: what is left of a response time is geography,
staffing and the trip's own chance. The same rules choose, the same ranks are looked up; only nothing is ever busy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.compiled import compiled_borrowing
from sim.engine import approach, choice, dated, rules, state
from sim.engine.build import build_world
from sim.engine.faults import raise_fault
from sim.engine.world import FAULT, N_LOG, N_OUTBOX

if TYPE_CHECKING:
    from sim.inputs import RunInputs


@compiled_borrowing
def _first_arrival_ms(w, now, incident):  # type: ignore[no-untyped-def]
    """Return dispatch to first arrival of the city's own units at one incident in an idle city, -1 if none can go.

    Leaves the city idle.
    """
    it = w.incidents[incident]
    card = w.card_start[it.reported_kind]
    offset = 0 if it.reported_kind == it.kind else w.card_start[it.kind + 1] - w.card_start[it.kind]
    first = np.int64(-1)
    n_rows = w.card_start[it.reported_kind + 1] - card
    for place in range(n_rows):
        if w.needs[card + place].from_grade > it.reported_grade:
            continue
        unit, _ = choice.choose_unit(w, now, incident, w.needs[card + place].capability, 0)
        if unit == rules.NOBODY:
            continue
        slot = it.first_slot + offset + place
        turnout = rules.turnout_ms(w, now, unit, slot)
        state.stand_by(w, unit, slot)
        from_cell = np.int64(w.stations[w.units[unit].station].cell)
        to_cell = approach.goal_cell(w, now + turnout, unit, incident, from_cell)
        arrival = turnout + approach.trip_ms(w, now + turnout, unit, incident, slot, from_cell, to_cell)
        is_own = w.stations[w.units[unit].station].help_grade == 0
        if is_own and (first < 0 or arrival < first):
            first = arrival
    for place in range(n_rows):
        state.stand_down(w, it.first_slot + offset + place)
    return first


@compiled_borrowing
def _all_first_arrivals(w, out):  # type: ignore[no-untyped-def]
    change, shift = 0, 0
    for place in range(w.call_order.shape[0]):
        incident = w.call_order[place]
        now = w.incidents[incident].due_ms
        while change < w.changes.shape[0] and w.changes[change].time_ms <= now:
            dated.apply_change(w, change)
            change += 1
        while shift < w.roster_ms.shape[0] and w.roster_ms[shift] <= now:
            dated.apply_roster(w, shift)
            shift += 1
        out[incident] = _first_arrival_ms(w, now, incident)
        w.counts[N_LOG] = 0
        w.counts[N_OUTBOX] = 0


def static_responses(inputs: RunInputs) -> NDArray[np.int64]:
    """Return (n_incidents,) int64: dispatch to first arrival (ms) of each incident alone, the city idle; -1 nobody."""
    arrays = build_world(inputs)
    out = np.full(arrays.incidents.shape[0], -1, dtype=np.int64)
    _all_first_arrivals(arrays.struct(), out)
    if arrays.counts[FAULT]:
        raise_fault(arrays, 0, "each incident alone")
    return out
