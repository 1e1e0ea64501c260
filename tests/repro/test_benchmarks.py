"""The promises about speed, as ratios of CPU times measured side by side; no time is promised on any machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROMISED = {"inputs", "simpy_long", "kernel_long", "simpy_twice", "kernel_twice", "travel", "static", "help_to_numpy"}


def quick(part: str, root: Path, file: Path) -> tuple[dict[str, Any], str]:
    """Return what the quick form of one part of the benchmarks stores and prints; its exit code is 0."""
    command = [sys.executable, "-m", "benchmarks", part, "--quick", "--json", str(file)]
    made = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return json.loads(file.read_text(encoding="utf-8"))["parts"][part], made.stdout


@pytest.mark.slow
def test_the_quick_benchmarks_keep_every_promised_ratio(root: Path, tmp_path: Path) -> None:
    stored, shown = quick("path", root, tmp_path / "measured.json")
    lines = stored["lines"]
    limits = {line["name"]: (line["spread"]["median"], float(line["limit"])) for line in lines if line["limit"]}
    assert set(limits) >= PROMISED
    assert {name: pair for name, pair in limits.items() if pair[0] >= pair[1]} == {}
    assert all(line["told"] in shown for line in lines)


def test_a_limit_that_is_reached_is_told(run_python: Callable[[str], None]) -> None:
    run_python("""
from benchmarks.lines import Measured
from benchmarks.measure import table_lines
names = [f"{engine} {place}" for engine in ("simpy", "kernel") for place in (0, 1, 2, "twice")]
names += ["inputs", "static", "log digest", "inputs digest", "log to disk", "tables", "travel built", "travel kept"]
names += ["python", "command", "help", "numpy"]
seconds = dict.fromkeys(names, 1.0) | {"simpy 2": 20.0, "travel built": 3.0}
def broken(**slow):
    rounds = {name: [value] for name, value in (seconds | {k.replace("_", " "): v for k, v in slow.items()}).items()}
    return Measured({}, rounds, table_lines(rounds, [100, 200, 2000])).broken()
assert broken() == [], broken()
assert broken(inputs=20.0) == ["inputs"], broken(inputs=20.0)
assert broken(simpy_2=31.0) == ["simpy_long"], broken(simpy_2=31.0)
assert broken(simpy_twice=1.5) == ["simpy_twice"], broken(simpy_twice=1.5)
assert broken(help=1.5) == ["help_to_numpy"], broken(help=1.5)
""")


def test_every_choice_of_a_group_of_mechanisms_is_a_lever_and_its_cost_is_per_incident_within_the_round(
    run_python: Callable[[str], None],
) -> None:
    run_python("""
from pathlib import Path
from benchmarks.levers import DEFAULTS, NO_LEVERS, TOGETHER, all_together, costs, levers, table
from sim.compose import compose
from sim.settings import GROUPS
found, default = levers(), compose().choices
for group in (group.name for group in GROUPS if group.is_what and group.name not in NO_LEVERS):
    choices = {path.stem for path in Path("configs", group).glob("*.yaml")} - {default[group]}
    assert {name for name in found if name.startswith(f"{group}=")} == {f"{group}={choice}" for choice in choices}
    assert [text for text in found[TOGETHER] if text.startswith(f"{group}=")] == [f"{group}={min(choices)}"]
