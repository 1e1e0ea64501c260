"""Call handling, turnout, time on scene and journeys: what of the records each is fitted to, and the fits.

Which stage is told apart is decided by `samples.Stages`; what is written as nought to the second took up to a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration.fit.times import TimesFit, fit_times
from calibration.ground import Zones
from calibration.model.drift import NO_DRIFT, Drift, level_at_end
from calibration.model.fleet import Fleet
from calibration.model.samples import Calls, Clock, Samples, stage_observed
from calibration.model.waits import waited_for_unit
from calibration.scores import Known, Observed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAST_JOURNEYS = 50
"""Assumed: from fewer recorded journeys nothing is fitted."""
LEAST_S = 1.0


def usable(samples: Samples, is_used: NDArray[np.bool_]) -> Ints:
    """Return the rows of responses by units of known stations that arrived at calls used."""
    of = samples.responses
    is_in = is_used[of.call] & samples.calls.is_response[of.call] & ~of.is_cancelled & (of.station >= 0)
    return np.flatnonzero(is_in)


def waited(
    samples: Samples, fleet: Fleet, n_stations: int, is_used: NDArray[np.bool_], said: list[str]
) -> NDArray[np.bool_]:
    """Return which calls waited for a unit, none if too few did not to tell how long calls are handled."""
    is_late = waited_for_unit(samples, fleet, n_stations)
    n_waited, n_used = int((is_late & is_used).sum()), int(is_used.sum())
    if not n_waited or n_used - n_waited < LEAST_JOURNEYS:
        return np.zeros(len(is_late), dtype=np.bool_)
    said.append(f"{n_waited / n_used:.1%} of the calls waited for a unit: they do not tell how long calls are handled")
    return is_late


def handling_of(
    samples: Samples, is_used: NDArray[np.bool_], seed: int, said: list[str]
) -> tuple[TimesFit | None, Drift]:
    """Return how long calls are handled: from the call to the first dispatch."""
    if not samples.stages.has_handling:
        return None, NO_DRIFT
    calls, of = samples.calls, samples.responses
    first = np.full(len(calls), np.inf)
    np.minimum.at(first, of.call, np.where(np.isnan(of.dispatch_s), np.inf, of.dispatch_s))
    rows = np.flatnonzero(is_used & calls.is_response & np.isfinite(first))
    seen = stage_observed(
        first[rows], "call", "dispatch", "handling", _resolution(samples),
        calls.local_ms[rows] / 1000.0, calls.identity[rows], seed,
    )  # fmt: skip
    groups = (calls.kind[rows], calls.hour_label[rows])
    return _times(seen, calls.day[rows], groups, "call handling", said)


def turnout_of(samples: Samples, rows: Ints, seed: int, said: list[str]) -> tuple[TimesFit | None, Drift]:
    """Return the turnout of the responses at `rows`: from dispatch to departure, by kind, hour and station."""
    of, calls = samples.responses, samples.calls
    rows = rows[np.isfinite(of.turnout_s[rows])]
    if not samples.stages.has_turnout:
        return None, NO_DRIFT
    call = of.call[rows]
    seen = stage_observed(
        of.turnout_s[rows], "dispatch", "en_route", "turnout", _resolution(samples),
        calls.local_ms[call] / 1000.0 + np.nan_to_num(of.dispatch_s[rows]), _identities(rows), seed,
    )  # fmt: skip
    groups = (calls.kind[call], calls.hour_label[call], of.station[rows])
    return _times(seen, calls.day[call], groups, "turnout", said)


def scene_of(samples: Samples, rows: Ints, seed: int, said: list[str]) -> TimesFit | None:
    """Return the time on scene of the responses at `rows`: from arrival to clear, by kind."""
    of, calls = samples.responses, samples.calls
    rows = rows[np.isfinite(of.scene_s[rows])]
    if not samples.stages.has_scene:
        return None
    call = of.call[rows]
    seen = stage_observed(
        of.scene_s[rows], "arrival", "clear", "on_scene", _resolution(samples),
        calls.local_ms[call] / 1000.0 + np.nan_to_num(of.arrival_s[rows]), _identities(rows), seed,
    )  # fmt: skip
    return _times(seen, calls.day[call], (calls.kind[call],), "time on scene", said)[0]


def _times(
    seen: Observed, day: Ints, groups: tuple[Ints, ...], name: str, said: list[str]
) -> tuple[TimesFit | None, Drift]:
    if len(seen) < 20:
        said.append(f"{name}: {len(seen)} recorded durations are too few to fit; taken as nothing")
        return None, NO_DRIFT
    # What is written as nought to the second took up to a second.
    seen = replace(seen, value_s=np.where(seen.resolution_s > 0.0, seen.value_s, np.maximum(seen.value_s, LEAST_S)))
    fit = fit_times(seen, day, groups)
    return fit, level_at_end(seen.centre_s() / np.exp(fit.log_factor(groups, len(seen))), day)


def _resolution(samples: Samples) -> Mapping[str, float]:
    incidents, responses = samples.resolution_s
    return {**incidents, **responses} if samples.stages.has_every_unit else incidents


def _identities(rows: Ints) -> NDArray[np.uint64]:
    return rows.astype(np.uint64)


def journeys(samples: Samples, zones: Zones, rows: Ints, seed: int) -> tuple[Observed, Known, Ints]:
    """Return the recorded journeys, what is known of each, and their rows."""
    of, calls = samples.responses, samples.calls
    if samples.stages.has_turnout:
        value, begin, name, since = of.travel_s, "en_route", "travel", of.arrival_s - of.travel_s
    elif samples.stages.has_handling or samples.stages.clock is Clock.DISPATCH:
        value, begin, name, since = of.to_arrival_s, "dispatch", "dispatch_to_arrival", of.dispatch_s
    else:
        value, begin, name, since = of.arrival_s, "call", "call_to_arrival", np.zeros(len(of))
    rows = rows[np.isfinite(value[rows])]
    call = of.call[rows]
    seen = stage_observed(
        np.maximum(value[rows], 0.0), begin, "arrival", name, _resolution(samples),
        calls.local_ms[call] / 1000.0 + np.nan_to_num(since[rows]), _identities(rows), seed,
    )  # fmt: skip
    labels = {
        "station": of.station[rows], "hour": calls.hour_label[call], "kind": calls.kind[call],
        "patch": zones.patch[calls.zone[call]],
    }  # fmt: skip
    return seen, Known(way_of(zones, of.station[rows], calls, call), labels), rows


def way_of(zones: Zones, station: Ints, calls: Calls, call: Ints) -> Floats:
    """Return the way from a station to the zone of a call at its hour: (n,), m or s."""
    period = zones.period_of_hour[calls.is_off[call].astype(np.int64), calls.hour[call]]
    way = zones.ways[period, zones.of_station[station], calls.zone[call]]
    return np.asarray(way, dtype=np.float64)
