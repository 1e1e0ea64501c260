"""The one interface to driving times: a `TravelSource` gives durations between cells, `TravelTables` holds them.

The rest of the program sees `TravelTables` only, so a source can be replaced - by a matrix, later by a graph of real
roads - without touching anything else. Tables are made once and kept on disk (`cache.py`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.travel.cache import cached_array, digest_of
from sim.travel.roads import Roads
from sim.travel.settings import Period, TravelSettings

if TYPE_CHECKING:
    from sim.city import City

DEFAULT_CACHE = Path("outputs") / ".cache" / "travel"


@dataclass(frozen=True, slots=True)
class TravelTables:
    """Expected door-to-door driving times, without noise.

    `duration_ms`: (n_periods, n_cells, n_cells) int32, C-contiguous, ms, row = from, column = to, acceleration
    included; read-only, usually a memory map. `period_of_hour`: (2, 24) int8, row 0 workdays, row 1 weekends and
    holidays. `digest`: SHA-256 of both arrays, whatever they were made from.
    """

    name: str
    duration_ms: NDArray[np.int32]
    period_of_hour: NDArray[np.int8]
    digest: str

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return int(self.duration_ms.shape[1])


class TravelSource(Protocol):
    """Anything that knows the driving times between all cells."""

    @property
    def name(self) -> str:
        """Name shown beside results."""
        ...

    def key(self) -> str:
        """Return a SHA-256 over everything that decides the durations, source code included; cheap."""
        ...

    def period_of_hour(self) -> NDArray[np.int8]:
        """Return (2, 24) int8 periods by day type and hour."""
        ...

    def durations(self) -> NDArray[np.int32]:
        """Return (n_periods, n_cells, n_cells) int32 ms; may take seconds."""
        ...


@dataclass(frozen=True, slots=True)
class CellsGraph:
    """A `TravelSource` from the schematic road graph of the city's cells."""

    city: City
    roads: Roads
    settings: TravelSettings

    @property
    def name(self) -> str:
        """Name of the travel world."""
        return self.settings.name

    def key(self) -> str:
        """Return the SHA-256 of the cells, borders, bridges, seats, roads, settings and this package's source."""
        city, cells, towns = self.city, self.city.cells, self.city.towns
        links = [asdict(link) for link in self.roads.links]
        text = json.dumps([asdict(self.settings), self.roads.detour, links, city.cell_m], sort_keys=True)
        arrays: dict[str, NDArray[Any]] = {
            "cell_town": cells.town,
            "x_m": cells.x_m,
            "y_m": cells.y_m,
            "seat_x_m": towns.seat_x_m,
            "seat_y_m": towns.seat_y_m,
            "adjacent_pairs": city.adjacent_pairs,
            "water_pairs": city.water_pairs,
            "bridges": city.bridges,
        }
        return digest_of(arrays, "cells graph", text, source_digest())

    def period_of_hour(self) -> NDArray[np.int8]:
        """Return the settings' periods by day type and hour."""
        return self.settings.period_of_hour()

    def durations(self) -> NDArray[np.int32]:
        """Return all tables; about a second per period and 2,500 cells."""
        from sim.travel.durations import durations_from
        from sim.travel.graph import build_graph

        graph = build_graph(self.city, self.roads, self.settings)
        n_cells = self.city.cells.n_cells
        tables = np.empty((len(Period), n_cells, n_cells), dtype=np.int32)
        for period in Period:
            tables[period] = durations_from(graph, self.settings, period, np.arange(n_cells))
        return tables


def build_travel(city: City, settings: TravelSettings, roads: Roads, cache_dir: Path = DEFAULT_CACHE) -> TravelTables:
    """Return the tables of a travel world in a city, from the cache when it was built before.

    `roads` come from `roads.load_roads(folder, city)`, `settings` from `settings.load_travel_world(path)`.

    Raises
    ------
    InputError
        If the road graph has faults or falls into pieces, or the cache cannot be written.
    """
    return travel_tables(CellsGraph(city, roads, settings), cache_dir)


def travel_tables(source: TravelSource, cache_dir: Path = DEFAULT_CACHE) -> TravelTables:
    """Return the tables of any source, from the cache under `cache_dir` when they were built before."""
    duration_ms, table_digest = cached_array(cache_dir, source.key(), source.durations)
    hours = source.period_of_hour()
    return TravelTables(source.name, duration_ms, hours, digest_of({"period_of_hour": hours}, table_digest))


def source_digest() -> str:
    """Return the SHA-256 of the source code that tables depend on, so that a changed rule never meets an old cache."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in [*sorted(folder.glob("*.py")), folder.parent / "units.py"]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
