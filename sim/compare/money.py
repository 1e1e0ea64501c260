"""Cost beside minutes: what a scenario costs more than its base, what it gains, and which scenarios no other beats.

Cost differences are taken item by item, at the same price for both, so that an uncertain price counts only where the
scenarios differ. Ratios use the cost a year; they are told only where something is gained.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sim.metrics.store import Columns, columns_of
from sim.money import RANGE

KINDS = ("outlay", "annual")
FRONTIER_METRICS = ("share_300", "p90")
_S_PER_MIN, _S_PER_H = 60.0, 3600.0


def _total_difference(money: Columns, arm: str, base: str, year: int, kind: str) -> NDArray[np.float64]:
    """Return (low, likely, high) of the arm's cost less the base's, summed over items."""
    ours, theirs = (_by_item(money, name, year, kind) for name in (arm, base))
    total = np.zeros(3)
    for key in sorted(ours.keys() | theirs.keys()):
        low, likely, high = ours.get(key, np.zeros(3)) - theirs.get(key, np.zeros(3))
        total += (min(low, high), likely, max(low, high))
    return total


def _by_item(money: Columns, arm: str, year: int, kind: str) -> dict[tuple[str, str], NDArray[np.float64]]:
    rows = np.flatnonzero((money["arm"] == arm) & (money["year"] == year))
    return {
        (str(money["item"][row]), str(money["of"][row])): np.array([money[f"{kind}_{name}"][row] for name in RANGE])
        for row in rows
    }


def _contrast(contrasts: Columns, key: tuple[str, str, int], metric: str, clock: str = "arrival") -> int:
    """Return the row of the headline's citywide difference of a pair and year (`key`: arm, base, year); -1 for none."""
    arm, base, year = key
    chosen = (contrasts["arm"] == arm) & (contrasts["base"] == base) & (contrasts["year"] == year)
    chosen &= (contrasts["scope"] == "city") & (contrasts["group"] == "headline") & (contrasts["clock"] == clock)
    rows = np.flatnonzero(chosen & (contrasts["metric"] == metric))
    return int(rows[0]) if len(rows) else -1


def _gain(contrasts: Columns, key: tuple[str, str, int], metric: str, clock: str = "arrival") -> NDArray[np.float64]:
    """Return (low, likely, high) of what the headline gains (shorter times, larger shares), NaN if not known."""
    row = _contrast(contrasts, key, metric, clock)
    if row < 0:
        return np.full(3, np.nan)
    low, likely, high = (float(contrasts[name][row]) for name in ("low", "diff", "high"))
    return np.array((low, likely, high)) if metric.startswith("share") else np.array((-high, -likely, -low))


def _hours_saved(contrasts: Columns, key: tuple[str, str, int], length: float) -> NDArray[np.float64]:
    """Return (low, likely, high) of incident-hours a year by which fires and rescues are met sooner, NaN if not known.

    Until enough units for the critical task are at work; the mean of the incidents met, times the incidents of a year.
    """
    row = _contrast(contrasts, key, "mean", "critical")
    if row < 0 or not contrasts["n_pairs"][row]:
        return np.full(3, np.nan)
    per_year = float(contrasts["n_incidents"][row]) / float(contrasts["n_pairs"][row]) / length
    return _gain(contrasts, key, "mean", "critical") * per_year / _S_PER_H


def _newly_within(beyond: Columns, arm: str, base: str, year: int) -> float:
    """Return the residents whom a station reaches within 300 s at the year's end in the arm and not in the base."""
    is_city = (beyond["town"] == "") & (beyond["year"] == year)
    ours, theirs = (beyond["residents_beyond_300"][is_city & (beyond["arm"] == name)] for name in (arm, base))
    return float(theirs[0] - ours[0]) if len(ours) and len(theirs) else float("nan")


