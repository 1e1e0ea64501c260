"""A job that leaves memory behind in the worker process that did it, for worker processes to import."""

from __future__ import annotations

import os
import time

import numpy as np

HELD: list[np.ndarray] = []


def hold(n_mb: int) -> int:
    """Hold so many MB from now on and return the number of the process; takes longer than loky's look at memory."""
    HELD.append(np.ones(n_mb * 125_000))
    time.sleep(1.2)
    return os.getpid()
