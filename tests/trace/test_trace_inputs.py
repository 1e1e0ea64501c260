"""Inputs made of a trace: any order of calls, many needs, what is not recorded, and all that is wrong at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from sim.chance import constant_table
from sim.demand.types import Durations
from sim.engine import simulate
from sim.engine.log import LogKind
from sim.errors import InputError
from sim.fleet.parts import CHANGE_DTYPE, ChangeKind
from sim.inputs import with_effects
from sim.recorded import Effects
from sim.trace import NEAREST, Call, Need, Station, Unit, trace_inputs, trace_of

S = 1000
XY = [(0, 0), (3000, 4000), (-2000, 7000)]
DRIVE_MS = np.array([[0, 100, 200], [110, 0, 130], [210, 120, 0]]) * S
NEED = Need(turnout_ms=30 * S, access_ms=0, scene_ms=300 * S)
K = LogKind


def made(calls, stations=((0,), (2,)), units=None, **given):
    posts = [Station(*station) for station in stations]
    crews = [Unit(station) for station in range(len(posts))] if units is None else units
    return trace_inputs(posts, crews, trace_of(calls), DRIVE_MS, XY, **given)


def first_arrivals(inputs):
    """Return the seconds from each call of the trace to its first arrival, by the call's place in the trace."""
    rows = simulate(inputs, "both").rows
    calls = inputs.demand.incidents
    out = {}
    for row in rows[rows["kind"] == K.ARRIVE]:
        call = calls[row["incident"]]
        out.setdefault(int(call["identity"]), (int(row["time_ms"]) - int(call["call_ms"])) / S)
    return out


def call(at_s, zone, *needs, **marks):
    return Call(at_s * S, zone, needs or (NEED,), **({"handling_ms": 10 * S} | marks))


def test_calls_may_come_in_any_order_and_keep_their_place_as_identity():
    calls = [call(5000, 1), call(0, 0, handling_ms=5 * S), call(2000, 2, replace(NEED, travel_ms=77 * S, station=1))]
    assert first_arrivals(made(calls)) == {1: 35, 2: 117, 0: 140}
    assert first_arrivals(made(calls[::-1])) == {1: 35, 0: 117, 2: 140}


def test_each_call_brings_its_own_needs():
    calls = [call(0, 1, NEED, replace(NEED, scene_ms=500 * S)), call(9000, 1), call(20_000, 1, NEED, NEED)]
    inputs = made(calls)
    rows = simulate(inputs, "both").rows
    sent = rows[rows["kind"] == K.DISPATCH]
    assert sent["incident"].tolist() == [0, 0, 1, 2, 2]
    assert np.diff(inputs.cards.start).tolist() == [2, 1]  # the first and the last call have the same card
    cleared = rows[(rows["kind"] == K.CLEAR) & (rows["incident"] == 0)]
    assert sorted(cleared["value"].tolist()) == [300 * S, 500 * S]


def test_the_more_urgent_kind_is_served_first():
    calls = [call(0, 0), call(0, 0), call(50, 0, kind=0), call(60, 0, kind=1)]
    arrivals = first_arrivals(made(calls, kinds=("lift", "fire"), priority=(2, 1)))
    assert arrivals[3] == 10 + 300 + 30 - 60 + 0
    assert arrivals[2] > arrivals[3]


def test_a_closed_station_is_told_by_its_calls_only_and_an_added_one_too():
    calls = [call(0, 0), call(5000, 1), call(10_000, 2)]
    before = first_arrivals(made(calls))
    closed = first_arrivals(made(calls, stations=((0,), (2, "", False))))
    assert before == {0: 40, 1: 140, 2: 40}
    assert closed == {0: 40, 1: 140, 2: 240}
    added = first_arrivals(made(calls, stations=((0,), (2,), (1,))))
    assert added == {0: 40, 1: 40, 2: 40}


def test_a_station_that_closes_on_a_date_serves_the_calls_before_it():
    shut = np.array([(8000 * S, ChangeKind.STATION_CLOSE, 1, 0)], dtype=CHANGE_DTYPE)
    calls = [call(0, 2), call(10_000, 2)]
    assert first_arrivals(made(calls, changes=shut)) == {0: 40, 1: 240}


