"""A picture of two schemes beside each other: one line per case, one panel per measure, each with its own scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.report.numbers import is_missing
from sim.report.svg import BASE, INK, PLAN, bare, new_figure, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_OFF, _LINE_IN = 0.17, 0.34


@dataclass(frozen=True, slots=True)
class Level:
    """A value and its interval, NaN where not known; an infinite value is one that never came."""

    value: float
    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True, slots=True)
class Case:
    """One line: its name, and per panel the levels of base and arm."""

    name: str
    panels: tuple[tuple[Level, Level], ...]


def beside(cases: Sequence[Case], titles: Sequence[str], names: tuple[str, str]) -> Figure | None:
    """Draw base (grey, above) and arm (blue, below) of each case with their intervals; `names` are the two's."""
    if not cases:
        return None
    figure, grid = new_figure(0.85 + _LINE_IN * len(cases), len(titles), sharey=True, squeeze=False)
    for place, (axes, title) in enumerate(zip(grid.flat, titles, strict=True)):
        for at, case in enumerate(cases):
            for level, off, colour in zip(case.panels[place], (-_OFF, _OFF), (BASE, PLAN), strict=True):
                _level(axes, level, at + off, colour)
        axes.set_title(title, fontsize=8.5, color=INK)
        axes.set_xlim(0, 1.08 * axes.dataLim.x1 if 0 < axes.dataLim.x1 < float("inf") else 1)
        bare(axes)
    grid[0, 0].set_yticks(range(len(cases)), [wrapped(case.name) for case in cases], color=INK)
    grid[0, 0].set_ylim(len(cases) - 0.4, -0.6)
    dots = [grid[0, 0].plot([], [], "o", color=colour, ms=4.5)[0] for colour in (BASE, PLAN)]
    figure.legend(dots, names, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure


def _level(axes: Axes, level: Level, at: float, colour: str) -> None:
    if level.value == float("inf"):
        axes.text(1.0, at, "∞", transform=axes.get_yaxis_transform(), va="center", ha="right", color=colour)
        return
    if not (is_missing(level.low) or is_missing(level.high)):
        axes.plot([max(level.low, 0.0), level.high], [at, at], color=colour, lw=2.2, alpha=0.45, solid_capstyle="butt")
    axes.plot([level.value], [at], "o", color=colour, ms=4.5)
