"""How the state of the world changes: units that leave and come home, needs that open, wait and are filled.

The building blocks of what happens at an event. They check the state they start from, change it, write the log and put
what must happen next into the outbox. Nothing here measures, prints or draws chance. Next: `transitions.py`.
"""

from __future__ import annotations

from sim.compiled import compiled_borrowing
from sim.engine import approach, choice, cover, events, rules
from sim.engine.codes import (
    AIR,
    AT_STATION,
    BAD_STATUS,
    EN_ROUTE,
    LOG_CLOSED,
    LOG_DISPATCH,
    LOG_ENROUTE,
    LOG_MOVE_UP,
    LOG_RECALL,
    LOG_TURN_BACK,
    LOG_UNFILLED,
    LOG_WAIT,
    MOVING_UP,
    NO_CREW,
    PEOPLE_BELOW_ZERO,
    RETURNING,
    SLOT_ASSIGNED,
    SLOT_RELEASED,
    SLOT_UNFILLED,
    SLOT_UNUSED,
    SLOT_WAITING,
    STANDING_BY,
    TURNING_OUT,
    WAITING_FULL,
    WATER,
)
from sim.engine.journal import fault, plan, slot_number, write
from sim.engine.world import (
    HELP_WAIT_MS,
    MOVE_UP_AFTER_MS,
    MOVE_UP_MOST_MS,
    MOVE_UP_NEAREST,
    MOVE_UP_NONE,
    MOVE_UP_POLICY,
    N_AWAY,
    N_DONE,
    N_IN_VAIN,
    N_OPEN,
    N_WAITING,
    REST_AFTER_MS,
    REST_MS,
)
from sim.units import MS_PER_DAY

SHIFT_BITS, CREW_BITS = 16, 10
"""Bits of the shift and of the people in the mission number of a rest that ends."""

# --- units without an incident, away from their bays -------------------------------------------------------------


@compiled_borrowing
def start_away(w, unit):  # type: ignore[no-untyped-def]
    """Put a unit on the list of those that are away without an incident and may be sent from where they are."""
    at = w.counts[N_AWAY]
    w.away[at] = unit
    w.units[unit].away_at = at
    w.counts[N_AWAY] = at + 1


@compiled_borrowing
def stop_away(w, unit):  # type: ignore[no-untyped-def]
    """Take a unit off the list of those that are away without an incident."""
    at = w.units[unit].away_at
    last = w.counts[N_AWAY] - 1
    moved = w.away[last]
    w.away[at] = moved
    w.units[moved].away_at = at
    w.units[unit].away_at = -1
    w.counts[N_AWAY] = last


@compiled_borrowing
def _go_home(w, now, unit, from_cell, home_ms):  # type: ignore[no-untyped-def]
    """Let a unit start from a cell for its station, where it is after `home_ms`."""
    it = w.units[unit]
    station_cell = w.stations[it.station].cell
    it.status = RETURNING
    it.from_cell = from_cell
    it.to_cell = station_cell
    it.leave_ms = now
    it.arrive_ms = now + home_ms
    it.incident = -1
    it.slot = -1
    start_away(w, unit)
    plan(w, it.arrive_ms, events.HOME, unit, it.mission)


@compiled_borrowing
def start_returning(w, now, unit, from_cell):  # type: ignore[no-untyped-def]
    """Let a unit start for its station from a cell; it may be sent on until it is home."""
    home_ms = approach.home_ms(w, now, unit, from_cell, w.stations[w.units[unit].station].cell)
    _go_home(w, now, unit, from_cell, home_ms)


# --- crews --------------------------------------------------------------------------------------------------------


@compiled_borrowing
def crew_aboard(w, now, unit):  # type: ignore[no-untyped-def]
    """Bind the people that ride with a unit in its bay."""
    it = w.units[unit]
    station = w.stations[it.station]
    it.crew = rules.crew_for(w, unit)
    it.shift = station.shift
    it.left_ms = now
    station.people_out += it.crew


