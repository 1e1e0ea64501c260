"""How the state of the world changes: units that leave and come home, needs that open, wait and are filled.

The building blocks of what happens at an event. They check the state they start from, change it, write the log and put
what must happen next into the outbox. Nothing here measures, prints or draws chance. Next: `transitions.py`.
"""

from __future__ import annotations

from sim.compiled import compiled_borrowing
from sim.engine import events, rules
from sim.engine.codes import (
    AT_STATION,
    BAD_STATUS,
    EN_ROUTE,
    LOG_CLOSED,
    LOG_DISPATCH,
    LOG_ENROUTE,
    LOG_TURN_BACK,
    LOG_UNFILLED,
    LOG_WAIT,
    NO_CREW,
    PEOPLE_BELOW_ZERO,
    RETURNING,
    SLOT_ASSIGNED,
    SLOT_RELEASED,
    SLOT_UNFILLED,
    SLOT_UNUSED,
    SLOT_WAITING,
    TURNING_OUT,
    WAITING_FULL,
)
from sim.engine.journal import fault, plan, slot_number, write
from sim.engine.world import N_DONE, N_OPEN, N_RETURNING, N_WAITING

# --- units -------------------------------------------------------------------------------------------------------


@compiled_borrowing
def start_returning(w, now, unit, from_cell):  # type: ignore[no-untyped-def]
    """Let a unit start for its station from a cell; it may be sent on until it is home."""
    it = w.units[unit]
    station_cell = w.stations[it.station].cell
    it.status = RETURNING
    it.from_cell = from_cell
    it.to_cell = station_cell
    it.leave_ms = now
    it.arrive_ms = now + rules.home_ms(w, now, from_cell, station_cell)
    it.incident = -1
    it.slot = -1
    at = w.counts[N_RETURNING]
    w.returning[at] = unit
    it.returning_at = at
    w.counts[N_RETURNING] = at + 1
    plan(w, it.arrive_ms, events.HOME, unit, it.mission)


@compiled_borrowing
def stop_returning(w, unit):  # type: ignore[no-untyped-def]
    """Take a unit off the list of those on their way home."""
    at = w.units[unit].returning_at
    last = w.counts[N_RETURNING] - 1
    moved = w.returning[last]
    w.returning[at] = moved
    w.units[moved].returning_at = at
    w.units[unit].returning_at = -1
    w.counts[N_RETURNING] = last


@compiled_borrowing
def crew_home(w, unit):  # type: ignore[no-untyped-def]
    """Give a unit's crew back to its station."""
    it = w.units[unit]
    station = w.stations[it.station]
    station.people_out -= it.crew
    it.crew = 0
    if station.people_out < 0:
        fault(w, PEOPLE_BELOW_ZERO, unit, it.station)


@compiled_borrowing
def set_off(w, now, unit):  # type: ignore[no-untyped-def]
    """Let a unit with its crew aboard drive to its incident."""
    it = w.units[unit]
    it.status = EN_ROUTE
    it.leave_ms = now
    it.to_cell = w.incidents[it.incident].cell
    it.arrive_ms = now + rules.travel_ms(w, now, it.incident, it.slot, it.from_cell)
    write(w, now, LOG_ENROUTE, it.incident, slot_number(w, it.slot), unit, it.crew)
    plan(w, it.arrive_ms, events.ARRIVE, unit, it.mission)


