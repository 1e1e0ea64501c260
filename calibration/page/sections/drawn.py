"""The second prediction, whose calls are drawn too: calls by day, and the distribution of first arrivals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibration.backtest.generative import Generative
from calibration.backtest.run import Backtest
from calibration.page import pictures
from calibration.page.context import words
from sim.report.blocks import Block, Grid, Head, Paragraph, Picture, number, word
from sim.report.context import kept
from sim.report.numbers import count, plain, seconds, signed
from sim.report.svg import picture
from sim.report.texts import same

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def drawn(found: Backtest) -> list[Block]:
    """Return the section."""
    w, of = words(), found.generative
    told = w(
        "drawn.text", n=count(len(of.n_calls)), seen=count(of.n_recorded), low=count(int(of.n_calls.min())),
        high=count(int(of.n_calls.max())),
    )  # fmt: skip
    clock = w[f"clock.{found.prepared.samples.stages.clock.value}"]

    def draw(language: str) -> Figure:
        titles = w["distribution.left"].of(language), w["distribution.right"].of(language)
        names = w["distribution.recorded"].of(language), w["distribution.predicted"].of(language)
        return pictures.distribution(of.curves, titles, names, w("axis.minutes", clock=clock).of(language))

    return kept(Paragraph(told), _by_day(of), picture(draw, w["drawn.picture"], w["drawn.picture"], "drawn"), _grid(of))


def _by_day(of: Generative) -> Picture | None:
    w = words()
    outside = int(((of.by_day < of.by_day_low) | (of.by_day > of.by_day_high)).sum())

    def draw(language: str) -> Figure:
        return pictures.by_day(of, w["drawn.day"].of(language), w["units.calls"].of(language))

    return picture(draw, w["drawn.by_day"], w("drawn.by_day_alt", n=len(of.days), outside=outside), "by-day")


def _grid(of: Generative) -> Grid:
    w = words()
    heads = (
        Head(w["head.level"], is_number=False), Head(w["head.recorded"], w["unit.s"]),
        Head(w["head.predicted"], w["unit.s"]), Head(w["head.error"], w["unit.s"]),
    )  # fmt: skip
    rows = tuple(
        (
            word(same(f"P{100 * level:g}")), number(seen, seconds), number(predicted, seconds, low, high),
            number(predicted - seen, lambda value: signed(value, 1), tone="" if low <= seen <= high else "loss"),
        )
        for level, seen, predicted, low, high in zip(
            of.levels, of.recorded_s, of.predicted_s, of.low_s, of.high_s, strict=True
        )
    )  # fmt: skip
    denominator = w(
        "drawn.denominator", n=count(of.n_recorded), histories=count(len(of.n_calls)), ks=plain(of.ks, 4),
        floor=plain(of.ks_floor, 4), w=plain(of.wasserstein_s, 1), w_floor=plain(of.wasserstein_floor_s, 1),
    )  # fmt: skip
    return Grid(w["drawn.table"], heads, rows, denominator, (w["drawn.middle"],))
