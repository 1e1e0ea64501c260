"""How the state of stations changes: crews that leave and come home, lost cover, units moved up and called home.

The building blocks of what happens at an event that touch a unit without an incident. They check the state they start
from, change it, write the log and put what must happen next into the outbox. Next: `state.py`.
"""

from __future__ import annotations

import numpy as np

from sim.compiled import compiled_borrowing, compiled_inline
from sim.engine import approach, cover, events, rules
from sim.engine.codes import LOG_MOVE_UP, LOG_RECALL, MOVING_UP, PEOPLE_BELOW_ZERO, RETURNING, STANDING_BY
from sim.engine.journal import fault, plan, write
from sim.engine.ready import note_back, note_ready
from sim.engine.world import (
    MOVE_UP_AFTER_MS,
    MOVE_UP_MOST_MS,
    MOVE_UP_NEAREST,
    MOVE_UP_NONE,
    MOVE_UP_POLICY,
    N_AWAY,
    N_GAINS,
    N_IN_VAIN,
    REST_AFTER_MS,
    REST_MS,
)

SHIFT_BITS, CREW_BITS = 16, 10
"""Bits of the shift and of the people in the mission number of a rest that ends."""

# --- units without an incident, away from their bays -------------------------------------------------------------


@compiled_borrowing
def start_away(w, unit):  # type: ignore[no-untyped-def]
    """Put a unit on the list of those that are away without an incident and may be sent from where they are."""
    at = w.counts[N_AWAY]
    w.away[at] = unit
    w.counts[N_GAINS] += 1
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
def go_home(w, now, unit, from_cell, home_ms):  # type: ignore[no-untyped-def]
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
    home_ms = approach.home_ms(w, now, unit, from_cell)
    go_home(w, now, unit, from_cell, home_ms)


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
    """Note what a station can send, and review it."""
    note_ready(w, station)
    review_noted(w, now, station)


@compiled_borrowing
def review_back(w, now, unit):  # type: ignore[no-untyped-def]
    """Do what `review_cover` does for the station of a unit that stands in its bay again."""
    note_back(w, unit)
    review_noted(w, now, w.units[unit].station)


@compiled_inline
def review_noted(w, now, station):  # type: ignore[no-untyped-def]
    """Where units are moved up: see whether a station of which has been noted what it can send is emptied or not.

    An emptied one is looked at after a while, by a POLICY event; guests of one that can send again go home. Where a
    look found nobody to move up, the next is at the instant at which a station within the drive has one more ready.
    """
    it = w.stations[station]
    is_empty = it.is_open != 0 and it.n_pumps == 0
    has_news = it.n_pumps != it.n_ready or is_empty != it.is_emptied
    if has_news and w.params[MOVE_UP_POLICY] != MOVE_UP_NONE and it.help_grade == 0:
        _review(w, now, station)


@compiled_borrowing
def _review(w, now, station):  # type: ignore[no-untyped-def]
    it = w.stations[station]
    has_more = it.n_pumps > it.n_ready
    it.n_ready = it.n_pumps
    if not it.is_open or it.n_pumps > 0:
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
        drive_ms = cover.reaches_ms(w, period, donor, it.cell)
        if it.is_in_vain and drive_ms <= w.params[MOVE_UP_MOST_MS]:
            _plan_look(w, now, station)


@compiled_borrowing
def recall_guests(w, now, station):  # type: ignore[no-untyped-def]
    """Send every unit that stands by in a station, or is on its way to do so, home."""
    unit = _first_guest(w, station)
    while unit != rules.NOBODY:
        recall(w, now, unit)
        unit = _first_guest(w, station)


@compiled_inline
def _first_guest(w, station):  # type: ignore[no-untyped-def]
    """Return the first unit that stands by in a station or is on its way to do so; `NOBODY` if none."""
    first = np.int64(rules.NOBODY)
    for place in range(w.counts[N_AWAY]):
        unit = np.int64(w.away[place])
        if w.units[unit].post == station and (first == rules.NOBODY or unit < first):
            first = unit
    return first


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
    note_ready(w, w.units[unit].post)
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
    it.arrive_ms = now + approach.move_up_ms(w, now, unit, it.to_cell)
    w.stations[station].n_guests += 1
    note_ready(w, station)
    start_away(w, unit)
    write(w, now, LOG_MOVE_UP, station, -1, unit, it.arrive_ms - now)
    plan(w, it.arrive_ms, events.HOME, unit, it.mission)
    review_cover(w, now, it.station)
