"""A model fitted to the calls of one side of the log: stages, effects, noise, order of stations, units sent.

Steps of `fit_model`: call handling, turnout and time on scene (`stages.py`); travel (`calibration.fit.travel`) with
what pairs of station and place add (`ways.py`); where levels stand at the end (`drift.py`); which station and how many
units are sent (`who.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fit.choice import PassedOver, RevealedOrder
from calibration.fit.sent import Ends, Sent
from calibration.fit.speed import OF_DISTANCE, OF_MATRIX
from calibration.fit.times import TimesFit
from calibration.fit.travel import TravelFit, fit_travel
from calibration.ground import Ground, Zones
from calibration.model.drift import Drift, level_at_end
from calibration.model.fleet import Fleet, fleet_of, plenty
from calibration.model.noise import Noise, Pairs
from calibration.model.passing import Passing
from calibration.model.returning import Returning, fit_returning
from calibration.model.samples import Clock, Samples
from calibration.model.stages import (
    LEAST_JOURNEYS,
    LEAST_S,
    handling_of,
    journeys,
    scene_of,
    turnout_of,
    usable,
    waited,
)
from calibration.model.ways import expected_drive, noise_left, pairs_of
from calibration.model.who import first_sent, order_of, units_sent
from sim.errors import InputError, Problem

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model; make one with `fit_model`.

    Stages that the log does not tell apart are None. `pairs`: effects of (station, patch), then of (station, zone).
    `drive_s`: (n_periods, n_stations, n_zones) expected travel with all effects of places, as the dispatcher orders
    them. `drift`: by stage. `first_day`, `last_day`: of the fit, days since 1970. `said`: what was assumed or left out.
    """

    ground: Ground
    zones: Zones
    kinds: tuple[str, ...]
    clock: Clock
    handling: TimesFit | None
    turnout: TimesFit | None
    scene: TimesFit | None
    travel: TravelFit
    pairs: tuple[Pairs, Pairs]
    noise: Noise
    drift: Mapping[str, Drift]
    order: RevealedOrder | None
    passed: PassedOver | None
    passing: Passing
    drive_s: Floats
    sent: Sent
    ends: Ends
    returning: Returning
    fleet: Fleet
    first_day: int
    last_day: int
    said: tuple[str, ...]

    def turnout_s(self, n_levels: int = 200) -> Floats:
        """Return the mean turnout of each station at no other effect, s: (n_stations,)."""
        if self.turnout is None:
            return np.zeros(self.ground.n_stations)
        return station_turnout_s(self.turnout, self.ground.n_stations, n_levels)


def station_turnout_s(turnout: TimesFit, n_stations: int, n_levels: int = 200) -> Floats:
    """Return the mean turnout of each station at no other effect, s: (n_stations,)."""
    levels = (np.arange(n_levels) + 0.5) / n_levels
    mean = float(turnout.estimate.family.ppf(turnout.estimate.parameters, levels).mean())
    return np.asarray(mean * np.exp(turnout.effects[-1].of(np.arange(n_stations))), dtype=np.float64)


def fit_model(
    samples: Samples,
    ground: Ground,
    zones: Zones,
    is_used: NDArray[np.bool_],
    *,
    seed: int = 0,
    told: Callable[[str], None] = lambda _: None,
) -> Fitted:
    """Return the model of the calls of which `is_used` (n_calls,) is set; `told` hears of each step.

    Raises
    ------
    InputError
        If fewer than `LEAST_JOURNEYS` journeys of known stations are among them.
    """
    calls, said = samples.calls, list(samples.said)
    rows = usable(samples, is_used)
    told("call handling")
    fleet = fleet_of(ground, samples.responses, calls.local_ms / 1000.0, has_every_unit=samples.stages.has_every_unit)
    is_handled = is_used & ~waited(samples, fleet, ground.n_stations, is_used, said)
    handling, handling_drift = handling_of(samples, is_handled, seed, said)
    told("turnout and time on scene")
    turnout, turnout_drift = turnout_of(samples, rows, seed, said)
    scene = scene_of(samples, rows, seed, said)
    told("travel")
    seen, known, rows = journeys(samples, zones, rows, seed)
    if len(rows) < LEAST_JOURNEYS:
        rule = f"{len(rows)} journeys from known stations to known places are on record; {LEAST_JOURNEYS} are needed"
        mend = "give a longer log, or the stations and places that are missing"
        raise InputError([Problem("records", rule, mend=mend)])
    call = samples.responses.call[rows]
    curves = OF_MATRIX if zones.is_time else OF_DISTANCE
    travel = fit_travel(seen, known, calls.day[call], curves=curves, call=call)
    pairs, before, left = pairs_of(travel, seen, known, samples, zones, rows)
    log_expected = np.log(np.maximum(seen.centre_s(), LEAST_S)) - left
    travel_drift = level_at_end(seen.centre_s() / np.exp(log_expected), calls.day[call])
    told("which station is sent")
    drive_s = expected_drive(travel, pairs, zones, ground.n_stations)
    station = samples.responses.station[rows]
    expected = drive_s.mean(axis=0)[station, calls.zone[call]]
    returning = fit_returning(samples.responses, rows, calls.local_ms / 1000.0, expected)
    said.extend(returning.said)
    turnout_s = np.zeros(ground.n_stations) if turnout is None else station_turnout_s(turnout, ground.n_stations)
    order, passed, passing, drive_s = order_of(
        samples, ground, zones, fleet, drive_s, turnout_s, is_used, is_sent_on=returning.is_sent_on
    )
    expected_s = (drive_s.mean(axis=0) + turnout_s[:, None]).T
    is_first = first_sent(samples, expected_s)[0][call] == station
    noise = noise_left(travel, pairs, seen, left, before, log_expected, is_first)
    if order is None:
        said.append(
            "hardly any station is on record: the nearest is sent, and its being busy is in the noise of travel"
        )
        fleet = plenty(fleet)
    told("units sent")
    sent, ends = units_sent(samples, is_used, fleet, ground.n_stations)
    used = np.flatnonzero(is_used)
    return Fitted(
        ground, zones, calls.kinds, samples.stages.clock, handling, turnout, scene, travel, pairs, noise,
        {"handling": handling_drift, "turnout": turnout_drift, "travel": travel_drift}, order, passed, passing, drive_s,
        sent, ends, returning, fleet, int(calls.day[used[0]]), int(calls.day[used[-1]]), tuple(said),
    )  # fmt: skip
