"""What a travel world says about published figures: shares within five minutes, mean drive times, areas reached.

Published figures are rows of a table (`PUBLISHED`), so that this module knows no place. They come from other cities
with other stations: standing side by side is a sense of proportion, not a proof. Knows no chance and no queueing: each
cell is served by its nearest station.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems
from sim.tables import SOURCE, STANDING, Column, TableSpec, read_table
from sim.travel.settings import Period, TravelSettings
from sim.travel.source import TravelTables
from sim.units import MS_PER_MIN

if TYPE_CHECKING:
    from sim.city import City

FIVE_MINUTES_MS = 5 * MS_PER_MIN
NORM_DRIVE_MS = 4 * MS_PER_MIN
"""Driving time to the edge of a station's area in 建标152-2017: five minutes less one of turnout."""
NORM_DETOUR = 1.4
"""Middle of the detour factor lambda, 1.3-1.5, in 建标152-2017."""
FIGURES = ("station_area_km2", "five_minute_share", "mean_drive_dense_min", "mean_drive_other_min")
PUBLISHED = TableSpec(
    "published",
    1,
    (
        Column("figure", "str", "What is measured.", choices=FIGURES),
        Column("value", "float", "Published value.", minimum=0),
        Column("unit", "str", "Unit of the value."),
        Column("place", "str", "Where it was measured."),
        Column("doc_zh", "str", "Meaning in Chinese."),
        Column("doc_en", "str", "Meaning in English."),
        SOURCE,
        STANDING,
    ),
    key=("figure", "place"),
)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One published figure beside the model's own; `modelled` is NaN where the model has no such figure."""

    figure: str
    place: str
    unit: str
    published: float
    modelled: float
    doc_zh: str
    doc_en: str
    source: str


def hour_shares(tables: TravelTables) -> NDArray[np.float64]:
    """Return (n_periods,) shares of the 168 hours of a week without holidays that fall in each period."""
    n_periods = len(tables.duration_ms)
    workday, weekend = (np.bincount(row, minlength=n_periods) for row in tables.period_of_hour)
    return np.asarray((5.0 * workday + 2.0 * weekend) / 168.0)


def nearest_ms(
    tables: TravelTables, station_cells: Sequence[int] | NDArray[np.int32], period: int
) -> NDArray[np.int32]:
    """Return (n_cells,) int32 ms of driving to each cell from the nearest of the stations in a period."""
    nearest: NDArray[np.int32] = tables.duration_ms[period][np.asarray(station_cells)].min(axis=0)
    return nearest


def chance_within(expected_ms: NDArray[np.int32], within_ms: int, noise_sigma: float) -> NDArray[np.float64]:
    """Return (same shape) the chance that a trip of so long an expected time takes at most `within_ms`.

    A trip takes its expected time by a log-normal factor of mean one whose logarithm has the standard deviation
    `noise_sigma`: Phi((ln(t / T) + sigma^2 / 2) / sigma). Without noise it is one or nought.
    """
    if noise_sigma == 0.0:
        return (expected_ms <= within_ms).astype(np.float64)
    from scipy.special import ndtr

    over = np.log(within_ms / np.maximum(expected_ms, 1).astype(np.float64))
    chance: NDArray[np.float64] = ndtr(over / noise_sigma + noise_sigma / 2.0)
    return chance


def share_within(
    tables: TravelTables,
    station_cells: Sequence[int] | NDArray[np.int32],
    weights: NDArray[np.generic],
    within_ms: int,
    period_weights: NDArray[np.float64] | None = None,
    noise_sigma: float = 0.0,
) -> float:
    """Return the share of `weights` (n_cells,) that the nearest station reaches by driving at most `within_ms`.

    `period_weights` (n_periods,) mixes the periods; by default the hours of the week count alike. `noise_sigma` is that
    of `chance_within`.
    """
    mix = hour_shares(tables) if period_weights is None else period_weights
    whole = weights.astype(np.float64)
    chances = [chance_within(nearest_ms(tables, station_cells, p), within_ms, noise_sigma) for p in range(len(mix))]
    return float(np.dot([np.dot(whole, chance) for chance in chances], mix) / (whole.sum() * mix.sum()))


