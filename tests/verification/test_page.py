"""The page of verification and validation is what a full run says, and its checklist is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.verification.page import part_of, with_parts
from sim.verification.registry import CASES
from sim.verification.stress import checklist, checklist_lines

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "verification.md").read_text(encoding="utf-8")
MONKS_2019 = ["1.1", "1.2", "1.3", "2.1", "2.2", "2.3", "2.4", *(f"2.5.{n}" for n in range(1, 6))]
MONKS_2019 += ["3.1", "3.2", "3.3", "3.4", "4.1", "4.2", "4.3", "5.1", "5.2", "5.3", "5.4", "6.1"]
"""Items of STRESS-DES."""


def test_every_item_of_the_checklist_is_answered_with_a_place_that_is_there():
    items = checklist()
    assert [item.number for item in items] == MONKS_2019
    assert all(item.answer and item.where for item in items)
    assert [path for item in items for path in item.where if not (DOCS / path).exists()] == []


def test_the_page_has_the_checklist_as_the_program_has_it_now():
    assert part_of(PAGE, "checklist") == "\n".join(checklist_lines()) + "\n"


def test_the_page_has_every_case_and_each_check_holds():
    results = part_of(PAGE, "results")
    assert [case.name for case in CASES if f"`{case.name}`" not in results] == []
    rows = [line for line in results.splitlines() if line.startswith("| ") and not line.startswith("| what")]
    assert len(rows) > 100
    assert [row for row in rows if not row.endswith("| holds |")] == []
    assert f", {len(rows)} checks, 0 do not hold." in results


def test_a_part_is_replaced_and_nothing_else():
    page = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n"
    assert with_parts(page, {"x": "new\n"}) == page.replace("old", "new")
    with pytest.raises(ValueError, match="substring not found"):
        with_parts(page, {"y": ""})


@pytest.mark.slow
def test_a_full_run_makes_the_page_anew(write_page):
    assert with_parts(PAGE, write_page.made_parts()) == PAGE
