"""The only place where the state of the world changes.

One function per event (`on_call`, `on_enroute`, …): it checks the state, changes it, writes the log and puts what must
happen next into the outbox; the engine's loop takes it from there. Each returns the number of events in the outbox, or
-1 after a fault (`faults.py` puts it into words). Nothing here measures, prints or draws chance.
"""

from __future__ import annotations

import numpy as np

from sim.compiled import compiled_borrowing, compiled_inline
from sim.engine import events, rules
from sim.engine.log import LogKind
from sim.engine.world import (
    FAULT,
    FAULT_DETAIL,
    FAULT_ENTITY,
    IS_ESCALATION_ON,
    MAKE_READY_MS,
    N_DONE,
    N_LOG,
    N_OPEN,
    N_OUTBOX,
    N_RETURNING,
    N_WAITING,
    SlotStatus,
    UnitStatus,
)
from sim.fleet.parts import ChangeKind

FAULTED = -1
BAD_STATUS, NO_CREW, LOG_FULL, OUTBOX_FULL, WAITING_FULL, PEOPLE_BELOW_ZERO, UNKNOWN_CHANGE = range(1, 8)

AT_STATION = int(UnitStatus.AT_STATION)
TURNING_OUT = int(UnitStatus.TURNING_OUT)
EN_ROUTE = int(UnitStatus.EN_ROUTE)
ON_SCENE = int(UnitStatus.ON_SCENE)
RETURNING = int(UnitStatus.RETURNING)
MAKING_READY = int(UnitStatus.MAKING_READY)

STATION_CLOSE = int(ChangeKind.STATION_CLOSE)
STATION_OPEN = int(ChangeKind.STATION_OPEN)
UNIT_WITHDRAW = int(ChangeKind.UNIT_WITHDRAW)
UNIT_IN_SERVICE = int(ChangeKind.UNIT_IN_SERVICE)
STATION_PEOPLE = int(ChangeKind.STATION_PEOPLE)
HANDLING_REGIME = int(ChangeKind.HANDLING_REGIME)

SLOT_UNUSED = int(SlotStatus.UNUSED)
SLOT_WAITING = int(SlotStatus.WAITING)
SLOT_ASSIGNED = int(SlotStatus.ASSIGNED)
SLOT_ON_SCENE = int(SlotStatus.ON_SCENE)
SLOT_DONE = int(SlotStatus.DONE)
SLOT_RELEASED = int(SlotStatus.RELEASED)
SLOT_UNFILLED = int(SlotStatus.UNFILLED)

LOG_CHANGE = int(LogKind.CHANGE)
LOG_CALL = int(LogKind.CALL)
LOG_DISPATCH = int(LogKind.DISPATCH)
LOG_WAIT = int(LogKind.WAIT)
LOG_ENROUTE = int(LogKind.ENROUTE)
LOG_ARRIVE = int(LogKind.ARRIVE)
LOG_REVEAL = int(LogKind.REVEAL)
LOG_TURN_BACK = int(LogKind.TURN_BACK)
LOG_CLEAR = int(LogKind.CLEAR)
LOG_HOME = int(LogKind.HOME)
LOG_AVAILABLE = int(LogKind.AVAILABLE)
LOG_ESCALATE = int(LogKind.ESCALATE)
LOG_UNFILLED = int(LogKind.UNFILLED)
LOG_MET = int(LogKind.MET)
LOG_CLOSED = int(LogKind.CLOSED)
LOG_END = int(LogKind.END)


@compiled_borrowing
def fault(w, code, entity, detail):  # type: ignore[no-untyped-def]
    """Note a forbidden state (the first one stays) and return `FAULTED`."""
    if w.counts[FAULT] == 0:
        w.counts[FAULT] = code
        w.counts[FAULT_ENTITY] = entity
        w.counts[FAULT_DETAIL] = detail
    return FAULTED


@compiled_inline
def finish(w):  # type: ignore[no-untyped-def]
    """Return the number of events now in the outbox, or `FAULTED`."""
    if w.counts[FAULT] != 0:
        return np.int64(FAULTED)
    return w.counts[N_OUTBOX]


