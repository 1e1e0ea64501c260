"""Settings of the duty roster: which crews are on duty when, and why people are away.

One choice is one YAML of `configs/roster`. A pattern repeats every `cycle_days` from a fixed day of the calendar, so a
date has the same crews whatever the window. Next: `rosters.py`, which turns a pattern into people on duty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter

from sim.errors import Problems
from sim.fleet.staffing import exact

HOURS_PER_DAY = 24
_DAYS_PER_YEAR = 365

_Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
_PerYear = Annotated[float, Field(ge=0, le=52, allow_inf_nan=False)]


@dataclass
class ShiftSettings:
    """One crew's time on duty within the cycle."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    crew: Annotated[int, Field(ge=1, le=12)]
    """Number of the crew, from 1."""
    day: Annotated[int, Field(ge=1, le=84)]
    """Day of the cycle on which it begins, from 1."""
    from_h: Annotated[int, Field(ge=0, le=23)]
    """Hour of that day at which it begins."""
    hours: Annotated[int, Field(ge=1, le=336)]
    """How long it lasts, h; it may run over the end of the cycle into its beginning."""
    share: _Share = 1.0
    """Part of the crew's people who are there that is on duty in it; whole people, rounded down."""


@dataclass
class RosterSettings:
    """Who of a station's people is on duty when; without shifts a constant number is, the staffing's present share."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    name: str
    """ASCII name of the roster."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    n_crews: Annotated[int, Field(ge=0, le=12)] = 0
    """Crews into which the people of every station are divided, in turn; 0 where there are no shifts."""
    cycle_days: Annotated[int, Field(ge=1, le=84)] = 1
    """Days after which the pattern repeats."""
    shifts: list[ShiftSettings] = field(default_factory=list)
    """Who is on duty when; together they cover every hour of the cycle. None: people are posted by dated changes."""
    off_days: Annotated[int, Field(ge=0, le=28)] = 0
    """Days off in a row that every person has, in turn, in `off_cycle_days`."""
    off_cycle_days: Annotated[int, Field(ge=1, le=84)] = 7
    """Days after which a person's days off come again."""
    leave_days_per_year: Annotated[int, Field(ge=0, le=180)] = 0
    """Days of leave a year, in one piece, begun on a drawn day."""
    training_days_per_year: Annotated[int, Field(ge=0, le=180)] = 0
    """Days a year on which a person is away for training, in one piece, begun on a drawn day."""
    sick_spells_per_year: _PerYear = 0.0
    """Unplanned absences that begin in a year of a person, drawn day by day."""
    sick_days: Annotated[int, Field(ge=1, le=90)] = 1
    """Days that an unplanned absence lasts."""
    leavers_per_year: dict[str, _PerYear] = field(default_factory=dict)
    """People who leave for good in a year per post, by brigade; none where it is absent."""
    refill_days: Annotated[int, Field(ge=1, le=730)] = 1
    """Days for which a post stays vacant after its holder has left."""


def read_duty(values: Mapping[str, Any]) -> RosterSettings:
    """Return values that fit the schema as settings."""
    return TypeAdapter(RosterSettings).validate_python(dict(values))


def check_duty(values: Mapping[str, Any], where: str) -> None:
    """Check what single fields cannot say.

    Raises
    ------
    InputError
        With all problems: hours of the cycle that nobody covers; shifts of a crew or day that the cycle does not have,
        longer than the cycle, or two of one crew at once; a crew that is never on duty; days off that fill their cycle;
        leave and training that fill the year; a roster of absences without any shift.
    """
    duty, problems = read_duty(values), Problems()
    if duty.shifts:
        _check_shifts(duty, where, problems)
        _check_days(duty, where, problems)
    else:
        _check_none(duty, where, problems)
    problems.raise_if_any()


def _check_none(duty: RosterSettings, where: str, problems: Problems) -> None:
    """Add a problem for each setting that says something although there is no shift that it could be about."""
    plain = RosterSettings(duty.name, duty.label_zh, duty.label_en)
    for key in vars(plain):
        if getattr(duty, key) != getattr(plain, key):
            mend = "write shifts, or choose roster=none"
            problems.add(where, f"({key}) says nothing without shifts", value=getattr(duty, key), mend=mend)


