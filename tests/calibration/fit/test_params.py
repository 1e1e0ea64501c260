"""The parameter file: what was fitted, how well it is known, and from which records."""

from __future__ import annotations

from datetime import date

import numpy as np
import yaml

from calibration.fit.params import times_part, travel_part, write_params
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
