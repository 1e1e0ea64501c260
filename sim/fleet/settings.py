"""Settings of the fleet and its dated changes: what is built, closed and upgraded when, and how many people there are.

A fleet choice, a schedule and a staffing are one YAML file each: the fields of `FleetSettings`, `ScheduleSettings` or
`StaffingSettings` and an `about` map that gives the standing and source of each number. The dataclasses are plain and
unfrozen, because they are also the schemas of their configuration groups. Next: `changes.py`, which turns schedule and
staffing into dated rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import ConfigDict, Field

from sim.config import (
    ABOUT,
    About,
    Group,
    about_of,
    checked,
    known_keys,
    leads_somewhere,
    leaves,
    read_about,
    read_yaml,
    states_number,
)
from sim.errors import Problems, nearest_name

FLEET = Group("fleet", "sim.fleet.settings:FleetSettings")
SCHEDULE = Group("schedule", "sim.fleet.settings:ScheduleSettings")
STAFFING = Group("staffing", "sim.fleet.settings:StaffingSettings")

Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Permille = Annotated[float, Field(ge=0, le=20, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@dataclass
class FleetSettings:
    """Which of the city folder's fleet tables hold, and a sweepable crew rule."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    name: str
    """ASCII name of the fleet."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    roles: Annotated[str, Field(pattern=r"^[^/\\]+\.csv$")] = "station_roles.csv"
    """File in the city folder that gives every station its class and bays."""
    crew_min_for_all: Annotated[int, Field(ge=0, le=30)] = 0
    """Smallest crew of every unit, people, but no more than its preferred one; 0 keeps the one of each unit type."""
    classes_left_out: list[str] = field(default_factory=list)
    """Station classes whose rules are left out: their stations are what the next more general rule says."""


@dataclass
class ScheduleRow:
    """One dated change of one station or one unit."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    date: Day
    """Day on which it happens, at local midnight (YYYY-MM-DD)."""
    action: str
    """open, close, upgrade (to the role's later class and added units), withdraw_unit or return_unit."""
    town: str
    """Code of the town."""
    site: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Number of the station in its town, from 1; the standing ones come first, then those to build in their order.
    0 with `open` is the next station of the town that is not open."""
    unit: Annotated[int, Field(ge=0, le=1_000)] = 0
    """Bay of the unit in its station, from 1; only for the two unit actions."""
    why: str = ""
    """Reason or source, for the reader."""


@dataclass
class ScheduleSettings:
    """What is built, closed and upgraded, and when."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    name: str
    """ASCII name of the schedule."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    is_plan_built: bool = False
    """Whether every station of the plan's building table opens in the year the table gives."""
    allocation: Literal["plan", "by_demand"] = "plan"
    """plan: in the towns of the plan's table; by_demand: as many a year, each where most incidents are to be expected
    per station, on the sites that the towns have."""
    plan_year_opens_in: dict[int, Annotated[int, Field(ge=1900, le=2200)]] = field(default_factory=dict)
    """Year in which the stations of a year of the plan's table open, where that is another."""
    opening_month: Annotated[int, Field(ge=1, le=12)] = 7
    """Month of that year in which the plan's stations open."""
    opening_day: Annotated[int, Field(ge=1, le=28)] = 1
    """Day of that month."""
    command_centre_from: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    """Day from which calls are handled as by the new command centre; empty: never."""
    rows: list[ScheduleRow] = field(default_factory=list)
    """Further dated changes, in any order."""
    is_outside_run_allowed: bool = False
    """Whether changes before the run's start stand at its start and changes after its end are left out; if not, both
    are errors."""


