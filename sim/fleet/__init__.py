"""Who responds: stations, units and people, and the dated changes that open, close, upgrade and man them.

Read `parts.py` for what there is, `build.py` for who stands where, `changes.py` for what changes when, `staffing.py`
for how people are shared, `rosters.py` for who of them is on duty. The fleet knows neither incidents nor roads, nor any
city.
"""

from sim.fleet.build import build_fleet
from sim.fleet.changes import build_changes
from sim.fleet.parts import CHANGE_DTYPE, ChangeKind, Changes, Fleet, Note, StaffStep, StationClasses, Stations, Units
from sim.fleet.settings import (
    FleetSettings,
    ScheduleRow,
    ScheduleSettings,
    StaffingSettings,
    load_fleet_settings,
    load_schedule,
    load_staffing,
)
from sim.fleet.staffing import share_people, strength
from sim.fleet.tables import FleetTables, load_fleet_tables

__all__ = [
    "CHANGE_DTYPE",
    "ChangeKind",
    "Changes",
    "Fleet",
    "FleetSettings",
    "FleetTables",
    "Note",
    "ScheduleRow",
    "ScheduleSettings",
    "StaffStep",
    "StaffingSettings",
    "StationClasses",
    "Stations",
    "Units",
    "build_changes",
    "build_fleet",
    "load_fleet_settings",
    "load_fleet_tables",
    "load_schedule",
    "load_staffing",
    "share_people",
    "strength",
]
