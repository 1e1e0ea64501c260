"""Only runs to which the same happened are compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.compose import compose
from sim.compose.study import single_work
from sim.errors import InputError
from sim.run.compared import _check_comparable, _labels


def arm_of(*overrides: str):
    return replace(
        single_work(compose(["window=one_week", *overrides])).arms[0], label_en=" ".join(overrides) or "base"
    )


def test_another_seed_window_or_demand_is_refused_and_all_are_named():
    others = ["seed=7", "window=first_full_year", "demand.growth_per_year=0.2"]
    with pytest.raises(InputError) as caught:
        _check_comparable(["a"] * 4, [arm_of(), *(arm_of(other) for other in others)])
    told = str(caught.value)
    assert all(part in told for part in ("another seed", "another window", "another demand"))


def test_another_schedule_staffing_or_travel_is_compared():
    _check_comparable(["a", "b", "c"], [arm_of(), arm_of("schedule=none"), arm_of("travel=norm")])


def test_one_run_alone_is_nothing_to_compare():
    with pytest.raises(InputError, match="two runs or more"):
        _check_comparable(["a"], [arm_of()])


def test_runs_of_one_name_are_told_apart_by_what_was_given_to_one_and_not_to_all():
    given = [["travel=norm"], ["travel=norm", "seed=5"], ["travel=norm", "scenario=today", "seed=5"]]
    arms = [single_work(compose(["window=one_week", *overrides])).arms[0] for overrides in given]
    assert _labels(arms) == [("plan", "plan"), ("plan（seed=5）", "plan (seed=5)"), ("today", "today")]
