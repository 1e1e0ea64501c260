"""A picture of measures over the values of one setting: a line with intervals, marked values, and a null range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.report.numbers import is_missing
from sim.report.svg import ACCENT, FAINT, INK, PLAN, SOFT, bare, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LETTER, _ROW, _HEIGHT_IN = 0.019, 0.075, 2.15
"""Width of a letter and height of a row of names, as parts of a panel."""
_WIDE = 2
"""A Chinese character is as wide as two letters."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the setting: what is measured there, its interval, and a name where it is marked."""

    x: float
    y: float
    low: float
    high: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """A scheme that has no value on the axis: its name and what is measured under it, with its interval."""

    name: str
    y: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Swept:
    """One panel: values by rising x, levels across, the base's level and the bound within which all is the same."""

    title: str
    values: tuple[Value, ...]
    levels: tuple[Level, ...]
    base: float
    bound: float


def over_values(panels: Sequence[Swept], label: str) -> Figure | None:
    """Draw one panel per measure beside each other; `label` names the setting. A bound of NaN shades nothing."""
    if not panels:
        return None
    rows = max(_n_rows(panel, len(panels)) for panel in panels)
    figure, grid = new_figure(_HEIGHT_IN * (1 + _ROW * rows), len(panels), squeeze=False)
    for axes, panel in zip(grid.flat, panels, strict=True):
        _panel(axes, panel, len(panels))
        axes.set_title(panel.title, fontsize=8.5, color=INK, pad=6 + 11 * rows)
        axes.set_xlabel(label)
    return figure


def _panel(axes: Axes, panel: Swept, n_panels: int) -> None:
    if not is_missing(panel.bound):
        axes.axhspan(panel.base - panel.bound, panel.base + panel.bound, color=FAINT, alpha=0.55, lw=0)
    axes.axhline(panel.base, color=SOFT, lw=0.8)
    x, y, low, high = (np.array([getattr(one, name) for one in panel.values]) for name in ("x", "y", "low", "high"))
    axes.vlines(x, low, high, color=PLAN, lw=2.2, alpha=0.4)
    axes.plot(x, y, "o-", color=PLAN, ms=3, lw=1.2)
    rows = _rows(panel, n_panels)
    for one in panel.values:
        if one.name:
            axes.axvline(one.x, color=ACCENT, lw=0.8, ls=(0, (3, 2)), zorder=0.5)
            axes.plot([one.x], [one.y], "o", color=ACCENT, ms=5)
            axes.annotate(
                one.name, (one.x, 1 + _ROW * rows[one.x]), xycoords=axes.get_xaxis_transform(), ha="center",
                va="bottom", fontsize=7.5, color=ACCENT, xytext=(0, 2), textcoords="offset points",
            )  # fmt: skip
    _levels(axes, panel, float(x[-1]), float(x[-1] - x[0]))
    axes.margins(x=0.04, y=0.14)
    bare(axes, "y")


def _levels(axes: Axes, panel: Swept, last: float, span: float) -> None:
    """Draw each level as a line across that ends in its point and interval, its name away from the base's."""
    for place, level in enumerate(panel.levels):
        at = last + (0.06 + 0.05 * place) * (span or 1.0)
        axes.plot([panel.values[0].x, at], [level.y, level.y], color=ACCENT, lw=0.8, ls=(0, (3, 2)), zorder=0.5)
        axes.vlines(at, level.low, level.high, color=ACCENT, lw=2.2, alpha=0.4)
        axes.plot([at], [level.y], "D", color=ACCENT, ms=4)
        side = 1 if level.y >= panel.base else -1
        axes.annotate(
            level.name, (at, level.y), (2, 5 * side), textcoords="offset points", ha="right",
            va="bottom" if side > 0 else "top", fontsize=7.5, color=ACCENT,
        )  # fmt: skip


def _n_rows(panel: Swept, n_panels: int) -> int:
    return max(_rows(panel, n_panels).values(), default=0) + 1


def _rows(panel: Swept, n_panels: int) -> dict[float, int]:
    """Return for each marked value the row over the panel in which its name covers none before it."""
    ends: list[float] = []
    rows: dict[float, int] = {}
    span = panel.values[-1].x - panel.values[0].x or 1.0
    for one in (one for one in panel.values if one.name):
        letters = sum(_WIDE if ord(letter) > 0x2E7F else 1 for letter in one.name)
        half, at = _LETTER * n_panels / 2 * letters / 2 * span, one.x
        row = next((i for i, end in enumerate(ends) if end < at - half), len(ends))
        ends[row : row + 1] = [at + half]
        rows[one.x] = row
    return rows
