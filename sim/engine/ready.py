"""What each station can send and which cells are covered, noted whenever it changes instead of asked every time.

Whoever changes the people, the units, the opening or the guests of a station calls `note_ready` before anybody is
chosen again. Tests hold the notes against `cover.py`'s definitions after every event.
"""

from __future__ import annotations

import numpy as np

from sim.compiled import compiled_borrowing, compiled_inline
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
        # whole numbers, not branches: which of a station's units are in is hard for the processor to guess
        is_in = np.int64((that.status == AT_STATION) & (that.is_in_service != 0) & (that.is_failed == 0))
        crews_kept += is_in * that.crew_min
        can_go = is_in & (that.crew_min <= people) & (that.mode == ROAD) & (it.is_open != 0)
        mask |= -can_go & that.capabilities
        is_pump = can_go & (that.crew_min <= left) & (that.capabilities >> w.params[COVER_CAPABILITY])
        left -= is_pump * that.crew_min
        n_pumps += is_pump
    it.crews_kept = crews_kept
    _note_pumps(w, station, mask, n_pumps)


@compiled_borrowing
def note_back(w, unit):  # type: ignore[no-untyped-def]
    """Note that a unit stands in its bay again; `note_ready`, done quickly where its station has people enough."""
    it, home = w.units[unit], w.stations[w.units[unit].station]
    is_in = np.int64((it.is_in_service != 0) & (it.is_failed == 0))
    crews_kept = home.crews_kept + is_in * it.crew_min
    if rules.people_free(w, it.station) < crews_kept:
        note_ready(w, it.station)
        return
    home.crews_kept = crews_kept
    can_go = is_in & (it.mode == ROAD) & (home.is_open != 0)
    n_pumps = home.n_pumps + (can_go & (it.capabilities >> w.params[COVER_CAPABILITY]))
    _note_pumps(w, it.station, w.ready[it.station] | (-can_go & it.capabilities), n_pumps)


@compiled_inline
def is_short(w, station):  # type: ignore[no-untyped-def]
    """Return whether more people would let a station send more: some fit unit in its bays lacks its smallest crew."""
    return rules.people_free(w, station) < w.stations[station].crews_kept


@compiled_inline
def _note_pumps(w, station, mask, n_pumps):  # type: ignore[no-untyped-def]
    it = w.stations[station]
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
