"""The things of a small city as plain objects, read from `RunInputs`: stations, units, incidents and their needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

BAY, TURNING_OUT, UNDER_WAY, AT_SCENE, WITH_PATIENT, HANDING_OVER, HOMEWARD, MADE_READY, MOVING_UP, STANDING_BY = (
    "in its bay", "turning out", "under way", "at the scene", "with a patient", "handing over", "on its way home",
    "being made ready", "moving up", "standing by",
)  # fmt: skip
SENT = (TURNING_OUT, UNDER_WAY)
AT_WORK = (AT_SCENE, WITH_PATIENT, HANDING_OVER)


@dataclass
class Station:
    id: int
    cell: int
    town: int
    help_grade: int
    is_open: bool = False
    on_duty: int = 0
    shift: int = 0
    resting: list[tuple[int, int]] = field(default_factory=list)  # until when, how many
    n_ready: int = 0  # as last reviewed
    is_emptied: bool = False
    is_in_vain: bool = False  # nobody was found at the last look
    look: int = 0  # number of the look planned last


@dataclass
class Unit:
    id: int
    station: int
    mask: int
    crew_min: int
    crew_preferred: int
    mode: int
    callout_ms: int
    ready_ms: int
    access_ms: int
    speed_mm_s: int
    track_mm_s: int
    range_m: int
    duty_ms: int
    is_in_service: bool = False
    is_broken: bool = False
    status: str = BAY
    mission: int = 0
    people: int = 0  # aboard
    shift: int = 0  # of its station, as the crew left
    left_ms: int = 0  # as the crew left its station
    post: int = -1  # station in which it stands by or to which it moves up
    slot: Slot | None = None
    from_cell: int = -1
    to_cell: int = -1
    began_ms: int = 0  # the way it is on, or its work at the scene
    ends_ms: int = 0
    stayed_ms: int = 0  # at the scene, before it left with a patient
    flown: dict[int, int] = field(default_factory=dict)  # by day

    def can(self, capability: int) -> bool:
        return bool(self.mask >> capability & 1)


@dataclass
class Slot:
    incident: Incident
    number: int
    place: int  # in tables of slots
    capability: int
    from_grade: int
    is_critical: bool
    is_open: bool = False
    is_served: bool = False
    unit: Unit | None = None
    since_ms: int = 0  # when it was opened
    works_from_ms: int = -1  # when who came for it was at work

    @property
    def waits(self) -> bool:
        return self.is_open and not self.is_served and self.unit is None


@dataclass
class Incident:
    id: int
    row: Any
    call_ms: int
    due_ms: int
    cell: int
    town: int
    true_kind: int
    grade: int
    told_kind: int
    told_grade: int
    true_slots: list[Slot] = field(default_factory=list)
    told_slots: list[Slot] = field(default_factory=list)
    is_called: bool = False
    is_revealed: bool = False
    is_closed: bool = False
    met_ms: int = -1

    @property
    def known_kind(self) -> int:
        return self.true_kind if self.is_revealed else self.told_kind

    @property
    def known_grade(self) -> int:
        return self.grade if self.is_revealed else self.told_grade

    @property
    def slots(self) -> list[Slot]:
        return self.true_slots + self.told_slots


def read_stations(inputs: Any) -> list[Station]:
    given = inputs.fleet.stations
    return [
        Station(i, int(given.cell[i]), int(given.town[i]), int(given.help_grade[i])) for i in range(len(given.cell))
    ]


def read_units(inputs: Any) -> list[Unit]:
    given = inputs.fleet.units
    names = ("mode", "callout_ms", "ready_ms", "access_ms", "speed_mm_s", "track_mm_s", "range_m", "duty_ms")
    return [
        Unit(
            i, int(given.station[i]), int(given.capabilities[i]), int(given.crew_min[i]), int(given.crew_preferred[i]),
            *(int(given.traits[i][name]) for name in names),
        )
        for i in range(len(given.station))
    ]  # fmt: skip


def read_incidents(inputs: Any) -> list[Incident]:
    incidents, place = [], 0
    for i, row in enumerate(inputs.demand.incidents):
        kind, told = int(row["kind"]), int(row["reported_kind"])
        incident = Incident(
            i, row, int(row["call_ms"]), -1, int(row["cell"]), int(row["town"]), kind, int(row["grade"]), told,
            int(row["reported_grade"]),
        )  # fmt: skip
        incident.true_slots = read_slots(inputs, incident, kind, 0, place)
        place += len(incident.true_slots)
        if told == kind:
            incident.told_slots = []
        else:
            incident.told_slots = read_slots(inputs, incident, told, len(incident.true_slots), place)
        place += len(incident.told_slots)
        incidents.append(incident)
    return incidents


def read_slots(inputs: Any, incident: Incident, kind: int, number: int, place: int) -> list[Slot]:
    cards = inputs.cards
    needs = range(int(cards.start[kind]), int(cards.start[kind + 1]))
    return [
        Slot(
            incident, number + j, place + j, int(cards.capability[need]), int(cards.from_grade[need]),
            bool(cards.is_critical[need]),
        )
        for j, need in enumerate(needs)
    ]  # fmt: skip
