"""Replications on the workers of a Dask cluster: one on this machine, or whatever a scheduler's address leads to.

This process hands out batches and waits; a worker writes each replication into the run directory itself, which must
therefore lie on a folder that all of them share. A batch whose worker died is given to another, which takes what is
finished as it is. A worker with other source, versions or city files than this process, or that does not see the run
directory, is named and nothing is made on it. Next: `pool.py`, which cuts the batches.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import GOES_ON, DgsimError
from sim.provenance import city_digest, sha256_of_file, software
from sim.run.pool import Make, batches_of, deaf_to_ctrl_c
from sim.run.work import CONFIG, RESULT, Batch, Job
from sim.settings import GIVEN_FILES, Settings, what_key

if TYPE_CHECKING:
    from distributed import Client, Future

DASK = "dask"
"""The setting for a cluster of this command's own; every other one is a scheduler's address."""
_CONNECT_S = 15
_NO_WORKER_S = 120
_SHARED_S = 60
_LOOK_EVERY_S = 5
_ONE_AT_A_TIME = threading.Lock()
"""Held while a batch is made: what batches of one process share is made for one of them at a time."""


class ClusterError(DgsimError):
    """The cluster cannot be reached, was lost, or has workers that would make something else."""


# --- on the side of the command ---------------------------------------------------------------------------------------


def workers_at(address: str) -> int:
    """Return the number of worker processes that the scheduler at an address has now, all of them fit.

    Raises
    ------
    ClusterError
        If no scheduler answers, or a worker is not fit.
    """
    with _connected(address, 0) as client:
        return len(_fit_workers(client))


def made_on_cluster(jobs: Sequence[Job], make: Make, where: str, workers: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the results of batches made on a cluster, as they finish; what is out when this is left is called off.

    Parameters
    ----------
    where : DASK for a cluster of `workers` processes on this machine, which ends with this; else an address.

    Raises
    ------
    ClusterError
        If the scheduler or all workers are lost, batches keep killing workers, or a worker is not fit.
    """
    with _connected(where, workers) as client:
        n_workers = len(_fit_workers(client))
        todo = iter(batches_of([_from_anywhere(job) for job in jobs], n_workers))
        marks = {folder: sha256_of_file(folder / CONFIG) for folder in {_arm_folder(job) for job in jobs}}
        out: set[Future[Any]] = set()
        try:
            while True:
                for batch in islice(todo, 2 * n_workers - len(out)):
                    of_batch = {str(path.absolute()): marks[path] for path in {_arm_folder(job) for job in batch}}
                    task = (make, batch, dict(software()), of_batch)
                    out.add(client.submit(on_worker, *task, pure=False))
                if not out:
                    return
                finished, out = _next_finished(client, out)
                n_workers = max(len(client.nthreads()), 1)
                for future in finished:
                    yield _seen(future.result())
        finally:
            if client.status == "running":
                client.cancel(list(out), force=True)


@contextmanager
def _connected(where: str, workers: int) -> Iterator[Client]:
    """Give a client of the cluster; turn what may happen to the cluster inside the block into one message."""
    from distributed import Client, KilledWorker
    from distributed.client import FuturesCancelledError
    from distributed.comm.core import CommClosedError

    lost = f"run.pool={where}: the scheduler is gone; {GOES_ON}"
    with _quiet():
        cluster: Any = None
        try:
            if where == DASK:
                cluster = _own_cluster(workers)
            client = Client(where if cluster is None else cluster, timeout=_CONNECT_S)
        except (OSError, TimeoutError) as error:
            mend = "start one with `dask scheduler`, or give the address that it prints"
            raise ClusterError(f"run.pool={where}: no Dask scheduler answers there ({error}); {mend}") from error
        try:
            yield client
        except KilledWorker as error:
            why = "worker processes were killed again and again over the same batch, for want of memory perhaps"
            raise ClusterError(f"run.pool={where}: {why}; {GOES_ON}") from error
        except (FuturesCancelledError, CommClosedError) as error:
            raise ClusterError(lost) from error
        finally:
            client.close(timeout=_LOOK_EVERY_S)
            if cluster is not None:
                cluster.close(timeout=_LOOK_EVERY_S)