assert found[DEFAULTS] == () and list(found)[0] == DEFAULTS and list(found)[-1] == TOGETHER
assert {"dispatch=keep_cover", "move_up=nearest", "move_up=best_cover", "relief=after_long_jobs"} <= set(found)
rounds = {f"simpy {DEFAULTS}": [1.0, 2.0, 4.0], f"kernel {DEFAULTS}": [8.0, 8.0, 8.0]}
rounds |= {"simpy slow": [1.5, 2.2, 6.0], "kernel slow": [8.0, 8.0, 8.0]}
rounds |= {f"world {DEFAULTS}": [0.002] * 3, "world slow": [0.001, 0.003, 0.004]}
n = {DEFAULTS: 100, "slow": 200}
spread = costs(rounds, n, "simpy", "slow")  # twice as many incidents: half of 1.5, 1.1 and 1.5 times the time
assert [round(x, 9) for x in (spread.median, spread.low, spread.high)] == [-25.0, -45.0, -25.0]
last = [cell.strip() for cell in table(rounds, n).splitlines()[-1].strip("|").split("|")]
assert last == ["slow", "-25.0 % (-45.0 to -25.0)", "91", "-50.0 % (-50.0 to -50.0)", "25", "3"], last
together = {f"{engine} {TOGETHER}": [0.01, 0.02, 0.04] for engine in ("simpy", "kernel")}
sentence = all_together(together, {TOGETHER: 400})
assert "SimPy engine 20,000 (10,000 to 40,000; goal 15,000)" in sentence, sentence
""")


@pytest.mark.slow
def test_every_lever_runs_in_both_engines(root: Path, tmp_path: Path) -> None:
    stored, shown = quick("levers", root, tmp_path / "levers.json")
    assert {f"{engine} {name}" for engine in ("simpy", "kernel", "world") for name in stored["n_incidents"]} == set(
        stored["rounds"]
    )
    assert all(name in shown for name in stored["n_incidents"])


@pytest.mark.slow
def test_the_quick_engines_hold_all_contenders_rows_together_and_tell_every_goal(root: Path, tmp_path: Path) -> None:
    stored, shown = quick("engines", root, tmp_path / "engines.json")
    goals = {line["name"]: line["goal"] for line in stored["lines"] if line["goal"]}
    ratios = {"idiomatic": ">= 200", "presorted": ">= 150", "c_loop": "<= 1.3", "daily": "<= 2"}
    assert goals == ratios | {"threads": ">= 1.6"}
    assert stored["sizes"]["incidents"] > 3_000
    assert "Not reached here: " in shown


@pytest.mark.slow
def test_the_quick_replication_holds_both_sides_together_and_tells_every_goal(root: Path, tmp_path: Path) -> None:
    stored, _ = quick("replication", root, tmp_path / "replication.json")
    goals = {line["name"]: line["goal"] for line in stored["lines"] if line["goal"]}
    assert goals == {"whole": ">= 100", "chance": "<= 1", "threads": ">= 1.6"}
    median = {line["name"]: line["spread"]["median"] for line in stored["lines"]}
    assert median["chance"] < 1
    assert median["whole"] > 10


@pytest.mark.slow
def test_the_quick_first_results_find_the_first_replication_before_the_report(root: Path, tmp_path: Path) -> None:
    stored, shown = quick("first", root, tmp_path / "first.json")
    lines = {line["name"]: line["spread"]["median"] for line in stored["lines"]}
    assert 0 < lines["first replication, no travel tables"] < lines["report, no travel tables"]
    assert 0 < lines["study again"] < 1
    assert "no travel tables: to the first finished replication, CPU s" in shown


@pytest.mark.slow
def test_every_form_of_the_small_study_is_one_and_differs_from_the_first_in_what_it_says(
    run_python: Callable[[str], None], tmp_path: Path
) -> None:
    run_python(f"""
import yaml
from pathlib import Path
from benchmarks.first import small_study
from sim.compose.study import study_work
def arms(study):
    file = Path({str(tmp_path)!r}) / "small.yaml"
    file.write_text(yaml.safe_dump(study), encoding="utf-8")
    return {{arm.name: arm.key for arm in study_work(str(file), []).arms}}
first = arms(small_study())
assert list(first) == ["nothing", "plan", "policy"] and first["plan"] == first["policy"] != first["nothing"]
assert arms(small_study(title="another title")) == first
wider = arms(small_study("late"))
assert set(wider) - set(first) == {{"late"}} and {{name: wider[name] for name in first}} == first
other = arms(small_study(policy="dispatch=own_town_first"))
assert [name for name in first if other[name] != first[name]] == ["policy"]
""")


def test_growth_with_replications_and_the_engines_part_of_a_study_come_out_of_what_commands_take(
    run_python: Callable[[str], None],
) -> None:
    run_python("""
