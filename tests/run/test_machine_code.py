"""Claims about compiled code: a damaged cache file is compiled anew; integers of all widths share one compilation."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core import config, event

from sim.compiled import (
    _COMPILED_SOURCES,
    _machine_code_folder,
    compiled,
    compiled_alone,
    compiled_borrowing,
    compiled_inline,
    is_whole,
)

TWICE = "from sim.compiled import compiled\n\n\n@compiled\ndef twice(n):\n    return n + n\n"


def ask(path: Path) -> tuple[int, bool]:
    """The answer of a compiled function of a module imported afresh, and whether it was compiled for it."""
    spec = importlib.util.spec_from_file_location("twice", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with event.install_recorder("numba:compile") as recorder:
        answer = module.twice(21)
    return answer, len(recorder.buffer) > 0


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
@pytest.mark.parametrize("damage", ["flipped", "cut", "empty"])
def test_a_damaged_file_of_the_cache_is_compiled_anew_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.setenv("DGSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(config, "CACHE_DIR", "")
    module = tmp_path / "twice.py"
    module.write_text(TWICE, encoding="utf-8")
    assert ask(module) == (42, True)
    assert ask(module) == (42, False), "the second import finds the machine code on disk"
    files = sorted(path for path in (tmp_path / "cache" / "numba").rglob("twice*") if path.is_file())
    assert [path.suffix for path in files] == [".nbc", ".nbi"]
    for path in files:
        whole = path.read_bytes()
        middle = len(whole) // 2
        flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
        path.write_bytes({"flipped": flipped, "cut": whole[:middle], "empty": b""}[damage])
        assert not is_whole(path)
        assert ask(module) == (42, True)
        assert all(is_whole(path) for path in files)
        assert ask(module) == (42, False)


STEPS = " ".join(f"s = s * {n} + (n ^ (s >> {n % 7 + 1}));" for n in range(3, 60))
ALONE = f"""from sim.compiled import compiled_alone, compiled_borrowing

@compiled_borrowing
def far(n, times, unused):
    s = n
    for _ in range(times):
        {STEPS}
    return s

@compiled_borrowing
def middle(n, times):
    return far(n, times, 1) + far(n + 1, times, 2) + far(n + 2, times, 3)

@compiled_alone
def outer(n):
    return far(n, 2, 0) + far(n + 1, 2, 0) + far(n + 2, 2, 0)
"""
ASK = "from alone import middle, outer; print(outer(5) == middle(5, 2), outer(5) == middle(5, 3))"


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
def test_what_a_function_compiled_alone_takes_apart_stays_whole_for_others(tmp_path: Path, root: Path) -> None:
    (tmp_path / "alone.py").write_text(ALONE, encoding="utf-8")
    paths = os.pathsep.join([str(tmp_path), str(root)])
    given = {**os.environ, "DGSIM_CACHE": str(tmp_path / "cache"), "PYTHONPATH": paths}
    for _ in ("compiled", "from the cache"):
        asked = subprocess.run([sys.executable, "-c", ASK], env=given, capture_output=True, text=True, check=False)
        assert (asked.returncode, asked.stdout) == (0, "True False\n"), asked.stderr


def _sum_of(a: int, b: int) -> int:
    return a + b


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
def test_signed_integers_of_all_widths_share_one_compilation_and_lose_nothing() -> None:
    added: Any = compiled_inline(_sum_of)
    biggest = np.int16(32_767)
    assert added(biggest, biggest) == 65_534
    assert added(np.int32(2**31 - 1), np.int64(1)) == 2**31
    assert added(2**40, -1) == 2**40 - 1
    assert len(added.signatures) == 1
    assert added(np.uint32(2**32 - 1), np.uint32(1)) == 2**32, "numba adds two of them as 64 bits"
    assert [[str(given) for given in signature] for signature in added.signatures] == [["int64"] * 2, ["uint32"] * 2]


def test_every_file_with_compiled_functions_opens_a_new_folder_when_it_is_edited(root: Path) -> None:
    package = root / "sim"
    counted = {path for pattern in _COMPILED_SOURCES for path in package.glob(pattern)}
    marked = {path for path in package.rglob("*.py") if "\n@compiled" in path.read_text(encoding="utf-8")}
    assert len(marked) > 10
    assert marked - counted == set()


@pytest.mark.slow
@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
def test_an_edited_rule_is_seen_by_the_loop_that_calls_it_though_the_loops_own_file_is_as_it_was(
    root: Path, tmp_path: Path
) -> None:
    """A small package of the same layout: numba's own cache would look at kernel.py alone and keep the old answer."""
    package = tmp_path / "sim"
    (package / "engine").mkdir(parents=True)
    shutil.copy(root / "sim" / "compiled.py", package)
    for folder in (package, package / "engine"):
        (folder / "__init__.py").touch()
    rules, kernel = package / "engine" / "rules.py", package / "engine" / "kernel.py"
    head = "from sim.compiled import compiled\n"
    kernel.write_text(f"{head}from sim.engine.rules import rule\n\n\n@compiled\ndef play(n):\n    return rule(n)\n")
    ask_it = [sys.executable, "-c", "from sim.engine.kernel import play; print(play(20))"]
    environment = os.environ | {"DGSIM_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path)}

    def answer(more: str) -> str:
        rules.write_text(f"{head}\n\n@compiled\ndef rule(n):\n    return n + {more}\n")
        done = subprocess.run(ask_it, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert [answer("1"), answer("22"), answer("1")] == ["21", "42", "21"]
    assert len(list((tmp_path / "cache" / "numba").iterdir())) == 2, "one folder for each source, found again"


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("numba.__version__", "0.0.1"),
        ("llvmlite.binding.get_host_cpu_name", lambda: "another"),
        ("sim.compiled.compiled_source_digest", lambda: "0" * 64),
    ],
)
def test_another_numba_processor_or_source_has_machine_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, name: str, other: object
) -> None:
    before = _machine_code_folder()
    assert _machine_code_folder() == before
    monkeypatch.setattr(name, other)
    assert _machine_code_folder() != before


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
@pytest.mark.parametrize("decorator", [compiled, compiled_borrowing, compiled_alone])
def test_no_sum_of_floats_may_be_reordered_by_the_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decorator: Any
) -> None:
    """Fast-math would give other bits on another processor: none of its flags stands on any instruction."""
    monkeypatch.setenv("DGSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(config, "CACHE_DIR", "")

    def triple(x, y):  # type: ignore[no-untyped-def]
        return x * y + x / y - (x + y)

    function = decorator(triple)
    assert function(3.0, 2.0) == 2.5
    told = "\n".join(function.inspect_llvm().values())
    arithmetic = [line for line in told.splitlines() if re.search(r"= (fadd|fmul|fdiv|fsub)\b", line)]
    assert len(arithmetic) >= 4
    assert not [line for line in arithmetic if re.search(r"\b(fast|reassoc|contract|nnan|arcp|afn)\b", line)]
