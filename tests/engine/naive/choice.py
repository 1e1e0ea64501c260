"""Who can go to a need, and who goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import cover, ways
from .codes import AIR, KEEP_COVER, OWN_TOWN_FIRST, ROAD
from .parts import BAY, HOMEWARD, MOVING_UP, STANDING_BY

if TYPE_CHECKING:
    from .loop import City
    from .parts import Incident, Slot, Unit


def people_free(city: City, station: int) -> int:
    """Return who is on duty at a station and neither out nor resting."""
    home = city.stations[station]
    out = sum(unit.people for unit in city.units if unit.station == station and unit.shift == home.shift)
    return home.on_duty - out - sum(people for _, people in home.resting)


def is_ready_in_bay(city: City, unit: Unit) -> bool:
    """Return whether it stands whole and in service in the bay of an open station; people are another matter."""
    station = city.stations[unit.station]
    return unit.status == BAY and station.is_open and unit.is_in_service and not unit.is_broken


def is_able(city: City, unit: Unit) -> bool:
    """Return whether a unit can go at all now, be it from its bay, a post, or the road."""
    if unit.status == BAY:
        return is_ready_in_bay(city, unit) and people_free(city, unit.station) >= unit.crew_min
    if unit.status == HOMEWARD:
        return city.policy.is_sent_on and unit.mode == ROAD
    return unit.status in (MOVING_UP, STANDING_BY)


def is_released(city: City, unit: Unit, slot: Slot, now: int) -> bool:
    """Return whether a station of another city may send: from its grade on, or after the wait."""
    grade = city.stations[unit.station].help_grade
    if grade == 0 or slot.incident.known_grade >= grade:
        return True
    return 0 <= city.policy.help_wait_ms <= now - slot.since_ms


def outlook(city: City, unit: Unit, slot: Slot, now: int) -> tuple[int, int]:
    """Return the ms in which the dispatcher expects a unit at the address or portal, and at work from a track."""
    incident = slot.incident
    lead_ms, from_cell = ways.expected_lead_ms(city, unit, now), city.stations[unit.station].cell
    if unit.status in (HOMEWARD, MOVING_UP):
        lead_ms, from_cell = 0, ways.place_of(city, unit, now)
    elif unit.status == STANDING_BY:
        from_cell = city.stations[unit.post].cell
    goal = ways.goal_of(city, unit, incident, from_cell, now + lead_ms, now)
    arrival_ms = lead_ms + ways.drive_ms(city, unit, from_cell, goal, now)
    if not ways.portals(city, incident):
        return arrival_ms, arrival_ms
    track_m = ways.track_left_m(city, incident, goal)
    return arrival_ms, arrival_ms + ways.wait_and_walk_ms(city, unit, incident, track_m, now + arrival_ms)


def choose(city: City, slot: Slot, now: int) -> tuple[Unit | None, int]:
    """Return who goes to a need and when it is expected, in ms from now; stations passed over give way to the next."""
    can = [unit for unit in city.units if unit.can(slot.capability)]
    able = [unit for unit in can if is_able(city, unit) and is_released(city, unit, slot, now)]
    n_passed = 0 if city.inputs.n_passed is None else int(city.inputs.n_passed[slot.incident.id])
    chosen, expected_ms = choose_of(city, able, slot, now)
    for _ in range(n_passed):
        able = [unit for unit in able if chosen is not None and unit.station != chosen.station]
        further, further_ms = choose_of(city, able, slot, now)
        if further is None:
            break
        chosen, expected_ms = further, further_ms
    return chosen, expected_ms


def choose_of(city: City, able: list[Unit], slot: Slot, now: int) -> tuple[Unit | None, int]:
    """Return the one of those who can go that the rule sends, and when it is expected."""
    by_road = [unit for unit in able if unit.mode == ROAD]
    chosen, expected_ms = choose_by_road(city, by_road, slot, now)
    craft = [unit for unit in able if unit.mode != ROAD and can_set_out(city, unit, slot, now)]
    if not craft:
        return chosen, expected_ms
    work_ms, first, arrival_ms = min(craft_outlook(city, unit, slot, now) for unit in craft)
    if chosen is None or work_ms < expected_ms + mean_access_ms(city, slot.incident):
        return city.units[first], arrival_ms
    return chosen, expected_ms


def choose_by_road(city: City, able: list[Unit], slot: Slot, now: int) -> tuple[Unit | None, int]:
    if city.policy.dispatch == OWN_TOWN_FIRST:
        own = [unit for unit in able if city.stations[unit.station].town == slot.incident.town]
        able = own or able
    if not able:
        return None, 0
    if city.policy.dispatch == KEEP_COVER and not ways.portals(city, slot.incident):
        return choose_keeping_cover(city, able, slot, now)
    _, first = min((outlook(city, unit, slot, now)[1], unit.id) for unit in able)
    return city.units[first], outlook(city, city.units[first], slot, now)[0]


def choose_keeping_cover(city: City, able: list[Unit], slot: Slot, now: int) -> tuple[Unit, int]:
    """Return, of the units away and of each station's first choice, the nearly earliest that costs least cover."""
    reckoned = sorted((outlook(city, unit, slot, now)[0], unit.id) for unit in able)
    last_ms = reckoned[0][0] + city.policy.slack_ms
    candidates, asked = [], set()
    for expected_ms, i in reckoned:
        unit = city.units[i]
        if unit.status == BAY and unit.station in asked:
            continue
        if unit.status == BAY:
            asked.add(unit.station)
        if expected_ms <= last_ms:
            candidates.append((cover.cover_lost(city, unit), expected_ms, i))
    _, expected_ms, first = min(candidates)
    return city.units[first], expected_ms


