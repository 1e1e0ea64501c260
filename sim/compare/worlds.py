"""In how many plausible worlds a ranking holds: the schemes that no other beats, and the towns for one more station.

Read `plausible.py` first: what a world is. Shares of worlds are no probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.compare.cells import Frame
from sim.compare.collect import years_of
from sim.compare.money import beats
from sim.compare.parts import POOLED_YEAR, Labels
from sim.compare.plausible import PlausibleArm
from sim.compare.service import one_more_summary
from sim.metrics.store import Columns, columns_of

N_LEADING = 10
"""Towns at the head of the ranking of one more station that count as its leaders."""


def frontier_in_worlds(frontier: Columns, plausible: Columns, conditions: Mapping[str, str]) -> Columns:
    """Return the table `frontier` with `n_worlds` and `share_worlds`, the share in which no other scheme beats an arm.

    In a world each arm has its own value there (over the whole window of those runs) and its likely cost a year of the
    table; rivals are the arms of the worlds under the same conditions (arm -> text). NaN of no world for arms that the
    worlds do not have.
    """
    if not frontier or not plausible:
        return frontier
    worlds = np.unique(plausible["world"]).tolist()
    share = np.full(len(frontier["arm"]), np.nan)
    for year, metric in sorted(set(zip(frontier["year"].tolist(), frontier["metric"].tolist(), strict=True))):
        rows = np.flatnonzero((frontier["year"] == year) & (frontier["metric"] == metric))
        value = {arm: _of_worlds(plausible, arm, metric, worlds) for arm in frontier["arm"][rows].tolist()}
        cost = dict(zip(frontier["arm"][rows].tolist(), frontier["annual_likely"][rows].tolist(), strict=True))
        known = [arm for arm in value if len(value[arm])]
        for row in rows:
            arm = frontier["arm"][row]
            if arm not in known:
                continue
            rivals = [o for o in known if o != arm and conditions.get(o) == conditions.get(arm)]
            held = [
                not any(beats((cost[o], value[o][world]), (cost[arm], value[arm][world])) for o in rivals)
                for world in range(len(worlds))
            ]
            share[row] = float(np.mean(held))
    return frontier | {"n_worlds": np.where(np.isnan(share), 0, len(worlds)), "share_worlds": share}


def _of_worlds(plausible: Columns, arm: str, metric: str, worlds: Sequence[int]) -> NDArray[np.float64]:
    """Return an arm's value in each world, more being better: (n_worlds,), or none where it is not in all of them."""
    own = (plausible["arm"] == arm) & (plausible["metric"] == metric)
    if not np.array_equal(np.sort(plausible["world"][own]), np.array(worlds)):
        return np.empty(0)
    sign = 1.0 if metric.startswith("share") else -1.0
    in_order: NDArray[np.float64] = sign * plausible["value"][own][np.argsort(plausible["world"][own], kind="stable")]
    return in_order


def one_more_in_worlds(arms: Sequence[PlausibleArm], name: str, labels: Labels) -> Columns:
    """Return how the ranking of one more station beside the arm `name` fares in the worlds: one row per town.

    Columns: `arm`, `town`, `n_worlds`, `share_first` and `share_leading` (worlds in which it is first, and among the
    first `N_LEADING`), `rank_p5`, `rank_median`, `rank_p95` over the worlds. The gain is over the whole window of those
    runs. Towns that have no site left in some world rank last there.
    """
    own = [one for one in arms if one.name == name]
    if not own:
        return {}
    frame = Frame(years_of([one.arm for one in own]), labels)
    codes = labels.town_code
    rank = np.full((len(own), len(codes)), len(codes), dtype=np.float64)
    has_site = np.zeros(len(codes), dtype=np.bool_)
    for world, one in enumerate(own):
        table = one_more_summary(one.arm, frame)
        is_told = table["year"] == POOLED_YEAR
        place = [codes.index(town) for town in table["town"][is_told]]
        rank[world, place] = table["rank"][is_told]
        has_site[place] = True
    rows: list[dict[str, Any]] = []
    for town in np.flatnonzero(has_site).tolist():
        of = rank[:, town]
        low, median, high = (float(v) for v in np.quantile(of, (0.05, 0.5, 0.95)))
        row = {"arm": name, "town": codes[town], "n_worlds": len(own), "share_first": float(np.mean(of == 1))}
        row |= {"share_leading": float(np.mean(of <= N_LEADING))}
        rows.append(row | {"rank_p5": low, "rank_median": median, "rank_p95": high})
    return columns_of(rows)
