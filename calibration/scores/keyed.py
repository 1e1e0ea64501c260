"""Keyed uniforms for scoring: which draw, which block, where within a rounded minute, always the same for one incident.

Scores are to be the same numbers on every machine and in every order of the rows, so nothing here is streamed: a draw
is a function of (purpose, seed, identity, place), by the generator of `sim.chance`.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from sim.chance import Stream, slot_ranks

Floats = NDArray[np.float64]

CHUNK_VALUES = 4_000_000
"""Values of a large table worked on at once, to bound memory."""


class Purpose(IntEnum):
    """What a draw is for. Numbers are never reused."""

    PIT = 1
    ROUNDING = 2
    DITHER_DRAWS = 3
    DITHER_OBSERVED = 4
    DATA_SET = 5
    BLOCKS = 6
    SPLIT = 7
    PLAY = 8
    GENERATE = 9


def uniforms(purpose: Purpose, seed: int, identity: NDArray[np.uint64], n_places: int) -> Floats:
    """Return uniforms in the open interval (0, 1): (n, n_places) float64, row i a function of identity[i] alone."""
    n_words = -(-n_places // 4)
    ranks = np.empty((len(identity) * n_words, 4), dtype=np.uint32)
    start = np.arange(len(identity) + 1, dtype=np.int64) * n_words
    slot_ranks(seed, int(purpose), int(Stream.SCORING), np.ascontiguousarray(identity, dtype=np.uint64), start, ranks)
    words = ranks.reshape(len(identity), 4 * n_words)[:, :n_places]
    return (words.astype(np.float64) + 0.5) * 2.0**-32


def row_chunks(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Yield slices that cover the rows, each of at most `CHUNK_VALUES` values."""
    step = max(1, CHUNK_VALUES // max(1, n_columns))
    for begin in range(0, n_rows, step):
        yield slice(begin, min(n_rows, begin + step))
