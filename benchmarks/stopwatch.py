"""CPU times, taken in rounds: every round measures everything once, so that a slow moment touches all alike."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sim.compiled import cache_root

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


def wall_seconds(work: Sequence[Task], *, is_threaded: bool) -> float:
    """Return the seconds by the clock of some work, each piece on a thread, at once or one after another."""
    threads = [threading.Thread(target=piece) for piece in work]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
        if not is_threaded:
            thread.join()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begun


def environment(**more: str) -> dict[str, str]:
    """Return the variables for a measured command: this process's, and `more`, with Python's byte code kept.

    Where `PYTHONDONTWRITEBYTECODE` is set every process compiles all that it imports, seconds of it.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(cache_root() / "bytecode")} | more


def child_cpu_seconds(command: Sequence[str]) -> float:
    """Return the CPU seconds of a command that is started and waited for, its byte code kept from before.

    Raises
    ------
    subprocess.CalledProcessError
        If the command fails.
    """
    before = seconds_of_children()
    subprocess.run(command, check=True, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return seconds_of_children() - before


def seconds_of_children() -> float:
    """Return the CPU seconds of all processes that this one has started and waited for, and of theirs."""
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


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
