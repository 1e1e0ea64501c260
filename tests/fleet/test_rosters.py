"""Rosters: who is on duty from which shift on, in hand-computed numbers; and what a pattern may not be."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sim.chance import Stream, rank
from sim.config import ABOUT, Group, checked, read_yaml
from sim.errors import InputError, Problems
from sim.fleet.duty import RosterSettings, ShiftSettings, check_duty, planned_share
from sim.fleet.rosters import RosterRows, build_roster
from sim.units import MS_PER_DAY, MS_PER_H
from tests.fleet.conftest import CONFIGS, TinyWorld, make_schedule, make_staffing

ROSTER = Group("roster", "sim.fleet.duty:RosterSettings", check="sim.fleet.duty:check_duty")
MONDAY = date(2022, 1, 3)


def duty(*shifts: tuple[int, int, int, int] | tuple[int, int, int, int, float], **fields: object) -> RosterSettings:
    """Return a roster of shifts given as (crew, day, from_h, hours[, share])."""
    n_crews = max((shift[0] for shift in shifts), default=0)
    fields = {"n_crews": n_crews, "shifts": [ShiftSettings(*shift) for shift in shifts], **fields}
    return RosterSettings("test", "", "", **fields)  # type: ignore[arg-type]


ALL_DAY = (1, 1, 0, 24)
TWO_CREWS = duty((1, 1, 8, 24), (2, 2, 8, 24), cycle_days=2)


def rows(world: TinyWorld, roster: RosterSettings, permille: float = 0.5, **staffing: object) -> RosterRows:
    """Return the roster of the tiny world's standing stations: west 1 (large), west 2, east 1 (large)."""
    steps = staffing.pop("steps", ())
    calendar, fleet = world.calendar, world.fleet()
    changes = world.changes(make_schedule(), make_staffing(permille, steps, **staffing), planned_share(roster))  # type: ignore[arg-type]
    return build_roster(fleet, changes, roster, calendar, 1, 0)


def standing(found: RosterRows) -> list[list[int]]:
    return found.people[:, [0, 1, 3]].tolist()


@pytest.fixture
def week(tiny: TinyWorld) -> TinyWorld:
    return replace(tiny, start=MONDAY, n_days=7)


# --- who is on duty when ----------------------------------------------------------------------------------------------


def test_everybody_on_duty_all_day_is_the_constant_number(week: TinyWorld) -> None:
    # 50 people: 3 + 4 + 3 first crews, 40 left by 75 : 30 : 75 are 16.67, 6.67, 16.67: 17, 7, 16
    found = rows(week, duty(ALL_DAY))
    assert found.shift_ms.tolist() == [day * MS_PER_DAY for day in range(7)]
    assert {tuple(row) for row in standing(found)} == {(20, 11, 19)}
    assert found.is_relief.tolist() == [0] * 7


def test_two_crews_relieve_each_other_in_full_at_eight(week: TinyWorld) -> None:
    found = rows(week, TWO_CREWS)
    assert found.shift_ms.tolist() == [0] + [day * MS_PER_DAY + 8 * MS_PER_H for day in range(7)]
    assert found.is_relief.tolist() == [0] + [1] * 7
    # half of 50 are on duty: 25, of them 3 + 4 + 3 first, 15 left are 6.25, 2.5, 6.25; the 25 off duty in proportion:
    # 9, 7, 9 on duty have 18, 14, 18 posts; both crews of a station are of the same size
    assert {tuple(row) for row in standing(found)} == {(9, 7, 9)}


def test_an_odd_post_belongs_to_one_crew_and_the_crew_it_belongs_to_goes_by_station(week: TinyWorld) -> None:
    found = rows(week, TWO_CREWS, permille=0.51)  # 51 ride, 25 on duty: 9, 7, 9 and 26 off duty: 9.36, 7.28, 9.36
    by_crew = np.array(standing(found))[:2]
    assert by_crew.sum(axis=0).tolist() == [19, 14, 18]
    assert np.abs(by_crew[0] - by_crew[1]).tolist() == [1, 0, 0]


