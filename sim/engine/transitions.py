"""What each event does to the city: one function per event, made of the changes in `state.py`.

Each empties the outbox, checks that its event still holds, changes the state and returns the number of events now in
the outbox, or -1 after a fault (`faults.py` puts it into words). Only here and in `state.py` does the state change.
"""

from __future__ import annotations

import numpy as np

from sim.compiled import compiled_borrowing
from sim.engine import approach, cover, events, rules
from sim.engine.codes import (
    AT_STATION,
    BAD_STATUS,
    EN_ROUTE,
    HANDLING_REGIME,
    LOG_ARRIVE,
    LOG_AVAILABLE,
    LOG_CALL,
    LOG_CHANGE,
    LOG_CLEAR,
    LOG_END,
    LOG_ESCALATE,
    LOG_HOME,
    LOG_MET,
    LOG_RESTED,
    LOG_REVEAL,
    LOG_SHIFT,
    LOG_STAND_BY,
    LOG_UNFILLED,
    LOG_VILLAGE,
    MAKING_READY,
    MOVING_UP,
    ON_SCENE,
    RETURNING,
    SLOT_ASSIGNED,
    SLOT_DONE,
    SLOT_ON_SCENE,
    SLOT_RELEASED,
    SLOT_UNFILLED,
    SLOT_UNUSED,
    SLOT_WAITING,
    STANDING_BY,
    STATION_CLOSE,
    STATION_OPEN,
    STATION_PEOPLE,
    TURNING_OUT,
    UNIT_FAILS,
    UNIT_IN_SERVICE,
    UNIT_MENDED,
    UNIT_WITHDRAW,
    UNKNOWN_CHANGE,
)
from sim.engine.journal import fault, finish, plan, slot_number, write
from sim.engine.state import (
    CREW_BITS,
    SHIFT_BITS,
    await_flight,
    close_if_over,
    crew_rests,
    dequeue,
    looked_in_vain,
    move_up,
    open_need,
    open_needs,
    recall_if_moved_up,
    review_cover,
    serve_waiting,
    set_off,
    start_returning,
    stop_away,
    turn_back,
)
from sim.engine.world import (
    IS_ESCALATION_ON,
    MAKE_READY_MS,
    MOVE_UP_NONE,
    MOVE_UP_POLICY,
    N_LOG,
    N_OPEN,
    N_OUTBOX,
    N_WAITING,
)

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
            turn_back(w, now, w.slots[slot].unit)
        elif w.slots[slot].status == SLOT_WAITING:
            for at in range(w.counts[N_WAITING]):
                if w.waiting[at] == slot:
                    dequeue(w, at)
                    break
            w.slots[slot].status = SLOT_RELEASED


@compiled_borrowing
def _reveal(w, now, incident, unit, slot):  # type: ignore[no-untyped-def]
    """Let the first arrival show the true kind and grade: turn back what does not fit, add what lacks.

    `slot`: the one it was sent to. Units sent for another kind have been handed over to what fits already.
    """
    it = w.incidents[incident]
    it.is_revealed = 1
    write(w, now, LOG_REVEAL, incident, slot_number(w, slot), unit, it.kind * 8 + it.grade)
    n_true = w.card_start[it.kind + 1] - w.card_start[it.kind]
    if it.reported_kind == it.kind:
        _drop_surplus(w, now, incident, 0, n_true, it.grade)
    else:
        n_reported = w.card_start[it.reported_kind + 1] - w.card_start[it.reported_kind]
        _drop_surplus(w, now, incident, n_true, n_true + n_reported, -1)
    open_needs(w, now, incident)


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
    if it.village_ms >= 0:
        write(w, now, LOG_VILLAGE, incident, -1, -1, it.call_ms + it.village_ms)
    card = w.card_start[it.reported_kind]
    offset = 0
    if it.reported_kind != it.kind:
        offset = w.card_start[it.kind + 1] - w.card_start[it.kind]
    for place in range(w.card_start[it.reported_kind + 1] - card):
        if w.needs[card + place].from_grade <= it.reported_grade:
            open_need(w, now, incident, offset + place, w.needs[card + place].capability)
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
    set_off(w, now, unit)
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
    incident, sent_to = it.incident, it.slot
    it.status = ON_SCENE
    it.from_cell = it.to_cell
    w.slots[sent_to].status = SLOT_ON_SCENE
    w.slots[sent_to].arrive_ms = now
    is_first = not w.incidents[incident].is_revealed
    if is_first and w.incidents[incident].reported_kind != w.incidents[incident].kind:
        _match_reported_slots(w, incident)
    access = approach.access_ms(w, now, unit, sent_to)
    write(w, now, LOG_ARRIVE, incident, slot_number(w, sent_to), unit, access)
    if is_first:
        _reveal(w, now, incident, unit, sent_to)
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
    start_returning(w, now, unit, it.to_cell)
    close_if_over(w, now, incident)
    serve_waiting(w, now)
    return finish(w)


