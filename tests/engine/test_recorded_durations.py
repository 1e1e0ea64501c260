"""Durations known from records take the place of look-ups, each exactly as recorded, in both engines."""

from __future__ import annotations

import numpy as np
import pytest

from sim.engine import simulate
from sim.engine.log import LogKind
from sim.engine.static import static_responses

WATER, AERIAL = 0, 1
K = LogKind
COURSE = (K.CALL, K.ENROUTE, K.ARRIVE, K.CLEAR, K.HOME)
ALL_STAGES = {"turnout": 31.5, "travel": 200.25, "access": 12, "scene": 333.001, "of": 0}


def one_call(tiny, **changes):
    city = tiny(access_s=20, **changes)
    city.unit(city.station(cell=2))
    city.incident(at_s=100, cell=5)
    return city


def test_every_recorded_stage_replaces_its_look_up_to_the_millisecond(tiny, rows_of):
    city = one_call(tiny)
    city.recorded_handling_s = {0: 7.125}
    city.recorded_s = {(0, 0): ALL_STAGES}
    log = city.run()
    # the call at 100 s, 7.125 handled, 31.5 turnout, 200.25 of travel instead of three cells at 60 s, 333.001 there;
    # the way home is not recorded: three cells
    assert [(at, kind) for at, kind, *_ in rows_of(log, *COURSE)] == [
        (107.125, "CALL"), (138.625, "ENROUTE"), (338.875, "ARRIVE"), (671.876, "CLEAR"), (851.876, "HOME"),
    ]  # fmt: skip
    (arrival,) = log.rows[log.rows["kind"] == K.ARRIVE]
    assert arrival["value"] == 12_000


@pytest.mark.parametrize(
    ("stage", "course"),
    [
        ({"turnout": 10}, [160, 170, 350, 950, 1130]),
        ({"travel": 90, "of": 0}, [160, 205, 295, 895, 1075]),
        ({"scene": 0}, [160, 205, 385, 385, 565]),
        ({}, [160, 205, 385, 985, 1165]),
    ],
)
def test_what_is_not_recorded_is_looked_up_as_ever(tiny, rows_of, stage, course):
    city = one_call(tiny)
    city.recorded_s = {(0, 0): stage}
    assert [at for at, *_ in rows_of(city.run(), *COURSE)] == course


def test_a_recorded_travel_is_that_of_its_own_station_only(tiny, rows_of):
    city = one_call(tiny)
    city.unit(city.station(cell=9))
    city.recorded_s = {(0, 0): {"travel": 30, "of": 1}}
    # the record came from station 1, four cells away; station 0 is nearer and drives three cells as the table says
    assert rows_of(city.run(), K.ARRIVE) == [(385, "ARRIVE", 0, 0, 0)]
    city.change(50, 2, 0, 0)  # with unit 0 withdrawn the recorded one goes, and takes what it took
    assert rows_of(city.run(), K.ARRIVE) == [(235, "ARRIVE", 0, 0, 1)]


def test_the_dispatcher_reckons_with_tables_not_with_what_only_the_record_knows(tiny, rows_of):
    city = one_call(tiny)
    city.recorded_s = {(0, 0): ALL_STAGES}
    (sent,) = city.run().rows[-10:][city.run().rows[-10:]["kind"] == K.DISPATCH]
    assert sent["value"] == 45_000 + 3 * 60_000


def test_a_recorded_turnout_holds_the_call_out_and_a_recorded_scene_no_delay(tiny, rows_of):
    city = tiny(scene_slope_q16={0: 65536})
    city.unit(city.station(cell=2), callout_ms=500_000)
    city.incident(at_s=100, cell=5)
    city.recorded_s = {(0, 0): {"turnout": 50, "scene": 100}}
    assert [at for at, *_ in rows_of(city.run(), *COURSE)] == [160, 210, 390, 490, 670]


def test_a_slot_filled_again_takes_the_same_recorded_times_again(tiny, rows_of):
    """Reported at grade 2 and found at grade 1, the second unit is turned back; at grade 2 its slot is filled anew."""
    city = tiny(cards=[[(WATER, 1, True), (AERIAL, 2, True)]], latent_s={(0, 1): 3600}, scene_s=7200, access_s=3600)
    station = city.station(cell=0, people=24)
    city.unit(station, WATER)
    city.unit(station, AERIAL)
    city.incident(at_s=0, cell=2, grade=1, reported_grade=2)
    city.recorded_s = {(0, 1): {"turnout": 90, "travel": 240, "of": 0}}
    second = rows_of(city.run(), K.DISPATCH, K.ENROUTE, K.TURN_BACK, K.ARRIVE, unit=1)
    assert second == [
        (60, "DISPATCH", 0, 1, 1),
        (150, "ENROUTE", 0, 1, 1),
        (225, "TURN_BACK", 0, 1, 1),  # unit 0 arrives: 60 + 45 + 2 x 60
        (3600, "DISPATCH", 0, 1, 1),
        (3690, "ENROUTE", 0, 1, 1),
        (3930, "ARRIVE", 0, 1, 1),
    ]


def test_the_static_part_knows_the_records_too(tiny):
    city = one_call(tiny)
    city.recorded_s = {(0, 0): ALL_STAGES}
    assert static_responses(city.inputs()).tolist() == [31_500 + 200_250]


def test_records_of_nothing_leave_the_log_as_it_is_and_its_inputs_are_told_apart(tiny):
    city = one_call(tiny)
    without = city.run()
    inputs = one_call(tiny).inputs()
    city = one_call(tiny)
    city.recorded_s = {(0, 0): {}}
    assert simulate(city.inputs(), "both").digest() == without.digest()
    assert inputs.recorded is None


def test_records_of_another_number_of_slots_are_refused(tiny):
    city = one_call(tiny)
    city.recorded_s = {(0, 0): ALL_STAGES}
    inputs = city.inputs()
    inputs.demand.incidents = np.concatenate([inputs.demand.incidents, inputs.demand.incidents])
    inputs.slot_ranks = np.concatenate([inputs.slot_ranks, inputs.slot_ranks])
    inputs.scenes = type(inputs.scenes)(
        *(np.concatenate([part, part]) for part in (
            inputs.scenes.portal_cell, inputs.scenes.track_m, inputs.scenes.power_off_ms, inputs.scenes.water_delay_ms,
            inputs.scenes.village_ms)), inputs.scenes.supply_grade,
    )  # fmt: skip
    with pytest.raises(ValueError, match="not of 2 incidents with 2 slots"):
        simulate(inputs, "kernel")
