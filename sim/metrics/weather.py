"""What the weather was like, by year and slowness of the roads, and how the fires and rescues called in it were met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.metrics.states import year_windows
from sim.units import MS_PER_H, MS_PER_S, Q16

if TYPE_CHECKING:
    from sim.inputs import RunInputs

THRESHOLD_MS = 300 * MS_PER_S


def has_weather(inputs: RunInputs) -> bool:
    """Return whether any hour of the run has slow roads or is for flying."""
    return bool((inputs.sky.road_q16 != Q16).any() or inputs.sky.is_flyable.any())


def weather_table(inputs: RunInputs, incidents: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return one row per year of the measured window and road factor that occurs in it.

    Columns: year; road_q16, driving time over that of dry roads; n_hours; n_flyable_hours; n_headline, fires and
    rescues called then; n_within_300, those met within 300 s; n_arrived and sum_arrival_ms,
    those that were met at all.
    """
    windows, sky = year_windows(inputs.calendar), inputs.sky
    asked = incidents["is_headline"].astype(bool)
    call_hour = incidents["call_ms"][asked] // MS_PER_H
    arrival, year = incidents["first_arrival_ms"][asked], incidents["year"][asked]
    rows: list[tuple[int, ...]] = []
    for at, of_year in enumerate(windows.year.tolist()):
        hours = slice(int(windows.from_ms[at]) // MS_PER_H, int(windows.to_ms[at]) // MS_PER_H)
        road, is_flyable = sky.road_q16[hours], sky.is_flyable[hours]
        for factor in np.unique(road).tolist():
            mine = (year == of_year) & (sky.road_q16[call_hour] == factor)
            came = arrival[mine & (arrival >= 0)]
            n_hours, n_flyable = int((road == factor).sum()), int(is_flyable[road == factor].sum())
            n_within = int((came <= THRESHOLD_MS).sum())
            rows.append((of_year, factor, n_hours, n_flyable, int(mine.sum()), n_within, len(came), int(came.sum())))
    names = (
        "year",
        "road_q16",
        "n_hours",
        "n_flyable_hours",
        "n_headline",
        "n_within_300",
        "n_arrived",
        "sum_arrival_ms",
    )
    table = np.array(rows, dtype=np.int64).reshape(-1, len(names))
    return {name: np.ascontiguousarray(table[:, column]) for column, name in enumerate(names)}
