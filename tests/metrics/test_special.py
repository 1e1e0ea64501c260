"""Teams and aircraft in the tables: what they were sent to, who else came, and what kept aircraft on the ground."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.engine.log import LogKind
from sim.fleet.parts import ChangeKind
from sim.metrics.rows import LogIndex
from sim.metrics.special import Grounded, special_tables
from tests.metrics.conftest import City, make_calendar, make_log

A_DAY_S = 86_400


def tables(city: City, *rows: tuple[Any, ...]) -> dict[str, dict[str, np.ndarray]]:
    return special_tables(city.inputs(), LogIndex(make_log(*rows)))


def test_a_city_without_bases_has_neither_table(city: City) -> None:
    city.unit(city.station(0))
    city.incident(0)
    assert tables(city, (60, LogKind.CALL, 0, -1, -1, -1, 0)) == {}


@pytest.fixture
def team_city(city: City) -> City:
    """Kind 0 needs capabilities 0 and 1; unit 0 of a station has 0, unit 1 of a base has both."""
    city.cards = [[(1, True), (1, False)]]
    city.unit(city.station(0))
    city.unit(city.station(5))
    city.bases, city.capabilities = {1}, {0: 1, 1: 3}
    return city


def test_a_turnout_tells_when_the_team_came_and_whether_the_need_was_its_alone(team_city: City) -> None:
    team_city.incident(0)
    team_city.incident(10)
    found = tables(
        team_city,
        (60, LogKind.CALL, 0, -1, -1, -1, 0),
        (60, LogKind.DISPATCH, 0, 0, 0, 1, 0),
        (60, LogKind.DISPATCH, 0, 1, 1, 1, 0),
        (70, LogKind.CALL, 1, -1, -1, -1, 0),
        (200, LogKind.ARRIVE, 0, 0, 0, 1, 30_000),
        (500, LogKind.ARRIVE, 0, 1, 1, 1, 5_000),
        (900, LogKind.DISPATCH, 1, 0, 1, 2, 0),
        (950, LogKind.TURN_BACK, 1, 0, 1, 2, 0),
        (960, LogKind.DISPATCH, 1, 0, 0, 2, 0),
        (1000, LogKind.ARRIVE, 1, 0, 0, 2, 1_000),
    )
    assert list(found) == ["turnouts"]
    rows = found["turnouts"]
    assert (rows["base"].tolist(), rows["type"].tolist()) == (["s1", "s1"], ["truck", "truck"])
    assert rows["identity"].tolist() == [100, 101]
    assert rows["capability"].tolist() == [1, 0]
    assert rows["dispatch_ms"].tolist() == [0, 830_000]
    assert rows["arrival_ms"].tolist() == [440_000, -1]
    assert rows["work_ms"].tolist() == [445_000, -1]
    assert rows["is_first_arrival"].tolist() == [False, False]
    # nobody else has capability 1; for the other need an engine was at work at 1001 s
    assert rows["others_work_ms"].tolist() == [-1, 931_000]
    assert rows["is_alone"].tolist() == [True, False]


def test_only_incidents_of_the_measured_window_have_rows(team_city: City) -> None:
    team_city.calendar = make_calendar(3, measured=(1, 2))
    for day in range(3):
        team_city.incident(day * A_DAY_S)
    rows = []
    for day in range(3):
        due = day * A_DAY_S + 60
        rows += [(due, LogKind.CALL, day, -1, -1, -1, 0), (due, LogKind.DISPATCH, day, 1, 1, day + 1, 0)]
    assert tables(team_city, *rows)["turnouts"]["identity"].tolist() == [101]


def test_a_team_is_away_from_leaving_until_it_is_home_or_sent_on(team_city: City) -> None:
    for at in range(4):
        team_city.incident(at)
    rows = [(60 + at, LogKind.CALL, at, -1, -1, -1, 0) for at in range(4)]
    rows += [
        (100, LogKind.DISPATCH, 0, 1, 1, 1, 0),
        (160, LogKind.ENROUTE, 0, 1, 1, 1, 4),
        (500, LogKind.DISPATCH, 1, 1, 1, 2, 0),  # sent on from the first one's scene
        (500, LogKind.ENROUTE, 1, 1, 1, 2, 4),
        (900, LogKind.HOME, -1, -1, 1, 2, -1),
        (1000, LogKind.DISPATCH, 2, 1, 1, 3, 0),
        (1010, LogKind.TURN_BACK, 2, 1, 1, 3, 0),  # before it left
        (1020, LogKind.DISPATCH, 3, 1, 1, 4, 0),
        (1080, LogKind.ENROUTE, 3, 1, 1, 4, 4),
        (2000, LogKind.END, -1, -1, -1, -1, 1),  # still away when the log ends
    ]
    table = tables(team_city, *rows)["turnouts"]
    assert table["away_ms"].tolist() == [340_000, 400_000, -1, 920_000]
    assert table["gather_ms"].tolist() == [60_000, 0, -1, 60_000]


@pytest.fixture
def air_city(team_city: City) -> City:
    """The same, and the base's unit flies for capability 1, in the hours 6 to 17, from 02:00 of the first day on."""
    team_city.aircraft, team_city.air_tasks = {1}, (2, 0)
    team_city.cards.append([(1, True)])
    team_city.is_headline = [True, True]
    team_city.flying_hours = set(range(6, 18))
    team_city.changes = [row for row in team_city.changes if row[2] != 1 or row[1] != ChangeKind.UNIT_IN_SERVICE]
    team_city.change(2 * 3600, ChangeKind.UNIT_IN_SERVICE, 1)
    return team_city


