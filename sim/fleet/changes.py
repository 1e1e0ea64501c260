"""A scenario's dated changes: which stations and units are there, and how many people each station has, at every date.

Steps of `build_changes`: gather the plan's builds and the schedule's rows as dated actions (`actions.py`); walk
through all dates on which something can change (actions, staff steps, another year's residents, the command centre);
after the actions of a date, share the people on duty anew over the open stations; write down what differs from the
date before. So the rows never repeat a state, and the rows at time 0 are the state at the run's start. The engine
applies the rows as they stand; this module knows no engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems
from sim.fleet.actions import Action, actions_of, by_day, check_days, other_days
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
from sim.fleet.residents import Denominator, ResidentsByYear
from sim.fleet.settings import ScheduleSettings, StaffingSettings
from sim.fleet.staffing import (
    Catchments,
    Strength,
    posts_of,
    share_people,
    station_weight,
    strength,
    strength_for,
)
from sim.fleet.stated import Dated
from sim.units import MS_PER_DAY

_NO_SCHEDULE = ScheduleSettings("none", "", "")


def build_changes(
    fleet: Fleet,
    city: CityLike,
    schedule: ScheduleSettings,
    staffing: StaffingSettings,
    calendar: CalendarLike,
    town_weight: NDArray[np.float64] | None = None,
    posted: Sequence[tuple[date, int]] = (),
    *,
    present: Fraction | None = None,
    catchments: Catchments | None = None,
    residents: ResidentsByYear | None = None,
    dated: Dated | None = None,
) -> Changes:
    """Return the dated changes of one scenario, sorted by time, kind and entity.

    Parameters
    ----------
    town_weight : (n_towns,) expected incidents, for schedules that build by demand; residents if it is not given.
    posted : (day, people on duty elsewhere from then on), ascending: so many fewer are shared over the stations.
    present : mean part of those who ride that a roster has on duty; None: the staffing's present share.
    catchments : what sharing by demand weighs stations by; needed for that rule only.
    residents : the city's residents by year; needed where the ratio is applied to them only.
    dated : days and people of a fleet that tables state; None where the plan makes it.

    Raises
    ------
    InputError
        With all problems: days that are none; changes before the run's start or after its end (unless the schedule
        allows them); unknown actions and towns; sites and units that a town or station does not have; opening what is
        open, closing what is not, upgrading what has no later class or has it already; two staff steps on a day; more
        enterprise staff than staff, so that fewer than no people would be shared; years of the run without residents,
        and a rate of growth that nothing uses.
    """
    problems = Problems()
    weight = city.towns.population.astype(np.float64) if town_weight is None else town_weight
    actions = actions_of(fleet, city, schedule, calendar, weight, problems)
    check_days(schedule, staffing, problems)
    denominator = Denominator(staffing, city, residents)
    problems.raise_if_any()
    check_people(staffing, denominator, calendar)
    walk = _Walk(fleet, city, schedule, staffing, calendar, posted, problems, present, catchments, denominator)
    other = [*other_days(schedule, staffing), *denominator.new_days(calendar), *(day for day, _ in posted)]
    if dated is not None:
        walk.begin(dated)
        other += dated.days()
    for day, on_day in by_day(actions, other, calendar):
        walk.step(day, on_day)
    problems.raise_if_any()
    return walk.result()


def check_people(staffing: StaffingSettings, denominator: Denominator, calendar: CalendarLike) -> None:
    """Raise an error for years without residents, and for every day from which on fewer than no people would ride.

    It needs no fleet, so that it is told beside whatever is wrong with stations, teams and aircraft.
    """
    problems = Problems()
    denominator.check(calendar, problems)
    problems.raise_if_any()
    if staffing.on_duty_per_station or staffing.rule == "stated":
        return
    for day, _ in by_day([], [*other_days(_NO_SCHEDULE, staffing), *denominator.new_days(calendar)], calendar):
        found = strength(staffing, denominator.residents(day), day, None)
        if found.riding < 0:
            rule = f"(enterprise_staff) is more than the staff of {day}, {found.staff}: fewer than no people would ride"
            mend = "lower it or raise the ratio"
            problems.add(staffing.name, rule, value=staffing.enterprise_staff, mend=mend)
    problems.raise_if_any()


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
        present: Fraction | None,
        catchments: Catchments | None,
        denominator: Denominator,
    ) -> None:
        self.posted, self.denominator = posted, denominator
        self.fleet, self.city, self.schedule, self.staffing = fleet, city, schedule, staffing
        self.calendar, self.problems = calendar, problems
        self.present, self.catchments = present, catchments
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
        self.dated: Dated | None = None
        self.regime = -1
        self.rows: list[tuple[int, int, int, int]] = []
        self.notes: list[Note] = []
        self.steps: list[StaffStep] = []
        self.posts: list[NDArray[np.int64]] = []

    def begin(self, dated: Dated) -> None:
        """Let stations and units be there as their tables state on the run's first day."""
        self.dated, start = dated, self.calendar.start
        self.is_open, self.is_there = dated.is_open(start).copy(), dated.is_there(start).copy()
        self.stated_open, self.stated_there = self.is_open.copy(), self.is_there.copy()

    def _take_dates(self, dated: Dated, day: date) -> None:
        """Let stations and units come and go as their tables state; what a schedule did to others stays."""
        is_open, is_there = dated.is_open(day), dated.is_there(day)
        self.is_open = np.where(is_open != self.stated_open, is_open, self.is_open)
        self.is_there = np.where(is_there != self.stated_there, is_there, self.is_there)
        self.stated_open, self.stated_there = is_open, is_there

    def step(self, day: date, actions: list[Action]) -> None:
        """Apply one day's actions, share the people anew and write down what differs from before."""
        if self.dated is not None:
            self._take_dates(self.dated, day)
        for action in actions:
            self._apply(action)
        time_ms = (day - self.calendar.start).days * MS_PER_DAY
        in_service = self.is_there & self.is_open[self.fleet.units.station]
        first_crew = self._first_crew(in_service)
        city_strength = self._strength(day, first_crew, in_service)
        at_stations = self._less_posted(city_strength, day)
        people = self._people(day, at_stations, first_crew, in_service)
        self.posts.append(posts_of(people, max(at_stations.riding, 0)))
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
        return Changes(rows, tuple(self.notes), tuple(self.steps), np.array(self.posts))

    def _apply(self, action: Action) -> None:
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
        apply: dict[str, Callable[[Action, int], None]] = {
            "open": self._open,
            "close": self._close,
            "upgrade": self._upgrade,
            "withdraw_unit": self._set_unit,
            "return_unit": self._set_unit,
        }
        apply[action.action](action, station)

    def _refuse(self, action: Action, rule: str, value: object, mend: str) -> None:
        self.problems.add(f"{action.where} ({action.action} on {action.day})", rule, value=value, mend=mend)

    def _open(self, action: Action, station: int) -> None:
        if self.is_open[station]:
            self._refuse(action, "is open already", self.fleet.stations.name[station], "open each station once")
        self.is_open[station] = True

    def _close(self, action: Action, station: int) -> None:
        if not self.is_open[station]:
            self._refuse(action, "is not open then", self.fleet.stations.name[station], "open it first or drop the row")
        self.is_open[station] = False

    def _upgrade(self, action: Action, station: int) -> None:
        later, name = int(self.fleet.stations.later_class_id[station]), self.fleet.stations.name[station]
        if later < 0:
            self._refuse(action, "has no later class", name, "give its role a later_class and an added_fleet")
            return
        added = self.fleet.units.is_added & (self.fleet.units.station == station)
        if self.is_there[added].any():
            self._refuse(action, "is upgraded already", name, "keep one of the rows")
        self.class_id[station] = later
        self.is_there |= added

    def _set_unit(self, action: Action, station: int) -> None:
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

    def _less_posted(self, whole: Strength, day: date) -> Strength:
        """Return the strength without those on duty elsewhere, and without their part of those who ride."""
        elsewhere = sum([people for since, people in self.posted if since <= day][-1:])
        left = max(whole.on_duty - elsewhere, 0)
        riding = whole.riding * left // whole.on_duty if whole.on_duty > 0 else whole.riding
        return replace(whole, on_duty=left, riding=riding)

    def _strength(self, day: date, first_crew: NDArray[np.int64], in_service: NDArray[np.bool_]) -> Strength:
        """Return the city's strength on a day."""
        found = strength(self.staffing, self.denominator.residents(day), day, self.present)
        n_sharing = int((first_crew > 0).sum())
        if self.staffing.rule == "stated":
            on_duty = int(self._stated_people(first_crew, in_service).sum())
            return strength_for(self.staffing, found, on_duty, self.present)
        if self.staffing.on_duty_per_station:
            return strength_for(self.staffing, found, self.staffing.on_duty_per_station * n_sharing, self.present)
        return found

    def _people(
        self, day: date, city_strength: Strength, first_crew: NDArray[np.int64], in_service: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Return the people on duty at each station; only open stations with a unit in service have any."""
        people = np.zeros(self.fleet.stations.n_stations, dtype=np.int64)
        is_sharing = first_crew > 0
        sharing = np.flatnonzero(is_sharing)
        if self.staffing.rule == "stated":
            return self._stated_people(first_crew, in_service)
        if self.staffing.on_duty_per_station:
            people[sharing] = self.staffing.on_duty_per_station
            return people
        rule = self.staffing.sharing
        catchment = self.catchments.of(is_sharing) if self.catchments is not None and len(sharing) else people
        weight = station_weight(
            rule, self.fleet.classes.weight[self.class_id[sharing]], self.fleet.stations.town[sharing],
            self.denominator.of_towns(day), catchment[sharing],
        )  # fmt: skip
        most = None if rule == "class" else self._usable(in_service)[sharing]
        people[sharing] = share_people(city_strength.on_duty, weight, first_crew[sharing], most)
        return people

    def _stated_people(self, first_crew: NDArray[np.int64], in_service: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the people on duty as the stations' table states them: (n_stations,) int64."""
        usable = self._usable(in_service)
        stated = usable if self.dated is None else np.where(self.dated.people >= 0, self.dated.people, usable)
        return np.where(first_crew > 0, stated, 0)

    def _usable(self, in_service: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the people that each station's units in service ride with if they can: (n_stations,) int64."""
        units = self.fleet.units
        preferred = np.where(in_service, units.crew_preferred, 0)
        return np.bincount(units.station, preferred, minlength=self.fleet.stations.n_stations).astype(np.int64)

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
