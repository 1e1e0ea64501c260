"""The calls: when, where, of which kind, and which units they want. The same whatever happens to units.

    rate[kind, hour] = level * share[kind] * exp(hour + kind's evening + weekday + month + drift) * factor of the day

The factors of days are gamma with mean 1. Places of a kind are the same at all hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf

import numpy as np

from .chance import Purpose, generator
from .clock import HOUR_MS, Clock, Ints
from .worlds import Floats, World

_DAYS_PER_YEAR = 365.2425
MOST_UNITS = 4


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls in order of time. call_ms (n,) UTC; xy_m (n, 2) from the south-west corner; patch, kind, pattern (n,).

    level_per_h: calls of all kinds an hour at effects of nought and the middle of the log.
    """

    call_ms: Ints
    xy_m: Floats
    patch: Ints
    kind: Ints
    pattern: Ints
    level_per_h: float

    def __len__(self) -> int:
        return len(self.call_ms)


def evening_of(world: World, kind: int) -> Floats:
    """Return what a kind's hours have beside those of all calls: (24,) log."""
    hour = np.arange(24)
    return world.kinds[kind].evening * np.cos(2.0 * np.pi * (hour - 20.0) / 24.0)


def draw_calls(world: World, clock: Clock, n_calls: int, seed: int) -> Calls:
    """Return calls of which n_calls are expected; their number is Poisson, and days differ."""
    rng = generator(seed, Purpose.CALLS)
    n = clock.n_hours
    years = (np.arange(n) - n / 2) / 24.0 / _DAYS_PER_YEAR
    common = (
        world.hour_calls[clock.hour[:n]]
        + world.weekday_calls[clock.weekday[:n]]
        + world.month_calls[clock.month[:n]]
        + world.drift_per_year * years
    )
    of_kind = np.stack(
        [np.log(each.share) + evening_of(world, k)[clock.hour[:n]] for k, each in enumerate(world.kinds)]
    )
    relative = np.exp(common + of_kind)
    level = n_calls / relative.sum()
    day = clock.day[:n] - clock.day[0]
    factor = rng.gamma(1.0 / world.day_cv2, world.day_cv2, int(day[-1]) + 1)[day]
    counts = rng.poisson(level * relative * factor)
    kind = np.repeat(np.repeat(np.arange(len(world.kinds)), n), counts.ravel())
    hour = np.repeat(np.tile(np.arange(n), len(world.kinds)), counts.ravel())
    call_ms = clock.begin_ms + hour * HOUR_MS + rng.integers(0, HOUR_MS, len(hour))
    order = np.argsort(call_ms, kind="stable")
    call_ms, kind = call_ms[order], kind[order]
    xy_m = _places(world, kind, rng)
    return Calls(call_ms, xy_m, world.patch_of(xy_m), kind, _patterns(world, kind, seed), float(level))


def _places(world: World, kind: Ints, rng: np.random.Generator) -> Floats:
    """Return a point for each call: near a town, or anywhere, drawn again while it is outside."""
    size = np.array(world.size_m)
    spread = np.array([each.spread for each in world.kinds])[kind]
    xy_m = rng.uniform(0.0, 1.0, (len(kind), 2)) * size
    left = np.flatnonzero(rng.random(len(kind)) >= spread)
    while len(left):
        town = rng.choice(len(world.towns), size=len(left), p=world.towns[:, 3])
        at = world.towns[town, :2] + rng.normal(0.0, 1.0, (len(left), 2)) * world.towns[town, 2, None]
        xy_m[left] = at
        left = left[((at < 0.0) | (at >= size)).any(axis=1)]
    return xy_m


def place_shares(world: World, kind: int) -> Floats:
    """Return the true share of each patch among the calls of a kind, (n_patches,)."""
    n_x, n_y = world.n_patches
    edges = [np.arange(n + 1) * world.patch_m for n in (n_x, n_y)]
    near = np.zeros((n_y, n_x))
    for x, y, sd, weight in world.towns.tolist():
        below = [_normal_below(axis, centre, sd) for axis, centre in zip(edges, (x, y), strict=True)]
        near += weight * np.outer(np.diff(below[1]), np.diff(below[0]))
    spread = world.kinds[kind].spread
    return (1.0 - spread) * near.ravel() / near.sum() + spread / (n_x * n_y)


def _normal_below(at: Floats, centre: float, sd: float) -> Floats:
    """Return the share of a normal distribution below each point."""
    return np.array([0.5 + 0.5 * erf(each) for each in (at - centre) / (sd * np.sqrt(2.0))])


def _patterns(world: World, kind: Ints, seed: int) -> Ints:
    """Return which of its kind's patterns of units each call wants."""
    uniform = generator(seed, Purpose.SENT).random(len(kind))
    edges = np.full((len(world.kinds), 3), np.inf)
    for k, each in enumerate(world.kinds):
        shares = np.cumsum([p for p, _ in each.patterns])[:-1]
        edges[k, : len(shares)] = shares
    return (uniform[:, None] >= edges[kind]).sum(axis=1)
