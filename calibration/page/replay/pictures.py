"""Pictures of a replay: bars of change, a map of changes, hours, curves, loads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.report.svg import BASE, FAINT, GAIN, INK, LOSS, PLAN, SOFT, bare, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
_END_MIN = 10.0
_STEP_MIN = 0.5
_SAME_MIN = 1e-5
_LAST_MIN = 25.0
_GAIN_TO_LOSS = ("#005f9e", "#6fa9cf", "#c3ddec", "#e3e6e9", "#f6d9c5", "#e79b6d", "#b8420b")


def bars(change_min: Floats, labels: tuple[str, str]) -> Figure | None:
    """Draw the share of calls by change, min, of those that change; later is orange, sooner green."""
    other = change_min[np.abs(change_min) > _SAME_MIN]
    if not len(other):
        return None
    edges = np.arange(-_END_MIN, _END_MIN + _STEP_MIN / 2, _STEP_MIN)
    held = np.clip(other, -_END_MIN + _STEP_MIN / 2, _END_MIN - _STEP_MIN / 2)
    n, _ = np.histogram(held, edges)
    figure, axes = new_figure(2.3)
    middle = (edges[1:] + edges[:-1]) / 2
    colours = [LOSS if at > 0 else GAIN for at in middle]
    axes.bar(middle, 100.0 * n / len(change_min), 0.9 * _STEP_MIN, color=colours)
    axes.axvline(0, color=SOFT, lw=0.8)
    ticks = [-10, -5, -2, -1, 0, 1, 2, 5, 10]
    axes.set_xticks(ticks, [f"{tick:+d}".replace("-", "−") if tick else "0" for tick in ticks])
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    bare(axes, "y")
    return figure


def change_map(
    calls: tuple[Floats, Floats, Floats, Floats], stations: Sequence[tuple[str, float, float, str]], label: str
) -> Figure:
    """Draw places by change: x, y (km), mean change (s) and number of calls; stations as (name, x, y, kind).

    A kind is `stays`, `closed` or `new`.
    """
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    x, y, change, n = calls
    wide, high = (max(float(np.ptp(axis)), 1.0) for axis in (x, y))
    figure, axes = new_figure(float(np.clip(1.2 + 6.0 * high / wide, 2.0, 6.0)))
    known = np.abs(change[np.isfinite(change)])
    scale = max(float(np.quantile(known, 0.98)) if len(known) else 1.0, 10.0)
    colours = LinearSegmentedColormap.from_list("gain_to_loss", _GAIN_TO_LOSS)
    order = np.argsort(np.abs(np.nan_to_num(change)), kind="stable")
    size = 5.0 + 60.0 * np.sqrt(n / max(float(n.max()), 1.0))
    dots = axes.scatter(
        x[order], y[order], size[order], c=change[order], cmap=colours, norm=Normalize(-scale, scale), linewidths=0,
        alpha=0.9,
    )  # fmt: skip
    looks: dict[str, dict[str, Any]] = {
        "stays": {"marker": "^", "s": 34, "color": INK}, "closed": {"marker": "x", "s": 60, "color": LOSS, "lw": 2},
        "new": {"marker": "*", "s": 110, "color": PLAN, "edgecolors": "white", "linewidths": 0.6},
    }  # fmt: skip
    for name, at_x, at_y, kind in stations:
        axes.scatter([at_x], [at_y], zorder=4, **looks[kind])
        if kind != "stays":
            axes.annotate(name, (at_x, at_y), (6, 5), textcoords="offset points", fontsize=8, color=INK, zorder=5)
    axes.set_aspect("equal", adjustable="datalim")
    bare(axes, "both")
    bar = figure.colorbar(dots, ax=axes, orientation="horizontal", shrink=0.5, aspect=40, pad=0.02)
    bar.set_label(label, color=INK)
    bar.outline.set_visible(False)
    return figure


def by_hour(value: Floats, low: Floats, high: Floats, labels: tuple[str, str]) -> Figure:
    """Draw a value of each hour, (24,) NaN where there is none, with its interval."""
    figure, axes = new_figure(2.1)
    hour = np.flatnonzero(np.isfinite(value))
    reach = np.stack([value - low, high - value])[:, hour]
    axes.errorbar(
        hour, value[hour], np.nan_to_num(np.maximum(reach, 0.0)), fmt="o", ms=3.5, color=PLAN, ecolor=PLAN,
        elinewidth=1.1,
    )  # fmt: skip
    axes.axhline(0, color=SOFT, lw=0.8)
    axes.set_xticks(range(0, 24, 3))
    axes.set_xlim(-0.7, 23.7)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    bare(axes, "y")
    return figure


def arrived(panels: Mapping[str, Mapping[str, Floats]], names: Mapping[str, str], labels: tuple[str, str]) -> Figure:
    """Draw, per arrival, the share of calls reached by each minute on record, before and after; values in s."""
    figure, grid = new_figure(2.8, len(panels), squeeze=False, sharey=True)
    looks = {"recorded": (INK, (0, (3, 2))), "before": (BASE, "-"), "after": (PLAN, "-")}
    for axes, (title, curves) in zip(grid.flat, panels.items(), strict=True):
        ends = [float(np.quantile(it[np.isfinite(it)], 0.98)) for it in curves.values() if len(it)]
        end = min(max(ends, default=60.0) / 60.0, _LAST_MIN)
        at = np.linspace(0.0, max(end, 1.0), 300)
        for name, values in curves.items():
            if len(values):
                _curve(axes, at, values, names[name], *looks[name])
        axes.set_title(title, fontsize=8.5)
        axes.set_xlim(0, float(at[-1]))
        axes.set_ylim(0, 100)
        axes.set_xlabel(labels[0])
        bare(axes, "both")
    grid[0, 0].set_ylabel(labels[1])
    grid[0, 0].legend(loc="lower right", frameon=False, fontsize=8)
    return figure


def _curve(axes: Axes, at_min: Floats, values: Floats, name: str, colour: str, line: Any) -> None:
    share = np.searchsorted(np.sort(values), 60.0 * at_min, side="right") / len(values)
    axes.plot(at_min, 100.0 * share, color=colour, ls=line, label=name, lw=1.4)


def loads(names: Sequence[str], before: Floats, after: Floats | None, label: str) -> Figure:
    """Draw a line per station: share of the time out before (grey) and after (blue), NaN where there is none."""
    figure, axes = new_figure(0.7 + 0.17 * len(names))
    at = np.arange(len(names))
    if after is not None:
        for place, one, two in zip(at.tolist(), before.tolist(), after.tolist(), strict=True):
            axes.plot([100 * one, 100 * two], [place, place], color=FAINT, lw=2.2, zorder=1)
        axes.plot(100 * after, at, "o", color=PLAN, ms=4.5, zorder=3)
    axes.plot(100 * before, at, "o", color=BASE if after is not None else PLAN, ms=4.5, zorder=2)
    axes.set_yticks(at, list(names), color=INK)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel(label)
    bare(axes)
    return figure
