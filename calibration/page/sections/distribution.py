"""Distributions of first and second arrivals: recorded beside predicted, with the band of simulated histories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibration.backtest.run import Backtest
from calibration.backtest.scores import Marginal
from calibration.page import pictures
from calibration.page.context import words
from calibration.scores import QuantileRow
from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, Picture, number, word
from sim.report.context import kept
from sim.report.numbers import count, plain, seconds, signed
from sim.report.svg import picture
from sim.report.texts import Bi, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_Z = 1.96


def distribution(found: Backtest) -> list[Block]:
    """Return the section."""
    clock = words()[f"clock.{found.prepared.samples.stages.clock.value}"]
    blocks = _of(found.first[0], "first", clock)
    if found.second is None:
        return [*blocks, Paragraph(words()["distribution.no_second"], "note")]
    return [*blocks, *_of(found.second[0], "second", clock)]


def _of(whole: Marginal, name: str, clock: Bi) -> list[Block]:
    what = words()[f"arrival.{name}"]
    return kept(_picture(whole, name, what, clock), _quantiles(whole, what), _distances(whole, what))


def _picture(whole: Marginal, name: str, what: Bi, clock: Bi) -> Picture | None:
    w = words()
    label = w("axis.minutes", clock=clock)

    def draw(language: str) -> Figure:
        titles = w["distribution.left"].of(language), w["distribution.right"].of(language)
        names = w["distribution.recorded"].of(language), w["distribution.predicted"].of(language)
        return pictures.distribution(whole.curves, titles, names, label.of(language))

    at = {row.level: row for row in whole.rows}
    alt = w(
        "distribution.alt", what=what, n=count(whole.n), p50=seconds(at[0.5].observed_s),
        q50=seconds(at[0.5].predicted_s), p90=seconds(at[0.9].observed_s), q90=seconds(at[0.9].predicted_s),
    )  # fmt: skip
    return picture(draw, w("distribution.picture", what=what), alt, f"distribution-{name}")


def _quantiles(whole: Marginal, what: Bi) -> Grid:
    w = words()
    heads = (
        Head(w["head.level"], is_number=False), Head(w["head.recorded"], w["unit.s"]),
        Head(w["head.predicted"], w["unit.s"]), Head(w["head.error"], w["unit.s"]),
        Head(w["head.se"], w["unit.s"]),
    )  # fmt: skip
    rows = tuple(_row(row) for row in whole.rows)
    denominator = w("distribution.denominator", n=count(whole.n), days=count(whole.n_days))
    return Grid(w("distribution.table", what=what), heads, rows, denominator, (w["distribution.notes"],))


def _row(row: QuantileRow) -> tuple[Cell, ...]:
    parts = (
        (row.observed_s, row.se_observed_s, seconds), (row.predicted_s, row.se_predicted_s, seconds),
        (row.difference_s, row.se_difference_s, _tenths),
    )  # fmt: skip
    cells = [number(value, write, value - _Z * se, value + _Z * se) for value, se, write in parts]
    return (word(same(f"P{100 * row.level:g}")), *cells, number(row.se_difference_s, lambda value: plain(value, 1)))


def _tenths(value: float) -> str:
    return signed(value, 1)


def _distances(whole: Marginal, what: Bi) -> Grid:
    w, floor = words(), whole.floor
    heads = (
        Head(w["head.measure"], is_number=False), Head(w["head.value"]), Head(w["distribution.drawn"]),
        Head(w["distribution.drawn95"]),
    )  # fmt: skip

    def row(name: str, digits: int, *values: float) -> tuple[Cell, ...]:
        return (word(w[f"distribution.{name}"]), *(number(v, lambda value: plain(value, digits)) for v in values))

    rows = (
        row("ks", 4, whole.ks, floor.ks_at(), floor.ks_at(0.95)),
        row("wasserstein", 1, whole.wasserstein_s, floor.wasserstein_at(), floor.wasserstein_at(0.95)),
    )
    denominator = w("distribution.distance_denominator", n=count(whole.n))
    return Grid(w("distribution.distances", what=what), heads, rows, denominator)
