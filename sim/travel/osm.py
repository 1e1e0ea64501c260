"""Roads of a file in OpenStreetMap's forms: `.osm` (XML), `.osm.pbf`, and `.graphml` of OSMnx (`graphml.py`).

Only ways with a `highway` class that the travel world gives a speed are roads. `oneway` is kept, also that of
roundabouts and motorways; a way tagged -1 runs backwards. Of the first two nodes stay where ways meet or end, and
every `STEP_M` between, so that places find a node near; lengths are along all nodes. Next: `network.py`.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems
from sim.travel.graphml import from_graphml

if TYPE_CHECKING:
    from sim.city.types import Plane

STEP_M = 300.0
"""Longest stretch of an `.osm` way without a node of the graph, m, unless its own nodes lie further apart."""
ONE_WAY_CLASSES = ("motorway", "motorway_link")
_NODE_OF_WAY = "nd"
_TOLD = ("highway", "oneway", "junction")
"""Tags of a way that are looked at."""
_YES, _BACK = ("yes", "true", "1"), ("-1", "reverse")
FORMS = (".osm", ".pbf", ".graphml")


@dataclass(frozen=True, slots=True)
class RoadNet:
    """A directed road graph: places of its nodes, and of each edge its ends, its length and its class of road.

    `x_m`, `y_m`: (n_nodes,) float64 on the city's plane. `start`, `end`: (n_edges,) int64 nodes. `length_m`: (n_edges,)
    float64. `road_class`: (n_edges,) positions in `classes`.
    """

    x_m: NDArray[np.float64]
    y_m: NDArray[np.float64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    length_m: NDArray[np.float64]
    road_class: NDArray[np.int64]
    classes: tuple[str, ...]


_Edge = tuple[int, int, float, str]


def read_net(path: Path, classes: Collection[str], plane: Plane, problems: Problems) -> RoadNet | None:
    """Return the roads of a file, or None after adding what is wrong with it."""
    n_before = len(problems.found)
    suffix = path.suffix.lower()
    if suffix not in FORMS:
        problems.add(path.name, "is no known form of road graph", value=suffix, mend=f"one of {', '.join(FORMS)}")
        return None
    reader = from_graphml if suffix == ".graphml" else _from_osm
    found = reader(path, classes, plane, problems)
    if found is None or len(problems.found) > n_before:
        return None
    places, edges = found
    if not edges:
        mend = f"look at the highway tags; roads are: {', '.join(classes)}"
        problems.add(path.name, "holds no road of a class that travel.graph_kmh gives a speed", mend=mend)
        return None
    names = tuple(sorted({edge[3] for edge in edges}))
    return RoadNet(
        x_m=np.array([x for x, _ in places], dtype=np.float64),
        y_m=np.array([y for _, y in places], dtype=np.float64),
        start=np.array([edge[0] for edge in edges], dtype=np.int64),
        end=np.array([edge[1] for edge in edges], dtype=np.int64),
        length_m=np.array([edge[2] for edge in edges], dtype=np.float64),
        road_class=np.array([names.index(edge[3]) for edge in edges], dtype=np.int64),
        classes=names,
    )


# --- .osm -------------------------------------------------------------------------------------------------------------


def _from_osm(
    path: Path, classes: Collection[str], plane: Plane, problems: Problems
) -> tuple[list[tuple[int, int]], list[_Edge]] | None:
    is_pbf = path.suffix.lower() == ".pbf"
    try:
        found = _read_pbf(path, classes) if is_pbf else _read_osm(path, classes)
    except (OSError, expat.ExpatError, KeyError, ValueError, OverflowError, RuntimeError) as error:
        form, ending = ("PBF", ".osm.pbf") if is_pbf else ("XML", ".osm")
        problems.add(path.name, f"cannot be read as OpenStreetMap {form} ({error})", mend=f"save it as {ending} again")
        return None
    used = Counter(ref for refs, _ in found.ways for ref in refs)
    places = found.places(used, plane)
    absent = sorted(used.keys() - places.keys())
    if absent:
        rule = f"has {len(absent)} nodes in ways that it does not hold"
        problems.add(path.name, rule, value=absent[0], mend="cut the extract with complete ways")
        return None
    number: dict[int, int] = {}
    edges: list[_Edge] = []
    for refs, tags in found.ways:
        for first, last, length_m in _stretches(refs, places, used):
            a, b = (number.setdefault(ref, len(number)) for ref in (first, last))
            edges += _both_ways(a, b, length_m, tags["highway"], tags.get("oneway", ""), tags.get("junction", ""))
    return [places[ref] for ref in number], edges


@dataclass(frozen=True, slots=True)
class _Osm:
    """What a file holds: every node as three numbers, as most belong to no road, and the ways that are roads."""

    node: array[int]
    lat: array[float]
    lon: array[float]
    ways: list[tuple[list[int], dict[str, str]]]

    def places(self, wanted: Collection[int], plane: Plane) -> dict[int, tuple[int, int]]:
        """Return the places on the plane of those of the wanted nodes that the file holds."""
        node = np.frombuffer(self.node, dtype=np.int64)
        kept = np.flatnonzero(np.isin(node, np.fromiter(wanted, dtype=np.int64, count=len(wanted))))
        return {int(node[i]): plane.xy_m(self.lat[i], self.lon[i]) for i in kept.tolist()}


def _read_osm(path: Path, classes: Collection[str]) -> _Osm:
    """Return the nodes and roads of a file, read in one go; errors of reading and form are raised as they are."""
    found = _Osm(array("q"), array("d"), array("d"), [])
    refs: list[int] = []
    tags: dict[str, str] = {}

    def begin(name: str, attributes: dict[str, str]) -> None:
        if name == "node":
            lat, lon = float(attributes["lat"]), float(attributes["lon"])
            if not (abs(lat) <= 90 and abs(lon) <= 180):
                raise ValueError(f"node {attributes['id']} lies at lat {lat:g}, lon {lon:g}")
            found.node.append(int(attributes["id"]))
            found.lat.append(lat)
            found.lon.append(lon)
        elif name == _NODE_OF_WAY:
            refs.append(int(attributes["ref"]))
        elif name == "tag":
            tags[attributes["k"]] = attributes["v"]
        elif name == "way":
            refs.clear()
            tags.clear()

    def end(name: str) -> None:
        if name == "way" and tags.get("highway") in classes:
            found.ways.append((refs.copy(), {key: tags[key] for key in _TOLD if key in tags}))

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    with path.open("rb") as file:
        parser.ParseFile(file)
    return found


def _read_pbf(path: Path, classes: Collection[str]) -> _Osm:
    """Return the roads of a file and the nodes that they have, read in two goes."""
    import osmium

    found = _Osm(array("q"), array("d"), array("d"), [])
    for way in osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway")):
        if isinstance(way, osmium.osm.Way) and way.tags.get("highway") in classes:
            tags = {key: str(way.tags[key]) for key in _TOLD if key in way.tags}
            found.ways.append(([node.ref for node in way.nodes], tags))
    wanted = sorted({ref for refs, _ in found.ways for ref in refs})
    for node in osmium.FileProcessor(str(path), osmium.osm.NODE).with_filter(osmium.filter.IdFilter(wanted)):
        if isinstance(node, osmium.osm.Node):
            found.node.append(node.id)
            found.lat.append(node.lat)
            found.lon.append(node.lon)
    return found


def _stretches(
    refs: list[int], places: Mapping[int, tuple[int, int]], used: Mapping[int, int]
) -> Iterator[tuple[int, int, float]]:
    """Yield (first, last, length in m) of each part of a way between nodes that stay in the graph."""
    begin, length_m = refs[0] if refs else 0, 0.0
    for before, here in pairwise(refs):
        length_m += math.dist(places[before], places[here])
        if used[here] > 1 or here == refs[-1] or length_m >= STEP_M:
            yield begin, here, length_m
            begin, length_m = here, 0.0


def _both_ways(a: int, b: int, length_m: float, kind: str, oneway: str, junction: str = "") -> list[_Edge]:
    if oneway in _BACK:
        return [(b, a, length_m, kind)]
    is_one_way = oneway in _YES or (not oneway and (junction == "roundabout" or kind in ONE_WAY_CLASSES))
    return [(a, b, length_m, kind)] if is_one_way else [(a, b, length_m, kind), (b, a, length_m, kind)]
