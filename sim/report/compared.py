"""What the sections say alike of a compared pair: the name of its condition, and its levels and difference as cells.

Knows tables and words, no picture. Next: `sections/answer.py` and `sections/variants.py`, which set these in rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sim.report.blocks import Cell, Head, number, word
from sim.report.context import Context
from sim.report.numbers import diff_writer_of, is_missing, is_settled, writer_of
from sim.report.study import CLOCK, HEADLINE, Pair, Study
from sim.report.texts import Bi, same


def condition_name(context: Context, pair: Pair) -> Bi:
    """Return what a pair stands for: the main comparison, or the condition that differs from it."""
    study, main = context.study, context.study.main()
    is_main = pair == main and bool(study.repeats()) and len(study.peers()) == 1
    if is_main:
        return context.words["answer.main_name"]
    if study.is_condition(pair) or main is None or pair.base == main.base:
        return pair.label
    return context.words("variants.against", arm=study.label(pair.arm), base=study.label(pair.base))


def case_of(row: Any, better: int) -> str:
    """Return better, worse or unclear; `better` is 1 where more is better and -1 where less is."""
    if is_missing(row["diff"]) or not is_settled(row):
        return "unclear"
    return "better" if (row["diff"] > 0) == (better > 0) else "worse"


def bound_of(context: Context, metric: str, bound: Any) -> Bi:
    """Return a declared equivalence bound with its unit, as "±0.5 points"."""
    is_share = metric.startswith("share")
    unit = context.words["unit.points" if is_share else "unit.s"]
    return same(f"±{float(100 * bound if is_share else bound):.3g} ") + unit


def metric_cell(context: Context, metric: str) -> Cell:
    """Return the cell that names a metric with its unit."""
    unit = context.words["unit.percent" if metric.startswith("share") else "unit.s"]
    return word(context.words[f"head.{metric}"].with_unit(unit))


def measure_of(context: Context, row: Mapping[Any, Any]) -> Bi:
    """Return what was compared with its unit, and with group and milestone where these are not the headline's."""
    words, metric = context.words, str(row["metric"])
    name = words[f"metric.{metric}"].with_unit(words["unit.points" if metric.startswith("share") else "unit.s"])
    others = [words.known("group", row["group"])] if row["group"] != HEADLINE else []
    others += [words.known("clock", row["clock"])] if row["clock"] != CLOCK else []
    return Bi("，".join([name.zh, *(one.zh for one in others)]), ", ".join([name.en, *(one.en for one in others)]))


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


def kind_name(context: Context, code: str) -> Bi:
    """Return what a kind of incident is called, its code where no table names it; "" is all kinds."""
    if not code:
        return context.words["kind.all_kinds"]
    row = context.study.row("kind_names", kind=code)
    return same(code) if row is None else Bi(str(row["name_zh"]), str(row["name_en"]))


Levels = Mapping[tuple[str, Any, str], Mapping[Any, Any]]
"""Rows by (arm, kind or hour, metric)."""
_DETAILED = ("share_300", "p90")


def detail_levels(study: Study, table: str, key: str, **equal: object) -> Levels:
    """Return the rows of a table by arm, `key` and metric, those that have the values `equal`; none without it."""
    found = study.table(table, "arm", key, "metric", **equal)
    return {} if found is None else {(r["arm"], r[key], r["metric"]): r for r in found.to_dict("records")}


def detail_heads(context: Context) -> list[Head]:
    """Return the headings of `detail_cells`: without, with, and the difference, of each metric."""
    words = context.words
    heads = []
    for metric in _DETAILED:
        is_share = metric.startswith("share")
        unit, step = words["unit.percent" if is_share else "unit.s"], words["unit.points" if is_share else "unit.s"]
        title = words[f"head.{metric}"] + same(" ")
        heads += [Head(title + words["note.without"], unit), Head(title + words["note.with"], unit)]
        heads.append(Head(words["head.difference"], step))
    return heads


def detail_cells(pair: Pair, at: Any, levels: Levels, diffs: Levels) -> list[Cell]:
    """Return the levels of both arms and their paired difference at one kind or hour, of each metric."""
    cells = []
    for metric in _DETAILED:
        for arm in (pair.base, pair.arm):
            row = levels.get((arm, at, metric))
            cells.append(
                number(None, writer_of(metric))
                if row is None
                else number(row["value"], writer_of(metric), row["low"], row["high"])
            )
        row = diffs.get((pair.arm, at, metric))
        cells.append(number(None, diff_writer_of(metric)) if row is None else diff_cell(metric, row))
    return cells
