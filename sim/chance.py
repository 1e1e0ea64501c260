"""Keyed chance: every draw is a pure function of (seed, replication, stream, identity, slot).

A *rank* is a uniform 32-bit integer from Philox4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy
as 1, 2, 3", SC11). Nothing is streamed, so no draw depends on the order in which others are made, and nothing but
integer arithmetic is used, so every machine gets the same bits. Quantile tables turn ranks into whole milliseconds (or
into factors in 1/65536); they are made once with scipy, stored with the inputs, and never recomputed by an auditor.

This module knows nothing of cities, incidents or engines.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from sim.compiled import compiled, compiled_borrowing, compiled_inline, compiled_within

MASK32 = np.uint64(0xFFFFFFFF)
_SHIFT32 = np.uint64(32)
_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_THREE = np.uint64(3)
_TWO = np.uint64(2)

_AT_ONCE = 1024
"""Slots whose ranks are made in one go: few enough to stay near the processor."""
LEVEL_BITS = 10
LEVEL_SIZE = 1 << LEVEL_BITS
N_LEVELS = 3
TABLE_SIZE = N_LEVELS * LEVEL_SIZE


class Stream(IntEnum):
    """The register of streams: what a draw is for. Numbers are never reused; new purposes are added at the end."""

    CANDIDATE_COUNT = 1
    CANDIDATE_TIME = 2
    CANDIDATE_MARKS = 3
    CITY_DAY_FACTOR = 4
    TOWN_DAY_FACTOR = 5
    SURGE_DAY = 6
    SURGE_CANDIDATE = 7
    INCIDENT_RESPONSE = 8
    INCIDENT_ESCALATION = 9
    SLOT = 10
    SITING = 11
    WEATHER = 12
    ABSENCE = 13
    VEHICLE_FAILURE = 14
    BOOTSTRAP = 15
    TEST = 16
    ANNUAL_LEAVE = 17
    TRAINING = 18
    VACANCY = 19
    ADDED_SLOT = 20
    FLYING_WEATHER = 21
    AIRCRAFT_DAY = 22
    WATER_SUPPLY = 23
    RAIL_TRACK = 24
    MICRO_STATION = 25
    PLANTED = 27
    PLAUSIBLE = 31
    SCORING = 40
    PASSED_OVER = 41


@compiled_within
def _rounds(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    x0 = np.uint64(c0) & MASK32
    x1 = np.uint64(c1) & MASK32
    x2 = np.uint64(c2) & MASK32
    x3 = np.uint64(c3) & MASK32
    key0 = np.uint64(k0) & MASK32
    key1 = np.uint64(k1) & MASK32
    for _ in range(10):
        p0 = _M0 * x0
        p1 = _M1 * x2
        x0 = ((p1 >> _SHIFT32) ^ x1 ^ key0) & MASK32
        x1 = p1 & MASK32
        x2 = ((p0 >> _SHIFT32) ^ x3 ^ key1) & MASK32
        x3 = p0 & MASK32
        key0 = (key0 + _W0) & MASK32
        key1 = (key1 + _W1) & MASK32
    return x0, x1, x2, x3


@compiled
def philox4x32(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Return the four uint32 words (as uint64) of Philox4x32-10 for a counter of four words and a key of two."""
    return _rounds(c0, c1, c2, c3, k0, k1)


@compiled
def ranks4(seed, replication, stream, identity, block):  # type: ignore[no-untyped-def]
    """Return the ranks of slots 4*block … 4*block+3 of one identity: four uint64 below 2**32."""
    whole = np.uint64(identity)
    return philox4x32(np.uint64(block), whole & MASK32, whole >> _SHIFT32, np.uint64(stream), seed, replication)


@compiled
def rank(seed, replication, stream, identity, slot):  # type: ignore[no-untyped-def]
    """Return the rank (uint64 below 2**32) of one slot of one identity in one stream."""
    place = np.uint64(slot)
    r0, r1, r2, r3 = ranks4(seed, replication, stream, identity, place >> _TWO)
    lane = place & _THREE
    if lane == 0:
        return r0
    if lane == 1:
        return r1
    if lane == 2:
        return r2
    return r3


@compiled_borrowing
def ranks_at_once(seed, replication, stream, identities, blocks, out):  # type: ignore[no-untyped-def]
    """Fill `out` (4, n) uint32: column i holds the ranks of slots 4*blocks[i] … 4*blocks[i]+3 of identities[i].

    As `ranks4`; but nothing in the loop waits for anything else, so that the machine takes several of them at once.
    """
    for i in range(identities.shape[0]):
        whole = np.uint64(identities[i])
        r0, r1, r2, r3 = _rounds(blocks[i], whole & MASK32, whole >> _SHIFT32, stream, seed, replication)
        out[0, i], out[1, i], out[2, i], out[3, i] = r0, r1, r2, r3


@compiled_borrowing
def first_ranks(seed, replication, stream, first, step, out):  # type: ignore[no-untyped-def]
    """Fill `out` (n,) uint32 with the first rank of the identities first, first + step, first + 2 step …"""
    for i in range(out.shape[0]):
        whole = np.uint64(first + i * step)
        r0, _, _, _ = _rounds(0, whole & MASK32, whole >> _SHIFT32, stream, seed, replication)
        out[i] = r0


