"""The zones of a trace as a city, and its days as a calendar."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from sim.city.types import NO_SITE, Cells, City, Plane, RailStations, Sites, Towns
from sim.city.zones import NearestZone
from sim.demand.calendar import ORDINARY_DAY, Calendar, Days
from sim.units import MS_PER_DAY


def city_of_zones(x_m: NDArray[np.int32], y_m: NDArray[np.int32], index: NearestZone, calendar: Calendar) -> City:
    """Return the zones as a city of one town, without people, borders or sites."""
    n, none = len(x_m), np.zeros(0, np.int32)
    name, one = ("all",), np.zeros(1, np.int32)
    pairs = np.zeros((0, 2), np.int16)
    return City(
        id="trace", name_zh="", name_en="", plane=Plane(0.0, 0.0, 1.0, 1.0),
        towns=Towns(name, name, name, one, one, np.zeros(1), np.zeros(1, np.int64), np.zeros(1)),
        cells=Cells(
            np.zeros(n, np.int16), x_m, y_m, np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(n, np.bool_),
            np.full(n, NO_SITE, np.int8),
        ),
        grid=_middles(x_m, y_m, index), grid_x0_m=index.x0_m, grid_y0_m=index.y0_m, cell_m=index.side_m, site_kinds=(),
        site_people=np.zeros(0, np.int64), sites=Sites((), (), none.astype(np.int8), none.astype(np.int16), none, ()),
        rail_stations=RailStations(
            (), none.astype(np.int16), (), (), (), none.astype(np.int16), none, np.zeros(0, "datetime64[D]")
        ),
        adjacent_pairs=pairs, water_pairs=pairs, bridges=np.zeros((0, 2), np.int32),
        epoch=np.datetime64(calendar.start, "D"), utc_offset_h=0.0, holidays_country="", population_year=0,
    )  # fmt: skip


def _middles(x_m: NDArray[np.int32], y_m: NDArray[np.int32], index: NearestZone) -> NDArray[np.int32]:
    """Return the zone nearest to the middle of each square: (n_rows, n_columns) int32."""
    out = np.empty_like(index.square)
    for row, column in np.ndindex(*index.square.shape):
        x = index.x0_m + column * index.side_m + index.side_m // 2
        y = index.y0_m + row * index.side_m + index.side_m // 2
        near = index.candidates(x, y)
        square = (x_m[near].astype(np.int64) - x) ** 2 + (y_m[near].astype(np.int64) - y) ** 2
        out[row, column] = near[int(square.argmin())]
    return out


def days_of(start: date, calls: NDArray[np.void]) -> Calendar:
    """Return the days from the first midnight to the end of the last call's day, weekends told from other days."""
    n_days = int(calls["time_ms"].max()) // MS_PER_DAY + 1
    dates = [start + timedelta(days=day) for day in range(n_days)]
    weekday = np.array([day.weekday() for day in dates], np.int8)
    days = Days(
        day_type=(weekday >= 5).astype(np.int8), year=np.array([day.year for day in dates], np.int16),
        month=np.array([day.month for day in dates], np.int8), weekday=weekday,
        is_holiday=np.zeros(n_days, np.bool_), label=np.zeros(n_days, np.int16),
    )  # fmt: skip
    return Calendar(
        start, n_days, 0, n_days * MS_PER_DAY, days.day_type, days.year, days.month, weekday, days.is_holiday,
        days.label, (ORDINARY_DAY,), start.year, days,
    )  # fmt: skip
