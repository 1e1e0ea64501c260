"""Settings of a travel world: speeds by road class and period, acceleration, and which hour is which period.

A world is one YAML file: the fields of `TravelSettings` and an `about` map that gives source and standing of each.
Next: `graph.py`, which turns speeds into milliseconds.
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

Speed = Annotated[float, Field(gt=0, le=160)]
Factor = Annotated[float, Field(gt=0, le=4)]


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
    acceleration_ms2: Annotated[float, Field(gt=0, le=10)]
    """Effective acceleration and braking at both ends of a trip, m/s2; slow starts and turns are in it."""
    ramp_s: Annotated[float, Field(ge=0, le=1800)]
    """Time to enter or leave an expressway, s: way to the junction, ramp and toll gate."""
    night_hours: list[int] = field(default_factory=lambda: [22, 23, 0, 1, 2, 3, 4, 5, 6])
    """Hours of the day (0-23) driven at night speed, on every day."""
    workday_peak_hours: list[int] = field(default_factory=lambda: [7, 8, 17, 18])
    """Hours driven at rush-hour speed on workdays."""
    weekend_peak_hours: list[int] = field(default_factory=list)
    """Hours driven at rush-hour speed on weekends and holidays."""

    def speed_kmh(self, road_class: str, period: Period) -> float:
        """Return the cruise speed of a road class in a period, km/h."""
        by_day: float = getattr(self, f"{road_class}_kmh")
        factor = {Period.NIGHT: self.night_factor, Period.DAY: 1.0, Period.PEAK: self.peak_factor}[period]
        return by_day * factor

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
        With every unknown key, missing key, wrong type, value out of range and hour given twice.
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
    """Return standing and source of every setting but its names; raise all that is missing or unknown."""
    problems = Problems()
    result: dict[str, tuple[str, str]] = {}
    keys = [key for key, value in asdict(settings).items() if not isinstance(value, str)]
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
