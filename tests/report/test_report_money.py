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


def test_names_that_would_cover_another_are_left_out_and_the_unbeaten_come_first() -> None:
    from sim.report.pictures.frontier import Dot, frontier
    from sim.report.svg import style

    crowd = [Dot(f"a grey one {i}", 10 + i / 1000, 60 + i / 1000, is_best=False) for i in range(20)]
    with style():
        figure = frontier([*crowd, Dot("best", 10.01, 60.03, is_best=True), Dot("far", 90, 70, is_best=True)], "x", "y")
    assert figure is not None
    told = [text.get_text() for text in figure.axes[0].texts]
    assert {"best", "far"} <= set(told)
    assert len(told) < 8


def test_schemes_closer_than_a_point_are_not_drawn_further_apart_than_on_an_axis_of_one_point() -> None:
    from sim.report.pictures.frontier import Dot, frontier
    from sim.report.svg import style

    with style():
        figure = frontier([Dot("a", 1, 68.5395, is_best=True), Dot("b", 2, 68.5428, is_best=True)], "x", "y")
    assert figure is not None
    low, high = figure.axes[0].get_ylim()
    assert high - low == pytest.approx(1.0)


def test_a_gain_that_may_be_none_has_no_price() -> None:
    row = {f"p90_saved_s_{part}": of for part, of in zip(RANGE, (-1.0, 2.0, 5.0), strict=True)}
    row |= {f"per_p90_minute_{part}": of for part, of in zip(RANGE, (2e6, 4e6, float("nan")), strict=True)}
    assert money._per_gain(row, "per_p90_minute", "p90_saved_s", money._millions).text.en == "–"
    told = money._per_gain(row | {"p90_saved_s_low": 1.0}, "per_p90_minute", "p90_saved_s", money._millions)
    assert told.text.en == "4.0"


def test_where_no_scheme_differs_clearly_the_picture_of_costs_is_said_to_tell_costs_alone(study_folder: Any) -> None:
    from dataclasses import replace

    from sim.report import load_study

    context = Context(load_study(study_folder), load_words())
    assert money._indistinct(context) is None
    rows = {key: {**row, "low": -1.0, "high": 1.0} for key, row in context.study.index.contrasts.items()}
    unclear = replace(context.study, index=replace(context.study.index, contrasts=rows))
    told = money._indistinct(Context(unclear, load_words()))
    assert told is not None
    assert 'No scheme in this picture differs clearly from "build nothing"' in told.text.en


def test_schemes_that_differ_in_nothing_priced_are_said_to_cost_the_same(study_folder: Any) -> None:
    from dataclasses import replace

    from sim.report import load_study

    context = Context(load_study(study_folder), load_words())
    pair = context.study.main()
    assert pair is not None
    table = context.study.tables["value"]
    free = table.assign(**{f"{what}_{part}": 0.0 for what in ("outlay", "annual") for part in RANGE})
    study = replace(context.study, tables={**context.study.tables, "value": free})
    told = money._sentence(replace(context, study=study), pair)
    assert told is not None
    assert told.text.en.endswith('differs from "build nothing" in nothing that has a price here; both cost the same.')
