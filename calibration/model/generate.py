"""Calls that a fit makes up: as many, where, of which kind and when, as the demand of the fitted side says.

The number of calls of a day and hour is Poisson about the fitted rate, times a gamma factor that the calls of the day
share (`calibration.fit.demand`); kinds follow the hour, places the kind. Each draw is keyed by (seed, history, day).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fit.demand import Demand, fit_demand
from calibration.fit.exposure import calendar, observed_days, spans_of_log
from calibration.model.samples import Calls, Samples
from sim.units import MS_PER_DAY, MS_PER_H

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Generator:
    """Fitted demand with what turns it into calls; make one with `fit_generator`.

    `kind_of`: (n_demand_kinds,) position of each of the demand's kinds among the model's. `zones`: by the demand's
    places. `within`: by place, the zones of its calls and their cumulative shares. `excused`: (n_kinds, 2) shares of
    calls that are cancelled, and of walk-ins. `origin_day`: from which the demand counts years.
    """

    demand: Demand
    kinds: tuple[str, ...]
    kind_of: Ints
    within: tuple[tuple[Ints, Floats], ...]
    excused: Floats
    origin_day: int

    def calls(self, first_day: int, last_day: int, seed: int, history: int) -> Calls:
        """Return one history of calls on local days from the first to the last, days since 1970."""
        days = np.arange(first_day, last_day + 1, dtype=np.int64)
        held = calendar(days, np.ones((len(days), 24)), origin_day=self.origin_day)
        shape = self.demand.shape.log_rate(held)
        rate = np.stack([np.exp(shape + self.demand.own[kind].log_rate(held)) for kind in self.demand.kinds])
        chance = np.random.Generator(np.random.Philox(key=[seed, history]))
        cv2 = self.demand.shape.day_cv2
        factor = chance.gamma(1.0 / cv2, cv2, len(days)) if cv2 > 1e-9 else np.ones(len(days))
        count = chance.poisson(rate * factor[None, :, None])
        kind, day, hour = (np.repeat(each.ravel(), count.ravel()) for each in np.indices(count.shape))
        place = _pick(np.cumsum(self.demand.shares.share, axis=1), kind, chance.random(len(kind)))
        zone = _zones(self.within, place, chance.random(len(kind)))
        at = days[day] * MS_PER_DAY + hour * MS_PER_H + (chance.random(len(kind)) * MS_PER_H).astype(np.int64)
        order = np.argsort(at, kind="stable")
        own, ends = self.kind_of[kind][order], chance.random(len(kind))
        cancelled = ends < self.excused[own, 0]
        walk_in = ~cancelled & (ends < self.excused[own].sum(axis=1))
        local_day = at[order] // MS_PER_DAY
        return Calls(
            at[order], local_day, hour[order].astype(np.int64), (local_day + 3) % 7 >= 5, own, self.kinds, zone[order],
            np.arange(len(own), dtype=np.uint64), cancelled, walk_in,
        )  # fmt: skip


def fit_generator(samples: Samples, is_used: NDArray[np.bool_], patch: Ints, call_ms: Ints, zone: str) -> Generator:
    """Return the demand of the calls used that have a place.

    `patch`: (n_zones,) the place of each zone; `call_ms`: (n_calls,) UTC; `zone`: IANA name of the time zone.

    Raises
    ------
    ValueError
        If fewer than two different call times are among them.
    """
    calls = samples.calls
    used = np.flatnonzero(is_used & (calls.zone >= 0))
    days = observed_days(spans_of_log(call_ms[used], zone), zone)
    kinds = np.array(calls.kinds, dtype=str)[calls.kind[used]]
    places = np.array([f"{number:06d}" for number in patch[calls.zone[used]]], dtype=str)
    demand = fit_demand(call_ms[used], kinds, places, days, zone)
    within = []
    for name in demand.places:
        zones, count = np.unique(calls.zone[used][places == name], return_counts=True)
        within.append((zones, np.cumsum(count) / count.sum()))
    kind_of = np.array([calls.kinds.index(name) for name in demand.kinds], dtype=np.int64)
    size = np.maximum(np.bincount(calls.kind[used], minlength=len(calls.kinds)), 1)
    excused = np.column_stack([
        np.bincount(calls.kind[used], weights=flag[used], minlength=len(calls.kinds)) / size
        for flag in (calls.is_cancelled, calls.is_walk_in)
    ])  # fmt: skip
    return Generator(demand, calls.kinds, kind_of, tuple(within), excused, days.origin_day)


def _pick(cumulative: Floats, row: Ints, uniform: Floats) -> Ints:
    """Return a place of each row's distribution: (n,)."""
    n_rows, n_places = cumulative.shape
    flat = (cumulative / cumulative[:, -1:] + np.arange(n_rows)[:, None]).ravel()
    found = np.searchsorted(flat, row + uniform, side="right") - row * n_places
    return np.asarray(np.minimum(found, n_places - 1), dtype=np.int64)


def _zones(within: tuple[tuple[Ints, Floats], ...], place: Ints, uniform: Floats) -> Ints:
    out = np.empty(len(place), dtype=np.int64)
    order = np.argsort(place, kind="stable")
    begin = np.searchsorted(place[order], np.arange(len(within) + 1))
    for number, (zones, cumulative) in enumerate(within):
        rows = order[begin[number] : begin[number + 1]]
        out[rows] = zones[np.minimum(np.searchsorted(cumulative, uniform[rows], side="right"), len(zones) - 1)]
    return out
