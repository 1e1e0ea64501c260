"""A whole log of a hundred thousand calls, read, cleaned and fitted, in the time that is promised."""

from __future__ import annotations

import time

import numpy as np
import pytest

from calibration.fit.busy import Spells, free_stations
from calibration.fit.choice import choices, passed_over, revealed_order
from calibration.fit.demand import fit_demand
from calibration.fit.exposure import observed_days, spans_of_log
from calibration.fit.sent import Responses, fit_sent
from calibration.fit.times import fit_times
from calibration.fit.travel import fit_travel
from calibration.records import read_records
from calibration.scores import Known, observed
from tests.calibration.cities import compact

N_CALLS = 100_000
MOST_S = 120.0


def codes(frame, column):
    return frame[column].cat.codes.to_numpy().astype(np.int64)


def seconds(frame, column):
    value = frame[column].to_numpy()
    known = np.flatnonzero(np.isfinite(value))
    return known, observed(value[known], resolution_s=1.0)


@pytest.mark.slow
def test_a_hundred_thousand_calls_are_read_and_fitted_in_two_minutes(tmp_path):
    truth = compact(tmp_path, n_calls=N_CALLS, seed=1)
    begin = time.process_time()
    records = read_records(truth.records_folder)
    calls, units = records.incidents, records.responses
    day = calls["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    hour, kind, place = calls["hour"].to_numpy().astype(np.int64), codes(calls, "kind"), truth.calls.patch
    of = units["incident"].to_numpy()
    station = codes(units, "station")
    call_ms, zone = calls["call_ms"].to_numpy(), records.time_zone
    days = observed_days(spans_of_log(call_ms, zone), zone)
    fit_demand(call_ms, calls["kind"].astype(str).to_numpy(), place.astype(str), days, zone)
    known, seen = seconds(calls, "handling_s")
    fit_times(seen, day[known], [kind[known], kind[known] * 24 + hour[known]])
    known, seen = seconds(units, "turnout_s")
    fit_times(seen, day[of[known]], [hour[of[known]], hour[of[known]] * 60 + station[known]], call=of[known])
    known, seen = seconds(units, "on_scene_s")
    fit_times(seen, day[of[known]], [kind[of[known]]], call=of[known])
    known, seen = seconds(units, "travel_s")
    labels = {"station": station, "hour": hour[of], "place": place[of], "kind": kind[of]}
    middle_m, at_m = truth.world.patch_middle_m(), truth.world.xy_m
    away_m = np.hypot(*(middle_m[:, None] - at_m[None]).transpose(2, 0, 1))
    ways = Known(away_m[place[of], station], labels).rows(known)
    travel = fit_travel(seen, ways, day[of[known]], call=of[known])
    dispatch_s = units["dispatch_s"].to_numpy()
    arrived = np.isfinite(units["arrival_s"].to_numpy())
    sent = fit_sent(kind, day, kind.max() + 1, Responses(of, codes(units, "type"), dispatch_s, ~arrived, arrived))
    second = call_ms[of] / 1000.0
    spells = Spells(
        codes(units, "unit"),
        station,
        codes(units, "type"),
        second + dispatch_s,
        second + units["available_s"].to_numpy(),
    )
    first_s = np.full(len(calls), np.inf)
    np.minimum.at(first_s, of, dispatch_s)
    free = free_stations(
        np.where(np.isfinite(first_s), call_ms / 1000.0 + first_s, call_ms / 1000.0), spells, len(at_m)
    )
    first = np.full(len(calls), -1)
    is_first = dispatch_s == first_s[of]
    first[of[is_first]] = station[is_first]
    expected_s = np.exp(travel.curve.log_s(travel.parameters, away_m.ravel())).reshape(away_m.shape) + 90.0
    chosen = choices(expected_s, middle_m, place, first, day, is_free=free.is_free)
    passed_over(chosen, revealed_order(chosen))
    assert time.process_time() - begin < MOST_S
    assert len(calls) > 0.99 * N_CALLS
    assert sent.mean_units.max() > 2.0
