"""How it was measured: the figures with their definitions, and where the scores come from."""

from __future__ import annotations

from calibration.page.context import words
from calibration.scores import FIGURES
from sim.report.blocks import Block, Facts, Grid, Head, Paragraph, word

SCORES = ("crps", "pit", "floor", "brier", "paired", "rounding")


def measured() -> list[Block]:
    """Return the section."""
    w = words()
    heads = (
        Head(w["head.figure"], is_number=False), Head(w["head.rule"], is_number=False),
        Head(w["measured.how"], is_number=False),
    )  # fmt: skip
    rows = tuple((word(each.name), word(each.rule), word(each.measured)) for each in FIGURES)
    grid = Grid(w["measured.figures"], heads, rows, w["measured.denominator"])
    sources = tuple((w[f"measured.{name}_name"], w[f"measured.{name}"]) for name in SCORES)
    return [grid, Paragraph(w["measured.scores"]), Facts(sources)]
