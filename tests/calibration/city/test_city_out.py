"""`dgsim calibrate --city-out`: the folder is whole, says what it is, and its runs arrive as the records do."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml

from sim.cli import main
from tests.calibration.cities import compact

TWO_AREAS = """cell_id,area,x_m,y_m,crs,population
0,west,-2000,0,plane,100
1,east,2000,0,plane,100
"""


@dataclass(frozen=True)
class Made:
    """A city folder made from records, the records, and what the command said."""

    folder: Path
    records: Path
    said: str


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    base = tmp_path_factory.mktemp("folded")
    compact(base, 700, days=60)
    (base / "city" / "cells.csv").write_text(TWO_AREAS, encoding="utf-8")
    given = [str(base / "city"), str(base / "records"), "--out", str(base / "fit"), "--city-out", str(base / "model")]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["calibrate", *given]) == 0
    return Made(base / "model", base / "records", out.getvalue())


def test_check_city_finds_nothing_wrong(made, capsys):
    assert main(["check-city", str(made.folder)]) == 0
    assert "nothing is wrong" in capsys.readouterr().out


def test_first_arrivals_of_its_runs_are_within_a_tenth_of_the_records(made):
    off = {level: float(share) for level, share in re.findall(r"(P\d+) .* off by ([+-][\d.]+)%", made.said)}
    assert set(off) == {"P10", "P50", "P90"}
    assert abs(off["P50"]) < 10.0
    assert abs(off["P90"]) < 10.0


def test_the_quantiles_said_of_the_records_are_theirs(made):
    calls = pd.read_csv(made.records / "incidents.csv", parse_dates=["call"])
    units = pd.read_csv(made.records / "responses.csv", parse_dates=["arrival"])
    first = units.groupby("incident_id")["arrival"].min()
    took_s = (calls["id"].map(first) - calls["call"]).dt.total_seconds().dropna()
    said = re.search(r"P50 +recorded +([\d.]+)", made.said)
    assert said is not None
    assert float(said[1]) == pytest.approx(took_s.median(), abs=1.0)


def test_every_row_says_where_it_is_from(made):
    params = yaml.safe_load((made.folder.parent / "fit" / "params.yaml").read_text(encoding="utf-8"))["records"]
    names = f"records {params['sha256'][:12]} from {params['first']} to {params['last']}"
    for path in sorted(made.folder.glob("*.csv")):
        table = pd.read_csv(path)
        assert set(table["standing"]) <= {"fitted", "assumed"}
        is_own = table["source"].str.startswith(names) if len(table) else pd.Series([], dtype=bool)
        assert is_own.all() or path.name == "stations.csv", path.name
    choices = yaml.safe_load((made.folder / "choices.yaml").read_text(encoding="utf-8"))
    about = [entry for group in choices.values() if isinstance(group, dict) for entry in group["about"].values()]
    assert all(entry["source"].startswith(names) for entry in about)


def test_calls_a_year_are_as_many_as_the_records_hold(made):
    calls = pd.read_csv(made.records / "incidents.csv", parse_dates=["call"])
    days = (calls["call"].max() - calls["call"].min()).total_seconds() / 86_400.0
    choices = yaml.safe_load((made.folder / "choices.yaml").read_text(encoding="utf-8"))
    assert choices["demand"]["alarms_per_year"] == pytest.approx(len(calls) / days * 365.0, rel=0.02)


def test_cells_weigh_what_their_calls_do_and_add_to_a_million(made):
    cells = pd.read_csv(made.folder / "cells.csv")
    assert cells["population"].sum() == 1_000_000
    assert "calls" in cells["source"].iloc[0]
    assert "not residents" in (made.folder / "README.txt").read_text(encoding="utf-8")


def test_cells_are_of_the_area_of_the_given_cell_nearest_to_them(made):
    cells = pd.read_csv(made.folder / "cells.csv")
    assert set(cells["area"]) == {"west", "east"}
    assert ((cells["x_m"] < 0) == (cells["area"] == "west"))[cells["x_m"] != 0].all()
    assert pd.read_csv(made.folder / "areas.csv")["area"].tolist() == ["west", "east"]


def test_as_many_units_are_asked_for_as_came(made):
    calls = pd.read_csv(made.records / "incidents.csv")
    units = pd.read_csv(made.records / "responses.csv")
    came = units[units["arrival"].notna()].groupby("incident_id").size()
    recorded = calls.assign(n=calls["id"].map(came)).dropna(subset=["n"]).groupby("kind")["n"].mean()
    grades, cards = (pd.read_csv(made.folder / f"{name}.csv") for name in ("grades", "run_cards"))
    for kind, mean in recorded.items():
        own, needs = grades[grades["kind"] == kind], cards[cards["kind"] == kind]
        asked = sum(row.share * (needs["from_grade"] <= row.grade).sum() for row in own.itertuples()) / 100_000
        assert asked == pytest.approx(mean, rel=0.02), kind


def test_what_is_lost_is_said_by_the_command_and_in_the_folder(made):
    told = re.findall(r"^  - (.*)$", made.said, re.MULTILINE)
    assert any(line.startswith("turnout by station") for line in told)
    readme = (made.folder / "README.txt").read_text(encoding="utf-8")
    assert [line[2:] for line in readme.splitlines() if line.startswith("- ")] == told


def test_a_folder_with_files_is_not_written_over(made, capsys):
    held = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made.folder.iterdir()}
    given = [str(made.folder.parent / "city"), str(made.records), "--city-out", str(made.folder)]
    assert main(["calibrate", *given]) == 2
    assert "--city-out" in capsys.readouterr().err
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made.folder.iterdir()} == held
