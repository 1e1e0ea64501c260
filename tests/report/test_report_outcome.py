"""The section on deaths and losses is called an estimate, tells ranges, and prints the standing of what it rests on."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.report import load_study, render
from sim.report.blocks import Grid, Paragraph
from sim.report.context import Context
from sim.report.sections import ORDER, outcome
from sim.report.texts import load_words


@pytest.fixture
def folder(study_folder: Path, tmp_path: Path) -> Path:
    """The made-up study, with a setting of the estimate among its assumptions."""
    found = Path(copytree(study_folder, tmp_path / "study"))
    path = found / "tables" / "assumptions.parquet"
    known = pq.read_table(path)
    more = {"key": "outcome.fall_per_min", "value": "[0.015, 0.03, 0.045]", "standing": "assumed", "source": "abroad"}
    rows = [*known.to_pylist(), {name: more.get(name) for name in known.column_names}]
    pq.write_table(pa.Table.from_pylist(rows, schema=known.schema), path)
    return found


def test_the_schemes_stand_with_ranges_chance_and_the_standing_of_every_number(folder: Path) -> None:
    warning, schemes, standings = outcome.make(Context(load_study(folder), load_words()))
    assert isinstance(warning, Paragraph)
    assert warning.style == "warn"
    assert "estimate" in warning.text.en
    assert isinstance(schemes, Grid)
    plan = schemes.rows[1]
    assert [cell.text.en for cell in plan[2:6]] == ["15.8", "0.158", "1.20", "±0.10"]
    assert [plan[at].interval for at in (2, 4)] == ["[8.7, 16.0]", "[0.30, 1.90]"]
    assert [schemes.rows[0][at].text.en for at in (1, 4)] == ["–", "–"]
    assert "4,950" in schemes.denominator.en
    assert isinstance(standings, Grid)
    assert [row[0].text.en for row in standings.rows] == ["outcome.fall_per_min"]
    assert standings.rows[0][2].text.en == "assumed"


def test_it_is_the_last_section_and_only_there_when_asked_for(folder: Path) -> None:
    assert ORDER[-1] == "outcome"
    assert 'id="outcome"' in render(load_study(folder), "en")
    (folder / "tables" / "outcome.parquet").unlink()
    assert 'id="outcome"' not in render(load_study(folder), "en")
