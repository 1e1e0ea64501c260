"""A declared axis: one line over the values of a setting, from the arms' own settings and paired differences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sim.report import load_study
from sim.report.blocks import Grid
from sim.report.context import Context
from sim.report.pictures.sweep import Swept, Value, over_values
from sim.report.sections import answer, sweep
from sim.report.study import Index, Study
from sim.report.svg import style
from sim.report.texts import load_words

SETTING = "fleet.crew"
VALUES = {"v20": 0.2, "v26": 0.26, "v30": 0.3, "v35": 0.35, "v40": 0.4}
POINTS = {"v20": -0.04, "v30": 0.003, "v35": 0.009, "v40": 0.01, "full": 0.02}
"""Difference of the five-minute share from v26, each give or take 0.001; no value stands in the names of settings."""
LEVEL, HALF, BOUND, YEAR = 0.5, 0.001, 0.005, 2026
MEASURE = {"metric": "share_300", "clock": "arrival", "equivalence": BOUND}
TOLD = {
    "key": SETTING, "label_zh": "档", "label_en": "Setting", "base": "v26", "arms": ["v40", "v20", "v26", "v30", "v35"],
    "marks": ["v26", "v40", "full"], "measures": [MEASURE],
}  # fmt: skip
EVERY = [*VALUES, "full"]


def study_of(made_up: Study, **told: Any) -> Study:
    """The made-up study with six arms, five of them on an axis."""
    rows = []
    for arm, diff in POINTS.items():
        row: dict[str, Any] = {"arm": arm, "base": "v26", "year": YEAR, "scope": "city", "group": "headline"}
        row |= {"clock": "arrival", "metric": "share_300", "diff": diff, "low": diff - HALF, "high": diff + HALF}
        row |= {"p_adjusted": float("nan"), "is_primary": False, "n_pairs": 10, "n_incidents": 1000}
        rows.append(row)
    arms = {
        arm: {"arm": arm, "label_zh": f"{arm}档", "label_en": f"arm {arm}", "purpose": "main", "n_replications": 10}
        for arm in EVERY
    }
    levels = {
        (arm, "share_300", YEAR, "arrival"): {
            "value": LEVEL + POINTS.get(arm, 0.0), "low": 0.4, "high": 0.6, "n_incidents": 1000, "n_replications": 10,
        }
        for arm in EVERY
    }  # fmt: skip
    configs = {arm: {"fleet": {"crew": value}} for arm, value in VALUES.items()} | {"full": {"fleet": {"crew": "all"}}}
    index = Index(arms, {}, levels, {}, {}, {})
    tables = {"contrasts": pd.DataFrame(rows), "headline": made_up.tables["headline"]}
    return replace(made_up, tables=tables, configs=configs, note={"study": {"sweep": TOLD | told}}, index=index)


@pytest.fixture(scope="module")
def study(study_folder: Path) -> Study:
    return study_of(load_study(study_folder))


def told_by(study: Study) -> Context:
    return Context(study, load_words(), {"variants": 14})


def test_values_are_the_arms_own_settings_in_rising_order_and_a_mark_without_one_lies_across(study: Study) -> None:
    axis = sweep.axis_of(study)
    assert axis is not None
    assert list(axis.values.items()) == list(VALUES.items())
    assert axis.across == ("full",)


def test_page_one_says_from_which_value_on_more_changes_nothing_that_matters(study: Study) -> None:
    """The highest is 1.0 point over the base; 0.35 is 0.1 below it, 0.30 is 0.7 below it, the bound 0.5."""
    (text,) = sweep.lead(told_by(study))
    assert text.en.startswith("Setting from 0.20 to 0.40 in 5 values, all else equal, 2026: ")
    assert "goes from 46.0 % to 51.0 % (from 0.35 on, no higher value is more than 0.5 points from" in text.en
    assert "自 0.35 起" in text.zh
    (wide,) = sweep.lead(told_by(study_of(study, measures=[MEASURE | {"equivalence": 0.06}])))
    assert "no value is more than 6 points from the highest" in wide.en
    (none,) = sweep.lead(told_by(study_of(study, measures=[MEASURE | {"equivalence": 0.0}])))
    assert none.en.endswith("51.0 %.")


def test_neighbours_with_one_verdict_are_told_as_a_range(study: Study) -> None:
    """0.30 lies within half a point of 0.26; 0.35, 0.40 and the one across are better and 0.20 is worse."""
    text = next(b.text.en for b in sweep.make(told_by(study)) if hasattr(b, "text") and "Paired" in b.text.en)
    assert "Clearly better: 0.35–0.40; arm full. Clearly worse: 0.20. The same as far as" in text
    assert text.endswith("(±0.5 points): 0.30.")


def test_a_line_of_the_table_has_level_difference_and_verdict_and_the_base_has_no_difference(study: Study) -> None:
    grid = next(block for block in sweep.make(told_by(study)) if isinstance(block, Grid))
    rows = [[cell.text.en for cell in row] for row in grid.rows]
    assert [row[0] for row in rows] == ["0.20", "arm v26", "0.30", "0.35", "arm v40", "arm full"]
    assert rows[1][1:4] == ["50.0", "–", "–"]
    assert rows[2][1:] == ["50.3", "+0.3", "The same as far as it matters", "1,000"]
    assert grid.rows[5][2].tone == "gain"


def test_a_point_is_the_bases_level_and_its_paired_difference(study: Study) -> None:
    axis = sweep.axis_of(study)
    assert axis is not None
    panel = sweep._panel(told_by(study), axis, axis.measures[0], "en")
    assert [(one.x, round(one.y, 3), round(one.low, 3), one.name) for one in panel.values] == [
        (0.2, 46.0, 45.9, ""), (0.26, 50.0, 50.0, "arm v26"), (0.3, 50.3, 50.2, ""), (0.35, 50.9, 50.8, ""),
        (0.4, 51.0, 50.9, "arm v40"),
    ]  # fmt: skip
    assert [(one.name, round(one.y, 3)) for one in panel.levels] == [("arm full", 52.0)]
    assert (panel.base, panel.bound) == (50.0, 0.5)


def test_the_null_range_is_shaded_around_the_base_and_names_that_would_meet_stand_in_two_rows() -> None:
    values = tuple(Value(x, y, y - 1, y + 1, name) for x, y, name in ((0, 5, ""), (8, 6, "a name"), (9, 6, "a name")))
    with style():
        figure = over_values([Swept("share", (*values, Value(20, 7, 6, 8)), (), 6.0, 0.5)], "setting")
    assert figure is not None
    (axes,) = figure.axes
    (band,) = axes.patches
    assert (band.get_y(), band.get_height()) == (5.5, 1.0)
    heights = [text.xy[1] for text in axes.texts]
    assert heights[0] == 1.0 < heights[1]


def test_page_one_shows_the_picture_of_the_section_that_the_study_is_about(study: Study) -> None:
    context = told_by(study)
    assert answer._front(context) is None
    shown = answer._front(replace(context, front=sweep.SECTION.front))
    assert shown is not None
    assert "Setting, 2026" in shown.caption.en


def test_without_a_declared_axis_the_section_is_not_asked_for(page: Any, study_folder: Path, study: Study) -> None:
    assert "sweep" not in page.ids
    assert "One setting swept" not in page.html
    assert not sweep.SECTION.is_shown(load_study(study_folder))
    assert sweep.SECTION.is_shown(study)
