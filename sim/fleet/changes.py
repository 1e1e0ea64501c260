"""A scenario's dated changes: which stations and units are there, and how many people each station has, at every date.

Steps of `build_changes`: gather the plan's builds and the schedule's rows as dated actions; walk through all dates on
which something can change (actions, staff steps, growing residents, the command centre); after the actions of a date,
share the people on duty anew over the open stations; write down what differs from the date before. So the rows never
repeat a state, and the rows at time 0 are the state at the run's start. The engine applies the rows as they stand; this
module knows no engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems, nearest_name
from sim.fleet.builds import planned_builds
from sim.fleet.parts import (
    CHANGE_DTYPE,
    CalendarLike,
    ChangeKind,
    Changes,
    CityLike,
    Fleet,
    Note,
    StaffStep,
)
from sim.fleet.settings import ScheduleRow, ScheduleSettings, StaffingSettings
from sim.fleet.staffing import Strength, share_people, strength
from sim.units import MS_PER_DAY

PLAN_BUILD = "plan build"
ACTIONS = ("close", "open", "upgrade", "withdraw_unit", "return_unit")
"""Actions of a schedule row, in the order in which those of one day are applied."""


def build_changes(
    fleet: Fleet,
    city: CityLike,
    schedule: ScheduleSettings,
    staffing: StaffingSettings,
    calendar: CalendarLike,
    town_weight: NDArray[np.float64] | None = None,
    posted: Sequence[tuple[date, int]] = (),
) -> Changes:
    """Return the dated changes of one scenario, sorted by time, kind and entity.

    `town_weight`: (n_towns,) expected incidents, for schedules that build by demand; residents if it is not given.
    `posted`: (day, people on duty elsewhere from then on), ascending: so many fewer are shared over the stations.

    Raises
    ------
    InputError
        With all problems: days that are none; changes before the run's start or after its end (unless the schedule
        allows them); unknown actions and towns; sites and units that a town or station does not have; opening what is
        open, closing what is not, upgrading what has no later class or has it already; two staff steps on a day.
    """
    problems = Problems()
    weight = city.towns.population.astype(np.float64) if town_weight is None else town_weight
    actions = _actions(fleet, city, schedule, calendar, weight, problems)
    _check_days(schedule, staffing, problems)
    problems.raise_if_any()
    walk = _Walk(fleet, city, schedule, staffing, calendar, posted, problems)
    other_days = [*_other_days(schedule, staffing, calendar), *(day for day, _ in posted)]
    for day, on_day in _by_day(actions, other_days, calendar):
        walk.step(day, on_day)
    problems.raise_if_any()
    return walk.result()


# --- what is to be done, and when -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Action:
    """One thing to do to one station or unit; `where` names the line that asks for it."""

    day: date
    action: str
    town: int
    site: int
    unit: int
    where: str


def _actions(
    fleet: Fleet,
    city: CityLike,
    schedule: ScheduleSettings,
    calendar: CalendarLike,
    town_weight: NDArray[np.float64],
    problems: Problems,
) -> list[_Action]:
    """Return the plan's builds and the schedule's rows that fall within the run, those of one day in their order."""
    found: list[_Action] = []
    for build in planned_builds(fleet, schedule, town_weight, problems):
        day = date(build.year, schedule.opening_month, schedule.opening_day)
        where = f"{PLAN_BUILD} {fleet.stations.name[build.station]}"
        found.append(_Action(day, "open", build.town, build.site, 0, where))
    for i, row in enumerate(schedule.rows):
        action = _row_action(row, f"{schedule.name}: rows.{i}", city, problems)
        if action is not None:
            found.append(action)
    inside = [action for action in found if _side(action.day, calendar) == "in"]
    outside = [action for action in found if _side(action.day, calendar) != "in"]
    if schedule.is_outside_run_allowed:
        inside += [action for action in outside if _side(action.day, calendar) == "before"]
    else:
        _add_outside(outside, schedule, calendar, problems)
    return sorted(inside, key=lambda a: (max(a.day, calendar.start), ACTIONS.index(a.action)))


def _row_action(row: ScheduleRow, where: str, city: CityLike, problems: Problems) -> _Action | None:
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
    return _Action(day, row.action, city.towns.code.index(row.town), row.site, row.unit, where)


def _side(day: date, calendar: CalendarLike) -> str:
    """Return whether a day is "in" the run, "before" or "after" it."""
    offset = (day - calendar.start).days
    return "before" if offset < 0 else "in" if offset < calendar.n_days else "after"


def _add_outside(
    outside: list[_Action], schedule: ScheduleSettings, calendar: CalendarLike, problems: Problems
) -> None:
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


def _check_days(schedule: ScheduleSettings, staffing: StaffingSettings, problems: Problems) -> None:
    """Add problems for days that are none, and for two staff steps on a day."""
    if schedule.command_centre_from:
        _day(schedule.command_centre_from, f"{schedule.name}: command_centre_from", problems)
    days = [step.from_date for step in staffing.steps]
    for i, text in enumerate(days):
        where = f"{staffing.name}: steps.{i}"
        _day(text, where, problems)
        if text in days[:i]:
            problems.add(where, "(from_date) has a step already", value=text, mend="keep one of them")


def _other_days(schedule: ScheduleSettings, staffing: StaffingSettings, calendar: CalendarLike) -> list[date]:
    """Return the days on which people or regimes may change without any action."""
    days = [date.fromisoformat(step.from_date) for step in staffing.steps]
    if schedule.command_centre_from:
        days.append(date.fromisoformat(schedule.command_centre_from))
    if staffing.residents_growth_per_year:
        last = date.fromordinal(calendar.start.toordinal() + calendar.n_days - 1)
        days += [date(year, 1, 1) for year in range(calendar.start.year + 1, last.year + 1)]
    return days


def _by_day(
    actions: list[_Action], other_days: list[date], calendar: CalendarLike
) -> Iterator[tuple[date, list[_Action]]]:
    """Yield the run's first day and each later day of the run with a change, and what is to be done on it."""
    of_day = {day: list(group) for day, group in groupby(actions, key=lambda a: max(a.day, calendar.start))}
    end = calendar.start.toordinal() + calendar.n_days
    inside = {day for day in other_days if calendar.start <= day and day.toordinal() < end}
    for day in sorted(inside | set(of_day) | {calendar.start}):
        yield day, of_day.get(day, [])


