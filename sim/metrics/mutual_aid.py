"""What help from outside the city did: one row per unit of another city or of the province that was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.log import LogKind
from sim.metrics.rows import LogIndex, RowsOfKind
from sim.metrics.states import is_own_unit

if TYPE_CHECKING:
    from sim.engine.log import EventLog
    from sim.inputs import RunInputs

NEVER = -1


def mutual_aid_table(inputs: RunInputs, log: EventLog, index: LogIndex | None = None) -> dict[str, NDArray[Any]]:
    """Return one row per dispatch of a unit from outside to an incident of the measured window, in log order.

    Columns: identity, kind, grade (both true) of the incident; post (name of the station that sends), unit, type_id,
    capability (bit that was asked for); dispatch_ms, and after it arrival_ms and clear_ms, -1 where it turned back.
    """
    rows, calendar, is_helper = inputs.demand.incidents, inputs.calendar, ~is_own_unit(inputs)
    of_helpers = (index or LogIndex(log)).of_units(is_helper)
    sent = of_helpers.of(LogKind.DISPATCH)
    incident, unit = sent["incident"], sent["unit"]
    call_ms = rows["call_ms"][incident]
    is_told = is_helper[unit] & (call_ms >= calendar.measure_from_ms) & (call_ms < calendar.measure_to_ms)
    incident, unit, dispatch_ms = incident[is_told], unit[is_told], sent["time_ms"][is_told]
    of_mission = {name: _instants(of_helpers.of(kind)) for name, kind in _ENDS.items()}
    keys = list(zip(unit.tolist(), sent["mission"][is_told].tolist(), strict=True))
    stations = np.asarray(inputs.fleet.units.station)[unit]
    table: dict[str, NDArray[Any]] = {
        "identity": rows["identity"][incident],
        "kind": rows["kind"][incident].astype(np.int16),
        "grade": rows["grade"][incident].astype(np.int8),
        "post": np.array([inputs.fleet.stations.name[station] for station in stations], dtype=object),
        "unit": unit.astype(np.int32),
        "type_id": np.asarray(inputs.fleet.units.type_id)[unit].astype(np.int16),
        "capability": _capability(inputs, incident, sent["slot"][is_told].astype(np.int64)),
        "dispatch_ms": dispatch_ms.astype(np.int64),
    }
    for name, instants in of_mission.items():
        at = np.array([instants.get(key, NEVER) for key in keys], dtype=np.int64)
        table[name] = np.where(at < 0, NEVER, at - dispatch_ms)
    return table


_ENDS = {"arrival_ms": LogKind.ARRIVE, "clear_ms": LogKind.CLEAR}


def _instants(rows: RowsOfKind) -> dict[tuple[int, int], int]:
    """Return the instant of each row by (unit, mission)."""
    keys = zip(rows["unit"].tolist(), rows["mission"].tolist(), strict=True)
    return dict(zip(keys, rows["time_ms"].tolist(), strict=True))


def _capability(inputs: RunInputs, incident: NDArray[Any], slot: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return the capability bit of each slot: of the true kind's card, or of the reported one's behind it."""
    rows, start = inputs.demand.incidents, np.asarray(inputs.cards.start, dtype=np.int64)
    kind, reported = rows["kind"][incident], rows["reported_kind"][incident]
    n_true = np.diff(start)[kind]
    need = np.where(slot < n_true, start[kind] + slot, start[reported] + slot - n_true)
    bits: NDArray[np.int8] = np.asarray(inputs.cards.capability, dtype=np.int8)[need]
    return bits
