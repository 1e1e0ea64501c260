"""Vehicles that stand idle for want of people, to the millisecond; states over time under a roster."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from sim.engine.log import LogKind
from sim.fleet.parts import ChangeKind
from sim.inputs import Roster
from sim.metrics import coverage_table, manning_table, workload_table
from sim.metrics.manning import replayed
from sim.metrics.states import build_states
from sim.units import MS_PER_DAY, MS_PER_H

K = LogKind
S = 1000
H = 3600


def with_tables(city, n_days=1):
    """The engine's tiny city with what tables ask for beside it: a calendar, places and types."""
    inputs = city.inputs()
    n_stations, n_units = len(city.stations), len(city.units)
    inputs.calendar = SimpleNamespace(
        year=np.full(n_days, 2022, dtype=np.int16), measure_from_ms=0, measure_to_ms=n_days * MS_PER_DAY
    )
    inputs.fleet.stations.k = np.zeros(n_stations, dtype=np.int16)
    inputs.fleet.units.type_id = np.zeros(n_units, dtype=np.int16)
    return inputs


def seconds(table, name, unit):
    """{hour: seconds} of one unit, hours without any left out."""
    rows = (table["unit"] == unit) & (table[name] > 0)
    return dict(zip(table["hour"][rows].tolist(), (table[name][rows] / S).tolist(), strict=True))


def three_pumpers(engine_city, people):
    city = engine_city(handling_s=(0, 0), turnout_s=(0, 0), make_ready_s=0)
    station = city.station(0, people=people)
    for _ in range(3):
        city.unit(station, crew_min=4, crew=6)
    return city, station


def test_of_three_pumpers_and_ten_people_the_last_in_the_bays_is_unmanned(engine_city):
    city, _ = three_pumpers(engine_city, people=10)
    table = manning_table(with_tables(city), city.run())
    assert table["in_service_ms"].sum() == 3 * MS_PER_DAY
    assert [seconds(table, "unmanned_ms", unit) for unit in range(2)] == [{}, {}]
    assert seconds(table, "unmanned_ms", 2) == dict.fromkeys(range(24), H)
    assert table["stranded_ms"].sum() == 0  # ten are there: any one of the three can go at any time


def test_the_third_pumper_is_stranded_while_both_crews_are_out(engine_city):
    city, _ = three_pumpers(engine_city, people=10)
    city.incident(3000, cell=1)  # four ride: 3060 there, 3660 clear, 3720 home
    city.incident(3300, cell=2)  # four ride: 3420 there, 4020 clear, 4140 home
    log = city.run()
    assert [int(row["value"]) for row in log.rows[log.rows["kind"] == K.ENROUTE]] == [4, 4]
    table = manning_table(with_tables(city), log)
    assert seconds(table, "stranded_ms", 2) == {0: 300, 1: 120}  # from 3300 on two are free, until 3720
    assert seconds(table, "stranded_ms", 0) == {}


def test_a_roster_mans_by_the_hour_and_a_full_relief_ends_the_count_of_those_still_out(engine_city):
    city, _ = three_pumpers(engine_city, people=12)
    city.roster = [(0, [12], False), (8 * H, [4], True), (20 * H, [12], True)]
    city.incident(8 * H - 60, cell=4)  # the night's crew: there 8:03, clear 8:13, home 8:17, off duty then
    table = manning_table(with_tables(city), city.run())
    day = dict.fromkeys(range(8, 20), H)
    assert seconds(table, "unmanned_ms", 0) == {}
    assert seconds(table, "unmanned_ms", 1) == day
    assert seconds(table, "unmanned_ms", 2) == day
    assert table["stranded_ms"].sum() == 0  # the day's four are all at home while the others are out


def test_units_out_of_service_broken_down_or_of_a_closed_station_are_not_counted(engine_city):
    city, station = three_pumpers(engine_city, people=3)
    city.change(H, ChangeKind.UNIT_WITHDRAW, 0, 0)
    city.change(2 * H, ChangeKind.UNIT_FAILS, 1, 1)
    city.change(3 * H, ChangeKind.UNIT_MENDED, 1, 0)
    city.change(4 * H, ChangeKind.STATION_CLOSE, station, 0)
    table = manning_table(with_tables(city), city.run())
    told = [seconds(table, "in_service_ms", unit) for unit in range(3)]
    assert told == [{0: H}, {0: H, 1: H, 3: H}, dict.fromkeys(range(4), H)]
    assert (table["unmanned_ms"] == table["in_service_ms"]).all()
    assert (table["stranded_ms"] == table["in_service_ms"]).all()


def roster_of(*rows):
    at_h, people = zip(*rows, strict=True)
    return Roster(np.array(at_h) * MS_PER_H, np.array(people, np.int16), np.zeros(len(rows), np.int8))


def test_states_take_people_from_the_roster_and_stations_from_the_changes(city):
    near, far = city.station(1, people=6), city.station(8, opens_s=36 * H, people=6)
    city.unit(near)
    city.unit(far)
    city.roster = roster_of((0, (6, 6)), (8, (3, 6)), (48, (6, 2)))
    states = build_states(city.inputs())
    assert (states.from_ms // MS_PER_H).tolist() == [0, 8, 36, 48]
    assert states.people.tolist() == [[6, 6], [3, 6], [3, 6], [6, 2]]
    assert states.is_open.tolist() == [[True, False], [True, False], [True, True], [True, True]]


def test_people_on_duty_and_cover_at_the_years_end_follow_the_roster(city, log_of, calendar_of):
    near, far = city.station(1, people=6), city.station(8, people=6)
    city.unit(near)
    city.unit(far)
    city.calendar = calendar_of(2)
    log = log_of((0, K.END, -1, -1, -1, -1, 0))
    before = coverage_table(city.inputs())["expected_ms"]
    city.roster = roster_of((0, (6, 6)), (24, (3, 6)))
    work = workload_table(city.inputs(), log)
    assert (work["people_duty_ms"] / MS_PER_DAY).tolist() == [6 + 3, 6 + 6]
    after = coverage_table(city.inputs())["expected_ms"]
    assert before[1] == 45 * S
    assert after[1] == (45 + 7 * 60) * S  # three people crew nothing: the station seven cells away comes


LEVERS = {
    "none": [],
    "two_shift": ["roster=two_shift"],
    "with_absences": ["roster=with_absences", "move_up=nearest", "relief.rest_after_h=1", "relief.rest_h=2"],
}


@pytest.mark.parametrize("levers", LEVERS.values(), ids=LEVERS)
def test_in_the_city_every_crew_reckoned_is_the_one_that_the_log_has_aboard(levers):
    from sim.assemble import InputsBuilder
    from sim.compose import compose
    from sim.engine import simulate

    week = ["window=one_week", "schedule.is_outside_run_allowed=true", "staffing=constant_026", *levers]
    inputs = InputsBuilder().build(compose(week).settings, 0)
    found, n_other = replayed(inputs, simulate(inputs))
    assert n_other == 0
    assert (found[..., 1:] <= found[..., :1]).all()
    assert 0 < found[..., 2].sum() < found[..., 1].sum() < found[..., 0].sum()
