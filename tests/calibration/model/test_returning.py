"""Records of when units are ready at their stations tell whether they are sent on before, and how long that takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.model.fleet import Fleet, fleet_of, free_at, out_times
from calibration.model.returning import fit_returning
from calibration.model.samples import Responses

N = 400


def responses(**given):
    """One unit a call, all from station 0 unless given."""
    n = len(given["call"])
    none = np.full(n, np.nan)
    zeros = np.zeros(n, np.int64)
    made = {
        "station": zeros, "is_imputed": zeros > 0, "unit": zeros, "units": ("E1", "E2"), "type": zeros,
        "types": ("engine", "ladder"), "dispatch_s": np.zeros(n), "arrival_s": np.full(n, 300.0),
        "clear_s": np.full(n, 900.0), "available_s": none, "turnout_s": none, "travel_s": none, "to_arrival_s": none,
        "scene_s": none, "is_cancelled": zeros > 0,
    }  # fmt: skip
    return Responses(**{**made, **given})


def town(is_sent_on):
    """One unit, asked for again some 40 minutes after it can be: when it is clear, or when it is home."""
    rng = np.random.default_rng(1)
    expected = rng.uniform(200, 600, N)
    way = 120.0 + 1.5 * expected * rng.lognormal(0, 0.1, N)
    wait = rng.exponential(2400.0, N) + (0.0 if is_sent_on else way)
    call_s = np.concatenate([[0.0], np.cumsum(900.0 + wait)[:-1]])
    return responses(call=np.arange(N), available_s=900.0 + way), call_s, expected


def test_units_that_are_sent_on_are_found_out():
    of, call_s, expected = town(is_sent_on=True)
    found = fit_returning(of, np.arange(N), call_s, expected)
    assert found.n_sent_on > 0.5 * found.n_expected
    assert found.is_sent_on


def test_units_that_must_be_home_first_are_found_out():
    of, call_s, expected = town(is_sent_on=False)
    found = fit_returning(of, np.arange(N), call_s, expected)
    assert found.n_sent_on == 0
    assert found.n_expected > 50
    assert not found.is_sent_on


def test_the_way_home_is_a_line_in_expected_time():
    of, call_s, expected = town(is_sent_on=False)
    found = fit_returning(of, np.arange(N), call_s, expected)
    assert found.factor == pytest.approx(1.5, abs=0.15)
    assert found.ready_s == pytest.approx(120.0, abs=60.0)


@pytest.mark.parametrize("is_sent_on", [True, False])
def test_without_a_record_of_returns_the_expected_way_home_tells(is_sent_on):
    of, call_s, expected = town(is_sent_on)
    untold = replace(of, available_s=np.full(N, np.nan))
    found = fit_returning(untold, np.arange(N), call_s, expected)
    assert found.is_sent_on is is_sent_on
    assert (found.factor, found.ready_s, found.n_ways) == (1.0, 0.0, 0)


def test_units_that_turn_out_as_ever_were_home_when_they_were_clear():
    of, call_s, expected = town(is_sent_on=True)
    untold = replace(of, available_s=np.full(N, np.nan), turnout_s=np.full(N, 70.0))
    found = fit_returning(untold, np.arange(N), call_s, expected)
    assert (found.is_home, found.factor) == (True, 0.0)
    on_the_road = replace(untold, turnout_s=np.full(N, 70.0))
    soon = np.flatnonzero(np.diff(call_s, prepend=-1e9) < 900.0 + expected)
    on_the_road.turnout_s[soon] = 2.0
    assert not fit_returning(on_the_road, np.arange(N), call_s, expected).is_home


def test_of_units_that_nobody_names_the_clear_ones_can_be_sent():
    of, call_s, expected = town(is_sent_on=False)
    unnamed = replace(of, unit=np.full(N, -1), available_s=np.full(N, np.nan))
    assert fit_returning(unnamed, np.arange(N), call_s, expected).is_sent_on


def test_a_station_is_free_while_one_of_its_units_is_not_out():
    fleet = Fleet(np.array([0, 0, 1]), np.array([0, 0, 1]), ("engine", "ladder"), "")
    of = responses(call=np.array([0, 1, 2]), station=np.array([0, 0, 1]), type=np.array([0, 0, 1]))
    call_s = np.array([0.0, 100.0, 200.0])
    at_s, kind = np.array([0.0, 100.0, 150.0, 950.0, 1050.0, 300.0, 1150.0]), np.array([0, 0, 0, 0, 0, 1, 1])
    free = free_at(fleet, of, call_s, at_s, kind, 2, is_sent_on=True)
    assert free.tolist() == [
        [True, False], [True, False], [False, False], [True, False], [True, False], [False, False], [False, True],
    ]  # fmt: skip


def test_an_end_that_nobody_wrote_is_arrival_and_scene_or_an_hour():
    of = responses(
        call=np.zeros(3, np.int64), clear_s=np.full(3, np.nan), scene_s=np.array([500.0, np.nan, np.nan]),
        arrival_s=np.array([300.0, 300.0, np.nan]),
    )  # fmt: skip
    assert out_times(of, np.zeros(1))[1].tolist() == [800.0, 2100.0, 3600.0]


class Stations:
    """What `fleet_of` asks of a ground without a list of units."""

    unit, n_stations = (), 2


def test_units_that_are_not_listed_stand_where_they_mostly_come_from():
    unit = np.array([0] * 6 + [1] * 6)
    station = np.array([1] * 5 + [0] + [1] * 6)
    of = responses(call=np.arange(12), unit=unit, station=station, type=unit)
    found = fleet_of(Stations(), of, np.arange(12) * 1e5, has_every_unit=True)
    assert list(zip(found.station.tolist(), found.type.tolist(), strict=True)) == [(0, 0), (1, 0), (1, 1)]


def test_units_that_nobody_names_are_as_many_as_were_out_at_once():
    of = responses(call=np.arange(5), unit=np.full(5, -1), station=np.array([0, 0, 0, 1, 1]))
    found = fleet_of(Stations(), of, np.array([0.0, 100.0, 200.0, 0.0, 5000.0]), has_every_unit=True)
    assert found.station.tolist() == [0, 0, 0, 1]
