"""Incidents and residents beyond ten minutes, over the years and by town."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, number, word
from sim.report.context import Context, SectionEntry, kept, names
from sim.report.numbers import count, plain
from sim.report.pictures.curves import Curve, by_year
from sim.report.study import Pair
from sim.report.svg import picture
from sim.report.texts import Bi, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CITY = ""
"""`town` of the citywide rows."""
_PEOPLE = 10_000


def make(context: Context) -> list[Block]:
    """Return the section."""
    pair, words = context.study.main(), context.words
    if context.study.table("beyond") is None:
        return [context.missing("beyond")]
    if pair is None:
        return [Paragraph(words["missing.pair"], "missing")]
    return kept(
        _picture(context, pair),
        Paragraph(words["beyond.static"], "note"),
        _year_grid(context, pair),
        _town_grid(context, pair),
    )


def _city_row(context: Context, arm: str, year: int) -> Any:
    return context.study.row("beyond", arm=arm, year=year, town=CITY)


def _picture(context: Context, pair: Pair) -> Block | None:
    study, words = context.study, context.words
    last = [_city_row(context, arm, study.year) for arm in (pair.base, pair.arm)]
    if any(row is None for row in last):
        return None
    base, arm = names(context, pair)

    def draw(language: str) -> Figure | None:
        lines = [(a, n.of(language)) for a, n in ((pair.base, base), (pair.arm, arm))]
        told = [("beyond.incidents", "n_beyond_600", 1), ("beyond.people_600", "residents_beyond_600", _PEOPLE)]
        told.append(("beyond.people_300", "residents_beyond_300", _PEOPLE))
        return by_year({words[k].of(language): [_curve(context, a, c, d, n) for a, n in lines] for k, c, d in told})

    b, a = (plain(row["n_beyond_600"]) for row in last)
    alt = words("beyond.alt", year=study.year, base=base, arm=arm, b=b, a=a)
    return picture(draw, words["beyond.picture"], alt, "beyond")


def _curve(context: Context, arm: str, column: str, unit: int, name: str) -> Curve:
    rows = [_city_row(context, arm, year) for year in context.study.years]
    keys = (column, "low", "high") if column == "n_beyond_600" else (column, column, column)
    y, low, high = (np.array([np.nan if row is None else float(row[key]) / unit for row in rows]) for key in keys)
    x = np.array(context.study.years, dtype=np.float64)
    return Curve(name, x, y, np.where(np.isnan(low), y, low), np.where(np.isnan(high), y, high))


def _year_grid(context: Context, pair: Pair) -> Grid | None:
    words, study = context.words, context.study
    heads = (
        Head(words["head.year"], is_number=False), Head(words["head.arm"], is_number=False),
        Head(words["beyond.n"], words["unit.per_year"]), Head(words["beyond.people"], words["unit.people"]),
        Head(words["beyond.people5"], words["unit.people"]), Head(words["beyond.unfilled"], words["unit.per_year"]),
    )  # fmt: skip
    rows = []
    for year in study.years:
        for arm in (pair.base, pair.arm):
            row = _city_row(context, arm, year)
            if row is not None:
                rows.append((word(same(year)), word(study.label(arm)), *_figures(row)))
    if not rows:
        return None
    notes = (words["note.interval_short"],)
    return Grid(words["beyond.year_table"], heads, tuple(rows), context.per_replication(pair.arm), notes)


def _figures(row: Any) -> list[Cell]:
    cells = [number(row["n_beyond_600"], count, row["low"], row["high"])]
    cells += [number(row[name], count) for name in ("residents_beyond_600", "residents_beyond_300")]
    return [*cells, number(row["n_unfilled"], lambda v: plain(v, 1))]


def _town_grid(context: Context, pair: Pair) -> Grid | None:
    words, study = context.words, context.study
    found = study.table("beyond", year=study.year)
    if found is None:
        return None
    rows_of = {(r["arm"], r["town"]): r for r in found.to_dict("records") if r["town"] != CITY}
    towns = sorted({t for a, t in rows_of if a == pair.arm}, key=lambda t: (-rows_of[pair.arm, t]["n_beyond_600"], t))
    base, arm = names(context, pair)
    colon = Bi("：", ": ")
    heads = [Head(words["head.town"], is_number=False)]
    heads += [Head(words["beyond.n"] + colon + name, words["unit.per_year"]) for name in (base, arm)]
    heads += [Head(words["beyond.people"] + colon + name, words["unit.people"]) for name in (base, arm)]
    rows = []
    for town in towns:
        pairs = [rows_of.get((a, town)) for a in (pair.base, pair.arm)]
        n = [
            number(None, count) if r is None else number(r["n_beyond_600"], lambda v: plain(v, 1), r["low"], r["high"])
            for r in pairs
        ]
        people = [number(None if r is None else r["residents_beyond_600"], count) for r in pairs]
        rows.append((word(study.town_both(town)), *n, *people))
    caption = words("beyond.town_table", year=study.year, arm=arm)
    return Grid(caption, tuple(heads), tuple(rows), context.per_replication(pair.arm), (words["note.interval_short"],))


SECTION = SectionEntry("beyond", needs=("beyond", "contrasts"), make=make)
