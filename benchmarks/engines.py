"""The engines against models of the same work, on the common workload: the loop alone, everything else prepared."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.city import on_fewer_cells, twice_the_fleet
from benchmarks.contenders import c_loop
from benchmarks.contenders.daily import DailyModel
from benchmarks.contenders.idiomatic import IdiomaticModel
from benchmarks.lines import Line, Measured
from benchmarks.stopwatch import (
    Rounds,
    Spread,
    cpu_seconds,
    prepared_cpu_seconds,
    rate,
    ratio,
    take_rounds,
    wall_seconds,
)
from benchmarks.workload import common, fresh_world, sizes
from sim.engine.build import build_world
from sim.engine.kernel import KernelRun
from sim.engine.log import EventLog
from sim.engine.model import CityModel
from sim.engine.world import WorldArrays
from sim.errors import EngineError
from sim.inputs import RunInputs

KERNEL, DAILY, ENGINE = "kernel", "kernel under SimPy's clock", "SimPy engine"
C_LOOP, C_FETCHING = "C loop", "C loop that fetches ahead"
IDIOMATIC, PRESORTED = "idiomatic SimPy", "idiomatic SimPy, presorted"
FEWER_CELLS = 1_100
"""Cells of the trial model on which the figures were set; the common workload has the city's own, more than twice."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work: `prepare` lays out what it needs from a world, `run` is the work and gives the log."""

    prepare: Callable[[WorldArrays], Any]
    run: Callable[[Any], EventLog]
    n_times: int = 1
    is_in_our_order: bool = True
    """Whether rows of one instant stand in the engine's order; if not, the log is the same set of rows."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. `overrides`: the windows, of which the longer two are set against the first."""

    overrides: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    n_rounds: int


def _until(day: str) -> tuple[str, ...]:
    return (f"window.measure_to={day}", "schedule.is_outside_run_allowed=true")


FULL = Plan(((), _until("2024-01-01"), _until("2026-01-01")), 5)
QUICK = Plan((_until("2022-02-01"), _until("2022-03-01"), _until("2022-05-01")), 3)


def contenders() -> dict[str, Contender]:
    """Return every contender by name; without a C compiler there is no loop in C."""
    found = {
        KERNEL: Contender(KernelRun, KernelRun.finish, 5),
        DAILY: Contender(DailyModel, DailyModel.run, 5),
        ENGINE: Contender(CityModel, CityModel.run),
        IDIOMATIC: Contender(IdiomaticModel, IdiomaticModel.run, is_in_our_order=False),
        PRESORTED: Contender(partial(IdiomaticModel, is_presorted=True), IdiomaticModel.run, is_in_our_order=False),
    }
    if c_loop.library() is not None:
        found[C_LOOP] = Contender(c_loop.CLoop, c_loop.CLoop.run, 5)
        found[C_FETCHING] = Contender(partial(c_loop.CLoop, is_fetching=True), c_loop.CLoop.run, 5)
    return found


def check_same_rows(inputs: RunInputs) -> EventLog:
    """Return the kernel's log after holding every contender's against it.

    Raises
    ------
    EngineError
        If a contender writes other rows.
    """
    kernel = KernelRun(fresh_world(inputs)).finish()
    for name, contender in contenders().items():
        log = contender.run(contender.prepare(fresh_world(inputs)))
        ours, theirs = kernel.rows, log.rows
        if not contender.is_in_our_order:
            ours, theirs = np.sort(ours), np.sort(theirs)
        if not np.array_equal(ours, theirs):
            raise EngineError(f"{name} writes other rows than the kernel")
    return kernel


def measure(plan: Plan, told: Callable[[str], None] = print) -> Measured:
    """Run all contenders in rounds, after holding their rows against each other, and return what was measured."""
    told("common workload: making the inputs, holding the rows of all contenders against each other")
    runs = [common(0, *overrides) for overrides in plan.overrides]
    run_sizes = sizes(runs[0], check_same_rows(runs[0]))
    variants = {"2 x": runs[1], "4 x": runs[2], "twice": twice_the_fleet(runs[0])}
    variants["cells"] = on_fewer_cells(runs[0], FEWER_CELLS)
    clocks = {name: _clock(contender, runs[0]) for name, contender in contenders().items()}
    for engine in (KERNEL, C_LOOP):
        for variant, inputs in variants.items():
            if engine in clocks:
                clocks[f"{engine} {variant}"] = _clock(contenders()[engine], inputs)
    clocks["world"] = partial(cpu_seconds, partial(build_world, runs[0]))
    clocks["one after another"] = partial(_two_runs, runs[0], is_threaded=False)
    clocks["two threads"] = partial(_two_runs, runs[0], is_threaded=True)
    for name in (KERNEL, "one after another", "two threads"):
        clocks[name]()
    rounds = take_rounds(clocks, plan.n_rounds, told)
    n_incidents = [len(run.demand.incidents) for run in runs]
    return Measured(run_sizes, rounds, table_lines(rounds, n_incidents))


