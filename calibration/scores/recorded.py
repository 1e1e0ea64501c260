"""What the records say of each held-out call: a duration, perhaps rounded, perhaps only known to be longer.

Three things keep a recorded duration from being a number: a unit that never came (infinite: above every threshold), a
record that stops before the end (censored at a known time), and stamps in whole minutes. A forecast is compared with
what the records would have written had the forecast come true, so its draws pass through the same rounding
(`Observed.written`). Where a quantile is wanted finer than the rounding, both sides are spread evenly over the cells
of the rounding (`Observed.spread`, the usual reading of grouped data).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.scores.keyed import Floats, Purpose, uniforms

HORIZON_S = 7200.0
"""Assumed: what is later than two hours, or never, counts as two hours in scores that average seconds."""


class Rounding(StrEnum):
    """How a duration came to be a multiple of its resolution."""

    NEAREST = "nearest"  # to the nearest multiple, halves up
    DOWN = "down"  # cut to whole multiples
    STAMPS = "stamps"  # the difference of two stamps that were each cut, the phase of the first being unknown


@dataclass(frozen=True, slots=True)
class Observed:
    """Durations of n calls as recorded; make one with `observed`.

    value_s: (n,) float64, s; inf where no unit ever came. is_censored: (n,) bool, the duration is known only to be
    longer than value_s. resolution_s: (n,) float64, s; 0 where exact. phase_s: (n,) float64, s; by how much the
    first stamp lies past a whole multiple, where only the second is rounded. identity: (n,) uint64, keys the draws.
    """

    value_s: Floats
    is_censored: NDArray[np.bool_]
    resolution_s: Floats
    phase_s: Floats
    rounding: Rounding
    identity: NDArray[np.uint64]
    seed: int

    def __len__(self) -> int:
        return len(self.value_s)

    @property
    def is_exact(self) -> bool:
        """Whether no value is rounded."""
        return not bool(self.resolution_s.any())

    def rows(self, chosen: slice | NDArray[Any]) -> Observed:
        """Return the chosen calls."""
        return Observed(
            self.value_s[chosen],
            self.is_censored[chosen],
            self.resolution_s[chosen],
            self.phase_s[chosen],
            self.rounding,
            self.identity[chosen],
            self.seed,
        )

    def limit_s(self, horizon_s: float) -> Floats:
        """Return up to where each call is known: its censoring, or the horizon. (n,) float64, s."""
        return np.where(self.is_censored, np.minimum(self.value_s, horizon_s), horizon_s)

    def written(self, draws_s: Floats) -> Floats:
        """Return draws (n, n_draws) as the records would have written them, s."""
        if self.is_exact:
            return draws_s
        cell_s = np.where(self.resolution_s > 0.0, self.resolution_s, 1.0)[:, None]
        is_stamps = self.rounding is Rounding.STAMPS
        phase_s = np.zeros(1) if is_stamps else self.phase_s[:, None]
        count = (draws_s + phase_s) / cell_s
        if is_stamps:
            count = count + uniforms(Purpose.ROUNDING, self.seed, self.identity, draws_s.shape[1])
        elif self.rounding is Rounding.NEAREST:
            count = count + 0.5
        return np.where(self.resolution_s[:, None] > 0.0, np.floor(count) * cell_s - phase_s, draws_s)

    def spread(self, draws_s: Floats) -> Floats:
        """Return draws (n, n_draws) written and then spread evenly over the cells of the rounding, s."""
        if self.is_exact:
            return draws_s
        place = uniforms(Purpose.DITHER_DRAWS, self.seed, self.identity, draws_s.shape[1])
        return self.written(draws_s) + self.resolution_s[:, None] * (place - self._cell_begin())

    def spread_value(self) -> Observed:
        """Return the calls with their values spread evenly over the cells of the rounding; exact from then on."""
        if self.is_exact:
            return self
        place = uniforms(Purpose.DITHER_OBSERVED, self.seed, self.identity, 1)[:, 0]
        value_s = self.value_s + np.where(self.is_censored, 0.0, self.resolution_s * (place - self._cell_begin()))
        return replace(self, value_s=value_s, resolution_s=np.zeros(len(self)))

    def centre_s(self) -> Floats:
        """Return the middle of each value's cell: (n,) float64, s."""
        return self.value_s + self.resolution_s * (0.5 - self._cell_begin())

    def rounding_variance_s2(self) -> Floats:
        """Return the variance that rounding added to each value, s^2.

        r^2 / 12 for one rounding (Sheppard); r^2 / 6, the mean of f (1 - f) r^2 over the fraction f, for two stamps.
        """
        return self.resolution_s**2 / (6.0 if self.rounding is Rounding.STAMPS else 12.0)

    def _cell_begin(self) -> float:
        """Return how far below the written value its cell begins, as a share of the resolution."""
        return 0.0 if self.rounding is Rounding.DOWN else 0.5


