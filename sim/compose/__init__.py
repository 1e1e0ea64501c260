"""Settings from overrides: Hydra's only home.

`compose` reads the overrides of one run, `sweep` those of many (`-m`). Both check everything - keys, choices, types,
ranges and what one choice says about another - and report it together before anything runs.

Steps: parse each override -> known keys and choices only -> Hydra composes -> every group against its schema ->
references between them. `overrides.py` does the first two, `references.py` the last, `sweep.py` hands jobs to Hydra's
launchers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Draft:
    """What came of overrides: composed settings, or None if anything is wrong, and the groups that can be trusted.

    `parts`: seed and faultless groups by name. `trusted`: those of them that no faulty override was meant for and whose
    references hold.
    """

    composed: Composed | None
    parts: Mapping[str, Any] = field(default_factory=dict)
    trusted: frozenset[str] = frozenset()


def compose(overrides: Sequence[str] = (), *, origin: str = COMMAND_LINE) -> Composed:
    """Return the settings that the default choices and `overrides` make; `origin` names who gave them in messages.

    Raises
    ------
    InputError
        With every problem of every override, key, value and reference.
    """
    problems = Problems()
    draft = compose_into(overrides, problems, origin=origin)
    problems.raise_if_any()
    assert draft.composed is not None
    return draft.composed


def compose_to_run(overrides: Sequence[str]) -> Composed:
    """Return what `compose` returns; if anything is wrong, say too what is wrong with the city's tables.

    Raises
    ------
    InputError
        With every problem of every override, key, value, reference and table.
    """
    problems = Problems()
    draft = compose_into(overrides, problems)
    raise_with_tables([draft], problems)
    assert draft.composed is not None
    return draft.composed


def raise_with_tables(drafts: Sequence[Draft], problems: Problems) -> None:
    """If there are problems, add those of the tables that the trusted groups of the drafts lead to, and raise them all.

    Settings without a problem are checked against the tables when they are run, before anything is touched.
    """
    if not problems.found:
        return
    from sim.run.check import Subject, check_subjects
    from sim.settings import GROUPS, Settings

    subjects = []
    for draft in drafts:
        blanks = {group.name: None for group in GROUPS}
        settings = Settings(**{"seed": 0, **blanks, **draft.parts})
        n = settings.run.n_replications if "run" in draft.trusted else 1
        subjects.append(Subject(settings, draft.trusted, tuple(range(n))))
    check_subjects(subjects, problems)
    problems.raise_if_any()


def compose_into(overrides: Sequence[str], problems: Problems, *, origin: str = COMMAND_LINE) -> Draft:
    """Return the settings that `compose` returns as a draft, after adding every problem.

    The readable overrides are composed even beside unreadable ones, so that later problems show up with earlier ones.
    """
    from sim.compose.overrides import hydra_texts, read_overrides
    from sim.compose.own_choices import city_choice, own_choices
    from sim.compose.references import check_references
    from sim.settings import Settings, parts_from

    n_before = len(problems.found)
    good = read_overrides(overrides, problems, origin=origin, is_sweep=False)
    n_before_own = len(problems.found)
    own = own_choices(good, problems)
    is_own_faulty = len(problems.found) > n_before_own
    texts = [*city_choice(good), *(f"{group}={choice}" for group, choice in own.groups.items()), *hydra_texts(good)]
    found = _hydra_content(texts, problems, origin)
    if found is None:
        return Draft(None)
    content, choices = found
    where_of = _places(choices, good, origin) | own.places()
    about = _collect_about(content, good, origin)
    own.put_into(content, good)
    about = {key: entry for key, entry in about.items() if not key.startswith(tuple(f"{k}." for k in own.values))}
    about |= own.about
    parts = parts_from(content, where_of, problems, default_where=f"{CONFIG_NAME}.yaml")
    if is_own_faulty:  # the default choices in their place are another city's, and nobody's fault
        return Draft(None, parts, frozenset(parts) & {"city"})
    references = Problems()
    check_references(content, where_of, references)
    problems.found += references.found
    if len(problems.found) > n_before:
        lines = [str(override.input_line) for override in good]
        doubted = _groups_meant_by([text for text in overrides if text not in lines])
        return Draft(None, parts, frozenset(parts) - doubted - _groups_named_in(references))
    composed = Composed(Settings(**parts), tuple(str(o.input_line) for o in good), choices, about, where_of)
    return Draft(composed, parts, frozenset(parts))


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


def _groups_meant_by(faulty: Sequence[str]) -> frozenset[str]:
    """Return the groups that faulty overrides may have been meant for: all but the city if one names no group."""
    from sim.settings import GROUPS

    names = {group.name for group in GROUPS}
    meant = {text.lstrip("+~").partition("=")[0].partition(".")[0].strip() for text in faulty}
    return frozenset(meant if meant <= {*names, "seed"} else names - {"city"})


def _groups_named_in(problems: Problems) -> frozenset[str]:
    """Return the groups of the dotted keys with which rules about references begin."""
    found = (re.match(r"\((\w+)\.", problem.rule) for problem in problems.found)
    return frozenset(match[1] for match in found if match)


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
