"""Which units are sent to a call: patterns of unit types by kind, as they come; and which calls nobody is driven to.

A pattern is the sorted list of types that arrived and were sent out within ten minutes of the first. Patterns are kept
as they were counted, without a model: kinds differ in which types go together. A kind with fewer than thirty calls is
filled up to thirty with calls of all kinds. What is not identified: whether what was sent later was needed all along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.scores.keyed import Floats
from calibration.scores.shares import Share, share_of

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]
FIRST_WAVE_S = 600.0
"""Assumed: what is sent out later than this after the first unit answers what was found at the scene."""
MOST_UNITS = 12
_LEAST_CALLS = 30


@dataclass(frozen=True, slots=True)
class Responses:
    """Units sent, (m,) each: position of the incident, type code (-1 unknown), seconds from call to dispatch (NaN
    unknown), whether the unit was turned back, and whether it arrived.
    """

    incident: Codes
    type: Codes
    dispatch_s: Floats
    is_cancelled: Flags
    has_arrival: Flags


@dataclass(frozen=True, slots=True)
class Sent:
    """Units sent by kind; make one with `fit_sent`.

    patterns: sorted type codes, by number of units and then by codes. count: (n_kinds, n_patterns) int64 of calls.
    share: (n_kinds + 1, n_patterns) float64, what is drawn; the last row is all calls together. is_thin: (n_kinds,)
    bool, filled up with all calls. mean_units, mean_units_se: (n_kinds,) of the patterns counted, errors by days, NaN
    without calls. cancelled: by kind, share of units turned back; no_arrival: of the others, those without an arrival;
    later: of units that arrived, those sent out later. said: what is assumed or not known, in words.
    """

    patterns: tuple[tuple[int, ...], ...]
    count: Codes
    share: Floats
    is_thin: Flags
    mean_units: Floats
    mean_units_se: Floats
    cancelled: tuple[Share, ...]
    no_arrival: tuple[Share, ...]
    later: tuple[Share, ...]
    said: tuple[str, ...]

    def draw_patterns(self, kind: Codes, uniforms: Floats) -> tuple[Codes, tuple[tuple[int, ...], ...]]:
        """Return a pattern for each call, as an index (n,) into the patterns, and these.

        A kind never met, or -1, is drawn from all calls. Larger uniforms, in [0, 1), never bring fewer units.
        """
        n_kinds = len(self.count)
        row = np.where((kind >= 0) & (kind < n_kinds), kind, n_kinds)
        above = np.cumsum(self.share, axis=1)
        above = above / above[:, -1:] + np.arange(n_kinds + 1)[:, None]
        flat = np.searchsorted(above.ravel(), row + np.minimum(uniforms, 1.0 - 1e-9), side="right")
        return flat - row * len(self.patterns), self.patterns


@dataclass(frozen=True, slots=True)
class Ends:
    """How calls of each kind end, shares with errors by days; the first that is true counts. Make one with `fit_ends`.

    cancelled: called off. walk_in: at a station's door. never_reached: no unit arrived, as far as recorded. reached:
    the others.
    """

    cancelled: tuple[Share, ...]
    walk_in: tuple[Share, ...]
    never_reached: tuple[Share, ...]
    reached: tuple[Share, ...]


def fit_ends(kind: Codes, blocks: Codes, n_kinds: int, *, cancelled: Flags, walk_in: Flags, arrived: Flags) -> Ends:
    """Return how n calls ended by kind, (n,) each; calls of kind -1 are left out."""
    parts = (cancelled, ~cancelled & walk_in, ~cancelled & ~walk_in & ~arrived, ~cancelled & ~walk_in & arrived)
    return Ends(*(_by_kind(part, kind, blocks, n_kinds) for part in parts))


def fit_sent(kind: Codes, blocks: Codes, n_kinds: int, sent: Responses | None = None) -> Sent:
    """Return the units sent to n calls of `kind` (n,) on days `blocks` (n,); -1 is a kind unknown.

    Without `sent` one unit of type 0 goes to each call, which is assumed.

    Raises
    ------
    ValueError
        If lengths differ, a response belongs to no call or its type is below -1, or no unit ever arrived.
    """
    if sent is None:
        none = np.zeros(len(kind), dtype=np.int64)
        one = Responses(np.arange(len(kind)), none, np.zeros(len(kind)), none > 0, none == 0)
        return _sent(kind, blocks, n_kinds, one, ["one unit of one type goes to each call: assumed, none is recorded"])
    _check(kind, blocks, n_kinds, sent)
    known = np.bincount(sent.type[sent.type >= 0], minlength=1)
    n_unknown, n_undated = int((sent.type < 0).sum()), int((np.isnan(sent.dispatch_s) & sent.has_arrival).sum())
    said = []
    if n_unknown:
        said.append(f"{n_unknown} of {len(sent.type)} units have no type: taken as the most frequent one")
    if n_undated:
        said.append(f"{n_undated} units arrived without a dispatch time: taken as sent with the first")
    typed = np.where(sent.type < 0, int(known.argmax()), sent.type)
    whole = Responses(sent.incident, typed, sent.dispatch_s, sent.is_cancelled, sent.has_arrival)
    return _sent(kind, blocks, n_kinds, whole, said)


def _check(kind: Codes, blocks: Codes, n_kinds: int, sent: Responses) -> None:
    m = len(sent.incident)
    lengths = [len(each) for each in (sent.type, sent.dispatch_s, sent.is_cancelled, sent.has_arrival)]
    if len(kind) != len(blocks) or any(length != m for length in lengths):
        raise ValueError(f"{len(kind)} kinds and {len(blocks)} days; {m} responses with columns of {lengths} rows")
    if len(kind) and (int(kind.min()) < -1 or int(kind.max()) >= n_kinds):
        raise ValueError(f"a kind is not among the {n_kinds}; -1 is unknown")
    if m and (int(sent.incident.min()) < 0 or int(sent.incident.max()) >= len(kind)):
        raise ValueError(f"a response belongs to none of the {len(kind)} calls")
    if m and int(sent.type.min()) < -1:
        raise ValueError("a type code is below -1, which is unknown")
    if not (sent.has_arrival & ~sent.is_cancelled).any():
        raise ValueError("no unit ever arrived: leave the responses out, and one unit goes to each call")


def _sent(kind: Codes, blocks: Codes, n_kinds: int, sent: Responses, said: Sequence[str]) -> Sent:
    arrived = sent.has_arrival & ~sent.is_cancelled
    first_s = np.full(len(kind), np.inf)
    np.fmin.at(first_s, sent.incident, sent.dispatch_s)
    is_later = arrived & (sent.dispatch_s > first_s[sent.incident] + FIRST_WAVE_S)
    calls, patterns, place, n_cut = _patterns(sent, np.flatnonzero(arrived & ~is_later))
    of_call = kind[calls]
    count = np.zeros((n_kinds, len(patterns)), dtype=np.int64)
    np.add.at(count, (of_call[of_call >= 0], place[of_call >= 0]), 1)
    every = np.bincount(place, minlength=len(patterns)) / len(place)
    n_calls = count.sum(axis=1)
    lacking = np.maximum(_LEAST_CALLS - n_calls, 0)
    share = (count + lacking[:, None] * every) / (n_calls + lacking)[:, None]
    size = np.array([len(pattern) for pattern in patterns], dtype=np.float64)[place]
    means = [_mean(size[of_call == each], blocks[calls][of_call == each]) for each in range(n_kinds)]
    of_unit, days = kind[sent.incident], blocks[sent.incident]
    staying, there = np.flatnonzero(~sent.is_cancelled), np.flatnonzero(arrived)
    if n_cut:
        said = [*said, f"{n_cut} calls had more than {MOST_UNITS} units at once: cut to the first {MOST_UNITS}"]
    return Sent(
        patterns,
        count,
        np.vstack([share, every]),
        lacking > 0,
        np.array([mean for mean, _ in means]),
        np.array([se for _, se in means]),
        _by_kind(sent.is_cancelled, of_unit, days, n_kinds),
        _by_kind(~sent.has_arrival[staying], of_unit[staying], days[staying], n_kinds),
        _by_kind(is_later[there], of_unit[there], days[there], n_kinds),
        (*said, *_thin(n_calls)),
    )


def _patterns(sent: Responses, rows: Codes) -> tuple[Codes, tuple[tuple[int, ...], ...], Codes, int]:
    """Return calls with units among the rows, the patterns, which one each call has, and how many calls were cut."""
    rows = rows[np.lexsort((sent.type[rows], np.nan_to_num(sent.dispatch_s[rows], nan=-np.inf), sent.incident[rows]))]
    calls, begin, n_units = np.unique(sent.incident[rows], return_index=True, return_counts=True)
    number = np.arange(len(rows)) - np.repeat(begin, n_units)
    kept = number < MOST_UNITS
    none = np.iinfo(np.int64).max
    table = np.full((len(calls), MOST_UNITS), none)
    table[np.repeat(np.arange(len(calls)), n_units)[kept], number[kept]] = sent.type[rows][kept]
    table.sort(axis=1)
    # The number of units leads, so that patterns stand in its order; places left empty are behind all types.
    whole = np.column_stack([np.minimum(n_units, MOST_UNITS), table])
    distinct, place = np.unique(whole, axis=0, return_inverse=True)
    patterns = tuple(tuple(row[1 : 1 + row[0]]) for row in distinct.tolist())
    return calls, patterns, place.ravel(), int((n_units > MOST_UNITS).sum())


def _mean(value: Floats, blocks: Codes) -> tuple[float, float]:
    """Return a mean and its standard error by days (a ratio of sums by day, Cochran 1977, 9A); NaN where none."""
    n = len(value)
    if n == 0:
        return float("nan"), float("nan")
    mean = float(value.mean())
    sums = np.bincount(np.unique(blocks, return_inverse=True)[1], weights=value - mean)
    days = len(sums)
    return mean, float(np.sqrt(days / (days - 1.0) * float(sums @ sums)) / n) if days > 1 else float("nan")


def _by_kind(part: Flags, kind: Codes, blocks: Codes, n_kinds: int) -> tuple[Share, ...]:
    return tuple(share_of(part[kind == each], clusters=blocks[kind == each]) for each in range(n_kinds))


def _thin(n_calls: Codes) -> list[str]:
    thin = np.flatnonzero(n_calls < _LEAST_CALLS).tolist()
    return [
        f"kind {each}: {n_calls[each]} calls with units, filled up to {_LEAST_CALLS} with all calls" for each in thin
    ]
