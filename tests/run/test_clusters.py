"""Claims about Dask clusters: the same files as one process makes, whatever dies; what would make others is named."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import pytest

from sim.cli import main
from sim.provenance import DiskFullError, read_manifest, sha256_of_file, software
from sim.run import cluster
from sim.run.cluster import ClusterError, on_worker
from sim.run.execute import execute
from sim.run.pool import batches_of, run_jobs
from sim.run.replication import make_batch
from sim.run.work import CONFIG, RESULT, Job, Work, claim, jobs_of, results_of

MakeWork = Callable[..., Work]
HERE = Path(__file__).parent
MARK = "DIED_AT"
"""What `killing.py` looks for: the name of the file that is made at the first death."""


def table_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every table of every replication, event logs among them."""
    tables = sorted(folder.glob("arms/*/replications/r*/*.parquet"))
    return {path.relative_to(folder).as_posix(): sha256_of_file(path) for path in tables}


def times_of(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.glob(f"arms/*/replications/r*/{RESULT}")}


def claimed(work: Work) -> list[Job]:
    """The jobs of a work whose folder is ready for them."""
    work.folder.mkdir()
    claim(work)
    return jobs_of(work)


class Cluster:
    """A scheduler and workers on this machine, each a process of its own that nobody starts again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, list[subprocess.Popen[bytes]]()
        self._begin("scheduler", "--port", "0")
        told = folder / "scheduler.json"
        wait_until(told.is_file)
        self.address = str(json.loads(told.read_text(encoding="utf-8"))["address"])

    def _begin(self, *given: str, path: Path = HERE) -> subprocess.Popen[bytes]:
        """Start `dask …` away from the project's folder; `path` comes first of all places to import from."""
        usual = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(self.folder / "scheduler.json")]
        environment = os.environ | {"PYTHONPATH": str(path), MARK: str(self.folder / "died")}
        command = [sys.executable, "-m", "dask", *given, *usual]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.processes.append(subprocess.Popen(command, cwd=self.folder, env=environment, **quiet))
        return self.processes[-1]

    def add_worker(self, path: Path = HERE, n_threads: int = 1) -> subprocess.Popen[bytes]:
        return self._begin("worker", "--nthreads", f"{n_threads}", "--no-nanny", "--death-timeout", "10", path=path)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "did not come"
        time.sleep(0.02)


