"""Breakdowns in the engine: who goes instead, and for how long."""

from __future__ import annotations

from sim.engine.log import LogKind
from sim.fleet.parts import ChangeKind

K = LogKind


def test_while_a_vehicle_is_in_repair_the_next_station_goes_and_is_later_by_its_longer_drive_alone(tiny, rows_of):
    arrivals = []
    for is_broken in (False, True):
        city = tiny()
        city.unit(city.station(0))
        city.unit(city.station(7))
        if is_broken:
            city.change(50, ChangeKind.UNIT_FAILS, 0, 3_650)
            city.change(5_000, ChangeKind.UNIT_MENDED, 0, 3_650)
        city.incident(100, cell=1)
        city.incident(6_000, cell=1)
        arrivals.append([(row[0], row[4]) for row in rows_of(city.run(), K.ARRIVE)])
    whole, broken = arrivals
    assert broken[0][0] - whole[0][0] == 5 * 60  # six cells away instead of one
    assert [unit for _, unit in broken] == [1, 0]
    assert broken[1] == whole[1]


def test_a_crew_rides_on_its_station_s_other_vehicle_while_the_first_is_in_repair(tiny, rows_of):
    city = tiny()
    station = city.station(0, people=6)
    city.unit(station)
    city.unit(station)
    city.change(50, ChangeKind.UNIT_FAILS, 0, 0)
    city.incident(100, cell=1)
    assert [(row[0], row[4]) for row in rows_of(city.run(), K.ARRIVE)] == [(100 + 60 + 45 + 60, 1)]
