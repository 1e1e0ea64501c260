"""Which calls waited for a unit: their time to the dispatch is a queue's, which the engine plays by itself.

Taken as call handling it would be waited twice. A call waited if no station had a unit of the type first sent to it as
it came in, half of the way to its dispatch, or half a minute before that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.model.fleet import Fleet, free_at
from calibration.model.samples import Samples

Bools = NDArray[np.bool_]
_BEFORE_S = 30.0


def waited_for_unit(samples: Samples, fleet: Fleet, n_stations: int) -> Bools:
    """Return which calls with a recorded dispatch waited for a unit of the fleet: (n_calls,).

    Units that are clear count as free. None waited where not every unit is on record, as nobody then knows who was out.
    """
    calls, of = samples.calls, samples.responses
    waited = np.zeros(len(calls), dtype=np.bool_)
    if not samples.stages.has_every_unit:
        return waited
    rows = _told(samples, fleet)
    rows = rows[np.lexsort((of.dispatch_s[rows], of.call[rows]))]
    call, first = np.unique(of.call[rows], return_index=True)
    kind, sent_s = of.type[rows[first]], of.dispatch_s[rows[first]]
    call_s = calls.local_ms / 1000.0
    for after_s in (np.zeros(len(call)), sent_s / 2.0, np.maximum(sent_s - _BEFORE_S, 0.0)):
        at_s = call_s[call] + after_s
        is_free = free_at(fleet, of, call_s, at_s, kind, n_stations, is_sent_on=True)
        waited[call] |= ~is_free.any(axis=1)
    return waited


def _told(samples: Samples, fleet: Fleet) -> NDArray[np.int64]:
    """Return the responses of known dispatch and station, of types that the fleet has."""
    of = samples.responses
    return np.flatnonzero(np.isfinite(of.dispatch_s) & (of.station >= 0) & np.isin(of.type, fleet.type))


def sent_late_for_want(samples: Samples, fleet: Fleet, n_stations: int) -> Bools:
    """Return which responses left only as a unit of their type came free, none being so before: (n_responses,)."""
    of, call_s = samples.responses, samples.calls.local_ms / 1000.0
    rows = _told(samples, fleet)
    late = np.zeros(len(of), dtype=np.bool_)
    at_s = call_s[of.call[rows]] + np.maximum(of.dispatch_s[rows] - _BEFORE_S, 0.0)
    is_free = free_at(fleet, of, call_s, at_s, of.type[rows], n_stations, is_sent_on=True)
    late[rows] = ~is_free.any(axis=1)
    return late
