"""Settings of a travel world: speeds on roads, one speed and a detour, or a file of given driving times; and the hours.

A world is one YAML file: the fields of `TravelSettings` and an `about` map that gives source and standing of each. It
either has roads, with all their numbers, or a detour, with those of one speed, or names a matrix, with none of them, so
that no key says nothing. Next: `graph.py`, which turns speeds into milliseconds, `straight.py` or `given.py`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from sim.errors import Problems, nearest_name
from sim.tables import STANDINGS


class Period(IntEnum):
    """Times of day that differ in speed; the number is the first axis of `TravelTables.duration_ms`."""

    NIGHT = 0
    DAY = 1
    PEAK = 2


PERIODS = tuple(period.name.lower() for period in Period)
ROAD_CLASSES = ("local", "arterial", "expressway")

ROAD_NUMBERS = (
    "local_kmh", "arterial_kmh", "expressway_kmh", "night_factor", "peak_factor",
    "acceleration_ms2", "start_s", "ramp_s",
)  # fmt: skip
"""Settings that a world has if it drives on roads, and only then; null in a world of given times."""
STRAIGHT_NUMBERS = ("local_kmh", "night_factor", "peak_factor", "acceleration_ms2", "start_s")
"""Those of them that a world has if it drives straight, by `detour`."""

Speed = Annotated[float | None, Field(gt=0, le=160)]
Factor = Annotated[float | None, Field(gt=0, le=4)]


@dataclass
class TravelSettings:
    """One travel world. Unfrozen and plain, because it is also the schema of its configuration group."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    name: str
    """ASCII name of the world."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    local_kmh: Speed
    """Cruise speed on local streets by day, km/h."""
    arterial_kmh: Speed
    """Cruise speed on arterials by day, km/h."""
    expressway_kmh: Speed
    """Cruise speed on expressways by day, km/h."""
    night_factor: Factor
    """Night speed over day speed, all road classes."""
    peak_factor: Factor
    """Rush-hour speed over day speed, all road classes."""
    acceleration_ms2: Annotated[float | None, Field(gt=0, le=10)]
    """Effective acceleration and braking at both ends of a trip, m/s2; slow starts and turns are in it."""
    start_s: Annotated[float | None, Field(ge=0, le=900)]
    """Time lost on every trip by day besides acceleration, s: the yard, the first junctions, finding the door."""
    ramp_s: Annotated[float | None, Field(ge=0, le=1800)]
    """Time to enter or leave an expressway, s: way to the junction, ramp and toll gate."""
    night_hours: list[int] = field(default_factory=lambda: [22, 23, 0, 1, 2, 3, 4, 5, 6])
    """Hours of the day (0-23) driven at night speed, on every day."""
    workday_peak_hours: list[int] = field(default_factory=lambda: [7, 8, 17, 18])
    """Hours driven at rush-hour speed on workdays."""
    weekend_peak_hours: list[int] = field(default_factory=list)
    """Hours driven at rush-hour speed on weekends and holidays."""
    detour: Annotated[float | None, Field(ge=1, le=5)] = None
    """Length of the way over the straight line, for a city without tables of roads: every trip is that long at
    `local_kmh`; null for none."""
    graph: str = ""
    """Road graph of one's own (.osm, .osm.pbf, or .graphml as OSMnx saves it) over which trips go, with a speed for
    each class; the detour is then of the way from a cell's middle to its nearest node. Empty for none."""
    graph_kmh: dict[str, Annotated[float, Field(gt=0, le=160)]] = field(default_factory=dict)
    """Cruise speed by day on each class of road of that graph, by its `highway` tag, km/h; others are no roads."""
    matrix: str = ""
    """File of driving times between zones (.npz, .csv, .parquet) that replaces the roads; empty for none."""
    matrix_unit: Annotated[str, Field(pattern=r"^(ms|s|min)?$")] = ""
    """Unit of the durations in that file, ms, s or min; never guessed."""
    matrix_zones: str = ""
    """CSV (cell, zone) that gives every cell its zone; empty: each cell is a zone, its id the label."""
    matrix_from: Annotated[str, Field(pattern="^(zones|stations)$")] = "zones"
    """zones: that file has times between zones; stations: from the stations of `stations.csv`, by code, to zones, in
    the long form. Other ways are then reckoned from those."""
    is_matrix_one_way: bool = False
    """Whether ways there and back may differ by more than a quarter and a minute, because the roads do."""

    def of_roads(self, name: str) -> float:
        """Return one of `ROAD_NUMBERS`; only a world that drives on roads has them."""
        value: float | None = getattr(self, name)
        assert value is not None, f"{name} is asked of a world that does not have it"
        return value

    def speed_kmh(self, road_class: str, period: Period) -> float:
        """Return the cruise speed of a road class in a period, km/h."""
        return self.of_roads(f"{road_class}_kmh") * self.factor(period)

    def factor(self, period: Period) -> float:
        """Return the speed of a period over that by day."""
        return 1.0 if period is Period.DAY else self.of_roads(f"{period.name.lower()}_factor")

    def period_of_hour(self) -> NDArray[np.int8]:
        """Return (2, 24) int8: the period of each hour on workdays (row 0) and on weekends and holidays (row 1)."""
        table = np.full((2, 24), Period.DAY, dtype=np.int8)
        table[0, self.workday_peak_hours] = Period.PEAK
        table[1, self.weekend_peak_hours] = Period.PEAK
        table[:, self.night_hours] = Period.NIGHT
        table.flags.writeable = False
        return table


