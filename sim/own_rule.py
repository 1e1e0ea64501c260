"""A dispatch rule of your own, written in Python: what it is asked, what it answers, and how it is found and loaded.

`dispatch.own_rule: module:Name` names a class (or any callable without arguments) whose instances have
`choose(need) -> unit or None`. It is made anew for every run. `module` is looked for in the folder in which the command
is given and among the installed packages; its one file counts in the run's key, what it imports does not. This module
knows no engine: `engine/asking.py` puts the questions.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.errors import DgsimError, InputError, Problem

KEY = "dispatch.own_rule"


@dataclass(frozen=True, slots=True)
class Need:
    """One need that looks for a unit, and what the dispatcher knows then; every array is read-only.

    Attributes
    ----------
    now_ms, waited_ms : since the run's start; since the need was opened (0 when it is looked after at once).
    incident, capability : row of the demand table; bit of the capability asked for (`capabilities.csv`).
    cell, town : where it is.
    kind, grade : as reported, until the first unit is there.
    arrival_ms, work_ms : (n_units,) int64, expected ms until each unit is there, and until it works; -1: cannot go.
    units, stations : what each is about now, one record per unit and station (`sim/engine/world.py` names the fields).
    """

    now_ms: int
    waited_ms: int
    incident: int
    capability: int
    cell: int
    town: int
    kind: int
    grade: int
    arrival_ms: NDArray[np.int64]
    work_ms: NDArray[np.int64]
    units: NDArray[np.void]
    stations: NDArray[np.void]

    @property
    def able(self) -> NDArray[np.int64]:
        """Ids of the units that can go, ascending."""
        return np.flatnonzero(self.arrival_ms >= 0)


class DispatchRule(Protocol):
    """Chooses the unit that goes."""

    def choose(self, need: Need) -> int | None:
        """Return the id of a unit that can go, or None to let the need wait."""


@dataclass(frozen=True, slots=True)
class OwnRule:
    """The rule of a run: its name as in the settings, and the SHA-256 (hex) of its file."""

    name: str
    source_sha256: str


class OwnRuleError(DgsimError):
    """A dispatch rule of one's own failed or chose a unit that cannot go."""


def find(name: str) -> OwnRule:
    """Return the rule that a setting names, with the digest of its file as it is now.

    Raises
    ------
    InputError
        If there is no such module.
    """
    return OwnRule(name, hashlib.sha256(_file_of(name).read_bytes()).hexdigest())


def load(rule: OwnRule) -> DispatchRule:
    """Return a new instance of a rule.

    Raises
    ------
    InputError
        If its module fails on import or has not that name, its file is another by now, or what it makes has no
        `choose`.
    """
    path, (module, _, attribute) = _file_of(rule.name), rule.name.partition(":")
    if find(rule.name) != rule:
        raise _wrong(rule.name, f"is not as it was when the run was begun ({path} was changed)", "begin the run anew")
    loaded = _module(module, path, rule.source_sha256)
    if not hasattr(loaded, attribute):
        raise _wrong(rule.name, f"names nothing in {path}", f"define {attribute} there")
    try:
        made = getattr(loaded, attribute)()
    except Exception as error:
        raise _wrong(rule.name, f"cannot be made: {_told(error)}", "make it callable without arguments") from error
    if not callable(getattr(made, "choose", None)):
        raise _wrong(rule.name, "has no method choose(need)", "see docs/api.md for an example")
    return made  # type: ignore[no-any-return]


def failure(rule: OwnRule, error: Exception) -> OwnRuleError:
    """Return what to say of an error that a rule raised, with the line of its file."""
    return OwnRuleError(f"{KEY}={rule.name} failed: {_told(error)}")


def _told(error: Exception) -> str:
    """Return an error in one line with the last place that it came from."""
    place, trace = "", error.__traceback__
    while trace is not None:
        place = f" ({Path(trace.tb_frame.f_code.co_filename).name} line {trace.tb_lineno})"
        trace = trace.tb_next
    return f"{type(error).__name__}: {error}{place}"


def _file_of(name: str) -> Path:
    """Return the file of a rule's module."""
    module, _, attribute = name.partition(":")
    if not module or not attribute.isidentifier():
        raise _wrong(name, "must be written module:Name", "such as my_rules:Nearest")
    beside = Path(*module.split(".")).with_suffix(".py")
    if beside.is_file():
        return beside.absolute()
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        mend = f"put {beside} into the folder in which you give the command, or install its package"
        raise _wrong(name, "names no module that can be found", mend)
    return Path(spec.origin)


@lru_cache(maxsize=8)
def _module(module: str, path: Path, source_sha256: str) -> Any:
    """Return a module made from its file as it is now; one whose file was changed is made anew."""
    spec = importlib.util.spec_from_file_location(f"own_rule_{source_sha256[:12]}_{module.replace('.', '_')}", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made  # dataclasses look their module up
    try:
        spec.loader.exec_module(made)
    except Exception as error:
        del sys.modules[spec.name]
        raise _wrong(module, f"cannot be imported: {_told(error)}", f"mend {path}") from error
    return made


def _wrong(value: str, rule: str, mend: str) -> InputError:
    return InputError([Problem("settings", f"({KEY}) {rule}", value, mend=mend)])
