"""When a village's or unit's own people come: micro-stations and part-time brigades, a milestone of their own.

Micro-stations are spread over the towns by residents and scattered at random over a town's built-up land; the nearest
one is at a distance r with probability exp(-density pi r^2) of none within r. Its people start after they are told, go
at their pace, and come no further than their reach. They stop no clock of the city's stations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from sim.chance import Stream, ranks_of
from sim.errors import Problems, nearest_name
from sim.scenes.hydrants import none_within
from sim.units import drive_ms, ms_from_min

if TYPE_CHECKING:
    from sim.city.types import City
    from sim.demand.types import Demand, Kinds

NEVER_MS = -1
STEP_M = 10
"""Distances are told apart in steps of so many metres; a person is taken to come from the further end of the step."""


@dataclass
class MicroStationSettings:
    """Whether a village's or unit's own people come, and how soon."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    name: str
    """ASCII name of the choice."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    families: list[str] = field(default_factory=list)
    """Families of kinds to which they go; empty: to none."""
    stations: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Micro-stations in the whole city, spread over the towns by residents."""
    able_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0
    """Share of calls on which the nearest one turns out at all."""
    start_min: Annotated[float, Field(ge=0, le=120, allow_inf_nan=False)] = 1.0
    """From the call until its people set off, min."""
    pace_kmh: Annotated[float, Field(gt=0, le=120, allow_inf_nan=False)] = 10.0
    """Pace in a straight line, detours in it, km/h."""
    reach_m: Annotated[int, Field(ge=0, le=20_000)] = 0
    """Furthest they go, m."""


def village_instants(
    city: City, kinds: Kinds, demand: Demand, settings: MicroStationSettings, chance: tuple[int, int]
) -> NDArray[np.int64]:
    """Return when the nearest micro-station's people are there: (n_incidents,) int64 ms after the call, -1 never.

    `chance`: the run's seed and the number of its replication.

    Raises
    ------
    InputError
        If no kind is of a family that the settings name.
    """
    rows = demand.incidents
    out = np.full(len(rows), NEVER_MS, dtype=np.int64)
    is_theirs = check_families(kinds, settings)[rows["kind"]]
    is_theirs &= np.asarray(city.cells.is_built_up)[rows["cell"]]
    chosen = np.flatnonzero(is_theirs)
    if not len(chosen):
        return out
    ranks = ranks_of(*chance, int(Stream.MICRO_STATION), rows["identity"][chosen])
    is_able = ranks[:, 1] < np.uint64(int(settings.able_share * 2**32))
    step = _nearest_step(city, settings, rows["town"][chosen], ranks[:, 0])
    n_steps = settings.reach_m // STEP_M
    way_ms = np.array([drive_ms(STEP_M * place, settings.pace_kmh) for place in range(n_steps + 2)], dtype=np.int64)
    comes = is_able & (step <= n_steps)
    out[chosen] = np.where(comes, ms_from_min(settings.start_min) + way_ms[step], NEVER_MS)
    return out


def check_families(kinds: Kinds, settings: MicroStationSettings) -> NDArray[np.bool_]:
    """Return which kinds are of the settings' families, (n_kinds,), after raising an error for every unknown family."""
    problems = Problems()
    for family in settings.families:
        if family not in kinds.family:
            rule, mend = "(micro_stations.families) is no family of kinds.csv", nearest_name(family, kinds.family)
            problems.add("settings", rule, value=family, mend=mend)
    problems.raise_if_any()
    return np.array([family in settings.families for family in kinds.family])


def _nearest_step(
    city: City, settings: MicroStationSettings, town: NDArray[np.int16], ranks: NDArray[np.uint32]
) -> NDArray[np.int64]:
    """Return in which step of distance, from 1, the nearest micro-station lies; one more than the reach has: beyond."""
    n_steps = settings.reach_m // STEP_M
    out = np.full(len(town), n_steps + 1, dtype=np.int64)
    for one in np.unique(town).tolist():
        density = density_per_km2(city, one, settings)
        none = np.array([none_within(density, STEP_M * place) for place in range(n_steps, 0, -1)], dtype=np.uint64)
        at = town == one
        # the rank is the chance that the nearest one is further off: the smaller, the further
        out[at] = n_steps + 1 - np.searchsorted(none, ranks[at].astype(np.uint64), side="right")
    return out


def density_per_km2(city: City, town: int, settings: MicroStationSettings) -> Decimal:
    """Return the micro-stations per km2 of a town's built-up land, as its cells have it."""
    cells, towns = city.cells, city.towns
    area_m2 = int(np.asarray(cells.area_m2)[(np.asarray(cells.town) == town) & np.asarray(cells.is_built_up)].sum())
    residents = int(np.asarray(towns.population).sum())
    if not area_m2 or not residents:
        return Decimal(0)
    return Decimal(settings.stations) * int(towns.population[town]) / residents / (Decimal(area_m2) / 1_000_000)
