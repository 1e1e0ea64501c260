"""A study's YAML: arms that are compared, the arm they are compared with, and the contrasts declared before it runs.

`configs/study/<name>.yaml` lists arms as overrides of the default choices. Every arm is composed and checked, and all
problems of all arms are reported together. Next: `sim/run`, which does the work this makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from sim.compose import Composed, Draft, compose_into, raise_with_tables, with_values
from sim.compose.axis import AxisSettings, axis_arms, check_axis_names, check_axis_values, told_axis
from sim.compose.plausible import PlausibleSettings, check_factors, worlds_of
from sim.config import Group, checked, configs_root, read_yaml
from sim.errors import Problems, nearest_name
from sim.provenance import city_digest, source_digest
from sim.run.work import PLAUSIBLE, SINGLE, Arm, Work, name_in_world
from sim.settings import what_key

_STRICT = {"extra": "forbid"}
_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]

STUDY = "study"
MAIN = "main"


@dataclass
class ArmSettings:
    """One arm: a scenario with its name, texts and number of replications."""

    __pydantic_config__ = _STRICT

    name: _Name
    """ASCII name of the arm."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    purpose: Literal["main", "staffing", "policy", "travel", "opening", "teams", "stress", "other"]
    """What the arm is there for; `main` arms carry the study's question, the others show how its answer fares."""
    first_line_zh: str
    """Why this arm, one sentence in Chinese."""
    first_line_en: str
    """Why this arm, one sentence in English."""
    overrides: list[str]
    """What differs from the default choices and from the study's common overrides."""
    n_replications: Annotated[int, Field(ge=1, le=100_000)]
    """Number of replications."""
    base: str = ""
    """Arm it is compared with, the same but for what the study is about; empty for the study's base."""


@dataclass
class ContrastSettings:
    """A difference that the study was made to measure, declared before it runs and corrected for multiplicity."""

    __pydantic_config__ = _STRICT

    contrast: _Name
    """ASCII name of the contrast."""
    arm: str
    """Arm of the study."""
    base: str
    """Arm it is compared with."""
    metric: str
    """p50, p80, p90, p95, mean, share_300, share_480 or share_600."""
    year: Annotated[int, Field(ge=0, le=2200)] = 0
    """Year of the calls; 0 is the whole measured window."""
    group: Literal["headline", "fire", "rescue", "all"] = "headline"
    """Which incidents count."""
    clock: Literal["arrival", "critical", "full_alarm", "call_to_arrival"] = "arrival"
    """Which milestone is timed."""
    equivalence: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """Difference up to which the two count as the same, in seconds or as a share (0.005 is half a point): a null result
    can then be told from too few replications. 0: none."""
    of_arm: str = ""
    """With `of_base`: the contrast is an interaction, arm over base less this arm over that base. Empty: it is none."""
    of_base: str = ""
    """See `of_arm`."""


@dataclass
class StudySettings:
    """A study: question, arms, base and primary contrasts."""

    __pydantic_config__ = _STRICT

    name: _Name
    """ASCII name of the study, as of its file."""
    label_zh: str
    """Title in Chinese."""
    label_en: str
    """Title in English."""
    question_zh: str
    """The question in Chinese, one sentence."""
    question_en: str
    """The question in English, one sentence."""
    base: str
    """Arm that the others are compared with."""
    arms: Annotated[list[ArmSettings], Field(min_length=1)]
    """The arms."""
    contrasts: list[ContrastSettings] = field(default_factory=list)
    """Primary contrasts; every other comparison is exploratory."""
    common: list[str] = field(default_factory=list)
    """Overrides of every arm."""
    plausible: PlausibleSettings | None = None
    """Worlds in which other assumptions hold, to see whether the answer does too; none if not given."""
    sweep: AxisSettings | None = None
    """Setting over whose values the report draws some of the arms; it changes no run. None if not given."""


METRICS = ("p50", "p80", "p90", "p95", "mean", "share_300", "share_480", "share_600")


def study_names() -> list[str]:
    """Return the names of the studies in configs/study."""
    return sorted(path.stem for path in (configs_root() / STUDY).glob("*.yaml"))


