"""What the records give of each call: who was sent when, what each stage took, and where patients were taken.

Units that were ordered out at the same instant are one wave; a later order is a wave of its own with its own handling,
so that a second alarm comes when it came. A stage that is not on record is left open (-1); what fills it is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from calibration.ground import Ground, Zones
from calibration.model.samples import Calls, Clock, Samples
from calibration.model.trace import to_ms
from calibration.records import Records
from sim.errors import InputError, Problem
from sim.trace import CALL_DTYPE, NEED_DTYPE, UNKNOWN, Trace

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Durations(StrEnum):
    """Where durations come from."""

    RECORDED = "recorded"
    FITTED = "fitted"
    BOTH = "both"


class Stage(StrEnum):
    """What a duration is of."""

    HANDLING = "handling"
    TURNOUT = "turnout"
    TRAVEL = "travel"
    SCENE = "scene"
    TRANSPORT = "transport"
    HAND_OVER = "hand_over"


@dataclass(frozen=True, slots=True)
class Share:
    """How many durations of a stage are needed and recorded; the rest is fitted, or `assumed` in words."""

    n: int
    n_recorded: int
    assumed: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """Calls to be played.

    `calls`: (n_calls,). `call`: (n_waves,) the call of each wave; `trace`: waves as calls, -1 where nothing is
    recorded; `place`: (n_needs,) place of each need among those of its call. `shares`: by stage. `first_s`, `second_s`:
    (n_calls,) recorded arrivals, NaN unknown; `station`, `unit`: (n_calls,) recorded to have come first, -1 unknown
    (positions in the ground and in the responses' units). `said`: what was taken how, in words.
    """

    calls: Calls
    call: Ints
    trace: Trace
    place: Ints
    shares: Mapping[Stage, Share]
    first_s: Floats
    second_s: Floats
    station: Ints
    unit: Ints
    units: tuple[str, ...]
    said: tuple[str, ...]

    @property
    def wave_calls(self) -> Calls:
        """The call of each wave."""
        return self.calls.rows(self.call)

    @property
    def n_needs(self) -> Ints:
        """How many units each call gets: (n_calls,)."""
        return np.bincount(self.call, weights=self.trace.calls["n_needs"], minlength=len(self.calls)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Needs:
    """Units sent, (n,) each: call (position among those played), type, when ordered out (ms, -1 unknown), row of the
    responses (-1: drawn)."""

    call: Ints
    type: Ints
    order_ms: Ints
    row: Ints


def take_calls(
    samples: Samples,
    records: Records,
    ground: Ground,
    zones: Zones,
    chosen: Ints,
    durations: Durations,
    drawn: tuple[Ints, tuple[tuple[int, ...], ...]] | None,
    n_of_type: Ints,
) -> Given:
    """Return the chosen calls (positions in the samples) with what is recorded of them.

    `drawn`: pattern of units (a position, (n_chosen,)) and the patterns, for calls without a unit on record; None:
    such calls are left out. `n_of_type`: (n_types,) units of each type; types without any become the commonest.

    Raises
    ------
    InputError
        If no call is left, or durations that have to be recorded are not.
    """
    said: list[str] = []
    needs = _units_on_record(samples, chosen, n_of_type, said)
    is_without = np.bincount(needs.call, minlength=len(chosen)) == 0
    if drawn is None and is_without.any():
        said.append(f"{int(is_without.sum())} of {len(chosen)} calls have no unit on record and are left out")
        chosen = chosen[~is_without]
        needs = _units_on_record(samples, chosen, n_of_type, [])
    elif drawn is not None and is_without.any():
        said.append(
            f"{int(is_without.sum())} of {len(chosen)} calls have no unit on record: units are drawn as their kind gets"
        )
        needs = _with_drawn(needs, np.flatnonzero(is_without), *drawn)
    if not len(chosen):
        raise InputError([Problem("records", "no call with a unit on record is left to play", mend="look at --from")])
    return _given(samples, records, ground, zones, chosen, needs, durations, said)


def _units_on_record(samples: Samples, chosen: Ints, n_of_type: Ints, said: list[str]) -> _Needs:
    of, stages = samples.responses, samples.stages
    place = np.full(len(samples.calls), -1, dtype=np.int64)
    place[chosen] = np.arange(len(chosen))
    is_in = place[of.call] >= 0
    rows = np.flatnonzero(is_in & ~of.is_cancelled)
    if n_back := int((is_in & of.is_cancelled).sum()):
        said.append(f"{n_back} units were turned back before they arrived and are not played")
    kind = of.type[rows]
    lacks = n_of_type[kind] == 0
    if lacks.any():
        said.append(f"{int(lacks.sum())} units are of types that no unit of the city is of: the commonest is sent")
        kind = np.where(lacks, int(n_of_type.argmax()), kind)
    order_ms = np.where(np.isnan(of.dispatch_s[rows]), UNKNOWN, to_ms(np.nan_to_num(of.dispatch_s[rows])))
    if not stages.has_handling:
        order_ms = np.zeros(len(rows), dtype=np.int64)
    return _Needs(place[of.call[rows]], kind, order_ms, rows)


def _with_drawn(needs: _Needs, calls: Ints, pattern: Ints, patterns: tuple[tuple[int, ...], ...]) -> _Needs:
    kinds = [patterns[number] for number in pattern[calls]]
    call = np.repeat(calls, [len(each) for each in kinds])
    kind = np.array([each for listed in kinds for each in listed], dtype=np.int64)
    unknown = np.full(len(call), UNKNOWN, dtype=np.int64)
    return _Needs(
        np.concatenate([needs.call, call]), np.concatenate([needs.type, kind]),
        np.concatenate([needs.order_ms, unknown]), np.concatenate([needs.row, unknown]),
    )  # fmt: skip


def _given(
    samples: Samples, records: Records, ground: Ground, zones: Zones, chosen: Ints, needs: _Needs,
    durations: Durations, said: list[str],
) -> Given:  # fmt: skip
    calls = samples.calls.rows(chosen)
    needs = _in_waves(needs, is_known=durations is not Durations.FITTED or not samples.stages.has_handling)
    is_first = np.concatenate([[True], (np.diff(needs.call) != 0) | (np.diff(needs.order_ms) != 0)])
    call = needs.call[is_first]
    size = np.diff(np.append(np.flatnonzero(is_first), len(needs.call)))
    if len(call) > len(chosen):
        said.append(f"{len(call) - len(chosen)} later orders to calls that had units already come when they came")
    rows = np.zeros(len(call), dtype=CALL_DTYPE)
    rows["time_ms"] = calls.local_ms[call] - int(calls.day.min()) * 86_400_000
    rows["handling_ms"] = needs.order_ms[is_first]
    rows["zone"], rows["kind"], rows["n_needs"] = calls.zone[call], calls.kind[call], size
    table = _recorded(samples, needs, durations)
    transports = _transports(records, ground, zones, calls, needs, table, durations, samples, said)
    shares = _shares(samples, rows, table, transports)
    _check_all_recorded(shares, durations)
    begin = np.searchsorted(needs.call, needs.call, side="left")
    station, unit = _first_to_arrive(samples, chosen)
    return Given(
        calls, call, Trace(rows, table), np.arange(len(needs.call)) - begin, shares, samples.first_s[chosen],
        samples.second_s[chosen], station, unit, samples.responses.units, tuple(said),
    )  # fmt: skip


def _in_waves(needs: _Needs, *, is_known: bool) -> _Needs:
    """Return the units by call and order; one without an order on record goes with the first of its call."""
    order_ms = needs.order_ms if is_known else np.full(len(needs.call), UNKNOWN, dtype=np.int64)
    first = np.full(int(needs.call.max()) + 1, np.iinfo(np.int64).max)
    known = order_ms >= 0
    np.minimum.at(first, needs.call[known], order_ms[known])
    of_call = first[needs.call]
    order_ms = np.where(known, order_ms, np.where(of_call < np.iinfo(np.int64).max, of_call, UNKNOWN))
    order = np.lexsort((np.arange(len(order_ms)), order_ms, needs.call))
    return _Needs(needs.call[order], needs.type[order], order_ms[order], needs.row[order])


def _recorded(samples: Samples, needs: _Needs, durations: Durations) -> NDArray[np.void]:
    """Return what is recorded of each need, transports aside."""
    of, stages = samples.responses, samples.stages
    table = np.zeros(len(needs.call), dtype=NEED_DTYPE)
    table["capability"] = needs.type
    for name in ("turnout_ms", "travel_ms", "scene_ms", "transport_ms", "station", "to_zone"):
        table[name] = UNKNOWN
    if durations is Durations.FITTED:
        return table
    if stages.has_turnout:
        turnout, travel = of.turnout_s, of.travel_s
    else:
        is_from_dispatch = stages.has_handling or stages.clock is Clock.DISPATCH
        turnout, travel = np.zeros(len(of)), of.to_arrival_s if is_from_dispatch else of.arrival_s
    is_there = needs.row >= 0
    row = needs.row[is_there]
    table["turnout_ms"][is_there] = _known_ms(turnout[row])
    table["travel_ms"][is_there] = np.where(of.station[row] >= 0, _known_ms(travel[row]), UNKNOWN)
    table["station"][is_there] = of.station[row]
    table["scene_ms"][is_there] = _known_ms(of.scene_s[row])
    return table


def _known_ms(seconds: Floats) -> Ints:
    return np.where(np.isnan(seconds), UNKNOWN, to_ms(np.nan_to_num(seconds)))


def _transports(
    records: Records, ground: Ground, zones: Zones, calls: Calls, needs: _Needs, table: NDArray[np.void],
    durations: Durations, samples: Samples, said: list[str],
) -> NDArray[np.bool_]:  # fmt: skip
    """Put the ways of patients into the table; return which hand-overs are assumed: (n_needs,)."""
    is_assumed = np.zeros(len(table), dtype=np.bool_)
    if not samples.stages.has_every_unit:
        return is_assumed
    frame, is_there = records.responses, needs.row >= 0
    row = needs.row[is_there]
    stay, drive, hand_over = (
        frame[name].to_numpy(np.float64)[row] for name in ("arrival_to_depart_s", "transporting_s", "hand_over_s")
    )
    zone, is_placed = _destinations(frame["destination"].iloc[row], ground, zones)
    is_taken = ~np.isnan(stay) & (is_placed | ~np.isnan(drive))
    if not is_taken.any():
        return is_assumed
    if durations is Durations.FITTED:
        said.append(f"{int(is_taken.sum())} ways with patients are part of the time on scene that is fitted")
        return is_assumed
    lost = is_taken & ~is_placed
    if lost.any():
        said.append(
            f"{int(lost.sum())} of {int(is_taken.sum())} destinations are no area or cell of the city: such a unit is"
            " taken to be at the scene when it is clear, after the time on record"
        )
    at = np.flatnonzero(is_there)[is_taken]
    table["to_zone"][at] = np.where(is_placed, zone, calls.zone[needs.call[is_there]])[is_taken]
    table["scene_ms"][at] = to_ms(stay[is_taken])
    table["transport_ms"][at] = _known_ms(drive[is_taken])
    known = hand_over[is_taken & ~np.isnan(hand_over)]
    usual = float(np.median(known)) if len(known) else 0.0
    table["hand_over_ms"][at] = to_ms(np.where(np.isnan(hand_over), usual, hand_over)[is_taken])
    is_assumed[at] = np.isnan(hand_over[is_taken])
    return is_assumed


def _destinations(labels: pd.Series[Any], ground: Ground, zones: Zones) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the zone of each destination, by name of an area or number of a cell, and whether it has one."""
    point = {" ".join(name.casefold().split()): xy for name, xy in ground.area_xy.items()}
    point |= {str(number): (int(x), int(y)) for number, (x, y) in enumerate(ground.cell_xy)}
    xy = np.full((len(labels.cat.categories) + 1, 2), np.nan)
    for number, label in enumerate(labels.cat.categories):
        xy[number] = point.get(" ".join(str(label).casefold().split()), (np.nan, np.nan))
    zone = zones.zone_of(xy[:, 0], xy[:, 1])[labels.cat.codes.to_numpy()]
    return zone, zone >= 0


def _shares(
    samples: Samples, calls: NDArray[np.void], needs: NDArray[np.void], is_assumed: NDArray[np.bool_]
) -> dict[Stage, Share]:
    stages = samples.stages
    taken = needs["to_zone"] >= 0
    out = {}
    if stages.has_handling:
        out[Stage.HANDLING] = Share(len(calls), int((calls["handling_ms"] >= 0).sum()))
    if stages.has_turnout:
        out[Stage.TURNOUT] = Share(len(needs), int((needs["turnout_ms"] >= 0).sum()))
    out[Stage.TRAVEL] = Share(len(needs), int((needs["travel_ms"] >= 0).sum()))
    on_scene = "" if stages.has_scene else "30 min"
    out[Stage.SCENE] = Share(len(needs), int((needs["scene_ms"] >= 0).sum()), on_scene)
    if taken.any():
        n, n_driven = int(taken.sum()), int((needs["transport_ms"][taken] >= 0).sum())
        out[Stage.TRANSPORT] = Share(n, n_driven)
        out[Stage.HAND_OVER] = Share(n, n - int(is_assumed.sum()), "median on record")
    return out


def _check_all_recorded(shares: Mapping[Stage, Share], durations: Durations) -> None:
    if durations is not Durations.RECORDED:
        return
    by_matrix = (Stage.TRAVEL, Stage.TRANSPORT)
    lacking = [(stage, it) for stage, it in shares.items() if it.n_recorded < it.n and stage not in by_matrix]
    if lacking:
        told = ", ".join(f"{stage.value} is missing {it.n - it.n_recorded} times of {it.n}" for stage, it in lacking)
        mend = "--durations both fits what is missing, and says how much that is"
        raise InputError([Problem("records", f"not every duration is on record: {told}", mend=mend)])


def _first_to_arrive(samples: Samples, chosen: Ints) -> tuple[Ints, Ints]:
    of = samples.responses
    arrival = of.arrival_s if samples.stages.clock is Clock.CALL else of.to_arrival_s
    rows = np.flatnonzero(np.isfinite(arrival) & ~of.is_cancelled)
    rows = rows[np.lexsort((arrival[rows], of.call[rows]))]
    call = of.call[rows]
    rows = rows[np.concatenate([[True], call[1:] != call[:-1]])] if len(rows) else rows
    out = np.full((2, len(samples.calls)), -1, dtype=np.int64)
    out[:, of.call[rows]] = np.where(of.is_imputed[rows], -1, of.station[rows]), of.unit[rows]
    return out[0, chosen], out[1, chosen]
