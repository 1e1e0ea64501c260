"""How busy the city was: units and calls open at once, and how much of the time units were out, recorded and played."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.backtest.split import Split
from calibration.model.fitted import Fitted
from calibration.model.fleet import out_times
from calibration.model.predict import Outs, Predicted
from calibration.model.samples import Samples
from calibration.scores import Occupancy, OccupancyGap, occupancy, occupancy_gap

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Load:
    """Recorded beside simulated, over the time scored.

    `units`, `calls`: how many were open at once on record; `played_units`, `played_calls`: mean of the histories, with
    the gaps. `busy`, `played_busy`: (n_stations,) share of the time that the mean unit of a station was out. None where
    the log does not say how long units were out.
    """

    units: Occupancy
    played_units: Occupancy
    units_gap: OccupancyGap
    calls: Occupancy
    played_calls: Occupancy
    calls_gap: OccupancyGap
    busy: Floats
    played_busy: Floats


def load_of(samples: Samples, split: Split, fitted: Fitted, predicted: Predicted) -> Load | None:
    """Return the load; None where scenes are not on record, or fewer than two histories were kept."""
    if not samples.stages.has_scene or len(predicted.outs) < 2:
        return None
    calls, of = samples.calls, samples.responses
    scored = np.flatnonzero(split.is_scored)
    call_s = calls.local_ms / 1000.0 - predicted.start_s
    window = (float(np.floor(call_s[scored[0]])), float(call_s[scored[-1]]) + 1.0)
    is_in = calls.is_response[of.call] & split.is_played[of.call] & (of.station >= 0) & ~of.is_cancelled
    begin, end = (each[is_in] for each in out_times(of, call_s))
    n_at = fitted.fleet.n_at(fitted.ground.n_stations)
    recorded = _busy(of.station[is_in], begin, end, n_at, window)
    played = np.mean([
        _busy(fitted.fleet.station[each.unit], each.begin_s, each.end_s, n_at, window) for each in predicted.outs
    ], axis=0)  # fmt: skip
    units = [occupancy(each.begin_s, each.end_s, window) for each in predicted.outs]
    open_calls = [_calls_open(each, window) for each in predicted.outs]
    recorded_units = occupancy(begin, end, window)
    recorded_calls = _open(of.call[is_in], begin, end, window)
    return Load(
        recorded_units, _mean(units), occupancy_gap(recorded_units, units), recorded_calls, _mean(open_calls),
        occupancy_gap(recorded_calls, open_calls), recorded, played,
    )  # fmt: skip


def _busy(
    station: NDArray[np.int64], begin: Floats, end: Floats, n_at: NDArray[np.int64], window: tuple[float, float]
) -> Floats:
    """Return the share of the time that the mean unit of each station was out."""
    seconds = np.clip(end, *window) - np.clip(begin, *window)
    whole = np.bincount(station, weights=seconds, minlength=len(n_at))
    return np.where(n_at > 0, whole / np.maximum(n_at, 1) / (window[1] - window[0]), np.nan)


def _calls_open(outs: Outs, window: tuple[float, float]) -> Occupancy:
    return _open(outs.call, outs.begin_s, outs.end_s, window)


def _open(call: NDArray[np.integer], begin: Floats, end: Floats, window: tuple[float, float]) -> Occupancy:
    """Return how many calls were open at once: from the first dispatch to the last unit's end."""
    _, code = np.unique(call, return_inverse=True)
    first, last = np.full(int(code.max(initial=-1)) + 1, np.inf), np.full(int(code.max(initial=-1)) + 1, -np.inf)
    np.minimum.at(first, code, begin)
    np.maximum.at(last, code, end)
    return occupancy(first, last, window)


def _mean(each: list[Occupancy]) -> Occupancy:
    size = max(len(one.share) for one in each)
    share = np.mean([np.pad(one.share, (0, size - len(one.share))) for one in each], axis=0)
    return Occupancy(share, sum(one.n for one in each) // len(each))