def test_a_date_has_the_same_crew_in_every_window(week: TinyWorld) -> None:
    whole = rows(week, TWO_CREWS, permille=0.51)
    part = rows(replace(week, start=date(2022, 1, 5), n_days=2), TWO_CREWS, permille=0.51)
    shift = whole.shift_ms - 2 * MS_PER_DAY
    same = {int(at): row for at, row in zip(shift, standing(whole), strict=True)}
    assert [same[int(at)] for at in part.shift_ms[1:]] == standing(part)[1:]


def test_a_part_of_a_crew_at_night_is_whole_people_rounded_down_and_no_relief(week: TinyWorld) -> None:
    night = duty((1, 1, 8, 12), (1, 1, 20, 12, 0.8))
    found = rows(week, night)
    # planned share 0.9: 45 on duty on average: 10 first, 35 left are 14.58, 5.83, 14.58: 18, 10, 17; 5 off duty are
    # 2, 1.11, 1.89: 20, 11, 19 posts; at night 16, 8.8, 15.2
    assert planned_share(night) == Fraction(9, 10)
    assert standing(found)[:3] == [[16, 8, 15], [20, 11, 19], [16, 8, 15]]
    assert found.is_relief.sum() == 0


def test_days_off_come_in_turn_and_no_two_days_of_the_week_differ_by_more_than_one(week: TinyWorld) -> None:
    found = rows(week, duty(ALL_DAY, off_days=2), permille=0.7)
    # 70 ride, 50 on duty: 20, 11, 19 and 20 off duty: 28, 15, 27 posts; in a week each is there on five days
    people = np.array(standing(found))
    assert people.sum(axis=0).tolist() == [5 * 28, 5 * 15, 5 * 27]
    assert np.ptp(people, axis=0).tolist() == [0, 1, 1]


