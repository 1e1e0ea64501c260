"""A picture of schemes by what they cost and what they reach, with the line of those that no other beats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.report.svg import BASE, INK, PLAN, SOFT, bare, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Dot:
    """One scheme: its name, cost, and what it reaches; whether no other beats it."""

    name: str
    cost: float
    value: float
    is_best: bool


def frontier(dots: Sequence[Dot], cost_label: str, value_label: str) -> Figure | None:
    """Draw cost to the right and value up; beaten schemes grey; schemes at one place share a line of names."""
    if len(dots) < 2:
        return None
    figure, axes = new_figure(3.2)
    best = sorted((dot for dot in dots if dot.is_best), key=lambda dot: dot.cost)
    axes.step([d.cost for d in best], [d.value for d in best], where="post", color=PLAN, lw=1.2, alpha=0.5)
    for dot in dots:
        axes.plot([dot.cost], [dot.value], "o", color=PLAN if dot.is_best else BASE, ms=6)
    middle = (min(d.cost for d in dots) + max(d.cost for d in dots)) / 2
    for group in _neighbours(dots):
        lead = group[0]
        side = 1 if lead.cost <= middle else -1
        height = sum(dot.value for dot in group) / len(group)
        axes.annotate(
            "\n".join(dot.name for dot in group), (lead.cost, height), (8 * side, 0), textcoords="offset points",
            ha="left" if side > 0 else "right", va="center", fontsize=8,
            color=INK if any(dot.is_best for dot in group) else SOFT,
        )  # fmt: skip
    axes.set_xlabel(cost_label)
    axes.set_ylabel(value_label)
    axes.margins(x=0.08, y=0.15)
    bare(axes, "both")
    return figure


def _neighbours(dots: Sequence[Dot]) -> list[list[Dot]]:
    """Return the dots in groups whose names would cover each other: near in both directions, the highest first."""
    wide = max(d.cost for d in dots) - min(d.cost for d in dots) or 1.0
    high = max(d.value for d in dots) - min(d.value for d in dots) or 1.0
    groups: list[list[Dot]] = []
    for dot in sorted(dots, key=lambda dot: (-dot.value, dot.cost)):
        near = [
            g for g in groups if abs(g[-1].value - dot.value) < 0.08 * high and abs(g[0].cost - dot.cost) < 0.05 * wide
        ]
        if near:
            near[0].append(dot)
        else:
            groups.append([dot])
    return groups
