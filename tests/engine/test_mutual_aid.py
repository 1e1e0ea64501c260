"""Help from outside the city: when it is released, how long it takes, and that there is no more of it than there is."""

from __future__ import annotations

import pytest

from sim.engine.log import LogKind

WATER, AERIAL = 0, 1
DISPATCH, ARRIVE = LogKind.DISPATCH, LogKind.ARRIVE
CARD = [(WATER, 1, True), (AERIAL, 1, False)]


def city_with_help(tiny, n_pumpers=1, **policy):
    """Pumpers of the city's own in cell 0; an aerial at the border, in cell 9, that sends from grade 3 on."""
    city = tiny(cards=[CARD], policy=policy)
    station = city.station(0)
    for _ in range(n_pumpers):
        city.unit(station, WATER)
    city.help_grade[city.station(9)] = 3
    city.unit(1, AERIAL, callout_ms=300_000)
    return city


@pytest.mark.parametrize(("grade", "wait_s", "sent_s"), [(2, -1, None), (3, -1, 60), (2, 120, 180), (3, 120, 60)])
def test_help_comes_from_its_grade_or_after_its_wait_and_needs_its_lead(tiny, rows_of, grade, wait_s, sent_s):
    city = city_with_help(tiny, help_wait_ms=wait_s * 1000 if wait_s >= 0 else -1)
    city.incident(0, cell=0, grade=grade)
    log = city.run()
    assert rows_of(log, DISPATCH, ARRIVE, unit=0) == [(60, "DISPATCH", 0, 0, 0), (105, "ARRIVE", 0, 0, 0)]
    if sent_s is None:
        assert rows_of(log, DISPATCH, unit=1) == []
        assert len(rows_of(log, LogKind.UNFILLED)) == 1
    else:  # turnout 45 s, lead 300 s, nine minutes from the border
        arrival_s = sent_s + 45 + 300 + 540
        assert rows_of(log, DISPATCH, ARRIVE, unit=1) == [
            (sent_s, "DISPATCH", 0, 1, 1),
            (arrival_s, "ARRIVE", 0, 1, 1),
        ]
        assert rows_of(log, LogKind.UNFILLED) == []


def test_help_that_is_out_is_not_there_a_second_time(tiny, rows_of):
    city = city_with_help(tiny, n_pumpers=2)
    city.incident(0, cell=0, grade=3)
    city.incident(600, cell=5, grade=3)
    log = city.run()
    # at the first from 945 to 1545 s, then sent on from there: five minutes to cell 5, without lead or turnout
    assert rows_of(log, DISPATCH, ARRIVE, unit=2) == [
        (60, "DISPATCH", 0, 1, 2),
        (945, "ARRIVE", 0, 1, 2),
        (1545, "DISPATCH", 1, 1, 2),
        (1845, "ARRIVE", 1, 1, 2),
    ]


def test_help_that_is_never_released_changes_no_row(tiny):
    with_help, without = city_with_help(tiny), tiny(cards=[CARD])
    without.unit(without.station(0), WATER)
    logs = []
    for city in (with_help, without):
        for at_s, cell in ((0, 0), (40, 7), (900, 3)):
            city.incident(at_s, cell=cell, grade=2)
        rows = city.run().rows
        logs.append(rows[rows["kind"] != LogKind.CHANGE].tolist())
    assert logs[0] == logs[1]
