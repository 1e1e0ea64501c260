"""Claims about Hydra's launchers: the same files wherever jobs run; a killed job costs what it had not finished."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

import pytest

from sim.cli import main
from sim.commands.new_city import write_template
from sim.compose.launchers import LauncherError, workers_of
from sim.compose.sweep import read_sweep, run_sweep
from sim.errors import InputError
from sim.provenance import sha256_of_file
from sim.run.gather import Formats
from sim.run.work import RESULT, Work, state_of

PROCESSES = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for processes as Linux shows them")
MANY = 30
SHORT = ("window=one_week", "window.measure_to='2026-06-03'", "window.warm_up_days=0", "window.run_out_days=1")
SHARES = "staffing.present_share=0.5,0.68"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city") / "mine"
    write_template(folder)
    return folder


@pytest.fixture(scope="module")
def plain(city: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """SHA-256 of every table of the sweep made by this one process."""
    outputs = tmp_path_factory.mktemp("plain")
    sweep(overrides(city, outputs))
    return digests(outputs)


def overrides(city: Path, outputs: Path, *more: str) -> list[str]:
    """A sweep of two jobs of the small city, and what steers it."""
    return [
        f"city.folder='{city}'",
        f"run.outputs='{outputs}'",
        f"run.n_replications={MANY}",
        "run.workers=1",
        SHARES,
        *more,
    ]


def no_tables(work: Work, formats: Formats) -> None:
    """Gather nothing: these claims are about the jobs."""


def sweep(texts: Sequence[str]) -> list[Work]:
    """Run a sweep and return the run that each job is."""
    read = read_sweep(texts)
    run_sweep(read, gather=no_tables, say=lambda text: None)
    return list(read.jobs)


def digests(outputs: Path) -> dict[str, str]:
    files = sorted((outputs / "run").glob("*/replications/*/*.parquet"))
    return {path.relative_to(outputs).as_posix(): sha256_of_file(path) for path in files}


def times_of(outputs: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (outputs / "run").rglob(RESULT) if ".part-" not in str(path)}


def descendants(pid: int) -> list[int]:
    children = [
        int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()
    ]
    return [*children, *(below for child in children for below in descendants(child))]


def kill_a_job(outputs: Path, name: str, told: list[int]) -> None:
    """Kill the first process below this one whose command holds `name`, once a replication is finished."""
    deadline = time.monotonic() + 120
    while not times_of(outputs):
        assert time.monotonic() < deadline, "no replication came"
        time.sleep(0.01)
    for pid in descendants(os.getpid()):
        if name in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "):
            os.kill(pid, signal.SIGKILL)
            told.append(pid)
            return


@PROCESSES
@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher", "process", "told"),
    [
        ("joblib", "LokyProcess", "the process of a job was killed"),
        ("submitit_local", "submitit.core._submit", r"1 of 2 jobs ended without a result"),
    ],
)
def test_a_killed_job_costs_what_it_had_not_finished_and_the_same_command_finishes_the_sweep(
    city: Path, plain: dict[str, str], tmp_path: Path, launcher: str, process: str, told: str
) -> None:
    texts = overrides(city, tmp_path / "out", f"hydra/launcher={launcher}")
    more = ["hydra.launcher.n_jobs=2"] if launcher == "joblib" else []
    killed: list[int] = []
    killer = Thread(target=kill_a_job, args=(tmp_path / "out", process, killed))
    killer.start()
    with pytest.raises(LauncherError, match=rf"hydra/launcher={launcher}: {told}.*; finished replications are kept"):
        sweep([*texts, *more])
    killer.join()
    assert killed
    kept = times_of(tmp_path / "out")
    assert 1 <= len(kept) < 2 * MANY
    assert sorted({state_of(run).word for run in (tmp_path / "out" / "run").iterdir()})[-1] == "unfinished"
    jobs = sweep([*texts, *more])
    assert [state_of(job.folder).word for job in jobs] == ["complete", "complete"]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept, "only the missing was made"
    assert not list((tmp_path / "out").rglob(".part-*"))
    assert not list((tmp_path / "out").rglob("submitit*")), "what launchers note for themselves is gone"
    assert digests(tmp_path / "out") == plain


STAND_IN = """#!{python}
import os, re, subprocess, sys
from pathlib import Path

name, given = Path(sys.argv[0]).name, sys.argv[1:]
with (Path(__file__).parent / "calls").open("a") as file:
    file.write(" ".join([name, *given]) + "\\n")
