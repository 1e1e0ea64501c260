"""Who goes: the unit that the run's dispatch rule chooses for a need, without changing anything that lasts.

By road the earliest expected arrival counts; where the way from the address to the work depends on the unit (along a
track, by air, by water), the earliest expected work does. Units of other cities are asked only once they are released.
`state.py` sends whoever is chosen.
"""

from __future__ import annotations

import numpy as np

from sim.compiled import compiled_borrowing, compiled_inline
from sim.engine import approach, cover, rules
from sim.engine.asking import call_rule
from sim.engine.codes import AIR, RETURNING, ROAD, STANDING_BY, WATER
from sim.engine.rules import NEVER_MS, NOBODY
from sim.engine.world import (
    DISPATCH_KEEP_COVER,
    DISPATCH_OWN_TOWN_FIRST,
    DISPATCH_POLICY,
    HELP_WAIT_MS,
    IS_SENT_ON,
    N_AWAY,
    N_GAINS,
    OWN_RULE,
    SLACK_MS,
)

_MOST_RARE = 8


@compiled_inline
def is_released(w, station, incident, waited_ms):  # type: ignore[no-untyped-def]
    """Return whether a station may send to an incident: one of the city's own, or help that its grade or wait frees.

    One that is passed over may not.
    """
    if w.stations[station].is_passed:
        return False
    from_grade = w.stations[station].help_grade
    if from_grade == 0 or waited_ms >= w.params[HELP_WAIT_MS]:
        return True
    it = w.incidents[incident]
    return (it.grade if it.is_revealed else it.reported_grade) >= from_grade


@compiled_inline
def _may_send(w, station, incident, town, waited_ms):  # type: ignore[no-untyped-def]
    if town >= 0 and w.stations[station].town != town:
        return False
    return is_released(w, station, incident, waited_ms)


@compiled_inline
def _is_asked_away(w, unit, incident, capability, town, waited_ms):  # type: ignore[no-untyped-def]
    """Return whether a unit that is away without an incident can be asked; aircraft and boats must be back first.

    So must vehicles where the rule is that none is sent on from its way home.
    """
    it = w.units[unit]
    if it.status == RETURNING and not w.params[IS_SENT_ON]:
        return False
    has_it = it.mode == ROAD and (it.capabilities >> capability) & 1
    return has_it and _may_send(w, it.station, incident, town, waited_ms)


@compiled_inline
def _lead_away_ms(w, now, unit):  # type: ignore[no-untyped-def]
    """Return the expected time until a unit away leaves for an incident: at once on the road, turnout if it stands."""
    return rules.lead_ms(w, now, unit) if w.units[unit].status == STANDING_BY else np.int64(0)


@compiled_inline
def _expected_away_ms(w, now, unit, cell):  # type: ignore[no-untyped-def]
    """Return the expected time until a unit away is at a cell: the drive from where it is, turnout if it stands."""
    from_cell = approach.position_cell(w, unit, now)
    return _lead_away_ms(w, now, unit) + approach.expected_travel_ms(w, now, unit, from_cell, cell)


@compiled_inline
def _is_earlier(unit, expected_ms, best_unit, best_ms):  # type: ignore[no-untyped-def]
    return expected_ms < best_ms or (expected_ms == best_ms and unit < best_unit)


@compiled_inline
def _earlier_of(w, now, station, capability, drive, best_unit, best_ms):  # type: ignore[no-untyped-def]
    """Return (unit, expected ms) of the vehicle that a station would send, or the best so far if that is earlier."""
    unit = cover.ready_unit(w, station, capability)
    if unit != NOBODY:
        expected = rules.lead_ms(w, now, unit) + drive
        if _is_earlier(unit, expected, best_unit, best_ms):
            return np.int64(unit), expected
    return best_unit, best_ms


@compiled_inline
def _is_rare(w, capability):  # type: ignore[no-untyped-def]
    """Return whether so few stations have a capability that asking each is quicker than going by driving time."""
    return w.able_begin[capability + 1] - w.able_begin[capability] <= _MOST_RARE


