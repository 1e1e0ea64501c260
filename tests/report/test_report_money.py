"""The section on money: what an hour flown and an hour saved cost, worked out by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from sim.report.blocks import Grid
from sim.report.context import Context
from sim.report.sections import money
from sim.report.texts import Bi, load_words

RANGE = ("low", "likely", "high")


class Tables:
    """What the section asks of a study."""

    year = 2026

    def __init__(self, **tables: pd.DataFrame) -> None:
        self.tables = tables

    def table(self, name: str, *columns: str, **equal: Any) -> pd.DataFrame | None:
        found = self.tables.get(name)
        for column, value in equal.items():
            found = None if found is None else found[found[column] == value]
        return None if found is None or found.empty else found

    def label(self, arm: str) -> Bi:
        return Bi(arm, arm)


def cost(arm: str, item: str, of: str, quantity: float, *annual: float) -> dict[str, Any]:
    row = {"arm": arm, "year": 2026, "length": 0.5, "item": item, "of": of, "quantity": quantity, "currency": "CNY"}
    return row | {f"annual_{part}": value for part, value in zip(RANGE, annual, strict=True)}


def value(arm: str, base: str, *per_hour: float) -> dict[str, Any]:
    row: dict[str, Any] = {"arm": arm, "base": base, "year": 2026}
    row |= {f"hours_saved_{part}": hours for part, hours in zip(RANGE, (5.0, 10.0, 15.0), strict=True)}
    return row | {f"per_hour_saved_{part}": of for part, of in zip(RANGE, per_hour, strict=True)}


@pytest.fixture
def grid() -> Grid | None:
    costs = [
        cost("own", "vehicle", "helicopter", 1, 2e6, 3e6, 4e6),
        cost("own", "own_flying_hour", "helicopter", 20, 1e6, 2e6, 3e6),
        cost("own", "air_field", "*", 1, 1e6, 1e6, 1e6),
        cost("own", "people", "*", 9, 5e6, 6e6, 7e6),
    ]
    values = [value("own", "none", 4e5, 6e5, 8e5), value("none", "own", 1, 1, 1)]
    study = Tables(money=pd.DataFrame(costs), value=pd.DataFrame(values))
    return money._aircraft(Context(study, load_words()))  # type: ignore[arg-type]


def test_an_hour_flown_costs_all_that_aircraft_cost_and_no_people(grid: Grid | None) -> None:
    """20 h in half a year are 40 a year; 4, 6 and 8 million a year over them."""
    assert grid is not None
    assert len(grid.rows) == 1  # an arm without aircraft has no row
    assert [cell.text.en for cell in grid.rows[0]] == ["own", "none", "40", "6.0", "150,000", "10", "600,000"]
    assert [cell.interval for cell in grid.rows[0][3:5]] == ["[4.0, 8.0]", "[100,000, 200,000]"]


def test_where_nobody_flies_there_is_no_such_table() -> None:
    rows = [cost("plan", "people", "*", 9, 5e6, 6e6, 7e6)]
    study = Tables(money=pd.DataFrame(rows), value=pd.DataFrame([value("plan", "none", 1, 1, 1)]))
    assert money._aircraft(Context(study, load_words())) is None  # type: ignore[arg-type]
