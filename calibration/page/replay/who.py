"""Who is hit by the change: where, at which hour, whose station, what kind of call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calibration.page.context import words
from calibration.page.replay.figures import Figures
from calibration.page.replay.pictures import by_hour, change_map
from calibration.replay.compare import Group, groups_of, most_often
from sim.report.blocks import Block, Grid, Head, Picture, number, word
from sim.report.context import kept
from sim.report.numbers import count, seconds, share, signed_seconds
from sim.report.svg import picture
from sim.report.texts import same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HOURS = tuple(str(hour) for hour in range(24))


def who(figures: Figures) -> list[Block]:
    """Return the section."""
    w, found = words(), figures.found
    calls, cast = found.given.calls, found.before.cast
    station = most_often(found.before.played.station(cast)).astype(np.int64)
    by_station = _groups(figures, station, cast.resources.ground.station)
    by_station.sort(key=lambda group: -abs(group.change.value) * group.n)
    by_kind = _groups(figures, calls.kind, calls.kinds)
    return kept(
        _map(figures), _hours(figures),
        _grid(by_station, "replay.by_station", Head(w["head.station"], is_number=False)),
        _grid(by_kind, "replay.by_kind", Head(w["replay.kind"], is_number=False)),
    )  # fmt: skip


def _groups(figures: Figures, code: object, names: tuple[str, ...]) -> list[Group]:
    found = figures.found
    assert found.after is not None
    return groups_of(
        figures.changes["first"], found.before.played.first_s, found.after.played.first_s, np.asarray(code, np.int64),
        names, found.given.calls.day,
    )  # fmt: skip


def _map(figures: Figures) -> Picture | None:
    w, found = words(), figures.found
    assert found.after is not None
    change, zone = figures.changes["first"].by_call, found.given.calls.zone
    zones = found.after.cast.resources.zones
    known = np.isfinite(change)
    n = np.bincount(zone[known], minlength=zones.n_zones)
    total = np.bincount(zone[known], weights=change[known], minlength=zones.n_zones)
    at = np.flatnonzero(n)
    ground, gone = found.after.cast.resources.ground, set(found.wish.edits.close)
    elsewhere = found.after.cast.resources.is_elsewhere
    stations = [
        (name, x / 1000.0, y / 1000.0, "closed" if name in gone else "new" if new else "stays")
        for name, x, y, new in zip(
            ground.station, ground.x_m.tolist(), ground.y_m.tolist(), elsewhere.tolist(), strict=True
        )
    ]
    values = (zones.x_m[at] / 1000.0, zones.y_m[at] / 1000.0, total[at] / n[at], n[at].astype(np.float64))

    def draw(language: str) -> Figure | None:
        return change_map(values, stations, w["replay.axis.map"].of(language))

    return picture(draw, w["replay.map"], w["replay.map_alt"], "replay-map")


def _hours(figures: Figures) -> Picture | None:
    w = words()
    value, low, high = (np.full(24, np.nan) for _ in range(3))
    for group in _groups(figures, figures.found.given.calls.hour, _HOURS):
        hour = int(group.name)
        value[hour], low[hour], high[hour] = group.change.value, group.change.low, group.change.high

    def draw(language: str) -> Figure | None:
        return by_hour(value, low, high, (w["replay.axis.hour"].of(language), w["replay.axis.mean"].of(language)))

    return picture(draw, w["replay.hours"], w["replay.hours_alt"], "replay-hours")


def _grid(groups: list[Group], key: str, head: Head) -> Grid:
    w = words()
    heads = (
        head, Head(w["replay.before"], w["unit.s"]), Head(w["replay.after"], w["unit.s"]),
        Head(w["replay.change"], w["unit.s"]), Head(w["replay.late"], w["unit.percent"]), Head(w["head.calls"]),
    )  # fmt: skip
    rows = tuple(
        (
            word(same(it.name)), number(it.before_s, seconds), number(it.after_s, seconds),
            number(it.change.value, signed_seconds, it.change.low, it.change.high), number(it.later, share),
            number(it.n, count),
        )
        for it in groups
    )  # fmt: skip
    return Grid(w[key], heads, rows, w["replay.groups_of"])
