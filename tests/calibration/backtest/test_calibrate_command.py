"""`dgsim calibrate`: what it writes, and that the page says what the parameters say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from sim.cli import main
from sim.report.font import missing_characters

FIRST, LAST = "2021-01-05", "2021-02-05"


@pytest.fixture(scope="module")
def fit(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fit") / "small"
    given = ["calibrate", str(small / "city"), str(small / "records"), "--from", FIRST, "--until", LAST]
    assert main([*given, "--out", str(out)]) == 0
    return out


def test_the_calls_of_the_days_asked_for_are_fitted(fit, small):
    params = yaml.safe_load((fit / "params.yaml").read_text(encoding="utf-8"))
    assert params["records"]["first"] == FIRST
    assert params["records"]["last"] == LAST
    calls = pd.read_csv(small / "records" / "incidents.csv", dtype=str)
    day = calls["call"].str[:10]
    is_used = (day >= FIRST) & (day <= LAST) & calls["dispatch"].notna() & (calls.get("cancelled", "no") != "yes")
    assert params["handling"]["n"] == int(is_used.sum())


def test_medians_of_the_parameters_are_near_those_of_the_records(fit, small):
    params = yaml.safe_load((fit / "params.yaml").read_text(encoding="utf-8"))
    units = pd.read_csv(small / "records" / "responses.csv", parse_dates=["dispatch", "en_route"])
    units = units[(units["dispatch"] >= FIRST) & (units["dispatch"] < "2021-02-06")]
    median = (units["en_route"] - units["dispatch"]).dt.total_seconds().median()
    assert params["turnout"]["quantiles_s"]["p50"]["value"] == pytest.approx(median, rel=0.1)


def test_its_page_has_its_sections_and_its_font_draws_all_of_it(fit):
    html = (fit / "report.html").read_text(encoding="utf-8")
    assert re.findall(r'<section id="([a-z]+)"', html) == [
        "answer", "hours", "sites", "way", "sending", "units", "demand", "records", "limits", "reproduce",
    ]  # fmt: skip
    assert missing_characters(html) == []
    assert not re.findall(r"https?://", html)
    n = yaml.safe_load((fit / "params.yaml").read_text(encoding="utf-8"))["travel"]["n"]
    assert f"{n:,} journeys" in html


def test_the_same_fit_is_not_made_again_and_another_span_is_refused(fit, small, capsys):
    given = ["calibrate", str(small / "city"), str(small / "records"), "--out", str(fit)]
    assert main([*given, "--from", FIRST, "--until", LAST]) == 0
    assert "nothing done" in capsys.readouterr().out
    assert main([*given, "--from", FIRST]) == 2
    record = json.loads((fit / "record.json").read_text(encoding="utf-8"))
    assert record["inputs"]["options"]["last"] == LAST