def test_an_incident_tells_what_kept_the_aircraft_on_the_ground(air_city: City) -> None:
    air_city.change(12 * 3600, ChangeKind.UNIT_FAILS, 1)
    air_city.change(13 * 3600, ChangeKind.UNIT_MENDED, 1)
    hours = (1.0, 5.0, 8.0, 8.5, 10.0, 12.5, 20.0)
    for hour in hours:
        air_city.incident(hour * 3600)
    air_city.incident(9 * 3600, kind=1)  # nobody asks for aircraft there
    calls = [(hour * 3600, LogKind.CALL, at, -1, -1, -1, 0) for at, hour in enumerate(hours)]
    flight = [
        (8 * 3600, LogKind.DISPATCH, 2, 1, 1, 1, 0),
        (9 * 3600, LogKind.HOME, 2, 1, 1, 1, 0),
        (9.5 * 3600, LogKind.AVAILABLE, -1, -1, 1, 1, 0),
    ]
    rows = sorted([*calls, (9 * 3600, LogKind.CALL, 7, -1, -1, -1, 0), *flight], key=lambda row: row[0])
    air = tables(air_city, *rows)["air"]
    assert air["identity"].tolist() == [101, 102, 103, 104, 105, 106]  # at 01:00 there was no aircraft yet
    assert [Grounded(int(why)).name for why in air["grounded"]] == [
        "NO_FLYING_HOUR", "NOT_AT_ALL", "ALL_OUT", "NOT_AT_ALL", "NONE_THERE", "NO_FLYING_HOUR",
    ]  # fmt: skip
    assert air["is_sent"].tolist() == [False, True, False, False, False, False]


def test_the_first_at_the_address_and_the_first_at_work_are_told_apart(air_city: City) -> None:
    air_city.incident(8 * 3600)
    due = 8 * 3600 + 60
    air = tables(
        air_city,
        (due, LogKind.CALL, 0, -1, -1, -1, 0),
        (due, LogKind.DISPATCH, 0, 0, 0, 1, 0),
        (due, LogKind.DISPATCH, 0, 1, 1, 1, 0),
        (due + 240, LogKind.ARRIVE, 0, 0, 0, 1, 1_800_000),
        (due + 600, LogKind.ARRIVE, 0, 1, 1, 1, 60_000),
    )["air"]
    told = {name: air[name].tolist() for name in air if name.endswith("_ms") or name.startswith("is_")}
    assert told == {
        "is_sent": [True], "is_first_arrival": [False], "is_first_work": [True],
        "air_arrival_ms": [600_000], "ground_arrival_ms": [240_000],
        # the engine was sent for another capability than the one for which aircraft are asked
        "air_work_ms": [660_000], "ground_work_ms": [-1],
    }  # fmt: skip


def test_a_turnout_stood_down_before_it_left_does_not_keep_the_aircraft_out(air_city: City) -> None:
    air_city.incident(8 * 3600)
    air_city.incident(9 * 3600)
    air = tables(
        air_city,
        (8 * 3600, LogKind.CALL, 0, -1, -1, -1, 0),
        (8 * 3600, LogKind.DISPATCH, 0, 1, 1, 1, 0),
        (8 * 3600 + 100, LogKind.TURN_BACK, 0, 1, 1, 1, 0),
        (9 * 3600, LogKind.CALL, 1, -1, -1, -1, 0),
    )["air"]
    assert air["grounded"].tolist() == [Grounded.NOT_AT_ALL, Grounded.NOT_AT_ALL]