def five_minute_share(
    tables: TravelTables,
    station_cells: Sequence[int] | NDArray[np.int32],
    weights: NDArray[np.generic],
    noise_sigma: float = 0.0,
) -> float:
    """Return the share of `weights` (n_cells,) within five minutes of driving from a station, over the week."""
    return share_within(tables, station_cells, weights, FIVE_MINUTES_MS, noise_sigma=noise_sigma)


def mean_drive_min(
    tables: TravelTables, station_cells: Sequence[int] | NDArray[np.int32], weights: NDArray[np.generic]
) -> float:
    """Return the mean driving time in minutes from the nearest station, over the week; NaN without any weight."""
    whole = weights.astype(np.float64)
    if not whole.sum() > 0:
        return math.nan
    mix = hour_shares(tables)
    means = [np.average(nearest_ms(tables, station_cells, p), weights=whole) for p in range(len(mix))]
    return float(np.dot(means, mix)) / MS_PER_MIN


def reached_area_km2(
    tables: TravelTables, station_cells: Sequence[int] | NDArray[np.int32], area_m2: NDArray[np.int32]
) -> float:
    """Return the mean area in km2 of the cells that one station reaches in four minutes of driving by day."""
    rows = tables.duration_ms[Period.DAY][np.asarray(station_cells)] <= NORM_DRIVE_MS
    return float(np.mean(rows @ area_m2.astype(np.int64))) / 1e6


def station_area_km2(settings: TravelSettings) -> float:
    """Return the station area in km2 that speeds on local streets by day imply: A = 2 (S / lambda)^2, 建标152-2017.

    S is the distance driven from rest to rest in four minutes less `start_s`: v (T - v / a), or a T^2 / 4 if v is never
    reached.
    """
    drive_s = max(NORM_DRIVE_MS / 1000.0 - settings.of_roads("start_s"), 0.0)
    v, a = settings.of_roads("local_kmh") / 3.6, settings.of_roads("acceleration_ms2")
    dist_m = v * (drive_s - v / a) if drive_s > 2.0 * v / a else a * drive_s * drive_s / 4.0
    half_diagonal_km = dist_m / 1000.0 / NORM_DETOUR
    return 2.0 * half_diagonal_km * half_diagonal_km


def dense_and_other(city: City) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return residents (n_cells,) in and outside the built-up area; where a part has none, its area counts."""
    residents, area = city.cells.population.astype(np.float64), city.cells.area_m2.astype(np.float64)
    parts = []
    for is_part in (city.cells.is_built_up, ~city.cells.is_built_up):
        inside = np.where(is_part, residents, 0.0)
        parts.append(inside if inside.sum() > 0 else np.where(is_part, area, 0.0))
    return parts[0], parts[1]


def benchmarks(
    tables: TravelTables,
    city: City,
    station_cells: Sequence[int] | NDArray[np.int32],
    published: Path,
    settings: TravelSettings | None = None,
    noise_sigma: float = 0.0,
) -> tuple[Benchmark, ...]:
    """Return each figure of the table `published` beside what these durations and stations give in this city.

    Residents stand for incidents; "dense" is the built-up area. Without the `settings` of roads the implied station
    area is NaN. `noise_sigma`: spread of the logarithm of a trip over its expected time (`chance_within`).

    Raises
    ------
    InputError
        If the table is faulty.
    """
    problems = Problems()
    table = read_table(published, PUBLISHED, problems)
    problems.raise_if_any()
    dense, other = dense_and_other(city)
    modelled = {
        "station_area_km2": math.nan
        if settings is None or settings.matrix or settings.graph
        else station_area_km2(settings),
        "five_minute_share": five_minute_share(tables, station_cells, city.cells.population, noise_sigma),
        "mean_drive_dense_min": mean_drive_min(tables, station_cells, dense),
        "mean_drive_other_min": mean_drive_min(tables, station_cells, other),
    }
    columns = ("figure", "place", "unit", "value", "doc_zh", "doc_en", "source")
    rows = zip(*(table[name] for name in columns), strict=True)
    return tuple(
        Benchmark(figure, place, unit, float(value), modelled[figure], doc_zh, doc_en, source)
        for figure, place, unit, value, doc_zh, doc_en, source in rows
    )
