"""What each mechanism costs: `python -m benchmarks levers`.

A *lever* is a choice other than the default of a group of settings that switches a mechanism. Groups that say which
city, days, demand, sites, fleet and schedule are run are none; every other group counts by itself as soon as it exists,
so a new one needs no line here. Each lever is run alone, and the first of every group together, in both engines, once
a round; its cost is its time per incident over that of the defaults, within the round. The loop alone is timed: worlds
are built before, and what that takes stands in a column of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from benchmarks.city import plan_arm
from benchmarks.page import as_markdown
from benchmarks.stopwatch import Rounds, Spread, cpu_seconds, prepared_cpu_seconds, rate, ratio, take_rounds
from benchmarks.workload import fresh_world
from sim.assemble import InputsBuilder
from sim.compose import compose
from sim.compose.overrides import choices_of
from sim.engine.build import build_world
from sim.engine.kernel import KernelRun
from sim.engine.model import CityModel
from sim.inputs import RunInputs
from sim.settings import GROUPS

NO_LEVERS = ("city", "window", "demand", "planted", "times", "travel", "siting", "fleet", "schedule", "staffing", "run")
"""Groups that say what the city is and what befalls it, or how a run is made; they switch no mechanism."""
DEFAULTS, TOGETHER = "the defaults", "the first of every group together"
KERNEL_RUNS = 3
"""Runs of the kernel per measurement, of which the mean counts."""
SIZES = {False: (365, 7), True: (60, 3)}
"""Days and rounds, by whether it is the quick form."""


def levers() -> dict[str, tuple[str, ...]]:
    """Return name -> overrides: the defaults first, each lever alone, then the first of every group together."""
    default = compose().choices
    groups = [group.name for group in GROUPS if group.is_what and group.name not in NO_LEVERS]
    others = {group: [choice for choice in choices_of(group) if choice != default[group]] for group in groups}
    alone = {f"{group}={choice}": (f"{group}={choice}",) for group in groups for choice in others[group]}
    together = tuple(f"{group}={others[group][0]}" for group in groups if others[group])
    return {DEFAULTS: (), **alone, TOGETHER: together}


def measure(n_days: int, n_rounds: int, told: Callable[[str], None]) -> tuple[Rounds, dict[str, int]]:
    """Return the CPU seconds of each run and round, and the incidents of each run.

    Tasks are "simpy NAME", "kernel NAME" (the loops) and "world NAME" (building the world).
    """
    told("making the inputs and warming up")
    builder, clocks, n_incidents = InputsBuilder(), dict[str, Callable[[], float]](), dict[str, int]()
    for name, overrides in levers().items():
        inputs = builder.build(plan_arm(n_days, *overrides), 0)
        n_incidents[name] = len(inputs.demand.incidents)
        clocks[f"simpy {name}"] = _loop_clock(CityModel, CityModel.run, inputs, 1)
        clocks[f"kernel {name}"] = _loop_clock(KernelRun, KernelRun.finish, inputs, KERNEL_RUNS)
        clocks[f"world {name}"] = partial(cpu_seconds, partial(build_world, inputs))
        KernelRun(build_world(inputs)).finish()
    clocks[f"simpy {DEFAULTS}"]()
    return take_rounds(clocks, n_rounds, told), n_incidents


def _loop_clock(
    prepare: Callable[..., Any], run: Callable[[Any], Any], inputs: RunInputs, n_times: int
) -> Callable[[], float]:
    return lambda: prepared_cpu_seconds(lambda: prepare(fresh_world(inputs)), run, n_times)


def costs(rounds: Rounds, n_incidents: Mapping[str, int], engine: str, name: str) -> Spread:
    """Return by how many percent a lever lengthens the time per incident of an engine, over the rounds."""
    factor = n_incidents[DEFAULTS] / n_incidents[name]
    return Spread.of([100.0 * (x - 1.0) for x in ratio(rounds, f"{engine} {name}", f"{engine} {DEFAULTS}", factor)])


GOALS = {"simpy": ("the SimPy engine", 15_000), "kernel": ("the kernel", 500_000)}
"""Incidents per CPU second with every lever on, by engine."""


def all_together(rounds: Rounds, n_incidents: Mapping[str, int]) -> str:
    """Return a sentence on every lever at once: incidents per CPU second of each engine, and what it was made for."""
    told = []
    for engine, (name, goal) in GOALS.items():
        speed = Spread.of(rate(rounds, f"{engine} {TOGETHER}", n_incidents[TOGETHER]))
        told.append(f"{name} {speed.median:,.0f} ({speed.low:,.0f} to {speed.high:,.0f}; goal {goal:,})")
    return f"**With every lever on**, incidents per CPU second: {', '.join(told)}."


def table(rounds: Rounds, n_incidents: Mapping[str, int]) -> str:
    """Return a row per lever: cost in percent of the defaults' time and speed of each engine, and the world's ms."""
    engines = {"simpy": "SimPy", "kernel": "kernel"}
    heads = [text for told in engines.values() for text in (f"{told}, cost", f"{told}, incidents per CPU second")]
    rows = [("lever", *heads, "building the world, ms")]
    for name, n in n_incidents.items():
        cells = []
        for engine in engines:
            cost = costs(rounds, n_incidents, engine, name)
            speed = Spread.of(rate(rounds, f"{engine} {name}", n))
            shown = "" if name == DEFAULTS else f"{cost.median:+.1f} % ({cost.low:+.1f} to {cost.high:+.1f})"
            cells += [shown, f"{speed.median:,.0f}"]
        rows.append((name, *cells, f"{1000 * Spread.of(rounds[f'world {name}']).median:.0f}"))
    return as_markdown(rows)
