"""Plausible worlds of a study: the main arms again under assumptions drawn together from the ranges they may have.

A world is one point of a Latin hypercube over the factors (McKay, Beckman & Conover 1979): every factor's range is cut
into as many strata as there are worlds, each stratum is taken once. Draws are keyed (`sim.chance`), so worlds do not
depend on one another's factors or on their order. Arms of one world differ in nothing but what the study is about.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sim.chance import Stream, rank
from sim.errors import Problems

_STRICT = {"extra": "forbid"}
_DIGITS = 4
"""Figures of a drawn value that are kept."""


@dataclass
class FactorSettings:
    """One assumption that may be another: a range, or a list of choices."""

    __pydantic_config__ = _STRICT

    key: Annotated[str, Field(pattern=r"^\w+(\.\w+)+$")]
    """Dotted key of the setting."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    source: Annotated[str, Field(min_length=1)]
    """Where the range comes from, or why it is assumed."""
    low: float | None = None
    """Lower end of the range."""
    high: float | None = None
    """Upper end of the range."""
    choices: list[str | int | float] = field(default_factory=list)
    """Values that are equally plausible, in an order that means something; instead of a range."""


@dataclass
class PlausibleSettings:
    """How many plausible worlds are drawn, and which assumptions vary in them."""

    __pydantic_config__ = _STRICT

    n_worlds: Annotated[int, Field(ge=4, le=10_000)]
    """Number of worlds."""
    factors: Annotated[list[FactorSettings], Field(min_length=1)]
    """The assumptions that vary."""
    n_replications: Annotated[int, Field(ge=1, le=1_000)] = 1
    """Replications of each arm in each world."""
    common: list[str] = field(default_factory=list)
    """Overrides of these arms only, such as a shorter window."""


def check_factors(settings: PlausibleSettings, where: str, problems: Problems) -> None:
    """Add a problem for each factor without a range or choices, with both, or twice."""
    keys = [factor.key for factor in settings.factors]
    for place, factor in enumerate(settings.factors):
        name = f"(plausible.factors.{place})"
        has_range = factor.low is not None and factor.high is not None
        if has_range == bool(factor.choices) or (factor.low is None) != (factor.high is None):
            mend = "give low and high, or choices"
            problems.add(where, f"{name} needs a range or a list of choices, not both", value=factor.key, mend=mend)
        elif factor.low is not None and factor.high is not None and factor.low >= factor.high:
            problems.add(where, f"{name} has a low end that is not below its high end", value=factor.key)
        if factor.key in keys[:place]:
            problems.add(where, f"{name} varies already", value=factor.key, mend="keep one of them")


def strata(settings: PlausibleSettings, seed: int) -> NDArray[np.float64]:
    """Return the points of the hypercube: (n_worlds, n_factors) within 0 … 1, one in each stratum of each factor."""
    n = settings.n_worlds
    out = np.empty((n, len(settings.factors)))
    worlds = np.arange(n, dtype=np.uint64)
    for place, factor in enumerate(settings.factors):
        key = zlib.crc32(factor.key.encode())
        order, within = (
            np.array([rank(seed, key, int(Stream.PLAUSIBLE), int(world), slot) for world in worlds]) for slot in (0, 1)
        )
        stratum = np.argsort(np.argsort(order, kind="stable"), kind="stable")
        out[:, place] = (stratum + within / 2.0**32) / n
    return out


def drawn(factor: FactorSettings, at: float) -> Any:
    """Return a factor's value at a point of 0 … 1 of its range or list."""
    if factor.choices:
        return factor.choices[min(int(at * len(factor.choices)), len(factor.choices) - 1)]
    assert factor.low is not None
    assert factor.high is not None
    return float(f"{factor.low + at * (factor.high - factor.low):.{_DIGITS}g}")


def worlds_of(settings: PlausibleSettings, seed: int) -> list[dict[str, Any]]:
    """Return each world's values by key."""
    points = strata(settings, seed)
    return [{f.key: drawn(f, float(point[i])) for i, f in enumerate(settings.factors)} for point in points]
