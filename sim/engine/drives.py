"""Roads as the engine reads them: by cell, so that what one incident asks for lies close together in memory.

Worlds of one city and one table of sites share them: they are worked out once and kept for the runs that follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.compiled import compiled_borrowing
from sim.engine.world import ROAD_DTYPE
from sim.inputs import Kept

if TYPE_CHECKING:
    from sim.inputs import RunInputs


@dataclass(frozen=True, slots=True)
class Reach:
    """Which cells of some weight each station reaches within a driving time.

    `begin`: (n_periods, n_stations + 1) int64, places in `cell`; `cell`: int32, ascending within a station.
    """

    begin: NDArray[np.int64]
    cell: NDArray[np.int32]


@compiled_borrowing
def _fill_roads(travel_ms, order, station_cell, drive_q16, room, to_ms, home_ms):  # type: ignore[no-untyped-def]
    """Fill `to_ms` and `home_ms`; `room`: (n_stations, n_cells) int32, for one period."""
    for period in range(order.shape[0]):
        for station in range(station_cell.shape[0]):
            for cell in range(order.shape[1]):
                drive = np.int64(travel_ms[period, station_cell[station], cell])
                room[station, cell] = (drive * drive_q16[station]) >> 16
        for cell in range(order.shape[1]):
            for place in range(order.shape[2]):
                station = order[period, cell, place]
                home = np.int64(travel_ms[period, cell, station_cell[station]])
                to_ms[period, cell, place] = room[station, cell]
                home_ms[period, cell, place] = (home * drive_q16[station]) >> 16


@compiled_borrowing
def _fill_reach(travel_ms, station_cell, drive_q16, weight, reach_ms, begin, cells):  # type: ignore[no-untyped-def]
    """Fill `begin`, and `cells` as far as it goes; return the number of cells."""
    at = np.int64(0)
    for period in range(begin.shape[0]):
        for station in range(station_cell.shape[0]):
            begin[period, station] = at
            for cell in range(weight.shape[0]):
                drive = (np.int64(travel_ms[period, station_cell[station], cell]) * drive_q16[station]) >> 16
                if weight[cell] != 0 and drive <= reach_ms:
                    if at < cells.shape[0]:
                        cells[at] = cell
                    at += 1
        begin[period, station_cell.shape[0]] = at
    return at


_kept = Kept(2)
"""Of one table of sites: its roads, and who reaches which cell."""


def roads_of(inputs: RunInputs, station_cell: NDArray[np.int32], drive_q16: NDArray[np.int32]) -> NDArray[np.void]:
    """Return (n_periods, n_cells, n_stations) `ROAD_DTYPE`: each cell's stations in the order of `station_order`.

    `station_cell`, `drive_q16`: (n_stations,), where each lies and the factor of its driving times.
    """
    travel_ms, order = inputs.travel.duration_ms, inputs.station_order

    def make() -> NDArray[np.void]:
        roads, room = np.empty(order.shape, ROAD_DTYPE), np.empty((len(station_cell), order.shape[1]), np.int32)
        roads["station"] = order
        _fill_roads(travel_ms, order, station_cell, drive_q16, room, roads["to_ms"], roads["home_ms"])
        return roads

    return _kept.get((travel_ms, order), (station_cell.tobytes(), drive_q16.tobytes()), make)


def reach_of(inputs: RunInputs, station_cell: NDArray[np.int32], drive_q16: NDArray[np.int32], reach_ms: int) -> Reach:
    """Return the cells of some weight within `reach_ms` of each station."""
    travel_ms, weight = inputs.travel.duration_ms, np.asarray(inputs.cell_weight)

    def make() -> Reach:
        begin = np.empty((travel_ms.shape[0], len(station_cell) + 1), np.int64)
        given = (travel_ms, station_cell, drive_q16, weight, reach_ms, begin)
        cells = np.empty(_fill_reach(*given, np.empty(0, np.int32)), np.int32)
        _fill_reach(*given, cells)
        return Reach(begin, cells)

    rest = (station_cell.tobytes(), drive_q16.tobytes(), (weight != 0).tobytes(), reach_ms)
    return _kept.get((travel_ms,), rest, make)
