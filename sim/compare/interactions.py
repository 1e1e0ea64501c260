"""Differences of differences: what one change does where another holds, over what it does where it does not.

A declared contrast with `of_arm` and `of_base` asks for (arm - base) - (of_arm - of_base), replication by replication:
the same incidents and the same siting world in all four arms, so that both cancel. Zero means that the two changes
add up, whatever each of them is worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.compare.cells import STATIC_OF_CLOCK, Frame
from sim.compare.intervals import holm, p_value, spread_of
from sim.compare.levels import boot_of, texts
from sim.compare.pairs import Pair, difference, mean_in_order
from sim.compare.parts import CLOCKS, GROUPS, METRICS, Contrast
from sim.metrics.store import Columns

_TEXTS = ("contrast", "arm", "base", "of_arm", "of_base", "group", "clock", "metric")
_COUNTS = ("year", "n_pairs", "n_worlds", "n_incidents")
_FIGURES = (
    "there", "elsewhere", "diff", "low", "high", "mc_low", "mc_high", "siting_sd", "mc_sd", "p_value", "static_diff",
    "congestion_diff",
)  # fmt: skip


def interactions_table(pairs: Sequence[Pair], interactions: Sequence[Contrast], frame: Frame) -> Columns:
    """Return one row per declared interaction; without figures where the four arms share no replication.

    `there` is arm - base, `elsewhere` of_arm - of_base, both over the replications that all four have; `diff` the one
    less the other, with its intervals, static and congestion part as in the table of contrasts. `n_incidents`: those
    matched between arm and base. `is_equivalent`: the 95 % interval lies within the declared bound on both sides.
    """
    if not interactions:
        return {}
    made = {(pair.arm, pair.base): pair for pair in pairs if pair.numbers}
    rows = [
        _row(one, made.get((one.arm, one.base)), made.get((one.of_arm, one.of_base)), frame) for one in interactions
    ]
    table: Columns = {name: texts([row[name] for row in rows]) for name in _TEXTS}
    table |= {name: np.array([row[name] for row in rows], dtype=np.int64) for name in _COUNTS}
    table |= {name: np.array([row[name] for row in rows], dtype=np.float64) for name in _FIGURES}
    bound = np.array([one.equivalence or np.nan for one in interactions])
    within = (table["low"] > -bound) & (table["high"] < bound)
    return table | {"equivalence": bound, "is_equivalent": within}


def _row(contrast: Contrast, ours: Pair | None, theirs: Pair | None, frame: Frame) -> dict[str, Any]:
    names = (*(name for name in _TEXTS if name != "contrast"), "year")
    row: dict[str, Any] = {"contrast": contrast.id} | {name: getattr(contrast, name) for name in names}
    both = [n for n in ours.numbers if n in theirs.numbers] if ours is not None and theirs is not None else []
    if ours is None or theirs is None or not both:
        return row | dict.fromkeys(_FIGURES, np.nan) | dict.fromkeys(_COUNTS[1:], 0)
    clock, at = CLOCKS.index(contrast.clock), METRICS.index(contrast.metric)
    cell = frame.main_cell(contrast.year, contrast.group)
    year, group = frame.all_years.index(contrast.year), GROUPS.index(contrast.group)
    there, elsewhere = (_diffs(pair, both, clock, year, group) for pair in (ours, theirs))
    drawn = [difference(ours.boot[n], theirs.boot[n]) for n in both if n in ours.boot and n in theirs.boot]
    boot, worlds = boot_of(drawn), [ours.worlds[ours.numbers.index(number)] for number in both]
    change = difference(there, elsewhere)
    diff, spread = mean_in_order(change), spread_of(change, worlds, boot and boot.at(clock, year, group))
    static = np.full(len(diff), np.nan)
    if contrast.clock in STATIC_OF_CLOCK:
        still = (_diffs(pair, both, STATIC_OF_CLOCK[contrast.clock], year, group) for pair in (ours, theirs))
        static = mean_in_order(difference(*still))
    figures = {
        "there": mean_in_order(there), "elsewhere": mean_in_order(elsewhere), "diff": diff,
        "low": diff - spread.half_total, "high": diff + spread.half_total,
        "mc_low": diff - spread.half_mc, "mc_high": diff + spread.half_mc,
        "siting_sd": spread.siting_sd, "mc_sd": spread.mc_sd, "p_value": p_value(diff, spread.se, spread.df),
        "static_diff": static, "congestion_diff": diff - static,
    }  # fmt: skip
    matched = int(ours.counts.of_all(0, cell, numbers=ours.places(both)).sum())
    counted = {"n_pairs": len(both), "n_worlds": len(set(worlds)), "n_incidents": matched}
    return row | {name: float(values[at]) for name, values in figures.items()} | counted


def _diffs(pair: Pair, numbers: Sequence[int], clock: int, year: int, group: int) -> NDArray[np.float64]:
    """Return a pair's differences in some replications: (n_numbers, n_metrics)."""
    return pair.city.of_all(clock, year, group, numbers=pair.places(numbers))


def corrected_together(contrasts: Columns, interactions: Columns) -> tuple[Columns, Columns]:
    """Return both tables with `p_adjusted`: Holm's correction over everything that was declared before the run."""
    is_primary = contrasts.get("is_primary", np.zeros(0, dtype=bool))
    p = contrasts["p_value"][is_primary] if contrasts else np.zeros(0)
    corrected = holm(np.append(p, interactions.get("p_value", np.zeros(0))))
    adjusted = np.full(len(is_primary), np.nan)
    adjusted[is_primary] = corrected[: len(p)]
    return (
        contrasts and contrasts | {"p_adjusted": adjusted},
        interactions and interactions | {"p_adjusted": corrected[len(p) :]},
    )
