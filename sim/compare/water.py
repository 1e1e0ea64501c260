"""Water for large fires side by side: how many have no hydrant near, and when their critical task began."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.compare.cells import Frame
from sim.compare.parts import POOLED_YEAR, Arm, Replication, Tables
from sim.compare.planted import milestones
from sim.compare.service import measured_years
from sim.compare.sooner import Matched, Read, matched_incidents, part, saved, saved_hours
from sim.metrics.store import Columns, columns_of
from sim.units import MS_PER_S

Rows = list[dict[str, Any]]
_COLUMNS = ("identity", "kind", "year", "water_delay_ms", "needs_water")
_TOLD = ("p50", "p90")
_LARGE = "large fires"


def water_of_arm(arm: Arm, frame: Frame) -> Tables:
    """Return the rows of an arm in `water`, where large fires need a supply in it."""
    rows = _water_rows(arm, frame) if arm.has("scenes") else []
    return {"water": columns_of(rows)} if rows else {}


def reads_of_water(arm: Arm, base: Arm) -> list[Read]:
    """Return what reads the large fires of an arm that need a supply, those far from a hydrant in the base marked."""
    return [_needing_in_both(base)] if arm.has("scenes") else []


def water_of_pair(arm: Arm, base: Arm, found: Mapping[str, Matched], frame: Frame) -> Tables:
    """Return the rows of two arms in `water_pairs`, where large fires need a supply in one of them.

    `found`: what `reads_of_water` found in both.
    """
    rows = _water_pair_rows(arm, base, found.get(_LARGE), frame)
    return {"water_pairs": columns_of(rows)} if rows else {}


def _needing(replication: Replication) -> Columns:
    """Return the incidents that need a water supply at their first alarm."""
    table = replication.read("scenes", _COLUMNS)
    return {name: values[table["needs_water"]] for name, values in table.items() if name != "needs_water"}


def _by_year(table: Columns, frame: Frame) -> list[tuple[int, int, NDArray[np.bool_]]]:
    """Return (place in the frame, year, which rows are of it), the whole window first; years without any left out."""
    every = np.ones(len(table["year"]), dtype=np.bool_)
    found = [(i, y, every if y == POOLED_YEAR else table["year"] == y) for i, y in enumerate(frame.all_years)]
    return [(i, year, own) for i, year, own in found if own.any()]


def _water_rows(arm: Arm, frame: Frame) -> Rows:
    """Return, by year (0: the window) and kind ("" all), what large fires waited for water.

    per_year: fires that need a supply at their first alarm; far_share: of them, no hydrant within reach; mean_s: what
    these wait on the mean; critical_p50_s, critical_p90_s: until the critical task of all of them began, infinite where
    a quantile never came, with the sample's intervals (order statistics).
    """
    found = matched_incidents(arm, arm, [lambda replication: {_LARGE: _needing(replication)}], ("critical",))[_LARGE]
    measured, rows = measured_years(arm, frame), []
    table, kinds = found.table, found.table["kind"]
    for place, year, of_year in _by_year(table, frame):
        for kind in (None, *np.unique(kinds[of_year])):
            own = of_year if kind is None else of_year & (kinds == kind)
            delay_s = table["water_delay_ms"][own] / MS_PER_S
            is_far = delay_s > 0
            row: dict[str, Any] = {"arm": arm.name, "year": year}
            row["kind"] = "" if kind is None else frame.labels.kind_code[kind]
            row["per_year"] = float(own.sum()) / found.n_pairs / float(measured[place])
            row["far_share"] = float(is_far.mean())
            row["mean_s"] = float(delay_s[is_far].mean()) if is_far.any() else 0.0
            row |= _critical(found.ours["critical"][own])
            rows.append(row | {"n_incidents": int(own.sum()), "n_replications": found.n_pairs})
    return rows


def _critical(seconds: NDArray[np.float64]) -> dict[str, float]:
    ms = np.where(np.isfinite(seconds), seconds * MS_PER_S, -1)
    out: dict[str, float] = {}
    for clock, metric, value, low, high in milestones({"first_critical_ms": ms}, np.ones(len(ms))):
        if metric in _TOLD:
            out |= {f"{clock}_{metric}_s": value, f"{clock}_{metric}_low": low, f"{clock}_{metric}_high": high}
    return out


def _water_pair_rows(arm: Arm, base: Arm, found: Matched | None, frame: Frame) -> Rows:
    """Return by how much the critical task of large fires began sooner than in the base, by year (0: the window).

    Large fires are those that need a supply in the arm, or, where nothing is short there, in the base. saved_s with low
    and high (95 %, replications as clusters), share_faster, share_slower; saved_h_per_year: hours saved together;
    far_share and base_far_share: without a hydrant near (0 where water is at hand everywhere).
    """
    sign, names = 1, ("far_share", "base_far_share")
    if found is None or not len(found.cluster):
        found = matched_incidents(base, arm, reads_of_water(base, arm), ("critical",)).get(_LARGE)
        sign, names = -1, ("base_far_share", "far_share")
    if found is None:
        return []
    measured = sign * measured_years(arm, frame)
    return [
        {"arm": arm.name, "base": base.name, "year": year}
        | _turned(saved(found, "critical", own), sign)
        | _hours(found, own, measured[place])
        | dict(zip(names, _far_shares(found, own), strict=True))
        | {"n_incidents": int(own.sum()), "n_pairs": found.n_pairs}
        for place, year, own in _by_year(found.table, frame)
    ]


def _needing_in_both(other: Arm) -> Callable[[Replication], dict[str, Columns]]:
    """Return what reads a replication's large fires, and which of them have no hydrant near in the other arm."""
    numbers = {one.number: one for one in other.replications} if other.has("scenes") else {}

    def read(replication: Replication) -> dict[str, Columns]:
        table = _needing(replication)
        far = np.zeros(0, dtype=np.uint64)
        if replication.number in numbers:
            there = numbers[replication.number].read("scenes", ("identity", "water_delay_ms"))
            far = there["identity"][there["water_delay_ms"] > 0]
        return {_LARGE: table | {"is_far_there": np.isin(table["identity"], far)}}

    return read


def _far_shares(found: Matched, own: NDArray[np.bool_]) -> tuple[float, float]:
    return part(own & (found.table["water_delay_ms"] > 0), own), part(own & found.table["is_far_there"], own)


def _hours(found: Matched, own: NDArray[np.bool_], years: float) -> dict[str, float]:
    return {"saved_h_per_year": float(saved_hours(found, "critical", own).mean()) / float(years)}


def _turned(row: dict[str, float], sign: int) -> dict[str, float]:
    """Return a saving seen from the other arm's side where the sign is negative."""
    if sign > 0:
        return row
    return {
        "saved_s": -row["saved_s"], "low": -row["high"], "high": -row["low"],
        "share_faster": row["share_slower"], "share_slower": row["share_faster"],
    }  # fmt: skip