@dataclass(frozen=True, slots=True)
class TravelWorld:
    """Settings read from a file, with (standing, source) of each value."""

    settings: TravelSettings
    about: dict[str, tuple[str, str]]


def checked(values: dict[str, Any], where: str) -> TravelSettings:
    """Return the settings in `values`.

    Raises
    ------
    InputError
        With every unknown key, missing key, wrong type, value out of range and hour given twice; with numbers of roads
        that are missing, or that say nothing beside a given matrix.
    """
    problems = Problems()
    names = [f.name for f in fields(TravelSettings)]
    for key in [key for key in values if key not in names]:
        problems.add(where, "is not a travel setting", value=key, mend=nearest_name(str(key), names))
    known = {key: value for key, value in values.items() if key in names}
    settings = None
    try:
        settings = TypeAdapter(TravelSettings).validate_python(known)
    except ValidationError as error:
        for detail in error.errors():
            key = ".".join(str(part) for part in detail["loc"])
            missing = detail["type"] in ("missing", "missing_argument")
            problems.add(where, f"({key}) {detail['msg']}", value=None if missing else detail["input"])
    if settings is not None:
        _check_hours(settings, where, problems)
        _check_kind(settings, where, problems)
    problems.raise_if_any()
    assert settings is not None
    return settings


def _check_hours(settings: TravelSettings, where: str, problems: Problems) -> None:
    """Add a problem for each hour that is none, stands twice in a list, or is both night and rush hour."""
    lists = ("night_hours", "workday_peak_hours", "weekend_peak_hours")
    for key in lists:
        hours = getattr(settings, key)
        for hour in sorted(hour for hour in set(hours) if not 0 <= hour <= 23):
            problems.add(where, f"({key}) is not an hour of the day", value=hour, mend="hours run from 0 to 23")
        if len(set(hours)) < len(hours):
            problems.add(where, f"({key}) names an hour twice", value=hours, mend="name each hour once")
        both = sorted(set(hours) & set(settings.night_hours)) if key != "night_hours" else []
        if both:
            problems.add(
                where, f"({key}) holds hours that are night hours too", value=both, mend="keep each in one list"
            )


