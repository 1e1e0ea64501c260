"""Teams and aircraft in the committed city: what differs between arms, both engines, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from sim.assemble import InputsBuilder
from sim.compose import compose, compose_to_run
from sim.engine import simulate
from sim.engine.log import LogKind
from sim.errors import InputError
from sim.fleet.bases import is_base

BY_STATION = {"station_order", "roster"}
"""Parts with a column per station, bases included."""
WEEK = ("window=one_week", "schedule.is_outside_run_allowed=true")


@pytest.fixture(scope="module")
def builder() -> InputsBuilder:
    return InputsBuilder()


def inputs(builder: InputsBuilder, *overrides: str):
    return builder.build(compose([*WEEK, *overrides]).settings, 0)


def moved(builder: InputsBuilder, base: str, arm: str) -> set[str]:
    before, after = (inputs(builder, choice).digests() for choice in (base, arm))
    return {part for part in before if before[part] != after[part]}


def test_teams_change_who_there_is_and_nothing_that_happens(builder: InputsBuilder) -> None:
    boats_of_today = {"fleet", "changes", "policy", "waterways", *BY_STATION}
    assert moved(builder, "teams=none", "teams=asked_for") == {"cards", "slot_ranks"} | boats_of_today
    assert moved(builder, "teams=asked_for", "teams=plan") == {"fleet", "changes", "waterways", *BY_STATION}


def test_aircraft_change_who_there_is_when_they_may_fly_and_where_they_are_asked(builder: InputsBuilder) -> None:
    assert moved(builder, "aviation=none", "aviation=own") == {
        "fleet", "changes", "sky", "policy", "durations", *BY_STATION
    }  # fmt: skip


def test_both_engines_agree_with_teams_and_aircraft(builder: InputsBuilder) -> None:
    made = inputs(builder, "teams=all_named", "aviation=own", "dispatch=own_town_first", "move_up=best_cover")
    log = simulate(made, "both").rows
    sent = log["unit"][log["kind"] == LogKind.DISPATCH]
    assert is_base(made.fleet.stations)[np.asarray(made.fleet.units.station)[sent]].any()


def test_people_of_an_own_aircraft_are_missing_in_the_stations_and_those_of_a_contractor_are_not(
    builder: InputsBuilder,
) -> None:
    def at_stations(choice: str) -> int:
        settings = compose([*WEEK, f"aviation={choice}"]).settings
        fleet, rows = builder.fleet(settings, 0), builder.changes(settings, 0).rows
        posted = rows[(rows["kind"] == 4) & (rows["time_ms"] == 0)]
        return int(posted["value"][~is_base(fleet.stations)[posted["entity"]]].sum())

    none = at_stations("none")
    assert at_stations("buy_service") == none
    assert at_stations("own") == none - 7  # the hoist helicopter's crew


def test_a_base_without_a_mode_is_one_clear_error_and_so_are_dates_that_contradict_each_other() -> None:
    with pytest.raises(InputError) as caught:
        compose([*WEEK, "aviation.base=nantou", 'teams.teams={forest: {crewed: "2024-01-01", complete: "2023-01-01"}}'])
    assert len(caught.value.problems) == 2
    told = " ".join(problem.rule for problem in caught.value.problems)
    assert "aviation.mode is none" in told
    assert "complete before it is crewed" in told


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (("aviation=own", "+aviation.scene_min.mountain_rescu=20"), ["mountain_rescu"]),
        (("aviation=own", "aviation.scene_min={mountain_rescu: 20, mountain_rescue: -1}"), [-1, "mountain_rescu"]),
        (("aviation.scene_min={mountain_rescue: 20}",), [{"mountain_rescue": 20}]),  # nobody flies
    ],
)
def test_a_time_on_scene_of_no_kind_of_nobody_or_below_zero_is_told_once_each(
    overrides: tuple[str, ...], told: list[object]
) -> None:
    with pytest.raises(InputError) as caught:
        compose_to_run([*WEEK, *overrides])
    assert [problem.value for problem in caught.value.problems] == told
