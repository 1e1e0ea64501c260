"""The compiled loop: the same events in the same order as `model.py`, without Python between them.

It advances the city from one instant to another and can be resumed; the state lives in the world, never here. What each
event does is in `transitions.py`, shared with the SimPy model; only the calendar (a binary heap of (time, key)) and the
dispatch over event kinds are written a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.compiled import compiled_borrowing, compiled_inline
from sim.engine import dated, events, transitions
from sim.engine.build import build_world
from sim.engine.faults import raise_fault
from sim.engine.log import EventLog
from sim.engine.world import FAULT, N_HEAP, N_LOG, NEXT_CALL, NEXT_CHANGE, NEXT_SHIFT, WorldArrays

if TYPE_CHECKING:
    from sim.inputs import RunInputs

OVER, LOG_ROOM, HEAP_ROOM = 0, 1, 2
FOREVER_MS = 1 << 62


@compiled_inline
def _is_before(w, a, b):  # type: ignore[no-untyped-def]
    if w.heap[a, 0] != w.heap[b, 0]:
        return w.heap[a, 0] < w.heap[b, 0]
    return w.heap[a, 1] < w.heap[b, 1]


@compiled_inline
def _swap(w, a, b):  # type: ignore[no-untyped-def]
    time_ms, key = w.heap[a, 0], w.heap[a, 1]
    w.heap[a, 0], w.heap[a, 1] = w.heap[b, 0], w.heap[b, 1]
    w.heap[b, 0], w.heap[b, 1] = time_ms, key


@compiled_borrowing
def _push(w, time_ms, key):  # type: ignore[no-untyped-def]
    at = w.counts[N_HEAP]
    w.heap[at, 0] = time_ms
    w.heap[at, 1] = key
    w.counts[N_HEAP] = at + 1
    while at > 0:
        above = (at - 1) >> 1
        if not _is_before(w, at, above):
            break
        _swap(w, at, above)
        at = above


@compiled_borrowing
def _drop_first(w):  # type: ignore[no-untyped-def]
    last = w.counts[N_HEAP] - 1
    w.counts[N_HEAP] = last
    w.heap[0, 0], w.heap[0, 1] = w.heap[last, 0], w.heap[last, 1]
    at = np.int64(0)
    while True:
        below = 2 * at + 1
        if below >= last:
            break
        if below + 1 < last and _is_before(w, below + 1, below):
            below += 1
        if not _is_before(w, below, at):
            break
        _swap(w, at, below)
        at = below


@compiled_borrowing
def _plan_next_call(w):  # type: ignore[no-untyped-def]
    at = w.counts[NEXT_CALL]
    if at < w.call_order.shape[0]:
        incident = w.call_order[at]
        w.counts[NEXT_CALL] = at + 1
        _push(w, w.incidents[incident].due_ms, events.event_key(events.CALL, incident, 0))


@compiled_borrowing
def _plan_next_change(w):  # type: ignore[no-untyped-def]
    at = w.counts[NEXT_CHANGE]
    if at < w.changes.shape[0]:
        w.counts[NEXT_CHANGE] = at + 1
        _push(w, w.changes[at].time_ms, events.event_key(events.CHANGE, at, 0))


@compiled_borrowing
def _plan_next_shift(w):  # type: ignore[no-untyped-def]
    at = w.counts[NEXT_SHIFT]
    if at < w.roster_ms.shape[0]:
        w.counts[NEXT_SHIFT] = at + 1
        _push(w, w.roster_ms[at], events.event_key(events.SHIFT, at, 0))


@compiled_borrowing
def _handle(w, now, key):  # type: ignore[no-untyped-def]
    """Do one event; return the number of events it planned, or -1 after a fault."""
    kind = events.key_kind(key)
    entity = events.key_entity(key)
    mission = events.key_mission(key)
    if kind == events.ARRIVE:
        return transitions.on_arrive(w, now, entity, mission)
    if kind == events.ENROUTE:
        return transitions.on_enroute(w, now, entity, mission)
    if kind == events.CLEAR:
        return transitions.on_clear(w, now, entity, mission)
    if kind in (events.DELIVER, events.HANDED_OVER):
        return _handle_patient(w, now, kind, entity, mission)
    if kind == events.HOME:
        return transitions.on_home(w, now, entity, mission)
    if kind == events.AVAILABLE:
        return transitions.on_available(w, now, entity, mission)
    if kind == events.CALL:
        n_planned = transitions.on_call(w, now, entity)
        _plan_next_call(w)
        return n_planned
    if kind == events.ESCALATE:
        return transitions.on_escalate(w, now, entity, mission)
    if kind == events.POLICY:
        return transitions.on_policy(w, now, entity, mission)
    if kind == events.SHIFT:
        n_planned = dated.on_shift(w, now, entity, mission)
        if entity < w.roster_ms.shape[0]:
            _plan_next_shift(w)
        return n_planned
    n_planned = dated.on_change(w, now, entity)
    _plan_next_change(w)
    return n_planned


@compiled_inline
def _handle_patient(w, now, kind, unit, mission):  # type: ignore[no-untyped-def]
    if kind == events.DELIVER:
        return transitions.on_deliver(w, now, unit, mission)
    return transitions.on_handed_over(w, now, unit, mission)


@compiled_borrowing
def start(w):  # type: ignore[no-untyped-def]
    """Put the first change, the first shift and the first call into the heap."""
    _plan_next_change(w)
    _plan_next_shift(w)
    _plan_next_call(w)


@compiled_borrowing
def _step(w):  # type: ignore[no-untyped-def]
    """Do the first event of the heap; return what `advance` returns."""
    now, key = w.heap[0, 0], w.heap[0, 1]
    _drop_first(w)
    n_planned = _handle(w, now, key)
    for place in range(n_planned):
        _push(w, w.outbox[place, 0], w.outbox[place, 1])
    return n_planned


@compiled_borrowing
def advance(w, until_ms, n_most, log_margin):  # type: ignore[no-untyped-def]
    """Do the events before `until_ms`, `n_most` at most; return `OVER`, or which array must grow before going on."""
    n_done = 0
    while n_done < n_most and w.counts[N_HEAP] > 0 and w.heap[0, 0] < until_ms:
        if w.log.shape[0] - w.counts[N_LOG] < log_margin:
            return LOG_ROOM
        if w.heap.shape[0] - w.counts[N_HEAP] < w.outbox.shape[0] + 4:
            return HEAP_ROOM
        if _step(w) < 0:
            return OVER
        n_done += 1
    return OVER


class KernelRun:
    """One run of the compiled loop; `advance` may be called any number of times before `finish`."""

    def __init__(self, arrays: WorldArrays) -> None:
        self.arrays = arrays
        self.world = arrays.struct()
        start(self.world)

    def advance(self, until_ms: int = FOREVER_MS) -> None:
        """Bring the city to `until_ms` (exclusive)."""
        self._advance(until_ms, FOREVER_MS)

    def _advance(self, until_ms: int, n_most: int) -> None:
        while True:
            asked = advance(self.world, until_ms, n_most, self.arrays.log_margin)
            if self.arrays.counts[FAULT]:
                raise_fault(self.arrays, int(self.arrays.log["time_ms"][self.arrays.counts[N_LOG] - 1]), "kernel")
            if asked == OVER:
                return
            self.arrays.grow("log" if asked == LOG_ROOM else "heap")
            self.world = self.arrays.struct()

    def next_event(self) -> tuple[int, int] | None:
        """Return (instant, key) of the event that `step` does next; None when nothing is left to happen."""
        if self.arrays.counts[N_HEAP] == 0:
            return None
        return int(self.arrays.heap[0, 0]), int(self.arrays.heap[0, 1])

    def step(self) -> None:
        """Do the one event that comes next, if any is left; for looking on."""
        self._advance(FOREVER_MS, 1)

    def finish(self) -> EventLog:
        """Run to the end and return the log."""
        self.advance()
        self.arrays.make_room_to_end()
        self.world = self.arrays.struct()
        if transitions.on_end(self.world) < 0:
            raise_fault(self.arrays, int(self.arrays.log["time_ms"][self.arrays.counts[N_LOG] - 1]), "end of run")
        return EventLog(self.arrays.log[: int(self.arrays.counts[N_LOG])])


def run_kernel(inputs: RunInputs) -> EventLog:
    """Return the event log of one run by the compiled loop; byte for byte that of `run_simpy`."""
    return KernelRun(build_world(inputs)).finish()
