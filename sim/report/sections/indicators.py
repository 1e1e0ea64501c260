"""The plan's own indicators by scheme and year: they count means, not minutes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, number, word
from sim.report.context import Context, SectionEntry
from sim.report.numbers import is_missing, small
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    import pandas as pd


def make(context: Context) -> list[Block]:
    """Return the plan's own indicators, by scheme and year."""
    study, words = context.study, context.words
    found = study.table("indicators", "indicator", "value", "target", "met")
    if found is None:
        return [context.missing("indicators")]
    pair = study.main()
    arms = [pair.base, pair.arm] if pair else study.arms()
    heads = (
        Head(words["indicators.indicator"], is_number=False), Head(words["head.arm"], is_number=False),
        *(Head(same(year)) for year in study.years), Head(words["indicators.target"]),
    )  # fmt: skip
    rows = []
    for name in dict.fromkeys(found["indicator"].tolist()):
        for arm in arms:
            of = found[(found["indicator"] == name) & (found["arm"] == arm)]
            if not of.empty:
                rows.append(_indicator(context, str(name), arm, of))
    return [
        Paragraph(words["indicators.text"]),
        Grid(
            words["indicators.table"], heads, tuple(rows), words["indicators.denominator"], (words["indicators.marks"],)
        ),
    ]


def _indicator(context: Context, name: str, arm: str, rows: pd.DataFrame) -> tuple[Cell, ...]:
    study, words = context.study, context.words
    by_year = {int(r["year"]): r for r in rows.to_dict("records")}
    cells = []
    for year in study.years:
        row = by_year.get(year)
        target = None if row is None else row["target"]
        cell = number(None if row is None else row["value"], small)
        if row is not None and not is_missing(target):
            cell = replace(cell, interval="✓" if row["met"] else "×", tone="gain" if row["met"] else "loss")
        cells.append(cell)
    told = _targets({year: row["target"] for year, row in sorted(by_year.items())})
    first = rows.iloc[0]
    label = words.known("indicator", name)
    if "name_zh" in rows and "name_en" in rows:
        label = Bi(str(first["name_zh"]), str(first["name_en"]))
    return (word(label), word(study.label(arm)), *cells, word(join(told, "；", "; ") if told else same("–")))


def _targets(by_year: dict[int, Any]) -> list[Bi]:
    """Return each target with the years it is in force, such as "1.60 (2022–2024)"."""
    spans: list[tuple[float, int, int]] = []
    for year, target in by_year.items():
        if is_missing(target):
            continue
        if spans and spans[-1][0] == target:
            spans[-1] = (target, spans[-1][1], year)
        else:
            spans.append((float(target), year, year))
    return [
        same(small(target)).with_unit(same(str(first) if first == last else f"{first}–{last}"))
        for target, first, last in spans
    ]


SECTION = SectionEntry("indicators", needs=("indicators",), make=make)
