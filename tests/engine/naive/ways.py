"""How long each stage takes: look-ups of ranks in quantile tables, drives, and where a unit is on its way."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .codes import AIR, DAY_MS, HOUR_MS, ROAD

if TYPE_CHECKING:
    from .loop import City
    from .parts import Incident, Slot, Unit

TURNOUT, TRAVEL, ACCESS, SCENE = range(4)


def hour_of(city: City, at_ms: int) -> int:
    """Return the hour of the run, later ones being like the last."""
    return min(at_ms // HOUR_MS, len(city.inputs.period_of_hour) - 1)


def times_q16(ms: int, factor_q16: int) -> int:
    """Return a duration times a factor in 1/65536; whole milliseconds count."""
    return ms * factor_q16 >> 16


def look_up(city: City, table: int, rank: int) -> int:
    """Return the quantile of a rank: three levels of 1024 equal bins, each level in the last bin of the one before."""
    values, rank = city.inputs.durations.values[table], int(rank)
    first, second, third = rank >> 22, rank >> 12 & 1023, rank >> 2 & 1023
    if first < 1023:
        return int(values[first])
    return int(values[1024 + second]) if second < 1023 else int(values[2048 + third])


def table_mean(city: City, table: int) -> int:
    """Return what a rank of the table gives on the mean, to the nearest whole number."""
    if table not in city.means:
        values = [int(value) for value in city.inputs.durations.values[table]]
        bins = sum(values[:1023]) * 1024**2 + sum(values[1024:2047]) * 1024 + sum(values[2048:])
        city.means[table] = (2 * bins // 1024**3 + 1) // 2
    return city.means[table]


def recorded(city: City, slot: Slot, stage: int) -> int:
    """Return what a record says of a stage, -1 if nothing."""
    records = city.inputs.recorded
    return -1 if records is None else int(records.slot_ms[slot.place, stage])


def rank_of(city: City, slot: Slot, stage: int) -> int:
    return int(city.inputs.slot_ranks[slot.place, stage])


# --- turning out -----------------------------------------------------------------------------------------------------


def turnout_table(city: City, unit: Unit, now: int) -> int:
    effects, hour = city.inputs.effects, hour_of(city, now)
    if effects is not None and effects.turnout is not None:
        return int(effects.turnout[hour % 24, unit.station])
    return int(city.inputs.durations.turnout[int(city.inputs.is_night_of_hour[hour])])


def expected_lead_ms(city: City, unit: Unit, now: int) -> int:
    """Return how long the dispatcher reckons until a unit in its bay, or standing by, leaves."""
    return table_mean(city, turnout_table(city, unit, now)) + unit.callout_ms


def turnout_ms(city: City, unit: Unit, slot: Slot, now: int) -> int:
    known = recorded(city, slot, TURNOUT)
    if known >= 0:
        return known
    drawn = look_up(city, turnout_table(city, unit, now), rank_of(city, slot, TURNOUT))
    effects = city.inputs.effects
    if effects is not None and effects.turnout_of_call_q16 is not None:
        drawn = times_q16(drawn, int(effects.turnout_of_call_q16[slot.incident.id]))
    return drawn + unit.callout_ms


# --- driving ---------------------------------------------------------------------------------------------------------


def dry_drive_ms(city: City, station: int, from_cell: int, to_cell: int, now: int) -> int:
    """Return the expected drive of a station's units in the traffic of the hour, by the station's factor."""
    inputs = city.inputs
    ms = int(inputs.travel.duration_ms[int(inputs.period_of_hour[hour_of(city, now)]), from_cell, to_cell])
    if inputs.effects is not None and inputs.effects.drive_q16 is not None:
        ms = times_q16(ms, int(inputs.effects.drive_q16[station]))
    return ms


def drive_ms(city: City, unit: Unit, from_cell: int, to_cell: int, now: int) -> int:
    """Return the expected drive that begins now, on the roads of the hour."""
    ms = dry_drive_ms(city, unit.station, from_cell, to_cell, now)
    return times_q16(ms, int(city.inputs.sky.road_q16[hour_of(city, now)]))


def own_noise_table(city: City, expected_ms: int) -> int:
    effects = city.inputs.effects
    if effects is None or effects.noise_from_ms is None:
        return int(city.inputs.durations.travel_own)
    bands = [i for i, begin in enumerate(effects.noise_from_ms) if begin <= expected_ms]
    return int(effects.noise_table[bands[-1]])


def trip_ms(city: City, unit: Unit, slot: Slot, from_cell: int, to_cell: int, now: int) -> int:
    """Return how long the way to the incident takes that begins now."""
    incident, inputs = slot.incident, city.inputs
    if recorded(city, slot, TRAVEL) >= 0 and inputs.recorded.travel_station[slot.place] == unit.station:
        return recorded(city, slot, TRAVEL)
    if unit.mode != ROAD:
        return flight_ms(city, unit, from_cell, to_cell)
    expected = drive_ms(city, unit, from_cell, to_cell, now)
    common = look_up(city, inputs.durations.travel_common, incident.row["rank_travel"])
    own = look_up(city, own_noise_table(city, expected), rank_of(city, slot, TRAVEL))
    ms = times_q16(times_q16(expected, common), own)
    if inputs.effects is not None and inputs.effects.drive_of_call_q16 is not None:
        ms = times_q16(ms, int(inputs.effects.drive_of_call_q16[incident.id]))
    return ms


def home_ms(city: City, unit: Unit, from_cell: int, to_cell: int, now: int) -> int:
    """Return how long a way without an incident takes that begins now."""
    if unit.mode != ROAD:
        return flight_ms(city, unit, from_cell, to_cell)
    return times_q16(drive_ms(city, unit, from_cell, to_cell, now), city.policy.home_factor_q16)


def place_of(city: City, unit: Unit, now: int) -> int:
    """Return the cell in which a unit is now: that of the point of its way, straight from cell to cell."""
    whole, gone = unit.ends_ms - unit.began_ms, now - unit.began_ms
    if whole <= 0 or gone >= whole:
        return unit.to_cell
    cells = city.inputs.city.cells
    x0, y0 = int(cells.x_m[unit.from_cell]), int(cells.y_m[unit.from_cell])
    x1, y1 = int(cells.x_m[unit.to_cell]), int(cells.y_m[unit.to_cell])
    x, y = x0 + (x1 - x0) * gone // whole, y0 + (y1 - y0) * gone // whole
    return nearest_cell(city, x, y, unit.from_cell)


def nearest_cell(city: City, x: int, y: int, first: int) -> int:
    given = city.inputs.city
    if city.inputs.nearest_zone is None:
        row, column = (y - given.grid_y0_m) // given.cell_m, (x - given.grid_x0_m) // given.cell_m
        n_rows, n_columns = given.grid.shape
        return int(given.grid[min(max(row, 0), n_rows - 1), min(max(column, 0), n_columns - 1)])
    cells = given.cells
    far = [(int(cells.x_m[c]) - x) ** 2 + (int(cells.y_m[c]) - y) ** 2 for c in range(len(cells.x_m))]
    return first if far[first] == min(far) else far.index(min(far))


# --- by air and by water ---------------------------------------------------------------------------------------------


def distance_m(city: City, a: int, b: int) -> int:
    """Return the straight distance of two cells in whole metres, rounded down."""
    cells = city.inputs.city.cells
    dx, dy = int(cells.x_m[a]) - int(cells.x_m[b]), int(cells.y_m[a]) - int(cells.y_m[b])
    return math.isqrt(dx * dx + dy * dy)


def water_way_m(city: City, unit: Unit, cell: int) -> int:
    """Return the way by water between a boat's quay and a cell, -1 where none leads."""
    quays = [int(station) for station in city.inputs.waterways.station]
    return int(city.inputs.waterways.way_m[quays.index(unit.station), cell]) if unit.station in quays else -1


