"""Reads the replications of one arm, one at a time, and keeps what the tables need and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.compare import cells as layout
from sim.compare.bootstrap import bootstrap_city
from sim.compare.cells import Frame
from sim.compare.cube import Cube, SortedCells
from sim.compare.parts import CLOCKS, GROUPS, MAIN, Arm
from sim.compare.series import Series
from sim.metrics.store import Columns

ECDF_SECONDS = 1800
ECDF_CLOCKS = (CLOCKS.index("arrival"), CLOCKS.index("call_to_arrival"))
HOUR_CLOCKS = ECDF_CLOCKS
_ARRIVAL = CLOCKS.index("arrival")
N_BOOTSTRAPPED = 4
QUEUE_COUNTS = ("n_waited", "n_never_served", "wait_ms", "n_unfilled", "n_escalations", "n_incidents")


@dataclass(frozen=True, slots=True)
class Figures:
    """What of one replication's metrics is compared with another arm's, or such differences.

    `city`: (n_clocks, n_years + 1, n_groups, n_metrics). `towns`: (2, n_years + 1, n_towns, n_metrics), the headline's
    first arrival and its static part. `kinds`: (n_years + 1 times n_kinds, n_metrics) and `hours`: (n_years + 1 times
    24, n_metrics) of the headline, both of the first arrival and None for arms that are not told in that detail; with
    `n_kinds` and `n_hours`, their incidents.
    """

    city: NDArray[np.float64]
    towns: NDArray[np.float64]
    kinds: NDArray[np.float64] | None = None
    hours: NDArray[np.float64] | None = None
    n_kinds: NDArray[np.int64] | None = None
    n_hours: NDArray[np.int64] | None = None


def figures_of(frame: Frame, main: NDArray[np.float64]) -> Figures:
    """Return the figures of the city and its towns out of the metrics of all main cells, copied."""
    return Figures(main[:, frame.city_cells()], main[[_ARRIVAL, layout.STATIC]][:, frame.towns("headline")])


@dataclass(slots=True)
class ArmResult:
    """What is known of one arm after its replications have been read.

    `kinds` and `hours` are empty for arms that are not told in that detail. `boot`: as from `bootstrap_city`, by
    number of the replication, for the first few while worlds are hardly repeated. Of each replication, `ecdf`:
    (n_curves, 1801) float32; `queue`: (n_years + 1, n_counts); `unfilled`: (n_years + 1, n_towns + 1), the city last.
    """

    arm: Arm
    main: Cube
    kinds: Cube
    hours: Cube
    ecdf: Series
    queue: Series
    unfilled: Series
    boot: dict[int, NDArray[np.float64]] = field(default_factory=dict, init=False)

    def release(self) -> None:
        """Let go of what is pooled over replications, by far the most of what is held in memory."""
        for cube in (self.main, self.kinds, self.hours):
            cube.release()

    def figures(self, at: int, frame: Frame) -> Figures:
        """Return what of the `at`-th replication is compared with another arm's."""
        figures = figures_of(frame, self.main.values[at])
        if not len(self.kinds.values):
            return figures
        kinds, hours = np.arange(frame.labels.n_kinds * len(frame.all_years)), frame.headline_hours()
        (of_kinds,) = self.kinds.values.of_all(_ARRIVAL, kinds, numbers=[at])
        (of_hours,) = self.hours.values.of_all(HOUR_CLOCKS.index(_ARRIVAL), hours, numbers=[at])
        n_kinds, n_hours = self.kinds.n[at][kinds], self.hours.n[at][hours]
        return replace(figures, kinds=of_kinds, n_kinds=n_kinds, hours=of_hours, n_hours=n_hours)


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


def collect(arm: Arm, frame: Frame, folder: Path, *, is_bootstrapped: bool) -> ArmResult:
    """Return the arm's result; reads each replication's incidents once and keeps its figures in an empty folder."""
    is_detailed = arm.purpose == MAIN
    result = ArmResult(
        arm,
        Cube(len(CLOCKS), frame.n_main, folder, "main"),
        Cube(len(CLOCKS), frame.n_kind_cells if is_detailed else 0, folder, "kinds"),
        Cube(len(HOUR_CLOCKS), frame.n_hour_cells if is_detailed else 0, folder, "hours"),
        *(Series(folder / name) for name in ("ecdf", "queue", "unfilled")),
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
