"""Cases of distance: how far the nearest of n stations is, and that it falls with the square root of their density.

In a square city without borders, stations and calls anywhere in it, the mean distance to the nearest of n stations on
an area A is c sqrt(A / n): c = 1/2 straight, sqrt(pi / 8) = 0.627 along streets at right angles (Larson & Odoni 1981,
chapter 3; Kolesar & Blum 1973 call it the square root law and let n be the stations that are free). A city of cells has
edges and cells, so the engines are held against what the same grid, n stations drawn over its cells, makes of that
mean: every pair of cells counted, nothing sampled. The constants are its limit: the same count on a grid that closes on
itself, with ever more and smaller cells (`nearest_constants`).

The stations of a layout are open for ten days, then those of the next: one run has all layouts, of several numbers of
stations. Three units stand in each, so that the nearest is never out; every single drive is held against geometry.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from sim.chance import Stream, ranks_of
from sim.engine.log import LogKind
from sim.verification.checks import AT_MOST, NO_ENGINE, Case, Check, Size, Told
from sim.verification.estimates import Estimate, mean_of
from sim.verification.played import Played, play, prepared
from sim.verification.sizes import by_errors, exactly
from sim.verification.small_city import CallClass, SmallCity
from sim.verification.streets import street_grid

N_SIDE, SIDE_M = 20, 100
WIDEST = {4: 0.022, 16: 0.014, 64: 0.006}
"""Stations of a layout, as many layouts of each; and the widest standard error of the mean drive, a share of it."""
N_STATIONS = tuple(WIDEST)
N_LAYOUTS: dict[Size, int] = {"short": 12, "full": 60}
N_DAYS = 10
CALLS_PER_H = 2.0
KMH = 36.0
START_S = 1.0
"""What a drive of ten metres or more loses in starting and stopping at 10 m/s2, the settings' highest."""
MEAN_IN_SQUARE = (2.0 + math.sqrt(2.0) + 5.0 * math.asinh(1.0)) / 15.0
"""Mean distance of two points of a unit square."""
SOURCE = "Larson & Odoni 1981, (3.104) and (3.105); Kolesar & Blum 1973, Management Science 19(12), 1368-1378"
STRAIGHT, STREETS = 0.5, math.sqrt(math.pi / 8.0)
WAYS = (
    "travel.detour=1.0", f"travel.local_kmh={KMH}", "travel.night_factor=1.0", "travel.peak_factor=1.0",
    "travel.acceleration_ms2=10.0",
)  # fmt: skip
Metric = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


