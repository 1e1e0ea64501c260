"""Weather in the engine: slower roads by the hour, and hours in which nothing flies."""

from __future__ import annotations

from sim.engine.log import LogKind
from sim.fleet.parts import UnitMode

K = LogKind
BY_AIR = {"mode": int(UnitMode.AIR), "speed_mm_s": 50_000, "access_ms": 0}


def test_rain_that_takes_a_fifth_of_the_speed_brings_the_unit_a_quarter_of_its_drive_later_and_nothing_else(tiny):
    logs = []
    for road in ({}, {0: 81_920}):  # 1 / (1 - 0.2) = 1.25
        city = tiny(road_q16=road)
        city.unit(city.station(0))
        city.incident(0, cell=5)
        logs.append(city.run().rows)
    dry, wet = logs
    is_arrival = dry["kind"] == K.ARRIVE
    assert dry["time_ms"][is_arrival].tolist() == [60_000 + 45_000 + 300_000]
    assert (wet["time_ms"] - dry["time_ms"])[is_arrival].tolist() == [75_000]
    before = dry["time_ms"] < dry["time_ms"][is_arrival][0]
    assert wet["time_ms"][before].tolist() == dry["time_ms"][before].tolist()
    assert wet["kind"].tolist() == dry["kind"].tolist()
    assert wet["unit"].tolist() == dry["unit"].tolist()


def test_weather_slows_the_drives_that_begin_in_its_hour_and_no_other(tiny, rows_of):
    city = tiny(road_q16={1: 131_072}, handling_s=(0, 0), turnout_s=(0, 0))
    city.unit(city.station(0))
    city.incident(100, cell=2)
    city.incident(3_600 + 100, cell=2)
    city.incident(7_200 + 100, cell=2)
    arrivals = [row[0] for row in rows_of(city.run(), K.ARRIVE)]
    assert arrivals == [100 + 120, 3_700 + 240, 7_300 + 120]


def test_an_aircraft_stays_in_its_hangar_in_an_hour_that_is_not_for_flying(tiny, rows_of):
    sent = {}
    for hours in ((0, 1), ()):
        city = tiny(handling_s=(0, 0), flying_hours=hours)
        city.unit(city.station(0), 0, crew_min=2, crew=2, **BY_AIR)
        city.unit(city.station(9))
        city.incident(0, cell=4)
        sent[hours] = [row[4] for row in rows_of(city.run(), K.DISPATCH)]
    assert sent == {(0, 1): [0], (): [1]}
