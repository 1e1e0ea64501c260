"""How long things take and when they are met: answers about the world, without changing anything.

Every function reads the world and returns an answer. Both engines call them; `state.py` acts on the answers. Times are
int64 milliseconds. Dispatchers see expected times only: the noise of a trip is known when the trip is made. Next:
`approach.py` (the way there), `cover.py` (who is ready), `choice.py` (who goes).

Ranks belong to (incident, slot). A stage takes the rank of the slot that the unit holds when the stage begins: turnout
when it is dispatched, the trip when it leaves, the access when it reaches the address, the time on scene after what the
first arrival found. That may have handed it over from a slot of the reported kind to one of the true kind; both have
ranks of their own, independent and of the same law, so neither choice shifts a distribution. A duration known from
records takes the place of the look-up, by the same rule.
"""

from __future__ import annotations

import numpy as np

import sim.engine.handle  # noqa: F401  (teaches numba the type of the world)
from sim.chance import look_up
from sim.compiled import compiled_borrowing, compiled_inline
from sim.demand.types import BY_AIR
from sim.engine.codes import AIR
from sim.engine.world import (
    IS_SCENE_DELAY_ON,
    SCENE_DELAY_CAP_MS,
    SlotStatus,
)
from sim.units import MS_PER_H, MS_PER_MIN

NOBODY = -1
NEVER_MS = 1 << 62
TURNOUT, TRAVEL, ACCESS, SCENE = range(4)
"""Stages of a unit's mission: places in the ranks and in the recorded durations of a slot."""
_ON_SCENE = int(SlotStatus.ON_SCENE)
_DONE = int(SlotStatus.DONE)


@compiled_inline
def hour_index(w, now):  # type: ignore[no-untyped-def]
    """Return the place of an instant in the tables by hour of the run; the last hour stands for all that follow."""
    return min(now // MS_PER_H, w.period_of_hour.shape[0] - 1)


@compiled_inline
def drive_ms(w, period, station, from_cell, to_cell):  # type: ignore[no-untyped-def]
    """Return the driving time between two cells of a unit of a station, on dry roads and without noise."""
    return (np.int64(w.travel_ms[period, from_cell, to_cell]) * w.stations[station].drive_q16) >> 16


@compiled_inline
def expected_turnout_ms(w, now, station):  # type: ignore[no-untyped-def]
    """Return the mean turnout time of a station at this hour, as the dispatcher reckons with it."""
    return w.turnout_mean_ms[w.turnout_row[hour_index(w, now)], station]


@compiled_inline
def least_turnout_ms(w, now):  # type: ignore[no-untyped-def]
    """Return the least of the stations' mean turnout times at this hour."""
    return w.turnout_least_ms[w.turnout_row[hour_index(w, now)]]


@compiled_inline
def recorded_ms(w, slot, stage):  # type: ignore[no-untyped-def]
    """Return what records say of a stage of a slot, ms; -1 where they say nothing."""
    return w.recorded_ms[slot, stage] if slot < w.recorded_ms.shape[0] else np.int64(-1)


@compiled_inline
def turnout_ms(w, now, unit, slot):  # type: ignore[no-untyped-def]
    """Return the time until a unit that fills `slot` leaves its bay: as recorded, or turnout and its own call-out.

    Turnout is the slot's rank in the table of the hour and the unit's station, x the factor of the incident.
    """
    recorded = recorded_ms(w, slot, TURNOUT)
    if recorded >= 0:
        return recorded
    table = w.turnout_table[w.turnout_row[hour_index(w, now)], w.units[unit].station]
    turnout = look_up(w.quantiles[table], w.slot_ranks[slot, TURNOUT])
    return ((turnout * w.incidents[w.slots[slot].incident].turnout_q16) >> 16) + w.units[unit].callout_ms


@compiled_inline
def lead_ms(w, now, unit):  # type: ignore[no-untyped-def]
    """Return the expected time until a unit leaves its bay: mean turnout of the hour and the unit's own call-out."""
    return expected_turnout_ms(w, now, w.units[unit].station) + w.units[unit].callout_ms


@compiled_inline
def on_scene_ms(w, incident, slot, arrive_ms):  # type: ignore[no-untyped-def]
    """Return how long a unit works: its base draw by true kind and grade, longer the later it came.

    base x (1 + slope x min(delay since the call, cap)); a slope of zero, or the setting, switches the delay off.
    An aircraft works for its own draw at the kind, by the same rank, if it has one: neither grade nor delay count.
    Nor do they for a recorded time.
    """
    it = w.incidents[incident]
    recorded = recorded_ms(w, slot, SCENE)
    if recorded >= 0:
        return recorded
    by_air = w.scene_table[it.kind, BY_AIR]
    if by_air >= 0 and w.units[w.slots[slot].unit].mode == AIR:
        return look_up(w.quantiles[by_air], w.slot_ranks[slot, SCENE])
    base = look_up(w.quantiles[w.scene_table[it.kind, it.grade]], w.slot_ranks[slot, SCENE])
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
def _nth_at_work(w, incident, capability, wanted):  # type: ignore[no-untyped-def]
    """Return the instant at which the `wanted`-th unit sent for a capability is at work, `NEVER_MS` if fewer came."""
    first = w.incidents[incident].first_slot
    last_ms, last_slot = np.int64(-1), np.int64(-1)
    for _ in range(wanted):
        best_ms, best_slot = np.int64(NEVER_MS), np.int64(-1)
        for slot in range(first, first + w.incidents[incident].n_opened):
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
    spare = people_free(w, it.station) - (w.stations[it.station].crews_kept - it.crew_min)
    return max(it.crew_min, min(it.crew_preferred, spare))
