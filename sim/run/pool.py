"""Many replications at once: the same files whatever the number of workers and whatever the order.

A *batch* is what one worker does in one go: the arms of one replication, which share their incidents, so those are
made once. Every finished replication is on disk before the next begins; interrupting or killing the command loses the
unfinished ones only, and a worker that dies its own: the others go on. Whatever ends the command - Ctrl-C, SIGTERM, an
error - ends its workers at once. The workers are processes of this machine; `cluster.py` has those of a Dask cluster.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import DgsimError
from sim.provenance import DiskFullError
from sim.run.work import Batch, Job

if TYPE_CHECKING:
    from sim.compare import Run

Make = Callable[[Batch], list[dict[str, Any]]]
LOCAL = "local"
MIN_SHOWN_S = 2.0
MOST_IN_BATCH = 64
"""Jobs of one batch: the progress shown, and what a cluster hands to another worker at once, stay small."""
_MAX_LOST_WORKERS = 3
_LOST = (
    "worker processes were killed again and again, by the system for want of memory perhaps; finished replications are "
    "kept; try again with run.workers=1"
)


class WorkerError(DgsimError):
    """Worker processes died again and again."""


def pool_workers(where: str, wanted: int) -> int:
    """Return the number of processes of a pool, as the settings `run.pool` and `run.workers` have it.

    Raises
    ------
    ClusterError
        If the pool is a cluster elsewhere and cannot be used.
    """
    from sim.run.cluster import DASK, workers_at

    return n_workers(wanted) if where in (LOCAL, DASK) else workers_at(where)


def n_workers(wanted: int) -> int:
    """Return the number of processes for a setting of `workers`; 0 is one per core this process may use."""
    if wanted:
        return wanted
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else (os.cpu_count() or 1)


def batches_of(jobs: Sequence[Job], workers: int) -> list[Batch]:
    """Return the jobs as batches of one replication each, cut smaller where there are too few for the workers.

    Neighbours stay together as far as they can: arms of one world share its roads.
    """
    groups: dict[int, list[Job]] = {}
    for job in jobs:
        groups.setdefault(job.replication, []).append(job)
    whole = [tuple(group) for group in groups.values()]
    size = MOST_IN_BATCH
    if workers > 1 and len(whole) < 2 * workers:
        size = min(max(len(jobs) // (8 * workers), 1), size)
    return [group[at : at + size] for group in whole for at in range(0, len(group), size)]


def run_jobs(
    jobs: Sequence[Job],
    make: Make,
    workers: int,
    *,
    where: str = LOCAL,
    keep: Callable[[dict[str, Any]], dict[str, Any]] = lambda result: result,
) -> list[dict[str, Any]]:
    """Make all jobs and return their results, in the order of `jobs`; shows progress when it takes over two seconds.

    `make` is a function of a module, so that worker processes can import it. `where`: as the setting `run.pool`.
    `keep`: what is returned of a result, so that memory grows by no more.

    Raises
    ------
    DgsimError
        The first error of a replication, or that workers kept dying; finished replications stay.
    """
    results: dict[tuple[str, int], dict[str, Any]] = {}
    with _progress(len(jobs)) as bar:
        if where == LOCAL:
            batches = _finished_batches(jobs, make, workers)
        else:
            from sim.run.cluster import made_on_cluster

            batches = made_on_cluster(jobs, make, where, workers)
        for finished in batches:
            for result in finished:
                results[(result["arm"], result["replication"])] = keep(result)
                bar.update(1)
    return [results[(job.arm, job.replication)] for job in jobs]


@contextmanager
def map_in_processes(workers: int) -> Iterator[Run]:
    """Give a map over jobs, in order: in so many processes, or in this one where it is one.

    In several, jobs are begun when they are given, not when their results are asked for.
    """
    if workers <= 1:
        yield map
        return
    pool, is_done = _processes(workers), False
    try:
        yield pool.map
        is_done = True
    finally:
        pool.shutdown(wait=True, kill_workers=not is_done)


def _progress(n_jobs: int) -> Any:
    from tqdm import tqdm

    form = "{desc} {n_fmt}/{total_fmt} |{bar}| {elapsed}, {remaining} left, {rate_fmt}"
    return tqdm(total=n_jobs, desc="replications", unit="rep", delay=MIN_SHOWN_S, bar_format=form, disable=None)


def _finished_batches(jobs: Sequence[Job], make: Make, workers: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the results of batches as they finish."""
    if workers == 1 or len(jobs) <= 1:
        for batch in batches_of(jobs, 1):
            yield make(batch)
        return
    yield from _parallel(deque(batches_of(jobs, workers)), make, workers)


