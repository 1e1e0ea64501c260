"""The square root law where units are busy: how far the nearest free unit is, by the number that are free.

Kolesar & Blum (1973) put c sqrt(A / n) with n the units that are free, N less the busy ones. Which of them are free is
no uniform draw - sending the nearest leaves holes (Larson & Odoni 1981, 5.8) - so the law is approximate. The exact
mean by number free comes from the hypercube: over the sets of busy units of that size, by their probabilities. The
engines are held against that, and `law` says how far the law itself is off for these layouts. Cities are like those of
`spatial_cities.py`: lossy, a square of cells with the same calls each, stations drawn over them, the drive nothing
beside the time on scene.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.chance import Stream, ranks_of
from sim.engine.log import LogKind
from sim.verification.checks import AT_MOST, KERNEL, SIMPY, Case, Check, Size, Told
from sim.verification.estimates import Estimate, mean_of, ratio_of
from sim.verification.hypercube import Hypercube, Steady, sent_to, solve
from sim.verification.nearest import N_SIDE, between_cells_m, straight_m
from sim.verification.played import Played, play, prepared
from sim.verification.sizes import by_errors
from sim.verification.small_city import CallClass, SmallCity
from sim.verification.spatial_cities import N_DAYS, N_WARM_UP, SERVICE_H, SIDE_M, STRAIGHT, SpatialCity

N_UNITS, ERLANG = 8, 4.0
N_LAYOUTS: dict[Size, int] = {"short": 2, "full": 4}
REPLICATIONS: dict[tuple[Size, str], int] = {
    ("short", SIMPY): 20,
    ("short", KERNEL): 24,
    ("full", SIMPY): 30,
    ("full", KERNEL): 80,
}
"""Replications of each layout by size and engine: enough for a standard error of each layout's own."""
SOURCE = "Kolesar & Blum 1973, Management Science 19(12); exact by sim/verification/hypercube.py"
WIDEST = 0.01
"""Widest standard error of a mean distance, as a share of it."""
MOST_OFF = 0.15
"""Most that the law may be off, as a share of the mean distance with any number of units free."""


