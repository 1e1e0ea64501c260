"""What an arm's `config.yaml` states beside what `configs/` states: values, standings and sources.

A value or its explanation may differ from the YAML of the choice only where the configuration says that it was given
by somebody else (the command line, a study's arm). Hydra has no part in this, so it also checks what Hydra composed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sim.config import ABOUT, About, configs_root, leaves, read_about, read_yaml
from sim.errors import Problems
from sim.run.work import CONFIG, Arm
from sim.settings import GROUPS, Settings, settings_from

_DEFAULTS, _SCENARIO = "defaults", "scenario"
_GIVEN = ("given on the ", "given by ")


def stated_faults(arm: Arm) -> list[str]:
    """Return where values, standings and sources of an arm are neither those of `configs/` nor said to be given."""
    problems = Problems()
    settings, about = chosen(arm.choices, problems)
    if settings is None or problems.found:
        told = "; ".join(str(problem) for problem in problems.found)
        return [f"{arm.name}: {CONFIG} cannot be held against configs/: {told}"]
    given = [key for key, entry in arm.about.items() if is_given(entry)]
    faults = [*_other_about(arm.about, about, given), *_other_values(arm.settings, settings, given)]
    return [f"{arm.name}: {CONFIG}: {fault}" for fault in faults]


def is_given(entry: About) -> bool:
    """Return whether a value was given by somebody else than the YAML of its choice, as composing notes it."""
    return entry.standing == "assumed" and entry.source.startswith(_GIVEN)


def chosen(choices: Mapping[str, str], problems: Problems) -> tuple[Settings | None, dict[str, About]]:
    """Return the settings and explanations that choices alone make; None after adding problems."""
    base = read_yaml(configs_root() / "config.yaml", problems)
    content: dict[str, Any] = {"seed": base.get("seed")}
    about: dict[str, About] = {}
    for group in GROUPS:
        path = configs_root() / group.name / f"{choices.get(group.name, '')}.yaml"
        values = _with_defaults(path, problems)
        content[group.name] = {key: value for key, value in values.items() if key != ABOUT}
        about |= {f"{group.name}.{key}": entry for key, entry in read_about(values, str(path), problems).items()}
    layers = [base]
    if choices.get(_SCENARIO):
        layers.append(read_yaml(configs_root() / _SCENARIO / f"{choices[_SCENARIO]}.yaml", problems))
        content = _merged(content, {k: v for k, v in layers[-1].items() if k not in (_DEFAULTS, ABOUT)})
    for layer in layers:
        about |= read_about(layer, str(configs_root()), problems)
    return settings_from(content, {}, problems, default_where=str(configs_root())), about


def _with_defaults(path: Path, problems: Problems) -> dict[str, Any]:
    """Return the content of a choice's YAML on top of the choices beside it that it names as its defaults."""
    own = read_yaml(path, problems)
    content: dict[str, Any] = {}
    for name in own.pop(_DEFAULTS, None) or ():
        if isinstance(name, str) and name != "_self_":
            content = _merged(content, _with_defaults(path.with_name(f"{name}.yaml"), problems))
    return _merged(content, own)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return two nested maps as one; where both have a value, that of `above`."""
    content = dict(below)
    for key, value in above.items():
        before = content.get(key)
        is_nested = isinstance(before, Mapping) and isinstance(value, Mapping)
        content[key] = _merged(before, value) if is_nested else value  # type: ignore[arg-type]
    return content


def _is_under(key: str, given: Iterable[str]) -> bool:
    return any(key == above or key.startswith(f"{above}.") for above in given)


def _other_about(found: Mapping[str, About], expected: Mapping[str, About], given: list[str]) -> list[str]:
    faults = []
    for key in sorted({*found, *expected}):
        if found.get(key) != expected.get(key) and not _is_under(key, given):
            sides = [f"{e.standing}: {e.source!r}" if e else "nothing" for e in (found.get(key), expected.get(key))]
            faults.append(f"says of {key} {sides[0]}, configs/ says {sides[1]}")
    return faults


def _other_values(found: Settings, expected: Settings, given: list[str]) -> list[str]:
    """Return which values of the groups that are *what* differ, and the seed's."""
    how = tuple(f"{group.name}." for group in GROUPS if not group.is_what)
    ours, theirs = dict(leaves(found.as_map())), dict(leaves(expected.as_map()))
    return [
        f"has {key} = {ours.get(key)!r}, configs/ has {theirs.get(key)!r}, and nothing says who gave it"
        for key in sorted({*ours, *theirs})
        if not key.startswith(how) and ours.get(key) != theirs.get(key) and not _is_under(key, given)
    ]
