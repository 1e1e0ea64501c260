"""From a road graph to door-to-door driving times between all cells, in whole milliseconds.

Steps for one period:

1. Edge times are whole milliseconds already, so the sums of Dijkstra's algorithm are exact whatever the order
   (`cruise_ms`): the cruise time tau from cell centre to cell centre.
2. Addresses lie anywhere in their cells. Two points drawn evenly from squares of side s whose centres are d apart are
   d + s^2 / (12 d) apart on average, to second order: each coordinate of each point has variance s^2 / 12, so the
   offset across the line of centres has variance s^2 / 6, which lengthens the way by s^2 / (6 * 2 d). In time, with
   tau_cell = s / v, that adds tau_cell^2 / (12 tau): 1/12 of a cell between neighbours (exact: 0.088), nothing far
   away. Two points of one unit square are (2 + sqrt 2 + 5 ln(1 + sqrt 2)) / 15 = 0.5214 apart on average.
3. Vehicles start and end at rest (`with_acceleration`), in the form of Kolesar, Walker and Hausner (1975): a trip of
   d metres accelerates and brakes at a, cruising at v in between. A trip too short to reach v takes 2 sqrt(d / a),
   any other d / v + v / a; they meet, with equal slopes, at d = v^2 / a. With tau = d / v and tau_a = v / a this is
   2 sqrt(tau * tau_a) for tau < tau_a and tau + tau_a from there on, so that it applies to times over roads of any mix
   of speeds. v is the speed on local streets, where trips begin and end.

4. Every trip loses the same `start_s` of its period besides (`graph.start_ms`), none by default.

Steps 2 to 4 are increasing and subadditive, so the triangle inequality of shortest paths survives them (to the
rounding, one millisecond). Only + - * / sqrt and floor are used: the same bits on every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.travel.graph import accelerate_ms, start_ms
from sim.units import drive_ms

if TYPE_CHECKING:
    import networkx as nx
    from scipy.sparse import csr_array

    from sim.travel.settings import Period, TravelSettings

MEAN_DISTANCE_IN_SQUARE = 0.521405433164720678
"""Mean distance of two random points of a unit square: (2 + sqrt 2 + 5 ln(1 + sqrt 2)) / 15."""
BLOCK_ROWS = 512
"""Sources per block: bounds the memory in float64 to about 10 MB a block for 2,500 cells."""


def with_acceleration(cruise_ms: NDArray[np.float64], tau_a: float) -> NDArray[np.float64]:
    """Return driving times (same shape, ms) from rest to rest of trips with cruise times `cruise_ms`.

    Kolesar, Walker, Hausner (1975), Determining the relation between fire engine travel times and travel distances in
    New York City, Operations Research 23(4); restated in time as in the module's step 3. `tau_a` is v / a in ms.
    """
    short = 2.0 * np.sqrt(np.minimum(cruise_ms, tau_a) * tau_a)
    longer: NDArray[np.float64] = short + np.maximum(cruise_ms - tau_a, 0.0)
    return longer


def between_addresses(cruise_ms: NDArray[np.float64], cell_ms: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mean cruise times (same shape, ms) between random addresses of different cells, from those of centres.

    `cell_ms` is the cruise time over one cell's side (of two cells of different size, the root of their mean square);
    the correction is capped at its value for neighbours.
    """
    spread: NDArray[np.float64] = cruise_ms + (cell_ms * cell_ms / 12.0) / np.maximum(cruise_ms, cell_ms)
    return spread


def door_to_door(
    cruise_ms: NDArray[np.float64], source_cells: NDArray[np.int64], cell_ms: int, tau_a: float, lost_ms: int = 0
) -> NDArray[np.int32]:
    """Return (n_sources, n_cells) int32 ms of driving, from cruise times between centres.

    Row i starts in `source_cells[i]`; its own cell gets the mean trip inside a cell. Every trip loses `lost_ms`.
    """
    spread = between_addresses(cruise_ms, float(cell_ms))
    spread[np.arange(len(source_cells)), source_cells] = MEAN_DISTANCE_IN_SQUARE * cell_ms
    return _from_rest_to_rest(spread, tau_a, lost_ms)


def durations_from(
    graph: nx.Graph[int], settings: TravelSettings, period: Period, source_cells: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Return (n_sources, n_cells) int32 ms of driving in one period from the given cells to all.

    `graph` is that of `graph.build_graph`; it must be connected.
    """
    from scipy.sparse.csgraph import dijkstra

    n_cells, weights = int(graph.graph["n_cells"]), _weights(graph, period)
    cell_ms, tau_a, lost_ms = _ends_of_trips(graph, settings, period)
    result = np.empty((len(source_cells), n_cells), dtype=np.int32)
    for first in range(0, len(source_cells), BLOCK_ROWS):
        block = source_cells[first : first + BLOCK_ROWS]
        cruise = dijkstra(weights, directed=True, indices=block)[:, :n_cells]
        result[first : first + len(block)] = door_to_door(cruise, block, cell_ms, tau_a, lost_ms)
    return result


def nearest_from(
    graph: nx.Graph[int], settings: TravelSettings, period: Period, source_cells: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Return (n_cells,) int32 ms of driving in one period to each cell from the nearest of the given cells.

    The least of the rows of `durations_from`, by one search instead of many: a longer cruise is never a shorter trip.
    """
    from scipy.sparse.csgraph import dijkstra

    n_cells = int(graph.graph["n_cells"])
    cruise = dijkstra(_weights(graph, period), directed=True, indices=source_cells, min_only=True)[:n_cells]
    cell_ms, tau_a, lost_ms = _ends_of_trips(graph, settings, period)
    spread = between_addresses(cruise, float(cell_ms))
    spread[source_cells] = MEAN_DISTANCE_IN_SQUARE * cell_ms
    return _from_rest_to_rest(spread, tau_a, lost_ms)


def _from_rest_to_rest(spread_ms: NDArray[np.float64], tau_a: float, lost_ms: int) -> NDArray[np.int32]:
    """Return whole trips (same shape, int32 ms) of cruise times between addresses."""
    return np.floor(with_acceleration(spread_ms, tau_a) + 0.5).astype(np.int32) + np.int32(lost_ms)


def _weights(graph: nx.Graph[int], period: Period) -> csr_array:
    """Return the whole milliseconds of every road, both ways."""
    from scipy.sparse import coo_array

    ends = np.array([(a, b) for a, b in graph.edges()], dtype=np.int32).reshape(-1, 2)
    edge_ms = np.array([data["ms"][period] for _, _, data in graph.edges(data=True)], dtype=np.float64)
    both_ways = (np.concatenate([edge_ms, edge_ms]), (np.concatenate(ends.T), np.concatenate(ends.T[::-1])))
    return coo_array(both_ways, shape=(graph.number_of_nodes(),) * 2).tocsr()


def _ends_of_trips(graph: nx.Graph[int], settings: TravelSettings, period: Period) -> tuple[int, float, int]:
    """Return what the ends of a trip take, ms: cruise over one cell, v / a, and what every trip loses besides."""
    cell_ms = drive_ms(graph.graph["cell_road_m"], settings.speed_kmh("local", period))
    return cell_ms, accelerate_ms(settings, period), start_ms(settings, period)
