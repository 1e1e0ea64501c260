"""Breakdowns side by side, worked out by hand from two types over two replications."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.compare.breakdowns import breakdowns_of_arm
from sim.compare.cells import Frame
from sim.metrics.store import REPLICATION_SCHEMAS, write_columns
from sim.units import MS_PER_DAY

A_YEAR_MS = round(365.25 * MS_PER_DAY)


def test_failures_are_told_by_type_and_by_the_time_vehicles_were_in_service(
    study: Any, random_incidents: Any, row_of: Any
) -> None:
    """Pumpers: 2 + 4 failures in 2 x 3 vehicle years, three of old ones; ladders never fail."""
    arm = study.add("arm", lambda number: random_incidents(np.random.default_rng(number)), ["a", "a"])
    for replication, n in zip(arm.replications, (2, 4), strict=True):
        columns = {
            "year": np.array([2022, 2022]), "type_id": np.array([0, 1]), "n_in_service": np.array([3, 1]),
            "in_service_ms": np.array([3, 1]) * A_YEAR_MS, "n_failures": np.array([n, 0]),
            "n_failures_over_ten": np.array([n // 2, 0]), "age_days": np.array([n * 3652.5, 0]),
            "down_ms": np.array([A_YEAR_MS * 3 // 100, 0]),
        }  # fmt: skip
        path = replication.folder / "breakdowns.parquet"
        write_columns(path, columns, "breakdowns", REPLICATION_SCHEMAS["breakdowns"])
    table = breakdowns_of_arm(replace(arm, unit_types=("pumper", "ladder")), Frame((2022, 2023), study.labels))
    row = row_of(table["breakdowns"], type="pumper")
    assert (row["n_failures"], row["per_unit_year"], row["over_ten_share"]) == (6, 1.0, 0.5)
    assert (row["mean_age_years"], row["down_share"]) == (10.0, pytest.approx(0.01))
    assert row_of(table["breakdowns"], type="")["per_unit_year"] == 6 / 8
    assert np.isnan(row_of(table["breakdowns"], type="ladder")["mean_age_years"])


def test_arms_whose_vehicles_never_fail_have_no_table(study: Any, random_incidents: Any) -> None:
    arm = study.add("arm", lambda number: random_incidents(np.random.default_rng(number)), ["a"])
    assert breakdowns_of_arm(arm, Frame((2022, 2023), study.labels)) == {}
