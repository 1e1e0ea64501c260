"""Teams and aircraft side by side, from small tables whose answers are worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.compare.cells import Frame
from sim.compare.sooner import matched_incidents
from sim.compare.special import reads_of_special, special_of_arm, special_of_pair
from sim.metrics.store import REPLICATION_SCHEMAS, write_columns

YEARS = (2022, 2023)
S = 1000


def turnouts() -> dict[str, Any]:
    """Four of one truck: the first there before all, two met a need nobody else did, one turned back."""
    n = 4
    return {
        "identity": np.arange(n, dtype=np.uint64) + (1 << 60), "base": np.array(["quay"] * n, dtype=object),
        "gather_ms": np.array([60, 120, 180, -1]) * S,
        "type": np.array(["truck"] * n, dtype=object), "capability": np.full(n, 7, dtype=np.int8),
        "arrival_ms": np.array([60, 90, 90, -1]) * S, "work_ms": np.array([100, 200, 400, -1]) * S,
        "is_first_arrival": np.array([True, False, False, False]),
        "others_work_ms": np.array([-1, 500, -1, -1]), "is_alone": np.zeros(n, dtype=np.bool_),
    }  # fmt: skip


def air(identity: Any) -> dict[str, Any]:
    """Four incidents of kind home in 2022, aircraft sent to two: work 10 and 30 minutes sooner than without.

    At the second it comes 200 s before a vehicle; it is at work 100 s before one at the first, alone at the second.
    """
    return {
        "identity": identity, "kind": np.zeros(4, dtype=np.int16), "year": np.full(4, 2022, dtype=np.int16),
        "grounded": np.array([0, 0, 1, 2], dtype=np.int8), "is_sent": np.array([True, True, False, False]),
        "is_first_arrival": np.array([False, True, False, False]),
        "is_first_work": np.array([True, True, False, False]),
        "air_arrival_ms": np.array([500, 400, -1, -1]) * S, "ground_arrival_ms": np.array([450, 600, 300, -1]) * S,
        "air_work_ms": np.array([520, 420, -1, -1]) * S, "ground_work_ms": np.array([620, -1, 400, -1]) * S,
    }  # fmt: skip


@pytest.fixture
def tables(study: Any, random_incidents: Any) -> dict[str, Any]:
    """A year with an aircraft and a truck against one without; critical needs of the first four incidents differ."""

    def made(minutes: list[int]) -> Any:
        incidents = random_incidents(np.random.default_rng(1))
        incidents["first_critical_ms"][:4] = [-1 if m < 0 else m * 60 * S for m in minutes]
        return lambda number: incidents

    base = study.add("base", made([40, 60, 50, -1]), ["a"])
    arm = study.add("arm", made([30, 30, 56, 20]), ["a"])
    arm = replace(arm, teams={("quay", "truck"): "boats"})
    identity = arm.replications[0].read("incidents", ("identity",))["identity"][:4]
    for name, columns in {"turnouts": turnouts(), "air": air(identity)}.items():
        folder = arm.replications[0].folder
        write_columns(folder / f"{name}.parquet", columns, name, REPLICATION_SCHEMAS[name])
    frame = Frame(YEARS, study.labels)
    found = matched_incidents(arm, base, reads_of_special(arm))
    return special_of_arm(arm, frame) | special_of_pair(arm, base, found, frame)


def test_needs_that_only_the_team_met_are_counted_among_those_it_came_to(tables: dict[str, Any], row_of: Any) -> None:
    row = row_of(tables["turnouts"], arm="arm", type="truck", capability=7)
    assert (row["n_turnouts"], row["arrived_share"]) == (4, 0.75)
    assert (row["first_share"], row["only_share"]) == (1 / 3, 2 / 3)
    assert row["work_p50_s"] == 200.0
    assert not row["is_alone"]
    assert row["per_year"] == pytest.approx(4 / (730 / 365.25))


def test_a_team_is_told_by_its_turnouts_its_gathering_and_the_incidents_it_was_at(
    tables: dict[str, Any], row_of: Any
) -> None:
    """The truck is of the team `boats`; three of four came, those left after 60, 120 and 180 s."""
    row = row_of(tables["teams"], arm="arm")
    assert (row["team"], row["n_turnouts"], row["gather_p50_s"], row["work_p50_s"]) == ("boats", 4, 120.0, 200.0)
    assert row["per_year"] == pytest.approx(4 / (730 / 365.25))
    assert row["incidents_per_year"] == pytest.approx(3 / (730 / 365.25))


def test_what_a_team_changes_is_paired_over_the_incidents_it_was_at(tables: dict[str, Any], row_of: Any) -> None:
    """Critical needs 10 and 30 minutes sooner, 6 later; the turnout turned back is no incident it was at."""
    row = row_of(tables["team_pairs"], arm="arm", base="base", team="boats")
    assert row["n_incidents"] == 3
    assert row["critical_saved_s"] == pytest.approx((10 + 30 - 6) / 3 * 60)
    assert (row["critical_share_faster"], row["critical_share_slower"]) == (2 / 3, 1 / 3)
    assert row["complete_share"] == row["base_complete_share"]  # the same whole first alarms were made up for both
    assert row["full_alarm_saved_s"] == 0.0


def test_why_no_aircraft_could_go_is_a_share_of_the_incidents_that_asked(tables: dict[str, Any], row_of: Any) -> None:
    row = row_of(tables["air"], arm="arm", year=2022, kind="home")
    assert (row["no_hour_share"], row["none_there_share"], row["all_out_share"]) == (0.25, 0.25, 0.0)
    year = 365 / 365.25
    assert row["asked_per_year"] == pytest.approx(4 / year)
    assert row["sent_per_year"] == pytest.approx(2 / year)
    assert row["first_arrival_per_year"] == pytest.approx(1 / year)
    assert row["first_work_per_year"] == pytest.approx(2 / year)


def test_by_how_much_an_aircraft_was_first_counts_where_a_vehicle_came_too(tables: dict[str, Any], row_of: Any) -> None:
    row = row_of(tables["air"], arm="arm", year=2022, kind="home")
    assert (row["arrival_lead_s"], row["first_arrival_alone_share"]) == (200.0, 0.0)
    assert (row["work_lead_s"], row["first_work_alone_share"]) == (100.0, 0.5)
    assert np.isnan(row["work_lead_low"])  # one replication tells no interval


def test_what_an_aircraft_saves_is_paired_by_incident_and_hours_count_all_that_asked(
    tables: dict[str, Any], row_of: Any
) -> None:
    """10 and 30 minutes where one was sent; 6 lost at the third; the fourth had nobody without it and has no hours."""
    row = row_of(tables["air_pairs"], arm="arm", base="base", year=2022, kind="")
    assert row["saved_s"] == 20 * 60
    assert (row["share_faster"], row["share_slower"], row["n_sent"]) == (1.0, 0.0, 2)
    assert row["saved_h_per_year"] == pytest.approx((10 + 30 - 6) / 60 / (365 / 365.25))
    assert np.isnan(row["low"])


def test_arms_without_teams_and_aircraft_have_no_rows(study: Any, random_incidents: Any) -> None:
    plain = study.add("plain", lambda number: random_incidents(np.random.default_rng(number)), ["a"])
    frame = Frame(YEARS, study.labels)
    assert reads_of_special(plain) == []
    assert special_of_arm(plain, frame) == special_of_pair(plain, plain, {}, frame) == {}
