"""Settings of the weather: whether there is any, what slows the roads, and what keeps aircraft on the ground."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from sim.errors import Problems

_STRICT = {"extra": "forbid"}
Lost = Annotated[float, Field(ge=0, le=0.9)]


@dataclass
class RainBand:
    """Rain of at least some intensity and what it does to driving."""

    __pydantic_config__ = _STRICT

    from_mm_h: Annotated[float, Field(gt=0, le=500)]
    """Intensity from which the band holds, mm/h."""
    speed_lost: Lost
    """Share of the speed on dry roads that is lost."""


@dataclass
class StormSettings:
    """What the hours of one type of surge day are like."""

    __pydantic_config__ = _STRICT

    rain_mm_h: Annotated[float, Field(ge=0, le=500)]
    """Rain while its alarms come, mm/h."""
    wind_m_s: Annotated[float, Field(ge=0, le=120)]
    """Wind meanwhile, m/s."""
    visibility_km: Annotated[float, Field(gt=0, le=100)]
    """Visibility meanwhile, km."""
    speed_lost: Lost
    """Share of the speed on dry roads that is lost meanwhile, by water on the road and what has fallen on it."""
    grounded_before_h: Annotated[float, Field(ge=0, le=72)] = 0.0
    """Hours before it in which nothing flies any more."""
    grounded_after_h: Annotated[float, Field(ge=0, le=72)] = 0.0
    """Hours after it in which nothing flies yet."""


@dataclass
class WeatherSettings:
    """Weather by the hour: rain, wind, visibility and storms; storms are the demand's surge days."""

    __pydantic_config__ = _STRICT

    name: str
    """ASCII name of the choice."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    rule: Literal["none", "timeline"]
    """none: dry roads at all hours, and aircraft go by the monthly shares of the city's flying_windows.csv; timeline:
    hours drawn from the city's climate and storms."""
    rain_hours_most: Annotated[int, Field(ge=1, le=24)] = 1
    """A day with rain has so many hours of it at most, each number from 1 on being as likely, in one piece, h."""
    rain_day_mm_most: Annotated[float, Field(gt=0, le=1_000)] = 50.0
    """Rain of an ordinary day at most; what brings more is a storm, mm."""
    rain_bands: list[RainBand] = field(default_factory=list)
    """What rain does to driving, in order of intensity."""
    fog_from_h: Annotated[int, Field(ge=0, le=23)] = 0
    """First hour of fog on a day with fog."""
    fog_to_h: Annotated[int, Field(ge=1, le=24)] = 1
    """First hour without it."""
    fog_visibility_km: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Visibility in fog, km."""
    fog_speed_lost: Lost = 0.0
    """Share of the speed on dry roads that is lost in fog."""
    gale_hours: Annotated[int, Field(ge=1, le=24)] = 1
    """Length of a gale on a day that has one, in one piece, h."""
    gale_m_s: Annotated[float, Field(ge=0, le=120)] = 0.0
    """Wind in a gale, m/s."""
    fair_visibility_km: Annotated[float, Field(gt=0, le=100)] = 10.0
    """Visibility at all other hours, km."""
    fair_wind_m_s: Annotated[float, Field(ge=0, le=120)] = 0.0
    """Wind at all other hours, m/s."""
    fly_visibility_km: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Least visibility to fly in, km."""
    fly_wind_m_s: Annotated[float, Field(ge=0, le=120)] = 0.0
    """Strongest wind to fly in, m/s."""
    fly_rain_mm_h: Annotated[float, Field(ge=0, le=500)] = 0.0
    """Heaviest rain to fly in, mm/h."""
    storms: dict[str, StormSettings] = field(default_factory=dict)
    """What surge days are like, by the code of their type in `demand.surges`; a type left out has no weather."""


def checked(values: Mapping[str, Any], where: str) -> None:
    """Find what single fields cannot say.

    Raises
    ------
    InputError
        If fog ends before it begins or the bands of rain are out of order.
    """
    problems = Problems()
    begin, end = values.get("fog_from_h", 0), values.get("fog_to_h", 1)
    if end <= begin:
        problems.add(where, f"(weather.fog_to_h) must be after fog_from_h {begin}", value=end)
    bands = [band["from_mm_h"] for band in values.get("rain_bands", [])]
    if bands != sorted(set(bands)):
        rule = "(weather.rain_bands) must stand in order of from_mm_h, each once"
        problems.add(where, rule, value=bands, mend="put the lightest rain first")
    problems.raise_if_any()