@compiled_borrowing
def write(w, now, kind, incident, slot, unit, value):  # type: ignore[no-untyped-def]
    """Append a row to the log; `slot` is the slot's number within its incident."""
    at = w.counts[N_LOG]
    if at >= w.log.shape[0]:
        fault(w, LOG_FULL, unit, kind)
        return
    row = w.log[at]
    row.time_ms = now
    row.value = value
    row.incident = incident
    row.unit = unit
    row.mission = w.units[unit].mission if unit >= 0 else -1
    row.slot = slot
    row.kind = kind
    w.counts[N_LOG] = at + 1


@compiled_borrowing
def plan(w, time_ms, kind, entity, mission):  # type: ignore[no-untyped-def]
    """Put an event into the outbox."""
    at = w.counts[N_OUTBOX]
    if at >= w.outbox.shape[0]:
        fault(w, OUTBOX_FULL, entity, kind)
        return
    w.outbox[at, 0] = time_ms
    w.outbox[at, 1] = events.event_key(kind, entity, mission)
    w.counts[N_OUTBOX] = at + 1


@compiled_inline
def slot_number(w, slot):  # type: ignore[no-untyped-def]
    """Return a slot's number within its incident."""
    return slot - w.incidents[w.slots[slot].incident].first_slot


# --- units -------------------------------------------------------------------------------------------------------


@compiled_borrowing
def _start_returning(w, now, unit, from_cell):  # type: ignore[no-untyped-def]
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
def _stop_returning(w, unit):  # type: ignore[no-untyped-def]
    at = w.units[unit].returning_at
    last = w.counts[N_RETURNING] - 1
    moved = w.returning[last]
    w.returning[at] = moved
    w.units[moved].returning_at = at
    w.units[unit].returning_at = -1
    w.counts[N_RETURNING] = last


@compiled_borrowing
def _crew_home(w, unit):  # type: ignore[no-untyped-def]
    it = w.units[unit]
    station = w.stations[it.station]
    station.people_out -= it.crew
    it.crew = 0
    if station.people_out < 0:
        fault(w, PEOPLE_BELOW_ZERO, unit, it.station)


@compiled_borrowing
def _set_off(w, now, unit):  # type: ignore[no-untyped-def]
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
        free = station.people_on_duty - station.people_out
        if free < it.crew_min or not station.is_open or not it.is_in_service:
            fault(w, NO_CREW, unit, free)
        it.crew = min(it.crew_preferred, free)
        station.people_out += it.crew
        it.status = TURNING_OUT
        it.from_cell = station.cell
        write(w, now, LOG_DISPATCH, incident, slot_number(w, slot), unit, expected_ms)
        plan(w, now + rules.turnout_ms(w, now, slot), events.ENROUTE, unit, it.mission)
    elif it.status == RETURNING:
        it.from_cell = rules.position_cell(w, unit, now)
        _stop_returning(w, unit)
        write(w, now, LOG_DISPATCH, incident, slot_number(w, slot), unit, expected_ms)
        _set_off(w, now, unit)
    else:
        fault(w, BAD_STATUS, unit, it.status)


@compiled_borrowing
def _turn_back(w, now, unit):  # type: ignore[no-untyped-def]
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
        _crew_home(w, unit)
        it.status = AT_STATION
        it.incident = -1
        it.slot = -1
    elif it.status == EN_ROUTE:
        _start_returning(w, now, unit, rules.position_cell(w, unit, now))
    else:
        fault(w, BAD_STATUS, unit, it.status)


@compiled_borrowing
def stand_by(w, unit, slot):  # type: ignore[no-untyped-def]
    """Bind a unit and its crew to a slot without sending it (the static part asks who would go)."""
    it = w.units[unit]
    station = w.stations[it.station]
    it.crew = min(it.crew_preferred, station.people_on_duty - station.people_out)
    station.people_out += it.crew
    it.status = TURNING_OUT
    w.slots[slot].unit = unit


@compiled_borrowing
def stand_down(w, slot):  # type: ignore[no-untyped-def]
    """Undo `stand_by` for whatever unit is bound to a slot."""
    unit = w.slots[slot].unit
    if unit >= 0:
        _crew_home(w, unit)
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
def _enqueue(w, slot):  # type: ignore[no-untyped-def]
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
def _dequeue(w, at):  # type: ignore[no-untyped-def]
    w.incidents[w.slots[w.waiting[at]].incident].n_waiting -= 1
    last = w.counts[N_WAITING] - 1
    for place in range(at, last):
        w.waiting[place] = w.waiting[place + 1]
    w.counts[N_WAITING] = last


