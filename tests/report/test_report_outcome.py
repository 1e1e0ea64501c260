"""The section on deaths and losses is called an estimate, tells ranges, and prints the standing of what it rests on."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.report import load_study, render
from sim.report.blocks import Grid, Paragraph
from sim.report.context import Context
from sim.report.sections import ORDER, outcome
from sim.report.texts import load_words

RANGE = ("low", "likely", "high")


def estimate(arm: str, base: str, deaths: tuple[float, ...], saved: tuple[float, ...]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "arm": arm,
        "base": base,
        "year": 2026,
        "n_fires": 4950.0,
        "n_replications": 30,
        "n_pairs": 30,
    }
    row |= {"scaled_arm": "nothing", "scaled_year": 2022, "saved_deaths_chance": 0.123, "saved_loss_chance": 1e5}
    told = {"deaths": deaths, "saved_deaths": saved, "loss": (3e7, 4e7, 8e7), "saved_loss": (1e6, 2e6, 4e6)}
    told["per_100k"] = tuple(value / 100 for value in deaths)
    return row | {f"{name}_{part}": v for name, of in told.items() for part, v in zip(RANGE, of, strict=True)}


@pytest.fixture
def folder(study_folder: Path, tmp_path: Path) -> Path:
    found = Path(copytree(study_folder, tmp_path / "study"))
    nan = (float("nan"),) * 3
    rows = [
        estimate("nothing", "", (9.0, 17.0, 17.0), nan),
        estimate("plan", "nothing", (8.7, 15.8, 16.0), (0.3, 1.2, 1.9)),
    ]
    pq.write_table(pa.Table.from_pylist(rows), found / "tables" / "outcome.parquet")
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
    assert [cell.text.en for cell in plan[2:6]] == ["15.8", "0.158", "1.20", "±0.12"]
    assert [plan[at].interval for at in (2, 4)] == ["[8.7, 16.0]", "[0.30, 1.90]"]
    assert [schemes.rows[0][at].text.en for at in (1, 4)] == ["–", "–"]
    assert "4,950" in schemes.denominator.en
    assert isinstance(standings, Grid)
    assert [row[0].text.en for row in standings.rows] == ["outcome.fall_per_min"]
    assert standings.rows[0][2].text.en == "assumed"


def test_it_is_the_last_section_and_only_there_when_asked_for(folder: Path, study_folder: Path) -> None:
    assert ORDER[-1] == "outcome"
    title = load_words()["outcome.title"].en
    assert f">{title}<" in render(load_study(folder), "en").replace("\n", "")
    assert 'id="outcome"' not in render(load_study(study_folder), "en")
    assert 'id="outcome"' in render(load_study(folder), "en")
