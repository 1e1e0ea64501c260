"""What the studies set side by side, read from their files."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import yaml

from sim.compose.study import study_names
from sim.config import configs_root

DECIDED = {"schedule", "staffing", "teams", "aviation", "water_supply", "vehicles"}
"""Groups in which the plan decides; all others are what is reckoned with."""


@cache
def study_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((configs_root() / "study" / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


def overrides_of(study: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return each arm's overrides by key, without the common ones."""
    return {arm["name"]: dict(text.split("=", 1) for text in arm["overrides"]) for arm in study["arms"]}


def changed(first: dict[str, str], second: dict[str, str]) -> set[tuple[str, str]]:
    return set(second.items()) - set(first.items())


INTERACTIONS = [
    (name, contrast) for name in study_names() for contrast in study_of(name)["contrasts"] if contrast.get("of_arm")
]


@pytest.mark.parametrize(("study", "contrast"), INTERACTIONS, ids=lambda given: str(given)[:60])
def test_an_interaction_crosses_one_change_with_another(study: str, contrast: dict[str, Any]) -> None:
    given = overrides_of(study_of(study))
    arm, base, of_arm, of_base = (given[contrast[name]] for name in ("arm", "base", "of_arm", "of_base"))
    assert changed(base, arm) == changed(of_base, of_arm) != set()
    assert changed(of_base, base) == changed(of_arm, arm) != set()
    assert changed(base, arm).isdisjoint(changed(of_base, base))


def test_the_eight_schedules_differ_in_what_the_plan_decides_and_in_nothing_else() -> None:
    study = study_of("schedules")
    given = overrides_of(study)
    assert len(given) == 8
    assert {key.split(".")[0] for arm in given.values() for key in arm} == DECIDED
    assert len({tuple(sorted(arm.items())) for arm in given.values()}) == 8
    assert {arm["n_replications"] for arm in study["arms"]} == {20}


def test_the_rules_are_compared_one_at_a_time() -> None:
    study = study_of("policies")
    given = overrides_of(study)
    assert given[study["base"]] == {}
    mains = [arm["name"] for arm in study["arms"] if arm["purpose"] == "main" and arm["name"] != study["base"]]
    assert [len(given[name]) for name in mains] == [1] * len(mains)


def test_on_every_day_of_stress_outside_help_is_the_only_thing_that_differs_from_the_force_alone() -> None:
    given = overrides_of(study_of("stress"))
    helped = [name for name in given if name.startswith("help_")]
    assert len(helped) == 4
    for name in helped:
        alone = given[f"nothing_{name.removeprefix('help_')}"]
        assert changed(alone, given[name]) == {("mutual_aid", "neighbours_and_province")}
        assert not changed(given[name], alone)
    fires = [given["nothing_citywide"], given["plan_citywide"]]
    assert {arm["mutual_aid"] for arm in fires} == {"neighbours_and_province"}


def test_the_forces_meant_for_rare_incidents_are_told_apart_one_by_one_over_two_thousand_of_each_class() -> None:
    study = study_of("rare_forces")
    given = overrides_of(study)
    without = given[study["base"]]
    alone = [changed(without, given[name]) for name in ("rail_team", "teams", "helicopter")]
    assert [len(one) for one in alone] == [1, 1, 1]
    assert changed(without, given["all_forces"]) == set().union(*alone)
    # five classes take turns every fifth day of 365: 73 plantings a replication
    assert {arm["n_replications"] * 73 // 5 for arm in study["arms"]} == {2044}
    assert "planted=rare" in study["common"]
