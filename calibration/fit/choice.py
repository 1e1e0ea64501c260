"""Which station serves a call: the order that records reveal, and how often stations that could send are passed over.

Dispatchers mostly send the nearest. Where they regularly prefer a farther station (a border of districts, a river,
one-way streets), its rival is raised in the order of that zone; what is left is passing over, counted as the engine
takes it. What is not identified: without records of units, a nearer station that was busy looks like one that was
passed over, and one that is nearly always busy looks like one that is not liked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from calibration.fit.misfit import between
from calibration.scores.keyed import Floats, row_chunks
from calibration.scores.shares import Share, share_of

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]
_LEAST_CALLS = 20
"""Assumed: a zone with fewer calls takes those of the zones around it, the nearest first, until there are as many."""
_STANDARD_ERRORS = 2.0
_STEP_S = 1.0
_MOST_PASSED = 3
_RANDOM = 0.1
_MUCH = 0.05


@dataclass(frozen=True, slots=True)
class Choices:
    """Who served whom; make one with `choices`.

    expected_s: (n_zones, n_stations), turnout and travel, inf where a station cannot serve. xy_m: (n_zones, 2). zone,
    station: (n,) of each call whose station is known. block: (n,) its day. could_send: (n, n_stations), open and, if
    known, with a free unit that suits. is_open: (n, n_stations). is_busy_known: whether units were recorded. n_unknown:
    calls left out as no station is known of them; n_impossible: as it could not serve their zone.
    """

    expected_s: Floats
    xy_m: Floats
    zone: Codes
    station: Codes
    block: Codes
    is_open: Flags
    could_send: Flags
    is_busy_known: bool
    n_unknown: int
    n_impossible: int

    def __len__(self) -> int:
        return len(self.zone)


@dataclass(frozen=True, slots=True)
class RevealedOrder:
    """The order of stations in each zone as chosen; make one with `revealed_order`.

    raised_s: (n_zones, n_stations), expected seconds, those of a station that is passed over clearly more often than
    not raised to just above the one preferred. n_raised: pairs of zone and station raised. n_zones: zones with one.
    affected: share of calls whose first station, of those that could send, is another one by this order.
    """

    raised_s: Floats
    n_raised: int
    n_zones: int
    affected: Share


@dataclass(frozen=True, slots=True)
class PassedOver:
    """How often stations that could send are passed over; make one with `passed_over`.

    shares, se: (4,), of calls that pass over 0, 1, 2, 3 and more by the revealed order, and standard errors by days.
    not_nearest: share of calls that the nearest open station by expected time did not serve; of all calls those of
    which it was busy, was not busy, or of which that is not known. contradicted: share of calls whose station could
    not send by the records. place_p: whether zones differ in passing over. is_identified: whether being busy is known;
    if not, shares are upper bounds.
    """

    shares: Floats
    se: Floats
    not_nearest: Share
    nearest_busy: Share
    nearest_not_busy: Share
    nearest_unknown: Share
    contradicted: Share
    place_p: float
    is_identified: bool
    n: int
    n_unknown: int
    n_impossible: int

    @property
    def for_run(self) -> tuple[float, ...]:
        """Shares of calls that pass over 1, 2 and 3 stations, as `sim.trace` takes them; none if not identified."""
        return tuple(self.shares[1:].tolist()) if self.is_identified else ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """What speaks against sending by this order, in words; empty if nothing does."""
        found = []
        if not self.is_identified:
            found.append(
                "passed over or busy: not identified without records of units; shares passed over are upper bounds"
            )
        two = float(self.shares[2:].sum())
        if self.is_identified and two > _RANDOM:
            found.append(f"dispatch looks random: {two:.1%} of calls pass over two stations or more that could send")
        if self.place_p < 0.01:
            found.append(f"stations are passed over more in some zones than in others (p {self.place_p:.2g})")
        if self.contradicted.value > _MUCH:
            found.append(f"{self.contradicted.value:.1%} of calls were served by a station that could not send")
        total = self.n + self.n_unknown + self.n_impossible
        if self.n_unknown > _MUCH * total:
            found.append(f"{self.n_unknown} of {total} calls do not say which station served")
        if self.n_impossible > _MUCH * total:
            found.append(f"{self.n_impossible} of {total} calls were served by a station without a way to their zone")
        return tuple(found)


def choices(
    expected_s: Floats,
    xy_m: Floats,
    zone: Codes,
    station: Codes,
    blocks: Codes,
    *,
    is_open: Flags | None = None,
    is_free: Flags | None = None,
) -> Choices:
    """Return the calls of which the station that served first is known.

    Parameters
    ----------
    expected_s
        (n_zones, n_stations) turnout and travel expected, s; inf: not usable.
    xy_m
        (n_zones, 2) where zones lie, m.
    zone, station, blocks
        (n,) zone of each call, station that served it first (-1: unknown), and day.
    is_open, is_free
        (n, n_stations) as the call was dispatched: station in service; with a free unit that suits. None: always open;
        not known.

    Raises
    ------
    ValueError
        If shapes differ, a zone or station is out of range, an expected time is below nought, or no call is left.
    """
    _check(expected_s, xy_m, zone, station, blocks, is_open, is_free)
    known = np.flatnonzero(station >= 0)
    kept = known[np.isfinite(expected_s[zone[known], station[known]])]
    if len(kept) == 0:
        raise ValueError("no call says which station served it")
    usable = np.isfinite(expected_s)[zone[kept]]
    opened = usable if is_open is None else usable & is_open[kept]
    able = opened if is_free is None else opened & is_free[kept]
    left_out = (int((station < 0).sum()), len(known) - len(kept))
    at = (zone[kept].astype(np.int64), station[kept].astype(np.int64), blocks[kept])
    return Choices(expected_s, xy_m, *at, opened, able, is_free is not None, *left_out)


def _check(expected_s: Floats, xy_m: Floats, zone: Codes, station: Codes, blocks: Codes, *flags: Flags | None) -> None:
    n_zones, n_stations = expected_s.shape
    shape = (len(zone), n_stations)
    if xy_m.shape != (n_zones, 2):
        raise ValueError(f"places {xy_m.shape} for {n_zones} zones: one x and y each")
    if not len(zone) == len(station) == len(blocks):
        raise ValueError(f"{len(zone)} zones, {len(station)} stations, {len(blocks)} days: one of each per call")
    for given in flags:
        if given is not None and given.shape != shape:
            raise ValueError(f"stations open or free {given.shape} for {shape[0]} calls and {shape[1]} stations")
    if len(zone) and (int(zone.min()) < 0 or int(zone.max()) >= n_zones):
        raise ValueError(f"a zone is not among the {n_zones} of the expected times")
    if len(station) and (int(station.min()) < -1 or int(station.max()) >= n_stations):
        raise ValueError(f"a station is not among the {n_stations} of the expected times; -1 is unknown")
    if np.isnan(expected_s).any() or (expected_s < 0.0).any():
        raise ValueError("an expected time is below nought or no number; inf is a station that cannot serve")


def revealed_order(seen: Choices) -> RevealedOrder:
    """Return the order of stations that the choices reveal.

    In a zone, A is raised above the farther B if, of the calls for which both could send, B served clearly more than
    A: n_B - n_A > 2 sqrt(n_A + n_B), two standard errors of the difference if each were as likely (sign test, normal
    approximation). A zone with fewer than twenty calls takes in those of the zones around it; of these a call counts
    for a pair only where A is nearer than B there too, so that the border between two stations is no preference.
    """
    raised = seen.expected_s.copy()
    n_raised, changed = 0, 0
    for zone, served, is_behind in _preferences(seen):
        own = _raise(seen.expected_s[zone], served, is_behind)
        n_raised += int((own > raised[zone]).sum())
        changed += 1
        raised[zone] = own
    first = _first(seen, seen.expected_s, seen.could_send) != _first(seen, raised, seen.could_send)
    return RevealedOrder(raised, n_raised, changed, share_of(first, clusters=seen.block))


def passed_over(seen: Choices, order: RevealedOrder) -> PassedOver:
    """Return how many stations that could send come before the one that served, and who served if not the nearest."""
    passed = n_passed(seen, order)
    each = [share_of(_is_passed(passed, number), clusters=seen.block) for number in range(_MOST_PASSED + 1)]
    nearest = _first(seen, seen.expected_s, seen.is_open)
    place = np.arange(len(seen))
    is_other = (nearest != seen.station) & (nearest >= 0)
    is_other &= seen.expected_s[seen.zone, nearest] < seen.expected_s[seen.zone, seen.station]
    is_able = seen.could_send[place, nearest]
    is_known = np.full(len(seen), seen.is_busy_known)
    return PassedOver(
        np.array([share.value for share in each]),
        np.array([share.se for share in each]),
        not_nearest=share_of(is_other, clusters=seen.block),
        nearest_busy=share_of(is_other & is_known & ~is_able, clusters=seen.block),
        nearest_not_busy=share_of(is_other & is_known & is_able, clusters=seen.block),
        nearest_unknown=share_of(is_other & ~is_known, clusters=seen.block),
        contradicted=share_of(~seen.could_send[place, seen.station], clusters=seen.block),
        place_p=between((passed > 0).astype(np.float64), np.unique(seen.zone, return_inverse=True)[1])[0],
        is_identified=seen.is_busy_known,
        n=len(seen),
        n_unknown=seen.n_unknown,
        n_impossible=seen.n_impossible,
    )


def n_passed(seen: Choices, order: RevealedOrder) -> Codes:
    """Return how many stations that could send come before the one that served: (n,)."""
    passed = np.empty(len(seen), dtype=np.int64)
    for rows in row_chunks(*seen.could_send.shape):
        cost, at = order.raised_s[seen.zone[rows]], seen.station[rows, None]
        is_before = cost < np.take_along_axis(cost, at, axis=1)
        passed[rows] = (is_before & seen.could_send[rows]).sum(axis=1)
    return passed


def _is_passed(passed: Codes, number: int) -> Flags:
    """Return which calls pass over that many stations; the last number stands for itself and more."""
    return passed == number if number < _MOST_PASSED else passed >= number


def _first(seen: Choices, cost_s: Floats, is_able: Flags) -> Codes:
    """Return the first station by cost among the able, the lowest number of equals; -1 if there is none. (n,)."""
    out = np.empty(len(seen), dtype=np.int64)
    for rows in row_chunks(*is_able.shape):
        cost = np.where(is_able[rows], cost_s[seen.zone[rows]], np.inf)
        best = cost.argmin(axis=1)
        out[rows] = np.where(np.isfinite(cost[np.arange(len(cost)), best]), best, -1)
    return out


def _preferences(seen: Choices) -> Iterator[tuple[int, Any, Flags]]:
    """Yield (zone, calls served by station, is_behind) where choices go against the expected order.

    is_behind: (n_stations, n_stations) bool, row B and column A: A belongs behind B.
    """
    n_zones, n_stations = seen.expected_s.shape
    key = seen.zone * n_stations + seen.station
    order = np.argsort(key, kind="stable")
    distinct, begin, count = np.unique(key[order], return_index=True, return_counts=True)
    of_zone, of_station = np.divmod(distinct, n_stations)
    while_able = np.add.reduceat(seen.could_send[order], begin, axis=0, dtype=np.float64)
    own = seen.expected_s[of_zone, of_station][:, None]
    against = np.where(seen.expected_s[of_zone] < own, while_able, 0.0)
    along = np.where(seen.expected_s[of_zone] > own, while_able, 0.0)
    start = np.searchsorted(of_zone, np.arange(n_zones + 1))
    for zone, pool in enumerate(pools(np.bincount(seen.zone, minlength=n_zones), seen.xy_m, _LEAST_CALLS)):
        rows = np.concatenate([np.arange(start[each], start[each + 1]) for each in pool])
        if not against[rows].any():
            continue
        n_far, n_near = np.zeros((n_stations, n_stations)), np.zeros((n_stations, n_stations))
        np.add.at(n_far, of_station[rows], against[rows])
        np.add.at(n_near, of_station[rows], along[rows])
        n_near = n_near.T
        is_nearer = seen.expected_s[zone][None, :] < seen.expected_s[zone][:, None]
        is_behind = is_nearer & np.isfinite(seen.expected_s[zone])[:, None]
        is_behind &= n_far - n_near > _STANDARD_ERRORS * np.sqrt(n_far + n_near)
        if is_behind.any():
            yield zone, np.bincount(of_station[rows], weights=count[rows], minlength=n_stations), is_behind


def pools(size: Codes, xy_m: Floats, least: int) -> list[Codes]:
    """Return for each zone the zones whose calls speak for it: itself, or the nearest ones until there are `least`.

    `size`: (n_zones,) calls of each zone, some of which must have any; `xy_m`: (n_zones, 2).
    """
    called = np.flatnonzero(size)
    k = min(least, len(called))
    near = called[cKDTree(xy_m[called]).query(xy_m, k=k)[1].reshape(len(size), k)]
    before = np.cumsum(size[near], axis=1) - size[near]
    return [np.array([zone]) if size[zone] >= least else near[zone][before[zone] < least] for zone in range(len(size))]


def _raise(expected_s: Floats, served: Floats, is_behind: Flags) -> Floats:
    """Return the expected seconds of one zone's stations (n_stations,), raised in steps of a second.

    From the farthest on each station takes its place: in front, or behind all that are preferred to it and, among those
    raised there as well, behind those that served more. Preferences always go from far to near, so there is no circle.
    """
    line: list[int] = []
    for station in np.argsort(-expected_s, kind="stable").tolist():
        places = [place + 1 for place, other in enumerate(line) if is_behind[other, station]]
        at = max(places, default=0)
        while at and at < len(line) and is_behind[:, line[at]].any() and served[line[at]] > served[station]:
            at += 1
        line.insert(at, station)
    raised, latest = expected_s.copy(), 0.0
    for station in line:
        if is_behind[:, station].any():
            raised[station] = max(raised[station], latest + _STEP_S)
        latest = max(latest, float(raised[station])) if np.isfinite(raised[station]) else latest
    return raised
