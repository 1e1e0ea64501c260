"""What the place adds to the way to the work: water that has to be brought, tracks, the village's own people."""

from __future__ import annotations

import numpy as np
import pytest

from sim.engine.log import LogKind

WATER, AERIAL, RESCUE = 0, 1, 2
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


def tunnel(tiny, portals=(2, 6), track_m=(1200, 600), power_off_s=0):
    """An incident on a track of 1,800 m between the portals in cells 2 and 6; units walk at 1 m/s."""
    city = tiny(cards=[[(RESCUE, 1, True)]])
    city.unit(city.station(0), RESCUE)
    city.scenes[city.incident(0, cell=portals[0])] = {
        "portal_cell": portals, "track_m": track_m, "power_off_ms": power_off_s * 1000
    }  # fmt: skip
    return city


@pytest.mark.parametrize(
    ("track_m", "arrival_s", "access_s"),
    [
        ((200, 1600), 225, 200),  # cell 2: handling 60, turnout 45, two minutes of road
        ((1200, 600), 465, 600),  # cell 6: two minutes of road more than 225, but ten minutes of walk less
        ((1020, 780), 225, 1020),  # as soon from either (240 s of road, 240 m of track): the first
    ],
)
def test_a_unit_makes_for_the_portal_from_which_it_is_sooner_at_work(tiny, rows_of, track_m, arrival_s, access_s):
    log = tunnel(tiny, track_m=track_m).run()
    assert rows_of(log, ARRIVE) == [(arrival_s, "ARRIVE", 0, 0, 0)]
    assert values_of(log, ARRIVE) == [access_s * 1000]
    assert values_of(log, MET) == [(arrival_s + access_s) * 1000]


@pytest.mark.parametrize(("power_off_s", "access_s"), [(0, 200), (225, 200), (600, 575)])
def test_nobody_goes_on_the_track_before_the_power_is_off(tiny, power_off_s, access_s):
    log = tunnel(tiny, track_m=(200, 1600), power_off_s=power_off_s).run()
    assert values_of(log, ARRIVE) == [access_s * 1000]  # there at 225 s; 600 - 225 s of waiting and 200 s of walk


def test_a_rail_vehicle_from_further_off_goes_if_it_is_sooner_at_work_than_one_on_foot(tiny, rows_of):
    def unit_sent(mm_s):
        city = tunnel(tiny, track_m=(1200, 600))
        city.unit(city.station(9), RESCUE, track_mm_s=mm_s)
        return rows_of(city.run(), LogKind.DISPATCH)[0][4]

    # on foot: 120 s further to cell 6 by road than to cell 2, at work 45 + 360 + 600 s after dispatch
    # from cell 9: 180 s of road to cell 6; at the same pace sooner for being nearer, at half the pace not
    assert unit_sent(1000) == 1
    assert unit_sent(500) == 0


def test_the_village_s_own_people_are_told_of_and_change_nothing_else(tiny):
    logs = []
    for village_ms in (-1, 150_000):
        city = tiny()
        city.unit(city.station(0))
        city.scenes[city.incident(10, cell=4)] = {"village_ms": village_ms}
        logs.append(city.run().rows)
    told = logs[1][logs[1]["kind"] == LogKind.VILLAGE]
    assert [(row["time_ms"], row["incident"], row["value"]) for row in told] == [(70_000, 0, 160_000)]
    assert np.array_equal(logs[1][logs[1]["kind"] != LogKind.VILLAGE], logs[0])
