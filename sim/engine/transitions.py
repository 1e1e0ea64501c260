"""What each event does to the city: one function per event, made of the changes in `state.py` and its neighbours.

Those are `stations.py` (crews, cover, move-up), `state.py` (units with an incident) and `needs.py` (the queue). Each
event empties the outbox, checks that it still holds, changes the state and returns the number of events now in the
outbox, or -1 after a fault (`faults.py` puts it into words). Dated changes and shifts are in `dated.py`, what the first
arrival finds is in `reveal.py`, when to ask aircraft again in `windows.py`. Only in these seven does the state change.
"""

from __future__ import annotations

import numpy as np

from sim.compiled import compiled_borrowing
from sim.engine import approach, cover, events, rules
from sim.engine.codes import (
    AT_STATION,
    BAD_STATUS,
    EN_ROUTE,
    HANDING_OVER,
    LOG_ARRIVE,
    LOG_AVAILABLE,
    LOG_CALL,
    LOG_CLEAR,
    LOG_DELIVER,
    LOG_END,
    LOG_ESCALATE,
    LOG_HANDED_OVER,
    LOG_HOME,
    LOG_MET,
    LOG_STAND_BY,
    LOG_UNFILLED,
    LOG_VILLAGE,
    MAKING_READY,
    MOVING_UP,
    ON_SCENE,
    RETURNING,
    SLOT_DONE,
    SLOT_ON_SCENE,
    SLOT_UNFILLED,
    STANDING_BY,
    TRANSPORTING,
    TURNING_OUT,
)
from sim.engine.journal import fault, finish, plan, slot_number, write
from sim.engine.needs import close_if_over, dequeue, open_need, open_needs, serve_waiting
from sim.engine.ready import is_short
from sim.engine.reveal import hand_over, reveal
from sim.engine.state import leave_with_patient, set_off
from sim.engine.stations import (
    crew_rests,
    looked_in_vain,
    move_up,
    review_back,
    review_cover,
    start_returning,
    stop_away,
)
from sim.engine.windows import pass_window
from sim.engine.world import (
    IS_ESCALATION_ON,
    MAKE_READY_MS,
    N_GAINS,
    N_LOG,
    N_OPEN,
    N_OUTBOX,
    N_WAITING,
    NEXT_WINDOW_MS,
)


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
def _note_if_met(w, now, incident, working_ms):  # type: ignore[no-untyped-def]
    """Note from when the critical task is met, once enough are there or if who comes, at work then, makes it sooner."""
    it = w.incidents[incident]
    if it.met_ms > working_ms:
        met_ms = rules.met_instant(w, incident)
        if met_ms < it.met_ms:
            it.met_ms = met_ms
            write(w, now, LOG_MET, incident, -1, -1, met_ms)


@compiled_borrowing
def _plan_escalation(w, now, incident):  # type: ignore[no-untyped-def]
    if not w.params[IS_ESCALATION_ON]:
        return
    it = w.incidents[incident]
    latent = rules.latent_ms(w, incident, it.grade)
    if latent != rules.NEVER_MS:
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
    if is_first:
        hand_over(w, incident, sent_to)
    access = approach.access_ms(w, now, unit, sent_to)
    write(w, now, LOG_ARRIVE, incident, slot_number(w, sent_to), unit, access)
    if is_first:
        reveal(w, now, incident, unit, sent_to)
    w.slots[it.slot].working_ms = now + access
    it.clear_ms = -1
    _plan_clear(w, now, unit)
    _note_if_met(w, now, incident, now + access)
    serve_waiting(w, now)
    return finish(w)


@compiled_borrowing
def on_clear(w, now, unit, mission):  # type: ignore[no-untyped-def]
    """The unit's work is done: it starts for home and may be sent on from now, or takes a patient away."""
    w.counts[N_OUTBOX] = 0
    it = w.units[unit]
    if it.mission != mission or it.clear_ms != now or it.status != ON_SCENE:
        return finish(w)
    incident = it.incident
    slot = it.slot
    w.slots[slot].status = SLOT_DONE
    if approach.has_transport(w, unit, slot):
        leave_with_patient(w, now, unit)
        return finish(w)
    write(w, now, LOG_CLEAR, incident, slot_number(w, slot), unit, now - w.slots[slot].arrive_ms)
    w.incidents[incident].n_active -= 1
    start_returning(w, now, unit, it.to_cell)
    close_if_over(w, now, incident)
    serve_waiting(w, now)
    return finish(w)


