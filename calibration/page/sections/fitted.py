"""What was fitted: the parts with their forms, the hours of the day, the stations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calibration.fit.demand import Demand
from calibration.fit.times import Effects, TimesFit
from calibration.model.fitted import Fitted
from calibration.model.params import reasons_of
from calibration.page import fit_pictures
from calibration.page.context import day_of, words
from calibration.page.said import said
from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, number, word
from sim.report.context import kept
from sim.report.numbers import count, seconds, signed
from sim.report.pictures.marks import Mark, forest
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Bools = NDArray[np.bool_]
_Z = 1.96
_LEVELS = np.array([0.1, 0.5, 0.9])
_STAGES = ("handling", "turnout", "scene")


def _stage(fitted: Fitted, name: str) -> TimesFit | None:
    return {"handling": fitted.handling, "turnout": fitted.turnout, "scene": fitted.scene}[name]


def fitted_parts(fitted: Fitted, demand: Demand, n_calls: int) -> list[Block]:
    """Return the section on the parts; `n_calls` are fitted to."""
    w, wrong = words(), reasons_of(fitted, demand)
    values = {"n": count(n_calls), "first": day_of(fitted.first_day), "last": day_of(fitted.last_day)}
    if wrong:
        lead = w("fitted.lead_bad", parts=join([w[f"part.{part}"] for part in wrong]), **values)
    else:
        lead = w("fitted.lead_good", **values)
    reasons = [_reason(part, text) for part, texts in wrong.items() for text in texts]
    return [Paragraph(lead, "lead"), _parts(fitted), *reasons]


def _reason(part: str, text: str) -> Paragraph:
    name = words()[f"part.{part}"]
    return Paragraph(Bi(f"{name.zh}：", f"{name.en}: ") + said(text), "warn")


def _parts(fitted: Fitted) -> Grid:
    w = words()
    heads = (
        Head(w["fitted.part"], is_number=False), Head(w["fitted.form"], is_number=False), Head(w["fitted.n"]),
        *(Head(w[f"fitted.{name}"], w["unit.s"]) for name in ("p10", "p50", "p90")), Head(w["fitted.drift"]),
    )  # fmt: skip
    travel = (
        word(w["part.travel"]), word(same(fitted.travel.curve.name)), number(fitted.travel.n, count),
        *[number(None, count)] * 3, _drift(fitted, "travel"),
    )  # fmt: skip
    rows = [_row(fitted, name) for name in _STAGES]
    return Grid(w["fitted.table"], heads, (*rows[:2], travel, rows[2]), w["fitted.denominator"])


def _row(fitted: Fitted, name: str) -> tuple[Cell, ...]:
    w, fit = words(), _stage(fitted, name)
    if fit is None:
        return (word(w[f"part.{name}"]), word(w["fitted.not_told"]), *[number(None, count)] * 5)
    estimate = fit.estimate
    values, se = estimate.family.ppf(estimate.parameters, _LEVELS), fit.quantile_se_s(_LEVELS)
    cells = [number(v, seconds, v - _Z * e, v + _Z * e) for v, e in zip(values, se, strict=True)]
    return (
        word(w[f"part.{name}"]), word(same(estimate.family.name)), number(estimate.n, count), *cells,
        _drift(fitted, name),
    )  # fmt: skip


def _drift(fitted: Fitted, name: str) -> Cell:
    if name not in fitted.drift:
        return number(None, count)
    return number(_percent(fitted.drift[name].level), lambda value: signed(value, 1))


def _percent(log_factor: float) -> float:
    return float(100.0 * np.expm1(log_factor))


# --- hours ------------------------------------------------------------------------------------------------------------


def over_the_day(fitted: Fitted) -> list[Block]:
    """Return the section on hours."""
    w, panels = words(), _by_hour(fitted)
    if not panels:
        return [Paragraph(w["hours.flat"])]

    def draw(language: str) -> Figure:
        named = [(w[f"part.{part}"].of(language), effects) for part, effects in panels.items()]
        labels = w["hours.axis"].of(language), w["hours.percent"].of(language)
        return fit_pictures.by_hour(named, labels, (w["hours.workday"].of(language), w["hours.off"].of(language)))

    alt = join([_extremes("hours.alt", part, of, _hours()) for part, of in panels.items()], "", " ")
    return kept(picture(draw, w["hours.picture"], alt, "by-hour"))


def _by_hour(fitted: Fitted) -> Mapping[str, Effects]:
    found = {
        name: fit.effects[1]
        for name in ("handling", "turnout")
        if (fit := _stage(fitted, name)) is not None and len(fit.effects) > 1
    }
    found |= {"travel": fitted.travel.effects["hour"]} if "hour" in fitted.travel.effects else {}
    return {name: effects for name, effects in found.items() if _tells(effects)}


def _tells(effects: Effects) -> bool:
    """Return whether any effect is further than a tenth of a per cent from nought."""
    return max((abs(value) for value in effects.effect.values()), default=0.0) > 0.001


def _hours() -> Sequence[Bi]:
    w = words()
    return [w["hours.workday" if n < 24 else "hours.off"] + same(f" {n % 24:02d}") for n in range(48)]


def _extremes(key: str, part: str, effects: Effects, names: Sequence[Bi]) -> Bi:
    slow = max(effects.effect, key=lambda label: effects.effect[label])
    fast = min(effects.effect, key=lambda label: effects.effect[label])
    return words()(
        key, part=words()[f"part.{part}"], slow=names[slow], most=signed(_percent(effects.effect[slow]), 1),
        fast=names[fast], least=signed(_percent(effects.effect[fast]), 1),
    )  # fmt: skip


# --- stations ---------------------------------------------------------------------------------------------------------


def sites(fitted: Fitted) -> list[Block]:
    """Return the section on stations: turnout, then travel."""
    found: list[Block] = []
    if fitted.turnout is not None and len(fitted.turnout.effects) > 2:
        found += _of_stations(fitted, "turnout", fitted.turnout.effects[2])
    return [*found, *_of_stations(fitted, "travel", fitted.travel.effects["station"])]


def _of_stations(fitted: Fitted, part: str, effects: Effects) -> list[Block]:
    w, ground = words(), fitted.ground
    told = w[f"part.{part}"]
    name = Bi(told.zh, told.en.capitalize())
    if not _tells(effects):
        return [Paragraph(w("sites.flat", part=name))]
    labels = sorted(effects.effect, key=lambda label: -effects.effect[label])
    xy_km = np.column_stack([ground.x_m, ground.y_m])[labels] / 1000.0
    percent = np.array([_percent(effects.effect[label]) for label in labels])

    def draw_map(language: str) -> Figure:
        codes = [ground.station[label] for label in labels]
        return fit_pictures.sites(xy_km, percent, codes, w["sites.km"].of(language))

    def draw_forest(language: str) -> Figure | None:
        marks = [_mark(ground.station[label], effects.effect[label], effects.se[label]) for label in labels]
        return forest(marks, w["sites.axis"].of(language), lambda value: signed(value, 1), better=-1)

    alt = _extremes("sites.map_alt", part, effects, [same(code) for code in ground.station])
    return kept(
        picture(draw_map, w("sites.map", part=name), alt, f"map-{part}"),
        picture(draw_forest, w("sites.forest", part=name), alt, f"sites-{part}"),
    )


def _mark(name: str, effect: float, se: float) -> Mark:
    low, high = (_percent(effect + side * _Z * se) for side in (-1.0, 1.0))
    return Mark(name, _percent(effect), low, high)
