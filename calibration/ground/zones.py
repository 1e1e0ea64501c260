"""Zones between which a model drives: one for every station, and squares that hold the calls.

Ways are straight lines between the zones' middles, m, or a city's own driving times, s; either is only what a fitted
curve makes travel times of. A square's middle is the mean of the calls in it, so that where calls come from a few
addresses nothing is lost. The side is the smallest of `SIDES_M` with which no more than `MOST_SQUARES` have any call.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.ground.folder import Ground

MOST_SQUARES = 2_000
"""A matrix of all pairs takes 16 MB, and squares of a compact city have sides of some 250 m."""
SIDES_M = (50, 100, 150, 200, 250, 300, 400, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 20_000)
_PATCHES = 250


@dataclass(frozen=True, slots=True)
class Zones:
    """Zones and the ways between them.

    `x_m`, `y_m`: (n_zones,) int64, middles on the plane. `of_station`: (n_stations,) int64. `ways`: (n_periods,
    n_zones, n_zones) float32, row = from: m, or s where `is_time`. `period_of_hour`: (2, 24) int8, workdays and days
    off. `side_m`: side of a square, 0 where zones are a city's cells. `patch`: (n_zones,) int64, the coarser place
    that a zone belongs to, some `_PATCHES` in all.
    """

    x_m: NDArray[np.int64]
    y_m: NDArray[np.int64]
    of_station: NDArray[np.int64]
    ways: NDArray[np.float32]
    period_of_hour: NDArray[np.int8]
    is_time: bool
    side_m: int
    patch: NDArray[np.int64]

    @property
    def n_zones(self) -> int:
        """Number of zones."""
        return len(self.x_m)

    def from_stations(self) -> NDArray[np.float32]:
        """Return the ways from the stations: (n_periods, n_stations, n_zones)."""
        return self.ways[:, self.of_station, :]

    def zone_of(self, x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the zone whose middle is nearest to each point: (n,) int64; -1 where a point is NaN."""
        from scipy.spatial import cKDTree

        is_known = np.isfinite(x_m) & np.isfinite(y_m)
        zone = np.full(len(x_m), -1, dtype=np.int64)
        tree = cKDTree(np.column_stack([self.x_m, self.y_m]).astype(np.float64))
        zone[is_known] = tree.query(np.column_stack([x_m, y_m])[is_known])[1]
        return zone


def lay_zones(ground: Ground, x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> tuple[Zones, NDArray[np.int64]]:
    """Return the zones that hold calls at (x_m, y_m), (n,) each on the plane, and the zone of each call (n,).

    Calls without a place (NaN) have zone -1. Where the ground has driving times its cells are the zones.
    """
    if ground.tables is not None and ground.cell_of_station is not None:
        zones = _of_cells(ground)
        return zones, zones.zone_of(x_m, y_m)
    is_known = np.isfinite(x_m) & np.isfinite(y_m)
    square, side_m = _squares(x_m[is_known], y_m[is_known])
    n_squares = int(square.max()) + 1 if len(square) else 0
    size = np.maximum(np.bincount(square, minlength=n_squares), 1)
    middles = [
        np.floor(np.bincount(square, weights=of[is_known], minlength=n_squares) / size + 0.5).astype(np.int64)
        for of in (x_m, y_m)
    ]
    xs, ys = np.concatenate([ground.x_m, middles[0]]), np.concatenate([ground.y_m, middles[1]])
    zone = np.full(len(x_m), -1, dtype=np.int64)
    zone[is_known] = ground.n_stations + square
    ways = np.hypot(xs[:, None] - xs[None, :], ys[:, None] - ys[None, :]).astype(np.float32)[None]
    hours = np.zeros((2, 24), np.int8)
    at_stations = np.arange(ground.n_stations)
    return Zones(xs, ys, at_stations, ways, hours, False, side_m, _patches(xs, ys)), zone


def _of_cells(ground: Ground) -> Zones:
    assert ground.tables is not None
    assert ground.cell_of_station is not None
    x_m, y_m = ground.cell_xy.T
    seconds = np.asarray(ground.tables.duration_ms, dtype=np.float32) / np.float32(1000.0)
    hours = ground.tables.period_of_hour
    return Zones(x_m, y_m, ground.cell_of_station, seconds, hours, True, 0, _patches(x_m, y_m))


def _squares(x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> tuple[NDArray[np.int64], int]:
    """Return the square of each point, numbered by those that hold any, and their side."""
    for side in SIDES_M:
        distinct, square = _distinct(x_m, y_m, side)
        if distinct <= MOST_SQUARES:
            break
    return square, side


def _patches(x_m: NDArray[np.int64], y_m: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the patch of each zone: squares of one side, the smallest with which there are `_PATCHES` at most."""
    for side in (*SIDES_M[3:], 50_000, 1_000_000):
        distinct, patch = _distinct(x_m.astype(np.float64), y_m.astype(np.float64), side)
        if distinct <= _PATCHES:
            break
    return patch


def _distinct(x_m: NDArray[np.float64], y_m: NDArray[np.float64], side: int) -> tuple[int, NDArray[np.int64]]:
    places = np.column_stack([np.floor(x_m / side), np.floor(y_m / side)]).astype(np.int64)
    distinct, code = np.unique(places, axis=0, return_inverse=True)
    return len(distinct), code.ravel().astype(np.int64)