@compiled_borrowing
def _fill_slots(seed, replication, stream, identities, start, whole, slot, ranks, out):  # type: ignore[no-untyped-def]
    n, row = 0, start[0]
    for i in range(identities.shape[0]):
        for j in range(start[i + 1] - start[i]):
            whole[n], slot[n] = identities[i], j
            n += 1
            if n == whole.shape[0]:
                _fill_rows(seed, replication, stream, whole, slot, ranks, out[row : row + n])
                row, n = row + n, 0
    _fill_rows(seed, replication, stream, whole[:n], slot[:n], ranks, out[row : row + n])


@compiled_borrowing
def _fill_rows(seed, replication, stream, whole, slot, ranks, out):  # type: ignore[no-untyped-def]
    ranks_at_once(seed, replication, stream, whole, slot, ranks)
    for row in range(out.shape[0]):
        out[row, 0], out[row, 1], out[row, 2], out[row, 3] = ranks[0, row], ranks[1, row], ranks[2, row], ranks[3, row]


def slot_ranks(
    seed: int,
    replication: int,
    stream: int,
    identities: NDArray[np.uint64],
    start: NDArray[np.int64],
    out: NDArray[np.uint32],
) -> None:
    """Fill `out` (n, 4) uint32: row start[i] + j holds the four ranks of slot j of identities[i].

    The four are, in order: turnout, travel noise of the slot's own, access, scene.
    """
    whole, slot = np.empty(_AT_ONCE, dtype=np.uint64), np.empty(_AT_ONCE, dtype=np.uint64)
    ranks = np.empty((4, _AT_ONCE), dtype=np.uint32)
    _fill_slots(seed, replication, stream, identities, start, whole, slot, ranks, out)


def ranks_of(seed: int, replication: int, stream: int, identities: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Return the first four ranks of each identity in a stream: (n, 4) uint32."""
    n = len(identities)
    out = np.empty((n, 4), dtype=np.uint32)
    slot_ranks(seed, replication, stream, np.ascontiguousarray(identities), np.arange(n + 1, dtype=np.int64), out)
    return out


@compiled_inline
def look_up(values, rank_u32):  # type: ignore[no-untyped-def]
    """Return the table value of a rank: int64, the quantile function of `quantile_table` in whole units.

    Three levels of 1024 equal bins; the last bin of a level is opened by the next ten bits, down to 2**-30.
    """
    whole = np.int64(rank_u32)
    first = whole >> 22
    if first < LEVEL_SIZE - 1:
        return np.int64(values[first])
    second = (whole >> 12) & (LEVEL_SIZE - 1)
    if second < LEVEL_SIZE - 1:
        return np.int64(values[LEVEL_SIZE + second])
    return np.int64(values[2 * LEVEL_SIZE + ((whole >> 2) & (LEVEL_SIZE - 1))])


def bin_weights() -> NDArray[np.float64]:
    """Return the probability of each of the 3072 table entries (zero for the two that the next level opens)."""
    weights = np.empty(TABLE_SIZE)
    for level in range(N_LEVELS):
        weights[level * LEVEL_SIZE : (level + 1) * LEVEL_SIZE] = float(LEVEL_SIZE) ** -(level + 1)
        if level < N_LEVELS - 1:
            weights[(level + 1) * LEVEL_SIZE - 1] = 0.0
    return weights


def quantile_table(
    ppf: Callable[[NDArray[np.float64]], NDArray[np.float64]], mean: float, *, n_points: int = 64
) -> NDArray[np.int32]:
    """Return the int32 table of a non-negative distribution, keeping its mean.

    Parameters
    ----------
    ppf
        Quantile function, vectorised over probabilities in (0, 1), in the unit of the table (ms, or 1/65536).
    mean
        The distribution's mean in the same unit. Every entry is the mean of its bin; what the numerical integration
        misses is put right by one common factor, so that the table's mean is `mean` up to rounding (at most 0.5).
    n_points
        Points per bin of the midpoint rule.

    Raises
    ------
    ValueError
        If a value is negative or beyond int32, or the integral and `mean` differ by more than one percent.
    """
    offsets = (np.arange(n_points) + 0.5) / n_points
    levels = []
    for level in range(N_LEVELS):
        width = float(LEVEL_SIZE) ** -(level + 1)
        begin = 0.0 if level == 0 else 1.0 - float(LEVEL_SIZE) ** -level
        probabilities = begin + (np.arange(LEVEL_SIZE)[:, None] + offsets) * width
        levels.append(np.asarray(ppf(probabilities), dtype=np.float64).mean(axis=1))
    values = np.concatenate(levels)
    integral = float(values @ bin_weights())
    if mean > 0 and abs(integral / mean - 1.0) > 0.01:
        raise ValueError(f"the quantile function integrates to {integral}, the stated mean is {mean}")
    if integral > 0:
        values = values * (mean / integral)
    rounded = np.floor(values + 0.5)
    if rounded.min() < 0 or rounded.max() > np.iinfo(np.int32).max:
        raise ValueError(f"table values run from {rounded.min()} to {rounded.max()}, outside 0 … 2**31 - 1")
    return rounded.astype(np.int32)


def constant_table(value: int) -> NDArray[np.int32]:
    """Return a table in which every rank has the same value (tiny cities and exact tests)."""
    return np.full(TABLE_SIZE, value, dtype=np.int32)