@compiled_borrowing
def crew_home(w, unit):  # type: ignore[no-untyped-def]
    """Give a unit's crew back to its station; one whose shift is over just goes off duty."""
    it = w.units[unit]
    station = w.stations[it.station]
    if it.shift == station.shift:
        station.people_out -= it.crew
    it.crew = 0
    if station.people_out < 0:
        fault(w, PEOPLE_BELOW_ZERO, unit, it.station)


@compiled_borrowing
def crew_rests(w, now, unit):  # type: ignore[no-untyped-def]
    """Give a unit's crew back, after a rest if its work was long and its shift goes on."""
    it = w.units[unit]
    station = w.stations[it.station]
    rest_after_ms = w.params[REST_AFTER_MS]
    if rest_after_ms <= 0 or now - it.left_ms < rest_after_ms or it.shift != station.shift:
        crew_home(w, unit)
        return
    shift = it.shift & ((1 << SHIFT_BITS) - 1)
    entity = w.roster_ms.shape[0] + it.station
    plan(w, now + w.params[REST_MS], events.SHIFT, entity, (shift << CREW_BITS) | it.crew)
    it.crew = 0


# --- cover --------------------------------------------------------------------------------------------------------


@compiled_borrowing
def review_cover(w, now, station):  # type: ignore[no-untyped-def]
    """Note what a station can send, if the run moves units up at all: whether it is emptied, or can send again or more.

    An emptied one is looked at after a while, by a POLICY event; guests of one that can send again go home. Where a
    look found nobody to move up, the next is at the instant at which a station within the drive has one more ready.
    """
    it = w.stations[station]
    if w.params[MOVE_UP_POLICY] == MOVE_UP_NONE or it.help_grade > 0:
        return
    n_ready = cover.n_ready(w, station, -1)
    has_more = n_ready > it.n_ready
    it.n_ready = n_ready
    if not it.is_open or n_ready > 0:
        _not_in_vain(w, station)
        it.is_emptied = 0
        if it.n_guests > 0:
            recall_guests(w, now, station)
    elif not it.is_emptied:
        it.is_emptied = 1
        _plan_look(w, now + w.params[MOVE_UP_AFTER_MS], station)
    if has_more and w.counts[N_IN_VAIN] > 0:
        _look_again(w, now, station)


@compiled_borrowing
def _plan_look(w, at_ms, station):  # type: ignore[no-untyped-def]
    """Plan a look for a unit that could stand by in an emptied station; one planned before holds no more."""
    _not_in_vain(w, station)
    it = w.stations[station]
    it.n_emptied += 1
    plan(w, at_ms, events.POLICY, station, it.n_emptied)


@compiled_borrowing
def looked_in_vain(w, station):  # type: ignore[no-untyped-def]
    """Note that nobody could be moved up to an emptied station."""
    w.stations[station].is_in_vain = 1
    w.counts[N_IN_VAIN] += 1


@compiled_borrowing
def _not_in_vain(w, station):  # type: ignore[no-untyped-def]
    w.counts[N_IN_VAIN] -= w.stations[station].is_in_vain
    w.stations[station].is_in_vain = 0


@compiled_borrowing
def _look_again(w, now, donor):  # type: ignore[no-untyped-def]
    """Look now at every station for which nobody was found and to which `donor`, with one more ready, could send."""
    if w.params[MOVE_UP_POLICY] == MOVE_UP_NEAREST and w.stations[donor].n_ready < cover.LEAST_OF_NEAREST:
        return
    period = w.period_of_hour[rules.hour_index(w, now)]
    for station in range(w.stations.shape[0]):
        it = w.stations[station]
        drive_ms = w.travel_ms[period, w.stations[donor].cell, it.cell]
        if it.is_in_vain and drive_ms <= w.params[MOVE_UP_MOST_MS]:
            _plan_look(w, now, station)


@compiled_borrowing
def recall_guests(w, now, station):  # type: ignore[no-untyped-def]
    """Send every unit that stands by in a station, or is on its way to do so, home."""
    for unit in range(w.units.shape[0]):
        if w.units[unit].post == station:
            recall_if_moved_up(w, now, unit)


