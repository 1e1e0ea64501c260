"""Tiny cities drawn as text, a round-numbered travel world and plain roads, for every test of driving times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.city import Cells, City, Plane, RailStations, Sites, Towns, load_city
from sim.travel.roads import Roads, load_roads
from sim.travel.settings import TravelSettings

CONFIGS = Path(__file__).parents[2] / "configs"


def draw_city(
    rows: Sequence[str],
    adjacent: Sequence[str] = (),
    water: Sequence[str] = (),
    bridges: Sequence[tuple[int, int]] = (),
) -> City:
    """Return a city of 1 km cells, a letter per cell (its town) and "." for none; the first row is the southernmost.

    Cells count from 0 along the rows. A town's seat is its first cell. Pairs of towns are two letters.
    """
    squares = [(x, y, letter) for y, row in enumerate(rows) for x, letter in enumerate(row) if letter != "."]
    codes = sorted({letter for _, _, letter in squares})
    town = np.array([codes.index(letter) for _, _, letter in squares], dtype=np.int16)
    x_m = np.array([1000 * x + 500 for x, _, _ in squares], dtype=np.int32)
    y_m = np.array([1000 * y + 500 for _, y, _ in squares], dtype=np.int32)
    first = [int(np.flatnonzero(town == i)[0]) for i in range(len(codes))]
    n_cells, counts = len(squares), np.bincount(town).astype(np.int64)
    grid = np.argmin(
        [
            [np.abs(x_m - (1000 * x + 500)) + np.abs(y_m - (1000 * y + 500)) for x in range(max(map(len, rows)))]
            for y in range(len(rows))
        ],
        axis=2,
    ).astype(np.int32)

    def pairs(given: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int16]]:
        found = sorted(tuple(sorted((codes.index(pair[0]), codes.index(pair[1])))) for pair in given)
        return np.array(found, dtype=np.int16).reshape(-1, 2)

    names = tuple(codes)
    return City(
        id="drawn",
        name_zh="",
        name_en="",
        plane=Plane(0.0, 0.0, 110_574.0, 111_320.0),
        towns=Towns(names, names, names, x_m[first], y_m[first], counts.astype(float), counts * 100, counts / 2),
        cells=Cells(
            town,
            x_m,
            y_m,
            np.full(n_cells, 1_000_000, dtype=np.int32),
            np.full(n_cells, 100, dtype=np.int32),
            np.arange(n_cells) % 2 == 0,
            np.full(n_cells, -1, dtype=np.int8),
        ),
        grid=grid,
        grid_x0_m=0,
        grid_y0_m=0,
        cell_m=1000,
        site_kinds=(),
        site_people=np.empty(0, dtype=np.int64),
        sites=Sites((), (), np.empty(0, np.int8), np.empty(0, np.int16), np.empty(0, np.int32), ()),
        rail_stations=RailStations(
            (),
            np.empty(0, np.int16),
            (),
            (),
            (),
            np.empty(0, np.int16),
            np.empty(0, np.int32),
            np.empty(0, "datetime64[D]"),
        ),
        adjacent_pairs=pairs(adjacent),
        water_pairs=pairs(water),
        bridges=np.array(bridges, dtype=np.int32).reshape(-1, 2),
        epoch=np.datetime64("2020-01-01"),
        utc_offset_h=0.0,
        holidays_country="CN",
        population_year=2020,
    )


ROUND = TravelSettings(
    name="round",
    label_zh="",
    label_en="",
    local_kmh=36.0,
    arterial_kmh=72.0,
    expressway_kmh=108.0,
    night_factor=2.0,
    peak_factor=0.5,
    acceleration_ms2=1.0,
    start_s=0.0,
    ramp_s=60.0,
)


@pytest.fixture(scope="session")
def make_city() -> Callable[..., City]:
    return draw_city


@pytest.fixture(scope="session")
def make_settings() -> Callable[..., TravelSettings]:
    """Ten metres a second, accelerating at 1 m/s2, so that milliseconds can be worked out by hand."""
    return lambda **changes: replace(ROUND, **changes)


@pytest.fixture(scope="session")
def plain_roads() -> Roads:
    """Streets half as long again as the straight line, and no main roads."""
    return Roads({"local": 1.5, "arterial": 1.25, "expressway": 1.0}, ())


@pytest.fixture(scope="session")
def configs() -> Path:
    return CONFIGS


@pytest.fixture(scope="session")
def committed_city() -> City:
    return load_city(CONFIGS / "city" / "dongguan")


@pytest.fixture(scope="session")
def committed_roads(committed_city: City) -> Roads:
    return load_roads(CONFIGS / "city" / "dongguan", committed_city)
