"""CPU times, taken in rounds: every round measures everything once, so that a slow moment touches all alike."""

from __future__ import annotations

import gc
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

Task = Callable[[], Any]
Rounds = dict[str, list[float]]
"""Name of a task -> CPU seconds of each round."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A number measured several times."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return median, least and greatest of the rounds."""
        return cls(statistics.median(values), min(values), max(values))


def cpu_seconds(task: Task) -> float:
    """Return the CPU seconds of this process (all threads) that one call takes; the result is thrown away."""
    gc.collect()
    begun = time.process_time()
    task()
    return time.process_time() - begun


def prepared_cpu_seconds(prepare: Task, task: Callable[[Any], Any], n_times: int = 1) -> float:
    """Return the CPU seconds of one `task(prepare())`, the mean of `n_times`; preparing it is not counted."""
    taken = 0.0
    for _ in range(n_times):
        taken += cpu_seconds(partial(task, prepare()))
    return taken / n_times


def child_cpu_seconds(command: Sequence[str]) -> float:
    """Return the CPU seconds of a command that is started and waited for.

    Raises
    ------
    subprocess.CalledProcessError
        If the command fails.
    """
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def take_rounds(clocks: Mapping[str, Callable[[], float]], n_rounds: int, told: Callable[[str], None]) -> Rounds:
    """Return the seconds of every clock in each of `n_rounds` rounds, one after another within a round."""
    taken: Rounds = {name: [] for name in clocks}
    for number in range(n_rounds):
        told(f"round {number + 1} of {n_rounds}")
        for name, clock in clocks.items():
            taken[name].append(clock())
    return taken


def ratio(rounds: Rounds, above: str, below: str, factor: float = 1.0) -> list[float]:
    """Return `factor` x the time of `above` over that of `below`, round by round."""
    return [factor * a / b for a, b in zip(rounds[above], rounds[below], strict=True)]


def rate(rounds: Rounds, name: str, n: int) -> list[float]:
    """Return how many per CPU second, round by round."""
    return [n / seconds for seconds in rounds[name]]
