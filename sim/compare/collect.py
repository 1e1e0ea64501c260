"""Reads the replications of one arm, one at a time, and keeps what the tables need and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sim.compare import cells as layout
from sim.compare.bootstrap import bootstrap_city
from sim.compare.cells import Frame
from sim.compare.cube import Cube, SortedCells
from sim.compare.parts import CLOCKS, GROUPS, MAIN, Arm
from sim.metrics.store import Columns

ECDF_SECONDS = 1800
ECDF_CLOCKS = (CLOCKS.index("arrival"), CLOCKS.index("call_to_arrival"))
HOUR_CLOCKS = ECDF_CLOCKS
N_BOOTSTRAPPED = 4
QUEUE_COUNTS = ("n_waited", "n_never_served", "wait_ms", "n_unfilled", "n_escalations", "n_incidents")


@dataclass(slots=True)
class ArmResult:
    """What is known of one arm after its replications have been read.

    Lists have an entry per replication. `boot`: as from `bootstrap_city`, by number of the replication, for the first
    few while worlds are hardly repeated. `ecdf`: (n_curves, 1801) float32. `queue`: (n_years + 1, n_counts).
    `unfilled`: (n_years + 1, n_towns + 1), the city last.
    """

    arm: Arm
    main: Cube
    kinds: Cube
    hours: Cube
    boot: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    ecdf: list[NDArray[np.float32]] = field(default_factory=list)
    queue: list[NDArray[np.float64]] = field(default_factory=list)
    unfilled: list[NDArray[np.float64]] = field(default_factory=list)

    @property
    def values(self) -> NDArray[np.float64]:
        """(n_replications, n_clocks, n_main_cells, n_metrics) metrics of each replication."""
        return np.stack(self.main.values)

    def release(self) -> None:
        """Let go of everything but the replications' own metrics."""
        for cube in (self.main, self.kinds, self.hours):
            cube.histogram = np.zeros((0, 0, 0), dtype=np.int32)
        self.ecdf.clear()


def years_of(arms: Sequence[Arm]) -> tuple[int, ...]:
    """Return the calendar years in which any arm has measured incidents."""
    years: set[int] = set()
    for arm in arms:
        table = arm.replications[0].read("incidents", ("year",))
        years.update(np.unique(table["year"]).tolist())
    return tuple(sorted(years))


def ecdf_curves(frame: Frame) -> list[tuple[int, int, str]]:
    """Return the (clock, year, group) of each curve: the headline by year and every group over the whole window."""
    wanted = [(year, "headline") for year in frame.all_years] + [(0, group) for group in GROUPS if group != "headline"]
    return [(clock, year, group) for clock in ECDF_CLOCKS for year, group in wanted]


def collect(arm: Arm, frame: Frame, *, is_bootstrapped: bool) -> ArmResult:
    """Return the arm's result; reads each replication's incident table once."""
    is_detailed = arm.purpose == MAIN
    result = ArmResult(
        arm,
        Cube(len(CLOCKS), frame.n_main),
        Cube(len(CLOCKS), frame.n_kind_cells if is_detailed else 0),
        Cube(len(HOUR_CLOCKS), frame.n_hour_cells if is_detailed else 0),
    )
    for replication in arm.replications:
        table = replication.read("incidents", layout.COLUMNS)
        ms, bins = layout.responses(table)
        totals = layout.main_sums(frame, table, np.maximum(ms, 0).astype(np.float64))
        by_clock = result.main.add(*layout.main_cells(frame, table), ms, bins, totals)
        if is_detailed:
            told, curves = slice(len(CLOCKS)), list(HOUR_CLOCKS)
            result.kinds.add(*layout.kind_cells(frame, table), ms[told], bins[told])
            result.hours.add(*layout.hour_cells(frame, table), ms[curves], bins[curves])
        result.ecdf.append(_curves(frame, by_clock))
        _count_needs(result, frame, table)
        if is_bootstrapped and len(result.boot) < N_BOOTSTRAPPED:
            result.boot[replication.number] = bootstrap_city(frame, table, ms, bins, replication.number)
    return result


def _curves(frame: Frame, by_clock: list[SortedCells]) -> NDArray[np.float32]:
    """Return the share of incidents met within 0 … 1800 s on each curve; NaN without incidents."""
    seconds = np.arange(ECDF_SECONDS + 1, dtype=np.int64)
    out = np.full((len(ecdf_curves(frame)), len(seconds)), np.nan, dtype=np.float32)
    for place, (clock, year, group) in enumerate(ecdf_curves(frame)):
        cell = np.array([frame.main_cell(year, group)])
        n = by_clock[clock].n[cell[0]]
        if n:
            out[place] = by_clock[clock].within(cell, seconds) / n
    return out


def _count_needs(result: ArmResult, frame: Frame, table: Columns) -> None:
    """Note waits, unfilled needs and escalations by year, and unfilled needs by town.

    An incident that never got a unit (`queue_ms` -1) has waited, in vain: its wait has no length.
    """
    year, n_years = layout.year_place(frame, table), len(frame.all_years)
    counted = {
        "n_waited": table["queue_ms"] != 0,
        "n_never_served": table["queue_ms"] < 0,
        "wait_ms": np.maximum(table["queue_ms"], 0),
        "n_unfilled": table["n_unfilled"],
        "n_escalations": table["n_escalations"],
        "n_incidents": np.ones(len(year)),
    }
    queue = np.stack([np.bincount(year, counted[name], minlength=n_years) * 1.0 for name in QUEUE_COUNTS], axis=1)
    queue[0] = queue.sum(axis=0)
    result.queue.append(queue)
    place = year * frame.n_towns + table["town"]
    by_town = np.bincount(place, table["n_unfilled"], minlength=n_years * frame.n_towns).reshape(n_years, -1)
    by_town[0] = by_town.sum(axis=0)
    result.unfilled.append(np.concatenate([by_town, by_town.sum(axis=1, keepdims=True)], axis=1))
