"""Medians and spreads of a fit as the main tool takes them, and the hours that it tells apart.

The main tool has one log-normal handling, a turnout by day and one by night, a noise of travel that is log-normal with
mean one, and a log-normal time on scene by kind. A median here is the median of what is fitted, over all effects of
the calls fitted; a sigma is the distance between its 10th and 90th percentile in logarithms over that of a standard
normal, so that those two are met and not the far tails.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fit.times import TimesFit
from calibration.model.fitted import Fitted
from calibration.model.samples import Calls
from calibration.model.trace import SCENE_S, look_up

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_LEVELS = (np.arange(200) + 0.5) / 200
_Z90 = 1.2815515655446004
_MOST_SIGMA = 2.0
_MOST_SPEED = 2.0
_LEAST_LOG = 1e-6
DEFAULT_NIGHT = (22, 7)
"""Assumed where turnout does not differ by the hour."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A log-normal duration: median, s, and s.d. of its logarithm."""

    median_s: float
    sigma: float


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours by period of driving: `night` on all days, `workday_peak` and `weekend_peak`.

    `factor`: (3,) of night, day and rush hour on driving times. `period_of_hour`: (2, 24) int64.
    """

    night: tuple[int, ...]
    workday_peak: tuple[int, ...]
    weekend_peak: tuple[int, ...]
    factor: Floats
    period_of_hour: Ints


@dataclass(frozen=True, slots=True)
class Times:
    """All durations of a folder. `night`: first hour of the night and of the day. `scene_min`: (n_kinds,) medians.

    `travel_level`: factor on expected driving with which the median of trips is met by a noise of mean one.
    `home_speed`: over that on the way out.
    """

    handling: Spread
    turnout_day: Spread
    turnout_night: Spread
    turnout_sigma: float
    night: tuple[int, int]
    common_sigma: float
    own_sigma: float
    travel_level: float
    hours: Hours
    scene_min: Floats
    scene_sigma: float
    home_speed: float
    ready_min: float


def times_of(fitted: Fitted, calls: Calls) -> Times:
    """Return the durations of a fit, over the effects of `calls`, which are the responses that it was fitted to."""
    night = _night(fitted.turnout)
    day, dark = _turnouts(fitted, calls, night)
    level, sigma = _noise(fitted, calls)
    scene_min, scene_sigma = _scene(fitted)
    share = fitted.noise.common_share
    return Times(
        _handling(fitted, calls), day, dark, float(np.sqrt((day.sigma**2 + dark.sigma**2) / 2.0)), night,
        sigma * float(np.sqrt(share)), sigma * float(np.sqrt(1.0 - share)), level, _hours(fitted, calls), scene_min,
        scene_sigma, min(level / max(fitted.returning.factor, 1e-6), _MOST_SPEED), fitted.returning.ready_s / 60.0,
    )  # fmt: skip


def spread_of(log_s: Floats) -> Spread:
    """Return the log-normal with the median and the 10th-to-90th distance of logarithms (n,)."""
    low, middle, high = np.quantile(log_s, [0.1, 0.5, 0.9])
    return Spread(float(np.exp(middle)), min(float(high - low) / (2.0 * _Z90), _MOST_SIGMA))


def _mixed(fit: TimesFit, log_factor: Floats) -> Spread:
    """Return the spread of the family's durations times the factors of calls (n,)."""
    own = np.log(np.maximum(look_up(fit, _LEVELS), _LEAST_LOG))
    factors = np.quantile(log_factor, _LEVELS) if len(log_factor) else np.zeros(1)
    return spread_of((own[:, None] + factors[None, :]).ravel())


def _handling(fitted: Fitted, calls: Calls) -> Spread:
    fit = fitted.handling
    if fit is None:
        return Spread(0.0, 0.0)
    return _mixed(fit, fit.log_factor((calls.kind, calls.hour_label), len(calls)) + fitted.drift["handling"].level)


