"""The whole path around the engines, from chance to tables, on the plan arm: what each step takes, and how it grows.

Here an engine's time is that of a whole run, its world built; `engines.py` has the loops alone.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.city import made_from_nothing, plan_arm, twice_the_fleet
from benchmarks.lines import Line, Measured
from benchmarks.stopwatch import Rounds, Spread, child_cpu_seconds, cpu_seconds, rate, ratio, take_rounds
from sim.assemble import InputsBuilder
from sim.city import load_city
from sim.engine.build import build_world
from sim.engine.kernel import run_kernel
from sim.engine.model import run_simpy
from sim.engine.static import static_responses
from sim.inputs import RunInputs
from sim.metrics.store import write_replication_tables
from sim.travel import build_travel
from sim.travel.roads import load_roads

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. `n_days`: three windows, of which the longer two are set against the first."""

    n_days: tuple[int, int, int]
    n_rounds: int


FULL = Plan((365, 730, 1826), 7)
QUICK = Plan((90, 180, 450), 3)


def measure(plan: Plan, told: Callable[[str], None] = print) -> Measured:
    """Make the runs of a plan in rounds and return what was measured."""
    told("making the inputs and warming up")
    runs = [made_from_nothing(plan_arm(n_days), 0) for n_days in plan.n_days]
    n = [len(run.demand.incidents) for run in runs]
    doubled = twice_the_fleet(runs[0])
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as scratch:
        clocks = _engine_clocks(runs, doubled) | _around_clocks(runs[2], plan, Path(scratch)) | _command_clocks()
        for clock in clocks.values():
            clock()
        rounds = take_rounds(clocks, plan.n_rounds, told)
    sizes = dict(zip(("incidents, short", "incidents, middle", "incidents, long"), n, strict=True))
    sizes |= {"stations": len(runs[0].fleet.stations.cell), "units": len(runs[0].fleet.units.station)}
    sizes |= {"cells": len(runs[0].city.cells.x_m), "rounds": plan.n_rounds}
    return Measured(sizes, rounds, table_lines(rounds, n))


def _clock(task: Callable[[], object]) -> Clock:
    return partial(cpu_seconds, task)


def _engine_clocks(runs: Sequence[RunInputs], doubled: RunInputs) -> dict[str, Clock]:
    """Return the clocks of both engines on each window and on twice the fleet."""
    clocks: dict[str, Clock] = {}
    for name, engine in (("simpy", run_simpy), ("kernel", run_kernel)):
        for place, run in enumerate(runs):
            clocks[f"{name} {place}"] = _clock(partial(engine, run))
        clocks[f"{name} twice"] = _clock(partial(engine, doubled))
    return clocks


def _around_clocks(run: RunInputs, plan: Plan, scratch: Path) -> dict[str, Clock]:
    """Return the clocks of everything before and after the engine, for the longest window."""
    settings, builder = plan_arm(plan.n_days[2]), InputsBuilder()
    builder.build(settings, 0)
    replications = itertools.count(1)
    log, static_ms = run_kernel(run), static_responses(run)
    city = load_city(settings.city_folder())
    roads, folders = load_roads(settings.city_folder(), city), itertools.count()

    def travel(folder: str) -> object:
        return build_travel(city, settings.travel, roads, scratch / folder)

    return {
        "inputs": _clock(lambda: build_world(builder.build(settings, next(replications)))),
        "static": _clock(lambda: static_responses(run)),
        "log digest": _clock(log.digest),
        "inputs digest": _clock(run.digests),
        "log to disk": _clock(lambda: log.write_parquet(scratch / "log.parquet")),
        "tables": _clock(lambda: write_replication_tables(scratch, run, log, static_ms)),
        "travel built": _clock(lambda: travel(f"new-{next(folders)}")),
        "travel kept": _clock(lambda: travel("kept")),
    }


def _command_clocks() -> dict[str, Clock]:
    """Return the clocks of starting Python, alone and with the command."""
    python = [sys.executable, "-c"]
    codes = {
        "python": "pass",
        "command": "import sim.cli",
        "help": "import sim.cli; sim.cli.main(['--help'])",
        "numpy": "import numpy",
    }
    return {name: partial(child_cpu_seconds, [*python, code]) for name, code in codes.items()}


def table_lines(rounds: Rounds, n: list[int]) -> list[Line]:
    """Return the table."""
    short, middle, long = n

    def line(name: str, told: str, values: list[float], unit: str = "x", limit: str = "") -> Line:
        return Line(name, told, unit, Spread.of(values), limit)

    def to(name: str, told: str, above: str, below: str, factor: float = 1.0, limit: str = "") -> Line:
        return line(name, told, ratio(rounds, above, below, factor), "x", limit)

    simpy = "of simulating the same run in SimPy"
    return [
        line("simpy_rate", "SimPy, incidents per CPU second", rate(rounds, "simpy 2", long), "/s"),
        line("kernel_rate", "kernel, incidents per CPU second", rate(rounds, "kernel 2", long), "/s"),
        to("simpy_to_kernel", "SimPy's time over the kernel's", "simpy 2", "kernel 2"),
        to("simpy_middle", "SimPy, time per incident, middle window over short", "simpy 1", "simpy 0", short / middle),
        to("simpy_long", "SimPy, time per incident, long window over short", "simpy 2", "simpy 0", short / long, "1.5"),
        to("kernel_long", "kernel, time per incident, long over short", "kernel 2", "kernel 0", short / long, "2"),
        to("simpy_twice", "SimPy, twice the fleet over once", "simpy twice", "simpy 0", limit="1.5"),
        to("kernel_twice", "kernel, twice the fleet over once", "kernel twice", "kernel 0", limit="2"),
        to("inputs", f"all inputs of a new replication, {simpy}", "inputs", "simpy 2", limit="1"),
        to("static", f"static responses, {simpy}", "static", "simpy 2", limit="0.5"),
        to("tables", f"tables of a replication, on disk, {simpy}", "tables", "simpy 2", limit="1"),
        to("log_to_disk", f"whole log to Parquet, {simpy}", "log to disk", "simpy 2", limit="1"),
        to("log_digest", f"digest of the log, {simpy}", "log digest", "simpy 2", limit="0.2"),
        to("inputs_digest", f"digests of the inputs, {simpy}", "inputs digest", "simpy 2", limit="0.5"),
        to("travel", "travel tables from the cache, of building them", "travel kept", "travel built", limit="0.5"),
        to("help", "`dgsim --help` over an empty Python", "help", "python"),
        to("help_to_numpy", "`dgsim --help` over importing numpy alone", "help", "numpy", limit="1.5"),
        line("import_ms", "import of the command, above an empty Python", _above(rounds, "command"), "ms"),
    ]


def _above(rounds: Rounds, name: str) -> list[float]:
    """Return the milliseconds of a command above those of an empty Python, round by round."""
    return [1000 * (a - b) for a, b in zip(rounds[name], rounds["python"], strict=True)]
