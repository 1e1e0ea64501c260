"""A model fitted to the calls of one side of the log: stages, effects, noise, order of stations, units sent.

Steps of `fit_model`: call handling, turnout and time on scene (`calibration.fit.times`); travel (`fit.travel`) with
what pairs of station and place add (`noise.py`); where levels stand at the end (`drift.py`); which station is sent
(`fit.choice`); how many units (`fit.sent`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.fit.choice import PassedOver, RevealedOrder, choices, passed_over, revealed_order
from calibration.fit.noise import interpolate
from calibration.fit.sent import Ends, Sent, fit_ends, fit_sent
from calibration.fit.sent import Responses as SentUnits
from calibration.fit.speed import OF_DISTANCE, OF_MATRIX
from calibration.fit.times import TimesFit, fit_times
from calibration.fit.travel import TravelFit, fit_travel
from calibration.ground import Ground, Zones
from calibration.model.drift import NO_DRIFT, Drift, level_at_end
from calibration.model.fleet import Fleet, fleet_of, free_at, plenty
from calibration.model.noise import N_LEVELS, Noise, Pairs, fit_pairs, noise_of
from calibration.model.passing import Passing, fit_passing, never_passed
from calibration.model.returning import Returning, fit_returning
from calibration.model.samples import Calls, Clock, Samples, stage_observed
from calibration.model.waits import sent_late_for_want, waited_for_unit
from calibration.scores import Known, Observed
from sim.errors import InputError, Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
LEAST_JOURNEYS = 50
"""Assumed: from fewer recorded journeys nothing is fitted."""
_LEAST_S = 1.0
_ABSURD_SD = 5.0
_LEAST_FIRST = 500
AT_ONCE_S = 60.0
"""Assumed: units dispatched within a minute of the first were sent together."""


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
    is_handled = is_used & ~_waited(samples, fleet, ground.n_stations, is_used, said)
    handling, handling_drift = _handling(samples, is_handled, seed, said)
    told("turnout and time on scene")
    turnout, turnout_drift = _turnout(samples, rows, seed, said)
    scene = _scene(samples, rows, seed, said)
    told("travel")
    seen, known, rows = journeys(samples, zones, rows, seed)
    if len(rows) < LEAST_JOURNEYS:
        rule = f"{len(rows)} journeys from known stations to known places are on record; {LEAST_JOURNEYS} are needed"
        mend = "give a longer log, or the stations and places that are missing"
        raise InputError([Problem("records", rule, mend=mend)])
    call = samples.responses.call[rows]
    curves = OF_MATRIX if zones.is_time else OF_DISTANCE
    travel = fit_travel(seen, known, calls.day[call], curves=curves, call=call)
    pairs, before, left = _left_over(travel, seen, known, samples, zones, rows)
    log_expected = np.log(np.maximum(seen.centre_s(), _LEAST_S)) - left
    travel_drift = level_at_end(seen.centre_s() / np.exp(log_expected), calls.day[call])
    told("which station is sent")
    drive_s = _expected_drive(travel, pairs, zones, ground.n_stations)
    station = samples.responses.station[rows]
    expected = drive_s.mean(axis=0)[station, calls.zone[call]]
    returning = fit_returning(samples.responses, rows, calls.local_ms / 1000.0, expected)
    turnout_s = np.zeros(ground.n_stations) if turnout is None else station_turnout_s(turnout, ground.n_stations)
    order, passed, passing, drive_s = _order(
        samples, ground, zones, fleet, drive_s, turnout_s, is_used, is_sent_on=returning.is_sent_on
    )
    expected_s = (drive_s.mean(axis=0) + turnout_s[:, None]).T
    is_first = first_sent(samples, expected_s)[0][call] == station
    noise = _noise(travel, pairs, seen, left, before, log_expected, is_first)
    if order is None:
        said.append(
            "hardly any station is on record: the nearest is sent, and its being busy is in the noise of travel"
        )
        fleet = plenty(fleet)
    told("units sent")
    sent, ends = _units_sent(samples, is_used, fleet, ground.n_stations)
    used = np.flatnonzero(is_used)
    return Fitted(
        ground, zones, calls.kinds, samples.stages.clock, handling, turnout, scene, travel, pairs, noise,
        {"handling": handling_drift, "turnout": turnout_drift, "travel": travel_drift}, order, passed, passing, drive_s,
        sent, ends, returning, fleet, int(calls.day[used[0]]), int(calls.day[used[-1]]), tuple(said),
    )  # fmt: skip


def usable(samples: Samples, is_used: NDArray[np.bool_]) -> Ints:
    """Return the rows of responses by units of known stations that arrived at calls used."""
    of = samples.responses
    is_in = is_used[of.call] & samples.calls.is_response[of.call] & ~of.is_cancelled & (of.station >= 0)
    return np.flatnonzero(is_in)


def _waited(
    samples: Samples, fleet: Fleet, n_stations: int, is_used: NDArray[np.bool_], said: list[str]
) -> NDArray[np.bool_]:
    """Return which calls waited for a unit, none if too few did not to tell how long calls are handled."""
    waited = waited_for_unit(samples, fleet, n_stations)
    n_waited, n_used = int((waited & is_used).sum()), int(is_used.sum())
    if not n_waited or n_used - n_waited < LEAST_JOURNEYS:
        return np.zeros(len(waited), dtype=np.bool_)
    said.append(f"{n_waited / n_used:.1%} of the calls waited for a unit: they do not tell how long calls are handled")
    return waited


def _handling(
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


def _turnout(samples: Samples, rows: Ints, seed: int, said: list[str]) -> tuple[TimesFit | None, Drift]:
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


def _scene(samples: Samples, rows: Ints, seed: int, said: list[str]) -> TimesFit | None:
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
    seen = replace(seen, value_s=np.where(seen.resolution_s > 0.0, seen.value_s, np.maximum(seen.value_s, _LEAST_S)))
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


def _left_over(
    travel: TravelFit, seen: Observed, known: Known, samples: Samples, zones: Zones, rows: Ints
) -> tuple[tuple[Pairs, Pairs], Floats, Floats]:
    """Return what pairs of station and place add, and of each row (n,) the log residual before and after it."""
    expected, zone = travel.log_expected(known), samples.calls.zone[samples.responses.call[rows]]
    residual = np.log(np.maximum(seen.centre_s(), _LEAST_S)) - expected
    kept = np.flatnonzero(np.abs(residual) <= _ABSURD_SD * travel.sd_of(expected))
    of_patch = known.labels["station"] * MOST_PLACES + known.labels["patch"]
    of_zone = known.labels["station"] * MOST_PLACES + zone
    by_patch = fit_pairs(residual[kept], of_patch[kept])
    left = residual - by_patch.of(of_patch)
    by_zone = fit_pairs(left[kept], of_zone[kept])
    left = left - by_zone.of(of_zone)
    return (by_patch, by_zone), residual, left


def _noise(
    travel: TravelFit, pairs: tuple[Pairs, Pairs], seen: Observed, left: Floats, before: Floats, expected: Floats,
    is_first: Bools,
) -> Noise:  # fmt: skip
    """Return the noise of journeys by the unit of first choice, `is_first` (n,): the ones most often played.

    Of stations that come rarely the effect of the pair is not known, and stays in their residuals.
    """
    is_kept = np.abs(left) <= _ABSURD_SD * travel.sd_of(expected)
    few = np.flatnonzero(is_kept & is_first)
    few = few if len(few) >= _LEAST_FIRST else np.flatnonzero(is_kept)
    n_free = sum(_n_free(effect.tau, effect.se) for effect in travel.effects.values()) + sum(p.n_free for p in pairs)
    n_free *= len(few) / len(left)
    rounding = seen.rounding_variance_s2()[few] / np.maximum(seen.centre_s()[few], _LEAST_S) ** 2
    if float((seen.resolution_s > 1.0).mean()) <= 0.5:
        return noise_of(left[few], expected[few], n_free, rounding, travel.common.share)
    # Residuals of whole minutes are mostly rounding, which the fit has taken out; pairs narrow what it found.
    return _narrowed(travel, before[is_kept], left[few], rounding, n_free)


def _narrowed(travel: TravelFit, before: Floats, after: Floats, rounding: Floats, n_free: float) -> Noise:
    """Return the noise of the travel fit, narrowed by what effects of pairs explain of it beyond rounding."""
    added = float(np.median(rounding))
    own = [max(float(np.median(np.abs(each - np.median(each)))) ** 2 * 2.198 - added, 1e-4) for each in (before, after)]
    widen = np.sqrt(len(after) / max(len(after) - n_free, 0.5 * len(after)))
    scale = min(float(np.sqrt(own[1] / own[0])) * widen, 1.0)
    levels = (np.arange(N_LEVELS) + 0.5) / N_LEVELS
    quantiles = np.stack([interpolate(row, levels) for row in travel.noise_quantiles])
    share = float(np.clip(np.nan_to_num(travel.common.share), 0.0, 0.9))
    return Noise(travel.edges_s, scale * quantiles, share)


MOST_PLACES = 1_000_000
"""A pair of station and place is coded as station times this plus place."""


def _n_free(tau: float, se: Mapping[int, float]) -> float:
    """Return how many free numbers shrunk effects amount to: the sum of 1 - se^2 / tau^2."""
    if tau <= 0.0:
        return 0.0
    return float(np.sum(np.clip(1.0 - (np.array(list(se.values())) / tau) ** 2, 0.0, 1.0)))


def _expected_drive(travel: TravelFit, pairs: tuple[Pairs, Pairs], zones: Zones, n_stations: int) -> Floats:
    """Return the expected travel from each station to each zone: (n_periods, n_stations, n_zones), s."""
    ways = zones.from_stations().astype(np.float64)
    log_s = travel.curve.log_s(travel.parameters, ways.ravel()).reshape(ways.shape)
    station, zone = np.arange(n_stations)[:, None], np.arange(zones.n_zones)[None, :]
    log_s = log_s + travel.effects["station"].of(np.arange(n_stations))[:, None]
    log_s = log_s + travel.effects["patch"].of(zones.patch)[None, :]
    of_pair = pairs[0].of(station * MOST_PLACES + zones.patch[zone]) + pairs[1].of(station * MOST_PLACES + zone)
    return np.exp(log_s + of_pair)


def _order(
    samples: Samples, ground: Ground, zones: Zones, fleet: Fleet, drive_s: Floats, turnout_s: Floats,
    is_used: NDArray[np.bool_],
    *,
    is_sent_on: bool,
) -> tuple[RevealedOrder | None, PassedOver | None, Passing, Floats]:  # fmt: skip
    """Return the order of stations as chosen, what is passed over beyond it, and the drives with that order."""
    calls = samples.calls
    chosen = np.flatnonzero(is_used & calls.is_response)
    expected = (drive_s.mean(axis=0) + turnout_s[:, None]).T
    station, kind = first_sent(samples, expected)
    is_open, is_free = open_and_free(samples, ground, fleet, chosen, kind[chosen], is_sent_on=is_sent_on)
    xy_m = np.column_stack([zones.x_m, zones.y_m]).astype(np.float64)
    at = (expected, xy_m, calls.zone[chosen], station[chosen], calls.day[chosen])
    if int((station[chosen] >= 0).sum()) < LEAST_JOURNEYS:
        return None, None, never_passed(zones.n_zones), drive_s
    # Without a record of every unit the outs of those on record are only what the model itself will play.
    played = choices(*at, is_open=is_open, is_free=is_free)
    seen = played if samples.stages.has_every_unit else choices(*at, is_open=is_open)
    order = revealed_order(seen)
    raised = (order.raised_s.T / expected.T)[None] * (drive_s + turnout_s[None, :, None]) - turnout_s[None, :, None]
    drive_s = np.where(order.raised_s.T[None] > expected.T[None], raised, drive_s)
    return order, passed_over(seen, order), fit_passing(played, order), drive_s


def open_and_free(
    samples: Samples, ground: Ground, fleet: Fleet, chosen: Ints, kind: Ints, *, is_sent_on: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which stations were open, and which had a unit of the type asked for that no record has out.

    Two (n, n_stations), of the chosen calls (n,), as their first unit was sent; `kind`: (n,) types.
    """
    calls, of = samples.calls, samples.responses
    call_s = calls.local_ms / 1000.0
    sent = np.full(len(calls), np.inf)
    np.minimum.at(sent, of.call, np.where(np.isnan(of.dispatch_s), 0.0, of.dispatch_s))
    at_s = call_s[chosen] + np.where(np.isfinite(sent[chosen]), sent[chosen], 0.0)
    days, code = np.unique(calls.day[chosen], return_inverse=True)
    is_open = ground.is_open(days.astype("datetime64[D]"))[code]
    return is_open, free_at(fleet, of, call_s, at_s, kind, ground.n_stations, is_sent_on=is_sent_on)


