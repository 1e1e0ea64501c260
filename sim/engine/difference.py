"""The state of the city around the first event on which the engines differ: what `engine=both` shows then.

Both engines are run once more, event by event side by side, up to the first event that is another one, writes other
rows or leaves another state; that may be well before the first row that differs. Each is looked at just before and just
after. Shown are the event, and of the state what it concerns or changes on either side: units, stations with their
people, incidents with their slots, the needs that wait. Changes nothing and knows no rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.engine import events
from sim.engine.build import build_world
from sim.engine.kernel import KernelRun
from sim.engine.log import NOT_OF_AN_INCIDENT, LogKind
from sim.engine.model import CityModel
from sim.engine.world import N_LOG, N_WAITING, SlotStatus, UnitStatus, WorldArrays
from sim.errors import EngineError

if TYPE_CHECKING:
    from sim.inputs import RunInputs

_OF_A_UNIT = (
    events.AVAILABLE, events.HOME, events.CLEAR, events.HANDED_OVER, events.DELIVER, events.ARRIVE, events.ENROUTE,
)  # fmt: skip
_OF_AN_INCIDENT = (events.ESCALATE, events.CALL)
_MOST_SHOWN = 6
"""Units, stations and slots shown of each, lest a shift of the whole city be told."""
_SHOWN = {
    "units": (
        "status", "station", "incident", "slot", "mission", "crew", "is_in_service", "is_failed", "from_cell",
        "to_cell", "leave_ms", "arrive_ms", "clear_ms", "post", "shift",
    ),
    "stations": (
        "is_open", "people_on_duty", "people_out", "shift", "is_emptied", "n_emptied", "n_guests", "n_ready",
        "is_in_vain",
    ),
    "incidents": ("kind", "grade", "is_revealed", "is_closed", "n_active", "n_waiting", "met_ms"),
    "slots": ("status", "unit", "capability", "opened_ms", "arrive_ms", "working_ms"),
}  # fmt: skip
"""Fields shown of each kind of thing; what differs in any other field is shown besides."""
_WORDS: dict[tuple[str, str], type[IntEnum]] = {("units", "status"): UnitStatus, ("slots", "status"): SlotStatus}
_STATES = ("before", "after")


@dataclass(frozen=True, slots=True)
class _State:
    """What of a world can change, at one instant: name of table -> its records; the slots that wait, in their order."""

    tables: dict[str, NDArray[Any]]
    waiting: NDArray[np.int64]

    @classmethod
    def of(cls, arrays: WorldArrays) -> _State:
        tables = {name: getattr(arrays, name).copy() for name in _SHOWN}
        return cls(tables, arrays.waiting[: int(arrays.counts[N_WAITING])].copy())


@dataclass(frozen=True, slots=True)
class _Side:
    """One engine at that event: its instant and key (None at the end of the run), the state and the rows it wrote.

    `stopped`: what fault the event ended in, "" for none.
    """

    event: tuple[int, int] | None
    before: _State
    after: _State
    rows: NDArray[np.void]
    stopped: str

    def states(self) -> tuple[_State, _State]:
        return self.before, self.after


def describe_difference(inputs: RunInputs) -> str:
    """Return the first event on which the engines differ and the state around it on both, as lines of text.

    Fields that differ between the engines at the same moment are marked with a star.
    """
    n_alike = _n_events_alike(*_both(inputs).values())
    runs = _both(inputs)
    for run in runs.values():
        for _ in range(n_alike):
            run.step()
    sides = {name: _next_of(run) for name, run in runs.items()}
    lines = [f"event   {name:<6} {_event_text(side)}" for name, side in sides.items()]
    if n_alike:
        lines.insert(0, f"the first event that differs, after {n_alike} that do not:")
    for table, concerned in _concerned(list(sides.values()), len(inputs.roster.shift_ms)).items():
        for entity in concerned[:_MOST_SHOWN]:
            lines += _entity_lines(sides, table, entity)
        if len(concerned) > _MOST_SHOWN:
            lines.append(f"… and {len(concerned) - _MOST_SHOWN} {table} more")
    return "\n".join([*lines, *_waiting_lines(sides)])


def _both(inputs: RunInputs) -> dict[str, CityModel | KernelRun]:
    """Return both engines at the run's start, by name."""
    simpy = CityModel(build_world(inputs))
    simpy.start()
    return {"SimPy": simpy, "kernel": KernelRun(build_world(inputs))}


def _n_events_alike(simpy: CityModel | KernelRun, kernel: CityModel | KernelRun) -> int:
    """Return how many events both engines do alike from the start, as far as events, rows and state tell."""
    n_alike = 0
    while (event := simpy.next_event()) is not None and event == kernel.next_event():
        n_rows = int(simpy.arrays.counts[N_LOG])
        try:
            simpy.step()
            kernel.step()
        except EngineError:
            break
        if not _are_alike(simpy.arrays, kernel.arrays, n_rows):
            break
        n_alike += 1
    return n_alike


def _are_alike(a: WorldArrays, b: WorldArrays, n_rows: int) -> bool:
    """Return whether two worlds are the same after an event that began with `n_rows` rows in both logs.

    Of the incidents, those that the event's rows name; there may be very many.
    """
    end, n_waiting = int(a.counts[N_LOG]), int(a.counts[N_WAITING])
    if end != b.counts[N_LOG] or n_waiting != b.counts[N_WAITING]:
        return False
    rows = a.log[n_rows:end]
    if not np.array_equal(rows, b.log[n_rows:end]) or not np.array_equal(a.waiting[:n_waiting], b.waiting[:n_waiting]):
        return False
    if not np.array_equal(a.units, b.units) or not np.array_equal(a.stations, b.stations):
        return False
    named = {int(row["incident"]) for row in rows if int(row["kind"]) not in NOT_OF_AN_INCIDENT} - {-1}
    for incident in sorted(named):
        first = int(a.incidents["first_slot"][incident])
        end = int(a.incidents["first_slot"][incident + 1]) if incident + 1 < len(a.incidents) else len(a.slots)
        if a.incidents[incident] != b.incidents[incident] or not np.array_equal(a.slots[first:end], b.slots[first:end]):
            return False
    return True