@compiled_borrowing
def on_home(w, now, unit, mission):  # type: ignore[no-untyped-def]
    """The unit is back: its crew is free for any vehicle, it is made ready itself. One moved up is at its post."""
    w.counts[N_OUTBOX] = 0
    it = w.units[unit]
    if it.mission != mission:
        return finish(w)
    if it.status == MOVING_UP:
        it.status = STANDING_BY
        write(w, now, LOG_STAND_BY, it.post, -1, unit, -1)
        return finish(w)
    if it.status != RETURNING:
        return fault(w, BAD_STATUS, unit, it.status)
    stop_away(w, unit)
    crew_rests(w, now, unit)
    it.status = MAKING_READY
    it.from_cell = it.to_cell
    write(w, now, LOG_HOME, -1, -1, unit, -1)
    ready_ms = w.params[MAKE_READY_MS] if it.ready_ms < 0 else np.int64(it.ready_ms)
    plan(w, now + ready_ms, events.AVAILABLE, unit, mission)
    review_cover(w, now, it.station)
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
    review_cover(w, now, it.station)
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
        open_needs(w, now, incident)
        for slot in range(it.first_slot, it.first_slot + rules.n_slots_of(w, incident)):
            if w.slots[slot].status == SLOT_ON_SCENE:
                _plan_clear(w, now, w.slots[slot].unit)
        _note_if_met(w, now, incident)
    _plan_escalation(w, now, incident)
    if w.counts[N_WAITING] > 0:
        serve_waiting(w, now)  # the grade may have released help
    return finish(w)


@compiled_borrowing
def apply_change(w, change):  # type: ignore[no-untyped-def]
    """Carry out one dated change. Units of a closed station, withdrawn or failed stay in use until they are home."""
    row = w.changes[change]
    if row.kind == STATION_CLOSE:
        w.stations[row.entity].is_open = 0
    elif row.kind == STATION_OPEN:
        w.stations[row.entity].is_open = 1
    elif row.kind == UNIT_WITHDRAW:
        w.units[row.entity].is_in_service = 0
    elif row.kind == UNIT_IN_SERVICE:
        w.units[row.entity].is_in_service = 1
    elif row.kind == UNIT_FAILS:
        w.units[row.entity].is_failed = 1
    elif row.kind == UNIT_MENDED:
        w.units[row.entity].is_failed = 0
    elif row.kind == STATION_PEOPLE:
        w.stations[row.entity].people_on_duty = row.value
    elif row.kind != HANDLING_REGIME:  # the handling regime is in each incident's due time already
        fault(w, UNKNOWN_CHANGE, change, row.kind)


@compiled_borrowing
def _review_after_change(w, now, change):  # type: ignore[no-untyped-def]
    """Look at the cover of the station a change touches; its units moved up go home if it closes or they are off."""
    row = w.changes[change]
    if row.kind == HANDLING_REGIME:
        return
    is_of_unit = row.kind in (UNIT_WITHDRAW, UNIT_IN_SERVICE, UNIT_FAILS, UNIT_MENDED)
    station = np.int64(w.units[row.entity].station if is_of_unit else row.entity)
    if row.kind in (UNIT_WITHDRAW, UNIT_FAILS):
        recall_if_moved_up(w, now, row.entity)
    elif row.kind == STATION_CLOSE:
        for unit in range(w.stations[station].first_unit, w.stations[station].end_unit):
            recall_if_moved_up(w, now, unit)
    review_cover(w, now, station)


