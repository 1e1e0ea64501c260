"""Expected travel time from a distance or a matrix: the curves, in free parameters, and their slopes.

- root: a + b sqrt(d), and line: a + b d (parameters log a, log b; s, s per m);
- switch: 2 sqrt(d / c) up to d = v^2 / c, v / c + d / v beyond, an even pull-away to a cruising speed (Kolesar, Walker
  & Hausner 1975, Operations Research 23; parameters log v in m/s, log c in m/s^2);
- factor: f m; power: f m (m / 300 s)^q with q a correction that may be nought (parameters log f, q).

`line` also serves a matrix: a delay and a factor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from calibration.scores.keyed import Floats


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve: log expected seconds (n,) of (parameters, distance in m or matrix time in s)."""

    name: str
    parameters: tuple[str, ...]
    log_s: Callable[[Floats, Floats], Floats]
    start: Callable[[float, float], Floats]

    def slopes(self, parameters: Floats, x: Floats) -> Floats:
        """Return the derivatives of log seconds, (n, n_parameters)."""
        moves = 1e-4 * np.eye(len(parameters))
        return np.column_stack([(self.log_s(parameters + m, x) - self.log_s(parameters - m, x)) / 2e-4 for m in moves])

    def rough(self, x: Floats, y: Floats) -> Floats:
        """Return parameters by robust least squares on log seconds y (n,), to begin with."""
        begin = self.start(float(np.median(x)), float(np.median(y)))

        def residual(p: Floats) -> Floats:
            value: Floats = np.clip(np.nan_to_num(self.log_s(p, x) - y, nan=50.0), -50.0, 50.0)
            return value

        bounds = (begin - 8.0, begin + 8.0)
        found = optimize.least_squares(residual, begin, loss="soft_l1", f_scale=0.2, bounds=bounds)
        return np.asarray(found.x, dtype=np.float64)


def _log_sum(p: Floats, x: Floats) -> Floats:
    value: Floats = np.logaddexp(p[0], p[1] + np.log(np.maximum(x, 1e-9)))
    return value


def _log_switch(p: Floats, x: Floats) -> Floats:
    speed, pull = np.exp(p[0]), np.exp(p[1])
    at = np.maximum(x, 1e-9)
    value: Floats = np.log(np.where(at <= speed**2 / pull, 2.0 * np.sqrt(at / pull), speed / pull + at / speed))
    return value


def _log_power(p: Floats, x: Floats) -> Floats:
    at = np.maximum(x, 1.0)
    value: Floats = p[0] + np.log(at) + p[1] * np.log(at / 300.0)
    return value


def _share_each(x: float, y: float) -> Floats:
    return np.array([y - 1.0, y - 0.5 - np.log(max(x, 1e-9))])


CURVES: Mapping[str, Curve] = {
    each.name: each
    for each in (
        Curve("root", ("log_a", "log_b"), lambda p, x: _log_sum(p, np.sqrt(x)), lambda x, y: _share_each(x**0.5, y)),
        Curve("line", ("log_a", "log_b"), _log_sum, _share_each),
        Curve(
            "switch",
            ("log_speed", "log_pull"),
            _log_switch,
            lambda x, y: np.array(
                [np.log(max(x, 1.0)) - y + 0.4, 2.0 * (np.log(max(x, 1.0)) - y + 0.4) - np.log(x + 1)]
            ),
        ),
        Curve(
            "factor",
            ("log_factor",),
            lambda p, x: p[0] + np.log(np.maximum(x, 1.0)),
            lambda x, y: np.array([y - np.log(max(x, 1.0))]),
        ),
        Curve("power", ("log_factor", "power"), _log_power, lambda x, y: np.array([y - np.log(max(x, 1.0)), 0.0])),
    )
}
OF_DISTANCE = ("root", "line", "switch")
OF_MATRIX = ("factor", "power", "line")
