"""The road graph of a city's cells, in networkx: where one can drive, and how many whole milliseconds each piece takes.

Nodes 0..n_cells-1 are the cells, the rest are expressway junctions. Edges, all two-way:

1. Local streets join the centres of lattice neighbours (eight directions) of one town or of two towns with a common
   border. Where that border is water, only the bridges of the city folder cross it.
2. Arterials join town seats. They follow the straight line - over the best bridge where the border is water - and can
   be entered in each cell of the two towns that they pass.
3. Expressways join one junction per town served; a ramp joins each to the cell of the town seat.

Each edge holds `road_class` (or "ramp"), `length_m` and `ms`, the whole milliseconds of each period. Of two roads
between the same cells the faster by day is kept. Next: `durations.py`.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems
from sim.travel.roads import RoadLink, Roads, touching_towns
from sim.travel.settings import Period, TravelSettings
from sim.units import MS_PER_S, drive_ms, ms_from_s

if TYPE_CHECKING:
    import networkx as nx

    from sim.city import City

HALF_OF_EIGHT_NEIGHBOURS = ((1, 0), (0, 1), (1, 1), (1, -1))


def build_graph(city: City, roads: Roads, settings: TravelSettings) -> nx.Graph[int]:
    """Return the connected road graph; `graph.graph` holds `n_cells` and `cell_road_m`, the road over one cell's side.

    Raises
    ------
    InputError
        If cells are off the lattice, an arterial has no bridge over its water, or the graph falls into pieces.
    """
    import networkx as nx

    graph: nx.Graph[int] = nx.Graph()
    graph.graph["n_cells"] = city.cells.n_cells
    graph.graph["cell_road_m"] = city.cell_m * roads.detour["local"]
    graph.add_nodes_from(range(city.cells.n_cells))
    _add_local_streets(graph, city, roads, settings)
    _add_arterials(graph, city, roads, settings)
    _add_expressways(graph, city, roads, settings)
    _check_connected(graph, city)
    return graph


def seat_cells(city: City) -> NDArray[np.int64]:
    """Return (n_towns,) int64: for each town its cell nearest to its seat, the lowest id of equals."""
    cells, result = city.cells, np.empty(city.towns.n_towns, dtype=np.int64)
    for town in range(city.towns.n_towns):
        own = np.flatnonzero(cells.town == town)
        east = cells.x_m[own].astype(np.int64) - int(city.towns.seat_x_m[town])
        north = cells.y_m[own].astype(np.int64) - int(city.towns.seat_y_m[town])
        result[town] = own[np.argmin(east * east + north * north)]
    return result


def _add_road(
    graph: nx.Graph[int], ends: tuple[int, int], road_class: str, length_m: float, settings: TravelSettings
) -> None:
    """Add one piece of road, unless a road as fast by day joins its ends already."""
    whole_m = max(1, math.floor(length_m + 0.5))
    ms = tuple(max(1, drive_ms(whole_m, settings.speed_kmh(road_class, period))) for period in Period)
    known = graph.get_edge_data(*ends)
    if ends[0] != ends[1] and (known is None or known["ms"][Period.DAY] > ms[Period.DAY]):
        graph.add_edge(*ends, road_class=road_class, length_m=whole_m, ms=ms)


# --- local streets ----------------------------------------------------------------------------------------------------


def _add_local_streets(graph: nx.Graph[int], city: City, roads: Roads, settings: TravelSettings) -> None:
    """Join lattice neighbours where no border forbids it, and the two ends of each bridge."""
    town = city.cells.town.tolist()
    joined = _joined_by_land(city)
    squares = _lattice(city)
    detour = roads.detour["local"]
    for (column, row), cell in squares.items():
        for east, north in HALF_OF_EIGHT_NEIGHBOURS:
            other = squares.get((column + east, row + north))
            if other is not None and (min(town[cell], town[other]), max(town[cell], town[other])) in joined:
                length_m = city.cell_m * detour * math.sqrt(abs(east) + abs(north))
                _add_road(graph, (cell, other), "local", length_m, settings)
    for cell, other in city.bridges.tolist():
        _add_road(graph, (cell, other), "local", _between_cells_m(city, cell, other) * detour, settings)


def _joined_by_land(city: City) -> frozenset[tuple[int, int]]:
    """Return the pairs (lower, higher) of towns between which streets run freely, each town with itself included."""
    water = [(min(int(a), int(b)), max(int(a), int(b))) for a, b in city.water_pairs]
    own = [(town, town) for town in range(city.towns.n_towns)]
    return (touching_towns(city) | frozenset(own)) - frozenset(water)


def _lattice(city: City) -> dict[tuple[int, int], int]:
    """Return the cell of each lattice square (column, row), in the order of the cells.

    Raises
    ------
    InputError
        If cells share a square or lie between squares.
    """
    problems = Problems()
    x0, y0 = int(city.cells.x_m[0]), int(city.cells.y_m[0])
    squares: dict[tuple[int, int], int] = {}
    mend = f"place cells {city.cell_m} m apart, or give a duration matrix instead of roads"
    for cell, (x, y) in enumerate(zip(city.cells.x_m.tolist(), city.cells.y_m.tolist(), strict=True)):
        square = ((x - x0) // city.cell_m, (y - y0) // city.cell_m)
        if (x - x0) % city.cell_m or (y - y0) % city.cell_m:
            problems.add("cells.csv", f"(cell {cell}) is off the lattice of cell 0", value=(x, y), mend=mend)
        elif square in squares:
            problems.add("cells.csv", f"(cell {cell}) has the place of cell {squares[square]}", value=(x, y), mend=mend)
        squares.setdefault(square, cell)
    problems.raise_if_any()
    return squares


def _between_cells_m(city: City, cell: int, other: int) -> float:
    """Return the straight distance of two cell centres, m."""
    cells = city.cells
    return _straight_m((int(cells.x_m[cell]), int(cells.y_m[cell])), (int(cells.x_m[other]), int(cells.y_m[other])))


def _straight_m(a: tuple[int, int], b: tuple[int, int]) -> float:
    """Return the straight distance of two points of the plane, m."""
    return math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2)


# --- arterials and expressways ----------------------------------------------------------------------------------------


def _seat(city: City, town: int) -> tuple[int, int]:
    """Return the place of a town's seat, m."""
    return int(city.towns.seat_x_m[town]), int(city.towns.seat_y_m[town])


