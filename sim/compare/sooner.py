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
    for pair in both:
        table, found = read(pair[0]), [r.read("incidents", ("identity", *CLOCKS.values())) for r in pair]
        known = np.intersect1d(table["identity"], np.intersect1d(found[0]["identity"], found[1]["identity"]))
        at = rows_of(table["identity"], known)
        tables.append({name: values[at] for name, values in table.items()})
        seconds.append({clock: [clock_s(one, clock, known) for one in found] for clock in clocks})
    if not tables:
        return None
    ours, theirs = (
        {clock: np.concatenate([one[clock][side] for one in seconds]) for clock in clocks} for side in (0, 1)
    )
    cluster = np.repeat(np.arange(len(tables)), [len(table["identity"]) for table in tables])
    joined = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    return Matched(joined, ours, theirs, cluster, len(tables))


def rows_of(identity: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.intp]:
    """Return the row of each wanted identity, all of which are there."""
    order = np.argsort(identity, kind="stable")
    return order[np.searchsorted(identity[order], wanted)]


def clock_s(incidents: Columns, clock: str, identity: NDArray[Any]) -> NDArray[np.float64]:
    """Return a milestone of some incidents of a replication in seconds, infinite where it never came."""
    ms = incidents[CLOCKS[clock]][rows_of(incidents["identity"], identity)]
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
