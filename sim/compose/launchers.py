"""Hydra's launchers, which spread the jobs of a sweep: what each is for, and what is made of its failures.

basic: one job after the other, each on all processes. joblib: side by side on this machine, each on one process.
submitit_local: as joblib, by processes that submitit starts and watches, all at once; for trying out what
submitit_slurm does, which hands the jobs to SLURM, each on the processors that SLURM gives it. Hydra finds them and
their settings (`hydra.launcher.*`) by itself, and any YAML of one's own under `configs/hydra/launcher/`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sim.errors import GOES_ON, DgsimError, Problems

BASIC = "basic"
_END_S = 20


class LauncherError(DgsimError):
    """A launcher could not hand out jobs, or a job of its ended without a result."""


@contextmanager
def launching(launcher: str) -> Iterator[None]:
    """Turn what launchers raise inside the block into one message; whatever ends it, call off the jobs still out.

    Raises
    ------
    LauncherError
        If jobs could not be handed out, or one was killed; the others have ended by then.
    """
    from hydra.errors import HydraException
    from joblib.externals.loky.process_executor import BrokenProcessPool, TerminatedWorkerError
    from submitit.core.utils import FailedSubmissionError, UncompletedJobError

    with _noting_jobs() as handed_out:
        try:
            yield
        except (TerminatedWorkerError, BrokenProcessPool) as error:
            raise LauncherError(f"hydra/launcher={launcher}: the process of a job was killed; {GOES_ON}") from error
        except UncompletedJobError as error:
            for job in handed_out:
                job.wait()
            n_lost = sum(not job.paths.result_pickle.exists() for job in handed_out)
            why = f"{n_lost} of {len(handed_out)} jobs ended without a result: killed, called off or out of time"
            raise LauncherError(f"hydra/launcher={launcher}: {why}; {GOES_ON}") from error
        except (FailedSubmissionError, HydraException, RuntimeError) as error:
            is_of_launchers = isinstance(error, FailedSubmissionError | HydraException)
            if not is_of_launchers and "srun" not in str(error):  # submitit has no class of its own for "no SLURM here"
                raise
            told = " ".join(str(error).split())
            raise LauncherError(f"hydra/launcher={launcher}: cannot hand out the jobs ({told})") from error
        finally:
            _call_off(handed_out)


@contextmanager
def _noting_jobs() -> Iterator[list[Any]]:
    """Give the list of the jobs that submitit hands out inside the block: its launcher keeps them to itself."""
    from submitit.core.core import Job

    handed_out: list[Any] = []
    begin = Job.__init__

    def noting(job: Any, *given: Any, **named: Any) -> None:
        begin(job, *given, **named)
        handed_out.append(job)

    Job.__init__ = noting  # type: ignore[method-assign, assignment]
    try:
        yield handed_out
    finally:
        Job.__init__ = begin  # type: ignore[method-assign]


def _call_off(handed_out: Sequence[Any]) -> None:
    """End jobs that have no result yet: processes of this machine with Ctrl-C, and those of SLURM by `scancel`."""
    from submitit.local.local import LocalJob

    out = [job for job in handed_out if not job.paths.result_pickle.exists()]
    for job in out:
        if isinstance(job, LocalJob):
            job.cancel(check=False)
    for name in sorted({str(job.job_id).partition("_")[0] for job in out if not isinstance(job, LocalJob)}):
        subprocess.run(["scancel", name], check=False, capture_output=True)
    deadline = time.monotonic() + _END_S
    while any(isinstance(job, LocalJob) and not job.done() for job in out) and time.monotonic() < deadline:
        time.sleep(0.1)


def workers_of(launcher: Mapping[str, Any], wanted: int) -> int:
    """Return the number of processes for one job of a launcher; 0 is one per core.

    Parameters
    ----------
    launcher : Hydra's settings of it.
    wanted : the setting `run.workers`.
    """
    kind = str(launcher["_target_"]).rpartition(".")[2]
    if kind == "SlurmLauncher":
        return wanted or int(os.environ.get("SLURM_CPUS_PER_TASK", "0"))
    return wanted if kind == "BasicLauncher" else 1


def check_launcher(name: str, problems: Problems, where: str) -> None:
    """Add a problem if jobs cannot be handed out from this machine."""
    if name == "submitit_slurm" and shutil.which("sbatch") is None:
        mend = "give the command where SLURM takes jobs; submitit_local does the same on this machine"
        problems.add(where, "(hydra/launcher) finds no `sbatch` on this machine", value=name, mend=mend)
