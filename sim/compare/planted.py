"""Planted incidents side by side: what days of stress did to each arm, and how each class of rare incidents was met.

Scenarios meet the same planted incidents, so differences are paired by identity within a replication. Nothing here is
part of the headline: a planted sample is no forecast.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.compare.intervals import t_quantile
from sim.compare.levels import texts
from sim.compare.parts import Arm, Tables
from sim.metrics.planted import HORIZON_MS
from sim.metrics.readiness import PPM
from sim.metrics.store import Columns
from sim.units import MS_PER_H, MS_PER_S

ALL = ""
"""`cause` of a row about all classes together, each weighted by what it brings a year."""
CLOCKS = {"arrival": "first_arrival_ms", "critical": "first_critical_ms", "full_alarm": "full_alarm_ms"}
QUANTILES = {"p50": 0.5, "p90": 0.9}
_Z = 1.959964
_COUNTS = ("n_incidents", "n_waited", "n_never_met", "n_unfilled", "n_dispatched", "n_help", "n_ready_lowest")
_SHARES = ("share_300", "kept_lowest", "not_back")


def planted_of_arm(arm: Arm) -> Tables:
    """Return the rows of an arm in `stress` and `rare`, if it planted anything."""
    if not arm.has("planted"):
        return {}
    found = {"stress": stress_levels(arm)} if arm.has("stress") else {}
    return _not_empty(found | {"rare": rare_levels(arm)})


def planted_of_pair(arm: Arm, base: Arm) -> Tables:
    """Return the rows of two arms in `rare_pairs`, if both planted anything."""
    return _not_empty({"rare_pairs": rare_pairs(arm, base)}) if arm.has("planted") and base.has("planted") else {}


def _not_empty(tables: Tables) -> Tables:
    return {name: table for name, table in tables.items() if len(table["arm"])}


def stress_levels(arm: Arm) -> Columns:
    """Return each measure of each day of stress: mean over replications, with a 95 % interval.

    Columns: arm, causes, metric, value, low, high, n_replications. Metrics are the counts of the replications' table;
    `longest_wait_s`; `share_300` and `mean_arrival_s` of fires and rescues; `kept_lowest`, share of cover left at the
    worst; `back_h`, hours until cover is back, those not back within the horizon counting as the horizon; `not_back`,
    the share of those.
    """
    by_cause: dict[str, list[dict[str, float]]] = {}
    for replication in arm.replications:
        table = replication.read("stress")
        for row in range(len(table["causes"])):
            found = _stress_measures({name: table[name][row] for name in table if name != "causes"})
            by_cause.setdefault(str(table["causes"][row]), []).append(found)
    rows = []
    for causes, measures in by_cause.items():
        for metric in measures[0]:
            values = np.array([one[metric] for one in measures])
            mean, half = mean_and_half(values, np.ones(len(values)))
            most = 1.0 if metric in _SHARES else float("inf")
            rows.append((arm.name, causes, metric, mean, max(mean - half, 0.0), min(mean + half, most), len(values)))
    return _columns(("arm", "causes", "metric", "value", "low", "high", "n_replications"), rows)


def _stress_measures(row: dict[str, int]) -> dict[str, float]:
    back = float(row["back_ms"])
    return {name: float(row[name]) for name in _COUNTS} | {
        "longest_wait_s": row["longest_wait_ms"] / MS_PER_S,
        "share_300": row["n_within_300"] / max(int(row["n_headline"]), 1),
        "mean_arrival_s": row["sum_arrival_ms"] / MS_PER_S / max(int(row["n_arrived"]), 1),
        "kept_lowest": row["kept_lowest_ppm"] / PPM,
        "back_h": (back if back >= 0 else float(HORIZON_MS)) / MS_PER_H,
        "not_back": float(back < 0),
    }


def rare_levels(arm: Arm) -> Columns:
    """Return how each class of planted incidents was met, all replications together; cause "" is all classes weighted.

    Columns: arm, cause, clock, metric (p50, p90, in seconds; never, a share), value, low, high (of the sample alone:
    order statistics, or the binomial), n_planted, n_not_alone (an earlier planted one was still open), per_year (what
    its incidents stand for), ready_before, ready_after, ready_least (units just before and half an hour after the call,
    the least of the latter), kept_after (share of cover left then). A row of all classes has no interval.
    """
    table = _pooled(arm)
    rows = []
    for cause in dict.fromkeys(table["cause"].tolist()):
        own = table["cause"] == cause
        rows += [(arm.name, cause, *row) for row in _met(table, own, np.ones(int(own.sum())), is_sample=True)]
    weighted = table["per_year"] > 0
    if weighted.any():
        rows += [(arm.name, ALL, *row) for row in _met(table, weighted, table["per_year"][weighted], is_sample=False)]
    names = ("arm", "cause", "clock", "metric", "value", "low", "high", "n_planted", "n_not_alone", "per_year")
    return _columns((*names, "ready_before", "ready_after", "ready_least", "kept_after"), rows)


def _met(
    table: Columns, own: NDArray[np.bool_], weight: NDArray[np.float64], *, is_sample: bool
) -> list[tuple[object, ...]]:
    part = {name: values[own] for name, values in table.items()}
    n, per_year = len(weight), float(part["per_year"].sum()) / int(table["n_replications"][0])
    before, after = part["n_ready_before"], part["n_ready_after"]
    shown = (
        n, int((~part["is_alone"]).sum()), per_year, float(np.average(before, weights=weight)),
        float(np.average(after, weights=weight)), int(after.min()),
        float(np.average(part["kept_after_ppm"], weights=weight)) / PPM,
    )  # fmt: skip
    return [(*row, *shown) for row in milestones(part, weight, is_sample=is_sample)]


def milestones(
    part: Columns, weight: NDArray[np.float64], *, is_sample: bool = True
) -> list[tuple[str, str, float, float, float]]:
    """Return (clock, metric, value, low, high): P50 and P90 in seconds, and the share of what never came.

    `part` has the milestones of each incident, of the clocks to be told; `weight` what each counts for. Intervals are
    of a sample alone: order statistics, or the binomial; NaN for what is no sample.
    """
    n = len(weight)
    rows: list[tuple[str, str, float, float, float]] = []
    for clock, column in ((clock, column) for clock, column in CLOCKS.items() if column in part):
        values = np.where(part[column] < 0, np.inf, part[column] / MS_PER_S)
        halves = [_Z * np.sqrt(p * (1 - p) / n) if is_sample else np.nan for p in QUANTILES.values()]
        wanted = [(p, p - half, p + half) for p, half in zip(QUANTILES.values(), halves, strict=True)]
        found = iter(weighted_quantiles(values, weight, [p for three in wanted for p in three]))
        rows += [(clock, metric, next(found), next(found), next(found)) for metric in QUANTILES]
        never = float(np.average(np.isinf(values), weights=weight))
        half = _Z * np.sqrt(never * (1 - never) / n) if is_sample else np.nan
        rows.append((clock, "never", never, never - half, never + half))
    return rows


def weighted_quantiles(
    values: NDArray[np.float64], weight: NDArray[np.float64], shares: Sequence[float]
) -> list[float]:
    """Return, for each share p, the least value up to which at least p of the weight lies; NaN for NaN.

    A p beyond 0 and 1 is 0 or 1.
    """
    order = np.argsort(values, kind="stable")
    running = np.cumsum(weight[order])
    found = []
    for p in shares:
        at = np.searchsorted(running, min(max(p, 0.0), 1.0) * running[-1] * (1 - 1e-12))
        found.append(float("nan") if np.isnan(p) else float(values[order[min(int(at), len(values) - 1)]]))
    return found


def rare_pairs(arm: Arm, base: Arm) -> Columns:
    """Return by how much the arm met the same planted incidents sooner or later than its base did.

    Columns: arm, base, cause, clock, diff_s (mean of arm minus base where both came), low, high (95 %, replications
    as clusters), share_faster, share_slower (what never came being longest), n_pairs.
    """
    numbers = {replication.number: replication for replication in base.replications}
    parts: dict[str, list[tuple[NDArray[np.float64], NDArray[np.float64], int]]] = {}
    for replication in arm.replications:
        if replication.number not in numbers:
            continue
        one, other = replication.read("planted"), numbers[replication.number].read("planted")
        _, at, with_ = np.intersect1d(one["identity"], other["identity"], return_indices=True)
        for cause in dict.fromkeys(one["cause"][at].tolist()):
            mine = one["cause"][at] == cause
            for clock, column in CLOCKS.items():
                pair = [
                    np.where(v < 0, np.inf, v / MS_PER_S) for v in (one[column][at][mine], other[column][with_][mine])
                ]
                parts.setdefault(f"{cause}/{clock}", []).append((pair[0], pair[1], replication.number))
    rows = []
    for key, found in parts.items():
        cause, clock = key.split("/")
        a, b = (np.concatenate([part[place] for part in found]) for place in (0, 1))
        finite = [part[0][_both(part)] - part[1][_both(part)] for part in found]
        mean, half = mean_and_half(np.array([d.sum() for d in finite]), np.array([float(len(d)) for d in finite]))
        faster, slower = float((a < b).mean()), float((a > b).mean())
        rows.append((arm.name, base.name, cause, clock, mean, mean - half, mean + half, faster, slower, len(a)))
    names = ("arm", "base", "cause", "clock", "diff_s", "low", "high", "share_faster", "share_slower", "n_pairs")
    return _columns(names, rows)


def _both(part: tuple[NDArray[np.float64], NDArray[np.float64], int]) -> NDArray[np.bool_]:
    return np.isfinite(part[0]) & np.isfinite(part[1])


# --- parts ------------------------------------------------------------------------------------------------------------


def mean_and_half(total: NDArray[np.float64], n: NDArray[np.float64]) -> tuple[float, float]:
    """Return the ratio of sums and half its 95 % interval, rows being clusters (Cochran 1977, 6.3); NaN with one."""
    if n.sum() == 0:
        return float("nan"), float("nan")
    mean, k = float(total.sum() / n.sum()), len(n)
    if k < 2:
        return mean, float("nan")
    rest = total - mean * n
    error = np.sqrt(float((rest * rest).sum()) * k / (k - 1)) / float(n.sum())
    return mean, float(t_quantile(np.array([k - 1.0]))[0] * error)


def _pooled(arm: Arm) -> Columns:
    table = arm.pooled("planted")
    return table | {"n_replications": np.full(len(table["cause"]), len(arm.replications))}


def _columns(names: Sequence[str], rows: Sequence[tuple[object, ...]]) -> Columns:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return {
        name: texts([str(value) for value in column]) if column and isinstance(column[0], str) else np.array(column)
        for name, column in zip(names, columns, strict=True)
    }
