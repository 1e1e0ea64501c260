"""Roads of a file in OpenStreetMap's forms: `.osm` (XML) by a reader of our own, `.graphml` (of OSMnx) by networkx.

Only ways with a `highway` class that the travel world gives a speed are roads. `oneway` is kept, also that of
roundabouts and motorways; a way tagged -1 runs backwards. Of an `.osm` file nodes stay where ways meet or end, and
every `STEP_M` between, so that places find a node near; lengths are along all nodes. Next: `network.py`.
"""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from sim.city.crs import EPSG, to_wgs84
from sim.errors import Problems, nearest_name

if TYPE_CHECKING:
    from sim.city.types import Plane

STEP_M = 300.0
"""Longest stretch of an `.osm` way without a node of the graph, m, unless its own nodes lie further apart."""
ONE_WAY_CLASSES = ("motorway", "motorway_link")
_NODE_OF_WAY = "nd"
_YES, _BACK = ("yes", "true", "1"), ("-1", "reverse")
FORMS = (".osm", ".graphml")
PBF = "convert it first, e.g. `osmium cat city.osm.pbf -o city.osm` (no reader of .osm.pbf comes with the program)"


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
        mend = PBF if suffix == ".pbf" else f"one of {', '.join(FORMS)}"
        problems.add(path.name, "is no known form of road graph", value=suffix, mend=mend)
        return None
    reader = _from_osm if suffix == ".osm" else _from_graphml
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
    places: dict[str, tuple[int, int]] = {}
    ways: list[tuple[list[str], dict[str, str]]] = []
    try:
        for _, element in ElementTree.iterparse(path):
            if element.tag == "node":
                places[element.attrib["id"]] = plane.xy_m(float(element.attrib["lat"]), float(element.attrib["lon"]))
            elif element.tag == "way":
                tags = {tag.attrib["k"]: tag.attrib["v"] for tag in element.iter("tag")}
                if tags.get("highway") in classes:
                    ways.append(([part.attrib["ref"] for part in element.iter(_NODE_OF_WAY)], tags))
            if element.tag in ("node", "way", "relation"):
                element.clear()
    except (OSError, ElementTree.ParseError, KeyError, ValueError) as error:
        problems.add(path.name, f"cannot be read as OpenStreetMap XML ({error})", mend="save it as .osm again")
        return None
    absent = sorted({ref for refs, _ in ways for ref in refs} - places.keys())
    if absent:
        rule = f"has {len(absent)} nodes in ways that it does not hold"
        problems.add(path.name, rule, value=absent[0], mend="cut the extract with complete ways")
        return None
    used = Counter(ref for refs, _ in ways for ref in refs)
    number: dict[str, int] = {}
    edges: list[_Edge] = []
    for refs, tags in ways:
        for first, last, length_m in _stretches(refs, places, used):
            a, b = (number.setdefault(ref, len(number)) for ref in (first, last))
            edges += _both_ways(a, b, length_m, tags["highway"], tags.get("oneway", ""), tags.get("junction", ""))
    return [places[ref] for ref in number], edges


def _stretches(
    refs: list[str], places: Mapping[str, tuple[int, int]], used: Mapping[str, int]
) -> Iterator[tuple[str, str, float]]:
    """Yield (first, last, length in m) of each part of a way between nodes that stay in the graph."""
    begin, length_m = refs[0] if refs else "", 0.0
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


# --- .graphml ---------------------------------------------------------------------------------------------------------


def _from_graphml(
    path: Path, classes: Collection[str], plane: Plane, problems: Problems
) -> tuple[list[tuple[int, int]], list[_Edge]] | None:
    import networkx as nx

    try:
        graph: Any = nx.read_graphml(path)
    except (OSError, ElementTree.ParseError, nx.NetworkXError, KeyError, ValueError) as error:
        problems.add(path.name, f"cannot be read as GraphML ({error})", mend="save it with osmnx.save_graphml")
        return None
    crs = str(graph.graph.get("crs", "epsg:4326")).lower()
    number: dict[Any, int] = {}
    places: list[tuple[int, int]] = []
    for node, data in graph.nodes(data=True):
        place = _node_place(data, crs, plane)
        if place is None:
            rule = f"(x, y) of a node is no place in its crs {crs}"
            problems.add(path.name, rule, value=node, mend="give x and y of every node, and the crs")
            return None
        number[node] = len(places)
        places.append(place)
    edges: list[_Edge] = []
    for a, b, data in graph.edges(data=True):
        kind = _class_of(data.get("highway"), classes)
        if kind is None:
            continue
        try:
            length_m = float(data["length"])
        except (KeyError, TypeError, ValueError):
            length_m = math.nan
        if not length_m >= 0:
            mend = nearest_name("length", [str(key) for key in data])
            problems.add(path.name, "(length) of an edge is no length in m", value=data.get("length"), mend=mend)
            return None
        ends = number[a], number[b]
        edges += [(*ends, length_m, kind)] if graph.is_directed() else _both_ways(*ends, length_m, kind, "no")
    return places, edges


def _node_place(data: Mapping[str, Any], crs: str, plane: Plane) -> tuple[int, int] | None:
    try:
        x, y = float(data["x"]), float(data["y"])
    except (KeyError, TypeError, ValueError):
        return None
    if crs in ("epsg:4326", "wgs84"):
        return plane.xy_m(y, x) if abs(y) <= 90 and abs(x) <= 180 else None
    degrees = to_wgs84(crs, x, y) if crs.startswith(EPSG) and crs[len(EPSG) :].isdigit() else None
    return None if degrees is None else plane.xy_m(*degrees)


def _class_of(text: Any, classes: Collection[str]) -> str | None:
    """Return the class of an edge; OSMnx writes several of a merged way as a list, of which the first known counts."""
    names = [str(text)]
    if names[0].startswith("["):
        try:
            names = [str(name) for name in ast.literal_eval(names[0])]
        except (ValueError, SyntaxError):
            return None
    return next((name for name in names if name in classes), None)