# --- the state, date by date ------------------------------------------------------------------------------------------


class _Walk:
    """The fleet's state while its dates are walked through, and the rows and notes found on the way."""

    def __init__(
        self,
        fleet: Fleet,
        city: CityLike,
        schedule: ScheduleSettings,
        staffing: StaffingSettings,
        calendar: CalendarLike,
        posted: Sequence[tuple[date, int]],
        problems: Problems,
    ) -> None:
        self.posted = posted
        self.fleet, self.city, self.schedule, self.staffing = fleet, city, schedule, staffing
        self.calendar, self.problems = calendar, problems
        n_stations, n_units = fleet.stations.n_stations, fleet.units.n_units
        self.is_open = fleet.stations.is_existing.copy()
        self.class_id = fleet.stations.class_id.copy()
        self.is_there = ~fleet.units.is_added
        self.first_site = np.searchsorted(fleet.stations.town, np.arange(len(city.towns.code) + 1))
        self.was_open = np.zeros(n_stations, dtype=np.bool_)
        self.was_in_service = np.zeros(n_units, dtype=np.bool_)
        self.was_people = np.zeros(n_stations, dtype=np.int64)
        self.was_manned = np.zeros(n_stations, dtype=np.bool_)
        self.most_people = np.full(n_units, -1, dtype=np.int64)
        self.regime = -1
        self.rows: list[tuple[int, int, int, int]] = []
        self.notes: list[Note] = []
        self.steps: list[StaffStep] = []

    def step(self, day: date, actions: list[_Action]) -> None:
        """Apply one day's actions, share the people anew and write down what differs from before."""
        for action in actions:
            self._apply(action)
        time_ms = (day - self.calendar.start).days * MS_PER_DAY
        residents, year = int(self.city.towns.population.sum()), self.city.population_year
        city_strength = strength(self.staffing, residents, year, day)
        in_service = self.is_there & self.is_open[self.fleet.units.station]
        first_crew = self._first_crew(in_service)
        elsewhere = [people for since, people in self.posted if since <= day][-1:]
        people = self._people(max(city_strength.on_duty - sum(elsewhere), 0), first_crew)
        is_manned = (people >= first_crew) & (first_crew > 0)
        self._write_rows(time_ms, in_service, people, self._regime(day))
        self._write_notes(time_ms, day, city_strength, people, first_crew, is_manned)
        np.maximum(self.most_people, people[self.fleet.units.station], out=self.most_people, where=in_service)
        n_open, n_manned = int(self.is_open.sum()), int(is_manned.sum())
        n_vehicles = int(np.sum(in_service & self.fleet.unit_types.is_vehicle[self.fleet.units.type_id]))
        s = city_strength
        self.steps.append(
            StaffStep(time_ms, day, s.permille, s.residents, s.staff, s.on_duty, n_open, n_open - n_manned, n_vehicles)
        )
        self.was_open, self.was_in_service = self.is_open.copy(), in_service
        self.was_people, self.was_manned = people, is_manned

    def result(self) -> Changes:
        """Return the changes, with a note for each unit that its station never has the people for."""
        units, last_ms = self.fleet.units, self.steps[-1].time_ms
        for unit in np.flatnonzero((self.most_people >= 0) & (self.most_people < units.crew_min)):
            station = int(units.station[unit])
            code = self.fleet.unit_types.code[units.type_id[unit]]
            text = f"{code} of {self.fleet.stations.name[station]} needs {units.crew_min[unit]} people"
            text += f", the station never has more than {self.most_people[unit]}"
            self.notes.append(Note("unit_never_manned", last_ms, station, int(unit), int(self.most_people[unit]), text))
        rows = np.array(sorted(self.rows), dtype=CHANGE_DTYPE)
        rows.flags.writeable = False
        return Changes(rows, tuple(self.notes), tuple(self.steps))

    def _apply(self, action: _Action) -> None:
        first, end = int(self.first_site[action.town]), int(self.first_site[action.town + 1])
        code = self.city.towns.code[action.town]
        if action.site > end - first:
            self._refuse(action, f"{code!r} has {end - first} sites", action.site, "add sites or build less")
            return
        station = first + action.site - 1
        if action.site == 0:
            closed = first + np.flatnonzero(~self.is_open[first:end])
            if not len(closed):
                self._refuse(action, f"all {end - first} sites of {code!r} are open", None, "add sites or build less")
                return
            station = int(closed[0])
        apply: dict[str, Callable[[_Action, int], None]] = {
            "open": self._open,
            "close": self._close,
            "upgrade": self._upgrade,
            "withdraw_unit": self._set_unit,
            "return_unit": self._set_unit,
        }
        apply[action.action](action, station)

    def _refuse(self, action: _Action, rule: str, value: object, mend: str) -> None:
        self.problems.add(f"{action.where} ({action.action} on {action.day})", rule, value=value, mend=mend)

    def _open(self, action: _Action, station: int) -> None:
        if self.is_open[station]:
            self._refuse(action, "is open already", self.fleet.stations.name[station], "open each station once")
        self.is_open[station] = True

    def _close(self, action: _Action, station: int) -> None:
        if not self.is_open[station]:
            self._refuse(action, "is not open then", self.fleet.stations.name[station], "open it first or drop the row")
        self.is_open[station] = False

    def _upgrade(self, action: _Action, station: int) -> None:
        later, name = int(self.fleet.stations.later_class_id[station]), self.fleet.stations.name[station]
        if later < 0:
            self._refuse(action, "has no later class", name, "give its role a later_class and an added_fleet")
            return
        added = self.fleet.units.is_added & (self.fleet.units.station == station)
        if self.is_there[added].any():
            self._refuse(action, "is upgraded already", name, "keep one of the rows")
        self.class_id[station] = later
        self.is_there |= added

    def _set_unit(self, action: _Action, station: int) -> None:
        units, name = self.fleet.units, self.fleet.stations.name[station]
        found = np.flatnonzero((units.station == station) & (units.bay == action.unit))
        if not len(found):
            n_bays = int(np.sum(units.station == station))
            self._refuse(action, f"{name!r} has {n_bays} bays", action.unit, "name one of them")
            return
        will_be_there = action.action == "return_unit"
        if self.is_there[found[0]] == will_be_there:
            state = "is in service already" if will_be_there else "is not in service then"
            self._refuse(action, f"the unit in bay {action.unit} {state}", name, "drop the row")
        self.is_there[found[0]] = will_be_there

    def _first_crew(self, in_service: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the smallest crew with which each station can send any unit; 0 where it has none in service."""
        none = np.iinfo(np.int64).max
        first_crew = np.full(self.fleet.stations.n_stations, none, dtype=np.int64)
        units = self.fleet.units
        np.minimum.at(first_crew, units.station[in_service], units.crew_min[in_service].astype(np.int64))
        return np.where(first_crew == none, 0, first_crew)

    def _people(self, on_duty: int, first_crew: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the people at each station of `on_duty` in all; only open stations with a unit in service have any."""
        people = np.zeros(self.fleet.stations.n_stations, dtype=np.int64)
        sharing = np.flatnonzero(first_crew > 0)
        weight = self.fleet.classes.weight[self.class_id[sharing]]
        people[sharing] = share_people(on_duty, weight, first_crew[sharing])
        return people

    def _regime(self, day: date) -> int:
        start = self.schedule.command_centre_from
        return int(bool(start) and date.fromisoformat(start) <= day)

    def _write_rows(self, time_ms: int, in_service: NDArray[np.bool_], people: NDArray[np.int64], regime: int) -> None:
        kinds = (
            (ChangeKind.STATION_CLOSE, self.was_open & ~self.is_open),
            (ChangeKind.STATION_OPEN, self.is_open & ~self.was_open),
            (ChangeKind.UNIT_WITHDRAW, self.was_in_service & ~in_service),
            (ChangeKind.UNIT_IN_SERVICE, in_service & ~self.was_in_service),
        )
        for kind, which in kinds:
            self.rows += [(time_ms, int(kind), int(entity), 0) for entity in np.flatnonzero(which)]
        changed = (people != self.was_people) | (self.is_open & ~self.was_open)
        for station in np.flatnonzero(changed):
            self.rows.append((time_ms, int(ChangeKind.STATION_PEOPLE), int(station), int(people[station])))
        if regime != self.regime:
            self.rows.append((time_ms, int(ChangeKind.HANDLING_REGIME), -1, regime))
            self.regime = regime

    def _write_notes(
        self,
        time_ms: int,
        day: date,
        city_strength: Strength,
        people: NDArray[np.int64],
        first_crew: NDArray[np.int64],
        is_manned: NDArray[np.bool_],
    ) -> None:
        if city_strength.on_duty and not first_crew.any():
            text = f"{day}: {city_strength.on_duty} people are on duty and no station is open for them"
            self.notes.append(Note("no_station", time_ms, -1, -1, city_strength.on_duty, text))
        kinds = (
            ("opens_empty", self.is_open & ~is_manned & ~self.was_open, "opens without the people for any unit"),
            ("falls_empty", self.is_open & ~is_manned & self.was_manned, "no longer has the people for any unit"),
            ("is_manned_again", is_manned & self.was_open & ~self.was_manned, "has the people for a unit again"),
        )
        for code, which, what in kinds:
            for station in np.flatnonzero(which):
                text = f"{day}: {self.fleet.stations.name[station]} {what}"
                text += f" ({people[station]} on duty, smallest crew {first_crew[station]})"
                self.notes.append(Note(code, time_ms, int(station), -1, int(people[station]), text))
