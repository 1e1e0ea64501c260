"""The study of very many incidents is watched: what its processes hold, and what was seen before it was stopped."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest


def test_what_was_seen_before_a_stop_is_in_the_table_and_its_time_is_counted(
    run_python: Callable[[str], None], tmp_path: Path
) -> None:
    run_python(f"""
import json
from dataclasses import asdict
from pathlib import Path
from benchmarks.hundred_million import SEEN, Sample, seen_in, table
folder = Path({str(tmp_path)!r})
assert seen_in(folder) == []
samples = [Sample(1, 1.0, 0.5, 0, 200.0, 0.0, 210.0), Sample(1, 20.0, 15.0, 3, 220.0, 900.0, 480.0)]
samples += [Sample(2, 4.0, 3.0, 10, 230.0, 950.0, 500.0), Sample(2, 9.0, 7.0, 20, 240.0, 700.0, 500.0)]
samples += [Sample(2, 30.0, 40.0, 20, 900.0, 0.0, 910.0)]
lines = [json.dumps(asdict(sample)) + "\\n" for sample in samples]
(folder / SEEN).write_text("".join(lines) + lines[0][:20])  # killed while it wrote
assert seen_in(folder) == samples
rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table(samples, 20).splitlines()[2:]]
assert rows == [
    ["to 2", "0", "1", "0", "200", "0", "210"],
    ["to 4", "279,000", "20", "15", "220", "900", "480"],
    ["to 12", "930,000", "24", "18", "230", "950", "500"],
    ["all: gathering, tables and report", "1,860,000", "50", "55", "900", "700", "910"],
], rows
""")


_WATCHING = """
import sys
from pathlib import Path
from benchmarks import hundred_million
hundred_million._SAMPLE_S = 0.02
code, samples = hundred_million.watched([sys.executable, "-c", "import time; time.sleep({seconds})"], Path({folder!r}))
print(code, samples[-1].go, len({{sample.go for sample in samples}}), max(one.command_mb for one in samples) > 0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells what other processes hold")
def test_a_stopped_watch_ends_its_command_and_the_next_one_is_another_go(root: Path, tmp_path: Path) -> None:
    def started(seconds: float) -> subprocess.Popen[str]:
        code = _WATCHING.format(seconds=seconds, folder=str(tmp_path))
        return subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True)

    first = started(600.0)
    while not (seen := tmp_path / "seen.jsonl").exists() or "\n" not in seen.read_text(encoding="ascii"):
        time.sleep(0.02)
    first.terminate()
    assert first.communicate(timeout=30)[0].split() == ["-15", "1", "1", "True"]
    second = started(0.1)
    assert second.communicate(timeout=30)[0].split() == ["0", "2", "2", "True"]
