"""Busy time, people and service time of units and stations, to the millisecond."""

from __future__ import annotations

import numpy as np

from sim.engine.log import LogKind
from sim.fleet.parts import ChangeKind
from sim.metrics import unit_workload_table, workload_table
from sim.metrics.outings import outings

K = LogKind
DAY = 86_400


def column(table, name, **where):
    chosen = np.ones(len(table[name]), dtype=bool)
    for key, value in where.items():
        chosen &= table[key] == value
    return table[name][chosen].tolist()


def test_an_outing_lasts_from_the_bay_to_the_bay_whatever_happens_on_the_way(log_of):
    log = log_of(
        (0, K.DISPATCH, 0, 0, 1, 1, 0),
        (5, K.DISPATCH, 0, 1, 0, 1, 0),
        (20, K.TURN_BACK, 0, 1, 0, 1, -1),  # stood down in its bay
        (45, K.ENROUTE, 0, 0, 1, 1, 6),
        (100, K.ARRIVE, 0, 0, 1, 1, 0),
        (700, K.CLEAR, 0, 0, 1, 1, 0),
        (710, K.DISPATCH, 1, 0, 1, 2, 0),  # sent on from the way home
        (710, K.ENROUTE, 1, 0, 1, 2, 6),
        (750, K.TURN_BACK, 1, 0, 1, 2, -1),  # turned back on the road: still out
        (900, K.HOME, -1, -1, 1, 3, -1),
        (950, K.DISPATCH, 2, 0, 1, 4, 0),
        (990, K.ENROUTE, 2, 0, 1, 4, 5),
        (1000, K.END, -1, -1, -1, -1, 1),
    )
    second = np.arange(1000, dtype=np.int64) * 1000  # every second a year of its own
    found = outings(log.rows, 2, second, second + 1000)
    n_dispatches, busy_ms, crew_out_ms = np.moveaxis(found, 2, 0)
    assert np.flatnonzero(n_dispatches[0]).tolist() == [5]
    assert np.flatnonzero(n_dispatches[1]).tolist() == [0, 710, 950]
    assert np.flatnonzero(busy_ms[0]).tolist() == list(range(5, 20))
    assert np.flatnonzero(busy_ms[1]).tolist() == [*range(900), *range(950, 1000)]
    assert (crew_out_ms[0] == 0).all()
    assert crew_out_ms[1].tolist() == [6_000] * 900 + [0] * 50 + [5_000] * 50


def test_work_over_new_year_is_shared_between_the_years(city, log_of, calendar_of):
    city.calendar = calendar_of(4, [2021, 2022, 2023, 2023], measured=(1, 3))
    city.unit(city.station(0))
    log = log_of(
        (DAY - 10, K.DISPATCH, 0, 0, 0, 1, 0),  # before the window: its first ten seconds do not count
        (DAY - 5, K.ENROUTE, 0, 0, 0, 1, 6),
        (DAY + 100, K.HOME, -1, -1, 0, 1, -1),
        (2 * DAY - 30, K.DISPATCH, 0, 0, 0, 2, 0),
        (2 * DAY - 5, K.ENROUTE, 0, 0, 0, 2, 4),
        (2 * DAY + 70, K.HOME, -1, -1, 0, 2, -1),
    )
    table = unit_workload_table(city.inputs(), log)
    assert table["year"].tolist() == [2022, 2023]
    assert table["n_dispatches"].tolist() == [1, 0]
    assert table["busy_ms"].tolist() == [130_000, 70_000]
    assert table["crew_out_ms"].tolist() == [100_000 * 6 + 30_000 * 4, 70_000 * 4]


def test_service_and_duty_follow_the_dated_changes(city, log_of, calendar_of):
    city.calendar = calendar_of(2)
    first = city.station(0, people=10)
    second = city.station(4, k=1, opens_s=DAY, people=5)
    a, b, late = city.unit(first), city.unit(first), city.unit(second)
    city.change(600, ChangeKind.STATION_PEOPLE, first, 4)
    city.change(1000, ChangeKind.UNIT_WITHDRAW, b)
    city.change(1500, ChangeKind.UNIT_IN_SERVICE, b)
    city.change(DAY + 400, ChangeKind.STATION_CLOSE, second)
    log = log_of((10, K.DISPATCH, 0, 0, a, 1, 0), (40, K.ENROUTE, 0, 0, a, 1, 6), (110, K.HOME, -1, -1, a, 1, -1))
    units = unit_workload_table(city.inputs(), log)
    assert column(units, "in_service_ms") == [2 * DAY * 1000, (2 * DAY - 500) * 1000, 400_000]
    assert column(units, "busy_ms", unit=late) == [0]
    stations = workload_table(city.inputs(), log)
    assert stations["open_ms"].tolist() == [2 * DAY * 1000, 400_000]
    assert stations["people_duty_ms"].tolist() == [(600 * 10 + (2 * DAY - 600) * 4) * 1000, 400_000 * 5]
    assert stations["busy_ms"].tolist() == [100_000, 0]
    assert stations["crew_out_ms"].tolist() == [600_000, 0]
    assert stations["in_service_ms"].tolist() == [(4 * DAY - 500) * 1000, 400_000]
    assert stations["k"].tolist() == [0, 1]


def test_a_log_without_outings_gives_zeros_not_errors(city, log_of):
    city.unit(city.station(0))
    table = workload_table(city.inputs(), log_of((0, K.CHANGE, 0, -1, -1, -1, 1)))
    assert table["n_dispatches"].tolist() == [0]
    assert table["busy_ms"].tolist() == [0]
