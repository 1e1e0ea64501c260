"""Like with like: the main comparison once more, over the replications that a comparison under another condition has.

Arms under other conditions (staffing, dispatch policy, travel world) mostly have fewer replications than the main
ones, so on fewer siting worlds. What a condition changes is therefore told against the main comparison on the very same
replications: same demand, same sites, and incidents and worlds that cancel in the difference of the two differences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from sim.compare.cells import Frame
from sim.compare.collect import ArmResult, collect
from sim.compare.intervals import spread_of
from sim.compare.levels import boot_of, stack, texts
from sim.compare.pairs import Pair, difference, mean_in_order
from sim.compare.parts import CLOCKS, GROUPS, MAIN, METRICS, Arm, Run
from sim.metrics.store import Columns

_CLOCK = CLOCKS.index("arrival")
_GROUP = GROUPS.index("headline")


def main_and_conditions(
    arms: Sequence[Arm], wanted: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str] | None, list[tuple[str, str]]]:
    """Return the main pair (the first of purpose main) and the pairs that repeat it under one other condition.

    Pairs are (arm, base). A condition's two arms have its purpose. An arm of a purpose that no such pair has (an
    opening month) stands for the main arm where it is compared with the main base.
    """
    purpose = {arm.name: arm.purpose for arm in arms}
    main = [pair for pair in wanted if {purpose[name] for name in pair} == {MAIN}]
    repeated = [(arm, base) for arm, base in wanted if purpose[arm] == purpose[base] != MAIN]
    if not main:
        return None, []
    known = {MAIN, *(purpose[arm] for arm, _ in repeated)}
    return main[0], repeated + [(arm, base) for arm, base in wanted if base == main[0][1] and purpose[arm] not in known]


def matched_table(
    main: Pair, conditions: Sequence[Pair], results: Mapping[str, ArmResult], frame: Frame, scratch: Path,
    run: Run = map,
) -> Columns:  # fmt: skip
    """Return the main pair's figures over each condition's replications, and what the condition changes.

    One row per condition pair, year and metric; headline incidents citywide from the due order to the first arrival.
    `base_value`, `arm_value`: the main arms' pooled levels there; `diff` their paired difference with its interval.
    `change`: the condition's difference minus the main one's, paired by replication, with its interval. `run` reads
    arms, here or in other processes, which keep figures in `scratch` meanwhile.
    """
    shared = [tuple(number for number in pair.numbers if number in main.numbers) for pair in conditions]
    asked = [(name, numbers) for numbers in dict.fromkeys(shared) if numbers for name in (main.base, main.arm)]
    found = run(_levels, [(results[name].arm, numbers, frame, scratch) for name, numbers in asked])
    level = dict(zip(asked, found, strict=True))
    parts = [
        _rows(main, pair, numbers, [level[name, numbers] for name in (main.base, main.arm)], frame)
        for pair, numbers in zip(conditions, shared, strict=True)
        if numbers
    ]
    return stack(parts) if parts else {}


def _levels(job: tuple[Arm, tuple[int, ...], Frame, Path]) -> NDArray[np.float64]:
    """Return an arm's pooled citywide headline figures over some of its replications: (n_years + 1, n_metrics)."""
    arm, numbers, frame, scratch = job
    kept = tuple(replication for replication in arm.replications if replication.number in numbers)
    with TemporaryDirectory(dir=scratch) as folder:
        some = collect(replace(arm, replications=kept, purpose=""), frame, Path(folder), is_bootstrapped=False)
    return some.main.pooled(_CLOCK)[frame.city_cells()[:, _GROUP]]


def _rows(
    main: Pair, pair: Pair, numbers: tuple[int, ...], levels: Sequence[NDArray[np.float64]], frame: Frame
) -> Columns:
    ours, theirs = (_diffs(one, numbers) for one in (pair, main))
    worlds = [main.worlds[main.numbers.index(number)] for number in numbers]
    cells = frame.city_cells()[:, _GROUP]
    counts = main.counts.of_all(0, cells, numbers=main.places(numbers)).sum(axis=0)
    n = theirs.shape[1]
    table: Columns = {"arm": texts([pair.arm] * n), "base": texts([pair.base] * n)}
    table |= {"main_arm": texts([main.arm] * n), "main_base": texts([main.base] * n)}
    table |= {"year": np.repeat(np.array(frame.all_years), len(METRICS))}
    table |= {"metric": texts(list(METRICS) * len(frame.all_years))}
    table |= {"base_value": levels[0].reshape(-1), "arm_value": levels[1].reshape(-1)}
    boot = {number: drawn for number, drawn in main.boot.items() if number in numbers}
    moved = {number: difference(pair.boot[number], drawn) for number, drawn in boot.items() if number in pair.boot}
    changes = difference(ours, theirs)
    told = ((("diff", "low", "high"), theirs, boot), (("change", "change_low", "change_high"), changes, moved))
    for names, values, drawn in told:
        variance = boot_of(list(drawn.values()))
        spread = spread_of(values, worlds, variance and variance.at(_CLOCK, slice(None), _GROUP))
        mean = mean_in_order(values)
        table |= dict(zip(names, (mean, mean - spread.half_total, mean + spread.half_total), strict=True))
    table |= {"n_pairs": np.full(n, len(numbers)), "n_worlds": np.full(n, len(set(worlds)))}
    return table | {"n_incidents": np.repeat(counts, len(METRICS))}


def _diffs(pair: Pair, numbers: tuple[int, ...]) -> NDArray[np.float64]:
    """Return a pair's citywide headline differences in some replications: (n_numbers, (n_years + 1) x n_metrics)."""
    found = pair.city.of_all(_CLOCK, slice(None), _GROUP, numbers=pair.places(numbers))
    return found.reshape(len(numbers), -1)