@compiled_borrowing
def _open_need(w, now, incident, number, capability):  # type: ignore[no-untyped-def]
    """Fill a slot with the unit the policy chooses, or let it wait."""
    slot = w.incidents[incident].first_slot + number
    w.slots[slot].capability = capability
    unit, expected = rules.choose_unit(w, now, incident, capability)
    if unit != rules.NOBODY:
        assign(w, now, slot, unit, expected)
    else:
        write(w, now, LOG_WAIT, incident, number, -1, capability)
        _enqueue(w, slot)


@compiled_borrowing
def _open_needs(w, now, incident):  # type: ignore[no-untyped-def]
    """Open every need of the true card at the present grade that is not open yet (or was released)."""
    it = w.incidents[incident]
    card = w.card_start[it.kind]
    for place in range(w.card_start[it.kind + 1] - card):
        status = w.slots[it.first_slot + place].status
        if w.needs[card + place].from_grade <= it.grade and status in (SLOT_UNUSED, SLOT_RELEASED):
            _open_need(w, now, incident, place, w.needs[card + place].capability)


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
            _dequeue(w, at)
            assign(w, now, slot, unit, expected)


@compiled_borrowing
def _give_up_waiting(w, now, incident):  # type: ignore[no-untyped-def]
    at = 0
    while at < w.counts[N_WAITING]:
        slot = w.waiting[at]
        if w.slots[slot].incident == incident:
            _dequeue(w, at)
            w.slots[slot].status = SLOT_UNFILLED
            write(w, now, LOG_UNFILLED, incident, slot_number(w, slot), -1, w.slots[slot].capability)
        else:
            at += 1


@compiled_borrowing
def _close_if_over(w, now, incident):  # type: ignore[no-untyped-def]
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


# --- what the first arrival finds --------------------------------------------------------------------------------


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
def _drop_surplus(w, now, incident, begin, end, grade):  # type: ignore[no-untyped-def]
    """Turn back units and drop waits of slots begin … end-1 whose need starts above `grade` (-1: all of them)."""
    it = w.incidents[incident]
    card = w.card_start[it.kind]
    for number in range(begin, end):
        if grade >= 0 and w.needs[card + number].from_grade <= grade:
            continue
        slot = it.first_slot + number
        if w.slots[slot].status == SLOT_ASSIGNED:
            _turn_back(w, now, w.slots[slot].unit)
        elif w.slots[slot].status == SLOT_WAITING:
            for at in range(w.counts[N_WAITING]):
                if w.waiting[at] == slot:
                    _dequeue(w, at)
                    break
            w.slots[slot].status = SLOT_RELEASED


@compiled_borrowing
def _reveal(w, now, incident, unit):  # type: ignore[no-untyped-def]
    """Let the first arrival show the true kind and grade: keep what fits, turn back the rest, add what lacks."""
    it = w.incidents[incident]
    it.is_revealed = 1
    write(w, now, LOG_REVEAL, incident, slot_number(w, w.units[unit].slot), unit, it.kind * 8 + it.grade)
    n_true = w.card_start[it.kind + 1] - w.card_start[it.kind]
    if it.reported_kind == it.kind:
        _drop_surplus(w, now, incident, 0, n_true, it.grade)
    else:
        _match_reported_slots(w, incident)
        n_reported = w.card_start[it.reported_kind + 1] - w.card_start[it.reported_kind]
        _drop_surplus(w, now, incident, n_true, n_true + n_reported, -1)
    _open_needs(w, now, incident)


@compiled_borrowing
def _plan_clear(w, now, unit):  # type: ignore[no-untyped-def]
    """Plan the instant a unit at the scene is done, at the incident's present grade."""
    it = w.units[unit]
    arrive_ms = w.slots[it.slot].arrive_ms
    clear_ms = max(now, arrive_ms + rules.on_scene_ms(w, it.incident, it.slot, arrive_ms))
    if clear_ms != it.clear_ms:
        it.clear_ms = clear_ms
        plan(w, clear_ms, events.CLEAR, unit, it.mission)


