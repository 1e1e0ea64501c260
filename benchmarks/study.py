"""Whole commands, from the words typed to the finished report: how runs grow with replications and with workers."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lines import Line, Measured
from benchmarks.stopwatch import Rounds, Spread, environment, ratio, seconds_of_children
from benchmarks.workload import NAME

CPU, CLOCK = "CPU", "clock"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. `n_replications`: of a study's arms; 0: no study, which takes minutes."""

    run_overrides: tuple[str, ...]
    n_few: int
    n_many: int
    n_rounds: int
    n_replications: int


FULL = Plan((), 4, 12, 3, 20)
QUICK = Plan(("window.measure_to=2022-02-01", "schedule.is_outside_run_allowed=true"), 2, 6, 2, 0)
STUDY = "schedules"


def measure(plan: Plan, told: Callable[[str], None] = print) -> Measured:
    """Run the commands in rounds, and the study once, and return what was measured."""
    run = ("run", f"scenario={NAME}", *plan.run_overrides)
    commands = {
        "few": (*run, f"run.n_replications={plan.n_few}", "run.workers=1"),
        "many": (*run, f"run.n_replications={plan.n_many}", "run.workers=1"),
        "many, two workers": (*run, f"run.n_replications={plan.n_many}", "run.workers=2"),
    }
    told("whole commands: a first run, so that everything is compiled")
    rounds: Rounds = {f"{what}, {name}": [] for name in commands for what in (CPU, CLOCK)}
    _taken(commands["few"])
    for number in range(plan.n_rounds):
        told(f"round {number + 1} of {plan.n_rounds}")
        for name, command in commands.items():
            _note(rounds, name, command)
    if plan.n_replications:
        told(f"the study {STUDY}, once")
        rounds |= {f"{what}, study": [] for what in (CPU, CLOCK)}
        _note(rounds, "study", ("study", STUDY, f"run.n_replications={plan.n_replications}", "run.workers=2"))
    sizes = {"replications, few": plan.n_few, "many": plan.n_many, "rounds": plan.n_rounds}
    return Measured(sizes | {"of each arm of the study": plan.n_replications}, rounds, table_lines(rounds, plan))


def _note(rounds: Rounds, name: str, command: tuple[str, ...]) -> None:
    for what, seconds in zip((CPU, CLOCK), _taken(command), strict=True):
        rounds[f"{what}, {name}"].append(seconds)


def _taken(command: tuple[str, ...]) -> tuple[float, float]:
    """Return the seconds of CPU, children and theirs included, and by the clock that a command takes.

    Raises
    ------
    subprocess.CalledProcessError
        If the command fails.
    """
    dgsim = Path(sys.executable).with_name("dgsim")
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as scratch:
        before, begun = seconds_of_children(), time.perf_counter()
        whole = [str(dgsim), *command, f"run.outputs={scratch}"]
        subprocess.run(whole, check=True, env=environment(), capture_output=True)
        return seconds_of_children() - before, time.perf_counter() - begun


def table_lines(rounds: Rounds, plan: Plan) -> list[Line]:
    """Return the table; what is counted by the clock says so."""
    few, many = rounds[f"{CPU}, few"], rounds[f"{CPU}, many"]
    more = plan.n_many - plan.n_few
    own = [(b - a) / more for a, b in zip(few, many, strict=True)]
    once = [a - plan.n_few * x for a, x in zip(few, own, strict=True)]
    many_clock = f"{CLOCK}, many"
    lines = [
        Line("replication", "one more replication, to disk and into the report, CPU", "ms", _ms(own)),
        Line("once", "what a run takes besides: start, checks, report, CPU", "ms", _ms(once)),
        Line("workers", f"one worker over two, {plan.n_many} replications, by the clock", "x",
             Spread.of(ratio(rounds, many_clock, f"{many_clock}, two workers"))),
        Line("workers_cpu", "two workers over one, CPU", "x",
             Spread.of(ratio(rounds, f"{CPU}, many, two workers", f"{CPU}, many"))),
    ]  # fmt: skip
    if f"{CLOCK}, study" in rounds:
        told = f"study {STUDY}, {plan.n_replications} replications an arm, two workers, s by the clock"
        lines.append(Line("study", told, "", Spread.of(rounds[f"{CLOCK}, study"]), goal="<= 90"))
    return lines


def _ms(seconds: list[float]) -> Spread:
    return Spread.of([1000 * x for x in seconds])
