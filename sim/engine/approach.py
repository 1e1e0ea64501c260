"""How a unit gets to an incident and how long that takes: by road, by air, along a railway track.

By road a unit drives to the incident's cell; where the incident lies on a track, to the portal from which it is sooner
at work: there it waits until the power is confirmed off and goes along the track, on foot or by its own rail vehicle.
An aircraft flies straight and needs daylight, weather, range and flying time left on the day; a boat goes along the
water from its quay. `rules.py` gives the
durations that do not depend on the way; `choice.py` decides who goes. Nothing here changes anything.
"""

from __future__ import annotations

import numpy as np

from sim.chance import look_up
from sim.compiled import compiled_borrowing, compiled_inline
from sim.engine import rules
from sim.engine.codes import AIR, AT_STATION, ROAD, WATER
from sim.engine.world import (
    GRID_CELL_M,
    GRID_X0_M,
    GRID_Y0_M,
    HOME_FACTOR_Q16,
    TRANSPORT_FACTOR_Q16,
    WATER_CAPABILITY,
)
from sim.units import MS_PER_DAY, MS_PER_H

_MM_MS_PER_M_S = 1_000_000
"""m x 1000 mm/m x 1000 ms/s: metres over mm/s are whole milliseconds."""


# --- by road ----------------------------------------------------------------------------------------------------------


@compiled_inline
def expected_travel_ms(w, now, unit, from_cell, to_cell):  # type: ignore[no-untyped-def]
    """Return a unit's driving time between two cells in the period and weather of `now`, without noise."""
    hour = rules.hour_index(w, now)
    period, station = w.period_of_hour[hour], w.units[unit].station
    if from_cell == w.stations[station].cell:
        drive = np.int64(w.roads[period, to_cell, _place_of(w, period, to_cell, station)].to_ms)
    else:
        drive = rules.drive_ms(w, period, station, from_cell, to_cell)
    return (drive * w.road_q16[hour]) >> 16


@compiled_inline
def _place_of(w, period, cell, station):  # type: ignore[no-untyped-def]
    """Return the place of a station among the roads of a cell; those that send there are mostly among the first."""
    place = 0
    while w.roads[period, cell, place].station != station:
        place += 1
    return place


@compiled_inline
def noise_table(w, expected_ms):  # type: ignore[no-untyped-def]
    """Return the table of a trip's own factor: that of the last band which begins by its expected driving time."""
    band = 0
    while band + 1 < w.noise_from_ms.shape[0] and w.noise_from_ms[band + 1] <= expected_ms:
        band += 1
    return w.noise_table[band]


@compiled_borrowing
def position_cell(w, unit, now):  # type: ignore[no-untyped-def]
    """Return the cell a moving unit is in: on the straight line of its leg, in proportion to the time gone.

    The city's grid says which that is; where cells lie anywhere, it is the one nearest to the point, of several as near
    the one it comes from, or else the first.
    """
    it = w.units[unit]
    whole = it.arrive_ms - it.leave_ms
    if whole <= 0 or now >= it.arrive_ms:
        return np.int64(it.to_cell)
    gone = now - it.leave_ms
    x0, y0 = np.int64(w.cell_xy[it.from_cell, 0]), np.int64(w.cell_xy[it.from_cell, 1])
    x = x0 + ((np.int64(w.cell_xy[it.to_cell, 0]) - x0) * gone) // whole
    y = y0 + ((np.int64(w.cell_xy[it.to_cell, 1]) - y0) * gone) // whole
    column = (x - w.params[GRID_X0_M]) // w.params[GRID_CELL_M]
    row = (y - w.params[GRID_Y0_M]) // w.params[GRID_CELL_M]
    column = min(max(column, 0), w.grid.shape[1] - 1)
    row = min(max(row, 0), w.grid.shape[0] - 1)
    cell = np.int64(w.grid[row, column])
    return cell if cell >= 0 else _nearest_of(w, -1 - cell, x, y, it.from_cell)


