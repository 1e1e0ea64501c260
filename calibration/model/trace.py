"""Inputs of the engine from a fitted model and given calls: what is known at the call is given, the rest is drawn.

Call handling, units sent and times on scene are drawn by call and replication and given as recorded; turnout and travel
are looked up by the engine, by station and length of trip, times what kind, hour and the end of the log make of them.
Which unit goes is the engine's own decision, by the fitted order of stations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from calibration.fit.times import TimesFit
from calibration.ground import Ground, Zones
from calibration.model.fitted import Fitted
from calibration.model.fleet import Fleet
from calibration.model.samples import Calls
from calibration.scores.keyed import Purpose, uniforms
from sim.chance import constant_table, quantile_table
from sim.demand.types import Durations
from sim.fleet.parts import CHANGE_DTYPE, ChangeKind
from sim.inputs import Policy, RunInputs
from sim.recorded import Effects
from sim.trace import CALL_DTYPE, NEED_DTYPE, Station, Trace, Unit, trace_inputs
from sim.units import MS_PER_DAY, Q16, q16

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SCENE_S = 1800.0
"""Assumed where no record says how long units stay."""
_MOST_TYPES = 62
_MOST_FACTOR = 20.0
_N_MEAN = 40_000


class Draw(IntEnum):
    """What a uniform of a call is for: places in its row."""

    HANDLING = 0
    PATTERN = 1
    PASSED = 2
    SCENE = 3  # and as many places after it as a pattern has units


@dataclass(frozen=True, slots=True)
class Player:
    """Everything that replications of given calls share; make one with `player_of`.

    `calls`: those that are responses, in order. `start`: the midnight from which the run counts.
    """

    fitted: Fitted
    calls: Calls
    start: date
    stations: Sequence[Station]
    units: Sequence[Unit]
    changes: NDArray[np.void]
    travel_ms: NDArray[np.int32]
    xy_m: Ints
    durations: Durations
    effects: Effects
    policy: Policy

    def inputs(self, seed: int, replication: int) -> RunInputs:
        """Return the inputs of one replication."""
        fitted, calls = self.fitted, self.calls
        most = max(len(pattern) for pattern in fitted.sent.patterns)
        u = uniforms(Purpose.PLAY, seed * 10_007 + replication, calls.identity, Draw.SCENE + most)
        pattern, _ = fitted.sent.draw_patterns(calls.kind, u[:, Draw.PATTERN])
        n_needs = np.array([len(each) for each in fitted.sent.patterns], dtype=np.int64)[pattern]
        rows = np.zeros(len(calls), dtype=CALL_DTYPE)
        rows["time_ms"] = calls.local_ms - ms_of(self.start)
        rows["handling_ms"] = handling_ms(fitted, calls, u[:, Draw.HANDLING])
        rows["zone"], rows["kind"], rows["n_needs"] = calls.zone, calls.kind, n_needs
        inputs = trace_inputs(
            self.stations, self.units, Trace(rows, self._needs(pattern, n_needs, u[:, Draw.SCENE :])), self.travel_ms,
            self.xy_m, self.durations, policy=self.policy, changes=self.changes, kinds=fitted.kinds,
            period_of_hour=fitted.zones.period_of_hour, effects=self.effects, start=self.start, seed=seed,
            replication=replication,
        )  # fmt: skip
        passed = fitted.passing.draw(calls.zone, u[:, Draw.PASSED])
        return replace(inputs, n_passed=passed[inputs.demand.incidents["identity"].astype(np.int64)])

    def _needs(self, pattern: Ints, n_needs: Ints, u: Floats) -> NDArray[np.void]:
        patterns = self.fitted.sent.patterns
        call = np.repeat(np.arange(len(n_needs)), n_needs)
        place = np.arange(len(call)) - np.repeat(np.cumsum(n_needs) - n_needs, n_needs)
        table = np.zeros((len(patterns), max(len(each) for each in patterns)), dtype=np.int64)
        for number, each in enumerate(patterns):
            table[number, : len(each)] = each
        needs = np.zeros(len(call), dtype=NEED_DTYPE)
        for name in ("turnout_ms", "travel_ms", "transport_ms", "station", "to_zone"):
            needs[name] = -1
        needs["capability"] = np.minimum(table[pattern[call], place], _MOST_TYPES)
        needs["scene_ms"] = scene_ms(self.fitted, self.calls.kind[call], u[call, place])
        return needs


def player_of(fitted: Fitted, calls: Calls, like: Player | None = None) -> Player:
    """Return what all replications of these calls share; of `calls` those that are responses are played.

    `like`: a player of the same model and other calls, whose matrix and tables are taken over.
    """
    calls = calls.rows(np.flatnonzero(calls.is_response))
    zones, ground, fleet = fitted.zones, fitted.ground, fitted.fleet
    start = date(1970, 1, 1) + timedelta(days=int(calls.day.min()))
    days = np.arange(calls.day.min(), calls.day.max() + 2).astype("datetime64[D]")
    is_open = ground.is_open(days)
    stations, units = standing(ground, zones, fleet, is_open[0])
    durations, effects = _tables(fitted) if like is None else (like.durations, like.effects)
    return Player(
        fitted, calls, start, stations, units, openings(is_open), _matrix(fitted) if like is None else like.travel_ms,
        np.column_stack([zones.x_m, zones.y_m]), durations, _with_calls(effects, fitted, calls),
        Policy(
            0, is_escalation_on=False, is_scene_delay_on=False, home_factor_q16=q16(fitted.returning.factor),
            make_ready_ms=int(1000 * fitted.returning.ready_s), is_sent_on=fitted.returning.is_sent_on,
        ),
    )  # fmt: skip


def standing(
    ground: Ground, zones: Zones, fleet: Fleet, is_open: NDArray[np.bool_]
) -> tuple[list[Station], list[Unit]]:
    """Return the stations, of which `is_open` (n_stations,) are open from the start, and the units, able by type."""
    stations = [
        Station(int(zone), name, bool(opened))
        for zone, name, opened in zip(zones.of_station, ground.station, is_open, strict=True)
    ]
    types = np.minimum(fleet.type, _MOST_TYPES).tolist()
    return stations, [Unit(int(at), (kind,)) for at, kind in zip(fleet.station, types, strict=True)]


def handling_ms(fitted: Fitted, calls: Calls, u: Floats) -> Ints:
    """Return how long calls are handled at ranks u (n_calls,), at the level of the log's end; 0 if part of the next."""
    fit = fitted.handling
    if fit is None:
        return np.zeros(len(calls), dtype=np.int64)
    log_factor = fit.log_factor((calls.kind, calls.hour_label), len(calls)) + fitted.drift["handling"].level
    return to_ms(look_up(fit, u) * np.exp(log_factor))


