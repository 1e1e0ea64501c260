"""A picture over the 24 hours of a day: levels of two arms, their difference, and when incidents happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.report.pictures.curves import Curve, Floats
from sim.report.svg import BASE, FAINT, GAIN, INK, PLAN, SOFT, bare, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def by_hour(levels: tuple[Curve, Curve], diff: Curve | None, busy: Floats, titles: tuple[str, str, str]) -> Figure:
    """Draw base (grey) and arm (blue) by hour over bars of `busy`, each hour's part of the incidents in per cent.

    `diff` stands beside them with its band; without one there is no such panel. `titles`: of the levels, the
    difference, the bars.
    """
    n_columns = 1 if diff is None else 2
    figure, grid = new_figure(
        3.0, n_columns, 2, squeeze=False, sharex=True, height_ratios=(3, 1), width_ratios=(3, 2)[:n_columns]
    )
    top, bars = grid[0, 0], grid[1, 0]
    for curve, colour, place in zip(levels, (BASE, PLAN), _above_and_below(levels), strict=True):
        _band(top, curve, colour)
        at, side = place
        text = SOFT if colour == BASE else colour
        top.annotate(
            curve.name, (curve.x[at], curve.low[at] if side < 0 else curve.high[at]), (0, 4 * side),
            textcoords="offset points", ha="center", va="top" if side < 0 else "bottom", fontsize=8, color=text,
        )  # fmt: skip
    top.set_title(titles[0], fontsize=8.5)
    top.margins(y=0.22)
    bare(top, "y")
    if diff is not None:
        beside = grid[0, 1]
        _band(beside, diff, GAIN)
        beside.axhline(0, color=SOFT, lw=0.8)
        beside.set_title(titles[1], fontsize=8.5)
        bare(beside, "y")
    for axes in grid[1]:
        axes.bar(levels[0].x, busy, 0.8, color=FAINT)
        axes.set_xticks(range(0, 24, 3))
        bare(axes, "y")
    bars.set_title(titles[2], fontsize=8, color=INK)
    return figure


def _band(axes: Axes, curve: Curve, colour: str) -> None:
    axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.2, lw=0)
    axes.plot(curve.x, curve.y, "o-", color=colour, ms=3)


def _above_and_below(levels: tuple[Curve, Curve]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (hour, side) at which each curve is named: the higher above itself and the lower below, around noon."""
    base, arm = (float(np.nanmean(curve.y)) for curve in levels)
    sides = (-1, 1) if arm >= base else (1, -1)
    return (12, sides[0]), (12, sides[1])
