"""The static part of a response: who would come, and when, were the incident alone in the city of its moment."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from sim.chance import look_up, quantile_table
from sim.engine.kernel import run_kernel
from sim.engine.log import LogKind
from sim.engine.static import static_responses
from sim.fleet.parts import ChangeKind

WATER, AERIAL, RESCUE = 0, 1, 2
S = 1000


def static_s(city):
    return (static_responses(city.inputs()) / S).tolist()


def test_a_response_is_turnout_and_drive_whatever_else_is_busy(tiny):
    city = tiny()
    city.unit(city.station(cell=0))
    city.unit(city.station(cell=9))
    for _ in range(3):
        city.incident(at_s=0, cell=2)  # in the run the second call meets an empty near station, the third an empty city
    assert static_s(city) == [45 + 120] * 3
    log = city.run().rows
    first = [log["time_ms"][(log["kind"] == LogKind.ARRIVE) & (log["incident"] == i)].min() / S - 60 for i in range(3)]
    assert first[0] == 165
    assert first[1] == 45 + 7 * 60
    assert first[2] > first[1]


def test_a_closed_station_a_withdrawn_unit_and_a_crew_too_small_do_not_count(tiny):
    for hindrance in ("closed", "withdrawn", "crew"):
        city = tiny()
        near = city.station(cell=3, people=3 if hindrance == "crew" else 12, is_open=hindrance != "closed")
        unit = city.unit(near, crew_min=4)
        city.unit(city.station(cell=0))
        if hindrance == "withdrawn":
            city.change(10, ChangeKind.UNIT_WITHDRAW, unit, 0)
        city.incident(at_s=100, cell=4)
        assert static_s(city) == [45 + 4 * 60], hindrance


def test_a_dated_change_counts_from_the_instant_the_dispatch_is_due(tiny):
    city = tiny()
    city.unit(city.station(cell=0))
    new = city.station(cell=5, is_open=False)
    city.unit(new)
    city.change(1000, ChangeKind.STATION_OPEN, new, 1)
    city.change(2000, ChangeKind.STATION_PEOPLE, new, 3)
    city.change(3000, ChangeKind.STATION_PEOPLE, new, 4)
    for due_s in (999, 1000, 1999, 2000, 2999, 3000):
        city.incident(at_s=due_s - 60, cell=5)
    assert static_s(city) == [345, 45, 45, 345, 345, 45]


def test_nobody_who_could_serve_is_minus_one(tiny):
    city = tiny(cards=[[(WATER, 1, True)], [(AERIAL, 1, True)]], priority=[1, 1])
    city.unit(city.station(cell=0, people=3), WATER)
    city.incident(at_s=0, cell=1)
    city.incident(at_s=5000, cell=1, kind=1)
    assert static_responses(city.inputs()).tolist() == [-1, -1]


def test_the_earliest_of_several_needs_counts_and_one_station_lends_its_people_once(tiny):
    cards = [[(AERIAL, 1, True), (WATER, 1, True)]]
    for people, expected in ((8, 45), (7, 45 + 300)):
        city = tiny(cards=cards)
        far = city.station(cell=0)
        city.unit(far, AERIAL, crew_min=4, crew=4)
        near = city.station(cell=5, people=people)
        city.unit(near, RESCUE, crew_min=4, crew=4)
        city.unit(near, WATER, crew_min=8, crew=8)
        city.incident(at_s=0, cell=5)
        assert static_s(city) == [expected], people


def test_each_need_of_an_incident_takes_a_unit_of_its_own_with_the_turnout_of_its_own_slot(tiny):
    later_need_decides = []
    for seed in range(12):
        city = tiny(cards=[[(WATER, 1, True), (WATER, 1, True)]], seed=seed, minute_per_cell_s=20)
        city.quantiles["turnout"] = quantile_table(lambda p: 120_000 * p, 60_000.0)
        city.unit(city.station(cell=5))
        city.unit(city.station(cell=4))
        city.incident(at_s=0, cell=5)
        inputs = city.inputs()
        first, second = (look_up(city.quantiles["turnout"], rank) for rank in inputs.slot_ranks[:, 0])
        assert static_responses(inputs).tolist() == [min(first, second + 20 * S)], seed
        later_need_decides.append(second + 20 * S < first)
    assert set(later_need_decides) == {True, False}


def test_the_reported_kind_and_grade_decide_who_goes(tiny):
    cards = [[(WATER, 1, True), (RESCUE, 2, False)], [(AERIAL, 1, True)]]
    city = tiny(cards=cards, priority=[1, 1])
    city.unit(city.station(cell=0), WATER)
    city.unit(city.station(cell=9), AERIAL)
    city.unit(city.station(cell=4), RESCUE)
    city.incident(at_s=0, cell=4, kind=1, reported_kind=0, reported_grade=1)
    city.incident(at_s=9000, cell=4, kind=0, reported_kind=1, reported_grade=1)
    city.incident(at_s=18000, cell=4, kind=0, grade=2, reported_grade=1)
    city.incident(at_s=27000, cell=4, kind=0, grade=1, reported_grade=2)
    assert static_s(city) == [45 + 240, 45 + 300, 45 + 240, 45]


@st.composite
def cities(draw, tiny):
    city = tiny(
        n_cells=6, minute_per_cell_s=draw(st.sampled_from([0, 60, 1700])),
        handling_s=(draw(st.sampled_from([0, 60])), 30),
        dispatch=draw(st.sampled_from([0, 1])), latent_s={(0, 1): 30, (0, 2): 150}, night_hours=(1,),
        cards=[[(WATER, 1, True), (WATER, 2, False), (AERIAL, 2, True)], [(RESCUE, 1, True), (WATER, 1, False)]],
        priority=[1, 2], town_of_cell=[0, 0, 0, 1, 1, 1], seed=draw(st.integers(0, 9)),
    )  # fmt: skip
    for _ in range(draw(st.integers(1, 4))):
        station = city.station(draw(st.integers(0, 5)), people=draw(st.integers(0, 14)), is_open=draw(st.booleans()))
        for _ in range(draw(st.integers(1, 3))):
            city.unit(station, *draw(st.sets(st.sampled_from([WATER, AERIAL, RESCUE]), min_size=1)), crew_min=3, crew=5)
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from([ChangeKind.STATION_OPEN, ChangeKind.STATION_CLOSE, ChangeKind.STATION_PEOPLE]))
        city.change(60 * draw(st.integers(0, 90)), kind, draw(st.integers(0, len(city.stations) - 1)), 7)
    for place in range(draw(st.integers(1, 8))):
        city.incident(
            60 * draw(st.integers(0, 90)), draw(st.integers(0, 5)), identity=place + 1,
            kind=draw(st.integers(0, 1)), grade=draw(st.integers(1, 2)),
            reported_kind=draw(st.integers(0, 1)), reported_grade=draw(st.integers(1, 2)),
        )  # fmt: skip
    city.quantiles = {
        "turnout": quantile_table(lambda p: 120_000 * p, 60_000.0),
        "travel_own": quantile_table(lambda p: 131_072 * p, 65_536.0),
    }
    return city


def copied(city, **other):
    return replace(city, **({"incidents": [dict(row) for row in city.incidents]} | other))


@settings(max_examples=150)
@given(data=st.data())
def test_it_is_the_logged_first_arrival_of_the_incident_alone_in_the_city_of_its_moment(tiny, data):
    city = data.draw(cities(tiny))
    inputs = copied(city).inputs()
    given_by = {row["identity"]: row for row in city.incidents}
    for incident, static_ms in zip(inputs.demand.incidents, static_responses(inputs), strict=True):
        due_ms = int(incident["call_ms"]) + city.handling_s[0] * S
        changes = [change for change in city.changes if change[0] <= due_ms]
        alone = copied(city, incidents=[dict(given_by[int(incident["identity"])])], changes=changes)
        log = run_kernel(alone.inputs()).rows
        arrivals = log["time_ms"][log["kind"] == LogKind.ARRIVE]
        assert static_ms == (arrivals.min() - due_ms if len(arrivals) else -1)
