"""Which area a station covers, what a unit's leaving costs, and from where an emptied station could be filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import choice, ways
from .codes import ROAD, UP_FROM_NEAREST
from .parts import BAY, HOMEWARD, MOVING_UP, STANDING_BY

if TYPE_CHECKING:
    from .loop import City
    from .parts import Station, Unit


def ready_units(city: City, station: Station, gone: Unit | None = None) -> list[Unit]:
    """Return the vehicles with the cover capability that could leave one after another with their smallest crews.

    In the order of the bays; one whose crew no longer fits is passed over. `gone` counts as away with its crew.
    """
    if not station.is_open or station.help_grade > 0:
        return []
    free = choice.people_free(city, station.id) - (choice.crew_for(city, gone) if gone else 0)
    ready = []
    for unit in city.units:
        is_meant = unit.station == station.id and unit.mode == ROAD and unit.can(city.policy.cover_bit)
        if is_meant and unit is not gone and choice.is_ready_in_bay(city, unit) and unit.crew_min <= free:
            free -= unit.crew_min
            ready.append(unit)
    return ready


def guests(city: City, station: Station) -> list[Unit]:
    """Return the units that stand by in a station or are on their way to do so."""
    return [unit for unit in city.units if unit.post == station.id and unit.status in (MOVING_UP, STANDING_BY)]


def has_cover(city: City, station: Station) -> bool:
    is_own = station.is_open and station.help_grade == 0
    return is_own and bool(guests(city, station) or ready_units(city, station))


def reach_ms(city: City, station: Station, cell: int) -> int:
    """Return the drive from a station to a cell in the traffic of the hour on dry roads."""
    return ways.dry_drive_ms(city, station.id, station.cell, cell, city.now)


def sole_cover(city: City, station: Station, besides: Station | None = None) -> int:
    """Return the weight of the cells in reach of a station that no other station covers (`besides` as if it did)."""
    others = [other for other in city.stations if other is besides or (other is not station and has_cover(city, other))]
    weight = 0
    for cell in range(len(city.inputs.cell_weight)):
        reach = [reach_ms(city, other, cell) <= city.policy.cover_ms for other in (station, *others)]
        if reach[0] and not any(reach[1:]):
            weight += int(city.inputs.cell_weight[cell])
    return weight


def cover_lost(city: City, unit: Unit) -> int:
    """Return the weight that nobody covers any more once a unit leaves its bay, or its post, for a call."""
    if unit.status == HOMEWARD:
        return 0
    if unit.status == BAY:
        station = city.stations[unit.station]
        is_left = bool(guests(city, station) or ready_units(city, station, unit))
    else:
        station = city.stations[unit.post]
        is_left = len(guests(city, station)) > 1 or bool(ready_units(city, station))
    return 0 if is_left or not has_cover(city, station) else sole_cover(city, station)


def donor_of(city: City, emptied: Station) -> Station | None:
    """Return the station that sends a unit to stand by in an emptied one."""
    near = [
        (reach_ms(city, station, emptied.cell), station.id) for station in city.stations
        if station is not emptied and ready_units(city, station)
        and reach_ms(city, station, emptied.cell) <= city.policy.move_up_most_ms
    ]  # fmt: skip
    donors = [city.stations[i] for _, i in sorted(near)]
    if city.policy.move_up == UP_FROM_NEAREST:
        return next((donor for donor in donors if len(ready_units(city, donor)) >= 2), None)
    best, best_net = None, 0
    gained = sole_cover(city, emptied)
    for donor in donors:
        is_kept = len(ready_units(city, donor)) > 1 or guests(city, donor)
        net = gained - (0 if is_kept else sole_cover(city, donor, emptied))
        if net > best_net:
            best, best_net = donor, net
    return best