def _add_arterials(graph: nx.Graph[int], city: City, roads: Roads, settings: TravelSettings) -> None:
    """Lay each arterial through the cells on its way."""
    problems = Problems()
    seats = seat_cells(city)
    water = {(min(int(a), int(b)), max(int(a), int(b))) for a, b in city.water_pairs}
    for link in roads.links:
        if link.road_class != "arterial":
            continue
        low, high = sorted((link.from_town, link.to_town))
        legs = _bridged_legs(city, link, seats) if (low, high) in water else _open_legs(city, link, seats)
        if not legs:
            codes = city.towns.code[link.from_town], city.towns.code[link.to_town]
            problems.add(
                "road_links.csv", "is an arterial over water without a bridge", value=codes, mend="add a bridge"
            )
            continue
        straight_m = sum(leg[-1][1] for leg in legs)
        length_m = link.length_m or straight_m * roads.detour["arterial"]
        for leg in legs:
            for (cell, start_m), (other, end_m) in pairwise(leg):
                _add_road(graph, (cell, other), "arterial", (end_m - start_m) * length_m / straight_m, settings)
    problems.raise_if_any()


Leg = list[tuple[int, float]]
"""Cells that a straight piece of road can be entered from, each with its distance from the start of the piece, m."""


def _open_legs(city: City, link: RoadLink, seats: NDArray[np.int64]) -> list[Leg]:
    """Return the one straight leg between two seats."""
    ends = _seat(city, link.from_town), _seat(city, link.to_town)
    return [_leg(city, ends, (int(seats[link.from_town]), int(seats[link.to_town])), (link.from_town, link.to_town))]


