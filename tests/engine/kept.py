"""Counterexamples: hunted at random, shrunk, and kept as small files that are played again ever after.

A kept case is one Python literal: the fields of a `TinyCity` that are not as usual. `kept/` holds them, each named by
its digest; its first line says what was wrong when it was found, or why it was put there.
"""

from __future__ import annotations

import ast
import hashlib
import pprint
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.engine.conftest import TinyCity
from tests.engine.random_cities import LAWS

KEPT = Path(__file__).resolve().parent / "kept"
Check = Callable[[TinyCity], object]
"""Raises an error for a city of which something does not hold."""
_LAW = "law: "


@dataclass(frozen=True)
class Counterexample:
    """The smallest city found for which a check fails, as the text that is kept, and what failed."""

    text: str
    error: Exception


def hunt(
    strategy: Any, check: Callable[[TinyCity], object], *, n_cases: int, seed_number: int
) -> Counterexample | None:
    """Return the smallest counterexample among random cities, or None; the same number finds the same."""
    failing: list[str] = []

    @seed(seed_number)
    @settings(
        max_examples=n_cases, database=None, deadline=None, phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def play(city: TinyCity) -> None:
        try:
            check(city)
        except Exception:
            failing.append(text_of(city))  # the last one to fail is the smallest: it is played once more at the end
            raise

    try:
        play()
    except Exception as error:
        if not failing:
            raise
        return Counterexample(failing[-1], error)
    return None


def text_of(city: TinyCity) -> str:
    """Return what is special about a city, as a Python literal."""
    given_fields = {}
    for field in fields(city):
        usual = field.default if field.default_factory is MISSING else field.default_factory()
        value = _plain(getattr(city, field.name))
        if value != usual:
            given_fields[field.name] = value
    return pprint.pformat(given_fields, width=110, compact=True, sort_dicts=False) + "\n"


def city_of(text: str) -> TinyCity:
    """Return the city of such a text; lines that begin with # are remarks."""
    return TinyCity(**_whole(ast.literal_eval(text)))


def keep(text: str, remark: str, folder: Path = KEPT) -> Path:
    """Write a case into the folder of those that are played again, and return its path."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:10]}.case"
    path.write_text(f"# {remark.splitlines()[0][:110]}\n{text}", encoding="utf-8")
    return path


def kept_cases(folder: Path = KEPT) -> dict[str, str]:
    """Return the text of every case kept, by its name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.case"))}


def _plain(value: Any) -> Any:
    """Return a value with the tables of `LAWS` by name, and whole numbers of any kind as Python's."""
    if isinstance(value, np.ndarray):
        return _LAW + next(name for name, table in LAWS.items() if np.array_equal(table, value))
    if isinstance(value, dict):
        return {_plain(key): _plain(of) for key, of in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(of) for of in value)
    return int(value) if isinstance(value, np.integer) or type(value) not in (bool, str, float, type(None)) else value


def _whole(value: Any) -> Any:
    """Undo `_plain`."""
    if isinstance(value, str) and value.startswith(_LAW):
        return LAWS[value.removeprefix(_LAW)]
    if isinstance(value, dict):
        return {key: _whole(of) for key, of in value.items()}
    return type(value)(_whole(of) for of in value) if isinstance(value, list | tuple) else value