def test_a_staff_step_at_midnight_posts_its_people_within_the_shift(week: TinyWorld) -> None:
    found = rows(week, duty((1, 1, 8, 24)), steps=(("2022-01-05", 1.0),))
    at = dict(zip((found.shift_ms // MS_PER_H).tolist(), found.people.sum(axis=1).tolist(), strict=True))
    assert (at[32], at[48], at[56]) == (50, 100, 100)


def test_posts_are_all_who_ride_at_every_date(tiny: TinyWorld) -> None:
    schedule = make_schedule(("2022-05-01", "open", "west", 3), is_plan_built=True)
    del schedule.rows[:]
    changes = tiny.changes(schedule, make_staffing(0.5, (("2023-01-01", 0.73),), present_share=0.68))
    assert changes.posts.sum(axis=1).tolist() == [50 if step.permille == 0.5 else 73 for step in changes.staff_steps]
    assert [step.on_duty for step in changes.staff_steps] == [34, 34, 49, 49]


# --- who is away ------------------------------------------------------------------------------------------------------


def test_leave_begins_on_the_day_its_rank_says_and_lasts_its_days(tiny: TinyWorld) -> None:
    year = replace(tiny, start=date(2022, 1, 1), n_days=365, residents=8_000)  # four people: two large stations
    found = rows(year, duty(ALL_DAY, leave_days_per_year=40), permille=0.5)
    n_posts = found.people.max(axis=0)
    expected = np.tile(n_posts.astype(int), (365, 1))
    for station in np.flatnonzero(n_posts):
        for post in range(n_posts[station]):
            for first in (date(2021, 1, 1), date(2022, 1, 1)):
                drawn = int(rank(1, 0, int(Stream.ANNUAL_LEAVE), (int(station) << 20) | post, first.toordinal()))
                begin = first.toordinal() + drawn * 365 // 2**32 - date(2022, 1, 1).toordinal()
                expected[max(begin, 0) : max(begin + 40, 0), station] -= 1
    assert n_posts.sum() == 4
    assert found.people.tolist() == expected.tolist()


def test_absences_take_the_share_of_the_days_that_their_rates_say(tiny: TinyWorld) -> None:
    world = replace(tiny, residents=400_000, n_days=730)
    plain = rows(world, duty(ALL_DAY), permille=0.5).people.sum(axis=1)
    sick = rows(world, duty(ALL_DAY, sick_spells_per_year=3.0, sick_days=5), permille=0.5).people.sum(axis=1)
    # a day is free of spells with (1 - 3/365)^5; 200 posts x 730 days, spells of 5 days: standard error about 0.0012
    assert 1 - sick.mean() / plain.mean() == pytest.approx(1 - (1 - 3 / 365) ** 5, abs=0.005)


def test_only_the_brigade_with_leavers_has_vacancies(tiny: TinyWorld) -> None:
    world = replace(tiny, n_days=365)
    full = rows(world, duty(ALL_DAY), permille=0.5).people
    short = rows(world, duty(ALL_DAY, leavers_per_year={"government": 1.0}, refill_days=120), permille=0.5).people
    assert (short[:, [0, 3]] == full[:, [0, 3]]).all()  # west 1 and east 1 are national
    assert (short[:, 1] < full[:, 1]).mean() > 0.9


def test_a_cause_more_takes_nobody_back_and_more_people_leave_the_others_as_they_were(tiny: TinyWorld) -> None:
    world = replace(tiny, n_days=200)
    few = duty(ALL_DAY, leave_days_per_year=15)
    more = replace(few, sick_spells_per_year=2.0, sick_days=4)
    assert (rows(world, more).people <= rows(world, few).people).all()
    small, large = (rows(world, few, permille=p).people for p in (0.5, 0.9))
    away = [found.max(axis=0) - found for found in (small, large)]
    assert (away[1] >= away[0]).all()  # the posts there were are away on the same days


def test_another_replication_has_other_absences_and_the_same_one_has_the_same(tiny: TinyWorld) -> None:
    world, roster = replace(tiny, n_days=100), duty(ALL_DAY, leave_days_per_year=30)
    changes = world.changes(make_schedule(), make_staffing(0.5))
    made = [build_roster(world.fleet(), changes, roster, world.calendar, 1, r).people for r in (0, 0, 1)]
    assert (made[0] == made[1]).all()
    assert (made[0] != made[2]).any()


# --- what a pattern may not be ----------------------------------------------------------------------------------------


def problems_of(roster: RosterSettings) -> list[str]:
    problems = Problems()
    assert checked(ROSTER, asdict(roster), {"": "here"}, problems) is None
    return [str(problem) for problem in problems.found]


def test_every_fault_of_a_pattern_is_told_at_once() -> None:
    wrong = duty(
        (1, 1, 8, 12), (2, 1, 18, 4), (2, 1, 20, 4), n_crews=3, off_days=7, leave_days_per_year=180,
        training_days_per_year=180, leavers_per_year={"government": 4.0}, refill_days=100,
    )  # fmt: skip
    wrong.leave_days_per_year = 185
    found = problems_of(replace(wrong, leave_days_per_year=180))
    assert found == [
        "here: 3 (shifts) crew is never on duty; give it a shift or lower n_crews",
        "here: 'day 1 0-8 h' (shifts) nobody is on duty in; let the shifts cover every hour",
        "here: 'day 1 20-22 h' (shifts) crew 2 has two shifts at once in; let one end before the next begins",
        "here: 7 (off_days) must be less than off_cycle_days (7), or nobody is ever there; lower it",
        "here: 4.0 (leavers_per_year.government) leaves every post vacant for good at 100 refill_days; lower one",
    ]


def test_shifts_beyond_the_cycle_and_settings_without_shifts_are_refused() -> None:
    assert problems_of(duty((1, 2, 8, 25))) == [
        "here: 2 (shifts.0.day) must be at most 1; lower it",
        "here: 25 (shifts.0.hours) must be at most 24; lower it",
    ]
    assert problems_of(duty(leave_days_per_year=15, n_crews=2)) == [
        "here: 2 (n_crews) says nothing without shifts; write shifts, or choose roster=none",
        "here: 15 (leave_days_per_year) says nothing without shifts; write shifts, or choose roster=none",
    ]


def test_a_brigade_that_nobody_belongs_to_is_an_error_that_names_the_nearest(tiny: TinyWorld) -> None:
    with pytest.raises(InputError, match=r"roster test: 'governments' .* no station .*; did you mean 'government'"):
        rows(tiny, duty(ALL_DAY, leavers_per_year={"governments": 0.1}))


@pytest.mark.parametrize("path", sorted((CONFIGS / "roster").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_choices_are_sound(path: Path) -> None:
    problems = Problems()
    values = {key: value for key, value in read_yaml(path, problems).items() if key != ABOUT}
    check_duty(values, path.name)
    problems.raise_if_any()