@compiled_borrowing
def recall(w, now, unit):  # type: ignore[no-untyped-def]
    """Send a unit that was moved up home from where it is."""
    it = w.units[unit]
    from_cell = approach.position_cell(w, unit, now)
    it.mission += 1
    write(w, now, LOG_RECALL, it.post, -1, unit, -1)
    guest_leaves(w, now, unit)
    it.post = -1
    start_returning(w, now, unit, from_cell)


@compiled_borrowing
def recall_if_moved_up(w, now, unit):  # type: ignore[no-untyped-def]
    """Send a unit home that stands by in another station or is on its way to do so."""
    if w.units[unit].status == MOVING_UP or w.units[unit].status == STANDING_BY:
        recall(w, now, unit)


@compiled_borrowing
def guest_leaves(w, now, unit):  # type: ignore[no-untyped-def]
    """Take a unit off the post it was moved up to; a station that is empty again is looked at again."""
    stop_away(w, unit)
    it = w.stations[w.units[unit].post]
    it.n_guests -= 1
    if it.is_emptied and it.n_guests == 0:
        _plan_look(w, now + w.params[MOVE_UP_AFTER_MS], w.units[unit].post)


@compiled_borrowing
def move_up(w, now, unit, station):  # type: ignore[no-untyped-def]
    """Let a unit drive with its crew from its bay to another station, to stand by there."""
    it = w.units[unit]
    home = w.stations[it.station]
    it.mission += 1
    crew_aboard(w, now, unit)
    it.status = MOVING_UP
    it.post = station
    it.from_cell = home.cell
    it.to_cell = w.stations[station].cell
    it.leave_ms = now
    it.arrive_ms = now + approach.home_ms(w, now, unit, it.from_cell, it.to_cell)
    w.stations[station].n_guests += 1
    start_away(w, unit)
    write(w, now, LOG_MOVE_UP, station, -1, unit, it.arrive_ms - now)
    plan(w, it.arrive_ms, events.HOME, unit, it.mission)
    review_cover(w, now, it.station)


# --- units and incidents ------------------------------------------------------------------------------------------


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


@compiled_borrowing
def _turn_out(w, now, unit, slot):  # type: ignore[no-untyped-def]
    it = w.units[unit]
    it.status = TURNING_OUT
    plan(w, now + rules.turnout_ms(w, now, slot) + it.callout_ms, events.ENROUTE, unit, it.mission)


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
        _go_home(w, now, unit, it.to_cell, now - it.leave_ms)
    elif it.status == EN_ROUTE:
        start_returning(w, now, unit, approach.position_cell(w, unit, now))
    else:
        fault(w, BAD_STATUS, unit, it.status)


@compiled_borrowing
def stand_by(w, unit, slot):  # type: ignore[no-untyped-def]
    """Bind a unit and its crew to a slot without sending it (the static part asks who would go)."""
    it = w.units[unit]
    station = w.stations[it.station]
    it.crew = rules.crew_for(w, unit)
    it.shift = station.shift
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
    w.slots[slot].opened_ms = now
    unit, expected = choice.choose_unit(w, now, incident, capability, 0)
    if unit != rules.NOBODY:
        assign(w, now, slot, unit, expected)
        return
    write(w, now, LOG_WAIT, incident, number, -1, capability)
    enqueue(w, slot)
    if w.params[HELP_WAIT_MS] != rules.NEVER_MS:  # help is asked again once the need has waited long enough
        plan(w, now + w.params[HELP_WAIT_MS], events.POLICY, w.stations.shape[0] + incident, 0)
    await_flight(w, now, slot)


@compiled_borrowing
def await_flight(w, now, slot):  # type: ignore[no-untyped-def]
    """Let a need that waits be offered again at the instant at which a window opens for an aircraft asked for it.

    A POLICY event with the number of its slot, counted from 1 (0: the one that asks for help).
    """
    incident = w.slots[slot].incident
    at_ms = choice.next_flight_ms(w, now, incident, w.slots[slot].capability)
    if at_ms != rules.NEVER_MS:
        plan(w, at_ms, events.POLICY, w.stations.shape[0] + incident, 1 + slot_number(w, slot))


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
        waited_ms = now - w.slots[slot].opened_ms
        unit, expected = choice.choose_unit(w, now, w.slots[slot].incident, w.slots[slot].capability, waited_ms)
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
