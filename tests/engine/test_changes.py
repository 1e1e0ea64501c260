"""Dated changes: openings, closings, withdrawals, people, call handling, night."""

from __future__ import annotations

from sim.engine.log import LogKind
from sim.fleet.parts import ChangeKind

K = LogKind


def test_a_station_that_opens_serves_the_queue_at_that_instant_and_every_later_call(tiny, rows_of):
    city = tiny(handling_s=(0, 0))
    station = city.station(0, is_open=False)
    city.unit(station)
    city.change(500, ChangeKind.STATION_OPEN, station, 1)
    city.incident(100, cell=0)
    assert rows_of(city.run(), K.WAIT, K.DISPATCH) == [(100, "WAIT", 0, 0, -1), (500, "DISPATCH", 0, 0, 0)]


def test_opening_a_nearer_station_moves_the_arrival_by_the_driving_time_saved_and_nothing_else(tiny, rows_of):
    logs = []
    for opens in (False, True):
        city = tiny()
        city.unit(city.station(0))
        near = city.station(6, is_open=False)
        city.unit(near)
        if opens:
            city.change(50, ChangeKind.STATION_OPEN, near, 1)
        city.incident(100, cell=8)
        city.incident(9000, cell=1)
        logs.append(city.run())
    without, with_ = (rows_of(log, K.ARRIVE) for log in logs)
    assert without[0][0] - with_[0][0] == 6 * 60
    assert without[1] == with_[1]


def test_a_closing_station_keeps_its_unit_in_use_until_it_is_home(tiny, rows_of):
    city = tiny(handling_s=(0, 0), turnout_s=(0, 0), make_ready_s=0)
    station = city.station(0)
    city.unit(station)
    city.incident(0, cell=5)  # arrive 300, clear 900, home 1200
    city.change(100, ChangeKind.STATION_CLOSE, station, 0)
    city.incident(960, cell=4)  # on its way home: still sent on; home from cell 4 later, then closed
    city.incident(5000, cell=0)
    log = city.run()
    assert rows_of(log, K.DISPATCH) == [(0, "DISPATCH", 0, 0, 0), (960, "DISPATCH", 1, 0, 0)]
    assert rows_of(log, K.UNFILLED) == [(5000, "UNFILLED", 2, 0, -1)]


def test_a_withdrawn_unit_stays_in_its_bay_and_its_neighbour_goes(tiny, rows_of):
    city = tiny(handling_s=(0, 0))
    station = city.station(0, people=30)
    city.unit(station)
    city.unit(station)
    city.change(50, ChangeKind.UNIT_WITHDRAW, 0, 0)
    city.incident(100, cell=0)
    assert rows_of(city.run(), K.DISPATCH) == [(100, "DISPATCH", 0, 0, 1)]


def test_a_cut_in_people_leaves_the_crew_that_is_out_at_work_and_holds_the_next_vehicle(tiny, rows_of):
    city = tiny(handling_s=(0, 0), turnout_s=(0, 0), make_ready_s=0)
    station = city.station(0, people=12)
    city.unit(station)
    city.unit(station)
    city.incident(0, cell=1)  # six out until 60 + 600 + 60 = 720
    city.change(100, ChangeKind.STATION_PEOPLE, station, 6)
    city.incident(200, cell=0)  # six on duty, six out: it waits until those six are clear, at 660
    assert rows_of(city.run(), K.DISPATCH) == [(0, "DISPATCH", 0, 0, 0), (660, "DISPATCH", 1, 0, 0)]


def test_a_station_without_people_is_open_but_sends_nobody(tiny, rows_of):
    city = tiny()
    city.unit(city.station(5, people=0))
    city.unit(city.station(0))
    city.incident(0, cell=5)
    assert rows_of(city.run(), K.DISPATCH) == [(60, "DISPATCH", 0, 0, 1)]


def test_the_new_command_centre_shortens_handling_by_its_own_table_from_its_day_on(tiny, rows_of):
    city = tiny(handling_s=(60, 20))
    city.unit(city.station(0))
    city.change(1000, ChangeKind.HANDLING_REGIME, -1, 1)
    city.incident(999, cell=0)
    city.incident(9000, cell=0)
    assert [row[0] for row in rows_of(city.run(), K.CALL)] == [999 + 60, 9000 + 20]


def test_turnout_is_longer_at_night(tiny, rows_of):
    city = tiny(turnout_s=(45, 90), night_hours=(3,))
    city.unit(city.station(0))
    city.incident(3 * 3600, cell=0)
    city.incident(12 * 3600, cell=0)
    log = city.run()
    assert [b[0] - a[0] for a, b in zip(rows_of(log, K.DISPATCH), rows_of(log, K.ENROUTE), strict=True)] == [90, 45]


def test_changes_of_one_instant_come_before_the_call_they_meet(tiny, rows_of):
    city = tiny(handling_s=(0, 0))
    station = city.station(0, is_open=False)
    city.unit(station)
    city.change(100, ChangeKind.STATION_OPEN, station, 1)
    city.incident(100, cell=0)
    assert rows_of(city.run(), K.WAIT) == []


def test_a_call_in_the_instant_of_the_new_command_centre_is_handled_by_it(tiny, rows_of):
    city = tiny(handling_s=(60, 20))
    city.unit(city.station(0))
    city.change(1000, ChangeKind.HANDLING_REGIME, -1, 1)
    city.incident(1000, cell=0)
    assert [row[0] for row in rows_of(city.run(), K.CALL)] == [1020]