def scene_ms(fitted: Fitted, kind: Ints, u: Floats) -> Ints:
    """Return the times on scene of units at calls of kind (n,) at ranks u (n,); `SCENE_S` where none is on record."""
    fit = fitted.scene
    if fit is None:
        return to_ms(np.full(len(kind), SCENE_S))
    return to_ms(look_up(fit, u) * np.exp(fit.log_factor((kind,), len(kind))))


def look_up(fit: TimesFit, u: Floats) -> Floats:
    """Return the durations at ranks u (n,) in (0, 1) at no effect, s."""
    family, parameters = fit.estimate.family, fit.estimate.parameters
    levels = np.concatenate([np.linspace(1e-6, 0.99, 2_000), 1.0 - np.geomspace(0.01, 1e-7, 400)[1:]])
    return np.asarray(np.interp(u, levels, family.ppf(parameters, levels)), dtype=np.float64)


def to_ms(seconds: Floats) -> Ints:
    """Return seconds as whole milliseconds, none below 0."""
    return np.floor(np.maximum(seconds, 0.0) * 1000.0 + 0.5).astype(np.int64)


def ms_of(day: date) -> int:
    """Return the local midnight at which a day begins, ms since 1970."""
    return (day - date(1970, 1, 1)).days * MS_PER_DAY


def openings(is_open: NDArray[np.bool_]) -> NDArray[np.void]:
    """Return stations that open and close after the first day, as changes of the run."""
    day, station = np.nonzero(is_open[1:] != is_open[:-1])
    rows = np.zeros(len(day), dtype=CHANGE_DTYPE)
    rows["time_ms"] = (day + 1) * MS_PER_DAY
    opened = is_open[day + 1, station]
    rows["kind"] = np.where(opened, int(ChangeKind.STATION_OPEN), int(ChangeKind.STATION_CLOSE))
    rows["entity"], rows["value"] = station, opened
    return rows


