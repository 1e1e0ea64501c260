"""What each table and the settings of a city folder must hold, as far as places go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from sim.tables import SOURCE, STANDING, Column, TableSpec

_TOWN = Column("town", "str", "Code of the town.")
_PAIR = (
    Column("town_a", "str", "Code of one town."),
    Column("town_b", "str", "Code of the other town."),
)
_OPTIONAL_POINT = (
    Column("lat", "float", "Latitude, WGS84; empty if not known.", "degrees", -90, 90, optional=True),
    Column("lon", "float", "Longitude, WGS84; empty if not known.", "degrees", -180, 180, optional=True),
)

TOWNS = TableSpec(
    "towns",
    1,
    (
        Column("town_id", "int", "Position of the town, from 0.", minimum=0, unique=True),
        Column("code", "str", "ASCII name that all other tables use.", unique=True),
        Column("name_zh", "str", "Chinese name.", unique=True),
        Column("name_en", "str", "English name.", unique=True),
        Column("centre_lat", "float", "Latitude of the middle of the town's area, WGS84.", "degrees", -90, 90),
        Column("centre_lon", "float", "Longitude of the middle of the town's area, WGS84.", "degrees", -180, 180),
        Column("centre_source", "str", "Where the middle was read."),
        Column("centre_standing", "str", "How the middle is known.", choices=STANDING.choices),
        Column("seat_lat", "float", "Latitude of the town seat, WGS84.", "degrees", -90, 90),
        Column("seat_lon", "float", "Longitude of the town seat, WGS84.", "degrees", -180, 180),
        Column("seat_source", "str", "Where the seat was read."),
        Column("seat_standing", "str", "How the seat is known.", choices=STANDING.choices),
        Column("area_km2", "float", "Whole area.", "km2", 0.01, 1_000_000),
        Column("area_source", "str", "Where the area was read."),
        Column("area_standing", "str", "How the area is known.", choices=STANDING.choices),
    ),
)

ADJACENCY = TableSpec(
    "adjacency",
    1,
    (
        *_PAIR,
        Column("border_km", "float", "Length of the common border.", "km", 0, optional=True),
        Column("note", "str", "What kind of border it is.", optional=True),
        SOURCE,
        STANDING,
    ),
    key=("town_a", "town_b"),
)

BRIDGES = TableSpec(
    "bridges",
    1,
    (
        *_PAIR,
        Column("crossing", "int", "Number of the crossing on this border, from 1.", minimum=1, maximum=99),
        Column("name", "str", "Name, where one is known.", optional=True),
        *_OPTIONAL_POINT,
        SOURCE,
        STANDING,
    ),
    key=("town_a", "town_b", "crossing"),
    may_be_empty=True,
)

SITES = TableSpec(
    "sites",
    1,
    (
        Column("site_kind", "str", "Code of the kind, from city.yaml."),
        Column("name_zh", "str", "Chinese name."),
        Column("name_en", "str", "English name."),
        _TOWN,
        *_OPTIONAL_POINT,
        Column("fact", "str", "What makes it special.", optional=True),
        SOURCE,
        STANDING,
    ),
    key=("site_kind", "name_zh"),
    may_be_empty=True,
)

RAIL = TableSpec(
    "rail",
    1,
    (
        Column("line", "str", "ASCII name of the line."),
        Column("order", "int", "Position along the line, 0 if the line has no order here.", minimum=0, maximum=999),
        Column("name_zh", "str", "Chinese name."),
        Column("name_en", "str", "English name."),
        Column("mode", "str", "Kind of railway.", choices=("metro", "intercity", "mainline")),
        _TOWN,
        *_OPTIONAL_POINT,
        Column("opens", "date", "First day of service; empty if long open.", optional=True),
        SOURCE,
        STANDING,
    ),
    key=("line", "name_zh"),
    may_be_empty=True,
)

CELLS = TableSpec(
    "cells",
    1,
    (
        Column("cell_id", "int", "Position of the cell, from 0.", minimum=0, unique=True),
        _TOWN,
        Column("x_m", "int", "Middle of the cell, east of the origin.", "m", -10_000_000, 10_000_000),
        Column("y_m", "int", "Middle of the cell, north of the origin.", "m", -10_000_000, 10_000_000),
        Column("area_m2", "int", "Area.", "m2", 1, 2_000_000_000),
        Column("is_built_up", "bool", "Whether it counts to the town's built-up area."),
        Column("population", "int", "Residents.", minimum=0, maximum=2_000_000_000),
        Column("site_kind", "str", "Code of the special site in it, if any.", optional=True),
    ),
    key=("x_m", "y_m"),
)


@dataclass
class Number:
    """One number of the folder with where it comes from."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    value: float
    source: str
    standing: str
    unit: str = ""


@dataclass
class PlaneSettings:
    """Origin and scale of the local plane."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    lat0: Annotated[float, Field(ge=-89, le=89)]
    """Latitude of the origin, degrees, WGS84."""
    lon0: Annotated[float, Field(ge=-180, le=180)]
    """Longitude of the origin, degrees, WGS84."""
    m_per_deg_lat: Annotated[float | None, Field(gt=110_000, lt=112_000)] = None
    """Metres in a degree of latitude at the origin; empty: as the ellipsoid has it there."""
    m_per_deg_lon: Annotated[float | None, Field(gt=0, lt=112_000)] = None
    """Metres in a degree of longitude at the origin; empty: as the ellipsoid has it there."""


@dataclass
class BuildSettings:
    """How `cells.csv` is made when there are no boundaries; a folder with its own cells leaves it out."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    outline_spread: Number
    """Width of a town's bell in the outline, as a multiple of the radius of a disc of its area."""
    density_scale_m: Number
    """Distance from the seat over which density falls by a factor e, m."""
    rural_share: Number
    """Share of a town's residents outside its built-up cells (0 to 1)."""


@dataclass
class SiteKind:
    """One kind of special site."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    code: str
    """ASCII name that sites.csv and cells.csv use."""
    name_zh: str
    """Chinese name."""
    name_en: str
    """English name."""
    siting_people: Annotated[int, Field(ge=0, le=10_000_000)]
    """Residents that one such site counts for when stations are sited."""
    source: str
    """Where `siting_people` comes from."""
    standing: str
    """How `siting_people` is known."""


@dataclass
class CitySettings:
    """`city.yaml`: what a city folder says about itself."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]
    """ASCII name, the folder's own."""
    name_zh: str
    """Chinese name."""
    name_en: str
    """English name."""
    plane: PlaneSettings
    """The local plane of all coordinates in metres."""
    epoch: str
    """Day from which days are counted in identities, YYYY-MM-DD."""
    utc_offset_h: Annotated[float, Field(ge=-12, le=14)]
    """Local time ahead of UTC, hours."""
    holidays_country: str
    """Country code of the public holidays."""
    population_year: Annotated[int, Field(ge=1900, le=2200)]
    """Year of the population column."""
    cell_m: Annotated[int, Field(ge=0, le=20_000)] = 0
    """Side of a cell, m, 50 or more; 0: as the stated areas or cells make it."""
    crs: str = "wgs84"
    """What the coordinates of stated stations, areas and cells are in, where a row does not say: wgs84, gcj02, bd09,
    plane or epsg:NUMBER."""
    site_kinds: list[SiteKind] = field(default_factory=list)
    """Kinds of special sites; a cell with several sites counts as the first kind in this list."""
    build: BuildSettings | None = None
    """How the cells were made; empty in a folder with cells of its own."""
