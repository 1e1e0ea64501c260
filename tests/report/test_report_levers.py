"""What the sections on people, stress, teams and scenes say, from the stored tables beside these tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.report import load_study
from sim.report.blocks import Grid, Paragraph
from sim.report.context import Context
from sim.report.pictures.beside import Case, Level, beside
from sim.report.pictures.heat import HeatRow, by_hour_and_row
from sim.report.sections import money, one_more, special, water
from sim.report.sections.places import SECTION
from sim.report.svg import style
from sim.report.texts import load_words


@pytest.fixture(scope="module")
def context(study_folder: Path) -> Context:
    """The made-up study as a section is given it."""
    return Context(load_study(study_folder), load_words())


def test_the_share_idle_for_want_of_people_is_told_with_its_worst_hour(page: Any) -> None:
    """Plan: 0.40 unmanned and 0.10 stranded, at three o'clock 0.22; nothing: 0.30 and 0.075."""
    told = page.text("manning", "en")
    assert "640 units" in told
    assert "40.0 % of their time" in told
    assert "most of all at 03–04 o'clock (22.0 %)" in told
    assert "400 units, 30.0 % and 7.50 %" in told
    assert "aerial" in told
    assert "举高消防车" in page.text("manning", "zh")


def test_neighbouring_hours_of_one_shade_are_one_bar_and_no_share_is_white() -> None:
    values = np.where(np.arange(24) < 8, 0.2, 0.0)
    values[20] = 0.4
    with style():
        figure = by_hour_and_row([HeatRow("a", (values,), ("10",))], ["share"], "hour", 0.2)
    assert figure is not None
    bars = [(p.get_x(), p.get_width(), p.get_alpha()) for p in figure.axes[0].patches]
    assert bars == [(0, 8, 0.5), (20, 1, 1.0)]


def test_a_declared_bound_is_told_with_the_verdict_and_what_sameness_is_beneath(page: Any) -> None:
    told = page.text("variants", "en")
    assert "clear; the same within ±20 points" in told
    assert "clear; not shown to be the same within ±5 s" in told
    assert "two one-sided tests" in told
    assert "证明在 ±5 秒 之内等同" in page.text("variants", "zh")


def without(context: Context, *left_out: str) -> Context:
    """Return the context of a study that lacks these tables or, as "table.column", these columns."""
    tables = {name: table for name, table in context.study.tables.items() if name not in left_out}
    for table, _, column in (name.partition(".") for name in left_out if "." in name):
        tables[table] = tables[table].drop(columns=column)
    return replace(context, study=replace(context.study, tables=tables))


def told_by(blocks: list[Any]) -> str:
    """Return all the English text of paragraphs, of grids their heads, cells and notes."""
    texts = [block.text.en for block in blocks if isinstance(block, Paragraph)]
    for grid in (block for block in blocks if isinstance(block, Grid)):
        texts += [head.text.en for head in grid.heads] + [note.en for note in grid.notes]
        texts += [cell.text.en for row in grid.rows for cell in row]
    return " ".join(texts)


def test_the_share_of_worlds_stands_beside_the_schemes_that_no_other_beats(context: Context) -> None:
    """Of the made-up study: in the worlds nothing is never beaten, plan is not in 0.85 of 20."""
    grid = next(b for b in money.make(context) if isinstance(b, Grid) and b.heads[-1].text.en.startswith("Worlds in"))
    assert [[cell.text.en for cell in row] for row in grid.rows] == [
        ["build nothing", "200.0", "40.0", "none", "100.0"],
        ["build as planned", "400.0", "52.0", "none", "85.0"],
    ]
    assert "the share of 20 plausible worlds" in grid.notes[0].en
    alone = told_by(money.make(without(context, "frontier.share_worlds", "frontier.n_worlds")))
    assert "Worlds in which none beats it" not in alone
    assert "rests on one world of assumptions only; with a block plausible: in the study's YAML" in alone


def test_the_share_of_worlds_stands_beside_the_ranking_of_one_more_station(context: Context) -> None:
    """Six of the ten leading towns of the made-up study lead in every world, the first is first in 0.65 of 40."""
    told = told_by(one_more.make(context))
    assert "is first in 65.0 % of 40 worlds; of the first 10 towns here, 6 are among the first ten" in told
    assert "Worlds among the first ten" in told
    alone = told_by(one_more.make(without(context, "one_more_worlds")))
    assert "Worlds among the first ten" not in alone
    assert "rests on one world of assumptions only" in alone


def test_the_share_of_worlds_stands_beside_what_a_scheme_costs(page: Any) -> None:
    assert "Worlds better than base" in page.text("money", "en")
    assert "95.0" in page.text("money", "en")


def test_a_day_of_stress_is_told_with_waits_unfilled_needs_help_and_recovery(page: Any) -> None:
    told = page.text("stress", "en")
    assert "60.0 incidents waited on average, 4.0 needs were never filled, 3.0 units of other cities came" in told
    assert "cover fell to 90.0 % at worst and was back after 9.5 hours" in told
    assert 'with "build nothing" it was 120.0, 8.0, 6.0, 45.0 % and 19.0 hours' in told


def test_rare_classes_are_weighted_by_what_a_year_brings_and_what_never_came_is_without_end(page: Any) -> None:
    """All classes: 800 s at P50 and 1600 s at P90 with the plan, twice that without."""
    told = page.text("rare", "en")
    assert "(36.5 in all), the critical needs were at work after 13.3 minutes in the median and 26.7" in told
    assert "26.7 and 53.3" in told
    assert "Medians by class (minutes, from the latter to the former): rail tunnel 20.0 → 10.0" in told
    assert "∞" in told
    assert "rail tunnel" in told
    assert "地铁隧道" in page.text("rare", "zh")


