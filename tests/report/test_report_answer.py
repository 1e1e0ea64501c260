"""The sentence on page one says what the intervals allow, and no more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sim.report.blocks import Facts, Grid, Paragraph, Picture
from sim.report.context import Context
from sim.report.sections.answer import answer, make
from sim.report.study import Study, load_study
from sim.report.texts import Bi, load_words


@pytest.fixture(scope="module")
def study(study_folder: Path) -> Study:
    return load_study(study_folder)


def told(study: Study, p_adjusted: float = 0.001, **diffs: tuple[float, float, float]) -> list[Bi]:
    """The paragraphs of the answer when the main differences of 2026 are these (diff, low, high)."""
    pair = study.main()
    assert pair is not None
    contrasts = dict(study.index.contrasts)
    for metric, (diff, low, high) in diffs.items():
        key = (pair.arm, pair.base, metric, 2026)
        contrasts[key] = {**contrasts[key], "diff": diff, "low": low, "high": high, "p_adjusted": p_adjusted}
    changed = replace(study, index=replace(study.index, contrasts=contrasts))
    blocks = answer(Context(changed, load_words()), pair)
    return [block.text for block in blocks if isinstance(block, Paragraph)]


def test_a_clear_gain_is_told_with_its_size_and_interval(study: Study) -> None:
    text = told(study, share_300=(0.07, 0.05, 0.09), p90=(-41.0, -60.0, -22.0))[0]
    assert "7.0 points more (95 % interval 5.0 to 9.0)" in text.en
    assert "41 s shorter (22 to 60)" in text.en
    assert "高 7.0 个百分点（95%区间 5.0 至 9.0）" in text.zh
    assert "缩短 41 秒（22 至 60）" in text.zh


def test_a_null_result_within_its_declared_bound_is_told_as_a_result(study: Study) -> None:
    pair = study.main()
    assert pair is not None
    key = (pair.arm, pair.base, "share_300", 2026)
    row = {**study.index.contrasts[key], "diff": 0.001, "low": -0.002, "high": 0.004, "equivalence": 0.005}
    texts = {}
    for is_same in (True, False):
        contrasts = {**study.index.contrasts, key: row | {"is_equivalent": is_same}}
        changed = replace(study, index=replace(study.index, contrasts=contrasts))
        blocks = answer(Context(changed, load_words()), pair)
        texts[is_same] = " ".join(block.text.en for block in blocks if isinstance(block, Paragraph))
    assert "the same as far as it matters in: Within 5 min (±0.5 points)" in texts[True]
    assert "as far as it matters" not in texts[False]


def test_page_one_says_in_how_many_plausible_worlds_the_answer_holds(study: Study) -> None:
    """0.95 of the 40 worlds of the made-up study; a second scheme in 0.5 of them."""
    assert "in 38 of 40 worlds" in " ".join(text.en for text in told(study))
    robust, other = study.tables["robustness"], study.pairs()[1]
    own = robust[robust["arm"] == study.pairs()[0].arm].assign(arm=other.arm, base=other.base, share_better=0.5)
    both = dict(study.tables) | {"robustness": pd.concat([robust, own])}
    assert f'against "{study.label(other.base).en}" in 20.' in " ".join(
        text.en for text in told(replace(study, tables=both))
    )
    rest = {name: table for name, table in study.tables.items() if name != "robustness"}
    assert "worlds" not in " ".join(text.en for text in told(replace(study, tables=rest)))


def test_a_clear_loss_is_told_as_a_loss(study: Study) -> None:
    text = told(study, share_300=(-0.02, -0.03, -0.01), p90=(30.0, 20.0, 40.0))[0]
    assert "2.0 points fewer (95 % interval 1.0 to 3.0)" in text.en
    assert "30 s longer (20 to 40)" in text.en
    assert "低 2.0 个百分点" in text.zh


@pytest.mark.parametrize("ends", [(-0.01, 0.03), (0.0, 0.03), (float("nan"), float("nan"))])
def test_no_clear_difference_is_claimed_when_the_interval_holds_zero_or_is_not_known(
    study: Study, ends: tuple[float, float]
) -> None:
    text = told(study, share_300=(0.01, *ends))[0]
    assert "no clear difference" in text.en
    assert "没有明确差别" in text.zh
    assert "points more" not in text.en


def test_a_declared_difference_that_fails_the_correction_is_not_called_clear(study: Study) -> None:
    text = told(study, share_300=(0.02, 0.01, 0.03), p_adjusted=0.2)[0]
    assert "no clear difference" in text.en
    assert "(95 % interval +1.0 to +3.0; not clear once corrected for the number of contrasts)" in text.en
    assert "经多重校正后不明确" in text.zh
    assert "which holds zero" not in text.en


def test_the_other_conditions_are_counted_by_sign_and_clearness(study: Study) -> None:
    better, worse = (
        " ".join(text.en for text in told(study, share_300=ends))
        for ends in ((0.07, 0.05, 0.09), (-0.07, -0.09, -0.05))
    )
    assert "all 4 other conditions" in better
    assert "the same sign in 0, and is clear by itself in 0" in worse


def test_the_main_pair_comes_first_and_conditions_are_named_by_what_they_share(study: Study) -> None:
    pairs = study.conditions()
    assert (pairs[0].arm, pairs[0].base) == ("plan", "nothing")
    assert [p.label for p in pairs[1:]] == [
        Bi("人员恒定 0.26‰", "staff constant at 0.26 permille"),
        Bi("属地优先", "own town first"),
        Bi("标准车速", "norm speeds"),
        Bi("拥堵车速", "congested speeds"),
    ]


def test_page_one_names_the_common_staff_path_and_the_result_beside_it(page: Any) -> None:
    assert "0.26 → 0.40 (from 2024-01-01) → 0.45 (from 2026-01-01) per thousand residents" in page.text("answer", "en")
    assert "0.26 → 0.40（2024-01-01起） → 0.45（2026-01-01起）" in page.text("answer", "zh")
    assert 'in the line "staff constant at 0.26 permille"' in page.text("answer", "en")


def test_page_one_tells_the_two_schemes_and_three_figures_of_the_main_comparison(study: Study) -> None:
    blocks = make(Context(study, load_words()))
    facts = [block for block in blocks if isinstance(block, Facts)]
    assert [[name.en for name, _ in one.rows] for one in facts] == [["build nothing", "build as planned"]]
    table = next(block for block in blocks if isinstance(block, Grid))
    assert [row[0].text.en for row in table.rows] == ["Within 5 min (%)", "Median P50 (s)", "P90 (s)"]
    assert sum(isinstance(block, Picture) for block in blocks) == 1


def test_a_second_main_scheme_stands_on_page_one_too(study: Study) -> None:
    arms = {
        name: {**row, "purpose": "main" if "own" in name else row["purpose"]} for name, row in study.index.arms.items()
    }
    blocks = make(Context(replace(study, index=replace(study.index, arms=arms)), load_words()))
    facts = next(block for block in blocks if isinstance(block, Facts))
    assert [name.en for name, _ in facts.rows] == [
        "build nothing", "build as planned", "build as planned (own town first)",
    ]  # fmt: skip
    table = next(block for block in blocks if isinstance(block, Grid))
    assert [row[0].text.en for row in table.rows] == [
        "build as planned",
        "build as planned (own town first) vs build nothing (own town first)",
    ]
