"""Settings from overrides: Hydra's only home.

`compose` reads the overrides of one run, `sweep` those of many (`-m`). Both check everything - keys, choices, types,
ranges and what one choice says about another - and report it together before anything runs.

Steps: parse each override -> known keys and choices only -> Hydra composes -> every group against its schema ->
references between them. `overrides.py` does the first two, `references.py` the last, `sweep.py` hands jobs to Hydra's
launchers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.config import ABOUT, About, about_of, configs_root
from sim.errors import Problems, nearest_name

if TYPE_CHECKING:
    from sim.settings import Settings

CONFIG_NAME = "config"
COMMAND_LINE = "command line"
SCENARIO = "scenario"


@dataclass(frozen=True, slots=True)
class Composed:
    """Checked settings and how they came about.

    `choices`: group -> name of its YAML. `about`: dotted key -> how it is known; `where_of`: dotted key -> the file or
    command line that gave it. Use `known(key)` and `given_by(key)` rather than the maps.
    """

    settings: Settings
    overrides: tuple[str, ...]
    choices: Mapping[str, str]
    about: Mapping[str, About]
    where_of: Mapping[str, str]

    def known(self, key: str) -> About | None:
        """Return standing and source of a dotted key, or None for one that states no fact."""
        return about_of(key, self.about)

    def given_by(self, key: str) -> str:
        """Return the file or command line that gave a dotted key."""
        parts = key.split(".")
        for n in range(len(parts), 0, -1):
            if ".".join(parts[:n]) in self.where_of:
                return self.where_of[".".join(parts[:n])]
        return f"{CONFIG_NAME}.yaml"


def compose(overrides: Sequence[str] = (), *, origin: str = COMMAND_LINE) -> Composed:
    """Return the settings that the default choices and `overrides` make; `origin` names who gave them in messages.

    Raises
    ------
    InputError
        With every problem of every override, key, value and reference.
    """
    problems = Problems()
    composed = compose_into(overrides, problems, origin=origin)
    problems.raise_if_any()
    assert composed is not None
    return composed


def compose_into(overrides: Sequence[str], problems: Problems, *, origin: str = COMMAND_LINE) -> Composed | None:
    """Return what `compose` returns, or None after adding every problem."""
    from sim.compose.overrides import read_overrides

    n_before = len(problems.found)
    good = read_overrides(overrides, problems, origin=origin, is_sweep=False)
    return _composed(good, len(problems.found) == n_before, problems, origin)


def with_values(composed: Composed, values: Mapping[str, Any], problems: Problems, *, origin: str) -> Composed | None:
    """Return composed settings with other values of dotted keys, checked; None after adding every problem.

    Much quicker than composing anew, for settings that differ in values only.
    """
    from sim.config import leaves
    from sim.settings import settings_from

    n_before = len(problems.found)
    content = composed.settings.as_map()
    for key, value in values.items():
        *path, last = key.split(".")
        part: Any = content
        for name in path:
            part = part.get(name) if isinstance(part, dict) else None
        if not isinstance(part, dict) or last not in part:
            mend = nearest_name(key, [name for name, _ in leaves(content)])
            problems.add(origin, f"({key}) is not a setting", mend=mend)
            continue
        part[last] = value
    settings = settings_from(content, dict.fromkeys(values, origin), problems, default_where=origin)
    if settings is None or len(problems.found) > n_before:
        return None
    about = {**composed.about, **{key: About("assumed", f"drawn by {origin}") for key in values}}
    overrides = (*composed.overrides, *(f"{key}={value}" for key, value in values.items()))
    return Composed(
        settings, overrides, composed.choices, about, {**composed.where_of, **dict.fromkeys(values, origin)}
    )


def _composed(good: Any, is_faultless: bool, problems: Problems, origin: str) -> Composed | None:
    """Compose the readable overrides and check the result, so that later problems show up beside earlier ones."""
    from sim.compose.overrides import hydra_texts
    from sim.compose.references import check_references
    from sim.settings import settings_from

    n_before = len(problems.found)
    found = _hydra_content(hydra_texts(good), problems, origin)
    if found is None:
        return None
    content, choices = found
    where_of = _places(choices, good, origin)
    about = _collect_about(content, good, origin)
    settings = settings_from(content, where_of, problems, default_where=f"{CONFIG_NAME}.yaml")
    check_references(content, where_of, problems)
    if settings is None or not is_faultless or len(problems.found) > n_before:
        return None
    return Composed(settings, tuple(o.input_line for o in good), choices, about, where_of)


def _hydra_content(
    texts: Sequence[str], problems: Problems, origin: str
) -> tuple[dict[str, Any], dict[str, str]] | None:
    """Return (nested plain maps, choice of each group) as Hydra composes them."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    before = GlobalHydra.instance().hydra  # a sweep's job composes while Hydra is already at work
    try:
        GlobalHydra.instance().clear()
        with initialize_config_dir(str(configs_root().resolve()), version_base="1.3"):
            config = hydra_compose(CONFIG_NAME, overrides=list(texts), return_hydra_config=True)
        chosen = config.hydra.runtime.choices
        choices = {str(k): str(v) for k, v in chosen.items() if not str(k).startswith("hydra") and v is not None}
        content: Any = {
            str(key): OmegaConf.to_container(config[key], resolve=True)
            if OmegaConf.is_config(config[key])
            else config[key]
            for key in config
            if key != "hydra"
        }
        return content, choices
    except (HydraException, OmegaConfBaseException) as error:
        problems.add(
            origin, f"cannot be composed ({' '.join(str(error).split())})", mend="see configs/ for the choices"
        )
        return None
    finally:
        GlobalHydra.instance().hydra = before


def _places(choices: Mapping[str, str], good: Any, origin: str) -> dict[str, str]:
    """Return which file or command line gave each key."""
    where_of = {group: _shown(configs_root() / group / f"{choice}.yaml") for group, choice in choices.items()}
    where_of["seed"] = f"{CONFIG_NAME}.yaml"
    if SCENARIO in choices:
        from sim.config import leaves, read_yaml

        path = configs_root() / SCENARIO / f"{choices[SCENARIO]}.yaml"
        content = read_yaml(path, Problems())
        where_of |= {key: _shown(path) for key, _ in leaves(content) if key.split(".")[0] not in ("defaults", ABOUT)}
    where_of |= {o.key_or_group: origin for o in good if "/" not in o.key_or_group and not _is_group(o.key_or_group)}
    return where_of


def _shown(path: Path) -> str:
    return path.relative_to(configs_root().parent).as_posix()


def _is_group(key: str) -> bool:
    from sim.settings import GROUPS

    return key == SCENARIO or key in [group.name for group in GROUPS]


def _collect_about(content: dict[str, Any], good: Any, origin: str) -> dict[str, About]:
    """Return what the YAMLs say about their values, and of overridden ones that they were given."""
    about: dict[str, About] = {}
    for key, entry in (content.get(ABOUT) or {}).items():
        about[str(key)] = About(str(entry.get("standing")), str(entry.get("source")))
    for group, values in content.items():
        if isinstance(values, dict) and group != ABOUT:
            for key, entry in (values.get(ABOUT) or {}).items():
                full = f"{group}.{key}"
                if full not in about and isinstance(entry, dict):
                    about[full] = About(str(entry.get("standing")), str(entry.get("source")))
    for override in good:
        key = override.key_or_group
        if not _is_group(key) and "/" not in key:
            about = {k: v for k, v in about.items() if not k.startswith(f"{key}.")}
            about[key] = About("assumed", f"given on the {origin}" if origin == COMMAND_LINE else f"given by {origin}")
    return about
