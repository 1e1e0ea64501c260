"""Claims about runs that are cut short: what is finished is kept, nothing is left half-written, workers end."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.provenance import (
    DiskFullError,
    sha256_of_file,
)  # fmt: skip
from sim.run.execute import execute
from sim.run.verify import verify
from sim.run.work import RESULT, Work, claim, jobs_of, replication_folder, results_of, state_of
from tests.run.killing import MARK

MakeWork = Callable[..., Work]


def table_digests(folder: Path) -> dict[str, str]:
    whole = [path for path in sorted(folder.rglob("*.parquet")) if ".part-" not in path.as_posix()]
    return {path.relative_to(folder).as_posix(): sha256_of_file(path) for path in whole}


def many_replications(folder: Path, n: int) -> list[str]:
    """A command that makes a run of `n` replications in `folder`, on one process."""
    short = ["window=one_week", "window.measure_to=2026-06-03", "window.warm_up_days=0", "window.run_out_days=1"]
    more = ["schedule.is_outside_run_allowed=true", "run.workers=1", f"run.n_replications={n}"]
    code = (
        "import sys; from pathlib import Path; from sim.compose import compose;"
        "from sim.compose.study import single_work;"
        "from sim.run.execute import execute; execute(single_work(compose(sys.argv[2:]), out=Path(sys.argv[1])))"
    )
    return [sys.executable, "-c", code, str(folder), *short, *more]


def wait_for(path: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.02)


def test_a_killed_run_keeps_what_is_finished_and_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    running = subprocess.Popen(many_replications(folder, 200), stderr=subprocess.DEVNULL)
    try:
        wait_for(replication_folder(folder, 2) / RESULT, 120)
        running.kill()
        assert running.wait(20) != 0
    finally:
        running.kill()
    kept = {r: result["log_digest"] for _, r, result in results_of(folder)}
    assert 3 <= len(kept) < 200
    assert not (folder / "COMPLETE").exists()
    assert state_of(folder).word == "unfinished"
    times = {r: (replication_folder(folder, r) / RESULT).stat().st_mtime_ns for r in kept}
    n = len(kept) + 2
    subprocess.run(many_replications(folder, n), check=True)
    after = {r: result["log_digest"] for _, r, result in results_of(folder)}
    assert len(after) == n
    assert {r: after[r] for r in kept} == kept
    assert {r: (replication_folder(folder, r) / RESULT).stat().st_mtime_ns for r in kept} == times
    assert state_of(folder).word == "complete"
    assert not list(folder.rglob(".part-*")), "nothing half-written is left"


def children_of(pid: int) -> set[int]:
    """Every process below one, on Linux."""
    found: set[int] = set()
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            found |= {child} | children_of(child)
    return found


def is_running(pid: int) -> bool:
    """Whether a process is there and is no corpse that waits to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for processes as Linux shows them")
@pytest.mark.parametrize(
    ("how", "pool", "code", "told"),
    [
        pytest.param(signal.SIGTERM, "local", 143, "dgsim: terminated; what is finished is kept", id="SIGTERM"),
        pytest.param(signal.SIGINT, "local", 130, "dgsim: interrupted; what", id="Ctrl-C", marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, "dask", 130, "dgsim: interrupted; what", id="Ctrl-C, Dask", marks=pytest.mark.slow),
    ],
)
def test_a_signal_ends_workers_at_once_and_leaves_nothing_half_written(
    tmp_path: Path, how: signal.Signals, pool: str, code: int, told: str
) -> None:
    """SIGTERM goes to the command alone, as `kill` sends it; Ctrl-C to all its processes, as a terminal does."""
    folder = tmp_path / "run"
    texts = [text.replace("run.workers=1", "run.workers=2") for text in many_replications(folder, 2_000)[4:]]
    heeds = "signal.signal(signal.SIGINT, signal.default_int_handler)"  # what starts in the background ignores it
    start = f"import signal, sys; {heeds}; from sim.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", start, "run", *texts, f"run.pool={pool}", "--out", str(folder)]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        wait_for(replication_folder(folder, 3) / RESULT, 120)
        processes = children_of(running.pid)
        assert len(processes) >= 2
        begun = time.monotonic()
        if how is signal.SIGINT:
            os.killpg(running.pid, how)
        else:
            running.send_signal(how)
        _, errors = running.communicate(timeout=60)
        assert time.monotonic() - begun < 10
    finally:
        running.kill()
    assert running.returncode == code
    assert told in errors
    assert "Traceback" not in errors
    while any(is_running(pid) for pid in processes):  # the last to go keeps watch over shared memory
        assert time.monotonic() - begun < 20
        time.sleep(0.05)
    n_kept = sum(1 for _ in results_of(folder))
    assert 3 <= n_kept < 2_000, "one of the two workers had reached the fourth; the other may be at an earlier one"
    assert not list(folder.rglob(".part-*"))
    assert not (folder / "COMPLETE").exists()
    assert len(list((folder / "replications").iterdir())) == n_kept, "each folder there is a finished replication"


