"""How soon a fresh process has its first result, and what the same or nearly the same command costs again.

CPU seconds of the command and all that it starts: to the first finished replication and to the finished report, with
caches as they are after a run, and without them; then a small study again: as it is, with other words, with one
replication and one arm more, and with a policy setting of one arm changed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.family import cpu_seconds_of
from benchmarks.lines import Line, Measured
from benchmarks.stopwatch import Rounds, Spread, child_cpu_seconds, environment, ratio, seconds_of_children
from benchmarks.workload import NAME
from sim.compiled import cache_root

WARM, NO_BYTES, NO_ROADS, NO_CODE, NOTHING = (
    "caches warm", "no byte code of Python's", "no travel tables", "no machine code", "no caches"
)  # fmt: skip
STUDY, AGAIN, WORDS, LONGER, WIDER, POLICY = (
    "study", "study again", "other words", "one replication more", "one arm more", "one arm's policy"
)  # fmt: skip
FIRST, DONE = "first replication", "report"
_CACHES: dict[str, tuple[str, ...]] = {
    WARM: ("bytecode", "numba", "travel"),
    NO_BYTES: ("numba", "travel"),
    NO_ROADS: ("bytecode", "numba"),
    NO_CODE: ("bytecode", "travel"),
    NOTHING: (),
}
"""The folders of the cache that a command finds filled."""
_LOOK_S = 0.01
_DGSIM = str(Path(sys.executable).with_name("dgsim"))


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: the window, the states of the caches, and what is done once more after the study."""

    overrides: tuple[str, ...]
    caches: tuple[str, ...]
    further: tuple[str, ...]
    n_replications: int
    n_rounds: int


FULL = Plan((), (WARM, NO_BYTES, NO_ROADS, NO_CODE, NOTHING), (AGAIN, WORDS, LONGER, WIDER, POLICY), 4, 2)
QUICK = Plan(("window.measure_to=2022-02-01", "schedule.is_outside_run_allowed=true"), (NO_ROADS,), (AGAIN,), 1, 1)


def measure(plan: Plan, told: Callable[[str], None] = print) -> Measured:
    """Run the commands in rounds, after a first run that fills the caches, and return what was measured."""
    rounds: Rounds = {}
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as scratch:
        folder = Path(scratch)
        if WARM in plan.caches:
            told("first results: a run that fills the caches")
            _run(plan, folder / "filled", cache_root())
        for number in range(plan.n_rounds):
            told(f"round {number + 1} of {plan.n_rounds}")
            for place, state in enumerate(plan.caches):
                where = folder / f"{number}-{place}"
                first, done = _run(plan, where, _caches(where, _CACHES[state]))
                rounds.setdefault(f"{FIRST}, {state}", []).append(first)
                rounds.setdefault(f"{DONE}, {state}", []).append(done)
            for name, seconds in _studies(plan, folder / f"{number}-study").items():
                rounds.setdefault(name, []).append(seconds)
    sizes = {"replications of the run": plan.n_replications, "of each of the study's three arms": plan.n_replications}
    return Measured(sizes | {"rounds": plan.n_rounds}, rounds, table_lines(rounds))


def _caches(where: Path, kept: Sequence[str]) -> Path:
    """Return a folder for caches in which those parts are there that are kept, and no others."""
    folder = where.with_name(f"{where.name}-caches")
    folder.mkdir()
    for name in kept:
        (folder / name).symlink_to(cache_root() / name, target_is_directory=True)
    return folder


def _run(plan: Plan, outputs: Path, caches: Path) -> tuple[float, float]:
    """Return the CPU seconds of a run to its first finished replication (NaN where none tells) and to its end."""
    run = ("run", f"scenario={NAME}", *plan.overrides, f"run.n_replications={plan.n_replications}")
    before = seconds_of_children()
    command = [_DGSIM, *run, "run.workers=1", f"run.outputs={outputs}"]
    env = environment(DGSIM_CACHE=str(caches), PYTHONPYCACHEPREFIX=str(caches / "bytecode"))
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL) as process:
        first = float("nan")
        while process.poll() is None:
            if first != first and any(outputs.glob("*/*/replications/r*/result.json")):
                first = cpu_seconds_of(process.pid)
            time.sleep(_LOOK_S)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return first, seconds_of_children() - before


