"""In how many plausible worlds a ranking holds, in worlds small enough to count."""

from __future__ import annotations

import numpy as np
import pytest

from sim.compare import PlausibleArm, frontier_in_worlds, one_more_in_worlds
from sim.metrics.store import REPLICATION_SCHEMAS, columns_of, write_columns

SAME = dict.fromkeys(("nothing", "plan", "by_demand", "late"), "a")


def frontier(**cost):
    rows = [
        {"arm": arm, "year": year, "metric": metric, "annual_likely": float(c), "value": 0.5, "is_on_frontier": True}
        for year in (0, 2026) for metric in ("share_300", "p90") for arm, c in cost.items()
    ]  # fmt: skip
    return columns_of(rows)


def plausible(metric, **values):
    rows = [
        {"world": world, "arm": arm, "metric": metric, "value": float(value)}
        for arm, of in values.items() for world, value in enumerate(of)
    ]  # fmt: skip
    return columns_of(rows)


def shares(table, metric, year=2026):
    chosen = (table["metric"] == metric) & (table["year"] == year)
    return dict(zip(table["arm"][chosen].tolist(), table["share_worlds"][chosen].tolist(), strict=True))


def test_a_scheme_is_unbeaten_in_the_worlds_where_none_as_cheap_reaches_as_much():
    costs = frontier(nothing=1, plan=5, by_demand=5, late=3)
    worlds = plausible(
        "share_300", nothing=(0.4, 0.4, 0.4, 0.4), plan=(0.6, 0.6, 0.6, 0.3), by_demand=(0.5, 0.7, 0.6, 0.5)
    )
    found = frontier_in_worlds(costs, worlds, SAME)
    told = shares(found, "share_300")
    # nothing is the cheapest; plan loses world 1 to by_demand and world 3 to both; by_demand loses world 0 to plan; in
    # world 2 the two tie, and neither beats the other
    assert {arm: told[arm] for arm in ("nothing", "plan", "by_demand")} == {
        "nothing": 1.0, "plan": 0.5, "by_demand": 0.75,
    }  # fmt: skip
    assert np.isnan(told["late"])  # it was not run in the worlds
    assert found["n_worlds"].tolist().count(4) == 6  # three arms, two years; of p90 the worlds tell nothing
    assert all(np.isnan(value) for value in shares(found, "p90").values())


def test_seconds_are_better_when_fewer_and_other_conditions_are_no_rivals():
    worlds = plausible("p90", nothing=(600, 600), plan=(700, 500))
    costs = frontier(nothing=1, plan=5)
    assert shares(frontier_in_worlds(costs, worlds, SAME), "p90") == {"nothing": 1.0, "plan": 0.5}
    apart = {"nothing": "a", "plan": "b"}
    assert shares(frontier_in_worlds(costs, worlds, apart), "p90") == {"nothing": 1.0, "plan": 1.0}


def test_without_worlds_the_frontier_is_as_it_was():
    costs = frontier(nothing=1, plan=5)
    assert frontier_in_worlds(costs, {}, SAME) is costs
    assert frontier_in_worlds({}, plausible("p90", plan=(1,)), SAME) == {}


def test_the_place_of_a_town_for_one_more_station_is_told_over_the_worlds(study, random_incidents):
    """Town b gains 5 and a gains 1 as they come; in the last of four worlds a is made to gain 9. Town c has no site."""
    arms = []
    for world in range(4):
        made = lambda _, world=world: random_incidents(np.random.default_rng(world))  # noqa: E731
        arm = study.add(f"nothing--w{world:04d}", made, [f"world_{world}"])
        arms.append(PlausibleArm(arm, "nothing", world, {}))
    path = arms[3].arm.replications[0].folder / "one_more.parquet"
    table = arms[3].arm.replications[0].read("one_more")
    table["n_gain_300"] = np.where(table["town"] == 0, 9, table["n_gain_300"])
    write_columns(path, table, "one_more", REPLICATION_SCHEMAS["one_more"])
    found = one_more_in_worlds(arms, "nothing", study.labels)
    assert found["town"].tolist() == ["a", "b"]
    assert found["share_first"].tolist() == [0.25, 0.75]
    assert found["share_leading"].tolist() == [1.0, 1.0]
    assert found["rank_median"].tolist() == [2.0, 1.0]
    assert found["rank_p5"].tolist() == pytest.approx([1.15, 1.0])  # of 1, 2, 2, 2
    assert found["n_worlds"].tolist() == [4, 4]
    assert one_more_in_worlds(arms, "plan", study.labels) == {}
