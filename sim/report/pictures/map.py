"""A schematic map: town areas drawn from demand cells, coloured by a value."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from sim.report.numbers import is_missing
from sim.report.svg import FAINT, INK, SOFT, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim.city import City

_LOSS_TO_GAIN = ("#b8420b", "#e79b6d", "#f6d9c5", "#f3f4f5", "#c3ddec", "#6fa9cf", "#005f9e")
Loop = list[tuple[int, int]]


def town_outlines(city: City) -> list[list[Loop]]:
    """Return, per town, the closed outlines (corner points in whole cells) of the squares its cells stand for."""
    rows, columns = _squares(city)
    towns = np.full((rows.max() + 3, columns.max() + 3), -1)
    towns[rows + 1, columns + 1] = city.cells.town
    return [_loops(towns == town) for town in range(city.towns.n_towns)]


def _squares(city: City) -> tuple[np.ndarray, np.ndarray]:
    rows = (city.cells.y_m - city.grid_y0_m) // city.cell_m
    columns = (city.cells.x_m - city.grid_x0_m) // city.cell_m
    return rows.astype(int), columns.astype(int)


def _loops(is_in: np.ndarray) -> list[Loop]:
    """Return the outlines of the marked squares, each edge with the inside on its left."""
    follow: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for r, c in zip(*(axis.tolist() for axis in np.nonzero(is_in)), strict=True):
        edges = (
            (is_in[r - 1, c], (c, r), (c + 1, r)),
            (is_in[r, c + 1], (c + 1, r), (c + 1, r + 1)),
            (is_in[r + 1, c], (c + 1, r + 1), (c, r + 1)),
            (is_in[r, c - 1], (c, r + 1), (c, r)),
        )
        for is_inner, start, end in edges:
            if not is_inner:
                follow.setdefault(start, []).append(end)
    loops = []
    while follow:
        start = min(follow)
        loop = [start]
        while loop[-1] in follow:
            ends = follow[loop[-1]]
            loop.append(ends.pop())
            if not ends:
                del follow[loop[-2]]
        loops.append(_corners(loop))
    return loops


def _corners(loop: Loop) -> Loop:
    """Return the points at which a closed loop turns."""
    points = loop[:-1]
    n = len(points)
    return [
        points[i]
        for i in range(n)
        if not (points[i - 1][0] == points[i][0] == points[(i + 1) % n][0])
        and not (points[i - 1][1] == points[i][1] == points[(i + 1) % n][1])
    ]


def town_map(
    city: City,
    values: Mapping[str, float],
    notes: Mapping[str, str],
    scale: float,
    labels: tuple[str, str],
    language: str,
) -> Figure:
    """Draw each town in the colour of its value between -`scale` (orange) and +`scale` (blue); none is hatched white.

    `notes` is written under the town's name; `labels` are the colour bar's and the word "schematic".
    """
    from matplotlib.collections import PathCollection
    from matplotlib.colors import LinearSegmentedColormap, Normalize
    from matplotlib.path import Path as Outline

    figure, axes = new_figure(5.0)
    colours = LinearSegmentedColormap.from_list("loss_to_gain", _LOSS_TO_GAIN, bad=FAINT)
    outlines, numbers = [], []
    for loops, code in zip(town_outlines(city), city.towns.code, strict=True):
        points = [point for loop in loops for point in (*loop, loop[0])]
        kinds = [k for loop in loops for k in (Outline.MOVETO, *[Outline.LINETO] * (len(loop) - 1), Outline.CLOSEPOLY)]
        outlines.append(Outline(points, kinds))
        numbers.append(values.get(code, float("nan")))
    shapes = PathCollection(outlines, cmap=colours, norm=Normalize(-scale, scale), edgecolors="white", linewidths=1.1)
    shapes.set_array(np.ma.masked_invalid(numbers))
    axes.add_collection(shapes)
    _name_towns(axes, city, values, notes, scale, language)
    axes.autoscale_view()
    axes.set_aspect("equal")
    axes.set_axis_off()
    bar = figure.colorbar(shapes, ax=axes, orientation="horizontal", shrink=0.5, aspect=40, pad=0.01)
    bar.set_label(labels[0], color=INK)
    bar.outline.set_visible(False)
    axes.text(0.0, 0.0, labels[1], transform=axes.transAxes, fontsize=8, color=SOFT, va="bottom")
    return figure


def _name_towns(
    axes: object, city: City, values: Mapping[str, float], notes: Mapping[str, str], scale: float, language: str
) -> None:
    rows, columns = _squares(city)
    for i, code in enumerate(city.towns.code):
        is_here = city.cells.town == i
        x, y = columns[is_here] + 1.5, rows[is_here] + 1.5
        middle = np.argmin((x - x.mean()) ** 2 + (y - y.mean()) ** 2)
        name = city.towns.name_zh[i] if language == "zh" else city.towns.name_en[i]
        value = values.get(code, float("nan"))
        is_dark = not is_missing(value) and abs(value) > 0.7 * scale
        text = f"{fill(_short(name, language), 13, break_long_words=False)}\n{notes.get(code, '')}".strip()
        axes.text(  # type: ignore[attr-defined]
            x[middle], y[middle], text, ha="center", va="center", fontsize=6.3 if is_here.sum() > 25 else 5.4,
            color="white" if is_dark else INK, linespacing=1.15,
        )  # fmt: skip


def _short(name: str, language: str) -> str:
    """Return a town's name without the word for its rank."""
    if language == "zh":
        return next((name[: -len(w)] for w in ("开发区", "街道", "新区", "园区", "镇") if name.endswith(w)), name)
    return next(
        (name[: -len(w)] for w in (" Subdistrict", " Town", " New Area", " High-tech Zone") if name.endswith(w)), name
    )