def first_sent(samples: Samples, expected_s: Floats) -> tuple[Ints, Ints]:
    """Return station (-1: not on record) and type of the unit that was the first choice for each call: two (n_calls,).

    Of the units sent at once that is the one expected first, `expected_s` (n_zones, n_stations): that another of them
    arrived before it is chance, not choice.
    """
    of, calls = samples.responses, samples.calls
    station, kind = np.full(len(calls), -1, dtype=np.int64), np.zeros(len(calls), dtype=np.int64)
    sent_s = np.nan_to_num(of.dispatch_s, nan=0.0)
    first = np.full(len(calls), np.inf)
    rows = np.flatnonzero(~of.is_imputed & (of.station >= 0) & (calls.zone[of.call] >= 0))
    np.minimum.at(first, of.call[rows], sent_s[rows])
    rows = rows[sent_s[rows] <= first[of.call[rows]] + AT_ONCE_S]
    order = np.lexsort((expected_s[calls.zone[of.call[rows]], of.station[rows]], of.call[rows]))
    rows = rows[order]
    call = of.call[rows]
    rows = rows[np.concatenate([[True], call[1:] != call[:-1]])] if len(rows) else rows
    station[of.call[rows]], kind[of.call[rows]] = of.station[rows], of.type[rows]
    return station, kind


