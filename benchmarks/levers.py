"""What each mechanism costs: `python -m benchmarks.levers [--quick] [--json FILE]`.

A *lever* is a choice other than the default of a group of settings that switches a mechanism. Groups that say which
city, days, demand, sites, fleet and schedule are run are none; every other group counts by itself as soon as it exists,
so a new one needs no line here. Each lever is run alone, and the first of every group together, in both engines, once
a round; its cost is its time per incident over that of the defaults, within the round.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.city import plan_arm
from benchmarks.machine import facts
from benchmarks.page import as_markdown
from benchmarks.stopwatch import Rounds, Spread, Task, cpu_seconds, rate, ratio, take_rounds
from sim.assemble import InputsBuilder
from sim.compose import compose
from sim.compose.overrides import choices_of
from sim.engine.kernel import run_kernel
from sim.engine.model import run_simpy
from sim.settings import GROUPS

NO_LEVERS = ("city", "window", "demand", "planted", "times", "travel", "siting", "fleet", "schedule", "staffing", "run")
"""Groups that say what the city is and what befalls it, or how a run is made; they switch no mechanism."""
DEFAULTS, TOGETHER = "the defaults", "the first of every group together"
KERNEL_RUNS = 8
"""Runs of the kernel per measurement, which is too quick for the clock alone."""


def levers() -> dict[str, tuple[str, ...]]:
    """Return name -> overrides: the defaults first, each lever alone, then the first of every group together."""
    default = compose().choices
    groups = [group.name for group in GROUPS if group.is_what and group.name not in NO_LEVERS]
    others = {group: [choice for choice in choices_of(group) if choice != default[group]] for group in groups}
    alone = {f"{group}={choice}": (f"{group}={choice}",) for group in groups for choice in others[group]}
    together = tuple(f"{group}={others[group][0]}" for group in groups if others[group])
    return {DEFAULTS: (), **alone, TOGETHER: together}


def measure(n_days: int, n_rounds: int, told: Callable[[str], None]) -> tuple[Rounds, dict[str, int]]:
    """Return the CPU seconds of each run and round ("simpy NAME", "kernel NAME"), and the incidents of each run."""
    told("making the inputs and warming up")
    builder, clocks, n_incidents = InputsBuilder(), dict[str, Callable[[], float]](), dict[str, int]()
    for name, overrides in levers().items():
        inputs = builder.build(plan_arm(n_days, *overrides), 0)
        n_incidents[name] = len(inputs.demand.incidents)
        clocks[f"simpy {name}"] = partial(cpu_seconds, partial(run_simpy, inputs))
        clocks[f"kernel {name}"] = partial(cpu_seconds, partial(_again_and_again, partial(run_kernel, inputs)))
        run_kernel(inputs)
    clocks[f"simpy {DEFAULTS}"]()
    return take_rounds(clocks, n_rounds, told), n_incidents


def _again_and_again(task: Task) -> None:
    for _ in range(KERNEL_RUNS):
        task()


def costs(rounds: Rounds, n_incidents: Mapping[str, int], engine: str, name: str) -> Spread:
    """Return by how many percent a lever lengthens the time per incident of an engine, over the rounds."""
    factor = n_incidents[DEFAULTS] / n_incidents[name]
    return Spread.of([100.0 * (x - 1.0) for x in ratio(rounds, f"{engine} {name}", f"{engine} {DEFAULTS}", factor)])


def table(rounds: Rounds, n_incidents: Mapping[str, int]) -> str:
    """Return a row per lever: cost in percent of the defaults' time (least to greatest) and speed, for each engine."""
    engines = {"simpy": ("SimPy", 1), "kernel": ("kernel", KERNEL_RUNS)}
    heads = [text for told, _ in engines.values() for text in (f"{told}, cost", f"{told}, incidents per CPU second")]
    rows = [("lever", *heads)]
    for name, n in n_incidents.items():
        cells = []
        for engine, (_, n_runs) in engines.items():
            cost = costs(rounds, n_incidents, engine, name)
            speed = Spread.of(rate(rounds, f"{engine} {name}", n * n_runs))
            shown = "" if name == DEFAULTS else f"{cost.median:+.1f} % ({cost.low:+.1f} to {cost.high:+.1f})"
            cells += [shown, f"{speed.median:,.0f}"]
        rows.append((name, *cells))
    return as_markdown(rows)


def main(argv: Sequence[str]) -> int:
    """Measure, print, and store if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.levers", description="What each mechanism costs.")
    parser.add_argument("--quick", action="store_true", help="two months and three rounds instead of a year and seven")
    parser.add_argument("--json", type=Path, help="also store the rounds in this file")
    options = parser.parse_args(argv)
    n_days, n_rounds = (60, 3) if options.quick else (365, 7)
    rounds, n_incidents = measure(n_days, n_rounds, lambda text: print(text, file=sys.stderr, flush=True))
    for name, value in facts().items():
        print(f"{name}: {value}")
    print(f"days: {n_days}\nrounds: {n_rounds}\nincidents: {n_incidents[DEFAULTS]}\n\n{table(rounds, n_incidents)}")
    if options.json:
        content = {"machine": facts(), "n_days": n_days, "n_incidents": n_incidents, "rounds": rounds}
        options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
