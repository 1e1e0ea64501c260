"""What a unit of work costs, and so a large sweep: `python -m benchmarks.scaling [--quick] [--json FILE]`.

Units are measured one after the other in CPU seconds of the process that does them, so that other work beside it
counts little; memory as the system notes it. The plan multiplies them; nothing in it is measured. A *scenario* is a
job of a sweep, the default choices over five years; `--quick` takes one year and fewer replications, for trying out.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.machine import facts
from benchmarks.page import as_markdown
from benchmarks.stopwatch import child_cpu_seconds, cpu_seconds
from sim.compose import Composed, compose
from sim.compose.study import make_arm
from sim.run.check import check_before
from sim.run.execute import gather_again
from sim.run.gather import Formats, gather
from sim.run.memory import peak_mb
from sim.run.pool import MOST_IN_BATCH, run_jobs
from sim.run.replication import make_batch
from sim.run.work import Job, Work, claim, is_finished, jobs_of

SCENARIOS, REPLICATIONS = 10_000, 100
CLUSTERS = ((1, 2), (1, 64), (20, 64))
"""Machines and cores of each that the plan is made for."""
_TIMES = 50
"""How often finished replications are handed out, so that what a batch costs stands out from the cluster's start."""
_ONE_YEAR = ("window=first_full_year", "schedule.is_outside_run_allowed=true")


@dataclass(frozen=True, slots=True)
class Units:
    """What one of each costs: CPU seconds of one core, bytes and files on disk, MB of memory.

    `start_s`: a worker's start until it could make replications. `compose_s`, `check_s`: settings and inputs of one
    more scenario. `first_s`: a replication with its incidents; `next_s`: one more scenario's on the same incidents.
    `look_s`: finding a finished replication whole. `hand_out_s`: the command's own work for a batch on a Dask cluster.
    `gather_once_s`, `gather_scenario_s`, `gather_replication_s`: comparison and report, and what each scenario and
    replication adds. `worker_mb`: most that a worker holds; `own_mb`: of it, what it shares with no other.
    `gather_mb`: most that the command holds, with the replications gathered here.
    """

    n_incidents: int
    start_s: float
    compose_s: float
    check_s: float
    first_s: float
    next_s: float
    look_s: float
    hand_out_s: float
    gather_once_s: float
    gather_scenario_s: float
    gather_replication_s: float
    n_bytes: float
    n_files: int
    worker_mb: float
    own_mb: float
    gather_mb: float


def measure(*, is_quick: bool, told: Callable[[str], None]) -> Units:
    """Return the units of this machine."""
    window = _ONE_YEAR if is_quick else ()
    n_few, n_many = (2, 4) if is_quick else (3, 9)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        told("settings and inputs of a scenario")
        compose(window)
        compose_s = min(cpu_seconds(partial(compose, [*window, f"seed={seed}"])) for seed in (1, 2, 3))
        composed = [compose([*window, f"staffing.present_share={share}"]) for share in (0.6, 0.65, 0.7)]
        alone = [_work(folder / f"checked{i}", composed[: i + 1], 1) for i in (0, 2)]
        check_before(alone[0])
        check_s = (cpu_seconds(partial(check_before, alone[1])) - cpu_seconds(partial(check_before, alone[0]))) / 2
        told("a worker's start")
        start_s = child_cpu_seconds([sys.executable, "-c", _START])
        told(f"{n_many + 2 * n_few} replications")
        one, three = _work(folder / "one", composed[:1], n_many), _work(folder / "three", composed, n_few)
        first_s, next_s, results = _made(three, [*jobs_of(three)])
        _made(one, [*jobs_of(one)])
        worker_mb, own_mb = peak_mb(), _own_mb()
        told("finding them again, by oneself and by way of a Dask cluster")
        jobs = jobs_of(one)
        look_s = cpu_seconds(lambda: [is_finished(job) for job in jobs]) / len(jobs)
        first, *handed = [
            cpu_seconds(partial(run_jobs, jobs * times, make_batch, 1, where="dask")) for times in (1, 1, _TIMES)
        ]
        told(f"the first cluster of a process takes {first - handed[0]:.1f} CPU s more than the next")
        told("comparison and report")
        few = replace(one, arms=tuple(replace(arm, n_replications=n_few) for arm in one.arms))
        cold_s = _gather_s(few)
        few_s, many_s, three_s = map(
            min, zip(*[[_gather_s(w) for w in (few, one, three)] for _ in range(3)], strict=True)
        )
        per_replication = max((many_s - few_s) / (n_many - n_few), 0.0)
        per_scenario = max((three_s - few_s) / 2 - n_few * per_replication, 0.0)
        sizes = [[path.stat().st_size for path in job.folder.iterdir()] for job in jobs]
        return Units(
            n_incidents=int(statistics.median(result["counts"]["n_incidents"] for result in results)),
            start_s=start_s,
            compose_s=compose_s,
            check_s=max(check_s, 0.0),
            first_s=first_s,
            next_s=next_s,
            look_s=look_s,
            hand_out_s=max(handed[1] - handed[0], 0.0) / (len(jobs) * (_TIMES - 1)),
            gather_once_s=max(cold_s - per_scenario - n_few * per_replication, 0.0),
            gather_scenario_s=per_scenario,
            gather_replication_s=per_replication,
            n_bytes=statistics.median(sum(size) for size in sizes),
            n_files=len(sizes[0]),
            worker_mb=worker_mb,
            own_mb=own_mb,
            gather_mb=peak_mb(),
        )


