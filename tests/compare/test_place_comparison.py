"""Tunnels, water, villages and help from outside, side by side, worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.compare.cells import Frame
from sim.compare.places import places_of_arm
from sim.metrics.store import REPLICATION_SCHEMAS, write_columns

YEARS = (2022, 2023)
PER_YEAR = 365.25 / 730
S = 1000


@pytest.fixture
def tables(study: Any, random_incidents: Any) -> dict[str, Any]:
    """One arm and replication: two incidents in tunnels, two villages, three sent to help."""
    incidents = random_incidents(np.random.default_rng(1))
    incidents["first_arrival_ms"][:4] = np.array([100, 300, 500, -1]) * S
    incidents["first_critical_ms"][:2] = [900 * S, -1]
    incidents["dispatch_due_ms"][:4] = incidents["call_ms"][:4] + 60 * S
    arm = study.add("arm", lambda number: incidents, ["a"])
    scenes = {
        "identity": incidents["identity"][[2, 3, 0, 1]],
        "kind": np.zeros(4, dtype=np.int16),
        "portal_a": np.array([-1, -1, 7, 7]),
        "water_delay_ms": np.array([100, 300, 0, 0]) * S,
        "village_ms": np.array([200, 9_000, -1, -1]) * S,
    }
    aid = {
        "post": np.array(["shenzhen"] * 3, dtype=object), "capability": np.full(3, 6, dtype=np.int8),
        "arrival_ms": np.array([4_000, 6_000, -1]) * S,
    }  # fmt: skip
    aid["arrival_ms"][2] = -1
    for name, columns in {"scenes": scenes, "mutual_aid": aid}.items():
        write_columns(arm.replications[0].folder / f"{name}.parquet", columns, name, REPLICATION_SCHEMAS[name])
    return places_of_arm(arm, Frame(YEARS, study.labels))


def test_milestones_in_tunnels_are_those_of_the_incidents_that_have_a_portal(tables: dict[str, Any]) -> None:
    table = tables["tunnel"]
    told = {(c, m): v for c, m, v in zip(table["clock"], table["metric"], table["value"], strict=True)}
    assert told["arrival", "p50"] == 100.0
    assert told["arrival", "p90"] == 300.0
    assert told["critical", "p50"] == 900.0
    assert told["critical", "p90"] == np.inf
    assert told["critical", "never"] == 0.5
    assert table["per_year"][0] == pytest.approx(2 * PER_YEAR)


def test_a_village_is_first_where_it_comes_before_the_unit_or_no_unit_comes(tables: dict[str, Any]) -> None:
    """200 s against 60 + 500 s after the call, and a unit that never came: one more within five minutes."""
    table = tables["villages"]
    assert (table["first_share"][0], table["before_s"][0]) == (1.0, 360.0)
    n = table["n_incidents"][0]
    assert table["came_share"][0] == 2 / n
    assert (table["any_300_share"][0] - table["stations_300_share"][0]) * n == pytest.approx(1)


def test_help_is_told_by_post_and_task_and_what_turned_back_is_no_arrival(tables: dict[str, Any]) -> None:
    table = tables["help"]
    assert (table["post"][0], table["capability"][0], table["n_sent"][0]) == ("shenzhen", 6, 3)
    assert table["arrived_share"][0] == pytest.approx(2 / 3)
    assert table["arrival_p50_s"][0] == 5_000.0