def _check_shifts(duty: RosterSettings, where: str, problems: Problems) -> None:
    n_hours = duty.cycle_days * HOURS_PER_DAY
    is_sound = True
    for i, shift in enumerate(duty.shifts):
        for key, most in (("crew", duty.n_crews), ("day", duty.cycle_days), ("hours", n_hours)):
            if getattr(shift, key) > most:
                value = getattr(shift, key)
                problems.add(where, f"(shifts.{i}.{key}) must be at most {most}", value=value, mend="lower it")
                is_sound = False
    for crew in range(1, duty.n_crews + 1):
        if all(shift.crew != crew for shift in duty.shifts):
            mend = "give it a shift or lower n_crews"
            problems.add(where, "(shifts) crew is never on duty", value=crew, mend=mend)
    if is_sound:
        _check_hours(duty, where, problems)


def _check_hours(duty: RosterSettings, where: str, problems: Problems) -> None:
    on_duty: list[list[int]] = [[] for _ in range(duty.cycle_days * HOURS_PER_DAY)]
    for shift in duty.shifts:
        for hour in hours_of(shift, duty.cycle_days):
            on_duty[hour].append(shift.crew)
    spans = _spans([not crews for crews in on_duty])
    if spans:
        problems.add(where, "(shifts) nobody is on duty in", value=spans, mend="let the shifts cover every hour")
    for crew in range(1, duty.n_crews + 1):
        spans = _spans([crews.count(crew) > 1 for crews in on_duty])
        if spans:
            rule = f"(shifts) crew {crew} has two shifts at once in"
            problems.add(where, rule, value=spans, mend="let one end before the next begins")


def _spans(is_in: list[bool]) -> str:
    """Return the hours that are true as texts like "day 1 8-20 h"."""
    texts, hour = [], 0
    while hour < len(is_in):
        day, first = divmod(hour, HOURS_PER_DAY)
        end = hour
        while end < (day + 1) * HOURS_PER_DAY and is_in[end]:
            end += 1
        if end > hour:
            texts.append(f"day {day + 1} {first}-{first + end - hour} h")
        hour = max(end, hour + 1)
    return ", ".join(texts)


def _check_days(duty: RosterSettings, where: str, problems: Problems) -> None:
    if duty.off_days >= duty.off_cycle_days:
        rule = f"(off_days) must be less than off_cycle_days ({duty.off_cycle_days}), or nobody is ever there"
        problems.add(where, rule, value=duty.off_days, mend="lower it")
    away = duty.leave_days_per_year + duty.training_days_per_year
    if away >= _DAYS_PER_YEAR:
        problems.add(where, "(leave_days_per_year, training_days_per_year) fill the year", value=away, mend="lower one")
    for brigade, rate in duty.leavers_per_year.items():
        if rate * duty.refill_days >= _DAYS_PER_YEAR:
            rule = f"(leavers_per_year.{brigade}) leaves every post vacant for good at {duty.refill_days} refill_days"
            problems.add(where, rule, value=rate, mend="lower one")


def hours_of(shift: ShiftSettings, cycle_days: int) -> list[int]:
    """Return the hours of the cycle that a shift covers, its first one first."""
    first = (shift.day - 1) * HOURS_PER_DAY + shift.from_h
    return [(first + i) % (cycle_days * HOURS_PER_DAY) for i in range(shift.hours)]


def planned_share(duty: RosterSettings) -> Fraction:
    """Return the mean part of a station's people that the pattern, days off, leave and training leave on duty.

    Share of the cycle on duty, over all crews, x (1 - off days / their cycle) x (1 - (leave + training) / 365); what
    is drawn without plan (sickness, vacancies) comes off that.
    """
    in_shift = sum((exact(shift.share) * shift.hours for shift in duty.shifts), Fraction(0))
    in_shift /= duty.n_crews * duty.cycle_days * HOURS_PER_DAY
    away = Fraction(duty.leave_days_per_year + duty.training_days_per_year, _DAYS_PER_YEAR)
    return in_shift * (1 - Fraction(duty.off_days, duty.off_cycle_days)) * (1 - away)
