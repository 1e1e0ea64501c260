"""Work read back from finished run directories: to compare them, or to gather one of them again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sim.config import read_about, read_yaml
from sim.errors import InputError, Problem, Problems, RunDirectoryError, nearest_name
from sim.provenance import check_files
from sim.run.work import CONFIG, NOTE, SINGLE, Arm, Work, read_note
from sim.settings import GIVEN_FILES, Settings, load_settings

COMPARE = "compare"


def work_in(folder: Path) -> Work:
    """Return the work that a finished run directory holds.

    Raises
    ------
    RunDirectoryError
        If it was never finished or is not what its manifest says.
    """
    check_files(folder)
    note = read_note(folder)
    try:
        arms = tuple(_arm(folder, name, told) for name, told in note["arms"].items())
    except (KeyError, TypeError, AttributeError) as error:
        raise RunDirectoryError(f"{folder / NOTE}: is not whole, an arm lacks {error}; restore the folder") from error
    is_elsewhere = note["kind"] != SINGLE and any(told["folder"].startswith("..") for told in note["arms"].values())
    folders = tuple(folder / told["folder"] for told in note["arms"].values()) if is_elsewhere else ()
    return Work(note["kind"], note["name"], folder, arms, note.get("study", {}), folders)


def _arm(folder: Path, name: str, told: Mapping[str, Any]) -> Arm:
    path = folder / told["folder"] / CONFIG
    problems = Problems()
    about = read_about(read_yaml(path, problems), str(path), problems)
    problems.raise_if_any()
    texts = {key: told[key] for key in ("label_zh", "label_en", "purpose", "base", "first_line_zh", "first_line_en")}
    return Arm(
        name=name,
        settings=settings_in(path),
        key=told["key"],
        n_replications=told["n_replications"],
        overrides=tuple(told["overrides"]),
        choices=told["choices"],
        about=about,
        **texts,
    )


def settings_in(path: Path) -> Settings:
    """Return the settings in a run's `config.yaml`, of which the city and every given file are there.

    Raises
    ------
    InputError
        If the file cannot be used, or what it names is not there, as where a run was started from another folder.
    """
    settings, problems = load_settings(path), Problems()
    paths = {key: getattr(getattr(settings, key.split(".")[0]), key.split(".")[1]) for key in GIVEN_FILES}
    absent = {key: given for key, given in paths.items() if given and not Path(given).is_file()}
    if not (settings.city_folder() / "city.yaml").is_file():
        absent = {"city.folder": settings.city.folder} | absent
    for key, given in absent.items():
        rule = f"({key}) is not there: paths count from the folder in which the run was started"
        problems.add(str(path), rule, value=given, mend="give the command there, or put back what was moved")
    problems.raise_if_any()
    return settings


def comparison_work(names: Sequence[str], out: Path | None) -> Work:
    """Return the comparison of finished runs (RUN_DIR, or RUN_DIR:ARM for one arm of a study); the first is the base.

    Raises
    ------
    DgsimError
        If a run is unfinished or damaged, or its arm is not known.
    """
    found = [arm for name in names for arm in _arms_of(name)]
    _check_comparable(names, [arm for arm, _ in found])
    base, arms = "run_00", []
    for i, ((arm, _), (label_zh, label_en)) in enumerate(zip(found, _labels([arm for arm, _ in found]), strict=True)):
        other = "" if i == 0 else base
        named = replace(arm, name=f"run_{i:02d}", base=other, purpose="main", label_zh=label_zh, label_en=label_en)
        arms.append(named)
    key = hashlib.sha256("|".join(f"{arm.key}:{arm.n_replications}" for arm in arms).encode()).hexdigest()[:16]
    outputs = Path(arms[0].settings.run.outputs)
    folder = out if out is not None else outputs / COMPARE / key
    study = {"base": base, "contrasts": []}
    return Work(COMPARE, key, folder, tuple(arms), study, tuple(where for _, where in found))


def _labels(arms: Sequence[Arm]) -> list[tuple[str, str]]:
    """Return (Chinese, English) labels of arms; those of one label with the overrides that not all of them have."""
    labels = [(arm.label_zh or arm.label_en or arm.name, arm.label_en or arm.name) for arm in arms]
    told = []
    for arm, label in zip(arms, labels, strict=True):
        same = [other for other, its in zip(arms, labels, strict=True) if its == label]
        own = [o for o in arm.overrides if not all(o in other.overrides for other in same)]
        told.append((f"{label[0]}（{'，'.join(own)}）", f"{label[1]} ({', '.join(own)})") if own else label)
    return told


def _check_comparable(names: Sequence[str], arms: Sequence[Arm]) -> None:
    """Raise an error for every arm to which another city, seed, window or demand happened than to the first.

    Differences are paired incident by incident; between two cities, seeds, windows or demands there is nothing to pair.
    """
    problems, base = Problems(), arms[0]
    if len(arms) < 2:
        problems.add("compare", "needs two runs or more", value=names[0], mend="name another run beside it")
    for arm in arms[1:]:
        for part in ("city", "seed", "window", "demand"):
            if _part(arm, part) != _part(base, part):
                rule = (
                    f"has another {part} than {base.label_en or base.name}, so no incident of one is one of the other"
                )
                mend = f"compare runs of the same {part}"
                problems.add("compare", rule, value=arm.label_en or arm.name, mend=mend)
    problems.raise_if_any()


def _part(arm: Arm, part: str) -> Any:
    """Return what of an arm's settings decides which incidents happen, without what only explains it."""
    if part == "city":
        return arm.settings.city_folder().resolve()
    if part == "seed":
        return arm.settings.seed
    values = asdict(getattr(arm.settings, part))
    return {name: value for name, value in values.items() if name != "about"}


def _arms_of(name: str) -> list[tuple[Arm, Path]]:
    """Return the arms of a run directory with their folders: all of them, or the one after a colon."""
    folder, wanted = Path(name), ""
    if not folder.is_dir() and ":" in name:
        text, _, wanted = name.rpartition(":")
        folder = Path(text)
    work = work_in(folder)
    names = [arm.name for arm in work.arms]
    if wanted and wanted not in names:
        raise InputError([Problem(str(folder), "is not one of its arms", wanted, mend=nearest_name(wanted, names))])
    return [(arm, work.arm_folder(arm)) for arm in work.arms if not wanted or arm.name == wanted]