def _matrix(fitted: Fitted) -> NDArray[np.int32]:
    """Return expected driving times between all zones, (n_periods, n_zones, n_zones) ms.

    From stations with all effects; where stations share a zone the shortest of theirs holds.
    """
    travel, zones = fitted.travel, fitted.zones
    out = np.empty(zones.ways.shape, dtype=np.int32)
    of_patch = travel.effects["patch"].of(zones.patch)
    for period, ways in enumerate(zones.ways):
        for begin in range(0, zones.n_zones, 256):
            part = ways[begin : begin + 256].astype(np.float64)
            log_s = travel.curve.log_s(travel.parameters, part.ravel()).reshape(part.shape) + of_patch[None, :]
            out[period, begin : begin + 256] = _int_ms(np.exp(log_s))
        out[period, zones.of_station] = np.iinfo(np.int32).max
        drives = _int_ms(fitted.drive_s[period])
        for station, zone in enumerate(zones.of_station):
            np.minimum(out[period, zone], drives[station], out=out[period, zone])
        np.fill_diagonal(out[period], np.minimum(np.diagonal(out[period]), drives.max()))
    return out


def _int_ms(seconds: Floats) -> NDArray[np.int32]:
    return np.asarray(np.clip(np.floor(seconds * 1000.0 + 0.5), 1, 2e9), dtype=np.int32)


def _table(ppf: Callable[[Floats], Floats]) -> NDArray[np.int32]:
    """Return the engine's table of a quantile function in its unit."""
    mean = float(ppf((np.arange(_N_MEAN) + 0.5) / _N_MEAN).mean())
    try:
        return quantile_table(ppf, mean, n_points=8)
    except ValueError:  # a tail that a grid does not see: take what the table's own levels integrate to
        return quantile_table(lambda u: ppf(np.clip(u, 0.0, 1.0 - 0.5 / _N_MEAN)), mean, n_points=8)


def _tables(fitted: Fitted) -> tuple[Durations, Effects]:
    """Return the tables of turnout and noise, and which holds where."""
    n_stations, n_kinds = fitted.ground.n_stations, len(fitted.kinds)
    values = [constant_table(0), constant_table(Q16)]
    turnout = np.zeros((24, n_stations), dtype=np.int16)
    drift = fitted.drift["turnout"].level
    if fitted.turnout is not None:
        fit = fitted.turnout
        of_station = np.exp(fit.effects[2].of(np.arange(n_stations)) + drift)
        base = _table(lambda u: 1000.0 * look_up(fit, u))
        for station, factor in enumerate(of_station):
            turnout[:, station] = len(values)
            values.append(np.floor(base * factor + 0.5).astype(np.int32))
    noise, bands = fitted.noise, []
    levels = (np.arange(noise.log_quantiles.shape[1]) + 0.5) / noise.log_quantiles.shape[1]
    own_share, common = np.sqrt(1.0 - noise.common_share), 1
    if noise.common_share > 0.0:
        spread = np.sqrt(noise.common_share) * float(noise.log_quantiles.std(axis=1).mean())
        common = len(values)
        values.append(_table(lambda u: Q16 * np.exp(spread * _normal(u))))
    for quantiles in noise.log_quantiles:
        middle = float(np.median(quantiles))
        own = middle + own_share * (quantiles - middle)
        bands.append(len(values))
        values.append(_table(lambda u, own=own: Q16 * np.exp(np.interp(u, levels, own))))  # type: ignore[misc]
    effects = Effects(
        turnout=turnout, noise_from_ms=np.concatenate([[0], to_ms(noise.edges_s)]),
        noise_table=np.array(bands, dtype=np.int16),
    )  # fmt: skip
    none = np.full((n_kinds, 6), -1, np.int16)
    zeros = np.zeros(n_kinds, np.int16)
    durations = Durations(
        np.stack(values), tuple(str(n) for n in range(len(values))), np.zeros(2, np.int16), np.zeros(2, np.int16),
        common, bands[0], zeros, np.zeros((n_kinds, 6), np.int16), none, np.zeros(n_kinds, np.int32), 0,
    )  # fmt: skip
    return durations, effects


def _with_calls(effects: Effects, fitted: Fitted, calls: Calls) -> Effects:
    """Return the effects with the factors of each call: kind, hour, and where levels stand at the end."""
    labels = fitted.travel.effects["hour"].of(calls.hour_label) + fitted.travel.effects["kind"].of(calls.kind)
    turnout = None
    if fitted.turnout is not None:
        of_kind, of_hour = fitted.turnout.effects[:2]
        turnout = _factors(of_kind.of(calls.kind) + of_hour.of(calls.hour_label))
    drive = _factors(labels + fitted.drift["travel"].level)
    return replace(effects, drive_of_call_q16=drive, turnout_of_call_q16=turnout)


def _normal(u: Floats) -> Floats:
    from scipy import special

    value: Floats = special.ndtri(u)
    return value


def _factors(log_factor: Floats) -> NDArray[np.int32]:
    factor = np.clip(np.exp(log_factor), 1.0 / _MOST_FACTOR, _MOST_FACTOR)
    return np.floor(factor * Q16 + 0.5).astype(np.int32)
