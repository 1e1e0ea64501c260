"""Who can go, who goes, how long it takes: the decisions, without changing anything.

Every function reads the world and returns an answer. Both engines call them; `state.py` acts on the answers. Times are
int64 milliseconds. Dispatchers see expected times only: the noise of a trip is known when the trip is made.
"""

from __future__ import annotations

import numpy as np

import sim.engine.handle  # noqa: F401  (teaches numba the type of the world)
from sim.chance import look_up
from sim.compiled import compiled_borrowing, compiled_inline
from sim.engine.world import (
    DISPATCH_OWN_TOWN_FIRST,
    DISPATCH_POLICY,
    GRID_CELL_M,
    GRID_X0_M,
    GRID_Y0_M,
    HOME_FACTOR_Q16,
    IS_SCENE_DELAY_ON,
    N_RETURNING,
    SCENE_DELAY_CAP_MS,
    TRAVEL_OWN_TABLE,
    TURNOUT_EXPECTED_DAY,
    TURNOUT_EXPECTED_NIGHT,
    TURNOUT_TABLE_DAY,
    TURNOUT_TABLE_NIGHT,
    SlotStatus,
    UnitStatus,
)
from sim.units import MS_PER_H, MS_PER_MIN

NOBODY = -1
NEVER_MS = 1 << 62
_AT_STATION = int(UnitStatus.AT_STATION)
_ON_SCENE = int(SlotStatus.ON_SCENE)
_DONE = int(SlotStatus.DONE)


