"""A small city with its records, and one backtest of it, made once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from calibration.scores import verdict
from sim.cli import main
from tests.calibration.cities import compact

DRAWS = "20"


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dense town with a record of every unit, some 350 calls in 40 days: folders city and records."""
    folder = tmp_path_factory.mktemp("small")
    compact(folder, 350, days=40)
    return folder


@pytest.fixture(scope="session")
def made(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a backtest of it, with 20 draws."""
    out = tmp_path_factory.mktemp("made") / "small"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verdict, "SPEED_S", 1e9)  # a busy machine is no finding of these tests
        assert main(["backtest", str(small / "city"), str(small / "records"), "--draws", DRAWS, "--out", str(out)]) == 0
    return out


@pytest.fixture
def own(small: Path, tmp_path: Path) -> Callable[[], Path]:
    """Gives a copy of the small city that a test may spoil."""

    def copied() -> Path:
        for name in ("city", "records"):
            shutil.copytree(small / name, tmp_path / name)
        return tmp_path

    return copied