def observed(
    value_s: ArrayLike,
    *,
    is_censored: ArrayLike = False,
    resolution_s: ArrayLike = 0.0,
    phase_s: ArrayLike = 0.0,
    rounding: Rounding = Rounding.STAMPS,
    identity: ArrayLike | None = None,
    seed: int = 0,
) -> Observed:
    """Return recorded durations; scalars hold for all calls, and without identities the row numbers key the draws.

    A first stamp in seconds and a second one in whole minutes is `Rounding.DOWN` (or NEAREST) with the seconds of the
    first as phase; two stamps in whole minutes are `Rounding.STAMPS`, which takes no phase.

    Raises
    ------
    ValueError
        If a value is not a number, a resolution negative or infinite, a censoring time infinite, or lengths differ.
    """
    value = np.atleast_1d(np.asarray(value_s, dtype=np.float64))
    n = len(value)
    censored = np.broadcast_to(np.asarray(is_censored, dtype=np.bool_), (n,)).copy()
    resolution = np.broadcast_to(np.asarray(resolution_s, dtype=np.float64), (n,)).copy()
    phase = np.broadcast_to(np.asarray(phase_s, dtype=np.float64), (n,)).copy()
    key = np.arange(n, dtype=np.uint64) if identity is None else np.asarray(identity, dtype=np.uint64)
    if np.isnan(value).any():
        raise ValueError(f"duration {int(np.flatnonzero(np.isnan(value))[0])} is not a number: leave such calls out")
    if not (np.isfinite(resolution) & (resolution >= 0.0)).all():
        raise ValueError("a resolution must be a finite number of seconds, 0 for exact values")
    if not np.isfinite(phase).all() or (rounding is Rounding.STAMPS and phase.any()):
        raise ValueError("a phase must be finite, and belongs to durations of which one stamp alone is rounded")
    if (censored & np.isinf(value)).any():
        raise ValueError("a censored duration needs the time up to which it was seen; inf means that nobody came")
    if key.shape != (n,):
        raise ValueError(f"{len(key)} identities for {n} durations")
    return Observed(value, censored, resolution, phase, rounding, key, seed)


def check_draws(draws_s: Floats, seen: Observed, *, least: int = 1) -> Floats:
    """Return the draws as (n, n_draws) float64; `ValueError` if they do not fit the calls or are no durations."""
    draws = np.asarray(draws_s, dtype=np.float64)
    if draws.ndim != 2 or len(draws) != len(seen):
        raise ValueError(f"draws of shape {draws.shape} for {len(seen)} calls: one row per call, one column per draw")
    if len(seen) == 0:
        raise ValueError("there is no call to score")
    if draws.shape[1] < least:
        raise ValueError(f"{draws.shape[1]} draws per call: at least {least} are needed")
    if np.isnan(draws).any():
        raise ValueError("a draw is not a number; a unit that never comes is inf")
    return draws
