"""What the first arrival finds: the true kind and grade, who of those sent for what is no need fits, who turns back.

Changes of state made of those in `state.py` and `needs.py`, as the first unit reaches the address. Next:
`transitions.py`.
"""

from __future__ import annotations

from sim.compiled import compiled_borrowing
from sim.engine.codes import LOG_REVEAL, SLOT_ASSIGNED, SLOT_ON_SCENE, SLOT_RELEASED, SLOT_UNUSED, SLOT_WAITING
from sim.engine.journal import slot_number, write
from sim.engine.needs import dequeue, open_needs
from sim.engine.state import turn_back
from sim.engine.world import N_GAINS, N_WAITING


@compiled_borrowing
def _move_slot(w, source, target, capability):  # type: ignore[no-untyped-def]
    unit = w.slots[source].unit
    w.slots[target].status = w.slots[source].status
    w.slots[target].unit = unit
    w.slots[target].capability = capability
    w.slots[target].arrive_ms = w.slots[source].arrive_ms
    w.slots[source].status = SLOT_UNUSED
    w.slots[source].unit = -1
    w.units[unit].slot = target


@compiled_borrowing
def hand_over(w, incident, sent_to):  # type: ignore[no-untyped-def]
    """Let units that were sent for what is no need serve true needs instead, as the first arrives, sent to `sent_to`.

    Where the caller told another kind, whoever can; where it told the kind and too high a grade, the one at the scene.
    """
    it = w.incidents[incident]
    if it.reported_kind != it.kind:
        _match_reported_slots(w, incident)
    elif w.needs[w.card_start[it.kind] + slot_number(w, sent_to)].from_grade > it.grade:
        _take_true_need(w, incident, sent_to)


@compiled_borrowing
def _take_true_need(w, incident, sent_to):  # type: ignore[no-untyped-def]
    """Let the unit in a slot that is no need take the first true need it can serve, down the card.

    Whoever is on the way to that one takes the next that it can serve, and so on: the last is left in `sent_to`.
    """
    it = w.incidents[incident]
    card = w.card_start[it.kind]
    for place in range(w.card_start[it.kind + 1] - card):
        need = w.needs[card + place]
        if need.from_grade > it.grade or not (w.units[w.slots[sent_to].unit].capabilities >> need.capability) & 1:
            continue
        slot = it.first_slot + place
        if w.slots[slot].status == SLOT_WAITING:
            _stop_waiting(w, slot)
            _move_slot(w, sent_to, slot, need.capability)
            return
        replaced = w.slots[slot].unit
        _move_slot(w, sent_to, slot, need.capability)
        w.slots[sent_to].status = SLOT_ASSIGNED
        w.slots[sent_to].unit = replaced
        w.units[replaced].slot = sent_to


@compiled_borrowing
def _match_reported_slots(w, incident):  # type: ignore[no-untyped-def]
    """Hand units sent for the reported kind over to needs of the true kind that they can serve.

    True needs in the order of their card; for each, a unit at the scene first, then the reported slots in order.
    """
    it = w.incidents[incident]
    card = w.card_start[it.kind]
    n_true = w.card_start[it.kind + 1] - card
    n_reported = w.card_start[it.reported_kind + 1] - w.card_start[it.reported_kind]
    for place in range(n_true):
        need = w.needs[card + place]
        if need.from_grade > it.grade:
            continue
        chosen = -1
        for other in range(n_true, n_true + n_reported):
            slot = w.slots[it.first_slot + other]
            if slot.status != SLOT_ASSIGNED and slot.status != SLOT_ON_SCENE:
                continue
            if not (w.units[slot.unit].capabilities >> need.capability) & 1:
                continue
            if slot.status == SLOT_ON_SCENE or chosen < 0:
                chosen = other
            if slot.status == SLOT_ON_SCENE:
                break
        if chosen >= 0:
            _move_slot(w, it.first_slot + chosen, it.first_slot + place, need.capability)


@compiled_borrowing
def _stop_waiting(w, slot):  # type: ignore[no-untyped-def]
    """Take a slot out of the queue of those that wait."""
    for at in range(w.counts[N_WAITING]):
        if w.waiting[at] == slot:
            dequeue(w, at)
            return


@compiled_borrowing
def _drop_surplus(w, now, incident, begin, end, grade):  # type: ignore[no-untyped-def]
    """Turn back units and drop waits of slots begin … end-1 whose need starts above `grade` (-1: all of them)."""
    it = w.incidents[incident]
    card = w.card_start[it.kind]
    for number in range(begin, end):
        if grade >= 0 and w.needs[card + number].from_grade <= grade:
            continue
        slot = it.first_slot + number
        if w.slots[slot].status == SLOT_ASSIGNED:
            turn_back(w, now, w.slots[slot].unit)
        elif w.slots[slot].status == SLOT_WAITING:
            _stop_waiting(w, slot)
            w.slots[slot].status = SLOT_RELEASED


@compiled_borrowing
def reveal(w, now, incident, unit, slot):  # type: ignore[no-untyped-def]
    """Let the first arrival show the true kind and grade: turn back what does not fit, add what lacks.

    `slot`: the one it was sent to. Units sent for what is no need have been handed over to what they fit already.
    """
    it = w.incidents[incident]
    it.is_revealed = 1
    w.counts[N_GAINS] += 1  # what it really is may release help
    write(w, now, LOG_REVEAL, incident, slot_number(w, slot), unit, it.kind * 8 + it.grade)
    if it.reported_kind == it.kind and it.reported_grade == it.grade:
        return  # the report was exact: what is needed has been asked for
    n_true = w.card_start[it.kind + 1] - w.card_start[it.kind]
    if it.reported_kind == it.kind:
        _drop_surplus(w, now, incident, 0, n_true, it.grade)
    else:
        n_reported = w.card_start[it.reported_kind + 1] - w.card_start[it.reported_kind]
        _drop_surplus(w, now, incident, n_true, n_true + n_reported, -1)
        it.priority = w.kind_priority[it.kind]  # none of its needs waits now, so the queue stays in order
    open_needs(w, now, incident)
