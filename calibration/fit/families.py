"""Families of positive durations, each a distribution function of free (unbounded) parameters.

All are closed under a change of scale, so a group's effect can be a factor on time whatever the family. Parameters:

- lognormal: mean and log s.d. of log time;
- gamma: log mean, log shape;
- weibull, loglogistic: log scale, log (1 / shape);
- shifted_lognormal: as lognormal, of the time above a least time; log of the least time;
- two_lognormals: mean and log s.d. of log time of each, logit of the first one's share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from calibration.scores.keyed import Floats

_LEAST_S = 1e-9


@dataclass(frozen=True, slots=True)
class Family:
    """A family: names of its parameters, P(T <= t), P(T > t) and log density, each of (parameters, t in s)."""

    name: str
    parameters: tuple[str, ...]
    cdf: Callable[[Floats, Floats], Floats]
    sf: Callable[[Floats, Floats], Floats]
    log_density: Callable[[Floats, Floats], Floats]
    start: Callable[[float, float], Floats]

    def ppf(self, parameters: Floats, levels: Floats) -> Floats:
        """Return quantiles, s, by bisection in log time; levels in (0, 1)."""
        low, high = np.full(np.shape(levels), -12.0), np.full(np.shape(levels), 20.0)
        for _ in range(50):
            middle = (low + high) / 2.0
            is_below = self.cdf(parameters, np.exp(middle)) < levels
            low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
        value: Floats = np.exp((low + high) / 2.0)
        return value


def _z(p: Floats, t: Floats) -> Floats:
    z: Floats = (np.log(np.maximum(t, _LEAST_S)) - p[0]) * np.exp(-p[1])
    return z


def _log_normal(p: Floats, t: Floats) -> Floats:
    z = _z(p, t)
    value: Floats = -0.5 * z * z - p[1] - np.log(np.maximum(t, _LEAST_S)) - 0.5 * np.log(2.0 * np.pi)
    return value


def _log_gamma(p: Floats, t: Floats) -> Floats:
    shape, at = np.exp(p[1]), np.maximum(t, _LEAST_S)
    log_rate = p[1] - p[0]
    density: Floats = shape * log_rate + (shape - 1.0) * np.log(at) - np.exp(log_rate) * at - special.gammaln(shape)
    return density


def _log_weibull(p: Floats, t: Floats) -> Floats:
    z = _z(p, t)
    value: Floats = z - np.exp(np.minimum(z, 500.0)) - p[1] - np.log(np.maximum(t, _LEAST_S))
    return value


def _log_logistic(p: Floats, t: Floats) -> Floats:
    z = _z(p, t)
    value: Floats = z - 2.0 * np.logaddexp(0.0, z) - p[1] - np.log(np.maximum(t, _LEAST_S))
    return value


def _gamma_at(p: Floats, t: Floats) -> Floats:
    value: Floats = np.maximum(t, 0.0) * np.exp(p[1] - p[0])
    return value


def _above(p: Floats, t: Floats) -> Floats:
    value: Floats = t - np.exp(p[2])
    return value


def _two(p: Floats, first: Floats, second: Floats) -> Floats:
    share = special.expit(p[4])
    mixed: Floats = share * first + (1.0 - share) * second
    return mixed


def _log_two(p: Floats, t: Floats) -> Floats:
    first = _log_normal(p[:2], t) - np.logaddexp(0.0, -p[4])
    second = _log_normal(p[2:4], t) - np.logaddexp(0.0, p[4])
    value: Floats = np.logaddexp(first, second)
    return value


LOGNORMAL = Family(
    "lognormal",
    ("mean_log", "log_sd"),
    lambda p, t: special.ndtr(_z(p, t)),
    lambda p, t: special.ndtr(-_z(p, t)),
    _log_normal,
    lambda m, s: np.array([m, np.log(s)]),
)
GAMMA = Family(
    "gamma",
    ("log_mean", "log_shape"),
    lambda p, t: special.gammainc(np.exp(p[1]), _gamma_at(p, t)),
    lambda p, t: special.gammaincc(np.exp(p[1]), _gamma_at(p, t)),
    _log_gamma,
    lambda m, s: np.array([m + 0.5 * min(s, 2.0) ** 2, -2.0 * np.log(s)]),
)
WEIBULL = Family(
    "weibull",
    ("log_scale", "log_spread"),
    lambda p, t: -np.expm1(-np.exp(np.minimum(_z(p, t), 500.0))),
    lambda p, t: np.exp(-np.exp(np.minimum(_z(p, t), 500.0))),
    _log_weibull,
    lambda m, s: np.array([m + 0.45 * s, np.log(s * 0.78)]),
)
LOGLOGISTIC = Family(
    "loglogistic",
    ("log_median", "log_spread"),
    lambda p, t: special.expit(_z(p, t)),
    lambda p, t: special.expit(-_z(p, t)),
    _log_logistic,
    lambda m, s: np.array([m, np.log(s * 0.55)]),
)
SHIFTED_LOGNORMAL = Family(
    "shifted_lognormal",
    ("mean_log", "log_sd", "log_least"),
    lambda p, t: np.where(_above(p, t) > 0.0, special.ndtr(_z(p, _above(p, t))), 0.0),
    lambda p, t: np.where(_above(p, t) > 0.0, special.ndtr(-_z(p, _above(p, t))), 1.0),
    lambda p, t: np.where(_above(p, t) > 0.0, _log_normal(p, _above(p, t)), -700.0),
    lambda m, s: np.array([m - 0.1, np.log(s * 1.1), m - 2.5 * s - 1.0]),
)
TWO_LOGNORMALS = Family(
    "two_lognormals",
    ("mean_log_1", "log_sd_1", "mean_log_2", "log_sd_2", "logit_share_1"),
    lambda p, t: _two(p, special.ndtr(_z(p[:2], t)), special.ndtr(_z(p[2:4], t))),
    lambda p, t: _two(p, special.ndtr(-_z(p[:2], t)), special.ndtr(-_z(p[2:4], t))),
    _log_two,
    lambda m, s: np.array([m - 0.7 * s, np.log(0.7 * s), m + 0.7 * s, np.log(0.7 * s), 0.0]),
)
FAMILIES: Mapping[str, Family] = {
    each.name: each for each in (LOGNORMAL, GAMMA, WEIBULL, LOGLOGISTIC, SHIFTED_LOGNORMAL, TWO_LOGNORMALS)
}


def empirical(knots_s: Floats, levels: Floats) -> Family:
    """Return the distribution through quantiles (n,) s at rising levels (n,) that begin at 0 and end at 1.

    Straight between knots; a share of 1/1000 is lognormal (parameters mean_log, log_sd), so that no time is impossible.
    """
    rest = 0.999

    def cdf(p: Floats, t: Floats) -> Floats:
        return rest * np.interp(t, knots_s, levels) + (1.0 - rest) * special.ndtr(_z(p, t))

    def sf(p: Floats, t: Floats) -> Floats:
        return rest * (1.0 - np.interp(t, knots_s, levels)) + (1.0 - rest) * special.ndtr(-_z(p, t))

    steep = np.append(np.diff(levels) / np.maximum(np.diff(knots_s), _LEAST_S), 0.0)

    def log_density(p: Floats, t: Floats) -> Floats:
        place = np.searchsorted(knots_s, t, side="right") - 1
        own = np.where(place >= 0, steep[np.maximum(place, 0)], 0.0)
        return np.log(rest * own + (1.0 - rest) * np.exp(_log_normal(p, t)) + 1e-300)

    return Family("empirical", ("mean_log", "log_sd"), cdf, sf, log_density, LOGNORMAL.start)
