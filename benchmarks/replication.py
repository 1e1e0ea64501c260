"""One replication from chance to Parquet, warm, beside the same as one would write it with numpy, SimPy and pandas.

Before anything is timed, the contender's tables made of the kernel's own log are held against the program's, row by
row, and what both draw against each other. How its parts are written stands in `benchmarks/contenders/whole.py`.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contenders import framed, whole
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
from benchmarks.workload import NAME, fresh_world
from sim.assemble import InputsBuilder
from sim.compare.cube import bins_of, metrics_of_sorted, sort_cells
from sim.compose import compose
from sim.demand.draw import draw_demand
from sim.engine.build import build_world
from sim.engine.kernel import KernelRun, run_kernel
from sim.engine.log import EventLog
from sim.errors import EngineError
from sim.inputs import RunInputs, draw_slot_ranks
from sim.metrics.incidents import incident_table
from sim.metrics.store import Columns, write_columns
from sim.metrics.workload import unit_workload_table, workload_table
from sim.run.replication import make_replication
from sim.run.work import Job
from sim.settings import Settings

OURS, ALL_OF_OURS = "ours: the contender's tables", "ours: everything"
OUR_CHANCE, OUR_INPUTS, KERNEL, OUR_TABLES = "ours: chance", "ours: all inputs", "ours: kernel", "ours: tables"
CHANCE, MODEL, PRESORTED, TABLES = (
    "idiomatic: chance",
    "idiomatic: SimPy",
    "idiomatic: SimPy, presorted",
    "idiomatic: tables",
)
ONE_AFTER_ANOTHER, TWO_THREADS = (
    "two of ours one after another, by the clock",
    "two of ours on two threads, by the clock",
)
N_TIMES = 5
"""Replications of ours per measurement, one after another as in a study, of which the mean counts."""
_NOT_TIMED_YET = 1_000
"""The first replication that is timed; those before it are for checks."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured, and how far both sides may differ: shares of numbers, and of mean responses."""

    overrides: tuple[str, ...]
    n_rounds: int
    n_checked: int
    numbers_within: float
    responses_within: float


FULL = Plan((), 5, 2, 0.04, 0.02)
QUICK = Plan(("window.measure_to=2022-02-01", "schedule.is_outside_run_allowed=true"), 2, 1, 0.15, 0.05)


# --- the program's side ---------------------------------------------------------------------------------------------


def our_tables(inputs: RunInputs, log: EventLog) -> dict[str, Columns]:
    """Return those tables of a run that the contender makes too, by name, the static part left out."""
    incidents = incident_table(inputs, log, np.zeros(len(inputs.demand.incidents), np.int64))
    del incidents["static_arrival_ms"]
    units = unit_workload_table(inputs, log)
    return {
        "incidents": incidents,
        "units": units,
        "workload": workload_table(inputs, log, units),
        "responses": _responses(incidents, len(inputs.city.towns.code)),
    }


def _responses(incidents: Columns, n_towns: int) -> Columns:
    """Return the measures of each town's headline responses, as comparisons have them, in a run of one year."""
    chosen = incidents["is_headline"]
    town, response_ms = incidents["town"][chosen].astype(np.int32), incidents["first_arrival_ms"][chosen]
    cells = sort_cells(town, bins_of(response_ms), n_towns)
    sum_ms = np.bincount(town, weights=np.maximum(response_ms, 0), minlength=n_towns).astype(np.float64)
    metrics = metrics_of_sorted(cells, sum_ms, cells.n_served())
    names = [*_QUANTILES, "mean", *(f"within_{s}" for s in framed.THRESHOLDS_S)]
    some = np.flatnonzero(cells.n)
    year = np.full(len(some), incidents["year"][0] if len(chosen) else 0)
    return {"town": some, "year": year} | {name: metrics[some, place] for place, name in enumerate(names)}


def write_our_tables(folder: Path, tables: dict[str, Columns]) -> None:
    """Write tables as the program does."""
    for name, columns in tables.items():
        write_columns(folder / f"{name}.parquet", columns, name, 1)


def make_ours(settings: Settings, builder: InputsBuilder, number: int, folder: Path) -> None:
    """Make one replication with the contender's tables, chance to Parquet."""
    inputs = builder.build(settings, number)
    write_our_tables(folder, our_tables(inputs, run_kernel(inputs)))


# --- the same work ----------------------------------------------------------------------------------------------------


