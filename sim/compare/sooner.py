"""By how much one arm met the same incidents sooner than another: matched by identity, replications as clusters.

What an aircraft, a team or a hydrant saves is told so, over the incidents that are its own. Next: `special.py`,
`water.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.compare.parts import Arm, Replication
from sim.compare.planted import CLOCKS, mean_and_half
from sim.metrics.store import Columns
from sim.units import MS_PER_S


@dataclass(frozen=True, slots=True)
class Matched:
    """Incidents that both arms had, all replications behind each other.

    `table`: columns of the arm's own table; `ours`, `theirs`: by clock, s after the order was due, inf is never;
    `cluster`: which of the `n_pairs` replications each is of.
    """

    table: Columns
    ours: dict[str, NDArray[np.float64]]
    theirs: dict[str, NDArray[np.float64]]
    cluster: NDArray[np.int64]
    n_pairs: int


def matched_incidents(
    arm: Arm, base: Arm, read: Callable[[Replication], Columns], clocks: Sequence[str]
) -> Matched | None:
    """Return the incidents that `read` gives of the arm (`identity` among its columns, each once) and the base had too.

    None where the two share no replication.
    """
    numbers = {replication.number: replication for replication in base.replications}
    both = [(one, numbers[one.number]) for one in arm.replications if one.number in numbers]
    tables: list[Columns] = []
    seconds: list[dict[str, list[NDArray[np.float64]]]] = []
    for one, other in both:
        table = read(one)
        known = np.sort(table["identity"])
        found = [r.read("incidents", ("identity", *(CLOCKS[clock] for clock in clocks))) for r in (one, other)]
        places = [_places(incidents["identity"], known) for incidents in found]
        is_shared = (places[0] >= 0) & (places[1] >= 0)
        at = _places(table["identity"], known[is_shared])
        tables.append({name: values[at] for name, values in table.items()})
        sides = list(zip(found, (place[is_shared] for place in places), strict=True))
        seconds.append({clock: [_seconds(side[CLOCKS[clock]][rows]) for side, rows in sides] for clock in clocks})
    if not tables:
        return None
    ours, theirs = (
        {clock: np.concatenate([one[clock][side] for one in seconds]) for clock in clocks} for side in (0, 1)
    )
    cluster = np.repeat(np.arange(len(tables)), [len(table["identity"]) for table in tables])
    joined = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    return Matched(joined, ours, theirs, cluster, len(tables))


def _places(identity: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.intp]:
    """Return the row of each wanted identity, -1 where there is none; what is in order already is not sorted."""
    order = None if (identity[1:] > identity[:-1]).all() else np.argsort(identity, kind="stable")
    ascending = identity if order is None else identity[order]
    at = np.minimum(np.searchsorted(ascending, wanted), max(len(ascending) - 1, 0))
    is_there = ascending[at] == wanted if len(ascending) else np.zeros(len(wanted), dtype=np.bool_)
    return np.where(is_there, at if order is None or not len(order) else order[at], -1)


def _seconds(ms: NDArray[Any]) -> NDArray[np.float64]:
    """Return milestones in seconds, infinite where they never came."""
    return np.where(ms < 0, np.inf, ms / MS_PER_S)


def saved(found: Matched, clock: str, own: NDArray[np.bool_]) -> dict[str, float]:
    """Return saved_s (mean of base minus arm where both came; positive is sooner) with low and high, and the shares.

    The interval is the 95 % one of a ratio of sums with replications as clusters; share_faster and share_slower are of
    all that are `own`, what never came being longest.
    """
    ours, theirs = found.ours[clock], found.theirs[clock]
    used = own & np.isfinite(ours) & np.isfinite(theirs)
    cluster, gain = found.cluster[used], theirs[used] - ours[used]
    sums = [np.bincount(cluster, weights, found.n_pairs) for weights in (gain, np.ones(len(gain)))]
    mean, half = mean_and_half(sums[0].astype(np.float64), sums[1].astype(np.float64))
    return {
        "saved_s": mean, "low": mean - half, "high": mean + half,
        "share_faster": part(own & (ours < theirs), own), "share_slower": part(own & (ours > theirs), own),
    }  # fmt: skip


def saved_hours(found: Matched, clock: str, own: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the hours that each replication saved until a clock stopped, where it stopped in both arms: (n_pairs,)."""
    ours, theirs = found.ours[clock], found.theirs[clock]
    used = own & np.isfinite(ours) & np.isfinite(theirs)
    return np.bincount(found.cluster[used], theirs[used] - ours[used], found.n_pairs) / _S_PER_H


_S_PER_H = 3600.0


def part(some: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float:
    """Return which part of a whole some are, both given as marks of the same rows; NaN of nothing."""
    return float(some.sum()) / int(whole.sum()) if whole.any() else float("nan")