if name == "sbatch":
    script = Path(given[-1]).read_text()
    tasks = re.search(r"--array=0-(\\d+)", script)
    cores = re.search(r"--cpus-per-task=(\\d+)", script)[1]
    for task in range(int(tasks[1]) + 1):
        of_job = {{"SLURM_JOB_ID": f"{{77 + task}}", "SLURM_ARRAY_JOB_ID": "77", "SLURM_ARRAY_TASK_ID": str(task),
                  "SLURM_NTASKS": "1", "SLURM_JOB_NUM_NODES": "1", "SLURM_NODEID": "0", "SLURM_PROCID": "0",
                  "SLURM_LOCALID": "0", "SLURM_JOB_NODELIST": "node1", "SLURM_CPUS_PER_TASK": cores}}
        quiet = {{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}}
        subprocess.Popen(["bash", given[-1]], env=os.environ | of_job, start_new_session=True, **quiet)
    print("Submitted batch job 77")
elif name == "srun":
    while given[0].startswith("--"):
        given = given[2:] if given[0] in ("--output", "--error") else given[1:]
    os.execvp(given[0], given)
"""
"""Stands for SLURM's commands: an array's tasks all begin at once, with the variables that SLURM gives them."""


@pytest.mark.slow
def test_jobs_for_slurm_are_an_array_that_asks_for_what_is_given_and_makes_the_same_files(
    city: Path, plain: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sbatch", "srun", "sacct", "scancel"):
        (tools / name).write_text(STAND_IN.format(python=sys.executable), encoding="utf-8")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    asked = ["hydra.launcher.partition=cpu", "hydra.launcher.cpus_per_task=2", "hydra.launcher.timeout_min=30"]
    texts = overrides(city, tmp_path / "out", "hydra/launcher=submitit_slurm", *asked)
    texts.remove("run.workers=1")
    jobs = sweep(texts)
    assert [state_of(job.folder).word for job in jobs] == ["complete", "complete"]
    calls = (tools / "calls").read_text(encoding="utf-8").splitlines()
    assert sum(call.startswith("sbatch ") for call in calls) == 1, "both jobs in one array"
    assert sum(call.startswith("srun ") for call in calls) == 2
    assert digests(tmp_path / "out") == plain


@PROCESSES
@pytest.mark.slow
def test_ending_the_command_calls_off_the_jobs_that_are_out(city: Path, tmp_path: Path) -> None:
    texts = overrides(city, tmp_path / "out", "run.n_replications=2000", "hydra/launcher=submitit_local")
    code = "import sys; from sim.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "run", "-m", *texts]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    deadline = time.monotonic() + 300
    while not times_of(tmp_path / "out"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    processes = descendants(running.pid)
    assert len(processes) >= 4, "two jobs, each with the process that watches over it"
    running.terminate()
    _, errors = running.communicate(timeout=240)
    assert running.returncode == 143
    assert "dgsim: terminated; what is finished is kept" in errors
    while any(Path(f"/proc/{pid}").is_dir() for pid in processes):
        assert time.monotonic() < deadline + 240
        time.sleep(0.05)
    assert not list((tmp_path / "out").rglob(".part-*"))
    assert {state_of(run).word for run in (tmp_path / "out" / "run").iterdir()} == {"unfinished"}


def test_a_job_has_the_processes_that_its_launcher_leaves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    of = {name: {"_target_": f"some.where.{name}"} for name in ("BasicLauncher", "JoblibLauncher", "SlurmLauncher")}
    assert [workers_of(of["BasicLauncher"], n) for n in (0, 4)] == [0, 4]
    assert [workers_of(of["JoblibLauncher"], n) for n in (0, 4)] == [1, 1], "jobs share the machine"
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "16")
    assert [workers_of(of["SlurmLauncher"], n) for n in (0, 4)] == [16, 4]


def test_slurm_where_there_is_none_is_said_before_anything_starts(city: Path, tmp_path: Path) -> None:
    if shutil.which("sbatch"):
        pytest.skip("there is one")
    with pytest.raises(InputError, match=r"'submitit_slurm' \(hydra/launcher\) finds no `sbatch` on this machine"):
        read_sweep(overrides(city, tmp_path / "out", "hydra/launcher=submitit_slurm"))


def test_a_launcher_that_is_none_is_a_message_with_those_there_are(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "-m", *overrides(city, tmp_path / "out", "hydra/launcher=slurm")]) == 2
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert all(name in told for name in ("hydra/launcher/slurm", "joblib", "submitit_slurm"))
    assert not (tmp_path / "out" / "run").exists()
