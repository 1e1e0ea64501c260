"""Paired differences: the same incidents under two arms, replication by replication.

Common random numbers make the demand of a replication the same in every arm, so incidents are matched by identity;
where two arms measured different incidents, only those that both have are compared. A difference is the mean over
replications of (metric of the arm - metric of the base) within the replication. Its static part is the same difference
of the static response (nearest open, staffed station, nothing busy), the congestion part is the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.compare import cells as layout
from sim.compare.cells import STATIC_OF_CLOCK, Frame
from sim.compare.collect import ArmResult, Figures, figures_of
from sim.compare.cube import metrics_of_sorted, sort_cells
from sim.compare.intervals import Boot, p_value, spread_of
from sim.compare.levels import boot_of, stack, texts
from sim.compare.parts import CLOCKS, GROUPS, METRICS, Contrast, Replication
from sim.compare.series import Series
from sim.metrics.store import Columns

_PAIRING = ("identity", "year", "town", "kind", "is_headline", "first_arrival_ms")
_FIGURES = (
    "diff", "low", "high", "mc_low", "mc_high", "siting_sd", "mc_sd", "p_value", "static_diff", "congestion_diff",
)  # fmt: skip


_FIGURE_NAMES = tuple(one.name for one in fields(Figures))


@dataclass(slots=True)
class Pair:
    """One arm against one base, over the replications that both have.

    `numbers`, `worlds` of the replications. Of each, the differences of its figures, by the names and in the shapes of
    `Figures`, and `counts` (3, n_main_cells) int64: incidents matched, faster, slower. Kinds and hours have fewer
    entries unless both arms are told in detail and measured the same incidents throughout. `boot`: the differences of
    bootstrap draws, by number of the replication, of those that have any.
    """

    arm: str
    base: str
    city: Series
    towns: Series
    kinds: Series
    hours: Series
    n_kinds: Series
    n_hours: Series
    counts: Series
    numbers: list[int] = field(default_factory=list, init=False)
    worlds: list[str] = field(default_factory=list, init=False)
    boot: dict[int, NDArray[np.float64]] = field(default_factory=dict, init=False)

    def add(self, diffs: Figures) -> None:
        """Add the differences of one replication."""
        for name in _FIGURE_NAMES:
            values = getattr(diffs, name)
            if values is not None:
                getattr(self, name).append(values)

    def places(self, numbers: Sequence[int]) -> list[int]:
        """Return where some of its replications stand in its series."""
        return [self.numbers.index(number) for number in numbers]


def make_pair(arm: ArmResult, base: ArmResult, frame: Frame, folder: Path) -> Pair:
    """Return the differences of two arms; reads each replication's incidents once, keeps figures in an empty folder."""
    series = {name: Series(folder / name) for name in (*_FIGURE_NAMES, "counts")}
    pair = Pair(arm.arm.name, base.arm.name, **series)
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
        pair.add(_differences(arm.figures(at_arm, frame), base.figures(at_base, frame)))
        if number in arm.boot and number in base.boot:
            pair.boot[number] = difference(arm.boot[number], base.boot[number])
    else:
        ours, theirs = matched(table["identity"], other["identity"])
        both = ((_replication(arm, number), ours), (_replication(base, number), theirs))
        pair.add(_differences(*(figures_of(frame, _values(*one, frame)) for one in both)))
        table = {name: values[ours] for name, values in table.items()}
        other = {name: values[theirs] for name, values in other.items()}
    pair.counts.append(_faster_and_slower(frame, table, other["first_arrival_ms"]))


def _differences(ours: Figures, theirs: Figures) -> Figures:
    """Return the differences of two replications' figures, with the incidents of the first."""
    found = Figures(difference(ours.city, theirs.city), difference(ours.towns, theirs.towns))
    if ours.kinds is None or theirs.kinds is None or ours.hours is None or theirs.hours is None:
        return found
    kinds, hours = difference(ours.kinds, theirs.kinds), difference(ours.hours, theirs.hours)
    return replace(found, kinds=kinds, hours=hours, n_kinds=ours.n_kinds, n_hours=ours.n_hours)


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