@compiled_inline
def _nearest_of(w, at, x, y, from_cell):  # type: ignore[no-untyped-def]
    """Return the cell nearest to a point among those listed at a place of `near`; `from_cell` if it is as near."""
    best, best_square = np.int64(from_cell), _square_m2(w, from_cell, x, y)
    for place in range(at + 1, at + 1 + w.near[at]):
        square = _square_m2(w, w.near[place], x, y)
        if square < best_square:
            best, best_square = np.int64(w.near[place]), square
    return best


@compiled_inline
def _square_m2(w, cell, x, y):  # type: ignore[no-untyped-def]
    dx, dy = np.int64(w.cell_xy[cell, 0]) - x, np.int64(w.cell_xy[cell, 1]) - y
    return dx * dx + dy * dy


# --- by air and by water ----------------------------------------------------------------------------------------------


@compiled_inline
def distance_m(w, from_cell, to_cell):  # type: ignore[no-untyped-def]
    """Return the straight distance between two cells, whole metres rounded down."""
    dx = np.int64(w.cell_xy[to_cell, 0]) - np.int64(w.cell_xy[from_cell, 0])
    dy = np.int64(w.cell_xy[to_cell, 1]) - np.int64(w.cell_xy[from_cell, 1])
    return np.int64(np.sqrt(np.float64(dx * dx + dy * dy)))


@compiled_inline
def way_m(w, unit, from_cell, to_cell):  # type: ignore[no-untyped-def]
    """Return the way of an aircraft between two cells, or of a boat between its quay and another cell; -1 no water."""
    station = w.stations[w.units[unit].station]
    if w.units[unit].mode == AIR:
        return distance_m(w, from_cell, to_cell)
    return np.int64(w.way_m[station.quay, to_cell if from_cell == station.cell else from_cell])


@compiled_inline
def flight_ms(w, unit, from_cell, to_cell):  # type: ignore[no-untyped-def]
    """Return the time an aircraft or a boat takes between two cells."""
    return (way_m(w, unit, from_cell, to_cell) * _MM_MS_PER_M_S) // w.units[unit].speed_mm_s


@compiled_borrowing
def can_set_out(w, now, unit, incident):  # type: ignore[no-untyped-def]
    """Return whether an aircraft in its hangar, or a boat at its quay, may set out for an incident now.

    A boat needs its crew and water that leads there; an aircraft its crew, a flying hour now and when it arrives, the
    place within its range, and flying time left that day for the way out and back.
    """
    it = w.units[unit]
    if it.mode == WATER:
        is_in = it.status == AT_STATION and it.is_in_service and not it.is_failed and w.stations[it.station].is_open
        has_crew = it.crew_min <= rules.people_free(w, it.station)
        quay = w.stations[it.station].quay
        return is_in and has_crew and quay >= 0 and w.way_m[quay, w.incidents[incident].cell] >= 0
    if it.status != AT_STATION or not it.is_in_service or it.is_failed or not w.stations[it.station].is_open:
        return False
    has_crew = it.crew_min <= rules.people_free(w, it.station)
    cell = w.incidents[incident].cell
    return has_crew and is_in_range(w, unit, cell) and may_fly(w, now, unit, cell)


@compiled_inline
def is_in_range(w, unit, cell):  # type: ignore[no-untyped-def]
    """Return whether a cell is no further from an aircraft's base than it may go."""
    it = w.units[unit]
    return it.range_m == 0 or distance_m(w, w.stations[it.station].cell, cell) <= it.range_m


@compiled_borrowing
def may_fly(w, now, unit, cell):  # type: ignore[no-untyped-def]
    """Return whether daylight, weather and the flying time of the day let an aircraft fly to a cell if ordered now.

    A flying hour now and when it arrives; flying time left that day for the way out and back.
    """
    it = w.units[unit]
    flight = flight_ms(w, unit, w.stations[it.station].cell, cell)
    arrival = now + rules.lead_ms(w, now, unit) + flight
    if not w.is_flyable[rules.hour_index(w, now)] or not w.is_flyable[rules.hour_index(w, arrival)]:
        return False
    flown = it.flown_ms if it.flown_day == now // MS_PER_DAY else 0
    return it.duty_ms == 0 or flown + 2 * flight <= it.duty_ms


