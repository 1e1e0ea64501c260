"""Where the fitted numbers of the travel worlds come from: one closed form and one least-squares search.

`cruise_kmh` turns a published station area into a speed; `fit_world` finds the numbers with which a city's stations
show published mean drive times and a published share within five minutes. Tests hold the committed worlds to both.
`python -m calibration.travel_worlds CITY_FOLDER WORLD.yaml PLACE` fits a world to the figures of a place in the table
`published.csv` beside it, and prints what it found; it changes no file.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.errors import DgsimError, InputError, Problem, Problems, nearest_name
from sim.tables import read_table
from sim.travel.benchmarks import (
    FIVE_MINUTES_MS,
    NORM_DETOUR,
    NORM_DRIVE_MS,
    PUBLISHED,
    chance_within,
    dense_and_other,
)
from sim.travel.settings import Period, TravelSettings
from sim.units import MS_PER_MIN

if TYPE_CHECKING:
    from sim.city import City
    from sim.travel.roads import Roads

FREE = ("local_kmh", "start_s")
"""Numbers that `fit_world` moves, one less than there are figures. Arterials keep their proportion to local streets."""
BOUNDS = ((6.0, 0.0), (60.0, 600.0))
STEPS = (0.1, 1.0)
"""To what the found numbers are rounded."""


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
    """Mean minutes of driving in and outside the built-up area, and the share of residents within five.

    The names are those of the figures in `published.csv`.
    """

    mean_drive_dense_min: float
    mean_drive_other_min: float
    five_minute_share: float


def published_times(path: Path, place: str) -> DriveTimes:
    """Return the three figures of a place in a table of published ones.

    Raises
    ------
    InputError
        If the table is faulty or the place lacks one of them.
    """
    problems = Problems()
    table = read_table(path, PUBLISHED, problems)
    problems.raise_if_any()
    known = {(f, p): float(v) for f, p, v in zip(table["figure"], table["place"], table["value"], strict=True)}
    for name in [field.name for field in fields(DriveTimes) if (field.name, place) not in known]:
        mend = nearest_name(place, [at for figure, at in known if figure == name])
        problems.add(path.name, f"has no {name} of this place", value=place, mend=mend)
    problems.raise_if_any()
    return DriveTimes(*(known[field.name, place] for field in fields(DriveTimes)))


def drive_times(
    city: City,
    roads: Roads,
    settings: TravelSettings,
    siting_worlds: Sequence[NDArray[np.int32]],
    noise_sigma: float = 0.0,
) -> DriveTimes:
    """Return the drive times of a travel world, averaged over siting worlds (each: its stations' cells).

    `noise_sigma` is that of `benchmarks.chance_within`; means do not depend on it.
    """
    from sim.travel.durations import nearest_from
    from sim.travel.graph import build_graph

    graph = build_graph(city, roads, settings)
    dense, other = dense_and_other(city)
    residents = city.cells.population.astype(np.float64)
    workday, weekend = (np.bincount(row, minlength=len(Period)) for row in settings.period_of_hour())
    total = np.zeros(3)
    for period in Period:
        share_of_week = float(5 * workday[period] + 2 * weekend[period]) / 168.0
        for cells in siting_worlds:
            nearest = nearest_from(graph, settings, period, cells.astype(np.int64))
            figures = (
                np.average(nearest, weights=dense) / MS_PER_MIN,
                np.average(nearest, weights=other) / MS_PER_MIN,
                np.average(chance_within(nearest, FIVE_MINUTES_MS, noise_sigma), weights=residents),
            )
            total += share_of_week / len(siting_worlds) * np.array(figures)
    return DriveTimes(*total.tolist())


def with_numbers(settings: TravelSettings, values: Sequence[float]) -> TravelSettings:
    """Return the settings with other values of `FREE`, arterials in proportion to local streets, all else as it is."""
    local_kmh, start_s = values
    arterial_kmh = settings.of_roads("arterial_kmh") * local_kmh / settings.of_roads("local_kmh")
    return replace(settings, local_kmh=local_kmh, arterial_kmh=arterial_kmh, start_s=start_s)


def misfits(found: DriveTimes, published: DriveTimes) -> NDArray[np.float64]:
    """Return (3,) logarithms of found over published figures: twice and half are equally wrong."""
    pairs = zip(astuple(found), astuple(published), strict=True)
    return np.array([math.log(max(have, 1e-9) / want) for have, want in pairs])


def fit_world(
    city: City,
    roads: Roads,
    settings: TravelSettings,
    siting_worlds: Sequence[NDArray[np.int32]],
    published: DriveTimes,
    noise_sigma: float,
) -> TravelSettings:
    """Return the settings with the numbers of `FREE`, rounded to `STEPS`, of least squared `misfits`.

    The search begins at the settings. It needs noise: without it the share moves in steps of whole cells.
    """
    from scipy.optimize import least_squares

    def residuals(values: NDArray[np.float64]) -> NDArray[np.float64]:
        tried = with_numbers(settings, values.tolist())
        return misfits(drive_times(city, roads, tried, siting_worlds, noise_sigma), published)

    low, high = (np.array(bound) for bound in BOUNDS)
    begin = np.clip([settings.of_roads(name) for name in FREE], low + 1e-3, high - 1e-3)
    scale, steps = np.array([1.0, 10.0]), np.full(len(FREE), 1e-2)
    found = least_squares(residuals, begin, bounds=(low, high), x_scale=scale, diff_step=steps, xtol=1e-5)
    return with_numbers(settings, [round(float(x) / step) * step for x, step in zip(found.x, STEPS, strict=True)])


def standing_stations(folder: Path, city: City) -> list[NDArray[np.int32]]:
    """Return the cells of the stations that stand today, in each stored siting world of a city folder."""
    from sim.siting import load_siting, siting_worlds

    sitings = [load_siting(folder, world.world, city) for world in siting_worlds(folder)]
    return [siting.cells[siting.is_existing] for siting in sitings]


def main(argv: Sequence[str]) -> int:
    """Fit a world and print its free numbers and the three figures, found beside published."""
    from sim.city import load_city
    from sim.compose import compose
    from sim.travel.roads import load_roads
    from sim.travel.settings import load_travel_world

    if len(argv) != 3:
        sys.stderr.write("usage: python -m calibration.travel_worlds CITY_FOLDER WORLD.yaml PLACE\n")
        return 2
    folder, world, place = Path(argv[0]), Path(argv[1]), argv[2]
    try:
        city, settings = load_city(folder), load_travel_world(world).settings
        if settings.matrix:
            raise InputError([Problem(world.name, "has a matrix and no roads", mend="name a world that has roads")])
        published = published_times(world.parent / "published.csv", place)
        times = compose().settings.times
        noise_sigma = math.hypot(times.travel_common_sigma, times.travel_own_sigma)
        roads, stations = load_roads(folder, city), standing_stations(folder, city)
        fitted = fit_world(city, roads, settings, stations, published, noise_sigma)
        found = drive_times(city, roads, fitted, stations, noise_sigma)
    except DgsimError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    for name in (*FREE, "arterial_kmh"):
        sys.stdout.write(f"{name}: {fitted.of_roads(name):g} (was {settings.of_roads(name):g})\n")
    for field, have, want in zip(fields(DriveTimes), astuple(found), astuple(published), strict=True):
        sys.stdout.write(f"{field.name}: {have:.4g} (published {want:g})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