def _clock(contender: Contender, inputs: RunInputs) -> Callable[[], float]:
    return lambda: prepared_cpu_seconds(
        lambda: contender.prepare(fresh_world(inputs)), contender.run, contender.n_times
    )


def _two_runs(inputs: RunInputs, *, is_threaded: bool) -> float:
    """Return the seconds by the clock of two runs of the kernel, on two threads or one after another."""
    return wall_seconds([KernelRun(fresh_world(inputs)).finish for _ in range(2)], is_threaded=is_threaded)


def table_lines(rounds: Rounds, n_incidents: list[int]) -> list[Line]:
    """Return the table; `goal` is what the engine was made for, no promise on any machine."""
    one, two, four = n_incidents

    def line(name: str, told: str, values: list[float], unit: str = "x", goal: str = "") -> Line:
        return Line(name, told, unit, Spread.of(values), goal=goal)

    def to(name: str, told: str, above: str, below: str, goal: str = "", factor: float = 1.0) -> list[Line]:
        if above not in rounds or below not in rounds:
            missing = Line(name, f"{told}: no C compiler", "x", Spread(float("nan"), float("nan"), float("nan")))
            return [dataclasses.replace(missing, goal=goal)]
        return [line(name, told, ratio(rounds, above, below, factor), "x", goal)]

    return [
        line("kernel_rate", "kernel, incidents per CPU second", rate(rounds, KERNEL, one), "/s"),
        *to("idiomatic", "idiomatic SimPy over the kernel", IDIOMATIC, KERNEL, ">= 200"),
        *to("presorted", "idiomatic SimPy, presorted candidates, over the kernel", PRESORTED, KERNEL, ">= 150"),
        *to("c_loop", "kernel over the plain C loop", KERNEL, C_LOOP, "<= 1.3"),
        *to("c_fetching", "kernel over the C loop that fetches ahead", KERNEL, C_FETCHING),
        *to("daily", "kernel under SimPy's clock, day by day, over the kernel", DAILY, KERNEL, "<= 2"),
        *to("engine", "SimPy engine over the kernel", ENGINE, KERNEL),
        *to("idiomatic_c", "idiomatic SimPy over the plain C loop", IDIOMATIC, C_LOOP),
        *to("presorted_c", "idiomatic SimPy, presorted candidates, over the plain C loop", PRESORTED, C_LOOP),
        *to("world", "building the world over the kernel", "world", KERNEL),
        *to("threads", "two runs one after another over two threads, by the clock", "one after another", "two threads",
            ">= 1.6"),
        *to("kernel_2", "kernel, time per incident, twice the days", f"{KERNEL} 2 x", KERNEL, "", one / two),
        *to("kernel_4", "kernel, time per incident, four times the days", f"{KERNEL} 4 x", KERNEL, "", one / four),
        *to("c_4", "C loop, time per incident, four times the days", f"{C_LOOP} 4 x", C_LOOP, "", one / four),
        *to("kernel_twice", "kernel, twice the fleet over once", f"{KERNEL} twice", KERNEL),
        *to("c_twice", "C loop, twice the fleet over once", f"{C_LOOP} twice", C_LOOP),
        *to("kernel_cells", f"kernel, {FEWER_CELLS:,} cells over all", f"{KERNEL} cells", KERNEL),
        *to("c_cells", f"C loop, {FEWER_CELLS:,} cells over all", f"{C_LOOP} cells", C_LOOP),
        *to("c_both_cells", f"kernel over the C loop, {FEWER_CELLS:,} cells", f"{KERNEL} cells", f"{C_LOOP} cells"),
    ]  # fmt: skip
