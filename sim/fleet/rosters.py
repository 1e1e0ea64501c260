"""People on duty at every station from each change of shift on: the roster of one replication.

Steps of `build_roster`: find the hours at which the pattern changes who is on duty, and the instants at which stations
or staff change; give every post its days away (`absences.py`); count who of the crews on duty is there. The posts of a
station are `Changes.posts`: all of its people, on duty or off. Nothing here decides how many people there are
(`staffing.py`) or knows an engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems, nearest_name
from sim.fleet.duty import HOURS_PER_DAY, RosterSettings, hours_of
from sim.fleet.parts import CalendarLike, ChangeKind, Changes, Fleet
from sim.fleet.staffing import exact
from sim.units import MS_PER_H

_DAYS_PER_YEAR = 365
_NOBODY = -1


class RosterRows(NamedTuple):
    """What `sim.inputs.Roster` holds: (n_shifts,) int64 ms, (n_shifts, n_stations) int16, (n_shifts,) int8."""

    shift_ms: NDArray[np.int64]
    people: NDArray[np.int16]
    is_relief: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """The cycle by hour and crew, (n_cycle_hours, n_crews) int64: the shift on duty (-1 none), hours since it began."""

    shift: NDArray[np.int64]
    since_h: NDArray[np.int64]


def check_brigades(duty: RosterSettings, fleet: Fleet) -> None:
    """Raise an error that names every brigade of the roster that no station belongs to."""
    known, problems = sorted(set(fleet.stations.brigade)), Problems()
    for brigade in duty.leavers_per_year:
        if brigade not in known:
            rule = "(leavers_per_year) no station belongs to this brigade"
            problems.add(f"roster {duty.name}", rule, value=brigade, mend=nearest_name(brigade, known))
    problems.raise_if_any()


def build_roster(
    fleet: Fleet, changes: Changes, duty: RosterSettings, calendar: CalendarLike, seed: int, replication: int
) -> RosterRows:
    """Return the people on duty at every station from each shift on; the first row is at 0.

    A row is a full relief where none of the crews on duty before is on duty still.

    Raises
    ------
    InputError
        If the roster names a brigade that no station belongs to.
    """
    from sim.fleet.absences import count_on_duty  # brings numba, which reading settings must not wait for

    check_brigades(duty, fleet)
    pattern = _pattern(duty)
    step_ms = np.array([step.time_ms for step in changes.staff_steps], dtype=np.int64)
    hour, is_relief = _instants(pattern, calendar, step_ms)
    back_days = max(-(-shift.hours // HOURS_PER_DAY) for shift in duty.shifts)
    shift, duty_day = _on_duty(pattern, calendar, hour, back_days)
    first_post, away = _away(fleet, changes, duty, calendar, back_days, seed, replication)
    fraction = [exact(shift.share) for shift in duty.shifts]
    part, whole = (np.array([getattr(f, n) for f in fraction])[shift] for n in ("numerator", "denominator"))
    people = np.zeros((len(hour), fleet.stations.n_stations), dtype=np.int16)
    step = np.searchsorted(step_ms, hour * MS_PER_H, side="right") - 1
    count_on_duty(away, first_post, changes.posts, step, duty_day, part, whole, people)
    return RosterRows(hour * MS_PER_H, people, is_relief)


def with_dated_stations(rows: RosterRows, changes: Changes, n_stations: int) -> RosterRows:
    """Return a roster with columns for the stations behind the city's own, which follow their dated changes.

    Bases of teams and posts of help have no roster: at each shift they have what their last STATION_PEOPLE row says.
    """
    n_own = rows.people.shape[1]
    more = np.zeros((len(rows.shift_ms), n_stations - n_own), dtype=rows.people.dtype)
    dated = changes.rows[(changes.rows["kind"] == ChangeKind.STATION_PEOPLE) & (changes.rows["entity"] >= n_own)]
    for row in dated:
        more[rows.shift_ms >= row["time_ms"], row["entity"] - n_own] = row["value"]
    return rows._replace(people=np.ascontiguousarray(np.concatenate([rows.people, more], axis=1)))


def _pattern(duty: RosterSettings) -> _Pattern:
    shape = (duty.cycle_days * HOURS_PER_DAY, duty.n_crews)
    shift, since = np.full(shape, _NOBODY, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for i, one in enumerate(duty.shifts):
        hours = hours_of(one, duty.cycle_days)
        shift[hours, one.crew - 1] = i
        since[hours, one.crew - 1] = np.arange(one.hours)
    return _Pattern(shift, since)


def _cycle_hour(pattern: _Pattern, calendar: CalendarLike, hour: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place in the cycle of hours of the run; a date has the same place in every run."""
    return (calendar.start.toordinal() * HOURS_PER_DAY + hour) % len(pattern.shift)


