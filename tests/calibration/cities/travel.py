"""What a way takes: the road between, a curve of pulling away and cruising, and effects of station, place and hour.

    log median = log curve(road) + station + place + hour (and direction, where rush hours are one-way)

The road of the compact town follows a tilted grid of streets; that of the sprawling one goes straight, times 1.25, and
over bridges, by the shortest way. Each pair of patch and station has a detour of its own on top.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .calls import Calls
from .chance import Purpose, generator
from .clock import Clock
from .worlds import BRIDGES_Y_M, RIVERS_X_M, Floats, Options, Shape, World

_STRAIGHT_DETOUR = 1.25
_GRID_DETOUR = 1.08
_CHUNK = 50_000
_PERSISTENCE = 0.9
"""Correlation of congestion from one hour to the next."""


@dataclass(frozen=True, slots=True)
class Ways:
    """From every station to every call, (n_calls, n_stations) float64: road_m, straight_m, and median seconds."""

    road_m: Floats
    straight_m: Floats
    median_s: Floats


def river_x_m(river: int, y_m: Floats | float) -> Floats:
    """Return where a river runs at a northing."""
    return np.asarray(RIVERS_X_M[river] + 2_000.0 * np.sin(np.asarray(y_m) / 5_000.0 + river))


def bank_of(xy_m: Floats) -> NDArray[np.int64]:
    """Return how many rivers lie west of each point (n, 2): 0, 1 or 2."""
    return sum((xy_m[:, 0] > river_x_m(r, xy_m[:, 1])).astype(np.int64) for r in range(len(RIVERS_X_M)))


def road_m(world: World, begin: Floats, end: Floats) -> Floats:
    """Return the road from each of n points to each of m, (n, m), without the pairs' own detours."""
    if world.shape is Shape.COMPACT:
        cos, sin = np.cos(world.tilt_rad), np.sin(world.tilt_rad)
        turn = np.array([[cos, -sin], [sin, cos]])
        apart = np.abs((begin @ turn)[:, None] - (end @ turn)[None])
        return _GRID_DETOUR * apart.sum(axis=2)
    return _STRAIGHT_DETOUR * _over_bridges(begin, end)


def _apart_m(begin: Floats, end: Floats) -> Floats:
    """Return straight distances (n, m)."""
    return np.hypot(begin[:, None, 0] - end[None, :, 0], begin[:, None, 1] - end[None, :, 1])


def _over_bridges(begin: Floats, end: Floats) -> Floats:
    """Return the shortest way (n, m) that crosses rivers at bridges only, counting rivers between the two banks."""
    bridges = [np.column_stack([river_x_m(r, np.array(y)), np.array(y)]) for r, y in enumerate(BRIDGES_Y_M)]
    of_begin, of_end = bank_of(begin), bank_of(end)
    way = _apart_m(begin, end)
    for bank in range(3):
        rows = np.flatnonzero(of_begin == bank)
        for other in range(3):
            columns = np.flatnonzero(of_end == other)
            if bank == other or not len(rows) or not len(columns):
                continue
            rivers = range(bank, other) if bank < other else range(bank - 1, other - 1, -1)
            at, here = np.zeros((len(rows), 1)), begin[rows]
            for place, river in enumerate(rivers):
                step = _apart_m(here, bridges[river])
                at = step if place == 0 else (at[:, :, None] + step[None]).min(axis=1)
                here = bridges[river]
            last = _apart_m(here, end[columns])
            way[np.ix_(rows, columns)] = (at[:, :, None] + last[None]).min(axis=1)
    return way


def ways_of(world: World, calls: Calls, clock: Clock, options: Options) -> Ways:
    """Return the ways from every station to every call at its hour."""
    shape = (len(calls), world.n_stations)
    ways = Ways(np.empty(shape), np.empty(shape), np.empty(shape))
    centre = np.average(world.towns[:, :2], axis=0, weights=world.towns[:, 3])
    for begin in range(0, len(calls), _CHUNK):
        rows = slice(begin, begin + _CHUNK)
        xy, patch = calls.xy_m[rows], calls.patch[rows]
        ways.straight_m[rows] = _apart_m(xy, world.xy_m)
        ways.road_m[rows] = road_m(world, xy, world.xy_m) * np.exp(world.detour[patch])
        hour = clock.hour_of(calls.call_ms[rows])
        is_off = (clock.weekday[hour] >= 5).astype(np.int64)
        log = world.hour_drive[is_off, clock.hour[hour]][:, None]
        if options.one_way:
            log = log * _against(world, xy, centre, clock.hour[hour])
        log = log + world.drive_effect + world.place_effect[patch][:, None]
        ways.median_s[rows] = world.curve_s(ways.road_m[rows]) * np.exp(log)
    return ways


def _against(world: World, xy: Floats, centre: Floats, hour: NDArray[np.int64]) -> Floats:
    """Return how far each way (n, n_stations) meets the rush: 1 with it into town before noon, out of it after; 0 not.

    Hours of night count for all ways alike.
    """
    gain = np.hypot(*(world.xy_m - centre).T)[None] - np.hypot(*(xy - centre).T)[:, None]
    inward = 0.5 + 0.5 * np.clip(gain / (_apart_m(xy, world.xy_m) + 200.0), -1.0, 1.0)
    is_night = (hour < 6) | (hour >= 22)
    return np.where(is_night[:, None], 1.0, np.where(hour[:, None] < 13, inward, 1.0 - inward))


def congestion(clock: Clock, sd: float, seed: int) -> Floats:
    """Return the factor of all ways in each hour of the clock, (n_hours + spare,): log AR(1) with this s.d."""
    step = generator(seed, Purpose.CONGESTION).normal(0.0, 1.0, len(clock.offset_ms))
    step[1:] *= np.sqrt(1.0 - _PERSISTENCE**2)
    log, level = np.empty(len(step)), 0.0
    for at, each in enumerate(step.tolist()):
        level = _PERSISTENCE * level + each
        log[at] = level
    return np.exp(sd * log)
