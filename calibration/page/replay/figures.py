"""Figures that several sections of the page of a replay tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.page.context import words
from calibration.replay.compare import Change, change_of, nearest_station
from calibration.replay.run import Replay, Side
from sim.report.texts import Bi, join, same

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figures:
    """A replay with its change by arrival (`first`, `second`), none where nothing was changed.

    `same`: share of first arrivals before by the station on record, NaN where none is; `not_nearest`: by side, share of
    first arrivals by another station than the nearest open one.
    """

    found: Replay
    changes: Mapping[str, Change]
    same: float
    not_nearest: Mapping[str, float]

    @property
    def sides(self) -> dict[str, Side]:
        """The sides that there are, by name."""
        after = self.found.after
        return {"before": self.found.before, **({} if after is None else {"after": after})}

    @property
    def n_days(self) -> int:
        """Days from the first call to the last."""
        day = self.found.given.calls.day
        return int(day.max() - day.min()) + 1

    def arrivals(self, name: str) -> dict[str, NDArray[np.float32] | Floats]:
        """Return one arrival (`first` or `second`) on record and on each side; (n_calls,) or (n_calls, n_draws)."""
        given = self.found.given
        known = given.first_s if name == "first" else given.second_s
        return {"recorded": known, **{side: getattr(it.played, f"{name}_s") for side, it in self.sides.items()}}


def figures_of(found: Replay) -> Figures:
    """Return the figures of a replay."""
    given, changes = found.given, {}
    if found.after is not None:
        one, two = found.before.played, found.after.played
        changes = {
            "first": change_of(one.first_s, two.first_s, given.calls.day),
            "second": change_of(one.second_s, two.second_s, given.calls.day),
        }
    station = found.before.played.station(found.before.cast)
    known = given.station >= 0
    same = float((station[known] == given.station[known][:, None]).mean()) if known.any() else float("nan")
    sides = {"before": found.before, **({} if found.after is None else {"after": found.after})}
    return Figures(found, changes, same, {name: _not_nearest(found, side) for name, side in sides.items()})


def _not_nearest(found: Replay, side: Side) -> float:
    station, nearest = side.played.station(side.cast), nearest_station(side.cast, found.given.calls)
    is_there = station >= 0
    return float((station != nearest[:, None])[is_there].mean()) if is_there.any() else float("nan")


def edits_told(found: Replay) -> Bi:
    """Return what is changed, in words."""
    w, edits = words(), found.wish.edits
    changed = [f"{it.station} {'+' if it.sign > 0 else '−'}{sum(each.n for each in it.units)}" for it in edits.units]
    named = {
        "close": list(edits.close), "add": [it.station for it in edits.add],
        "move": [it.station for it in edits.move], "units": changed,
    }  # fmt: skip
    listed = {kind: join([same(name) for name in names]) for kind, names in named.items() if names}
    return join([w(f"replay.{kind}", names=names) for kind, names in listed.items()], "；", "; ")
