"""How many units of which type come to a call of each kind: the patterns of the records themselves.

A pattern is the sorted types of the units that arrived and were dispatched within `SOON_S` of the first; the longest
counts `MOST_UNITS`. Kinds with few calls lean on all kinds. Without a record of every unit one unit is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.model.fleet import Fleet
from calibration.model.samples import Samples

Ints = NDArray[np.int64]
SOON_S = 600.0
MOST_UNITS = 12
_THIN = 30


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns of types and how often each kind has them.

    `patterns`: tuples of types. `cumulative`: (n_kinds, n_patterns) float64, ascending to 1. `mean_units`: (n_kinds,).
    `is_assumed`: whether one unit per call was assumed. `later_share`: of units, those dispatched later, left out.
    """

    patterns: tuple[tuple[int, ...], ...]
    cumulative: NDArray[np.float64]
    mean_units: NDArray[np.float64]
    is_assumed: bool
    later_share: float

    def draw(self, kind: Ints, uniform: NDArray[np.float64]) -> Ints:
        """Return the pattern of each call: (n,) from kinds and uniforms (n,)."""
        out = np.empty(len(kind), dtype=np.int64)
        for number in np.unique(kind):
            own = kind == number
            out[own] = np.searchsorted(self.cumulative[number], uniform[own], side="right")
        return np.minimum(out, len(self.patterns) - 1)


def fit_patterns(samples: Samples, is_used: NDArray[np.bool_], fleet: Fleet) -> Patterns:
    """Return the patterns of the calls used."""
    calls, of = samples.calls, samples.responses
    n_kinds = len(calls.kinds)
    if not samples.stages.has_every_unit:
        common = int(np.bincount(fleet.type).argmax())
        return Patterns(((common,),), np.ones((n_kinds, 1)), np.ones(n_kinds), True, 0.0)
    first = np.full(len(calls), np.inf)
    np.minimum.at(first, of.call, np.where(np.isnan(of.dispatch_s), np.inf, of.dispatch_s))
    counted = is_used[of.call] & calls.is_response[of.call] & ~of.is_cancelled & (of.station >= 0)
    counted &= np.isfinite(of.arrival_s)
    soon = ~(of.dispatch_s > first[of.call] + SOON_S)
    rows = np.flatnonzero(counted & soon)
    kind = _served_types(of.type[rows], fleet)
    order = np.lexsort((kind, of.call[rows]))
    call, kind = of.call[rows][order], kind[order]
    begin = np.flatnonzero(np.concatenate([[True], call[1:] != call[:-1]])) if len(call) else np.zeros(0, np.int64)
    lists = [tuple(each[:MOST_UNITS].tolist()) for each in np.split(kind, begin[1:])] if len(call) else []
    patterns = tuple(sorted(set(lists))) or ((int(np.bincount(fleet.type).argmax()),),)
    place = {pattern: number for number, pattern in enumerate(patterns)}
    counts = np.zeros((n_kinds, len(patterns)))
    if lists:
        np.add.at(counts, (calls.kind[call[begin]], np.array([place[each] for each in lists])), 1.0)
    else:
        counts[:] = 1.0
    everywhere = counts.sum(axis=0) / counts.sum()
    size = counts.sum(axis=1, keepdims=True)
    lean = np.where(size < _THIN, _THIN - size, 0.0)
    share = (counts + lean * everywhere) / (size + lean)
    n_units = np.array([len(pattern) for pattern in patterns], dtype=np.float64)
    later = float((counted & ~soon).sum()) / max(int(counted.sum()), 1)
    return Patterns(patterns, np.cumsum(share, axis=1), share @ n_units, False, later)


def _served_types(kind: Ints, fleet: Fleet) -> Ints:
    """Return types that the fleet has: others become the commonest."""
    has = np.zeros(max(int(kind.max(initial=0)), int(fleet.type.max())) + 1, dtype=np.bool_)
    has[fleet.type] = True
    return np.where(has[kind], kind, int(np.bincount(fleet.type).argmax()))
