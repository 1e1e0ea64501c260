"""Distributions of arrivals on record, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calibration.model.samples import Clock
from calibration.page.context import words
from calibration.page.replay.figures import Figures
from calibration.page.replay.pictures import arrived
from calibration.replay.compare import LEVELS, MINUTES, quantiles_of
from sim.report.blocks import Block, Cell, Grid, Head, Picture, number, word
from sim.report.context import kept
from sim.report.numbers import count, seconds, share
from sim.report.svg import picture
from sim.report.texts import Bi

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ARRIVALS = ("first", "second")


def curves(figures: Figures) -> list[Block]:
    """Return the section."""
    return kept(_picture(figures), _grid(figures))


def side_name(figures: Figures, name: str) -> Bi:
    """Return how a column is called: the replay of then is `replayed` where nothing is changed."""
    return words()["replay.replayed" if name == "before" and not figures.changes else f"replay.{name}"]


def _picture(figures: Figures) -> Picture | None:
    w = words()
    names = [name for name in _ARRIVALS if _n(figures.arrivals(name)["before"])]
    clock = figures.found.prepared.samples.stages.clock
    label = w("axis.minutes", clock=w["clock.call" if clock is Clock.CALL else "clock.dispatch"])

    def draw(language: str) -> Figure | None:
        panels = {
            w[f"arrival.{name}"].of(language): {side: _flat(values) for side, values in figures.arrivals(name).items()}
            for name in names
        }
        sides = {side: side_name(figures, side).of(language) for side in ("recorded", *figures.sides)}
        return arrived(panels, sides, (label.of(language), w["axis.share"].of(language)))

    return picture(draw, w["replay.curves"], w["replay.curves_alt"], "replay-curves") if names else None


def _flat(values: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float64]:
    flat = values[~np.isnan(values)].astype(np.float64)
    return flat if np.isfinite(flat).any() else flat[:0]


def _n(values: NDArray[np.float32] | NDArray[np.float64]) -> int:
    return quantiles_of(values)[2]


def _grid(figures: Figures) -> Grid:
    w, sides = words(), ("recorded", *figures.sides)
    heads = (Head(w["head.figure"], is_number=False), *(Head(side_name(figures, side)) for side in sides))
    rows: list[tuple[Cell, ...]] = []
    for name in _ARRIVALS:
        found = [quantiles_of(figures.arrivals(name)[side]) for side in sides]
        if not any(n for _, _, n in found):
            continue
        for place, level in enumerate(LEVELS):
            told = w("replay.figure.level", arrival=w[f"arrival.{name}"], level=f"{100 * level:.0f}")
            rows.append((word(told), *(number(levels[place], seconds) for levels, _, _ in found)))
    first = [quantiles_of(figures.arrivals("first")[side]) for side in sides]
    for place, minute in enumerate(MINUTES):
        told = w("replay.figure.within", n=minute)
        rows.append((word(told), *(number(within[place], share) for _, within, _ in first)))
    n = {
        f"{kind}{end}": count(_n(figures.arrivals(name)[side]))
        for name, end in (("first", ""), ("second", "_second"))
        for kind, side in (("recorded", "recorded"), ("played", "before"))
    }
    return Grid(w["replay.levels"], heads, tuple(rows), w("replay.levels_of", **n))