@compiled_borrowing
def on_change(w, now, change):  # type: ignore[no-untyped-def]
    """A dated change of stations, units or people takes effect."""
    w.counts[N_OUTBOX] = 0
    apply_change(w, change)
    write(w, now, LOG_CHANGE, change, -1, -1, w.changes[change].value)
    if w.params[MOVE_UP_POLICY] != MOVE_UP_NONE:
        _review_after_change(w, now, change)
    if w.counts[N_WAITING] > 0:
        serve_waiting(w, now)
    return finish(w)


@compiled_borrowing
def apply_roster(w, shift):  # type: ignore[no-untyped-def]
    """Set the people on duty of every station; at a full relief, crews still out are not the new shift's people.

    Returns the people on duty in the whole city.
    """
    total = np.int64(0)
    for station in range(w.stations.shape[0]):
        it = w.stations[station]
        it.people_on_duty = w.roster[shift, station]
        total += it.people_on_duty
        if w.roster_is_relief[shift]:
            it.shift += 1
            it.people_out = 0
    return total


@compiled_borrowing
def on_shift(w, now, entity, mission):  # type: ignore[no-untyped-def]
    """A shift begins by the roster; or (an entity beyond the roster's rows) a crew that worked long has rested."""
    w.counts[N_OUTBOX] = 0
    n_shifts = w.roster_ms.shape[0]
    if entity >= n_shifts:
        return _on_rested(w, now, entity - n_shifts, mission)
    total = apply_roster(w, entity)
    write(w, now, LOG_SHIFT, entity, -1, -1, total)
    if w.params[MOVE_UP_POLICY] != MOVE_UP_NONE:
        for unit in range(w.units.shape[0]):
            if w.roster_is_relief[entity]:
                recall_if_moved_up(w, now, unit)
        for station in range(w.stations.shape[0]):
            review_cover(w, now, station)
    if w.counts[N_WAITING] > 0:
        serve_waiting(w, now)
    return finish(w)


@compiled_borrowing
def _on_rested(w, now, station, mission):  # type: ignore[no-untyped-def]
    it = w.stations[station]
    if (mission >> CREW_BITS) == (it.shift & ((1 << SHIFT_BITS) - 1)):
        people = mission & ((1 << CREW_BITS) - 1)
        it.people_out -= people
        write(w, now, LOG_RESTED, station, -1, -1, people)
        review_cover(w, now, station)
        if w.counts[N_WAITING] > 0:
            serve_waiting(w, now)
    return finish(w)


@compiled_borrowing
def _on_waited(w, now, incident, number):  # type: ignore[no-untyped-def]
    """A need has waited until help may be asked; or (`number` of its slot, from 1) until an aircraft may fly to it."""
    if w.counts[N_WAITING] > 0:
        serve_waiting(w, now)
    slot = w.incidents[incident].first_slot + number - 1
    if number > 0 and w.slots[slot].status == SLOT_WAITING:
        await_flight(w, now, slot)
    return finish(w)


@compiled_borrowing
def on_policy(w, now, entity, n_emptied):  # type: ignore[no-untyped-def]
    """A station has been empty for a while: move a unit up. Or (an entity beyond the stations) a need waited long."""
    w.counts[N_OUTBOX] = 0
    n_stations = w.stations.shape[0]
    if entity >= n_stations:
        return _on_waited(w, now, entity - n_stations, n_emptied)
    it = w.stations[entity]
    if it.is_emptied and it.n_emptied == n_emptied and it.n_guests == 0:
        donor = cover.donor_station(w, now, entity)
        if donor == rules.NOBODY:
            looked_in_vain(w, entity)
        else:
            move_up(w, now, cover.unit_to_move(w, donor), entity)
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
        dequeue(w, 0)
        w.slots[slot].status = SLOT_UNFILLED
        write(w, now, LOG_UNFILLED, w.slots[slot].incident, slot_number(w, slot), -1, w.slots[slot].capability)
    write(w, now, LOG_END, -1, -1, -1, w.counts[N_OPEN])
    return finish(w)
