"""Water supply: which incidents have no street hydrant within reach of a hose, town by town and year by year.

Within a town's built-up land hydrants are taken as scattered at random (a Poisson process), so that a place has none
within r with probability exp(-density pi r^2). Whether an incident has one is its own rank against that probability:
more hydrants take the delay from some incidents and give it to none. Off the built-up land there are no hydrants.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from sim.chance import Stream, ranks_of
from sim.units import MS_PER_DAY, ms_from_min

if TYPE_CHECKING:
    from sim.city.types import City
    from sim.demand.calendar import Calendar
    from sim.demand.types import Demand, Kinds
    from sim.plan import Plan

_PI = Decimal("3.14159265358979323846")
_ALL_RANKS = 2**32


@dataclass
class WaterSupplySettings:
    """Whether large fires far from a hydrant wait for water, and which hydrants there are."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    name: str
    """ASCII name of the supply."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    is_limited: bool = False
    """Whether water has to be brought where no hydrant is near; if not, it is at hand everywhere."""
    hydrants_now: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    """Hydrants of the whole city before the plan, spread over the towns by built-up area."""
    is_plan_built: bool = False
    """Whether the plan's new hydrants come, town by town, in equal parts on 1 July of each year of its programme."""
    reach_m: Annotated[float, Field(gt=0, le=5_000, allow_inf_nan=False)] = 150.0
    """Furthest hydrant from which water comes without delay, m."""
    delay_min: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 0.0
    """Time from the address until water is brought where no hydrant is within reach, min."""
    from_grade: Annotated[int, Field(ge=1, le=5)] = 2
    """Grade of a fire from which the water on the vehicles is not enough."""


def supply_grades(kinds: Kinds, settings: WaterSupplySettings) -> NDArray[np.int8]:
    """Return the grade from which each kind needs a water supply: (n_kinds,) int8, 0 for what is no fire."""
    is_fire = np.array([family == "fire" for family in kinds.family])
    return np.where(is_fire & settings.is_limited, settings.from_grade, 0).astype(np.int8)


def water_delays(
    city: City, plan: Plan, calendar: Calendar, demand: Demand, settings: WaterSupplySettings, chance: tuple[int, int]
) -> NDArray[np.int32]:
    """Return how long water takes to be brought to each incident: (n_incidents,) int32 ms, 0 where a hydrant is near.

    `chance`: the run's seed and the number of its replication.
    """
    rows = demand.incidents
    if not settings.is_limited:
        return np.zeros(len(rows), dtype=np.int32)
    ranks = ranks_of(*chance, int(Stream.WATER_SUPPLY), rows["identity"])[:, 0]
    step = np.searchsorted(_step_days(plan, settings), _day_numbers(calendar, rows["call_ms"]), side="right")
    is_far = ranks < _far_thresholds(city, plan, settings)[step, rows["town"]]
    is_far |= ~np.asarray(city.cells.is_built_up)[rows["cell"]]
    return np.where(is_far, ms_from_min(settings.delay_min), 0).astype(np.int32)


def _step_days(plan: Plan, settings: WaterSupplySettings) -> NDArray[np.int64]:
    """Return the day numbers (proleptic, as `date.toordinal`) on which a part of the plan's hydrants is there."""
    days = [date(int(year), 7, 1).toordinal() for year in plan.years] if settings.is_plan_built else []
    return np.array(days, dtype=np.int64)


def _day_numbers(calendar: Calendar, call_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    days: NDArray[np.int64] = calendar.start.toordinal() + call_ms // MS_PER_DAY
    return days


def _far_thresholds(city: City, plan: Plan, settings: WaterSupplySettings) -> NDArray[np.uint64]:
    """Return the ranks below which no hydrant is near: (n_steps + 1, n_towns) uint64, a step per part of the plan."""
    n_steps = len(_step_days(plan, settings))
    out = np.empty((n_steps + 1, city.towns.n_towns), dtype=np.uint64)
    for town, code in enumerate(city.towns.code):
        for step in range(n_steps + 1):
            out[step, town] = none_within(density_per_km2(plan, code, step, settings), settings.reach_m)
    return out


def new_hydrants(plan: Plan, settings: WaterSupplySettings) -> tuple[tuple[date, float], ...]:
    """Return (day, number) of the plan's new hydrants as they come; none where the settings do not build them."""
    if not (settings.is_limited and settings.is_plan_built):
        return ()
    total = sum(int(new) for new in np.asarray(plan.new_hydrants).tolist() if new > 0)
    return tuple((date.fromordinal(day), total / len(plan.years)) for day in _step_days(plan, settings).tolist())


def none_within(density: Decimal, radius_m: float) -> int:
    """Return the ranks, of 2**32, that stand for nothing within a radius of a place: exp(-density pi r^2) of them.

    `density` is per km2, of what is scattered at random. In decimals, whose exponential is the same on every machine.
    """
    circle_km2 = _PI * (Decimal(str(radius_m)) / 1000) ** 2
    return int((-density * circle_km2).exp() * _ALL_RANKS)


def density_per_km2(plan: Plan, town: str, n_parts: int, settings: WaterSupplySettings) -> Decimal:
    """Return the hydrants per km2 of a town's built-up land after `n_parts` of the plan's yearly parts."""
    built_up = [Decimal(str(value)) for value in np.asarray(plan.built_up_km2).tolist()]
    density = Decimal(settings.hydrants_now) / sum(built_up, Decimal(0))
    if town in plan.code and n_parts:
        row = list(plan.code).index(town)
        new = float(plan.new_hydrants[row])
        if built_up[row] and new > 0:
            density += Decimal(int(new)) * n_parts / len(plan.years) / built_up[row]
    return density
