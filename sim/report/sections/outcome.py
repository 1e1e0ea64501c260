"""What minutes may mean: deaths and losses at fires, by curves from abroad. An estimate, and printed as one."""

from __future__ import annotations

from typing import Any

from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, number, word
from sim.report.context import Context, SectionEntry, kept
from sim.report.numbers import count, plain
from sim.report.sections.assumptions import assumption_heads, assumption_row
from sim.report.texts import same

_MILLION = 1e6
_RANGE = ("low", "likely", "high")
SETTING, WEIGHTS = "outcome.", "fire_outcomes.csv"
"""How the keys of the assumptions behind the estimate begin."""


def make(context: Context) -> list[Block]:
    """Return the warning, the schemes with their differences, and the standing of every number behind them."""
    words = context.words
    return kept(Paragraph(words["outcome.warning"], "warn"), _schemes(context), _standings(context))


def _schemes(context: Context) -> Grid | None:
    study, words = context.study, context.words
    found = study.table("outcome", year=study.year)
    if found is None:
        return None
    per_year, million = words["outcome.per_year"], words["outcome.million"]
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["outcome.against"], is_number=False),
        Head(words["outcome.deaths"], per_year), Head(words["outcome.rate"], words["outcome.per_100k"]),
        Head(words["outcome.saved"], per_year), Head(words["outcome.chance"], per_year),
        Head(words["outcome.loss"], million), Head(words["outcome.saved_loss"], million),
    )  # fmt: skip
    rows = []
    for row in found.to_dict("records"):
        other = word(study.label(str(row["base"]))) if row["base"] else word(same("–"))
        chance = number(None if not row["base"] else row["saved_deaths_chance"], _half)
        rows.append((
            word(study.label(str(row["arm"]))), other, _ranged(row, "deaths", 1.0, 1), _ranged(row, "per_100k", 1.0, 3),
            _ranged(row, "saved_deaths", 1.0, 2), chance, _ranged(row, "loss", _MILLION, 1),
            _ranged(row, "saved_loss", _MILLION, 2),
        ))  # fmt: skip
    first = found.iloc[0]
    denominator = words(
        "outcome.denominator",
        fires=count(first["n_fires"]),
        arm=study.label(str(first["scaled_arm"])),
        year=int(first["scaled_year"]),
    )
    caption = words("outcome.table", year=study.year)
    return Grid(caption, heads, tuple(rows), denominator, (words["outcome.ranges"], words["outcome.left_out"]))


def _half(value: Any) -> str:
    return "±" + plain(value, 2)


def _ranged(row: Any, name: str, unit: float, digits: int) -> Cell:
    low, likely, high = (row[f"{name}_{part}"] / unit for part in _RANGE)
    return number(likely, lambda value: plain(value, digits), low, high)


def _standings(context: Context) -> Grid | None:
    """Return every number behind the estimate with its standing and source."""
    words, found = context.words, context.study.table("assumptions", "key", "value", "standing", "source")
    if found is None:
        return None
    is_ours = found["key"].str.startswith(SETTING) | found["key"].str.startswith(WEIGHTS)
    rows = tuple(assumption_row(context, record) for record in found[is_ours].to_dict("records"))
    denominator = words["outcome.standings_denominator"]
    return Grid(words["outcome.standings"], assumption_heads(context), rows, denominator) if rows else None


SECTION = SectionEntry("outcome", needs=("outcome",), make=make)
