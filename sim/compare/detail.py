"""Paired differences by kind of incident and by hour of the day, of pairs whose arms are told in that detail.

Only where both arms measured exactly the same incidents: then a cell's difference is that of the replications' own
figures, and no incident has to be matched again.
"""

from __future__ import annotations

import numpy as np

from sim.compare.cells import Frame
from sim.compare.intervals import spread_of
from sim.compare.levels import texts
from sim.compare.pairs import Pair, mean_in_order
from sim.compare.parts import METRICS
from sim.compare.series import Series
from sim.metrics.store import Columns


def kind_contrasts(pair: Pair, frame: Frame) -> Columns:
    """Return the differences of each kind by year and metric, from the due order to the first arrival."""
    n_kinds, n_years = frame.labels.n_kinds, len(frame.all_years)
    keys: Columns = {
        "year": np.repeat(np.array(frame.all_years), n_kinds),
        "kind": texts(list(frame.labels.kind_code) * n_years),
    }
    return _rows(pair, keys, pair.kinds, pair.n_kinds)


def hour_contrasts(pair: Pair, frame: Frame) -> Columns:
    """Return the headline differences of each hour of the day by year and metric, dispatch order to first arrival."""
    keys: Columns = {
        "year": np.repeat(np.array(frame.all_years), 24),
        "hour": np.tile(np.arange(24), len(frame.all_years)),
    }
    return _rows(pair, keys, pair.hours, pair.n_hours)


def _rows(pair: Pair, keys: Columns, values: Series, n_incidents: Series) -> Columns:
    """Return one row per cell with incidents and metric; {} unless every replication has differences by cell."""
    if not len(values) or len(values) < len(pair.numbers):
        return {}
    n = n_incidents.of_all().sum(axis=0)
    seen = np.flatnonzero(n > 0)
    diffs = values.of_all(seen).reshape(len(values), -1)
    spread, diff = spread_of(diffs, pair.worlds), mean_in_order(diffs)
    rows = len(diff)
    table: Columns = {"arm": texts([pair.arm] * rows), "base": texts([pair.base] * rows)}
    table |= {name: np.repeat(values[seen], len(METRICS)) for name, values in keys.items()}
    table |= {"metric": texts(list(METRICS) * len(seen)), "diff": diff}
    table |= {"low": diff - spread.half_total, "high": diff + spread.half_total}
    return table | {"n_pairs": np.full(rows, len(pair.numbers)), "n_incidents": np.repeat(n[seen], len(METRICS))}
