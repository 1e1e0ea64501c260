"""From the files of a synthetic city to its truth: records are read and fitted, nothing but the files is known."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.fit.demand import fit_demand
from calibration.fit.exposure import observed_days, spans_of_log
from calibration.fit.times import fit_times
from calibration.fit.travel import fit_travel
from calibration.records import read_records
from calibration.scores import Known, observed
from tests.calibration.cities import compact, sprawl
from tests.calibration.cities.calls import evening_of


def local_days(frame):
    return frame["date"].to_numpy().astype("datetime64[D]").astype(np.int64)


def places_of_stations(frame):
    """Gives the number of each row's station in the truth, from its name."""
    names = frame["station"].cat.categories
    number = np.array([int(name[1:]) - 1 for name in names], dtype=np.int64)
    return number[frame["station"].cat.codes.to_numpy()]


def places_of_calls(frame):
    """Gives the place of each row's call among the calls of the truth, from its id."""
    return frame["id"].str[1:].astype(int).to_numpy() - 1


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    truth = compact(tmp_path_factory.mktemp("town"), 4_000, 7, days=150)
    return truth, read_records(truth.records_folder)


@pytest.fixture(scope="module")
def towns(tmp_path_factory):
    truth = sprawl(tmp_path_factory.mktemp("towns"), 6_000, 7, days=400)
    return truth, read_records(truth.records_folder)


def test_turnout_is_longer_by_night_by_as_much_as_in_truth(town):
    records = town[1]
    frame = records.responses
    call = records.incidents.iloc[frame["incident"].to_numpy()]
    fit = fit_times(
        observed(frame["turnout_s"].to_numpy(), resolution_s=1.0),
        local_days(call),
        [call["hour"].to_numpy(np.int64)],
        families=("lognormal",),
    )
    night, day = fit.effects[0].of(np.array([1, 2, 3, 4])), fit.effects[0].of(np.array([10, 11, 14, 15]))
    se = np.sqrt(np.mean([fit.effects[0].se[h] ** 2 for h in (1, 2, 3, 4, 10, 11, 14, 15)]) / 2.0)
    assert night.mean() - day.mean() == pytest.approx(0.35, abs=3 * se)


def test_ways_by_straight_distance_have_the_spread_of_noise_and_of_roads_together(town):
    truth, records = town
    frame = records.responses
    incident = frame["incident"].to_numpy()
    at, station = places_of_calls(records.incidents)[incident], places_of_stations(frame)
    call = records.incidents.iloc[incident]
    known = Known(
        truth.ways.straight_m[at, station],
        {"station": station, "hour": call["hour"].to_numpy(np.int64)},
    )
    fit = fit_travel(
        observed(frame["travel_s"].to_numpy(), resolution_s=1.0), known, local_days(call), curves=("line", "switch")
    )
    assert fit.curve.name == "switch"
    noise = np.sqrt(np.mean(truth.world.noise_sd_of(truth.median_travel_s) ** 2))
    spread = np.sqrt(np.mean(fit.sd_of(fit.log_expected(known)) ** 2))
    assert noise < spread < np.sqrt(noise**2 + 0.08**2 + 0.15**2)  # place effects; detours and one-way rush hours


@pytest.mark.slow
def test_hours_of_a_log_across_clock_steps_are_those_of_the_wall_clock(towns):
    truth, records = towns
    frame = records.incidents
    call_ms = frame["call_ms"].to_numpy()
    days = observed_days(spans_of_log(call_ms, records.time_zone), records.time_zone)
    assert len(days.day) == 400
    assert days.exposure_h.sum() == pytest.approx(400 * 24, abs=8)  # one step forward and one back
    kind = frame["kind"].astype(str).to_numpy()
    demand = fit_demand(call_ms, kind, np.full(len(kind), "here"), days, records.time_zone)
    assert demand.n_outside == 0
    world = truth.world
    hour = world.hour_calls + np.log(sum(k.share * np.exp(evening_of(world, n)) for n, k in enumerate(world.kinds)))
    value, se = demand.shape.effect("hour")
    assert np.mean(np.abs(value - (hour - hour.mean())) < 1.96 * se) > 0.75
    assert {test.name for test in demand.tests if test.p_value < 0.001} == set()
    rate = demand.rate_per_h(days).sum(axis=1)
    expected = (rate * days.exposure_h).sum(axis=(1, 2))
    shares = dict(zip(demand.kinds, expected / expected.sum(), strict=True))
    for each in world.kinds:
        assert shares[each.code] == pytest.approx(each.share, abs=4 * np.sqrt(each.share / 6_000))


def test_minutes_from_call_to_arrival_give_a_delay_and_a_speed(towns):
    """All there is: the first arrival in minutes. A straight line in the road has handling and turnout as its delay."""
    truth, records = towns
    frame = records.incidents
    rows = np.flatnonzero(frame["arrival_s"].notna())
    at, station = places_of_calls(frame)[rows], places_of_stations(frame)[rows]
    known = Known(truth.ways.road_m[at, station], {"station": station})
    seen = observed(frame["arrival_s"].to_numpy()[rows], resolution_s=60.0)
    fit = fit_travel(seen, known, local_days(frame)[rows], curves=("root", "line", "switch"))
    assert fit.curve.name == "line"
    world = truth.world
    delay_s, s_per_m = np.exp(fit.parameters)
    handled = sum(kind.share * kind.handling_s for kind in world.kinds)
    assert delay_s == pytest.approx(handled + world.turnout_s + world.speed_ms / world.pull_ms2, rel=0.15)
    assert 1.0 / s_per_m == pytest.approx(world.speed_ms, rel=0.1)
