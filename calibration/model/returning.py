"""What units do once they are clear: whether they are sent on from their way home, and how long that way takes.

If units on their way home were sent on like any others, the dispatches of a unit would fall into these stretches as
often as into its time at the station; fewer than half as many say that it is not done. Where records do not say when a
unit was ready at its station again, its way home is taken to be as long as expected, and a quarter is asked for; and if
units that are sent so soon take as long to turn out as any others, they are clear when they are home, and no way home
is played. Without records of units one that is clear can be sent, which is what clear means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.model.samples import Responses

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_LEAST_EXPECTED = 10.0
_LEAST_UNTOLD = 40.0
_LEAST_SOON = 20
_LEAST_WAYS = 50
_LEAST_WAY_S = 30.0
_FACTORS = (0.2, 5.0)


@dataclass(frozen=True, slots=True)
class Returning:
    """How units return; `is_sent_on`: whether they are sent from their way home, as far as that is known.

    n_sent_on, n_expected: dispatches on the way home, and how many there would be if it made no difference. is_home:
    whether clear means to be home. factor, ready_s: a unit is ready ready_s + factor x expected driving time after it
    is clear; n_ways: recorded, 0 where factor is assumed to be one and ready_s nought.
    """

    is_sent_on: bool
    n_sent_on: int
    n_expected: float
    is_home: bool
    factor: float
    ready_s: float
    n_ways: int

    @property
    def said(self) -> tuple[str, ...]:
        """What is played otherwise than that units are sent on, in words."""
        if self.is_home:
            return ("units sent soon after they are clear turn out like any others: clear is taken as home",)
        if not self.is_sent_on:
            found = f"{self.n_sent_on} dispatches where {self.n_expected:.0f} would be if it made no difference"
            return (f"units are not sent from their way home: {found}",)
        return ()


def fit_returning(responses: Responses, rows: Ints, call_s: Floats, expected_s: Floats) -> Returning:
    """Return how the units of responses at `rows` (n,) return.

    `call_s`: (n_calls,), `expected_s`: (n,) driving time expected between the station and the place of each row.
    """
    way_s = responses.available_s[rows] - responses.clear_s[rows]
    is_way = np.isfinite(way_s) & (way_s >= _LEAST_WAY_S) & np.isfinite(expected_s) & (expected_s > 0.0)
    n_ways = int(is_way.sum())
    factor, ready_s = _line(expected_s[is_way], way_s[is_way]) if n_ways >= _LEAST_WAYS else (1.0, 0.0)
    is_told = bool(is_way.any())
    is_known = is_way if is_told else np.isfinite(responses.clear_s[rows]) & np.isfinite(expected_s)
    home_s = responses.available_s[rows] if is_told else responses.clear_s[rows] + expected_s
    soon, n_expected = _sent_on(responses, rows[is_known], home_s[is_known], call_s)
    least, share = (_LEAST_EXPECTED, 0.5) if is_told else (_LEAST_UNTOLD, 0.25)
    is_sent_on = n_expected < least or len(soon) >= share * n_expected
    is_home = not is_told and _turn_out_alike(responses.turnout_s[soon], responses.turnout_s[rows])
    n_ways = n_ways if n_ways >= _LEAST_WAYS else 0
    return Returning(is_sent_on, len(soon), n_expected, is_home, 0.0 if is_home else factor, ready_s, n_ways)


def _turn_out_alike(soon_s: Floats, every_s: Floats) -> bool:
    """Return whether units that are sent soon after they are clear take most of the usual time to turn out."""
    soon_s, every_s = (each[np.isfinite(each)] for each in (soon_s, every_s))
    if len(soon_s) < _LEAST_SOON:
        return False
    return bool(np.median(soon_s) > 0.5 * np.median(every_s))


def _line(expected_s: Floats, way_s: Floats) -> tuple[float, float]:
    """Return slope and intercept of a line through the medians by tenths of expected time, neither below its least."""
    edges = np.unique(np.quantile(expected_s, np.arange(1, 10) / 10))
    tenth = np.searchsorted(edges, expected_s, side="right")
    medians = np.array([
        (np.median(expected_s[tenth == each]), np.median(way_s[tenth == each])) for each in np.unique(tenth)
    ])  # fmt: skip
    if len(medians) < 3:
        return float(np.clip(np.median(way_s / expected_s), *_FACTORS)), 0.0
    slope, intercept = np.polyfit(medians[:, 0], medians[:, 1], 1)
    if intercept < 0.0:
        return float(np.clip(np.median(way_s / expected_s), *_FACTORS)), 0.0
    return float(np.clip(slope, *_FACTORS)), float(intercept)


def _sent_on(responses: Responses, rows: Ints, home_s: Floats, call_s: Floats) -> tuple[Ints, float]:
    """Return the rows of units dispatched on their way home, and how many their time at the station would make expect.

    `home_s`: (n,) of the rows, s after the call.
    """
    is_known = (responses.unit[rows] >= 0) & np.isfinite(responses.dispatch_s[rows])
    rows, home_s = rows[is_known], home_s[is_known]
    order = np.lexsort((call_s[responses.call[rows]] + responses.dispatch_s[rows], responses.unit[rows]))
    rows, home_s = rows[order], home_s[order]
    at, unit = call_s[responses.call[rows]], responses.unit[rows]
    sent, clear, home = at + responses.dispatch_s[rows], at + responses.clear_s[rows], at + home_s
    follows = np.flatnonzero(unit[1:] == unit[:-1])
    if not len(follows):
        return follows, 0.0
    following = sent[follows + 1]
    is_on_way = (following >= clear[follows]) & (following < home[follows])
    at_station_s = np.maximum(following - home[follows], 0.0)
    rate = float((following >= home[follows]).sum()) / max(float(at_station_s.sum()), 1.0)
    return rows[follows + 1][is_on_way], rate * float((home - clear)[follows].sum())