def check_same_tables(inputs: RunInputs, log: EventLog, known: framed.Known) -> None:
    """Hold the contender's tables of a log against the program's.

    Raises
    ------
    EngineError
        If a column of both differs: numbers at all, means and shares by more than rounding. The program's quantiles,
        read from bins of a second, have to lie between the contender's neighbours of each, a second off at most.
    """
    names = ("call_ms", "town", "cell", "kind", "grade")
    calls = [dict(zip(names, row, strict=True)) for row in inputs.demand.incidents[list(names)].tolist()]
    theirs = framed.make_tables(known, calls, log.rows.tolist())
    below = theirs | {"responses": framed.response_table(theirs["incidents"], "lower")}
    above = theirs | {"responses": framed.response_table(theirs["incidents"], "higher")}
    for name, columns in our_tables(inputs, log).items():
        for column in [column for column in columns if column in theirs[name]]:
            ours, slack = np.asarray(columns[column], dtype=np.float64), 1.0 if column in _QUANTILES else 1e-6
            least, most = (some[name][column].to_numpy(np.float64) for some in (below, above))
            if len(ours) != len(least) or ((ours < least - slack) | (ours > most + slack)).any():
                raise EngineError(f"the contender's table {name!r} of the same log differs in {column!r}")


_QUANTILES = tuple(f"p{round(100 * quantile)}" for quantile in framed.QUANTILES)


@dataclass(frozen=True, slots=True)
class Figures:
    """What replications come to: incidents, dispatches and hours units were out a replication; responses, ms."""

    incidents: float
    dispatches: float
    busy_h: float
    mean_response_ms: float
    p90_response_ms: float

    @classmethod
    def of(cls, tables: list[dict[str, Any]]) -> Figures:
        """Return the figures of some replications' tables of incidents and units."""
        incidents, units = ([np.asarray(x) for x in [t[name][column] for t in tables]] for name, column in _COUNTED)
        came = np.concatenate([np.asarray(t["incidents"]["first_arrival_ms"]) for t in tables])
        came = came[came >= 0]
        return cls(
            incidents=len(np.concatenate(incidents)) / len(tables),
            dispatches=float(np.concatenate(incidents).sum()) / len(tables),
            busy_h=float(np.concatenate(units).sum()) / len(tables) / 3_600_000,
            mean_response_ms=float(came.mean()),
            p90_response_ms=float(np.quantile(came, 0.9)),
        )


_COUNTED = (("incidents", "n_dispatched"), ("units", "busy_ms"))


def check_agreement(ours: Figures, theirs: Figures, plan: Plan) -> None:
    """Hold what both sides come to against each other.

    Raises
    ------
    EngineError
        Naming every figure that differs by more than the plan allows.
    """
    allowed = dict.fromkeys(("incidents", "dispatches", "busy_h"), plan.numbers_within)
    allowed |= dict.fromkeys(("mean_response_ms", "p90_response_ms"), plan.responses_within)
    pairs = {name: (getattr(ours, name), getattr(theirs, name)) for name in allowed}
    off = [
        f"{name} {a:,.0f} and {b:,.0f}" for name, (a, b) in pairs.items() if not abs(b - a) <= allowed[name] * abs(a)
    ]
    if off:
        raise EngineError(f"the program and the contender differ: {'; '.join(off)}")


def _figures(plan: Plan, settings: Settings, builder: InputsBuilder, city: whole.City) -> tuple[Figures, Figures]:
    """Return the figures of as many replications of both sides as are checked."""
    ours: list[dict[str, Any]] = []
    for number in range(plan.n_checked):
        inputs = builder.build(settings, number)
        ours.append(our_tables(inputs, run_kernel(inputs)))
    played = [whole.played(city, whole.drawn(city, number)) for number in range(plan.n_checked)]
    theirs = [framed.make_tables(city.known, one.calls, one.rows) for one in played]
    return Figures.of(ours), Figures.of(theirs)


# --- measuring --------------------------------------------------------------------------------------------------------


def measure(plan: Plan, told: Callable[[str], None] = print) -> Measured:
    """Run both sides in rounds, after holding their work against each other, and return what was measured."""
    settings, builder = compose([f"scenario={NAME}", *plan.overrides]).settings, InputsBuilder()
    told("one replication: holding the tables and the chance of both sides against each other")
    inputs, city = builder.build(settings, 0), whole.city_of(settings, builder)
    check_same_tables(inputs, run_kernel(inputs), city.known)
    ours, theirs = _figures(plan, settings, builder, city)
    check_agreement(ours, theirs, plan)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as scratch:
        clocks = _our_clocks(settings, builder, inputs, Path(scratch)) | _their_clocks(city, Path(scratch))
        for name in (OURS, ALL_OF_OURS, OUR_CHANCE, KERNEL, OUR_TABLES, ONE_AFTER_ANOTHER, TWO_THREADS):
            clocks[name]()
        rounds = take_rounds(clocks, plan.n_rounds, told)
    sizes = {f"{what}, {whose}": round(getattr(figures, name)) for name, what in _TOLD.items()
             for whose, figures in (("ours", ours), ("idiomatic", theirs))}  # fmt: skip
    return Measured(sizes, rounds, table_lines(rounds, len(inputs.demand.incidents)))


