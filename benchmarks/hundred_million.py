"""`python -m benchmarks.hundred_million [--incidents N] [--workers W] [--folder DIR]`: a study of very many incidents.

Runs `dgsim run` over five years with as many replications as that takes, from the command to the report, and shows how
much memory its processes hold while replications grow in number and while they are gathered. Stopped on the way, it
says so; the same command with the same folder goes on, and its table has what was seen before. Linux alone tells it.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

from benchmarks.family import cpu_seconds_of, family_of, peak_mb_of, resident_mb
from benchmarks.page import as_markdown
from benchmarks.stopwatch import environment

PER_REPLICATION = 93_000
"""Incidents of five years, about; those that were really there are counted at the end."""
N_SHOWN = 10
SEEN = "seen.jsonl"
"""File of the samples, beside what the program writes."""
_SAMPLE_S = 1.0
_RESULTS = "run/*/replications/r*/result.json"


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen at an instant of the `go`-th start of the command.

    Seconds since that start, by the clock and of CPU; replications finished, earlier goes' too; MB resident in the
    command and in its workers together, and the most that any one of them has held since it began.
    """

    go: int
    seconds: float
    cpu_seconds: float
    n_finished: int
    command_mb: float
    workers_mb: float
    largest_mb: float


def samples_of(process: subprocess.Popen[bytes], folder: Path, go: int) -> Iterator[Sample]:
    """Yield a sample a second until the process ends."""
    begun = time.monotonic()
    while process.poll() is None:
        pids = family_of(process.pid)
        own, *others = [resident_mb(pid) for pid in pids]
        n_finished = sum(1 for _ in folder.glob(_RESULTS))
        largest, cpu = max(peak_mb_of(pid) for pid in pids), cpu_seconds_of(process.pid)
        yield Sample(go, time.monotonic() - begun, cpu, n_finished, own, sum(others), largest)
        time.sleep(_SAMPLE_S)


def table(samples: Sequence[Sample], n_wanted: int) -> str:
    """Return the greatest memory within each tenth of the replications, and while they were gathered, as Markdown."""
    rows: list[tuple[str, ...]] = [
        ("replications", "incidents, about", "until, s", "CPU s", "command, MB", "workers together, MB", "largest, MB")
    ]
    before = before_each_go(samples)
    for tenth in range(N_SHOWN + 1):
        low, high = tenth * n_wanted / N_SHOWN, (tenth + 1) * n_wanted / N_SHOWN
        some = [one for one in samples if low <= one.n_finished < high]
        if not some:
            continue
        name = f"to {high:.0f}" if tenth < N_SHOWN else "all: gathering, tables and report"
        last = some[-1]
        n_incidents = min(last.n_finished, n_wanted) * PER_REPLICATION
        clock, cpu = (x + y for x, y in zip(before[last.go], (last.seconds, last.cpu_seconds), strict=True))
        most = [max(getattr(one, what) for one in some) for what in ("command_mb", "workers_mb", "largest_mb")]
        rows.append((name, f"{n_incidents:,}", f"{clock:.0f}", f"{cpu:.0f}", *(f"{mb:.0f}" for mb in most)))
    return as_markdown(rows)


def before_each_go(samples: Sequence[Sample]) -> dict[int, tuple[float, float]]:
    """Return the seconds by the clock and of CPU that all earlier goes took together, by go."""
    last = {one.go: one for one in samples}
    return {
        go: (
            sum(one.seconds for one in last.values() if one.go < go),
            sum(one.cpu_seconds for one in last.values() if one.go < go),
        )
        for go in last
    }


def seen_in(folder: Path) -> list[Sample]:
    """Return the samples of earlier goes in a folder; a last line that was cut short is left out."""
    path = folder / SEEN
    lines = path.read_text(encoding="ascii").splitlines(keepends=True) if path.exists() else []
    return [Sample(**json.loads(line)) for line in lines if line.endswith("\n")]


@contextmanager
def _stopped_by_signals(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does; the process is ended and waited for, however the block ends."""

    def stop(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, old)
        if process.poll() is None:
            process.terminate()
        process.wait()


def watched(command: Sequence[str], folder: Path) -> tuple[int, list[Sample]]:
    """Run a command to its end, or until stopped; return its exit code and all samples, earlier goes' too."""
    samples = seen_in(folder)
    go = 1 + max((one.go for one in samples), default=0)
    process = subprocess.Popen(command, env=environment())
    with (folder / SEEN).open("a", encoding="ascii") as seen:
        try:
            with _stopped_by_signals(process):
                for sample in samples_of(process, folder, go):
                    seen.write(json.dumps(asdict(sample)) + "\n")
                    seen.flush()
                    samples.append(sample)
        except KeyboardInterrupt:
            pass  # the command's own exit code tells
    return process.returncode, samples


def main(argv: Sequence[str]) -> int:
    """Run the study and print the table; exit code that of the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hundred_million", description=__doc__)
    parser.add_argument("--incidents", type=int, default=100_000_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where it is written and stays; a folder that goes if not given")
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE", help="more settings of the run")
    given = parser.parse_args(argv)
    n_replications = -(-given.incidents // PER_REPLICATION)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as scratch:
        folder = given.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        command = [str(Path(sys.executable).with_name("dgsim")), "run", "window=plan_period", *given.overrides]
        command += [f"run.n_replications={n_replications}", f"run.workers={given.workers}", f"run.outputs={folder}"]
        code, samples = watched(command, folder)
        print(table(samples, n_replications))
        counts = [json.loads(path.read_bytes())["counts"]["n_incidents"] for path in sorted(folder.glob(_RESULTS))]
        print(f"\n{sum(counts):,} incidents in {len(counts)} of {n_replications} replications, {samples[-1].go} go(es)")
        if code and given.folder:
            print("stopped on the way: the same command goes on from there")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
