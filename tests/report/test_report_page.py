"""The page: self-contained, bilingual, every table with its denominator, the same bytes for the same tables."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.errors import InputError
from sim.report import build, load_study, render, sections, write_report
from sim.report.blocks import Block, Grid, Paragraph, Picture
from sim.report.build import both
from sim.report.context import Context, SectionEntry
from sim.report.declared import interactions_told
from sim.report.font import missing_characters
from sim.report.sections import (
    ORDER,
    answer,
    assumptions,
    beyond,
    certainty,
    hours,
    indicators,
    kinds,
    one_more,
    registered,
    times,
    towns,
    variants,
    workload,
)
from sim.report.texts import Bi, Words, load_words

SECTIONS = tuple(name for name in ORDER if name != "sweep")
"""Of the made-up study, which declares no axis (`test_report_sweep.py` does)."""


def test_the_page_is_well_formed_and_no_id_stands_twice(page: Any) -> None:
    assert page.faults == []
    assert len(page.ids) == len(set(page.ids))


def test_the_page_needs_nothing_from_outside(page: Any, html: str) -> None:
    assert "://" not in html
    assert not re.search(r"""(src|href|url|import|fetch)\s*[=(]\s*["']?//""", html)
    assert [link for link in page.links if not link.startswith(("#", "data:"))] == []
    inner = {link[1:] for link in page.links if link.startswith("#")}
    assert inner - set(page.ids) == set()
    assert "fetch(" not in html
    assert "XMLHttpRequest" not in html
    assert "localStorage" not in html


def test_every_section_speaks_both_languages(page: Any) -> None:
    assert [s for s in page.ids if s in SECTIONS] == list(SECTIONS)
    chinese = re.compile("[一-鿿]")
    for section in SECTIONS:
        zh, en = page.text(section, "zh"), page.text(section, "en")
        assert chinese.search(zh), section
        assert re.search("[a-z]{4} [a-z]{2}", en), section
        assert "This" not in zh.replace("This report", "") or section != "answer"


def test_spans_of_the_two_languages_come_in_pairs(html: str) -> None:
    assert html.count('class="l-zh" lang="zh-CN"') == html.count('class="l-en" lang="en"') > 300
    assert html.count('class="picture l-zh"') == html.count('class="picture l-en"') > 8


def test_every_table_tells_its_denominator_in_both_languages(page: Any) -> None:
    assert len(page.tables) > 15
    assert [under for _, under in page.tables] == list(range(len(page.tables)))
    assert len(page.under) == len(page.tables)
    for (section, _), under in zip(page.tables, page.under, strict=True):
        assert re.search("分母|共 .* 条|每行为", under["zh"]), section
        assert re.search("Counted|entries|One row|weighted", under["en"]), section


def test_every_picture_is_described_in_both_languages(page: Any, html: str) -> None:
    n = html.count("<figure>")
    assert n > 8
    assert sum(lang == "zh-CN" for lang, alt in page.alts if len(alt) > 8) == n
    assert sum(lang == "en" for lang, alt in page.alts if len(alt) > 8) == n


def test_the_pages_font_draws_every_character_of_the_page(html: str) -> None:
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", html)
    assert missing_characters(text) == []


def test_the_page_is_small_and_its_pictures_hold_text_as_text(html: str) -> None:
    assert len(html.encode()) < 3_000_000
    assert html.count("<svg") == 2 * html.count("<figure>")
    assert html.count("<text") > 200


def test_the_same_rows_give_the_same_pictures(study_folder: Path) -> None:
    first, second = (answer.make(Context(load_study(study_folder), load_words())) for _ in range(2))
    assert any(isinstance(block, Picture) for block in first)
    assert first == second


@pytest.mark.slow
def test_the_same_tables_give_the_same_bytes_in_other_processes(study_folder: Path, html: str, root: Path) -> None:
    """The page is made in one, its sections in two that this one begins."""
    code = "import sys, pathlib; from sim.report import load_study, render; from sim.run.pool import map_in_processes\n"
    code += (
        f"with map_in_processes(2) as run: page = render(load_study(pathlib.Path({str(study_folder)!r})), run=run)\n"
    )
    code += "sys.stdout.buffer.write(page.encode())"
    other = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True).stdout
    assert other.decode() == html


def bare_study(folder: Path, study_folder: Path) -> Path:
    """A study directory with two tables only, quick to report on."""
    (folder / "tables").mkdir(parents=True)
    for name in ("arms", "headline"):
        shutil.copy(study_folder / "tables" / f"{name}.parquet", folder / "tables")
    return folder


