"""Hours of the day: when incidents happen, how soon help is there, and what the main comparison changes by the hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, Picture, number, word
from sim.report.compared import Levels, detail_cells, detail_heads, detail_levels
from sim.report.context import Context, SectionEntry, kept, names
from sim.report.numbers import count, is_missing, share
from sim.report.pictures.curves import Curve
from sim.report.pictures.day import by_hour
from sim.report.study import CLOCK, HEADLINE, Pair
from sim.report.svg import picture
from sim.report.texts import Bi, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HOURS = tuple(range(24))


def make(context: Context) -> list[Block]:
    """Return the section."""
    pair, study = context.study.main(), context.study
    assert pair is not None
    levels = detail_levels(study, "hours", "hour", group=HEADLINE, clock=CLOCK, year=study.year)
    diffs = detail_levels(study, "hour_contrasts", "hour", arm=pair.arm, base=pair.base, year=study.year)
    if any((arm, hour, "share_300") not in levels for arm in (pair.base, pair.arm) for hour in _HOURS):
        return [context.missing("hours")]
    return kept(
        _sentence(context, pair, levels), _picture(context, pair, levels, diffs), _grid(context, pair, levels, diffs)
    )


def hour_name(hour: int) -> Bi:
    """Return an hour as "08–09"."""
    return same(f"{hour:02d}–{hour + 1:02d}")


def _sentence(context: Context, pair: Pair, levels: Levels) -> Paragraph:
    study = context.study
    told = {hour: float(levels[pair.arm, hour, "share_300"]["value"]) for hour in _HOURS}
    known = {hour: value for hour, value in told.items() if not is_missing(value)}
    worst, best = min(known, key=lambda h: (known[h], h)), max(known, key=lambda h: (known[h], -h))
    text = context.words(
        "hours.sentence", year=study.year, arm=study.label(pair.arm), worst=hour_name(worst), best=hour_name(best),
        w=share(known[worst]), b=share(known[best]),
    )  # fmt: skip
    return Paragraph(text)


def _picture(context: Context, pair: Pair, levels: Levels, diffs: Levels) -> Picture | None:
    words, study = context.words, context.study
    base, arm = names(context, pair)
    n = np.array([float(levels[pair.arm, hour, "share_300"]["n_incidents"]) for hour in _HOURS])
    has_diffs = all((pair.arm, hour, "share_300") in diffs for hour in _HOURS)

    def draw(language: str) -> Figure | None:
        curves = [
            _curve(name.of(language), [levels[a, hour, "share_300"] for hour in _HOURS], "value")
            for a, name in ((pair.base, base), (pair.arm, arm))
        ]
        rows = [diffs[pair.arm, hour, "share_300"] for hour in _HOURS] if has_diffs else []
        titles = tuple(words[key].of(language) for key in ("answer.level", "answer.diff", "hours.busy"))
        beside = _curve("", rows, "diff") if has_diffs else None
        return by_hour((curves[0], curves[1]), beside, 100 * n / n.sum(), (titles[0], titles[1], titles[2]))

    busiest = int(np.argmax(n))
    alt = words("hours.alt", busiest=hour_name(busiest), part=share(n[busiest] / n.sum()), base=base, arm=arm)
    return picture(draw, words("hours.picture", year=study.year, base=base, arm=arm), alt, "hours")


def _curve(name: str, rows: list[Any], column: str) -> Curve:
    y, low, high = (np.array([100 * float(row[key]) for row in rows]) for key in (column, "low", "high"))
    return Curve(name, np.arange(24.0), y, np.where(np.isnan(low), y, low), np.where(np.isnan(high), y, high))


def _grid(context: Context, pair: Pair, levels: Levels, diffs: Levels) -> Grid:
    words, study = context.words, context.study
    base, arm = names(context, pair)
    n_all = sum(float(levels[pair.arm, hour, "share_300"]["n_incidents"]) for hour in _HOURS)
    heads = (
        Head(words["hours.hour"], is_number=False), Head(words["hours.part"], words["unit.percent"]),
        *detail_heads(context), Head(words["head.incidents"]),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for hour in _HOURS:
        n = levels[pair.arm, hour, "share_300"]["n_incidents"]
        cells = detail_cells(pair, hour, levels, diffs)
        rows.append((word(hour_name(hour)), number(n / n_all, share), *cells, number(n, count)))
    caption = words("hours.table", year=study.year, base=base, arm=arm)
    notes = (words["note.interval_short"], words["note.detail"])
    return Grid(caption, heads, tuple(rows), words["hours.denominator"], notes)


SECTION = SectionEntry("hours", needs=("hours", "contrasts"), make=make)