def straight_m(east: NDArray[np.float64], north: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Euclidean lengths."""
    return np.hypot(east, north)


def streets_m(east: NDArray[np.float64], north: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return lengths along streets at right angles."""
    return np.abs(east) + np.abs(north)


def between_cells_m(metric: Metric, side_m: int = SIDE_M) -> NDArray[np.float64]:
    """Return (n_cells, n_cells) mean distance of addresses in the cells of the grid, as `docs/travel.md` defines it.

    The distance d of the middles of two cells of side s, plus s^2 / (12 d); in one cell the mean in a square.
    """
    north, east = (axis * float(side_m) for axis in np.divmod(np.arange(N_SIDE**2), N_SIDE))
    apart = metric(np.subtract.outer(east, east), np.subtract.outer(north, north))
    here = np.eye(len(apart), dtype=bool)
    spread = apart + side_m**2 / (12.0 * np.where(here, 1.0, apart))
    return np.where(here, MEAN_IN_SQUARE * side_m, spread)


def expected_nearest(distance: NDArray[np.float64], n_stations: int) -> float:
    """Return the mean distance to the nearest of `n_stations` drawn over places alike, of calls spread alike.

    `distance`: (n_calls, n_places). The nearest of n is farther than r if all n are: (1 - F(r))^n, F being the share of
    places within r. Summed over the ordered distances of each call.
    """
    ordered = np.sort(distance, axis=1)
    n_places = distance.shape[1]
    farther = (np.arange(n_places, 0, -1) / n_places) ** n_stations  # that none is among the places before this one
    steps = np.diff(ordered, axis=1, prepend=0.0)
    return float((steps @ farther).mean())


@dataclass(frozen=True, slots=True)
class Layouts:
    """All layouts of a run, one after the other: `n_stations` of each, (n_layouts,), and the cells of all of them."""

    n_stations: tuple[int, ...]
    cells: tuple[NDArray[np.int64], ...]


def drawn_layouts(n_of_each: int) -> Layouts:
    """Return `n_of_each` layouts of every number of stations, each station in any cell alike."""
    n_stations = N_STATIONS * n_of_each
    cells = tuple(
        (ranks_of(0, number, Stream.TEST, np.arange(n, dtype=np.uint64))[:, 0].astype(np.int64) * N_SIDE**2) >> 32
        for number, n in enumerate(n_stations)
    )
    return Layouts(n_stations, cells)


def grid_city(layouts: Layouts) -> SmallCity:
    """Return the square city in which one layout after the other is open."""
    days = [(number * N_DAYS, (number + 1) * N_DAYS) for number in range(len(layouts.cells))]
    return SmallCity(
        classes=(CallClass(CALLS_PER_H, 1.0),),
        units=(3,) * sum(layouts.n_stations),
        station_cell=tuple(int(cell) for cells in layouts.cells for cell in cells),
        drive_s=None,
        residents=(1,) * N_SIDE**2,
        law="constant",
        n_days=N_DAYS * len(days) - 1,
        n_warm_up=1,
        places_m=tuple((SIDE_M * (i % N_SIDE), SIDE_M * (i // N_SIDE)) for i in range(N_SIDE**2)),
        side_m=SIDE_M,
        open_days=tuple(pair for pair, cells in zip(days, layouts.cells, strict=True) for _ in cells),
    )


@dataclass(frozen=True, slots=True)
class Driven:
    """(n_calls,) of a run: the layout that was open, the cell, and how far the unit drove that came, m."""

    layout: NDArray[np.int64]
    cell: NDArray[np.int64]
    metres: NDArray[np.float64]


def drives(played: Played) -> Driven:
    """Return the drives of the measured window, with the layout that was open at their dispatch."""
    rows, incidents = played.log.rows, played.inputs.demand.incidents
    sent, there = (rows[rows["kind"] == kind] for kind in (LogKind.DISPATCH, LogKind.ARRIVE))
    sent, there = (part[np.argsort(part["incident"], kind="stable")] for part in (sent, there))
    seconds = (there["time_ms"] - sent["time_ms"]) / 1_000.0
    begin, end = played.window_ms
    layout = sent["time_ms"] // (N_DAYS * 24 * 3_600_000)
    is_measured = (sent["time_ms"] >= begin) & (sent["time_ms"] < end)
    metres = (seconds - START_S) * KMH / 3.6
    cell = incidents["cell"][sent["incident"]].astype(np.int64)
    return Driven(layout[is_measured], cell[is_measured], metres[is_measured])


def streets_world(path: Path) -> tuple[str, ...]:
    """Return the overrides for the road graph in `path`."""
    return ("travel=network", f"travel.graph='{path.as_posix()}'", f"travel.graph_kmh={{street: {KMH}}}")


def against_grid(metric: Metric, constant: float, engine: str, size: Size) -> list[Check]:
    """Return the checks of the drives to the nearest station in a square city, straight or along streets."""
    layouts = drawn_layouts(N_LAYOUTS[size])
    with TemporaryDirectory(prefix="dgsim-verification-") as place:
        world: tuple[str, ...] = ("travel=distance",)
        if metric is streets_m:
            path = Path(place) / "streets.graphml"
            street_grid(path, N_SIDE, SIDE_M)
            world = streets_world(path)
        with prepared(metric.__name__, grid_city(layouts), *world, *WAYS) as ready:
            driven = drives(play(ready.inputs(0), engine))
    return compared(layouts, between_cells_m(metric), driven, constant, engine)


def compared(
    layouts: Layouts, distance: NDArray[np.float64], driven: Driven, constant: float, engine: str
) -> list[Check]:
    """Return the checks of what was driven against the grid's `distance`, (n_cells, n_cells) m."""
    of_layout = nearest_of_layouts(layouts, distance)
    nearest = of_layout[driven.layout, driven.cell]
    n_off = int((np.abs(driven.metres - nearest) > MOST_ROUNDING_M).sum())
    exact = Told("drives that are not the nearest station's", "行车距离不等于最近站距离的出动数")
    checks = [exactly("not_nearest", exact, "every drive by geometry", "", 0.0, float(n_off), engine, len(nearest))]
    found, expected = [], []
    for n_stations in N_STATIONS:
        root_m = math.sqrt(area_m2() / n_stations)
        estimate = _constant_of(layouts, driven, n_stations, root_m)
        found.append(estimate)
        expected.append(expected_nearest(distance, n_stations) / root_m)
        told = Told(
            f"mean drive over root of area per station, {n_stations} stations",
            f"平均行车距离与每站面积平方根之比，{n_stations} 站",
        )
        name = f"constant_{n_stations}"
        checks.append(by_errors(name, told, SOURCE, "", expected[-1], estimate, engine, WIDEST[n_stations]))
    return [*checks, _slope(expected, found, constant, engine)]


MOST_ROUNDING_M = 0.02
"""Two centimetres: whole milliseconds of driving and rounding of roads."""


def area_m2() -> float:
    """Return the area of all cells."""
    return float((N_SIDE * SIDE_M) ** 2)


def nearest_of_layouts(layouts: Layouts, distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n_layouts, n_cells) distance to the nearest station of each layout, m."""
    return np.array([distance[:, cells].min(axis=1) for cells in layouts.cells])


def _constant_of(layouts: Layouts, driven: Driven, n_stations: int, root_m: float) -> Estimate:
    """Return the mean drive over `root_m`, from the means of the layouts of that many stations."""
    means = [
        float(driven.metres[driven.layout == number].mean()) / root_m
        for number, n in enumerate(layouts.n_stations)
        if n == n_stations
    ]
    return mean_of(means)


def _slope(expected: Sequence[float], found: Sequence[Estimate], constant: float, engine: str) -> Check:
    """Return the check of the slope of the mean drive over the root of area per station, through the origin.

    Least squares weighted by 1 / root^2, as errors grow with the root: the mean of the constants.
    """
    n = len(expected)
    error = math.sqrt(sum(it.standard_error**2 for it in found)) / n
    slope = Estimate(sum(it.value for it in found) / n, error, min(it.n for it in found))
    told = Told(
        f"slope of the mean drive over the root of area per station (without edges {constant:.3f})",
        f"平均行车距离对每站面积平方根的斜率（无边界时为 {constant:.3f}）",
    )
    return by_errors("slope", told, SOURCE, "", sum(expected) / n, slope, engine, 0.009)


def constants(engine: str, size: Size) -> list[Check]:
    """Return how far the grid's own count is from the two constants where the grid closes on itself."""
    del engine, size
    checks = []
    for name, metric, constant in (("straight", straight_m, STRAIGHT), ("streets", streets_m, STREETS)):
        found = closed_grid_constant(metric, 2_000, 1_600)
        told = Told(
            f"count on a closed grid of 2,000 x 2,000 cells and 1,600 stations, relative distance from {constant:.4f}",
            f"2000×2000 环面网格、1600 站的计数值与 {constant:.4f} 的相对偏差",
        )
        off = abs(found / constant - 1.0)
        checks.append(Check(name, told, SOURCE, name, "", LIMIT_SHARE, off, 0.0, NO_ENGINE, 0, AT_MOST))
    return checks


LIMIT_SHARE = 0.001


def closed_grid_constant(metric: Metric, n_side: int, n_stations: int) -> float:
    """Return the mean distance to the nearest of stations on a closed grid, over the root of area per station."""
    step = np.arange(n_side, dtype=np.float64)
    around = np.minimum(step, n_side - step)
    apart = metric(around[:, None], around[None, :]).reshape(1, -1)
    return expected_nearest(apart, n_stations) / math.sqrt(n_side**2 / n_stations)


CASES = (
    Case(
        "nearest_straight",
        Told("Nearest of random stations, straight lines", "随机布站的最近距离（直线）"),
        SOURCE, partial(against_grid, straight_m, STRAIGHT),
    ),
    Case(
        "nearest_streets",
        Told("Nearest of random stations, streets at right angles", "随机布站的最近距离（方格路网）"),
        SOURCE, partial(against_grid, streets_m, STREETS),
    ),
    Case(
        "nearest_constants",
        Told("Constants of the square root law", "平方根律的常数"),
        SOURCE, constants, uses_engine=False,
    ),
)  # fmt: skip
"""The cases of distance."""