_TOLD = {
    "incidents": "incidents",
    "dispatches": "dispatches",
    "busy_h": "hours units were out",
    "mean_response_ms": "mean response in ms",
    "p90_response_ms": "90 % within ms",
}


def _our_clocks(
    settings: Settings, builder: InputsBuilder, inputs: RunInputs, scratch: Path
) -> dict[str, Callable[[], float]]:
    numbers, intensity, log = itertools.count(_NOT_TIMED_YET), builder.intensity(settings), run_kernel(inputs)

    def chance() -> object:
        number = next(numbers)
        demand = draw_demand(intensity, settings.seed, number)
        return draw_slot_ranks(demand, inputs.cards, settings.seed, number)

    def everything(builder: InputsBuilder) -> None:
        number = next(numbers)
        make_replication(Job("a", "key", number, settings, scratch / f"{number}" / "replications" / "r"), builder)

    builders = [InputsBuilder(), InputsBuilder()]
    work = [partial(everything, one) for one in builders]
    return {
        OURS: _several(lambda: make_ours(settings, builder, next(numbers), scratch)),
        ALL_OF_OURS: _several(lambda: everything(builder)),
        OUR_CHANCE: _several(chance),
        OUR_INPUTS: _several(lambda: build_world(builder.build(settings, next(numbers)))),
        KERNEL: lambda: prepared_cpu_seconds(lambda: KernelRun(fresh_world(inputs)), KernelRun.finish, N_TIMES),
        OUR_TABLES: _several(lambda: write_our_tables(scratch, our_tables(inputs, log))),
        ONE_AFTER_ANOTHER: partial(wall_seconds, work, is_threaded=False),
        TWO_THREADS: partial(wall_seconds, work, is_threaded=True),
    }


def _several(task: Callable[[], object]) -> Callable[[], float]:
    """Return the clock of one call among several, as in a study: the mean of `N_TIMES`."""
    return lambda: prepared_cpu_seconds(lambda: None, lambda _: task(), N_TIMES)


def _their_clocks(city: whole.City, scratch: Path) -> dict[str, Callable[[], float]]:
    """Return the clocks of the contender's steps; within a round each goes on from the one before."""
    on_its_way: dict[str, whole.Replication] = {}
    numbers: Iterator[int] = itertools.count(_NOT_TIMED_YET)

    def draw() -> None:
        on_its_way["drawn"] = whole.drawn(city, next(numbers))

    def play(is_presorted: bool) -> None:
        on_its_way["played"] = whole.played(city, on_its_way["drawn"], is_presorted)

    return {
        CHANCE: partial(cpu_seconds, draw),
        PRESORTED: partial(cpu_seconds, partial(play, True)),
        MODEL: partial(cpu_seconds, partial(play, False)),
        TABLES: partial(cpu_seconds, lambda: whole.tabled(city, on_its_way["played"], scratch)),
    }


def table_lines(rounds: Rounds, n_incidents: int) -> list[Line]:
    """Return the table; `goal` is what the program was made for, no promise on any machine."""
    added = rounds | {
        "idiomatic": _sum(rounds, CHANCE, MODEL, TABLES),
        "presorted": _sum(rounds, CHANCE, PRESORTED, TABLES),
    }

    def to(name: str, told: str, above: str, below: str, goal: str = "") -> Line:
        return Line(name, told, "x", Spread.of(ratio(added, above, below)), goal=goal)

    speed = Spread.of(rate(rounds, ALL_OF_OURS, n_incidents))
    return [
        to("whole", "idiomatic path over ours with the same tables", "idiomatic", OURS, ">= 100"),
        to("everything", "idiomatic path over everything that ours does", "idiomatic", ALL_OF_OURS),
        to("presorted", "idiomatic path, presorted candidates, over ours with the same tables", "presorted", OURS),
        to("presorted_all", "idiomatic path, presorted, over everything that ours does", "presorted", ALL_OF_OURS),
        to("chance", "chance of a new replication over the kernel", OUR_CHANCE, KERNEL, "<= 1"),
        to("inputs", "all inputs of a new replication and its world over the kernel", OUR_INPUTS, KERNEL),
        to("threads", "two replications one after another over two threads, everything, by the clock",
           ONE_AFTER_ANOTHER, TWO_THREADS, ">= 1.6"),
        to("chance_pair", "idiomatic chance over ours", CHANCE, OUR_CHANCE),
        to("model_pair", "idiomatic SimPy over the kernel", MODEL, KERNEL),
        to("tables_pair", "idiomatic tables over ours", TABLES, OUR_TABLES),
        Line("rate", "incidents per CPU second, everything that ours does", "/s", speed),
    ]  # fmt: skip


def _sum(rounds: Rounds, *names: str) -> list[float]:
    return [sum(times) for times in zip(*(rounds[name] for name in names), strict=True)]