@compiled_borrowing
def next_window_ms(w, now, unit, cell):  # type: ignore[no-untyped-def]
    """Return the next instant from which an aircraft may fly to a cell while just before it may not; `NEVER_MS`.

    A window opens with an hour (day, weather, a new day's flying time), or when a flight would arrive as one begins.
    Crew, servicing and repair are not asked: their changes are events themselves.
    """
    flight = flight_ms(w, unit, w.stations[w.units[unit].station].cell, cell)
    if 0 < w.units[unit].duty_ms < 2 * flight:
        return np.int64(rules.NEVER_MS)
    for hour in range(rules.hour_index(w, now), w.is_flyable.shape[0]):
        if not w.is_flyable[hour]:
            continue
        begin = np.int64(hour) * MS_PER_H
        under_way = rules.lead_ms(w, begin, unit) + flight
        arrives_with_an_hour = begin + (MS_PER_H - under_way % MS_PER_H) % MS_PER_H
        for at in (begin, arrives_with_an_hour):
            if at > now and may_fly(w, at, unit, cell) and not may_fly(w, at - 1, unit, cell):
                return at
    return np.int64(rules.NEVER_MS)


# --- along a track ----------------------------------------------------------------------------------------------------


@compiled_inline
def is_on_track(w, incident):  # type: ignore[no-untyped-def]
    """Return whether an incident is reached from a portal along a railway track."""
    return w.incidents[incident].portal_a >= 0


@compiled_inline
def _track_ms(w, unit, track_m):  # type: ignore[no-untyped-def]
    return (np.int64(track_m) * _MM_MS_PER_M_S) // w.units[unit].track_mm_s


@compiled_inline
def _power_off_at(w, incident):  # type: ignore[no-untyped-def]
    return w.incidents[incident].call_ms + w.incidents[incident].power_off_ms


@compiled_borrowing
def track_arrival(w, now, unit, incident, lead_ms, from_cell, is_second):  # type: ignore[no-untyped-def]
    """Return (ms until it is at a portal, ms until it is at work from there), as the dispatcher reckons."""
    it = w.incidents[incident]
    portal = it.portal_b if is_second else it.portal_a
    track_m = it.track_b_m if is_second else it.track_a_m
    arrival = lead_ms + expected_travel_ms(w, now, unit, from_cell, portal)
    return arrival, max(now + arrival, _power_off_at(w, incident)) - now + _track_ms(w, unit, track_m)


@compiled_borrowing
def better_portal(w, now, unit, incident, lead_ms, from_cell):  # type: ignore[no-untyped-def]
    """Return whether the second portal lets the unit be at work sooner than the first."""
    if w.incidents[incident].portal_b < 0:
        return False
    _, first = track_arrival(w, now, unit, incident, lead_ms, from_cell, False)
    _, second = track_arrival(w, now, unit, incident, lead_ms, from_cell, True)
    return second < first


@compiled_inline
def _track_left_m(w, unit, incident):  # type: ignore[no-untyped-def]
    """Return the track between the portal a unit stands at and the incident."""
    it = w.incidents[incident]
    is_at_second = w.units[unit].to_cell == it.portal_b
    is_at_first = w.units[unit].to_cell == it.portal_a
    if is_at_second and (not is_at_first or it.track_b_m < it.track_a_m):
        return it.track_b_m
    return it.track_a_m


# --- whatever the way -------------------------------------------------------------------------------------------------


@compiled_borrowing
def goal_cell(w, now, unit, incident, from_cell):  # type: ignore[no-untyped-def]
    """Return the cell a unit that leaves `from_cell` now makes for: the incident's, or a portal of its track."""
    it = w.incidents[incident]
    if it.portal_a < 0 or w.units[unit].mode != ROAD:
        return np.int64(it.cell)
    return np.int64(it.portal_b if better_portal(w, now, unit, incident, 0, from_cell) else it.portal_a)


