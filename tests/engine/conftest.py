"""A tiny city on a line, in which every duration is a round number that can be added up by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.chance import constant_table
from sim.city.zones import index_zones
from sim.engine import simulate
from sim.engine.log import EventLog, LogKind
from sim.fleet.parts import CHANGE_DTYPE, UNIT_TRAITS_DTYPE, ChangeKind
from sim.inputs import (
    Policy,
    Roster,
    Scenes,
    Sky,
    Waterways,
    draw_slot_ranks,
    no_waterways,
    order_stations,
    slot_starts,
)
from sim.own_rule import find
from sim.recorded import Effects, Recorded, Transport

S = 1000
WATER, AERIAL, RESCUE, FOAM = range(4)
NEVER = -1
INCIDENT_DTYPE = np.dtype(
    [
        ("identity", "<u8"), ("call_ms", "<i8"), ("town", "<i2"), ("cell", "<i4"), ("kind", "<i2"), ("grade", "i1"),
        ("reported_kind", "<i2"), ("reported_grade", "i1"), ("rank_handling", "<u4"), ("rank_travel", "<u4"),
        ("rank_escalate", "<u4", (4,)),
    ]
)  # fmt: skip


def _by_incident(demand: SimpleNamespace, given: dict[int, int], else_: int, dtype: type) -> np.ndarray:
    """Return what is given by place in the order of adding as (n_incidents,) in the order of the demand's rows."""
    return np.array([given.get(int(row["identity"]) - 1000, else_) for row in demand.incidents], dtype)