@compiled_borrowing
def _nearest_of_few(w, now, incident, capability, town, waited_ms):  # type: ignore[no-untyped-def]
    """Return (unit, expected ms) of the earliest expected arrival from a bay, for a capability that few have."""
    cell, hour = w.incidents[incident].cell, rules.hour_index(w, now)
    period, road_q16 = w.period_of_hour[hour], np.int64(w.road_q16[hour])
    best_unit, best_ms = np.int64(NOBODY), np.int64(NEVER_MS)
    for place in range(w.able_begin[capability], w.able_begin[capability + 1]):
        station = np.int64(w.able_station[place])
        if not (w.ready[station] >> capability) & 1 or not _may_send(w, station, incident, town, waited_ms):
            continue
        drive = (cover.reaches_ms(w, period, station, cell) * road_q16) >> 16
        best_unit, best_ms = _earlier_of(w, now, station, capability, drive, best_unit, best_ms)
    return best_unit, best_ms


@compiled_borrowing
def _nearest_in_bay(w, now, incident, capability, town, waited_ms):  # type: ignore[no-untyped-def]
    """Return (unit, expected ms) of the earliest expected arrival from a bay."""
    cell = w.incidents[incident].cell
    hour = rules.hour_index(w, now)
    period, road_q16 = w.period_of_hour[hour], np.int64(w.road_q16[hour])
    least_turnout = rules.least_turnout_ms(w, now)
    best_unit, best_ms = np.int64(NOBODY), np.int64(NEVER_MS)
    for place in range(w.roads.shape[2]):
        road = w.roads[period, cell, place]
        station = np.int64(road.station)
        if not (w.ready[station] >> capability) & 1:
            continue
        drive = (road.to_ms * road_q16) >> 16
        if least_turnout + drive > best_ms:
            break  # stations come in order of driving time: none further on can be earlier
        if not _may_send(w, station, incident, town, waited_ms):
            continue
        best_unit, best_ms = _earlier_of(w, now, station, capability, drive, best_unit, best_ms)
    return best_unit, best_ms


@compiled_borrowing
def _nearest(w, now, incident, capability, town, waited_ms):  # type: ignore[no-untyped-def]
    """Return (unit, expected ms) of the earliest expected arrival by road among units of one town (-1: any town).

    What is expected of those away is left in `away_ms`, `NEVER_MS` where one is not asked.
    """
    if _is_rare(w, capability):
        best_unit, best_ms = _nearest_of_few(w, now, incident, capability, town, waited_ms)
    else:
        best_unit, best_ms = _nearest_in_bay(w, now, incident, capability, town, waited_ms)
    for place in range(w.counts[N_AWAY]):
        unit, expected = w.away[place], np.int64(NEVER_MS)
        if _is_asked_away(w, unit, incident, capability, town, waited_ms):
            expected = _expected_away_ms(w, now, unit, w.incidents[incident].cell)
        w.away_ms[place] = expected
        if _is_earlier(unit, expected, best_unit, best_ms):
            best_unit, best_ms = np.int64(unit), expected
    return best_unit, best_ms