@compiled_borrowing
def assign(w, now, slot, unit, expected_ms):  # type: ignore[no-untyped-def]
    """Send a unit to a slot: from its bay after turnout, or at once when it is on its way home."""
    it = w.units[unit]
    incident = w.slots[slot].incident
    w.slots[slot].status = SLOT_ASSIGNED
    w.slots[slot].unit = unit
    w.incidents[incident].n_active += 1
    it.mission += 1
    it.incident = incident
    it.slot = slot
    if it.status == AT_STATION:
        station = w.stations[it.station]
        free = rules.people_free(w, it.station)
        if free < it.crew_min or not station.is_open or not it.is_in_service:
            fault(w, NO_CREW, unit, free)
        it.crew = rules.crew_for(w, unit)
        station.people_out += it.crew
        it.status = TURNING_OUT
        it.from_cell = station.cell
        write(w, now, LOG_DISPATCH, incident, slot_number(w, slot), unit, expected_ms)
        plan(w, now + rules.turnout_ms(w, now, slot), events.ENROUTE, unit, it.mission)
    elif it.status == RETURNING:
        it.from_cell = rules.position_cell(w, unit, now)
        stop_returning(w, unit)
        write(w, now, LOG_DISPATCH, incident, slot_number(w, slot), unit, expected_ms)
        set_off(w, now, unit)
    else:
        fault(w, BAD_STATUS, unit, it.status)


@compiled_borrowing
def turn_back(w, now, unit):  # type: ignore[no-untyped-def]
    """Release a unit that has not arrived: it stands down in its bay, or drives home from where it is."""
    it = w.units[unit]
    incident = it.incident
    slot = it.slot
    write(w, now, LOG_TURN_BACK, incident, slot_number(w, slot), unit, -1)
    w.slots[slot].status = SLOT_RELEASED
    w.slots[slot].unit = -1
    w.incidents[incident].n_active -= 1
    it.mission += 1
    if it.status == TURNING_OUT:
        crew_home(w, unit)
        it.status = AT_STATION
        it.incident = -1
        it.slot = -1
    elif it.status == EN_ROUTE:
        start_returning(w, now, unit, rules.position_cell(w, unit, now))
    else:
        fault(w, BAD_STATUS, unit, it.status)


@compiled_borrowing
def stand_by(w, unit, slot):  # type: ignore[no-untyped-def]
    """Bind a unit and its crew to a slot without sending it (the static part asks who would go)."""
    it = w.units[unit]
    station = w.stations[it.station]
    it.crew = rules.crew_for(w, unit)
    station.people_out += it.crew
    it.status = TURNING_OUT
    w.slots[slot].unit = unit


@compiled_borrowing
def stand_down(w, slot):  # type: ignore[no-untyped-def]
    """Undo `stand_by` for whatever unit is bound to a slot."""
    unit = w.slots[slot].unit
    if unit >= 0:
        crew_home(w, unit)
        w.units[unit].status = AT_STATION
        w.slots[slot].unit = -1


# --- needs and the queue -----------------------------------------------------------------------------------------


@compiled_borrowing
def _goes_before(w, slot_a, slot_b):  # type: ignore[no-untyped-def]
    """Return whether the first slot is served before the second: priority, call time, incident, slot."""
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
    unit, expected = rules.choose_unit(w, now, incident, capability)
    if unit != rules.NOBODY:
        assign(w, now, slot, unit, expected)
    else:
        write(w, now, LOG_WAIT, incident, number, -1, capability)
        enqueue(w, slot)


@compiled_borrowing
def open_needs(w, now, incident):  # type: ignore[no-untyped-def]
    """Open every need of the true card at the present grade that is not open yet (or was released)."""
    it = w.incidents[incident]
    card = w.card_start[it.kind]
    for place in range(w.card_start[it.kind + 1] - card):
        status = w.slots[it.first_slot + place].status
        if w.needs[card + place].from_grade <= it.grade and status in (SLOT_UNUSED, SLOT_RELEASED):
            open_need(w, now, incident, place, w.needs[card + place].capability)


@compiled_borrowing
def serve_waiting(w, now):  # type: ignore[no-untyped-def]
    """Offer whatever is free to the needs that wait, in the order of the queue."""
    at = 0
    while at < w.counts[N_WAITING]:
        slot = w.waiting[at]
        unit, expected = rules.choose_unit(w, now, w.slots[slot].incident, w.slots[slot].capability)
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