@compiled_borrowing
def trip_ms(w, now, unit, incident, slot, from_cell, to_cell):  # type: ignore[no-untyped-def]
    """Return the time of one trip: of a craft, or the expected drive x the factors of the incident and of the slot.

    Of the incident: its common noise, and what a fit says of it. If the slot's travel is recorded, that, for a unit of
    the station that it is recorded of.
    """
    recorded = rules.recorded_ms(w, slot, rules.TRAVEL)
    if recorded >= 0 and w.recorded_station[slot] == w.units[unit].station:
        return recorded
    if w.units[unit].mode != ROAD:
        return flight_ms(w, unit, from_cell, to_cell)
    expected = expected_travel_ms(w, now, unit, from_cell, to_cell)
    own_q16 = look_up(w.quantiles[noise_table(w, expected)], w.slot_ranks[slot, rules.TRAVEL])
    it = w.incidents[incident]
    return (((((expected * it.travel_factor_q16) >> 16) * own_q16) >> 16) * it.drive_q16) >> 16


@compiled_borrowing
def home_ms(w, now, unit, from_cell):  # type: ignore[no-untyped-def]
    """Return the time of the way home, without siren: of a craft, or the drive at the homeward speed, without noise."""
    station = w.units[unit].station
    if w.units[unit].mode != ROAD:
        return flight_ms(w, unit, from_cell, w.stations[station].cell)
    hour = rules.hour_index(w, now)
    period = w.period_of_hour[hour]
    drive = np.int64(w.roads[period, from_cell, _place_of(w, period, from_cell, station)].home_ms)
    return (((drive * w.road_q16[hour]) >> 16) * w.params[HOME_FACTOR_Q16]) >> 16


@compiled_borrowing
def move_up_ms(w, now, unit, to_cell):  # type: ignore[no-untyped-def]
    """Return the time of the way from a unit's station to a post, at the homeward speed, without noise."""
    from_cell = w.stations[w.units[unit].station].cell
    return (expected_travel_ms(w, now, unit, from_cell, to_cell) * w.params[HOME_FACTOR_Q16]) >> 16


@compiled_inline
def has_transport(w, unit, slot):  # type: ignore[no-untyped-def]
    """Return whether a unit takes a patient somewhere after its work for a slot; craft never do."""
    return slot < w.transport_cell.shape[0] and w.transport_cell[slot] >= 0 and w.units[unit].mode == ROAD


@compiled_inline
def transport_ms(w, now, unit, slot, from_cell):  # type: ignore[no-untyped-def]
    """Return the time of the way with a patient from `from_cell`: as recorded, or the expected drive x its factor."""
    if w.transport_ms[slot] >= 0:
        return w.transport_ms[slot]
    expected = expected_travel_ms(w, now, unit, from_cell, w.transport_cell[slot])
    return (expected * w.params[TRANSPORT_FACTOR_Q16]) >> 16


@compiled_borrowing
def access_ms(w, now, unit, sent_to):  # type: ignore[no-untyped-def]
    """Return the time from the address, where the unit is now, to its work.

    Stairs and paths by true kind, or landing and hoist of an aircraft; on a track, what is left of the wait for the
    power to be off and the way along it; at a large fire without a hydrant near, the time until vehicles have water.
    `sent_to`: the slot it held on its way, whose rank says how long the stairs and paths take. Whether it needs water
    says the slot it holds now: what the first arrival finds may hand it over to another need. A recorded time is all
    of that at once.
    """
    recorded = rules.recorded_ms(w, sent_to, rules.ACCESS)
    if recorded >= 0:
        return recorded
    incident = w.units[unit].incident
    it = w.incidents[incident]
    access = np.int64(w.units[unit].access_ms)
    if access < 0:
        access = look_up(w.quantiles[w.access_table[it.kind]], w.slot_ranks[sent_to, rules.ACCESS])
    if it.portal_a >= 0 and w.units[unit].mode == ROAD:
        access += max(0, _power_off_at(w, incident) - now) + _track_ms(w, unit, _track_left_m(w, unit, incident))
    supply_grade = w.supply_grade[it.kind] if w.units[unit].mode == ROAD else 0
    capability = w.slots[w.units[unit].slot].capability
    if supply_grade > 0 and it.grade >= supply_grade and capability == w.params[WATER_CAPABILITY]:
        access += it.water_delay_ms
    return access
