"""The interpreter: a list of what is to happen, sorted again before each step, and the log it writes."""

from __future__ import annotations

from typing import Any

from . import ways
from .codes import EVENTS, LOG, REGIME
from .needs import Needs
from .parts import Incident, Slot, Unit, read_incidents, read_stations, read_units
from .standing import Standing
from .units import Course


class City(Needs, Course, Standing):
    """One run; `rows` is its log, one tuple (time, value, incident, unit, mission, slot, kind) per row."""

    def __init__(self, inputs: Any) -> None:
        self.inputs, self.policy = inputs, inputs.policy
        self.stations, self.units = read_stations(inputs), read_units(inputs)
        self.incidents = read_incidents(inputs)
        self.pending: list[tuple[int, int, int, int]] = []
        self.rows: list[tuple[int, ...]] = []
        self.now = 0
        self.means: dict[int, int] = {}
        for row in range(len(inputs.changes)):
            self.plan(int(inputs.changes[row]["time_ms"]), "CHANGE", row)
        for shift in range(len(inputs.roster.shift_ms)):
            self.plan(int(inputs.roster.shift_ms[shift]), "SHIFT", shift)
        for incident in self.incidents:
            incident.due_ms = incident.call_ms + self.handling_ms(incident)
            self.plan(incident.due_ms, "CALL", incident.id)

    def handling_ms(self, incident: Incident) -> int:
        recorded = self.inputs.recorded
        if recorded is not None and recorded.handling_ms[incident.id] >= 0:
            return int(recorded.handling_ms[incident.id])
        regime = 0
        for change in self.inputs.changes:
            if change["kind"] == REGIME and change["time_ms"] <= incident.call_ms:
                regime = int(change["value"])
        return ways.look_up(self, int(self.inputs.durations.handling[regime]), incident.row["rank_handling"])

    def plan(self, at_ms: int, kind: str, entity: int, mission: int = 0) -> None:
        self.pending.append((at_ms, EVENTS.index(kind), entity, mission))

    def tell(
        self, kind: str, *, incident: int = -1, slot: int = -1, unit: int = -1, mission: int = -1, value: int = -1
    ) -> None:
        self.rows.append((self.now, value, incident, unit, mission, slot, LOG[kind]))

    def tell_of(self, kind: str, unit: Unit, slot: Slot, value: int = -1) -> None:
        self.tell(kind, incident=slot.incident.id, slot=slot.number, unit=unit.id, mission=unit.mission, value=value)

    def run(self) -> list[tuple[int, ...]]:
        while self.pending:
            self.pending.sort()
            self.now, rank, entity, mission = self.pending.pop(0)
            if EVENTS[rank] in ("CHANGE", "SHIFT", "ESCALATE", "CALL", "POLICY"):
                getattr(self, f"on_{EVENTS[rank].lower()}")(entity, mission)
            elif self.units[entity].mission == mission:
                getattr(self, f"on_{EVENTS[rank].lower()}")(self.units[entity])
        self.on_end()
        return self.rows

    def on_end(self) -> None:
        self.now = self.rows[-1][0] if self.rows else 0
        self.give_up(self.waiting())
        self.tell("END", value=sum(i.is_called and not i.is_closed for i in self.incidents))


def interpret(inputs: Any) -> list[tuple[int, ...]]:
    """Return the rows of a run's log, in the order of the log's columns."""
    return City(inputs).run()
