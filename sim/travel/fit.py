"""Where the fitted speeds of the travel worlds come from: one closed form and one least-squares search.

`cruise_kmh` turns a published station area into a speed; `fit_local_kmh` finds the speed at which a city's stations
show published mean drive times. Tests hold the committed worlds against both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.travel.benchmarks import (
    FIVE_MINUTES_MS,
    NORM_DETOUR,
    NORM_DRIVE_MS,
    dense_and_other,
)
from sim.travel.settings import Period, TravelSettings
from sim.units import MS_PER_MIN

if TYPE_CHECKING:
    from sim.city import City
    from sim.travel.roads import Roads


def cruise_kmh(
    area_km2: float, acceleration_ms2: float, detour: float = NORM_DETOUR, drive_ms: int = NORM_DRIVE_MS
) -> float:
    """Return the cruise speed in km/h at which a station reaches the edge of its area in time.

    The area fixes the distance, S = lambda sqrt(A / 2) (建标152-2017: A = 2 (S / lambda)^2); from rest to rest it takes
    T = v / a + S / v, so v = a (T - sqrt(T^2 - 4 S / a)) / 2.

    Raises
    ------
    ValueError
        If no speed is enough, because the acceleration is too low.
    """
    dist_m = 1000.0 * detour * math.sqrt(area_km2 / 2.0)
    drive_s = drive_ms / 1000.0
    left = drive_s * drive_s - 4.0 * dist_m / acceleration_ms2
    if left < 0:
        raise ValueError(f"{dist_m:.0f} m take more than {drive_s:.0f} s at {acceleration_ms2} m/s2 whatever the speed")
    return acceleration_ms2 * (drive_s - math.sqrt(left)) / 2.0 * 3.6


@dataclass(frozen=True, slots=True)
class DriveTimes:
    """Mean minutes of driving in and outside the built-up area, and the share of residents within five."""

    dense_min: float
    other_min: float
    five_minute_share: float


def drive_times(
    city: City, roads: Roads, settings: TravelSettings, siting_worlds: Sequence[NDArray[np.int32]]
) -> DriveTimes:
    """Return the drive times of a travel world, averaged over siting worlds (each: its stations' cells)."""
    from sim.travel.durations import durations_from
    from sim.travel.graph import build_graph

    graph = build_graph(city, roads, settings)
    sources = np.unique(np.concatenate([np.asarray(cells, dtype=np.int64) for cells in siting_worlds]))
    rows = [np.searchsorted(sources, cells) for cells in siting_worlds]
    dense, other = dense_and_other(city)
    residents = city.cells.population.astype(np.float64)
    workday, weekend = (np.bincount(row, minlength=len(Period)) for row in settings.period_of_hour())
    total = np.zeros(3)
    for period in Period:
        share_of_week = float(5 * workday[period] + 2 * weekend[period]) / 168.0
        durations = durations_from(graph, settings, period, sources)
        for chosen in rows:
            nearest = durations[chosen].min(axis=0)
            figures = (
                np.average(nearest, weights=dense) / MS_PER_MIN,
                np.average(nearest, weights=other) / MS_PER_MIN,
                np.average(nearest <= FIVE_MINUTES_MS, weights=residents),
            )
            total += share_of_week / len(rows) * np.array(figures)
    return DriveTimes(*total.tolist())


def with_local_kmh(settings: TravelSettings, local_kmh: float) -> TravelSettings:
    """Return the settings with another speed on local streets, arterials in proportion, expressways as they are."""
    arterial_kmh = settings.of_roads("arterial_kmh") * local_kmh / settings.of_roads("local_kmh")
    return replace(settings, local_kmh=local_kmh, arterial_kmh=arterial_kmh)


def misfit(found: DriveTimes, published: DriveTimes) -> float:
    """Return the sum of squared logarithms of found over published figures: twice and half are equally wrong."""
    pairs = zip(astuple(found), astuple(published), strict=True)
    return sum(math.log(max(have, 1e-9) / want) ** 2 for have, want in pairs)


def fit_local_kmh(
    city: City,
    roads: Roads,
    settings: TravelSettings,
    siting_worlds: Sequence[NDArray[np.int32]],
    published: DriveTimes,
    speeds_kmh: tuple[float, float] = (6.0, 40.0),
) -> float:
    """Return the local speed in km/h, to 0.1, with the least `misfit` to published drive times.

    Arterials keep their proportion to local streets, all else stays as in `settings`. Shares of whole cells move in
    steps, so the search is a grid: every 2 km/h between the bounds, then every 0.1 around the best.
    """

    def best(candidates: NDArray[np.float64]) -> float:
        losses = [
            misfit(drive_times(city, roads, with_local_kmh(settings, float(kmh)), siting_worlds), published)
            for kmh in candidates
        ]
        return float(candidates[int(np.argmin(losses))])

    low, high = speeds_kmh
    coarse = best(np.arange(low, high + 1.0, 2.0))
    return best(np.arange(round((coarse - 1.5) * 10), round((coarse + 1.5) * 10) + 1) / 10.0)
