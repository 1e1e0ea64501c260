"""Words for the states the rules forbid."""

from __future__ import annotations

from sim.engine import codes
from sim.engine.world import FAULT, FAULT_DETAIL, FAULT_ENTITY, WorldArrays
from sim.errors import EngineError

_WORDS = {
    codes.BAD_STATUS: "unit {entity} met an event that its status {detail} does not allow",
    codes.NO_CREW: "unit {entity} was sent without its crew ({detail} people free)",
    codes.LOG_FULL: "the log had no room for a row of kind {detail}",
    codes.OUTBOX_FULL: "the outbox had no room for an event of kind {detail}",
    codes.WAITING_FULL: "the queue of waiting needs is full ({detail} needs)",
    codes.PEOPLE_BELOW_ZERO: "more people came home with unit {entity} than had left station {detail}",
    codes.UNKNOWN_CHANGE: "change row {entity} has the unknown kind {detail}",
}


def raise_fault(arrays: WorldArrays, now: int, happening: str) -> None:
    """Raise `EngineError` for the fault noted in the world's counts, or what a dispatch rule of one's own ended in.

    Parameters
    ----------
    now
        Instant of the event, ms since the run's start.
    happening
        What the engine was doing, in words.
    """
    if arrays.asked is not None and arrays.asked.error is not None:
        raise arrays.asked.error
    code = int(arrays.counts[FAULT])
    words = _WORDS.get(code, "unknown fault {entity} {detail}")
    told = words.format(entity=int(arrays.counts[FAULT_ENTITY]), detail=int(arrays.counts[FAULT_DETAIL]))
    raise EngineError(f"the engine stopped at {now} ms ({happening}): {told}")
