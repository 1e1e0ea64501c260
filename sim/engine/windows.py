"""When needs that wait are offered to aircraft again: as the next window opens in which one may fly to one of them.

A window is where an aircraft may be ordered while just before it might not: with daylight, with the weather, with a new
day's flying time. The instant of the next one is noted in the world and planned as a POLICY event; it is reckoned anew
when a need begins to wait, when flying time is booked or given back, and when it has come. An event that was planned
before for another instant does nothing. Runs without aircraft never come here. Next: `needs.py`.
"""

from __future__ import annotations

import numpy as np

from sim.compiled import compiled_borrowing
from sim.engine import approach, choice, events, rules
from sim.engine.codes import AIR
from sim.engine.journal import plan
from sim.engine.world import N_WAITING, NEXT_WINDOW_MS


@compiled_borrowing
def _next_window_ms(w, now, slot):  # type: ignore[no-untyped-def]
    """Return the next instant at which a window opens for an aircraft that is asked for a need; `NEVER_MS` if none."""
    soonest = np.int64(rules.NEVER_MS)
    incident = w.slots[slot].incident
    if approach.is_on_track(w, incident):
        return soonest
    cell = w.incidents[incident].cell
    for place in range(w.craft.shape[0]):
        unit = w.craft[place]
        is_asked = w.units[unit].mode == AIR and choice.is_craft_asked(w, unit, incident, w.slots[slot].capability)
        if is_asked and approach.is_in_range(w, unit, cell):
            soonest = min(soonest, approach.next_window_ms(w, now, unit, cell))
    return soonest


@compiled_borrowing
def _plan_next(w, at_ms):  # type: ignore[no-untyped-def]
    """Note the next window and plan for it, if it is another than the one noted."""
    if at_ms == w.counts[NEXT_WINDOW_MS]:
        return
    w.counts[NEXT_WINDOW_MS] = at_ms
    if at_ms != rules.NEVER_MS:
        plan(w, at_ms, events.POLICY, w.stations.shape[0] + w.incidents.shape[0], 0)


@compiled_borrowing
def await_flight(w, now, slot):  # type: ignore[no-untyped-def]
    """Let a need that begins to wait be offered again as a window for an aircraft opens."""
    _plan_next(w, min(w.counts[NEXT_WINDOW_MS], _next_window_ms(w, now, slot)))


@compiled_borrowing
def reckon_windows(w, now):  # type: ignore[no-untyped-def]
    """Reckon the next window of the needs that wait anew; not where one opens now, whose event will."""
    if w.counts[NEXT_WINDOW_MS] == now:
        return
    soonest = np.int64(rules.NEVER_MS)
    for place in range(w.counts[N_WAITING]):
        soonest = min(soonest, _next_window_ms(w, now, w.waiting[place]))
    _plan_next(w, soonest)


@compiled_borrowing
def pass_window(w, now):  # type: ignore[no-untyped-def]
    """Go on to the next window after the one that opens now."""
    w.counts[NEXT_WINDOW_MS] = rules.NEVER_MS
    reckon_windows(w, now)
