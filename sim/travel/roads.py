"""The city folder's two road tables: classes with their detour factors, and links between towns.

`road_classes.csv` says how much longer a road is than the straight line; `road_links.csv` lists the main roads, each a
link between the seats of two towns. Local streets are in no table: `graph.py` lays them between neighbouring cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import Problems
from sim.tables import SOURCE, STANDING, Column, Table, TableSpec, check_references, read_table
from sim.travel.settings import ROAD_CLASSES

if TYPE_CHECKING:
    from sim.city import City

CLASSES = TableSpec(
    "road_classes",
    1,
    (
        Column("road_class", "str", "Class of road.", choices=ROAD_CLASSES),
        Column("name_zh", "str", "Name in Chinese."),
        Column("name_en", "str", "Name in English."),
        Column("detour", "float", "Length of road over length of the straight line.", minimum=1, maximum=5),
        SOURCE,
        STANDING,
    ),
    key=("road_class",),
)
LINKS = TableSpec(
    "road_links",
    1,
    (
        Column("from_town", "str", "Code of the town at one end; the road runs both ways."),
        Column("to_town", "str", "Code of the town at the other end."),
        Column("road_class", "str", "Class of road.", choices=ROAD_CLASSES[1:]),
        Column("road", "str", "Code of the road; links of one expressway share it and join without leaving it."),
        Column("length_km", "float", "Length; empty: straight line x detour.", "km", 0.1, 1000, optional=True),
        SOURCE,
        STANDING,
    ),
    key=("from_town", "to_town", "road_class", "road"),
)


@dataclass(frozen=True, slots=True)
class RoadLink:
    """One main road between the seats of two towns (positions in the town table), both ways.

    `length_m` is None where the straight line and the detour of the class decide it.
    """

    from_town: int
    to_town: int
    road_class: str
    road: str
    length_m: float | None = None


@dataclass(frozen=True, slots=True)
class Roads:
    """Detour factor of each road class, and all main roads in the order of their table."""

    detour: dict[str, float]
    links: tuple[RoadLink, ...]


def load_roads(folder: Path, city: City) -> Roads:
    """Return the roads of a city folder.

    Raises
    ------
    InputError
        With every problem of both tables: unknown towns, classes without a row, links from a town to itself, a link
        given in both directions, an arterial between towns that do not touch.
    """
    problems = Problems()
    classes = read_table(folder / "road_classes.csv", CLASSES, problems)
    links = read_table(folder / "road_links.csv", LINKS, problems)
    for name in [name for name in ROAD_CLASSES if classes.is_whole and name not in classes["road_class"]]:
        problems.add(classes.where, "has no row for this class", value=name, mend="add it with its detour")
    for column in ("from_town", "to_town"):
        check_references(links, column, city.towns.code, "towns.csv", problems)
    _check_links(links, city, problems)
    problems.raise_if_any()
    detour = dict(zip(classes["road_class"].tolist(), classes["detour"].tolist(), strict=True))
    return Roads(detour, tuple(_links(links, city)))


def touching_towns(city: City) -> frozenset[tuple[int, int]]:
    """Return the pairs (lower, higher) of towns that have a common border, on land or water."""
    return frozenset((min(int(a), int(b)), max(int(a), int(b))) for a, b in city.adjacent_pairs)


def _check_links(links: Table, city: City, problems: Problems) -> None:
    """Add a problem for each loop, each link given twice, and each arterial between towns without a common border."""
    position = {code: i for i, code in enumerate(city.towns.code)}
    touching = touching_towns(city)
    seen: set[tuple[int, int, str, str]] = set()
    for i in range(links.n_rows):
        codes = links["from_town"][i], links["to_town"][i]
        if codes[0] == codes[1]:
            problems.add(links.where, "is both ends of the link", value=codes[0], row=links.row_number(i))
        if codes[0] == codes[1] or not all(code in position for code in codes):
            continue
        low, high = sorted(position[code] for code in codes)
        key = (low, high, str(links["road_class"][i]), str(links["road"][i]))
        if key in seen:
            problems.add(
                links.where, "is given in both directions", value=codes, row=links.row_number(i), mend="keep one"
            )
        seen.add(key)
        if key[2] == "arterial" and (low, high) not in touching:
            rule = "is an arterial between towns without a common border"
            problems.add(links.where, rule, value=codes, row=links.row_number(i), mend="add the pair to adjacency.csv")


def _links(links: Table, city: City) -> list[RoadLink]:
    """Return the rows of a faultless table."""
    position = {code: i for i, code in enumerate(city.towns.code)}
    lengths = [None if length != length else float(length) * 1000.0 for length in links["length_km"]]
    rows = zip(links["from_town"], links["to_town"], links["road_class"], links["road"], lengths, strict=True)
    return [RoadLink(position[a], position[b], str(kind), str(road), length) for a, b, kind, road, length in rows]