@compiled_borrowing
def _nearest_keeping_cover(w, now, incident, capability, waited_ms):  # type: ignore[no-untyped-def]
    """Return (unit, expected ms) of the unit whose leaving costs the least cover among those nearly as early.

    Nearly: expected at most the rule's slack after the earliest. A unit on its way home, or one of a station that keeps
    another ready, costs none. Ties go to the earlier, then to the lower id.
    """
    best_unit, first_ms = _nearest(w, now, incident, capability, -1, waited_ms)
    if best_unit == NOBODY:
        return best_unit, first_ms
    cell = w.incidents[incident].cell
    hour = rules.hour_index(w, now)
    period, road_q16 = w.period_of_hour[hour], np.int64(w.road_q16[hour])
    least_turnout = rules.least_turnout_ms(w, now)
    last_ms = first_ms + w.params[SLACK_MS]
    best_ms, best_loss = first_ms, np.int64(NEVER_MS)
    for place in range(w.counts[N_AWAY]):
        unit, expected = w.away[place], w.away_ms[place]
        if expected <= last_ms:
            loss = cover.cover_lost(w, now, unit)
            if loss < best_loss or (loss == best_loss and _is_earlier(unit, expected, best_unit, best_ms)):
                best_unit, best_ms, best_loss = np.int64(unit), expected, loss
    for place in range(w.roads.shape[2]):
        road = w.roads[period, cell, place]
        station = np.int64(road.station)
        if not (w.ready[station] >> capability) & 1:
            continue
        drive = (road.to_ms * road_q16) >> 16
        soonest = least_turnout + drive
        if soonest > last_ms or (best_loss == 0 and soonest > best_ms):
            break  # none further on is nearly as early, or none can be better
        if not is_released(w, station, incident, waited_ms):
            continue
        unit = cover.ready_unit(w, station, capability)
        expected = rules.lead_ms(w, now, unit) + drive if unit != NOBODY else np.int64(NEVER_MS)
        if expected > last_ms:
            continue
        loss = cover.cover_lost(w, now, unit)
        if loss < best_loss or (loss == best_loss and _is_earlier(unit, expected, best_unit, best_ms)):
            best_unit, best_ms, best_loss = np.int64(unit), expected, loss
    return best_unit, best_ms


@compiled_borrowing
def _soonest_on_track(w, now, incident, capability, town, waited_ms):  # type: ignore[no-untyped-def]
    """Return (unit, expected ms at its portal) of the earliest expected work at an incident on a railway track."""
    best_unit, best_ms, best_work = np.int64(NOBODY), np.int64(NEVER_MS), np.int64(NEVER_MS)
    for unit in range(w.units.shape[0]):
        it = w.units[unit]
        if it.mode != ROAD or not (it.capabilities >> capability) & 1:
            continue
        if not _may_send(w, it.station, incident, town, waited_ms):
            continue
        if it.away_at >= 0 and (it.status != RETURNING or w.params[IS_SENT_ON]):
            lead, from_cell = _lead_away_ms(w, now, unit), approach.position_cell(w, unit, now)
        elif w.stations[it.station].is_open and cover.is_ready(w, unit, rules.people_free(w, it.station)):
            lead, from_cell = rules.lead_ms(w, now, unit), np.int64(w.stations[it.station].cell)
        else:
            continue
        is_second = approach.better_portal(w, now, unit, incident, lead, from_cell)
        arrival, work = approach.track_arrival(w, now, unit, incident, lead, from_cell, is_second)
        if work < best_work:
            best_unit, best_ms, best_work = np.int64(unit), arrival, work
    return best_unit, best_ms


@compiled_inline
def _known_kind(w, incident):  # type: ignore[no-untyped-def]
    """Return what an incident is known to be: as told until somebody is there."""
    it = w.incidents[incident]
    return it.kind if it.is_revealed else it.reported_kind


@compiled_inline
def is_craft_asked(w, unit, incident, capability):  # type: ignore[no-untyped-def]
    """Return whether an aircraft or a boat is asked for a capability at what the incident is known to be."""
    it = w.units[unit]
    return (it.capabilities & w.tasks[it.mode, _known_kind(w, incident)]) >> capability & 1


@compiled_inline
def _are_craft_asked(w, incident, capability):  # type: ignore[no-untyped-def]
    """Return whether any craft would be asked for a capability at what the incident is known to be."""
    known = _known_kind(w, incident)
    return w.craft.shape[0] > 0 and (w.tasks[AIR, known] | w.tasks[WATER, known]) >> capability & 1


