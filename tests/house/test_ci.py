"""What `.ci/run` promises: the digests are shown on a second Python, and one that is missing fails the run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SECTION = "the same digests on a second Python"


@pytest.fixture(scope="module")
def script(root: Path) -> str:
    return (root / ".ci" / "run").read_text(encoding="utf-8")


def section(script: str, title: str) -> list[str]:
    """The lines of one section."""
    return script.split(f'section "{title}"\n')[1].split('\nsection "')[0].strip().splitlines()


def test_every_digest_is_asserted_on_311_and_313_without_a_way_around(script: str) -> None:
    lines = section(script, SECTION)
    assert 'find_python "$([ "$("$bin/python" -c ' in lines[0]
    assert lines[0].endswith('= 13 ] && echo 3.11 || echo 3.13)")')
    assert lines[-2:] == [
        '"$second" start.py --venv .venv-second setup',
        '"$second" start.py --venv .venv-second test -m "not slow" tests/repro',
    ]
    assert not [line for line in lines if re.match(r"\s*if\b", line) or "|| true" in line or "skip" in line]
    assert script.splitlines()[3].startswith("set -Eeuo pipefail")


def test_no_test_of_the_digests_can_be_left_out(root: Path) -> None:
    for path in (root / "tests" / "repro").glob("test_golden.py"):
        assert not re.search(r"skip|xfail|slow|importorskip", path.read_text(encoding="utf-8")), path


def test_a_missing_second_python_fails_the_run(script: str, tmp_path: Path) -> None:
    head = script.split("has_chromium() {")[0].replace('cd "$(dirname "$0")/.."', ":")
    lines = section(script, SECTION)
    code = "\n".join([head, f"bin={Path(sys.executable).parent}", f'section "{SECTION}"', lines[0], "echo went on"])
    environment = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    made = subprocess.run(["/bin/bash", "-c", code], env=environment, capture_output=True, text=True)
    assert made.returncode != 0
    assert "went on" not in made.stdout
    other = "3.11" if sys.version_info[1] == 13 else "3.13"
    assert f"no Python {other} found" in made.stderr
    assert f"!!! FAILED: {SECTION}" in made.stderr