@pytest.mark.parametrize("n_before", [0, 2])
def test_a_full_disk_is_one_clear_message_loses_nothing_and_leaves_nothing_half_written(
    tmp_path: Path, n_before: int
) -> None:
    """A limit on the size of files stands for the full disk: the first table that passes it fails."""
    folder = tmp_path / "run"
    if n_before:
        subprocess.run(many_replications(folder, n_before), check=True)
    kept = {path: path.read_bytes() for path in folder.rglob("r0*/*")}
    command = many_replications(folder, n_before + 2)
    code = (
        "import resource, sys; from sim.errors import DgsimError; import sim.run.execute as making\n"
        "run_jobs = making.run_jobs\n"
        "def run_with_little_room(*given, **named):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))\n"
        "    return run_jobs(*given, **named)\n"
        "making.run_jobs = run_with_little_room\n"
        f"try:\n exec({command[2]!r})\n"
        "except DgsimError as error:\n print(error); sys.exit(error.exit_code)"
    )
    done = subprocess.run([command[0], "-c", code, *command[3:]], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr[-2000:]
    assert "the disk is full; finished replications are kept" in done.stdout
    assert not list(folder.rglob(".part-*"))
    assert not replication_folder(folder, n_before).exists()
    assert {path: path.read_bytes() for path in folder.rglob("r0*/*")} == kept
    assert len({path.parent for path in kept}) == n_before
    assert not (folder / "COMPLETE").exists()


def test_too_little_room_is_said_before_anything_runs(make_work: MakeWork, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    usage = shutil.disk_usage("/")._replace(free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(DiskFullError, match="MB are free"):
        execute(make_work())
    assert not list(make_work().folder.rglob("result.json"))


@pytest.mark.slow
def test_of_two_commands_for_one_run_at_once_one_makes_it_and_the_other_says_so(tmp_path: Path) -> None:
    command = many_replications(tmp_path / "run", 100)
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=300)[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 1]
    refusal = f"{tmp_path / 'run'}: another process is writing this run directory; wait for it"
    assert [refusal in text for text in told] == [process.returncode == 1 for process in both]
    assert state_of(tmp_path / "run").word == "complete"
    assert verify(tmp_path / "run", is_rerun=False).is_same


IN_WORKERS = """
import pickle, sys
from pathlib import Path

import killing
from sim.run.pool import run_jobs

if __name__ == "__main__":
    jobs = pickle.loads(Path(sys.argv[1]).read_bytes())
    results = run_jobs(jobs, getattr(killing, sys.argv[2]), 2)
    assert [(r["arm"], r["replication"]) for r in results] == [(job.arm, job.replication) for job in jobs]
"""


def run_in_workers(work: Work, way: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Make a work's replications in two worker processes by one of the ways of `killing.py`."""
    (folder / "in_workers.py").write_text(IN_WORKERS, encoding="utf-8")
    (folder / "jobs").write_bytes(pickle.dumps(jobs_of(work)))
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent), MARK: str(folder / "died")}
    command = [sys.executable, "-W", "ignore", str(folder / "in_workers.py"), str(folder / "jobs"), way]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_a_killed_worker_costs_only_what_it_was_doing(make_work: MakeWork, tmp_path: Path) -> None:
    whole, hurt = make_work(n_replications=8, name="whole"), make_work(n_replications=8, name="hurt")
    execute(whole)
    done = run_in_workers(hurt, "die_once", tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert table_digests(hurt.folder) == table_digests(whole.folder)
    finished = json.loads((tmp_path / "died").read_text(encoding="utf-8"))
    assert finished
    assert {path: Path(path).stat().st_mtime_ns for path in finished} == finished, "what was finished stays as it is"
    begun = [tuple(line.split()) for line in (tmp_path / "begun").read_text(encoding="utf-8").splitlines()]
    twice = [job for job, n in Counter(begun_job[:2] for begun_job in begun).items() if n > 1]
    assert ("plan", "1") in twice
    batch = {job for job in twice if job[1] == "1"}
    assert set(twice) == batch, "no other worker lost what it was doing"
    assert len({worker for _, _, worker in begun}) == 3, "the other worker went on, one came in the place of the dead"


@pytest.mark.slow
def test_workers_that_are_killed_again_and_again_end_the_command_and_lose_nothing_finished(
    make_work: MakeWork, tmp_path: Path
) -> None:
    work = make_work(n_replications=8)
    work.folder.mkdir()
    claim(work)
    done = run_in_workers(work, "die_always", tmp_path)
    assert "WorkerError: worker processes were killed again and again" in done.stderr
    finished = [(arm, replication) for arm, replication, _ in results_of(work.folder)]
    assert len(finished) >= 8, "of the five before it all but the one that the other worker may have been making"
    outcome = execute(work)
    assert (outcome.n_made, outcome.n_kept) == (16 - len(finished), len(finished))
