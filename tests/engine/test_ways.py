"""Call-out, flight, railway tracks, water, weather and the village: by how much each moves its milestone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.chance import look_up, quantile_table
from sim.engine import simulate
from sim.engine.log import LogKind
from sim.fleet.parts import ChangeKind, UnitMode
from tests.engine.conftest import RESCUE, WATER

K = LogKind
HOUR = 3600
S = 1000
AIR = {"mode": int(UnitMode.AIR), "speed_mm_s": 50_000, "access_ms": 120 * S}
"""An aircraft at 50 m/s (20 s a cell), two minutes from being overhead to its work; cells are 1 km apart."""


def difference(rows_of, build, *kinds):
    """Return the rows of the kinds without and with the lever."""
    return [rows_of(build(lever).run(), *kinds) for lever in (False, True)]


# --- call-out ---------------------------------------------------------------------------------------------------------


def test_a_team_called_out_from_its_homes_leaves_by_its_callout_later_and_nothing_else_moves(tiny, rows_of):
    def build(lever):
        city = tiny()
        city.unit(city.station(0), callout_ms=1800 * S * lever)
        city.incident(0, cell=2)
        city.incident(20_000, cell=2)
        return city

    without, with_ = difference(rows_of, build, K.CALL, K.DISPATCH, K.ENROUTE, K.ARRIVE, K.CLEAR)
    moved = [(a[1], b[0] - a[0]) for a, b in zip(without, with_, strict=True)]
    assert moved == 2 * [("CALL", 0), ("DISPATCH", 0), ("ENROUTE", 1800), ("ARRIVE", 1800), ("CLEAR", 1800)]


def test_the_dispatcher_counts_the_callout_and_takes_the_later_station_that_leaves_at_once(tiny, rows_of):
    city = tiny(handling_s=(0, 0))
    city.unit(city.station(1), callout_ms=181 * S)
    city.unit(city.station(4))
    city.incident(0, cell=1)
    assert rows_of(city.run(), K.DISPATCH) == [(0, "DISPATCH", 0, 0, 1)]  # 45 + 180 against 45 + 181


def test_of_the_vehicles_of_one_station_the_one_that_leaves_soonest_goes(tiny, rows_of):
    city = tiny(handling_s=(0, 0))
    station = city.station(1, people=20)
    city.unit(station, callout_ms=60 * S)
    city.unit(station)
    city.incident(0, cell=1)
    assert rows_of(city.run(), K.DISPATCH) == [(0, "DISPATCH", 0, 0, 1)]


# --- by air -----------------------------------------------------------------------------------------------------------


def mountain(tiny, *, lever: bool = True, hours=tuple(range(6, 18)), cell: int = 9, **traits: int):
    """An engine at cell 0, an aircraft at cell 0; the ground team needs 30 min from the road to its work."""
    city = tiny(handling_s=(0, 0), turnout_s=(60, 60), access_s=1800)
    city.unit(city.station(0))
    if lever:
        city.unit(city.station(0), **(AIR | {"callout_ms": 600 * S} | traits))
    city.flying_hours = hours
    city.incident(10 * HOUR, cell=cell)
    return city


def test_an_aircraft_is_at_work_sooner_by_the_ground_teams_drive_and_climb_less_its_own_way(tiny, rows_of):
    without, with_ = (mountain(tiny, lever=lever).run() for lever in (False, True))
    ground = 60 + 9 * 60 + 1800
    air = 60 + 600 + 9 * 20 + 120
    assert int(without.rows[without.rows["kind"] == K.MET]["value"][0]) == (10 * HOUR + ground) * S
    assert int(with_.rows[with_.rows["kind"] == K.MET]["value"][0]) == (10 * HOUR + air) * S


@pytest.mark.parametrize(
    ("change", "is_flown"),
    [
        ({}, True),
        ({"hours": (8,)}, False),  # it is ten: no flying hour
        ({"hours": (10,), "callout_ms": 3500 * S}, False),  # the hour is over before it is there
        ({"range_m": 9000}, True),
        ({"range_m": 8999}, False),
        ({"duty_ms": 360 * S}, True),  # nine kilometres out and back: 2 x 180 s
        ({"duty_ms": 359 * S}, False),
        ({"cell": 0, "callout_ms": 3000 * S}, False),  # the ground team is at work sooner
    ],
)
def test_an_aircraft_flies_only_in_its_hours_range_and_duty_and_only_if_it_is_at_work_sooner(
    tiny, rows_of, change, is_flown
):
    log = mountain(tiny, **change).run()
    assert rows_of(log, K.DISPATCH)[0][4] == int(is_flown)


def test_the_duty_of_a_day_is_used_up_by_its_flights_and_new_the_day_after(tiny, rows_of):
    city = mountain(tiny, duty_ms=700 * S)
    city.incident(14 * HOUR, cell=9)  # 360 + 360 > 700
    city.incident(34 * HOUR, cell=9)
    assert [row[4] for row in rows_of(city.run(), K.DISPATCH)] == [1, 0, 1]


def test_an_aircraft_on_its_way_home_is_not_sent_on_and_refuels_for_its_own_time(tiny, rows_of):
    city = mountain(tiny, ready_ms=2400 * S)
    there, away = 10 * HOUR + 60 + 600 + 180, 600 + 180
    city.incident(there + 700, cell=9)  # it flies home
    city.incident(there + away + 2399, cell=9)  # it refuels until there + 780 + 2400
    log = city.run()
    assert rows_of(log, K.HOME, unit=1) == [(there + away, "HOME", -1, -1, 1)]
    assert rows_of(log, K.AVAILABLE, unit=1) == [(there + away + 2400, "AVAILABLE", -1, -1, 1)]
    assert [row[4] for row in rows_of(log, K.DISPATCH)] == [1, 0, 0]


def only_by_air(tiny, hours, called_s, **traits: int):
    """Nobody but the aircraft in cell 0 can do what cell 9 asks for: turnout 60 s, call-out 600 s, flight 180 s."""
    city = tiny(handling_s=(0, 0), turnout_s=(60, 60), scene_s=600)
    city.unit(city.station(0), **(AIR | {"callout_ms": 600 * S} | traits))
    city.flying_hours = hours
    for at_s in called_s:
        city.incident(at_s, cell=9)
    return city


@pytest.mark.parametrize(
    ("hours", "called_s", "traits", "sent_s"),
    [
        (range(6, 18), [2 * HOUR], {}, [6 * HOUR]),  # at dawn
        ((7, 9, 10), [7 * HOUR + 3000], {}, [9 * HOUR]),  # called at 7:50, it would be there at 8:04
        ((7, 9), [7 * HOUR], {"callout_ms": 5160 * S}, [7 * HOUR + 1800]),  # an hour and a half: there at nine
        ((7, 9), [6 * HOUR] * 2, {"ready_ms": 3000 * S}, [7 * HOUR, 9 * HOUR]),  # home at 7:27, ready at 8:17
        (range(24), [6 * HOUR, 9 * HOUR], {"duty_ms": 360 * S}, [6 * HOUR, 24 * HOUR]),  # flown out for the day
        (range(6, 18), [2 * HOUR], {"range_m": 8999}, []),
        ((), [2 * HOUR], {}, []),
    ],
)
def test_what_only_an_aircraft_can_do_is_offered_at_the_instant_its_window_opens(
    tiny, rows_of, hours, called_s, traits, sent_s
):
    log = only_by_air(tiny, tuple(hours), called_s, **traits).run()
    assert [row[0] for row in rows_of(log, K.DISPATCH)] == sent_s
    assert len(rows_of(log, K.UNFILLED)) == len(called_s) - len(sent_s)


@settings(max_examples=60)
@given(hours=st.sets(st.integers(0, 12)), callout_min=st.integers(0, 150), called_min=st.integers(0, 600))
def test_it_is_sent_in_the_first_minute_in_which_it_may_leave_and_arrive(tiny, rows_of, hours, callout_min, called_min):
    """Every time is of whole minutes, so looking at each minute of two days finds the first."""
    city = only_by_air(tiny, tuple(hours), [called_min * 60], callout_ms=callout_min * 60 * S)
    way_s = 60 + callout_min * 60 + 180
    minutes = range(called_min * 60, 48 * HOUR, 60)
    fit = [at for at in minutes if at // HOUR % 24 in hours and (at + way_s) // HOUR % 24 in hours]
    assert [row[0] for row in rows_of(city.run(), K.DISPATCH)] == fit[:1]


def test_flying_time_that_is_booked_opens_a_window_at_midnight_for_the_next_that_waits(tiny, rows_of):
    city = only_by_air(tiny, range(24), [22 * HOUR, 22 * HOUR + 60], duty_ms=360 * S)  # one way out and back a day
    city.change(21 * HOUR, ChangeKind.UNIT_FAILS, 0, 1)
    city.change(23 * HOUR, ChangeKind.UNIT_MENDED, 0, 1)
    assert rows_of(city.run(), K.DISPATCH) == [
        (23 * HOUR, "DISPATCH", 0, 0, 0), (24 * HOUR, "DISPATCH", 1, 0, 0),
    ]  # fmt: skip


def test_flying_time_that_is_given_back_opens_a_window_the_same_day(tiny, rows_of):
    """Ordered at 9:55, called off at 10:04, when nothing flies: who waited meanwhile is flown to at two that day."""
    city = only_by_air(tiny, (9, 14), [], duty_ms=360 * S, callout_ms=0)
    city.cards = [[(WATER, 1, True)], [(RESCUE, 1, True), (WATER, 1, False)], [(RESCUE, 1, True)]]
    city.priority = [1, 1, 1]
    city.units[0] = (0, 1 << RESCUE, 4, 6)
    city.unit(city.station(5), WATER)
    city.recorded_s = {(0, 1): {"turnout": 1200}, (0, 2): {"turnout": 300}}
    begin = 10 * HOUR - 300
    city.incident(begin, cell=9, kind=0, reported_kind=1)
    city.incident(begin + 30, cell=9, kind=2)
    log = city.run()
    assert rows_of(log, K.DISPATCH, K.TURN_BACK, unit=0) == [
        (begin, "DISPATCH", 0, 1, 0), (begin + 540, "TURN_BACK", 0, 1, 0), (14 * HOUR, "DISPATCH", 1, 0, 0),
    ]  # fmt: skip


# --- along a track ----------------------------------------------------------------------------------------------------


def tunnel(tiny, **scene):
    """A line of cells with an incident in a tunnel at cell 5, reached from portals at cells 3 and 8."""
    city = tiny(handling_s=(0, 0), turnout_s=(0, 0))
    city.unit(city.station(0))
    city.scenes[city.incident(0, cell=5)] = {"portal_cell": (3, 8), "track_m": (900, 300), **scene}
    return city


def met_s(log):
    return [int(value) / S for value in log.rows[log.rows["kind"] == K.MET]["value"]]


def test_a_crew_goes_to_the_portal_from_which_it_is_sooner_at_work_and_walks_from_there(tiny, rows_of):
    log = tunnel(tiny).run()
    assert rows_of(log, K.ARRIVE) == [(8 * 60, "ARRIVE", 0, 0, 0)]  # 180 + 900 s against 480 + 300 s on foot
    assert met_s(log) == [480 + 300]


def test_a_crew_with_a_rail_vehicle_takes_the_nearer_portal_since_the_track_costs_it_less(tiny, rows_of):
    city = tunnel(tiny)
    city.traits[0] = {"track_mm_s": 6000}
    log = city.run()
    assert rows_of(log, K.ARRIVE) == [(180, "ARRIVE", 0, 0, 0)]  # 180 + 150 s against 480 + 50 s
    assert met_s(log) == [180 + 150]


def test_nobody_enters_the_track_before_the_power_is_confirmed_off(tiny):
    assert met_s(tunnel(tiny, power_off_ms=900 * S).run()) == [900 + 300]  # at either portal by then: the shorter way
    assert met_s(tunnel(tiny, power_off_ms=480 * S).run()) == [480 + 300]


def test_a_rail_team_is_sent_if_it_is_at_work_before_the_nearer_engine_on_foot(tiny, rows_of):
    city = tunnel(tiny)
    city.unit(city.station(0), track_mm_s=6000, callout_ms=300 * S)
    log = city.run()
    assert rows_of(log, K.DISPATCH) == [(0, "DISPATCH", 0, 0, 1)]
    assert met_s(log) == [300 + 180 + 150]


def test_incidents_off_the_track_are_untouched_by_portals_elsewhere(tiny, rows_of):
    logs = []
    for on_track in (False, True):
        city = tunnel(tiny)
        if not on_track:
            city.scenes = {}
        city.incident(9000, cell=4)
        logs.append([row for row in rows_of(city.run()) if row[2] == 1])
    assert logs[0] == logs[1]


# --- water, weather, the village --------------------------------------------------------------------------------------


def test_water_far_from_a_hydrant_is_later_by_its_delay_from_the_grade_that_needs_it_on(tiny):
    def met(grade, supply_grade):
        city = tiny(supply_grade={0: supply_grade})
        city.unit(city.station(0))
        city.scenes[city.incident(0, cell=1, grade=grade)] = {"water_delay_ms": 240 * S}
        return met_s(city.run())[0]

    assert met(grade=1, supply_grade=0) == 60 + 45 + 60
    assert met(grade=1, supply_grade=2) == 60 + 45 + 60
    assert met(grade=2, supply_grade=2) == 60 + 45 + 60 + 240


@pytest.mark.parametrize("mode", [1, 2])
def test_craft_that_bring_water_wait_for_no_hydrant(tiny, mode):
    """From cell 2 to cell 1, 1 km at 50 m/s through the air or 2 km on the water at 20 m/s; a vehicle is far away."""
    city = tiny(supply_grade={0: 2})
    city.flying_hours = tuple(range(24))
    city.unit(city.station(9))
    base = city.station(2)
    city.unit(base, 0, mode=mode, access_ms=0, speed_mm_s={1: 50_000, 2: 20_000}[mode])
    city.way_m = {base: [2_000] * 10}
    city.scenes[city.incident(0, cell=1, grade=2)] = {"water_delay_ms": 240 * S}
    assert met_s(city.run()) == [60 + 45 + {1: 20, 2: 100}[mode]]


@pytest.mark.parametrize(("true_need", "late_s"), [(0, 240), (2, 0)])
def test_who_waits_for_water_is_who_works_with_it_whatever_the_caller_had_it_sent_for(tiny, true_need, late_s):
    """Needs 0 and 2 are water and rescue; the caller tells of the kind that has the other one."""
    city = tiny(cards=[[(true_need, 1, True)], [(2 - true_need, 1, True)]], priority=[1, 1], supply_grade={0: 2})
    city.unit(city.station(0), 0, 2)
    city.scenes[city.incident(0, cell=1, kind=0, grade=2, reported_kind=1)] = {"water_delay_ms": 240 * S}
    log = city.run()
    assert met_s(log) == [60 + 45 + 60 + late_s]
    assert [int(row["value"]) for row in log.rows[log.rows["kind"] == K.ARRIVE]] == [late_s * S]


def test_a_unit_handed_over_takes_the_access_of_the_slot_it_came_for_and_the_scene_time_of_the_one_it_fills(tiny):
    city = tiny(cards=[[(0, 1, True)], [(0, 1, True)]], priority=[1, 1])
    city.quantiles = {name: quantile_table(lambda p: 65536 * 2 * p, 65536.0) for name in ("access", "scene")}
    city.unit(city.station(0))
    city.incident(0, cell=1, kind=0, reported_kind=1)
    inputs = city.inputs()
    of_true, of_reported = inputs.slot_ranks
    rows = simulate(inputs, "both").rows
    assert int(rows["value"][rows["kind"] == K.ARRIVE][0]) == look_up(city.quantiles["access"], of_reported[2])
    assert int(rows["value"][rows["kind"] == K.CLEAR][0]) == look_up(city.quantiles["scene"], of_true[3])


def test_a_wet_hour_lengthens_the_drive_begun_in_it_by_its_factor_and_no_other(tiny, rows_of):
    def build(lever):
        city = tiny(handling_s=(0, 0))
        city.unit(city.station(0))
        city.road_q16 = {5: 65536 * 3 // 2} if lever else {}
        city.incident(5 * HOUR, cell=4)
        city.incident(9 * HOUR, cell=4)
        return city

    without, with_ = difference(rows_of, build, K.ARRIVE, K.CLEAR, K.HOME)
    assert [b[0] - a[0] for a, b in zip(without, with_, strict=True)] == [120, 120, 240, 0, 0, 0]


def test_the_villages_own_people_are_a_milestone_and_stop_no_clock(tiny, rows_of):
    def build(lever):
        city = tiny()
        city.unit(city.station(0))
        at = city.incident(100, cell=3)
        if lever:
            city.scenes[at] = {"village_ms": 180 * S}
        return city

    without, with_ = (build(lever).run() for lever in (False, True))
    village = with_.rows[with_.rows["kind"] == K.VILLAGE]
    assert [int(value) for value in village["value"]] == [280 * S]
    assert [row for row in rows_of(with_) if row[1] != "VILLAGE"] == rows_of(without)
