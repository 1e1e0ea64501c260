"""Who is sent: nearest by expected arrival, units on their way home, own town first, crews, the queue."""

from __future__ import annotations

import pytest

from sim.engine.log import LogKind
from sim.fleet.parts import ChangeKind

WATER, AERIAL, RESCUE = 0, 1, 2
DISPATCH, ARRIVE, WAIT = LogKind.DISPATCH, LogKind.ARRIVE, LogKind.WAIT


def test_nearest_idle_unit_wins_and_ties_go_to_the_lowest_id(tiny, rows_of):
    city = tiny()
    for cell in (9, 4, 6):  # units 1 and 2 are both one cell from cell 5
        city.unit(city.station(cell))
    city.incident(0, cell=5)
    assert rows_of(city.run(), DISPATCH) == [(60, "DISPATCH", 0, 0, 1)]


def test_the_bay_order_of_a_station_decides_between_its_units(tiny, rows_of):
    city = tiny()
    station = city.station(3)
    city.unit(station, RESCUE)
    city.unit(station, WATER, RESCUE)
    city.unit(station, WATER)
    city.incident(0, cell=3)
    assert rows_of(city.run(), DISPATCH) == [(60, "DISPATCH", 0, 0, 1)]


def test_a_unit_on_its_way_home_is_sent_on_from_where_it_is_without_turnout(tiny, rows_of):
    city = tiny(handling_s=(0, 0), turnout_s=(40, 40))
    city.unit(city.station(0))
    city.incident(0, cell=6)
    # it arrives at 40 + 360 = 400, is clear at 1000, and at 1160 it is at cell 6 - 160/360 * 6 = 3.33: in cell 3
    city.incident(1160, cell=2)
    log = city.run()
    assert rows_of(log, LogKind.CLEAR, incident=0) == [(1000, "CLEAR", 0, 0, 0)]
    assert rows_of(log, DISPATCH, LogKind.ENROUTE, ARRIVE, incident=1) == [
        (1160, "DISPATCH", 1, 0, 0),
        (1160, "ENROUTE", 1, 0, 0),
        (1220, "ARRIVE", 1, 0, 0),
    ]


def test_a_unit_in_its_bay_loses_its_turnout_against_one_on_the_road(tiny, rows_of):
    for turnout_s, winner in ((61, 0), (59, 1)):
        city = tiny(handling_s=(0, 0), turnout_s=(turnout_s, turnout_s))
        city.unit(city.station(0))
        city.unit(city.station(3))
        city.incident(0, cell=2)  # unit 1 goes (one cell), unit 0 has two
        city.incident(1, cell=9)
        # by 5000 all are home; then only unit 0 may go, and the last call finds it on its way home
        city.change(4000, ChangeKind.STATION_PEOPLE, 1, 0)
        city.incident(5000, cell=6)  # leaves 5000 + turnout, arrives + 360, clear + 600
        clear_s = 5000 + turnout_s + 360 + 600
        city.change(clear_s, ChangeKind.STATION_PEOPLE, 1, 12)
        city.incident(clear_s + 120, cell=3)  # unit 0 is two cells down the road, in cell 4: one minute away
        log = city.run()
        assert rows_of(log, DISPATCH, incident=3)[0][4] == winner


def test_a_unit_making_ready_cannot_go_and_goes_when_ready(tiny, rows_of):
    city = tiny(handling_s=(0, 0), turnout_s=(0, 0), make_ready_s=300)
    city.unit(city.station(0))
    city.incident(0, cell=1)  # arrive 60, clear 660, home 720, ready 1020
    city.incident(800, cell=0)
    assert rows_of(city.run(), WAIT, DISPATCH, incident=1) == [(800, "WAIT", 1, 0, -1), (1020, "DISPATCH", 1, 0, 0)]


def test_own_town_first_prefers_a_farther_unit_of_the_town_and_falls_back_to_any(tiny, rows_of):
    towns = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    for dispatch, first in ((0, 1), (1, 0)):
        city = tiny(town_of_cell=towns, dispatch=dispatch)
        city.unit(city.station(0))
        city.unit(city.station(5))
        city.incident(0, cell=4)
        city.incident(10, cell=4)
        assert [row[4] for row in rows_of(city.run(), DISPATCH)] == [first, 1 - first]


def test_one_crew_serves_two_vehicles_one_after_the_other(tiny, rows_of):
    city = tiny(handling_s=(0, 0), turnout_s=(0, 0), cards=[[(WATER, 1, True)], [(AERIAL, 1, True)]], priority=[1, 1])
    station = city.station(0, people=6)
    city.unit(station, WATER)
    city.unit(station, AERIAL)
    city.incident(0, cell=1)  # takes all six; home at 60 + 600 + 60 = 720
    city.incident(100, cell=1, kind=1)
    log = city.run()
    assert rows_of(log, WAIT, DISPATCH, incident=1) == [(100, "WAIT", 1, 0, -1), (720, "DISPATCH", 1, 0, 1)]


def test_enough_people_let_both_vehicles_go_and_the_second_goes_with_what_is_left(tiny, rows_of):
    city = tiny(handling_s=(0, 0), turnout_s=(0, 0))
    station = city.station(0, people=10)
    city.unit(station, crew_min=4, crew=6)
    city.unit(station, crew_min=4, crew=6)
    city.incident(0, cell=1)
    city.incident(0, cell=1)
    log = city.run()
    assert rows_of(log, WAIT) == []
    aboard = log.rows["value"][log.rows["kind"] == LogKind.ENROUTE]
    assert aboard.tolist() == [6, 4]


