"""Cost beside minutes: differences at one price, ratios only where something is gained, and what no other beats."""

from __future__ import annotations

import numpy as np
import pytest

from sim.compare import frontier_table, value_table
from sim.compare.money import RANGE, ratio


def table(rows, names):
    columns = {}
    for place, name in enumerate(names):
        values = [row[place] for row in rows]
        columns[name] = np.array(values, dtype=object if isinstance(values[0], str) else None)
    return columns


MONEY = (
    "arm",
    "year",
    "length",
    "item",
    "of",
    *(f"{k}_{r}" for k in ("outlay", "annual") for r in ("low", "likely", "high")),
)
CONTRASTS = (
    "arm", "base", "year", "scope", "group", "clock", "metric", "low", "diff", "high", "n_incidents", "n_pairs",
)  # fmt: skip


def contrast(arm, metric, low, diff, high, base="nothing", clock="arrival"):
    return (arm, base, 2026, "city", "headline", clock, metric, low, diff, high, 12_000, 4)


def money(*rows):
    return table([(arm, 2026, 0.5, item, of, *outlay, *annual) for arm, item, of, outlay, annual in rows], MONEY)


COSTS = money(
    ("nothing", "people", "*", (10, 20, 40), (10, 20, 40)),
    ("plan", "people", "*", (10, 20, 40), (10, 20, 40)),
    ("plan", "build", "small", (100, 200, 300), (6, 12, 18)),
    ("cheap", "people", "*", (5, 10, 20), (5, 10, 20)),
)
BEYOND = table([("nothing", 2026, "", 5000.0), ("plan", 2026, "", 2000.0), ("cheap", 2026, "", 6000.0)],
               ("arm", "year", "town", "residents_beyond_300"))  # fmt: skip


SAME = dict.fromkeys(("nothing", "plan", "cheap"), "measured roads")


def test_an_uncertain_price_of_what_both_have_does_not_count():
    found = value_table(
        COSTS, table([contrast("plan", "p90", -90, -60, -30), contrast("plan", "share_300", 0.1, 0.2, 0.4)], CONTRASTS),
        BEYOND,
        SAME,
    )  # fmt: skip
    assert [found[f"annual_{r}"][0] for r in RANGE] == [6, 12, 18]
    assert [found[f"outlay_{r}"][0] for r in RANGE] == [100, 200, 300]
    assert found["residents_newly_300"][0] == 3000
    assert found["per_resident_likely"][0] == pytest.approx(12 / 3000)
    assert [found[f"per_p90_minute_{r}"][0] for r in RANGE] == pytest.approx([6 / 1.5, 12, 18 / 0.5])
    assert [found[f"per_point_{r}"][0] for r in RANGE] == pytest.approx([6 / 40, 12 / 20, 18 / 10])


def test_an_hour_saved_counts_the_incidents_of_a_year_until_their_critical_task():
    """3,000 incidents a replication in half a year are 6,000 a year; 6 s each are 10 hours."""
    sooner, others = contrast("plan", "mean", -9, -6, -3, clock="critical"), contrast("plan", "mean", 1, 2, 3)
    found = value_table(COSTS, table([others, sooner], CONTRASTS), BEYOND, SAME)
    assert [found[f"hours_saved_{r}"][0] for r in RANGE] == pytest.approx([5, 10, 15])
    assert [found[f"per_hour_saved_{r}"][0] for r in RANGE] == pytest.approx([6 / 15, 12 / 10, 18 / 5])


def test_savings_have_their_range_the_right_way_round_and_a_loss_has_no_ratio():
    found = value_table(COSTS, table([contrast("cheap", "p90", 10, 20, 30)], CONTRASTS), BEYOND, SAME)
    assert [found[f"annual_{r}"][0] for r in RANGE] == [-20, -10, -5]
    assert np.isnan(found["per_resident_likely"][0])
    assert np.isnan(found["per_p90_minute_likely"][0])


def test_a_gain_that_may_be_none_has_no_upper_bound_of_its_price():
    found = ratio(np.array([6.0, 12.0, 18.0]), np.array([-1.0, 2.0, 3.0]))
    assert found[:2].tolist() == [2.0, 6.0]
    assert np.isnan(found[2])


def test_no_money_is_set_against_other_roads():
    contrasts = table([contrast("plan", "p90", -90, -60, -30)], CONTRASTS)
    assert value_table(COSTS, contrasts, BEYOND, SAME | {"plan": "congested roads"}) == {}


@pytest.mark.parametrize(("cost", "gain"), [((-2.0, -1.0, 0.0), (1.0, 2.0, 3.0)), ((1.0, 2.0, 3.0), (-1.0, 0.0, 1.0))])
def test_a_saving_or_a_loss_has_no_price_per_gain(cost, gain):
    assert np.isnan(ratio(np.array(cost), np.array(gain))).all()


def headline(**levels):
    rows = [(arm, 2026, "headline", "arrival", metric, value) for arm, of in levels.items() for metric, value in of]
    return table(rows, ("arm", "year", "group", "clock", "metric", "value"))


def test_the_frontier_holds_what_no_other_beats_under_the_same_conditions():
    costs = money(*((arm, "people", "*", (c, c, c), (c, c, c)) for arm, c in
                    (("nothing", 1), ("plan", 5), ("waste", 6), ("fast_roads", 9))))  # fmt: skip
    levels = headline(
        nothing=[("share_300", 0.5), ("p90", 600.0)], plan=[("share_300", 0.9), ("p90", 400.0)],
        waste=[("share_300", 0.6), ("p90", 500.0)], fast_roads=[("share_300", 0.4), ("p90", 900.0)],
    )  # fmt: skip
    contrasts = table([contrast("waste", "share_300", 0, 0.1, 0.2), contrast("waste", "p90", -90, -80, -70),
                       contrast("plan", "share_300", 0.1, 0.2, 0.3)], CONTRASTS)  # fmt: skip
    conditions = {"nothing": "a", "plan": "a", "waste": "a", "fast_roads": "b"}
    found = frontier_table(costs, levels, contrasts, conditions, "nothing")
    at = {(arm, metric): i for i, (arm, metric) in enumerate(zip(found["arm"], found["metric"], strict=True))}
    is_best = {key: bool(found["is_on_frontier"][i]) for key, i in at.items()}
    assert is_best["nothing", "share_300"]
    assert is_best["plan", "share_300"]
    assert not is_best["waste", "share_300"]
    assert found["beaten_by"][at["waste", "share_300"]] == "plan"
    assert is_best["fast_roads", "share_300"]  # nobody else drives on those roads
    assert found["value"][at["plan", "share_300"]] == pytest.approx(0.7)  # the base's level and the paired difference
    assert found["value"][at["waste", "p90"]] == pytest.approx(520)
    assert not found["is_paired"][at["plan", "p90"]]  # no pair was declared: its own level