def contrasts_table(rows: Sequence[Columns], pairs: Sequence[Pair], contrasts: Sequence[Contrast]) -> Columns:
    """Return every difference, the `rows` of each pair; those declared before the run are primary, others exploratory.

    A declared contrast whose arms share no replication has a row without figures (`n_pairs` 0: not computable) and
    stays among those that are corrected together (`interactions.corrected_together`, which fills `p_adjusted`).
    """
    parts = [_empty_row(contrast) for contrast in _not_computable(pairs, contrasts)] + [part for part in rows if part]
    return _declare(stack(parts), contrasts) if parts else {}


def pair_rows(pair: Pair, frame: Frame) -> Columns:
    """Return the rows of a pair: of the city by year, group, clock and metric, of each town the headline's arrival."""
    if not pair.numbers:
        return {}
    years, n = np.array(frame.all_years), len(frame.all_years) * len(GROUPS)
    keys: Columns = {"year": np.repeat(years, len(GROUPS)), "scope": texts(["city"] * n), "town": texts([""] * n)}
    keys["group"] = texts(list(GROUPS) * len(years))
    cells, boot = frame.city_cells(), boot_of(list(pair.boot.values()))
    parts = []
    for at, clock in enumerate(CLOCKS):
        still = STATIC_OF_CLOCK.get(clock)
        static = None if still is None else pair.city.of_all(still)
        diffs = pair.city.of_all(at)
        parts.append(_rows(pair, keys | {"clock": texts([clock] * n)}, cells, diffs, static, boot and boot.at(at)))
    return stack([*parts, _town_rows(pair, frame)])


def _not_computable(pairs: Sequence[Pair], contrasts: Sequence[Contrast]) -> list[Contrast]:
    """Return the declared contrasts whose arms share no replication, each hypothesis once."""
    known = {(pair.arm, pair.base) for pair in pairs if pair.numbers}
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
    cells = frame.towns("headline")
    keys: Columns = {
        "year": np.repeat(np.array(frame.all_years), frame.n_towns),
        "scope": texts(["town"] * cells.size),
        "town": texts(list(frame.labels.town_code) * len(frame.all_years)),
        "group": texts(["headline"] * cells.size),
        "clock": texts(["arrival"] * cells.size),
    }
    return _rows(pair, keys, cells, pair.towns.of_all(0), pair.towns.of_all(1), None)


def _rows(
    pair: Pair, keys: Columns, cells: NDArray[np.int64], diffs: NDArray[np.float64],
    static_diffs: NDArray[np.float64] | None, boot: Boot | None,
) -> Columns:  # fmt: skip
    """Return one row per cell and metric of one clock: `keys` has an entry per cell, diffs (n_replications, …)."""
    n_pairs, n = len(pair.numbers), cells.size * len(METRICS)
    diffs = diffs.reshape(n_pairs, -1)
    spread = spread_of(diffs, pair.worlds, boot)
    diff, static = mean_in_order(diffs), np.full(n, np.nan)
    if static_diffs is not None:
        static = mean_in_order(static_diffs.reshape(n_pairs, -1))
    counts = pair.counts.of_all(slice(None), cells.reshape(-1)).sum(axis=0)
    matched_n, faster, slower = np.repeat(counts, len(METRICS), axis=1)
    shares = np.full((2, n), np.nan)
    if keys["clock"][0] == "arrival":
        np.divide(np.stack([faster, slower]), matched_n, out=shares, where=matched_n > 0)
    part: Columns = {"arm": texts([pair.arm] * n), "base": texts([pair.base] * n)}
    part |= {name: np.repeat(values, len(METRICS)) for name, values in keys.items()}
    part |= {"metric": texts(list(METRICS) * cells.size)}
    part |= {"diff": diff, "low": diff - spread.half_total, "high": diff + spread.half_total}
    part |= {"mc_low": diff - spread.half_mc, "mc_high": diff + spread.half_mc}
    part |= {"siting_sd": spread.siting_sd, "mc_sd": spread.mc_sd, "p_value": p_value(diff, spread.se, spread.df)}
    part |= {"static_diff": static, "congestion_diff": diff - static}
    part |= {"n_pairs": np.full(n, n_pairs), "n_worlds": np.full(n, len(set(pair.worlds)))}
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