def test_a_station_that_opens_and_closes_again_serves_the_calls_between():
    rows = [(8000 * S, ChangeKind.STATION_OPEN, 1, 1), (18_000 * S, ChangeKind.STATION_CLOSE, 1, 0)]
    later = np.array(rows, dtype=CHANGE_DTYPE)
    calls = [call(0, 2), call(7989, 2), call(7991, 2), call(17_989, 2), call(17_991, 2)]  # due 10 s later
    posts = ((0,), (2, "", False))
    units = [Unit(0), Unit(0), Unit(1)]
    assert first_arrivals(made(calls, posts, units, changes=later)) == {0: 240, 1: 240, 2: 40, 3: 40, 4: 240}


def test_two_zones_may_lie_at_the_same_place():
    drive = np.array([[0, 100, 300], [100, 0, 20], [300, 20, 0]]) * S
    # clear in zone 2 at 640, a third of its way home when the third call is due at 740: nearest to both other zones
    calls = [call(0, 2), call(0, 1), call(730, 1)]
    for zones in ([(0, 0), (4000, 0), (4000, 0)], [(0, 0)] * 3):
        inputs = trace_inputs([Station(0)], [Unit(0), Unit(0)], trace_of(calls), drive, zones)
        assert first_arrivals(inputs) == {0: 340, 1: 140, 2: 30}  # 10 + 20 from zone 2, from which it comes


def test_people_may_be_fewer_than_the_crews_of_all_units():
    units = [Unit(0, crew=4), Unit(0, crew=4)]
    calls = [call(0, 0), call(1, 0)]
    both, one = (made(calls, ((0, "", True, people),), units) for people in (None, 7))
    assert first_arrivals(both) == {0: 40, 1: 40}
    # 40 s after the first call its unit is there, at 340 it is clear and home: the second call is answered from there
    assert first_arrivals(one) == {0: 40, 1: 339}


def test_what_is_not_recorded_is_looked_up_by_kind():
    tables = np.stack([constant_table(v) for v in (7 * S, 20 * S, 65536, 400 * S, 900 * S, 0)])
    two = np.array([0, 0], np.int16)
    scene = np.array([[3] * 6, [4] * 6], np.int16)
    durations = Durations(
        tables, tuple("abcdef"), two, two + 1, 2, 2, np.array([5, 5], np.int16), scene, np.full((2, 6), -1, np.int16),
        np.zeros(2, np.int32), 0,
    )  # fmt: skip
    calls = [
        Call(0, 0, (Need(),), kind=1),
        Call(9000 * S, 0, (Need(scene_ms=50 * S),), kind=0, handling_ms=0),
        Call(18_000 * S, 0, (Need(turnout_ms=0),), kind=0),
    ]
    inputs = made(calls, durations=durations, kinds=("lift", "fire"))
    assert first_arrivals(inputs) == {0: 27, 1: 20, 2: 7}
    rows = simulate(inputs).rows
    assert rows[rows["kind"] == K.CLEAR]["value"].tolist() == [900 * S, 50 * S, 400 * S]


def test_a_fit_may_tell_stations_apart():
    calls = [call(0, 1)]
    assert first_arrivals(made(calls)) == {0: 140}
    slower = Effects(drive_q16=np.array([2 * 65536, 65536], np.int32))  # 200 s from zone 0, 120 s from zone 2
    assert first_arrivals(made(calls, effects=slower)) == {0: 160}
    assert first_arrivals(with_effects(made(calls), slower)) == {0: 160}


def test_factors_of_calls_are_given_in_the_order_of_the_trace():
    look_up = Need(access_ms=0, scene_ms=300 * S)
    tables = np.stack([constant_table(v) for v in (7 * S, 30 * S, 65536, 0)])
    two, zero, none = np.array([0, 0], np.int16), np.array([3], np.int16), np.full((1, 6), -1, np.int16)
    durations = Durations(tables, tuple("abcd"), two, two + 1, 2, 2, zero, none, none, np.zeros(1, np.int32), 0)
    calls = [call(20_000, 1, look_up), call(10_000, 2, look_up), call(0, 1, look_up)]
    of_calls = Effects(
        drive_of_call_q16=np.array([2 * 65536, 65536, 65536], np.int32),
        turnout_of_call_q16=np.array([65536, 65536, 3 * 65536], np.int32),
    )
    assert first_arrivals(made(calls, durations=durations)) == {0: 140, 1: 40, 2: 140}
    assert first_arrivals(made(calls, durations=durations, effects=of_calls)) == {0: 240, 1: 40, 2: 200}


