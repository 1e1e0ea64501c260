"""What every change of state leaves behind: rows in the log, events in the outbox, a note of the first fault."""

from __future__ import annotations

import numpy as np

from sim.compiled import compiled_borrowing, compiled_inline
from sim.engine import events
from sim.engine.codes import FAULTED, LOG_FULL, OUTBOX_FULL
from sim.engine.world import FAULT, FAULT_DETAIL, FAULT_ENTITY, N_LOG, N_OUTBOX


@compiled_borrowing
def fault(w, code, entity, detail):  # type: ignore[no-untyped-def]
    """Note a forbidden state (the first one stays) and return `FAULTED`."""
    if w.counts[FAULT] == 0:
        w.counts[FAULT] = code
        w.counts[FAULT_ENTITY] = entity
        w.counts[FAULT_DETAIL] = detail
    return FAULTED


@compiled_inline
def finish(w):  # type: ignore[no-untyped-def]
    """Return the number of events now in the outbox, or `FAULTED`."""
    if w.counts[FAULT] != 0:
        return np.int64(FAULTED)
    return w.counts[N_OUTBOX]


@compiled_borrowing
def write(w, now, kind, incident, slot, unit, value):  # type: ignore[no-untyped-def]
    """Append a row to the log; `slot` is the slot's number within its incident."""
    at = w.counts[N_LOG]
    if at >= w.log.shape[0]:
        fault(w, LOG_FULL, unit, kind)
        return
    row = w.log[at]
    row.time_ms = now
    row.value = value
    row.incident = incident
    row.unit = unit
    row.mission = w.units[unit].mission if unit >= 0 else -1
    row.slot = slot
    row.kind = kind
    w.counts[N_LOG] = at + 1


@compiled_borrowing
def plan(w, time_ms, kind, entity, mission):  # type: ignore[no-untyped-def]
    """Put an event into the outbox."""
    at = w.counts[N_OUTBOX]
    if at >= w.outbox.shape[0]:
        fault(w, OUTBOX_FULL, entity, kind)
        return
    w.outbox[at].time_ms = time_ms
    w.outbox[at].key = events.event_key(kind, entity, mission)
    w.counts[N_OUTBOX] = at + 1


@compiled_inline
def slot_number(w, slot):  # type: ignore[no-untyped-def]
    """Return a slot's number within its incident."""
    return slot - w.incidents[w.slots[slot].incident].first_slot
