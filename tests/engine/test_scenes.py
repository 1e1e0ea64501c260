"""What the place adds to the way to the work: water that has to be brought, tracks, the village's own people."""

from __future__ import annotations

import numpy as np

from sim.engine.log import LogKind

WATER, AERIAL = 0, 1
ARRIVE, MET = LogKind.ARRIVE, LogKind.MET


def values_of(log, kind, unit=-1):
    rows = log.rows[(log.rows["kind"] == kind) & ((log.rows["unit"] == unit) | (unit < 0))]
    return rows["value"].tolist()


def fire_without_hydrant(tiny, delay_s, grade):
    city = tiny(cards=[[(WATER, 1, True), (AERIAL, 1, False)]], access_s=30, policy={"water_bit": WATER})
    city.supply_grade[0] = 2
    city.unit(city.station(0), WATER)
    city.unit(0, AERIAL)
    city.scenes[city.incident(0, cell=2, grade=grade)] = {"water_delay_ms": delay_s * 1000}
    return city.run()


def test_water_at_a_large_fire_comes_later_by_the_delay_and_nothing_else_changes(tiny):
    plain, far = (fire_without_hydrant(tiny, delay_s, grade=2) for delay_s in (0, 360))
    assert [values_of(log, ARRIVE, WATER) for log in (plain, far)] == [[30_000], [390_000]]
    assert [values_of(log, ARRIVE, AERIAL) for log in (plain, far)] == [[30_000], [30_000]]
    # handling 60, turnout 45, two minutes of road, access 30, and six minutes for water
    assert [values_of(log, MET) for log in (plain, far)] == [[255_000], [615_000]]
    is_same = (plain.rows["kind"] != ARRIVE) & (plain.rows["kind"] != MET)
    assert np.array_equal(plain.rows[is_same], far.rows[is_same])
    assert np.array_equal(plain.rows["time_ms"], far.rows["time_ms"])


def test_the_water_on_the_vehicles_is_enough_for_a_small_fire(tiny):
    plain, far = (fire_without_hydrant(tiny, delay_s, grade=1) for delay_s in (0, 360))
    assert np.array_equal(plain.rows, far.rows)
