"""The compiled loop: the same events in the same order as `model.py`, without Python between them.

It advances the city from one instant to another and can be resumed; the state lives in the world, never here. What each
event does is in `transitions.py`, shared with the SimPy model; only the calendar (a binary heap of (time, key)) and the
dispatch over event kinds are written a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.compiled import compiled_alone, compiled_borrowing, compiled_inline
from sim.engine import dated, events, rules, transitions
from sim.engine.build import build_world
from sim.engine.faults import raise_fault
from sim.engine.handle import fetch_ahead
from sim.engine.log import EventLog
from sim.engine.world import (
    FAULT,
    GIVEN_KEY,
    GIVEN_MS,
    N_HEAP,
    N_LOG,
    NEXT_CALL,
    NEXT_CHANGE,
    NEXT_SHIFT,
    WorldArrays,
)

if TYPE_CHECKING:
    from sim.inputs import RunInputs

OVER, LOG_ROOM, HEAP_ROOM = 0, 1, 2
FOREVER_MS = 1 << 62


@compiled_inline
def _is_before(time_ms, key, other_ms, other_key):  # type: ignore[no-untyped-def]
    return (time_ms < other_ms) | ((time_ms == other_ms) & (key < other_key))


@compiled_inline
def _is_first(w, at, time_ms, key):  # type: ignore[no-untyped-def]
    """Return whether the event at a place of the heap comes before another."""
    return _is_before(w.heap[at].time_ms, w.heap[at].key, time_ms, key)


@compiled_inline
def _copy(w, source, target):  # type: ignore[no-untyped-def]
    w.heap[target].time_ms = w.heap[source].time_ms
    w.heap[target].key = w.heap[source].key


@compiled_inline
def _push(w, time_ms, key):  # type: ignore[no-untyped-def]
    """Put an event into the heap."""
    at = w.counts[N_HEAP]
    w.counts[N_HEAP] = at + 1
    while at > 0:
        above = (at - 1) >> 1
        if _is_first(w, above, time_ms, key):
            break
        _copy(w, above, at)
        at = above
    w.heap[at].time_ms = time_ms
    w.heap[at].key = key


@compiled_inline
def _put_first(w, time_ms, key):  # type: ignore[no-untyped-def]
    """Put an event in the place of the first of the heap."""
    n, at, below = w.counts[N_HEAP], np.int64(0), np.int64(1)
    while below < n:
        if below + 1 < n and _is_first(w, below + 1, w.heap[below].time_ms, w.heap[below].key):
            below += 1
        if not _is_first(w, below, time_ms, key):
            break
        _copy(w, below, at)
        at = below
        below = 2 * at + 1
    w.heap[at].time_ms = time_ms
    w.heap[at].key = key


@compiled_inline
def _drop_first(w):  # type: ignore[no-untyped-def]
    """Take the first event out of the heap."""
    last = w.counts[N_HEAP] - 1
    w.counts[N_HEAP] = last
    _put_first(w, w.heap[last].time_ms, w.heap[last].key)


# --- what comes without being planned by an event: calls, changes, shifts, each in its own order ---------------------


@compiled_borrowing
def _note_next_given(w):  # type: ignore[no-untyped-def]
    """Note the first of the next change, the next shift and the next call."""
    time_ms, key = np.int64(FOREVER_MS), np.int64(0)
    at = w.counts[NEXT_CHANGE]
    if at < w.changes.shape[0]:
        time_ms, key = w.changes[at].time_ms, events.event_key(events.CHANGE, at, 0)
    at = w.counts[NEXT_SHIFT]
    if at < w.roster_ms.shape[0] and w.roster_ms[at] < time_ms:
        time_ms, key = w.roster_ms[at], events.event_key(events.SHIFT, at, 0)
    at = w.counts[NEXT_CALL]
    if at < w.call_order.shape[0] and w.incidents[w.call_order[at]].due_ms < time_ms:
        it = w.incidents[w.call_order[at]]
        time_ms, key = it.due_ms, events.event_key(events.CALL, w.call_order[at], 0)
        fetch_ahead(w.roads, (w.period_of_hour[rules.hour_index(w, time_ms)], it.cell))
        fetch_ahead(w.slot_ranks, (it.first_slot,))
        fetch_ahead(w.slots, (it.first_slot,))
        fetch_ahead(w.escalate_ranks, (w.call_order[at],))
    w.counts[GIVEN_MS], w.counts[GIVEN_KEY] = time_ms, key


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
        return transitions.on_call(w, now, entity)
    if kind == events.ESCALATE:
        return transitions.on_escalate(w, now, entity, mission)
    if kind == events.POLICY:
        return transitions.on_policy(w, now, entity, mission)
    if kind == events.SHIFT:
        return dated.on_shift(w, now, entity, mission)
    return dated.on_change(w, now, entity)


@compiled_inline
def _handle_patient(w, now, kind, unit, mission):  # type: ignore[no-untyped-def]
    if kind == events.DELIVER:
        return transitions.on_deliver(w, now, unit, mission)
    return transitions.on_handed_over(w, now, unit, mission)


@compiled_borrowing
def _take_given(w):  # type: ignore[no-untyped-def]
    """Go on to what comes after the next call, change or shift."""
    kind = events.key_kind(w.counts[GIVEN_KEY])
    if kind == events.CALL:
        w.counts[NEXT_CALL] += 1
    elif kind == events.SHIFT:
        w.counts[NEXT_SHIFT] += 1
    else:
        w.counts[NEXT_CHANGE] += 1
    _note_next_given(w)


@compiled_inline
def _do_next(w, now, key, is_given):  # type: ignore[no-untyped-def]
    """Do one event; the first that an event of the heap plans takes its place there."""
    if is_given:
        _take_given(w)
    n_planned = _handle(w, now, key)
    first = 0
    if not is_given:
        if n_planned > 0:
            _put_first(w, w.outbox[0].time_ms, w.outbox[0].key)
            first = 1
        else:
            _drop_first(w)
    for place in range(first, n_planned):
        _push(w, w.outbox[place].time_ms, w.outbox[place].key)
    return n_planned


@compiled_alone
def advance(w, until_ms, n_most, log_margin):  # type: ignore[no-untyped-def]
    """Do the events before `until_ms`, `n_most` at most; return `OVER`, or which array must grow before going on."""
    n_done = 0
    while n_done < n_most:
        now, key, is_given = w.counts[GIVEN_MS], w.counts[GIVEN_KEY], True
        if w.counts[N_HEAP] > 0 and _is_before(w.heap[0].time_ms, w.heap[0].key, now, key):
            now, key, is_given = w.heap[0].time_ms, w.heap[0].key, False
        if now >= until_ms:
            return OVER
        if w.log.shape[0] - w.counts[N_LOG] < log_margin:
            return LOG_ROOM
        if w.heap.shape[0] - w.counts[N_HEAP] < w.outbox.shape[0] + 4:
            return HEAP_ROOM
        if _do_next(w, now, key, is_given) < 0:
            return OVER
        n_done += 1
    return OVER


class KernelRun:
    """One run of the compiled loop; `advance` may be called any number of times before `finish`."""

    def __init__(self, arrays: WorldArrays) -> None:
        self.arrays = arrays
        self.world = arrays.struct()
        _note_next_given(self.world)

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
        counts, heap = self.arrays.counts, self.arrays.heap
        first = (int(counts[GIVEN_MS]), int(counts[GIVEN_KEY]))
        if counts[N_HEAP] > 0:
            first = min(first, (int(heap["time_ms"][0]), int(heap["key"][0])))
        return None if first[0] == FOREVER_MS else first

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