def _night(turnout: TimesFit | None) -> tuple[int, int]:
    """Return the first hour of the night and of the day: the stretch of hours that turnout tells most from the rest."""
    if turnout is None or turnout.effects[1].tau <= 0.0:
        return DEFAULT_NIGHT
    hour = np.arange(24)
    effect = (5.0 * turnout.effects[1].of(hour) + 2.0 * turnout.effects[1].of(hour + 24)) / 7.0
    best, found = 0.0, DEFAULT_NIGHT
    for begin in range(24):
        for length in range(4, 13):
            own = np.isin(hour, (begin + np.arange(length)) % 24)
            apart = float(effect[own].mean() - effect[~own].mean())
            gain = apart * abs(apart) * length * (24 - length)
            if gain > best:
                best, found = gain, (begin, (begin + length) % 24)
    return found


def _turnouts(fitted: Fitted, calls: Calls, night: tuple[int, int]) -> tuple[Spread, Spread]:
    fit = fitted.turnout
    if fit is None:
        return Spread(0.0, 0.0), Spread(0.0, 0.0)
    begin, end = night
    is_night = (calls.hour - begin) % 24 < (end - begin) % 24
    log_factor = fit.effects[0].of(calls.kind) + fit.effects[1].of(calls.hour_label) + fitted.drift["turnout"].level
    stations = fit.effects[2].of(fitted.fleet.station)
    log_factor = log_factor + stations[np.arange(len(calls)) % len(stations)]
    whole = _mixed(fit, log_factor)
    day, dark = (
        _mixed(fit, log_factor[own]) if own.any() else whole for own in (~is_night, is_night)
    )  # fmt: skip
    return day, dark


def _noise(fitted: Fitted, calls: Calls) -> tuple[float, float]:
    """Return the factor on expected driving and the sigma of its noise, the mean of which is one."""
    middle = spread_of(fitted.noise.log_quantiles.ravel())
    kind = np.exp(fitted.travel.effects["kind"].of(calls.kind)).mean()
    level = middle.median_s * float(np.exp(middle.sigma**2 / 2.0 + fitted.drift["travel"].level)) * float(kind)
    return level, middle.sigma


def _scene(fitted: Fitted) -> tuple[Floats, float]:
    n_kinds, fit = len(fitted.kinds), fitted.scene
    if fit is None:
        return np.full(n_kinds, SCENE_S / 60.0), 0.0
    own = _mixed(fit, np.zeros(0))
    return own.median_s / 60.0 * np.exp(fit.effects[0].of(np.arange(n_kinds))), own.sigma


def _hours(fitted: Fitted, calls: Calls) -> Hours:
    """Return the three groups of hours: the city's own periods, or those that the fitted effects of hours make."""
    effect = fitted.travel.effects["hour"].of(np.arange(48)).reshape(2, 24)
    size = np.bincount(calls.hour_label, minlength=48).reshape(2, 24).astype(np.float64) + 1e-3
    has_own = fitted.drive_s.shape[0] > 1
    period = fitted.zones.period_of_hour.astype(np.int64) if has_own else grouped_hours(effect, size)
    factor = np.ones(3)
    for number in range(3):
        own = period == number
        if own.any():
            factor[number] = float((size[own] * np.exp(effect[own])).sum() / size[own].sum())
    listed = [tuple(np.flatnonzero(own).tolist()) for own in ((period == 0).all(axis=0), *(period == 2))]
    return Hours(listed[0], listed[1], listed[2], factor, period)


def grouped_hours(effect: Floats, size: Floats) -> Ints:
    """Return the periods (2, 24) with the least squared distance of effects within them, weighted by calls.

    Night is made of hours that are driven fastest, on all days alike; rush hours of those driven slowest.
    """
    by_hour = (size * effect).sum(axis=0) / size.sum(axis=0)
    found, least = np.ones(effect.shape, dtype=np.int64), np.inf
    for low in (-np.inf, *np.unique(by_hour)[:-1]):
        for high in (np.inf, *np.unique(effect)):
            period = np.where(effect >= high, 2, 1)
            period[:, by_hour <= low] = 0
            misfit = 0.0
            for number in range(3):
                own = period == number
                if own.any():
                    mean = float((size[own] * effect[own]).sum() / size[own].sum())
                    misfit += float((size[own] * (effect[own] - mean) ** 2).sum())
            if misfit < least - 1e-9:
                found, least = period, misfit
    return found