# --- the small study --------------------------------------------------------------------------------------------------


def _studies(plan: Plan, folder: Path) -> dict[str, float]:
    """Return the CPU seconds of a study and, one after another, of what is nearly the same."""
    folder.mkdir()
    file, n = folder / "small.yaml", plan.n_replications
    other = {"title": "another title"}
    wanted: dict[str, tuple[dict[str, Any], int]] = {
        STUDY: (small_study(), n),
        AGAIN: (small_study(), n),
        WORDS: (small_study(**other), n),
        LONGER: (small_study(**other), n + 1),
        WIDER: (small_study("late", **other), n + 1),
        POLICY: (small_study(policy="dispatch=own_town_first"), n),
    }
    taken = {}
    for name in (STUDY, *plan.further):
        study, n_replications = wanted[name]
        file.write_text(yaml.safe_dump(study, allow_unicode=True), encoding="utf-8")
        overrides = (*plan.overrides, f"run.n_replications={n_replications}", "run.workers=1")
        where: tuple[str, ...] = ("--out", str(folder / "here"))
        if name == POLICY:
            where = ("--out", str(folder / "there"), "--reuse", str(folder / "here"))
        taken[name] = child_cpu_seconds([_DGSIM, "study", str(file), *overrides, *where])
    return taken


def small_study(*more: str, title: str = "the plan", policy: str = "dispatch=nearest") -> dict[str, Any]:
    """Return a study of three arms, and `more`, on the common workload; `policy` holds in one arm."""
    schedules = {"nothing": "none", "plan": "plan", "policy": "plan", "late": "plan_one_year_late"}
    arms = [
        {
            "name": name,
            "label_zh": name,
            "label_en": name,
            "purpose": "main",
            "first_line_zh": name,
            "first_line_en": name,
            "overrides": [f"schedule={schedules[name]}", policy if name == "policy" else "dispatch=nearest"],
            "n_replications": 1,
        }
        for name in ("nothing", "plan", "policy", *more)
    ]
    texts = {f"{what}_{language}": title for what in ("label", "question") for language in ("zh", "en")}
    contrast = {"contrast": "plan_share", "arm": "plan", "base": "nothing", "metric": "share_300", "year": 0}
    common = [f"scenario={NAME}", "schedule.is_outside_run_allowed=true"]
    return {"name": "small", **texts, "base": "nothing", "common": common, "arms": arms, "contrasts": [contrast]}


def table_lines(rounds: Rounds) -> list[Line]:
    """Return the table: CPU seconds of first results, and every further command over the study's first run."""
    told = {FIRST: "to the first finished replication", DONE: "to the finished report"}
    states = [name.split(", ")[1] for name in rounds if name.startswith(f"{DONE}, ")]
    lines = []
    for state in states:
        for what, text in told.items():
            spread = Spread.of(rounds[f"{what}, {state}"])
            lines.append(Line(f"{what}, {state}", f"fresh process, {state}: {text}, CPU s", "", spread))
    further = {
        AGAIN: "the same command again, nothing to do, over a study's first run",
        WORDS: "only words of the study changed: tables and report again",
        LONGER: "one replication more of each of three arms, tables and report",
        WIDER: "one arm more, tables and report",
        POLICY: "a policy setting of one arm changed, in a folder of its own, the other arms taken over (`--reuse`)",
    }
    taken = {name: text for name, text in further.items() if name in rounds}
    return [*lines, *(Line(name, text, "x", Spread.of(ratio(rounds, name, STUDY))) for name, text in taken.items())]
