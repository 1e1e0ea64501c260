"""Settings of the vehicles: how old they are, how often they break down, and when they are replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from sim.errors import Problems
from sim.fleet.settings import Day


@dataclass
class VehicleSettings:
    """How old the vehicles are, how often they break down, and when they are replaced."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    """ASCII name of the choice."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    rule: Literal["none", "aging"]
    """none: no vehicle ever breaks down; aging: the likelier the older it is."""
    ages_on: Day = "2020-12-31"
    """Day for which the ages of the standing stations' vehicles are given."""
    age_share: list[Annotated[float, Field(ge=0, le=1)]] = field(default_factory=lambda: [1.0])
    """Share of those vehicles that is 0, 1, 2 … whole years old on that day; they make one."""
    failures_per_year: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Breakdowns of a new vehicle a year."""
    growth_per_year: Annotated[float, Field(ge=0, le=5)] = 0.0
    """Growth of that number by each year of age, as a share of a new vehicle's."""
    repair_from_days: Annotated[float, Field(ge=0, le=365)] = 0.0
    """Shortest repair, d."""
    repair_to_days: Annotated[float, Field(ge=0, le=365)] = 0.0
    """Longest repair, all lengths between being as likely, d."""
    replace_at_years: Annotated[int, Field(ge=0, le=50)] = 0
    """Age from which a vehicle is replaced by a new one on the next 1 July; 0: never."""
    replace_most: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Most vehicles replaced in one year, the oldest first; 0: all that are due."""


def checked(values: Mapping[str, Any], where: str) -> None:
    """Find what single fields cannot say.

    Raises
    ------
    InputError
        If the shares do not make one, the day is none, or the longest repair is shorter than the shortest.
    """
    problems = Problems()
    total = sum(values.get("age_share", [1.0]))
    if not abs(total - 1.0) <= 1e-6:
        problems.add(where, "(vehicles.age_share) must sum to 1", value=total)
    shortest, longest = values.get("repair_from_days", 0.0), values.get("repair_to_days", 0.0)
    if longest < shortest:
        problems.add(where, f"(vehicles.repair_to_days) is below repair_from_days {shortest:g}", value=longest)
    try:
        date.fromisoformat(values.get("ages_on", "2020-12-31"))
    except ValueError:
        problems.add(where, "(vehicles.ages_on) is not a day", value=values["ages_on"], mend="write it as 2020-12-31")
    problems.raise_if_any()
