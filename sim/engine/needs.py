"""How the state of needs changes: they open, wait in the queue, are served, are given up with their incident.

The building blocks of what happens at an event, as in `state.py`. Next: `transitions.py`.
"""

from __future__ import annotations

from sim.compiled import compiled_borrowing, compiled_inline
from sim.engine import choice, events, rules
from sim.engine.codes import (
    LOG_CLOSED,
    LOG_UNFILLED,
    LOG_WAIT,
    SLOT_RELEASED,
    SLOT_UNFILLED,
    SLOT_UNUSED,
    SLOT_WAITING,
    WAITING_FULL,
)
from sim.engine.journal import fault, plan, slot_number, write
from sim.engine.state import assign
from sim.engine.windows import await_flight
from sim.engine.world import HELP_WAIT_MS, N_DONE, N_OPEN, N_WAITING


@compiled_borrowing
def _goes_before(w, slot_a, slot_b):  # type: ignore[no-untyped-def]
    """Return whether the first slot is served before the second: known kind's priority, call time, incident, slot."""
    a = w.incidents[w.slots[slot_a].incident]
    b = w.incidents[w.slots[slot_b].incident]
    if a.priority != b.priority:
        return a.priority < b.priority
    if a.call_ms != b.call_ms:
        return a.call_ms < b.call_ms
    return slot_a < slot_b  # slots are laid out incident by incident


@compiled_borrowing
def enqueue(w, slot):  # type: ignore[no-untyped-def]
    """Let a slot wait, in its place in the queue."""
    at = w.counts[N_WAITING]
    if at >= w.waiting.shape[0]:
        fault(w, WAITING_FULL, slot, at)
        return
    while at > 0 and _goes_before(w, slot, w.waiting[at - 1]):
        w.waiting[at] = w.waiting[at - 1]
        at -= 1
    w.waiting[at] = slot
    w.counts[N_WAITING] += 1
    w.slots[slot].status = SLOT_WAITING
    w.slots[slot].looked = choice.look_state(w, 0)
    w.incidents[w.slots[slot].incident].n_waiting += 1


@compiled_borrowing
def dequeue(w, at):  # type: ignore[no-untyped-def]
    """Take the slot at a place of the queue out of it."""
    w.incidents[w.slots[w.waiting[at]].incident].n_waiting -= 1
    last = w.counts[N_WAITING] - 1
    for place in range(at, last):
        w.waiting[place] = w.waiting[place + 1]
    w.counts[N_WAITING] = last


@compiled_borrowing
def open_need(w, now, incident, number, capability):  # type: ignore[no-untyped-def]
    """Fill a slot with the unit the policy chooses, or let it wait."""
    slot = w.incidents[incident].first_slot + number
    w.slots[slot].capability = capability
    w.slots[slot].opened_ms = now
    w.incidents[incident].n_opened = max(w.incidents[incident].n_opened, number + 1)
    unit, expected = choice.choose_unit(w, now, incident, capability, 0)
    if unit != rules.NOBODY:
        assign(w, now, slot, unit, expected)
        return
    write(w, now, LOG_WAIT, incident, number, -1, capability)
    enqueue(w, slot)
    if w.params[HELP_WAIT_MS] != rules.NEVER_MS:  # help is asked again once the need has waited long enough
        plan(w, now + w.params[HELP_WAIT_MS], events.POLICY, w.stations.shape[0] + incident, 0)
    if w.craft.shape[0] > 0:
        await_flight(w, now, slot)


@compiled_borrowing
def open_needs(w, now, incident):  # type: ignore[no-untyped-def]
    """Open every need of the true card at the present grade that is not open yet (or was released)."""
    it = w.incidents[incident]
    card = w.card_start[it.kind]
    for place in range(w.card_start[it.kind + 1] - card):
        status = w.slots[it.first_slot + place].status
        if w.needs[card + place].from_grade <= it.grade and status in (SLOT_UNUSED, SLOT_RELEASED):
            open_need(w, now, incident, place, w.needs[card + place].capability)


@compiled_inline
def serve_waiting(w, now):  # type: ignore[no-untyped-def]
    """Offer whatever is free to the needs that wait, if any do, in the order of the queue."""
    if w.counts[N_WAITING] > 0:
        _serve_all(w, now)


@compiled_borrowing
def _serve_all(w, now):  # type: ignore[no-untyped-def]
    at = 0
    while at < w.counts[N_WAITING]:
        slot = w.waiting[at]
        unit, expected = choice.choose_for_waiting(w, now, slot)
        if unit == rules.NOBODY:
            at += 1
        else:
            dequeue(w, at)
            assign(w, now, slot, unit, expected)


@compiled_borrowing
def _give_up_waiting(w, now, incident):  # type: ignore[no-untyped-def]
    at = 0
    while at < w.counts[N_WAITING]:
        slot = w.waiting[at]
        if w.slots[slot].incident == incident:
            dequeue(w, at)
            w.slots[slot].status = SLOT_UNFILLED
            write(w, now, LOG_UNFILLED, incident, slot_number(w, slot), -1, w.slots[slot].capability)
        else:
            at += 1


@compiled_borrowing
def close_if_over(w, now, incident):  # type: ignore[no-untyped-def]
    """Close a revealed incident whose last unit has left; needs that still wait are counted as unfilled."""
    it = w.incidents[incident]
    if it.n_active > 0 or not it.is_revealed or it.is_closed:
        return
    if it.n_waiting > 0:
        _give_up_waiting(w, now, incident)
    it.is_closed = 1
    w.counts[N_OPEN] -= 1
    w.counts[N_DONE] += 1
    write(w, now, LOG_CLOSED, incident, -1, -1, -1)
