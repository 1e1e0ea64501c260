"""What happens in a case: rows, events by the state they meet, rules; so that random cases can be weighed.

The compiled loop is stepped event by event and looked at before and after each.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sim.engine import events
from sim.engine.build import build_world
from sim.engine.events import EventKind
from sim.engine.kernel import KernelRun
from sim.engine.log import LogKind
from sim.engine.world import N_LOG, UnitStatus
from sim.fleet.parts import ChangeKind, UnitMode

OF_A_UNIT = (
    EventKind.AVAILABLE, EventKind.HOME, EventKind.CLEAR, EventKind.HANDED_OVER, EventKind.DELIVER, EventKind.ARRIVE,
    EventKind.ENROUTE,
)  # fmt: skip
OF_LEVERS = (
    LogKind.SHIFT, LogKind.RESTED, LogKind.MOVE_UP, LogKind.STAND_BY, LogKind.RECALL, LogKind.VILLAGE,
    LogKind.TRANSPORT, LogKind.DELIVER, LogKind.HANDED_OVER,
)  # fmt: skip
"""Kinds of row that only a lever brings about."""
RULES = (
    "dispatch 0", "dispatch 1", "dispatch 2", "move_up 0", "move_up 1", "move_up 2", "is_sent_on False",
    "is_escalation_on False", "is_scene_delay_on False", "help never", "help at once", "help later", "rest", "no rest",
)  # fmt: skip
GIVEN = (*(kind.name for kind in ChangeKind if kind != ChangeKind.HANDLING_REGIME), "shift", "relief")
SELDOM = (UnitStatus.MOVING_UP, UnitStatus.STANDING_BY, UnitStatus.TRANSPORTING, UnitStatus.HANDING_OVER)
"""Seldom and short; counted over all that can be given, while cases made for single ones are in `kept/`."""
MEETINGS = (
    *(f"{given} while {status.name}" for given in GIVEN for status in UnitStatus if status not in SELDOM),
    *(f"a change while {status.name}" for status in SELDOM),
    *(f"{word} cuts people who are out" for word in ("STATION_PEOPLE", "shift", "relief")),
    *(f"DISPATCH of {status} by ROAD" for status in ("AT_STATION", "RETURNING", "MOVING_UP", "STANDING_BY")),
    "DISPATCH of AT_STATION by AIR", "DISPATCH of AT_STATION by WATER", "help sent",
    "TURN_BACK of EN_ROUTE by ROAD", "TURN_BACK of TURNING_OUT by ROAD", "TURN_BACK of TURNING_OUT by AIR",
    "TURN_BACK of TURNING_OUT by WATER",
    "RECALL of MOVING_UP by ROAD", "RECALL of STANDING_BY by ROAD",
    "POLICY cover", "POLICY flight", "POLICY help", "stale ENROUTE", "stale ARRIVE", "stale HOME",
)  # fmt: skip
"""What can meet: what is given and what a unit is about just then; whom an order reaches; what has become void."""
OF_A_STATION = (ChangeKind.STATION_CLOSE, ChangeKind.STATION_OPEN, ChangeKind.STATION_PEOPLE)


def happenings(city: Any) -> Counter[str]:
    """Count what happens in a city, by name: `row CLEAR`, `HOME of RETURNING`, `UNIT_FAILS while EN_ROUTE` …"""
    inputs = city.inputs()
    run = KernelRun(build_world(inputs))
    counts: Counter[str] = Counter()
    _count_rules(counts, inputs.policy)
    while (event := run.next_event()) is not None:
        statuses = [UnitStatus(status) for status in run.arrays.units["status"].tolist()]
        posts = run.arrays.units["post"].tolist()
        n_rows = int(run.arrays.counts[N_LOG])
        _count_event(counts, run.arrays, inputs, event[1], statuses)
        run.step()
        _count_rows(counts, run.arrays, n_rows, statuses, posts)
    for row in run.finish().rows:
        counts[f"row {LogKind(int(row['kind'])).name}"] += 1
    return counts


def _count_rules(counts: Counter[str], policy: Any) -> None:
    counts[f"dispatch {policy.dispatch}"] += 1
    counts[f"move_up {policy.move_up}"] += 1
    for name in ("is_sent_on", "is_escalation_on", "is_scene_delay_on"):
        counts[f"{name} {bool(getattr(policy, name))}"] += 1
    counts[
        "help never" if policy.help_wait_ms < 0 else "help at once" if policy.help_wait_ms == 0 else "help later"
    ] += 1
    counts["rest" if policy.rest_after_ms else "no rest"] += 1


def _count_event(counts: Counter[str], arrays: Any, inputs: Any, key: int, statuses: list[UnitStatus]) -> None:
    kind, entity = EventKind(int(events.key_kind(key))), int(events.key_entity(key))
    mission = int(events.key_mission(key))
    if kind in OF_A_UNIT:
        unit = arrays.units[entity]
        is_stale = unit["mission"] != mission or (kind == EventKind.CLEAR and unit["status"] != UnitStatus.ON_SCENE)
        mode = UnitMode(int(unit["mode"])).name
        counts[f"stale {kind.name}" if is_stale else f"{kind.name} of {statuses[entity].name} by {mode}"] += 1
    elif kind == EventKind.CHANGE:
        _count_change(counts, arrays, inputs.changes[entity], statuses)
    elif kind == EventKind.SHIFT and entity < len(inputs.roster.shift_ms):
        word = "relief" if inputs.roster.is_relief[entity] else "shift"
        for status in set(statuses):
            counts[f"{word} while {status.name}"] += 1
            counts[f"a change while {status.name}"] += 1
        if any(inputs.roster.people[entity] < arrays.stations["people_out"]):
            counts[f"{word} cuts people who are out"] += 1
    elif kind == EventKind.POLICY:
        n_stations, n_incidents = len(arrays.stations), len(arrays.incidents)
        word = "cover" if entity < n_stations else "help" if entity < n_stations + n_incidents else "flight"
        counts[f"POLICY {word}"] += 1


def _count_change(counts: Counter[str], arrays: Any, row: Any, statuses: list[UnitStatus]) -> None:
    kind, entity = ChangeKind(int(row["kind"])), int(row["entity"])
    if kind in OF_A_STATION:
        for unit in range(int(arrays.stations["first_unit"][entity]), int(arrays.stations["end_unit"][entity])):
            counts[f"{kind.name} while {statuses[unit].name}"] += 1
            counts[f"a change while {statuses[unit].name}"] += 1
        if kind == ChangeKind.STATION_PEOPLE and row["value"] < arrays.stations["people_out"][entity]:
            counts["STATION_PEOPLE cuts people who are out"] += 1
    elif kind != ChangeKind.HANDLING_REGIME:
        counts[f"{kind.name} while {statuses[entity].name}"] += 1
        counts[f"a change while {statuses[entity].name}"] += 1


def _count_rows(counts: Counter[str], arrays: Any, n_rows: int, statuses: list[UnitStatus], posts: list[int]) -> None:
    """Count from which status units are sent, turned back and called home by an event, which met them in `statuses`."""
    for row in arrays.log[n_rows : int(arrays.counts[N_LOG])]:
        kind, unit = LogKind(int(row["kind"])), int(row["unit"])
        if kind in (LogKind.DISPATCH, LogKind.TURN_BACK, LogKind.RECALL):
            mode = UnitMode(int(arrays.units["mode"][unit])).name
            post = " at post" if statuses[unit] == UnitStatus.TURNING_OUT and posts[unit] >= 0 else ""
            counts[f"{kind.name} of {statuses[unit].name}{post} by {mode}"] += 1
            if kind == LogKind.DISPATCH and arrays.stations["help_grade"][arrays.units["station"][unit]] > 0:
                counts["help sent"] += 1