def _check_kind(settings: TravelSettings, where: str, problems: Problems) -> None:
    """Add a problem for each setting that is missing, or says nothing, for roads or a matrix as the world has them."""
    is_given = {name: getattr(settings, name) is not None for name in ROAD_NUMBERS}
    _check_graph(settings, where, problems)
    if settings.matrix and settings.detour is not None:
        mend = "choose travel=matrix, or set it to null"
        problems.add(where, "(detour) says nothing beside a given matrix", value=settings.detour, mend=mend)
    if not settings.matrix and not any(is_given.values()):
        mend = "give travel.matrix=FILE and travel.matrix_unit, or choose a world that has roads"
        problems.add(where, "(matrix) names no file of driving times", mend=mend)
        return
    if settings.matrix:
        for name in [name for name in ROAD_NUMBERS if is_given[name]]:
            rule, mend = f"({name}) says nothing beside a given matrix", "choose travel=matrix, or set it to null"
            problems.add(where, rule, value=getattr(settings, name), mend=mend)
        if not settings.matrix_unit:
            problems.add(where, "(matrix_unit) is missing", mend="declare the file's unit: ms, s or min")
        return
    needed = ROAD_NUMBERS if settings.detour is None else STRAIGHT_NUMBERS
    for name in [name for name in needed if not is_given[name]]:
        problems.add(where, f"({name}) is missing", mend="give it a value, or give a matrix instead of roads")
    for name in [name for name in ROAD_NUMBERS if name not in needed and is_given[name]]:
        rule, mend = f"({name}) says nothing beside a detour", "set it to null, or set detour to null to drive on roads"
        problems.add(where, rule, value=getattr(settings, name), mend=mend)
    for name in ("matrix_unit", "matrix_zones", "is_matrix_one_way", "matrix_from"):
        if getattr(settings, name) not in ("", False, "zones"):
            mend = "leave it out, or give travel.matrix=FILE"
            problems.add(where, f"({name}) says nothing without a matrix", value=getattr(settings, name), mend=mend)


def _check_graph(settings: TravelSettings, where: str, problems: Problems) -> None:
    """Add a problem for a graph without what it needs, and for speeds on a graph that is not there."""
    if settings.graph_kmh and not settings.graph:
        mend = "give travel.graph=FILE, or choose another travel world"
        problems.add(where, "(graph) names no road graph for graph_kmh", mend=mend)
    if not settings.graph:
        return
    if settings.matrix:
        problems.add(where, "(graph) says nothing beside a given matrix", value=settings.graph, mend="keep one of them")
    if not settings.graph_kmh:
        problems.add(where, "(graph_kmh) is missing", mend="choose travel=network, or give each highway class a speed")
    if settings.detour is None and not settings.matrix:
        problems.add(where, "(detour) is missing", mend="choose travel=network, or say the detour to the nearest road")


def load_travel_world(path: Path) -> TravelWorld:
    """Return the travel world in the YAML file `path`.

    Raises
    ------
    InputError
        If the file is unreadable, a setting is wrong, or a number lacks a source or a known standing.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    problems = Problems()
    content: Any = None
    try:
        content = OmegaConf.to_container(OmegaConf.load(path), resolve=True)
    except (OSError, UnicodeDecodeError, YAMLError, OmegaConfBaseException) as error:
        problems.add(str(path), f"cannot be read as YAML ({error})", mend="name one of the files in configs/travel")
    if content is not None and not isinstance(content, dict):
        problems.add(path.name, "is not a map of settings", mend="write one 'key: value' a line")
    problems.raise_if_any()
    about = content.pop("about", None) or {}
    settings = checked(content, path.name)
    return TravelWorld(settings, _checked_about(about, settings, path.name))


def _checked_about(about: Any, settings: TravelSettings, where: str) -> dict[str, tuple[str, str]]:
    """Return standing and source of every number and list of hours; raise all that is missing or unknown."""
    problems = Problems()
    result: dict[str, tuple[str, str]] = {}
    values = asdict(settings).items()
    keys = [key for key, value in values if not isinstance(value, str | bool | None) and value != {}]
    for key in [key for key in about if key not in keys]:
        problems.add(where, "(about) is not a setting", value=key, mend=nearest_name(str(key), keys))
    for key in keys:
        entry = about.get(key) or {}
        standing, source = entry.get("standing"), entry.get("source")
        if standing not in STANDINGS:
            problems.add(
                where, f"(about.{key}) has no known standing", value=standing, mend=f"one of {', '.join(STANDINGS)}"
            )
        if not source:
            problems.add(where, f"(about.{key}) has no source", mend="say where the value comes from")
        result[key] = (str(standing), str(source))
    problems.raise_if_any()
    return result
