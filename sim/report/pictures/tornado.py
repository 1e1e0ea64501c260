"""A picture of what moves a difference: one bar per assumption, from one end of its range to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.report.numbers import Write
from sim.report.svg import ACCENT, INK, PLAN, SOFT, bare, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Bar:
    """One assumption: its name with its range, and the difference at the low and the high end of it."""

    name: str
    low_end: float
    high_end: float


def tornado(bars: Sequence[Bar], usual: float, ends: tuple[str, str], label: str, write: Write) -> Figure | None:
    """Draw the bars, the first on top, around the usual difference; the two ends are named and coloured."""
    if not bars:
        return None
    figure, axes = new_figure(0.8 + 0.26 * len(bars))
    for i, bar in enumerate(bars):
        for value, colour, side in ((bar.low_end, ACCENT, -1), (bar.high_end, PLAN, 1)):
            axes.plot([usual, value], [i, i], color=colour, lw=6, alpha=0.55, solid_capstyle="butt")
            is_right = value > usual or (value == usual and side > 0)
            axes.annotate(
                write(value), (value, i), (4 if is_right else -4, 0), textcoords="offset points", va="center",
                ha="left" if is_right else "right", fontsize=8, color=SOFT,
            )  # fmt: skip
    axes.axvline(usual, color=SOFT, lw=0.8)
    axes.axvline(0, color=INK, lw=0.8, ls=":")
    axes.set_yticks(range(len(bars)), [bar.name for bar in bars], color=INK)
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.margins(x=0.12)
    axes.set_xlabel(label)
    handles = [axes.plot([], [], color=colour, lw=6, alpha=0.55)[0] for colour in (ACCENT, PLAN)]
    axes.legend(handles, ends, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize=8)
    bare(axes)
    return figure