def _parallel(todo: deque[Batch], make: Make, workers: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the results of batches made by worker processes, which end at once when this is left before its end.

    Each worker is a pool of its own: loky ends all processes of a pool when one of them dies. Each has one batch at a
    time, so that none waits behind a slow worker and batches begin in their order.
    """
    from joblib.externals.loky import FIRST_COMPLETED, wait
    from joblib.externals.loky.backend.resource_tracker import ensure_running
    from joblib.externals.loky.process_executor import BrokenProcessPool, TerminatedWorkerError

    ensure_running()  # its start lets Ctrl-C through again
    pools, n_lost, is_done = [_processes(1) for _ in range(min(workers, len(todo)))], 0, False
    at_work: dict[Any, tuple[Any, Batch]] = {}
    try:
        while todo or at_work:
            with deaf_to_ctrl_c():
                busy = [pool for pool, _ in at_work.values()]
                for pool in [pool for pool in pools if pool not in busy][: len(todo)]:
                    batch = todo.popleft()
                    at_work[pool.submit(in_worker, make, batch, os.getpid())] = (pool, batch)
            finished, _ = wait(at_work, return_when=FIRST_COMPLETED)
            for pool, batch, future in [(*at_work.pop(future), future) for future in finished]:
                try:
                    made = future.result()
                except (TerminatedWorkerError, BrokenProcessPool) as error:
                    n_lost += 1
                    if n_lost >= _MAX_LOST_WORKERS:
                        raise WorkerError(_LOST) from error
                    todo.appendleft(batch)
                    pools[pools.index(pool)] = _processes(1)
                    pool.shutdown(wait=True, kill_workers=True)
                else:
                    yield made
        is_done = True
    finally:
        _end(pools, are_killed=not is_done)


def _end(pools: Sequence[Any], *, are_killed: bool) -> None:
    """End pools side by side: one that has nothing left to do takes a fifth of a second."""
    with ThreadPoolExecutor(len(pools)) as threads:
        list(threads.map(lambda pool: pool.shutdown(wait=True, kill_workers=are_killed), pools))


def _processes(n: int) -> Any:
    """Return an executor of `n` worker processes with a core each, which do not begin by running the command again."""
    from joblib.externals.loky import ProcessPoolExecutor

    return ProcessPoolExecutor(n, initializer=hold_memory, env=dict.fromkeys(_THREADS, "1"))


def hold_memory() -> None:
    """Let this worker process hold what jobs share: loky ends one with 300 MB more than after its first job."""
    from joblib.externals.loky import process_executor

    process_executor._MAX_MEMORY_LEAK_SIZE = sys.maxsize


_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""Libraries read these; a worker has one core."""


@contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Keep Ctrl-C waiting inside the block; processes that begin in it never hear it and leave it to their parent."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def in_worker(make: Make, batch: Batch, parent: int) -> list[dict[str, Any]]:
    """Make a batch in a worker process, which ends when the parent is gone."""
    if os.getpid() != parent and not _is_alive(parent):
        raise SystemExit(1)
    return make(batch)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def check_room(folder: Path, n_bytes: int) -> None:
    """Stop before starting when the disk clearly cannot hold what is to be written.

    Raises
    ------
    DiskFullError
        If less is free than `n_bytes`.
    """
    import shutil

    free = shutil.disk_usage(folder).free
    if free < n_bytes:
        need = f"needs about {n_bytes / 1e6:.0f} MB, {free / 1e6:.0f} MB are free"
        raise DiskFullError(f"{folder}: {need}; free some space or name another folder with run.outputs=…")
