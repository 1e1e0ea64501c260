"""The plan's own inconsistencies, as the audit of the committed city finds them, and what it takes to change one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sim.audit import Outcome, audit, changed_findings, main
from sim.audit.checks import AGREES, DISAGREES
from sim.audit.expression import tables_of
from sim.errors import Problems
from sim.tables import read_table

Edit = Callable[[str, dict[str, str], str, str], None]


@pytest.fixture(scope="module")
def found(city: Path) -> dict[str, Outcome]:
    return {outcome.check: outcome for outcome in audit(city)}


def test_all_findings_about_the_plan_are_checked_and_the_sizing_rule_besides(found: dict[str, Outcome]) -> None:
    assert {outcome.item for outcome in found.values()} == {str(i) for i in range(1, 23)} | {"H"}


def test_every_recomputed_side_reads_a_table(city: Path) -> None:
    from sim.audit.checks import CHECKS, CHECKS_FILE

    problems = Problems()
    checks = read_table(city / CHECKS_FILE, CHECKS, problems)
    problems.raise_if_any()
    assert [name for name, text in zip(checks["check"], checks["recomputed"], strict=True) if not tables_of(text)] == []


def test_every_finding_still_stands(found: dict[str, Outcome]) -> None:
    assert [str(p) for p in changed_findings(list(found.values())).found] == []


# Worked out by hand from the plan's table and text.
CLAIMS = [
    ("sum_2024", "16", "15", DISAGREES),
    ("sum_printed_years", "84", "85", DISAGREES),
    ("sum_volunteers", "15.07", "15.06", DISAGREES),
    ("humen_census", "77.4", "77.40", AGREES),
    ("volunteer_times", "150", "15", DISAGREES),
    ("stations_text", "100", "106", DISAGREES),
    ("stations_by_class", "106", "95", DISAGREES),
    ("stations_with_brigades", "106", "127", DISAGREES),
    ("base_ratio_table", "1.01", "1.01", AGREES),
    ("base_ratio_text", "1.01", "0.955", DISAGREES),
    ("km2_by_text", "8.9", "11.1", DISAGREES),
    ("km2_by_table", "8.9", "10.5", DISAGREES),
    ("km2_stations", "127", "124.9", DISAGREES),
    ("centres_and_towns", "33", "34", DISAGREES),
    ("centres_not_met", "0", "31", DISAGREES),
    ("staff_base", "0.26", "0.208", DISAGREES),
    ("staff_heads", "2721", "2177", DISAGREES),
    ("staff_difference", "0", "544", DISAGREES),
    ("gdp_by_firefighters", "10855", "8406", DISAGREES),
    ("gdp_by_staff", "10855", "10507", AGREES),
    ("staff_per_station_2023", "25.7", "24.9", DISAGREES),
    ("staff_per_station_2025", "24.9", "24.8", DISAGREES),
    ("grade_1_crew", "30", "24.8", DISAGREES),
    ("grade_1_everywhere", "2721.316", "3180", DISAGREES),
    ("goal_2023", "1.6", "1.605", AGREES),
    ("goal_2023_grown", "1.6", "1.594", DISAGREES),
    ("goal_2025", "1.7", "1.815", AGREES),
    ("goal_2025_stations", "190", "178", DISAGREES),
    ("box_14_light", "90", "140", DISAGREES),
    ("box_14_heavy", "90", "155", DISAGREES),
    ("box_14_water", "40", "40", DISAGREES),
    ("box_14_floor_low", "5400", "5400", AGREES),
    ("box_14_site_high", "8000", "11200", DISAGREES),
    ("rail_stations_notes", "3", "3", AGREES),
    ("rail_2022_chashan", "1", "0", DISAGREES),
    ("programme_parts", "84", "84", AGREES),
    ("water_station_town", "1", "0", DISAGREES),
    ("vehicles_left", "31", "21", DISAGREES),
    ("hydrants_sum", "1919", "1919", AGREES),
    ("micro_stations", "3371", "2119", DISAGREES),
    ("equity_lowest", "1.7", "1.38", DISAGREES),
    ("equity_highest", "1.7", "4.14", AGREES),
    ("area_largest", "7", "10.1", DISAGREES),
    ("equity_before", "1.01", "0.52", DISAGREES),
    ("sum_built_up_km2", "1111.27", "1111.27", AGREES),
    ("sum_resident_pop_10k", "1046.66", "1046.66", AGREES),
    ("stations_after", "190", "190", AGREES),
]


@pytest.mark.parametrize(("check", "printed", "recomputed", "verdict"), CLAIMS, ids=[claim[0] for claim in CLAIMS])
def test_a_finding_comes_out_as_worked_out_by_hand(
    found: dict[str, Outcome], check: str, printed: str, recomputed: str, verdict: str
) -> None:
    outcome = found[check]
    assert (outcome.printed, outcome.recomputed, outcome.verdict) == (printed, recomputed, verdict)


@pytest.mark.parametrize(
    ("check", "held", "rows_out"),
    [
        ("sizing_rule", "33/34", ("binhaiwan",)),
        ("sizing_rule_no_floor", "32/34", ("songshanhu", "binhaiwan")),
        ("gap_by_row", "34/34", ()),
        ("builds_by_row", "34/34", ()),
        ("volunteers_by_people", "31/33", ("humen", "changan")),
    ],
)
def test_a_rule_holds_in_all_rows_but_those_named(
    found: dict[str, Outcome], check: str, held: str, rows_out: tuple[str, ...]
) -> None:
    assert (found[check].recomputed, found[check].rows_out) == (held, rows_out)
    assert found[check].verdict == (DISAGREES if rows_out else AGREES)


def test_towns_and_teams_are_named_in_both_languages(found: dict[str, Outcome]) -> None:
    assert found["never_met"].recomputed == "2: wangniudun, zhangmutou"
    assert found["never_met"].recomputed_zh == "2: 望牛墩镇, 樟木头镇"
    assert found["hydrants_zero"].recomputed == "4: gaobu, guancheng, hengli, tangxia"
    assert found["sizing_rule"].rows_out_zh == ("滨海湾新区",)
    assert "petrochemical" not in found["binhai_teams"].recomputed
    assert "petrochemical" in found["binhai_teams"].printed


def test_each_check_says_which_value_the_model_uses_and_why_in_both_languages(found: dict[str, Outcome]) -> None:
    for outcome in found.values():
        for text in (outcome.use_zh, outcome.why_zh, outcome.subject_zh):
            assert any("\u4e00" <= letter <= "\u9fff" for letter in text), outcome.check
        for text in (outcome.use_en, outcome.why_en, outcome.subject_en):
            assert not any("\u4e00" <= letter <= "\u9fff" for letter in text), outcome.check
        assert "{" not in outcome.why_zh + outcome.why_en


def test_what_is_called_printed_stands_in_the_plan(found: dict[str, Outcome]) -> None:
    assert found["sum_2024"].is_printed
    assert not found["gdp_by_staff"].is_printed
    assert not found["grade_1_crew"].is_printed
    assert not found["hydrants_people"].is_printed


EDITS = [
    ("plan_towns.csv", {"code": "humen"}, "build_2024", "3", "sum_2024", "16", AGREES),
    ("plan_towns.csv", {"code": "humen"}, "build_2024", "1", "sum_2024", "14", DISAGREES),
    ("plan_totals.csv", {"column": "build_2024"}, "value", "15", "sum_2024", "15", AGREES),
    ("plan_towns.csv", {"code": "binhaiwan"}, "stations_needed", "3", "sizing_rule", "34/34", AGREES),
    ("plan_facts.csv", {"id": "stations_text"}, "value", "106", "stations_text", "106", AGREES),
    ("plan_facts.csv", {"id": "government_brigades"}, "value", "11", "stations_with_brigades", "106", AGREES),
    ("plan_facts.csv", {"id": "firefighters_per_10k"}, "value", "2.6", "staff_base", "0.260", AGREES),
    ("plan_outside.csv", {"id": "residents_2021"}, "value", "1040", "goal_2023_grown", "1.615", AGREES),
    ("plan_boxes.csv", {"item": "forest"}, "low", "0", "box_14_light", "90", AGREES),
    (
        "plan_indicators.csv",
        {"indicator": "staff_share", "year": "2025"},
        "value",
        "0.6",
        "staff_per_station_2025",
        "33.1",
        AGREES,
    ),
    ("station_classes.csv", {"class": "grade_1", "figure": "on_duty"}, "low", "24", "grade_1_crew", "24.8", AGREES),
    (
        "plan_team_lists.csv",
        {"list": "box_14", "team": "logistics"},
        "team",
        "petrochemical",
        "binhai_petrochemical",
        "5: ",
        AGREES,
    ),
    ("plan_towns.csv", {"code": "shatian"}, "note", "含水上消防救援站", "water_station_town", "1", AGREES),
    (
        "plan_vehicles.csv",
        {"norm": "centre_3_plus_2", "vehicle": "pumper"},
        "number",
        "2",
        "centre_norm",
        "6",
        DISAGREES,
    ),
    ("plan_facts.csv", {"id": "pay_floor"}, "topic", "budget", "not_in_plan", "1: budget", DISAGREES),
]


@pytest.mark.parametrize(("file", "where", "column", "text", "check", "recomputed", "verdict"), EDITS)
def test_editing_a_table_changes_the_finding_and_fails_loudly(
    copy: Path,
    edit: Edit,
    capsys: pytest.CaptureFixture[str],
    file: str,
    where: dict[str, str],
    column: str,
    text: str,
    check: str,
    recomputed: str,
    verdict: str,
) -> None:
    edit(file, where, column, text)
    outcome = {outcome.check: outcome for outcome in audit(copy)}[check]
    assert outcome.recomputed.startswith(recomputed)
    assert outcome.verdict == verdict
    assert outcome.change
    assert main(["--city", str(copy)]) == 2
    shown = capsys.readouterr()
    assert f"plan_checks.csv: '{check}' no longer holds: {outcome.change}" in shown.err
    assert f"CHANGED: {outcome.change.split(';')[0]}" in shown.out
