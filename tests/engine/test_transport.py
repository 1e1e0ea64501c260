"""A patient taken from the scene to a destination and handed over there: the unit is free from then on, from there."""

from __future__ import annotations

import pytest

from sim.engine.log import LogKind

WATER, AERIAL = 0, 1
K = LogKind


def one_patient(tiny, **leg):
    """Station at cell 2, call at cell 5; cells a minute apart, handling 60 s, turnout 45 s, ten minutes there."""
    city = tiny()
    city.unit(city.station(cell=2))
    city.incident(at_s=100, cell=5)
    city.transport = {(0, 0): {"cell": 9, "hand_over": 250} | leg}
    return city


def test_the_leg_to_the_destination_is_exact_and_the_unit_goes_home_from_there(tiny, rows_of):
    log = one_patient(tiny).run()
    assert rows_of(log)[3:] == [
        (160, "CALL", 0, -1, -1),
        (160, "DISPATCH", 0, 0, 0),
        (205, "ENROUTE", 0, 0, 0),
        (385, "ARRIVE", 0, 0, 0),
        (385, "REVEAL", 0, 0, 0),
        (385, "MET", 0, -1, -1),
        (985, "TRANSPORT", 0, 0, 0),
        (1225, "DELIVER", 0, 0, 0),  # four cells
        (1475, "HANDED_OVER", 0, 0, 0),
        (1475, "CLEAR", 0, 0, 0),
        (1475, "CLOSED", 0, -1, -1),
        (1895, "HOME", -1, -1, 0),  # seven cells
        (2195, "AVAILABLE", -1, -1, 0),
        (2195, "END", -1, -1, -1),
    ]
    values = {K(int(row["kind"])).name: int(row["value"]) for row in log.rows}
    assert (values["TRANSPORT"], values["DELIVER"], values["HANDED_OVER"], values["CLEAR"]) == (
        600_000, 250_000, 490_000, 600_000,
    )  # fmt: skip


@pytest.mark.parametrize(("drive", "factor_q16", "there"), [(33.25, 65536, 1018.25), (None, 98304, 1345)])
def test_the_drive_is_the_recorded_one_or_the_table_times_its_factor(tiny, rows_of, drive, factor_q16, there):
    city = one_patient(tiny, **({} if drive is None else {"drive": drive}))
    city.transport_factor_q16 = factor_q16
    assert rows_of(city.run(), K.DELIVER) == [(there, "DELIVER", 0, 0, 0)]


def test_it_is_sent_on_from_the_destination_and_not_before_the_hand_over_is_over(tiny, rows_of):
    city = one_patient(tiny)
    city.incident(at_s=1000, cell=8)  # due at 1060, while the unit drives with its patient
    log = city.run()
    assert rows_of(log, K.WAIT, K.DISPATCH, K.ENROUTE, K.ARRIVE, incident=1) == [
        (1060, "WAIT", 1, 0, -1),
        (1475, "DISPATCH", 1, 0, 0),
        (1475, "ENROUTE", 1, 0, 0),
        (1535, "ARRIVE", 1, 0, 0),
    ]


def test_it_is_sent_on_from_its_way_home_from_the_destination(tiny, rows_of):
    city = one_patient(tiny)
    city.incident(at_s=1535, cell=9)  # due at 1595: two of seven cells of the way home from cell 9 are behind it
    assert rows_of(city.run(), K.ARRIVE, incident=1) == [(1715, "ARRIVE", 1, 0, 0)]


def test_a_patient_who_waits_is_fetched_by_the_unit_that_took_the_first_one_away(tiny, rows_of):
    city = tiny(cards=[[(WATER, 1, True), (WATER, 1, True)]], scene_s=300)
    city.unit(city.station(cell=0))
    city.incident(at_s=0, cell=1)
    city.transport = {(0, slot): {"cell": 3, "hand_over": 60} for slot in (0, 1)}
    # at work 165 to 465, at cell 3 at 585, free at 645, back at cell 1 at 765 until 1065, at cell 3 at 1185
    assert rows_of(city.run(), K.WAIT, K.ARRIVE, K.HANDED_OVER, K.UNFILLED, K.CLOSED) == [
        (60, "WAIT", 0, 1, -1),
        (165, "ARRIVE", 0, 0, 0),
        (645, "HANDED_OVER", 0, 0, 0),
        (765, "ARRIVE", 0, 1, 0),
        (1245, "HANDED_OVER", 0, 1, 0),
        (1245, "CLOSED", 0, -1, -1),
    ]


def test_a_need_that_the_last_unit_cannot_serve_closes_with_the_hand_over(tiny, rows_of):
    city = tiny(cards=[[(WATER, 1, True), (AERIAL, 1, False)]], scene_s=300)
    city.unit(city.station(cell=0))
    city.incident(at_s=0, cell=1)
    city.transport = {(0, 0): {"cell": 3, "hand_over": 60}}
    assert rows_of(city.run(), K.UNFILLED, K.CLOSED) == [(645, "UNFILLED", 0, 1, -1), (645, "CLOSED", 0, -1, -1)]


def test_craft_take_nobody_away(tiny, rows_of):
    city = tiny(flying_hours=tuple(range(24)))
    city.unit(city.station(cell=2), mode=1, speed_mm_s=50_000)
    city.incident(at_s=100, cell=5)
    city.transport = {(0, 0): {"cell": 9, "hand_over": 250}}
    assert rows_of(city.run(), K.TRANSPORT, K.CLEAR) == [(865, "CLEAR", 0, 0, 0)]


def test_a_city_without_patients_has_the_log_it_had(tiny):
    city, plain = one_patient(tiny), one_patient(tiny)
    city.transport, plain.transport = {(0, 0): {"cell": -1}}, {}
    assert city.run().digest() == plain.run().digest()
