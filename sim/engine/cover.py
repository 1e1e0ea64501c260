"""Who is ready, which area a station covers, and from where an emptied station could be filled.

A station *covers* the cells within a set driving time while it can send a unit that fights fires (the cover capability)
or another station's unit stands by in it. A cell's weight is its expected number of incidents. Nothing here changes
anything.
"""

from __future__ import annotations

import numpy as np

from sim.compiled import compiled_borrowing, compiled_inline
from sim.engine import rules
from sim.engine.codes import AT_STATION, RETURNING, ROAD
from sim.engine.world import COVER_CAPABILITY, COVER_MS, MOVE_UP_MOST_MS, MOVE_UP_NEAREST, MOVE_UP_POLICY

LEAST_OF_NEAREST = 2
"""Units ready in a station from which the nearest rule takes one."""


@compiled_inline
def is_ready(w, unit, free):  # type: ignore[no-untyped-def]
    """Return whether a unit stands in its bay, fit, with a crew among `free` people."""
    it = w.units[unit]
    return it.status == AT_STATION and it.is_in_service and not it.is_failed and it.crew_min <= free


@compiled_borrowing
def ready_unit(w, station, capability):  # type: ignore[no-untyped-def]
    """Return the vehicle of an open station that leaves soonest with its crew and has the capability.

    The shortest call-out first, ties to the lowest id; `NOBODY` if there is none. Aircraft are not asked here.
    """
    best = rules.NOBODY
    if not w.stations[station].is_open:
        return best
    free = rules.people_free(w, station)
    for unit in range(w.stations[station].first_unit, w.stations[station].end_unit):
        it = w.units[unit]
        if it.mode != ROAD or not (it.capabilities >> capability) & 1 or not is_ready(w, unit, free):
            continue
        if best == rules.NOBODY or it.callout_ms < w.units[best].callout_ms:
            best = unit
    return best


@compiled_borrowing
def n_ready_without(w, leaving):  # type: ignore[no-untyped-def]
    """Return how many of a station's units that fight fires could leave, one after another, once `leaving` has left.

    With their smallest crews; `leaving` with the crew it would take.
    """
    station = w.units[leaving].station
    if w.stations[station].n_pumps == 0:
        return 0
    free = rules.people_free(w, station) - rules.crew_for(w, leaving)
    n = 0
    for unit in range(w.stations[station].first_unit, w.stations[station].end_unit):
        it = w.units[unit]
        has_it = it.mode == ROAD and (it.capabilities >> w.params[COVER_CAPABILITY]) & 1
        if unit != leaving and has_it and is_ready(w, unit, free):
            free -= it.crew_min
            n += 1
    return n


@compiled_inline
def reaches_ms(w, period, station, cell):  # type: ignore[no-untyped-def]
    """Return the driving time from a station to a cell."""
    return rules.drive_ms(w, period, station, w.stations[station].cell, cell)


@compiled_borrowing
def sole_cover(w, now, station, besides):  # type: ignore[no-untyped-def]
    """Return the weight of the cells within reach of a station that no other station covers.

    `besides`: a station whose reach counts as covered whatever it has (-1: none).
    """
    period = w.period_of_hour[rules.hour_index(w, now)]
    is_covering = w.stations[station].is_covering
    weight = np.int64(0)
    for place in range(w.reach_begin[period, station], w.reach_begin[period, station + 1]):
        cell = w.reach_cell[place]
        if w.n_covering[period, cell] > is_covering:
            continue
        if besides < 0 or reaches_ms(w, period, besides, cell) > w.params[COVER_MS]:
            weight += w.cell_weight[cell]
    return weight


@compiled_borrowing
def cover_lost(w, now, unit):  # type: ignore[no-untyped-def]
    """Return the weight of the cells that nobody covers any more once a unit leaves the bay it stands in for a call.

    That bay is its own, or the post to which it was moved up. A unit on its way home covers nothing.
    """
    it = w.units[unit]
    if it.status == RETURNING:
        return np.int64(0)
    is_guest = it.away_at >= 0
    station = np.int64(it.post if is_guest else it.station)
    n_others = w.stations[station].n_guests - (1 if is_guest else 0)
    if n_others > 0 or not w.stations[station].is_covering:
        return np.int64(0)
    if (w.stations[station].n_pumps if is_guest else n_ready_without(w, unit)) > 0:
        return np.int64(0)
    return sole_cover(w, now, station, -1)


@compiled_borrowing
def donor_station(w, now, emptied):  # type: ignore[no-untyped-def]
    """Return the station that should send a unit to stand by in an emptied one; `NOBODY` if none should.

    Nearest: the nearest with two units ready or more (`LEAST_OF_NEAREST`). Best cover: the one for which the weight
    newly covered, less the weight that loses its cover, is largest and above zero. Only stations within the longest
    drive are asked; ties go to the nearer, then to the lower id.
    """
    period = w.period_of_hour[rules.hour_index(w, now)]
    cell = w.stations[emptied].cell
    is_nearest = w.params[MOVE_UP_POLICY] == MOVE_UP_NEAREST
    gained = np.int64(0) if is_nearest else sole_cover(w, now, emptied, -1)
    if gained == 0 and not is_nearest:
        return np.int64(rules.NOBODY)  # nothing to win, whoever comes
    best, best_net = np.int64(rules.NOBODY), np.int64(0)
    for place in range(w.roads.shape[2]):
        road = w.roads[period, cell, place]
        if road.to_ms > w.params[MOVE_UP_MOST_MS]:
            break
        station = np.int64(road.station)
        ready = w.stations[station].n_pumps
        if station == emptied or ready == 0:
            continue
        if is_nearest:
            if ready >= LEAST_OF_NEAREST:
                return np.int64(station)
            continue
        lost = np.int64(0)
        if ready == 1 and w.stations[station].n_guests == 0:
            lost = sole_cover(w, now, station, emptied)
        if gained - lost > best_net:
            best, best_net = np.int64(station), gained - lost
    return best


@compiled_borrowing
def unit_to_move(w, station):  # type: ignore[no-untyped-def]
    """Return the unit a donor sends: of those ready that fight fires, the last."""
    free = rules.people_free(w, station)
    for back in range(w.stations[station].end_unit - w.stations[station].first_unit):
        unit = w.stations[station].end_unit - 1 - back
        it = w.units[unit]
        has_it = it.mode == ROAD and (it.capabilities >> w.params[COVER_CAPABILITY]) & 1
        if has_it and is_ready(w, unit, free):
            return np.int64(unit)
    return np.int64(rules.NOBODY)