@compiled_borrowing
def _note_if_met(w, now, incident):  # type: ignore[no-untyped-def]
    it = w.incidents[incident]
    if it.met_ms == rules.NEVER_MS:
        met_ms = rules.met_instant(w, incident)
        if met_ms != rules.NEVER_MS:
            it.met_ms = met_ms
            write(w, now, LOG_MET, incident, -1, -1, met_ms)


@compiled_borrowing
def _plan_escalation(w, now, incident):  # type: ignore[no-untyped-def]
    it = w.incidents[incident]
    latent = rules.latent_ms(w, incident, it.grade)
    if w.params[IS_ESCALATION_ON] and latent != rules.NEVER_MS:
        plan(w, max(now, it.call_ms + latent), events.ESCALATE, incident, it.grade)


# --- one function per event --------------------------------------------------------------------------------------


@compiled_borrowing
def on_call(w, now, incident):  # type: ignore[no-untyped-def]
    """The call has been handled: open the needs of the reported kind and grade, start the latent clock."""
    w.counts[N_OUTBOX] = 0
    it = w.incidents[incident]
    w.counts[N_OPEN] += 1
    write(w, now, LOG_CALL, incident, -1, -1, it.call_ms)
    card = w.card_start[it.reported_kind]
    offset = 0
    if it.reported_kind != it.kind:
        offset = w.card_start[it.kind + 1] - w.card_start[it.kind]
    for place in range(w.card_start[it.reported_kind + 1] - card):
        if w.needs[card + place].from_grade <= it.reported_grade:
            _open_need(w, now, incident, offset + place, w.needs[card + place].capability)
    _plan_escalation(w, now, incident)
    return finish(w)


@compiled_borrowing
def on_enroute(w, now, unit, mission):  # type: ignore[no-untyped-def]
    """Turnout is over: the unit leaves its station with its crew."""
    w.counts[N_OUTBOX] = 0
    it = w.units[unit]
    if it.mission != mission:
        return finish(w)
    if it.status != TURNING_OUT:
        return fault(w, BAD_STATUS, unit, it.status)
    _set_off(w, now, unit)
    return finish(w)


@compiled_borrowing
def on_arrive(w, now, unit, mission):  # type: ignore[no-untyped-def]
    """The unit is at the address; the first one reveals what it is; critical units may meet the critical task."""
    w.counts[N_OUTBOX] = 0
    it = w.units[unit]
    if it.mission != mission:
        return finish(w)
    if it.status != EN_ROUTE:
        return fault(w, BAD_STATUS, unit, it.status)
    incident = it.incident
    access = rules.access_ms(w, incident, it.slot)
    it.status = ON_SCENE
    it.from_cell = it.to_cell
    w.slots[it.slot].status = SLOT_ON_SCENE
    w.slots[it.slot].arrive_ms = now
    write(w, now, LOG_ARRIVE, incident, slot_number(w, it.slot), unit, access)
    if not w.incidents[incident].is_revealed:
        _reveal(w, now, incident, unit)
    w.slots[it.slot].working_ms = now + access
    it.clear_ms = -1
    _plan_clear(w, now, unit)
    _note_if_met(w, now, incident)
    if w.counts[N_WAITING] > 0:
        serve_waiting(w, now)
    return finish(w)


@compiled_borrowing
def on_clear(w, now, unit, mission):  # type: ignore[no-untyped-def]
    """The unit's work is done: it starts for home and may be sent on from now."""
    w.counts[N_OUTBOX] = 0
    it = w.units[unit]
    if it.mission != mission or it.clear_ms != now or it.status != ON_SCENE:
        return finish(w)
    incident = it.incident
    slot = it.slot
    write(w, now, LOG_CLEAR, incident, slot_number(w, slot), unit, now - w.slots[slot].arrive_ms)
    w.slots[slot].status = SLOT_DONE
    w.incidents[incident].n_active -= 1
    _start_returning(w, now, unit, w.incidents[incident].cell)
    _close_if_over(w, now, incident)
    serve_waiting(w, now)
    return finish(w)


