"""A run with a dispatch rule of one's own says which engine plays and why, and is keyed by the rule's file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim.commands.show import lines_of
from sim.compose import compose
from sim.compose.study import make_arm
from sim.errors import InputError
from sim.provenance import read_manifest, sha256_of_file
from sim.run.check import check_before
from sim.run.execute import engine_lines, execute
from sim.run.verify import verify
from sim.run.work import Work, read_result
from tests.run.conftest import SHORT, MakeWork

OWN = "tests.engine.own_rules:Nearest"
BUILT_IN = {"name": "kernel", "why": "every rule chosen is built in"}
IN_PYTHON = {"name": "simpy", "why": f"dispatch.own_rule is your own Python ({OWN})"}


def test_a_run_says_its_engine_in_output_results_and_manifest_and_verifies(make_work: MakeWork, root: Path) -> None:
    work, plain = make_work(f"dispatch.own_rule={OWN}", n_replications=1), make_work(n_replications=1, name="plain")
    said: list[str] = []
    execute(work, say=said.append)
    execute(plain, say=said.append)
    line = "engine: {name}, because {why}"
    assert [text for text in said if text.startswith("engine")] == [line.format(**IN_PYTHON), line.format(**BUILT_IN)]
    for made, told in ((work, IN_PYTHON), (plain, BUILT_IN)):
        manifest = read_manifest(made.folder)["arms"]["plan"]
        assert manifest["engine"] == told
        assert read_result(made.folder / "arms" / "plan" / "replications" / "r0000")["engine"] == told
    given = read_manifest(work.folder)["arms"]["plan"]["given_files"]
    assert given == {"dispatch.own_rule": sha256_of_file(root / "tests" / "engine" / "own_rules.py")}
    both = [read_manifest(made.folder)["arms"]["plan"]["replications"]["r0000"] for made in (work, plain)]
    assert both[0]["log_digest"] == both[1]["log_digest"], "it copies the built-in rule"
    assert both[0]["inputs_digest"] != both[1]["inputs_digest"]
    assert verify(work.folder).is_same


def test_arms_that_are_played_by_different_engines_are_told_apart(make_work: MakeWork) -> None:
    work, other = make_work(), make_work(f"dispatch.own_rule={OWN}")
    mixed = Work("study", "mixed", work.folder, (work.arms[0], other.arms[1]), work.study)
    assert engine_lines(mixed) == [
        "engine of nothing: kernel, because every rule chosen is built in",
        f"engine of plan: simpy, because dispatch.own_rule is your own Python ({OWN})",
    ]


def key_of(own_rule: str) -> str:
    return make_arm("plan", compose([*SHORT, f"dispatch.own_rule={own_rule}"]), label_zh="", label_en="", base="").key


def test_the_key_changes_with_the_rule_s_file_and_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("A = B = object\n", encoding="utf-8")
    first = key_of("mine:A")
    assert key_of("mine:A") == first
    assert key_of("mine:B") != first
    (tmp_path / "mine.py").write_text("A = B = dict\n", encoding="utf-8")
    assert key_of("mine:A") != first


def test_the_kernel_refuses_a_rule_of_one_s_own_before_anything_starts(make_work: MakeWork) -> None:
    work = make_work(f"dispatch.own_rule={OWN}", "run.engine=kernel")
    with pytest.raises(InputError, match=r"'kernel' \(run.engine\) plays built-in rules only"):
        check_before(work)
    assert not work.folder.exists()


def test_show_says_which_engine_plays_and_why() -> None:
    assert "# plays on kernel, because every rule chosen is built in" in lines_of([])
    lines = lines_of([f"dispatch.own_rule={OWN}"])
    assert f"# plays on simpy, because dispatch.own_rule is your own Python ({OWN})" in lines
    assert json.dumps(OWN) in next(line for line in lines if line.startswith("dispatch.own_rule"))