def study_work(study: str, overrides: Sequence[str] = (), *, out: Path | None = None) -> Work:
    """Return the work of a study named in configs/study, or in a YAML file of its own.

    `overrides` apply to every arm after its own; `run.n_replications` among them sets the number in every arm.

    Raises
    ------
    InputError
        With every problem of the study and of all its arms.
    """
    problems = Problems()
    path = Path(study) if study.endswith((".yaml", ".yml")) else configs_root() / STUDY / f"{study}.yaml"
    settings = _read_study(path, study, problems)
    problems.raise_if_any()
    assert settings is not None
    drafts = [_compose_arm(arm, settings, overrides, problems, path) for arm in settings.arms]
    raise_with_tables(drafts, problems)
    composed = [draft.composed for draft in drafts if draft.composed is not None]
    arms = [_study_arm(arm, own, settings, overrides) for arm, own in zip(settings.arms, composed, strict=True)]
    arms += _plausible_arms(settings, overrides, problems, path)
    told = _told(settings, arms, path.name, problems)
    problems.raise_if_any()
    outputs = Path(arms[0].settings.run.outputs)
    folder = out if out is not None else outputs / STUDY / settings.name
    return Work(STUDY, settings.name, folder, tuple(arms), told)


def _told(settings: StudySettings, arms: Sequence[Arm], where: str, problems: Problems) -> dict[str, Any]:
    """Return what the run's note holds of the study; its axis, if it has one, is checked against the composed arms."""
    told = asdict(settings)
    del told["arms"], told["common"], told["sweep"]
    if settings.sweep is None:
        return told
    on_axis = axis_arms(settings.sweep, _own_overrides(settings))
    own = {arm.name: arm for arm in arms if arm.name in on_axis}
    bases = {name: arm.base for name, arm in own.items()}
    check_axis_values(
        settings.sweep, {name: arm.settings.as_map() for name, arm in own.items()}, bases, where, problems
    )
    base = next((base for base in bases.values() if base), settings.base)
    return told | {"sweep": told_axis(settings.sweep, on_axis, base)}


def _own_overrides(settings: StudySettings) -> dict[str, list[str]]:
    return {arm.name: arm.overrides for arm in settings.arms}


def _read_study(path: Path, study: str, problems: Problems) -> StudySettings | None:
    if not path.is_file():
        problems.add("study", "is not a study", value=study, mend=nearest_name(study, study_names()))
        return None
    content = read_yaml(path, problems)
    if problems.found:
        return None
    where = path.name
    group = Group("", "sim.compose.study:StudySettings")
    settings: StudySettings | None = checked(group, content, {"": where}, problems)
    if settings is not None:
        _check_names(settings, where, problems)
    return settings


def _check_names(settings: StudySettings, where: str, problems: Problems) -> None:
    names = [arm.name for arm in settings.arms]
    for arm in settings.arms:
        if arm.base and arm.base not in names:
            problems.add(
                where, f"(arms.{arm.name}.base) is not an arm", value=arm.base, mend=nearest_name(arm.base, names)
            )
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(where, "(arms) is the name of two arms", value=name, mend="rename one")
    if settings.plausible is not None:
        check_factors(settings.plausible, where, problems)
    if settings.sweep is not None:
        check_axis_names(settings.sweep, _own_overrides(settings), where, problems)
    if settings.base not in names:
        problems.add(where, "(base) is not an arm", value=settings.base, mend=nearest_name(settings.base, names))
    for i, contrast in enumerate(settings.contrasts):
        is_interaction = bool(contrast.of_arm or contrast.of_base)
        for key in ("arm", "base", *(("of_arm", "of_base") if is_interaction else ())):
            name = getattr(contrast, key)
            if name not in names:
                problems.add(where, f"(contrasts.{i}.{key}) is not an arm", value=name, mend=nearest_name(name, names))
        if contrast.metric not in METRICS:
            mend = nearest_name(contrast.metric, METRICS)
            problems.add(where, f"(contrasts.{i}.metric) is not a metric", value=contrast.metric, mend=mend)


