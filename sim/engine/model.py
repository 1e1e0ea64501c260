"""How the city works, event by event: the SimPy model. Read this file first.

The city has *units* (vehicles) in the bays of *stations*. A unit can leave only with its crew: people on duty at that
station who are not out already. An *incident* has *needs*, each a capability; each need is one slot that one unit
fills.

1. **CALL** The call has been handled and the order to dispatch is due. The run card of the reported kind and grade
   opens needs; each takes the unit with the earliest expected arrival, or waits.
2. **ENROUTE** Turnout is over: the unit drives off with its crew.
3. **ARRIVE** The unit is at the address. The first arrival reveals the true kind and grade: what fits stays, the
   rest is turned back, what lacks is sent for. When the last critical need is at work the critical task is met.
4. **ESCALATE** The incident's latent clock runs out. Unless the critical task is met by then, it outgrows its grade:
   new needs open and the units at the scene stay longer.
5. **CLEAR** A unit's work is done. It drives home and may be sent on from where it is. The last one to leave closes
   the incident. One that takes a patient away is at its destination (**DELIVER**) and has handed over
   (**HANDED_OVER**) before it is clear.
6. **HOME** The crew is free again, for any vehicle of the station; the unit is made ready.
7. **AVAILABLE** The unit stands in its bay again.
8. **CHANGE** A station opens or closes, a unit enters or leaves service, breaks down or is mended, people are posted:
   the dated rows of a plan.
9. **SHIFT** The roster's next row says how many people each station has. At a full relief the crews still out belong to
   the old shift and go off duty when they are home. Or: a crew that worked long has rested.
10. **POLICY** A station has been empty for a while: another may send a unit to stand by in it (it drives there, HOME is
    its arrival, and is sent from there); if nobody can, the next look is when a station near has one more unit ready.
    Or: a need has waited so long that other cities are asked, or until an aircraft may fly to it.

Whenever something becomes free (3, 5 to 10) the needs that wait are served at once, by priority, call time and id.

SimPy keeps the clock and the calendar. What an event does to the city is in `transitions.py` and `dated.py`, who is
chosen in `choice.py`, how a unit gets there in `approach.py`; all are compiled and shared with the compiled loop of
`kernel.py`. All chance is in the inputs: the model draws none. Time is whole milliseconds; events of one instant happen
in the order of their keys (`events.py`). Nothing here waits on `succeed()` or `run(until)`: every event is put into the
calendar with its own priority.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import numpy as np
import simpy

from sim.engine import dated, events, transitions
from sim.engine.build import build_world
from sim.engine.faults import raise_fault
from sim.engine.log import EventLog
from sim.engine.world import FAULT, N_LOG, WorldArrays

if TYPE_CHECKING:
    from simpy.events import EventPriority

    from sim.inputs import RunInputs

_Handler = Callable[["Happening"], None]


class Happening(simpy.Event):
    """An entry of the calendar: what happens (`callbacks`), to whom (`entity`) and in which mission.

    It is triggered the moment it is made, so what SimPy asks of a triggered event is the same for all of them.
    """

    _ok = True
    _value = None

    def __init__(self, handler: _Handler, entity: int, mission: int) -> None:
        self.callbacks = [handler]
        self.entity = entity
        self.mission = mission


class CityModel:
    """One run of the city under SimPy's clock; `run()` returns its event log."""

    def __init__(self, arrays: WorldArrays) -> None:
        self.env = simpy.Environment(initial_time=0)
        self.arrays = arrays
        self.world = arrays.struct()
        self._counts = arrays.counts
        self._outbox = arrays.outbox.view(np.int64).reshape(-1, 2)
        self._handlers: dict[int, _Handler] = {
            events.CALL: self._call,
            events.CHANGE: self._change,
            events.ENROUTE: self._enroute,
            events.ARRIVE: self._arrive,
            events.CLEAR: self._clear,
            events.DELIVER: self._deliver,
            events.HANDED_OVER: self._handed_over,
            events.HOME: self._home,
            events.AVAILABLE: self._available,
            events.ESCALATE: self._escalate,
            events.SHIFT: self._shift,
            events.POLICY: self._policy,
        }
        self._next_call = 0
        self._next_change = 0
        self._next_shift = 0
        self._log_margin = self.arrays.log_margin

    def run(self) -> EventLog:
        """Run until nothing is left to happen, so that every incident of the window has ended."""
        self.start()
        self.env.run()
        return self.finish()

    def start(self) -> None:
        """Put the first change, the first shift and the first call into the calendar."""
        self._plan_next_change()
        self._plan_next_shift()
        self._plan_next_call()

    def next_event(self) -> tuple[int, int] | None:
        """Return (instant, key) of the event that `step` does next; None when nothing is left to happen."""
        if not self.env._queue:
            return None
        time_ms, key, *_ = self.env._queue[0]
        return int(time_ms), int(key)

    def step(self) -> None:
        """Do the one event that comes next; for looking on."""
        self.env.step()

    def finish(self) -> EventLog:
        """Return the log when nothing is left to happen."""
        self.arrays.make_room_to_end()
        self.world = self.arrays.struct()
        self._after(transitions.on_end(self.world), "end of run")
        return EventLog(self.arrays.log[: int(self._counts[N_LOG])])

    # --- the events ---------------------------------------------------------------------------------------------

    def _call(self, event: Happening) -> None:
        self._make_room()
        self._after(transitions.on_call(self.world, self.env.now, event.entity), "call")
        self._plan_next_call()

    def _enroute(self, event: Happening) -> None:
        self._after(transitions.on_enroute(self.world, self.env.now, event.entity, event.mission), "en route")

    def _arrive(self, event: Happening) -> None:
        self._after(transitions.on_arrive(self.world, self.env.now, event.entity, event.mission), "arrival")

    def _clear(self, event: Happening) -> None:
        self._make_room()
        self._after(transitions.on_clear(self.world, self.env.now, event.entity, event.mission), "clear")

    def _deliver(self, event: Happening) -> None:
        self._after(transitions.on_deliver(self.world, self.env.now, event.entity, event.mission), "delivery")

    def _handed_over(self, event: Happening) -> None:
        self._make_room()
        self._after(transitions.on_handed_over(self.world, self.env.now, event.entity, event.mission), "hand-over")

    def _home(self, event: Happening) -> None:
        self._after(transitions.on_home(self.world, self.env.now, event.entity, event.mission), "home")

    def _available(self, event: Happening) -> None:
        self._after(transitions.on_available(self.world, self.env.now, event.entity, event.mission), "available")

    def _escalate(self, event: Happening) -> None:
        self._make_room()
        self._after(transitions.on_escalate(self.world, self.env.now, event.entity, event.mission), "escalation")

    def _change(self, event: Happening) -> None:
        self._make_room()
        self._after(dated.on_change(self.world, self.env.now, event.entity), "change")
        self._plan_next_change()

    def _shift(self, event: Happening) -> None:
        self._make_room()
        self._after(dated.on_shift(self.world, self.env.now, event.entity, event.mission), "shift")
        if event.entity < self.arrays.roster_ms.shape[0]:
            self._plan_next_shift()

    def _policy(self, event: Happening) -> None:
        self._make_room()
        self._after(transitions.on_policy(self.world, self.env.now, event.entity, event.mission), "policy")

    # --- the calendar -------------------------------------------------------------------------------------------

    def _after(self, n_planned: int, happening: str) -> None:
        """Put what an event has planned into the calendar, or stop at a fault."""
        if n_planned == 1:  # by far the most frequent case, without a list
            self._plan(self._outbox.item(0), self._outbox.item(1))
        elif n_planned < 0:
            raise_fault(self.arrays, int(self.env.now), happening)
        else:
            for time_ms, key in self._outbox[:n_planned].tolist():
                self._plan(time_ms, key)

    def _plan(self, time_ms: int, key: int) -> None:
        """Put one event into the calendar; its key is its priority, its handler goes by the kind in the key."""
        packed = key - events.FIRST_KEY
        handler = self._handlers[packed >> events.KIND_SHIFT]
        entity = (packed >> events.ENTITY_SHIFT) & events.ENTITY_MASK
        happening = Happening(handler, entity, packed & events.MISSION_MASK)
        self.env.schedule(happening, cast("EventPriority", key), time_ms - self.env.now)

    def _plan_next_call(self) -> None:
        """Put the next call into the calendar; calls come sorted by the instant their dispatch is due."""
        if self._next_call < self.arrays.call_order.shape[0]:
            incident = int(self.arrays.call_order[self._next_call])
            self._next_call += 1
            due_ms = int(self.arrays.incidents["due_ms"][incident])
            self._plan(due_ms, int(events.event_key(events.CALL, incident, 0)))

    def _plan_next_change(self) -> None:
        """Put the next dated change into the calendar."""
        if self._next_change < self.arrays.changes.shape[0]:
            change = self._next_change
            self._next_change += 1
            time_ms = int(self.arrays.changes["time_ms"][change])
            self._plan(time_ms, int(events.event_key(events.CHANGE, change, 0)))

    def _plan_next_shift(self) -> None:
        """Put the next shift of the roster into the calendar."""
        if self._next_shift < self.arrays.roster_ms.shape[0]:
            shift = self._next_shift
            self._next_shift += 1
            time_ms = int(self.arrays.roster_ms[shift])
            self._plan(time_ms, int(events.event_key(events.SHIFT, shift, 0)))

    def _make_room(self) -> None:
        """Let the log grow while it still has room for whatever one instant can write."""
        if self.arrays.log.shape[0] - self._counts[N_LOG] < self._log_margin:
            self.arrays.grow("log")
            self.world = self.arrays.struct()


def run_simpy(inputs: RunInputs) -> EventLog:
    """Return the event log of one run under SimPy.

    Raises
    ------
    EngineError
        If the state ever breaks a rule (named with the instant and the unit).
    """
    arrays = build_world(inputs)
    if arrays.counts[FAULT]:
        raise_fault(arrays, 0, "start")
    return CityModel(arrays).run()
