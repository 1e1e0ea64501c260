"""By how much one arm met the same incidents sooner than another: matched by identity, replications as clusters.

What an aircraft, a team or a hydrant saves is told so, over the incidents that are its own. Next: `special.py`,
`water.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.compare.levels import stack
from sim.compare.parts import Arm, Replication
from sim.compare.planted import CLOCKS, mean_and_half
from sim.metrics.store import Columns
from sim.units import MS_PER_S

CLOCKS_MATCHED = ("critical", "full_alarm")


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


Read = Callable[[Replication], Mapping[str, Columns]]
"""What reads tables of a replication, by name, with `identity` among the columns and each incident once."""


def matched_incidents(
    arm: Arm, base: Arm, reads: Sequence[Read], clocks: Sequence[str] = CLOCKS_MATCHED
) -> dict[str, Matched]:
    """Return, by name, the incidents that any of `reads` gives of the arm and the base had too.

    A name may be missing in some replications. Nothing where the two arms share no replication. The incidents of each
    replication are read once.
    """
    if not reads:
        return {}
    numbers = {replication.number: replication for replication in base.replications}
    both = [(one, numbers[one.number]) for one in arm.replications if one.number in numbers]
    parts: dict[str, list[Matched]] = {}
    for place, (one, other) in enumerate(both):
        ours = _Incidents(one, clocks)
        theirs = ours if other.folder == one.folder else _Incidents(other, clocks)
        for name, table in (entry for read in reads for entry in read(one).items()):
            parts.setdefault(name, []).append(_matched(table, ours, theirs, place, len(both)))
    return {name: _joined(found) for name, found in parts.items()}


class _Incidents:
    """The incidents of a replication, found by identity."""

    def __init__(self, replication: Replication, clocks: Sequence[str]) -> None:
        table = replication.read("incidents", ("identity", *(CLOCKS[clock] for clock in clocks)))
        self._ms = {clock: table[CLOCKS[clock]] for clock in clocks}
        self._identity = table["identity"]
        is_ascending = bool((self._identity[1:] > self._identity[:-1]).all())
        self._order = np.arange(len(self._identity)) if is_ascending else np.argsort(self._identity)

    def places(self, wanted: NDArray[Any]) -> NDArray[np.intp]:
        """Return the row of each wanted identity, -1 where there is none."""
        return _places(self._identity, self._order, wanted)

    def seconds(self, rows: NDArray[np.intp]) -> dict[str, NDArray[np.float64]]:
        """Return, by clock, the seconds until it stopped at some incidents, infinite where it never did."""
        return {clock: np.where(ms[rows] < 0, np.inf, ms[rows] / MS_PER_S) for clock, ms in self._ms.items()}


def _matched(table: Columns, ours: _Incidents, theirs: _Incidents, place: int, n_pairs: int) -> Matched:
    """Return the incidents of a table that both sides had, in the order of identity."""
    order = np.argsort(table["identity"])
    known = table["identity"][order]
    places = [side.places(known) for side in (ours, theirs)]
    is_shared = (places[0] >= 0) & (places[1] >= 0)
    kept = {name: values[order[is_shared]] for name, values in table.items()}
    seconds = [side.seconds(rows[is_shared]) for side, rows in zip((ours, theirs), places, strict=True)]
    return Matched(kept, seconds[0], seconds[1], np.full(int(is_shared.sum()), place), n_pairs)


def _joined(parts: Sequence[Matched]) -> Matched:
    """Return the incidents of several replications behind each other."""
    return Matched(
        stack([one.table for one in parts]), stack([one.ours for one in parts]), stack([one.theirs for one in parts]),
        np.concatenate([one.cluster for one in parts]), parts[0].n_pairs,
    )  # fmt: skip


def _places(identity: NDArray[Any], order: NDArray[np.intp], wanted: NDArray[Any]) -> NDArray[np.intp]:
    """Return the row of each wanted identity, -1 where there is none; `order` sorts them."""
    if not len(identity):
        return np.full(len(wanted), -1, dtype=np.intp)
    at = order[np.minimum(np.searchsorted(identity, wanted, sorter=order), len(identity) - 1)]
    return np.where(identity[at] == wanted, at, -1)


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