def test_factors_of_other_calls_are_told():
    short = Effects(drive_of_call_q16=np.ones(3, np.int32), turnout_of_call_q16=np.array([0, -5], np.int32))
    with pytest.raises(InputError) as caught:
        made([call(0, 0), call(1, 0)], effects=short)
    assert str(caught.value).splitlines() == [
        "effects: (3,) (drive_of_call_q16) has not one factor for each of 2 calls",
        "effects row 1: -5 (turnout_of_call_q16) is not 0 to 2147483647",
    ]


def test_stations_are_passed_over_at_the_share_of_calls_that_is_asked_for():
    calls = [call(3000 * at, 0) for at in range(400)]
    arrivals = first_arrivals(made(calls, shares_passed_over=(0.25,)))
    passed = sum(arrivals[at] == 10 + 30 + 210 for at in range(400))
    assert passed + sum(arrivals[at] == 40 for at in range(400)) == 400
    assert abs(passed - 100) < 4 * 8.7  # sqrt(400 x 0.25 x 0.75)


def test_hours_have_their_own_matrix_on_workdays_and_weekends():
    hours = np.zeros((2, 24), np.int8)
    hours[0, 8] = 1
    calls = [call(7 * 3600, 1), call(8 * 3600, 1), call(8 * 3600 + 5 * 86_400, 1)]  # from Monday 2024-01-01 on
    posts, units = [Station(0)], [Unit(0)]
    inputs = trace_inputs(
        posts, units, trace_of(calls), np.stack([DRIVE_MS, 2 * DRIVE_MS]), XY, period_of_hour=hours,
        start=date(2024, 1, 1),
    )  # fmt: skip
    assert first_arrivals(inputs) == {0: 140, 1: 240, 2: 140}


def test_everything_wrong_is_told_at_once():
    calls = [call(0, 3), Call(-1, 0, (Need(capability=70, to_zone=9),), kind=1)]
    with pytest.raises(InputError) as caught:
        trace_inputs([Station(0), Station(5)], [Unit(1), Unit(0), Unit(2)], trace_of(calls), DRIVE_MS - S, XY)
    told = str(caught.value).splitlines()
    assert told == [
        "travel_ms: -1000 (period 0, from zone 0 to zone 0) is not 0 to 2147483647 ms",
        "call row 1: -1 (time_ms) is not 0 to 4503599627370496",
        "call row 0: 3 (zone) is not 0 to 2",
        "call row 1: 1 (kind) is not 0 to 0",
        "need row 1: 70 (capability) is not 0 to 62",
        "need row 1: 9 (to_zone) is not -1 to 2",
        "call row 1: -1 (handling_ms) is not 0 to 4503599627370496",
        "need row 1: -1 (turnout_ms) is not 0 to 4503599627370496",
        "need row 1: -1 (access_ms) is not 0 to 4503599627370496",
        "need row 1: -1 (scene_ms) is not 0 to 4503599627370496",
        "station row 1: 5 (zone) is not 0 to 2",
        "unit row 2: 2 (station) is not 0 to 1",
        "unit row 1: comes after a unit of a later station; sort units by station",
    ]


@pytest.mark.parametrize(
    ("matrix", "rule"),
    [
        (DRIVE_MS[:2], "is not 3 x 3"),
        (DRIVE_MS / 7, "is not of whole milliseconds"),
        (np.where(DRIVE_MS == 130 * S, 1 << 40, DRIVE_MS), "from zone 1 to zone 2"),
    ],
)
def test_a_matrix_that_is_none_is_refused(matrix, rule):
    with pytest.raises(InputError, match=rule):
        trace_inputs([Station(0)], [Unit(0)], trace_of([call(0, 0)]), matrix, XY)


def test_a_trace_without_calls_is_refused():
    with pytest.raises(InputError, match="has no calls"):
        made([])


def test_nearest_is_a_rule_without_chance_or_delay():
    assert (NEAREST.dispatch, NEAREST.make_ready_ms, NEAREST.home_factor_q16) == (0, 0, 65536)
    assert not NEAREST.is_escalation_on
