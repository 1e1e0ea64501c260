"""Whole commands, from the words typed to the finished report: how runs grow with replications and with workers."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lines import Line, Measured
from benchmarks.stopwatch import Rounds, Spread, environment, ratio, seconds_of_children
from benchmarks.workload import NAME

CPU, CLOCK = "CPU", "clock"
FEW, MORE, MANY, SHARED, STUDY = "few", "more", "many", "many, two workers", "study"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. `n_replications`: of the runs; `n_of_arm`: of a study's arms, 0: no study (minutes)."""

    run_overrides: tuple[str, ...]
    n_replications: tuple[int, int, int]
    n_rounds: int
    n_of_arm: int


FULL = Plan((), (4, 20, 60), 3, 20)
QUICK = Plan(("window.measure_to=2022-02-01", "schedule.is_outside_run_allowed=true"), (1, 3, 9), 1, 0)
STUDY_NAME = "schedules"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a command took: seconds of CPU of all its processes and by the clock, what its replications say of steps,
    and the most that a process held, MB, that made replications and that gathered.
    """

    cpu_s: float
    clock_s: float
    steps_s: dict[str, float]
    making_mb: float
    gathering_mb: float


def measure(plan: Plan, told: Callable[[str], None] = print) -> Measured:
    """Run the commands in rounds, and the study once, and return what was measured."""
    run, commands = ("run", f"scenario={NAME}", *plan.run_overrides), dict[str, tuple[str, ...]]()
    for name, n_replications in zip((FEW, MORE, MANY), plan.n_replications, strict=True):
        commands[name] = (*run, f"run.n_replications={n_replications}", "run.workers=1")
    commands[SHARED] = (*commands[MANY][:-1], "run.workers=2")
    told("whole commands: a first run, so that everything is compiled")
    taken_by(commands[FEW])
    taken: dict[str, list[Taken]] = {name: [] for name in commands}
    for number in range(plan.n_rounds):
        told(f"round {number + 1} of {plan.n_rounds}")
        for name, command in commands.items():
            taken[name].append(taken_by(command))
    if plan.n_of_arm:
        told(f"the study {STUDY_NAME}, once")
        taken[STUDY] = [taken_by(("study", STUDY_NAME, f"run.n_replications={plan.n_of_arm}", "run.workers=2"))]
    sizes = dict(zip(("replications, few", MORE, MANY), plan.n_replications, strict=True))
    sizes |= {"rounds": plan.n_rounds, "of each arm of the study": plan.n_of_arm}
    return Measured(sizes, _seconds(taken), table_lines(taken, plan))


def _seconds(taken: dict[str, list[Taken]]) -> Rounds:
    rounds: Rounds = {f"{CPU}, {name}": [one.cpu_s for one in some] for name, some in taken.items()}
    return rounds | {f"{CLOCK}, {name}": [one.clock_s for one in some] for name, some in taken.items()}


def taken_by(command: tuple[str, ...]) -> Taken:
    """Return what a command of `dgsim` takes, children and theirs included.

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
        cpu_s, clock_s = seconds_of_children() - before, time.perf_counter() - begun
        steps: Counter[str] = Counter()
        for path in Path(scratch).rglob("result.json"):
            steps.update(json.loads(path.read_bytes())["seconds"])
        memory = json.loads(next(Path(scratch).glob("*/*/manifest.json")).read_bytes())["memory"]
        return Taken(cpu_s, clock_s, dict(steps), memory["replications_peak_mb"], memory["gathering_peak_mb"])


def table_lines(taken: dict[str, list[Taken]], plan: Plan) -> list[Line]:
    """Return the table; what is counted by the clock says so."""
    few, more, many = plan.n_replications
    rounds = _seconds(taken)
    cpu = {name: rounds[f"{CPU}, {name}"] for name in taken}
    own = [(b - a) / (many - few) for a, b in zip(cpu[FEW], cpu[MANY], strict=True)]
    early = [(b - a) / (more - few) for a, b in zip(cpu[FEW], cpu[MORE], strict=True)]
    late = [(b - a) / (many - more) for a, b in zip(cpu[MORE], cpu[MANY], strict=True)]
    once = [a - few * x for a, x in zip(cpu[FEW], own, strict=True)]
    growth = [b / a for a, b in zip(early, late, strict=True)]
    lines = [
        Line("replication", "one more replication, to disk and into the report, CPU", "ms", _ms(own)),
        Line("once", "what a run takes besides: start, checks, report, CPU", "ms", _ms(once)),
        Line("growth", f"one of the replications {more} to {many} over one of {few} to {more}, CPU", "x",
             Spread.of(growth)),
        Line("making_mb", f"memory of the process that makes them, {many} replications over {few}", "x",
             _memory(taken, "making_mb")),
        Line("gathering_mb", f"memory of the process that gathers, {many} replications over {few}", "x",
             _memory(taken, "gathering_mb")),
        Line("workers", f"one worker over two, {many} replications, by the clock", "x",
             Spread.of(ratio(rounds, f"{CLOCK}, {MANY}", f"{CLOCK}, {SHARED}"))),
        Line("workers_cpu", "two workers over one, CPU", "x",
             Spread.of(ratio(rounds, f"{CPU}, {SHARED}", f"{CPU}, {MANY}"))),
    ]  # fmt: skip
    return lines + (_of_study(taken[STUDY], plan) if STUDY in taken else [])


def _of_study(study: list[Taken], plan: Plan) -> list[Line]:
    """Return the lines of the study: its time by the clock, and which part of its CPU time its steps are."""
    told = f"study {STUDY_NAME}, {plan.n_of_arm} replications an arm, two workers, s by the clock"
    lines = [Line("study", told, "", Spread.of([one.clock_s for one in study]), goal="<= 90")]
    for step in study[0].steps_s:
        share = Spread.of([one.steps_s[step] / one.cpu_s for one in study])
        goal = "<= 0.5" if step == "engine" else ""
        lines.append(Line(f"study_{step}", f"of the study's CPU time: {step}", "x", share, goal=goal))
    most = Spread.of([max(one.making_mb, one.gathering_mb) for one in study])
    return [*lines, Line("study_mb", "most memory that a process of the study held, MB", "", most)]


def _memory(taken: dict[str, list[Taken]], what: str) -> Spread:
    pairs = zip(taken[FEW], taken[MANY], strict=True)
    return Spread.of([getattr(b, what) / getattr(a, what) for a, b in pairs])


def _ms(seconds: list[float]) -> Spread:
    return Spread.of([1000 * x for x in seconds])
