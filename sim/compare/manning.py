"""Idle for want of people, side by side: the part of their time in which the stations' units could not be crewed.

Of the stations of the city's towns alone: bases of teams and aircraft and posts outside the city are left out.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from sim.compare.cells import Frame
from sim.compare.intervals import spread_of
from sim.compare.levels import bounds, texts
from sim.compare.parts import Arm, Tables
from sim.compare.service import CITY, DAYS_PER_YEAR, measured_years, share_of
from sim.metrics.store import Columns
from sim.units import MS_PER_DAY, MS_PER_H

_MS = ("in_service_ms", "unmanned_ms", "stranded_ms")
_SHARES = ("unmanned_share", "stranded_share")
_N_HOURS = MS_PER_DAY // MS_PER_H


def manning_of_arm(arm: Arm, frame: Frame) -> Tables:
    """Return the rows of an arm in `manning`: which part of its time in service a unit stood without people for it.

    None where its replications do not tell. Columns: arm, year (0: the window), by, of, n_units (in service, mean over
    the measured time and replications), unmanned_share and stranded_share (of their time in service, all replications
    together; `docs/measures.md` tells them apart) with low and high of each, n_replications. `by` is city (`of` ""),
    hour (of the day, "00" to "23"), type (code of the type of unit) or town (its code).
    """
    if not arm.has("manning"):
        return {}
    n_types = max(_n_types(arm), 1)
    keys = [("city", CITY), *(("hour", f"{hour:02d}") for hour in range(_N_HOURS))]
    keys += [("type", _type_code(arm, i)) for i in range(n_types)]
    keys += [("town", code) for code in frame.labels.town_code]
    found = np.stack([_summed(replication.read("manning"), frame, n_types) for replication in arm.replications])
    total = found.sum(axis=0)
    cells = list(product(frame.all_years, range(len(keys))))
    days = DAYS_PER_YEAR * measured_years(arm, frame)
    measured_ms = days[:, None] * np.array([MS_PER_H if by == "hour" else MS_PER_DAY for by, _ in keys])
    table: Columns = {
        "arm": texts([arm.name] * len(cells)),
        "year": np.array([year for year, _ in cells]),
        "by": texts([keys[at][0] for _, at in cells]),
        "of": texts([keys[at][1] for _, at in cells]),
        "n_units": (total[..., 0] / len(found) / measured_ms).reshape(-1),
    }
    for place, name in enumerate(_SHARES):
        share = share_of(found[..., place + 1], found[..., 0]).reshape(len(found), -1)
        value = share_of(total[..., place + 1], total[..., 0]).reshape(-1)
        low, high = bounds(value, spread_of(share, arm.worlds).half_total, np.ones(len(value), dtype=np.bool_))
        prefix = name.removesuffix("share")
        table |= {name: value, f"{prefix}low": low, f"{prefix}high": high}
    table["n_replications"] = np.full(len(cells), len(found))
    is_there = total[..., 0].reshape(-1) > 0
    return {"manning": {name: values[is_there] for name, values in table.items()}}


def _n_types(arm: Arm) -> int:
    types = [replication.read("manning", ("type_id",))["type_id"] for replication in arm.replications]
    return max(int(type_id.max(initial=-1)) + 1 for type_id in types)


def _type_code(arm: Arm, type_id: int) -> str:
    return arm.unit_types[type_id] if type_id < len(arm.unit_types) else str(type_id)


def _summed(table: Columns, frame: Frame, n_types: int) -> NDArray[np.float64]:
    """Return the times of a replication by year (the window first) and key: (n_years + 1, n_keys, 3) float64, ms."""
    own = (table["town"] >= 0) & np.isin(table["year"], frame.years)
    year = np.searchsorted(np.array(frame.years), table["year"][own]) + 1
    n_keys, first_type = 1 + _N_HOURS + n_types + frame.n_towns, 1 + _N_HOURS
    keys = (
        np.zeros(len(year), dtype=np.int64),
        1 + table["hour"][own].astype(np.int64),
        first_type + table["type_id"][own].astype(np.int64),
        first_type + n_types + table["town"][own].astype(np.int64),
    )
    out = np.zeros((len(frame.all_years), n_keys, len(_MS)))
    for place, name in enumerate(_MS):
        ms = table[name][own].astype(np.float64)
        for key in keys:
            out[1:, :, place] += np.bincount(
                (year - 1) * n_keys + key, ms, minlength=len(frame.years) * n_keys
            ).reshape(len(frame.years), n_keys)
    out[0] = out[1:].sum(axis=0)
    return out
