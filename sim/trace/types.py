"""What a trace is made of: calls, their needs with what is recorded of each, stations and units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1
CALL_DTYPE = np.dtype(
    [("time_ms", "<i8"), ("handling_ms", "<i8"), ("zone", "<i4"), ("kind", "<i2"), ("n_needs", "<i2")]
)
"""A call: instant since the midnight at which the trace starts, how long it was handled (-1: not recorded), zone, kind
(a position), and how many of the rows of needs are its own."""
NEED_DTYPE = np.dtype(
    [
        ("turnout_ms", "<i8"), ("travel_ms", "<i8"), ("access_ms", "<i8"), ("scene_ms", "<i8"),
        ("transport_ms", "<i8"), ("hand_over_ms", "<i8"), ("station", "<i4"), ("to_zone", "<i4"), ("capability", "i1"),
    ]
)  # fmt: skip
"""A need: a capability (a bit), and what is recorded of the unit that came, -1 where nothing is: its stages, the
station whose units alone took `travel_ms`, the zone to which it took a patient (-1: to none), that drive and the
hand-over."""


@dataclass(frozen=True, slots=True)
class Need:
    """One unit that a call needs: the fields of `NEED_DTYPE`."""

    capability: int = 0
    turnout_ms: int = UNKNOWN
    travel_ms: int = UNKNOWN
    station: int = UNKNOWN
    access_ms: int = UNKNOWN
    scene_ms: int = UNKNOWN
    to_zone: int = UNKNOWN
    transport_ms: int = UNKNOWN
    hand_over_ms: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One call, with a need at least: the fields of `CALL_DTYPE`."""

    time_ms: int
    zone: int
    needs: tuple[Need, ...]
    kind: int = 0
    handling_ms: int = UNKNOWN


@dataclass(frozen=True, slots=True)
class Trace:
    """Calls in any order: `calls` (n,) `CALL_DTYPE`; `needs` (n_needs,) `NEED_DTYPE`, call by call in that order."""

    calls: NDArray[np.void]
    needs: NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Station:
    """A station in a zone, open from the start or not; `people` None: as many as the crews of all its units."""

    zone: int
    name: str = ""
    is_open: bool = True
    people: int | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of a station, what it can do (bits), and its crew."""

    station: int
    capabilities: tuple[int, ...] = (0,)
    crew: int = 1


def trace_of(calls: Iterable[Call]) -> Trace:
    """Return calls as a `Trace`; for many calls fill its arrays directly."""
    listed = list(calls)
    rows = np.array([(c.time_ms, c.handling_ms, c.zone, c.kind, len(c.needs)) for c in listed], dtype=CALL_DTYPE)
    names = NEED_DTYPE.names or ()
    needs = [tuple(getattr(need, name) for name in names) for call in listed for need in call.needs]
    return Trace(rows, np.array(needs, dtype=NEED_DTYPE))
