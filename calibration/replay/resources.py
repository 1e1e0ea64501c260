"""Who stands where, before and after a change, between the same zones.

An added or moved station has a zone of its own where zones hold calls, and stands in the nearest cell where they are a
city's cells. The zones are laid for both sides, so that nothing differs but what is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.ground import Ground, Zones
from calibration.model.fleet import Fleet
from calibration.replay.edits import Edits, Place, UnitCount, check_stations
from sim.city.crs import GEOGRAPHIC, WGS84
from sim.city.points import placed
from sim.errors import Problems, nearest_name

Ints = NDArray[np.int64]
FARTHEST_M = 10_000
"""Assumed: a station farther than this from every call and station is not meant to serve this city."""
_NEVER = np.datetime64("NaT", "D")


@dataclass(frozen=True, slots=True)
class Resources:
    """Stations and units on one side of a comparison.

    `unit`: (n_units,) names, in the order of `fleet`. `is_elsewhere`: (n_stations,) bool, added or moved: no record
    tells how long its units drive from there.
    """

    ground: Ground
    zones: Zones
    fleet: Fleet
    unit: tuple[str, ...]
    is_elsewhere: NDArray[np.bool_]

    @property
    def commonest_type(self) -> int:
        """The type that most units are of."""
        return int(np.bincount(self.fleet.type, minlength=len(self.fleet.types)).argmax())


def resources_of(ground: Ground, zones: Zones, fleet: Fleet) -> Resources:
    """Return the resources as the city and the records have them."""
    if len(ground.unit) == len(fleet.station) and len(ground.unit):
        names = [ground.unit[at] for at in np.argsort(ground.unit_station, kind="stable")]
    else:
        first = np.searchsorted(fleet.station, fleet.station, side="left")
        number = np.arange(len(fleet.station)) - first + 1
        names = [f"{ground.station[at]}-{n}" for at, n in zip(fleet.station, number, strict=True)]
    return Resources(ground, zones, fleet, tuple(names), np.zeros(ground.n_stations, dtype=np.bool_))


def edited(before: Resources, edits: Edits, problems: Problems) -> tuple[Resources, Resources]:
    """Return both sides of the comparison: `before` between the zones of both, and the changed resources.

    Raises
    ------
    InputError
        With everything that cannot be changed as asked for.
    """
    check_stations(edits, before.ground.station, problems)
    places = [*edits.add, *edits.move]
    points = _points(places, before, problems)
    problems.raise_if_any()
    zones, zone = _with_places(before.zones, points)
    before = replace(before, zones=zones)
    after = _with_stations(before, edits.add, points[: len(edits.add)], zone[: len(edits.add)])
    after = _moved(after, edits.move, points[len(edits.add) :], zone[len(edits.add) :])
    for place in edits.add:
        after = _with_units(after, place.station, place.units, "--add", problems)
    for change in edits.units:
        change_units = _with_units if change.sign > 0 else _without_units
        after = change_units(after, change.station, change.units, "--units", problems)
    problems.raise_if_any()
    return before, replace(after, ground=after.ground.without(edits.close)) if edits.close else after


def _points(places: Sequence[Place], before: Resources, problems: Problems) -> Ints:
    """Return where the places are on the plane: (n, 2)."""
    from scipy.spatial import cKDTree

    ground, zones = before.ground, before.zones
    crs = ground.crs if ground.crs in GEOGRAPHIC else WGS84
    known = cKDTree(np.column_stack([zones.x_m, zones.y_m]).astype(np.float64))
    out = np.zeros((len(places), 2), dtype=np.int64)
    for number, place in enumerate(places):
        option = "--add" if place.units else "--move"
        found = placed(crs, place.lat, place.lon, ground.plane, option, None, problems)
        if found is None:
            continue
        out[number] = found
        away = float(known.query(np.array(found, dtype=np.float64))[0])
        if away > FARTHEST_M:
            rule = f"({place.station}) lies {away / 1000:.0f} km from the nearest call or station: outside the city"
            mend = f"look at lat and lon ({crs}); up to {FARTHEST_M // 1000} km are taken"
            problems.add(option, rule, value=f"{place.lat:g}, {place.lon:g}", mend=mend)
    return out


def _with_places(zones: Zones, points: Ints) -> tuple[Zones, Ints]:
    """Return the zones with one for each point, and which these are."""
    if zones.is_time or not len(points):
        return zones, zones.zone_of(points[:, 0].astype(np.float64), points[:, 1].astype(np.float64))
    near = zones.zone_of(points[:, 0].astype(np.float64), points[:, 1].astype(np.float64))
    x_m, y_m = np.concatenate([zones.x_m, points[:, 0]]), np.concatenate([zones.y_m, points[:, 1]])
    n, n_all = zones.n_zones, len(x_m)
    ways = np.empty((1, n_all, n_all), dtype=np.float32)
    ways[0, :n, :n] = zones.ways[0]
    ways[0, n:] = np.hypot(x_m[n:, None] - x_m[None, :], y_m[n:, None] - y_m[None, :])
    ways[0, :n, n:] = ways[0, n:, :n].T
    patch = np.concatenate([zones.patch, zones.patch[near]])
    return replace(zones, x_m=x_m, y_m=y_m, ways=ways, patch=patch), np.arange(n, n_all)


def _with_stations(of: Resources, places: Sequence[Place], points: Ints, zone: Ints) -> Resources:
    ground, codes = of.ground, tuple(place.station for place in places)
    never = np.full(len(places), _NEVER, dtype="datetime64[D]")
    ground = replace(
        ground, station=ground.station + codes, station_name=ground.station_name + codes,
        x_m=np.concatenate([ground.x_m, points[:, 0]]), y_m=np.concatenate([ground.y_m, points[:, 1]]),
        opens=np.concatenate([ground.opens, never]), closes=np.concatenate([ground.closes, never]),
        cell_of_station=None if ground.cell_of_station is None else np.concatenate([ground.cell_of_station, zone]),
    )  # fmt: skip
    zones = replace(of.zones, of_station=np.concatenate([of.zones.of_station, zone]))
    is_elsewhere = np.concatenate([of.is_elsewhere, np.ones(len(places), dtype=np.bool_)])
    return replace(of, ground=ground, zones=zones, is_elsewhere=is_elsewhere)


def _moved(of: Resources, places: Sequence[Place], points: Ints, zone: Ints) -> Resources:
    at = np.array([of.ground.station.index(place.station) for place in places], dtype=np.int64)
    x_m, y_m, zone_of = of.ground.x_m.copy(), of.ground.y_m.copy(), of.zones.of_station.copy()
    x_m[at], y_m[at], zone_of[at] = points[:, 0], points[:, 1], zone
    is_elsewhere = of.is_elsewhere.copy()
    is_elsewhere[at] = True
    ground = replace(of.ground, x_m=x_m, y_m=y_m)
    if ground.cell_of_station is not None:
        ground = replace(ground, cell_of_station=zone_of)
    return replace(of, ground=ground, zones=replace(of.zones, of_station=zone_of), is_elsewhere=is_elsewhere)


def _type_of(of: Resources, count: UnitCount, option: str, problems: Problems) -> int | None:
    if not count.type:
        return of.commonest_type
    if count.type not in of.fleet.types:
        mend = nearest_name(count.type, of.fleet.types)
        problems.add(option, "is no type of unit in the city", value=count.type, mend=mend)
        return None
    return of.fleet.types.index(count.type)


def _with_units(
    of: Resources, code: str, counts: Sequence[UnitCount], option: str, problems: Problems
) -> Resources:  # fmt: skip
    station, fleet, names = of.ground.station.index(code), of.fleet, list(of.unit)
    types: list[int] = []
    for count in counts:
        kind = _type_of(of, count, option, problems)
        types += [] if kind is None else [kind] * count.n
    names += [f"{code}+{number}" for number in range(1, len(types) + 1)]
    at = np.concatenate([fleet.station, np.full(len(types), station, dtype=np.int64)])
    kinds = np.concatenate([fleet.type, np.array(types, dtype=np.int64)])
    return _in_order(of, at, kinds, names)


def _without_units(of: Resources, code: str, counts: Sequence[UnitCount], option: str, problems: Problems) -> Resources:
    station, fleet = of.ground.station.index(code), of.fleet
    is_kept = np.ones(len(fleet.station), dtype=np.bool_)
    for count in counts:
        kind = _type_of(of, count, option, problems)
        if kind is None:
            continue
        own = np.flatnonzero((fleet.station == station) & (fleet.type == kind) & is_kept)
        if len(own) < count.n:
            rule = f"takes {count.n} of type {fleet.types[kind]} from {code}, which has {len(own)}"
            problems.add(option, rule, mend="take fewer, or close the station")
        is_kept[own[len(own) - min(count.n, len(own)) :]] = False
    names = [name for name, kept in zip(of.unit, is_kept.tolist(), strict=True) if kept]
    return _in_order(of, fleet.station[is_kept], fleet.type[is_kept], names)


def _in_order(of: Resources, station: Ints, kind: Ints, names: Sequence[str]) -> Resources:
    order = np.argsort(station, kind="stable")
    fleet = replace(of.fleet, station=station[order], type=kind[order])
    return replace(of, fleet=fleet, unit=tuple(names[at] for at in order))
