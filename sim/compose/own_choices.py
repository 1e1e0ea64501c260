"""`choices.yaml` of a city folder: the choices and values that hold in that city unless somebody says otherwise.

The defaults of `configs/` were made for the city they come with. A folder of one's own names in `choices.yaml` what
holds there: per group of settings a choice (`schedule: none`), or a map with the values of keys, the `choice` they are
put on, and `about` with their sources. What the command line or a scenario gives goes before it, group by group and key
by key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.config import ABOUT, About, configs_root, known_keys, read_about, read_yaml
from sim.errors import Problems, nearest_name
from sim.settings import GIVEN_FILES, GROUPS, find_city

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

FILE = "choices.yaml"
CHOICE = "choice"
OWN = "own"
"""Choice of `configs/city` that a folder outside `configs/` is put on."""
_CITY, _FOLDER, _SCENARIO = "city", "city.folder", "scenario"


@dataclass(frozen=True, slots=True)
class OwnChoices:
    """What a city's file says: `groups` as overrides, `values` and `about` by dotted key; `where` names the file."""

    where: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, About] = field(default_factory=dict)

    def without(self, given: Sequence[Override]) -> OwnChoices:
        """Return what is left of it beside overrides and the scenario among them: a chosen group is whole."""
        keys = [override.key_or_group for override in given]
        scenario = next((str(o.value()) for o in given if o.key_or_group == _SCENARIO and o.value() is not None), "")
        groups, set_keys = _of_scenario(scenario)
        chosen = {*keys, *groups}
        groups_left = {group: choice for group, choice in self.groups.items() if group not in chosen}
        taken = {*keys, *set_keys}
        values = {k: v for k, v in self.values.items() if k not in taken and k.split(".")[0] not in chosen}
        return OwnChoices(self.where, groups_left, values, {k: a for k, a in self.about.items() if _top(k) in values})

    def put_into(self, content: dict[str, Any], given: Sequence[Override]) -> None:
        """Put the values into composed content; what overrides gave below one of them stays as they gave it."""
        for key, value in self.values.items():
            group, name = key.split(".", 1)
            below = [o.key_or_group.split(".")[2:] for o in given if o.key_or_group.startswith(f"{key}.")]
            made = _copied(value)
            for path in below:
                _set(made, path, _get(content[group][name], path))
            content[group][name] = made

    def places(self) -> dict[str, str]:
        """Return the file for every key that it gives."""
        return dict.fromkeys([*self.groups, *self.values], self.where)


def own_choices(given: Sequence[Override], problems: Problems) -> OwnChoices:
    """Return what the chosen city's file says, without what `given` decides; nothing where there is no file."""
    folder = _folder_of(given)
    path = folder / FILE
    if not path.is_file():
        return OwnChoices()
    n_before = len(problems.found)
    content = read_yaml(path, problems)
    groups: dict[str, str] = {}
    values: dict[str, Any] = {}
    about: dict[str, About] = {}
    schemas = {group.name: group for group in GROUPS if group.name != _CITY}
    for group, said in content.items():
        if group not in schemas:
            problems.add(FILE, "is not a group of settings", value=str(group), mend=nearest_name(str(group), schemas))
            continue
        parts = {CHOICE: said} if isinstance(said, str) else said
        if not isinstance(parts, Mapping):
            problems.add(FILE, f"({group}) must be the name of a choice, or a map of values", value=said)
            continue
        if CHOICE in parts:
            groups[group] = _checked_choice(group, parts[CHOICE], problems)
        known = known_keys(schemas[group].load_schema())
        for key in [key for key in parts if key not in (CHOICE, ABOUT)]:
            if key not in known:
                mend = nearest_name(str(key), known)
                problems.add(FILE, f"({group}) is not a setting", value=f"{group}.{key}", mend=mend)
            values[f"{group}.{key}"] = _located(f"{group}.{key}", parts[key], folder)
        for key, entry in read_about(parts, FILE, problems).items():
            about[f"{group}.{key}"] = About(
                "assumed", f"given by {FILE} of the city ({entry.standing}): {entry.source}"
            )
    for key in [key for key in values if key not in about]:
        about[key] = About("assumed", f"given by {FILE} of the city")
    if len(problems.found) > n_before:
        return OwnChoices()
    return OwnChoices(FILE, groups, values, about).without(given)


def city_choice(given: Sequence[Override]) -> list[str]:
    """Return the choice of `city` as an override where a folder is given by its path and nobody chose a city."""
    folders = [str(o.value()).strip("'\"") for o in given if o.key_or_group == _FOLDER]
    is_chosen = any(o.key_or_group == _CITY for o in given)
    is_path = bool(folders) and find_city(folders[-1]) == Path(folders[-1])
    return [f"{_CITY}={OWN}"] if is_path and not is_chosen else []


def _folder_of(given: Sequence[Override]) -> Path:
    """Return the folder of the city that overrides choose, or of the default choice."""
    for override in reversed(given):
        if override.key_or_group == _FOLDER:
            return find_city(str(override.value()).strip("'\""))
    choice = next((str(o.value()) for o in given if o.key_or_group == _CITY), "")
    if not choice:
        defaults = read_yaml(configs_root() / "config.yaml", Problems()).get("defaults") or []
        choice = next((str(entry[_CITY]) for entry in defaults if isinstance(entry, Mapping) and _CITY in entry), "")
    content = read_yaml(configs_root() / _CITY / f"{choice}.yaml", Problems())
    return find_city(str(content.get("folder", "")))


def _of_scenario(name: str) -> tuple[set[str], set[str]]:
    """Return the groups that a scenario chooses, and the dotted keys that it sets."""
    content = read_yaml(configs_root() / _SCENARIO / f"{name}.yaml", Problems()) if name else {}
    groups = {
        str(key).removeprefix("override").strip(" /")
        for entry in content.get("defaults") or []
        if isinstance(entry, Mapping)
        for key in entry
    }
    keys = {
        f"{group}.{key}" for group, values in content.items() if isinstance(values, Mapping) and group != ABOUT
        for key in values
    }  # fmt: skip
    return groups, keys


def _located(key: str, value: Any, folder: Path) -> Any:
    """Return a value of the file; the name of a given file counts from the city's folder, not from the command's."""
    is_file = key in GIVEN_FILES and isinstance(value, str) and value
    return str(folder / value) if is_file else value


def _checked_choice(group: str, choice: Any, problems: Problems) -> str:
    known = sorted(path.stem for path in (configs_root() / group).glob("*.yaml"))
    if choice not in known:
        mend = nearest_name(str(choice), known)
        problems.add(FILE, f"({group}) is not a choice of configs/{group}", value=choice, mend=mend)
    return str(choice)


def _top(key: str) -> str:
    return ".".join(key.split(".")[:2])


def _copied(value: Any) -> Any:
    return {k: _copied(v) for k, v in value.items()} if isinstance(value, Mapping) else value


def _get(values: Any, path: Sequence[str]) -> Any:
    for name in path:
        values = values.get(name) if isinstance(values, Mapping) else None
    return values


def _set(values: Any, path: Sequence[str], value: Any) -> None:
    for name in path[:-1]:
        values = values.setdefault(name, {}) if isinstance(values, dict) else {}
    if isinstance(values, dict):
        values[path[-1]] = value