def _bridged_legs(city: City, link: RoadLink, seats: NDArray[np.int64]) -> list[Leg]:
    """Return the legs seat - bridge, over it, bridge - seat for the bridge of the shortest way, or none."""
    best: tuple[float, list[Leg]] = (math.inf, [])
    town = city.cells.town
    points = [(int(x), int(y)) for x, y in zip(city.cells.x_m, city.cells.y_m, strict=True)]
    for a, b in city.bridges.tolist():
        near, far = (a, b) if town[a] == link.from_town else (b, a)
        if (town[near], town[far]) != (link.from_town, link.to_town):
            continue
        legs = [
            _leg(
                city, (_seat(city, link.from_town), points[near]), (int(seats[link.from_town]), near), (link.from_town,)
            ),
            [(near, 0.0), (far, _between_cells_m(city, near, far))],
            _leg(city, (points[far], _seat(city, link.to_town)), (far, int(seats[link.to_town])), (link.to_town,)),
        ]
        best = min(best, (sum(leg[-1][1] for leg in legs), legs), key=lambda found: found[0])
    return best[1]


def _leg(
    city: City, points: tuple[tuple[int, int], tuple[int, int]], ends: tuple[int, int], towns: tuple[int, ...]
) -> Leg:
    """Return the cells of `towns` on a straight line, about one per cell side; `ends` are its first and last."""
    (x0, y0), (x1, y1) = points
    length_m = _straight_m(*points)
    n_pieces = max(1, math.ceil(length_m / city.cell_m))
    leg = [(ends[0], 0.0)]
    for i in range(1, n_pieces):
        cell = city.cell_at(x0 + (x1 - x0) * i // n_pieces, y0 + (y1 - y0) * i // n_pieces)
        if cell >= 0 and int(city.cells.town[cell]) in towns and cell not in (leg[-1][0], ends[1]):
            leg.append((cell, length_m * i / n_pieces))
    return [*leg, (ends[1], length_m)]


def _add_expressways(graph: nx.Graph[int], city: City, roads: Roads, settings: TravelSettings) -> None:
    """Add a junction per expressway and town served, its ramp to the seat's cell, and the links between junctions."""
    seats = seat_cells(city)
    junctions: dict[tuple[str, int], int] = {}
    ramp_ms = max(1, ms_from_s(settings.of_roads("ramp_s")))
    for link in roads.links:
        if link.road_class != "expressway":
            continue
        for town in (link.from_town, link.to_town):
            if (link.road, town) not in junctions:
                junctions[link.road, town] = graph.number_of_nodes()
                ends = int(seats[town]), junctions[link.road, town]
                graph.add_edge(*ends, road_class="ramp", length_m=0, ms=(ramp_ms,) * len(Period))
        ends = junctions[link.road, link.from_town], junctions[link.road, link.to_town]
        straight_m = _straight_m(_seat(city, link.from_town), _seat(city, link.to_town))
        _add_road(graph, ends, "expressway", link.length_m or straight_m * roads.detour["expressway"], settings)


# --- checks -----------------------------------------------------------------------------------------------------------


def _check_connected(graph: nx.Graph[int], city: City) -> None:
    """Raise one problem for each piece of the graph that the largest piece cannot be reached from."""
    import networkx as nx

    problems = Problems()
    pieces = sorted(
        (sorted(piece) for piece in nx.connected_components(graph)), key=lambda piece: (-len(piece), piece[0])
    )
    for piece in pieces[1:]:
        cells = [node for node in piece if node < city.cells.n_cells]
        towns = [city.towns.code[town] for town in sorted({int(city.cells.town[cell]) for cell in cells})]
        what = f"{len(cells)} cells of {', '.join(towns)}, the first at {_place(city, cells[0])}"
        rule = f"({what}) cannot be reached by road"
        problems.add(
            "cells.csv", rule, value=f"cell {cells[0]}", mend="add a bridge, a pair of adjacent towns or a road link"
        )
    problems.raise_if_any()


def _place(city: City, cell: int) -> str:
    """Return the cell's centre as text."""
    return f"x {int(city.cells.x_m[cell])} m, y {int(city.cells.y_m[cell])} m"


def accelerate_ms(settings: TravelSettings, period: Period) -> float:
    """Return tau_a = v / a of a period, ms: the time to reach the speed on local streets, where trips begin and end."""
    return settings.speed_kmh("local", period) / 3.6 / settings.of_roads("acceleration_ms2") * MS_PER_S


def start_ms(settings: TravelSettings, period: Period) -> int:
    """Return the whole milliseconds that every trip of a period loses besides acceleration; traffic stretches them."""
    return ms_from_s(settings.of_roads("start_s") / settings.factor(period))
