"""Distributions of response times: curves by year, and P50, P90 and shares of every scheme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.report.blocks import Block, Grid, Head, Picture, counted, word
from sim.report.context import Context, SectionEntry, kept, names
from sim.report.numbers import seconds, share
from sim.report.pictures.curves import Curve, by_year, distributions
from sim.report.study import CLOCK, HEADLINE
from sim.report.svg import picture
from sim.report.texts import Bi, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = ("p50", "p90", "mean", "share_300", "share_600")
_TARGETS = ((300, "times.five"), (600, "times.ten"))


def make(context: Context) -> list[Block]:
    """Return the section."""
    study, words = context.study, context.words
    if study.table("headline") is None:
        return [context.missing("headline")]
    pair = study.main()
    arms = [pair.base, pair.arm] if pair else study.arms()[:1]
    main = _grid(context, [(arm, year) for year in (*study.years, 0) for arm in arms], words["times.main_table"], ())
    apart = () if pair is None else (words("times.others_note", see=context.see("variants")),)
    others = _grid(
        context, [(arm, study.year) for arm in study.arms()], words("times.all_table", year=study.year), apart
    )
    return kept(_curves(context), _years(context), main, others)


def _curves(context: Context) -> Block | None:
    study, words, pair = context.study, context.words, context.study.main()
    if study.table("ecdf") is None:
        return context.missing("ecdf")
    if pair is None:
        return None
    base, arm = names(context, pair)
    found = {(a, y): _curve(context, a, y) for a in (pair.base, pair.arm) for y in study.years}
    if any(curve is None for curve in found.values()):
        return context.missing("ecdf")

    def draw(language: str) -> Figure | None:
        panels = {}
        for year in study.years:
            curves = [_named(found[a, year], label.of(language)) for a, label in ((pair.base, base), (pair.arm, arm))]
            panels[str(year)] = (curves[0], curves[1])
        marks = [(at, words[key].of(language)) for at, key in _TARGETS]
        return distributions(panels, (words["times.x"].of(language), words["times.y"].of(language)), marks)

    levels = [study.headline(a, "share_300", study.year) for a in (pair.base, pair.arm)]
    b, a = (share(None if level is None else level["value"]) for level in levels)
    alt = words("times.alt", n=len(study.years), base=base, arm=arm, year=study.year, a=a, b=b)
    return picture(draw, words["times.picture"], alt, "times")


def _named(curve: Curve | None, name: str) -> Curve:
    assert curve is not None
    return Curve(name, curve.x, curve.y, curve.low, curve.high)


def _curve(context: Context, arm: str, year: int) -> Curve | None:
    rows = context.study.table("ecdf", arm=arm, year=year, group=HEADLINE, clock=CLOCK)
    if rows is None:
        return None
    rows = rows.sort_values("t_s", kind="stable")
    x, y, low, high = (rows[name].to_numpy(dtype=np.float64) for name in ("t_s", "share", "low", "high"))
    return Curve("", x, y, np.where(np.isnan(low), y, low), np.where(np.isnan(high), y, high))


def _years(context: Context) -> Picture | None:
    """Return the picture of the five-minute share and of P90 over the years."""
    study, words, pair = context.study, context.words, context.study.main()
    if pair is None or len(study.years) < 2:
        return None
    base, arm = names(context, pair)

    def draw(language: str) -> Figure | None:
        panels = {}
        for metric, factor in (("share_300", 100.0), ("p90", 1.0)):
            unit = words["unit.percent" if metric == "share_300" else "unit.s"]
            title = words[f"metric.{metric}"].with_unit(unit).of(language)
            lines = [(pair.base, base), (pair.arm, arm)]
            panels[title] = [_over_years(context, a, metric, factor, n.of(language)) for a, n in lines]
        return by_year(panels)

    last = [[study.headline(a, m, study.year) for a in (pair.base, pair.arm)] for m in ("share_300", "p90")]
    (b, a), (bl, al) = ([None if row is None else row["value"] for row in rows] for rows in last)
    alt = words(
        "times.by_year_alt", b=share(b), a=share(a), bl=seconds(bl), al=seconds(al), year=study.year, base=base, arm=arm
    )
    caption = words("times.by_year", answer=context.see("answer"), parts=context.see("parts"))
    return picture(draw, caption, alt, "years")


def _over_years(context: Context, arm: str, metric: str, factor: float, name: str) -> Curve:
    rows = [context.study.headline(arm, metric, year) for year in context.study.years]
    y, low, high = (
        np.array([np.nan if row is None else factor * row[key] for row in rows]) for key in ("value", "low", "high")
    )
    x = np.array(context.study.years, dtype=np.float64)
    return Curve(name, x, y, np.where(np.isnan(low), y, low), np.where(np.isnan(high), y, high))


def _grid(context: Context, lines: list[tuple[str, int]], caption: Any, more: tuple[Bi, ...]) -> Grid:
    words, study = context.words, context.study
    heads = (
        Head(words["head.year"], is_number=False), Head(words["head.arm"], is_number=False),
        *(context.metric_head(metric) for metric in _COLUMNS),
        Head(words["head.p90_call"], words["unit.s"]),
        Head(words["head.incidents"], words["unit.replications"]),
    )  # fmt: skip
    rows = []
    for arm, year in lines:
        first = study.headline(arm, "p50", year)
        if first is None:
            continue
        cells = [context.metric_cell(study.headline(arm, metric, year), metric) for metric in _COLUMNS]
        call = context.metric_cell(study.headline(arm, "p90", year, clock="call_to_arrival"), "p90")
        of = counted(first["n_incidents"], first["n_replications"])
        rows.append((word(same(year) if year else words["year.all"]), word(study.label(arm)), *cells, call, of))
    return Grid(caption, heads, tuple(rows), words["note.pooled_each"], (words["note.intervals"], *more))


SECTION = SectionEntry("times", needs=("headline",), make=make)
