"""Candidates of ordinary days under their ceilings, and which of them are kept: the bulk of a replication's chance.

There are some twenty candidates for each incident, so they are made a town's kind at a time, in steps that the machine
takes several at once: how many there are each day -> their identities -> their ranks -> those below the day's bound.
Which these are depends on nothing but their identities; the steps are a matter of speed alone. Next: `draw.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.chance import Stream, first_ranks, ranks_at_once
from sim.compiled import compiled_borrowing
from sim.demand.intensity import Intensity
from sim.units import MS_PER_DAY, MS_PER_H

_TOWN_BIT, _KIND_BIT, _DAY_BIT = 48, 40, 20
_DAYS = (1 << (_KIND_BIT - _DAY_BIT)) - 1
_WHOLE = 4294967296.0
_COUNT, _TIME = int(Stream.CANDIDATE_COUNT), int(Stream.CANDIDATE_TIME)
_AT_ONCE = 1024
"""Candidates whose ranks are made in one go: few enough to stay near the processor."""
_STEP = 4
"""Identities of a day are listed by so many; those too many are written over by the next day's."""


def keep_ordinary(
    intensity: Intensity, seed: int, replication: int, city_q16: NDArray[np.int64], town_q16: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (identity, call_ms) of the ordinary incidents, by town, kind, day and number.

    Parameters
    ----------
    city_q16, town_q16 : (n_days,) and (n_towns, n_days), factors of the days in 1/65536.
    """
    counts, n_days = intensity.counts, intensity.n_days
    mean = float(np.cumsum(np.cumsum(intensity.rate, axis=0)[-1] * intensity.day.mean(axis=1))[-1])
    most = int(np.diff(counts.start).max()) * n_days
    of_days = (np.empty(n_days, dtype=np.uint32), np.empty(n_days, dtype=np.int32), np.empty(n_days))
    candidates = (np.empty(most + _STEP, dtype=np.int64), np.zeros(_AT_ONCE, np.int64), np.empty((4, _AT_ONCE), "u4"))
    room = 1_024 + int(1.3 * mean * n_days)
    while True:
        identity, call_ms = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        n = _keep(
            seed, replication, intensity.first_day, intensity.rate, intensity.day, intensity.hour, city_q16, town_q16,
            counts.per_day, counts.table, counts.start, counts.threshold, identity, call_ms, *of_days, *candidates,
        )  # fmt: skip
        if n <= room:
            return identity[:n], call_ms[:n]
        room = int(n)


@compiled_borrowing
def _keep(  # type: ignore[no-untyped-def]
    seed, replication, first_day, rate, day_factor, hour_factor, city_q16, town_q16, per_day, table, start, threshold,
    identity, call_ms, count_ranks, n_of_day, bound, listed, no_blocks, ranks,
):  # fmt: skip
    """Write (identity, call_ms) of the candidates that are kept; return their number, which may exceed the room.

    What comes after `call_ms` is room to work in: one of each day, then one of each candidate.
    """
    n = 0
    for town in range(rate.shape[0]):
        for kind in range(rate.shape[1]):
            if rate[town, kind] <= 0.0 or per_day[town, kind] <= 0.0:
                continue
            kept_share = rate[town, kind] / per_day[town, kind]
            for day in range(bound.shape[0]):
                factor = (city_q16[day] / 65536.0) * (town_q16[town, day] / 65536.0)
                bound[day] = kept_share * day_factor[kind, day] * factor * _WHOLE
            first = (np.int64(town) << _TOWN_BIT) | (np.int64(kind) << _KIND_BIT) | (np.int64(first_day) << _DAY_BIT)
            first_ranks(seed, replication, _COUNT, first, np.int64(1) << _DAY_BIT, count_ranks)
            _fill_counts(threshold, start[table[town, kind]], start[table[town, kind] + 1], count_ranks, n_of_day)
            n_listed = _list(first, n_of_day, listed)
            for begin in range(0, n_listed, ranks.shape[1]):
                some = listed[begin : min(begin + ranks.shape[1], n_listed)]
                ranks_at_once(seed, replication, _TIME, some, no_blocks, ranks)
                n = _thin(some, ranks, first_day, bound, hour_factor[kind], n, identity, call_ms)
    return n


@compiled_borrowing
def _fill_counts(threshold, begin, end, ranks, n_of_day):  # type: ignore[no-untyped-def]
    """Fill in how many of threshold[begin:end] are at or below the rank of each day."""
    for day in range(n_of_day.shape[0]):
        n_of_day[day] = 0
    for place in range(begin, end):
        limit = np.uint32(threshold[place])
        for day in range(n_of_day.shape[0]):
            n_of_day[day] += np.int32(limit <= ranks[day])


@compiled_borrowing
def _list(first, n_of_day, listed):  # type: ignore[no-untyped-def]
    """List the identities of all candidates, day by day; return their number."""
    n = 0
    for day in range(n_of_day.shape[0]):
        at_day = first + (np.int64(day) << _DAY_BIT)
        for number in range(0, n_of_day[day], _STEP):
            for more in range(_STEP):
                listed[n + number + more] = at_day + number + more
        n += n_of_day[day]
    return n


@compiled_borrowing
def _thin(listed, ranks, first_day, bound, hour_factor, n, identity, call_ms):  # type: ignore[no-untyped-def]
    """Keep the candidates whose second rank is below the bound of their day and hour; return how many there are now."""
    highest = 0.0
    for hour in range(hour_factor.shape[0]):
        highest = max(highest, hour_factor[hour])
    for i in range(listed.shape[0]):
        day = ((listed[i] >> _DAY_BIT) & _DAYS) - first_day
        drawn = np.float64(np.int64(ranks[1, i]))
        if drawn >= bound[day] * highest:
            continue
        in_day_ms = (np.int64(ranks[0, i]) * MS_PER_DAY) >> 32
        if drawn < bound[day] * hour_factor[in_day_ms // MS_PER_H]:
            if n < identity.shape[0]:
                identity[n] = listed[i]
                call_ms[n] = day * MS_PER_DAY + in_day_ms
            n += 1
    return n
