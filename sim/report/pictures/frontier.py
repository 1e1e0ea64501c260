"""A picture of schemes by what they cost and what they reach, with the line of those that no other beats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.report.svg import BASE, INK, PLAN, SOFT, bare, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_LETTER, _WIDE, _LINE, _DOT, _BEYOND = 0.0105, 1.9, 0.06, 0.008, 0.08
"""Width of a letter, how many of them a Chinese one is, height of a line, half a dot and the margin, as parts of the
span between the outermost dots."""
_LEAST_SPAN = 1.0
"""Schemes closer than a point are not drawn further apart than they would be on such an axis."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One scheme: its name, cost, and what it reaches; whether no other beats it, and is of the study's main ones."""

    name: str
    cost: float
    value: float
    is_best: bool
    is_main: bool = True


def frontier(dots: Sequence[Dot], cost_label: str, value_label: str) -> Figure | None:
    """Draw cost to the right and value up; beaten schemes grey; names where there is room."""
    if len(dots) < 2:
        return None
    figure, axes = new_figure(3.2)
    best = sorted((dot for dot in dots if dot.is_best), key=lambda dot: dot.cost)
    axes.step([d.cost for d in best], [d.value for d in best], where="post", color=PLAN, lw=1.2, alpha=0.5)
    for dot in dots:
        axes.plot([dot.cost], [dot.value], "o", color=PLAN if dot.is_best else BASE, ms=6)
    _name(axes, dots)
    axes.set_xlabel(cost_label)
    axes.set_ylabel(value_label)
    axes.margins(x=0.08, y=0.15)
    low, high = axes.get_ylim()
    short = max(0.0, _LEAST_SPAN - (high - low)) / 2
    axes.set_ylim(low - short, high + short)
    bare(axes, "both")
    return figure


def _name(axes: Axes, dots: Sequence[Dot]) -> None:
    """Write names beside their dots, off the line: the unbeaten first, at the first of four corners that is free.

    A name that would cover a dot or another name at every corner is left out.
    """
    costs, values = ([getattr(dot, name) for dot in dots] for name in ("cost", "value"))
    wide, high = max(costs) - min(costs) or 1.0, max(max(values) - min(values), _LEAST_SPAN)
    at = {id(dot): ((dot.cost - min(costs)) / wide, (dot.value - min(values)) / high) for dot in dots}
    taken = [(x - _DOT, y - 2 * _DOT, x + _DOT, y + 2 * _DOT) for x, y in at.values()]
    for dot in sorted(dots, key=lambda dot: (not dot.is_best, not dot.is_main)):
        x, y = at[id(dot)]
        width = _LETTER * sum(_WIDE if ord(letter) > 0x2E7F else 1 for letter in dot.name)
        for right, up in ((True, False), (False, True), (True, True), (False, False)):
            left, bottom = x + _DOT if right else x - _DOT - width, y + 2 * _DOT if up else y - 2 * _DOT - _LINE
            box = (left, bottom, left + width, bottom + _LINE)
            if left > -_BEYOND and left + width < 1 + _BEYOND and not any(_meet(box, other) for other in taken):
                taken.append(box)
                axes.annotate(
                    dot.name, (dot.cost, dot.value), (5 if right else -5, 4 if up else -4),
                    textcoords="offset points", ha="left" if right else "right", va="bottom" if up else "top",
                    fontsize=8, color=INK if dot.is_best else SOFT,
                )  # fmt: skip
                break


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
