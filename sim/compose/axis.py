"""The axis of a study: one numeric setting that some of its arms sweep, and arms that are marked on it by name.

It changes no run: the report draws the swept arms as a line over the setting's values, against the base they share.
Checked here are what makes such a line mean one thing: each arm has a value of its own and differs in nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from sim.config import leaves
from sim.errors import Problems, nearest_name

_STRICT = {"extra": "forbid"}
_NO_DIFFERENCE = ("about.", "run.")
"""Beginnings of keys in which arms of one axis may differ."""
_FEWEST = 3


@dataclass
class SweptMeasure:
    """What is drawn over the axis."""

    __pydantic_config__ = _STRICT

    metric: Literal["p50", "p80", "p90", "p95", "mean", "share_300", "share_480", "share_600"]
    """Measure of the headline incidents, in the last year measured."""
    clock: Literal["arrival", "critical", "full_alarm", "call_to_arrival"] = "arrival"
    """Which milestone is timed."""
    equivalence: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """Difference up to which a value counts as the same, in seconds or as a share, shaded in the picture. 0: none."""


@dataclass
class AxisSettings:
    """One numeric setting as the axis of a picture and a table."""

    __pydantic_config__ = _STRICT

    key: Annotated[str, Field(pattern=r"^\w+(\.\w+)+$")]
    """Dotted key of the setting."""
    label_zh: str
    """Name of the axis in Chinese, with its unit."""
    label_en: str
    """Name of the axis in English, with its unit."""
    measures: Annotated[list[SweptMeasure], Field(min_length=1, max_length=3)]
    """What is drawn over it, one panel each."""
    arms: list[str] = field(default_factory=list)
    """Arms on the axis; empty: every arm whose only override is the key."""
    marks: list[str] = field(default_factory=list)
    """Arms marked by name; one that is not on the axis is drawn as a level across it."""


def axis_arms(axis: AxisSettings, overrides: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the arms on the axis in the study's order; `overrides`: each arm's own."""
    if axis.arms:
        return [name for name in overrides if name in axis.arms]
    return [name for name, own in overrides.items() if len(own) == 1 and own[0].partition("=")[0] == axis.key]


def check_axis_names(
    axis: AxisSettings, overrides: Mapping[str, Sequence[str]], where: str, problems: Problems
) -> None:
    """Add a problem for each arm that is not one of the study's or stands twice, and for an axis of too few arms."""
    for part in ("arms", "marks"):
        names: list[str] = getattr(axis, part)
        for place, name in enumerate(names):
            key = f"(sweep.{part}.{place})"
            if name not in overrides:
                problems.add(where, f"{key} is not an arm", value=name, mend=nearest_name(name, list(overrides)))
            elif name in names[:place]:
                problems.add(where, f"{key} stands there already", value=name, mend="keep one of them")
    found = len(axis_arms(axis, overrides))
    if found < _FEWEST:
        mend = f"name {_FEWEST} arms or more in sweep.arms, or give arms that override this key alone"
        problems.add(where, f"(sweep.key) is swept by {found} arms, which is no line", value=axis.key, mend=mend)


def check_axis_values(
    axis: AxisSettings, arms: Mapping[str, Mapping[str, Any]], bases: Mapping[str, str], where: str, problems: Problems
) -> None:
    """Add a problem for each arm on the axis whose value is no number or taken, that differs elsewhere, or in its base.

    `arms`: settings of the arms on the axis, nested. `bases`: the arm that each is compared with, "" for the base.
    """
    flat = {name: dict(leaves(settings)) for name, settings in arms.items()}
    taken: dict[float, str] = {}
    first = next(iter(flat))
    others = [name for name in flat if bases[name]]
    base = bases[others[0]] if others else first
    for name, own in flat.items():
        value = own.get(axis.key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            rule = f"(sweep.key) {axis.key} is no number in arm {name}"
            problems.add(where, rule, value=value, mend="sweep a setting that is a number")
            continue
        if value in taken:
            mend = "keep one of them on the axis (sweep.arms)"
            problems.add(where, f"(sweep) arms {taken[value]} and {name} have one value", value=value, mend=mend)
        taken.setdefault(value, name)
        besides = sorted(key for key in {*own, *flat[first]} if own.get(key) != flat[first].get(key))
        besides = [key for key in besides if key != axis.key and not key.startswith(_NO_DIFFERENCE)]
        besides = [key for key in besides if key.rpartition(".")[2] not in ("name", "label_zh", "label_en")]
        if besides:
            rule = f"(sweep) arm {name} differs from {first} in {', '.join(besides[:3])} too"
            problems.add(where, rule, mend="leave it off the axis (sweep.arms)")
        if (bases[name] or name) != base:
            rule = f"(sweep) arm {name} is compared with another arm than {others[0] if others else first}"
            problems.add(where, rule, value=bases[name] or name, mend=f"compare all of the axis with {base}")


def told_axis(axis: AxisSettings, arms: Sequence[str], base: str) -> dict[str, Any]:
    """Return what the run's note holds of the axis, with the arms on it and their base by name."""
    return asdict(axis) | {"arms": list(arms), "base": base}
