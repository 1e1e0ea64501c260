"""Runs of the engine on given calls, and what each call got in every one.

The same call, wave and need has the same ranks whatever the resources, so two casts differ by what was changed alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.model.trace import Draw, handling_ms, scene_ms
from calibration.replay.cast import Cast
from calibration.replay.given import Given
from calibration.replay.ranks import with_recorded_ranks
from calibration.scores.keyed import Purpose, uniforms
from sim.engine import simulate
from sim.engine.log import EventLog, LogKind
from sim.inputs import RunInputs
from sim.trace import UNKNOWN, Trace, trace_inputs, with_replication

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Played:
    """What was simulated; rows as the calls given.

    `first_s`, `second_s`: (n_calls, n_draws) float32, s after the call, inf where none came, second NaN where the call
    gets one unit. `unit`: (n_calls, n_draws) int16, the first to arrive, -1 none. `busy_s`: (n_units,) mean seconds
    from dispatch to clear. `span_s`: seconds of the days played.
    """

    first_s: NDArray[np.float32]
    second_s: NDArray[np.float32]
    unit: NDArray[np.int16]
    busy_s: Floats
    span_s: float

    def station(self, cast: Cast) -> NDArray[np.int16]:
        """Return the station of the first to arrive: (n_calls, n_draws), -1 none."""
        of_unit = np.append(cast.resources.fleet.station, -1).astype(np.int16)
        return of_unit[self.unit]


def play(
    cast: Cast,
    given: Given,
    passed: NDArray[np.int8] | None,
    n_draws: int,
    *,
    origin: Cast | None = None,
    seed: int = 0,
    told: Callable[[int], None] = lambda _: None,
) -> Played:
    """Return `n_draws` replays of the calls.

    `passed`: (n_calls,) stations passed over, -1 drawn; None: none at all. `origin`: the cast of then, None: this one.
    """
    n, n_units = len(given.calls), len(cast.units)
    first, second = (np.empty((n, n_draws), dtype=np.float32) for _ in range(2))
    unit, busy_s = np.empty((n, n_draws), dtype=np.int16), np.zeros(n_units)
    base: RunInputs | None = None
    is_single = given.n_needs < 2
    for number in range(n_draws):
        base, inputs = _inputs(cast, given, passed, base, seed, number)
        if cast.fitted is not None:
            ranks = with_recorded_ranks(inputs.slot_ranks, inputs, given, cast if origin is None else origin)
            inputs = replace(inputs, slot_ranks=ranks)
        log = simulate(inputs)
        one, two, who = arrivals(log, inputs, given)
        first[:, number], second[:, number], unit[:, number] = one, np.where(is_single, np.nan, two), who
        busy_s += _busy_s(log, n_units) / n_draws
        told(number + 1)
    return Played(first, second, unit, busy_s, 86_400.0 * (len(cast.is_open) - 1))


def inputs_of(cast: Cast, given: Given, passed: NDArray[np.int8] | None, *, seed: int = 0) -> RunInputs:
    """Return the inputs of the first replay."""
    return _inputs(cast, given, passed, None, seed, 0)[1]


def _inputs(
    cast: Cast, given: Given, passed: NDArray[np.int8] | None, base: RunInputs | None, seed: int, number: int
) -> tuple[RunInputs, RunInputs]:
    """Return the inputs that all replications share parts of, and those of one."""
    trace, u = _trace(cast, given, seed, number)
    if base is None:
        base = trace_inputs(
            cast.stations, cast.units, trace, cast.travel_ms, cast.xy_m, cast.tables, policy=cast.policy,
            changes=cast.changes, kinds=cast.kinds, period_of_hour=cast.period_of_hour, effects=cast.effects,
            start=cast.start, seed=seed, replication=number,
        )  # fmt: skip
        inputs = base
    else:
        inputs = with_replication(base, number, trace)
    if cast.fitted is None or passed is None or u is None:
        return base, inputs
    drawn = cast.fitted.passing.draw(trace.calls["zone"].astype(np.int64), u[:, Draw.PASSED])
    of_call = passed[given.call]
    is_later = np.concatenate([[False], given.call[1:] == given.call[:-1]])
    n_passed = np.where(is_later, 0, np.where(of_call < 0, drawn, of_call)).astype(np.int8)
    return base, replace(inputs, n_passed=n_passed[inputs.demand.incidents["identity"].astype(np.int64)])


def _trace(cast: Cast, given: Given, seed: int, number: int) -> tuple[Trace, Floats | None]:
    """Return the calls with what is not on record of handling and scenes drawn, and the uniforms of each wave."""
    fitted, calls = cast.fitted, given.wave_calls
    trace = _held(given.trace, cast)
    if fitted is None:
        return trace, None
    u = uniforms(Purpose.PLAY, seed * 10_007 + number, calls.identity, Draw.SCENE + int(given.place.max()) + 1)
    rows, needs = trace.calls.copy(), trace.needs.copy()
    is_open = rows["handling_ms"] == UNKNOWN
    rows["handling_ms"] = np.where(is_open, handling_ms(fitted, calls, u[:, Draw.HANDLING]), rows["handling_ms"])
    wave = np.repeat(np.arange(len(rows)), rows["n_needs"])
    drawn = scene_ms(fitted, calls.kind[wave], u[wave, Draw.SCENE + given.place])
    needs["scene_ms"] = np.where(needs["scene_ms"] == UNKNOWN, drawn, needs["scene_ms"])
    return Trace(rows, needs), u


def _held(trace: Trace, cast: Cast) -> Trace:
    """Return the trace without the travel on record of stations that stand elsewhere now."""
    is_lost = np.append(cast.resources.is_elsewhere, False)[trace.needs["station"]]
    if not is_lost.any():
        return trace
    needs = trace.needs.copy()
    needs["travel_ms"][is_lost] = UNKNOWN
    return Trace(trace.calls, needs)


def _busy_s(log: EventLog, n_units: int) -> Floats:
    """Return the seconds from dispatch to clear of each unit, which does one thing after the other: (n_units,)."""
    kind, unit, time_ms = (log.column(name) for name in ("kind", "unit", "time_ms"))
    begins, ends = kind == LogKind.DISPATCH, (kind == LogKind.CLEAR) | (kind == LogKind.TURN_BACK)
    rows = begins | ends
    signed_ms = np.where(begins, -time_ms, time_ms)[rows]
    busy_s: Floats = np.bincount(unit[rows], weights=signed_ms / 1000.0, minlength=n_units).astype(np.float64)
    return busy_s


def arrivals(log: EventLog, inputs: RunInputs, given: Given) -> tuple[Floats, Floats, Ints]:
    """Return first and second arrival of each call, s after the call, inf where none, and the first unit (-1)."""
    rows = np.flatnonzero(log.column("kind") == LogKind.ARRIVE)
    incident, time_ms, unit = (log.column(name)[rows] for name in ("incident", "time_ms", "unit"))
    call = given.call[inputs.demand.incidents["identity"].astype(np.int64)[incident]]
    order = np.lexsort((np.arange(len(call)), time_ms, call))
    call, time_ms, unit = call[order], time_ms[order], unit[order]
    place = np.arange(len(call)) - np.searchsorted(call, call)
    n = len(given.calls)
    at_ms = np.empty(n, dtype=np.int64)
    at_ms[given.call] = given.trace.calls["time_ms"]
    first, second = (np.full(n, np.inf) for _ in range(2))
    for number, out in ((0, first), (1, second)):
        of = place == number
        out[call[of]] = (time_ms[of] - at_ms[call[of]]) / 1000.0
    who = np.full(n, -1, dtype=np.int64)
    who[call[place == 0]] = unit[place == 0]
    return first, second, who
