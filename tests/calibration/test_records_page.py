"""docs/records.md says what the declarations say, and its example comes out as printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from calibration.records import read_records
from calibration.records.page import renewed


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "records.md").read_text(encoding="utf-8")


def example(page: str, name: str) -> str:
    found = re.search(rf"<!-- example: {re.escape(name)} -->\n```\w*\n(.*?)```", page, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_tables_of_the_page_are_those_of_the_declarations(page: str) -> None:
    assert page == renewed(page), "run: python -m calibration.records.page docs/records.md"
    assert "`duplicate_id`" in page


def test_the_worked_example_comes_out_as_printed(page: str, tmp_path: Path) -> None:
    for name in ("incidents.csv", "records.yaml"):
        (tmp_path / name).write_text(example(page, name), encoding="utf-8")
    records = read_records(tmp_path)
    assert records.account.text() == example(page, "account").rstrip("\n")
    assert records.incidents.set_index("id").loc["2", "arrival_s"] == 900