@pytest.fixture
def killing(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Ways of making a batch that go wrong, as a module that worker processes can import too."""
    monkeypatch.syspath_prepend(HERE)
    return importlib.import_module("killing")


@pytest.fixture
def dask_cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A scheduler without workers, which ends with the test."""
    folder = tmp_path / "dask"
    folder.mkdir()
    begun = Cluster(folder)
    try:
        yield begun
    finally:
        begun.end()


@contextmanager
def meanwhile(act: Callable[[], None]) -> Iterator[None]:
    """Act in a thread while the block runs."""
    thread = Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@pytest.mark.slow
def test_a_killed_worker_costs_its_unfinished_replications_only(
    make_work: MakeWork, finished: Path, dask_cluster: Cluster, killing: ModuleType
) -> None:
    workers = [dask_cluster.add_worker() for _ in range(2)]
    work = make_work("run.log=full", f"run.pool={dask_cluster.address}")
    jobs = claimed(work)
    made = run_jobs(jobs, killing.die_once, 1, where=dask_cluster.address)
    assert [(result["arm"], result["replication"]) for result in made] == [(job.arm, job.replication) for job in jobs]
    finished_then = json.loads((dask_cluster.folder / "died").read_text(encoding="utf-8"))
    assert sorted(worker.poll() for worker in workers if worker.poll() is not None) == [-signal.SIGKILL]
    assert table_digests(work.folder) == table_digests(finished)
    assert not list(work.folder.rglob(".part-*"))
    assert finished_then, "some were finished when it died"
    assert finished_then.items() <= {str(path): written for path, written in times_of(work.folder).items()}.items()
    outcome = execute(work)
    assert (outcome.n_made, outcome.n_kept) == (0, 4), "the same command finds all of it"


@pytest.mark.slow
def test_a_scheduler_that_is_gone_is_told_and_the_same_command_makes_the_missing_only(
    make_work: MakeWork, finished: Path, dask_cluster: Cluster, killing: ModuleType
) -> None:
    dask_cluster.add_worker()
    work = make_work("run.log=full", f"run.pool={dask_cluster.address}")
    jobs = claimed(work)

    def end_it() -> None:
        wait_until(lambda: len(times_of(work.folder)) >= 1)
        dask_cluster.processes[0].kill()

    with meanwhile(end_it), pytest.raises(ClusterError, match="the scheduler is gone; finished replications are kept"):
        run_jobs(jobs, killing.linger, 1, where=dask_cluster.address)
    dask_cluster.end()
    kept = times_of(work.folder)
    assert 1 <= len(kept) < 4
    outcome = execute(make_work("run.log=full"))
    assert (outcome.n_made, outcome.n_kept) == (4 - len(kept), len(kept))
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert table_digests(work.folder) == table_digests(finished)


@pytest.mark.slow
def test_a_worker_with_other_source_is_refused_by_name_before_anything_is_touched(
    make_work: MakeWork, dask_cluster: Cluster, tmp_path: Path, root: Path
) -> None:
    for name in ("sim", "configs"):
        shutil.copytree(root / name, tmp_path / "other" / name, ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "other" / "sim" / "units.py").open("a", encoding="utf-8") as file:
        file.write("# another version\n")
    worker = dask_cluster.add_worker(tmp_path / "other")
    work = make_work(f"run.pool={dask_cluster.address}")
    with pytest.raises(ClusterError, match=r"^worker tcp://127.0.0.1:\d+: has other source of this program \("):
        execute(work)
    assert not work.folder.exists()
    worker.kill()
    worker.wait()


@pytest.mark.slow
def test_a_worker_with_two_threads_is_refused_by_name(make_work: MakeWork, dask_cluster: Cluster) -> None:
    dask_cluster.add_worker(n_threads=2)
    work = make_work(f"run.pool={dask_cluster.address}")
    with pytest.raises(ClusterError, match=r"^worker tcp://127.0.0.1:\d+: has 2 threads, one makes replications; use"):
        execute(work)
    assert not work.folder.exists()


@pytest.mark.slow
def test_where_every_worker_is_gone_it_waits_for_a_while_and_says_so(
    make_work: MakeWork, dask_cluster: Cluster, killing: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    dask_cluster.add_worker()
    monkeypatch.setattr(cluster, "_NO_WORKER_S", 1)
    monkeypatch.setattr(cluster, "_LOOK_EVERY_S", 0.5)
    jobs = claimed(make_work())
    with pytest.raises(ClusterError, match="has had no worker for 1 s; start some; finished replications are kept"):
        run_jobs(jobs, killing.die_once, 1, where=dask_cluster.address)


@pytest.mark.slow
def test_a_cluster_of_the_commands_own_tells_a_full_disk_and_makes_the_same_files_once_there_is_room(
    make_work: MakeWork, finished: Path, killing: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    work = make_work("run.log=full", "run.pool=dask", "run.workers=2")
    with pytest.raises(DiskFullError, match="the disk is full; finished replications are kept"):
        run_jobs(claimed(work), killing.with_little_room, 2, where="dask")
    assert not times_of(work.folder)
    assert execute(work).n_made == 4
    assert not list(work.folder.rglob(".part-*"))
    assert table_digests(work.folder) == table_digests(finished)
    peaks = [result["peak_mb"] for _, _, result in results_of(work.folder)]
    assert all(50 < peak < 2_000 for peak in peaks), peaks
    assert read_manifest(work.folder)["memory"]["replications_peak_mb"] == max(peaks)


def test_no_scheduler_is_a_clear_message_and_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cluster, "_CONNECT_S", 0.5)
    assert main(["run", "run.pool=tcp://127.0.0.1:1", "--out", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert told.startswith("dgsim: run.pool=tcp://127.0.0.1:1: no Dask scheduler answers there (")
    assert "start one with `dask scheduler`" in told
    assert not (tmp_path / "run").exists()


def test_a_pool_that_is_none_is_an_error_that_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "run.pool=dusk"]) == 2
    assert "'dusk' (run.pool) is neither local, dask nor the address of a Dask scheduler" in capsys.readouterr().err


# --- what a worker looks at before it makes anything ------------------------------------------------------------------


def marks_of(job: Job) -> dict[str, str]:
    folder = job.folder.parent.parent
    return {str(folder): sha256_of_file(folder / CONFIG)}


def refusal(job: Job, wanted: dict[str, Any], marks: dict[str, str]) -> str:
    """What a worker says of a job that it refuses; it makes nothing of it."""
    with pytest.raises(ClusterError) as caught:
        on_worker(make_batch, (job,), wanted, marks)
    assert not job.folder.exists()
    return str(caught.value)


def test_a_worker_refuses_what_it_would_make_otherwise_than_asked(make_work: MakeWork, tmp_path: Path) -> None:
    job = claimed(make_work())[0]
    here, marks = dict(software()), marks_of(job)
    older = here | {"versions": here["versions"] | {"pyarrow": "1.0"}}
    other = here | {"source": here["source"] | {"result": "0" * 64}}
    assert f"has other versions (pyarrow {here['versions']['pyarrow']}, here 1.0)" in refusal(job, older, marks)
    assert "has other source of this program" in refusal(job, other, marks)
    assert "finds other files of the city" in refusal(replace(job, key="f" * 64), here, marks)
    assert "holds another run by now" in refusal(job, here, dict.fromkeys(marks, "f" * 64))
    shutil.rmtree(make_work().folder)
    assert "does not see" in refusal(job, here, marks)
    assert not make_work().folder.exists(), "a worker never begins a run directory that it does not see"


def test_paths_of_the_settings_mean_the_same_to_a_worker_that_was_started_elsewhere(
    make_work: MakeWork, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    job = jobs_of(make_work())[0]
    monkeypatch.chdir(tmp_path)
    settings = replace(job.settings, siting=replace(job.settings.siting, coordinates="sites.csv"))
    settings = replace(settings, city=replace(settings.city, folder="mine"))
    sent = cluster._from_anywhere(replace(job, settings=settings, folder=Path("run/r0000")))
    assert sent.folder == tmp_path / "run" / "r0000"
    assert sent.settings.siting.coordinates == str(tmp_path / "sites.csv")
    assert sent.settings.city.folder == str(tmp_path / "mine")
    assert cluster._from_anywhere(job).settings == job.settings, "a city under configs/ goes by its name"


def test_what_is_out_of_a_batch_is_cut_small_enough_to_be_handed_on(make_work: MakeWork) -> None:
    job = jobs_of(make_work())[0]
    many = [replace(job, arm=f"a{i}") for i in range(1_000)]
    batches = batches_of(many, 1)
    assert max(len(batch) for batch in batches) == 64
    assert [job.arm for batch in batches for job in batch] == [job.arm for job in many]
