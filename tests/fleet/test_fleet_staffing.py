"""How many people there are, and how they are shared: exact numbers and exact sums."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.fleet import share_people, strength
from tests.fleet.conftest import make_staffing


def shared(people: int, weight: list[int], first_crew: list[int]) -> list[int]:
    return share_people(people, np.array(weight, dtype=np.int64), np.array(first_crew, dtype=np.int64)).tolist()


def test_each_station_gets_a_crew_and_the_rest_goes_by_weight() -> None:
    # 30 people: 4 + 4 + 4 first; 18 left by 75 : 40 : 30 are 9.31, 4.97, 3.72: 9, 4, 3 and one more to the last two
    assert shared(30, [75, 40, 30], [4, 4, 4]) == [13, 9, 8]


def test_equal_remainders_go_to_the_lowest_station() -> None:
    assert shared(14, [10, 10, 10, 10], [3, 3, 3, 3]) == [4, 4, 3, 3]


def test_when_people_are_short_the_heaviest_stations_are_manned_first() -> None:
    assert shared(9, [30, 75, 30], [4, 4, 4]) == [4, 5, 0]  # the third cannot be manned; the one left goes by weight


def test_a_crew_too_large_for_what_is_left_is_passed_over() -> None:
    assert shared(7, [50, 40, 30], [4, 6, 3]) == [4, 0, 3]


def test_people_too_few_for_any_crew_are_shared_by_weight_all_the_same() -> None:
    assert shared(3, [60, 30], [4, 4]) == [2, 1]


def test_no_station_and_no_people_share_nothing() -> None:
    assert shared(5, [], []) == []
    assert shared(0, [3, 2], [4, 4]) == [0, 0]


@pytest.mark.parametrize(("people", "weight", "crew"), [(-1, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_negative_people_and_empty_weights_or_crews_are_refused(people: int, weight: int, crew: int) -> None:
    with pytest.raises(ValueError, match="must"):
        shared(people, [weight], [crew])


@given(
    st.integers(0, 20_000),
    st.lists(st.tuples(st.integers(1, 200), st.integers(1, 12)), min_size=1, max_size=200),
)
def test_shares_add_up_exactly_are_never_negative_and_man_whom_they_can(
    people: int, stations: list[tuple[int, int]]
) -> None:
    weight, crew = (list(values) for values in zip(*stations, strict=True))
    share = shared(people, weight, crew)
    assert sum(share) == people
    assert min(share) >= 0
    if people >= sum(crew):
        assert all(s >= c for s, c in zip(share, crew, strict=True))
        left = people - sum(crew)
        rests = [s - c - left * w / sum(weight) for s, c, w in zip(share, crew, weight, strict=True)]
        assert max(abs(rest) for rest in rests) < 1  # largest remainder keeps the quota
    if people >= min(crew):
        assert any(s >= c for s, c in zip(share, crew, strict=True))


@given(st.integers(0, 5000), st.lists(st.tuples(st.integers(1, 90), st.integers(1, 6)), min_size=2, max_size=30))
def test_of_two_equal_stations_neither_gets_two_people_more(people: int, stations: list[tuple[int, int]]) -> None:
    weight, crew = (list(values) for values in zip(*(stations + stations[:1]), strict=True))
    share = shared(people, weight, crew)
    assert abs(share[0] - share[-1]) <= (1 if people >= sum(crew) else people)


def test_the_plan_s_ratios_give_the_plan_s_people() -> None:
    """2,721, 4,187 and 4,710 people at 0.26, 0.40 and 0.45 permille of 10,466,600 residents."""
    staffing = make_staffing(0.26, (("2024-01-01", 0.40), ("2026-01-01", 0.45)), present_share=0.68)
    at = [strength(staffing, 10_466_600, day) for day in (date(2023, 12, 31), date(2024, 1, 1), date(2026, 7, 1))]
    assert [s.staff for s in at] == [2721, 4187, 4710]
    assert [s.on_duty for s in at] == [1850, 2847, 3202]  # 0.68 of 2721 is 1850.28, of 4187 2847.16, of 4710 3202.8


def test_ratios_are_taken_as_the_decimals_they_were_written_as() -> None:
    # 0.57 of 100 is 57, though 100 * 0.57 falls short of it in binary fractions
    assert int(100 * 0.57) == 56
    assert strength(make_staffing(0.1, present_share=0.57), 1_000_000, date(2022, 1, 1)).on_duty == 57


def test_only_those_who_ride_are_on_duty() -> None:
    s = strength(make_staffing(0.26, operational_share=0.8, present_share=0.68), 10_466_600, date(2022, 1, 1))
    assert (s.staff, s.on_duty) == (2721, 1479)  # 0.8 x 2721 = 2176.8, down to 2176; 0.68 x 2176 = 1479.68


def test_steps_count_by_their_day_whatever_their_order() -> None:
    staffing = make_staffing(0.2, (("2024-01-01", 0.4), ("2023-01-01", 0.3)))
    days = (date(2022, 12, 31), date(2023, 1, 1), date(2023, 12, 31), date(2024, 1, 1))
    assert [strength(staffing, 1000, day).permille for day in days] == [0.2, 0.3, 0.3, 0.4]
