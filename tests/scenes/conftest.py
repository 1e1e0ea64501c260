"""A city of two towns in which everything about places can be counted by hand."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.demand.types import INCIDENT_DTYPE
from sim.units import MS_PER_DAY


def make_city() -> Any:
    """Town west with cells 0 to 3, town east with cells 4 to 7; the last cell of each is not built up."""
    return SimpleNamespace(
        towns=SimpleNamespace(code=("west", "east"), n_towns=2),
        cells=SimpleNamespace(
            town=np.repeat(np.arange(2, dtype=np.int16), 4), is_built_up=np.array([True, True, True, False] * 2),
            x_m=np.arange(8, dtype=np.int32) * 1000, y_m=np.zeros(8, np.int32), n_cells=8,
        ),
    )  # fmt: skip


def make_demand(n: int, *, cell: int = 0, kind: int = 0, day: int = 0) -> Any:
    rows = np.zeros(n, dtype=INCIDENT_DTYPE)
    rows["identity"] = np.arange(1, n + 1, dtype=np.uint64) * 977
    rows["cell"], rows["town"], rows["kind"], rows["call_ms"] = cell, cell // 4, kind, day * MS_PER_DAY
    rows["grade"] = rows["reported_grade"] = 2
    return SimpleNamespace(incidents=rows)


@pytest.fixture
def city() -> Any:
    return make_city()


@pytest.fixture
def demand_of() -> Any:
    return make_demand


@pytest.fixture
def calendar() -> Any:
    return SimpleNamespace(start=date(2022, 1, 1), n_days=3 * 365)
