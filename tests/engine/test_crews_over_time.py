"""Rosters, relief, rest and breakdowns: what they hold back, to the millisecond, and what they leave alone."""

from __future__ import annotations

import pytest

from sim.engine.log import LogKind
from sim.fleet.parts import ChangeKind

K = LogKind
HOUR = 3600


def plain(tiny, people: int = 6):
    """A station at cell 0 with two vehicles and people for one; handling, turnout and make-ready take no time."""
    city = tiny(handling_s=(0, 0), turnout_s=(0, 0), make_ready_s=0)
    station = city.station(0, people=people)
    city.unit(station)
    city.unit(station)
    return city


def test_a_night_shift_without_a_crew_lets_the_call_wait_until_the_day_shift_begins(tiny, rows_of):
    city = plain(tiny)
    city.roster = [(0, [3], False), (8 * HOUR, [6], False)]
    city.incident(7 * HOUR, cell=0)
    city.incident(9 * HOUR, cell=0)
    log = city.run()
    assert rows_of(log, K.DISPATCH) == [(8 * HOUR, "DISPATCH", 0, 0, 0), (9 * HOUR, "DISPATCH", 1, 0, 0)]
    shifts = log.rows[log.rows["kind"] == K.SHIFT]
    assert [(int(row["time_ms"]), int(row["value"])) for row in shifts] == [(0, 3), (8 * HOUR * 1000, 6)]


def test_a_roster_of_the_same_strength_throughout_moves_nothing(tiny, rows_of):
    logs = []
    for roster in ([], [(0, [6], False), (8 * HOUR, [6], False)]):
        city = plain(tiny)
        city.roster = roster
        city.incident(8 * HOUR - 100, cell=2)
        city.incident(8 * HOUR + 50, cell=1)
        logs.append(rows_of(city.run()))
    without, with_ = logs
    assert [row for row in with_ if row[1] != "SHIFT"] == without


@pytest.mark.parametrize("is_relief", [False, True])
def test_at_a_full_relief_the_new_shift_mans_the_second_vehicle_while_the_old_crew_is_still_out(
    tiny, rows_of, is_relief
):
    city = plain(tiny)
    city.roster = [(0, [6], False), (8 * HOUR, [6], is_relief)]
    city.incident(8 * HOUR - 100, cell=1)  # all six are out from then until 8 h - 100 + 60 + 600 + 60
    city.incident(8 * HOUR + 50, cell=0)
    second = rows_of(city.run(), K.DISPATCH)[1]
    if is_relief:
        assert second == (8 * HOUR + 50, "DISPATCH", 1, 0, 1)
    else:  # the first vehicle is sent on as soon as it is clear
        assert second == (8 * HOUR + 560, "DISPATCH", 1, 0, 0)


def test_a_crew_relieved_while_out_is_not_added_to_the_new_shift_when_it_comes_home(tiny, rows_of):
    city = plain(tiny)
    city.roster = [(0, [6], False), (8 * HOUR, [6], True)]
    city.incident(8 * HOUR - 100, cell=1)  # home at 8 h + 620
    city.incident(8 * HOUR + 50, cell=0)  # the new shift's six, until 8 h + 650
    city.incident(8 * HOUR + 630, cell=0)  # nobody in the bay: waits for the new shift's vehicle
    assert rows_of(city.run(), K.DISPATCH)[2] == (8 * HOUR + 650, "DISPATCH", 2, 0, 1)


def test_a_long_job_is_followed_by_its_rest_and_a_short_one_is_not(tiny, rows_of):
    waits = {}
    for scene_s in (600, 1200):
        city = plain(tiny)
        city.scene_s = scene_s
        city.policy = {"rest_after_ms": 1200 * 1000, "rest_ms": 900 * 1000}
        city.incident(0, cell=1)  # out for 60 + scene + 60
        city.incident(2000, cell=0)
        log = city.run()
        waits[scene_s] = rows_of(log, K.DISPATCH)[1][0] - 2000
        rested = rows_of(log, K.RESTED)
        assert [row[0] for row in rested if row[0] < 3000] == ([] if scene_s == 600 else [1320 + 900])
    assert waits == {600: 0, 1200: 1320 + 900 - 2000}


def test_a_rest_of_the_shift_before_does_not_add_people_to_the_next_one(tiny, rows_of):
    city = plain(tiny)
    city.policy = {"rest_after_ms": 600 * 1000, "rest_ms": 900 * 1000}
    city.roster = [(0, [6], False), (1000, [6], True)]
    city.incident(0, cell=1)  # home at 720, would rest until 1620
    city.incident(1100, cell=0)  # the new shift goes at once
    city.incident(1650, cell=0)  # people: none but those six, who are out; only their own vehicle can come
    log = city.run()
    assert rows_of(log, K.RESTED)[0][0] > 1620
    assert rows_of(log, K.DISPATCH) == [
        (0, "DISPATCH", 0, 0, 0),
        (1100, "DISPATCH", 1, 0, 0),
        (1700, "DISPATCH", 2, 0, 0),
    ]


def test_a_broken_vehicle_stays_in_its_bay_until_it_is_mended(tiny, rows_of):
    logs = []
    for fails in (False, True):
        city = tiny(handling_s=(0, 0))
        city.unit(city.station(0))
        city.unit(city.station(4))
        if fails:
            city.change(50, ChangeKind.UNIT_FAILS, 0, 1)
            city.change(5000, ChangeKind.UNIT_MENDED, 0, 1)
        city.incident(100, cell=0)
        city.incident(6000, cell=0)
        logs.append(rows_of(city.run(), K.DISPATCH, K.ARRIVE))
    without, with_ = logs
    assert without[:2] == [(100, "DISPATCH", 0, 0, 0), (145, "ARRIVE", 0, 0, 0)]
    assert with_[:2] == [(100, "DISPATCH", 0, 0, 1), (145 + 4 * 60, "ARRIVE", 0, 0, 1)]
    assert with_[2:] == without[2:]


def test_a_vehicle_that_fails_on_the_road_finishes_its_job_and_is_off_the_run_once_home(tiny, rows_of):
    city = tiny(handling_s=(0, 0), turnout_s=(0, 0), make_ready_s=0)
    city.unit(city.station(0))
    city.change(30, ChangeKind.UNIT_FAILS, 0, 1)
    city.incident(0, cell=1)  # home at 720
    city.incident(800, cell=0)
    log = city.run()
    assert rows_of(log, K.CLEAR) == [(660, "CLEAR", 0, 0, 0)]
    assert rows_of(log, K.UNFILLED) == [(800, "UNFILLED", 1, 0, -1)]
