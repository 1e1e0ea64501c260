"""Claims about what a configuration states: what `configs/` states, or what it says that somebody gave."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.compose import compose
from sim.compose.study import single_work
from sim.config import About
from sim.run.stated import stated_faults
from sim.run.work import Arm

GIVEN = ("move_up=best_cover", "times.access_min.home_fire=4", "travel.night_hours=[1,2]", "seed=4", "run=quick")


def arm_of(*overrides: str) -> Arm:
    return single_work(compose(overrides)).arms[0]


@pytest.mark.parametrize("overrides", [(), ("scenario=today",), ("scenario=plan_without_people", *GIVEN)])
def test_what_is_composed_states_what_configs_state(overrides: tuple[str, ...]) -> None:
    assert stated_faults(arm_of(*overrides)) == []


def test_a_value_that_nobody_says_he_gave_is_named_with_both_sides() -> None:
    arm = arm_of(*GIVEN)
    arm = replace(arm, about={key: entry for key, entry in arm.about.items() if key != "seed"})
    about, value = stated_faults(arm)
    assert about.startswith("run: config.yaml: says of seed nothing, configs/ says assumed: ")
    assert value == "run: config.yaml: has seed = 4, configs/ has 20211231, and nothing says who gave it"


def test_a_given_value_covers_its_own_key_and_what_is_below_it_only() -> None:
    arm = arm_of("times.access_min.home_fire=4")
    about = dict(arm.about)
    entry = about.pop("times.access_min.home_fire")
    unsaid = stated_faults(replace(arm, about=about))
    assert [fault.split()[2:5] for fault in unsaid] == [
        ["says", "of", "times.access_min.home_fire"],
        ["has", "times.access_min.home_fire", "="],
    ]
    assert stated_faults(replace(arm, about=about | {"times.access_min": entry})) == []
    assert stated_faults(replace(arm, about=about | {"times.access_min.rented_home_fire": entry})) == unsaid


def test_a_choice_that_configs_do_not_hold_any_more_is_named() -> None:
    arm = arm_of()
    (fault,) = stated_faults(replace(arm, choices=dict(arm.choices) | {"travel": "measure"}))
    assert "cannot be held against configs/: " in fault
    assert "did you mean 'measured.yaml'?" in fault


def test_a_better_standing_than_configs_give_is_named() -> None:
    arm = arm_of()
    key = "demand.alarms_per_year"
    forged = dict(arm.about) | {key: About("published", arm.about[key].source)}
    (fault,) = stated_faults(replace(arm, about=forged))
    assert fault.startswith(f"run: config.yaml: says of {key} published: ")
