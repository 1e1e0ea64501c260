"""`python -m benchmarks.whole_path [--days N …] [--rounds N]`: what one replication costs, step by step.

From chance to Parquet and digests: CPU milliseconds of each step on the plan arm, per window, and what a second arm of
the same replication still costs. In rounds, so that a slow moment touches all steps alike.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.city import plan_arm
from benchmarks.machine import facts
from benchmarks.page import as_markdown
from benchmarks.stopwatch import Rounds, Spread, cpu_seconds, take_rounds
from sim.assemble import InputsBuilder
from sim.demand.draw import draw_demand
from sim.engine.build import build_world
from sim.engine.kernel import run_kernel
from sim.engine.static import static_responses
from sim.inputs import draw_slot_ranks, order_stations
from sim.metrics.store import write_replication_tables
from sim.run.replication import make_batch
from sim.run.work import Job
from sim.settings import Settings


def clocks_of(settings: Settings, scratch: Path) -> tuple[dict[str, Callable[[], float]], int]:
    """Return the clock of each step of one replication, and the number of its incidents."""
    builder, numbers = InputsBuilder(), itertools.count(1)
    inputs = builder.build(settings, 0)
    intensity, demand, cards = builder.intensity(settings), inputs.demand, inputs.cards
    travel_ms, station_cell = inputs.travel.duration_ms, inputs.fleet.stations.cell
    log, static_ms = run_kernel(inputs), static_responses(inputs)

    def made(*names: str) -> object:
        number = next(numbers)
        where = scratch / f"{number}" / "replications"
        return make_batch(tuple(Job(name, "key", number, settings, where / f"r-{name}") for name in names))

    steps: dict[str, Callable[[], object]] = {
        "chance: incidents": lambda: draw_demand(intensity, settings.seed, next(numbers)),
        "chance: ranks of their needs": lambda: draw_slot_ranks(demand, cards, settings.seed, 0),
        "order of the stations of a siting world": lambda: order_stations(travel_ms, station_cell),
        "all inputs of a new replication, those three among them": lambda: builder.build(settings, next(numbers)),
        "digests of the inputs": inputs.digests,
        "the engine's world": lambda: build_world(inputs),
        "kernel, its world included": lambda: run_kernel(inputs),
        "static responses, their world included": lambda: static_responses(inputs),
        "tables, on disk": lambda: write_replication_tables(scratch, inputs, log, static_ms),
        "digest of the log": log.digest,
        "a whole replication, on disk": lambda: made("a"),
        "two arms of one replication, on disk": lambda: made("a", "b"),
    }
    return {name: partial(cpu_seconds, step) for name, step in steps.items()}, len(demand.incidents)


def measured(days: Sequence[int], n_rounds: int) -> list[tuple[str, ...]]:
    """Return the table: a row per step, median and range of CPU ms in each window."""
    found: list[tuple[int, int, Rounds]] = []
    for n_days in days:
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as scratch:
            clocks, n_incidents = clocks_of(plan_arm(n_days), Path(scratch))
            for clock in clocks.values():
                clock()
            rounds = take_rounds(clocks, n_rounds, lambda text: print(text, file=sys.stderr, flush=True))
            found.append((n_days, n_incidents, rounds))
    rows = [("CPU ms", *(f"{n_days:,} days, {n:,} incidents" for n_days, n, _ in found))]
    for name in found[0][2]:
        rows.append((name, *(_shown(rounds[name]) for _, _, rounds in found)))
    return rows


def _shown(seconds: Sequence[float]) -> str:
    spread = Spread.of(seconds)
    return f"{1000 * spread.median:.1f} ({1000 * spread.low:.1f} to {1000 * spread.high:.1f})"


def main(argv: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.whole_path", description=__doc__)
    parser.add_argument("--days", type=int, nargs="+", default=[365, 1826])
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(argv)
    rows = measured(given.days, given.rounds)
    for name, value in facts().items():
        print(f"{name}: {value}")
    print("\n" + as_markdown(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
