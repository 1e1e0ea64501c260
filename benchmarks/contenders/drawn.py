"""Chance as one would draw it in numpy: incident by incident, one call of the generator for every number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.contenders.laws import Laws, Surge
from sim.units import MS_PER_H, Q16


def draw_calls(laws: Laws, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return the calls of one replication in order of time, one record each: ordinary days by thinning, then surges."""
    calls = _ordinary(laws, rng) + _on_surge_days(laws, rng)
    return sorted(calls, key=lambda call: call["call_ms"])


def _ordinary(laws: Laws, rng: np.random.Generator) -> list[dict[str, Any]]:
    day_factor = [gamma_of_mean_one(laws.day_cv, rng) for _ in range(laws.n_days)]
    per_h = laws.per_h * np.repeat(day_factor, 24)[:, None]
    peak = per_h.sum(axis=1).max()
    calls: list[dict[str, Any]] = []
    now_h = rng.exponential(1.0 / peak)
    while now_h < len(per_h):
        rates = per_h[int(now_h)]
        total = rates.sum()
        if rng.random() * peak < total:
            kind = rng.choice(len(rates), p=rates / total)
            town = rng.choice(len(laws.cells), p=laws.town_p[kind])
            calls.append(_call(laws, rng, now_h, town, kind))
        now_h += rng.exponential(1.0 / peak)
    return calls


def _call(laws: Laws, rng: np.random.Generator, now_h: float, town: int, kind: int) -> dict[str, Any]:
    """Return one call: its place, its grade, how long it is handled and how the roads are."""
    own = laws.sigma["travel_common"]
    return {
        "call_ms": int(now_h * MS_PER_H),
        "town": int(town),
        "cell": int(rng.choice(laws.cells[town], p=laws.cell_p[kind][town])),
        "kind": int(kind),
        "grade": int(rng.choice(len(laws.grade_p[kind]), p=laws.grade_p[kind])) + 1,
        "handling_ms": int(rng.lognormal(math.log(laws.handling_ms), laws.sigma["handling"])),
        "travel_factor": int(Q16 * rng.lognormal(-own * own / 2.0, own)),
    }


def _on_surge_days(laws: Laws, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return what surge days lay on top, at most one surge a day."""
    calls: list[dict[str, Any]] = []
    for day in range(laws.n_days):
        for surge in laws.surges:
            if rng.random() < surge.probability[day]:
                calls += _of_surge(laws, surge, day, rng)
                break
    return calls


def _of_surge(laws: Laws, surge: Surge, day: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    centre = laws.cell_m[rng.integers(len(laws.cell_m))]
    near = 1.0 / (1.0 + ((laws.seat_m - centre) ** 2).sum(axis=1) / surge.range_m**2)
    share = np.array(laws.town_p).T * near[:, None]  # (n_towns, n_kinds)
    share /= np.maximum(share.sum(axis=0), 1e-300)
    rates = share * surge.alarms * gamma_of_mean_one(surge.size_cv, rng) * laws.growth[day]
    begin_h = 24.0 * day + rng.uniform(0.0, 24.0 - surge.hours)
    calls = []
    for _ in range(rng.poisson(rates.sum())):
        pair = rng.choice(rates.size, p=(rates / rates.sum()).ravel())
        town, kind = divmod(pair, rates.shape[1])
        calls.append(_call(laws, rng, begin_h + rng.uniform(0.0, surge.hours), town, kind))
    return calls


def gamma_of_mean_one(cv: float, rng: np.random.Generator) -> float:
    """Return a gamma factor of mean one with a coefficient of variation; one where it has none."""
    return float(rng.gamma(1.0 / cv**2, cv**2)) if cv > 0 else 1.0


def lognormal_ms(median_ms: float, sigma: float, rng: np.random.Generator) -> int:
    """Return a log-normal duration in whole ms."""
    return int(rng.lognormal(math.log(median_ms), sigma)) if median_ms > 0 else 0
