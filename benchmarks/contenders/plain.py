"""What the contenders know: the plain course of incidents. Anything more in a world is refused, not left out."""

from __future__ import annotations

import numpy as np

from sim.engine import world as wd
from sim.engine.world import WorldArrays
from sim.fleet.parts import ChangeKind, UnitMode
from sim.units import Q16

_SWITCHES = {
    "dispatch rules other than nearest": wd.DISPATCH_POLICY,
    "escalation": wd.IS_ESCALATION_ON,
    "time on scene by delay": wd.IS_SCENE_DELAY_ON,
    "units sent on from their way home": wd.IS_SENT_ON,
    "units moved up": wd.MOVE_UP_POLICY,
    "rest after long work": wd.REST_AFTER_MS,
}
_LAST_CHANGE = ChangeKind.HANDLING_REGIME


def more_than_plain(arrays: WorldArrays) -> list[str]:
    """Return what a world has beyond the plain course: call, dispatch or wait, turnout, drive, work, home, ready.

    The course has crews (people of a station ride with its units), needs that wait by priority, and dated changes of
    stations, units in service and people.
    """
    incidents, units, needs, start = arrays.incidents, arrays.units, arrays.needs, arrays.card_start
    rank = np.repeat(np.arange(len(start) - 1), np.diff(start)) * 10 + needs["from_grade"]
    found = {what: bool(arrays.params[place]) for what, place in _SWITCHES.items()} | {
        "reports that are not exact": (incidents["reported_kind"] != incidents["kind"]).any()
        or (incidents["reported_grade"] != incidents["grade"]).any(),
        "incidents along a track": (incidents["portal_a"] >= 0).any(),
        "people of villages": (incidents["village_ms"] >= 0).any(),
        "scarce water": arrays.supply_grade.any(),
        "stations passed over": incidents["n_passed"].any(),
        "driving or turnout of single calls": (incidents["drive_q16"] != Q16).any()
        or (incidents["turnout_q16"] != Q16).any(),
        "driving of single stations": (arrays.stations["drive_q16"] != Q16).any(),
        "weather on the roads": (arrays.road_q16 != Q16).any(),
        "noise by driving time": len(arrays.noise_table) > 1,
        "aircraft or boats": (units["mode"] != UnitMode.ROAD).any(),
        "stations of other cities": arrays.stations["help_grade"].any(),
        "a roster": len(arrays.roster_ms) > 0,
        "recorded durations": len(arrays.recorded_ms) > 0,
        "patients taken away": len(arrays.transport_cell) > 0,
        "vehicles that break down": (arrays.changes["kind"] > _LAST_CHANGE).any(),
        "run cards out of the order of their grades": (np.diff(rank) < 0).any(),
    }
    return [what for what, is_found in found.items() if is_found]


def check_plain(arrays: WorldArrays) -> None:
    """Raise `ValueError`, naming all of it, if a world has more than the contenders know."""
    found = more_than_plain(arrays)
    if found:
        raise ValueError(f"the contenders do not know: {', '.join(found)}")
