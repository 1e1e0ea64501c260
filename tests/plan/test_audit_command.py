"""`dgsim audit-plan`: what it prints and writes, its exit codes, and its language of checks."""

import csv
import io
import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from sim.audit import main
from sim.audit.expression import ExpressionError, evaluate
from sim.errors import Problems
from sim.plan import read_plan_tables
from sim.tables import Table

TEXTS = "use zh,use en,why {printed} zh,why {recomputed} en,a plan,plan"


def with_checks(folder: Path, header: str, *rows: str) -> Path:
    (folder / "plan_checks.csv").write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def tables(small: Path) -> dict[str, Table]:
    problems = Problems()
    tables = read_plan_tables(small, problems)
    problems.raise_if_any()
    return tables


def test_the_committed_plan_is_audited_without_a_word_of_where_it_lies(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "  1  DISAGREES  2024 builds" in shown.out
    assert "printed 16 stations | recomputed 15 stations" in shown.out


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [60, 100])
def test_no_line_is_wider_than_the_terminal(
    lang: str, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["--lang", lang]) == 0
    lines = capsys.readouterr().out.splitlines()
    columns = [sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line) for line in lines]
    # Punctuation never starts a line, so a line may run over by one mark.
    assert max(columns) <= width + 2
    assert any("不符" in line for line in lines) == (lang == "zh")


def test_csv_opens_in_a_spreadsheet_and_json_holds_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--csv", str(tmp_path / "a.csv"), "--json", str(tmp_path / "a.json")]) == 0
    data = (tmp_path / "a.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfitem,check,")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    stored = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert stored["schema_version"] == 1
    assert [row["check"] for row in rows] == [check["check"] for check in stored["checks"]]
    assert [row["recomputed"] for row in rows] == [check["recomputed"] for check in stored["checks"]]
    capsys.readouterr()
    assert main(["--json"]) == 0
    assert json.loads(capsys.readouterr().out) == stored


def test_a_file_that_cannot_be_written_is_told_and_is_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--csv", str(tmp_path / "nowhere" / "a.csv")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_an_unknown_city_is_told_with_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--city", "dongguang"]) == 2
    assert "did you mean 'dongguan'" in capsys.readouterr().err


def test_another_city_brings_its_own_checks(
    small: Path, checks_header: str, capsys: pytest.CaptureFixture[str]
) -> None:
    row = f"1,gap,rule,zh,en,towns.stations_gap,=,towns.build_2030 + towns.build_2031,0,0,,,disagrees,1,{TEXTS}"
    assert main(["--city", str(with_checks(small, checks_header, row))]) == 0
    shown = capsys.readouterr().out
    assert "holds in 1/2 rows" in shown
    assert "not so in: west" in shown


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (
            "sum,1,=,sum(town.build_2030)",
            "row 2: 'sum(town.build_2030)' (recomputed) names table 'town', which is not there",
        ),
        ("sum,1,=,sum(totals.value)", "not in this folder: totals (plan_totals.csv)"),
        ("sum,1,=,sum(towns.build_2032)", "names column 'build_2032', which plan_towns.csv lacks; did you mean"),
        ("sum,1,=,towns.build_2030['est']", "names row 'est', which plan_towns.csv lacks; did you mean"),
        ("sum,1,=,towns.new_hydrants['west']", "whose new_hydrants is no number"),
        ("sum,1,=,\"indicators.value['ratio', 2029]\"", "whose value is no number"),
        ("sum,1,=,total(towns.build_2030)", "calls 'total', which is not known"),
        ("sum,1,=,1 / min(towns.stations_now)", "divides by zero"),
        ("sum,1,=,towns.build_2030", "one number beside one number"),
        ("rule,1,=,sum(towns.build_2030)", "recomputes no value per row"),
        ("rule,1,=,towns.code", "needs one number per row"),
        ("list,1,=,names(towns.code)", "sets names beside names"),
        ("sum,1,=,towns.code + 1", "texts as if they were numbers"),
        ("sum,1,=,sum(", "is not an expression"),
        ("total,1,=,1", "'total' (kind) must be one of sum"),
        ("sum,1,~,1", "(relation) must be one of ="),
    ],
)
def test_a_check_that_cannot_be_computed_is_bad_input(
    small: Path, checks_header: str, check: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kind, printed, relation, recomputed = check.split(",", 3)
    row = f"1,x,{kind},zh,en,{printed},{relation},{recomputed},0,0,,,agrees,1,{TEXTS}"
    assert main(["--city", str(with_checks(small, checks_header, row))]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert told in shown.err


def test_all_broken_checks_are_told_together(
    small: Path, checks_header: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"1,x{i},sum,zh,en,nix.a,=,nix.b,0,0,,,agrees,1,{TEXTS}" for i in range(3)]
    assert main(["--city", str(with_checks(small, checks_header, *rows))]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 6


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').getcwd()",
        "towns.__class__",
        "towns.build_2030.sum()",
        "(lambda: 1)()",
        "[x for x in towns.code]",
        "towns.code[0]",
        "open('x')",
        "9 ** 9 ** 9",
        "1 if 1 else 2",
        "True",
        "sum(towns.build_2030, axis=0)",
        "sum(*towns.code)",
        "towns",
        "a := 1",
        "f'{1}'",
        "1; 2",
        "-" * 100_000 + "1",
    ],
)
def test_nothing_but_the_listed_forms_is_an_expression(tables: dict[str, Table], text: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(text, tables)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3 - 8 / 4", 5),
        ("-sum(towns.stations_gap)", -4),
        ("sum(towns.new_hydrants)", 5),
        ("count(towns.new_hydrants)", 1),
        ("count(is_empty(towns.new_hydrants))", 1),
        ("count(towns.stations_now > 0)", 1),
        ("count((towns.stations_now > 0) | (towns.code == 'west'))", 2),
        ("count((towns.stations_now > 0) & (towns.code != 'west'))", 1),
        ("max(towns.built_up_km2) - min(towns.built_up_km2)", 7),
        ("sum(max(towns.stations_now, towns.build_2030, 0.5))", 1.5),
        ("round(2.5)", 3),
        ("round(-2.5)", -2),
        ("round(1.005, 2)", 1.01),
        ("floor(2.9) + ceil(2.1)", 5),
        ("ceil(0.1 * 3 * 10)", 3),
        ("abs(-2)", 2),
        ("sum(pick(towns.built_up_km2, towns.code == 'west'))", 7),
        ("count(has(towns.note, '水'))", 1),
        ("count(names(towns.standing))", 1),
        ("indicators.value['ratio', 2033]", 1.5),
        ("correlation(towns.built_up_km2, towns.resident_pop_10k)", -1),
    ],
)
def test_an_expression_is_worked_out_as_by_hand(tables: dict[str, Table], text: str, value: float) -> None:
    assert evaluate(text, tables) == pytest.approx(value, abs=1e-12)


def test_sets_of_names_are_joined_and_cut(tables: dict[str, Table]) -> None:
    assert evaluate("names(towns.code) & names('west', 'north')", tables) == {"west"}
    assert evaluate("names(towns.code) | names('north')", tables) == {"east", "west", "north"}
    assert evaluate("names()", tables) == frozenset()


def test_rows_of_tables_of_different_length_do_not_mix(tables: dict[str, Table]) -> None:
    with pytest.raises(ExpressionError, match="2 rows beside 1"):
        evaluate("towns.build_2030 + pick(towns.build_2030, towns.code == 'west')", tables)
    result = evaluate("towns.build_2030 * 2", tables)
    assert isinstance(result, np.ndarray)
    assert result.tolist() == [2, 0]
