"""A run small enough to make in a moment: the real city, two measured days, its own outputs folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from shutil import copytree

import pytest

from sim.compose import Composed, compose
from sim.compose.study import make_arm
from sim.run.compared import work_in
from sim.run.execute import execute, gather_again
from sim.run.gather import Formats, gather
from sim.run.work import Work

SHORT = (
    "window=one_week",
    "window.measure_to='2026-06-03'",
    "window.warm_up_days=0",
    "window.run_out_days=1",
    "schedule.is_outside_run_allowed=true",
    "run.workers=1",
)

MakeWork = Callable[..., Work]


@lru_cache
def composed(*overrides: str) -> Composed:
    """Return composed settings; the same overrides are composed once."""
    return compose(overrides)


@pytest.fixture
def make_work(tmp_path: Path) -> MakeWork:
    """Return a maker of works of two arms, `nothing` and `plan`, with the overrides given."""

    def make(*overrides: str, n_replications: int = 2, name: str = "pair") -> Work:
        arms = []
        for arm, base in (("nothing", ""), ("plan", "nothing")):
            schedule = "none" if arm == "nothing" else "plan"
            texts = [*SHORT, f"schedule={schedule}", f"run.n_replications={n_replications}", *overrides]
            arms.append(make_arm(arm, composed(*texts), label_zh=arm, label_en=arm, base=base))
        return Work("study", name, tmp_path / name, tuple(arms), {"base": "nothing", "contrasts": []})

    return make


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of two arms and two replications with its event logs; for tests that change nothing in it."""
    arms = []
    for name, schedule, base in (("nothing", "none", ""), ("plan", "plan", "nothing")):
        texts = [*SHORT, f"schedule={schedule}", "run.n_replications=2", "run.log=full"]
        arms.append(make_arm(name, composed(*texts), label_zh=name, label_en=name, base=base))
    folder = tmp_path_factory.mktemp("finished") / "pair"
    execute(Work("study", "pair", folder, tuple(arms), {"base": "nothing", "contrasts": []}))
    return folder


@pytest.fixture(scope="session")
def gathered(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run with its comparison: tables in every format and the report; for tests that change nothing."""
    folder = Path(copytree(finished, tmp_path_factory.mktemp("gathered") / "pair"))
    gather_again(work_in(folder), gather=gather, formats=Formats(is_csv=True, is_xlsx=True, language="en"))
    return folder


@pytest.fixture
def gathered_copy(gathered: Path, tmp_path: Path) -> Path:
    """Return a copy of the finished run with its comparison that a test may change."""
    return Path(copytree(gathered, tmp_path / "gathered"))


@pytest.fixture
def finished_copy(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of the finished run that a test may change."""
    return Path(copytree(finished, tmp_path / "copy"))
