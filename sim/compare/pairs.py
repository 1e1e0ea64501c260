"""Paired differences: the same incidents under two arms, replication by replication.

Common random numbers make the demand of a replication the same in every arm, so incidents are matched by identity;
where two arms measured different incidents, only those that both have are compared. A difference is the mean over
replications of (metric of the arm - metric of the base) within the replication. Its static part is the same difference
of the static response (nearest open, staffed station, nothing busy), the congestion part is the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sim.compare import cells as layout
from sim.compare.cells import STATIC_OF_CLOCK, Frame
from sim.compare.collect import ArmResult
from sim.compare.cube import metrics_of_sorted, sort_cells
from sim.compare.intervals import p_value, spread_of
from sim.compare.levels import boot_of, texts
from sim.compare.parts import CLOCKS, GROUPS, METRICS, Contrast, Replication
from sim.metrics.store import Columns

_PAIRING = ("identity", "year", "town", "kind", "is_headline", "first_arrival_ms")
_FIGURES = (
    "diff", "low", "high", "mc_low", "mc_high", "siting_sd", "mc_sd", "p_value", "static_diff", "congestion_diff",
)  # fmt: skip


@dataclass(slots=True)
class Pair:
    """One arm against one base, over the replications that both have.

    Lists have one entry per replication: `numbers`, `worlds`; `diffs` (n_clocks, n_main_cells, n_metrics); `counts`
    (3, n_main_cells) int64: incidents matched, faster, slower. `boot`: the differences of bootstrap draws, by number
    of the replication, of those that have any. `details`: by "kinds" and "hours", each replication's differences
    (n_clocks, n_cells, n_metrics), and `n_detail` incidents by cell, where `is_detailed`: both arms are told in detail
    and measured the same incidents.
    """

    arm: str
    base: str
    numbers: list[int] = field(default_factory=list)
    worlds: list[str] = field(default_factory=list)
    diffs: list[NDArray[np.float64]] = field(default_factory=list)
    counts: list[NDArray[np.int64]] = field(default_factory=list)
    boot: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    details: dict[str, list[NDArray[np.float64]]] = field(default_factory=dict)
    n_detail: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    @property
    def is_detailed(self) -> bool:
        """Return whether every replication has its differences by kind and hour."""
        return bool(self.numbers) and all(len(one) == len(self.numbers) for one in self.details.values() or [[]])


def make_pair(arm: ArmResult, base: ArmResult, frame: Frame) -> Pair:
    """Return the differences of two arms; reads each replication's incidents once."""
    pair = Pair(arm.arm.name, base.arm.name)
    both = sorted(set(_numbers(arm)) & set(_numbers(base)))
    for number in both:
        table, other = (_replication(result, number).read("incidents", _PAIRING) for result in (arm, base))
        _add(pair, arm, base, number, table, other, frame)
    return pair


def _numbers(result: ArmResult) -> list[int]:
    return [replication.number for replication in result.arm.replications]


def _replication(result: ArmResult, number: int) -> Replication:
    return next(r for r in result.arm.replications if r.number == number)


def _add(
    pair: Pair, arm: ArmResult, base: ArmResult, number: int, table: Columns, other: Columns, frame: Frame
) -> None:
    """Add one replication to a pair."""
    at_arm, at_base = _numbers(arm).index(number), _numbers(base).index(number)
    pair.numbers.append(number)
    pair.worlds.append(_replication(arm, number).world)
    if np.array_equal(table["identity"], other["identity"]):
        pair.diffs.append(difference(arm.main.values[at_arm], base.main.values[at_base]))
        if number in arm.boot and number in base.boot:
            pair.boot[number] = difference(arm.boot[number], base.boot[number])
        _add_details(pair, arm, base, at_arm, at_base)
    else:
        ours, theirs = matched(table["identity"], other["identity"])
        pair.diffs.append(
            difference(
                _values(_replication(arm, number), ours, frame), _values(_replication(base, number), theirs, frame)
            )
        )
        table = {name: values[ours] for name, values in table.items()}
        other = {name: values[theirs] for name, values in other.items()}
    pair.counts.append(_faster_and_slower(frame, table, other["first_arrival_ms"]))


def _add_details(pair: Pair, arm: ArmResult, base: ArmResult, at_arm: int, at_base: int) -> None:
    for name, ours, theirs in (("kinds", arm.kinds, base.kinds), ("hours", arm.hours, base.hours)):
        if ours.values and theirs.values:
            pair.details.setdefault(name, []).append(difference(ours.values[at_arm], theirs.values[at_base]))
            pair.n_detail[name] = pair.n_detail.get(name, 0) + ours.n[at_arm]