# --- aircraft and boats ----------------------------------------------------------------------------------------------


def is_asked(city: City, unit: Unit, slot: Slot) -> bool:
    """Return whether craft of this sort are asked for the need at what the incident is known to be."""
    tasks = city.policy.air_tasks if unit.mode == AIR else city.policy.boat_tasks
    mask = tasks[slot.incident.known_kind] if tasks else -1
    return bool(mask >> slot.capability & 1) and not ways.portals(city, slot.incident)


def can_set_out(city: City, unit: Unit, slot: Slot, now: int) -> bool:
    cell = slot.incident.cell
    if not is_asked(city, unit, slot):
        return False
    if unit.mode == AIR:
        return ways.is_in_range(city, unit, cell) and ways.may_fly(city, unit, cell, now)
    return ways.water_way_m(city, unit, cell) >= 0


def craft_outlook(city: City, unit: Unit, slot: Slot, now: int) -> tuple[int, int, int]:
    """Return the ms in which a craft is expected at work, its id, and the ms in which it is expected at the address."""
    flight_ms = ways.flight_ms(city, unit, city.stations[unit.station].cell, slot.incident.cell)
    arrival_ms = ways.expected_lead_ms(city, unit, now) + flight_ms
    access_ms = unit.access_ms if unit.access_ms >= 0 else mean_access_ms(city, slot.incident)
    return arrival_ms + access_ms, unit.id, arrival_ms


def mean_access_ms(city: City, incident: Incident) -> int:
    return ways.table_mean(city, int(city.inputs.durations.access[incident.known_kind]))


# --- who rides -------------------------------------------------------------------------------------------------------


def crew_for(city: City, unit: Unit) -> int:
    """Return the people who ride: the preferred crew as far as the other units ready keep their smallest crews."""
    free = people_free(city, unit.station)
    others = [
        other.crew_min for other in city.units
        if other.station == unit.station and other is not unit and is_ready_in_bay(city, other)
    ]  # fmt: skip
    return max(unit.crew_min, min(unit.crew_preferred, free - sum(others)))
