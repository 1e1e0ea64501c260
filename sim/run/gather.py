"""From finished replications to tables and a report: hands the arms to `sim/compare` and its tables to `sim/report`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sim.provenance import part_of, whole_folder
from sim.run.pool import map_in_processes, n_workers
from sim.run.work import PLAUSIBLE, Arm, Work, arm_and_world, read_result, replication_folder

if TYPE_CHECKING:
    from sim.assemble import InputsBuilder
    from sim.compare import Arm as ComparedArm
    from sim.compare import Contrast, Labels, Run

TABLES = "tables"
_WORTH_A_READER = 40
"""Replications whose reading takes longer than to start a process for it."""
SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class Formats:
    """Which formats of tables are wanted beside Parquet, and the language in which the report opens, "" for any."""

    is_csv: bool = False
    is_xlsx: bool = False
    language: str = ""

    def added_to(self, noted: Mapping[str, Any], language: str) -> Formats:
        """Return these beside those that a run directory has already, as `noted`; `language` where none has one."""
        is_csv, is_xlsx = self.is_csv or bool(noted.get("csv")), self.is_xlsx or bool(noted.get("xlsx"))
        return Formats(is_csv, is_xlsx, self.language or str(noted.get("language") or language))

    def as_map(self) -> dict[str, Any]:
        """Return what the manifest notes of them."""
        return {"csv": self.is_csv, "xlsx": self.is_xlsx, "language": self.language}


def formats_of(given: argparse.Namespace) -> Formats:
    """Return the formats asked for on a command line."""
    return Formats(bool(given.csv), bool(given.xlsx), given.lang or "")


def gather(work: Work, formats: Formats) -> Path | None:
    """Write the tables of all arms into `tables/`, in place of any, and the report beside them; return its path."""
    from sim.compare import write_tables
    from sim.report import write_report

    with map_in_processes(_n_readers(work)) as run:
        with TemporaryDirectory(prefix=_prefix(work), dir=work.folder, ignore_cleanup_errors=True) as scratch:
            tables = tables_of(work, run, Path(scratch))
        with whole_folder(work.folder / TABLES, is_replacing=True) as part:
            write_tables(tables, part, csv=formats.is_csv, xlsx=formats.is_xlsx)
        report: Path = write_report(work.folder, formats.language, run)
    return report


def _prefix(work: Work) -> str:
    """Return how a folder for figures begins, so that one that a killed command left is taken for what it is."""
    return f"{part_of(work.folder / 'figures').name}-"


def tables_of(work: Work, run: Run = map, scratch: Path | None = None) -> dict[str, Any]:
    """Return every table of the work by name: what was simulated, and what describes the scenarios.

    `run` does what can be done in several processes; the tables are the same. Figures of each replication lie in
    `scratch` meanwhile, or where the system keeps what is temporary.
    """
    from sim.assemble import InputsBuilder
    from sim.compare import compare_arms, labels_of
    from sim.run.described import described_tables, teams_of

    builder = InputsBuilder()
    settings = work.arms[0].settings
    labels = labels_of(builder.city(settings), builder.demand_tables(settings).kinds)
    work, plausible = _plausible_apart(work)
    arms = [
        replace(arm, unit_types=builder.fleet(told.settings, 0).unit_types.code, teams=teams_of(told.settings))
        for arm, told in zip(compared_arms(work), work.arms, strict=True)
    ]
    described = run(described_tables, [(work, _one_replication_per_world(arms))])
    with _steps(len(arms) + 1) as tell:
        tables = compare_arms(
            arms, contrasts_of(work), labels, work.folder, pairs=pairs_of(work), one_more_arm=_base_of(work), run=run,
            tell=tell, scratch=scratch,
        )  # fmt: skip
    if work.kind == SWEEP:
        tables["jobs"] = jobs_table(work, tables["headline"])
    tables |= next(iter(described))
    tables |= _plausible_tables(work, plausible, labels, run, scratch)
    return tables | _money_tables(work, tables) | _outcome_table(work, arms, builder, labels, run)


def _n_readers(work: Work) -> int:
    """Return in how many processes arms are read: one more is not worth its start for a few replications."""
    n_replications = sum(arm.n_replications for arm in work.arms)
    return min(n_workers(work.arms[0].settings.run.workers), 1 + n_replications // _WORTH_A_READER)


def _plausible_apart(work: Work) -> tuple[Work, Work]:
    """Return the work without its plausible worlds, and those alone."""
    own = tuple(arm for arm in work.arms if arm.purpose != PLAUSIBLE)
    return replace(work, arms=own), replace(work, arms=tuple(arm for arm in work.arms if arm.purpose == PLAUSIBLE))


def _plausible_tables(work: Work, plausible: Work, labels: Labels, run: Run, scratch: Path | None) -> dict[str, Any]:
    """Return how the answer fares in the study's plausible worlds; {} if it has none."""
    from sim.compare import Factor, PlausibleArm, one_more_in_worlds, plausible_tables

    if not plausible.arms:
        return {}
    factors = [
        Factor(f["key"], f["label_zh"], f["label_en"], _range_text(f), tuple(map(str, f["choices"])), f["source"])
        for f in work.study["plausible"]["factors"]
    ]
    found = []
    for arm, told in zip(compared_arms(plausible), plausible.arms, strict=True):
        name, world = arm_and_world(arm.name)
        given = _given(told)
        found.append(PlausibleArm(arm, name, world, {factor.key: given[factor.key] for factor in factors}))
    base_of = {arm.name: arm.base for arm in work.arms}
    declared = [(told["arm"], told["base"]) for told in work.study.get("contrasts", ())]
    tables = plausible_tables(found, factors, base_of, labels, declared, run, scratch)
    ranked = one_more_in_worlds(found, _base_of(work), labels)
    return tables | ({"one_more_worlds": ranked} if ranked else {})