def _instants(
    pattern: _Pattern, calendar: CalendarLike, step_ms: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Return the hours of the run at which people change, and whether all crews do: two (n_instants,)."""
    begins = (pattern.shift >= 0) & (pattern.since_h == 0)
    before = np.roll(pattern.shift, 1, axis=0)
    is_new = (begins | (pattern.shift != before)).any(axis=1)
    is_relieved = is_new & ~((pattern.shift >= 0) & (before >= 0)).any(axis=1)
    hours = np.arange(calendar.n_days * HOURS_PER_DAY, dtype=np.int64)
    place = _cycle_hour(pattern, calendar, hours)
    hour = np.union1d(hours[is_new[place]], np.append(step_ms // MS_PER_H, 0))
    relief = is_relieved[_cycle_hour(pattern, calendar, hour)] & (hour > 0)
    return hour, relief.astype(np.int8)


def _on_duty(
    pattern: _Pattern, calendar: CalendarLike, hour: NDArray[np.int64], back_days: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (shift, day it began on) of every instant and crew: two (n_instants, n_crews).

    Days count from `back_days` before the run. Of a crew off duty the day is -1 and the shift any.
    """
    place = _cycle_hour(pattern, calendar, hour)
    shift = pattern.shift[place]
    day = (hour[:, None] - pattern.since_h[place]) // HOURS_PER_DAY + back_days
    return np.maximum(shift, 0), np.where(shift >= 0, day, _NOBODY)


def _away(
    fleet: Fleet,
    changes: Changes,
    duty: RosterSettings,
    calendar: CalendarLike,
    back_days: int,
    seed: int,
    replication: int,
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return the row of each station's post 0, (n_stations,), and the days away of every post, (n_posts, n_days)."""
    from sim.fleet.absences import DAY_CHANCE_ONE, fill_away

    n_posts = changes.posts.max(axis=0)
    first_post = np.cumsum(n_posts) - n_posts
    station = np.repeat(np.arange(len(n_posts)), n_posts)
    post = np.stack([station, np.arange(len(station)) - first_post[station]], axis=1)

    def a_day(per_year: float) -> int:
        return int(exact(per_year) * DAY_CHANCE_ONE / _DAYS_PER_YEAR)

    rule = np.array(
        [
            duty.n_crews, duty.off_days, duty.off_cycle_days, duty.leave_days_per_year, duty.training_days_per_year,
            a_day(duty.sick_spells_per_year), duty.sick_days, duty.refill_days,
        ],
        dtype=np.int64,
    )  # fmt: skip
    leavers = [a_day(duty.leavers_per_year.get(brigade, 0.0)) for brigade in fleet.stations.brigade]
    away = np.zeros((len(post), back_days + calendar.n_days), dtype=np.uint8)
    first = calendar.start.toordinal() - back_days
    last_year = date.fromordinal(first + away.shape[1] - 1).year
    years = [(date(y, 1, 1), date(y + 1, 1, 1)) for y in range(date.fromordinal(first).year - 1, last_year + 1)]
    spans = np.array([(a.toordinal(), b.toordinal() - a.toordinal()) for a, b in years], dtype=np.int64)
    fill_away(away, post, rule, np.array(leavers, dtype=np.int64)[station], spans, first, seed, replication)
    return first_post, away