@dataclass
class StaffStep:
    """From a day on, so many professional staff per thousand residents."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    from_date: Day
    """First day of the new level (YYYY-MM-DD)."""
    permille: Permille
    """Professional staff per thousand residents."""


@dataclass
class StaffingSettings:
    """How many people are on duty in the whole city; `staffing.py` shares them over the open stations."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    name: str
    """ASCII name of the staffing path."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    rule: Literal["ratio", "stated"] = "ratio"
    """ratio: the ratio of staff to residents below; stated: at each station as many as `stations.csv` says, or enough
    for the preferred crew of every unit in service where it says nothing."""
    initial_permille: Permille = 0.26
    """Professional staff per thousand residents until the first step."""
    steps: list[StaffStep] = field(default_factory=list)
    """Later levels; a step before the run's start is history, one after its end never comes."""
    residents: Literal["plan", "by_year", "growth"] = "plan"
    """Residents that the ratio is applied to. plan: the plan's own number, whatever the year; by_year: each year's
    figure in the city's residents.csv, from 1 January on; growth: the plan's number, growing at the rate below."""
    residents_growth_per_year: Annotated[float, Field(ge=-0.2, le=0.2, allow_inf_nan=False)] = 0.0
    """Yearly growth of those residents, in steps on 1 January from the year of the city's figures on; only with
    residents=growth."""
    operational_share: Share = 1.0
    """Share of the staff that rides on the units of the stations."""
    enterprise_staff: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """People of the ratio who serve in enterprise brigades and ride with no station, whatever the ratio; the share
    above is of the others."""
    present_share: Share = 0.68
    """Share of those that is in the station on any day, under 24-hour duty with days off and leave; where a roster has
    shifts, they say instead."""
    sharing: Literal["class", "demand", "town"] = "class"
    """How those on duty are shared over the open stations once each has a crew. class: by the middle of the norm of the
    station's class; demand: by the fires and rescues to be expected where it is the nearest; town: by the residents of
    its town, within it by class. Under the last two a station gets no more than its units can use while others can."""
    on_duty_per_station: Annotated[int, Field(ge=0, le=500)] = 0
    """People on duty at every open station, whatever that takes: the ratio then follows from it; 0: the ratio holds."""


def load_fleet_settings(path: Path) -> tuple[FleetSettings, dict[str, About]]:
    """Return the fleet choice in the YAML file `path`, and standing and source of each of its numbers by dotted key.

    Raises
    ------
    InputError
        If the file is unreadable, a setting is wrong, or a number has no source or no known standing.
    """
    settings, about = _load(FLEET, path)
    return cast(FleetSettings, settings), about


def load_schedule(path: Path) -> tuple[ScheduleSettings, dict[str, About]]:
    """Return the schedule in the YAML file `path`, and standing and source of each of its numbers by dotted key.

    Raises
    ------
    InputError
        If the file is unreadable, a setting is wrong, or a number has no source or no known standing.
    """
    settings, about = _load(SCHEDULE, path)
    return cast(ScheduleSettings, settings), about


def load_staffing(path: Path) -> tuple[StaffingSettings, dict[str, About]]:
    """Return the staffing in the YAML file `path`, and standing and source of each of its numbers by dotted key.

    Raises
    ------
    InputError
        If the file is unreadable, a setting is wrong, or a number has no source or no known standing.
    """
    settings, about = _load(STAFFING, path)
    return cast(StaffingSettings, settings), about


def _load(group: Group, path: Path) -> tuple[object, dict[str, About]]:
    problems = Problems()
    content = read_yaml(path, problems)
    problems.raise_if_any()
    about = read_about(content, path.name, problems)
    schema = group.load_schema()
    for key in about:
        if not leads_somewhere(schema, key.split(".")):
            mend = nearest_name(key, known_keys(schema))
            problems.add(path.name, f"({ABOUT}) explains what is no setting", value=key, mend=mend)
    settings = checked(group, content, {"": path.name}, problems)
    for key, value in leaves({key: value for key, value in content.items() if key != ABOUT}):
        if states_number(value) and about_of(key, about) is None:
            problems.add(path.name, f"({ABOUT}.{key}) has no source", mend="say how the number is known and from where")
    problems.raise_if_any()
    return settings, about
