"""What is to be done to stations and units, and on which days: the plan's builds and a schedule's rows as actions.

Next: `changes.py`, which walks through the days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems, nearest_name
from sim.fleet.builds import planned_builds
from sim.fleet.parts import CalendarLike, CityLike, Fleet
from sim.fleet.settings import ScheduleRow, ScheduleSettings, StaffingSettings

PLAN_BUILD = "plan build"
ACTIONS = ("close", "open", "upgrade", "withdraw_unit", "return_unit")
"""Actions of a schedule row, in the order in which those of one day are applied."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do to one station or unit; `where` names the line that asks for it."""

    day: date
    action: str
    town: int
    site: int
    unit: int
    where: str


def actions_of(
    fleet: Fleet,
    city: CityLike,
    schedule: ScheduleSettings,
    calendar: CalendarLike,
    town_weight: NDArray[np.float64],
    problems: Problems,
) -> list[Action]:
    """Return the plan's builds and the schedule's rows that fall within the run, those of one day in their order."""
    found: list[Action] = []
    for build in planned_builds(fleet, schedule, town_weight, problems):
        day = date(build.year, schedule.opening_month, schedule.opening_day)
        where = f"{PLAN_BUILD} {fleet.stations.name[build.station]}"
        found.append(Action(day, "open", build.town, build.site, 0, where))
    for i, row in enumerate(schedule.rows):
        action = _row_action(row, f"schedule {schedule.name}: rows.{i}", city, problems)
        if action is not None:
            found.append(action)
    inside = [action for action in found if _side(action.day, calendar) == "in"]
    outside = [action for action in found if _side(action.day, calendar) != "in"]
    if schedule.is_outside_run_allowed:
        inside += [action for action in outside if _side(action.day, calendar) == "before"]
    else:
        _add_outside(outside, schedule, calendar, problems)
    return sorted(inside, key=lambda a: (max(a.day, calendar.start), ACTIONS.index(a.action)))


def _row_action(row: ScheduleRow, where: str, city: CityLike, problems: Problems) -> Action | None:
    """Return a schedule row as an action, or None after adding what is wrong with it."""
    n_before = len(problems.found)
    day = _day(row.date, where, problems)
    if row.action not in ACTIONS:
        problems.add(where, "(action) is unknown", value=row.action, mend=nearest_name(row.action, ACTIONS))
    if row.town not in city.towns.code:
        problems.add(where, "(town) is not in towns.csv", value=row.town, mend=nearest_name(row.town, city.towns.code))
    if row.action != "open" and row.site == 0:
        problems.add(where, "(site) must name a station", value=0, mend="give its number in the town, from 1")
    if (row.unit > 0) != row.action.endswith("_unit"):
        problems.add(where, f"(unit) does not go with {row.action!r}", value=row.unit, mend="unit actions name a bay")
    if day is None or len(problems.found) > n_before:
        return None
    return Action(day, row.action, city.towns.code.index(row.town), row.site, row.unit, where)


def _side(day: date, calendar: CalendarLike) -> str:
    """Return whether a day is "in" the run, "before" or "after" it."""
    offset = (day - calendar.start).days
    return "before" if offset < 0 else "in" if offset < calendar.n_days else "after"


def _add_outside(outside: list[Action], schedule: ScheduleSettings, calendar: CalendarLike, problems: Problems) -> None:
    """Add a problem for each action outside the run; the plan's builds, which may be many, make one for either side."""
    last = date.fromordinal(calendar.start.toordinal() + calendar.n_days - 1)
    run = f"the run, which is from {calendar.start} to {last}"
    mend = (
        "change the window or the schedule, or set schedule.is_outside_run_allowed=true: "
        "then what lies before the run is done when it starts, and what lies after it is left out"
    )
    for side in ("before", "after"):
        found = [action for action in outside if _side(action.day, calendar) == side]
        builds = [action for action in found if action.where.startswith(PLAN_BUILD)]
        if builds:
            named = ", ".join(f"{a.where.removeprefix(PLAN_BUILD).strip()} on {a.day}" for a in builds[:2])
            rule = f"plans {len(builds)} builds {side} {run} ({named}{', …' if len(builds) > 2 else ''})"
            problems.add(f"schedule {schedule.name}", rule, mend=mend)
        for action in found:
            if not action.where.startswith(PLAN_BUILD):
                problems.add(action.where, f"is {side} {run}", value=str(action.day), mend=mend)


def _day(text: str, where: str, problems: Problems) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        problems.add(where, "is not a day of the calendar", value=text, mend="write it as YYYY-MM-DD")
        return None


def check_days(schedule: ScheduleSettings, staffing: StaffingSettings, problems: Problems) -> None:
    """Add problems for days that are none, and for two staff steps on a day."""
    if schedule.command_centre_from:
        _day(schedule.command_centre_from, f"{schedule.name}: command_centre_from", problems)
    days = [step.from_date for step in staffing.steps]
    for i, text in enumerate(days):
        where = f"{staffing.name}: steps.{i}"
        _day(text, where, problems)
        if text in days[:i]:
            problems.add(where, "(from_date) has a step already", value=text, mend="keep one of them")


def other_days(schedule: ScheduleSettings, staffing: StaffingSettings) -> list[date]:
    """Return the days on which the ratio or the regime may change without any action."""
    days = [date.fromisoformat(step.from_date) for step in staffing.steps]
    if schedule.command_centre_from:
        days.append(date.fromisoformat(schedule.command_centre_from))
    return days


def by_day(
    actions: list[Action], other_days: list[date], calendar: CalendarLike
) -> Iterator[tuple[date, list[Action]]]:
    """Yield the run's first day and each later day of the run with a change, and what is to be done on it."""
    of_day = {day: list(group) for day, group in groupby(actions, key=lambda a: max(a.day, calendar.start))}
    end = calendar.start.toordinal() + calendar.n_days
    inside = {day for day in other_days if calendar.start <= day and day.toordinal() < end}
    for day in sorted(inside | set(of_day) | {calendar.start}):
        yield day, of_day.get(day, [])
