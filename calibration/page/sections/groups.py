"""Stations and hours: medians recorded and predicted, each beside its own limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calibration.backtest.run import Backtest
from calibration.page import pictures
from calibration.page.context import words
from calibration.scores import GroupErrors
from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, number, word
from sim.report.context import kept
from sim.report.numbers import count, seconds, signed
from sim.report.sections.hours import hour_name
from sim.report.svg import picture
from sim.report.texts import Bi, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def groups(found: Backtest) -> list[Block]:
    """Return the section."""
    w, of = words(), found.first[1]

    def draw_hours(language: str) -> Figure:
        titles = w["groups.hour_title"].of(language), w["groups.busy"].of(language)
        names = w["distribution.recorded"].of(language), w["distribution.predicted"].of(language)
        return pictures.hours(of.hours, titles, names)

    by_hour = [hour_name(int(hour)) for hour in of.hours.label]
    return kept(
        Paragraph(w["groups.text"]),
        *_stations(found, of.stations, "by_nearest"),
        *([] if of.served is None else [*_stations(found, of.served, "by_served"), _note()]),
        picture(draw_hours, w["groups.hours"], _alt("hours", of.hours), "hours"),
        _grid("hour", by_hour, of.hours, w["groups.by_hour"]),
    )


def _note() -> Paragraph:
    return Paragraph(words()["groups.served_note"], "note")


def _stations(found: Backtest, of: GroupErrors, which: str) -> list[Block]:
    w, ground = words(), found.prepared.ground

    def draw(language: str) -> Figure:
        return pictures.stations(of, (w["axis.recorded_min"].of(language), w["axis.predicted_min"].of(language)))

    names = [same(_named(ground.station[int(at)], ground.station_name[int(at)])) for at in of.label]
    how = w[f"groups.{which}"]
    caption = w("groups.stations", which=how)
    return kept(picture(draw, caption, _alt("stations", of), f"stations-{which}"), _grid("station", names, of, how))


def _named(code: str, name: str) -> str:
    return code if not name or name == code else f"{code} {name}"


def _alt(name: str, found: GroupErrors) -> Bi:
    return words()(f"groups.{name}_alt", n=len(found.n), outside=int(is_outside(found).sum()))


def is_outside(found: GroupErrors) -> NDArray[np.bool_]:
    """Return which groups lie beyond their own limit."""
    return np.asarray(np.abs(found.error_s) > found.limit_s)


def _grid(kind: str, names: list[Bi], found: GroupErrors, which: Bi) -> Grid:
    w = words()
    heads = (
        Head(w[f"head.{kind}"], is_number=False), Head(w["head.recorded"], w["unit.s"]),
        Head(w["head.predicted"], w["unit.s"]), Head(w["head.error"], w["unit.s"]),
        Head(w["head.floor"], w["unit.s"]), Head(w["head.limit"], w["unit.s"]), Head(w["head.calls"]),
    )  # fmt: skip
    off = is_outside(found)
    rows: list[tuple[Cell, ...]] = [
        (
            word(name), number(found.observed_s[i], seconds), number(found.predicted_s[i], seconds),
            number(found.error_s[i], signed, tone="loss" if off[i] else ""), number(found.floor_s[i], seconds),
            number(found.limit_s[i], seconds), number(int(found.n[i]), count),
        )
        for i, name in enumerate(names)
    ]  # fmt: skip
    denominator = w("groups.denominator", n=count(int(found.n.sum())))
    return Grid(w(f"groups.{kind}_table", which=which), heads, tuple(rows), denominator)
