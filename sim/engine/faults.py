"""Words for the states the rules forbid."""

from __future__ import annotations

from sim.engine import state
from sim.engine.world import FAULT, FAULT_DETAIL, FAULT_ENTITY, WorldArrays
from sim.errors import EngineError

_WORDS = {
    state.BAD_STATUS: "unit {entity} met an event that its status {detail} does not allow",
    state.NO_CREW: "unit {entity} was sent without its crew ({detail} people free)",
    state.LOG_FULL: "the log had no room for a row of kind {detail}",
    state.OUTBOX_FULL: "the outbox had no room for an event of kind {detail}",
    state.WAITING_FULL: "the queue of waiting needs is full ({detail} needs)",
    state.PEOPLE_BELOW_ZERO: "more people came home with unit {entity} than had left station {detail}",
    state.UNKNOWN_CHANGE: "change row {entity} has the unknown kind {detail}",
}


def raise_fault(arrays: WorldArrays, now: int, happening: str) -> None:
    """Raise `EngineError` for the fault noted in the world's counts.

    Parameters
    ----------
    now
        Instant of the event, ms since the run's start.
    happening
        What the engine was doing, in words.
    """
    code = int(arrays.counts[FAULT])
    words = _WORDS.get(code, "unknown fault {entity} {detail}")
    told = words.format(entity=int(arrays.counts[FAULT_ENTITY]), detail=int(arrays.counts[FAULT_DETAIL]))
    raise EngineError(f"the engine stopped at {now} ms ({happening}): {told}")
