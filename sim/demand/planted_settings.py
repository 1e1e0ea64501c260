"""Settings of planted incidents: days of stress at a stated date, and series of rare incidents one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from sim.errors import Problems

_STRICT = {"extra": "forbid"}
_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
Grade = Annotated[int, Field(ge=1, le=5)]
MAX_ALARMS = 4_000
MAX_CAUSES = 250


@dataclass
class PlantedEvent:
    """Incidents that happen for certain, within some hours of one date."""

    __pydantic_config__ = _STRICT

    name: _Name
    """ASCII name of the event."""
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    """Day on which it begins."""
    from_h: Annotated[float, Field(ge=0, le=24)]
    """Hours after that day's midnight at which it begins, h."""
    hours: Annotated[float, Field(ge=0, le=72)]
    """Length of the window in which its calls fall evenly, h; 0: all at its beginning."""
    alarms: Annotated[int, Field(ge=1, le=MAX_ALARMS)]
    """Number of incidents, exactly."""
    kind_share: dict[str, Annotated[float, Field(ge=0, le=1)]]
    """Share of the incidents by kind; they make one, and whole incidents go by the largest remainder."""
    grade: Annotated[int, Field(ge=0, le=5)] = 0
    """True grade of all of them; 0: drawn as any incident's of the kind."""
    town: str = ""
    """Town it is in, by code; empty: the whole city."""
    range_km: Annotated[float, Field(ge=0, le=1_000)] = 0.0
    """Distance from its seat at which the weight of other towns has fallen to one half; 0: that town alone, km."""
    storm: str = ""
    """Type of surge day whose weather comes with it, by its code in `demand.surges`; empty: none."""


@dataclass
class PlantedSeries:
    """A class of rare incidents: each planted one stands for a part of those that a year brings by chance."""

    __pydantic_config__ = _STRICT

    name: _Name
    """ASCII name of the class."""
    kinds: Annotated[list[str], Field(min_length=1)]
    """Kinds it is made of, in proportion to their yearly numbers."""
    from_grade: Grade = 1
    """Lowest true grade in it."""
    to_grade: Grade = 5
    """Highest true grade in it."""
    at_once: Annotated[int, Field(ge=1, le=8)] = 1
    """How many happen at one instant, each in a place of its own."""


@dataclass
class PlantedSettings:
    """Incidents planted in the running city, the same in every scenario."""

    __pydantic_config__ = _STRICT

    name: str
    """ASCII name of the choice."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    events: list[PlantedEvent] = field(default_factory=list)
    """Days of stress."""
    series: list[PlantedSeries] = field(default_factory=list)
    """Classes of rare incidents, planted in turn."""
    every_days: Annotated[int, Field(ge=1, le=366)] = 2
    """Days from one planting of the series to the next; between two there is always a day less than that."""


def checked(values: Mapping[str, Any], where: str) -> None:
    """Find what single fields cannot say.

    Raises
    ------
    InputError
        If shares do not make one, grades end before they begin, names come twice, or there are too many causes.
    """
    problems = Problems()
    events, series = values.get("events", []), values.get("series", [])
    names = [one["name"] for one in (*events, *series)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(where, "(planted) has a name twice", value=name, mend="names tell the tables' rows apart")
    if len(names) > MAX_CAUSES:
        problems.add(where, f"(planted) holds more than {MAX_CAUSES} events and series", value=len(names))
    for event in events:
        total = sum(event["kind_share"].values())
        if not abs(total - 1.0) <= 1e-6:
            problems.add(where, f"(planted.events: {event['name']}: kind_share) must sum to 1", value=total)
        if event.get("range_km", 0.0) > 0 and not event.get("town"):
            rule = f"(planted.events: {event['name']}: range_km) needs a town to be around"
            problems.add(where, rule, value=event["range_km"], mend="name the town")
    for one in series:
        lowest, highest = one.get("from_grade", 1), one.get("to_grade", 5)
        if highest < lowest:
            rule = f"(planted.series: {one['name']}: to_grade) is below from_grade {lowest}"
            problems.add(where, rule, value=highest)
    problems.raise_if_any()
