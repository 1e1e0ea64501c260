"""The kinds of event and their total order.

Events are ordered by (time, rank of the kind, entity, mission number). The last three are packed into one integer key,
which is the priority given to SimPy's calendar and the second word of the compiled heap. Keys start at 2, because SimPy
keeps 0 and 1 for itself.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from sim.compiled import compiled_inline


class EventKind(IntEnum):
    """Kinds of event, lowest first: at one instant a change of the city precedes everything that meets it."""

    CHANGE = 0
    SHIFT = 1
    AVAILABLE = 2
    HOME = 3
    CLEAR = 4
    HANDED_OVER = 5
    DELIVER = 6
    ARRIVE = 7
    ENROUTE = 8
    ESCALATE = 9
    CALL = 10
    POLICY = 11
    END = 12


CHANGE = int(EventKind.CHANGE)
SHIFT = int(EventKind.SHIFT)
AVAILABLE = int(EventKind.AVAILABLE)
HOME = int(EventKind.HOME)
CLEAR = int(EventKind.CLEAR)
HANDED_OVER = int(EventKind.HANDED_OVER)
DELIVER = int(EventKind.DELIVER)
ARRIVE = int(EventKind.ARRIVE)
ENROUTE = int(EventKind.ENROUTE)
ESCALATE = int(EventKind.ESCALATE)
CALL = int(EventKind.CALL)
POLICY = int(EventKind.POLICY)

FIRST_KEY = 2
KIND_SHIFT = 58
ENTITY_SHIFT = 26
ENTITY_MASK = (1 << (KIND_SHIFT - ENTITY_SHIFT)) - 1
MISSION_MASK = (1 << ENTITY_SHIFT) - 1


@compiled_inline
def event_key(kind, entity, mission):  # type: ignore[no-untyped-def]
    """Return the int64 key of an event; keys of one instant sort in the order of the events."""
    return (
        np.int64(FIRST_KEY)
        + (np.int64(kind) << np.int64(KIND_SHIFT))
        + (np.int64(entity) << np.int64(ENTITY_SHIFT))
        + np.int64(mission)
    )


@compiled_inline
def key_kind(key):  # type: ignore[no-untyped-def]
    """Return the kind packed in a key."""
    return (np.int64(key) - np.int64(FIRST_KEY)) >> np.int64(KIND_SHIFT)


@compiled_inline
def key_entity(key):  # type: ignore[no-untyped-def]
    """Return the entity (unit, incident or change row) packed in a key."""
    return ((np.int64(key) - np.int64(FIRST_KEY)) >> np.int64(ENTITY_SHIFT)) & np.int64(ENTITY_MASK)


@compiled_inline
def key_mission(key):  # type: ignore[no-untyped-def]
    """Return the mission number packed in a key."""
    return (np.int64(key) - np.int64(FIRST_KEY)) & np.int64(MISSION_MASK)
