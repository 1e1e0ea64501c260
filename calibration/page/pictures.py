"""Pictures of predictions beside records: distributions, histograms of the transform, reliability, groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calibration.backtest.generative import Generative
from calibration.backtest.scores import Curves
from calibration.scores import Brier, GroupErrors, PitHistogram
from sim.report.svg import BASE, FAINT, INK, LOSS, PLAN, SOFT, bare, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
_MOST_COLUMNS = 3
_STEPS = {6: 1, 16: 2, 32: 5, 60: 10, 120: 20}
"""Minutes between ticks, by the end of the axis."""


def distribution(curves: Curves, titles: tuple[str, str], names: tuple[str, str], label: str) -> Figure:
    """Draw recorded (dark) and predicted (blue, band of histories) over minutes, and beside it their difference."""
    figure, (left, right) = new_figure(2.9, 2, width_ratios=(3, 2))
    minutes = curves.at_s / 60.0
    left.fill_between(minutes, 100 * curves.low, 100 * curves.high, color=PLAN, alpha=0.22, lw=0, step="post")
    left.plot(minutes, 100 * curves.predicted, color=PLAN, lw=2.6, alpha=0.8, label=names[1])
    left.plot(minutes, 100 * curves.recorded, color=INK, lw=1.2, label=names[0], drawstyle="steps-post")
    left.set_ylim(0, 100)
    left.legend(loc="lower right", frameon=False, fontsize=8)
    low, high = (100 * (end - curves.predicted) for end in (curves.low, curves.high))
    right.fill_between(minutes, low, high, color=PLAN, alpha=0.22, lw=0)
    right.plot(minutes, 100 * (curves.recorded - curves.predicted), color=INK, lw=1.2)
    right.axhline(0, color=SOFT, lw=0.8)
    most = float(max(np.abs(low).max(), np.abs(high).max(), 100 * np.abs(curves.recorded - curves.predicted).max(), 1))
    right.set_ylim(-1.1 * most, 1.1 * most)
    for axes, title in zip((left, right), titles, strict=True):
        axes.set_title(title, fontsize=8.5, color=INK)
        axes.set_xlim(0, float(minutes[-1]))
        axes.set_xticks(_ticks(float(minutes[-1])))
        axes.set_xlabel(label)
        bare(axes, "both")
    return figure


def _ticks(end: float) -> list[float]:
    step = next((step for most, step in _STEPS.items() if end <= most), 60)
    return [float(tick) for tick in range(0, int(end) + 1, step)]


def transforms(panels: Sequence[tuple[str, PitHistogram]], labels: tuple[str, str]) -> Figure:
    """Draw one histogram of the transform per panel, with the range of chance between dashed lines."""
    figure, grid = new_figure(2.1, max(len(panels), 2), squeeze=False)
    for axes, (title, histogram) in zip(grid.flat, panels, strict=False):
        n_bins = len(histogram.counts)
        at = (np.arange(n_bins) + 0.5) / n_bins
        is_off = (histogram.counts < histogram.low) | (histogram.counts > histogram.high)
        colours = np.where(is_off, LOSS, PLAN).tolist()
        axes.bar(at, histogram.counts, 0.9 / n_bins, color=colours, alpha=0.75)
        for end in (histogram.low, histogram.high):
            axes.axhline(end, color=SOFT, lw=0.9, ls=(0, (4, 2)))
        axes.set_title(title, fontsize=8.5, color=INK)
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        bare(axes, "y")
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_axis_off()
    return figure


def reliability(panels: Sequence[tuple[str, Brier]], labels: tuple[str, str]) -> Figure:
    """Draw one reliability curve per threshold over the diagonal, with bars of how often a share was predicted."""
    n_rows = -(-len(panels) // _MOST_COLUMNS)
    figure, grid = new_figure(0.4 + 2.2 * n_rows, _MOST_COLUMNS, n_rows, squeeze=False, sharex=True, sharey=True)
    for axes, (title, score) in zip(grid.flat, panels, strict=False):
        often, edges = np.histogram(score.forecast, bins=20, range=(0.0, 1.0))
        height = 25.0 * often / max(int(often.max()), 1)
        axes.bar(50 * (edges[1:] + edges[:-1]), height, 4.5, color=FAINT)
        axes.plot([0, 100], [0, 100], color=SOFT, lw=0.8, ls=(0, (4, 2)))
        axes.plot(100 * score.forecast, 100 * score.recalibrated, color=PLAN)
        axes.set_title(title, fontsize=8.5, color=INK)
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 100)
        axes.set_aspect("equal")
        bare(axes, "both")
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_axis_off()
    for axes in grid[-1]:
        axes.set_xlabel(labels[0])
    for row in grid:
        row[0].set_ylabel(labels[1])
    return figure


def stations(found: GroupErrors, labels: tuple[str, str]) -> Figure:
    """Draw predicted over recorded medians, min; bars are the groups' own limits, those beyond in orange."""
    figure, axes = new_figure(4.2)
    known = np.flatnonzero(np.isfinite(found.observed_s) & np.isfinite(found.predicted_s))
    x, y, limit = found.observed_s[known] / 60, found.predicted_s[known] / 60, found.limit_s[known] / 60
    is_off = np.abs(x - y) > limit
    size = 12.0 + 80.0 * np.sqrt(found.n[known] / max(int(found.n.max(initial=1)), 1))
    for chosen, colour in ((~is_off, PLAN), (is_off, LOSS)):
        reach = np.where(np.isfinite(limit[chosen]), limit[chosen], 0.0)
        axes.errorbar(x[chosen], y[chosen], reach, fmt="none", ecolor=colour, elinewidth=1.0, alpha=0.45)
        axes.scatter(x[chosen], y[chosen], size[chosen], color=colour, alpha=0.8, linewidths=0, zorder=3)
    _diagonal(axes, x, y, 1.0)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    bare(axes, "both")
    return figure


