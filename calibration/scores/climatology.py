"""The rival that knows the past and nothing of the call but its kind and hour: what is usual, or usual for these.

A group with few calls leans on the group that holds it: the distribution of a group is (n F_group + k F_parent) /
(n + k), from all calls to the kind to the kind at this hour (a Dirichlet prior with k pseudo-calls; Ferguson 1973, Ann.
Stat. 1). Fitted on the training side alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.scores.keyed import Floats
from calibration.scores.recorded import Observed

PSEUDO_CALLS = 20.0
"""Assumed: how many calls of its own weigh as much in a group as what the larger group says."""

Labels = Sequence[NDArray[np.int64]]
"""From the coarsest: what groups calls within what stands before it, each (n,) int64, such as (kind, hour)."""


@dataclass(frozen=True, slots=True)
class Climatology:
    """Quantiles by group: make one with `fit_climatology`.

    quantiles_s: for each path of labels, () for all calls, (n_draws,) ascending, s; inf for what never came.
    n_fitted, n_left_out: calls used, and censored ones that were not.
    """

    quantiles_s: Mapping[tuple[int, ...], Floats]
    n_fitted: int
    n_left_out: int

    def draws_s(self, labels: Labels, n_calls: int) -> Floats:
        """Return a forecast per call: (n_calls, n_draws) quantiles at even levels, s; score them plain, not fair.

        A path that training did not have takes the forecast of the longest part of it that it had.
        """
        n_draws = len(self.quantiles_s[()])
        paths, code = _paths(labels, n_calls)
        rows = np.empty((len(paths), n_draws))
        for number, path in enumerate(paths):
            known = next(path[:depth] for depth in range(len(path), -1, -1) if path[:depth] in self.quantiles_s)
            rows[number] = self.quantiles_s[known]
        return rows[code]


def fit_climatology(
    seen: Observed, labels: Labels = (), *, pseudo_calls: float = PSEUDO_CALLS, n_draws: int = 200
) -> Climatology:
    """Return the climatology of the training side; without labels that of all calls.

    Draws keep the rounding of the records, so that they pass through it again unchanged; where calls have phases of
    their own, the middles of their cells, drawn together by what rounding added to the variance (Sheppard).

    Raises
    ------
    ValueError
        If no call is uncensored.
    """
    kept = ~seen.is_censored
    if not kept.any():
        raise ValueError("every call of the training side is censored: there is no climatology")
    value = (_unrounded(seen) if seen.phase_s.any() else seen.value_s)[kept]
    order = np.argsort(value, kind="stable")
    value = value[order]
    columns = [np.asarray(column)[kept][order] for column in labels]
    levels = (np.arange(n_draws) + 0.5) / n_draws
    upto: dict[tuple[int, ...], Floats] = {(): np.cumsum(np.full(len(value), 1.0 / len(value)))}
    for depth in range(1, len(columns) + 1):
        paths, code = _paths(columns[:depth], len(value))
        for number, path in enumerate(paths):
            own = np.cumsum(code == number)
            upto[path] = (own + pseudo_calls * upto[path[:-1]]) / (own[-1] + pseudo_calls)
    last = len(value) - 1
    quantiles = {path: value[np.minimum(np.searchsorted(below, levels), last)] for path, below in upto.items()}
    return Climatology(quantiles, len(value), int((~kept).sum()))


def _unrounded(seen: Observed) -> Floats:
    """Return values (n,) with mean and variance as they were before rounding from independent phases, s."""
    centre_s = seen.centre_s()
    comes = np.isfinite(centre_s)
    variance, mean = float(centre_s[comes].var()), float(centre_s[comes].mean())
    added = float(seen.rounding_variance_s2()[comes].mean())
    share = max(1.0 - added / variance, 0.0) if variance > 0.0 else 1.0
    value_s: Floats = np.maximum(mean + (centre_s - mean) * np.sqrt(share), 0.0)
    return value_s


def _paths(labels: Labels, n_calls: int) -> tuple[list[tuple[int, ...]], NDArray[np.intp]]:
    """Return the paths that occur, ascending, and which one each call has: (n_calls,)."""
    if not labels:
        return [()], np.zeros(n_calls, dtype=np.intp)
    rows, code = np.unique(np.stack(labels, axis=1), axis=0, return_inverse=True)
    return [tuple(int(label) for label in row) for row in rows], np.ravel(code)
