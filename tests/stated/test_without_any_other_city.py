"""A city of one's own needs no city of `configs/`: checked, run, explained and verified where there is none."""

from __future__ import annotations

import shutil
import sys

import pytest

from sim.cli import main
from sim.config import configs_root

SHORT = (
    "window.measure_from='2026-06-01'", "window.measure_to='2026-06-15'", "run.n_replications=1", "run.workers=1",
)  # fmt: skip


def other_root(without):
    """Return what stands in the place of `configs_root`."""
    return lambda: without


def put(before, after):
    """Give every module of the program that has one function the other by the same name."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "sim" and getattr(module, "configs_root", None) is before:
            module.configs_root = after


@pytest.fixture
def no_cities(tmp_path):
    """Let every module take its choices from a copy of `configs/` that holds no city but the choice of one's own."""
    without = tmp_path / "configs"
    shutil.copytree(configs_root(), without, ignore=shutil.ignore_patterns("dongguan*"))
    assert sorted(path.name for path in (without / "city").iterdir()) == ["own.yaml"]
    stand_in = other_root(without)
    put(configs_root, stand_in)
    yield without
    put(stand_in, configs_root)  # in modules that were imported meanwhile too


def test_a_stated_city_is_checked_run_explained_and_verified_where_there_is_no_other(
    make_city, no_cities, tmp_path, capsys
):
    folder, out = make_city(), tmp_path / "out"
    assert main(["check-city", str(folder)]) == 0
    assert main(["run", f"city.folder='{folder}'", f"run.outputs='{out}'", *SHORT]) == 0
    run = next(out.glob("run/*"))
    assert main(["verify", str(run)]) == 0
    capsys.readouterr()
    assert main(["explain", str(run), "0"]) == 0
    assert "station" in capsys.readouterr().out


def test_the_default_city_is_told_to_be_missing_where_it_is(no_cities, capsys):
    assert main(["show"]) == 2
    assert "dongguan" in capsys.readouterr().err
