"""The second prediction: calls drawn from the fitted demand, played like the others, and compared as a whole.

Nothing pairs a drawn call with a recorded one, so the comparison is of distributions: calls by day, and first arrivals
of all calls together, each beside what the drawn histories show among themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.backtest.scores import LEVELS, Curves
from calibration.backtest.split import Split
from calibration.ground import Zones
from calibration.model.fitted import Fitted
from calibration.model.generate import Generator, fit_generator
from calibration.model.predict import predict
from calibration.model.samples import Samples
from calibration.model.trace import player_of
from calibration.scores import ks_distance, steps_of, steps_of_records, wasserstein_s
from sim.errors import InputError, Problem

Floats = NDArray[np.float64]
_N_CURVE = 400
_MIDDLE = [0.025, 0.975]


@dataclass(frozen=True, slots=True)
class Generative:
    """Recorded beside drawn histories of the time scored.

    `n_calls`: of responses with a place, by history (n_histories,); `n_recorded`. `by_day`: (n_days,) recorded;
    `by_day_low`, `by_day_high`, `by_day_mean`: of the histories. `levels`, `recorded_s`, `predicted_s`, `low_s`,
    `high_s`: quantiles of the first arrival with the middle 95 % of histories. `ks`, `wasserstein_s`: of the records to
    the pool, `ks_floor`, `wasserstein_floor_s`: medians of the histories' own.
    """

    generator: Generator
    n_calls: NDArray[np.int64]
    n_recorded: int
    days: NDArray[np.int64]
    by_day: Floats
    by_day_mean: Floats
    by_day_low: Floats
    by_day_high: Floats
    levels: tuple[float, ...]
    recorded_s: Floats
    predicted_s: Floats
    low_s: Floats
    high_s: Floats
    ks: float
    ks_floor: float
    wasserstein_s: float
    wasserstein_floor_s: float
    curves: Curves


def generative(
    samples: Samples, split: Split, fitted: Fitted, zones: Zones, call_ms: NDArray[np.int64], time_zone: str,
    *, n_histories: int = 40, seed: int = 0, told: Callable[[int], None] = lambda _: None,
) -> Generative:  # fmt: skip
    """Return how histories whose calls are drawn too meet the records of the time scored.

    Raises
    ------
    InputError
        If the demand cannot be fitted to the calls.
    """
    calls = samples.calls
    try:
        generator = fit_generator(samples, split.is_fitted, zones.patch, call_ms, time_zone)
    except ValueError as error:
        raise InputError([Problem("records", f"their demand cannot be fitted: {error}")]) from None
    scored = np.flatnonzero(split.is_scored)
    first, last = int(calls.day[scored[0]]), int(calls.day[scored[-1]])
    days = np.arange(first, last + 1)
    rows = np.flatnonzero(split.is_scored & calls.is_response)
    counts, arrivals = np.empty((n_histories, len(days))), []
    player = None
    for number in range(n_histories):
        drawn = generator.calls(first, last, seed, number)
        player = player_of(fitted, drawn, player)
        played = predict(player, 1, seed=seed + 1 + number)
        written = samples.as_written(played.first_s[:, 0].astype(np.float64), player.calls, seed=seed)
        arrivals.append(np.sort(written.written(written.value_s[:, None])[:, 0]))
        counts[number] = np.bincount(player.calls.day - first, minlength=len(days))
        told(number + 1)
    seen = samples.first(rows[np.isfinite(samples.first_s[rows])])
    recorded, pooled = steps_of_records(seen), steps_of(np.concatenate(arrivals))
    each = [steps_of(own) for own in arrivals]
    by_history = np.stack([np.quantile(own, LEVELS) for own in arrivals])
    at_s = np.linspace(0.0, float(pooled.quantile(np.array([0.995]))[0]), _N_CURVE)
    day_low, day_high = np.quantile(counts, _MIDDLE, axis=0)
    low_s, high_s = np.quantile(by_history, _MIDDLE, axis=0)
    curve_low, curve_high = np.quantile(np.stack([steps.value(at_s) for steps in each]), _MIDDLE, axis=0)
    by_day = np.bincount(calls.day[rows] - first, minlength=len(days)).astype(np.float64)
    levels = np.array(LEVELS)
    return Generative(
        generator, counts.sum(axis=1).astype(np.int64), len(rows), days, by_day, counts.mean(axis=0), day_low, day_high,
        LEVELS, recorded.quantile(levels), pooled.quantile(levels), low_s, high_s, ks_distance(recorded, pooled),
        float(np.median([ks_distance(own, pooled) for own in each])), wasserstein_s(recorded, pooled),
        float(np.median([wasserstein_s(own, pooled) for own in each])),
        Curves(at_s, recorded.value(at_s), pooled.value(at_s), curve_low, curve_high),
    )  # fmt: skip