from benchmarks.study import FEW, MANY, MORE, SHARED, STUDY, Plan, Taken, table_lines
few, more = Taken(10.0, 11.0, {}, 500.0, 600.0), Taken(12.0, 13.0, {}, 510.0, 610.0)
many = Taken(20.0, 21.0, {}, 550.0, 720.0)
shared = Taken(22.0, 14.0, {}, 550.0, 720.0)
study = Taken(200.0, 110.0, {"engine": 80.0, "tables": 50.0}, 800.0, 1_100.0)
taken = {FEW: [few], MORE: [more], MANY: [many], SHARED: [shared], STUDY: [study]}
lines = {line.name: line for line in table_lines(taken, Plan((), (4, 8, 24), 1, 20))}
found = {name: round(line.spread.median, 9) for name, line in lines.items()}
assert found == {
    "replication": 500.0, "once": 8_000.0, "growth": 1.0, "making_mb": 1.1, "gathering_mb": 1.2, "workers": 1.5,
    "workers_cpu": 1.1, "study": 110.0, "study_engine": 0.4, "study_tables": 0.25, "study_mb": 1_100.0,
}, found
assert {name: line.goal for name, line in lines.items() if line.goal} == {"study": "<= 90", "study_engine": "<= 0.5"}
""")


def test_a_goal_that_is_missed_is_told_and_no_number_misses_it_too(run_python: Callable[[str], None]) -> None:
    run_python("""
from benchmarks.lines import Line, Measured
from benchmarks.stopwatch import Spread
def missed(median, goal):
    return Measured({}, {}, [Line("name", "told", "x", Spread(median, median, median), goal=goal)]).missed()
assert missed(200.0, ">= 200") == [] and missed(199.9, ">= 200") == ["told"]
assert missed(1.3, "<= 1.3") == [] and missed(1.31, "<= 1.3") == ["told"]
assert missed(float("nan"), "<= 1.3") == ["told"] and missed(5.0, "") == []
""")


def test_each_part_is_written_between_its_marks_of_the_page(run_python: Callable[[str], None]) -> None:
    run_python("""
from pathlib import Path
from benchmarks.__main__ import PARTS
from benchmarks.page import between_marks
begin, end = "<!-- path: begin -->", "<!-- path: end -->"
assert between_marks(f"before {begin} old {end} after", "path", "new") == f"before {begin}\\nnew\\n{end} after"
for name in PARTS:
    between_marks(Path("docs/performance.md").read_text(encoding="utf-8"), name, "it has both marks")
""")


def test_a_plan_is_units_times_their_numbers(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """100 scenarios x 64 replications on 2 machines of 5 cores, every unit another power of ten."""
    monkeypatch.syspath_prepend(root)
    from benchmarks.scaling import Units, plan

    units = Units(
        n_incidents=1, start_s=1_000.0, compose_s=10.0, check_s=1.0, first_s=100.0, next_s=50.0, look_s=0.1,
        hand_out_s=0.5, gather_once_s=7.0, gather_scenario_s=3.0, gather_replication_s=0.25, n_bytes=2e6, n_files=7,
        worker_mb=700.0, own_mb=400.0, gather_mb=0.0,
    )  # fmt: skip
    made = plan(units, 100, 64, 2, 5)
    assert made.jobs_h * 3_600 == pytest.approx(100 * (1_000 + 11 + 64 * 100.1) / 10)
    assert made.pool_h * 3_600 == pytest.approx(100 * 11 + 100 * 0.5 + 1_000 + 64 * (100 + 99 * 50) / 10)
    assert made.gather_h * 3_600 == pytest.approx(7 + 100 * 3 + 6_400 * 0.25)
    assert (made.machine_mb, made.n_files) == (5 * 400 + 300, 44_800)
    assert made.disk_tb == pytest.approx(0.0128)
