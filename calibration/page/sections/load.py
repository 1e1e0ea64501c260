"""How busy the city was: units and calls open at once, and how long units of each station were out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calibration.backtest.load import Load
from calibration.backtest.run import Backtest
from calibration.page import pictures
from calibration.page.context import words
from calibration.scores import Occupancy, OccupancyGap
from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, Picture, number, word
from sim.report.context import kept
from sim.report.numbers import plain, share, small
from sim.report.svg import picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def load(found: Backtest) -> list[Block]:
    """Return the section."""
    w, of = words(), found.load
    if of is None:
        return [Paragraph(w["load.none"], "note")]
    return kept(Paragraph(w["load.text"]), _at_once(of), _grid(of), _busy(of))


def _at_once(of: Load) -> Picture | None:
    w = words()

    def draw(language: str) -> Figure:
        panels = [
            (w["load.units"].of(language), of.units.share, of.played_units.share),
            (w["load.calls"].of(language), of.calls.share, of.played_calls.share),
        ]
        names = w["distribution.recorded"].of(language), w["load.simulated"].of(language)
        return pictures.at_once(panels, names, w["load.axis"].of(language))

    alt = w("load.alt", seen=small(of.units.mean), played=small(of.played_units.mean))
    return picture(draw, w["load.picture"], alt, "load")


def _grid(of: Load) -> Grid:
    w = words()
    heads = (
        Head(w["head.measure"], is_number=False), Head(w["head.recorded"], w["load.mean"]),
        Head(w["load.simulated"], w["load.mean"]), Head(w["head.recorded"], w["load.two"]),
        Head(w["load.simulated"], w["load.two"]), Head(w["load.gap"]), Head(w["load.drawn"]),
    )  # fmt: skip
    rows = (
        _row("units", of.units, of.played_units, of.units_gap), _row("calls", of.calls, of.played_calls, of.calls_gap),
    )  # fmt: skip
    return Grid(w["load.table"], heads, rows, w["load.denominator"])


def _row(name: str, seen: Occupancy, played: Occupancy, gap: OccupancyGap) -> tuple[Cell, ...]:
    return (
        word(words()[f"load.{name}"]), number(seen.mean, small), number(played.mean, small),
        number(seen.at_least(2), share), number(played.at_least(2), share), number(gap.value, share),
        number(float(np.quantile(gap.drawn, 0.95)), share),
    )  # fmt: skip


def _busy(of: Load) -> Picture | None:
    w = words()
    known = np.isfinite(of.busy) & np.isfinite(of.played_busy)
    if not known.any():
        return None
    seen, played = 100 * of.busy[known], 100 * of.played_busy[known]

    def draw(language: str) -> Figure:
        return pictures.against(
            seen, played, (w["load.recorded_busy"].of(language), w["load.played_busy"].of(language))
        )

    alt = w("load.busy_alt", n=int(known.sum()), seen=plain(seen.mean(), 1), played=plain(played.mean(), 1))
    return picture(draw, w["load.busy"], alt, "busy")