def _own_cluster(workers: int) -> Any:
    """Return a cluster on this machine, whose processes leave Ctrl-C to this one."""
    from multiprocessing.resource_tracker import ensure_running

    from distributed import LocalCluster

    quiet = {"dashboard_address": "127.0.0.1:0", "silence_logs": logging.CRITICAL}
    ensure_running()  # its start lets Ctrl-C through again
    try:
        with deaf_to_ctrl_c():
            return LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", **quiet)
    except RuntimeError as error:
        mend = 'a script must begin its work under `if __name__ == "__main__":`; run.pool=local does without'
        raise ClusterError(f"run.pool={DASK}: worker processes did not start ({error}); {mend}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own log messages inside the block to itself: what matters of them is told as an error."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def _next_finished(client: Client, out: set[Future[Any]]) -> tuple[set[Future[Any]], set[Future[Any]]]:
    """Return the futures that are finished, at least one, and those that are not; wait only while there are workers."""
    from distributed import wait

    without_since = None
    while True:
        try:
            done, not_done = wait(out, timeout=_LOOK_EVERY_S, return_when="FIRST_COMPLETED")
            return set(done), set(not_done)
        except TimeoutError:
            without_since = None if client.nthreads() else without_since or time.monotonic()
        if without_since is not None and time.monotonic() - without_since > _NO_WORKER_S:
            raise ClusterError(f"the scheduler has had no worker for {_NO_WORKER_S} s; start some; {GOES_ON}")


def _fit_workers(client: Client) -> list[str]:
    """Return the addresses of the workers.

    Raises
    ------
    ClusterError
        Naming all that are not fit, or if there is none at all.
    """
    try:
        client.wait_for_workers(1, timeout=_CONNECT_S)
    except TimeoutError as error:
        mend = "start some with `dask worker ADDRESS --nthreads 1 --nworkers N`"
        raise ClusterError(f"the scheduler has no worker; {mend}") from error
    told = client.run(software_here, on_error="return")
    threads = client.nthreads()
    faults = []
    for worker, there in sorted(told.items()):
        if isinstance(there, BaseException):
            faults.append(f"worker {worker}: cannot run this program ({there}); install it there or stop the worker")
        elif other := other_software(there, software()):
            faults.append(f"worker {worker}: {other}; install the same there and start the worker again")
        elif threads.get(worker, 1) > 1:
            faults.append(f"worker {worker}: has {threads[worker]} threads, one makes replications; use --nthreads 1")
    if faults:
        raise ClusterError("\n".join(faults))
    return sorted(told)


def _arm_folder(job: Job) -> Path:
    return job.folder.parent.parent


def _from_anywhere(job: Job) -> Job:
    """Return a job that means the same to a process that was started in another folder."""
    settings = job.settings
    if settings.city_folder() == Path(settings.city.folder):
        settings = replace(settings, city=replace(settings.city, folder=str(settings.city_folder().absolute())))
    for key in GIVEN_FILES:
        group, name = key.split(".")
        part = getattr(settings, group)
        if path := str(getattr(part, name)):
            settings = replace(settings, **{group: replace(part, **{name: str(Path(path).absolute())})})
    return replace(job, settings=settings, folder=job.folder.absolute())


def _seen(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a batch's results once this process sees its folders: a network's file system may take a while."""
    deadline = time.monotonic() + _SHARED_S
    for result in results:
        folder = Path(result.pop("folder"))
        while not (folder / RESULT).is_file():
            if time.monotonic() > deadline:
                why = f"was made by a worker and is not to be seen here after {_SHARED_S} s"
                raise ClusterError(f"{folder}: {why}; name a folder that all share with run.outputs=…")
            os.listdir(folder.parent)  # makes a file system over the network look again
            time.sleep(0.2)
    return results


# --- on the side of a worker ------------------------------------------------------------------------------------------


def software_here() -> Mapping[str, Any]:
    """Return versions and source of the process that this is called in."""
    return dict(software())


def on_worker(make: Make, batch: Batch, wanted: Mapping[str, Any], marks: Mapping[str, str]) -> list[dict[str, Any]]:
    """Make a batch, one replication after the other, each after a look whether this process is fit for it.

    Parameters
    ----------
    wanted : the software of the process that hands out batches.
    marks : folder of an arm -> SHA-256 of its `config.yaml`, by which a folder is known to be shared and still wanted.

    Raises
    ------
    ClusterError
        If it is not.
    """
    here = f"worker on {platform.node()}, process {os.getpid()}"
    results = []
    with _ONE_AT_A_TIME:
        if other := other_software(software(), wanted):
            raise ClusterError(f"{here}: {other}; install the same there and start the worker again; {GOES_ON}")
        for job in batch:
            if unfit := _unfit_for(job, str(wanted["source"]["result"]), marks):
                raise ClusterError(f"{here}: {unfit}; {GOES_ON}")
            results += [result | {"folder": str(job.folder)} for result in make((job,))]
    return results


def other_software(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Return what of a worker's software would let other bytes come out; "" if nothing."""
    if there["source"]["result"] != wanted["source"]["result"]:
        digests = f"{there['source']['result'][:12]}…, here {wanted['source']['result'][:12]}…"
        return f"has other source of this program ({digests})"
    before, now = dict(there["versions"]), dict(wanted["versions"])
    before["python"], now["python"] = (str(of["python"]).rpartition(".")[0] for of in (there, wanted))
    others = [f"{name} {before.get(name)}, here {now[name]}" for name in now if before.get(name) != now[name]]
    return f"has other versions ({'; '.join(others)})" if others else ""


def _unfit_for(job: Job, source: str, marks: Mapping[str, str]) -> str:
    """Return why this process must not make a job; "" if it may."""
    folder = _arm_folder(job)
    try:
        is_wanted = sha256_of_file(folder / CONFIG) == marks[str(folder)]
    except OSError:
        return f"does not see {folder / CONFIG}; name an outputs folder that all workers share with run.outputs=…"
    if not is_wanted:
        return f"{folder} holds another run by now"
    if _key_here(job.settings, source) != job.key:
        return f"finds other files of the city {job.settings.city.folder} than there were; let all have the same"
    return ""


def _key_here(settings: Settings, source: str) -> str:
    return what_key(settings, city_digest(settings.city_folder()), source)
