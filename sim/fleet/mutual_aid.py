"""Help from outside the city: posts of neighbouring cities and of the province at its border, as stations of the fleet.

`mutual_aid.csv` lists the posts: whose they are, at which border, with which bay list, from which alarm grade on they
send, and how long it takes until they are at the border. A post is a station at a cell of the border town, behind the
city's own stations; its units turn out like any other, and then need their lead until they are in the city. What they
have is all there is: a unit that was sent is not there a second time. Nothing here decides who goes (`engine/choice`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import cos, radians, sin
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from sim.errors import Problems
from sim.fleet.bases import NO_CLASS, NO_TOWN, behind, with_rows
from sim.fleet.parts import ChangeKind, Changes, Fleet, Stations, TownsLike, Units
from sim.tables import SOURCE, STANDING, Column, TableSpec, check_references, read_table
from sim.units import ms_from_min

if TYPE_CHECKING:
    from sim.fleet.tables import FleetTables

FILE = "mutual_aid.csv"
TIERS = ("city", "province")
MUTUAL_AID = TableSpec(
    "mutual_aid",
    1,
    (
        Column("code", "str", "ASCII name of the post.", unique=True),
        Column("name_zh", "str", "Chinese name."),
        Column("name_en", "str", "English name."),
        Column("tier", "str", "Whose it is: of a neighbouring city or of the province.", choices=TIERS),
        Column("town", "str", "Code of the town through whose border it comes."),
        Column(
            "towards_deg",
            "float",
            "Compass bearing of the border from the town's seat: 0 north, 90 east.",
            unit="degrees",
            minimum=0,
            maximum=360,
        ),
        Column("fleet", "str", "Its bay list in fleets.csv."),
        Column("from_grade", "int", "Alarm grade from which it sends without being waited for.", minimum=1, maximum=5),
        Column(
            "lead_min",
            "float",
            "From turnout to the border: to ask, to release, to drive.",
            unit="min",
            minimum=0,
            maximum=10_000,
        ),
        Column(
            "ready_min",
            "float",
            "From the border back to where it can be asked again.",
            unit="min",
            minimum=0,
            maximum=10_000,
        ),
        SOURCE,
        STANDING,
    ),
)


@dataclass
class MutualAidSettings:
    """Which help from outside the city there is, and what releases it beside a high alarm grade."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    name: str
    """ASCII name of the rule."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    senders: Literal["none", "neighbours", "neighbours_and_province"] = "none"
    """Whose posts of the city's mutual_aid.csv may send: nobody's, those of neighbouring cities, the province's too."""
    wait_min: Annotated[float, Field(ge=-1, le=10_000, allow_inf_nan=False)] = -1.0
    """Wait of a need after which they are asked whatever the grade, min; -1: never."""


class PlacesLike(Protocol):
    """What a border asks of a city's cells."""

    @property
    def town(self) -> NDArray[np.int16]:
        """(n_cells,) town of each cell."""
        ...

    @property
    def x_m(self) -> NDArray[np.int32]:
        """(n_cells,) metres east."""
        ...

    @property
    def y_m(self) -> NDArray[np.int32]:
        """(n_cells,) metres north."""
        ...


class CityWithPlaces(Protocol):
    """What mutual aid asks of a city (`sim.city.City` gives it)."""

    @property
    def towns(self) -> TownsLike:
        """The towns."""
        ...

    @property
    def cells(self) -> PlacesLike:
        """The cells."""
        ...


@dataclass(frozen=True, slots=True)
class Post:
    """Where help from outside stands and what it brings: `cell` at the border, `bays` as ids of unit types."""

    code: str
    name_zh: str
    name_en: str
    cell: int
    bays: tuple[int, ...]
    from_grade: int
    lead_ms: int
    ready_ms: int