def _compose_arm(
    arm: ArmSettings, study: StudySettings, overrides: Sequence[str], problems: Problems, path: Path
) -> Draft:
    """Compose an arm: common overrides, its own, then the command line's; each problem names its giver once."""
    texts = [*study.common, f"run.n_replications={arm.n_replications}", *arm.overrides, *overrides]
    found = Problems()
    draft = compose_into(texts, found, origin=f"{path.name} arm {arm.name}")
    told = {(problem.rule, str(problem.value)) for problem in problems.found}
    problems.found += [problem for problem in found.found if (problem.rule, str(problem.value)) not in told]
    return draft


def _study_arm(arm: ArmSettings, composed: Composed, study: StudySettings, overrides: Sequence[str]) -> Arm:
    base = arm.base or ("" if arm.name == study.base else study.base)
    return make_arm(
        arm.name,
        composed,
        label_zh=arm.label_zh,
        label_en=arm.label_en,
        purpose=arm.purpose,
        base=base,
        first_line_zh=arm.first_line_zh,
        first_line_en=arm.first_line_en,
        overrides=(*arm.overrides, *overrides),
    )


def _plausible_arms(study: StudySettings, overrides: Sequence[str], problems: Problems, path: Path) -> list[Arm]:
    """Return the main arms in every plausible world, world by world, each beside its own base of that world."""
    given = study.plausible
    if given is None or problems.found:
        return []
    arms: list[Arm] = []
    mains = [arm for arm in study.arms if arm.purpose == MAIN]
    own = [
        _compose_arm(replace(arm, overrides=[*arm.overrides, *given.common]), study, overrides, problems, path)
        for arm in mains
    ]
    composed_mains = [draft.composed for draft in own if draft.composed is not None]
    if len(composed_mains) < len(mains):
        return []
    values = worlds_of(given, composed_mains[0].settings.seed)
    digests = Digests()
    for (world, value), (arm, main) in product(enumerate(values), zip(mains, composed_mains, strict=True)):
        n = {"run.n_replications": given.n_replications}
        composed = with_values(main, {**value, **n}, problems, origin=f"{path.name} plausible world {world}")
        if composed is None:
            return []
        base = arm.base or ("" if arm.name == study.base else study.base)
        arms.append(
            make_arm(
                name_in_world(arm.name, world),
                composed,
                digests=digests,
                label_zh=arm.label_zh,
                label_en=arm.label_en,
                purpose=PLAUSIBLE,
                base=name_in_world(base, world) if base else "",
            )
        )
    return arms


@dataclass(slots=True)
class Digests:
    """Digests of source and cities, each read once: for many arms made in one go."""

    found: dict[Path | None, str] = field(default_factory=dict)

    def city(self, folder: Path) -> str:
        """Return the digest of a city folder."""
        if folder not in self.found:
            self.found[folder] = city_digest(folder)
        return self.found[folder]

    def source(self) -> str:
        """Return the digest of the source that gives settings their meaning."""
        if None not in self.found:
            self.found[None] = source_digest(is_result_only=True)
        return self.found[None]


def make_arm(
    name: str,
    composed: Composed,
    *,
    overrides: tuple[str, ...] | None = None,
    digests: Digests | None = None,
    **texts: Any,
) -> Arm:
    """Return an arm of composed settings, with its key."""
    settings = composed.settings
    return Arm(
        name=name,
        settings=settings,
        key=key_of(composed, digests),
        n_replications=settings.run.n_replications,
        overrides=composed.overrides if overrides is None else overrides,
        choices=composed.choices,
        about=composed.about,
        **texts,
    )


def key_of(composed: Composed, digests: Digests | None = None) -> str:
    """Return the key of composed settings: what they say, the city's files, the source that gives it meaning."""
    settings, digests = composed.settings, digests or Digests()
    return what_key(settings, digests.city(settings.city_folder()), digests.source())


def single_work(composed: Composed, *, out: Path | None = None) -> Work:
    """Return the work of one run: a single arm, in a directory named by its key unless `out` names another."""
    scenario = composed.choices.get("scenario", "")
    label = scenario or composed.choices.get("schedule", "")
    arm = make_arm(SINGLE, composed, label_zh=label, label_en=label)
    folder = out if out is not None else Path(composed.settings.run.outputs) / SINGLE / arm.key[:16]
    return Work(SINGLE, arm.key[:16], folder, (arm,))