def ratio(cost: NDArray[np.float64], gain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (low, likely, high) of cost per unit gained; NaN where nothing is gained or it costs nothing more.

    Low is the least cost over the largest gain, high the largest cost over the least gain: NaN if that may be none.
    """
    if not (gain[1] > 0 and cost[1] > 0):
        return np.full(3, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gain[::-1] > 0, cost / gain[::-1], np.nan)


def value_table(money: Columns, contrasts: Columns, beyond: Columns, conditions: Mapping[str, str]) -> Columns:
    """Return one row per pair and year: cost more, gain, and yuan (or what the currency is) per unit gained.

    Pairs under different conditions (roads, demand, …: `conditions`, arm -> text) are left out: no money brings them.

    `per_resident`: cost a year per resident newly within 300 s at the year's end. `per_p90_minute`: cost a year per
    minute by which the headline P90 falls. `per_point`: per percentage point of the share within 300 s. `hours_saved`:
    incident-hours a year by which the critical task of fires and rescues begins sooner; `per_hour_saved`: cost of one.
    """
    if not money or not contrasts:
        return {}
    pairs = dict.fromkeys(zip(contrasts["arm"].tolist(), contrasts["base"].tolist(), strict=True))
    priced = set(money["arm"].tolist())
    rows = []
    for arm, base in pairs:
        if not {arm, base} <= priced or conditions.get(arm) != conditions.get(base):
            continue
        for year in np.unique(money["year"]).tolist():
            outlay, annual = (_total_difference(money, arm, base, year, kind) for kind in KINDS)
            key = (arm, base, year)
            share, p90 = (_gain(contrasts, key, metric) for metric in FRONTIER_METRICS)
            length = money["length"][(money["arm"] == arm) & (money["year"] == year)][0]
            hours = _hours_saved(contrasts, key, float(length))
            people = _newly_within(beyond, arm, base, year)
            figures = {
                "outlay": outlay,
                "annual": annual,
                "p90_saved_s": p90,
                "share_300_gain": share,
                "per_resident": ratio(annual, np.full(3, people)),
                "per_p90_minute": ratio(annual, p90 / _S_PER_MIN),
                "per_point": ratio(annual, 100.0 * share),
                "hours_saved": hours,
                "per_hour_saved": ratio(annual, hours),
            }
            row: dict[str, object] = {"arm": arm, "base": base, "year": year, "residents_newly_300": people}
            rows.append(row | {f"{n}_{r}": float(v[i]) for n, v in figures.items() for i, r in enumerate(RANGE)})
    return columns_of(rows)


def frontier_table(
    money: Columns, headline: Columns, contrasts: Columns, conditions: Mapping[str, str], base: str
) -> Columns:
    """Return which arms no other beats: one that costs no more a year and reaches no less, one of them better.

    Only arms under the same conditions (roads, demand, …: `conditions`, arm -> text) are set against each other.
    `value` is the base's level plus the paired difference where there is one, so that arms with fewer replications
    stand beside the others; `is_paired` says so. Likely cost and mean value decide, not their intervals.
    """
    if not money:
        return {}
    rows = []
    arms = list(dict.fromkeys(money["arm"].tolist()))
    for year in np.unique(money["year"]).tolist():
        cost = {arm: sum(v[1] for v in _by_item(money, arm, year, "annual").values()) for arm in arms}
        for metric in FRONTIER_METRICS:
            level = {arm: _level(headline, contrasts, arm, base, year, metric) for arm in arms}
            sign = 1.0 if metric.startswith("share") else -1.0
            for arm in arms:
                ours = (cost[arm], sign * level[arm][0])
                rivals = [other for other in arms if conditions.get(other) == conditions.get(arm)]
                beating = [o for o in rivals if beats((cost[o], sign * level[o][0]), ours)]
                best = min(beating, key=lambda o: (-sign * level[o][0], cost[o]), default="")
                row: dict[str, object] = {"arm": arm, "year": year, "metric": metric, "annual_likely": cost[arm]}
                row |= {"value": level[arm][0], "is_paired": level[arm][1]}
                rows.append(row | {"is_on_frontier": not beating, "beaten_by": best})
    return columns_of(rows)


def beats(ours: tuple[float, float], theirs: tuple[float, float]) -> bool:
    """Return whether (cost, value) costs no more than another and reaches no less, one of them better."""
    return ours[0] <= theirs[0] and ours[1] >= theirs[1] and ours != theirs


def _level(headline: Columns, contrasts: Columns, arm: str, base: str, year: int, metric: str) -> tuple[float, bool]:
    gain = _gain(contrasts, (arm, base, year), metric)[1] if contrasts else np.nan
    is_paired = bool(np.isfinite(gain))
    of = base if is_paired else arm
    chosen = (headline["arm"] == of) & (headline["year"] == year) & (headline["metric"] == metric)
    chosen &= (headline["group"] == "headline") & (headline["clock"] == "arrival")
    found = headline["value"][chosen]
    own = float(found[0]) if len(found) else float("nan")
    sign = 1.0 if metric.startswith("share") else -1.0
    return (own + sign * float(gain), True) if is_paired else (own, arm == base)