def city_of_layout(number: int) -> SpatialCity:
    """Return the city of a layout: eight stations, each in any cell alike, and a far one for what they cannot take."""
    n_cells = N_SIDE**2
    ranks = ranks_of(1, number, Stream.TEST, np.arange(N_UNITS, dtype=np.uint64))[:, 0].astype(np.int64)
    homes = (ranks * n_cells) >> 32
    places = tuple((SIDE_M * (i % N_SIDE), SIDE_M * (i // N_SIDE)) for i in range(n_cells))
    city = SmallCity(
        classes=(CallClass(ERLANG / SERVICE_H, 3_600.0 * SERVICE_H),), units=(1,) * N_UNITS + (40,),
        station_cell=(*homes.tolist(), n_cells), drive_s=None, residents=(1,) * n_cells + (0,), n_days=N_DAYS,
        n_warm_up=N_WARM_UP, places_m=(*places, (SIDE_M * 5 * N_SIDE, 0)), side_m=SIDE_M,
    )  # fmt: skip
    away = between_cells_m(straight_m, SIDE_M)[:, homes]
    order = np.argsort(np.round(away, 6), axis=1, kind="stable")  # as far: the lowest id, as in the engines
    rates = np.full(n_cells, ERLANG / SERVICE_H / n_cells)
    return SpatialCity(
        f"square_root_{number}", city, Hypercube(rates, np.full(N_UNITS, 1.0 / SERVICE_H), order, "loss"), STRAIGHT
    )


def homes_of(spatial: SpatialCity) -> NDArray[np.int64]:
    """Return the (n_units,) cells of the units' stations."""
    return np.array(spatial.city.station_cell[: spatial.n_units], dtype=np.int64)


def expected_by_free(model: Hypercube, steady: Steady, away_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n_units,) mean distance of the unit sent where 1, 2, … units are free; `away_m`: (n_atoms, n_units)."""
    n_units = len(model.service_rate)
    weight, total = np.zeros(n_units), np.zeros(n_units)
    atoms, share = np.arange(len(model.call_rate)), model.call_rate / model.call_rate.sum()
    for state in range((1 << n_units) - 1):
        place = n_units - state.bit_count() - 1
        weight[place] += steady.probability[state]
        total[place] += steady.probability[state] * float(share @ away_m[atoms, sent_to(model, state)])
    return total / weight


@dataclass(frozen=True, slots=True)
class ByFree:
    """(n_units,) of a replication by the number of units free, from one: calls served, and the sum of their metres."""

    n_calls: NDArray[np.float64]
    metres: NDArray[np.float64]


def see_by_free(played: Played, spatial: SpatialCity, away_m: NDArray[np.float64]) -> ByFree:
    """Return what the log says of the city's own dispatches; how far it is from station to cell is geometry."""
    rows, (begin, end) = played.log.rows, played.window_ms
    is_own = (rows["unit"] >= 0) & (rows["unit"] < spatial.n_units)
    is_sent = is_own & (rows["kind"] == LogKind.DISPATCH)
    step = is_sent.astype(np.int64) - (is_own & (rows["kind"] == LogKind.AVAILABLE))
    n_free = spatial.n_units - (np.cumsum(step) - step)
    measured = np.flatnonzero(is_sent & (rows["time_ms"] >= begin) & (rows["time_ms"] < end))
    cell = played.inputs.demand.incidents["cell"][rows["incident"][measured]]
    metres = away_m[cell, rows["unit"][measured]]
    place = n_free[measured] - 1
    counts, sums = (np.bincount(place, weights, spatial.n_units) for weights in (None, metres))
    return ByFree(counts.astype(np.float64), sums.astype(np.float64))


def against_square_root(engine: str, size: Size) -> list[Check]:
    """Return the checks of the mean drive by number free, over several layouts."""
    expected, found = [], []
    for number in range(N_LAYOUTS[size]):
        spatial = city_of_layout(number)
        away_m = between_cells_m(straight_m, SIDE_M)[:, homes_of(spatial)]
        expected.append(expected_by_free(spatial.model, solve(spatial.model), away_m))
        n = REPLICATIONS[size, engine]
        with prepared(spatial.name, spatial.city, *spatial.overrides) as ready:
            played = (play(ready.inputs(replication), engine) for replication in range(n))
            found.append([see_by_free(it, spatial, away_m) for it in played])
    return compared(np.mean(expected, axis=0), found, engine)


def compared(expected_m: NDArray[np.float64], found: Sequence[Sequence[ByFree]], engine: str) -> list[Check]:
    """Return the checks of what was seen of each layout; `expected_m`: (n_units,) the layouts' mean by number free."""
    roots_m = N_SIDE * SIDE_M / np.sqrt(np.arange(1, N_UNITS + 1))
    constants = expected_m / roots_m
    estimates = [mean_over_layouts(found, place) for place in range(N_UNITS)]
    checks = []
    for place, estimate in enumerate(estimates):
        told = Told(f"mean distance sent, {place + 1} units free", f"平均出动距离，{place + 1} 辆车空闲")
        expected = float(expected_m[place])
        checks.append(by_errors(f"free_{place + 1}", told, SOURCE, "m", expected, estimate, engine, WIDEST))
    slope = mean_of_estimates([mean_of([_slope(it, roots_m) for it in seen]) for seen in found])
    told = Told("slope of the distance sent over the root of area per free unit", "出动距离对每空闲车面积平方根的斜率")
    checks.append(by_errors("slope", told, SOURCE, "", float(constants.mean()), slope, engine, WIDEST))
    off = float(np.abs(constants / constants.mean() - 1.0).max())
    law = Told("largest relative distance of the law itself from the exact means", "平方根律与精确均值的最大相对偏差")
    return [*checks, Check("law", law, SOURCE, "law", "", MOST_OFF, off, 0.0, engine, len(found), AT_MOST)]


def _slope(seen: ByFree, roots_m: NDArray[np.float64]) -> float:
    """Return a replication's slope through the origin, weighted by 1 / root^2: the mean of the ratios to the roots."""
    return float((seen.metres / seen.n_calls / roots_m).mean())


def mean_of_estimates(parts: Sequence[Estimate]) -> Estimate:
    """Return the mean of independent estimates of different things."""
    error = math.sqrt(sum(it.standard_error**2 for it in parts)) / len(parts)
    return Estimate(sum(it.value for it in parts) / len(parts), error, sum(it.n for it in parts))


def mean_over_layouts(found: Sequence[Sequence[ByFree]], place: int) -> Estimate:
    """Return the mean over layouts of the mean distance with `place` + 1 units free: those layouts, not a sample."""
    return mean_of_estimates(
        [
            ratio_of([float(it.metres[place]) for it in seen], [float(it.n_calls[place]) for it in seen])
            for seen in found
        ]
    )


CASES = (
    Case(
        "square_root_law",
        Told("Square root law with busy units", "有车占用时的平方根律"),
        SOURCE, against_square_root,
    ),
)  # fmt: skip
"""The case of the law."""
