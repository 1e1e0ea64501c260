"""What is wanted and where it lies: arms, replications, and the run directory that holds them.

A run is one arm that lies in the run directory itself; a study has several, each in `arms/<name>`. Each arm has a
key, the digest of what decides its results; a directory that holds an arm of that name under another key holds
another run. The replication is the unit of storage: a folder that appears whole or not at all, with a `result.json`
that lists its files.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sim.config import About
from sim.errors import RunDirectoryError
from sim.provenance import (
    COMPLETE,
    LOCK,
    PART,
    check_is_folder,
    is_sealed,
    only_writer,
    remove_parts,
    sha256_of_file,
    to_json,
    unseal,
    write_whole,
)
from sim.settings import Settings

NOTE = "run.json"
CONFIG = "config.yaml"
RESULT = "result.json"
LOG = "log.parquet"
REPLICATIONS = "replications"
TABLES = Path("inputs") / "quantile_tables.npz"
"""Quantile tables that the settings of an arm ask for and the city folder does not hold, beside its replications."""
ARMS = "arms"
PLAUSIBLE = "plausible"
"""Purpose of the arms that stand for another in a plausible world."""
_IN_WORLD = "--w"
_NOTED = ("key", "n_replications", "label_zh", "label_en", "purpose", "base", "first_line_zh", "first_line_en")
"""What the note tells of an arm as it is, beside its overrides, choices and folder."""
SINGLE = "run"
"""Kind, and name of the only arm, of a run that is no study."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One scenario with its settings and number of replications.

    `key`: SHA-256 of what decides the results. `about`: dotted key -> standing and source. `purpose`: main, staffing,
    policy, travel, opening … `base`: the arm it is compared with, "" for none. `first_line_*`: why it is compared,
    one sentence.
    """

    name: str
    settings: Settings
    key: str
    n_replications: int
    label_zh: str = ""
    label_en: str = ""
    purpose: str = "main"
    base: str = ""
    first_line_zh: str = ""
    first_line_en: str = ""
    overrides: tuple[str, ...] = ()
    choices: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, About] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """Arms to be run into one run directory.

    `study`: the study's own settings (base, contrasts, texts), if it is one. `folders`: where the arms lie, in their
    order, when they are runs of their own (a sweep, a comparison); empty when they lie in this directory.
    """

    kind: str
    name: str
    folder: Path
    arms: tuple[Arm, ...]
    study: Mapping[str, Any] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()

    def arm(self, name: str) -> Arm:
        """Return the arm of that name."""
        return next(arm for arm in self.arms if arm.name == name)

    def arm_folder(self, arm: Arm) -> Path:
        """Return where an arm's configuration and replications lie."""
        if self.folders:
            return self.folders[self.arms.index(arm)]
        return self.folder if self.kind == SINGLE else self.folder / ARMS / arm.name


@dataclass(frozen=True, slots=True)
class Job:
    """One replication of one arm, to be written to `folder`."""

    arm: str
    key: str
    replication: int
    settings: Settings
    folder: Path

    @property
    def tables(self) -> Path:
        """The arm's own quantile tables; there is no file where the city folder holds all it asks for."""
        return self.folder.parent.parent / TABLES


Batch = tuple[Job, ...]
"""What one worker does in one go: jobs of one replication."""


def replication_folder(folder: Path, replication: int) -> Path:
    """Return the folder of a replication of the arm in `folder`."""
    return folder / REPLICATIONS / f"r{replication:04d}"


def jobs_of(work: Work) -> list[Job]:
    """Return every replication of every arm, by replication, so that arms can share what they have in common."""
    n_most = max((arm.n_replications for arm in work.arms), default=0)
    return [
        Job(arm.name, arm.key, r, arm.settings, replication_folder(work.arm_folder(arm), r))
        for r in range(n_most)
        for arm in work.arms
        if r < arm.n_replications
    ]


def name_in_world(arm: str, world: int) -> str:
    """Return the name of an arm in a plausible world."""
    return f"{arm}{_IN_WORLD}{world:04d}"


def arm_and_world(name: str) -> tuple[str, int]:
    """Return the arm and the number of the plausible world of such a name."""
    arm, _, number = name.rpartition(_IN_WORLD)
    return arm, int(number)


# --- the run directory ------------------------------------------------------------------------------------------------


def read_note(folder: Path) -> dict[str, Any]:
    """Return what a run directory says it holds: kind, name, keys of its arms.

    Raises
    ------
    RunDirectoryError
        If it is no run directory, or its note cannot be read.
    """
    path = folder / NOTE
    check_is_folder(folder)
    if not path.is_file():
        raise RunDirectoryError(f"{folder}: is not a run directory, it has no {NOTE}; name another folder")
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        arms: dict[str, Any] = dict(note["arms"])
        _check_arms(arms)
        found = {"kind": str(note["kind"]), "name": str(note["name"]), "arms": arms}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunDirectoryError(f"{path}: cannot be read ({error}); restore it or move the folder away") from error
    return {**note, **found}