@compiled_borrowing
def _soonest_craft(w, now, incident, capability, waited_ms):  # type: ignore[no-untyped-def]
    """Return (craft, expected ms until it is there, until it works) of the earliest work by air or by water.

    Nobody where such craft are not asked for the capability at what the incident is known to be.
    """
    best_unit, best_ms, best_work = np.int64(NOBODY), np.int64(NEVER_MS), np.int64(NEVER_MS)
    for place in range(w.craft.shape[0]):
        unit = w.craft[place]
        it = w.units[unit]
        is_asked = is_craft_asked(w, unit, incident, capability)
        if not is_asked or not is_released(w, it.station, incident, waited_ms):
            continue
        if not approach.can_set_out(w, now, unit, incident):
            continue
        cell = w.incidents[incident].cell
        arrival = rules.lead_ms(w, now, unit) + approach.flight_ms(w, unit, it.from_cell, cell)
        work = arrival + (it.access_ms if it.access_ms >= 0 else w.access_mean_ms[_known_kind(w, incident)])
        if work < best_work:
            best_unit, best_ms, best_work = np.int64(unit), arrival, work
    return best_unit, best_ms, best_work


@compiled_borrowing
def _by_road(w, now, incident, capability, town, waited_ms):  # type: ignore[no-untyped-def]
    if approach.is_on_track(w, incident):
        return _soonest_on_track(w, now, incident, capability, town, waited_ms)
    return _nearest(w, now, incident, capability, town, waited_ms)


@compiled_borrowing
def choose_unit(w, now, incident, capability, waited_ms):  # type: ignore[no-untyped-def]
    """Return (unit, expected ms until it arrives) for a need; (-1, never) if none can.

    The one that the dispatch rule chooses; where stations are passed over, the one that it would choose without the
    station of its choice, and so on for as many stations, unless nobody else could go. One's own rule decides alone.
    """
    if w.params[OWN_RULE] != 0:
        return _by_own_rule(w, now, incident, capability, waited_ms)
    unit, expected = np.int64(NOBODY), np.int64(NEVER_MS)
    n_passed = w.incidents[incident].n_passed
    for turn in range(n_passed + 1):
        further, further_ms = _by_rule(w, now, incident, capability, waited_ms)
        if further == NOBODY:
            break
        unit, expected = further, further_ms
        if turn < n_passed:
            w.stations[w.units[unit].station].is_passed = 1
    if n_passed == 0 or unit == NOBODY:
        return unit, expected
    for station in range(w.stations.shape[0]):
        w.stations[station].is_passed = 0
    return unit, expected


@compiled_borrowing
def choose_for_waiting(w, now, slot):  # type: ignore[no-untyped-def]
    """Return what `choose_unit` returns for a need that waits.

    Where nobody could go by road when it was last asked for, nobody can until a station can send more, a unit starts
    for home, or help is released: then only craft are asked again, whose hours come and go.
    """
    it = w.slots[slot]
    waited_ms = now - it.opened_ms
    looked = look_state(w, waited_ms)
    if it.looked != looked or w.incidents[it.incident].n_passed > 0 or w.params[OWN_RULE] != 0:
        unit, expected = choose_unit(w, now, it.incident, it.capability, waited_ms)
    elif _are_craft_asked(w, it.incident, it.capability) and not approach.is_on_track(w, it.incident):
        unit, expected, _ = _soonest_craft(w, now, it.incident, it.capability, waited_ms)
    else:
        unit, expected = np.int64(NOBODY), np.int64(NEVER_MS)
    if unit == NOBODY:
        it.looked = looked
    return unit, expected


@compiled_inline
def look_state(w, waited_ms):  # type: ignore[no-untyped-def]
    """Return a number that stays as it is while a need for which nobody could go by road cannot be met by road."""
    return 2 * w.counts[N_GAINS] + (1 if waited_ms >= w.params[HELP_WAIT_MS] else 0)


