"""Paired differences by kind of incident and by hour of the day, of pairs whose arms are told in that detail.

Only where both arms measured exactly the same incidents: then a cell's difference is that of the replications' own
figures, and no incident has to be matched again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.compare.cells import Frame
from sim.compare.intervals import spread_of
from sim.compare.levels import texts
from sim.compare.pairs import Pair, mean_in_order
from sim.compare.parts import METRICS
from sim.metrics.store import Columns


def kind_contrasts(pair: Pair, frame: Frame) -> Columns:
    """Return the differences of each kind by year and metric, from the due order to the first arrival."""
    n_kinds, n_years = frame.labels.n_kinds, len(frame.all_years)
    keys: Columns = {
        "year": np.repeat(np.array(frame.all_years), n_kinds),
        "kind": texts(list(frame.labels.kind_code) * n_years),
    }
    return _rows(pair, keys, [(one.kinds, one.n_kinds) for one in pair.diffs])


def hour_contrasts(pair: Pair, frame: Frame) -> Columns:
    """Return the headline differences of each hour of the day by year and metric, dispatch order to first arrival."""
    keys: Columns = {
        "year": np.repeat(np.array(frame.all_years), 24),
        "hour": np.tile(np.arange(24), len(frame.all_years)),
    }
    return _rows(pair, keys, [(one.hours, one.n_hours) for one in pair.diffs])


def _rows(
    pair: Pair, keys: Columns, told: Sequence[tuple[NDArray[np.float64] | None, NDArray[np.int64] | None]]
) -> Columns:
    """Return one row per cell with incidents and metric; {} unless every replication tells (differences, incidents)."""
    known = [(values, n) for values, n in told if values is not None and n is not None]
    if not known or len(known) < len(told):
        return {}
    n = np.sum([n for _, n in known], axis=0)
    seen = np.flatnonzero(n > 0)
    diffs = np.stack([values[seen] for values, _ in known]).reshape(len(known), -1)
    spread, diff = spread_of(diffs, pair.worlds), mean_in_order(diffs)
    rows = len(diff)
    table: Columns = {"arm": texts([pair.arm] * rows), "base": texts([pair.base] * rows)}
    table |= {name: np.repeat(values[seen], len(METRICS)) for name, values in keys.items()}
    table |= {"metric": texts(list(METRICS) * len(seen)), "diff": diff}
    table |= {"low": diff - spread.half_total, "high": diff + spread.half_total}
    return table | {"n_pairs": np.full(rows, len(pair.numbers)), "n_incidents": np.repeat(n[seen], len(METRICS))}
