"""A table of driving times from stations to cells (or zones), by period, as the driving times of a city.

Map services are usually asked for such a table: station x cell x hour of the day. It says nothing of ways that start at
no station. The way home is taken as long as the way out; between two places of which neither is a station's, the time
is `a + b x straight line`, fitted to the table's own trips by least squares, period by period (`fitted_line`). Stations
are those that the city states in `stations.csv`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems
from sim.travel.cache import digest_of
from sim.travel.durations import MEAN_DISTANCE_IN_SQUARE
from sim.travel.matrix import (
    FASTEST_KMH,
    LONG_COLUMNS,
    MAX_SHOWN,
    MS_OF_UNIT,
    TYPICAL_KMH,
    frame_of,
    is_too_fast,
    numbers_of,
    positions_of,
)
from sim.travel.settings import PERIODS
from sim.travel.source import source_digest
from sim.units import MS_PER_H

if TYPE_CHECKING:
    import pandas as pd

    from sim.city import City


@dataclass(frozen=True, slots=True)
class StationMatrix:
    """A `TravelSource` from a file of durations from stations to zones.

    `station_cell`: cell of each station by code. Other fields as in `GivenMatrix`.
    """

    name: str
    path: Path
    unit: str
    city: City
    station_cell: Mapping[str, int]
    zones: tuple[str, ...]
    zone_of_cell: NDArray[np.int32]
    hours: NDArray[np.int8]

    def key(self) -> str:
        """Return the SHA-256 of the file, the declarations, the cells and stations, and this package's source."""
        problems, cells = Problems(), self.city.cells
        content = np.empty(0, dtype=np.uint8)
        try:
            content = np.frombuffer(self.path.read_bytes(), dtype=np.uint8)
        except OSError as error:
            problems.add(str(self.path), f"cannot be read ({error.strerror})", mend="name a .csv or .parquet")
        problems.raise_if_any()
        arrays: dict[str, NDArray[Any]] = {"file": content, "zone_of_cell": self.zone_of_cell}
        arrays |= {"x_m": cells.x_m, "y_m": cells.y_m, "area_m2": cells.area_m2}
        stations = [f"{code}={cell}" for code, cell in self.station_cell.items()]
        declared = (self.path.suffix, self.unit, *self.zones)
        return digest_of(arrays, "stations", *declared, *stations, source_digest())

    def period_of_hour(self) -> NDArray[np.int8]:
        """Return the given periods by day type and hour."""
        return self.hours

    def durations(self) -> NDArray[np.int32]:
        """Return (n_periods, n_cells, n_cells) int32 ms.

        Raises
        ------
        InputError
            With all faults of the file: unknown stations and zones, holes, rows given twice, times that are negative or
            absurd, two stations of one cell with different times.
        """
        problems = Problems()
        frame = frame_of(self.path, problems)
        problems.raise_if_any()
        assert frame is not None
        for name in [name for name in LONG_COLUMNS if name not in frame.columns]:
            problems.add(self.path.name, "column is missing", value=name, mend="give from (station), to and duration")
        problems.raise_if_any()
        given = self._by_period(frame, problems)
        problems.raise_if_any()
        n_cells = self.city.cells.n_cells
        tables = np.empty((len(PERIODS), n_cells, n_cells), dtype=np.int32)
        for number, period in enumerate(PERIODS):
            tables[number] = self._table(given[period] if period in given else given[""])
        return tables

    def _by_period(self, frame: pd.DataFrame, problems: Problems) -> dict[str, NDArray[np.float64]]:
        """Return (n_stations, n_zones) float64 ms of each period; "" stands for all of them."""
        if "period" not in frame.columns:
            return {"": self._checked(frame, "all periods", problems)}
        names = frame["period"].astype(str)
        for name in sorted(set(names) - set(PERIODS)):
            problems.add(self.path.name, "(period) is not a period", value=name, mend=f"one of {', '.join(PERIODS)}")
        return {period: self._checked(frame[names == period], period, problems) for period in PERIODS}

    def _checked(self, frame: pd.DataFrame, period: str, problems: Problems) -> NDArray[np.float64]:
        """Return one period's rectangle in ms after adding everything wrong with it."""
        n_before, where = len(problems.found), f"{self.path.name} ({period})"
        codes = tuple(self.station_cell)
        start = positions_of(self.path, frame["from"], codes, problems, "a station of stations.csv")
        end = positions_of(self.path, frame["to"], self.zones, problems)
        values_ms = numbers_of(self.path, frame["duration"], problems) * MS_OF_UNIT[self.unit]
        known = (start >= 0) & (end >= 0)
        pair = start[known] * len(self.zones) + end[known]
        rectangle = np.full((len(codes), len(self.zones)), np.nan)
        rectangle.ravel()[pair] = values_ms[known]
        n_given = np.bincount(pair, minlength=rectangle.size).reshape(rectangle.shape)
        for is_wrong, rule, mend in (
            (n_given > 1, "is given twice", "keep one row per station, zone and period"),
            ((n_given == 1) & ~np.isfinite(rectangle), "has no duration", "fill the hole"),
            (n_given == 0, "has no row", "give every station a time to every zone"),
            (rectangle < 0, "is negative", "durations are zero or more"),
            (rectangle >= 2**31 - 1, "is longer than 24 days", f"is the unit really {self.unit}?"),
            *self._too_fast(rectangle),
        ):
            found = np.argwhere(is_wrong)
            if len(found):
                shown = ", ".join(f"{codes[a]} -> {self.zones[b]}" for a, b in found[:MAX_SHOWN])
                more = f" and {len(found) - MAX_SHOWN} more pairs" if len(found) > MAX_SHOWN else ""
                problems.add(where, rule, value=shown + more, mend=mend)
        if len(problems.found) == n_before:
            self._check_sense(rectangle, where, problems)
        return rectangle

    def _too_fast(self, rectangle: NDArray[np.float64]) -> Iterator[tuple[NDArray[np.bool_], str, str]]:
        """Yield what is wrong, rule and mend, of single trips that nobody drives, where each zone is one cell.

        Where all of them are, the unit is wrong, which is told by the median.
        """
        cells = np.array(list(self.station_cell.values()))
        if len(self.zones) == self.city.cells.n_cells:
            fast = is_too_fast(self._apart_m()[cells][:, np.argsort(self.zone_of_cell)], rectangle)
            fast &= rectangle >= 0
            if fast.mean() < 0.5:
                yield fast, f"goes at more than {FASTEST_KMH:g} km/h as the crow flies", "mend the value"

    def _check_sense(self, rectangle: NDArray[np.float64], where: str, problems: Problems) -> None:
        """Add a problem for a median speed that no vehicle has, and for stations of one cell that differ."""
        cells = np.array(list(self.station_cell.values()))
        apart_m = self._apart_m()[cells]
        driven = rectangle[:, self.zone_of_cell]
        is_trip = (apart_m > 0) & (driven > 0)
        if is_trip.any():
            kmh = float(np.median(apart_m[is_trip] / driven[is_trip])) * MS_PER_H / 1000.0
            if not TYPICAL_KMH[0] <= kmh <= TYPICAL_KMH[1]:
                rule = f"(median, in {self.unit}) makes a typical trip go at {kmh:.3g} km/h as the crow flies"
                problems.add(where, rule, mend="declare another unit: ms, s or min")
        for at, (code, cell) in enumerate(self.station_cell.items()):
            first = int(np.flatnonzero(cells == cell)[0])
            if not np.array_equal(rectangle[at], rectangle[first]):
                rule = f"stands in one cell with {list(self.station_cell)[first]!r} and has other times"
                problems.add(where, rule, value=code, mend="make the cells smaller, or give both the same times")

    def _apart_m(self) -> NDArray[np.float64]:
        x_m, y_m = (axis.astype(np.float64) for axis in (self.city.cells.x_m, self.city.cells.y_m))
        apart: NDArray[np.float64] = np.sqrt((x_m[:, None] - x_m) ** 2 + (y_m[:, None] - y_m) ** 2)
        return apart

    def _table(self, rectangle: NDArray[np.float64]) -> NDArray[np.int32]:
        """Return (n_cells, n_cells) int32 ms: the table where it speaks, the fitted line elsewhere."""
        cells, apart_m = np.array(list(self.station_cell.values())), self._apart_m()
        out = rectangle[:, self.zone_of_cell]
        start_ms, ms_per_m = fitted_line(apart_m[cells], out)
        side_m = np.sqrt(self.city.cells.area_m2.astype(np.float64))
        apart_m[np.arange(len(side_m)), np.arange(len(side_m))] = MEAN_DISTANCE_IN_SQUARE * side_m
        table = start_ms + ms_per_m * apart_m
        table[:, cells] = out.T
        table[cells, :] = out
        return np.floor(table + 0.5).astype(np.int32)


def fitted_line(apart_m: NDArray[np.float64], driven_ms: NDArray[np.float64]) -> tuple[float, float]:
    """Return (a, b) of `a + b x distance` by least squares over all trips, a at least 0 ms and b above 0 ms per m.

    Where the trips do not grow with distance, or a would be below zero, the line goes through the origin.
    """
    x, y = apart_m.ravel(), driven_ms.ravel()
    mean_x, mean_y = float(x.mean()), float(y.mean())
    spread = float(((x - mean_x) ** 2).sum())
    slope = float(((x - mean_x) * (y - mean_y)).sum()) / spread if spread > 0 else 0.0
    start = mean_y - slope * mean_x
    if slope > 0 and start >= 0:
        return start, slope
    return (0.0, mean_y / mean_x) if mean_x > 0 else (mean_y, 0.0)
