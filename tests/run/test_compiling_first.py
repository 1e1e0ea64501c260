"""The first time, compiling is shown as such and kept; afterwards nothing is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from numba.core import config

from sim import compiled
from sim.assemble import InputsBuilder
from sim.run.compiling import compile_first, told_compiling
from sim.run.work import jobs_of
from tests.run.conftest import MakeWork, composed

pytestmark = pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of machine code; the functions of this process, compiled before, stay as they are."""
    monkeypatch.setenv("DGSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(config, "CACHE_DIR", "")
    folder = compiled.kept_machine_code()
    assert folder is not None
    assert folder.parent == tmp_path / "cache" / "numba"
    return folder


@pytest.mark.slow
def test_the_first_job_of_each_engine_says_that_it_compiles_and_where_that_is_kept(
    empty: Path, make_work: MakeWork
) -> None:
    said: list[str] = []
    line = f"compiling the engine once (about 45 s), kept in {empty}"
    for engine, lines in (("kernel", [line]), ("auto", [line]), ("simpy", [line, line])):
        job = jobs_of(make_work(f"run.engine={engine}", n_replications=1))[0]
        compile_first(job, InputsBuilder(), said.append)
        assert said == lines, engine
        assert not job.folder.exists()
    assert sorted(path.name for path in empty.glob("whole-*")) == ["whole-kernel", "whole-simpy"]


def test_compiling_that_was_interrupted_is_said_again(empty: Path) -> None:
    settings, said = composed().settings, list[str]()
    with pytest.raises(KeyboardInterrupt), told_compiling(settings, said.append):
        raise KeyboardInterrupt
    with told_compiling(settings, said.append):
        assert not list(empty.glob("whole-*"))
    with told_compiling(settings, said.append):
        assert (empty / "whole-kernel").is_file()
    assert len(said) == 2


def test_progress_counts_the_functions_that_are_compiled(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del empty
    with told_compiling(composed().settings, print):
        assert compiled.compiled(lambda n: n + 1)(1) == 2
    assert capsys.readouterr().out.startswith("compiling the engine once")
    assert compiled.n_compiled_functions() > 100
