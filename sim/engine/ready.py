"""What each station can send and which cells are covered, noted whenever it changes instead of asked every time.

Whoever changes the people, the units, the opening or the guests of a station calls `note_ready` before anybody is
chosen again. Tests hold the notes against `cover.py`'s definitions after every event.
"""

from __future__ import annotations

import numpy as np

from sim.compiled import compiled_borrowing
from sim.engine import rules
from sim.engine.codes import AT_STATION, ROAD
from sim.engine.world import COVER_CAPABILITY, N_GAINS


@compiled_borrowing
def note_ready(w, station):  # type: ignore[no-untyped-def]
    """Note what a station can send by road now, how many units could leave one after another, and what it covers.

    And how many people the smallest crews of the fit units in its bays make.
    """
    it = w.stations[station]
    mask, n_pumps, crews_kept = np.int64(0), 0, 0
    people = rules.people_free(w, station)
    left = people
    for unit in range(it.first_unit, it.end_unit):
        that = w.units[unit]
        if that.status != AT_STATION or not that.is_in_service or that.is_failed:
            continue
        crews_kept += that.crew_min
        if that.crew_min > people or that.mode != ROAD or not it.is_open:
            continue
        mask |= that.capabilities
        if that.crew_min <= left and (that.capabilities >> w.params[COVER_CAPABILITY]) & 1:
            left -= that.crew_min
            n_pumps += 1
    it.crews_kept = crews_kept
    if mask & ~w.ready[station]:
        w.counts[N_GAINS] += 1
    w.ready[station] = mask
    it.n_pumps = 0 if it.help_grade > 0 else n_pumps
    is_covering = it.help_grade == 0 and it.is_open and (it.n_guests > 0 or n_pumps > 0)
    if is_covering != it.is_covering:
        it.is_covering = is_covering
        _count_cover(w, station, 1 if is_covering else -1)


@compiled_borrowing
def _count_cover(w, station, more):  # type: ignore[no-untyped-def]
    """Count one station more or less for every cell within its reach, in every period, where the run keeps count."""
    for period in range(w.reach_begin.shape[0]):
        for place in range(w.reach_begin[period, station], w.reach_begin[period, station + 1]):
            w.n_covering[period, w.reach_cell[place]] += more
