"""Incidents put in by hand: a citywide fire on a given day, on top of what is drawn.

A planted incident has its town, kind, grade and instant from the settings; its place, report and all its chance are
keyed by its identity (process 2) like those of any other, so that nothing that is drawn moves.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import ConfigDict, Field

from sim.demand.draw import identity_of, mark
from sim.demand.types import INCIDENT_DTYPE, Demand
from sim.errors import Problems, nearest_name
from sim.units import MS_PER_MIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.demand.calendar import Calendar
    from sim.demand.intensity import Intensity
    from sim.demand.types import Kinds

_PLANTED = 2
"""Process in the identity; 0 are ordinary incidents, 1 those of surges."""


@dataclass
class PlantedIncident:
    """One incident, with what is known of it beforehand."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    """Day of the call (YYYY-MM-DD)."""
    time: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    """Local time of the call (HH:MM)."""
    town: str
    """Code of its town; the place in it is drawn as for others of its kind."""
    kind: str
    """Code of its kind, which the caller tells rightly."""
    grade: Annotated[int, Field(ge=1, le=5)]
    """True grade at the first alarm."""
    reported_grade: Annotated[int, Field(ge=1, le=5)]
    """Grade that the caller tells and the first alarm is for."""


@dataclass
class PlantedSettings:
    """Incidents on top of those that are drawn."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    name: str
    """ASCII name of the choice."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    incidents: list[PlantedIncident] = field(default_factory=list)
    """The incidents, in any order."""


def with_planted(
    demand: Demand, intensity: Intensity, calendar: Calendar, towns: Sequence[str], kinds: Kinds,
    settings: PlantedSettings, chance: tuple[int, int],
) -> Demand:  # fmt: skip
    """Return the demand with the settings' incidents in their places; without any the same demand.

    `chance`: the run's seed and the number of its replication.

    Raises
    ------
    InputError
        For every incident outside the run, in no town of the city, of no kind, or above the highest grade of its kind.
    """
    if not settings.incidents:
        return demand
    problems, numbers = Problems(), Counter[tuple[str, str, str]]()
    rows = np.zeros(len(settings.incidents), dtype=INCIDENT_DTYPE)
    for place, given in enumerate(settings.incidents):
        if not _is_possible(given, f"planted: incidents.{place}", calendar, towns, kinds, problems):
            continue
        day, key = (date.fromisoformat(given.date) - calendar.start).days, (given.town, given.kind, given.date)
        town, kind = towns.index(given.town), kinds.code.index(given.kind)
        rows[place]["identity"] = identity_of(_PLANTED, town, kind, intensity.first_day + day, numbers[key])
        minute = int(given.time[:2]) * 60 + int(given.time[3:])
        rows[place]["call_ms"] = calendar.ms_of(date.fromisoformat(given.date)) + minute * MS_PER_MIN
        numbers[key] += 1
    problems.raise_if_any()
    mark(intensity, *chance, rows)
    rows["reported_kind"] = rows["kind"]
    rows["grade"] = [given.grade for given in settings.incidents]
    rows["reported_grade"] = [given.reported_grade for given in settings.incidents]
    merged = np.concatenate([demand.incidents, rows])
    merged = merged[np.lexsort((merged["identity"], merged["call_ms"]))]
    merged.setflags(write=False)
    return Demand(merged, demand.surge_days)


def _is_possible(
    given: PlantedIncident, where: str, calendar: Calendar, towns: Sequence[str], kinds: Kinds, problems: Problems
) -> bool:
    """Add what is wrong with an incident; tell whether nothing is."""
    n_before = len(problems.found)
    try:
        at_ms = calendar.ms_of(date.fromisoformat(given.date))
        if not calendar.measure_from_ms <= at_ms < calendar.measure_to_ms:
            first, last = (calendar.date_of(ms) for ms in (calendar.measure_from_ms, calendar.measure_to_ms - 1))
            mend = "give another date or change the window"
            problems.add(where, f"(date) is not in the measured days, {first} to {last}", value=given.date, mend=mend)
    except ValueError:
        problems.add(where, "(date) is not a day", value=given.date, mend="give a day that the calendar has")
    if given.town not in towns:
        problems.add(where, "(town) is not in towns.csv", value=given.town, mend=nearest_name(given.town, towns))
    if given.kind not in kinds.code:
        problems.add(where, "(kind) is not in kinds.csv", value=given.kind, mend=nearest_name(given.kind, kinds.code))
    elif max(given.grade, given.reported_grade) > kinds.max_grade[kinds.code.index(given.kind)]:
        most = int(kinds.max_grade[kinds.code.index(given.kind)])
        rule = f"(grade) is above the highest of {given.kind!r}, {most}"
        problems.add(where, rule, value=max(given.grade, given.reported_grade), mend="lower it")
    return len(problems.found) == n_before
