"""What the place of an incident added, and help from outside, side by side: tunnels, villages, posts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.compare.cells import Frame
from sim.compare.levels import stack
from sim.compare.parts import Arm, Tables
from sim.compare.planted import CLOCKS, milestones
from sim.compare.service import measured_years
from sim.metrics.store import Columns, columns_of
from sim.units import MS_PER_S

Rows = list[dict[str, Any]]
_SOON_MS = 300 * MS_PER_S


def places_of_arm(arm: Arm, frame: Frame) -> Tables:
    """Return the rows of an arm in `tunnel`, `villages` and `help`, over the whole window, as far as it has any."""
    years = float(measured_years(arm, frame)[0]) * len(arm.replications)
    rows: dict[str, Rows] = {}
    if arm.has("scenes"):
        in_tunnels, with_village, of_kinds = _scenes(arm, frame)
        rows["tunnel"] = _tunnel_rows(arm, years, in_tunnels)
        rows["villages"] = _village_rows(arm, years, with_village, of_kinds)
    rows["help"] = _help_rows(arm, years) if arm.has("mutual_aid") else []
    return {name: columns_of(told) for name, told in rows.items() if told}


def _scenes(arm: Arm, frame: Frame) -> tuple[Columns, Columns, NDArray[np.int64]]:
    """Return what becomes of incidents in tunnels and of those with a village, and how many there are of each kind.

    The milestones of `CLOCKS` of the first; `kind`, `unit_ms` (a unit there after the call, -1 never) and `village_ms`
    of the second; (2, n_kinds): of all incidents, and those with a unit within five minutes of the call.
    """
    tunnels, villages = [], []
    of_kinds = np.zeros((2, frame.labels.n_kinds), dtype=np.int64)
    names = ("identity", "kind", "call_ms", "dispatch_due_ms", *CLOCKS.values())
    for replication in arm.replications:
        table = replication.read("scenes", ("identity", "kind", "portal_a", "village_ms"))
        incidents = replication.read("incidents", names)
        arrival = incidents["first_arrival_ms"]
        unit_ms = np.where(arrival < 0, -1, incidents["dispatch_due_ms"] - incidents["call_ms"] + arrival)
        is_soon = (unit_ms >= 0) & (unit_ms <= _SOON_MS)
        for at, own in enumerate((incidents["kind"], incidents["kind"][is_soon])):
            of_kinds[at] += np.bincount(own, minlength=frame.labels.n_kinds)
        order = np.argsort(incidents["identity"])
        has_portal, has_village = table["portal_a"] >= 0, table["village_ms"] >= 0
        at_tunnel, at_village = (
            order[np.searchsorted(incidents["identity"], table["identity"][own], sorter=order)]
            for own in (has_portal, has_village)
        )
        tunnels.append({name: incidents[name][at_tunnel] for name in CLOCKS.values()})
        of_village = {name: table[name][has_village] for name in ("kind", "village_ms")}
        villages.append(of_village | {"unit_ms": unit_ms[at_village]})
    return stack(tunnels), stack(villages), of_kinds


def _tunnel_rows(arm: Arm, years: float, table: Columns) -> Rows:
    """Return the milestones of incidents in tunnels: clock, metric (p50 and p90 in seconds; never, a share), value.

    `low`, `high`: of the sample of all replications (order statistics, or the binomial). Such incidents are reached by
    the portals of `scenes`.
    """
    n = len(table["first_arrival_ms"])
    if not n:
        return []
    shown = {"per_year": n / years, "n_incidents": n, "n_replications": len(arm.replications)}
    return [
        {"arm": arm.name, "clock": clock, "metric": metric, "value": value, "low": low, "high": high} | shown
        for clock, metric, value, low, high in milestones(table, np.ones(n))
    ]


def _village_rows(arm: Arm, years: float, table: Columns, of_kinds: NDArray[np.int64]) -> Rows:
    """Return how often the village's own people come, and what they are there before; a milestone of their own.

    per_year: incidents they come to; of these first_share, where they are there before the first unit of the stations,
    and before_s, the mean seconds by which where both came. Of all incidents of these kinds (all_per_year): came_share,
    and who is there within five minutes of the *call*: a unit of the stations (stations_300_share), or it or they
    (any_300_share).
    """
    unit_ms, village_ms, n = table["unit_ms"], table["village_ms"], len(table["unit_ms"])
    if not n:
        return []
    has_come = unit_ms >= 0
    first: NDArray[np.bool_] = ~has_come | (village_ms < unit_ms)
    ahead = (unit_ms - village_ms)[first & has_come] / MS_PER_S
    row: dict[str, Any] = {"arm": arm.name, "per_year": n / years, "first_share": float(first.mean())}
    row |= {"before_s": float(ahead.mean()) if len(ahead) else float("nan")}
    gained = int(((village_ms <= _SOON_MS) & ~(has_come & (unit_ms <= _SOON_MS))).sum())
    n_all, n_soon = of_kinds[:, np.unique(table["kind"])].sum(axis=1).tolist()
    row |= {"all_per_year": n_all / years, "came_share": n / n_all}
    row |= {"stations_300_share": n_soon / n_all, "any_300_share": (n_soon + gained) / n_all}
    return [row | {"n_incidents": n_all, "n_replications": len(arm.replications)}]


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
