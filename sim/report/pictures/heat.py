"""A picture of shares by hour of the day, one line of cells per scheme: the darker, the larger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from sim.report.pictures.curves import Floats
from sim.report.svg import INK, LOSS, SOFT, bare, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_N_SHADES = 16


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One scheme: its name, and per panel the 24 values by hour and the text of the whole day at their right."""

    name: str
    values: tuple[Floats, ...]
    notes: tuple[str, ...]


def by_hour_and_row(rows: Sequence[HeatRow], titles: Sequence[str], hour_label: str, line_in: float) -> Figure | None:
    """Draw a panel per title, rows from the top; each panel is shaded from zero (white) to its own largest value."""
    if not rows:
        return None
    figure, grid = new_figure(0.75 + line_in * len(rows), len(titles), sharey=True, squeeze=False)
    for place, (axes, title) in enumerate(zip(grid.flat, titles, strict=True)):
        most = max((float(np.nanmax(row.values[place], initial=0.0)) for row in rows), default=0.0)
        for at, row in enumerate(rows):
            _cells(axes, at, row.values[place], most)
            axes.text(24.4, at, row.notes[place], va="center", ha="left", fontsize=7.5, color=SOFT)
        axes.set_title(title, fontsize=8.5, color=INK)
        axes.set_xlim(0, 24)
        axes.set_xticks(range(0, 25, 6))
        axes.set_xlabel(hour_label)
        bare(axes)
    grid[0, 0].set_yticks(range(len(rows)), [row.name for row in rows], color=INK, fontsize=min(8.0, 45 * line_in))
    grid[0, 0].set_ylim(len(rows) - 0.4, -0.6)
    return figure


def _cells(axes: Axes, at: int, values: Floats, most: float) -> None:
    """Draw one line of cells; neighbours of one shade are one bar."""
    shades = [0 if most <= 0 or np.isnan(v) else round(_N_SHADES * float(v) / most) for v in values]
    start = 0
    for shade, same in groupby(shades):
        width = len(list(same))
        if shade:
            axes.barh(at, width, 0.86, start, color=LOSS, alpha=shade / _N_SHADES, lw=0)
        start += width
