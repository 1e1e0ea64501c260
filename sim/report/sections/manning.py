"""Vehicles idle for want of people: by hour of the day and scheme, by type of unit and by town."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, Picture, number, word
from sim.report.context import Context, SectionEntry, kept, names
from sim.report.numbers import is_missing, plain, small
from sim.report.pictures.heat import HeatRow, by_hour_and_row
from sim.report.sections.hours import hour_name
from sim.report.study import MAIN, Pair, Row
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_KINDS = ("unmanned", "stranded")
_MOST_ROWS, _LINE_IN, _TALLEST_IN = 48, 0.24, 7.0


def make(context: Context) -> list[Block]:
    """Return the sentence, the picture by hour and scheme, and the tables by scheme, type and town."""
    pair = context.study.main()
    return kept(
        None if pair is None else _sentence(context, pair),
        Paragraph(context.words["manning.text"], "note"),
        _picture(context),
        _arms_grid(context),
        *([] if pair is None else [_grid(context, pair, by) for by in ("type", "town")]),
    )


def _percent(value: Any) -> str:
    """Return a share of one in per cent to three figures: many are small."""
    return small(None if is_missing(value) else 100 * float(value))


def _rows(context: Context, by: str) -> dict[tuple[str, str], Row]:
    """Return the rows of the year of page one by (arm, what they are of)."""
    found = context.study.table("manning", by=by, year=context.study.year)
    rows: list[Any] = [] if found is None else found.to_dict("records")
    return {(str(row["arm"]), str(row["of"])): row for row in rows}


def _shown(context: Context) -> list[str]:
    """Return the schemes in the study's order; of more than a page holds those of the main purpose alone."""
    told = {arm for arm, _ in _rows(context, "city")}
    arms = [arm for arm in context.study.arms() if arm in told]
    return arms if len(arms) <= _MOST_ROWS else [arm for arm in arms if context.study.purpose(arm) == MAIN]


def _worst(hours: dict[tuple[str, str], Row], arm: str) -> Row | None:
    """Return the hour in which the largest share stood with nobody free, the earliest of equal ones."""
    own = [row for (name, _), row in hours.items() if name == arm]
    return max(own, key=lambda row: row["stranded_share"], default=None)


def _sentence(context: Context, pair: Pair) -> Paragraph | None:
    city, worst = _rows(context, "city"), _worst(_rows(context, "hour"), pair.arm)
    ours, theirs = city.get((pair.arm, "")), city.get((pair.base, ""))
    if ours is None or theirs is None or worst is None:
        return None
    base, arm = names(context, pair)
    text = context.words(
        "manning.sentence", year=context.study.year, arm=arm, base=base, units=plain(ours["n_units"]),
        unmanned=_percent(ours["unmanned_share"]), stranded=_percent(ours["stranded_share"]),
        hour=hour_name(int(worst["of"])), worst=_percent(worst["stranded_share"]), base_units=plain(theirs["n_units"]),
        base_unmanned=_percent(theirs["unmanned_share"]), base_stranded=_percent(theirs["stranded_share"]),
    )  # fmt: skip
    return Paragraph(text, "lead")


def _picture(context: Context) -> Picture | None:
    study, words = context.study, context.words
    city, hours, arms = _rows(context, "city"), _rows(context, "hour"), _shown(context)

    def values(arm: str, kind: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        rows = [hours.get((arm, f"{hour:02d}")) for hour in range(24)]
        return np.array([np.nan if row is None else float(row[f"{kind}_share"]) for row in rows])

    def draw(language: str) -> Figure | None:
        rows = [
            HeatRow(
                study.label(arm).of(language),
                tuple(values(arm, kind) for kind in _KINDS),
                tuple(_percent(city[arm, ""][f"{kind}_share"]) for kind in _KINDS),
            )
            for arm in arms
        ]
        titles = [words[key].of(language) for key in ("manning.unmanned", "manning.stranded")]
        line_in = min(_LINE_IN, _TALLEST_IN / max(len(rows), 1))
        return by_hour_and_row(rows, titles, words["manning.hour"].of(language), line_in)

    told = [study.label(arm) + same(f" {_percent(city[arm, '']['stranded_share'])}%") for arm in arms]
    return picture(draw, words("manning.picture", year=study.year), words("manning.alt", lines=join(told)), "manning")


def _heads(context: Context, first: Bi) -> tuple[Head, ...]:
    words = context.words
    return (
        Head(first, is_number=False), Head(words["manning.units"]),
        Head(words["manning.unmanned"], words["unit.percent"]), Head(words["manning.stranded"], words["unit.percent"]),
    )  # fmt: skip


def _cells(row: Row) -> tuple[Cell, ...]:
    shares = (number(row[f"{kind}_share"], _percent, row[f"{kind}_low"], row[f"{kind}_high"]) for kind in _KINDS)
    return number(row["n_units"], lambda v: plain(v, 1)), *shares


def _arms_grid(context: Context) -> Grid:
    words, study = context.words, context.study
    city, hours = _rows(context, "city"), _rows(context, "hour")
    heads = (*_heads(context, words["head.arm"]), Head(words["manning.worst_hour"], is_number=False))
    rows = []
    for arm in (arm for arm in study.arms() if (arm, "") in city):
        worst = _worst(hours, arm)
        hour = same("–") if worst is None else hour_name(int(worst["of"]))
        told = hour if worst is None else hour.with_unit(same(_percent(worst["stranded_share"]) + "%"))
        rows.append((word(study.label(arm)), *_cells(city[arm, ""]), word(told)))
    return _under(context, words("manning.arms_table", year=study.year), heads, rows)


def _grid(context: Context, pair: Pair, by: str) -> Grid | None:
    """Return the types of unit or the towns, base beside arm."""
    words, study = context.words, context.study
    found = _rows(context, by)
    base, arm = names(context, pair)
    told = list(dict.fromkeys(of for name, of in found if name in (pair.arm, pair.base)))
    if not told:
        return None
    colon, blank = Bi("：", ": "), [number(None, _percent)] * 3
    own = _heads(context, words["manning.type" if by == "type" else "head.town"])
    heads = (own[0], *(Head(name + colon + head.text, head.unit) for name in (base, arm) for head in own[1:]))
    rows = []
    for of in told:
        name = study.name("unit_type", of) if by == "type" else study.town_both(of)
        beside = [found.get((each, of)) for each in (pair.base, pair.arm)]
        rows.append((word(name), *(cell for row in beside for cell in (blank if row is None else _cells(row)))))
    return _under(context, words(f"manning.{by}s_table", year=study.year), heads, rows)


def _under(context: Context, caption: Bi, heads: tuple[Head, ...], rows: list[tuple[Cell, ...]]) -> Grid:
    return Grid(
        caption, heads, tuple(rows), context.words["manning.denominator"], (context.words["note.interval_short"],)
    )


SECTION = SectionEntry("manning", needs=("manning",), make=make)
