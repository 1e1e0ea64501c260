"""The parameter file: what was fitted, how well it is known, and from which records."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import yaml

from calibration.fit.choice import choices, passed_over, revealed_order
from calibration.fit.params import choice_part, sent_part, times_part, travel_part, write_params
from calibration.fit.sent import Responses, fit_sent
from calibration.fit.times import fit_times
from calibration.fit.travel import fit_travel
from calibration.scores import Known, observed


def test_the_file_holds_estimates_errors_and_the_records_digest(tmp_path):
    rng = np.random.default_rng(1)
    day, kind = np.arange(400) // 10, rng.integers(0, 2, 400)
    times = fit_times(observed(np.exp(4 + 0.5 * rng.normal(size=400))), day, [kind], families=("lognormal",))
    known = Known(rng.gamma(2, 1500, 400), {"station": kind})
    travel = fit_travel(observed(100 + 0.08 * known.distance), known, day, curves=("line",))
    parts = {"turnout": times_part(times), "travel": travel_part(travel)}
    write_params(tmp_path / "params.yaml", parts, digest="ab12", first=date(2024, 1, 1), last=date(2024, 2, 9))
    read = yaml.safe_load((tmp_path / "params.yaml").read_text(encoding="utf-8"))
    assert read["records"] == {"sha256": "ab12", "first": "2024-01-01", "last": "2024-02-09"}
    mean = read["turnout"]["parameters"]["mean_log"]
    assert abs(mean["value"] - 4) < 4 * mean["se"] < 0.2
    assert set(read["turnout"]["effects"][0]["log_factor"]) == {0, 1}
    assert abs(np.exp(read["travel"]["parameters"]["log_a"]["value"]) - 100) < 1
    assert read["travel"]["effects"]["station"]["tau"] < 0.01


def test_which_station_serves_and_which_units_are_plain_values_with_their_errors():
    seen = choices(
        np.array([[100.0, 200.0]]), np.zeros((1, 2)), np.zeros(40, int), np.array([0] * 30 + [1] * 10), np.arange(40)
    )
    order = revealed_order(seen)
    written = yaml.safe_load(yaml.safe_dump(choice_part(order, passed_over(seen, order))))
    assert written["stations_raised"] == 0
    assert written["passed_over"][1] == {"value": 0.25, "se": pytest.approx(np.sqrt(40 / 39 * 0.1875 / 40), rel=1e-5)}
    assert written["nearest_was"]["unknown"]["value"] == 0.25
    assert not written["is_identified"]
    unit = np.arange(80) % 2
    both = Responses(np.arange(80) // 2, unit, np.zeros(80), np.zeros(80, bool), np.ones(80, bool))
    sent = fit_sent(np.zeros(40, int), np.arange(40), 2, both)
    written = yaml.safe_load(yaml.safe_dump(sent_part(sent, ["fire", "rescue"], ["engine", "ladder"])))
    assert written["kinds"]["fire"]["patterns"] == {"engine + ladder": 1.0}
    assert written["kinds"]["fire"]["units"] == {"value": 2.0, "se": 0.0}
    assert written["kinds"]["rescue"]["units"] == {"value": None, "se": None}
    assert written["kinds"]["rescue"]["is_filled_up"]
    assert written["assumed"] == ["kind 1: 0 calls with units, filled up to 30 with all calls"]