def test_without_scripts_the_default_language_is_shown_and_the_other_hidden(study_folder: Path, tmp_path: Path) -> None:
    folder = bare_study(tmp_path / "study", study_folder)
    for language, code in (("zh", "zh-CN"), ("en", "en")):
        path = write_report(folder, lang_default=language)
        assert path == folder / "report.html"
        text = path.read_text(encoding="utf-8")
        assert f'<html lang="{code}" data-lang="{language}">' in text
        assert 'html[data-lang="zh"] .l-en, html[data-lang="en"] .l-zh { display: none; }' in text
    assert sorted(p.name for p in folder.iterdir()) == ["report.html", "tables"]


def test_a_study_with_two_tables_has_the_sections_that_these_can_fill(
    study_folder: Path, tmp_path: Path, take_apart: Any
) -> None:
    page = take_apart(render(load_study(bare_study(tmp_path / "study", study_folder))))
    assert [name for name in page.ids if name in SECTIONS] == ["answer", "times", "certainty", "reproduce"]
    assert "compare no pair" in page.text("answer", "en")
    assert 'hold no table "ecdf"' in page.text("times", "en")
    told = page.text("reproduce", "en")
    assert "Sections left out" in told
    assert "Kinds of incident; Hours of the day; Gains and losses by town" in told


@pytest.mark.parametrize("entry", [e for e in registered() if e.id in SECTIONS], ids=SECTIONS)
def test_a_section_is_shown_only_where_every_table_it_needs_holds_rows(study_folder: Path, entry: SectionEntry) -> None:
    study = load_study(study_folder)
    assert entry.is_shown(study)
    for name in entry.needs:
        rest = {key: table for key, table in study.tables.items() if key != name}
        assert not entry.is_shown(replace(study, tables=rest))
        assert not entry.is_shown(replace(study, tables={**rest, name: study.tables[name].iloc[:0]}))


def test_a_section_that_is_referred_to_is_told_by_its_number_on_this_page(study_folder: Path, page: Any) -> None:
    at = 1 + SECTIONS.index("assumptions")
    assert f"section {at} lists each" in page.text("answer", "en")
    assert f"第{at}节逐条列出" in page.text("answer", "zh")
    alone = Context(load_study(study_folder), load_words(), {"answer": 1})
    assert alone.see("assumptions") == Bi("“假定清单”一节", '"List of assumptions"')


