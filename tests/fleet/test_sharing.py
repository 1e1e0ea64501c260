"""Rules of sharing people over stations, and the people who do not ride, in hand-computed numbers."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import InputError
from sim.fleet import share_people
from sim.fleet.staffing import Catchments, posts_of
from tests.fleet.conftest import TinyWorld, make_schedule, make_staffing, people_at

STANDING = [0, 1, 3]  # west 1 (large), west 2 (little), east 1 (large)


def people_of(tiny: TinyWorld, **staffing: object) -> list[int]:
    catchments = staffing.pop("catchments", None)
    changes = tiny.changes(make_schedule(), make_staffing(**staffing), catchments=catchments)  # type: ignore[arg-type]
    return people_at(changes, 0, 6)[STANDING].tolist()


def test_by_town_every_town_has_the_same_ratio_and_shares_by_class_within_it(tiny: TinyWorld) -> None:
    # 20 people: 3 + 4 + 3 first; 50,000 residents each: west's 75 : 30 makes 35,714 and 14,285 of them; 10 left are
    # 3.57, 1.43, 5.00: 4, 1, 5; nobody is above what the units can use (6 + 5, 6, 6 + 5)
    assert people_of(tiny, permille=0.2, sharing="town") == [3 + 4, 4 + 1, 3 + 5]
    assert people_of(tiny, permille=0.2) == [7, 6, 7]


def nearest(*order: tuple[int, ...], weight: tuple[int, ...]) -> Catchments:
    return Catchments(np.array(order, dtype=np.int16), np.array(weight, dtype=np.int64))


def test_by_demand_the_station_that_is_nearest_to_more_gets_more(tiny: TinyWorld) -> None:
    # three cells; the second one's nearest station, 2, is not built: 1 is next; weights 60, 30, 10
    places = nearest((3, 1, 0, 2, 4, 5), (2, 1, 0, 3, 4, 5), (0, 1, 3, 2, 4, 5), weight=(60, 30, 10))
    # 15 people: 3 + 4 + 3 first, 5 left are 0.5, 1.5, 3: the remainder goes to the lowest position
    assert people_of(tiny, permille=0.15, sharing="demand", catchments=places) == [3 + 1, 4 + 1, 3 + 3]


def test_nobody_gets_more_than_the_units_can_use_while_others_can(tiny: TinyWorld) -> None:
    places = nearest((3, 1, 0, 2, 4, 5), weight=(1_000_000,))
    # 27 people: 10 first, of 17 left station 3 wants nearly all and can use 8; of 9 station 1 can use 2, 7 are for 0
    assert people_of(tiny, permille=0.27, sharing="demand", catchments=places) == [10, 6, 11]
    # 40 are more than the 28 that all can use: the rest goes by weight after all
    assert sum(people_of(tiny, permille=0.4, sharing="demand", catchments=places)) == 40


@given(
    st.integers(0, 2_000),
    st.lists(st.tuples(st.integers(1, 200), st.integers(1, 12), st.integers(0, 30)), min_size=1, max_size=50),
)
def test_shares_under_a_most_add_up_and_keep_to_it_as_long_as_they_can(
    people: int, stations: list[tuple[int, int, int]]
) -> None:
    weight, crew, extra = (np.array(values, dtype=np.int64) for values in zip(*stations, strict=True))
    share = share_people(people, weight, crew, crew + extra)
    assert share.sum() == people
    assert (share >= 0).all()
    if people <= (crew + extra)[share > 0].sum() and (share >= crew)[share > 0].all():
        assert (share <= crew + extra).all()


@given(st.lists(st.integers(0, 60), min_size=1, max_size=30), st.integers(0, 500))
def test_posts_add_up_to_all_who_ride_and_none_is_below_those_on_duty(on_duty: list[int], more: int) -> None:
    people = np.array(on_duty, dtype=np.int64)
    posts = posts_of(people, sum(on_duty) + more)
    assert posts.sum() == (sum(on_duty) + more if any(on_duty) else 0)
    assert (posts >= people).all()


def test_enterprise_staff_come_off_before_the_share_that_rides(tiny: TinyWorld) -> None:
    # 0.5 permille of 100,000 are 50; 12 in enterprises, four fifths of 38 are 30.4
    assert sum(people_of(tiny, enterprise_staff=12, operational_share=0.8)) == 30


def test_more_enterprise_staff_than_staff_is_an_error_for_every_step_at_once(tiny: TinyWorld) -> None:
    steps = (("2022-05-01", 0.6), ("2023-05-01", 0.9))
    with pytest.raises(InputError) as caught:
        tiny.changes(make_schedule(), make_staffing(0.5, steps, enterprise_staff=61))
    rule = "(enterprise_staff) is more than the staff of {}, {}: fewer than no people would ride"
    assert [problem.rule for problem in caught.value.problems] == [
        rule.format("2022-01-01", 50),
        rule.format("2022-05-01", 60),
    ]


def test_a_number_for_every_station_is_posted_there_and_tells_the_ratio_that_it_takes(tiny: TinyWorld) -> None:
    staffing = make_staffing(on_duty_per_station=30, present_share=0.68, operational_share=0.9)
    changes = tiny.changes(make_schedule(("2022-07-01", "open", "west", 3)), staffing)
    assert people_at(changes, 0, 6).tolist() == [30, 30, 0, 30, 0, 0]
    first, second = changes.staff_steps
    assert (first.on_duty, second.on_duty) == (90, 120)
    riding = ceil(90 / Fraction("0.68"))
    assert changes.posts[0].sum() == riding == 133
    assert first.staff == 148  # 133 / 0.9 is 147.8
    assert first.permille == pytest.approx(1.48)
