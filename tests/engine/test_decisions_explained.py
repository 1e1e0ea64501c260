"""The explanation of a decision ranks first whom the engine sent, with its expected arrival, whatever levers are on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.engine.log import LogKind
from sim.fleet.parts import ChangeKind
from sim.run.explain import decisions_of
from tests.engine.random_cities import cities_with_levers
from tests.engine.test_aircraft import HILL, HOME, hill_rescue
from tests.engine.test_boats import river_rescue
from tests.engine.test_cover_and_help import two_sides

S = 1000


def check_decisions(city):
    """Every DISPATCH row is the first candidate's, every WAIT row has nobody who can go; the others have reasons."""
    inputs = city.inputs()
    log = city.run("kernel")
    wanted = np.flatnonzero(np.isin(log.rows["kind"], (LogKind.DISPATCH, LogKind.WAIT)))
    decisions = list(decisions_of(inputs, log, wanted))
    assert len(decisions) == len(wanted)
    for decision in decisions:
        able = [c for c in decision.candidates if not c.why_not]
        if decision.chosen < 0:
            assert not able, decision
            continue
        assert able, decision
        first = decision.candidates[0]
        assert (first.unit, first.expected_ms) == (decision.chosen, decision.expected_ms), decision
        assert [bool(c.why_not or c.why_behind) for c in decision.candidates] == [False] + [True] * (
            len(decision.candidates) - 1
        )


@settings(max_examples=40)
@given(data=st.data())
def test_first_is_whom_the_engine_sent_with_every_lever_in_play(tiny, data):
    check_decisions(data.draw(cities_with_levers(tiny)))


@pytest.mark.slow
@settings(max_examples=1500)
@given(data=st.data())
def test_first_is_whom_the_engine_sent_on_thousands_of_small_cities(tiny, data):
    check_decisions(data.draw(cities_with_levers(tiny)))


def reason_of(city, unit):
    """Return in English why a unit is not sent, or why another goes before it, at the first need; "" if it is sent."""
    log = city.run("kernel")
    first = np.flatnonzero(np.isin(log.rows["kind"], (LogKind.DISPATCH, LogKind.WAIT)))[:1]
    (decision,) = decisions_of(city.inputs(), log, first)
    reason = next(c.why_not or c.why_behind for c in decision.candidates if c.unit == unit)
    return "" if reason is None else reason.en


@pytest.mark.parametrize(
    ("kind", "traits", "hours", "reason"),
    [
        (HILL, {}, range(24), ""),
        (HOME, {}, range(24), "aircraft are not asked for this at what the incident is known to be"),
        (HILL, {}, range(1, 24), "cannot fly now: darkness or weather"),
        (HILL, {"callout_ms": 3600 * S}, [0], "could not fly any more when it arrives: darkness or weather"),
        (HILL, {"range_m": 4_000}, range(24), "out of its range: 5.0 km, at most 4.0 km"),
        (HILL, {"duty_ms": 199_999}, range(24), "not enough flying time left today for the way out and back"),
        (HILL, {"callout_ms": 1880 * S}, range(24), "can go, but would not be at work sooner"),
    ],
)
def test_what_keeps_an_aircraft_is_told(kind, traits, hours, reason):
    city = hill_rescue(kind, hours=tuple(hours))  # 100 s of flight; launched after 1880 s it is no sooner than on foot
    city.traits[2] |= traits
    assert reason_of(city, 2) == reason


def test_what_keeps_a_boat_is_told_and_what_keeps_a_vehicle_that_a_boat_precedes():
    assert reason_of(river_rescue(), 2) == ""
    assert reason_of(river_rescue(), 0) == "can go, but boats are expected at work sooner"
    assert reason_of(river_rescue(leads=False), 2) == "no water leads there"
    assert reason_of(river_rescue(has_boat=False), 2) == "its station is not open"
    on_track = river_rescue()
    on_track.scenes[0] = {"portal_cell": [4, -1]}
    assert reason_of(on_track, 2) == "aircraft and boats are not asked to a railway track"


def test_what_keeps_a_vehicle_is_told(tiny):
    city = tiny(handling_s=(0, 0))
    near = city.station(5, people=6)
    city.unit(near)
    city.unit(near)
    city.unit(city.station(9))
    city.help_grade[1] = 2
    city.policy = {"help_wait_ms": 600 * S}
    city.change(0, ChangeKind.UNIT_FAILS, 1, 1)
    city.incident(10, cell=5)
    assert [reason_of(city, unit) for unit in range(3)] == [
        "", "broken down",
        "another city's, released from grade 2 on (known: 1) or once the need has waited 10 min (0.0)",
    ]  # fmt: skip


def test_what_puts_one_behind_under_keep_cover_is_told(tiny):
    assert [reason_of(two_sides(tiny, 60), unit) for unit in range(2)] == [
        "can go, but more expected incidents would lose their cover", "",
    ]  # fmt: skip
    assert reason_of(two_sides(tiny, 59), 1) == "can go, but later than the earliest by more than 59 s"


def test_a_unit_on_its_way_home_is_told_not_to_be_sent_on_where_none_is(tiny):
    city = tiny(handling_s=(0, 0))
    city.unit(city.station(0))
    city.incident(0, cell=3)
    city.incident(900, cell=3)
    city.policy = {"is_sent_on": False}
    log = city.run("kernel")
    waits = np.flatnonzero(log.rows["kind"] == LogKind.WAIT)
    (decision,) = decisions_of(city.inputs(), log, waits)
    assert [c.why_not.en for c in decision.candidates] == ["on its way home; none is sent on from there"]
