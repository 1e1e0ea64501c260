"""Call by call: the transform and coverage, shares within so many minutes, and skill over the rivals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calibration.backtest.run import Backtest
from calibration.backtest.scores import ByCall
from calibration.page import pictures
from calibration.page.context import words
from calibration.scores import Brier, PitHistogram, Skill
from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, number, word
from sim.report.context import kept
from sim.report.numbers import count, p_value, plain, share, signed
from sim.report.pictures.marks import Mark, forest
from sim.report.svg import picture
from sim.report.texts import Bi, join

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RIVALS = ("usual", "by_kind", "regression")


def _arrivals(found: Backtest) -> list[tuple[str, ByCall]]:
    return [("first", found.first[1])] + ([("second", found.second[1])] if found.second else [])


def calls(found: Backtest) -> list[Block]:
    """Return the section on transform, coverage and reliability."""
    w, of = words(), _arrivals(found)

    def draw(language: str) -> Figure:
        panels = [(w[f"arrival.{name}"].of(language), each.pit) for name, each in of]
        return pictures.transforms(panels, (w["calls.pit_axis"].of(language), w["calls.pit_counts"].of(language)))

    both = join([w[f"arrival.{name}"] for name, _ in of])
    alt = join([_pit_alt(w[f"arrival.{name}"], each.pit) for name, each in of], "；", " ")
    drawn = picture(draw, w("calls.pit", what=both), alt, "transform")
    tables = [block for name, each in of for block in _within(name, each)]
    return kept(Paragraph(w["calls.text"]), drawn, _honesty(found, of), *tables)


def _pit_alt(what: Bi, pit: PitHistogram) -> Bi:
    return words()("calls.pit_alt", what=what, mean=plain(pit.mean, 3), dispersion=plain(pit.dispersion, 3))


def _honesty(found: Backtest, of: list[tuple[str, ByCall]]) -> Grid:
    w = words()
    heads = (Head(w["head.measure"], is_number=False), *(Head(w[f"arrival.{name}"]) for name, _ in of))

    def outside(pit: PitHistogram) -> int:
        return int(((pit.counts < pit.low) | (pit.counts > pit.high)).sum())

    n_bins = len(found.first[1].pit.counts)
    rows: tuple[tuple[Cell, ...], ...] = (
        (word(w["calls.coverage"]), *(number(e.coverage.value, share, e.coverage.low, e.coverage.high) for _, e in of)),
        (word(w["calls.pit_mean"]), *(number(e.pit.mean, _three) for _, e in of)),
        (word(w["calls.dispersion"]), *(number(e.pit.dispersion, _three) for _, e in of)),
        (word(w("calls.outside", n=n_bins)), *(number(outside(e.pit), count) for _, e in of)),
        (word(w["head.calls"]), *(number(int(e.pit.counts.sum()), count) for _, e in of)),
    )
    return Grid(w["calls.table"], heads, rows, w("calls.denominator", n=count(found.first[0].n)))


def _three(value: float) -> str:
    return plain(value, 3)


def _within(name: str, of: ByCall) -> list[Block]:
    """Return the reliability of shares within so many minutes, and their scores."""
    w = words()
    what = w[f"arrival.{name}"]
    shown = [each for each in of.briers if 0.01 < each.observed_share < 0.99] or list(of.briers)

    def draw(language: str) -> Figure:
        panels = [(w("calls.within", minutes=plain(each.threshold_s / 60)).of(language), each) for each in shown]
        return pictures.reliability(
            panels, (w["calls.forecast_axis"].of(language), w["calls.observed_axis"].of(language))
        )

    told = join([w("calls.within", minutes=plain(b.threshold_s / 60)) + _shares(b) for b in shown], "；", "; ")
    drawn = picture(
        draw, w("calls.reliability", what=what), w("calls.reliability_alt", text=told), f"reliability-{name}"
    )
    return kept(drawn, _briers(what, of))


def _shares(score: Brier) -> Bi:
    return Bi(*[f" {share(score.observed_share)} % / {share(score.forecast_share)} %"] * 2)


def _briers(what: Bi, of: ByCall) -> Grid:
    w = words()
    heads = (
        Head(w["calls.minutes"]), Head(w["calls.observed_share"], w["unit.percent"]),
        Head(w["calls.forecast_share"], w["unit.percent"]), Head(w["calls.score"]), Head(w["calls.miscalibration"]),
        Head(w["calls.discrimination"]), Head(w["calls.uncertainty"]), Head(w["head.calls"]),
    )  # fmt: skip
    rows = tuple(
        (
            number(each.threshold_s / 60, plain), number(each.observed_share, share),
            number(each.forecast_share, share),
            *(number(v, _four) for v in (each.score, each.miscalibration, each.discrimination, each.uncertainty)),
            number(each.n_known, count),
        )
        for each in of.briers
    )  # fmt: skip
    n = count(max(each.n_known for each in of.briers))
    caption = w("calls.brier_table", what=what)
    return Grid(caption, heads, rows, w("calls.denominator", n=n), (w["calls.brier_notes"],))


def _four(value: float) -> str:
    return plain(value, 4)


def skills(found: Backtest) -> list[Block]:
    """Return the section on skill over the rivals."""
    w = words()
    blocks: list[Block] = [Paragraph(w("skill.text", crps=plain(found.first[1].crps_s, 1)))]
    for name, of in _arrivals(found):
        what, each = w[f"arrival.{name}"], [(rival, _skill(of, rival)) for rival in RIVALS]

        def draw(language: str, each: list[tuple[str, Skill]] = each) -> Figure | None:
            marks = [
                Mark(w[f"skill.{rival}"].of(language), 100 * s.value, 100 * s.low, 100 * s.high) for rival, s in each
            ]
            return forest(marks, w["skill.axis"].of(language), _points, better=1, line_in=0.32)

        told = join([w[f"skill.{rival}"] + Bi(*[f" {_points(100 * s.value)} %"] * 2) for rival, s in each], "；", "; ")
        drawn = picture(draw, w("skill.picture", what=what), w("skill.alt", text=told), f"skill-{name}")
        blocks += kept(drawn, _skills(what, each))
    return blocks


def _skill(of: ByCall, rival: str) -> Skill:
    return {"usual": of.usual, "by_kind": of.by_kind, "regression": of.regression}[rival]


def _points(value: float) -> str:
    return signed(value, 1)


def _skills(what: Bi, each: list[tuple[str, Skill]]) -> Grid:
    w = words()
    heads = (
        Head(w["skill.rival"], is_number=False), Head(w["skill.own_crps"], w["unit.s"]),
        Head(w["skill.rival_crps"], w["unit.s"]), Head(w["skill.value"], w["unit.percent"]), Head(w["skill.p"]),
    )  # fmt: skip
    rows = tuple(
        (
            word(w[f"skill.{rival}"]), number(s.score_s, _one), number(s.rival_s, _one),
            number(100 * s.value, _points, 100 * s.low, 100 * s.high, tone=_tone(s)), number(s.p_value, p_value),
        )
        for rival, s in each
    )  # fmt: skip
    s = each[0][1]
    denominator = w("skill.denominator", n=count(s.n), blocks=count(s.n_blocks))
    return Grid(w("skill.table", what=what), heads, rows, denominator)


def _one(value: float) -> str:
    return plain(value, 1)


def _tone(s: Skill) -> str:
    if not np.isfinite(s.low) or s.low <= 0.0 <= s.high:
        return ""
    return "gain" if s.low > 0.0 else "loss"
