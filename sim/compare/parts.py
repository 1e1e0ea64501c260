"""What a comparison is about: arms with their replications, the contrasts declared before the run, and names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sim.errors import Problems, nearest_name
from sim.metrics.store import REPLICATION_SCHEMAS, Columns, read_columns

Tables = dict[str, Columns]
"""Tables by name."""
Run = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""A map over jobs, in order; what it maps must be a function of a module, so that other processes can do it."""
METRICS = ("p50", "p80", "p90", "p95", "mean", "share_300", "share_480", "share_600")
CLOCKS = ("arrival", "critical", "full_alarm", "call_to_arrival")
GROUPS = ("headline", "fire", "rescue", "all")
MAIN = "main"
"""Purpose of the arms that a study is about."""
POOLED_YEAR = 0
"""The `year` that stands for the whole measured window."""


@dataclass(frozen=True, slots=True)
class Replication:
    """One replication on disk: its number (the demand drawn), its siting world and its folder."""

    number: int
    world: str
    folder: Path

    def read(self, name: str, columns: Sequence[str] | None = None) -> Columns:
        """Return a table that the replication wrote; `InputError` if it is missing or of another version."""
        return read_columns(self.folder / f"{name}.parquet", name, REPLICATION_SCHEMAS[name], columns)


@dataclass(frozen=True, slots=True)
class Arm:
    """One scenario of a comparison. `overrides` is JSON; `purpose` main, staffing, policy, travel, opening …

    `unit_types`: code of each type of unit, by its id in the replications' tables; an id without one is told as it is.
    """

    name: str
    replications: tuple[Replication, ...]
    label_zh: str = ""
    label_en: str = ""
    purpose: str = "main"
    first_line_zh: str = ""
    first_line_en: str = ""
    overrides: str = "{}"
    unit_types: tuple[str, ...] = ()
    teams: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Team of each (base, type of unit); what has none is told by its base."""

    def has(self, name: str) -> bool:
        """Return whether every replication left this table behind."""
        return all((replication.folder / f"{name}.parquet").is_file() for replication in self.replications)

    def pooled(self, name: str, columns: Sequence[str] | None = None) -> Columns:
        """Return a table's rows of all replications behind each other."""
        parts = [replication.read(name, columns) for replication in self.replications]
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

    @property
    def worlds(self) -> tuple[str, ...]:
        """The siting world of each replication."""
        return tuple(replication.world for replication in self.replications)


@dataclass(frozen=True, slots=True)
class Contrast:
    """A difference declared before the run, arm minus base, citywide; year 0 is the whole window.

    `equivalence`: difference up to which the two count as the same, in the metric's unit; 0: none was declared.
    `of_arm`, `of_base`: an interaction, that difference less the one between these two; empty where it is none.
    """

    id: str
    arm: str
    base: str
    metric: str = "share_300"
    year: int = POOLED_YEAR
    group: str = "headline"
    clock: str = "arrival"
    equivalence: float = 0.0
    of_arm: str = ""
    of_base: str = ""

    @property
    def is_interaction(self) -> bool:
        """Whether it is a difference of differences."""
        return bool(self.of_arm or self.of_base)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The (arm, base) whose differences it needs."""
        return ((self.arm, self.base), *(((self.of_arm, self.of_base),) if self.is_interaction else ()))


@dataclass(frozen=True, slots=True)
class Labels:
    """Names behind the ids in the tables. `kind_family` decides the groups fire and rescue; `population` by town.

    `kind_names`: Chinese and English name of each kind; empty where kinds have a code only.
    """

    town_code: tuple[str, ...]
    town_zh: tuple[str, ...]
    town_en: tuple[str, ...]
    population: tuple[int, ...]
    kind_code: tuple[str, ...]
    kind_family: tuple[str, ...]
    kind_names: tuple[tuple[str, str], ...] = ()

    @property
    def n_towns(self) -> int:
        """Number of towns."""
        return len(self.town_code)

    @property
    def n_kinds(self) -> int:
        """Number of kinds of incident."""
        return len(self.kind_code)


def labels_of(city: Any, kinds: Any) -> Labels:
    """Return the labels of a city and its kinds of incident."""
    towns = city.towns
    population = tuple(int(people) for people in np.asarray(towns.population))
    names = (tuple(towns.code), tuple(towns.name_zh), tuple(towns.name_en))
    return Labels(
        *names,
        population,
        tuple(kinds.code),
        tuple(kinds.family),
        tuple(zip(kinds.name_zh, kinds.name_en, strict=True)),
    )


def check(arms: Sequence[Arm], contrasts: Sequence[Contrast]) -> None:
    """Raise `InputError` with every arm without replications, name used twice, and contrast that names nothing."""
    problems = Problems()
    names = [arm.name for arm in arms]
    for arm in arms:
        numbers = [replication.number for replication in arm.replications]
        if not numbers:
            problems.add(f"arm {arm.name}", "has no finished replication", mend="run it first")
        if len(set(numbers)) < len(numbers):
            problems.add(f"arm {arm.name}", "has a replication twice", value=numbers)
        if names.count(arm.name) > 1:
            problems.add(f"arm {arm.name}", "has a name used twice")
    known = {"arm": names, "base": names, "metric": METRICS, "group": GROUPS, "clock": CLOCKS}
    for contrast in contrasts:
        of = {"of_arm": names, "of_base": names} if contrast.is_interaction else {}
        for name, choices in (known | of).items():
            value = getattr(contrast, name)
            if value not in choices:
                where = f"contrast {contrast.id}: {name}"
                problems.add(where, "is not one of this comparison", value=value, mend=nearest_name(value, choices))
        for ours, theirs in contrast.pairs:
            if ours == theirs:
                problems.add(f"contrast {contrast.id}", "compares an arm with itself", value=ours)
        if len(set(contrast.pairs)) < len(contrast.pairs):
            problems.add(f"contrast {contrast.id}", "takes a difference from itself", value=contrast.arm)
    problems.raise_if_any()