def _units_sent(samples: Samples, is_used: NDArray[np.bool_], fleet: Fleet, n_stations: int) -> tuple[Sent, Ends]:
    """Return the units that calls of each kind get, of types that the fleet has, and how calls end."""
    calls, of = samples.calls, samples.responses
    used = np.flatnonzero(is_used)
    kind, day, n_kinds = calls.kind[used], calls.day[used], len(calls.kinds)
    arrived = np.isfinite(samples.first_s[used])
    ends = fit_ends(
        kind, day, n_kinds, cancelled=calls.is_cancelled[used], walk_in=calls.is_walk_in[used], arrived=arrived
    )
    if not samples.stages.has_every_unit:
        return fit_sent(kind, day, n_kinds), ends
    place = np.full(len(calls), -1, dtype=np.int64)
    place[used] = np.arange(len(used))
    rows = np.flatnonzero((place[of.call] >= 0) & calls.is_response[of.call] & (of.station >= 0))
    has = np.zeros(len(fleet.types), dtype=np.bool_)
    has[fleet.type] = True
    common = int(np.bincount(fleet.type).argmax())
    kinds_sent = np.where(has[of.type[rows]], of.type[rows], common)
    # A unit that had to come free first was asked for with the others.
    is_late = sent_late_for_want(samples, fleet, n_stations)[rows]
    first_s = np.full(len(calls), np.inf)
    np.fmin.at(first_s, of.call[rows], of.dispatch_s[rows])
    asked_s = np.where(is_late, first_s[of.call[rows]], of.dispatch_s[rows])
    units = SentUnits(place[of.call[rows]], kinds_sent, asked_s, of.is_cancelled[rows], np.isfinite(of.arrival_s[rows]))
    return fit_sent(kind, day, n_kinds, units), ends