def test_a_level_without_end_is_a_sign_at_the_edge_and_no_dot() -> None:
    cases = [Case("a", ((Level(float("inf")), Level(2.0, 1.0, 3.0)),))]
    with style():
        figure = beside(cases, ["minutes"], ("base", "arm"))
    assert figure is not None
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["∞"]
    drawn = [line.get_xdata().tolist() for line in axes.lines if len(line.get_xdata())]
    assert drawn == [[1.0, 3.0], [2.0]]


def test_what_an_aircraft_saved_why_it_did_not_fly_and_what_an_hour_costs_are_told(page: Any) -> None:
    """200 million yuan a year more and 25 hours saved: 8 million an hour; 160 over 40 and 260 over 20 are its ends."""
    told = page.text("special", "en")
    assert "aircraft were asked for at 1,500 incidents; at 55.0 % of these it was no hour to fly" in told
    assert "sent to 90.0 and worked before any vehicle at 40.0" in told
    assert "at work 20.0 minutes sooner" in told
    assert "first at the address of 4.0, 7.0 minutes ahead of the first vehicle on average; to 25.0 % of these" in told
    assert "8,000,000 yuan per hour saved (4,000,000 to 13,000,000)" in told
    assert "Over all fires and rescues critical tasks began 1,000 hours a year sooner (800 to 1,200" in told
    assert "Above all: tunnel rescue, 20.0 minutes sooner" in told
    assert "救援" in page.text("special", "zh")


def test_first_there_by_how_much_not_flown_and_cost_stand_in_one_table(context: Context) -> None:
    grid = next(
        b for b in special.make(context) if isinstance(b, Grid) and b.heads[-1].text.en == "An hour saved costs"
    )
    cells = [[cell.text.en for cell in row] for row in grid.rows]
    numbers = ["63.0", "90.0", "4.0", "+7.0", "40.0", "+25.0", "+20.0", "25.0", "8,000,000"]
    assert cells[0] == ["build as planned", "all kinds", *numbers]
    assert grid.rows[0][-1].interval == "[4,000,000, 13,000,000]"
    assert cells[1][-1] == "–"  # the cost is of the whole, no kind has a part of its own
    unclear = without(context)
    unclear.study.tables["air_pairs"] = unclear.study.tables["air_pairs"].assign(low=-1.0)
    (row, _) = next(b for b in special.make(unclear) if isinstance(b, Grid) and b.caption == grid.caption).rows
    assert row[-1].text.en == "–"


def test_tunnels_and_help_are_each_one_sentence(page: Any) -> None:
    """Tunnels, plan: 1200 s and 1800 s; nothing: twice that."""
    told = page.text("places", "en")
    assert "critical needs at work after 20.0 minutes, first alarm complete after 30.0 minutes" in told
    assert 'with "build nothing" after 40.0 minutes and after 60.0 minutes' in told
    assert "sent 50.0 times in the whole window and arrive 40.0 times" in told
    assert "深圳增援" in page.text("places", "zh")


def test_teams_are_told_by_turnouts_gathering_and_what_their_incidents_got_without_them(page: Any) -> None:
    """Whole first alarms at (900 x 0.9 + 300 x 1.0) of 1,200 incidents, against (0 + 300 x 0.75)."""
    told = page.text("special", "en")
    assert "2 special teams or bases turn out 60.0 times a year and are at 50.0 incidents" in told
    assert 'the whole first alarm came in the end at 92.5 % of these, with "build nothing" at 18.8 %' in told
    assert "forest fire team" in told
    assert "Lisha Island fire boat quay" in told
    assert "5.0" in told  # minutes of gathering
    assert "立沙岛消防艇码头" in page.text("special", "zh")


def test_breakdowns_are_told_where_vehicles_break_down(page: Any) -> None:
    told = page.text("workload", "en")
    assert "Breakdowns of vehicles" in told
    assert "all types" in told
    assert "0.400" in told
    assert "全部车型" in page.text("workload", "zh")


def test_hydrants_are_told_by_what_they_save_large_fires_and_villages_beside_the_stations(page: Any) -> None:
    """72 s saved, 6 hours a year; two in three of those reached within five minutes had the village's people there."""
    told = page.text("water", "en")
    assert '40.0 % have no hydrant near with "build as planned" (60.0 % with "build nothing")' in told
    assert "1.2 minutes sooner on average (+1.0 to +1.4), 6.0 hours a year" in told
    assert "come to 800 incidents a year (40.0 % of such incidents)" in told
    assert "at 65.0 %, against 50.0 % with the stations alone" in told
    assert "stops no clock of the stations" in told
    assert "不计入任何消防站到场时间" in page.text("water", "zh")


def test_a_scheme_with_the_same_hydrants_is_told_with_what_it_has_and_not_what_it_saves(context: Context) -> None:
    study = context.study
    pairs = study.tables["water_pairs"].assign(base_far_share=0.4)
    changed = replace(study, tables={**study.tables, "water_pairs": pairs})
    texts = [b.text.en for b in water.make(replace(context, study=changed)) if isinstance(b, Paragraph)]
    assert 'with "build as planned", 300 larger fires a year need a water supply; 40.0 % of them' in texts[1]
    assert not any("sooner" in text for text in texts[:2])


def test_a_section_that_can_choose_is_shown_with_one_of_its_tables_and_not_without_any(context: Context) -> None:
    study, names = context.study, SECTION.any_of
    rest = {name: table for name, table in study.tables.items() if name not in names}
    assert not SECTION.is_shown(replace(study, tables=rest))
    for name in names:
        only = replace(study, tables={**rest, name: study.tables[name]})
        assert SECTION.is_shown(only)
        assert any(isinstance(block, Paragraph | Grid) for block in SECTION.make(Context(only, context.words)))
