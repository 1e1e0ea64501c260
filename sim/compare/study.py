"""The comparison of arms, from their replications on disk to its tables; this top level only composes.

Each arm is read one replication at a time, and what is kept of each lies in files (`series.py`), so that memory does
not grow with replications. Steps: check what was asked; read each arm and make its own tables; read pairs; make the
tables of differences.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import numpy as np

from sim.compare.apart import joined, tables_of_arm, tables_of_pair
from sim.compare.cells import Frame
from sim.compare.collect import ArmResult, collect, years_of
from sim.compare.detail import hour_contrasts, kind_contrasts
from sim.compare.guide import replication_guide
from sim.compare.interactions import corrected_together, interactions_table
from sim.compare.intervals import ENOUGH_DF
from sim.compare.levels import ecdf_table, headline_table, hours_table, kinds_table, texts, towns_table
from sim.compare.matched import main_and_conditions, matched_table
from sim.compare.pairs import Pair, contrasts_table, losers_table, make_pair, pair_rows
from sim.compare.parts import Arm, Contrast, Labels, Run, Tables, check
from sim.compare.service import beyond_table, one_more_summary, queueing_table, workload_summary, worst_towns_table
from sim.errors import Problems
from sim.metrics.store import Columns


def compare_arms(
    arms: Sequence[Arm],
    contrasts: Sequence[Contrast],
    labels: Labels,
    run_dir: Path,
    *,
    pairs: Sequence[tuple[str, str]] = (),
    one_more_arm: str | None = None,
    run: Run = map,
    tell: Callable[[str], None] | None = None,
    scratch: Path | None = None,
) -> Tables:
    """Return the tables of a comparison by name, each a dict of equally long columns.

    Parameters
    ----------
    contrasts
        Declared before the run: they are primary and corrected together, interactions among them. Every other
        difference is exploratory.
    run_dir
        The folder that paths in the table `replications` are relative to.
    pairs
        (arm, base) to be compared besides those of the contrasts.
    one_more_arm
        The arm whose next stations are ranked; none if not given.
    run
        Reads arms and pairs, here or in other processes; the tables are the same.
    tell
        Called with a word after each step (every arm, then "pairs"), for a progress bar.
    scratch
        Where figures of each replication are kept meanwhile, about half a MB each; the system's folder if not given.

    Raises
    ------
    InputError
        With all problems of arms and contrasts, or when a replication's table cannot be read.
    """
    check(arms, contrasts)
    frame = Frame(years_of(arms), labels)
    _check_years(contrasts, frame)
    interactions = [contrast for contrast in contrasts if contrast.is_interaction]
    plain = [contrast for contrast in contrasts if not contrast.is_interaction]
    asked = [pair for contrast in (*plain, *interactions) for pair in contrast.pairs]
    wanted = list(dict.fromkeys(asked + list(pairs)))
    with TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True) as folder:
        reading = _Reading(frame, Path(folder), run, tell or (lambda step: None))
        tables = _read(reading, arms, wanted, plain, interactions)
    tables["worst_towns"] = worst_towns_table(tables["towns"], frame)
    if one_more_arm is not None:
        tables["one_more"] = one_more_summary(next(arm for arm in arms if arm.name == one_more_arm), frame)
    tables |= {"arms": _arms_table(arms), "replications": _replications_table(arms, run_dir)}
    tables |= {"town_names": _town_names(labels), "kind_names": _kind_names(labels)}
    return {name: table for name, table in tables.items() if table}


@dataclass(frozen=True, slots=True)
class _Reading:
    """How arms and pairs are read: `run` does it, figures lie in `folder` meanwhile, `tell` hears of each step."""

    frame: Frame
    folder: Path
    run: Run
    tell: Callable[[str], None]


def _read(
    reading: _Reading, arms: Sequence[Arm], wanted: Sequence[tuple[str, str]], plain: Sequence[Contrast],
    interactions: Sequence[Contrast],
) -> Tables:  # fmt: skip
    """Return the tables that are made of the figures of each replication."""
    frame = reading.frame
    results, made, tables = _read_all(reading, arms, wanted, interactions)
    reading.tell("pairs")
    of_pairs = contrasts_table([tables.pop("contrasts", {})], made, plain)
    found = of_pairs, interactions_table(made, interactions, frame)
    tables["contrasts"], tables["interactions"] = corrected_together(*found)
    if tables["contrasts"]:
        tables["losers"] = losers_table(tables["contrasts"], frame)
    tables["matched"] = _matched(reading, arms, wanted, made, results)
    tables["replication_guide"] = replication_guide(list(results.values()), made, plain, frame)
    return tables


def _read_all(
    reading: _Reading, arms: Sequence[Arm], wanted: Sequence[tuple[str, str]], interactions: Sequence[Contrast]
) -> tuple[dict[str, ArmResult], list[Pair], Tables]:
    """Return what is known of each arm, of each wanted pair, and the tables that they have by themselves."""
    by_name = {arm.name: arm for arm in arms}
    frame, run = reading.frame, reading.run
    jobs = [(arm, frame, _folder(reading), _needs_bootstrap(arm, arms, wanted, interactions)) for arm in arms]
    read = run(_read_arm, jobs)
    apart = run(tables_of_arm, [(arm, frame) for arm in arms])
    apart_pairs = run(tables_of_pair, [(by_name[arm], by_name[base], frame) for arm, base in wanted])
    own: list[Tables] = []
    results: dict[str, ArmResult] = {}
    for arm, (result, tables) in zip(arms, read, strict=True):
        reading.tell(arm.name)
        results[arm.name] = result
        own.append(tables)
    pairs_read = run(_read_pair, [(results[arm], results[base], frame, _folder(reading)) for arm, base in wanted])
    made = []
    for pair, tables in pairs_read:
        made.append(pair)
        own.append(tables)
    return results, made, joined((*own, *apart, *apart_pairs))


def _folder(reading: _Reading) -> Path:
    """Return an empty folder for the figures of one arm or pair."""
    return Path(mkdtemp(dir=reading.folder))


def _read_arm(job: tuple[Arm, Frame, Path, bool]) -> tuple[ArmResult, Tables]:
    arm, frame, folder, is_bootstrapped = job
    result = collect(arm, frame, folder, is_bootstrapped=is_bootstrapped)
    tables = _tables_of(result, frame)
    result.release()
    return result, tables


def _read_pair(job: tuple[ArmResult, ArmResult, Frame, Path]) -> tuple[Pair, Tables]:
    pair, frame = make_pair(*job), job[2]
    tables = {"contrasts": pair_rows(pair, frame)}
    tables |= {"kind_contrasts": kind_contrasts(pair, frame), "hour_contrasts": hour_contrasts(pair, frame)}
    return pair, {name: table for name, table in tables.items() if table}


def _matched(
    reading: _Reading, arms: Sequence[Arm], wanted: Sequence[tuple[str, str]], made: Sequence[Pair],
    results: dict[str, ArmResult],
) -> Columns:  # fmt: skip
    """Return the main comparison over the replications of each condition; nothing where there is no such pair."""
    main, others = main_and_conditions(arms, wanted)
    pairs = {(pair.arm, pair.base): pair for pair in made}
    if main is None:
        return {}
    conditions = [pairs[other] for other in others]
    return matched_table(pairs[main], conditions, results, reading.frame, reading.folder, reading.run)


def _tables_of(result: ArmResult, frame: Frame) -> Tables:
    """Return the tables that one arm has by itself; those by kind and hour of the main arms only."""
    detailed = {"kinds": kinds_table, "hours": hours_table} if len(result.kinds.values) else {}
    return {name: make(result, frame) for name, make in detailed.items()} | {
        "headline": headline_table(result, frame),
        "towns": towns_table(result, frame),
        "ecdf": ecdf_table(result, frame),
        "queueing": queueing_table(result, frame),
        "beyond": beyond_table(result, frame),
        "workload": workload_summary(result.arm, frame),
    }


def _check_years(contrasts: Sequence[Contrast], frame: Frame) -> None:
    problems = Problems()
    for contrast in contrasts:
        if contrast.year not in frame.all_years:
            years = ", ".join(str(year) for year in frame.all_years)
            problems.add(f"contrast {contrast.id}: year", "was not measured", value=contrast.year, mend=f"use {years}")
    problems.raise_if_any()


def _needs_bootstrap(
    arm: Arm, arms: Sequence[Arm], wanted: Sequence[tuple[str, str]], interactions: Sequence[Contrast]
) -> bool:
    """Return whether Monte Carlo variance needs days drawn anew: worlds are hardly repeated, alone or in a pair."""
    if _is_hardly_repeated(arm.worlds):
        return True
    by_name = {one.name: one for one in arms}
    main, others = main_and_conditions(arms, wanted)
    matched = [(*main, *other) for other in others] if main and arm.name in main else []
    fours = [(*first, *second) for first, second in (contrast.pairs for contrast in interactions)]
    for names in (*(some for some in (*wanted, *fours) if arm.name in some), *matched):
        numbers = set.intersection(*({r.number for r in by_name[name].replications} for name in names))
        if _is_hardly_repeated([r.world for r in arm.replications if r.number in numbers]):
            return True
    return False


def _is_hardly_repeated(worlds: Sequence[str]) -> bool:
    return len(worlds) - len(set(worlds)) < ENOUGH_DF


def _arms_table(arms: Sequence[Arm]) -> Columns:
    names = ("label_zh", "label_en", "purpose", "first_line_zh", "first_line_en", "overrides")
    table: Columns = {"arm": texts([arm.name for arm in arms])}
    table |= {name: texts([getattr(arm, name) for arm in arms]) for name in names}
    table["n_replications"] = np.array([len(arm.replications) for arm in arms])
    table["n_worlds"] = np.array([len(set(arm.worlds)) for arm in arms])
    return table


def _replications_table(arms: Sequence[Arm], run_dir: Path) -> Columns:
    """Return where each replication's incident table lies, relative to the run directory, with `/`."""
    rows = [(arm.name, replication) for arm in arms for replication in arm.replications]
    files = [Path(os.path.relpath(r.folder / "incidents.parquet", run_dir)).as_posix() for _, r in rows]
    return {
        "arm": texts([name for name, _ in rows]),
        "replication": np.array([r.number for _, r in rows]),
        "world": texts([r.world for _, r in rows]),
        "file": texts(files),
    }


def _kind_names(labels: Labels) -> Columns:
    if not labels.kind_names:
        return {}
    return {
        "kind": texts(labels.kind_code),
        "name_zh": texts([zh for zh, _ in labels.kind_names]),
        "name_en": texts([en for _, en in labels.kind_names]),
        "family": texts(labels.kind_family),
    }


def _town_names(labels: Labels) -> Columns:
    return {
        "town": texts(labels.town_code),
        "name_zh": texts(labels.town_zh),
        "name_en": texts(labels.town_en),
        "residents": np.array(labels.population, dtype=np.int64),
    }
