"""`dgsim backtest`: what it writes, that it writes it again alike, and that nothing half-made stays."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from calibration.commands.made import Inputs, is_made, write_directory
from calibration.page.context import words
from calibration.records import read_records
from calibration.scores import verdict
from sim.cli import main
from sim.provenance import sha256_of_file
from sim.report.font import missing_characters

FILES = [
    "account.csv", "account_summary.csv", "params.yaml", "quantiles.parquet", "record.json", "report.html",
    "scores.json", "timings.json",
]  # fmt: skip
LEVELS = ("0.025", "0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95", "0.975")


@pytest.fixture(scope="module")
def table(made: Path) -> pd.DataFrame:
    return pd.read_parquet(made / "quantiles.parquet")


@pytest.fixture(scope="module")
def scores(made: Path) -> dict:
    return json.loads((made / "scores.json").read_text(encoding="utf-8"))


def test_it_writes_its_files_and_nothing_half_made_stays(made):
    assert sorted(path.name for path in made.iterdir()) == FILES
    assert [path.name for path in made.parent.iterdir()] == [made.name]


def test_a_row_holds_what_the_records_say_of_the_call(small, table):
    read = pd.read_csv(small / "records" / "incidents.csv", dtype=str, parse_dates=["call", "arrival"])
    row = table.iloc[17]
    of = read[read["id"] == row["incident"]].iloc[0]
    assert row["call"] == of["call"]
    assert row["kind"] == of["kind"]
    units = pd.read_csv(small / "records" / "responses.csv", parse_dates=["arrival"])
    arrivals = units[units["incident_id"] == row["incident"]]["arrival"].dropna().sort_values()
    assert row["first_recorded_s"] == (arrivals.iloc[0] - of["call"]).total_seconds()


def test_quantiles_rise_and_shares_within_agree_with_them(table):
    quantiles = table[[f"first_q_{level}" for level in LEVELS]].to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0.0).all()
    within = table[[f"first_within_{minutes}" for minutes in (4, 5, 6, 8, 10, 15)]].to_numpy()
    assert (np.diff(within, axis=1) >= 0.0).all()
    is_half = table["first_q_0.5"] <= 300.0
    assert (table.loc[is_half, "first_within_5"] >= 0.5).all()
    assert ((table["first_pit_low"] < table["first_pit_high"]) & (table["first_pit_high"] <= 1.0)).all()


def test_the_scores_are_those_of_the_rows(table, scores):
    assert scores["first"]["by_call"]["crps_s"] == pytest.approx(table["first_crps_s"].mean(), rel=1e-12)
    assert scores["first"]["all_calls"]["n"] == len(table)
    assert scores["second"]["all_calls"]["n"] == int(table["second_crps_s"].notna().sum())
    five = next(each for each in scores["first"]["by_call"]["briers"] if each["threshold_s"] == 300.0)
    assert five["observed_share"] == pytest.approx((table["first_recorded_s"] <= 300.0).mean(), rel=1e-12)
    assert five["forecast_share"] == pytest.approx(table["first_within_5"].mean(), rel=1e-12)


def test_the_last_quarter_of_the_days_is_held_out(small, table, made):
    record = json.loads((made / "record.json").read_text(encoding="utf-8"))
    days = pd.read_csv(small / "records" / "incidents.csv")["call"].str[:10]
    last = pd.Timestamp(days.max())
    n_days = (last - pd.Timestamp(days.min())).days + 1
    split = last - pd.Timedelta(days=round(n_days * 0.25) - 1)
    assert record["inputs"]["options"]["split"] == str(split.date())
    assert table["call"].min() >= split


def test_the_record_names_every_file_but_the_times_taken(made, small):
    record = json.loads((made / "record.json").read_text(encoding="utf-8"))
    assert sorted(record["files"]) == [name for name in FILES if name not in ("record.json", "timings.json")]
    assert all(sha256_of_file(made / name) == digest for name, digest in record["files"].items())
    digest = read_records(small / "records").digest
    assert record["inputs"]["records"]["sha256"] == digest
    assert record["command"].startswith("dgsim backtest ")
    assert "--out" not in record["command"]


def test_the_parameters_name_their_records_and_every_station(made, small):
    params = yaml.safe_load((made / "params.yaml").read_text(encoding="utf-8"))
    assert params["standing"] == "fitted"
    city = yaml.safe_load((small / "city" / "city.yaml").read_text(encoding="utf-8"))
    assert params["plane"] == city["plane"]
    assert params["records"]["sha256"] == read_records(small / "records").digest
    stations = pd.read_csv(small / "city" / "stations.csv")["station"]
    assert set(params["travel"]["effects"]["station"]["log_factor"]) <= set(stations)
    assert set(params["fleet"]["units"]) == set(stations)
    assert set(params["units_sent"]["kinds"]) == set(params["ends"])
    assert all("se" in value for value in params["travel"]["parameters"].values())


def test_the_same_command_gives_the_same_bytes_but_for_the_times_taken(made, small, tmp_path, monkeypatch):
    monkeypatch.setattr(verdict, "SPEED_S", 1e9)
    again = tmp_path / "again"
    assert main(["backtest", str(small / "city"), str(small / "records"), "--draws", "20", "--out", str(again)]) == 0
    for name in FILES:
        is_same = (again / name).read_bytes() == (made / name).read_bytes()
        assert is_same or name == "timings.json", name
    timings = json.loads((again / "timings.json").read_text(encoding="utf-8"))
    assert 0.0 < timings["clean_and_fit_s"] < timings["whole_s"]


def arguments(small: Path, out: Path, *more: str) -> list[str]:
    return ["backtest", str(small / "city"), str(small / "records"), "--draws", "20", "--out", str(out), *more]


def test_what_is_there_already_is_not_made_again(made, small, capsys):
    before = {path.name: path.stat().st_mtime_ns for path in made.iterdir()}
    assert main(arguments(small, made)) == 0
    assert "nothing done" in capsys.readouterr().out
    assert {path.name: path.stat().st_mtime_ns for path in made.iterdir()} == before


def test_another_seed_is_refused_with_what_differs(made, small, capsys):
    assert main(arguments(small, made, "--seed", "1")) == 2
    told = capsys.readouterr().err
    assert "was made from other records, options or program (options)" in told
    assert "--fresh" in told


def test_a_folder_that_holds_something_else_is_left_alone(small, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    assert main(arguments(small, tmp_path)) == 2
    assert main(arguments(small, tmp_path, "--fresh")) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert "holds something else than a finished backtest" in capsys.readouterr().err


def test_what_is_interrupted_leaves_nothing_behind(tmp_path):
    inputs = Inputs("backtest", "dgsim backtest", {"records": {}})

    def interrupt(folder: Path) -> None:
        (folder / "params.yaml").write_text("half", encoding="utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_directory(tmp_path / "cut", inputs, interrupt, dict)
    assert list(tmp_path.iterdir()) == []
    write_directory(tmp_path / "whole", inputs, lambda folder: None, dict)
    assert is_made(tmp_path / "whole", inputs)
    assert not is_made(tmp_path / "cut", inputs)


def test_the_page_opens_without_a_network_and_its_font_draws_all_of_it(made):
    html = (made / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r"https?://", html)
    assert missing_characters(html) == []
    ids = re.findall(r'<section id="([a-z]+)"', html)
    assert ids == [
        "answer", "distribution", "calls", "skill", "groups", "load", "drawn", "records", "limits", "measured",
        "reproduce",
    ]  # fmt: skip
    assert html.count("<svg") % 2 == 0


def test_the_page_says_what_the_scores_say(made, scores):
    html = (made / "report.html").read_text(encoding="utf-8")
    assert scores["sentence"]["zh"] in html
    assert scores["sentence"]["en"] in html
    for figure in scores["figures"].values():
        assert figure["name"]["en"] in html.replace("&#39;", "'")
    assert re.search(r"\d+(\.\d)? s[;,<]", html.split("time to clean and fit")[1][:400]) is None


def test_every_sentence_has_both_languages():
    for key, text in words().items():
        assert text.zh, key
        assert text.en, key
        assert set(re.findall(r"\{(\w+)\}", text.zh)) == set(re.findall(r"\{(\w+)\}", text.en)), key
