"""Travel: the curve with the records it was fitted to, what is left beside it, and its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calibration.backtest.run import Prepared
from calibration.model.fitted import Fitted
from calibration.model.stages import journeys, usable
from calibration.page import fit_pictures
from calibration.page.context import words
from sim.report.blocks import Block, Grid, Head, number, word
from sim.report.context import kept
from sim.report.numbers import count, plain
from sim.report.svg import picture
from sim.report.texts import same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_Z = 1.96
_MOST_GROUPS = 24
_PER_GROUP = 20


def way(fitted: Fitted, prepared: Prepared, is_used: NDArray[np.bool_]) -> list[Block]:
    """Return the section."""
    w, samples, travel = words(), prepared.samples, fitted.travel
    seen, known, _ = journeys(samples, prepared.zones, usable(samples, is_used), 0)
    data = fit_pictures.grouped(known.distance, seen.centre_s(), int(np.clip(len(seen) // _PER_GROUP, 3, _MOST_GROUPS)))
    at = np.linspace(float(known.distance.min()), float(np.quantile(known.distance, 0.99)), 200)
    curve_s = np.exp(travel.curve.log_s(travel.parameters, np.maximum(at, 1.0)))
    per_unit = 60.0 if fitted.zones.is_time else 1000.0
    noise = fitted.noise

    def draw(language: str) -> Figure:
        across = w["way.duration" if fitted.zones.is_time else "way.distance"].of(language)
        titles = w["way.left"].of(language), w["way.right"].of(language)
        labels = across, w["way.minutes"].of(language), w["way.expected"].of(language)
        return fit_pictures.travel((at / per_unit, curve_s), data.scaled(per_unit), noise, titles, labels)

    low, high = (plain(np.exp(np.quantile(noise.log_quantiles, level)), 2) for level in (0.1, 0.9))
    alt = w("way.alt", n=count(travel.n), curve=travel.curve.name, low=low, high=high)
    return kept(picture(draw, w["way.picture"], alt, "travel"), _parameters(fitted))


def _parameters(fitted: Fitted) -> Grid:
    w, travel = words(), fitted.travel
    heads = (Head(w["way.parameter"], is_number=False), Head(w["head.value"]), Head(w["head.se"]))
    rows = tuple(
        (word(same(name)), number(value, _three, value - _Z * se, value + _Z * se), number(se, _three))
        for name, value, se in zip(travel.curve.parameters, travel.parameters, travel.se, strict=True)
    )
    return Grid(w["way.table"], heads, rows, w("way.denominator", n=count(travel.n), curve=travel.curve.name))


def _three(value: float) -> str:
    return plain(value, 3)
