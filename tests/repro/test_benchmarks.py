"""The promises about speed, as ratios of CPU times measured side by side; no time is promised on any machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROMISED = {"inputs", "simpy_long", "kernel_long", "simpy_twice", "kernel_twice", "travel", "static", "help_to_numpy"}


@pytest.mark.slow
def test_the_quick_benchmarks_keep_every_promised_ratio(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--json", str(file)]
    made = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    lines = json.loads(file.read_text(encoding="utf-8"))["lines"]
    limits = {line["name"]: (line["spread"]["median"], float(line["limit"])) for line in lines if line["limit"]}
    assert set(limits) >= PROMISED
    assert {name: pair for name, pair in limits.items() if pair[0] >= pair[1]} == {}
    assert all(line["told"] in made.stdout for line in lines)


def test_a_limit_that_is_reached_is_told(root: Path) -> None:
    code = """
from benchmarks.measure import Measured, table_lines
names = [f"{engine} {place}" for engine in ("simpy", "kernel") for place in (0, 1, 2, "twice")]
names += ["inputs", "static", "log digest", "inputs digest", "log to disk", "tables", "travel built", "travel kept"]
names += ["python", "command", "help", "numpy"]
seconds = dict.fromkeys(names, 1.0) | {"simpy 2": 20.0, "travel built": 3.0}
def broken(**slow):
    rounds = {name: [value] for name, value in (seconds | {k.replace("_", " "): v for k, v in slow.items()}).items()}
    return Measured({}, rounds, table_lines(rounds, [100, 200, 2000])).broken()
assert broken() == [], broken()
assert broken(inputs=20.0) == ["inputs"], broken(inputs=20.0)
assert broken(simpy_2=31.0) == ["simpy_long"], broken(simpy_2=31.0)
assert broken(simpy_twice=1.5) == ["simpy_twice"], broken(simpy_twice=1.5)
assert broken(help=1.5) == ["help_to_numpy"], broken(help=1.5)
"""
    made = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
