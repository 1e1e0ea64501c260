"""Hand-made logs and the few inputs that metrics ask for, so that every expected millisecond is added up by hand."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.chance import constant_table
from sim.engine.log import LOG_DTYPE, EventLog
from sim.fleet.parts import CHANGE_DTYPE, ChangeKind
from sim.inputs import Roster, no_roster, order_stations, plain_scenes
from sim.units import MS_PER_DAY

S = 1000
INCIDENT_DTYPE = np.dtype(
    [
        ("identity", "<u8"), ("call_ms", "<i8"), ("town", "<i2"), ("cell", "<i4"), ("kind", "<i2"), ("grade", "i1"),
        ("reported_kind", "<i2"), ("reported_grade", "i1"), ("rank_travel", "<u4"),
    ]
)  # fmt: skip


def make_log(*rows: tuple[Any, ...]) -> EventLog:
    """Return a log of (seconds, kind, incident, slot, unit, mission, value) rows."""
    out = np.zeros(len(rows), dtype=LOG_DTYPE)
    for place, (seconds, kind, incident, slot, unit, mission, value) in enumerate(rows):
        out[place] = (round(seconds * S), value, incident, unit, mission, slot, int(kind))
    return EventLog(out)


def make_calendar(n_days: int = 10, years: list[int] | None = None, measured: tuple[int, int] | None = None) -> Any:
    """Return a calendar of whole days; `measured` is (first day, day after the last)."""
    first, last = measured or (0, n_days)
    return SimpleNamespace(
        year=np.array(years or [2022] * n_days, dtype=np.int16),
        measure_from_ms=first * MS_PER_DAY,
        measure_to_ms=last * MS_PER_DAY,
    )


class City:
    """A city on a line: cells 1 km and 60 s apart, two towns, turnout 45 s by day and 90 s by night, no noise."""

    def __init__(self, n_cells: int = 10) -> None:
        self.n_cells = n_cells
        self.cards = [[(1, True)]]
        self.is_headline = [True]
        self.incidents: list[dict[str, int]] = []
        self.stations: list[tuple[int, int, int]] = []
        self.help_grade: dict[int, int] = {}
        self.units: list[tuple[int, int]] = []
        self.changes: list[tuple[int, int, int, int]] = []
        self.calendar = make_calendar()
        self.town_of_cell = [0] * (n_cells // 2) + [1] * (n_cells - n_cells // 2)
        self.common_q16 = 65536
        self.bases: set[int] = set()
        self.aircraft: set[int] = set()
        self.capabilities: dict[int, int] = {}
        self.air_tasks: tuple[int, ...] = ()
        self.flying_hours: set[int] = set(range(24))
        self.roster: Roster | None = None

    def incident(self, at_s: float, cell: int = 0, **marks: int) -> int:
        row = {"call_ms": round(at_s * S), "cell": cell, "kind": 0, "grade": 1, "identity": 100 + len(self.incidents)}
        row |= marks
        row.setdefault("reported_kind", row["kind"])
        self.incidents.append(row)
        return len(self.incidents) - 1

    def station(self, cell: int, k: int = 0, *, opens_s: int | None = 0, people: int = 6) -> int:
        station = len(self.stations)
        self.stations.append((cell, k, self.town_of_cell[cell]))
        if opens_s is not None:
            self.change(opens_s, ChangeKind.STATION_OPEN, station)
        self.change(0 if opens_s is None else opens_s, ChangeKind.STATION_PEOPLE, station, people)
        return station

    def unit(self, station: int, crew_min: int = 4) -> int:
        self.units.append((station, crew_min))
        self.change(0, ChangeKind.UNIT_IN_SERVICE, len(self.units) - 1)
        return len(self.units) - 1

    def change(self, at_s: int, kind: ChangeKind, entity: int, value: int = 1) -> None:
        self.changes.append((at_s * S, int(kind), entity, value))

    def inputs(self) -> Any:
        needs = [need for card in self.cards for need in card]
        demand = np.zeros(len(self.incidents), dtype=INCIDENT_DTYPE)
        for place, given in enumerate(self.incidents):
            for name, value in given.items():
                demand[place][name] = value
            demand[place]["town"] = self.town_of_cell[given["cell"]]
        cells = np.arange(self.n_cells, dtype=np.int32)
        drive = (np.abs(cells[:, None] - cells) * 60 * S).astype(np.int32)
        stations = np.array(self.stations, dtype=np.int32).reshape(-1, 3)
        units = np.array(self.units, dtype=np.int32).reshape(-1, 2)
        starts = np.concatenate([[0], np.cumsum([len(card) for card in self.cards])])
        is_other = demand["kind"] != demand["reported_kind"]
        n_slots = np.diff(starts)[demand["kind"]] + np.where(is_other, np.diff(starts)[demand["reported_kind"]], 0)
        return SimpleNamespace(
            calendar=self.calendar,
            kinds=SimpleNamespace(is_headline=np.array(self.is_headline)),
            cards=SimpleNamespace(
                start=starts.astype(np.int32),
                capability=np.concatenate([np.arange(len(card)) for card in self.cards]).astype(np.int8),
                from_grade=np.array([need[0] for need in needs], dtype=np.int8),
                is_critical=np.array([need[1] for need in needs], dtype=bool),
            ),
            demand=SimpleNamespace(incidents=demand, planted=np.zeros(0)),
            scenes=plain_scenes(len(demand), len(self.is_headline)),
            city=SimpleNamespace(
                towns=SimpleNamespace(code=("a", "b")),
                cells=SimpleNamespace(
                    town=np.array(self.town_of_cell, dtype=np.int16),
                    population=np.arange(1, self.n_cells + 1, dtype=np.int32) * 100,
                ),
            ),
            fleet=SimpleNamespace(
                stations=SimpleNamespace(
                    cell=stations[:, 0], k=stations[:, 1],
                    town=np.array([-1 if self.help_grade.get(s) else t for s, t in enumerate(stations[:, 2])], int),
                    planned_year=np.where(stations[:, 1] > 0, 2023, 0).astype(np.int16),
                    help_grade=np.array([self.help_grade.get(s, 0) for s in range(len(stations))], np.int8),
                    brigade=tuple("base" if at in self.bases else "" for at in range(len(stations))),
                    name=tuple(f"s{at}" for at in range(len(stations))),
                ),
                units=SimpleNamespace(
                    station=units[:, 0], crew_min=units[:, 1], crew_preferred=units[:, 1] + 2,
                    type_id=np.zeros(len(units), np.int16),
                    capabilities=np.array([self.capabilities.get(at, 1) for at in range(len(units))], np.uint64),
                    traits={"mode": np.array([at in self.aircraft for at in range(len(units))], np.int32)},
                ),
                unit_types=SimpleNamespace(code=("truck",)),
            ),
            changes=np.sort(np.array(self.changes, dtype=CHANGE_DTYPE), order=["time_ms", "kind", "entity"]),
            travel=SimpleNamespace(duration_ms=drive[None]),
            station_order=order_stations(drive[None], stations[:, 0]),
            durations=SimpleNamespace(
                values=np.stack([constant_table(v) for v in (45 * S, 90 * S, self.common_q16, 65536)]),
                turnout=np.array([0, 1], dtype=np.int16), travel_common=2, travel_own=3,
            ),
            roster=self.roster or no_roster(len(stations)),
            slot_ranks=np.zeros((int(n_slots.sum()), 4), dtype=np.uint32),
            policy=SimpleNamespace(air_tasks=self.air_tasks, rest_after_ms=0),
            sky=SimpleNamespace(
                is_flyable=np.array([h % 24 in self.flying_hours for h in range(24 * 60)], np.int8),
                road_q16=np.full(24 * 60, 65536, np.int32),
            ),
            period_of_hour=np.zeros(24 * 60, dtype=np.int8),
            is_night_of_hour=np.zeros(24 * 60, dtype=np.int8),
        )  # fmt: skip


@pytest.fixture
def city() -> City:
    return City()


@pytest.fixture
def log_of() -> Any:
    return make_log


@pytest.fixture
def calendar_of() -> Any:
    return make_calendar


@pytest.fixture(scope="session")
def engine_city(root: Path) -> Any:
    """The engine tests' tiny city, whose logs come from the real engine."""
    spec = importlib.util.spec_from_file_location("engine_tiny_city", root / "tests" / "engine" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["engine_tiny_city"] = module
    spec.loader.exec_module(module)
    return module.TinyCity
