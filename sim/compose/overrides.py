"""Overrides in Hydra's own language, each checked by itself: readable, a known key or choice, one value or a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.config import configs_root, known_keys, leads_somewhere, schema_at
from sim.errors import Problems, nearest_name

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

_HOW_TO_WRITE = "write group=choice or group.key=value; ASCII only outside quotes"


def read_overrides(texts: Sequence[str], problems: Problems, *, origin: str, is_sweep: bool) -> list[Override]:
    """Return the overrides that can be composed; each of the others adds its problem.

    `is_sweep`: several values of one key are allowed (`-m`), as are keys of Hydra itself.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    parser = OverridesParser.create()
    good = []
    for text in texts:
        try:
            override = parser.parse_override(text)
        except HydraException as error:
            reason = " ".join(str(error).splitlines()[0].split())
            mend = f"write {text}=…" if text.replace(".", "").isidentifier() else _HOW_TO_WRITE
            problems.add(origin, f"cannot be read ({reason})", value=text, mend=mend)
            continue
        n_before = len(problems.found)
        _check(override, text, problems, origin, is_sweep)
        if len(problems.found) == n_before:
            good.append(override)
    return good


def hydra_texts(overrides: Sequence[Override]) -> list[str]:
    """Return the overrides as Hydra gets them: checked keys may be new to a YAML, so they are set, present or not."""
    return [_hydra_text(override) for override in overrides]


def _hydra_text(override: Override) -> str:
    text = str(override.input_line)
    is_value = "." in override.key_or_group and not override.key_or_group.startswith("hydra")
    return f"++{text.lstrip('+')}" if is_value and not text.startswith("~") else text


def _check(override: Override, text: str, problems: Problems, origin: str, is_sweep: bool) -> None:
    from hydra.core.override_parser.types import OverrideType

    key = override.key_or_group
    if key == "hydra" or key.startswith(("hydra/", "hydra.")):
        if not is_sweep:
            problems.add(origin, "steers Hydra's sweeps and means nothing without -m", value=text, mend="leave it out")
        return
    if override.is_sweep_override() and not is_sweep:
        problems.add(origin, "names several values", value=text, mend="add -m to run one after the other")
        return
    if override.package is not None:
        problems.add(origin, "moves a group, which no setting needs", value=text, mend="write group=choice")
    elif key in _groups():
        is_plain = override.type is OverrideType.CHANGE
        if not is_plain:
            problems.add(origin, "adds or removes a group", value=text, mend=f"write {key}=choice")
        else:
            _check_choices(override, key, text, problems, origin)
    elif override.type is OverrideType.DEL and not _is_map_entry(key):
        problems.add(origin, "removes a setting", value=text, mend="give it a value instead")
    else:
        _check_key(key, problems, origin)


def _groups() -> list[str]:
    from sim.compose import SCENARIO
    from sim.settings import GROUPS

    return [*(group.name for group in GROUPS), SCENARIO]


def choices_of(group: str) -> list[str]:
    """Return the names of a group's choices, sorted."""
    return sorted(path.stem for path in (configs_root() / group).glob("*.yaml"))


def _check_choices(override: Override, group: str, text: str, problems: Problems, origin: str) -> None:
    from hydra.core.override_parser.types import Sweep

    raw = override.value()
    values = list(override.sweep_string_iterator()) if isinstance(raw, Sweep) else [raw]
    for value in values:
        if value is None and group == "scenario":
            continue
        name = str(value).strip("'\"")
        if isinstance(value, list | dict) or name not in choices_of(group):
            mend = nearest_name(name, choices_of(group))
            problems.add(origin, f"({group}) is not a choice of configs/{group}", value=name, mend=mend)


def _check_key(key: str, problems: Problems, origin: str) -> None:
    """Add a problem for a dotted key that leads nowhere, naming the nearest key on the level where it goes astray."""
    from sim.settings import GROUPS

    if key == "seed":
        return
    head, *rest = key.split(".")
    group = next((group for group in GROUPS if group.name == head), None)
    if group is None or not rest:
        problems.add(origin, "is not a setting", value=key, mend=_nearest_key(key))
        return
    schema = group.load_schema()
    if leads_somewhere(schema, rest):
        return
    n_good = next(n for n in range(len(rest)) if not leads_somewhere(schema, rest[: n + 1]))
    owner = schema_at(schema, rest[:n_good])
    known = [".".join([head, *rest[:n_good], name]) for name in known_keys(owner)]
    mend = nearest_name(key, known) if known else f"{'.'.join([head, *rest[:n_good]])} has no parts of that name"
    problems.add(origin, "is not a setting", value=key, mend=mend)


def _nearest_key(key: str) -> str:
    """Return a mend for a key whose first part is no group: the nearest group or full key."""
    from sim.settings import GROUPS

    names = ["seed", "scenario"]
    for group in GROUPS:
        names += [group.name, *(f"{group.name}.{name}" for name in known_keys(group.load_schema()))]
    last = key.rsplit(".", 1)[-1]
    same = [name for name in names if name.rsplit(".", 1)[-1] == last]
    if same:
        return f"did you mean {same[0]!r}?"
    mend = nearest_name(key, names)
    return (
        mend
        if mend.startswith("did")
        else f"known: seed, scenario and the groups {', '.join(group.name for group in GROUPS)}"
    )


def _is_map_entry(key: str) -> bool:
    from typing import get_origin

    from sim.config import _bare, _step
    from sim.settings import GROUPS

    head, *rest = key.split(".")
    group = next((group for group in GROUPS if group.name == head), None)
    if group is None or len(rest) < 2:
        return False
    here = group.load_schema()
    for part in rest[:-1]:
        here = _step(here, part)
    return get_origin(_bare(here)) is dict
