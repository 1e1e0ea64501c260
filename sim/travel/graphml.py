"""Road graphs in GraphML, as OSMnx saves them: nodes with `x` and `y`, edges with `highway` and `length`.

Read as a stream, as a city has hundreds of thousands of nodes, and their outlines and names are of no use here. An edge
leads one way in a directed graph, as OSMnx makes them, both ways otherwise. Next: `osm.py`, which makes a net of them.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from xml.parsers import expat

from sim.city.crs import EPSG, to_wgs84
from sim.errors import Problems, nearest_name

if TYPE_CHECKING:
    from sim.city.types import Plane

_Edge = tuple[int, int, float, str]
_WANTED = ("x", "y", "highway", "length", "crs")
_NO_WAY = "false"


@dataclass(slots=True)
class _Reading:
    """A GraphML file as it is read: what its nodes and edges say of `_WANTED`, and the names of all they say.

    `edges`: (source, target, class, length as text, leads both ways) of the edges that are roads.
    """

    classes: Collection[str]
    nodes: dict[str, dict[str, str]] = field(default_factory=dict)
    edges: list[tuple[str, str, str, str, bool]] = field(default_factory=list)
    crs: str = "epsg:4326"
    names: dict[str, str] = field(default_factory=dict)
    is_graph: bool = False
    is_directed: bool = True
    _of: dict[str, str] = field(default_factory=dict)
    _data: dict[str, str] = field(default_factory=dict)
    _name: str = ""
    _text: list[str] = field(default_factory=list)

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        if tag == "data":
            self._name = self.names[attributes["key"]]
            self._text.clear()
        elif tag in ("node", "edge"):
            self._of, self._data = attributes, {}
        elif tag == "key":
            self.names[attributes["id"]] = attributes["attr.name"]
        elif tag == "graph":
            self.is_graph = True
            self.is_directed = attributes.get("edgedefault") != "undirected"

    def text(self, part: str) -> None:
        """Take a piece of text; only that of what is wanted is kept."""
        if self._name in _WANTED:
            self._text.append(part)

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        if tag == "data":
            if self._name == "crs":
                self.crs = "".join(self._text).strip().lower()
            elif self._name in _WANTED:
                self._data[self._name] = "".join(self._text).strip()
            self._name = ""
        elif tag == "node":
            self.nodes[self._of["id"]] = self._data
        elif tag == "edge":
            kind = _class_of(self._data.get("highway", ""), self.classes)
            if kind is not None:
                is_both = not self.is_directed or self._of.get("directed") == _NO_WAY
                ends = self._of["source"], self._of["target"]
                self.edges.append((*ends, kind, self._data.get("length", ""), is_both))


def from_graphml(
    path: Path, classes: Collection[str], plane: Plane, problems: Problems
) -> tuple[list[tuple[int, int]], list[_Edge]] | None:
    """Return the places of the nodes, m on the plane, and the edges (from, to, length in m, class of road).

    None after adding what is wrong: no GraphML, nodes without a place, edges without a length or between unknown nodes.
    """
    reading = _Reading(classes)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reading.begin, reading.end
    parser.CharacterDataHandler = reading.text
    reason = ""
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
    except (OSError, expat.ExpatError, ValueError) as error:
        reason = str(error)
    except KeyError as error:
        reason = f"{error} is missing where it must stand"
    if reason or not reading.is_graph:
        rule = f"cannot be read as GraphML ({reason or 'it holds no graph'})"
        problems.add(path.name, rule, mend="save it with osmnx.save_graphml")
        return None
    places = _places(reading, plane, path.name, problems)
    edges = _edges(reading, path.name, problems)
    return None if places is None or edges is None else (places, edges)


def _places(reading: _Reading, plane: Plane, where: str, problems: Problems) -> list[tuple[int, int]] | None:
    places = []
    for node, data in reading.nodes.items():
        place = _node_place(data, reading.crs, plane)
        if place is None:
            rule = f"(x, y) of a node is no place in its crs {reading.crs}"
            problems.add(where, rule, value=node, mend="give x and y of every node, and the crs")
            return None
        places.append(place)
    return places


def _edges(reading: _Reading, where: str, problems: Problems) -> list[_Edge] | None:
    number = {node: i for i, node in enumerate(reading.nodes)}
    edges: list[_Edge] = []
    for source, target, kind, length, is_both in reading.edges:
        if source not in number or target not in number:
            value = f"{source} -> {target}"
            problems.add(where, "names a node that the file does not hold", value=value, mend="save the whole graph")
            return None
        length_m = _length_m(length)
        if not 0 <= length_m < math.inf:
            mend = nearest_name("length", list(reading.names.values()))
            problems.add(where, "(length) of an edge is no length in m", value=length, mend=mend)
            return None
        a, b = number[source], number[target]
        edges += [(a, b, length_m, kind), (b, a, length_m, kind)] if is_both else [(a, b, length_m, kind)]
    return edges


def _length_m(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _node_place(data: Mapping[str, str], crs: str, plane: Plane) -> tuple[int, int] | None:
    try:
        x, y = float(data["x"]), float(data["y"])
    except (KeyError, ValueError):
        return None
    if crs in ("epsg:4326", "wgs84"):
        return plane.xy_m(y, x) if abs(y) <= 90 and abs(x) <= 180 else None
    degrees = to_wgs84(crs, x, y) if crs.startswith(EPSG) and crs[len(EPSG) :].isdigit() else None
    return None if degrees is None else plane.xy_m(*degrees)


def _class_of(text: str, classes: Collection[str]) -> str | None:
    """Return the class of an edge; OSMnx writes several of a merged way as a list, of which the first known counts."""
    names = [text]
    if text.startswith("["):
        try:
            names = [str(name) for name in ast.literal_eval(text)]
        except (ValueError, SyntaxError):
            return None
    return next((name for name in names if name in classes), None)
