"""The list of assumptions with their standing and source."""

from __future__ import annotations

from textwrap import shorten
from typing import Any

from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, word
from sim.report.context import Context, SectionEntry
from sim.report.numbers import count, without_scheme
from sim.report.texts import join, same

_PLAIN = str.maketrans("", "", '{}"')
_LONG, _MOST = 40, 160
_STANDINGS = ("plan", "standard", "published", "assumed", "fitted")


def make(context: Context) -> list[Block]:
    """Return every input number with its standing and source."""
    words = context.words
    found = context.study.table("assumptions", "key", "value", "standing", "source")
    if found is None:
        return [context.missing("assumptions")]
    standings = [str(s) for s in found["standing"]]
    known = [s for s in _STANDINGS if s in standings] + sorted({s for s in standings if s not in _STANDINGS})
    counts = join([words.known("standing", s) + same(f" {count(standings.count(s))}") for s in known])
    n = count(len(found))
    heads = assumption_heads(context)
    rows = tuple(assumption_row(context, record) for record in found.to_dict("records"))
    grid = Grid(
        words["assumptions.table"],
        heads,
        rows,
        words("assumptions.denominator", n=n, counts=counts),
        (words["assumptions.cut"],),
        is_filtered=True,
    )
    return [Paragraph(words("assumptions.text", n=n, assumed=count(standings.count("assumed")))), grid]


def assumption_heads(context: Context) -> tuple[Head, ...]:
    """Return the headings over `assumption_row`."""
    names = ("key", "value", "standing", "source")
    return tuple(Head(context.words[f"assumptions.{name}"], is_number=False) for name in names)


def assumption_row(context: Context, record: dict[Any, Any]) -> tuple[Cell, ...]:
    """Return the cells of one number: its key, value, standing and source."""
    words = context.words
    value = shorten(str(record["value"]).translate(_PLAIN), _MOST, placeholder=" …")
    value_cell = word(same(value), tone="source" if len(value) > _LONG else "")
    source = same(without_scheme(record["source"]))
    if record.get("arms"):
        arms = join([context.study.label(arm) for arm in str(record["arms"]).split(", ")])
        source = source + same(" · ") + words("assumptions.arms", arms=arms)
    standing = word(words.known("standing", record["standing"]), tone=f"standing-{record['standing']}")
    return word(same(record["key"]), tone="key"), value_cell, standing, word(source, tone="source")


SECTION = SectionEntry("assumptions", needs=("assumptions",), make=make)
