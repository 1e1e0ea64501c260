"""What units do once they are clear: whether they are sent on from their way home, and how long that way takes.

Told from the records of units that say when each was ready at its station again. If units on their way home were sent
on like any others, the dispatches of a unit would fall into these stretches as often as into its time at the station;
fewer than half as many say that it is not done. Without such records a unit that is clear can be sent, which is what
clear means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.model.samples import Responses

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_LEAST_EXPECTED = 10.0
_LEAST_WAYS = 50
_LEAST_WAY_S = 30.0
_FACTORS = (0.2, 5.0)


@dataclass(frozen=True, slots=True)
class Returning:
    """How units return; `is_sent_on`: whether they are sent from their way home, as far as that is known.

    n_sent_on, n_expected: dispatches on the way home, and how many there would be if it made no difference. factor,
    ready_s: time until a unit is ready is ready_s + factor x expected driving time; n_ways: recorded, 0 where factor is
    assumed to be one and ready_s nought.
    """

    is_sent_on: bool
    n_sent_on: int
    n_expected: float
    factor: float
    ready_s: float
    n_ways: int


def fit_returning(responses: Responses, rows: Ints, call_s: Floats, expected_s: Floats) -> Returning:
    """Return how the units of responses at `rows` (n,) return.

    `call_s`: (n_calls,), `expected_s`: (n,) driving time expected between the station and the place of each row.
    """
    way_s = responses.available_s[rows] - responses.clear_s[rows]
    is_way = np.isfinite(way_s) & (way_s >= _LEAST_WAY_S) & np.isfinite(expected_s) & (expected_s > 0.0)
    n_ways = int(is_way.sum())
    factor, ready_s = _line(expected_s[is_way], way_s[is_way]) if n_ways >= _LEAST_WAYS else (1.0, 0.0)
    n_sent_on, n_expected = _sent_on(responses, rows[is_way], call_s)
    is_sent_on = n_expected < _LEAST_EXPECTED or n_sent_on >= 0.5 * n_expected
    return Returning(is_sent_on, n_sent_on, n_expected, factor, ready_s, n_ways if n_ways >= _LEAST_WAYS else 0)


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


def _sent_on(responses: Responses, rows: Ints, call_s: Floats) -> tuple[int, float]:
    """Return dispatches of units on their way home, and how many their time at the station would make expect."""
    rows = rows[(responses.unit[rows] >= 0) & np.isfinite(responses.dispatch_s[rows])]
    at = call_s[responses.call[rows]]
    rows = rows[np.lexsort((at + responses.dispatch_s[rows], responses.unit[rows]))]
    at, unit = call_s[responses.call[rows]], responses.unit[rows]
    sent, clear, home = (at + of[rows] for of in (responses.dispatch_s, responses.clear_s, responses.available_s))
    follows = np.flatnonzero(unit[1:] == unit[:-1])
    if not len(follows):
        return 0, 0.0
    following = sent[follows + 1]
    is_on_way = (following >= clear[follows]) & (following < home[follows])
    at_station_s = np.maximum(following - home[follows], 0.0)
    rate = float((following >= home[follows]).sum()) / max(float(at_station_s.sum()), 1.0)
    return int(is_on_way.sum()), rate * float((home - clear)[follows].sum())
