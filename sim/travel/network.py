"""Driving times over a road graph of one's own: `travel.graph`, with a speed for each class of road.

Every cell joins the graph at the node nearest to its middle; that way is the straight line times `detour` at
`local_kmh`. Addresses lie anywhere in their cells, and vehicles start and end at rest, as on other roads
(`straight.py`). Night and rush hour change all speeds alike, so one search by day serves all periods. Nodes outside the
largest part in which every node leads to every other are left out: a few are usual at the edge of an extract, more than
`MOST_LEFT_OUT` of all is an error, and so is a cell further than `FARTHEST_M` from what is left.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems
from sim.travel.cache import digest_of
from sim.travel.osm import RoadNet, read_net
from sim.travel.settings import Period, TravelSettings
from sim.travel.source import source_digest
from sim.travel.straight import ms_per_m, sides_of, whole_trips
from sim.units import MS_PER_H

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from sim.city import City

MOST_LEFT_OUT = 0.1
FARTHEST_M = 3_000.0
"""Furthest node at which a cell may join the graph, m."""
MOST_HELD = 50_000_000
"""Times from cells to all nodes that are held at once, 8 bytes each: 0.4 GB."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class NetworkWays:
    """A `TravelSource` of a road graph in a file."""

    city: City
    settings: TravelSettings

    @property
    def name(self) -> str:
        """Name of the travel world."""
        return self.settings.name

    def key(self) -> str:
        """Return the SHA-256 of the file, the cells, the settings and this package's source."""
        problems, cells = Problems(), self.city.cells
        content = np.empty(0, dtype=np.uint8)
        try:
            content = np.frombuffer(Path(self.settings.graph).read_bytes(), dtype=np.uint8)
        except OSError as error:
            problems.add(self.settings.graph, f"cannot be read ({error.strerror})", mend="name a readable file")
        problems.raise_if_any()
        arrays: dict[str, NDArray[Any]] = {"file": content, "x_m": cells.x_m, "y_m": cells.y_m, "area": cells.area_m2}
        plane = json.dumps([asdict(self.settings), asdict(self.city.plane)], sort_keys=True)
        return digest_of(arrays, "network", plane, source_digest())

    def period_of_hour(self) -> NDArray[np.int8]:
        """Return the settings' periods by day type and hour."""
        return self.settings.period_of_hour()

    def durations(self) -> NDArray[np.int32]:
        """Return (n_periods, n_cells, n_cells) int32 ms.

        Raises
        ------
        InputError
            With everything wrong with the file, or where the graph falls apart or lies far from cells.
        """
        from scipy.sparse.csgraph import dijkstra

        problems, path = Problems(), Path(self.settings.graph)
        net = read_net(path, tuple(self.settings.graph_kmh), self.city.plane, problems)
        problems.raise_if_any()
        assert net is not None
        weights = _weights(net, self.settings)
        kept = _whole_part(weights, path.name, problems)
        problems.raise_if_any()
        node, apart_m = _joined(net, kept, self.city, path.name, problems)
        problems.raise_if_any()
        day = ms_per_m(self.settings, Period.DAY)
        joined, place = np.unique(node, return_inverse=True)
        n_cells = self.city.cells.n_cells
        tables = np.empty((len(Period), n_cells, n_cells), dtype=np.int32)
        side_m = np.sqrt(self.city.cells.area_m2.astype(np.float64))
        n_rows = max(MOST_HELD // len(net.x_m), 1)
        for first in range(0, n_cells, n_rows):
            rows = slice(first, min(first + n_rows, n_cells))
            sources, row = np.unique(place[rows], return_inverse=True)
            ways = dijkstra(weights, directed=True, indices=joined[sources])[:, joined]
            ways = ways[row][:, place] + (apart_m[rows, None] + apart_m) * day
            for period in Period:
                slower = 1.0 / self.settings.factor(period)
                tables[period, rows] = whole_trips(
                    ways * slower, sides_of(side_m, rows), side_m[rows], first, self.settings, period
                )
        return tables


def _weights(net: RoadNet, settings: TravelSettings) -> csr_array:
    """Return the ms of every edge by day, the quickest of parallel ones."""
    from scipy.sparse import csr_array

    kmh = np.array([settings.graph_kmh[name] for name in net.classes])[net.road_class]
    edge_ms = np.maximum(net.length_m * (MS_PER_H / 1_000.0) / kmh, 1.0)
    n_nodes = len(net.x_m)
    order = np.lexsort((edge_ms, net.start * n_nodes + net.end))
    pair = (net.start * n_nodes + net.end)[order]
    first = order[np.concatenate([[True], pair[1:] != pair[:-1]])]
    return csr_array((edge_ms[first], (net.start[first], net.end[first])), shape=(n_nodes, n_nodes))


def _whole_part(weights: csr_array, where: str, problems: Problems) -> NDArray[np.int64]:
    """Return the nodes of the largest part in which all lead to all; add a problem where too many are outside it."""
    from scipy.sparse.csgraph import connected_components

    _, label = connected_components(weights, directed=True, connection="strong")
    sizes = np.bincount(label)
    kept = np.flatnonzero(label == int(np.argmax(sizes)))
    left_out = 1.0 - len(kept) / len(label)
    if left_out > MOST_LEFT_OUT:
        rule = f"falls apart: {left_out:.0%} of its {len(label)} nodes lie outside the part in which all lead to all"
        mend = "cut a larger extract, give speeds to the classes of road that join the parts, or mend one-way streets"
        problems.add(where, rule, value=f"{len(sizes)} parts", mend=mend)
    return kept


def _joined(
    net: RoadNet, kept: NDArray[np.int64], city: City, where: str, problems: Problems
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each cell's node and how far it is, m; add a problem for the cells that lie too far from any."""
    from scipy.spatial import KDTree

    tree = KDTree(np.column_stack([net.x_m[kept], net.y_m[kept]]))
    found, at = tree.query(np.column_stack([city.cells.x_m, city.cells.y_m]))
    apart_m = np.asarray(found, dtype=np.float64)
    far = np.flatnonzero(apart_m > FARTHEST_M)
    if len(far):
        shown = ", ".join(str(cell) for cell in far[:_SHOWN]) + (", …" if len(far) > _SHOWN else "")
        rule = f"({len(far)} of {len(apart_m)} cells) lie more than {FARTHEST_M / 1000:g} km from any road"
        mend = "cut a larger extract, or look at the crs of the cells"
        problems.add(where, rule, value=f"cells {shown}", mend=mend)
    return kept[at], apart_m
