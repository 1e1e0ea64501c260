"""Pictures of a fit: hours of the day, stations at their places, and travel with the records it was fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calibration.fit.times import Effects
from calibration.model.noise import Noise
from sim.report.svg import ACCENT, GAIN, INK, LOSS, PLAN, SOFT, bare, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
_Z = 1.96
_DAY = 24


@dataclass(frozen=True, slots=True)
class Grouped:
    """Records in groups of as many each, by rising x: median of x, and P10, P50, P90 of y; (n_groups,) each."""

    x: Floats
    low: Floats
    middle: Floats
    high: Floats

    def scaled(self, per_unit: float) -> Grouped:
        """Return the groups with x over `per_unit`."""
        return Grouped(self.x / per_unit, self.low, self.middle, self.high)


def grouped(x: Floats, y: Floats, n_groups: int) -> Grouped:
    """Return records (n,) in groups."""
    parts = np.array_split(np.argsort(x, kind="stable"), n_groups)
    rows = [(np.median(x[part]), *np.quantile(y[part], [0.1, 0.5, 0.9])) for part in parts if len(part)]
    return Grouped(*np.array(rows).T)


def by_hour(panels: Sequence[tuple[str, Effects]], labels: tuple[str, str], names: tuple[str, str]) -> Figure:
    """Draw effects by hour in per cent with their intervals, one panel per part; workdays blue, days off orange."""
    figure, grid = new_figure(2.3, max(len(panels), 2), squeeze=False)
    for axes, (title, effects) in zip(grid.flat, panels, strict=False):
        for begin, colour, off, name in ((0, PLAN, -0.15, names[0]), (_DAY, ACCENT, 0.15, names[1])):
            hours = [label for label in sorted(effects.effect) if begin <= label < begin + _DAY]
            value = np.array([effects.effect[label] for label in hours])
            reach = _Z * np.array([effects.se[label] for label in hours])
            at = np.array(hours, dtype=np.float64) - begin + off
            axes.vlines(at, 100 * np.expm1(value - reach), 100 * np.expm1(value + reach), color=colour, alpha=0.4)
            axes.plot(at, 100 * np.expm1(value), "o", color=colour, ms=3, label=name)
        axes.axhline(0, color=SOFT, lw=0.8)
        axes.set_title(title, fontsize=8.5, color=INK)
        axes.set_xticks(range(0, _DAY, 6))
        axes.set_xlabel(labels[0])
        bare(axes, "y")
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_axis_off()
    grid[0, 0].set_ylabel(labels[1])
    handles, told = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, told, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure


def sites(xy_km: Floats, percent: Floats, codes: Sequence[str], label: str) -> Figure:
    """Draw stations at their places (n, 2), larger dots for larger effects: slower ones orange, faster ones green."""
    figure, axes = new_figure(4.2)
    size = 15.0 + 240.0 * np.abs(percent) / max(float(np.abs(percent).max()), 1e-9)
    colours = np.where(percent > 0.0, LOSS, GAIN).tolist()
    axes.scatter(xy_km[:, 0], xy_km[:, 1], size, color=colours, alpha=0.75, linewidths=0)
    for (x, y), code in zip(xy_km.tolist(), codes, strict=True):
        axes.annotate(code, (x, y), (0, 8), textcoords="offset points", ha="center", fontsize=6.5, color=SOFT)
    axes.set_aspect("equal")
    axes.margins(0.1)
    axes.set_xlabel(label)
    axes.set_ylabel(label)
    bare(axes, "both")
    return figure


def travel(
    curve: tuple[Floats, Floats], data: Grouped, noise: Noise, titles: tuple[str, str], labels: tuple[str, str, str]
) -> Figure:
    """Draw travel time over the way with the records' medians, and beside it the noise by expected time."""
    figure, (left, right) = new_figure(2.9, 2, width_ratios=(3, 2))
    left.fill_between(data.x, data.low / 60, data.high / 60, color=SOFT, alpha=0.2, lw=0)
    left.plot(data.x, data.middle / 60, "o", color=INK, ms=3.5)
    left.plot(curve[0], curve[1] / 60, color=PLAN)
    left.set_ylim(bottom=0)
    left.set_xlabel(labels[0])
    left.set_ylabel(labels[1])
    _noise(right, noise)
    right.set_xlabel(labels[2])
    for axes, title in zip((left, right), titles, strict=True):
        axes.set_title(title, fontsize=8.5, color=INK)
        bare(axes, "both")
    return figure


def _noise(axes: Axes, noise: Noise) -> None:
    """Draw bands of the noise as bars from P10 to P90 and from P25 to P75, each over its band of expected time."""
    edges = noise.edges_s / 60
    outer = [edges[0] / 2, edges[-1] * 1.4] if len(edges) else [0.0, 1.0]
    ends = np.concatenate([outer[:1], edges, outer[1:]])
    for number, row in enumerate(noise.log_quantiles):
        left, width = ends[number], ends[number + 1] - ends[number]
        for low, high, alpha in ((0.1, 0.9, 0.25), (0.25, 0.75, 0.45)):
            bottom, top = np.exp(np.quantile(row, [low, high]))
            axes.bar(left, top - bottom, width * 0.94, bottom, align="edge", color=PLAN, alpha=alpha, lw=0)
        middle = float(np.exp(np.median(row)))
        axes.plot([left, left + 0.94 * width], [middle, middle], color=INK, lw=1.0)
    axes.axhline(1, color=SOFT, lw=0.8)
    axes.set_ylim(min(axes.get_ylim()[0], 0.9), max(axes.get_ylim()[1], 1.1))
    if not len(edges):
        axes.set_xticks([])
