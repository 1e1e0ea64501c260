"""Which zone is nearest to any point of the plane, for zones that lie anywhere: exact, and as quick as a lattice.

The plane is cut into squares. A square that is nearer to one zone than to any other, in every point of it, holds that
zone; any other holds the zones that are nearest to some point of it, of which the reader takes the nearest to his.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems

MOST_ZONES = 30_000
"""Above this a matrix of driving times alone would take more than 3.6 GB."""
_SPAN_M = 20_000_000


@dataclass(frozen=True, slots=True)
class NearestZone:
    """An index of the zones by place.

    `square`: (n_rows, n_columns) int32 by squares of side `side_m`, the lower left corner of the first at (`x0_m`,
    `y0_m`): the zone to which all of the square is nearest, or -1 - p where `near[p]` says how many zones follow it in
    `near` (n,) int32, ascending.
    """

    square: NDArray[np.int32]
    near: NDArray[np.int32]
    x0_m: int
    y0_m: int
    side_m: int

    def candidates(self, x_m: int, y_m: int) -> list[int]:
        """Return the zones of which one is the nearest to a point, ascending; for a point outside, of the edge."""
        n_rows, n_columns = self.square.shape
        column = min(max((x_m - self.x0_m) // self.side_m, 0), n_columns - 1)
        row = min(max((y_m - self.y0_m) // self.side_m, 0), n_rows - 1)
        found = int(self.square[row, column])
        if found >= 0:
            return [found]
        n = int(self.near[-1 - found])
        return [int(zone) for zone in self.near[-found : n - found]]


def index_zones(x_m: NDArray[np.int32], y_m: NDArray[np.int32]) -> NearestZone:
    """Return the index of zones whose middles are given: (n_zones,) whole metres each.

    Raises
    ------
    InputError
        If there are none, too many, or they lie further apart than places on earth do.
    """
    x, y = np.asarray(x_m, np.int64), np.asarray(y_m, np.int64)
    _check(x, y)
    x0, y0, width, height = int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1
    side = max(int(np.ceil(np.sqrt(width * height / len(x)))), -(-(width + height) // (2 * len(x))), 1)
    n_columns, n_rows = -(-width // side), -(-height // side)
    square = np.empty((n_rows, n_columns), np.int32)
    near: list[NDArray[np.int32]] = []
    n_near = 0
    for row in range(n_rows):
        nearest, furthest = _bounds(y, y0 + row * side, side)
        for column in range(n_columns):
            near_x, far_x = _bounds(x, x0 + column * side, side)
            zones = np.flatnonzero(near_x + nearest <= (far_x + furthest).min()).astype(np.int32)
            if len(zones) == 1:
                square[row, column] = zones[0]
                continue
            square[row, column] = -1 - n_near
            near.append(np.concatenate([[len(zones)], zones]).astype(np.int32))
            n_near += len(zones) + 1
    return NearestZone(square, np.concatenate(near) if near else np.zeros(0, np.int32), x0, y0, side)


def _bounds(at: NDArray[np.int64], begin: int, side: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the squares of the least and of the greatest distance of each zone from a stretch of whole metres."""
    before, behind = begin - at, at - (begin + side - 1)
    return np.maximum(np.maximum(before, behind), 0) ** 2, np.maximum(np.abs(before), np.abs(behind)) ** 2


def _check(x: NDArray[np.int64], y: NDArray[np.int64]) -> None:
    problems = Problems()
    if not 0 < len(x) <= MOST_ZONES:
        problems.add("zones", f"there have to be 1 to {MOST_ZONES} of them", value=len(x))
    elif max(np.ptp(x), np.ptp(y)) > _SPAN_M:
        problems.add(
            "zones", f"lie more than {_SPAN_M} m apart", value=int(max(np.ptp(x), np.ptp(y))),
            mend="give their middles in metres, on one plane",
        )  # fmt: skip
    problems.raise_if_any()
