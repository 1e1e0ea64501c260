"""Driving times from straight lines: distance times a detour at one speed, for a city without tables of roads.

From centre to centre of two cells it is the straight line times `detour` at `local_kmh` of the period. Addresses lie
anywhere in their cells, and vehicles start and end at rest, both as on roads (`durations.py`, steps 2 to 4); a cell's
side is the root of its area. Rivers, hills and one-way streets are in the detour or nowhere: speeds and detour are to
be fitted to records. Only + - * / sqrt and floor are used: the same bits on every machine.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.travel.cache import digest_of
from sim.travel.durations import BLOCK_ROWS, MEAN_DISTANCE_IN_SQUARE, between_addresses, with_acceleration
from sim.travel.graph import accelerate_ms, start_ms
from sim.travel.settings import Period, TravelSettings
from sim.travel.source import source_digest
from sim.units import MS_PER_H

if TYPE_CHECKING:
    from sim.city import City

M_PER_KM = 1_000.0


@dataclass(frozen=True, slots=True)
class StraightWays:
    """A `TravelSource` of straight lines, a detour and one speed."""

    city: City
    settings: TravelSettings

    @property
    def name(self) -> str:
        """Name of the travel world."""
        return self.settings.name

    def key(self) -> str:
        """Return the SHA-256 of the cells' places and areas, the settings and this package's source."""
        cells = self.city.cells
        arrays = {"x_m": cells.x_m, "y_m": cells.y_m, "area_m2": cells.area_m2}
        text = json.dumps(asdict(self.settings), sort_keys=True)
        return digest_of(arrays, "straight ways", text, source_digest())

    def period_of_hour(self) -> NDArray[np.int8]:
        """Return the settings' periods by day type and hour."""
        return self.settings.period_of_hour()

    def durations(self) -> NDArray[np.int32]:
        """Return (n_periods, n_cells, n_cells) int32 ms."""
        cells = self.city.cells
        x_m, y_m = cells.x_m.astype(np.float64), cells.y_m.astype(np.float64)
        side_m = np.sqrt(cells.area_m2.astype(np.float64))
        tables = np.empty((len(Period), len(x_m), len(x_m)), dtype=np.int32)
        for first in range(0, len(x_m), BLOCK_ROWS):
            rows = slice(first, min(first + BLOCK_ROWS, len(x_m)))
            apart_m = np.sqrt((x_m[rows, None] - x_m) ** 2 + (y_m[rows, None] - y_m) ** 2)
            sides_m = sides_of(side_m, rows)
            for period in Period:
                cruise_ms = apart_m * ms_per_m(self.settings, period)
                tables[period, rows] = whole_trips(cruise_ms, sides_m, side_m[rows], first, self.settings, period)
        return tables


def ms_per_m(settings: TravelSettings, period: Period) -> float:
    """Return the ms that a metre of straight line takes in a period, detour and all."""
    assert settings.detour is not None
    return settings.detour * MS_PER_H / (M_PER_KM * settings.speed_kmh("local", period))


def sides_of(side_m: NDArray[np.float64], rows: slice) -> NDArray[np.float64]:
    """Return (n_rows, n_cells) m: the root of the mean square of the sides of two cells."""
    squares = side_m * side_m
    both: NDArray[np.float64] = np.sqrt((squares[rows, None] + squares) / 2.0)
    return both


def whole_trips(
    cruise_ms: NDArray[np.float64],
    sides_m: NDArray[np.float64],
    own_m: NDArray[np.float64],
    first: int,
    settings: TravelSettings,
    period: Period,
) -> NDArray[np.int32]:
    """Return (n_rows, n_cells) int32 ms from door to door, of cruise times between the middles of cells.

    Row 0 starts in cell `first`; `sides_m` as `sides_of` gives them, `own_m` (n_rows,) the sides of the rows' cells.
    """
    of_a_metre = ms_per_m(settings, period)
    spread = between_addresses(cruise_ms, sides_m * of_a_metre)
    here = np.arange(len(cruise_ms))
    spread[here, first + here] = MEAN_DISTANCE_IN_SQUARE * own_m * of_a_metre
    driven = with_acceleration(spread, accelerate_ms(settings, period))
    return np.floor(driven + 0.5).astype(np.int32) + np.int32(start_ms(settings, period))
