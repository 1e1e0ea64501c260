"""What dated changes, shifts and rested crews do to the city: one function per event, as in `transitions.py`."""

from __future__ import annotations

import numpy as np

from sim.compiled import compiled_borrowing, compiled_inline
from sim.engine import rules
from sim.engine.codes import (
    HANDLING_REGIME,
    LOG_CHANGE,
    LOG_RESTED,
    LOG_SHIFT,
    STATION_CLOSE,
    STATION_OPEN,
    STATION_PEOPLE,
    UNIT_FAILS,
    UNIT_IN_SERVICE,
    UNIT_MENDED,
    UNIT_WITHDRAW,
    UNKNOWN_CHANGE,
)
from sim.engine.journal import fault, finish, write
from sim.engine.needs import serve_waiting
from sim.engine.ready import is_short, note_ready
from sim.engine.stations import CREW_BITS, SHIFT_BITS, recall_if_moved_up, review_cover, review_noted
from sim.engine.world import MOVE_UP_NONE, MOVE_UP_POLICY, N_OUTBOX


@compiled_inline
def _station_of_change(w, change):  # type: ignore[no-untyped-def]
    row = w.changes[change]
    is_of_unit = row.kind in (UNIT_WITHDRAW, UNIT_IN_SERVICE, UNIT_FAILS, UNIT_MENDED)
    return np.int64(w.units[row.entity].station if is_of_unit else row.entity)


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
    if row.kind != HANDLING_REGIME:
        note_ready(w, _station_of_change(w, change))


@compiled_borrowing
def _review_after_change(w, now, change):  # type: ignore[no-untyped-def]
    """Look at the cover of the station a change touches; its units moved up go home if it closes or they are off."""
    row = w.changes[change]
    if row.kind == HANDLING_REGIME:
        return
    station = _station_of_change(w, change)
    if row.kind in (UNIT_WITHDRAW, UNIT_FAILS):
        recall_if_moved_up(w, now, row.entity)
    elif row.kind == STATION_CLOSE:
        for unit in range(w.stations[station].first_unit, w.stations[station].end_unit):
            recall_if_moved_up(w, now, unit)
    review_noted(w, now, station)


@compiled_borrowing
def on_change(w, now, change):  # type: ignore[no-untyped-def]
    """A dated change of stations, units or people takes effect."""
    w.counts[N_OUTBOX] = 0
    apply_change(w, change)
    write(w, now, LOG_CHANGE, change, -1, -1, w.changes[change].value)
    if w.params[MOVE_UP_POLICY] != MOVE_UP_NONE:
        _review_after_change(w, now, change)
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
        free, was_short = rules.people_free(w, station), is_short(w, station)
        it.people_on_duty = w.roster[shift, station]
        total += it.people_on_duty
        if w.roster_is_relief[shift]:
            it.shift += 1
            it.people_out = 0
        if rules.people_free(w, station) != free and (was_short or is_short(w, station)):
            note_ready(w, station)
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
            review_noted(w, now, station)
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
        serve_waiting(w, now)
    return finish(w)
