"""The city folder's own demand, loaded once, and short ways to draw from it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sim.city import load_city
from sim.city.types import City
from sim.config import configs_root
from sim.demand.build import read_settings
from sim.demand.calendar import Calendar, build_calendar
from sim.demand.draw import draw_demand
from sim.demand.intensity import Intensity, prepare_demand
from sim.demand.kinds import DemandTables, load_demand_tables
from sim.demand.quantiles import QuantileStore, load_store
from sim.demand.settings import CalendarSettings, DemandSettings
from sim.demand.types import Demand

SEED = 20_220_101


@dataclass(frozen=True)
class World:
    """A city with everything that its incidents are drawn from."""

    folder: Path
    city: City
    tables: DemandTables
    settings: DemandSettings
    store: QuantileStore

    def changed(self, **changes: Any) -> DemandSettings:
        settings = copy.deepcopy(self.settings)
        for name, value in changes.items():
            assert hasattr(settings, name)
            setattr(settings, name, value)
        return settings

    def calendar(self, measure_from: str, measure_to: str, warm_up_days: int = 0, run_out_days: int = 0) -> Calendar:
        days = CalendarSettings(measure_from, measure_to, warm_up_days, run_out_days)
        return build_calendar(days, self.city.holidays_country, self.settings.reference_year)

    def intensity(self, calendar: Calendar, **changes: Any) -> Intensity:
        return prepare_demand(self.city, self.tables, self.changed(**changes), calendar, self.store)

    def draw(self, calendar: Calendar, replication: int = 0, seed: int = SEED, **changes: Any) -> Demand:
        return draw_demand(self.intensity(calendar, **changes), seed, replication)


@pytest.fixture(scope="session")
def world() -> World:
    folder = configs_root() / "city" / "dongguan"
    settings = read_settings(configs_root() / "demand" / "default.yaml", "demand", DemandSettings)
    return World(folder, load_city(folder), load_demand_tables(folder), settings, load_store(folder))


@pytest.fixture(scope="session")
def year(world: World) -> Calendar:
    """The reference year alone."""
    return world.calendar("2023-01-01", "2024-01-01")
