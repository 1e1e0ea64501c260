"""What the weather table counts, by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from sim.inputs import Sky, clear_sky
from sim.metrics.weather import has_weather, weather_table
from sim.units import MS_PER_DAY, MS_PER_H

S = 1000


def _inputs(sky: Sky) -> SimpleNamespace:
    calendar = SimpleNamespace(
        year=np.array([2022, 2022, 2023], dtype=np.int16), measure_from_ms=MS_PER_DAY, measure_to_ms=3 * MS_PER_DAY
    )
    return SimpleNamespace(sky=sky, calendar=calendar)


def test_every_headline_incident_is_counted_once_under_the_road_factor_of_its_call():
    sky = Sky(np.full(96, 65_536, np.int32), np.zeros(96, np.int8))
    sky.road_q16[30:32] = 80_000
    sky.is_flyable[31:40] = 1
    calls_h = np.array([25, 30, 31, 31, 50, 51])
    incidents = {
        "call_ms": calls_h * MS_PER_H,
        "year": np.array([2022] * 4 + [2023] * 2),
        "is_headline": np.array([1, 1, 1, 0, 1, 1]),
        "first_arrival_ms": np.array([200, 301, -1, 5, 300, 400]) * S,
    }
    table = weather_table(_inputs(sky), incidents)
    rows = list(zip(*(column.tolist() for column in table.values()), strict=True))
    assert list(table)[:4] == ["year", "road_q16", "n_hours", "n_flyable_hours"]
    assert rows == [
        (2022, 65_536, 22, 8, 1, 1, 1, 200 * S),
        (2022, 80_000, 2, 1, 2, 0, 1, 301 * S),
        (2023, 65_536, 24, 0, 2, 1, 2, 700 * S),
    ]


def test_a_run_without_weather_has_no_such_table():
    assert not has_weather(_inputs(clear_sky(96)))
