"""How busy the stations are, and how often each comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calibration.page.context import words
from calibration.page.replay.figures import Figures
from calibration.page.replay.pictures import loads
from calibration.replay.run import Side
from sim.report.blocks import Block, Grid, Head, Picture, number, word
from sim.report.context import kept
from sim.report.numbers import count, share
from sim.report.svg import picture
from sim.report.texts import same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]


def load(figures: Figures) -> list[Block]:
    """Return the section."""
    sides = list(figures.sides.values())
    names = sides[-1].cast.resources.ground.station
    busy = [_busy(side, len(names)) for side in sides]
    return kept(_picture(names, busy), _grid(figures, names, busy))


def _busy(side: Side, n_stations: int) -> Floats:
    """Return the share of the time that the units of each station are out: (n_stations,), NaN without units."""
    fleet, resources = side.cast.resources.fleet, side.cast.resources
    n = np.bincount(fleet.station, minlength=n_stations)
    out = np.bincount(fleet.station, weights=side.played.busy_s, minlength=n_stations)
    is_open = np.zeros(n_stations, dtype=np.bool_)
    is_open[: len(resources.ground.station)] = side.cast.is_open.sum(axis=0) > 0
    return np.where((n > 0) & is_open, out / np.maximum(n, 1) / side.played.span_s, np.nan)


def _picture(names: tuple[str, ...], busy: list[Floats]) -> Picture | None:
    w = words()
    after = busy[1] if len(busy) > 1 else None

    def draw(language: str) -> Figure | None:
        return loads(names, busy[0], after, w["replay.axis.busy"].of(language))

    caption = w["replay.load" if after is not None else "replay.load_alone"]
    return picture(draw, caption, w["replay.load_alt"], "replay-load")


def _grid(figures: Figures, names: tuple[str, ...], busy: list[Floats]) -> Grid:
    w, sides = words(), list(figures.sides)
    n_units = [np.bincount(side.cast.resources.fleet.station, minlength=len(names)) for side in figures.sides.values()]
    served = [_served(side, len(names)) for side in figures.sides.values()]
    heads = [Head(w["head.station"], is_number=False)]
    for key, unit in (("replay.busy", w["unit.percent"]), ("replay.served", None)):
        heads += [Head(w(key, side=w[f"replay.side.{side}"]), unit) for side in sides]
    heads.append(Head(w["replay.n_units"]))
    rows = tuple(
        (
            word(same(name)),
            *(number(each[at], share) for each in busy),
            *(number(each[at], count) for each in served),
            number(n_units[-1][at], count),
        )
        for at, name in enumerate(names)
    )
    source = figures.found.before.cast.resources.fleet.source
    return Grid(w["replay.load_table"], tuple(heads), rows, w("replay.load_of", days=figures.n_days, source=source))


def _served(side: Side, n_stations: int) -> Floats:
    """Return how many calls each station is first at, per replay: (n_stations,)."""
    station = side.played.station(side.cast).astype(np.int64)
    n_draws = station.shape[1]
    n: Floats = np.bincount(station[station >= 0], minlength=n_stations) / n_draws
    return n
