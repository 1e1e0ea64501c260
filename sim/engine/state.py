"""How the state of units changes that have an incident: sent, turned out, on their way, turned back.

The building blocks of what happens at an event, as in `stations.py`. They check the state they start from, change it,
write the log and put what must happen next into the outbox. Nothing here measures, prints or draws chance. Next:
`needs.py`.
"""

from __future__ import annotations

from sim.compiled import compiled_borrowing
from sim.engine import approach, events, rules
from sim.engine.codes import (
    AIR,
    AT_STATION,
    BAD_STATUS,
    EN_ROUTE,
    LOG_DISPATCH,
    LOG_ENROUTE,
    LOG_TRANSPORT,
    LOG_TURN_BACK,
    MOVING_UP,
    NO_CREW,
    RETURNING,
    SLOT_ASSIGNED,
    SLOT_RELEASED,
    STANDING_BY,
    TRANSPORTING,
    TURNING_OUT,
    WATER,
)
from sim.engine.journal import fault, plan, slot_number, write
from sim.engine.ready import note_ready
from sim.engine.stations import (
    crew_aboard,
    crew_home,
    go_home,
    guest_leaves,
    recall,
    review_cover,
    start_away,
    start_returning,
    stop_away,
)
from sim.engine.windows import reckon_windows
from sim.units import MS_PER_DAY


@compiled_borrowing
def set_off(w, now, unit):  # type: ignore[no-untyped-def]
    """Let a unit with its crew aboard make for its incident."""
    it = w.units[unit]
    it.status = EN_ROUTE
    it.post = -1
    it.leave_ms = now
    it.to_cell = approach.goal_cell(w, now, unit, it.incident, it.from_cell)
    it.arrive_ms = now + approach.trip_ms(w, now, unit, it.incident, it.slot, it.from_cell, it.to_cell)
    write(w, now, LOG_ENROUTE, it.incident, slot_number(w, it.slot), unit, it.crew)
    plan(w, it.arrive_ms, events.ARRIVE, unit, it.mission)


@compiled_borrowing
def _note_flight(w, now, unit):  # type: ignore[no-untyped-def]
    """Count the way out and back as flown on the day."""
    it = w.units[unit]
    day = now // MS_PER_DAY
    if it.flown_day != day:
        it.flown_day = day
        it.flown_ms = 0
    it.flown_ms += 2 * approach.flight_ms(w, unit, it.from_cell, w.incidents[it.incident].cell)
    reckon_windows(w, now)


@compiled_borrowing
def _turn_out(w, now, unit, slot):  # type: ignore[no-untyped-def]
    it = w.units[unit]
    it.status = TURNING_OUT
    plan(w, now + rules.turnout_ms(w, now, unit, slot), events.ENROUTE, unit, it.mission)


@compiled_borrowing
def assign(w, now, slot, unit, expected_ms):  # type: ignore[no-untyped-def]
    """Send a unit to a slot: from a bay after turnout, or at once when it is on the road."""
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
        if free < it.crew_min or not station.is_open or not it.is_in_service or it.is_failed:
            fault(w, NO_CREW, unit, free)
        crew_aboard(w, now, unit)
        it.from_cell = station.cell
        if it.mode == AIR:
            _note_flight(w, now, unit)
        write(w, now, LOG_DISPATCH, incident, slot_number(w, slot), unit, expected_ms)
        _turn_out(w, now, unit, slot)
        review_cover(w, now, it.station)
    elif it.status == STANDING_BY:
        it.from_cell = it.to_cell
        guest_leaves(w, now, unit)
        write(w, now, LOG_DISPATCH, incident, slot_number(w, slot), unit, expected_ms)
        _turn_out(w, now, unit, slot)
    elif it.status == RETURNING or it.status == MOVING_UP:
        it.from_cell = approach.position_cell(w, unit, now)
        if it.status == MOVING_UP:
            guest_leaves(w, now, unit)
        else:
            stop_away(w, unit)
        write(w, now, LOG_DISPATCH, incident, slot_number(w, slot), unit, expected_ms)
        set_off(w, now, unit)
    else:
        fault(w, BAD_STATUS, unit, it.status)


@compiled_borrowing
def _stand_down_again(w, now, unit):  # type: ignore[no-untyped-def]
    """Let a unit that has not left yet stand down in the bay it is in: its own, or that of its post."""
    it = w.units[unit]
    if it.mode == AIR:
        it.flown_ms -= 2 * approach.flight_ms(w, unit, it.from_cell, w.incidents[it.incident].cell)
        reckon_windows(w, now)
    it.incident = -1
    it.slot = -1
    if it.post < 0:
        crew_home(w, unit)
        it.status = AT_STATION
        review_cover(w, now, it.station)
        return
    it.status = STANDING_BY
    start_away(w, unit)
    w.stations[it.post].n_guests += 1
    note_ready(w, it.post)
    home = w.stations[it.station]
    is_fit = it.is_in_service and not it.is_failed and home.is_open and it.shift == home.shift
    if not is_fit or not w.stations[it.post].is_emptied:
        recall(w, now, unit)  # what would have called it home while it stood by has happened while it turned out


@compiled_borrowing
def turn_back(w, now, unit):  # type: ignore[no-untyped-def]
    """Release a unit that has not arrived: it stands down in its bay, or goes home from where it is.

    A boat under way goes back as long as it has come.
    """
    it = w.units[unit]
    incident = it.incident
    slot = it.slot
    write(w, now, LOG_TURN_BACK, incident, slot_number(w, slot), unit, -1)
    w.slots[slot].status = SLOT_RELEASED
    w.slots[slot].unit = -1
    w.incidents[incident].n_active -= 1
    it.mission += 1
    if it.status == TURNING_OUT:
        _stand_down_again(w, now, unit)
    elif it.status == EN_ROUTE and it.mode == WATER:
        go_home(w, now, unit, it.to_cell, now - it.leave_ms)
    elif it.status == EN_ROUTE:
        start_returning(w, now, unit, approach.position_cell(w, unit, now))
    else:
        fault(w, BAD_STATUS, unit, it.status)


@compiled_borrowing
def leave_with_patient(w, now, unit):  # type: ignore[no-untyped-def]
    """Let a unit whose work at the scene is done make for the destination of its slot."""
    it = w.units[unit]
    it.status = TRANSPORTING
    it.from_cell = it.to_cell
    it.to_cell = w.transport_cell[it.slot]
    it.leave_ms = now
    it.arrive_ms = now + approach.transport_ms(w, now, unit, it.slot, it.from_cell)
    write(w, now, LOG_TRANSPORT, it.incident, slot_number(w, it.slot), unit, now - w.slots[it.slot].arrive_ms)
    plan(w, it.arrive_ms, events.DELIVER, unit, it.mission)


@compiled_borrowing
def stand_by(w, unit, slot):  # type: ignore[no-untyped-def]
    """Bind a unit and its crew to a slot without sending it (the static part asks who would go)."""
    it = w.units[unit]
    station = w.stations[it.station]
    it.crew = rules.crew_for(w, unit)
    it.shift = station.shift
    station.people_out += it.crew
    it.status = TURNING_OUT
    note_ready(w, it.station)
    w.slots[slot].unit = unit


@compiled_borrowing
def stand_down(w, slot):  # type: ignore[no-untyped-def]
    """Undo `stand_by` for whatever unit is bound to a slot."""
    unit = w.slots[slot].unit
    if unit >= 0:
        crew_home(w, unit)
        w.units[unit].status = AT_STATION
        note_ready(w, w.units[unit].station)
        w.slots[slot].unit = -1
