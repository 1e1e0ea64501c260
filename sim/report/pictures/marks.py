"""Pictures of points with intervals, one line each: differences, rankings, and pairs of levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sim.report.numbers import Write, is_missing, plain
from sim.report.svg import ACCENT, BASE, FAINT, GAIN, INK, LOSS, PLAN, SOFT, bare, new_figure, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_LEAST_SPAN = 2.0
"""Levels closer than these per cent are not drawn further apart than they would be on such an axis."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One line: its name, a value and its interval (NaN where not known), and a note at the right.

    `is_settled`: the difference may be called clear if its interval leaves zero out. `inner`: the interval of chance
    alone, drawn thicker where it is known.
    """

    name: str
    value: float
    low: float
    high: float
    note: str = ""
    is_settled: bool = True
    inner: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Ghost:
    """The main comparison on a condition's own replications: levels, and the difference of both measures."""

    base: float
    arm: float
    diff: float
    late: float


@dataclass(frozen=True, slots=True)
class Step:
    """One condition: the level without and with, and the paired difference of two measures with intervals."""

    name: str
    base: float
    arm: float
    diff: Mark
    late: Mark
    ghost: Ghost | None = None


def mark_of(name: str, row: Any, column: str, factor: float, note: str = "") -> Mark:
    """Return the mark of a row's value in `column` and of its `low` and `high`, times `factor`; None gives no mark."""
    if row is None:
        return Mark(name, float("nan"), float("nan"), float("nan"), note)
    value, low, high = (factor * float(row[key]) for key in (column, "low", "high"))
    return Mark(name, value, low, high, note)


def tone(low: float, high: float, better: int) -> str:
    """Return the colour of a difference: gain, loss, or soft where the interval holds zero or is not known."""
    if is_missing(low) or is_missing(high) or low <= 0 <= high:
        return SOFT
    return GAIN if (low > 0) == (better > 0) else LOSS


def forest(marks: Sequence[Mark], label: str, write: Write, *, better: int = 0, line_in: float = 0.2) -> Figure | None:
    """Draw one line per mark, the first on top; `better` 1 or -1 colours gains and losses, 0 draws all alike."""
    if not marks:
        return None
    figure, axes = new_figure(0.55 + line_in * len(marks))
    _points(axes, marks, write, better)
    axes.set_yticks(range(len(marks)), [mark.name for mark in marks], color=INK)
    axes.set_xlabel(label)
    return figure


def _points(axes: Axes, marks: Sequence[Mark], write: Write | None, better: int) -> None:
    for i, mark in enumerate(marks):
        colour = PLAN if not better else tone(mark.low, mark.high, better) if mark.is_settled else SOFT
        if not is_missing(mark.low):
            axes.plot([mark.low, mark.high], [i, i], color=colour, lw=2.2, alpha=0.45, solid_capstyle="butt")
        if mark.inner is not None and not any(is_missing(end) for end in mark.inner):
            axes.plot(mark.inner, [i, i], color=colour, lw=6, alpha=0.45, solid_capstyle="butt")
        axes.plot([mark.value], [i], "o", color=colour, ms=4.5)
        text = mark.note or (write(mark.value) if write else "")
        if text:
            side = axes.get_yaxis_transform()
            axes.text(1.01, i, text, transform=side, va="center", ha="left", fontsize=8, color=colour)
    axes.axvline(0, color=SOFT, lw=0.8)
    axes.set_ylim(len(marks) - 0.4, -0.6)
    bare(axes)