def _check_arms(arms: Mapping[str, Any]) -> None:
    """Raise KeyError, TypeError or ValueError for an arm that lacks what every reader of a note asks for."""
    for told in arms.values():
        for name in (*_NOTED, "overrides", "choices", "folder"):
            told[name]
        int(told["n_replications"])


def check_folder(work: Work) -> None:
    """Stop if the run directory, as it lies there, cannot take `work`; nothing is touched.

    Raises
    ------
    RunDirectoryError
        If it is no folder, or holds other files, another run, or an arm that this work does not have.
    """
    if check_is_run(work.folder):
        _refuse_another_run(work, read_note(work.folder))


def check_is_run(folder: Path) -> bool:
    """Return whether a folder holds a run, begun or finished; it need not be there.

    Raises
    ------
    RunDirectoryError
        If something that is no folder stands in the way, or the folder holds files of no run.
    """
    standing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not standing.is_dir():
        raise RunDirectoryError(f"{folder}: {standing} is a file, not a folder; name another folder")
    if not folder.exists() or (folder / NOTE).exists():
        return folder.exists()
    others = [path.name for path in folder.iterdir() if path.name != LOCK and not path.name.startswith(PART)]
    if others:
        shown = ", ".join(sorted(others)[:3])
        mend = "name another folder or empty this one"
        raise RunDirectoryError(f"{folder}: holds files of no run ({shown}); nothing is overwritten: {mend}")
    return False


def claim(work: Work) -> None:
    """Make the run directory ready for `work`. Call it as its only writer.

    The note comes first: a folder that was claimed and left, at whatever instant, is known for what it is.

    Raises
    ------
    RunDirectoryError
        As `check_folder`.
    """
    folder = work.folder
    check_folder(work)
    unseal(folder)
    remove_parts(folder)
    write_whole(folder / NOTE, to_json(note_of(work), is_sorted=False))
    for arm in work.arms if not work.folders else ():
        where = work.arm_folder(arm)
        where.mkdir(parents=True, exist_ok=True)
        write_whole(where / CONFIG, config_text(arm))
    if work.kind != SINGLE:
        write_whole(folder / CONFIG, config_text(work.arm(work.study["base"])))


def note_of(work: Work) -> dict[str, Any]:
    """Return what `run.json` holds: kind, name, and per arm its key, texts, overrides and number of replications."""
    arms = {}
    for arm in work.arms:
        arms[arm.name] = {name: getattr(arm, name) for name in _NOTED} | {
            "overrides": list(arm.overrides),
            "choices": dict(arm.choices),
            "folder": Path(os.path.relpath(work.arm_folder(arm), work.folder)).as_posix(),
        }
    return {"kind": work.kind, "name": work.name, "arms": arms, "study": dict(work.study)}


def config_text(arm: Arm) -> str:
    """Return an arm's `config.yaml`: every value, and how each is known."""
    import yaml

    content = arm.settings.as_map()
    content["about"] = {key: asdict(entry) for key, entry in sorted(arm.about.items())}
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120)


def _refuse_another_run(work: Work, note: Mapping[str, Any]) -> None:
    mend = "name another folder"
    if not work.folders:
        mend += ", or give --fresh to move the old one aside"
        mend += f"; --reuse {work.folder} beside either takes over what stays the same"
    held = f"{note['kind']} {note['name']!r}"
    wanted = {arm.name: arm.key for arm in work.arms}
    if (note["kind"], note["name"]) != (work.kind, work.name):
        raise RunDirectoryError(f"{work.folder}: already holds another run ({held}); nothing is overwritten: {mend}")
    for name, arm in note["arms"].items():
        if name not in wanted:
            raise RunDirectoryError(f"{work.folder}: holds an arm {name!r} that {held} does not have now; {mend}")
        if arm["key"] != wanted[name]:
            made = f"arm {name!r} was made with other settings, city files or source code"
            raise RunDirectoryError(f"{work.folder}: already holds another run: {made}; nothing is overwritten: {mend}")


def move_aside(folder: Path) -> Path | None:
    """Rename an existing run directory to `<name>~<n>`; return its new path, or None if there was none.

    Raises
    ------
    RunDirectoryError
        If it holds files of no run, or another process is writing it.
    """
    if not check_is_run(folder):
        return None
    with only_writer(folder):
        pass
    before = aside_of(folder)
    n = int(before[-1].name.rpartition("~")[2]) + 1 if before else 1
    aside = folder.with_name(f"{folder.name}~{n}")
    folder.rename(aside)
    return aside