def matched(ours: NDArray[np.uint64], theirs: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of the identities that both have, in the order of identity."""
    _, first, second = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    return first, second


def difference(value: NDArray[np.float64], base: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return value - base; infinite where either is, so that a difference without an end is never taken for missing."""
    is_endless = np.isinf(value) | np.isinf(base)
    return np.where(is_endless, np.inf, np.where(is_endless, 0.0, value) - np.where(is_endless, 0.0, base))


def _values(replication: Replication, rows: NDArray[np.intp], frame: Frame) -> NDArray[np.float64]:
    """Return the metrics of some rows of a replication: (n_clocks, n_main_cells, n_metrics)."""
    whole = replication.read("incidents", layout.COLUMNS)
    table = {name: values[rows] for name, values in whole.items()}
    ms, bins = layout.responses(table)
    cell, row = layout.main_cells(frame, table)
    out = []
    for clock in range(len(ms)):
        one = sort_cells(cell, bins[clock][row], frame.n_main)
        out.append(metrics_of_sorted(one, one.sum_ms(cell, row, ms[clock]), one.n_served()))
    return np.stack(out)


def _faster_and_slower(frame: Frame, table: Columns, base_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return incidents matched, faster and slower in each main cell: (3, n_main_cells)."""
    never = np.iinfo(np.int64).max
    ours = np.where(table["first_arrival_ms"] < 0, never, table["first_arrival_ms"])
    theirs = np.where(base_ms < 0, never, base_ms)
    marks = np.stack([np.ones(len(ours)), ours < theirs, ours > theirs]).astype(np.float64)
    return layout.main_sums(frame, table, marks).astype(np.int64)


def mean_in_order(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over the first axis of what is known, added up in order (so that SQL gets the same last bit)."""
    known = ~np.isnan(values)
    n = known.sum(axis=0)
    total = np.cumsum(np.where(known, values, 0.0), axis=0)[-1]
    out = np.full(total.shape, np.nan)
    np.divide(total, n, out=out, where=n > 0)
    return np.where(np.isinf(out), np.nan, out)


def contrasts_table(pairs: Sequence[Pair], contrasts: Sequence[Contrast], frame: Frame) -> Columns:
    """Return every difference; those declared before the run are primary, others exploratory.

    A declared contrast whose arms share no replication has a row without figures (`n_pairs` 0: not computable) and
    stays among those that are corrected together (`interactions.corrected_together`, which fills `p_adjusted`).
    """
    parts = [_empty_row(contrast) for contrast in _not_computable(pairs, contrasts)]
    for pair in pairs:
        if not pair.diffs:
            continue
        cells = frame.city_cells().reshape(-1)
        years = np.repeat(np.array(frame.all_years), len(GROUPS))
        keys: Columns = {"year": years, "scope": texts(["city"] * len(cells)), "town": texts([""] * len(cells))}
        keys["group"] = texts(list(GROUPS) * len(frame.all_years))
        parts += [_rows(pair, keys, cells, clock) for clock in CLOCKS]
        parts.append(_town_rows(pair, frame))
    table = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
    return _declare(table, contrasts) if table else table


def _not_computable(pairs: Sequence[Pair], contrasts: Sequence[Contrast]) -> list[Contrast]:
    """Return the declared contrasts whose arms share no replication, each hypothesis once."""
    known = {(pair.arm, pair.base) for pair in pairs if pair.diffs}
    missing = [contrast for contrast in contrasts if (contrast.arm, contrast.base) not in known]
    return list({replace(contrast, id=""): contrast for contrast in missing}.values())


def _empty_row(contrast: Contrast) -> Columns:
    """Return the row of a contrast that cannot be computed, in the columns of `_rows`."""
    row: Columns = {name: texts([getattr(contrast, name)]) for name in ("arm", "base")}
    row |= {"year": np.array([contrast.year]), "scope": texts(["city"]), "town": texts([""])}
    row |= {name: texts([getattr(contrast, name)]) for name in ("group", "clock", "metric")}
    row |= {name: np.array([np.nan]) for name in _FIGURES}
    row |= {name: np.zeros(1, dtype=np.int64) for name in ("n_pairs", "n_worlds", "n_incidents")}
    return row | {name: np.array([np.nan]) for name in ("share_faster", "share_slower")}


def _town_rows(pair: Pair, frame: Frame) -> Columns:
    n_towns, n_years = frame.n_towns, len(frame.all_years)
    first = np.array([frame.main_cell(year, "headline", 0) for year in frame.all_years])
    cells = (first[:, None] + np.arange(n_towns)).reshape(-1)
    keys: Columns = {
        "year": np.repeat(np.array(frame.all_years), n_towns),
        "scope": texts(["town"] * len(cells)),
        "town": texts(list(frame.labels.town_code) * n_years),
        "group": texts(["headline"] * len(cells)),
    }
    return _rows(pair, keys, cells, "arrival")


def _rows(pair: Pair, keys: Columns, cells: NDArray[np.int64], clock: str) -> Columns:
    """Return one row per cell and metric of one clock."""
    place, n = CLOCKS.index(clock), len(cells) * len(METRICS)
    diffs = np.stack([one[place][cells] for one in pair.diffs]).reshape(len(pair.diffs), -1)
    boot = boot_of(list(pair.boot.values())) if keys["scope"][0] == "city" else None
    spread = spread_of(diffs, pair.worlds, boot and boot.at(place))
    diff, static = mean_in_order(diffs), np.full(n, np.nan)
    if clock in STATIC_OF_CLOCK:
        still = np.stack([one[STATIC_OF_CLOCK[clock]][cells] for one in pair.diffs])
        static = mean_in_order(still.reshape(len(pair.diffs), -1))
    matched_n, faster, slower = np.repeat(np.sum(pair.counts, axis=0)[:, cells], len(METRICS), axis=1)
    shares = np.full((2, n), np.nan)
    if clock == "arrival":
        np.divide(np.stack([faster, slower]), matched_n, out=shares, where=matched_n > 0)
    part: Columns = {"arm": texts([pair.arm] * n), "base": texts([pair.base] * n)}
    part |= {name: np.repeat(values, len(METRICS)) for name, values in keys.items()}
    part |= {"clock": texts([clock] * n), "metric": texts(list(METRICS) * len(cells))}
    part |= {"diff": diff, "low": diff - spread.half_total, "high": diff + spread.half_total}
    part |= {"mc_low": diff - spread.half_mc, "mc_high": diff + spread.half_mc}
    part |= {"siting_sd": spread.siting_sd, "mc_sd": spread.mc_sd, "p_value": p_value(diff, spread.se, spread.df)}
    part |= {"static_diff": static, "congestion_diff": diff - static}
    part |= {"n_pairs": np.full(n, len(pair.diffs)), "n_worlds": np.full(n, len(set(pair.worlds)))}
    return part | {"n_incidents": matched_n, "share_faster": shares[0], "share_slower": shares[1]}


def _declare(table: Columns, contrasts: Sequence[Contrast]) -> Columns:
    """Return the table with the name of each contrast, which are primary, and the bounds declared for them.

    `is_equivalent`: the 95 % interval lies within the declared bound on both sides: two one-sided tests at 2.5 %
    (Schuirmann 1987, J. Pharmacokinet. Biopharm. 15, 657-680): the arms are the same as far as it matters.
    """
    n = len(table["diff"])
    names = texts([f"{arm} - {base}" for arm, base in zip(table["arm"], table["base"], strict=True)])
    is_primary, bound = np.zeros(n, dtype=bool), np.full(n, np.nan)
    for contrast in contrasts:
        found = (table["scope"] == "city") & (table["year"] == contrast.year)
        for name in ("arm", "base", "group", "clock", "metric"):
            found &= table[name] == getattr(contrast, name)
        names[found] = contrast.id
        is_primary |= found
        bound[found] = contrast.equivalence or np.nan
    first: Columns = {"contrast": names}
    is_same = (table["low"] > -bound) & (table["high"] < bound)
    return first | table | {
        "p_adjusted": np.full(n, np.nan), "is_primary": is_primary, "equivalence": bound, "is_equivalent": is_same,
    }  # fmt: skip


def losers_table(contrasts: Columns, frame: Frame) -> Columns:
    """Return the towns that a change makes worse, by pair, year and metric, the worst first.

    `loss` is positive: seconds more, or points of the share fewer. `is_clear`: its interval leaves zero out.
    """
    is_share = np.array([metric.startswith("share") for metric in contrasts["metric"]])
    loss = np.where(is_share, -contrasts["diff"], contrasts["diff"])
    chosen = (contrasts["scope"] == "town") & (loss > 0) & np.isin(contrasts["metric"].astype(str), _TOLD_LOSSES)
    rows = np.flatnonzero(chosen)
    table = {name: contrasts[name][rows] for name in ("arm", "base", "year", "town", "metric", "diff", "low", "high")}
    code = {name: place for place, name in enumerate(frame.labels.town_code)}
    at = [code[town] for town in table["town"]]
    table |= {"name_zh": texts([frame.labels.town_zh[i] for i in at])}
    table |= {"name_en": texts([frame.labels.town_en[i] for i in at])}
    table |= {"residents": np.array([frame.labels.population[i] for i in at], dtype=np.int64), "loss": loss[rows]}
    table["is_clear"] = (table["low"] > 0) | (table["high"] < 0)
    pair = [f"{a}|{b}" for a, b in zip(table["arm"], table["base"], strict=True)]
    order = np.lexsort((-table["loss"], table["metric"].astype(str), table["year"], np.array(pair, dtype=str)))
    return {name: values[order] for name, values in table.items()}


_TOLD_LOSSES = ("p50", "p90", "mean", "share_300")
