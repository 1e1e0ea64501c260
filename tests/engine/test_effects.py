"""What a fit tells apart: turnout by hour and station, driving by station, noise by length of trip, exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim.chance import quantile_table
from sim.engine import simulate
from sim.engine.build import table_mean
from sim.engine.log import LogKind
from sim.inputs import order_stations

WATER = 0
K = LogKind
HALF = 32768


def two_stations(tiny, call_cell=4, at_s=100, **changes):
    """Stations at cells 0 and 9, cells a minute apart, handling 60 s, turnout 45 s."""
    city = tiny(**changes)
    for cell in (0, 9):
        city.unit(city.station(cell=cell))
    city.incident(at_s=at_s, cell=call_cell)
    return city


def sent(city):
    """Return (unit, expected seconds) of the first dispatch, and the second it leaves and arrives."""
    rows = city.run().rows
    of = {kind: rows[rows["kind"] == kind][0] for kind in (K.DISPATCH, K.ENROUTE, K.ARRIVE)}
    times = [int(of[kind]["time_ms"]) / 1000 for kind in (K.ENROUTE, K.ARRIVE)]
    return int(of[K.DISPATCH]["unit"]), int(of[K.DISPATCH]["value"]) / 1000, *times


def test_turnout_is_that_of_the_hour_and_the_station(tiny):
    assert sent(two_stations(tiny)) == (0, 45 + 240, 205, 445)
    assert sent(two_stations(tiny, turnout_of_s={(0, 0): 100})) == (0, 100 + 240, 260, 500)
    assert sent(two_stations(tiny, turnout_of_s={(1, 0): 100})) == (0, 45 + 240, 205, 445)
    late = two_stations(tiny, at_s=3600 + 100, turnout_of_s={(1, 0): 100})
    assert sent(late) == (0, 100 + 240, 3860, 4100)
    next_day = two_stations(tiny, at_s=86_400 + 3600 + 100, turnout_of_s={(1, 0): 100})
    assert sent(next_day)[2] == 86_400 + 3860


def test_a_station_that_turns_out_faster_is_preferred_by_as_much(tiny):
    # 240 s away against 300 s: the further one goes as soon as it turns out more than a minute faster
    assert sent(two_stations(tiny, turnout_of_s={(0, 0): 105}))[0] == 0
    assert sent(two_stations(tiny, turnout_of_s={(0, 0): 106}))[:2] == (1, 345)
    assert sent(two_stations(tiny, turnout_of_s={(0, 0): 200, (0, 1): 10}))[:2] == (1, 310)


def test_a_unit_goes_by_the_turnout_of_its_own_station_even_from_another(tiny, rows_of):
    city = tiny(turnout_of_s={(hour, 0): 120 for hour in range(4)}, policy={"move_up": 1, "move_up_most_ms": 900_000})
    for _ in range(2):
        city.unit(0)
    city.station(cell=0)
    city.station(cell=5)
    city.unit(1)
    city.incident(at_s=0, cell=5)  # empties station 1: a unit of station 0 moves up to it
    city.incident(at_s=500, cell=5)
    log = city.run()
    assert rows_of(log, K.STAND_BY)[0][0] == 60 + 300
    assert rows_of(log, K.DISPATCH, K.ENROUTE, incident=1) == [(560, "DISPATCH", 1, 0, 1), (680, "ENROUTE", 1, 0, 1)]


def test_the_mean_of_a_table_is_reckoned_with_and_its_draw_is_taken(tiny):
    skewed = quantile_table(lambda p: -50_000 * np.log1p(-p), 50_000.0)
    city = two_stations(tiny, turnout_of_s={(0, 0): 1})
    inputs = city.inputs()
    inputs.durations.values = np.concatenate([inputs.durations.values[:-1], skewed[None]])
    rows = simulate(inputs, "both").rows
    (dispatch,), (enroute,) = rows[rows["kind"] == K.DISPATCH], rows[rows["kind"] == K.ENROUTE]
    assert dispatch["value"] == table_mean(skewed) + 240_000 == 290_000
    assert enroute["time_ms"] - dispatch["time_ms"] in skewed


def test_a_stations_units_drive_by_its_own_factor_out_and_home(tiny, rows_of):
    city = two_stations(tiny, drive_q16={0: HALF})
    assert sent(city) == (0, 45 + 120, 205, 325)
    assert rows_of(city.run(), K.HOME) == [(925 + 120, "HOME", -1, -1, 0)]


def test_a_further_station_goes_if_its_factor_makes_it_the_sooner(tiny):
    assert sent(two_stations(tiny, drive_q16={1: HALF}))[:2] == (1, 45 + 150)
    # of three stations in a row the order of the search is that of their own times, not that of the matrix
    city = tiny(drive_q16={0: 4 * 65536, 1: 3 * 65536})
    for cell in (4, 5, 9):
        city.unit(city.station(cell=cell))
    city.incident(at_s=0, cell=3)
    assert sent(city)[:2] == (0, 45 + 240)
    city.drive_q16 = {0: 8 * 65536, 1: 4 * 65536}
    assert sent(city)[:2] == (2, 45 + 360)


def test_a_unit_sent_on_drives_by_its_stations_factor(tiny, rows_of):
    city = two_stations(tiny, drive_q16={0: HALF})
    city.incident(at_s=925 - 60 + 30, cell=4)  # due 30 s after it left cell 4: half of its two minutes home, at cell 3
    assert rows_of(city.run(), K.ARRIVE, incident=1) == [(955 + 30, "ARRIVE", 1, 0, 0)]


def test_an_order_of_stations_by_other_times_is_refused(tiny):
    inputs = two_stations(tiny, drive_q16={1: HALF}).inputs()
    inputs.station_order = order_stations(inputs.travel.duration_ms, inputs.fleet.stations.cell)
    with pytest.raises(ValueError, match="with_effects"):
        simulate(inputs, "kernel")


@pytest.mark.parametrize(
    ("cell", "drive"),
    [(0, 0), (1, 60), (2, 240), (3, 360), (4, 120)],  # from 2 min on twice as long, from 4 min on half as long
)
def test_the_noise_of_a_trip_is_that_of_its_band_of_expected_time(tiny, cell, drive):
    city = two_stations(tiny, call_cell=cell, noise=[(0, 65536), (120, 2 * 65536), (240, HALF)])
    assert sent(city) == (0, 45 + 60 * cell, 205, 205 + drive)


@pytest.mark.parametrize("begins", [[0, 60, 60], [10, 20, 30], [0, 60]])
def test_bands_that_do_not_begin_at_nothing_and_ascend_are_refused(tiny, begins):
    inputs = two_stations(tiny, noise=[(0, 65536), (1, 65536), (2, 65536)]).inputs()
    inputs.effects = replace(inputs.effects, noise_from_ms=np.array(begins))
    with pytest.raises(ValueError, match="bands of noise"):
        simulate(inputs, "kernel")


def test_a_call_of_slower_drives_is_reached_later_though_expected_as_ever(tiny, rows_of):
    # 205 + 1.5 x 240 s; the dispatcher expects 45 + 240; home it takes the 240 s of always
    city = two_stations(tiny, drive_of_call_q16={0: 3 * HALF})
    assert sent(city) == (0, 45 + 240, 205, 205 + 360)
    assert rows_of(city.run(), K.HOME) == [(205 + 360 + 600 + 240, "HOME", -1, -1, 0)]


def test_a_call_of_slower_turnouts_is_left_for_later_though_expected_as_ever(tiny):
    assert sent(two_stations(tiny, turnout_of_call_q16={0: 3 * HALF})) == (0, 45 + 240, 160 + 67.5, 467.5)
    # 45,000 ms x 65,537 / 65,536 is 45,000.69 ms, of which the whole ones count; x 0 is none
    assert sent(two_stations(tiny, turnout_of_call_q16={0: 65537})) == (0, 45 + 240, 205, 445)
    assert sent(two_stations(tiny, turnout_of_call_q16={0: 0})) == (0, 45 + 240, 160, 400)


def test_the_factor_of_turnout_leaves_a_units_own_call_out_as_it_is(tiny):
    city = two_stations(tiny, turnout_of_call_q16={0: 2 * 65536})
    for unit in range(2):
        city.traits[unit]["callout_ms"] = 100_000
    assert sent(city) == (0, 45 + 100 + 240, 160 + 90 + 100, 350 + 240)


def test_the_factor_of_a_call_comes_after_noise_whose_band_goes_by_the_drive_without_it(tiny):
    # 240 s lie in the band that halves; 1.5 x 240 s would lie in that which doubles
    bands = [(0, 65536), (200, HALF), (300, 2 * 65536)]
    assert sent(two_stations(tiny, noise=bands, drive_of_call_q16={0: 3 * HALF}))[3] == 205 + 180
    # whole ms at each step: 240,000 x 40,001 >> 16 = 146,488, x 98,305 >> 16 = 219,734 (the other way round 219,733)
    odd = two_stations(tiny, noise=[(0, 40_001)], drive_of_call_q16={0: 98_305})
    assert sent(odd)[3] == 424.734


def test_recorded_stages_are_not_touched_by_the_factors_of_the_call(tiny):
    city = two_stations(tiny, drive_of_call_q16={0: 2 * 65536}, turnout_of_call_q16={0: 2 * 65536})
    city.recorded_s = {(0, 0): {"turnout": 30, "travel": 200, "of": 0}}
    assert sent(city) == (0, 45 + 240, 190, 390)
    city.recorded_s = {(0, 0): {"turnout": 30, "travel": 200, "of": 1}}  # of another station: looked up, and x 2
    assert sent(city) == (0, 45 + 240, 190, 190 + 480)


def test_the_factors_of_one_call_change_nothing_of_another(tiny, rows_of):
    def told(**factors):
        city = two_stations(tiny, **factors)
        city.incident(at_s=20_000, cell=7)
        city.incident(at_s=50, cell=1)  # comes first in the run, though added last
        return [rows_of(city.run(), incident=incident) for incident in range(3)]

    plain, slow = told(), told(drive_of_call_q16={1: 2 * 65536}, turnout_of_call_q16={1: 2 * 65536})
    assert slow[:2] == plain[:2]
    assert slow[2] != plain[2]


@pytest.mark.parametrize("factors", [[65536, 65536], [], [-1]])
@pytest.mark.parametrize("name", ["drive_of_call_q16", "turnout_of_call_q16"])
def test_factors_that_are_not_one_for_each_call_or_below_nothing_are_refused(tiny, name, factors):
    inputs = two_stations(tiny, **{name: {0: HALF}}).inputs()
    inputs.effects = replace(inputs.effects, **{name: np.array(factors, np.int32)})
    with pytest.raises(ValueError, match=f"{name} are not 1 factors"):
        simulate(inputs, "kernel")


def test_effects_that_tell_nothing_apart_leave_the_log_as_it_is(tiny):
    without = two_stations(tiny).run().digest()
    same = two_stations(
        tiny, turnout_of_s={(0, 0): 45}, drive_q16={0: 65536}, noise=[(0, 65536), (90, 65536)],
        drive_of_call_q16={0: 65536}, turnout_of_call_q16={0: 65536},
    )  # fmt: skip
    assert same.run().digest() == without
