"""Ways of making a batch, for worker processes to import: one dies on the way, one is slow, one finds the disk full."""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from pathlib import Path
from typing import Any

from sim.run.replication import make_batch
from sim.run.work import RESULT, Batch

MARK = "DIED_AT"
"""Environment variable: the file that is made at the first death, and only then."""


def die_once(batch: Batch) -> list[dict[str, Any]]:
    """Make a batch, but die before the second replication of the arm `plan`, the first time it comes up.

    The mark holds what was finished by then and when; beside it each replication that is begun has a line with its
    worker.
    """
    mark, made = Path(os.environ[MARK]), []
    for job in batch:
        with mark.with_name("begun").open("a", encoding="utf-8") as begun:
            begun.write(f"{job.arm} {job.replication} {os.getpid()}\n")
        if (job.arm, job.replication) == ("plan", 1) and not mark.exists():
            finished = job.folder.parents[3].rglob(RESULT)
            mark.write_text(json.dumps({str(path): path.stat().st_mtime_ns for path in finished}), encoding="utf-8")
            os.kill(os.getpid(), signal.SIGKILL)
        made += make_batch((job,))
    return made


def die_always(batch: Batch) -> list[dict[str, Any]]:
    """Make a batch, but die whenever the sixth replication of the arm `plan` comes up."""
    if any((job.arm, job.replication) == ("plan", 5) for job in batch):
        os.kill(os.getpid(), signal.SIGKILL)
    return make_batch(batch)


def linger(batch: Batch) -> list[dict[str, Any]]:
    """Make a batch and take a second longer over it."""
    made = make_batch(batch)
    time.sleep(1)
    return made


def with_little_room(batch: Batch) -> list[dict[str, Any]]:
    """Make a batch under a limit on the size of files, which stands for a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    return make_batch(batch)
