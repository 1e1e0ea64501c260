"""Settings of the estimate of deaths and losses at fires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from sim.errors import Problems

Rate = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Fall = Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)]
Loss = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Power = Annotated[float, Field(ge=0, le=4, allow_inf_nan=False)]
Minutes = Annotated[float, Field(ge=0, le=240, allow_inf_nan=False)]
RANGES = ("deaths_per_100k", "fall_per_min", "loss_per_fire", "loss_power")


def _zeros() -> list[float]:
    return [0.0, 0.0, 0.0]


@dataclass
class OutcomeSettings:
    """Whether deaths and losses at fires are estimated, and by which curves; lists are low, likely, high."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    name: str
    """ASCII name of the choice."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    rule: Literal["none", "curves"] = "none"
    """none: nothing is estimated; curves: by the time from the call."""
    clock: Literal["arrival", "critical"] = "arrival"
    """Until when: the first unit at the address, or enough units for the critical task."""
    deaths_per_100k: list[Rate] = field(default_factory=_zeros)
    """Fire deaths a year per 100,000 residents to which the base scheme's first measured year is scaled."""
    fall_per_min: list[Fall] = field(default_factory=_zeros)
    """Share by which deaths fall for a minute less, at the reference response."""
    without_service: Annotated[float, Field(ge=1, le=100, allow_inf_nan=False)] = 1.0
    """Deaths if nobody came, as a multiple of those at the reference response."""
    reference_min: Minutes = 0.0
    """Reference response: minutes from the call for which the two figures above hold."""
    loss_per_fire: list[Loss] = field(default_factory=_zeros)
    """Mean direct loss per fire to which the base scheme's first measured year is scaled, in the prices' currency."""
    loss_power: list[Power] = field(default_factory=_zeros)
    """Power of the time since ignition with which the loss of a fire grows: 1 evenly, 2 as a t-squared fire."""
    before_call_min: Minutes = 0.0
    """From ignition to the call, min."""
    full_loss_min: Minutes = 0.0
    """Minutes after the call from which nothing more is lost by coming later."""


def checked(values: Mapping[str, Any], where: str) -> None:
    """Find what single fields cannot say.

    Raises
    ------
    InputError
        If a range is not three ascending numbers, or curves are asked for that do not depend on time.
    """
    problems = Problems()
    for name in RANGES:
        given = list(values.get(name, _zeros()))
        if len(given) != len(_zeros()) or given != sorted(given):
            rule = f"(outcome.{name}) is not low, likely, high"
            problems.add(where, rule, value=given, mend="give three numbers in ascending order")
    if values.get("rule", "none") == "curves":
        if not values.get("without_service", 1.0) > 1:
            rule = "(outcome.without_service) says that nobody is ever saved"
            problems.add(where, rule, value=values.get("without_service", 1.0), mend="give more than 1")
        if not min(values.get("fall_per_min", _zeros())[:1], default=0.0) > 0:
            rule = "(outcome.fall_per_min) low is not above 0: the curve would have no slope"
            problems.add(where, rule, value=values.get("fall_per_min"), mend="give more than 0")
        if not values.get("full_loss_min", 0.0) > 0:
            problems.add(where, "(outcome.full_loss_min) is not above 0", value=values.get("full_loss_min", 0.0))
    problems.raise_if_any()
