"""Water for large fires side by side, worked out by hand from four fires of which some have no hydrant near."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.compare.apart import joined
from sim.compare.cells import Frame
from sim.compare.sooner import matched_incidents
from sim.compare.water import reads_of_water, water_of_arm, water_of_pair
from sim.metrics.store import REPLICATION_SCHEMAS, write_columns

S = 1000
PER_YEAR = 365 / 365.25
"""The measured days of 2022 in years."""


@pytest.fixture
def tables(study: Any, random_incidents: Any) -> dict[str, Any]:
    """Today three of four large fires of 2022 wait six minutes, with the plan one; the fourth is never met today."""

    def incidents(critical_s: list[int]) -> Any:
        table = random_incidents(np.random.default_rng(1))
        table["first_critical_ms"][:4] = [-1 if s < 0 else s * S for s in critical_s]
        return table

    def scenes(of: Any, delay_s: list[int]) -> dict[str, Any]:
        n = 6  # the fifth waits only once it has grown, the sixth is in a tunnel: neither needs water at first
        return {
            "identity": of["identity"][:n], "kind": np.zeros(n, dtype=np.int16), "year": np.full(n, 2022, np.int16),
            "needs_water": np.arange(n) < 4, "water_delay_ms": np.array([*delay_s, 360, 0]) * S,
        }  # fmt: skip

    made = {"today": ([960, 860, 500, -1], [360, 360, 0, 360]), "plan": ([600, 860, 500, 700], [0, 360, 0, 0])}
    arms = []
    for name, (critical_s, delay_s) in made.items():
        found = incidents(critical_s)
        arm = study.add(name, lambda number, found=found: found, ["a"])
        path = arm.replications[0].folder / "scenes.parquet"
        write_columns(path, scenes(found, delay_s), "scenes", REPLICATION_SCHEMAS["scenes"])
        arms.append(arm)
    arms.append(study.add("at_hand", lambda number: incidents([600, 500, 500, 700]), ["a"]))
    frame, (today, plan, at_hand) = Frame((2022, 2023), study.labels), arms
    parts = [water_of_arm(arm, frame) for arm in arms]
    for arm in (plan, at_hand):
        found = matched_incidents(arm, today, reads_of_water(arm, today))
        parts.append(water_of_pair(arm, today, found, frame))
    return joined(parts)


def test_only_fires_that_need_a_supply_at_their_first_alarm_are_counted(tables: dict[str, Any], row_of: Any) -> None:
    row = row_of(tables["water"], arm="today", year=2022, kind="")
    assert (row["n_incidents"], row["far_share"], row["mean_s"]) == (4, 0.75, 360.0)
    assert row["per_year"] == pytest.approx(4 / PER_YEAR)
    assert (row["critical_p50_s"], row["critical_p90_s"]) == (860.0, np.inf)
    assert row_of(tables["water"], arm="plan", year=0, kind="home")["critical_p50_s"] == 600.0


def test_what_hydrants_save_is_paired_over_the_same_fires(tables: dict[str, Any], row_of: Any) -> None:
    """360, 0 and 0 s where both were met; the fourth, never met today, is faster and in no mean."""
    row = row_of(tables["water_pairs"], arm="plan", year=2022)
    assert (row["saved_s"], row["share_faster"], row["share_slower"]) == (120.0, 0.5, 0.0)
    assert (row["far_share"], row["base_far_share"], row["n_incidents"]) == (0.25, 0.75, 4)
    assert row["saved_h_per_year"] == pytest.approx(360 / 3600 / PER_YEAR)


def test_an_arm_with_water_everywhere_is_told_over_the_fires_of_its_base(tables: dict[str, Any], row_of: Any) -> None:
    """360, 360 and 0 s."""
    row = row_of(tables["water_pairs"], arm="at_hand", year=2022)
    assert (row["saved_s"], row["share_faster"], row["share_slower"]) == (240.0, 0.75, 0.0)
    assert (row["far_share"], row["base_far_share"]) == (0.0, 0.75)
    assert row["saved_h_per_year"] == pytest.approx(720 / 3600 / PER_YEAR)
