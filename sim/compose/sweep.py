"""Many runs by Hydra's sweeper and launchers (`-m`): every job checked before the first starts, one table at the end.

Each job is a run of its own in `outputs/run/<key>`, so a sweep resumes by itself: what is done is skipped. The
launchers are those of `launchers.py`. Afterwards the jobs are gathered like the arms of a study, the first being the
base, into `outputs/sweep/<key>`.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sim.compose import COMMAND_LINE, Composed, Draft, compose, compose_into, raise_with_tables
from sim.compose.launchers import BASIC, check_launcher, launching, workers_of
from sim.compose.overrides import hydra_texts, read_overrides
from sim.compose.study import make_arm, single_work
from sim.config import configs_root
from sim.errors import Problems
from sim.run.gather import SWEEP, Formats
from sim.run.work import Arm, Work

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override
    from omegaconf import DictConfig

    from sim.run.execute import Gather, Outcome

MAX_JOBS = 10_000
MOST_AT_ONCE = "hydra.sweeper.max_batch_size"


@dataclass(frozen=True, slots=True)
class Sweep:
    """Checked jobs of a sweep: what Hydra gets, and the run that each job is.

    `work` has one arm per job, named job_0000 …, whose replications lie in the jobs' own run directories.
    """

    hydra_overrides: tuple[str, ...]
    launcher: str
    jobs: tuple[Work, ...]
    work: Work


def read_sweep(overrides: Sequence[str], *, out: Path | None = None) -> Sweep:
    """Return the jobs that `overrides` make, all of them checked.

    Raises
    ------
    InputError
        With every problem of every job, each once.
    """
    problems = Problems()
    good = read_overrides(overrides, problems, origin=COMMAND_LINE, is_sweep=True)
    steering = [override for override in good if override.key_or_group.startswith("hydra")]
    _check_steering(steering, problems)
    drafts = _compose_jobs([override for override in good if override not in steering], problems)
    raise_with_tables(drafts, problems)
    composed = [draft.composed for draft in drafts if draft.composed is not None]
    jobs = tuple(single_work(job) for job in composed)
    launchers = [str(o.value()) for o in steering if o.key_or_group == "hydra/launcher"]
    work = _sweep_work(composed, jobs, out)
    return Sweep(tuple(hydra_texts(good)), launchers[-1] if launchers else BASIC, jobs, work)


def _check_steering(steering: Sequence[Override], problems: Problems) -> None:
    for override in steering:
        key = override.key_or_group
        if key == "hydra/launcher":
            check_launcher(str(override.value()), problems, COMMAND_LINE)
        elif key != MOST_AT_ONCE and not key.startswith("hydra.launcher."):
            rule = "steers Hydra in a way that sweeps here do not allow"
            mend = f"only hydra/launcher, hydra.launcher.* and {MOST_AT_ONCE} may be given"
            problems.add(COMMAND_LINE, rule, value=override.input_line, mend=mend)


def _compose_jobs(good: Sequence[Override], problems: Problems) -> list[Draft]:
    """Compose the product of all values given, in Hydra's order, each problem noted once."""
    from hydra.core.override_parser.types import Sweep as Values

    lists = []
    for override in good:
        key, is_list = override.get_key_element(), isinstance(override.value(), Values)
        if is_list and not override.is_discrete_sweep():
            mend = "give the values themselves, or range(start,stop,step)"
            problems.add(COMMAND_LINE, "names no separate values", value=override.input_line, mend=mend)
            return []
        lists.append(
            [f"{key}={v}" for v in override.sweep_string_iterator()] if is_list else [str(override.input_line)]
        )
    n_jobs = 1
    for values in lists:
        n_jobs *= len(values)
    if n_jobs > MAX_JOBS:
        problems.add(COMMAND_LINE, f"makes {n_jobs} jobs, more than {MAX_JOBS}", mend="sweep in parts")
        return []
    drafts = []
    for texts in itertools.product(*lists):
        found = Problems()
        drafts.append(compose_into(texts, found))
        problems.found += [problem for problem in found.found if problem not in problems.found]
    return drafts


def _sweep_work(composed: Sequence[Composed], jobs: Sequence[Work], out: Path | None) -> Work:
    """Return the jobs as arms of one comparison, labelled by what differs between them."""
    given = [set(job.overrides) for job in composed]
    common = set.intersection(*given) if given else set()
    arms: list[Arm] = []
    for i, job in enumerate(composed):
        differs = [text for text in job.overrides if text not in common]
        label = ", ".join(differs) or "default"
        base = "" if i == 0 else "job_0000"
        arm = make_arm(f"job_{i:04d}", job, label_zh=label, label_en=label, purpose="main", base=base)
        arms.append(replace(arm, overrides=tuple(differs)))
    text = "|".join(f"{arm.key}:{arm.n_replications}" for arm in arms)
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    outputs = Path(composed[0].settings.run.outputs)
    folder = out if out is not None else outputs / SWEEP / name
    study = {"base": arms[0].name, "contrasts": []}
    return Work(SWEEP, name, folder, tuple(arms), study, tuple(job.folder for job in jobs))


def launch(sweep: Sweep) -> None:
    """Run every job through Hydra's sweeper and launcher; raises the first job's error after all have been tried."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    workspace = sweep.work.folder.resolve() / ".hydra"
    quiet = ("hydra/hydra_logging=none", "hydra/job_logging=none")  # Hydra would turn on everybody's log messages
    texts = [*sweep.hydra_overrides, f"hydra.sweep.dir='{workspace}'", *quiet]
    GlobalHydra.instance().clear()
    try:
        root = str(configs_root().resolve())
        with launching(sweep.launcher), initialize_config_dir(root, version_base="1.3", job_name="dgsim"):
            hydra = GlobalHydra.instance().hydra
            assert hydra is not None
            hydra.multirun("config", do_job, texts, with_log_configuration=False)
    finally:
        GlobalHydra.instance().clear()
        _remove(workspace)


def _remove(workspace: Path) -> None:
    import shutil

    shutil.rmtree(workspace, ignore_errors=True)


def do_job(config: DictConfig) -> str:
    """Do one job of a sweep, wherever its launcher takes it; return its run directory."""
    del config  # composed again here, with every check
    from hydra.core.hydra_config import HydraConfig

    from sim.run.execute import execute

    hydra = HydraConfig.get()
    work = single_work(compose([str(text) for text in hydra.overrides.task]))
    work = _with_workers(work, workers_of(hydra.launcher, work.arms[0].settings.run.workers))
    outcome = execute(work)
    print(f"{outcome.folder}: {outcome.n_made} replications made, {outcome.n_kept} kept", flush=True)
    return str(outcome.folder)


def _with_workers(work: Work, workers: int) -> Work:
    (arm,) = work.arms
    settings = replace(arm.settings, run=replace(arm.settings.run, workers=workers))
    return replace(work, arms=(replace(arm, settings=settings),))


def run_sweep(
    read: Sweep,
    *,
    gather: Gather,
    formats: Formats = Formats(),  # noqa: B008 - frozen
    say: Callable[[str], None],
) -> Outcome:
    """Run every job of a checked sweep and gather them into one table and report.

    Raises
    ------
    InputError
        With what the inputs of the jobs have wrong, before the first starts.
    RunDirectoryError
        If the folder of the sweep is a file, before the first starts too.
    """
    from sim.run.check import check_all
    from sim.run.execute import gather_only

    check_all([read.work, *read.jobs])
    say(f"{len(read.jobs)} jobs, each checked")
    launch(read)
    return gather_only(read.work, gather=gather, formats=formats)
