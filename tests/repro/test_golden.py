"""The same runs give the same bytes: on every Python, with either engine, and as plain Python."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parent / "golden.py"


@pytest.fixture(scope="module")
def golden() -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("engine", ["simpy", "kernel"])
def test_every_golden_run_has_its_committed_digests(golden: ModuleType, engine: str) -> None:
    now = golden.digests_of(list(golden.cases()), engine)
    assert golden.moved(golden.stored_digests(), now) == []


def test_a_golden_run_as_plain_python_has_its_committed_digests(golden: ModuleType, root: Path) -> None:
    code = (
        "import json, runpy, numba; assert numba.config.DISABLE_JIT;"
        f"golden = runpy.run_path({str(SCRIPT)!r}); print(json.dumps(golden['digests_of']([golden['PLAIN']], 'simpy')))"
    )
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    made = subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    now = golden.json.loads(made.stdout)
    stored = golden.stored_digests()
    assert golden.moved({golden.PLAIN: stored[golden.PLAIN]}, now) == []


def test_travel_tables_built_anew_have_their_committed_digest(golden: ModuleType, tmp_path: Path) -> None:
    from sim.city import load_city
    from sim.compose import compose
    from sim.inputs import digest_of
    from sim.travel import build_travel
    from sim.travel.roads import load_roads

    settings = compose(golden.COMMON).settings
    city = load_city(settings.city_folder())
    travel = build_travel(city, settings.travel, load_roads(settings.city_folder(), city), tmp_path)
    assert list(tmp_path.iterdir()) != []  # built here, not taken from another run's cache
    assert {of["travel"] for of in golden.stored_digests().values()} == {digest_of(travel)}


def test_the_arms_of_a_replication_share_every_part_of_chance(golden: ModuleType) -> None:
    digests = golden.stored_digests()
    parts = ("demand", "slot_ranks", "durations", "travel", "calendar", "city", "fleet")
    for replication in golden.REPLICATIONS:
        arms = [of for name, of in digests.items() if name.endswith(f" {replication}") and name != golden.PLAIN]
        assert len(arms) == 4
        assert len({of["log"] for of in arms}) == 4
        assert [part for part in parts if len({of[part] for of in arms}) > 1] == []


def test_the_cases_with_every_lever_have_each_of_them_on_and_every_kind_of_row_but_those_of_traces(
    golden: ModuleType,
) -> None:
    from sim.assemble import build_inputs
    from sim.compose import compose
    from sim.engine import simulate
    from sim.engine.log import LogKind

    levers = "teams roster aviation move_up relief mutual_aid water_supply rail micro_stations vehicles planted weather"
    kinds: set[int] = set()
    for planted in golden.DISASTERS:
        overrides, replication = golden.cases()[f"every lever, planted={planted}"]
        settings = compose(overrides).settings
        assert [name for name in levers.split() if getattr(settings, name).name == "none"] == []
        kinds |= set(simulate(build_inputs(settings, replication)).rows["kind"].tolist())
    assert {LogKind(kind).name for kind in set(LogKind) - kinds} == {"TRANSPORT", "DELIVER", "HANDED_OVER"}


def test_what_moved_names_the_part_and_the_cases(golden: ModuleType) -> None:
    before = {"a": {"log": "1", "demand": "2"}, "b": {"log": "3", "demand": "4"}}
    after = {"a": {"log": "1", "demand": "5"}, "b": {"log": "6", "demand": "7"}}
    assert golden.moved(before, before) == []
    assert golden.moved(before, after) == ["demand: in every case", "log: b"]
    assert golden.moved(before, {"a": after["a"], "c": after["b"]}) == [
        "case gone: b",
        "case new: c",
        "demand: in every case",
    ]
    assert golden.verdict(["log: b"]) == "the logs moved and no input did: the engine behaves otherwise"


def test_the_file_keeps_every_digest_of_every_case(golden: ModuleType) -> None:
    digests = {"a": {"log": "1", "demand": "2"}, "b": {"log": "3", "demand": "2"}}
    assert golden.folded(digests) == {"a": {"log": "1", "demand": "2"}, "b": {"log": "3"}}
    assert golden.unfolded(golden.folded(digests)) == digests