def flight_ms(city: City, unit: Unit, from_cell: int, to_cell: int) -> int:
    """Return how long a craft takes: straight through the air, or along the water from its quay or back to it."""
    if unit.mode == AIR:
        return distance_m(city, from_cell, to_cell) * 1_000_000 // unit.speed_mm_s
    home_cell = city.stations[unit.station].cell
    return water_way_m(city, unit, to_cell if from_cell == home_cell else from_cell) * 1_000_000 // unit.speed_mm_s


def may_fly(city: City, unit: Unit, cell: int, at_ms: int) -> bool:
    """Return whether an aircraft ordered out then leaves and arrives in hours to fly in, with flying time left."""
    flight = flight_ms(city, unit, city.stations[unit.station].cell, cell)
    arrival_ms = at_ms + expected_lead_ms(city, unit, at_ms) + flight
    is_flyable = city.inputs.sky.is_flyable
    if not is_flyable[hour_of(city, at_ms)] or not is_flyable[hour_of(city, arrival_ms)]:
        return False
    return unit.duty_ms == 0 or unit.flown.get(at_ms // DAY_MS, 0) + 2 * flight <= unit.duty_ms


def is_in_range(city: City, unit: Unit, cell: int) -> bool:
    return unit.range_m == 0 or distance_m(city, city.stations[unit.station].cell, cell) <= unit.range_m


def next_window_ms(city: City, unit: Unit, cell: int, now: int) -> int:
    """Return the first instant after now at which an aircraft may be ordered out while just before it might not; -1.

    It can only be the beginning of an hour, or an instant whose flight would arrive with one.
    """
    flight = flight_ms(city, unit, city.stations[unit.station].cell, cell)
    for hour in range(hour_of(city, now), len(city.inputs.sky.is_flyable)):
        begin = hour * HOUR_MS
        way = expected_lead_ms(city, unit, begin) + flight
        for at in (begin, begin + -way % HOUR_MS):
            if at > now and may_fly(city, unit, cell, at) and not may_fly(city, unit, cell, at - 1):
                return at
    return -1


# --- along a track ---------------------------------------------------------------------------------------------------


def portals(city: City, incident: Incident) -> list[tuple[int, int]]:
    """Return (cell, metres of track) of the portals of an incident's track; none where it is reached by road."""
    scenes, i = city.inputs.scenes, incident.id
    if scenes.portal_cell[i, 0] < 0:
        return []
    return [
        (int(cell), int(metres))
        for cell, metres in zip(scenes.portal_cell[i], scenes.track_m[i], strict=True)
        if cell >= 0
    ]


def wait_and_walk_ms(city: City, unit: Unit, incident: Incident, track_m: int, at_ms: int) -> int:
    """Return how long it is to the work from a portal reached then: until the power is off, and along the track."""
    power_off_ms = incident.call_ms + int(city.inputs.scenes.power_off_ms[incident.id])
    return max(0, power_off_ms - at_ms) + track_m * 1_000_000 // unit.track_mm_s


def goal_of(city: City, unit: Unit, incident: Incident, from_cell: int, leaves_ms: int, now: int) -> int:
    """Return the cell a unit makes for: the incident's, or the portal from which it is expected at work first."""
    if unit.mode != ROAD or not portals(city, incident):
        return incident.cell
    outlooks = []
    for place, (cell, track_m) in enumerate(portals(city, incident)):
        there_ms = leaves_ms + drive_ms(city, unit, from_cell, cell, now)
        outlooks.append((there_ms + wait_and_walk_ms(city, unit, incident, track_m, there_ms), place, cell))
    return min(outlooks)[2]


def track_left_m(city: City, incident: Incident, cell: int) -> int:
    """Return the track from the portal in a cell; the shorter where both are there."""
    return min(track_m for portal, track_m in portals(city, incident) if portal == cell)


# --- at the scene ----------------------------------------------------------------------------------------------------


def access_ms(city: City, unit: Unit, came_for: Slot, fills: Slot, now: int) -> int:
    """Return how long it takes from the address to the work, of a unit that came for one slot and fills another."""
    incident, inputs = fills.incident, city.inputs
    known = recorded(city, came_for, ACCESS)
    if known >= 0:
        return known
    scenes, kind = inputs.scenes, incident.true_kind
    ms = unit.access_ms
    if ms < 0:
        ms = look_up(city, int(inputs.durations.access[kind]), rank_of(city, came_for, ACCESS))
    if unit.mode == ROAD and portals(city, incident):
        track_m = track_left_m(city, incident, unit.to_cell)
        ms += wait_and_walk_ms(city, unit, incident, track_m, now)
    needs_water = 0 < int(scenes.supply_grade[kind]) <= incident.grade
    if needs_water and fills.capability == city.policy.water_bit and unit.mode == ROAD:
        ms += int(scenes.water_delay_ms[incident.id])
    return ms


def on_scene_ms(city: City, unit: Unit, slot: Slot) -> int:
    """Return how long a unit stays at the scene, from its arrival."""
    known, inputs, incident = recorded(city, slot, SCENE), city.inputs, slot.incident
    if known >= 0:
        return known
    by_air = int(inputs.durations.scene[incident.true_kind, 0])
    if unit.mode == AIR and by_air >= 0:
        return look_up(city, by_air, rank_of(city, slot, SCENE))
    ms = look_up(city, int(inputs.durations.scene[incident.true_kind, incident.grade]), rank_of(city, slot, SCENE))
    if not city.policy.is_scene_delay_on:
        return ms
    delay_ms = min(unit.began_ms - incident.call_ms, inputs.durations.scene_delay_cap_ms)
    growth_q16 = int(inputs.durations.scene_slope_q16[incident.true_kind]) * delay_ms // 60_000
    return ms + times_q16(ms, growth_q16)


def latent_ms(city: City, incident: Incident) -> int:
    """Return when the incident outgrows its grade unless met, after the call; -1 never."""
    inputs, grade = city.inputs, incident.grade
    if grade >= int(inputs.kinds.max_grade[incident.true_kind]):
        return -1
    table = int(inputs.durations.latent[incident.true_kind, grade])
    return -1 if table < 0 else look_up(city, table, incident.row["rank_escalate"][grade - 1])


# --- with a patient --------------------------------------------------------------------------------------------------


def has_transport(city: City, unit: Unit, slot: Slot) -> bool:
    transport = city.inputs.transport
    return transport is not None and transport.cell[slot.place] >= 0 and unit.mode == ROAD


def transport_ms(city: City, unit: Unit, slot: Slot, from_cell: int, now: int) -> int:
    """Return the way with a patient: as recorded, or the expected drive by its factor."""
    transport = city.inputs.transport
    if transport.drive_ms[slot.place] >= 0:
        return int(transport.drive_ms[slot.place])
    return times_q16(drive_ms(city, unit, from_cell, int(transport.cell[slot.place]), now), int(transport.factor_q16))