def test_a_section_is_added_by_a_module_its_words_and_one_entry(
    study_folder: Path, tmp_path: Path, take_apart: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(context: Context) -> list[Block]:
        row = context.study.row("costs")
        assert row is not None
        return [Paragraph(context.words("costs.text", yuan=row["yuan"]) + context.see("times"))]

    module = ModuleType("sim.report.sections.costs")
    module.SECTION = SectionEntry("costs", needs=("costs",), make=make)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(sections, "ORDER", (*ORDER[:3], "costs", *ORDER[3:]))
    told = {"costs.title": Bi("费用", "Money"), "costs.text": Bi("{yuan}元，见", "{yuan} yuan, see ")}
    words = Words({**load_words().entries, **told})
    monkeypatch.setattr(build, "load_words", lambda: words)
    folder = bare_study(tmp_path / "study", study_folder)
    without = take_apart(render(load_study(folder)))
    assert "costs" not in without.ids
    pq.write_table(pa.table({"yuan": [7]}), folder / "tables" / "costs.parquet")
    page = take_apart(render(load_study(folder)))
    assert [name for name in page.ids if name in (*ORDER, "costs")] == [
        "answer", "times", "costs", "certainty", "reproduce",
    ]  # fmt: skip
    assert page.text("costs", "en").split() == ["3", "Money", "7", "yuan,", "see", "section", "2"]


def test_tables_are_read_only_when_a_section_asks_for_them(study_folder: Path, tmp_path: Path) -> None:
    folder = bare_study(tmp_path / "study", study_folder)
    (folder / "tables" / "another.parquet").write_bytes(b"not a table, and nobody reads it")
    assert "another.parquet" in {path.name for path in load_study(folder).files()}
    with pytest.raises(InputError, match=r"another\.parquet.*cannot be read as Parquet"):
        load_study(folder).table("another")


def test_a_figure_of_the_tables_is_the_figure_of_the_page(study_folder: Path, page: Any) -> None:
    rows = pq.read_table(study_folder / "tables" / "headline.parquet").to_pylist()
    row = next(
        r for r in rows
        if (r["arm"], r["year"], r["metric"], r["clock"]) == ("plan", 2026, "share_300", "arrival")
    )  # fmt: skip
    text = page.text("times", "en")
    assert f"{100 * row['value']:.1f}" in text
    assert f"[{100 * row['low']:.1f}, {100 * row['high']:.1f}]" in text
    assert f"({100 * row['mc_low']:.1f}, {100 * row['mc_high']:.1f})" in text
    assert f"{row['n_incidents']:,}" in text


def test_losers_and_worst_towns_are_named(study_folder: Path, page: Any) -> None:
    rows = pq.read_table(study_folder / "tables" / "contrasts.parquet").to_pylist()
    clear = {
        r["town"] for r in rows
        if r["scope"] == "town" and r["year"] == 2026
        and ((r["metric"] == "share_300" and r["high"] < 0) or (r["metric"] == "p90" and r["low"] > 0))
    }  # fmt: skip
    study = load_study(study_folder)
    losers = re.search(r"Losers by name [^:]*: ([^.]*)\.", page.text("towns", "en"))
    assert clear
    assert losers
    assert set(losers[1].split(", ")) == {study.town(town).en for town in clear}


def test_the_map_says_that_it_is_schematic_and_assumed(page: Any) -> None:
    assert "Schematic map" in page.text("towns", "en")
    assert "assumed cells" in page.text("towns", "en")
    assert "示意图" in page.text("towns", "zh")


MAKERS = {
    "contrasts": towns.make, "ecdf": times.make, "beyond": beyond.make, "one_more": one_more.make,
    "workload": workload.make, "queueing": workload.make, "indicators": indicators.make,
    "travel_worlds": variants.make, "replication_guide": certainty.make, "assumptions": assumptions.make,
}  # fmt: skip


@pytest.mark.parametrize("name", MAKERS)
def test_a_missing_table_is_one_line_of_its_section(study_folder: Path, name: str) -> None:
    study = load_study(study_folder)
    without = replace(study, tables={key: table for key, table in study.tables.items() if key != name})
    context = Context(without, load_words())
    lines = [b.text.en for b in MAKERS[name](context) if isinstance(b, Paragraph) and b.style == "missing"]
    expected = "compare no pair" if name == "contrasts" else f'hold no table "{name}"'
    assert len(lines) == 1
    assert expected in lines[0]


def test_a_study_without_its_city_folder_has_no_map_and_codes_for_names(study_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(study_folder, tmp_path / "study")
    shutil.rmtree(folder / "arms")
    study = load_study(folder)
    assert study.city is None
    assert study.town("nancheng") == Bi("nancheng", "nancheng")
    blocks = towns.make(Context(study, load_words()))
    assert any(isinstance(b, Paragraph) and "the map is left out" in b.text.en for b in blocks)


def test_a_study_without_any_empty_station_says_so(study_folder: Path) -> None:
    study = load_study(study_folder)
    without = replace(study, tables={key: t for key, t in study.tables.items() if key != "empty_stations"})
    blocks = workload.make(Context(without, load_words()))
    assert any(isinstance(b, Paragraph) and "No station opened" in b.text.en for b in blocks)


def test_a_folder_without_tables_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no tables"):
        write_report(tmp_path)


def test_a_broken_table_is_named(study_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(study_folder, tmp_path / "study")
    (folder / "tables" / "towns.parquet").write_bytes(b"PAR1 not a table")
    with pytest.raises(InputError, match=r"towns\.parquet.*cannot be read as Parquet"):
        write_report(folder)


def test_texts_from_the_tables_cannot_become_markup() -> None:
    assert str(both(Bi("<b>&", "<b>&"))) == "&lt;b&gt;&amp;"
    assert "<script>" not in str(both(Bi("甲<script>", "A<script>")))


def test_a_condition_stands_beside_the_main_comparison_on_its_own_replications(study_folder: Path, page: Any) -> None:
    rows = pq.read_table(study_folder / "tables" / "matched.parquet").to_pylist()
    row = next(r for r in rows if (r["arm"], r["metric"]) == ("plan_norm", "share_300"))
    table = " ".join(page.text("variants", "en").split())
    low, high = (f"{100 * row[key]:+.1f}" for key in ("low", "high"))
    assert f"{100 * row['diff']:+.1f} [{low}, {high}] +1.0 [−1.0, +3.0]" in table
    context = Context(load_study(study_folder), load_words())
    main = context.study.main()
    shown = None if main is None else answer._picture(context, main)
    assert shown is not None
    assert "Rings: the main comparison over only those replications" in shown.caption.en


def test_every_town_tells_chance_and_siting_apart(study_folder: Path, tmp_path: Path) -> None:
    study = load_study(study_folder)
    tables = {name: table.copy() for name, table in study.tables.items()}
    for name in ("towns", "contrasts"):
        tables[name]["mc_sd"], tables[name]["siting_sd"] = 0.03, 0.04
    blocks = towns.make(Context(replace(study, tables=tables), load_words()))
    table = [block for block in blocks if isinstance(block, Grid)][-1]
    assert "uncertainty" in table.caption.en
    assert len(table.rows) == 34
    # 0.03 and 0.04 of one: 3 and 4 points; siting has 16 of 25 parts of the variance
    assert [cell.text.en for cell in table.rows[0][1:7]] == ["3.00", "4.00", "64.0"] * 2
    assert table.rows[0][7].text.en == "2.00"


def test_rings_are_left_out_where_a_condition_has_all_replications(study_folder: Path) -> None:
    study = load_study(study_folder)
    matched = {key: {**row, "n_pairs": 30} for key, row in study.index.matched.items()}
    context = Context(replace(study, index=replace(study.index, matched=matched)), load_words())
    pictures = [block for block in answer.make(context) if isinstance(block, Picture)]
    assert "Rings" not in pictures[0].caption.en


def test_rare_kinds_are_told_in_the_table_and_not_drawn(study_folder: Path) -> None:
    drawn, table = (
        next(block for block in kinds.make(Context(load_study(study_folder), load_words())) if isinstance(block, kind))
        for kind in (Picture, Grid)
    )
    assert "home fire" in drawn.svg.en
    assert "tunnel rescue" not in drawn.svg.en
    assert "wasp nest" not in drawn.svg.en  # no fire and no rescue
    assert [row[0].text.en for row in table.rows] == [
        "home fire (fire)", "wasp nest (social help)", "tunnel rescue (rescue)",
    ]  # fmt: skip


def test_the_worst_hour_is_named_and_the_parts_of_the_day_add_up(study_folder: Path) -> None:
    blocks = hours.make(Context(load_study(study_folder), load_words()))
    assert isinstance(blocks[0], Paragraph)
    assert "lowest between 07–08 h" in blocks[0].text.en
    table = next(block for block in blocks if isinstance(block, Grid))
    assert sum(row[1].value or 0 for row in table.rows) == pytest.approx(1)
    assert len(table.rows) == 24


def test_without_differences_hours_and_kinds_are_told_by_their_levels(study_folder: Path) -> None:
    study = load_study(study_folder)
    rest = {key: table for key, table in study.tables.items() if not key.endswith("_contrasts")}
    context = Context(replace(study, tables=rest), load_words())
    for make, column in ((hours.make, 4), (kinds.make, 3)):
        table = next(block for block in make(context) if isinstance(block, Grid))
        assert {row[column].text.en for row in table.rows} == {"–"}
    assert not any(isinstance(block, Picture) for block in kinds.make(context))


def test_an_interaction_is_told_with_both_differences_its_measure_and_its_verdict(study_folder: Path) -> None:
    row = {
        "contrast": "more", "arm": "plan", "base": "nothing", "of_arm": "plan_norm",
        "of_base": "nothing_norm",
        "group": "rescue", "clock": "full_alarm", "metric": "p90", "year": 2026, "there": -31.0, "elsewhere": -20.0,
        "diff": -11.0, "low": -15.0, "high": -7.0, "mc_low": -13.0, "mc_high": -9.0, "p_adjusted": 0.004,
        "n_incidents": 1200, "n_pairs": 8, "is_equivalent": True,
    }  # fmt: skip
    study = load_study(study_folder)
    known = set(study.tables["arms"]["arm"])
    assert {row["arm"], row["base"]} <= known
    rows = [row, {**row, "p_adjusted": 0.3, "is_equivalent": False}]
    tables = {**study.tables, "interactions": pd.DataFrame(rows)}
    context = Context(replace(study, tables=tables), load_words())
    (table,) = [b for b in variants.make(context) if isinstance(b, Grid) and "Interactions" in b.caption.en]
    told = [[cell.text.en for cell in cells] for cells in table.rows]
    assert told[0][3] == "P90 response (s), rescues, whole first alarm"
    assert [text.partition(" ")[0] for text in told[0][4:7]] == ["−31", "−20", "−11"]
    assert [cells[8] for cells in told] == ["clear (within the declared bound)", "no clear difference"]
    assert not [
        b for b in variants.make(Context(study, load_words())) if isinstance(b, Grid) and "Inter" in b.caption.en
    ]
    # Page one counts every one of them once, also what is nothing at all or too small to be written.
    nothing, tiny = ({**row, "diff": d, "low": d, "high": d, "is_equivalent": False} for d in (0.0, -0.01))
    counted = Context(
        replace(study, tables=tables | {"interactions": pd.DataFrame([*rows, nothing, tiny])}), load_words()
    )
    summary = interactions_told(counted)
    assert summary is not None
    assert "Of 4 such" in summary.en
    assert "0 are clearly not zero, 2 are the same as zero within their bound, and 2 are not decided" in summary.en
