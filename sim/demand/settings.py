"""Settings of demand, times and days: plain dataclasses for composition, checked by pydantic before anything runs.

Each number of a YAML has its source and standing in the `about` map beside it (dotted key, or a prefix of it).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

_STRICT = {"extra": "forbid"}


@dataclass
class CalendarSettings:
    """Which days are run and which are measured."""

    __pydantic_config__ = _STRICT

    measure_from: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    """First measured day."""
    measure_to: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    """First day that is not measured any more."""
    warm_up_days: Annotated[int, Field(ge=0, le=366)] = 14
    """Days run before the first measured one."""
    run_out_days: Annotated[int, Field(ge=0, le=366)] = 14
    """Days run after the last measured one."""
    eves: dict[str, str] = field(
        default_factory=lambda: {"Chinese New Year (Spring Festival)": "Chinese New Year's Eve"}
    )
    """Name given to the day before the first day of a holiday, by the holiday's name."""
    about: dict[str, dict[str, str]] = field(default_factory=dict)
    """Standing and source of each number."""


@dataclass
class SurgeSettings:
    """One type of day that brings many alarms at once, such as a rainstorm."""

    __pydantic_config__ = _STRICT

    days_per_year: Annotated[float, Field(ge=0, le=120)]
    """Mean number of such days in a year."""
    alarms: Annotated[float, Field(ge=0, le=20_000)]
    """Mean number of alarms on top of the ordinary ones, on one such day of the reference year."""
    size_cv: Annotated[float, Field(ge=0, le=2)]
    """Standard deviation of the day's size over its mean (gamma distributed)."""
    hours: Annotated[float, Field(gt=0, le=24)]
    """Length of the window within the day in which all its alarms fall, h."""
    range_km: Annotated[float, Field(gt=0, le=1_000)]
    """Distance from its centre at which its weight has fallen to one half, km."""
    month_weight: Annotated[list[Annotated[float, Field(ge=0, le=100)]], Field(min_length=12, max_length=12)]
    """Relative frequency in the twelve months."""
    kind_share: dict[str, Annotated[float, Field(ge=0, le=1)]]
    """Share of its alarms by kind; they make one."""


@dataclass
class DemandSettings:
    """How much happens, where and when, on top of the city's tables."""

    __pydantic_config__ = _STRICT

    reference_year: Annotated[int, Field(ge=1990, le=2200)]
    """Year to which `alarms_per_year` belongs."""
    alarms_per_year: Annotated[float, Field(ge=0, le=10_000_000)]
    """Ordinary alarms in the reference year, citywide (surges come on top)."""
    growth_per_year: Annotated[float, Field(gt=-0.5, le=1)]
    """Growth from one calendar year to the next."""
    city_day_cv: Annotated[float, Field(ge=0, le=2)]
    """Standard deviation of the citywide factor of a day (mean one, gamma distributed)."""
    town_day_cv: Annotated[float, Field(ge=0, le=2)]
    """Standard deviation of a town's own factor of a day (mean one); 0 is none."""
    is_surge_on: bool
    """Whether surge days are laid on top."""
    is_report_exact: bool
    """Whether callers tell the true kind and grade."""
    town_factor: dict[str, Annotated[float, Field(ge=0, le=1_000)]] = field(default_factory=dict)
    """Factor on all rates of a town, by code; 1 where absent."""
    kind_factor: dict[str, Annotated[float, Field(ge=0, le=1_000)]] = field(default_factory=dict)
    """Factor on the citywide rate of a kind, by code; 1 where absent."""
    extra_alarms_per_year: dict[str, Annotated[float, Field(ge=0, le=10_000_000)]] = field(default_factory=dict)
    """Alarms of a kind in the reference year on top of its share, by code."""
    surges: dict[str, SurgeSettings] = field(default_factory=dict)
    """Types of surge day; where two fall on one day the first listed wins."""
    about: dict[str, dict[str, str]] = field(default_factory=dict)
    """Standing and source of each number."""


@dataclass
class TimesSettings:
    """How long things take, other than driving: medians and spreads, log-normal unless told otherwise."""

    __pydantic_config__ = _STRICT

    handling_before_s: Annotated[float, Field(ge=0, le=3_600)]
    """Median call handling before the visual command centre, s."""
    handling_after_s: Annotated[float, Field(ge=0, le=3_600)]
    """Median call handling with it, s."""
    handling_sigma: Annotated[float, Field(ge=0, le=2)]
    """Standard deviation of its logarithm."""
    turnout_day_s: Annotated[float, Field(ge=0, le=3_600)]
    """Median turnout by day, s."""
    turnout_night_s: Annotated[float, Field(ge=0, le=3_600)]
    """Median turnout by night, s."""
    turnout_sigma: Annotated[float, Field(ge=0, le=2)]
    """Standard deviation of its logarithm."""
    night_from_h: Annotated[int, Field(ge=0, le=23)]
    """First hour of the night."""
    night_to_h: Annotated[int, Field(ge=0, le=23)]
    """First hour of the day."""
    travel_common_sigma: Annotated[float, Field(ge=0, le=2)]
    """Spread of the travel factor that all units of an incident share (mean one)."""
    travel_own_sigma: Annotated[float, Field(ge=0, le=2)]
    """Spread of each unit's own travel factor (mean one)."""
    access_sigma: Annotated[float, Field(ge=0, le=2)]
    """Standard deviation of the logarithm of access."""
    scene_sigma: Annotated[float, Field(ge=0, le=2)]
    """Standard deviation of the logarithm of the time on scene."""
    latent_sigma: Annotated[float, Field(ge=0, le=2)]
    """Standard deviation of the logarithm of the latent time."""
    access_factor: Annotated[float, Field(ge=0, le=100)]
    """Factor on all access medians."""
    scene_factor: Annotated[float, Field(ge=0, le=100)]
    """Factor on all on-scene medians."""
    latent_factor: Annotated[float, Field(gt=0, le=1_000)]
    """Factor on all latent medians."""
    scene_delay_per_min: dict[str, Annotated[float, Field(ge=0, le=1)]]
    """Growth of the time on scene per minute from call to arrival, by family; 0 where absent."""
    scene_delay_cap_min: Annotated[float, Field(ge=0, le=240)]
    """Delay beyond which the time on scene grows no more, min."""
    make_ready_min: Annotated[float, Field(ge=0, le=600)]
    """Making ready at the station before the next alarm, min."""
    home_speed_factor: Annotated[float, Field(gt=0, le=2)]
    """Speed on the way home over speed on the way out."""
    access_min: dict[str, Annotated[float, Field(ge=0, le=1_440)]]
    """Median from the wheels' stop to work at the incident, by kind, min."""
    scene_min: dict[str, list[Annotated[float, Field(ge=0, le=5_000)]]]
    """Median on scene by kind and grade 1 to its highest, min."""
    latent_min: dict[str, list[Annotated[float, Field(ge=-1, le=5_000)]]]
    """Median from the call to outgrowing grade 1, 2, … unless met, by kind, min; -1 or an absent kind is never."""
    scene_distribution: Literal["lognormal", "exponential"] = "lognormal"
    """Law of the time on scene. exponential: by its median alone (mean = median / ln 2), with `scene_sigma` 0."""
    about: dict[str, dict[str, str]] = field(default_factory=dict)
    """Standing and source of each number."""