def hours(found: GroupErrors, titles: tuple[str, str], names: tuple[str, str]) -> Figure:
    """Draw medians by hour, recorded and predicted with each hour's limit, over bars of the calls by hour."""
    figure, (top, bars) = new_figure(3.1, 1, 2, sharex=True, height_ratios=(3, 1))
    predicted = np.where(np.isfinite(found.predicted_s), found.predicted_s, np.nan) / 60
    recorded = np.where(np.isfinite(found.observed_s), found.observed_s, np.nan) / 60
    limit = np.where(np.isfinite(found.limit_s), found.limit_s, np.nan) / 60
    top.fill_between(found.label, predicted - limit, predicted + limit, color=PLAN, alpha=0.2, lw=0)
    top.plot(found.label, predicted, "o-", color=PLAN, ms=3, label=names[1])
    top.plot(found.label, recorded, "o-", color=BASE, ms=3, label=names[0])
    top.legend(loc="best", frameon=False, fontsize=8, ncols=2)
    top.set_title(titles[0], fontsize=8.5, color=INK)
    top.margins(y=0.25)
    bare(top, "y")
    _busy(bars, found.label, found.n, titles[1])
    return figure


def _busy(axes: Axes, hour: NDArray[np.int64], n: NDArray[np.int64], title: str) -> None:
    axes.bar(hour, 100 * n / max(int(n.sum()), 1), 0.8, color=FAINT)
    axes.set_xticks(range(0, 24, 3))
    axes.set_title(title, fontsize=8, color=INK)
    bare(axes, "y")


def against(x: Floats, y: Floats, labels: tuple[str, str]) -> Figure:
    """Draw one dot per pair of values (n,) over the diagonal."""
    figure, axes = new_figure(3.4)
    axes.scatter(x, y, 30.0, color=PLAN, alpha=0.8, linewidths=0, zorder=3)
    _diagonal(axes, x, y, 0.1)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    bare(axes, "both")
    return figure


def _diagonal(axes: Axes, x: Floats, y: Floats, least: float) -> None:
    """Set both axes to one range, at least so wide, and draw where they are equal."""
    both = np.concatenate([x, y]) if len(x) else np.array([0.0, 1.0])
    low, high = float(both.min()), float(both.max())
    room = 0.08 * max(high - low, least)
    ends = [low - room, high + room]
    axes.plot(ends, ends, color=SOFT, lw=0.8, ls=(0, (4, 2)))
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    axes.set_aspect("equal")


def by_day(of: Generative, label: str, calls: str) -> Figure:
    """Draw recorded calls by day over the mean and the middle 95 % of drawn histories."""
    figure, axes = new_figure(2.1)
    at = np.arange(len(of.days)) + 1
    axes.fill_between(at, of.by_day_low, of.by_day_high, color=PLAN, alpha=0.22, lw=0, step="mid")
    axes.plot(at, of.by_day_mean, color=PLAN)
    axes.plot(at, of.by_day, color=INK, lw=0.9)
    axes.set_ylim(bottom=0)
    axes.set_xlim(0.5, len(at) + 0.5)
    axes.set_xlabel(label)
    axes.set_ylabel(calls)
    bare(axes, "y")
    return figure


def at_once(panels: Sequence[tuple[str, Floats, Floats]], names: tuple[str, str], label: str) -> Figure:
    """Draw shares of the time with 0, 1, 2, ... open at once, recorded (grey) beside simulated (blue)."""
    figure, grid = new_figure(2.5, len(panels), squeeze=False)
    for axes, (title, recorded, played) in zip(grid.flat, panels, strict=True):
        n = int(max(*(np.flatnonzero(of > 0.0005).max(initial=0) for of in (recorded, played)))) + 1
        for share, off, colour, name in zip((recorded, played), (-0.2, 0.2), (BASE, PLAN), names, strict=True):
            padded = np.pad(share, (0, max(n - len(share), 0)))[:n]
            axes.bar(np.arange(n) + off, 100 * padded, 0.38, color=colour, label=name)
        axes.set_xlabel(title)
        axes.set_ylabel(label)
        axes.xaxis.get_major_locator().set_params(integer=True)
        bare(axes, "y")
    grid[0, -1].legend(loc="upper right", frameon=False, fontsize=8)
    return figure