@compiled_inline
def hour_index(w, now):  # type: ignore[no-untyped-def]
    """Return the place of an instant in the tables by hour of the run; the last hour stands for all that follow."""
    return min(now // MS_PER_H, w.period_of_hour.shape[0] - 1)


@compiled_inline
def expected_turnout_ms(w, now):  # type: ignore[no-untyped-def]
    """Return the mean turnout time at this hour, as the dispatcher reckons with it."""
    if w.is_night_of_hour[hour_index(w, now)]:
        return w.params[TURNOUT_EXPECTED_NIGHT]
    return w.params[TURNOUT_EXPECTED_DAY]


@compiled_inline
def turnout_ms(w, now, slot):  # type: ignore[no-untyped-def]
    """Return the turnout time of the unit that fills `slot` now: its rank in the table of the hour."""
    table = w.params[TURNOUT_TABLE_NIGHT] if w.is_night_of_hour[hour_index(w, now)] else w.params[TURNOUT_TABLE_DAY]
    return look_up(w.quantiles[table], w.slot_ranks[slot, 0])


@compiled_inline
def expected_travel_ms(w, now, from_cell, to_cell):  # type: ignore[no-untyped-def]
    """Return the driving time between two cells in the period of `now`, without noise."""
    return np.int64(w.travel_ms[w.period_of_hour[hour_index(w, now)], from_cell, to_cell])


@compiled_inline
def travel_ms(w, now, incident, slot, from_cell):  # type: ignore[no-untyped-def]
    """Return the driving time of one trip: expected time x the incident's factor x the slot's own factor."""
    expected = expected_travel_ms(w, now, from_cell, w.incidents[incident].cell)
    own_q16 = look_up(w.quantiles[w.params[TRAVEL_OWN_TABLE]], w.slot_ranks[slot, 1])
    return (((expected * w.incidents[incident].travel_factor_q16) >> 16) * own_q16) >> 16


@compiled_inline
def home_ms(w, now, from_cell, to_cell):  # type: ignore[no-untyped-def]
    """Return the driving time of the way home, at the homeward speed and without noise."""
    return (expected_travel_ms(w, now, from_cell, to_cell) * w.params[HOME_FACTOR_Q16]) >> 16


@compiled_inline
def access_ms(w, incident, slot):  # type: ignore[no-untyped-def]
    """Return the time from the address to the work (stairs, paths), by true kind."""
    return look_up(w.quantiles[w.access_table[w.incidents[incident].kind]], w.slot_ranks[slot, 2])


@compiled_inline
def on_scene_ms(w, incident, slot, arrive_ms):  # type: ignore[no-untyped-def]
    """Return how long a unit works: its base draw by true kind and grade, longer the later it came.

    base x (1 + slope x min(delay since the call, cap)); a slope of zero, or the setting, switches the delay off.
    """
    it = w.incidents[incident]
    base = look_up(w.quantiles[w.scene_table[it.kind, it.grade]], w.slot_ranks[slot, 3])
    slope_q16 = np.int64(w.scene_slope_q16[it.kind])
    if not w.params[IS_SCENE_DELAY_ON] or slope_q16 == 0:
        return base
    delay = min(arrive_ms - it.call_ms, w.params[SCENE_DELAY_CAP_MS])
    return base + ((base * ((slope_q16 * delay) // MS_PER_MIN)) >> 16)


@compiled_inline
def latent_ms(w, incident, grade):  # type: ignore[no-untyped-def]
    """Return when (ms after the call) an unmet incident outgrows `grade`; `NEVER_MS` when it does not."""
    it = w.incidents[incident]
    if grade >= it.max_grade:
        return np.int64(NEVER_MS)
    table = w.latent_table[it.kind, grade]
    if table < 0:
        return np.int64(NEVER_MS)
    return look_up(w.quantiles[table], w.escalate_ranks[incident, grade - 1])


@compiled_inline
def people_free(w, station):  # type: ignore[no-untyped-def]
    """Return the people on duty at a station who are not out with a unit (below zero after a cut)."""
    return w.stations[station].people_on_duty - w.stations[station].people_out


@compiled_borrowing
def ready_unit(w, station, capability):  # type: ignore[no-untyped-def]
    """Return the first unit in the bays of a station that can leave now with its crew and has the capability."""
    if not w.stations[station].is_open:
        return NOBODY
    free = people_free(w, station)
    for unit in range(w.stations[station].first_unit, w.stations[station].end_unit):
        it = w.units[unit]
        if (
            it.status == _AT_STATION
            and it.is_in_service
            and it.crew_min <= free
            and (it.capabilities >> capability) & 1
        ):
            return unit
    return NOBODY


@compiled_borrowing
def position_cell(w, unit, now):  # type: ignore[no-untyped-def]
    """Return the cell a driving unit is in: on the straight line of its leg, in proportion to the time driven."""
    it = w.units[unit]
    whole = it.arrive_ms - it.leave_ms
    if whole <= 0 or now >= it.arrive_ms:
        return np.int64(it.to_cell)
    driven = now - it.leave_ms
    x0, y0 = np.int64(w.cell_xy[it.from_cell, 0]), np.int64(w.cell_xy[it.from_cell, 1])
    x = x0 + ((np.int64(w.cell_xy[it.to_cell, 0]) - x0) * driven) // whole
    y = y0 + ((np.int64(w.cell_xy[it.to_cell, 1]) - y0) * driven) // whole
    column = (x - w.params[GRID_X0_M]) // w.params[GRID_CELL_M]
    row = (y - w.params[GRID_Y0_M]) // w.params[GRID_CELL_M]
    column = min(max(column, 0), w.grid.shape[1] - 1)
    row = min(max(row, 0), w.grid.shape[0] - 1)
    return np.int64(w.grid[row, column])


@compiled_borrowing
def _nearest(w, now, incident, capability, town):  # type: ignore[no-untyped-def]
    """Return (unit, expected ms) of the earliest expected arrival among units of one town (-1: any town)."""
    cell = w.incidents[incident].cell
    period = w.period_of_hour[hour_index(w, now)]
    turnout = expected_turnout_ms(w, now)
    best_unit = NOBODY
    best_ms = np.int64(NEVER_MS)
    for place in range(w.station_order.shape[2]):
        station = w.station_order[period, cell, place]
        expected = turnout + w.travel_ms[period, w.stations[station].cell, cell]
        if expected > best_ms:
            break  # stations come in order of driving time: none further on can be earlier
        if town >= 0 and w.stations[station].town != town:
            continue
        unit = ready_unit(w, station, capability)
        if unit != NOBODY and (expected < best_ms or unit < best_unit):
            best_unit, best_ms = unit, expected
    for place in range(w.counts[N_RETURNING]):
        unit = w.returning[place]
        it = w.units[unit]
        if not (it.capabilities >> capability) & 1 or (town >= 0 and w.stations[it.station].town != town):
            continue
        expected = np.int64(w.travel_ms[period, position_cell(w, unit, now), cell])
        if expected < best_ms or (expected == best_ms and unit < best_unit):
            best_unit, best_ms = unit, expected
    return best_unit, best_ms


@compiled_borrowing
def choose_unit(w, now, incident, capability):  # type: ignore[no-untyped-def]
    """Return (unit, expected ms until it arrives) for a need, by the run's dispatch policy; (-1, never) if none can.

    Nearest: the earliest expected arrival among units in their bays (turnout and drive) and units on their way home
    (drive from where they are, no turnout); ties go to the lowest unit id. Own town first: the same among the units
    of the incident's town, and only if it has none, among all.
    """
    if w.params[DISPATCH_POLICY] == DISPATCH_OWN_TOWN_FIRST:
        unit, expected = _nearest(w, now, incident, capability, w.incidents[incident].town)
        if unit != NOBODY:
            return unit, expected
    return _nearest(w, now, incident, capability, -1)


@compiled_inline
def n_slots_of(w, incident):  # type: ignore[no-untyped-def]
    """Return how many slots an incident has: its true kind's whole card, and the reported one's if that is another."""
    it = w.incidents[incident]
    n_true = w.card_start[it.kind + 1] - w.card_start[it.kind]
    if it.reported_kind == it.kind:
        return n_true
    return n_true + w.card_start[it.reported_kind + 1] - w.card_start[it.reported_kind]


@compiled_borrowing
def _nth_at_work(w, incident, capability, wanted):  # type: ignore[no-untyped-def]
    """Return the instant at which the `wanted`-th unit sent for a capability is at work, `NEVER_MS` if fewer came."""
    first = w.incidents[incident].first_slot
    n_slots = n_slots_of(w, incident)
    last_ms, last_slot = np.int64(-1), np.int64(-1)
    for _ in range(wanted):
        best_ms, best_slot = np.int64(NEVER_MS), np.int64(-1)
        for slot in range(first, first + n_slots):
            it = w.slots[slot]
            if it.capability != capability or (it.status != _ON_SCENE and it.status != _DONE):
                continue
            is_later = it.working_ms > last_ms or (it.working_ms == last_ms and slot > last_slot)
            if is_later and it.working_ms < best_ms:
                best_ms, best_slot = it.working_ms, np.int64(slot)
        if best_slot < 0:
            return np.int64(NEVER_MS)
        last_ms, last_slot = best_ms, best_slot
    return last_ms


@compiled_borrowing
def met_instant(w, incident):  # type: ignore[no-untyped-def]
    """Return when the critical task is met: when enough units able to do it are at work.

    For each critical capability of the present grade, as many units sent for that capability as it has critical needs,
    whichever slots they fill; `NEVER_MS` while one of them has too few at the scene.
    """
    it = w.incidents[incident]
    card = w.card_start[it.kind]
    latest = np.int64(0)
    for place in range(w.card_start[it.kind + 1] - card):
        need = w.needs[card + place]
        if not need.is_critical or need.from_grade > it.grade:
            continue
        wanted = 1
        for earlier in range(place):
            other = w.needs[card + earlier]
            if other.is_critical and other.from_grade <= it.grade and other.capability == need.capability:
                wanted += 1
        latest = max(latest, _nth_at_work(w, incident, need.capability, wanted))
    return latest


@compiled_inline
def crew_for(w, unit):  # type: ignore[no-untyped-def]
    """Return the people that ride with a unit that leaves its bay now.

    Its preferred crew as far as the other units ready in the bays keep their smallest crews; never less than its own
    smallest crew.
    """
    it = w.units[unit]
    station = w.stations[it.station]
    spare = people_free(w, it.station)
    for other in range(station.first_unit, station.end_unit):
        if other != unit and w.units[other].status == _AT_STATION and w.units[other].is_in_service:
            spare -= w.units[other].crew_min
    return max(it.crew_min, min(it.crew_preferred, spare))
