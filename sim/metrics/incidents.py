"""One row per incident of the measured window: when it was met, by how much force, and what it would have been alone.

All milestones are milliseconds after the instant at which the dispatch order was due (the CALL row); -1 is *never*,
which counts as above every threshold and is never dropped. The first arrival is that of the city's own units; the
alarm and the critical task may be completed by help from outside (`mutual_aid.py`). Everything is computed from the
log's columns and the incidents' true kind and grade (`milestones.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.demand.types import PROCESS_BIT, SERIES
from sim.metrics.states import is_own_unit
from sim.units import MS_PER_DAY, MS_PER_H

if TYPE_CHECKING:
    from sim.engine.log import EventLog
    from sim.inputs import RunInputs

NEVER = -1
INCIDENT_COLUMNS: dict[str, str] = {
    "identity": "<u8",
    "call_ms": "<i8",
    "dispatch_due_ms": "<i8",
    "year": "<i2",
    "hour": "i1",
    "town": "<i2",
    "cell": "<i4",
    "kind": "<i2",
    "grade": "i1",
    "reported_kind": "<i2",
    "is_headline": "?",
    "first_dispatch_ms": "<i8",
    "first_arrival_ms": "<i8",
    "first_critical_ms": "<i8",
    "full_alarm_ms": "<i8",
    "queue_ms": "<i8",
    "n_dispatched": "<i2",
    "n_unfilled": "<i2",
    "n_escalations": "i1",
    "static_arrival_ms": "<i8",
}


def incident_table(inputs: RunInputs, log: EventLog, static_ms: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Return the incidents whose call lies in the measured window, in the order of the demand table.

    Parameters
    ----------
    static_ms
        (n_incidents,) int64 from `sim.engine.static.static_responses`: dispatch to first arrival in the idle city.

    Returns
    -------
    Columns `INCIDENT_COLUMNS`, each (n_measured,). Times are ms after `dispatch_due_ms`, -1 never; `call_ms` and
    `dispatch_due_ms` are ms since the run's start.
    """
    rows, calendar = inputs.demand.incidents, inputs.calendar
    chosen = slice(*np.searchsorted(rows["call_ms"], (calendar.measure_from_ms, calendar.measure_to_ms)).tolist())
    rows = rows[chosen]
    call_ms = rows["call_ms"]
    found = {name: values[chosen] for name, values in _milestones(inputs, log).items()}
    found["static_arrival_ms"] = np.asarray(static_ms)[chosen]
    found["year"] = np.asarray(calendar.year)[np.minimum(call_ms // MS_PER_DAY, len(calendar.year) - 1)]
    found["hour"] = call_ms % MS_PER_DAY // MS_PER_H
    is_sample = rows["identity"] >> np.uint64(PROCESS_BIT) == SERIES  # planted as a sample, no part of what happens
    found["is_headline"] = np.asarray(inputs.kinds.is_headline)[rows["kind"]] & ~is_sample
    for name in ("identity", "call_ms", "town", "cell", "kind", "grade", "reported_kind"):
        found[name] = rows[name]
    return {name: found[name].astype(dtype) for name, dtype in INCIDENT_COLUMNS.items()}


def _milestones(inputs: RunInputs, log: EventLog) -> dict[str, NDArray[Any]]:
    """Return the columns that come from the log, for all incidents."""
    from sim.metrics import milestones as found_by  # brings numba, which reading tables must not wait for

    has_help = bool(np.any(inputs.fleet.stations.help_grade))
    known = found_by.milestones(inputs, log, is_own_unit(inputs) if has_help else np.zeros(0, dtype=bool))
    due = known[:, found_by.DUE]

    def after(what: int) -> NDArray[np.int64]:
        return np.where((known[:, what] == found_by.LATE) | (due < 0), NEVER, known[:, what] - due)

    first_dispatch = after(found_by.DISPATCHED)
    return {
        "dispatch_due_ms": due,
        "first_dispatch_ms": first_dispatch,
        "first_arrival_ms": after(found_by.OWN_ARRIVED),
        "first_critical_ms": after(found_by.CRITICAL),
        "full_alarm_ms": after(found_by.FULL),
        "queue_ms": first_dispatch,
        "n_dispatched": known[:, found_by.N_DISPATCHED],
        "n_unfilled": known[:, found_by.N_UNFILLED],
        "n_escalations": known[:, found_by.N_ESCALATIONS],
    }


def capability_of(inputs: RunInputs, incident: NDArray[Any], slot: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the capability, as bit number, that each slot of an incident asks for: the arrays' own length.

    Slots count the needs of the true kind's card, then those of the reported kind's where that is another.
    """
    rows, cards = inputs.demand.incidents, inputs.cards
    start = np.asarray(cards.start, dtype=np.int64)
    kind, reported = rows["kind"].astype(np.int64)[incident], rows["reported_kind"].astype(np.int64)[incident]
    n_true = start[kind + 1] - start[kind]
    of_slot = np.where(slot < n_true, start[kind] + slot, start[reported] + slot - n_true)
    capability: NDArray[np.int64] = np.asarray(cards.capability, dtype=np.int64)[of_slot]
    return capability
