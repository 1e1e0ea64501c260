"""Local clock time and universal time: a vectorised reading of a zone's rules, clock steps included.

Knows zones only. The rule for a local time that passed twice or never was is the caller's (`marks.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sim.units import MS_PER_DAY

Ms = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Universal:
    """Local times in universal time, all arrays (n,).

    `first_ms`, `second_ms`: ms since 1970 UTC of the first and second passing, the same where it passed once.
    `is_skipped`: the clock never showed it; it is then counted as if the clock had not been put forward yet.
    """

    first_ms: Ms
    second_ms: Ms
    is_skipped: Mask


def universal(local_ms: Ms, zone: str) -> Universal:
    """Return the universal times of local clock readings, ms since 1970 by the local clock.

    A reading is tried with the offsets of a day before and a day after (PEP 495): both fit on a repeated hour, none in
    a skipped one. Steps closer together than a day are not told apart.
    """
    before = offset_ms(local_ms - MS_PER_DAY, zone)
    after = offset_ms(local_ms + MS_PER_DAY, zone)
    by_before, by_after = local_ms - before, local_ms - after
    fits_before = offset_ms(by_before, zone) == before
    fits_after = offset_ms(by_after, zone) == after
    first = np.where(fits_before | ~fits_after, by_before, by_after)
    second = np.where(fits_after, by_after, first)
    return Universal(np.minimum(first, second), np.maximum(first, second), ~fits_before & ~fits_after)


def offset_ms(utc_ms: Ms, zone: str) -> Ms:
    """Return what the local clock is ahead of universal time, ms, (n,) int64."""
    return local_of(utc_ms, zone) - utc_ms


def local_of(utc_ms: Ms, zone: str) -> Ms:
    """Return the local clock reading at universal times, ms since 1970 by the local clock, (n,) int64."""
    import pandas as pd

    index = pd.DatetimeIndex(utc_ms.astype("datetime64[ms]")).tz_localize("UTC")
    local = index.tz_convert(ZoneInfo(zone)).tz_localize(None)
    return local.to_numpy().astype("datetime64[ms]").astype(np.int64)
