"""Predictions for given calls: runs of the engine, and what each call's first and second unit took in every one.

A column is one whole simulated history, so what calls of a day share is in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.model.samples import Clock
from calibration.model.trace import Player
from sim.engine import simulate
from sim.engine.log import EventLog, LogKind

Draws = NDArray[np.float32]
MOST_OUTS = 40
"""Histories of which times out are kept."""


@dataclass(frozen=True, slots=True)
class Outs:
    """Times out of one history, a row per unit sent: `call` (n,) position among the player's calls, `unit` (n,) int32,
    `begin_s`, `end_s` (n,) from dispatch to clear, s after the run's start; an end not seen is inf.
    """

    call: NDArray[np.int32]
    unit: NDArray[np.int32]
    begin_s: NDArray[np.float64]
    end_s: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Predicted:
    """What was simulated; rows as the player's calls.

    `first_s`, `second_s`: (n_calls, n_draws) float32, s after the call (or the dispatch, as the log counts), inf where
    none came, second NaN where one unit was sent. `station`, `chosen`: (n_calls, n_draws) int16, of the first
    to arrive and of the first choice, -1 none.
    `identity`: (n_calls,) uint64. `outs`: by history, when which unit was out. `start_s`: of the run, s since 1970 by
    the local clock.
    """

    first_s: Draws
    second_s: Draws
    station: NDArray[np.int16]
    chosen: NDArray[np.int16]
    identity: NDArray[np.uint64]
    outs: tuple[Outs, ...]
    start_s: float


def predict(
    player: Player, n_draws: int, *, seed: int = 0, engine: str = "auto", told: Callable[[int], None] = lambda _: None
) -> Predicted:
    """Return `n_draws` simulated histories of the player's calls; `told` hears how many are done."""
    calls = player.calls
    n, of_unit = len(calls), np.array([unit.station for unit in player.units], dtype=np.int64)
    first, second = (np.full((n, n_draws), np.inf, dtype=np.float32) for _ in range(2))
    station, chosen = (np.full((n, n_draws), -1, dtype=np.int16) for _ in range(2))
    outs: list[Outs] = []
    for number in range(n_draws):
        inputs = player.inputs(seed, number)
        log = simulate(inputs, engine=engine)
        order = inputs.demand.incidents["identity"].astype(np.int64)
        due_ms = inputs.demand.incidents["call_ms"].copy()
        if player.fitted.clock is Clock.DISPATCH:
            assert inputs.recorded is not None
            due_ms += inputs.recorded.handling_ms
        n_needs = np.diff(inputs.cards.start)[inputs.demand.incidents["kind"]]
        one, two, unit = _arrivals(log, due_ms)
        two = np.where(n_needs < 2, np.nan, two)
        first[order, number], second[order, number] = one, two
        station[order, number] = np.where(unit >= 0, of_unit[unit], -1)
        chosen[order, number] = _first_choices(log, of_unit, n)
        if number < MOST_OUTS:
            outs.append(_outs(log, order))
        told(number + 1)
    start_s = float(calls.day.min()) * 86_400.0
    return Predicted(first, second, station, chosen, calls.identity, tuple(outs), start_s)


def _arrivals(
    log: EventLog, due_ms: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return first and second arrival of each incident, s after `due_ms`, inf where none, and the first unit (-1)."""
    rows = np.flatnonzero(log.column("kind") == LogKind.ARRIVE)
    incident, time_ms, unit = (log.column(name)[rows] for name in ("incident", "time_ms", "unit"))
    order = np.argsort(incident, kind="stable")
    incident, time_ms, unit = incident[order], time_ms[order], unit[order]
    place = np.arange(len(incident)) - np.searchsorted(incident, incident)
    out = []
    for number in (0, 1):
        own = np.full(len(due_ms), np.inf)
        of = place == number
        own[incident[of]] = (time_ms[of] - due_ms[incident[of]]) / 1000.0
        out.append(own)
    who = np.full(len(due_ms), -1, dtype=np.int64)
    who[incident[place == 0]] = unit[place == 0]
    return out[0], out[1], who


def _first_choices(log: EventLog, of_unit: NDArray[np.int64], n_calls: int) -> NDArray[np.int64]:
    """Return the station of the first unit dispatched to each incident: (n_calls,), -1 none."""
    rows = np.flatnonzero(log.column("kind") == LogKind.DISPATCH)[::-1]
    out = np.full(n_calls, -1, dtype=np.int64)
    out[log.column("incident")[rows]] = of_unit[log.column("unit")[rows]]
    return out


def _outs(log: EventLog, order: NDArray[np.int64]) -> Outs:
    """Return when units were out, by mission, from the last dispatch of one to its end."""
    kind = log.column("kind")
    begins = np.flatnonzero(kind == LogKind.DISPATCH)
    ends = np.flatnonzero((kind == LogKind.CLEAR) | (kind == LogKind.TURN_BACK))
    mission, time_ms = log.column("mission").astype(np.int64), log.column("time_ms")
    key = log.column("unit").astype(np.int64) * (int(mission.max(initial=0)) + 1) + mission  # missions count by unit
    end_ms = np.full(int(key.max(initial=0)) + 1, np.inf)
    end_ms[key[ends]] = time_ms[ends]
    incident, unit = log.column("incident")[begins], log.column("unit")[begins]
    return Outs(
        order[incident].astype(np.int32), unit.astype(np.int32), time_ms[begins] / 1000.0,
        end_ms[key[begins]] / 1000.0,
    )  # fmt: skip