def aside_of(folder: Path) -> list[Path]:
    """Return what was moved aside of a run directory, the oldest first."""
    name = re.compile(re.escape(folder.name) + r"~([1-9]\d*)")
    beside = folder.parent.iterdir() if folder.parent.is_dir() else ()
    numbered = [(int(found[1]), path) for path in beside if (found := name.fullmatch(path.name))]
    return [path for _, path in sorted(numbered)]


# --- finished replications --------------------------------------------------------------------------------------------


def read_result(folder: Path) -> dict[str, Any]:
    """Return the `result.json` of a replication's folder.

    Raises
    ------
    RunDirectoryError
        If there is none, or it cannot be read.
    """
    path = folder / RESULT
    mend = f"delete the folder {folder} and give the command again"
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for name in ("log_digest", "inputs_digest", "key", "city", "siting_world"):
            _check_kind(result[name], str)
        for name, kind in (("files", dict), ("inputs", dict), ("replication", int)):
            _check_kind(result[name], kind)
        for name, digest in result["files"].items():
            _check_kind(digest, str)
            if Path(name).name != name:
                raise ValueError(f"{name!r} is no name of a file beside it")
        _check_kind(result["software"]["source"]["result"], str)
    except FileNotFoundError as error:
        raise RunDirectoryError(f"{folder}: is half-written, it has no {RESULT}; {mend}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunDirectoryError(f"{path}: cannot be read ({error}); {mend}") from error
    return result


def _check_kind(value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")


def is_finished(job: Job) -> bool:
    """Return whether a job's replication is there and whole.

    Raises
    ------
    RunDirectoryError
        If it is there but half-written, changed, or of another run.
    """
    if not job.folder.exists():
        return False
    result = read_result(job.folder)
    mend = f"delete the folder {job.folder} and give the command again"
    if result["key"] != job.key:
        raise RunDirectoryError(f"{job.folder}: belongs to another run; {mend}")
    for name, digest in result["files"].items():
        path = job.folder / name
        if not path.is_file():
            raise RunDirectoryError(f"{path}: is missing; {mend}")
        if sha256_of_file(path) != digest:
            raise RunDirectoryError(f"{path}: was changed after it was written; {mend}")
    return True


def lacks_log(job: Job) -> bool:
    """Return whether a finished replication did not keep its event log although its settings want it now."""
    return job.settings.run.log == "full" and LOG not in read_result(job.folder)["files"]


def results_of(folder: Path) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield (arm, replication, result) of everything finished in a run directory, in order."""
    for arm, told in read_note(folder)["arms"].items():
        for replication, path in finished_folders(folder / told["folder"]):
            yield arm, replication, read_result(path)


def finished_folders(folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield (replication, folder) of everything finished of the arm in `folder`, in order."""
    for path in sorted((folder / REPLICATIONS).glob("r[0-9]*")):
        if (path / RESULT).is_file():
            yield int(path.name[1:]), path


@dataclass(frozen=True, slots=True)
class State:
    """What a run directory looks like from outside: `word` is complete, unfinished, foreign or damaged.

    `about`: its arms, or what a single run was given, or why it is damaged. `changed`: when it was sealed or last
    claimed, seconds since 1970; 0 for what is no run.
    """

    folder: Path
    kind: str
    name: str
    word: str
    about: str
    n_done: int
    n_wanted: int
    n_bytes: int
    changed: float


def state_of(folder: Path) -> State:
    """Return the state of a folder without reading its tables."""
    n_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if not (folder / NOTE).is_file():
        return State(folder, "", folder.name, "foreign", f"no {NOTE}", 0, 0, n_bytes, 0.0)
    changed = (folder / (COMPLETE if is_sealed(folder) else NOTE)).stat().st_mtime
    try:
        note = read_note(folder)
        n_done = sum(1 for _ in results_of(folder))
        n_wanted = sum(int(arm["n_replications"]) for arm in note["arms"].values())
        about = _about(note)
    except RunDirectoryError as error:
        return State(folder, "", folder.name, "damaged", str(error), 0, 0, n_bytes, changed)
    word = "complete" if is_sealed(folder) else "unfinished"
    return State(folder, note["kind"], note["name"], word, about, n_done, n_wanted, n_bytes, changed)


def _about(note: Mapping[str, Any]) -> str:
    """Return what a single run was given beyond the defaults, or the arms of anything else."""
    arms = note["arms"]
    if note["kind"] == SINGLE:
        (arm,) = arms.values()
        return " ".join(arm["overrides"]) or str(arm["label_en"] or "the default choices")
    return f"{len(arms)} arms: {', '.join(arms)}"


def runs_in(folder: Path) -> list[Path]:
    """Return the run directories in an outputs folder or the folder of one kind, or the folder itself if it is one.

    Folders where runs would lie and that are none are among them: `state_of` calls them foreign.
    """
    if (folder / NOTE).exists():
        return [folder]
    found = _folders(folder)
    if any((path / NOTE).exists() for path in found):
        return found
    return [path for kind in found for path in _folders(kind)]


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