@pytest.mark.parametrize(("people", "aboard"), [(8, [4, 4]), (9, [5, 4]), (10, [6, 4]), (12, [6, 6]), (7, [4])])
def test_the_preferred_crew_rides_as_far_as_the_next_vehicle_keeps_its_smallest(tiny, people, aboard):
    city = tiny(handling_s=(0, 0), turnout_s=(0, 0))
    station = city.station(0, people=people)
    city.unit(station, crew_min=4, crew=6)
    city.unit(station, crew_min=4, crew=6)
    city.incident(0, cell=1)
    city.incident(0, cell=1)
    rows = city.run().rows
    first = rows[(rows["kind"] == LogKind.ENROUTE) & (rows["time_ms"] == 0)]
    assert first["value"].tolist() == aboard


def one_unit_and_two_priorities(tiny):
    """A city whose one unit is sent at once; kind 1 goes before kind 0."""
    city = tiny(
        handling_s=(0, 0), turnout_s=(0, 0), make_ready_s=0, scene_s=60,
        cards=[[(WATER, 1, True)], [(WATER, 1, True)]], priority=[2, 1],
    )  # fmt: skip
    city.unit(city.station(0))
    city.incident(0, cell=0)
    return city


def test_the_queue_is_served_by_priority_then_call_time_then_id(tiny, rows_of):
    city = one_unit_and_two_priorities(tiny)
    city.incident(10, cell=0)  # low priority, early
    city.incident(20, cell=0, kind=1)
    city.incident(20, cell=0, kind=1)
    city.incident(30, cell=0, kind=1)
    served = [row[2] for row in rows_of(city.run(), DISPATCH)]
    assert served == [0, 2, 3, 4, 1]


def test_needs_wait_by_the_priority_of_the_kind_the_caller_told(tiny, rows_of):
    city = one_unit_and_two_priorities(tiny)
    city.incident(10, cell=0)
    city.incident(20, cell=0, kind=1, reported_kind=0)  # nobody knows yet how much it matters
    city.incident(30, cell=0, kind=0, reported_kind=1)
    served = [row[2] for row in rows_of(city.run(), DISPATCH)]
    assert served == [0, 3, 1, 2]


def test_once_somebody_is_there_needs_wait_by_the_priority_of_what_was_found(tiny, rows_of):
    city = tiny(
        handling_s=(0, 0), turnout_s=(0, 0), cards=[[(WATER, 1, True)], [(WATER, 1, True), (WATER, 1, False)]],
        priority=[2, 1],
    )  # fmt: skip
    station = city.station(0)
    city.unit(station)
    city.unit(station)
    city.incident(0, cell=0)  # keeps unit 0 until 600
    city.incident(10, cell=3, kind=1, reported_kind=0)  # unit 1 finds at 190 that two are needed
    city.incident(100, cell=0, kind=1)
    assert rows_of(city.run(), DISPATCH)[:3] == [
        (0, "DISPATCH", 0, 0, 0), (10, "DISPATCH", 1, 2, 1), (600, "DISPATCH", 1, 1, 0),
    ]  # fmt: skip


def test_a_capability_is_never_silently_substituted(tiny, rows_of):
    city = tiny(cards=[[(WATER, 1, True), (AERIAL, 1, False)]])
    station = city.station(0, people=30)
    city.unit(station, WATER)
    city.unit(station, WATER)
    city.incident(0, cell=0)
    log = city.run()
    assert rows_of(log, DISPATCH) == [(60, "DISPATCH", 0, 0, 0)]
    assert rows_of(log, LogKind.UNFILLED) == [(705, "UNFILLED", 0, 1, -1)]


def test_a_need_that_nobody_ever_fills_is_counted_at_the_end(tiny, rows_of):
    city = tiny(cards=[[(AERIAL, 1, True)]])
    city.unit(city.station(0), WATER)
    city.incident(0, cell=0)
    log = city.run()
    assert rows_of(log, WAIT, LogKind.UNFILLED, LogKind.END) == [
        (60, "WAIT", 0, 0, -1), (60, "UNFILLED", 0, 0, -1), (60, "END", -1, -1, -1),
    ]  # fmt: skip
    assert int(log.rows["value"][-1]) == 1  # one incident still open


def test_the_expected_arrival_is_what_the_dispatcher_sees_not_what_chance_holds(tiny):
    city = tiny(travel_common_q16=2 * 65536, turnout_s=(50, 50))
    city.unit(city.station(0))
    city.incident(0, cell=3)
    rows = city.run().rows
    assert int(rows["value"][rows["kind"] == DISPATCH][0]) == (50 + 180) * 1000
    assert int(rows["time_ms"][rows["kind"] == ARRIVE][0]) == (60 + 50 + 360) * 1000


def test_of_two_units_on_the_road_with_equal_expected_arrival_the_lowest_id_goes(tiny, rows_of):
    city = tiny(handling_s=(0, 0), turnout_s=(0, 0))
    city.unit(city.station(0))
    city.unit(city.station(0))
    city.incident(0, cell=6)
    city.incident(0, cell=6)  # both arrive at 360, are clear at 960 and drive home side by side
    city.incident(1080, cell=2)
    assert rows_of(city.run(), DISPATCH, incident=2) == [(1080, "DISPATCH", 2, 0, 0)]