@compiled_borrowing
def on_deliver(w, now, unit, mission):  # type: ignore[no-untyped-def]
    """The unit is at its destination with its patient: the hand-over begins."""
    w.counts[N_OUTBOX] = 0
    it = w.units[unit]
    if it.mission != mission:
        return finish(w)
    if it.status != TRANSPORTING:
        return fault(w, BAD_STATUS, unit, it.status)
    it.status = HANDING_OVER
    it.from_cell = it.to_cell
    hand_over_ms = w.hand_over_ms[it.slot]
    write(w, now, LOG_DELIVER, it.incident, slot_number(w, it.slot), unit, hand_over_ms)
    plan(w, now + hand_over_ms, events.HANDED_OVER, unit, mission)
    return finish(w)


@compiled_borrowing
def on_handed_over(w, now, unit, mission):  # type: ignore[no-untyped-def]
    """The hand-over is over: the unit starts for home from there and may be sent on, to its own incident first.

    So needs that wait for it are served before the incident is over with its last unit.
    """
    w.counts[N_OUTBOX] = 0
    it = w.units[unit]
    if it.mission != mission:
        return finish(w)
    if it.status != HANDING_OVER:
        return fault(w, BAD_STATUS, unit, it.status)
    incident, slot = it.incident, it.slot
    write(w, now, LOG_HANDED_OVER, incident, slot_number(w, slot), unit, now - it.leave_ms)
    on_scene_ms = it.leave_ms - w.slots[slot].arrive_ms
    write(w, now, LOG_CLEAR, incident, slot_number(w, slot), unit, on_scene_ms)
    w.incidents[incident].n_active -= 1
    start_returning(w, now, unit, it.to_cell)
    serve_waiting(w, now)
    close_if_over(w, now, incident)
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
    was_short = is_short(w, it.station)
    crew_rests(w, now, unit)
    it.status = MAKING_READY
    it.from_cell = it.to_cell
    write(w, now, LOG_HOME, -1, -1, unit, -1)
    ready_ms = w.params[MAKE_READY_MS] if it.ready_ms < 0 else np.int64(it.ready_ms)
    plan(w, now + ready_ms, events.AVAILABLE, unit, mission)
    if was_short:  # else its people change nothing
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
    review_back(w, now, unit)
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
    w.counts[N_GAINS] += 1  # the grade may release help
    write(w, now, LOG_ESCALATE, incident, -1, -1, grade + 1)
    if it.is_revealed:
        open_needs(w, now, incident)
        for slot in range(it.first_slot, it.first_slot + it.n_opened):
            if w.slots[slot].status == SLOT_ON_SCENE:
                _plan_clear(w, now, w.slots[slot].unit)
        _note_if_met(w, now, incident, now)
    _plan_escalation(w, now, incident)
    serve_waiting(w, now)  # the grade may have released help
    return finish(w)


@compiled_borrowing
def _on_waited(w, now, incident):  # type: ignore[no-untyped-def]
    """A need has waited until help may be asked; or (an incident beyond the last) until a window for flying opens."""
    is_window = incident == w.incidents.shape[0]
    if is_window and w.counts[NEXT_WINDOW_MS] != now:
        return finish(w)
    serve_waiting(w, now)
    if is_window:
        pass_window(w, now)
    return finish(w)


@compiled_borrowing
def on_policy(w, now, entity, n_emptied):  # type: ignore[no-untyped-def]
    """A station has been empty for a while: move a unit up. Or (an entity beyond the stations) a need waited long."""
    w.counts[N_OUTBOX] = 0
    n_stations = w.stations.shape[0]
    if entity >= n_stations:
        return _on_waited(w, now, entity - n_stations)
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
