"""Closed forms of queueing theory, in the notation of Kleinrock, Queueing Systems, vol. 1 (1975).

`servers`: their number c. `load`: a = arrival rate x mean service, in erlang. Times are in one unit throughout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def erlang_b(servers: int, load: float) -> float:
    """Return the chance that all servers are busy where calls that find them so are lost: M/G/c/c.

    Erlang (1917), by the recursion B(c) = a B(c-1) / (c + a B(c-1)); it depends on the mean service alone.
    """
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(servers: int, load: float) -> float:
    """Return the chance of waiting in M/M/c (Erlang 1917): c B / (c - a (1 - B))."""
    blocked = erlang_b(servers, load)
    return servers * blocked / (servers - load * (1.0 - blocked))


def mmc_mean_wait(servers: int, load: float, mean_service: float) -> float:
    """Return the mean wait in M/M/c, those who do not wait counted: C(c, a) s / (c - a)."""
    return erlang_c(servers, load) * mean_service / (servers - load)


def mmc_wait_beyond(servers: int, load: float, mean_service: float, wait: float) -> float:
    """Return the chance of waiting longer than `wait` in M/M/c, first come first served: C exp(-(c - a) t / s)."""
    return erlang_c(servers, load) * math.exp(-(servers - load) * wait / mean_service)


def mg1_mean_wait(rate: float, mean_service: float, second_moment: float) -> float:
    """Return the mean wait in M/G/1 (Pollaczek 1930, Khinchine 1932): rate E[S^2] / (2 (1 - rho))."""
    return rate * second_moment / (2.0 * (1.0 - rate * mean_service))


def priority_waits(residual: float, loads: Sequence[float]) -> list[float]:
    """Return the mean wait of each class, the first served first, nobody interrupted: Cobham (1954).

    W_k = W_0 / ((1 - sigma_(k-1)) (1 - sigma_k)), sigma_k the load of classes 1 to k per server. `residual`: W_0, the
    mean time until the next server is free for a call that finds all busy, those that do not counted as 0:
    sum rate E[S^2] / 2 for one server, C(c, a) s / c for c servers with one exponential service.
    """
    waits, before = [], 0.0
    for load in loads:
        waits.append(residual / ((1.0 - before) * (1.0 - before - load)))
        before += load
    return waits


def poisson_at_most(mean: float, most: int) -> float:
    """Return the chance that a Poisson number is at most `most`: the number busy in M/G/infinity."""
    return math.exp(-mean) * sum(mean**n / math.factorial(n) for n in range(most + 1))
