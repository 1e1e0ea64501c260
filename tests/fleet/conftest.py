"""Small stand-ins with the contract's fields, and the committed city's fleet on one cell per town."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.fleet import (
    Changes,
    Fleet,
    ScheduleRow,
    ScheduleSettings,
    StaffingSettings,
    build_changes,
    build_fleet,
    load_fleet_tables,
)
from sim.fleet.settings import StaffStep
from sim.plan import load_plan

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"
DONGGUAN = CONFIGS / "city" / "dongguan"

_MOTION = "mode,callout_min,ready_min,access_min,speed_kmh,track_kmh,range_km,duty_h,motion_source,motion_standing"
UNIT_TYPES = f"""code,name_zh,name_en,is_vehicle,capabilities,crew_min,crew_preferred,source,standing,{_MOTION}
pumper,水罐车,pumper,true,water,4,6,test,assumed,road,0,,,,3,,,test,assumed
ladder,云梯车,ladder,true,aerial water,3,5,test,assumed,road,1.5,20,,,3,,,test,assumed
boat,艇,boat,false,boat,5,5,test,assumed,road,0,,,,3,,,test,assumed
"""
FLEETS = """fleet,bay,unit_type,source,standing
big,1,pumper,test,assumed
big,2,ladder,test,assumed
little,1,pumper,test,assumed
more,1,ladder,test,assumed
more,2,boat,test,assumed
"""
ROLES = """town,group,number,station_class,fleet,brigade,later_class,added_fleet,name_zh,name_en,source,standing
,existing,1,large,big,national,,,,,test,assumed
,existing,,little,little,government,large,more,,,test,assumed
,new,,little,little,government,,,,,test,assumed
east,new,1,large,big,government,,,东站,East station,test,assumed
"""
BITS = {"water": 0, "aerial": 2, "boat": 5}


@dataclass
class Towns:
    code: tuple[str, ...]
    population: np.ndarray

    @property
    def name_zh(self) -> tuple[str, ...]:
        return tuple(f"{code}镇" for code in self.code)

    @property
    def name_en(self) -> tuple[str, ...]:
        return tuple(code.title() for code in self.code)


def make_city(codes: tuple[str, ...], population: list[int], year: int = 2020) -> SimpleNamespace:
    """Return a city with ten cells per town."""
    towns = Towns(codes, np.array(population, dtype=np.int64))
    cells = SimpleNamespace(town=np.repeat(np.arange(len(codes), dtype=np.int16), 20))
    return SimpleNamespace(towns=towns, cells=cells, population_year=year)


def make_siting(now: list[int], new: list[int]) -> SimpleNamespace:
    """Return sites numbered town by town, those that stand first, each in a cell of its own."""
    town = np.concatenate([np.full(a + b, t) for t, (a, b) in enumerate(zip(now, new, strict=True))]).astype(np.int16)
    k = np.concatenate([np.arange(a + b) for a, b in zip(now, new, strict=True)]).astype(np.int16)
    is_existing = np.concatenate([np.arange(a + b) < a for a, b in zip(now, new, strict=True)])
    return SimpleNamespace(cells=(20 * town + k).astype(np.int32), town=town, k=k, is_existing=is_existing)


def make_plan(codes: tuple[str, ...], now: list[int], builds: list[list[int]], years: tuple[int, ...]):
    figures = {"large": (30, 45), "little": (15, 15)}
    classes = tuple(
        SimpleNamespace(id=name, name_zh=name, name_en=name, figures={"on_duty": SimpleNamespace(low=low, high=high)})
        for name, (low, high) in figures.items()
    )
    return SimpleNamespace(
        code=codes, stations_now=np.array(now), builds=np.array(builds), years=years, classes=classes
    )


def write_tables(folder: Path, types: str = UNIT_TYPES, fleets: str = FLEETS, roles: str = ROLES) -> Path:
    for name, text in (("unit_types", types), ("fleets", fleets), ("station_roles", roles)):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


@dataclass
class TinyWorld:
    """Two towns: west with stations 0, 1 standing and 2 to build, east with 3 standing and 4, 5 to build."""

    folder: Path
    codes: tuple[str, ...] = ("west", "east")
    now: list[int] = field(default_factory=lambda: [2, 1])
    new: list[int] = field(default_factory=lambda: [1, 2])
    builds: list[list[int]] = field(default_factory=lambda: [[1, 0], [1, 1]])
    years: tuple[int, ...] = (2022, 2023)
    residents: int = 100_000
    start: date = date(2022, 1, 1)
    n_days: int = 3 * 365

    @property
    def city(self) -> SimpleNamespace:
        share = self.residents // len(self.codes)
        return make_city(self.codes, [self.residents - share * (len(self.codes) - 1)] + [share] * (len(self.codes) - 1))

    @property
    def calendar(self) -> SimpleNamespace:
        return SimpleNamespace(start=self.start, n_days=self.n_days)

    def fleet(self) -> Fleet:
        plan = make_plan(self.codes, self.now, self.builds, self.years)
        tables = load_fleet_tables(self.folder, BITS)
        return build_fleet(self.city, plan, make_siting(self.now, self.new), tables)

    def changes(
        self, schedule: ScheduleSettings, staffing: StaffingSettings, present: Fraction | None = None, **more: Any
    ) -> Changes:
        fleet, calendar = self.fleet(), self.calendar
        return build_changes(fleet, self.city, schedule, staffing, calendar, present=present, **more)


@pytest.fixture
def tiny(tmp_path: Path) -> TinyWorld:
    return TinyWorld(write_tables(tmp_path))


def make_schedule(*rows: tuple[str, str, str, int] | tuple[str, str, str, int, int], **fields: object):
    """Return a schedule with rows given as (date, action, town, site[, unit])."""
    made = [ScheduleRow(*row[:4], *(row[4:])) for row in rows]
    return ScheduleSettings(name="test", label_zh="", label_en="", rows=made, **fields)


def make_staffing(permille: float = 0.5, steps: tuple[tuple[str, float], ...] = (), **fields: object):
    made = [StaffStep(day, level) for day, level in steps]
    fields = {"present_share": 1.0, **fields}
    return StaffingSettings(name="test", label_zh="", label_en="", initial_permille=permille, steps=made, **fields)


def people_at(changes: Changes, time_ms: int, n_stations: int) -> np.ndarray:
    """Return the people at each station just after `time_ms`, by replaying the rows."""
    people = np.zeros(n_stations, dtype=np.int64)
    for row in changes.rows:
        if row["time_ms"] <= time_ms and row["kind"] == 4:
            people[row["entity"]] = row["value"]
    return people


@pytest.fixture(scope="session")
def dongguan() -> SimpleNamespace:
    """The committed plan and fleet tables, on stand-in cells: the plan's 190 sites and a spare one in each town."""
    plan = load_plan(DONGGUAN)
    city = make_city(plan.code, plan.population.tolist())
    with (DONGGUAN / "capabilities.csv").open(encoding="utf-8") as file:
        bits = {row["code"]: int(row["bit"]) for row in csv.DictReader(file)}
    tables = load_fleet_tables(DONGGUAN, bits)
    siting = make_siting(plan.stations_now.tolist(), (plan.builds.sum(axis=1) + 1).tolist())
    fleet = build_fleet(city, plan, siting, tables)
    calendar = SimpleNamespace(start=date(2021, 12, 1), n_days=(date(2027, 1, 31) - date(2021, 12, 1)).days)

    def changes(schedule: ScheduleSettings, staffing: StaffingSettings) -> Changes:
        return build_changes(fleet, city, schedule, staffing, calendar)

    build: Callable[[ScheduleSettings, StaffingSettings], Changes] = changes
    return SimpleNamespace(
        plan=plan, city=city, tables=tables, siting=siting, fleet=fleet, calendar=calendar, changes=build, bits=bits
    )