def _next_of(run: CityModel | KernelRun) -> _Side:
    """Let an engine do its next event, or its end, and return what that was and did."""
    event, before, n_before = run.next_event(), _State.of(run.arrays), int(run.arrays.counts[N_LOG])
    stopped = ""
    try:
        if event is None:
            run.finish()
        else:
            run.step()
    except EngineError as error:
        stopped = str(error)
    rows = run.arrays.log[n_before : int(run.arrays.counts[N_LOG])].copy()
    return _Side(event, before, _State.of(run.arrays), rows, stopped)


def _event_text(side: _Side) -> str:
    if side.event is None:
        return f"end of run, {len(side.rows)} rows"
    time_ms, key = side.event
    kind = events.EventKind(int(events.key_kind(key)))
    entity, mission = int(events.key_entity(key)), int(events.key_mission(key))
    rows = ", ".join(LogKind(int(kind)).name for kind in side.rows["kind"]) or "none"
    told = f"t={time_ms} {kind.name} entity={entity} mission={mission}; rows written: {rows}"
    return f"{told}; {side.stopped}" if side.stopped else told


# --- what an event concerns -------------------------------------------------------------------------------------------


def _concerned(sides: Sequence[_Side], n_shifts: int) -> dict[str, list[int]]:
    """Return which units, stations, incidents and slots to show: those that the event names first, then the changed."""
    named: dict[str, dict[int, None]] = {table: {} for table in _SHOWN}
    for side in sides:
        for table, entity in _named(side, n_shifts):
            if 0 <= entity < len(side.before.tables[table]):
                named[table][entity] = None
    for table, found in named.items():
        for side in sides:
            changed = side.before.tables[table] != side.after.tables[table]
            found |= dict.fromkeys(np.flatnonzero(changed).tolist())
        apart = sides[0].before.tables[table] != sides[1].before.tables[table]
        found |= dict.fromkeys(np.flatnonzero(apart).tolist())
    first = sides[0].before.tables
    for unit in named["units"]:
        named["stations"][int(first["units"]["station"][unit])] = None
    for incident in named["incidents"]:
        slots = np.flatnonzero(first["slots"]["incident"] == incident).tolist()
        named["slots"] |= dict.fromkeys(slots)
    return {table: list(found) for table, found in named.items()}


def _named(side: _Side, n_shifts: int) -> Iterator[tuple[str, int]]:
    """Yield (table, number) of what the event and the rows it wrote name."""
    if side.event is not None:
        kind, entity = int(events.key_kind(side.event[1])), int(events.key_entity(side.event[1]))
        n_stations = len(side.before.tables["stations"])
        if kind in _OF_A_UNIT:
            yield "units", entity
            yield "incidents", int(side.before.tables["units"]["incident"][entity])
        elif kind in _OF_AN_INCIDENT:
            yield "incidents", entity
        elif kind == events.POLICY:
            yield ("stations", entity) if entity < n_stations else ("incidents", entity - n_stations)
        elif kind == events.SHIFT and entity >= n_shifts:
            yield "stations", entity - n_shifts
    for entry in side.rows:
        yield "units", int(entry["unit"])
        if int(entry["kind"]) not in NOT_OF_AN_INCIDENT:
            yield "incidents", int(entry["incident"])


# --- the text ---------------------------------------------------------------------------------------------------------


def _entity_lines(sides: dict[str, _Side], table: str, entity: int) -> Iterator[str]:
    """Yield a line per engine and moment with the fields of one unit, station, incident or slot."""
    records = {name: [state.tables[table][entity] for state in side.states()] for name, side in sides.items()}
    fields = list(_SHOWN[table])
    one, other = records.values()
    differing = [[f for f in a.dtype.names if a[f] != b[f]] for a, b in zip(one, other, strict=True)]
    fields += [f for f in one[0].dtype.names if f not in fields and any(f in apart for apart in differing)]
    yield f"{table.removesuffix('s')} {entity}"
    for moment, word in enumerate(_STATES):
        for name, of in records.items():
            told = (f"{f}={_value(table, f, of[moment])}{'*' * (f in differing[moment])}" for f in fields)
            yield f"  {word:<6} {name:<6} {' '.join(told)}"


def _value(table: str, field: str, record: Any) -> str:
    number = int(record[field])
    words = _WORDS.get((table, field))
    return str(number) if words is None else words(number).name


def _waiting_lines(sides: dict[str, _Side]) -> Iterator[str]:
    """Yield the needs that wait as incident/slot, in the order in which they are served."""
    yield "needs that wait (incident/number of the slot)"
    one, other = (side.states() for side in sides.values())
    for moment, word in enumerate(_STATES):
        mark = "*" if not np.array_equal(one[moment].waiting, other[moment].waiting) else ""
        for name, side in sides.items():
            state = side.states()[moment]
            told = []
            for slot in state.waiting.tolist():
                incident = int(state.tables["slots"]["incident"][slot])
                told.append(f"{incident}/{slot - int(state.tables['incidents']['first_slot'][incident])}")
            yield f"  {word:<6} {name:<6} {' '.join(told) or 'none'}{mark}"