_START = """
from distributed import Worker
from sim.compose import compose
from sim.run.replication import make_batch
from sim.assemble import build_inputs, InputsBuilder
from sim.engine.kernel import run_kernel
settings = compose(["window=one_week", "schedule.is_outside_run_allowed=true"]).settings
run_kernel(build_inputs(settings, 0, InputsBuilder()))
"""
"""What a worker does before its first replication is under way: imports, machine code, the city and its roads."""


def _work(folder: Path, composed: Sequence[Composed], n_replications: int) -> Work:
    """Return a study of one arm for each of the settings."""
    arms = []
    for i, each in enumerate(composed):
        arm = make_arm(f"a{i}", each, label_zh=f"a{i}", label_en=f"a{i}", base="" if i == 0 else "a0")
        arms.append(replace(arm, n_replications=n_replications))
    return Work("study", "scaling", folder, tuple(arms), {"base": "a0", "contrasts": []})


def _made(work: Work, jobs: Sequence[Job]) -> tuple[float, float, list[dict[str, Any]]]:
    """Make jobs; return the CPU seconds of a replication's first arm and of a further one, medians, and the results."""
    work.folder.mkdir(parents=True, exist_ok=True)
    claim(work)
    seconds: dict[bool, list[float]] = {True: [], False: []}
    results: list[dict[str, Any]] = []
    for job in jobs:
        seconds[job.arm == "a0"].append(cpu_seconds(partial(_made_into, results, job)))
    first, further = (statistics.median(found[1:] or found or [0.0]) for found in (seconds[True], seconds[False]))
    return first, further, results


def _made_into(results: list[dict[str, Any]], job: Job) -> None:
    results.extend(make_batch((job,)))


def _gather_s(work: Work) -> float:
    return cpu_seconds(partial(gather_again, work, gather=gather, formats=Formats()))


