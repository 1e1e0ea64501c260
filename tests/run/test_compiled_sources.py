"""The cache of machine code is named by every file that can change it, and an edit anywhere opens another."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from numba.core import config

from sim.compiled import _COMPILED_SOURCES

DECORATORS = {"compiled", "compiled_borrowing", "compiled_inline", "njit", "jit", "vectorize", "guvectorize", "cfunc"}
DECORATORS |= {"intrinsic", "overload", "infer_getattr", "lower_getattr_generic", "register_model"}


def decorated(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Functions and classes that numba compiles or compiles by."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = {part.id for mark in node.decorator_list for part in ast.walk(mark) if isinstance(part, ast.Name)}
            names |= {
                part.attr for mark in node.decorator_list for part in ast.walk(mark) if isinstance(part, ast.Attribute)
            }
            if names & DECORATORS:
                yield node


def imported(tree: ast.Module, root: Path) -> dict[str, str]:
    """Names that a module takes from `sim` as it is imported -> the file each comes from, relative to `sim/`."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sim":
            package = Path(*(node.module or "").split(".")[1:])
            for name in node.names:
                for path in (package / f"{name.name}.py", package.with_suffix(".py"), package / "__init__.py"):
                    if path.parts and (root / "sim" / path).is_file():
                        found[name.asname or name.name] = path.as_posix()
                        break
    return found


def frozen_into(root: Path) -> dict[str, str]:
    """Every file whose source can change machine code -> the file for which it does."""
    trees = {
        p.relative_to(root / "sim").as_posix(): ast.parse(p.read_text("utf-8")) for p in (root / "sim").rglob("*.py")
    }
    found, todo = {}, []
    for file, tree in trees.items():
        used = {n.id for node in decorated(tree) for n in ast.walk(node) if isinstance(n, ast.Name)}
        if any(True for _ in decorated(tree)):
            todo.append((file, file, used))
    while todo:
        file, because, used = todo.pop()
        if file in found:
            continue
        found[file] = because
        at_module = {n.id for node in trees[file].body if not isinstance(node, ast.FunctionDef | ast.ClassDef)
                     for n in ast.walk(node) if isinstance(n, ast.Name)}  # fmt: skip
        for name, source in imported(trees[file], root).items():
            if name in used | at_module:
                todo.append((source, file, set()))
    return found


def test_the_key_covers_every_compiled_file_and_every_file_whose_constants_are_frozen_into_one(root: Path) -> None:
    covered = {path.relative_to(root / "sim").as_posix() for p in _COMPILED_SOURCES for path in (root / "sim").glob(p)}
    found = frozen_into(root)
    assert {"chance.py", "engine/choice.py", "engine/codes.py", "fleet/parts.py", "units.py"} <= set(found)
    assert {file: because for file, because in found.items() if file not in covered} == {}


RUN = """
import sys
sys.path.insert(0, {package!r})
import sim
from numba.core import event

assert sim.__file__.startswith({package!r}), sim.__file__
with event.install_recorder("numba:compile") as recorder:
    {lines}
    print(answer, len(recorder.buffer) > 0)
"""
ASK_PROBE = "from sim.engine.probe import told; answer = told(7)"
A_TRIP = """
    import runpy
    from sim.engine import approach, build

    city = runpy.run_path({tiny!r})["TinyCity"]()
    city.unit(city.station(0))
    city.incident(0, cell=3)
    answer = approach.trip_ms(build.build_world(city.inputs()).struct(), 0, 0, 0, 0, 3, 1)
"""
PROBE = """
from sim.compiled import compiled
from sim.engine.called import answer

@compiled
def told(n):
    return answer(n)
"""
CALLED = """
from sim.compiled import compiled_inline
from sim.engine.named import FACTOR

@compiled_inline
def answer(n):
    return n * FACTOR
"""


def play(package: Path, cache: Path, lines: str = ASK_PROBE) -> list[str]:
    """The answer of a compiled function of a copy of the package, and whether anything was compiled for it."""
    environment = os.environ | {"DGSIM_CACHE": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    code = RUN.format(package=str(package), lines=lines)
    made = subprocess.run([sys.executable, "-c", code], cwd=package, env=environment, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return made.stdout.split()


@pytest.mark.slow
@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
def test_an_edited_rule_or_constant_of_another_file_gives_the_new_result_with_the_same_cache(
    root: Path, tmp_path: Path
) -> None:
    package, cache = tmp_path / "copy", tmp_path / "cache"
    shutil.copytree(root / "sim", package / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    engine = package / "sim" / "engine"
    (engine / "probe.py").write_text(PROBE, encoding="utf-8")
    (engine / "called.py").write_text(CALLED, encoding="utf-8")
    (engine / "named.py").write_text("FACTOR = 2\n", encoding="utf-8")
    assert play(package, cache) == ["14", "True"]
    assert play(package, cache) == ["14", "False"], "kept on disk"
    (engine / "called.py").write_text(CALLED.replace("n * FACTOR", "n + FACTOR"), encoding="utf-8")
    assert play(package, cache) == ["9", "True"], "a rule edited in a called file, whose caller's file is as it was"
    (engine / "named.py").write_text("FACTOR = 5\n", encoding="utf-8")
    assert play(package, cache) == ["12", "True"], "a constant of a third file"
    (engine / "named.py").write_text("FACTOR = 2\n", encoding="utf-8")
    assert play(package, cache) == ["9", "False"], "put back, the old machine code is right again"
    assert len(list((cache / "numba").iterdir())) == 3


@pytest.mark.slow
@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
def test_an_edited_rule_of_the_engine_is_seen_by_what_calls_it_with_the_same_cache(root: Path, tmp_path: Path) -> None:
    package, cache = tmp_path / "copy", tmp_path / "cache"
    shutil.copytree(root / "sim", package / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    a_trip = A_TRIP.format(tiny=str(root / "tests" / "engine" / "conftest.py"))
    assert play(package, cache, a_trip) == ["120000", "True"], "two cells of a minute"
    assert play(package, cache, a_trip) == ["120000", "False"]
    rules = package / "sim" / "engine" / "rules.py"
    before = rules.read_text(encoding="utf-8")
    edited = before.replace("* w.stations[station].drive_q16) >> 16", "* w.stations[station].drive_q16) >> 15")
    assert edited.count(">> 15") == 1
    rules.write_text(edited, encoding="utf-8")
    assert play(package, cache, a_trip) == ["240000", "True"]
