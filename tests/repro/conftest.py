"""What the tests of the benchmarks share: they run in processes of their own, from the project's folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def run_python(root: Path) -> Callable[[str], None]:
    """Return what runs Python code in the project's folder and fails unless its exit code is 0."""

    def run(code: str) -> None:
        made = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr

    return run
