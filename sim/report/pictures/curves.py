"""Pictures over time: distributions of response times, measures by year, and bars that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.report.svg import ACCENT, BASE, INK, PLAN, SOFT, bare, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
_LAST_S, _EVERY_S = 900, 6


@dataclass(frozen=True, slots=True)
class Curve:
    """One line with its band: x, y, lower and upper end, all of one length."""

    name: str
    x: Floats
    y: Floats
    low: Floats
    high: Floats


def distributions(
    panels: Mapping[str, tuple[Curve, Curve]], labels: tuple[str, str], marks: Sequence[tuple[float, str]]
) -> Figure | None:
    """Draw one panel per year: the share arrived by each second, base (grey) and arm (blue); `marks` are targets."""
    if not panels:
        return None
    n_columns = min(len(panels), 5)
    n_rows = -(-len(panels) // n_columns)
    figure, grid = new_figure(0.7 + 1.75 * n_rows, n_columns, n_rows, sharex=True, sharey=True, squeeze=False)
    flat = list(grid.flat)
    for axes, (title, curves) in zip(flat, panels.items(), strict=False):
        _distribution(axes, title, curves, marks, is_named=axes is flat[0])
    for axes in flat[len(panels) :]:
        axes.set_axis_off()
    lines, names = flat[0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside upper right", ncols=2, frameon=False, fontsize=8)
    figure.supxlabel(labels[0], fontsize=8.5, color=SOFT)
    for row in grid:
        row[0].set_ylabel(labels[1])
    return figure


def _distribution(
    axes: Axes, title: str, curves: tuple[Curve, Curve], marks: Sequence[tuple[float, str]], *, is_named: bool
) -> None:
    for curve, colour in zip(curves, (BASE, PLAN), strict=True):
        keep = (curve.x <= _LAST_S) & (curve.x % _EVERY_S == 0)
        minutes = curve.x[keep] / 60
        axes.fill_between(minutes, 100 * curve.low[keep], 100 * curve.high[keep], color=colour, alpha=0.2, lw=0)
        axes.plot(minutes, 100 * curve.y[keep], color=colour, label=curve.name)
    for at, text in marks:
        axes.axvline(at / 60, color=SOFT, lw=0.8, ls=(0, (3, 2)))
        if is_named:
            axes.text(at / 60 + 0.15, 2, text, fontsize=7.5, color=SOFT)
    axes.set_title(title, fontweight="normal")
    axes.set_xlim(0, _LAST_S / 60)
    axes.set_ylim(0, 100)
    axes.set_xticks([5, 10])
    axes.set_yticks([0, 50, 90], ["0", "50", "90"])
    bare(axes, "y")


def by_year(
    panels: Mapping[str, Sequence[Curve]], colours: Sequence[str] = (BASE, PLAN), height_in: float = 2.2
) -> Figure | None:
    """Draw one panel per measure with a line per arm over the years, named at its end."""
    if not panels:
        return None
    figure, grid = new_figure(height_in, len(panels), squeeze=False)
    for axes, (title, curves) in zip(grid.flat, panels.items(), strict=True):
        for curve, colour in zip(curves, colours, strict=False):
            axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.18, lw=0)
            axes.plot(curve.x, curve.y, "o-", color=colour, ms=3.5)
        _name_ends(axes, curves, colours)
        axes.set_title(title, fontsize=8.5)
        years = sorted({float(x) for curve in curves for x in curve.x})
        axes.set_xticks(years, [f"{year:.0f}" for year in years])
        axes.set_ylim(0, 1.16 * max((float(np.nanmax(curve.high)) for curve in curves), default=1.0) or 1.0)
        bare(axes, "y")
    return figure


def _name_ends(axes: Axes, curves: Sequence[Curve], colours: Sequence[str]) -> None:
    """Write each curve's name over its end, clear of its band; of two, the higher's above, the lower's below."""
    order = sorted(range(len(curves)), key=lambda i: -float(curves[i].y[-1]))
    for rank, i in enumerate(order):
        curve, colour = curves[i], colours[i % len(colours)]
        is_low = float(curve.y[-1]) < 0.25 * float(np.nanmax(curves[order[0]].y))
        is_above = rank == 0 or is_low
        end = float(np.nanmax(curve.high[-3:]) if is_above else np.nanmin(curve.low[-3:]))
        axes.annotate(
            curve.name, (curve.x[-1], end), (0, 4 if is_above else -4), textcoords="offset points", ha="right",
            va="bottom" if is_above else "top", fontsize=8, color=SOFT if colour == BASE else colour,
        )  # fmt: skip


def sorted_lines(
    curves: Sequence[Curve], labels: tuple[str, str], colours: Sequence[str] = (BASE, PLAN)
) -> Figure | None:
    """Draw one line per arm over the rank of its stations, named where the line ends."""
    if not curves:
        return None
    figure, axes = new_figure(2.1)
    for curve, colour in zip(curves, colours, strict=False):
        axes.plot(curve.x, curve.y, color=colour)
        at = int(len(curve.x) * (0.3 if colour == BASE else 0.6))
        text = SOFT if colour == BASE else colour
        axes.annotate(
            curve.name, (curve.x[at], curve.y[at]), (0, 7), textcoords="offset points", fontsize=8, color=text
        )
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    bare(axes, "y")
    return figure


def parts(
    titles: Sequence[str],
    years: Sequence[str],
    values: Sequence[Sequence[tuple[float, float]]],
    names: tuple[str, str, str],
) -> Figure | None:
    """Draw, per measure, two bars by year (first and second part) and a mark at their sum; `names` are the three's."""
    if not values:
        return None
    figure, grid = new_figure(2.4, len(values), squeeze=False)
    for axes, title, pairs in zip(grid.flat, titles, values, strict=True):
        first, second = (np.array([pair[j] for pair in pairs], dtype=float) for j in (0, 1))
        x = np.arange(len(years))
        axes.bar(x - 0.2, first, 0.38, color=PLAN, label=names[0])
        axes.bar(x + 0.2, second, 0.38, color=ACCENT, label=names[1])
        axes.plot(x, first + second, "_", color=INK, ms=22, mew=1.6, label=names[2])
        axes.axhline(0, color=SOFT, lw=0.8)
        axes.set_xticks(x, list(years))
        axes.set_title(title, fontsize=8.5)
        bare(axes, "y")
    handles, labels = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def grouped_bars(
    groups: Sequence[str], series: Sequence[tuple[str, Sequence[float]]], titles: Sequence[str], per_panel: int
) -> Figure | None:
    """Draw bars side by side, `per_panel` groups to a panel (each panel its own scale), one colour per series."""
    if not groups:
        return None
    n_panels = -(-len(groups) // per_panel)
    figure, grid = new_figure(1.9, n_panels, squeeze=False)
    width = 0.8 / len(series)
    for p, axes in enumerate(grid.flat):
        part = slice(p * per_panel, (p + 1) * per_panel)
        x = np.arange(len(groups[part]))
        for i, ((name, values), colour) in enumerate(zip(series, (PLAN, ACCENT), strict=False)):
            axes.barh(x + (i - 0.5) * width, values[part], width * 0.9, color=colour, label=name)
        axes.set_yticks(x, list(groups[part]), color=INK)
        axes.invert_yaxis()
        axes.set_title(titles[p], fontsize=8.5)
        bare(axes)
    handles, labels = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(series), frameon=False, fontsize=8)
    return figure
