"""The state of the city as a decision found it: the run made again up to the row of the log that tells the decision.

One event may decide several times, each time in a city that its earlier decisions have changed. So the run is stopped
before the event, and what the event did before the row in question is done again in a copy, by the engine's own
changes of state (`state.py`, `transitions.py`, `dated.py` of `sim/engine/`). Decides nothing itself: who was sent is
read from the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.engine import dated, state, transitions
from sim.engine.build import build_world
from sim.engine.codes import ON_SCENE
from sim.engine.faults import raise_fault
from sim.engine.kernel import KernelRun
from sim.engine.log import EventLog, LogKind
from sim.engine.stations import CREW_BITS, SHIFT_BITS
from sim.engine.world import FAULT, FIELDS, N_LOG, N_OUTBOX, N_WAITING, WorldArrays

if TYPE_CHECKING:
    from sim.inputs import RunInputs

_NOT_COPIED = ("heap", "log")


def worlds_before(inputs: RunInputs, log: EventLog, wanted: Iterable[int]) -> Iterator[tuple[int, WorldArrays]]:
    """Yield (row, the world just before the decision that the row tells) for rows of `log` in ascending order.

    Parameters
    ----------
    log : what the compiled loop wrote for `inputs`.
    wanted : DISPATCH or WAIT rows.

    Raises
    ------
    EngineError
        If the rows of the log are not what the city can do, so that it is not the log of these inputs.
    """
    run = KernelRun(build_world(inputs))
    before, n_before = _copy(run.arrays), 0
    for row in wanted:
        if int(run.arrays.counts[N_LOG]) <= row:
            run.advance(int(log.rows["time_ms"][row]))
        while int(run.arrays.counts[N_LOG]) <= row:
            before, n_before = _copy(run.arrays), int(run.arrays.counts[N_LOG])
            run.step()
        world = _copy(before)
        for entry in log.rows[n_before:row]:
            _do_again(world, entry)
        yield row, world


def _copy(arrays: WorldArrays) -> WorldArrays:
    """Return a world that changes by itself, with an empty log; the frozen tables and the heap are shared."""
    given = dict(arrays.arrays)
    for name, _, _, is_frozen in FIELDS:
        if not is_frozen and name not in _NOT_COPIED:
            given[name] = given[name].copy()
    given["log"] = np.zeros(2 * arrays.log_margin, dtype=given["log"].dtype)
    given["counts"][N_LOG] = 0
    return WorldArrays(log_margin=arrays.log_margin, **given)


def _do_again(world: WorldArrays, entry: Any) -> None:
    """Do in a world what a row of an event says; rows that another row's change brings about by itself add nothing."""
    kind, now, unit = LogKind(int(entry["kind"])), np.int64(entry["time_ms"]), int(entry["unit"])
    incident, handle = int(entry["incident"]), world.struct()
    world.counts[N_OUTBOX] = 0
    if kind == LogKind.DISPATCH:
        slot = int(world.incidents["first_slot"][incident]) + int(entry["slot"])
        state.assign(handle, now, slot, unit, np.int64(entry["value"]))
    elif kind == LogKind.TURN_BACK:
        state.turn_back(handle, now, unit)
    elif kind == LogKind.ARRIVE:
        it = world.units[unit]
        it["status"], it["from_cell"] = ON_SCENE, it["to_cell"]
    elif kind == LogKind.REVEAL:
        world.incidents["is_revealed"][incident] = 1
    elif kind == LogKind.ESCALATE:
        world.incidents["grade"][incident] = int(entry["value"])
    else:
        _happen_again(world, kind, now, entry)
    if world.counts[FAULT]:
        raise_fault(world, int(now), "a row of the log done again")


def _happen_again(world: WorldArrays, kind: LogKind, now: np.int64, entry: Any) -> None:
    """Let an event happen whose first row this is, if it is one that decides only by serving the queue.

    The queue is hidden meanwhile: each need that the event serves has a row of its own.
    """
    entity, unit, mission, handle = int(entry["incident"]), int(entry["unit"]), int(entry["mission"]), world.struct()
    n_waiting = int(world.counts[N_WAITING])
    world.counts[N_WAITING] = 0
    if kind == LogKind.CLEAR:
        transitions.on_clear(handle, now, unit, mission)
    elif kind == LogKind.HANDED_OVER:
        transitions.on_handed_over(handle, now, unit, mission)
    elif kind == LogKind.HOME:
        transitions.on_home(handle, now, unit, mission)
    elif kind == LogKind.AVAILABLE:
        transitions.on_available(handle, now, unit, mission)
    elif kind == LogKind.CHANGE:
        dated.on_change(handle, now, entity)
    elif kind == LogKind.SHIFT:
        dated.on_shift(handle, now, entity, 0)
    elif kind == LogKind.RESTED:
        shift = int(world.stations["shift"][entity]) & ((1 << SHIFT_BITS) - 1)
        rested = (shift << CREW_BITS) | int(entry["value"])
        dated.on_shift(handle, now, len(world.roster_ms) + entity, rested)
    world.counts[N_WAITING] = n_waiting
