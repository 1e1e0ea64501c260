"""Stations that could send and are passed over: the next ones in the order of the rule go instead."""

from __future__ import annotations

import numpy as np
import pytest

from sim.engine.log import LogKind
from sim.engine.static import static_responses
from sim.recorded import draw_passed_over

WATER, AERIAL = 0, 1
K = LogKind


def three_stations(tiny, n_passed, **changes):
    """Stations at cells 0, 2 and 6 with two, one and one unit; calls at cell 0, cells a minute apart."""
    city = tiny(**changes)
    for cell, n_units in ((0, 2), (2, 1), (6, 1)):
        station = city.station(cell=cell, people=24)
        for _ in range(n_units):
            city.unit(station)
    city.incident(at_s=0, cell=0)
    city.n_passed = {0: n_passed}
    return city


@pytest.mark.parametrize(("n_passed", "unit", "arrival"), [(0, 0, 105), (1, 2, 225), (2, 3, 465), (3, 3, 465)])
def test_as_many_stations_are_passed_over_not_units_and_never_the_last_that_could_go(
    tiny, rows_of, n_passed, unit, arrival
):
    log = three_stations(tiny, n_passed).run()
    assert rows_of(log, K.ARRIVE) == [(arrival, "ARRIVE", 0, 0, unit)]


def test_one_incident_passes_stations_over_and_the_next_does_not(tiny, rows_of):
    city = three_stations(tiny, 1)
    city.incident(at_s=10, cell=0)
    assert rows_of(city.run(), K.DISPATCH) == [(60, "DISPATCH", 0, 0, 2), (70, "DISPATCH", 1, 0, 0)]


def test_only_stations_that_could_send_count(tiny, rows_of):
    city = three_stations(tiny, 1)
    city.change(0, 0, 0, 0)
    city.changes = [row for row in city.changes if row[1:3] != (1, 0)]  # the nearest is closed, the next passed over
    assert rows_of(city.run(), K.DISPATCH) == [(60, "DISPATCH", 0, 0, 3)]


def test_each_need_passes_the_same_station_over(tiny, rows_of):
    city = three_stations(tiny, 1, cards=[[(WATER, 1, True), (WATER, 1, True)]])
    # station 0 is passed over twice, though its second unit is free; station 1 has one unit
    assert [unit for *_, unit in rows_of(city.run(), K.DISPATCH)] == [2, 3]
    city.n_passed = {0: 0}
    assert [unit for *_, unit in rows_of(city.run(), K.DISPATCH)] == [0, 1]


def test_a_unit_that_waits_is_not_passed_over_when_nobody_else_could_go(tiny, rows_of):
    city = tiny()
    city.unit(city.station(cell=0))
    city.incident(at_s=0, cell=0)
    city.incident(at_s=30, cell=1)
    city.n_passed = {0: 2, 1: 1}
    assert rows_of(city.run(), K.WAIT, K.DISPATCH) == [
        (60, "DISPATCH", 0, 0, 0),
        (90, "WAIT", 1, 0, -1),
        (705, "DISPATCH", 1, 0, 0),
    ]


def test_the_idle_city_passes_over_too(tiny):
    assert static_responses(three_stations(tiny, 1).inputs()).tolist() == [45_000 + 120_000]


def test_the_number_is_drawn_by_identity_with_the_given_shares():
    identities = np.arange(100_000, dtype=np.uint64)
    drawn = draw_passed_over(identities, (0.2, 0.05), 7, 3)
    # standard errors: sqrt(0.2 x 0.8 / 1e5) = 0.0013 and sqrt(0.05 x 0.95 / 1e5) = 0.0007
    assert abs((drawn == 1).mean() - 0.2) < 4 * 0.0013
    assert abs((drawn == 2).mean() - 0.05) < 4 * 0.0007
    assert drawn.max() == 2
    assert draw_passed_over(identities[5:50], (0.2, 0.05), 7, 3).tolist() == drawn[5:50].tolist()
    assert not draw_passed_over(identities, (), 7, 3).any()
    assert (draw_passed_over(identities, (0.0, 1.0), 7, 3) == 2).all()


@pytest.mark.parametrize("shares", [(0.7, 0.4), (-0.1,)])
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(ValueError, match="not of one whole"):
        draw_passed_over(np.arange(3, dtype=np.uint64), shares, 0, 0)
