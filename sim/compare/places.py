"""What the place of an incident added, and help from outside, side by side: tunnels, villages, posts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.compare.cells import Frame
from sim.compare.parts import Arm
from sim.compare.planted import CLOCKS, milestones
from sim.compare.service import measured_years
from sim.metrics.store import Columns, columns_of
from sim.units import MS_PER_S

Rows = list[dict[str, Any]]
_SOON_MS = 300 * MS_PER_S


def place_tables(arms: Sequence[Arm], frame: Frame) -> dict[str, Columns]:
    """Return the tables `tunnel`, `villages` and `help`, over the whole window, but no empty one."""
    scenes = [(arm, _years(arm, frame), _scenes(arm)) for arm in arms if arm.has("scenes")]
    rows: dict[str, Rows] = {
        "tunnel": [row for told in scenes for row in _tunnel_rows(*told)],
        "villages": [row for told in scenes for row in _village_rows(*told)],
        "help": [row for arm in arms if arm.has("mutual_aid") for row in _help_rows(arm, _years(arm, frame))],
    }
    return {name: columns_of(found) for name, found in rows.items() if found}


def _years(arm: Arm, frame: Frame) -> float:
    """Return the years measured by all replications together."""
    return float(measured_years(arm, frame)[0]) * len(arm.replications)


def _scenes(arm: Arm) -> Columns:
    """Return the replications' scenes with what the incident tables tell of the same incidents."""
    parts = []
    for replication in arm.replications:
        table = replication.read("scenes")
        names = ("identity", "call_ms", "dispatch_due_ms", *CLOCKS.values())
        incidents = replication.read("incidents", names)
        order = np.argsort(incidents["identity"], kind="stable")
        at = order[np.searchsorted(incidents["identity"][order], table["identity"])]
        parts.append(table | {name: incidents[name][at] for name in names[1:]})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _tunnel_rows(arm: Arm, years: float, table: Columns) -> Rows:
    """Return the milestones of incidents in tunnels: clock, metric (p50 and p90 in seconds; never, a share), value.

    `low`, `high`: of the sample of all replications (order statistics, or the binomial). Such incidents are reached by
    the portals of `scenes`.
    """
    own = table["portal_a"] >= 0
    if not own.any():
        return []
    part = {name: table[name][own] for name in CLOCKS.values()}
    shown = {
        "per_year": float(own.sum()) / years,
        "n_incidents": int(own.sum()),
        "n_replications": len(arm.replications),
    }
    return [
        {"arm": arm.name, "clock": clock, "metric": metric, "value": value, "low": low, "high": high} | shown
        for clock, metric, value, low, high in milestones(part, np.ones(int(own.sum())))
    ]


def _village_rows(arm: Arm, years: float, table: Columns) -> Rows:
    """Return how often the village's own people come, and what they are there before; a milestone of their own.

    per_year: incidents they come to; of these first_share, where they are there before the first unit of the stations,
    and before_s, the mean seconds by which where both came. Of all incidents of these kinds (all_per_year): came_share,
    and who is there within five minutes of the *call*: a unit of the stations (stations_300_share), or it or they
    (any_300_share).
    """
    own = table["village_ms"] >= 0
    if not own.any():
        return []
    unit_ms = (table["dispatch_due_ms"] - table["call_ms"] + table["first_arrival_ms"])[own]
    village_ms, has_come = table["village_ms"][own], table["first_arrival_ms"][own] >= 0
    first: NDArray[np.bool_] = ~has_come | (village_ms < unit_ms)
    ahead = (unit_ms - village_ms)[first & has_come] / MS_PER_S
    row: dict[str, Any] = {"arm": arm.name, "per_year": float(own.sum()) / years, "first_share": float(first.mean())}
    row |= {"before_s": float(ahead.mean()) if len(ahead) else float("nan")}
    gained = int(((village_ms <= _SOON_MS) & ~(has_come & (unit_ms <= _SOON_MS))).sum())
    n_all, n_soon = _of_kinds(arm, np.unique(table["kind"][own]))
    row |= {"all_per_year": n_all / years, "came_share": int(own.sum()) / n_all}
    row |= {"stations_300_share": n_soon / n_all, "any_300_share": (n_soon + gained) / n_all}
    return [row | {"n_incidents": n_all, "n_replications": len(arm.replications)}]


def _of_kinds(arm: Arm, kinds: NDArray[Any]) -> tuple[int, int]:
    """Return the incidents of some kinds, all replications together, and how many had a unit within five minutes."""
    names = ("kind", "call_ms", "dispatch_due_ms", "first_arrival_ms")
    n, n_soon = 0, 0
    for replication in arm.replications:
        table = replication.read("incidents", names)
        own, has_come = np.isin(table["kind"], kinds), table["first_arrival_ms"] >= 0
        unit_ms = table["dispatch_due_ms"] - table["call_ms"] + table["first_arrival_ms"]
        n += int(own.sum())
        n_soon += int((own & has_come & (unit_ms <= _SOON_MS)).sum())
    return n, n_soon


def _help_rows(arm: Arm, years: float) -> Rows:
    """Return what each post outside the city sent, by capability: per_run, per_year, arrived_share, arrival_p50_s.

    per_run: in the whole window, mean over replications; per_year says nothing where days of stress are all there is.
    The median is of those that came, from their dispatch.
    """
    table = arm.pooled("mutual_aid")
    rows = []
    for post, capability in sorted(set(zip(table["post"].tolist(), table["capability"].tolist(), strict=True))):
        own = (table["post"] == post) & (table["capability"] == capability)
        came = table["arrival_ms"][own & (table["arrival_ms"] >= 0)]
        row: dict[str, Any] = {"arm": arm.name, "post": str(post), "capability": int(capability)}
        row |= {"per_run": float(own.sum()) / len(arm.replications), "per_year": float(own.sum()) / years}
        row |= {"arrived_share": len(came) / int(own.sum())}
        row |= {"arrival_p50_s": float(np.median(came)) / MS_PER_S if len(came) else float("nan")}
        rows.append(row | {"n_sent": int(own.sum()), "n_replications": len(arm.replications)})
    return rows
