"""`python -m benchmarks.hundred_million [--incidents N] [--workers W] [--folder DIR]`: a study of very many incidents.

Runs `dgsim run` over five years with as many replications as that takes, from the command to the report, and shows how
much memory its processes hold while the replications grow in number. Linux alone tells it.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.page import as_markdown

PER_REPLICATION = 93_000
"""Incidents of five years, about; the table counts those that were really there."""
N_SHOWN = 10
_SAMPLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds since the start, replications finished, and resident memory of the command and of its workers, MB."""

    seconds: float
    n_finished: int
    command_mb: float
    workers_mb: float


def samples_of(process: subprocess.Popen[bytes], folder: Path) -> Iterator[Sample]:
    """Yield a sample a second until the process ends."""
    begun = time.monotonic()
    while process.poll() is None:
        own, *others = [_resident_mb(pid) for pid in _family(process.pid)]
        n_finished = sum(1 for _ in folder.glob("**/replications/r*/result.json"))
        yield Sample(time.monotonic() - begun, n_finished, own, sum(others))
        time.sleep(_SAMPLE_S)


def _family(pid: int) -> list[int]:
    """Return a process and all that it started."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        children = []
    return [pid, *(one for child in children for one in _family(int(child)))]


def _resident_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 1e6
    except OSError:
        return 0.0


def table(samples: Sequence[Sample], n_wanted: int) -> str:
    """Return the greatest memory within each tenth of the replications, and while they were gathered, as Markdown."""
    rows = [("replications", "incidents, about", "seconds", "command, MB", "workers together, MB")]
    for tenth in range(N_SHOWN + 1):
        low, high = tenth * n_wanted / N_SHOWN, (tenth + 1) * n_wanted / N_SHOWN
        some = [one for one in samples if low <= one.n_finished < high]
        if not some:
            continue
        name = f"to {high:.0f}" if tenth < N_SHOWN else "all: tables and report"
        command, workers = max(one.command_mb for one in some), max(one.workers_mb for one in some)
        n_incidents = min(some[-1].n_finished, n_wanted) * PER_REPLICATION
        rows.append((name, f"{n_incidents:,}", f"{some[-1].seconds:.0f}", f"{command:.0f}", f"{workers:.0f}"))
    return as_markdown(rows)


def main(argv: Sequence[str]) -> int:
    """Run the study and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hundred_million", description=__doc__)
    parser.add_argument("--incidents", type=int, default=100_000_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where it is written and stays; a folder that goes if not given")
    given = parser.parse_args(argv)
    n_replications = -(-given.incidents // PER_REPLICATION)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as scratch:
        folder = given.folder or Path(scratch)
        command = [sys.executable, "-c", "import sys; from sim.cli import main; sys.exit(main())", "run"]
        command += ["window=plan_period", f"run.n_replications={n_replications}", f"run.workers={given.workers}"]
        process = subprocess.Popen([*command, f"run.outputs={folder}"])
        samples = list(samples_of(process, folder))
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(table(samples, n_replications))
        print(f"\nCPU seconds of all processes: {used.ru_utime + used.ru_stime:.0f}")
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
