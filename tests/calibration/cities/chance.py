"""Random numbers of the synthetic cities: one stream per purpose, so that one change leaves the others as they were."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream is for."""

    WORLD = 0
    CALLS = 1
    SENT = 2
    HANDLING = 3
    TURNOUT = 4
    TRAVEL = 5
    SCENE = 6
    RETURN = 7
    DISPATCH = 8
    CONGESTION = 9
    CLERK = 10
    FLOOR = 11


def generator(seed: int, purpose: Purpose) -> np.random.Generator:
    """Return the stream of a seed and a purpose."""
    return np.random.default_rng([seed, purpose])
