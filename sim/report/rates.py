"""One picture that several sections draw: how often a year each thing happened, and which part of it came to something.

Knows no table. Next: `sections/special.py` and `sections/places.py`, which draw turnouts and help with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.report.blocks import Picture
from sim.report.numbers import plain, share
from sim.report.pictures.marks import Mark, forest
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_DRAWN, _MOST_TOLD = 40, 10


def rates_picture(
    rates: Sequence[tuple[Bi, float, float]], axis: Bi, texts: tuple[Bi, Bi], name: str
) -> Picture | None:
    """Return the picture of (name, times a year, part of them), the most frequent on top; None without any.

    `texts`: the caption, and the description with a place `{lines}` for the first ten.
    """
    shown = sorted(rates, key=lambda rate: -rate[1])[:_MOST_DRAWN]

    def draw(language: str) -> Figure | None:
        nan = float("nan")
        marks = [Mark(told.of(language), often, nan, nan, share(part)) for told, often, part in shown]
        return forest(marks, axis.of(language), lambda value: plain(value, 1))

    lines = join([told + same(f" {plain(often, 1)}") for told, often, _ in shown[:_MOST_TOLD]])
    return picture(draw, texts[0], texts[1].fill(lines=lines), name)
