"""Inputs from settings: worlds in turn, chance shared between scenarios, force per alarm."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sim.assemble import InputsBuilder, world_in_turn
from sim.compose import compose
from sim.engine import simulate
from sim.engine.log import LogKind
from sim.errors import InputError, Problem


@pytest.mark.parametrize("n_worlds", [1, 2, 7, 12, 20, 21, 100])
def test_every_world_comes_once_in_a_round(n_worlds):
    assert sorted(world_in_turn(r, n_worlds) for r in range(n_worlds)) == list(range(n_worlds))
    assert world_in_turn(n_worlds + 3, n_worlds) == world_in_turn(3, n_worlds)


@pytest.fixture(scope="module")
def builder() -> InputsBuilder:
    return InputsBuilder()


def test_scenarios_of_a_replication_share_demand_and_ranks_and_differ_in_what_their_settings_say(builder):
    parts = {}
    for name, overrides in {
        "none": ["schedule=none"], "plan": ["schedule=plan"], "own": ["schedule=none", "dispatch=own_town_first"],
    }.items():  # fmt: skip
        parts[name] = builder.build(
            compose(["window=one_week", "schedule.is_outside_run_allowed=true", *overrides]).settings, 3
        ).digests()
    differs = {name: {part for part in parts["none"] if parts[name][part] != parts["none"][part]} for name in parts}
    assert differs == {"none": set(), "plan": {"changes"}, "own": {"policy"}}


def test_a_builder_that_keeps_parts_gives_what_a_new_one_gives(builder):
    settings = compose(["window=one_week", "schedule.is_outside_run_allowed=true", "schedule=plan"]).settings
    for replication in (5, 0, 5):
        kept, new = builder.build(settings, replication), InputsBuilder().build(settings, replication)
        assert kept.digests() == new.digests()


def test_a_travel_world_changes_driving_and_nothing_that_happens_to_the_city(builder):
    measured, norm = (
        builder.build(
            compose(["window=one_week", "schedule.is_outside_run_allowed=true", f"travel={name}"]).settings, 0
        ).digests()
        for name in ("measured", "norm")
    )
    assert {part for part in measured if measured[part] != norm[part]} <= {"travel", "station_order"}


@pytest.mark.slow
def test_an_alarm_moves_two_and_a_quarter_vehicles_escalations_included(builder):
    """Guangdong, January to October 2024: 378 thousand vehicle trips for 167 thousand alarms, 2.26 (computed)."""
    per_alarm = []
    for replication in range(3):
        inputs = builder.build(compose(["schedule=none", "window=first_full_year"]).settings, replication)
        kinds = simulate(inputs).column("kind")
        per_alarm.append(np.sum(kinds == LogKind.DISPATCH) / np.sum(kinds == LogKind.CALL))
    assert abs(np.mean(per_alarm) - 2.26) < 0.03


def test_a_changed_file_of_coordinates_is_read_again_by_a_builder_that_keeps_parts(builder, tmp_path):
    settings = compose(["window=one_week", "schedule=none"]).settings
    siting, city = builder.siting(settings, 0), builder.city(settings)
    path = tmp_path / "stations.csv"
    path.touch()
    given = compose(["window=one_week", "schedule=none", f"siting.coordinates='{path}'"]).settings

    def write(first_cell: int) -> None:
        cells = [first_cell, *siting.cells[1:].tolist()]
        lines = ["town,k,name,is_existing,crs,lat,lon,x_m,y_m"]
        for town, k, standing, cell in zip(siting.town, siting.k, siting.is_existing, cells, strict=True):
            place = f"{city.cells.x_m[cell]},{city.cells.y_m[cell]}"
            lines.append(f"{city.towns.code[town]},{k},,{str(bool(standing)).lower()},plane,,,{place}")
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    write(int(siting.cells[0]))
    before = builder.fleet(given, 0).stations.cell.tolist()
    spare = next(c for c in range(city.cells.n_cells) if city.cells.town[c] == siting.town[0] and c not in siting.cells)
    write(spare)
    assert builder.fleet(given, 0).stations.cell.tolist() == [spare, *before[1:]]


def test_a_slower_way_home_takes_longer(builder):
    slow, fast = (
        builder.build(compose(["window=one_week", "schedule=none", f"times.home_speed_factor={f}"]).settings, 0).policy
        for f in (0.5, 1.0)
    )
    assert (slow.home_factor_q16, fast.home_factor_q16) == (2 * 65536, 65536)


def test_a_capability_that_no_unit_type_has_is_an_error_that_names_the_card(tmp_path):
    import shutil

    settings = compose(["window=one_week", "schedule=none"]).settings
    folder = tmp_path / "city"
    shutil.copytree(settings.city_folder(), folder)
    path = folder / "run_cards.csv"
    text = path.read_text(encoding="utf-8").replace("home_fire,0,water", "home_fire,0,command", 1)
    path.write_text(text, encoding="utf-8")
    own = compose(["window=one_week", "schedule=none", f"city.folder='{folder}'"]).settings
    with pytest.raises(
        InputError, match=r"run_cards.csv: home_fire: 'command' needs a capability that no unit type has"
    ):
        InputsBuilder().fleet(own, 0)


def test_an_input_error_crosses_from_a_worker_with_its_problems_whole():
    import pickle

    error = InputError([Problem("a.csv", "is wrong", value=1, row=3), Problem("b.csv", "is worse")])
    again = pickle.loads(pickle.dumps(error))
    assert again.problems == error.problems
    assert str(again) == str(error)


def test_sickness_changes_the_roster_alone_and_a_roster_the_people_alone(builder):
    week = ["window=one_week", "schedule.is_outside_run_allowed=true"]
    sick = ["roster=duty_24h", "roster.sick_spells_per_year=12", "roster.sick_days=5"]
    made = [builder.build(compose([*week, *more]).settings, 2) for more in ([], ["roster=duty_24h"], sick)]
    parts = [inputs.digests() for inputs in made]
    differs = [{part for part in a if a[part] != b[part]} for a, b in itertools.pairwise(parts)]
    assert differs == [{"roster", "changes"}, {"roster"}]
    assert (made[2].roster.people <= made[1].roster.people).all()
    share = made[2].roster.people.sum() / made[1].roster.people.sum()
    assert share == pytest.approx((1 - 12 / 365) ** 5, abs=0.01)  # nobody of 2,700 posts has a spell begun in five days


def test_an_unknown_rule_an_uncovered_day_and_a_crew_too_large_are_told_at_once():
    wrong = ["staffing.sharing=nobody", "roster=two_shift", "roster.cycle_days=3", "fleet.crew_min_for_all=99"]
    with pytest.raises(InputError) as caught:
        compose(wrong)
    told = [problem.rule for problem in caught.value.problems]
    assert [rule.split(")")[0] + ")" for rule in told] == [
        "(fleet.crew_min_for_all)", "(staffing.sharing)", "(shifts)",
    ]  # fmt: skip
    assert "must be 'class', 'demand' or 'town'" in told[1]
    assert caught.value.problems[2].value == "day 1 0-8 h, day 3 8-24 h"
