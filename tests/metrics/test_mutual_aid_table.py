"""Help from outside in the tables: told in its own, in none of the city's own."""

from __future__ import annotations

import numpy as np

from sim.engine.log import LogKind
from sim.metrics import coverage_table, incident_table, mutual_aid_table, unit_workload_table, workload_table

S = 1000


def helped(city, log_of):
    """The city's own unit comes at 300 s, help at 200 s; a second unit from outside turns back."""
    city.cards = [[(1, True), (1, True), (1, False)]]
    city.unit(city.station(0))
    city.help_grade[city.station(9)] = 3
    city.unit(1)
    city.unit(1)
    city.incident(0, cell=2, grade=3)
    log = log_of(
        (60, LogKind.CALL, 0, -1, -1, -1, 0), (60, LogKind.DISPATCH, 0, 0, 0, 1, 1),
        (60, LogKind.DISPATCH, 0, 1, 1, 1, 1), (60, LogKind.DISPATCH, 0, 2, 2, 1, 1),
        (105, LogKind.ENROUTE, 0, 0, 0, 1, 4), (105, LogKind.ENROUTE, 0, 1, 1, 1, 4),
        (200, LogKind.ARRIVE, 0, 1, 1, 1, 0), (250, LogKind.TURN_BACK, 0, 2, 2, 1, 0),
        (300, LogKind.ARRIVE, 0, 0, 0, 1, 0), (800, LogKind.CLEAR, 0, 1, 1, 1, 600),
        (900, LogKind.CLEAR, 0, 0, 0, 1, 600), (960, LogKind.HOME, -1, -1, 0, 1, 0),
    )  # fmt: skip
    return city.inputs(), log


def test_help_never_stops_the_headline_clock_but_does_the_critical_task(city, log_of):
    inputs, log = helped(city, log_of)
    table = incident_table(inputs, log, np.array([-1]))
    assert table["first_arrival_ms"].tolist() == [240 * S]
    assert table["first_critical_ms"].tolist() == [240 * S]  # both critical needs: 200 s and 300 s after the start
    assert table["full_alarm_ms"].tolist() == [-1]
    assert table["n_dispatched"].tolist() == [3]


def test_each_unit_from_outside_has_a_row_with_what_it_was_asked_for(city, log_of):
    inputs, log = helped(city, log_of)
    table = mutual_aid_table(inputs, log)
    assert table["unit"].tolist() == [1, 2]
    assert table["post"].tolist() == ["s1", "s1"]
    assert table["capability"].tolist() == [1, 2]
    assert table["dispatch_ms"].tolist() == [60 * S, 60 * S]
    assert table["arrival_ms"].tolist() == [140 * S, -1]
    assert table["clear_ms"].tolist() == [740 * S, -1]


def test_workload_and_coverage_are_of_the_city_s_own_stations(city, log_of):
    inputs, log = helped(city, log_of)
    assert workload_table(inputs, log)["station"].tolist() == [0]
    units = unit_workload_table(inputs, log)
    assert (units["unit"].tolist(), units["n_dispatches"].tolist()) == ([0], [1])
    # cell 9, where the post stands, is nine minutes from the city's only station, and turnout is 45 s
    assert coverage_table(inputs)["expected_ms"].tolist()[9] == (45 + 9 * 60) * S
