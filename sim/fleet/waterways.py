"""How far it is by water from a quay to the cells along the city's navigable rivers.

`waterways.csv` of a city folder draws each waterway as a line through points; lines meet where they share a point. A
cell whose middle lies within `reach_m` of a line is reached at the nearest place on it, and from there by the rescuers'
own access. A boat goes along the lines; nothing is said of depth, tide or locks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems
from sim.fleet.aviation import CityWithPlaneLike
from sim.tables import SOURCE, STANDING, Column, Table, TableSpec, read_table

NO_WAY = -1
WATERWAYS = TableSpec(
    "waterways",
    1,
    (
        Column("waterway", "str", "Name of the line."),
        Column("point", "int", "Number of the point on it, from 1.", minimum=1),
        Column("lat", "float", "Latitude.", "degrees", -90, 90),
        Column("lon", "float", "Longitude.", "degrees", -180, 180),
        Column(
            "reach_m", "float", "Cells within this distance of the stretch to the next point lie on it.", "m", 0, 1e5
        ),
        SOURCE,
        STANDING,
    ),
    key=("waterway", "point"),
)


@dataclass(frozen=True, slots=True)
class _Stretches:
    """Straight stretches of water, n rows: ends as nodes, end points in m, length in m and reach in m."""

    node: NDArray[np.int64]
    begin: NDArray[np.float64]
    end: NDArray[np.float64]
    length: NDArray[np.float64]
    reach: NDArray[np.float64]
    n_nodes: int


def ways_by_water(folder: Path, city: CityWithPlaneLike, quays: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the way by water, whole m, from the cell of each quay to each cell: (n_quays, n_cells), -1 without water.

    Raises
    ------
    InputError
        With all problems: no table, a line of one point, a quay that lies on no waterway.
    """
    problems = Problems()
    table = read_table(folder / "waterways.csv", WATERWAYS, problems)
    problems.raise_if_any()
    stretches = _stretches(table, city, problems)
    problems.raise_if_any()
    middles = np.stack([city.cells.x_m, city.cells.y_m], axis=1).astype(np.float64)
    at, share, away_m = _nearest(stretches, middles)
    is_wet = away_m <= stretches.reach[at]
    between = _between_nodes(stretches)
    out = np.full((len(quays), len(middles)), NO_WAY, dtype=np.int32)
    for row, cell in enumerate(quays):
        if not is_wet[cell]:
            rule = f"a quay in cell {cell} lies {away_m[cell]:.0f} m from the nearest waterway, beyond its reach"
            problems.add(table.where, rule, value=int(cell), mend="move the quay to the water, or draw the waterway")
            continue
        out[row, is_wet] = _from_place(stretches, between, at, share, int(cell))[is_wet]
    problems.raise_if_any()
    return out


def _stretches(table: Table, city: CityWithPlaneLike, problems: Problems) -> _Stretches:
    nodes: dict[tuple[float, float], int] = {}
    rows: list[tuple[int, int, float]] = []
    for name in dict.fromkeys(table["waterway"]):
        line = sorted((i for i in range(table.n_rows) if table["waterway"][i] == name), key=lambda i: table["point"][i])
        if len(line) < 2:
            problems.add(table.where, f"waterway {name!r} has one point only", mend="give it a second one")
        of = [nodes.setdefault((float(table["lat"][i]), float(table["lon"][i])), len(nodes)) for i in line]
        rows += [(a, b, float(table["reach_m"][i])) for i, a, b in zip(line, of, of[1:], strict=False)]
    points = np.array([city.plane.xy_m(lat, lon) for lat, lon in nodes], dtype=np.float64).reshape(-1, 2)
    node = np.array([row[:2] for row in rows], dtype=np.int64).reshape(-1, 2)
    begin, end = points[node[:, 0]], points[node[:, 1]]
    length = np.hypot(*(end - begin).T)
    return _Stretches(node, begin, end, length, np.array([row[2] for row in rows]), len(nodes))


def _nearest(
    stretches: _Stretches, middles: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return each cell's nearest stretch, the share of it to the nearest place, and the distance there (m)."""
    along = stretches.end - stretches.begin
    rel = middles[:, None, :] - stretches.begin
    share = np.clip((rel * along).sum(axis=2) / np.maximum(stretches.length**2, 1.0), 0.0, 1.0)
    away = np.hypot(*np.moveaxis(rel - share[:, :, None] * along, 2, 0))
    at = np.argmin(away, axis=1)
    every = np.arange(len(middles))
    return at, share[every, at], away[every, at]


def _between_nodes(stretches: _Stretches) -> NDArray[np.float64]:
    """Return the shortest way between all nodes (Floyd 1962): (n_nodes, n_nodes) float64 m, infinite without one."""
    way = np.full((stretches.n_nodes, stretches.n_nodes), np.inf)
    np.fill_diagonal(way, 0.0)
    for (a, b), length in zip(stretches.node, stretches.length, strict=True):
        way[a, b] = way[b, a] = min(way[a, b], length)
    for via in range(stretches.n_nodes):
        way = np.minimum(way, way[:, via, None] + way[via])
    return way


def _from_place(
    stretches: _Stretches,
    between: NDArray[np.float64],
    at: NDArray[np.int64],
    share: NDArray[np.float64],
    cell: int,
) -> NDArray[np.int32]:
    """Return the way along the water from one cell's place on it to every cell's: (n_cells,) int32, -1 without one."""
    to_end = np.stack([share, 1.0 - share]) * stretches.length[at]
    ways = [
        to_end[a, cell] + between[stretches.node[at[cell], a], stretches.node[at, b]] + to_end[b]
        for a in (0, 1)
        for b in (0, 1)
    ]
    same = np.where(at == at[cell], np.abs(share - share[cell]) * stretches.length[at[cell]], np.inf)
    shortest = np.minimum(np.min(ways, axis=0), same)
    return np.where(np.isfinite(shortest), np.floor(np.where(np.isfinite(shortest), shortest, 0) + 0.5), NO_WAY).astype(
        np.int32
    )