def steps(
    rows: Sequence[Step], titles: tuple[str, str, str], names: tuple[str, str], line_in: float = 0.36
) -> Figure | None:
    """Draw levels in per cent without and with as dumbbells, and beside them the paired differences of two measures."""
    if not rows:
        return None
    figure, (left, middle, right) = new_figure(0.95 + line_in * len(rows), 3, sharey=True, width_ratios=(1.7, 1, 1))
    for i, row in enumerate(rows):
        left.plot([row.base, row.arm], [i, i], color=FAINT, lw=5, solid_capstyle="round", zorder=1)
        left.plot([row.base], [i], "o", color=BASE, ms=7, zorder=2)
        left.plot([row.arm], [i], "o", color=PLAN, ms=7, zorder=2)
        is_up = row.arm >= row.base
        _beside(left, row.base, i, plain(row.base, 1), SOFT, -1 if is_up else 1)
        _beside(left, row.arm, i, plain(row.arm, 1), PLAN, 1 if is_up else -1)
        if row.ghost is not None:
            _hollow(left, (row.ghost.base, row.ghost.arm), i)
            _hollow(middle, (row.ghost.diff,), i)
            _hollow(right, (row.ghost.late,), i)
    first = rows[0]
    is_up = first.arm >= first.base
    for x, text, colour, ha in (
        (first.base, names[0], SOFT, "right" if is_up else "left"),
        (first.arm, names[1], PLAN, "left" if is_up else "right"),
    ):
        left.annotate(
            text, (x, 0), (-5 if ha == "right" else 5, 11), textcoords="offset points", ha=ha, fontsize=8, color=colour
        )
    levels = [level for row in rows for level in (row.base, row.arm)]
    margin = 0.3 * max(max(levels) - min(levels), _LEAST_SPAN)
    short = max(0.0, _LEAST_SPAN - (max(levels) - min(levels))) / 2
    left.set_xlim(max(min(levels) - margin - short, -12), min(max(levels) + margin + short, 112))
    for axes, marks, better in ((middle, [r.diff for r in rows], 1), (right, [r.late for r in rows], -1)):
        _points(axes, [replace(mark, note="") for mark in marks], None, better)
        for i, mark in enumerate(marks):
            axes.annotate(mark.note, (mark.value, i), (0, 6), textcoords="offset points", ha="center", fontsize=8)
        axes.margins(x=0.12)
    left.set_ylim(len(rows) - 0.4, -0.27 / line_in)  # room for the names over the first line
    for axes, title in zip((left, middle, right), titles, strict=True):
        axes.set_title(title, fontsize=8.5, color=INK)
        bare(axes)
    left.set_yticks(range(len(rows)), [wrapped(row.name) for row in rows], color=INK, fontsize=8.5)
    left.set_ylim(len(rows) - 0.5, -0.75)
    return figure


def _beside(axes: Axes, x: float, y: float, text: str, colour: str, side: int) -> None:
    ha = "left" if side > 0 else "right"
    axes.annotate(
        text, (x, y), (7 * side, 0), textcoords="offset points", ha=ha, va="center", fontsize=8.5, color=colour
    )


def _hollow(axes: Axes, values: Sequence[float], y: float) -> None:
    """Draw rings a little below a line."""
    axes.plot(values, [y + 0.3] * len(values), "o", mfc="white", mec=SOFT, mew=0.9, ms=4, ls="none", zorder=3)


def ranking(marks: Sequence[Mark], planned: Sequence[int], titles: tuple[str, str], write: Write) -> Figure | None:
    """Draw a ranking with intervals, and beside it the year planned for each (0: not planned), in its year's column."""
    if not marks:
        return None
    figure, (left, right) = new_figure(0.6 + 0.2 * len(marks), 2, sharey=True, width_ratios=(3, 1))
    _points(left, marks, write, 0)
    left.set_yticks(range(len(marks)), [mark.name for mark in marks], color=INK)
    years = sorted({year for year in planned if year})
    for i, year in enumerate(planned):
        if year:
            right.plot([years.index(year)], [i], "s", color=ACCENT, ms=5)
        else:
            right.text((len(years) - 1) / 2, i, "–", color=SOFT, va="center", ha="center", fontsize=8)
    right.set_xlim(-0.6, max(len(years), 1) - 0.4)
    right.set_xticks(range(len(years)), [str(year) for year in years])
    bare(right, "both")
    for axes, title in zip((left, right), titles, strict=True):
        axes.set_title(title, fontsize=8.5, color=INK)
    return figure