@compiled_borrowing
def on_home(w, now, unit, mission):  # type: ignore[no-untyped-def]
    """The unit is back: its crew is free for any vehicle, the unit itself is made ready."""
    w.counts[N_OUTBOX] = 0
    it = w.units[unit]
    if it.mission != mission:
        return finish(w)
    if it.status != RETURNING:
        return fault(w, BAD_STATUS, unit, it.status)
    _stop_returning(w, unit)
    _crew_home(w, unit)
    it.status = MAKING_READY
    write(w, now, LOG_HOME, -1, -1, unit, -1)
    plan(w, now + w.params[MAKE_READY_MS], events.AVAILABLE, unit, mission)
    serve_waiting(w, now)
    return finish(w)


@compiled_borrowing
def on_available(w, now, unit, mission):  # type: ignore[no-untyped-def]
    """Make-ready is over: the unit stands in its bay again."""
    w.counts[N_OUTBOX] = 0
    it = w.units[unit]
    if it.mission != mission:
        return finish(w)
    if it.status != MAKING_READY:
        return fault(w, BAD_STATUS, unit, it.status)
    it.status = AT_STATION
    write(w, now, LOG_AVAILABLE, -1, -1, unit, -1)
    serve_waiting(w, now)
    return finish(w)


@compiled_borrowing
def on_escalate(w, now, incident, grade):  # type: ignore[no-untyped-def]
    """The latent clock runs out: unless the critical task is met, the incident outgrows its grade."""
    w.counts[N_OUTBOX] = 0
    it = w.incidents[incident]
    if it.is_closed or it.grade != grade or it.met_ms <= now:
        return finish(w)
    it.grade = grade + 1
    it.met_ms = rules.NEVER_MS
    write(w, now, LOG_ESCALATE, incident, -1, -1, grade + 1)
    if it.is_revealed:
        _open_needs(w, now, incident)
        for slot in range(it.first_slot, it.first_slot + _n_slots(w, incident)):
            if w.slots[slot].status == SLOT_ON_SCENE:
                _plan_clear(w, now, w.slots[slot].unit)
        _note_if_met(w, now, incident)
    _plan_escalation(w, now, incident)
    return finish(w)


@compiled_borrowing
def _n_slots(w, incident):  # type: ignore[no-untyped-def]
    it = w.incidents[incident]
    n_true = w.card_start[it.kind + 1] - w.card_start[it.kind]
    if it.reported_kind == it.kind:
        return n_true
    return n_true + w.card_start[it.reported_kind + 1] - w.card_start[it.reported_kind]


@compiled_borrowing
def apply_change(w, change):  # type: ignore[no-untyped-def]
    """Carry out one dated change. Units out of a closed station or withdrawn stay in use until they are home."""
    row = w.changes[change]
    if row.kind == STATION_CLOSE:
        w.stations[row.entity].is_open = 0
    elif row.kind == STATION_OPEN:
        w.stations[row.entity].is_open = 1
    elif row.kind == UNIT_WITHDRAW:
        w.units[row.entity].is_in_service = 0
    elif row.kind == UNIT_IN_SERVICE:
        w.units[row.entity].is_in_service = 1
    elif row.kind == STATION_PEOPLE:
        w.stations[row.entity].people_on_duty = row.value
    elif row.kind != HANDLING_REGIME:  # the handling regime is in each incident's due time already
        fault(w, UNKNOWN_CHANGE, change, row.kind)


@compiled_borrowing
def on_change(w, now, change):  # type: ignore[no-untyped-def]
    """A dated change of stations, units or people takes effect."""
    w.counts[N_OUTBOX] = 0
    apply_change(w, change)
    write(w, now, LOG_CHANGE, change, -1, -1, w.changes[change].value)
    if w.counts[N_WAITING] > 0:
        serve_waiting(w, now)
    return finish(w)


@compiled_borrowing
def on_end(w):  # type: ignore[no-untyped-def]
    """Nothing is left to happen: needs that still wait are unfilled for good. The run ends with its last row."""
    w.counts[N_OUTBOX] = 0
    now = np.int64(0)
    if w.counts[N_LOG] > 0:
        now = w.log[w.counts[N_LOG] - 1].time_ms
    while w.counts[N_WAITING] > 0:
        slot = w.waiting[0]
        _dequeue(w, 0)
        w.slots[slot].status = SLOT_UNFILLED
        write(w, now, LOG_UNFILLED, w.slots[slot].incident, slot_number(w, slot), -1, w.slots[slot].capability)
    write(w, now, LOG_END, -1, -1, -1, w.counts[N_OPEN])
    return finish(w)
