"""Chooses sites by a criterion, given what stands: the arithmetic of siting, in whole numbers, without a city.

A criterion turns travel times into a cost that is compared as a pair (first, then); ties go to the first candidate.
`P_MEDIAN` sums weight x time (Hakimi 1964, Oper. Res. 12); `P_CENTRE` takes the longest time and then that sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

FAR_MS = 2**31 - 1
"""Time to the nearest station where none stands yet."""


class Criterion(Enum):
    """What a good set of sites makes small."""

    P_MEDIAN = "p_median"
    P_CENTRE = "p_centre"


@dataclass(frozen=True, slots=True)
class Demand:
    """Places to be reached: `weight` (n_places,) int64, and `is_counted` (n_places,) bool, those the p-centre sees."""

    weight: NDArray[np.int64]
    is_counted: NDArray[np.bool_]


def costs(
    criterion: Criterion, duration_ms: NDArray[np.int32], nearest_ms: NDArray[np.int32], demand: Demand
) -> NDArray[np.int64]:
    """Return (n_candidates, 2) int64 costs of adding each candidate to stations `nearest_ms` away.

    `duration_ms`: (n_candidates, n_places) int32. `nearest_ms`: (n_places,) int32, from the stations that stand.
    """
    reached = np.minimum(duration_ms, nearest_ms)
    total = reached.astype(np.int64) @ demand.weight
    longest = np.zeros_like(total)
    if criterion is Criterion.P_CENTRE:
        longest = reached[:, demand.is_counted].max(axis=1).astype(np.int64)
    return np.stack([longest, total], axis=1)


def cheapest(cost: NDArray[np.int64]) -> int:
    """Return the position of the least cost, the first of equals."""
    return int(np.lexsort((cost[:, 1], cost[:, 0]))[0])


def add_sites(
    criterion: Criterion,
    duration_ms: NDArray[np.int32],
    demand: Demand,
    standing: Sequence[int],
    n_sites: int,
    nearest_ms: NDArray[np.int32] | None = None,
) -> list[int]:
    """Return `standing` and greedily added candidates, `n_sites` in all, in the order they were added.

    `nearest_ms`: time from stations outside the candidates, if any stand.
    """
    chosen = list(standing)
    nearest = np.full(duration_ms.shape[1], FAR_MS, dtype=np.int32) if nearest_ms is None else nearest_ms
    for site in chosen:
        nearest = np.minimum(nearest, duration_ms[site])
    free = np.ones(len(duration_ms), dtype=np.bool_)
    free[chosen] = False
    while len(chosen) < n_sites:
        candidates = np.flatnonzero(free)
        best = int(candidates[cheapest(costs(criterion, duration_ms[candidates], nearest, demand))])
        chosen.append(best)
        free[best] = False
        nearest = np.minimum(nearest, duration_ms[best])
    return chosen


def swap_sites(
    criterion: Criterion, duration_ms: NDArray[np.int32], demand: Demand, chosen: Sequence[int], n_fixed: int
) -> list[int]:
    """Return the sites after exchanging one at a time for a better candidate until none betters the whole.

    The vertex substitution of Teitz and Bart (1968, Oper. Res. 16); the first `n_fixed` sites stay.
    """
    sites = list(chosen)
    is_better = True
    while is_better:
        is_better = False
        for i in range(n_fixed, len(sites)):
            others = sites[:i] + sites[i + 1 :]
            nearest = duration_ms[others].min(axis=0) if others else np.full(duration_ms.shape[1], FAR_MS, np.int32)
            cost = costs(criterion, duration_ms, nearest, demand)
            best = cheapest(cost)
            if best not in others and tuple(cost[best]) < tuple(cost[sites[i]]):
                sites[i], is_better = best, True
    return sites


def best_sites(
    criterion: Criterion, duration_ms: NDArray[np.int32], demand: Demand, standing: Sequence[int], n_sites: int
) -> list[int]:
    """Return `n_sites` candidates, `standing` first: greedy, then swaps, then ordered by what each adds."""
    greedy = add_sites(criterion, duration_ms, demand, standing, n_sites)
    swapped = swap_sites(criterion, duration_ms, demand, greedy, len(standing))
    order = np.array(list(standing) + sorted(swapped[len(standing) :]))
    ranked = add_sites(criterion, duration_ms[order], demand, list(range(len(standing))), n_sites)
    return [int(order[i]) for i in ranked]
