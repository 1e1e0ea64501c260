"""Page one begins with what the study is about, tells all its main schemes, and what else was declared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sim.report.blocks import Paragraph
from sim.report.context import Context
from sim.report.declared import declared_besides, verdict_of
from sim.report.sections import answer, places, special, stress, water
from sim.report.study import Study, load_study
from sim.report.texts import same

NAN = float("nan")


@pytest.fixture(scope="module")
def context(study_folder: Path) -> Context:
    from sim.report.texts import load_words

    return Context(load_study(study_folder), load_words())


def with_groups(study: Study, base: dict[str, Any], arm: dict[str, Any]) -> Study:
    """The made-up study with these groups of settings in the main pair."""
    configs = {**study.configs}
    for name, groups in (("nothing", base), ("plan", arm)):
        configs[name] = {**configs[name], **groups}
    return replace(study, configs=configs)


def leads(context: Context) -> list[str]:
    return [b.text.en for b in answer.make(context) if isinstance(b, Paragraph) and b.style == "lead"]


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ({"diff": -9.0, "low": -12.0, "high": -6.0}, "better"),
        ({"diff": 9.0, "low": 6.0, "high": 12.0}, "worse"),
        ({"diff": 1.0, "low": -1.0, "high": 3.0, "is_equivalent": True}, "same"),
        ({"diff": 1.0, "low": -1.0, "high": 3.0}, "unclear"),
        ({"diff": 9.0, "low": 6.0, "high": 12.0, "is_primary": True, "p_adjusted": 0.2}, "unclear"),
        ({"diff": 0.0, "low": 0.0, "high": 0.0}, "none"),
        ({"diff": -0.02, "low": -0.03, "high": -0.01}, "tiny"),
        ({"diff": -0.02, "low": -0.03, "high": -0.06}, "better"),
        ({"diff": NAN, "low": NAN, "high": NAN}, "unknown"),
    ],
)
def test_what_became_of_a_difference_in_seconds(row: dict[str, Any], verdict: str) -> None:
    assert verdict_of({"metric": "p90", **row}) == verdict


def test_what_the_study_is_about_comes_first_and_response_times_after_it(context: Context) -> None:
    found = leads(replace(context, leads=(same("The day was hard."),)))
    assert found == ["The day was hard."]
    assert leads(context)[0].startswith("In 2026")


def test_a_section_leads_only_where_nothing_else_differs(context: Context) -> None:
    study = context.study
    cases = (
        (special, {"teams": 1}, {"teams": 2}), (water, {"water_supply": 1}, {"water_supply": 2}),
        (places, {"fleet": 1}, {"fleet": 2}),
    )  # fmt: skip
    for section, base, arm in cases:
        assert section.lead(context) == []
        assert section.lead(replace(context, study=with_groups(study, base, arm)))
        more = with_groups(study, {**base, "schedule": 1}, {**arm, "schedule": 2})
        assert section.lead(replace(context, study=more)) == []


def test_days_of_stress_are_one_sentence_from_base_to_arm(context: Context) -> None:
    (text,) = stress.lead(context)
    assert text.en.startswith('From "build nothing" to "build as planned": ')
    assert "120 → 60.0 incidents waited, 8.0 → 4.0 needs were never filled, cover was 45.0 → 90.0 % at worst" in text.en
    assert "19.0 → 9.5 小时后恢复" in text.zh


def test_arms_that_differ_in_what_befalls_the_city_alone_are_no_comparison_of_schemes(context: Context) -> None:
    study = with_groups(context.study, {"planted": 1}, {"planted": 2})
    assert (study.main(), study.conditions()[0].arm) == (study.pairs()[0], "plan_026")


def test_several_main_schemes_are_told_together_by_what_became_of_them(context: Context) -> None:
    study = context.study
    arms = {
        name: {**row, "purpose": "main" if "own" in name else row["purpose"]} for name, row in study.index.arms.items()
    }
    index = replace(study.index, arms=arms)
    told = leads(replace(context, study=replace(study, index=index)))
    assert told[0].startswith('In 2026, share within 5 minutes (points) against "build nothing". Clearly better: ')
    assert '"build as planned (own town first)" vs "build nothing (own town first)" +' in told[0]


def test_a_declared_comparison_that_the_table_does_not_show_is_told_in_words(context: Context) -> None:
    study = context.study
    table = study.tables["contrasts"]
    row = (table["arm"] == "plan") & (table["metric"] == "p90") & (table["year"] == 2026) & (table["scope"] == "city")
    changed = table.assign(clock=table["clock"].where(~row, "full_alarm"))
    study = replace(study, tables={**study.tables, "contrasts": changed})
    main = study.main()
    assert main is not None
    text = declared_besides(replace(context, study=study), [main], answer.TOLD)
    assert text is not None
    assert '"build as planned", P90 response (s), whole first alarm' in text.en
    assert "首批力量到齐" in text.zh
    assert "all years" not in text.en
    whole = changed.assign(year=changed["year"].where(~row, 0))
    of_all = declared_besides(
        replace(context, study=replace(study, tables={**study.tables, "contrasts": whole})), [main], answer.TOLD
    )
    assert of_all is not None
    assert "whole first alarm, all years " in of_all.en
    assert "，全部年份 " in of_all.zh
    assert declared_besides(context, [main], answer.TOLD) is None


@pytest.mark.parametrize("section", [stress, water, places, special], ids=lambda module: module.__name__[20:])
def test_a_section_that_page_one_begins_with_has_a_picture_for_it(context: Context, section: Any) -> None:
    shown = section.front(context, "answer")
    assert shown is not None
    assert section.SECTION.front is section.front
    assert answer._front(replace(context, front=section.front)) == shown


def test_where_another_picture_stands_on_page_one_the_conditions_are_referred_to_by_section(context: Context) -> None:
    bare = replace(context, numbers={"variants": 14})
    assert any("(in the picture)" in b.text.en for b in answer.make(bare) if isinstance(b, Paragraph))
    other = replace(bare, front=stress.front)
    assert any("(section 14)" in b.text.en for b in answer.make(other) if isinstance(b, Paragraph))


def test_page_one_tells_the_aircraft_of_further_schemes_in_one_line_each(context: Context) -> None:
    """62 in 100 without any aircraft (55 + 5 + 2), as in the stored table; three kinds of money beside 25 hours."""
    air, pairs = (context.study.tables[name] for name in ("air", "air_pairs"))
    other = {
        name: pd.concat([table, table.assign(arm="plan_026")]) for name, table in (("air", air), ("air_pairs", pairs))
    }
    study = replace(context.study, tables={**context.study.tables, **other})
    study = with_groups(study, {"aviation": {"mode": "none"}}, {"aviation": {"mode": "own"}})
    told = [text.en for text in special.lead(replace(context, study=study))]
    assert "aircraft were asked for at 1,500 incidents" in told[-2]
    assert told[-1].startswith('"build as planned (staff constant at 0.26 permille)": none could be sent at')
    assert "sent to 90.0, at work before any vehicle at 40.0; critical needs 20.0 minutes sooner" in told[-1]


def test_each_change_of_schemes_has_a_sentence_of_its_own_on_its_days(context: Context) -> None:
    """Help under the same day is no day of the plan: another change, told apart and in short."""
    study = with_groups(context.study, {"schedule": 1}, {"schedule": 2})
    days = context.study.tables["stress"]
    helped = days[days["arm"] == "plan"].assign(arm="nothing_own")
    rows = pd.concat([days, helped])
    pairs = context.study.tables["contrasts"]
    more = pairs[(pairs["arm"] == "plan_own")].assign(arm="nothing_own", base="nothing")
    configs = {**study.configs, "nothing_own": {**study.configs["nothing"], "mutual_aid": 1}}
    tables = {**study.tables, "stress": rows, "contrasts": pd.concat([pairs, more])}
    first, second = stress.lead(replace(context, study=replace(study, tables=tables, configs=configs)))
    assert first.en.startswith('From "build nothing" to "build as planned": ')
    assert second.en.startswith('From "build nothing" to "build nothing": flood, 120 → 60.0 waited, 8.0 → 4.0 needs')


def test_names_that_begin_alike_are_told_apart_and_stand_for_no_condition() -> None:
    from sim.report.study import _shared

    assert _shared("build as planned (own town first)", "build nothing (own town first)", ", ") == "own town first"
    assert _shared("build nothing, with help (storm)", "build nothing (storm)", ", ") == ""


def test_two_arms_without_an_incident_in_common_are_no_condition(context: Context) -> None:
    fates = with_groups(context.study, {"planted": 1, "mutual_aid": 1}, {"planted": 2, "mutual_aid": 2})
    assert ("plan", "nothing") in {(p.arm, p.base) for p in context.study.conditions()}
    assert ("plan", "nothing") not in {(p.arm, p.base) for p in fates.conditions()}
