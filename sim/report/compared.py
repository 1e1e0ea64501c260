"""What the sections say alike of a compared pair: the name of its condition, and its levels and difference as cells.

Knows tables and words, no picture. Next: `sections/answer.py` and `sections/variants.py`, which set these in rows.
"""

from __future__ import annotations

from typing import Any

from sim.report.blocks import Cell, number, word
from sim.report.context import Context
from sim.report.numbers import diff_writer_of, is_missing, is_settled, writer_of
from sim.report.study import Pair
from sim.report.texts import Bi


def condition_name(context: Context, pair: Pair) -> Bi:
    """Return what a pair stands for: the main comparison, or the condition that differs from it."""
    is_main = pair == context.study.main() and context.study.is_repeated()
    return context.words["answer.main_name"] if is_main else pair.label


def case_of(row: Any, better: int) -> str:
    """Return better, worse or unclear; `better` is 1 where more is better and -1 where less is."""
    if is_missing(row["diff"]) or not is_settled(row):
        return "unclear"
    return "better" if (row["diff"] > 0) == (better > 0) else "worse"


def metric_cell(context: Context, metric: str) -> Cell:
    """Return the cell that names a metric with its unit."""
    unit = context.words["unit.percent" if metric.startswith("share") else "unit.s"]
    return word(context.words[f"head.{metric}"].with_unit(unit))


def level_cells(context: Context, pair: Pair, metric: str) -> list[Cell]:
    """Return the levels of base and arm in the year of page one, with their intervals."""
    study = context.study
    cells = []
    for level in (study.headline(name, metric, study.year) for name in (pair.base, pair.arm)):
        mc = None if level is None else (level.get("mc_low"), level.get("mc_high"))
        ends = (None, None) if level is None else (level["low"], level["high"])
        cells.append(number(None if level is None else level["value"], writer_of(metric), *ends, mc=mc))
    return cells


def diff_cell(metric: str, row: Any) -> Cell:
    """Return a paired difference with its intervals, coloured where it is clear."""
    tone = {"better": "gain", "worse": "loss", "unclear": ""}[case_of(row, 1 if metric.startswith("share") else -1)]
    mc = (row.get("mc_low"), row.get("mc_high"))
    return number(row["diff"], diff_writer_of(metric), row["low"], row["high"], mc=mc, tone=tone)