@compiled_borrowing
def _by_rule(w, now, incident, capability, waited_ms):  # type: ignore[no-untyped-def]
    """Return (unit, expected ms until it arrives) by the run's dispatch rule; (-1, never) if none can.

    Nearest: the earliest expected arrival among units in their bays (turnout, call-out and drive), units on their way
    (drive from where they are, no turnout) and units that stand by elsewhere; ties go to the lowest unit id. Own town
    first: the same among the units of the incident's town, and only if it has none, among all. Keep cover: of those
    nearly as early, the one whose leaving costs least cover. Whatever the rule, an aircraft or a boat goes instead
    if it is expected at work sooner. `waited_ms`: how long the need has waited, which may release help from outside.
    """
    unit, expected = np.int64(NOBODY), np.int64(NEVER_MS)
    if w.params[DISPATCH_POLICY] == DISPATCH_OWN_TOWN_FIRST:
        unit, expected = _by_road(w, now, incident, capability, w.incidents[incident].town, waited_ms)
    elif w.params[DISPATCH_POLICY] == DISPATCH_KEEP_COVER and not approach.is_on_track(w, incident):
        unit, expected = _nearest_keeping_cover(w, now, incident, capability, waited_ms)
    if unit == NOBODY:
        unit, expected = _by_road(w, now, incident, capability, -1, waited_ms)
    if _are_craft_asked(w, incident, capability) and not approach.is_on_track(w, incident):
        craft, arrival, work = _soonest_craft(w, now, incident, capability, waited_ms)
        if craft != NOBODY and (unit == NOBODY or work < expected + w.access_mean_ms[_known_kind(w, incident)]):
            return craft, arrival
    return unit, expected


# --- for a rule of one's own --------------------------------------------------------------------------------------


@compiled_borrowing
def _by_own_rule(w, now, incident, capability, waited_ms):  # type: ignore[no-untyped-def]
    """Return (unit, expected ms until it arrives) of a unit that the run's own rule chooses; (-1, never) if none."""
    unit = call_rule(w.params[OWN_RULE], now, incident, capability, waited_ms)
    if unit == NOBODY:
        return np.int64(NOBODY), np.int64(NEVER_MS)
    arrival, _ = _way_of(w, now, unit, incident, capability, waited_ms)
    return np.int64(unit), arrival


@compiled_borrowing
def ways_of_all(w, now, incident, capability, waited_ms, out):  # type: ignore[no-untyped-def]
    """Fill (n_units, 2) int64 with the expected ms until each unit is there and until it works; -1 where it cannot."""
    for unit in range(w.units.shape[0]):
        out[unit, 0], out[unit, 1] = _way_of(w, now, unit, incident, capability, waited_ms)


@compiled_borrowing
def _way_of(w, now, unit, incident, capability, waited_ms):  # type: ignore[no-untyped-def]
    """Return (ms until a unit is there, until it works) as the dispatcher reckons; (-1, -1) if it cannot be sent."""
    it = w.units[unit]
    can_not = np.int64(-1), np.int64(-1)
    if not is_released(w, it.station, incident, waited_ms):
        return can_not
    mean_access = w.access_mean_ms[_known_kind(w, incident)]
    if it.mode != ROAD:
        is_asked = not approach.is_on_track(w, incident) and is_craft_asked(w, unit, incident, capability)
        if not is_asked or not approach.can_set_out(w, now, unit, incident):
            return can_not
        by_craft = rules.lead_ms(w, now, unit) + approach.flight_ms(w, unit, it.from_cell, w.incidents[incident].cell)
        return by_craft, by_craft + (it.access_ms if it.access_ms >= 0 else mean_access)
    if not (it.capabilities >> capability) & 1:
        return can_not
    if it.away_at >= 0 and (it.status != RETURNING or w.params[IS_SENT_ON]):
        lead, from_cell = _lead_away_ms(w, now, unit), approach.position_cell(w, unit, now)
    elif w.stations[it.station].is_open and cover.is_ready(w, unit, rules.people_free(w, it.station)):
        lead, from_cell = rules.lead_ms(w, now, unit), np.int64(w.stations[it.station].cell)
    else:
        return can_not
    if approach.is_on_track(w, incident):
        is_second = approach.better_portal(w, now, unit, incident, lead, from_cell)
        return approach.track_arrival(w, now, unit, incident, lead, from_cell, is_second)
    arrival = lead + approach.expected_travel_ms(w, now, unit, from_cell, w.incidents[incident].cell)
    return arrival, arrival + mean_access
