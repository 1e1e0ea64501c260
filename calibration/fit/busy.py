"""Which stations had a free unit when a call was dispatched, from the units' own records.

A unit is busy from its dispatch until it may be sent again: home and ready, or clear of the scene, whichever the
caller's dispatchers go by. What is not identified: a unit off the road for want of people or repair looks free, and one
that never served a call is not known at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.scores.keyed import Floats

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Spells:
    """When units were busy, (m,) each: unit, its station and type, s on one clock of dispatch and of being free again.

    Codes from 0; -1 is a unit, station or type unknown. end_s may be NaN.
    """

    unit: Codes
    station: Codes
    type: Codes
    begin_s: Floats
    end_s: Floats


@dataclass(frozen=True, slots=True)
class Free:
    """is_free: (n, n_stations), whether a unit of the type wanted was free. n_assumed: ends that were not recorded and
    taken as the usual time later; n_left_out: spells without a unit, station or beginning.
    """

    is_free: Flags
    n_assumed: int
    n_left_out: int


def free_stations(at_s: Floats, spells: Spells, n_stations: int, *, wanted: Codes | None = None) -> Free:
    """Return which stations had a free unit at n instants.

    A spell that begins at the very instant is not yet counted: it may be this call's own. Units stand at the station,
    and are of the type, that they served from and as most often.

    Parameters
    ----------
    at_s
        (n,) instants, s on the clock of the spells.
    wanted
        (n,) type of unit that each call wants; -1, and None for all: any.

    Raises
    ------
    ValueError
        If an instant is no number, or no spell is left.
    """
    if not np.isfinite(at_s).all():
        raise ValueError("an instant is no number: take the time of the call where that of the dispatch is not known")
    kept = np.flatnonzero((spells.unit >= 0) & (spells.station >= 0) & np.isfinite(spells.begin_s))
    if len(kept) == 0:
        raise ValueError("no unit's time is recorded: whether a station was busy cannot be told")
    unit, begin_s, end_s = spells.unit[kept], spells.begin_s[kept], spells.end_s[kept]
    is_open_end = np.isnan(end_s)
    usual_s = float(np.median((end_s - begin_s)[~is_open_end])) if not is_open_end.all() else 0.0
    end_s = np.where(is_open_end, begin_s + usual_s, end_s)
    home, type_of = _most_frequent(unit, spells.station[kept]), _most_frequent(unit, spells.type[kept])
    free = np.zeros((len(at_s), n_stations), dtype=np.bool_)
    order = np.lexsort((begin_s, unit))
    units, first = np.unique(unit[order], return_index=True)
    for code, rows in zip(units.tolist(), np.split(order, first[1:]), strict=True):
        until_s = np.concatenate([[-np.inf], np.maximum.accumulate(end_s[rows])])
        is_back = until_s[np.searchsorted(begin_s[rows], at_s, side="left")] <= at_s
        if wanted is not None:
            is_back &= (wanted == type_of[code]) | (wanted < 0)
        free[:, home[code]] |= is_back
    return Free(free, int(is_open_end.sum()), len(spells.unit) - len(kept))


def _most_frequent(unit: Codes, value: Codes) -> Codes:
    """Return each unit's most frequent value, the lowest of equals, -1 for none: (n_units,)."""
    n_values = max(int(value.max()) + 1, 1)
    known = np.flatnonzero(value >= 0)
    size = int(unit.max()) + 1
    table = np.bincount(unit[known] * n_values + value[known], minlength=size * n_values).reshape(size, n_values)
    return np.where(table.any(axis=1), table.argmax(axis=1), -1)
