"""Units of a model: as the city folder lists them, or as the records show them, and when each was out.

Without a list, units that responses name stand at the station that they mostly came from; where no unit is named, a
station has as many as were ever out from it at once. Both are said to be what they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.ground import Ground
from calibration.model.samples import Responses

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_LEAST_RESPONSES = 5
_PLENTY = 12
_OUT_S = 3600.0
"""A unit of which no end is recorded counts as out for an hour (assumed)."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Units by station: `station`, `type` (n_units,) int64, ascending by station; `source`: where they are from."""

    station: Ints
    type: Ints
    types: tuple[str, ...]
    source: str

    def n_at(self, n_stations: int) -> Ints:
        """Return the units of each station."""
        return np.bincount(self.station, minlength=n_stations)


def fleet_of(ground: Ground, responses: Responses, call_s: Floats, *, has_every_unit: bool) -> Fleet:
    """Return the units; `call_s` (n_calls,) are the calls' times, s."""
    if len(ground.unit) and not has_every_unit:  # nothing says which type came: any unit will do
        return Fleet(np.sort(ground.unit_station), np.zeros(len(ground.unit), np.int64), ("unit",), "units.csv")
    if len(ground.unit):
        types = [*responses.types]
        types += [name for name in dict.fromkeys(ground.unit_type) if name not in types]
        code = np.array([types.index(name) for name in ground.unit_type], dtype=np.int64)
        order = np.argsort(ground.unit_station, kind="stable")
        return Fleet(ground.unit_station[order], code[order], tuple(types), "units.csv")
    named = (responses.unit >= 0) & (responses.station >= 0)
    if named.mean() > 0.5:
        return _named(responses, named, ground.n_stations)
    return _counted(responses, call_s, ground.n_stations)


def plenty(fleet: Fleet) -> Fleet:
    """Return as many units at every station as can ever be asked for."""
    return Fleet(np.repeat(fleet.station, _PLENTY), np.repeat(fleet.type, _PLENTY), fleet.types, "never all out")


def _named(responses: Responses, named: NDArray[np.bool_], n_stations: int) -> Fleet:
    n_units = len(responses.units)
    table = np.zeros((n_units, n_stations), dtype=np.int64)
    np.add.at(table, (responses.unit[named], responses.station[named]), 1)
    of_type = np.zeros((n_units, len(responses.types)), dtype=np.int64)
    np.add.at(of_type, (responses.unit[named], responses.type[named]), 1)
    is_unit = table.sum(axis=1) >= _LEAST_RESPONSES
    station, kind = table.argmax(axis=1)[is_unit], of_type.argmax(axis=1)[is_unit]
    missing = np.setdiff1d(np.arange(n_stations), station)
    station = np.concatenate([station, missing])
    kind = np.concatenate([kind, np.zeros(len(missing), dtype=np.int64)])
    order = np.argsort(station, kind="stable")
    return Fleet(station[order], kind[order], responses.types, "units named in the records")


def _counted(responses: Responses, call_s: Floats, n_stations: int) -> Fleet:
    begin, end = out_times(responses, call_s)
    n_units = np.ones(n_stations, dtype=np.int64)
    for station in range(n_stations):
        own = responses.station == station
        times = np.concatenate([begin[own], end[own]])
        moves = np.concatenate([np.ones(int(own.sum()), np.int64), -np.ones(int(own.sum()), np.int64)])
        running = np.cumsum(moves[np.lexsort((moves, times))])
        n_units[station] = max(int(running.max()) if len(running) else 1, 1)
    station_of = np.repeat(np.arange(n_stations), n_units)
    return Fleet(station_of, np.zeros(len(station_of), np.int64), responses.types, "most units out at once")


def out_times(responses: Responses, call_s: Floats) -> tuple[Floats, Floats]:
    """Return from when until when each response kept its unit from another call, s: two (n,)."""
    begin = call_s[responses.call] + np.nan_to_num(responses.dispatch_s, nan=0.0)
    ends = responses.clear_s
    for other in (responses.arrival_s + responses.scene_s, responses.arrival_s + _OUT_S / 2):
        ends = np.where(np.isnan(ends), other, ends)
    ends = np.where(np.isnan(ends), _OUT_S, ends)
    return begin, np.maximum(call_s[responses.call] + ends, begin)


def free_at(
    fleet: Fleet, responses: Responses, call_s: Floats, at_s: Floats, kind: Ints, n_stations: int, *, is_sent_on: bool
) -> NDArray[np.bool_]:
    """Return which stations have a unit of a type that can be sent: (n, n_stations) bool.

    `at_s`, `kind`: (n,) instants and the type asked for. `is_sent_on`: whether units that are clear can be sent, or
    only once they are home. Units that are sent at that very instant count as free.
    """
    begin, end = out_times(responses, call_s)
    if not is_sent_on:
        end = np.fmax(end, call_s[responses.call] + responses.available_s)
    free = np.zeros((len(at_s), n_stations), dtype=np.bool_)
    for each in np.unique(kind):
        rows, is_type = np.flatnonzero(kind == each), responses.type == each
        n_units = np.bincount(fleet.station[fleet.type == each], minlength=n_stations)
        for station in range(n_stations):
            own = is_type & (responses.station == station)
            began = np.searchsorted(np.sort(begin[own]), at_s[rows], side="left")
            ended = np.searchsorted(np.sort(end[own]), at_s[rows], side="right")
            free[rows, station] = began - ended < n_units[station]
    return free