@dataclass
class TinyCity:
    """Cells 1 km apart on a line, a minute of driving between neighbours; handling 60 s, turnout 45 s, scene 10 min.

    Travel period 0 holds but in the hours of the day that `period_of` names; `period_q16` are the others' factors.
    """

    n_cells: int = 10
    minute_per_cell_s: int = 60
    handling_s: tuple[int, int] = (60, 20)
    turnout_s: tuple[int, int] = (45, 90)
    scene_s: int = 600
    access_s: int = 0
    access_of_kind_s: dict[int, int] = field(default_factory=dict)
    travel_common_q16: int = 65536
    travel_own_q16: int = 65536
    latent_s: dict[tuple[int, int], int] = field(default_factory=dict)
    scene_by_grade_s: dict[int, int] = field(default_factory=dict)
    scene_by_air_s: dict[int, int] = field(default_factory=dict)
    scene_slope_q16: dict[int, int] = field(default_factory=dict)
    make_ready_s: int = 300
    home_factor_q16: int = 65536
    dispatch: int = 0
    is_escalation_on: bool = True
    is_scene_delay_on: bool = True
    night_hours: tuple[int, ...] = ()
    cards: list[list[tuple[int, int, bool]]] = field(default_factory=lambda: [[(WATER, 1, True)]])
    priority: list[int] = field(default_factory=lambda: [1])
    town_of_cell: list[int] | None = None
    stations: list[tuple[int, int]] = field(default_factory=list)
    units: list[tuple[int, int, int, int]] = field(default_factory=list)
    changes: list[tuple[int, int, int, int]] = field(default_factory=list)
    incidents: list[dict[str, Any]] = field(default_factory=list)
    quantiles: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, int] = field(default_factory=dict)
    traits: dict[int, dict[str, int]] = field(default_factory=dict)
    help_grade: dict[int, int] = field(default_factory=dict)
    roster: list[tuple[int, list[int], bool]] = field(default_factory=list)
    road_q16: dict[int, int] = field(default_factory=dict)
    flying_hours: tuple[int, ...] = ()
    scenes: dict[int, dict[str, Any]] = field(default_factory=dict)
    supply_grade: dict[int, int] = field(default_factory=dict)
    cell_weight: list[int] | None = None
    way_m: dict[int, list[int]] = field(default_factory=dict)
    seed: int = 1
    xy_m: list[tuple[int, int]] | None = None
    turnout_of_s: dict[tuple[int, int], int] = field(default_factory=dict)
    drive_q16: dict[int, int] = field(default_factory=dict)
    noise: list[tuple[int, int | np.ndarray]] = field(default_factory=list)
    drive_of_call_q16: dict[int, int] = field(default_factory=dict)
    turnout_of_call_q16: dict[int, int] = field(default_factory=dict)
    n_passed: dict[int, int] = field(default_factory=dict)
    transport: dict[tuple[int, int], dict[str, float]] = field(default_factory=dict)
    transport_factor_q16: int = 65536
    recorded_handling_s: dict[int, float] = field(default_factory=dict)
    recorded_s: dict[tuple[int, int], dict[str, float]] = field(default_factory=dict)
    period_of: dict[int, int] = field(default_factory=dict)
    period_q16: tuple[int, ...] = ()
    way_s: dict[tuple[int, int], int] = field(default_factory=dict)
    own_rule: str = ""

    def station(self, cell: int, people: int = 12, *, is_open: bool = True) -> int:
        self.stations.append((cell, people))
        station = len(self.stations) - 1
        if is_open:
            self.change(0, ChangeKind.STATION_OPEN, station, 1)
        self.change(0, ChangeKind.STATION_PEOPLE, station, people)
        return station

    def unit(self, station: int, *capabilities: int, crew_min: int = 4, crew: int = 6, **traits: int) -> int:
        """Traits are those of `UNIT_TRAITS_DTYPE`; a unit walks along a track at 1 m/s unless told otherwise."""
        mask = sum(1 << bit for bit in capabilities or (WATER,))
        self.units.append((station, mask, crew_min, crew))
        unit = len(self.units) - 1
        self.traits[unit] = traits
        self.change(0, ChangeKind.UNIT_IN_SERVICE, unit, 1)
        return unit

    def change(self, at_s: int, kind: int, entity: int, value: int) -> None:
        self.changes.append((at_s * S, int(kind), entity, value))

    def incident(self, at_s: float, cell: int, **marks: int) -> int:
        row = {"call_ms": int(at_s * S), "cell": cell, "kind": 0, "grade": 1} | marks
        row.setdefault("reported_kind", row["kind"])
        row.setdefault("reported_grade", row["grade"])
        self.incidents.append(row)
        return len(self.incidents) - 1

    def _durations(self) -> SimpleNamespace:
        tables: list[np.ndarray] = []

        def table(value: int, name: str = "") -> int:
            tables.append(self.quantiles.get(name, constant_table(value)))
            return len(tables) - 1

        n_kinds = len(self.cards)
        scene = np.full((n_kinds, 6), -1, dtype=np.int16)
        latent = np.full((n_kinds, 6), -1, dtype=np.int16)
        handling = np.array([table(s * S, "handling") for s in self.handling_s], dtype=np.int16)
        turnout = np.array([table(s * S, "turnout") for s in self.turnout_s], dtype=np.int16)
        common, own = table(self.travel_common_q16, "travel_common"), table(self.travel_own_q16, "travel_own")
        access = np.full(n_kinds, table(self.access_s * S, "access"), dtype=np.int16)
        for kind, seconds in self.access_of_kind_s.items():
            access[kind] = table(seconds * S)
        for kind in range(n_kinds):
            if kind in self.scene_by_air_s:
                scene[kind, 0] = table(self.scene_by_air_s[kind] * S, "scene_by_air")
            for grade in range(1, 6):
                scene[kind, grade] = table(self.scene_by_grade_s.get(grade, self.scene_s) * S, "scene")
                if (kind, grade) in self.latent_s:
                    latent[kind, grade] = table(self.latent_s[kind, grade] * S, "latent")
        slope = np.array([self.scene_slope_q16.get(kind, 0) for kind in range(n_kinds)], dtype=np.int32)
        return SimpleNamespace(
            values=np.array(tables, dtype=np.int32), handling=handling, turnout=turnout, travel_common=common,
            travel_own=own, access=access, scene=scene, latent=latent, scene_slope_q16=slope,
            scene_delay_cap_ms=15 * 60 * S,
        )  # fmt: skip

    def _demand(self) -> SimpleNamespace:
        rows = np.zeros(len(self.incidents), dtype=INCIDENT_DTYPE)
        for place, given in enumerate(self.incidents):
            rows[place]["identity"] = given.pop("identity", 1000 + place)
            for name, value in given.items():
                rows[place][name] = value
            rows[place]["town"] = self.town_of_cell[given["cell"]] if self.town_of_cell else 0
            rows[place]["rank_handling"] = rows[place]["rank_travel"] = 2**31
        return SimpleNamespace(incidents=rows[np.argsort(rows["call_ms"], kind="stable")])

    def _traits(self) -> np.ndarray:
        rows = np.zeros(len(self.units), dtype=UNIT_TRAITS_DTYPE)
        for unit in range(len(self.units)):
            plain = {"ready_ms": -1, "access_ms": -1, "track_mm_s": 1000}
            for name, value in (plain | self.traits[unit]).items():
                rows[unit][name] = value
        return rows

    def _scenes(self, incidents: np.ndarray) -> Scenes:
        """Scenes are given by the incident's place in the order of adding; the table is sorted by call."""
        n = len(incidents)
        scenes = Scenes(
            portal_cell=np.full((n, 2), -1, np.int32), track_m=np.zeros((n, 2), np.int32),
            power_off_ms=np.zeros(n, np.int64), water_delay_ms=np.zeros(n, np.int32),
            village_ms=np.full(n, -1, np.int64),
            supply_grade=np.array([self.supply_grade.get(kind, 0) for kind in range(len(self.cards))], np.int8),
        )  # fmt: skip
        for place, row in enumerate(incidents):
            for name, value in self.scenes.get(int(row["identity"]) - 1000, {}).items():
                getattr(scenes, name)[place] = value
        return scenes

    def _roster(self) -> Roster:
        shift_ms = np.array([at_s * S for at_s, _, _ in self.roster], dtype=np.int64)
        people = np.array([people for _, people, _ in self.roster], dtype=np.int16).reshape(-1, len(self.stations))
        return Roster(shift_ms, people, np.array([is_relief for _, _, is_relief in self.roster], dtype=np.int8))

    def _sky(self, hours: int) -> Sky:
        road = np.array([self.road_q16.get(hour, 65536) for hour in range(hours)], dtype=np.int32)
        return Sky(road, np.array([hour % 24 in self.flying_hours for hour in range(hours)], dtype=np.int8))

    def _waterways(self) -> Waterways:
        """`way_m` is given by station: the way by water to each cell, -1 where there is none."""
        if not self.way_m:
            return no_waterways(self.n_cells)
        return Waterways(np.array(list(self.way_m), np.int32), np.array(list(self.way_m.values()), np.int32))

    def _travel(self) -> SimpleNamespace:
        """Driving times of every period: those of the line x its `period_q16`; `way_s` gives single ways (from, to)."""
        cells = np.arange(self.n_cells, dtype=np.int32)
        step = np.abs(cells[:, None] - cells[None, :]) * self.minute_per_cell_s * S
        for (from_cell, to_cell), seconds in self.way_s.items():
            step[from_cell, to_cell] = seconds * S
        periods = [step.astype(np.int64) * q16 >> 16 for q16 in (65536, *self.period_q16)]
        return SimpleNamespace(duration_ms=np.ascontiguousarray(np.array(periods, dtype=np.int32)))

    def _first_slots(self, demand: SimpleNamespace, cards: SimpleNamespace) -> dict[int, int]:
        """Return the first slot of each incident by its place in the order of adding."""
        start = slot_starts(demand, cards)
        return {int(row["identity"]) - 1000: int(start[at]) for at, row in enumerate(demand.incidents)}

    def _recorded(self, demand: SimpleNamespace, cards: SimpleNamespace) -> Recorded | None:
        """Recorded seconds of an incident, and of (incident, slot): `turnout`, `travel` `of` a station, and so on."""
        if not self.recorded_handling_s and not self.recorded_s:
            return None
        first, n_slots = self._first_slots(demand, cards), int(slot_starts(demand, cards)[-1])
        handling = np.full(len(demand.incidents), -1, np.int64)
        for at, row in enumerate(demand.incidents):
            handling[at] = int(self.recorded_handling_s.get(int(row["identity"]) - 1000, -1 / S) * S)
        stages, station = np.full((n_slots, 4), -1, np.int64), np.full(n_slots, -1, np.int32)
        for (incident, number), given in self.recorded_s.items():
            slot = first[incident] + number
            for column, name in enumerate(("turnout", "travel", "access", "scene")):
                if name in given:
                    stages[slot, column] = int(given[name] * S)
            station[slot] = given.get("of", -1)
        return Recorded(handling, stages, station)

    def _transport(self, demand: SimpleNamespace, cards: SimpleNamespace) -> Transport | None:
        """`transport` gives `cell`, `hand_over` and perhaps `drive` (seconds) of (incident, slot)."""
        if not self.transport:
            return None
        first, n_slots = self._first_slots(demand, cards), int(slot_starts(demand, cards)[-1])
        cell, drive, hand_over = np.full(n_slots, -1, np.int32), np.full(n_slots, -1, np.int64), np.zeros(n_slots, int)
        for (incident, number), given in self.transport.items():
            slot = first[incident] + number
            cell[slot], hand_over[slot] = given["cell"], int(given.get("hand_over", 0) * S)
            drive[slot] = int(given["drive"] * S) if "drive" in given else -1
        return Transport(cell, drive, hand_over, self.transport_factor_q16)

    def _effects(self, durations: SimpleNamespace, demand: SimpleNamespace) -> Effects | None:
        """`turnout_of_s` of (hour, station), else by day; `drive_q16` of stations; `noise`: (from seconds, factor).

        `drive_of_call_q16` and `turnout_of_call_q16` are given by the incident's place in the order of adding.
        """
        of_calls = (self.drive_of_call_q16, self.turnout_of_call_q16)
        if not self.turnout_of_s and not self.drive_q16 and not self.noise and not any(of_calls):
            return None
        tables = list(durations.values)

        def table(value: int | np.ndarray) -> int:
            tables.append(constant_table(value) if isinstance(value, int) else value)
            return len(tables) - 1

        n, turnout, drive, begins, noise = len(self.stations), None, None, None, None
        if self.turnout_of_s:
            turnout = np.full((24, n), durations.turnout[0], np.int16)
            for place, seconds in self.turnout_of_s.items():
                turnout[place] = table(seconds * S)
        if self.drive_q16:
            drive = np.array([self.drive_q16.get(station, 65536) for station in range(n)], np.int32)
        if self.noise:
            begins = np.array([from_s * S for from_s, _ in self.noise])
            noise = np.array([table(factor) for _, factor in self.noise], np.int16)
        durations.values = np.array(tables, dtype=np.int32)
        calls = [_by_incident(demand, given, 65536, np.int32) if given else None for given in of_calls]
        return Effects(turnout, drive, begins, noise, *calls)

    def inputs(self) -> SimpleNamespace:
        cells = np.arange(self.n_cells, dtype=np.int32)
        town = np.array(self.town_of_cell or [0] * self.n_cells, dtype=np.int16)
        travel = self._travel()
        station_cell = np.array([cell for cell, _ in self.stations], dtype=np.int32)
        units = np.array(self.units, dtype=np.int64).reshape(-1, 4)
        needs = [need for card in self.cards for need in card]
        cards = SimpleNamespace(
            start=np.concatenate([[0], np.cumsum([len(card) for card in self.cards])]).astype(np.int32),
            capability=np.array([need[0] for need in needs], dtype=np.int8),
            from_grade=np.array([need[1] for need in needs], dtype=np.int8),
            is_critical=np.array([need[2] for need in needs], dtype=bool),
        )
        demand, durations = self._demand(), self._durations()
        effects = self._effects(durations, demand)
        hours = 24 * 40
        is_night = np.array([hour % 24 in self.night_hours for hour in range(hours)], dtype=np.int8)
        x_m, y_m = np.array(self.xy_m, np.int32).T if self.xy_m else (cells * 1000, cells * 0)
        return SimpleNamespace(
            city=SimpleNamespace(
                cells=SimpleNamespace(x_m=x_m, y_m=y_m, town=town), grid=cells[None, :].copy(),
                grid_x0_m=-500, grid_y0_m=-500, cell_m=1000,
            ),
            fleet=SimpleNamespace(
                stations=SimpleNamespace(
                    cell=station_cell, town=town[station_cell],
                    help_grade=np.array([self.help_grade.get(s, 0) for s in range(len(self.stations))], np.int8),
                ),
                units=SimpleNamespace(
                    station=units[:, 0].astype(np.int32), capabilities=units[:, 1].astype(np.uint64),
                    crew_min=units[:, 2].astype(np.int16), crew_preferred=units[:, 3].astype(np.int16),
                    traits=self._traits(),
                ),
            ),
            changes=np.sort(np.array(self.changes, dtype=CHANGE_DTYPE), order=["time_ms", "kind", "entity"]),
            demand=demand, cards=cards, travel=travel, durations=durations, effects=effects,
            kinds=SimpleNamespace(priority=np.array(self.priority), max_grade=np.full(len(self.cards), 5)),
            policy=Policy(
                self.dispatch, self.is_escalation_on, self.is_scene_delay_on, self.home_factor_q16,
                self.make_ready_s * S, **self.policy,
            ),
            slot_ranks=draw_slot_ranks(demand, cards, self.seed, 0),
            station_order=order_stations(travel.duration_ms, station_cell, effects and effects.drive_q16),
            period_of_hour=np.array([self.period_of.get(hour % 24, 0) for hour in range(hours)], dtype=np.int8),
            is_night_of_hour=is_night,
            waterways=self._waterways(), roster=self._roster(), sky=self._sky(hours),
            scenes=self._scenes(demand.incidents),
            cell_weight=np.array(self.cell_weight or [1] * self.n_cells, dtype=np.int64),
            recorded=self._recorded(demand, cards), transport=self._transport(demand, cards),
            n_passed=_by_incident(demand, self.n_passed, 0, np.int8) if self.n_passed else None,
            nearest_zone=index_zones(x_m, y_m) if self.xy_m else None,
            own_rule=find(self.own_rule) if self.own_rule else None,
        )  # fmt: skip

    def run(self, engine: str = "both") -> EventLog:
        return simulate(self.inputs(), engine)


def told(log: EventLog, *kinds: LogKind, unit: int | None = None, incident: int | None = None) -> list[tuple[Any, ...]]:
    """Return (seconds, kind, incident, slot, unit) of the rows of interest."""
    lines = []
    for row in log.rows:
        if kinds and LogKind(int(row["kind"])) not in kinds:
            continue
        if (unit is not None and row["unit"] != unit) or (incident is not None and row["incident"] != incident):
            continue
        who = (int(row["incident"]), int(row["slot"]), int(row["unit"]))
        lines.append((int(row["time_ms"]) / S, LogKind(int(row["kind"])).name, *who))
    return lines


@pytest.fixture(scope="session")
def tiny() -> type[TinyCity]:
    return TinyCity


@pytest.fixture(scope="session")
def rows_of():
    return told
