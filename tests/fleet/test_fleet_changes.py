"""Dated changes: exact rows of a tiny fleet, what one row moves and what it does not, and bad schedules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.errors import InputError
from sim.fleet import ChangeKind
from sim.units import MS_PER_DAY
from tests.fleet.conftest import TinyWorld, make_schedule, make_staffing, people_at

CLOSE, OPEN, WITHDRAW, IN_SERVICE, PEOPLE, REGIME = list(map(int, ChangeKind))[:6]


def rows(changes) -> list[tuple[int, int, int, int]]:
    return [(int(r["time_ms"] // MS_PER_DAY), int(r["kind"]), int(r["entity"]), int(r["value"])) for r in changes.rows]


def test_the_state_at_the_start_is_a_set_of_rows_at_time_zero(tiny: TinyWorld) -> None:
    # 50 people. First crews: 3 (ladder), 4, 3; the other 40 by 75 : 30 : 75 are 16.67, 6.67, 16.67: 17, 6 and 17
    changes = tiny.changes(make_schedule(), make_staffing(0.5))
    assert rows(changes) == [
        (0, OPEN, 0, 0),
        (0, OPEN, 1, 0),
        (0, OPEN, 3, 0),
        (0, IN_SERVICE, 0, 0),
        (0, IN_SERVICE, 1, 0),
        (0, IN_SERVICE, 2, 0),
        (0, IN_SERVICE, 6, 0),
        (0, IN_SERVICE, 7, 0),
        (0, PEOPLE, 0, 20),
        (0, PEOPLE, 1, 11),
        (0, PEOPLE, 3, 19),
        (0, REGIME, -1, 0),
    ]
    assert changes.notes == ()


def test_the_plan_opens_each_station_in_its_year(tiny: TinyWorld) -> None:
    changes = tiny.changes(make_schedule(is_plan_built=True, opening_month=3, opening_day=2), make_staffing(0.5))
    opened = [(day, entity) for day, kind, entity, _ in rows(changes) if kind == OPEN and day > 0]
    assert opened == [(60, 2), (60, 4), (365 + 60, 5)]


def test_closing_takes_the_units_and_the_people_away_and_shares_them_over_the_rest(tiny: TinyWorld) -> None:
    changes = tiny.changes(make_schedule(("2022-01-11", "close", "west", 1)), make_staffing(0.5))
    # 50 people over stations 1 and 3: first 4 and 3, then 43 by 30 : 75 are 12.29 and 30.71
    assert [row for row in rows(changes) if row[0] > 0] == [
        (10, CLOSE, 0, 0),
        (10, WITHDRAW, 0, 0),
        (10, WITHDRAW, 1, 0),
        (10, PEOPLE, 0, 0),
        (10, PEOPLE, 1, 16),
        (10, PEOPLE, 3, 34),
    ]


def test_an_upgrade_brings_its_units_and_the_weight_of_its_class(tiny: TinyWorld) -> None:
    changes = tiny.changes(make_schedule(("2022-01-03", "upgrade", "west", 2)), make_staffing(0.5))
    # station 1: first crew 3 now that it has a ladder; the other 41 by equal weights are 13.67 each, two to 0 and 1
    assert [row for row in rows(changes) if row[0] > 0] == [
        (2, IN_SERVICE, 3, 0),
        (2, IN_SERVICE, 4, 0),
        (2, PEOPLE, 0, 17),
        (2, PEOPLE, 1, 17),
        (2, PEOPLE, 3, 16),
    ]


def test_a_unit_leaves_and_returns_without_touching_people_when_another_can_go(tiny: TinyWorld) -> None:
    schedule = make_schedule(("2022-01-03", "withdraw_unit", "west", 1, 1), ("2022-01-05", "return_unit", "west", 1, 1))
    changes = tiny.changes(schedule, make_staffing(0.5))
    assert [row for row in rows(changes) if row[0] > 0] == [(2, WITHDRAW, 0, 0), (4, IN_SERVICE, 0, 0)]


def test_a_station_whose_only_unit_is_withdrawn_has_nobody_on_duty(tiny: TinyWorld) -> None:
    changes = tiny.changes(make_schedule(("2022-01-02", "withdraw_unit", "west", 2, 1)), make_staffing(0.5))
    assert people_at(changes, MS_PER_DAY, 6).tolist() == [25, 0, 0, 25, 0, 0]
    assert [note.code for note in changes.notes] == ["falls_empty"]


def test_closed_and_opened_on_one_day_is_open_and_writes_nothing(tiny: TinyWorld) -> None:
    schedule = make_schedule(("2022-02-01", "open", "west", 1), ("2022-02-01", "close", "west", 1))
    assert rows(tiny.changes(schedule, make_staffing())) == rows(tiny.changes(make_schedule(), make_staffing()))


def test_site_zero_opens_the_next_site_of_the_town(tiny: TinyWorld) -> None:
    schedule = make_schedule(("2022-02-01", "open", "east", 0), ("2022-01-15", "open", "east", 0))
    opened = [(day, entity) for day, kind, entity, _ in rows(tiny.changes(schedule, make_staffing())) if kind == OPEN]
    assert opened[3:] == [(14, 4), (31, 5)]


def test_the_command_centre_changes_the_handling_regime_on_its_day_and_nothing_else(tiny: TinyWorld) -> None:
    without = rows(tiny.changes(make_schedule(), make_staffing()))
    with_it = rows(tiny.changes(make_schedule(command_centre_from="2022-01-31"), make_staffing()))
    assert with_it == [*without, (30, REGIME, -1, 1)]
    from_start = rows(tiny.changes(make_schedule(command_centre_from="2019-05-01"), make_staffing()))
    assert from_start == [*without[:-1], (0, REGIME, -1, 1)]


def test_a_staff_step_moves_people_only(tiny: TinyWorld) -> None:
    steps = (("2022-01-11", 1.0), ("2021-06-01", 0.5), ("2035-01-01", 3.0))
    changes = tiny.changes(make_schedule(), make_staffing(0.1, steps))
    after = [row for row in rows(changes) if row[0] > 0]
    assert {(day, kind) for day, kind, _, _ in after} == {(10, PEOPLE)}
    assert people_at(changes, 0, 6).sum() == 50
    assert people_at(changes, 10 * MS_PER_DAY, 6).sum() == 100
    assert [(s.permille, s.staff, s.on_duty) for s in changes.staff_steps] == [(0.5, 50, 50), (1.0, 100, 100)]


def test_growing_residents_move_people_each_new_year(tiny: TinyWorld) -> None:
    staffing = make_staffing(1.0, residents="growth", residents_growth_per_year=0.1)
    changes = tiny.changes(make_schedule(), staffing)
    assert [(s.day.isoformat(), s.staff) for s in changes.staff_steps] == [
        ("2022-01-01", 121),
        ("2023-01-01", 133),
        ("2024-01-01", 146),
    ]


def test_a_station_that_opens_without_a_crew_is_reported_and_again_when_it_gets_one(tiny: TinyWorld) -> None:
    # 12 people man stations 0, 3 and 1 (3 + 3 + 4, two left by weight); station 2 would need 4 more
    schedule = make_schedule(("2022-01-05", "open", "west", 3))
    changes = tiny.changes(schedule, make_staffing(0.12, (("2022-01-11", 0.2),)))
    assert [(n.code, n.time_ms // MS_PER_DAY, n.station) for n in changes.notes] == [
        ("opens_empty", 4, 2),
        ("is_manned_again", 10, 2),
    ]
    assert "west-03 opens without the people for any unit (0 on duty, smallest crew 4)" in changes.notes[0].text
    assert (4 * MS_PER_DAY // MS_PER_DAY, PEOPLE, 2, 0) in rows(changes)
    assert [(s.n_open, s.n_empty) for s in changes.staff_steps] == [(3, 0), (4, 1), (4, 0)]


def test_a_station_that_loses_its_crew_to_a_new_one_is_reported(tiny: TinyWorld) -> None:
    # 11 people man stations 0, 1 and 3; the heavier east-02 takes the crew that west-02 had, for its ladder only
    changes = tiny.changes(make_schedule(("2022-01-02", "open", "east", 2)), make_staffing(0.11))
    assert [(n.code, n.station, n.unit) for n in changes.notes] == [("falls_empty", 1, -1), ("unit_never_manned", 4, 8)]
    assert people_at(changes, MS_PER_DAY, 6).tolist() == [4, 0, 0, 4, 3, 0]


def test_a_unit_whose_crew_its_station_never_has_is_reported(tiny: TinyWorld) -> None:
    # 10 people: stations 0 and 3 have 3, enough for the ladder and not for the pumper of 4
    changes = tiny.changes(make_schedule(), make_staffing(0.1))
    never = [(n.unit, n.people) for n in changes.notes if n.code == "unit_never_manned"]
    assert people_at(changes, 0, 6).tolist() == [3, 4, 0, 3, 0, 0]
    assert never == [(0, 3), (6, 3)]


def test_people_with_no_station_to_go_to_are_reported(tiny: TinyWorld) -> None:
    closing = [("2022-01-02", "close", town, site) for town, site in (("west", 1), ("west", 2), ("east", 1))]
    changes = tiny.changes(make_schedule(*closing), make_staffing(0.5))
    assert changes.notes[-1].code == "no_station"
    assert people_at(changes, MS_PER_DAY, 6).sum() == 0


def test_every_fault_of_a_schedule_is_reported_at_once(tiny: TinyWorld) -> None:
    schedule = make_schedule(
        ("2021-12-31", "open", "west", 3),
        ("2024-12-31", "open", "west", 3),
        ("2022-02-30", "close", "west", 1),
        ("2022-03-01", "shut", "west", 1),
        ("2022-03-01", "close", "wset", 1),
        ("2022-03-01", "close", "west", 0),
        ("2022-03-01", "close", "west", 1, 2),
        command_centre_from="2022-13-01",
    )
    with pytest.raises(InputError) as raised:
        tiny.changes(schedule, make_staffing(0.5, (("2022-06-31", 0.1), ("2022-07-01", 0.1), ("2022-07-01", 0.2))))
    found = [str(problem) for problem in raised.value.problems]
    expected = (
        "schedule test: rows.2: '2022-02-30' is not a day of the calendar",
        "schedule test: rows.3: 'shut' (action) is unknown",
        "schedule test: rows.4: 'wset' (town) is not in towns.csv; did you mean 'west'?",
        "schedule test: rows.5: 0 (site) must name a station",
        "schedule test: rows.6: 2 (unit) does not go with 'close'",
        "schedule test: rows.0: '2021-12-31' is before the run, which is from 2022-01-01 to 2024-12-30",
        "schedule test: rows.1: '2024-12-31' is after the run",
        "test: command_centre_from: '2022-13-01' is not a day",
        "test: steps.0: '2022-06-31' is not a day",
        "test: steps.2: '2022-07-01' (from_date) has a step already",
    )
    assert len(found) == len(expected)
    assert all(message.startswith(start) for message, start in zip(found, expected, strict=True))


def test_changes_that_the_state_forbids_are_reported_at_once(tiny: TinyWorld) -> None:
    schedule = make_schedule(
        ("2022-03-01", "open", "west", 1),
        ("2022-03-01", "close", "east", 2),
        ("2022-03-01", "close", "east", 9),
        ("2022-03-01", "upgrade", "west", 1),
        ("2022-03-01", "upgrade", "west", 2),
        ("2022-04-01", "upgrade", "west", 2),
        ("2022-04-01", "withdraw_unit", "west", 1, 9),
        ("2022-04-01", "return_unit", "west", 1, 1),
        ("2022-05-01", "open", "east", 0),
        ("2022-05-02", "open", "east", 0),
        ("2022-05-03", "open", "east", 0),
    )
    with pytest.raises(InputError) as raised:
        tiny.changes(schedule, make_staffing(0.5))
    text = str(raised.value)
    for part in (
        "rows.0 (open on 2022-03-01): 'west-01' is open already",
        "rows.1 (close on 2022-03-01): 'east-02' is not open then",
        "rows.2 (close on 2022-03-01): 9 'east' has 3 sites; add sites or build less",
        "rows.3 (upgrade on 2022-03-01): 'west-01' has no later class",
        "rows.5 (upgrade on 2022-04-01): 'west-02' is upgraded already",
        "rows.6 (withdraw_unit on 2022-04-01): 9 'west-01' has 2 bays",
        "rows.7 (return_unit on 2022-04-01): 'west-01' the unit in bay 1 is in service already",
        "rows.10 (open on 2022-05-03): all 3 sites of 'east' are open; add sites or build less",
    ):
        assert part in text
    assert len(raised.value.problems) == 8


def test_a_plan_build_outside_the_run_is_an_error_unless_allowed(tiny: TinyWorld) -> None:
    tiny.years = (2021, 2026)
    with pytest.raises(
        InputError, match=r"2 builds before(.|\n)*west-03 on 2021-07-01(.|\n)*1 builds after(.|\n)*on 2026-07-01"
    ):
        tiny.changes(make_schedule(is_plan_built=True), make_staffing())
    changes = tiny.changes(make_schedule(is_plan_built=True, is_outside_run_allowed=True), make_staffing())
    assert changes.open_stations(0, 6).tolist() == [True, True, True, True, True, False]
    assert changes.open_stations(10**15, 6).tolist() == [True, True, True, True, True, False]


ACTIONS = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(["open", "close"]), st.sampled_from([("west", 3), ("east", 2)])),
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    ACTIONS,
    st.lists(st.tuples(st.integers(-30, 90), st.integers(0, 120)), max_size=4, unique_by=lambda step: step[0]),
    st.integers(0, 120),
)
def test_people_add_up_exactly_at_every_date(
    tiny: TinyWorld, actions: list[tuple[int, str, tuple[str, int]]], steps: list[tuple[int, int]], first: int
) -> None:
    def day(offset: int) -> str:
        return str(np.datetime64(tiny.start) + offset)

    toggles = []
    is_open = {"west": False, "east": False}
    for offset, _, (town, site) in sorted(actions, key=lambda a: a[0]):
        if not any(row[0] == day(offset) and row[2] == town for row in toggles):
            toggles.append((day(offset), "close" if is_open[town] else "open", town, site))
            is_open[town] = not is_open[town]
    levels = tuple((day(offset), permille / 100) for offset, permille in steps)
    changes = tiny.changes(make_schedule(*toggles), make_staffing(first / 100, levels))
    for step in changes.staff_steps:
        people = people_at(changes, step.time_ms, 6)
        assert people.sum() == step.on_duty
        assert people.min() >= 0
        assert not people[~changes.open_stations(step.time_ms, 6)].any()
    keys = changes.rows[["time_ms", "kind", "entity"]].tolist()
    assert keys == sorted(set(keys))