def _own_mb() -> float:
    """Return the memory of this process that it shares with no other, MB; 0 where the system does not tell."""
    try:
        found = re.search(r"^RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
    except OSError:
        found = None
    return int(found[1]) / 1_000 if found else 0.0


# --- the plan -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep would take on some machines: hours by the clock, MB of memory on each machine, TB and files in all.

    `jobs_h`: each scenario a job of its own on one core. `pool_h`: all of it in one pool, the scenarios of a
    replication on the same incidents, settings and checks on one core before. `gather_h`: comparison and report over
    everything, on one core, in either case.
    """

    jobs_h: float
    pool_h: float
    gather_h: float
    machine_mb: float
    disk_tb: float
    n_files: int


def plan(units: Units, n_scenarios: int, n_replications: int, n_machines: int, n_cores: int) -> Plan:
    """Return what `n_scenarios` x `n_replications` would take if all cores were as fast together as one is alone.

    jobs_h = S (start + compose + check + R (first + look)) / cores; pool_h = S (compose + check) + R S / 64 hand_out
    + (start cores + R (first + (S - 1) next)) / cores; gather_h = once + S scenario + R S replication.
    """
    workers, n_all = n_machines * n_cores, n_scenarios * n_replications
    prepare_s = n_scenarios * (units.compose_s + units.check_s)
    jobs_s = n_scenarios * units.start_s + prepare_s + n_all * (units.first_s + units.look_s)
    pool_s = n_replications * (units.first_s + (n_scenarios - 1) * units.next_s) / workers + units.start_s
    scenarios_s = n_scenarios * units.gather_scenario_s
    return Plan(
        jobs_h=jobs_s / workers / 3_600,
        pool_h=(prepare_s + n_all / MOST_IN_BATCH * units.hand_out_s + pool_s) / 3_600,
        gather_h=(units.gather_once_s + scenarios_s + n_all * units.gather_replication_s) / 3_600,
        machine_mb=n_cores * units.own_mb + units.worker_mb - units.own_mb,
        disk_tb=n_all * units.n_bytes / 1e12,
        n_files=n_all * units.n_files,
    )


def units_table(units: Units) -> str:
    """Return a row per unit."""
    told = {
        "a worker's start, CPU s": f"{units.start_s:.1f}",
        "settings of a scenario, CPU s": f"{units.compose_s:.2f}",
        "checks of a scenario's inputs, CPU s": f"{units.check_s:.2f}",
        "a replication with its incidents, CPU s": f"{units.first_s:.2f}",
        "one more scenario on the same incidents, CPU s": f"{units.next_s:.2f}",
        "a finished replication looked through, CPU s": f"{units.look_s:.4f}",
        "a batch handed out by Dask, CPU s of the command": f"{units.hand_out_s:.4f}",
        "comparison and report, once, CPU s": f"{units.gather_once_s:.1f}",
        "and for each scenario, CPU s": f"{units.gather_scenario_s:.2f}",
        "and for each replication, CPU s": f"{units.gather_replication_s:.3f}",
        "disk of a replication, MB": f"{units.n_bytes / 1e6:.2f} in {units.n_files} files",
        "memory of a worker, at most, MB": f"{units.worker_mb:.0f}, of it its own {units.own_mb:.0f}",
        "memory of the command after gathering here, MB": f"{units.gather_mb:.0f}",
    }
    return as_markdown([("unit", "measured"), *told.items()])


def plan_table(units: Units) -> str:
    """Return a row per cluster of `CLUSTERS`."""
    head = ("machines x cores", "as jobs, h", "in one pool, h", "gathering, h", "memory per machine, GB")
    rows = [head]
    for n_machines, n_cores in CLUSTERS:
        made = plan(units, SCENARIOS, REPLICATIONS, n_machines, n_cores)
        hours = (f"{made.jobs_h:,.1f}", f"{made.pool_h:,.1f}", f"{made.gather_h:,.1f}")
        rows.append((f"{n_machines} x {n_cores}", *hours, f"{made.machine_mb / 1e3:.1f}"))
    return as_markdown(rows)


def main(argv: Sequence[str]) -> int:
    """Measure, reckon, print, and store if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description="What a large sweep would take.")
    parser.add_argument("--quick", action="store_true", help="one year instead of five, fewer replications")
    parser.add_argument("--json", type=Path, help="also store the units in this file")
    options = parser.parse_args(argv)
    units = measure(is_quick=options.quick, told=lambda text: print(text, file=sys.stderr, flush=True))
    for name, value in facts().items():
        print(f"{name}: {value}")
    whole = plan(units, SCENARIOS, REPLICATIONS, 1, 1)
    print(f"incidents of a replication: {units.n_incidents:,}\n\n{units_table(units)}\n")
    print(f"{SCENARIOS:,} scenarios x {REPLICATIONS}: {whole.disk_tb:.2f} TB in {whole.n_files:,} files\n")
    print(plan_table(units))
    if options.json:
        content: Mapping[str, object] = {"machine": facts(), "units": asdict(units)}
        options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