def load_posts(
    folder: Path, city: CityWithPlaces, tables: FleetTables, settings: MutualAidSettings
) -> tuple[Post, ...]:
    """Return the posts of the city folder that the settings let send, in the order of the table.

    Raises
    ------
    InputError
        If there is no table, or a row names a town or a bay list that the city does not have.
    """
    if settings.senders == "none":
        return ()
    problems = Problems()
    rows = read_table(folder / FILE, MUTUAL_AID, problems)
    check_references(rows, "town", city.towns.code, "towns.csv", problems)
    check_references(rows, "fleet", tables.bays, "fleets.csv", problems)
    problems.raise_if_any()
    tiers = TIERS if settings.senders == "neighbours_and_province" else TIERS[:1]
    return tuple(
        Post(
            code=rows["code"][i], name_zh=rows["name_zh"][i], name_en=rows["name_en"][i],
            cell=border_cell(city.cells, city.towns.code.index(rows["town"][i]), float(rows["towards_deg"][i])),
            bays=tables.bays[rows["fleet"][i]], from_grade=int(rows["from_grade"][i]),
            lead_ms=ms_from_min(rows["lead_min"][i]), ready_ms=ms_from_min(rows["ready_min"][i]),
        )
        for i in range(rows.n_rows)
        if rows["tier"][i] in tiers
    )  # fmt: skip


def border_cell(cells: PlacesLike, town: int, towards_deg: float) -> int:
    """Return the cell of a town that lies furthest in a compass direction; ties go to the lowest id."""
    own = np.flatnonzero(np.asarray(cells.town) == town)
    east, north = round(1000 * sin(radians(towards_deg))), round(1000 * cos(radians(towards_deg)))
    out = np.asarray(cells.x_m)[own].astype(np.int64) * east + np.asarray(cells.y_m)[own].astype(np.int64) * north
    return int(own[np.argmax(out)])


def with_posts(fleet: Fleet, posts: tuple[Post, ...]) -> Fleet:
    """Return a fleet with the posts as stations behind its own, each with its units; without posts the same fleet."""
    if not posts:
        return fleet
    return Fleet(_stations(fleet, posts), _units(fleet, posts), fleet.classes, fleet.unit_types)


def _stations(fleet: Fleet, posts: tuple[Post, ...]) -> Stations:
    n, own = len(posts), fleet.stations
    values: dict[str, Any] = {
        "town": [NO_TOWN] * n, "k": range(n), "cell": [post.cell for post in posts], "class_id": [NO_CLASS] * n,
        "is_existing": [False] * n, "later_class_id": [NO_CLASS] * n, "planned_year": [-1] * n,
        "help_grade": [post.from_grade for post in posts], "name": [post.code for post in posts],
        "name_zh": [post.name_zh for post in posts], "name_en": [post.name_en for post in posts],
        "brigade": [""] * n,
    }  # fmt: skip
    return Stations(**{name: behind(getattr(own, name), more) for name, more in values.items()})


def _units(fleet: Fleet, posts: tuple[Post, ...]) -> Units:
    own, types, first = fleet.units, fleet.unit_types, fleet.stations.n_stations
    type_id = np.array([type_ for post in posts for type_ in post.bays], dtype=np.int16)
    post_of = np.array([place for place, post in enumerate(posts) for _ in post.bays], dtype=np.int64)
    traits = types.traits[type_id].copy()
    traits["callout_ms"] += np.array([post.lead_ms for post in posts], dtype=np.int32)[post_of]
    traits["ready_ms"] = np.array([post.ready_ms for post in posts], dtype=np.int32)[post_of]
    added = {
        "station": first + post_of, "type_id": type_id, "capabilities": types.capabilities[type_id],
        "crew_min": types.crew_min[type_id], "crew_preferred": types.crew_preferred[type_id],
        "bay": np.concatenate([np.arange(1, len(post.bays) + 1) for post in posts]),
        "is_added": np.zeros(len(type_id), dtype=np.bool_), "traits": traits,
    }  # fmt: skip
    return replace(own, **{name: behind(getattr(own, name), values) for name, values in added.items()})


def with_posts_open(changes: Changes, fleet: Fleet) -> Changes:
    """Return the dated changes with every post of the fleet open from the start, all its crews aboard at once."""
    posts = np.flatnonzero(fleet.stations.help_grade > 0)
    if not len(posts):
        return changes
    units = fleet.units
    rows: list[tuple[int, int, int, int]] = []
    for post in posts.tolist():
        its = np.flatnonzero(units.station == post)
        people = int(units.crew_preferred[its].sum())
        rows += [(0, int(ChangeKind.STATION_OPEN), post, 0), (0, int(ChangeKind.STATION_PEOPLE), post, people)]
        rows += [(0, int(ChangeKind.UNIT_IN_SERVICE), unit, 0) for unit in its.tolist()]
    return with_rows(changes, rows)