def _given(arm: Arm) -> dict[str, str]:
    """Return the value that an arm's overrides give each key, the last one where there are several."""
    return {key: value for key, _, value in (text.partition("=") for text in arm.overrides)}


def _range_text(factor: dict[str, Any]) -> str:
    return ", ".join(map(str, factor["choices"])) if factor["choices"] else f"{factor['low']:g} … {factor['high']:g}"


def _money_tables(work: Work, tables: dict[str, Any]) -> dict[str, Any]:
    """Return cost beside minutes, where the city has prices."""
    from sim.compare import frontier_in_worlds, frontier_table, value_table

    money, contrasts = tables.get("money", {}), tables.get("contrasts", {})
    conditions = {arm.name: _conditions(arm) for arm in work.arms}
    frontier = frontier_table(money, tables["headline"], contrasts, conditions, _base_of(work))
    made = {
        "value": value_table(money, contrasts, tables.get("beyond", {}), conditions),
        "frontier": frontier_in_worlds(frontier, tables.get("plausible", {}), conditions),
    }
    return {name: table for name, table in made.items() if table}


def _outcome_table(
    work: Work, arms: Sequence[ComparedArm], builder: InputsBuilder, labels: Labels, run: Run
) -> dict[str, Any]:
    """Return the estimate of deaths and losses at fires, where the settings of the base scheme ask for it."""
    from sim.compare import OutcomeModel, outcome_table

    base = next(arm for arm in work.arms if arm.name == _base_of(work))
    weights = builder.fire_weights(base.settings)
    if weights is None:
        return {}
    model = OutcomeModel(base.settings.outcome, weights, sum(labels.population))
    table = outcome_table(arms, pairs_of(work), base.name, model, labels, run)
    return {"outcome": table} if table else {}


CONDITIONS = ("seed", "city", "window", "demand", "times", "travel", "siting")
"""Groups of settings that are no choice of a planner's: arms that differ in them are not set against each other."""


def _conditions(arm: Arm) -> str:
    what = arm.settings.what()
    return json.dumps({name: what[name] for name in CONDITIONS}, sort_keys=True)


def jobs_table(work: Work, headline: dict[str, Any]) -> dict[str, Any]:
    """Return the tidy table of a sweep: one row per job, year and metric, one column per swept key.

    It holds the headline incidents' dispatch to first arrival, with intervals; `headline` has the other groups and
    clocks.
    """
    import numpy as np

    is_wanted = (headline["group"] == "headline") & (headline["clock"] == "arrival")
    rows = {name: values[is_wanted] for name, values in headline.items() if name not in ("group", "clock")}
    job = rows.pop("arm")
    given = {arm.name: _given(arm) for arm in work.arms}
    keys = sorted({key for of_job in given.values() for key in of_job})
    swept = {key: np.array([given[str(name)].get(key, "") for name in job], dtype=object) for key in keys}
    return {"job": job, **swept, **rows}


def compared_arms(work: Work) -> list[ComparedArm]:
    """Return the arms with their finished replications, as `sim/compare` takes them."""
    from sim.compare import Arm, Replication

    arms = []
    for arm in work.arms:
        folders = [(r, replication_folder(work.arm_folder(arm), r)) for r in range(arm.n_replications)]
        replications = tuple(Replication(r, read_result(folder)["siting_world"], folder) for r, folder in folders)
        overrides = json.dumps(list(arm.overrides), ensure_ascii=False)
        texts = (arm.label_zh, arm.label_en, arm.purpose, arm.first_line_zh, arm.first_line_en)
        arms.append(Arm(arm.name, replications, *texts, overrides))
    return arms


def contrasts_of(work: Work) -> list[Contrast]:
    """Return the contrasts that the study declared before it ran."""
    from sim.compare import Contrast

    names = ("arm", "base", "metric", "year", "group", "clock", "equivalence", "of_arm", "of_base")
    declared = work.study.get("contrasts", [])
    return [Contrast(entry["contrast"], **{name: entry[name] for name in names if name in entry}) for entry in declared]


def pairs_of(work: Work) -> list[tuple[str, str]]:
    """Return (arm, base) for every arm that is compared with another."""
    return [(arm.name, arm.base) for arm in work.arms if arm.base]


def _base_of(work: Work) -> str:
    """Return the arm whose next stations are ranked: the study's base, else the first."""
    return str(work.study.get("base") or work.arms[0].name)


def _one_replication_per_world(arms: Sequence[ComparedArm]) -> dict[str, list[int]]:
    """Return for each arm the first replication of each of its siting worlds."""
    found = {}
    for arm in arms:
        first: dict[str, int] = {}
        for replication in arm.replications:
            first.setdefault(replication.world, replication.number)
        found[arm.name] = sorted(first.values())
    return found


class _steps:  # noqa: N801 - reads as a statement
    """Shows which step of gathering is at work, when it takes over two seconds."""

    def __init__(self, n_steps: int) -> None:
        from tqdm import tqdm

        form = "{desc} {n_fmt}/{total_fmt} |{bar}| {elapsed}, {remaining} left {postfix}"
        self._bar = tqdm(total=n_steps, desc="comparing", unit="arm", delay=2.0, bar_format=form, disable=None)

    def __enter__(self) -> Any:
        return self._tell

    def _tell(self, step: str) -> None:
        self._bar.set_postfix_str(step)
        self._bar.update(1)

    def __exit__(self, *_: object) -> None:
        self._bar.close()
