"""Days of stress and rare incidents side by side, from small tables whose answers are worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.compare.parts import Arm, Replication
from sim.compare.planted import planted_of_arm, rare_levels, rare_pairs, stress_levels, weighted_quantiles
from sim.metrics.store import REPLICATION_SCHEMAS, write_columns

S = 1000


def _planted(folder: Path, causes: list[str], arrivals_s: list[float], per_year: list[float]) -> None:
    n = len(causes)
    arrival = np.array([-1 if s < 0 else round(s * S) for s in arrivals_s], dtype=np.int64)
    columns = {
        "identity": np.arange(n, dtype=np.uint64),
        "cause": np.array(causes, dtype=object),
        "per_year": np.array(per_year),
        "first_arrival_ms": arrival,
        "first_critical_ms": arrival,
        "full_alarm_ms": arrival,
        "is_alone": np.array([i > 0 for i in range(n)]),
        "n_ready_before": np.full(n, 100),
        "n_ready_after": np.arange(n) + 90,
        "kept_after_ppm": np.full(n, 900_000),
    }
    folder.mkdir(parents=True)
    write_columns(folder / "planted.parquet", columns, "planted", REPLICATION_SCHEMAS["planted"])


def _stress(folder: Path, waited: int, back_h: float) -> None:
    plain = dict.fromkeys(("n_incidents", "n_never_met", "n_unfilled", "n_dispatched", "n_help", "n_ready_lowest"), 5)
    plain |= {"n_waited": waited, "longest_wait_ms": 9 * S, "n_headline": 4, "n_within_300": 1, "n_arrived": 4}
    plain |= {"sum_arrival_ms": 1_600 * S, "kept_lowest_ppm": 700_000, "back_ms": round(back_h * 3_600_000)}
    columns = {"causes": np.array(["flood"], dtype=object)} | {name: np.array([v]) for name, v in plain.items()}
    write_columns(folder / "stress.parquet", columns, "stress", REPLICATION_SCHEMAS["stress"])


def _arm(name: str, folders: list[Path]) -> Arm:
    return Arm(name, tuple(Replication(i, f"w{i}", folder) for i, folder in enumerate(folders)))


def _row(table, **wanted):
    chosen = np.ones(len(table["arm"]), dtype=bool)
    for name, value in wanted.items():
        chosen &= table[name] == value
    (at,) = np.flatnonzero(chosen)
    return {name: values[at] for name, values in table.items()}


def test_classes_together_are_weighted_by_what_a_year_brings_of_them(tmp_path):
    """Two of a class that comes nine times a year each, two that come half a time: the median lies among the first."""
    _planted(tmp_path / "a", ["often", "often", "seldom", "seldom"], [100, 200, 900, -1], [9.0, 9.0, 0.5, 0.5])
    table = rare_levels(_arm("plan", [tmp_path / "a"]))
    together = _row(table, cause="", clock="arrival", metric="p50")
    assert (together["value"], together["n_planted"], together["per_year"]) == (200, 4, 19)
    assert _row(table, cause="", clock="arrival", metric="never")["value"] == pytest.approx(0.5 / 19)
    seldom = _row(table, cause="seldom", clock="arrival", metric="p90")
    assert np.isinf(seldom["value"])
    assert _row(table, cause="often", clock="arrival", metric="p50")["value"] == 100
    assert _row(table, cause="often", clock="arrival", metric="p50")["n_not_alone"] == 1
    assert _row(table, cause="often", clock="arrival", metric="p50")["ready_least"] == 90


def test_a_weighted_quantile_is_the_least_value_that_holds_its_share():
    values, weight = np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 1.0])
    assert weighted_quantiles(values, weight, (0.0, 0.5, 0.51, 0.75, 1.0, 1.2)) == [1, 1, 2, 2, 3, 3]


def test_rare_incidents_are_paired_and_what_never_came_is_the_longest(tmp_path):
    """Replications with mean differences -20 and -40 over two incidents each: -30, with half of t(1) x 10."""
    for name, first, second in (("base", [100, 200, 300], [100, 200, -1]), ("plan", [80, 180, 300], [60, 160, 500])):
        for number, arrivals in enumerate((first, second)):
            _planted(tmp_path / name / str(number), ["x", "x", "y"], arrivals, [1.0, 1.0, 1.0])
    arms = {name: _arm(name, [tmp_path / name / "0", tmp_path / name / "1"]) for name in ("base", "plan")}
    table = rare_pairs(arms["plan"], arms["base"])
    x = _row(table, cause="x", clock="arrival")
    assert (x["diff_s"], x["n_pairs"], x["share_faster"]) == (-30, 4, 1)
    assert x["high"] - x["diff_s"] == pytest.approx(12.7062 * 10, rel=1e-4)
    y = _row(table, cause="y", clock="arrival")
    assert (y["diff_s"], y["share_faster"], y["share_slower"]) == (0, 0.5, 0)


def test_a_day_of_stress_is_told_as_means_over_replications_and_one_that_is_not_back_counts_as_the_horizon(tmp_path):
    for number, (waited, back_h) in enumerate(((4, 10.0), (8, -1 / 3_600_000))):
        _planted(tmp_path / str(number), ["flood"], [100], [0.0])
        _stress(tmp_path / str(number), waited, back_h)
    arm = _arm("plan", [tmp_path / "0", tmp_path / "1"])
    table = stress_levels(arm)
    waited = _row(table, metric="n_waited")
    assert (waited["value"], waited["causes"], waited["n_replications"]) == (6, "flood", 2)
    assert waited["high"] - waited["value"] == pytest.approx(12.7062 * 2, rel=1e-4)
    assert _row(table, metric="back_h")["value"] == (10 + 72) / 2
    assert _row(table, metric="not_back")["value"] == 0.5
    assert _row(table, metric="share_300")["value"] == 0.25
    assert _row(table, metric="mean_arrival_s")["value"] == 400
    assert set(planted_of_arm(arm)) == {"stress", "rare"}


def test_arms_without_planted_incidents_have_no_such_tables(tmp_path):
    assert planted_of_arm(_arm("plan", [tmp_path])) == {}
