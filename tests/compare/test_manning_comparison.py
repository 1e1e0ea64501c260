"""Idle for want of people, side by side: shares of pooled time, from small tables worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.compare.cells import Frame
from sim.compare.manning import manning_of_arm
from sim.metrics.store import REPLICATION_SCHEMAS, write_columns
from sim.units import MS_PER_H

YEARS = (2022, 2023)
DAYS = 365


def manning_of(stranded_h: int, own_town: int = 0) -> dict[str, Any]:
    """A pumper and a base's boat in service all of 2022, noted at 3 and 4 o'clock: the pumper is stranded at 3."""
    n = 4
    table = {
        "unit": np.array([0, 0, 1, 1], dtype=np.int32), "station": np.array([0, 0, 1, 1], dtype=np.int32),
        "town": np.array([own_town, own_town, -1, -1], dtype=np.int16), "k": np.zeros(n, dtype=np.int16),
        "type_id": np.array([0, 0, 1, 1], dtype=np.int16), "year": np.full(n, 2022, dtype=np.int16),
        "hour": np.array([3, 4, 3, 4], dtype=np.int8), "in_service_ms": np.full(n, DAYS * MS_PER_H),
        "unmanned_ms": np.array([DAYS * MS_PER_H, 0, DAYS * MS_PER_H, DAYS * MS_PER_H]),
    }  # fmt: skip
    return table | {"stranded_ms": np.array([stranded_h * MS_PER_H, 0, DAYS * MS_PER_H, DAYS * MS_PER_H])}


@pytest.fixture
def arm(study: Any, random_incidents: Any) -> Any:
    """An arm of two replications of one world, stranded 73 and 219 of the 365 hours from three to four."""
    made = study.add("plan", lambda number: random_incidents(np.random.default_rng(number)), ["a", "a"])
    for replication, stranded in zip(made.replications, (73, 219), strict=True):
        path = replication.folder / "manning.parquet"
        write_columns(path, manning_of(stranded), "manning", REPLICATION_SCHEMAS["manning"])
    return replace(made, unit_types=("pumper", "boat"))


def test_shares_are_of_the_time_in_service_of_all_replications_together(study: Any, arm: Any, row_of: Any) -> None:
    table = manning_of_arm(arm, Frame(YEARS, study.labels))["manning"]
    at_three, at_four = (row_of(table, year=2022, by="hour", of=hour) for hour in ("03", "04"))
    assert (at_three["unmanned_share"], at_three["stranded_share"]) == (1.0, (73 + 219) / (2 * DAYS))
    assert (at_four["unmanned_share"], at_four["stranded_share"]) == (0.0, 0.0)
    city = row_of(table, year=2022, by="city", of="")
    assert (city["unmanned_share"], city["stranded_share"], city["n_replications"]) == (0.5, 0.2, 2)
    assert city["n_units"] == pytest.approx(2 / 24)
    assert at_three["n_units"] == pytest.approx(1.0)


def test_the_interval_is_that_of_the_replications_shares(study: Any, arm: Any, row_of: Any) -> None:
    """Shares of 0.2 and 0.6 in one world: 0.4 -/+ t(1) 0.2, cut off at 0 and 1."""
    row = row_of(manning_of_arm(arm, Frame(YEARS, study.labels))["manning"], year=2022, by="hour", of="03")
    assert (row["stranded_low"], row["stranded_high"]) == (0.0, 1.0)
    assert (row["unmanned_low"], row["unmanned_high"]) == (1.0, 1.0)


def test_bases_are_left_out_and_types_and_towns_told_by_their_codes(study: Any, arm: Any, row_of: Any) -> None:
    table = manning_of_arm(arm, Frame(YEARS, study.labels))["manning"]
    assert set(table["of"][table["by"] == "type"]) == {"pumper"}
    assert set(table["of"][table["by"] == "town"]) == {"a"}
    assert set(table["year"]) == {0, 2022}
    assert row_of(table, year=0, by="town", of="a")["stranded_share"] == 0.2


def test_arms_without_the_table_have_no_rows(study: Any, random_incidents: Any) -> None:
    old = study.add("old", lambda number: random_incidents(np.random.default_rng(number)), ["a"])
    assert manning_of_arm(old, Frame(YEARS, study.labels)) == {}
