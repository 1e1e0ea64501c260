"""What the records hold for a model: calls as they come, the units that came for them, and the first arrivals.

A response is one row of the response file, or, without one, the first arriving unit of an incident row. Stations are
told by their code or name, by the unit where the city lists its units, and else taken as the nearest by way: that is
counted and said. Which stages can be told apart is decided once for the whole log (`Stages`): a stage that fewer than
half of the arrivals show is part of the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from calibration.ground import Ground, Zones
from calibration.records import Records
from calibration.scores import Observed, Rounding, observed
from sim.units import MS_PER_DAY, MS_PER_H

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
UNKNOWN_KIND = "unknown"
_LEAST_SHARE = 0.5
_THIN_KIND = 30
_MOST_KINDS = 60


class Clock(StrEnum):
    """What first arrivals are counted from."""

    CALL = "call"
    DISPATCH = "dispatch"


@dataclass(frozen=True, slots=True)
class Calls:
    """What is known of each call as it comes; (n_calls,) each, ascending by call.

    `local_ms`: int64, the wall clock, ms since 1970. `day`: local days since 1970. `hour`: 0-23. `is_off`: no workday.
    `kind`: position in `kinds`. `zone`: where, -1 where not known. `identity`: uint64, its row among all incidents.
    `is_cancelled`, `is_walk_in`: as recorded.
    """

    local_ms: Ints
    day: Ints
    hour: Ints
    is_off: Bools
    kind: Ints
    kinds: tuple[str, ...]
    zone: Ints
    identity: NDArray[np.uint64]
    is_cancelled: Bools
    is_walk_in: Bools

    def __len__(self) -> int:
        return len(self.local_ms)

    def rows(self, chosen: NDArray[Any]) -> Calls:
        """Return the chosen calls."""
        return Calls(
            self.local_ms[chosen], self.day[chosen], self.hour[chosen], self.is_off[chosen], self.kind[chosen],
            self.kinds, self.zone[chosen], self.identity[chosen], self.is_cancelled[chosen], self.is_walk_in[chosen],
        )  # fmt: skip

    @property
    def is_response(self) -> Bools:
        """Whether somebody was to drive there: placed, neither cancelled nor a walk-in."""
        return (self.zone >= 0) & ~self.is_cancelled & ~self.is_walk_in

    @property
    def hour_label(self) -> Ints:
        """Hour of the day, 24 more on days off."""
        return self.hour + 24 * self.is_off


@dataclass(frozen=True, slots=True)
class Responses:
    """Units that were sent, one row each; (n,) each.

    `call`: position among the calls. `station`: position in the ground, -1 for one that it does not have. `is_imputed`:
    the station is the nearest, as none is recorded. `unit`, `type`: positions in `units`, `types`, -1 unknown. Seconds,
    NaN where not known: `dispatch_s`, `arrival_s`, `clear_s`, `available_s` after the call; `turnout_s`, `travel_s`,
    `to_arrival_s` (dispatch to arrival), `scene_s`. `is_cancelled`: turned back.
    """

    call: Ints
    station: Ints
    is_imputed: Bools
    unit: Ints
    units: tuple[str, ...]
    type: Ints
    types: tuple[str, ...]
    dispatch_s: Floats
    arrival_s: Floats
    clear_s: Floats
    available_s: Floats
    turnout_s: Floats
    travel_s: Floats
    to_arrival_s: Floats
    scene_s: Floats
    is_cancelled: Bools

    def __len__(self) -> int:
        return len(self.call)


@dataclass(frozen=True, slots=True)
class Stages:
    """Which stages the log tells apart; what it does not is part of the next one, travel at last."""

    clock: Clock
    has_handling: bool
    has_turnout: bool
    has_scene: bool
    has_every_unit: bool


@dataclass(frozen=True, slots=True)
class Samples:
    """Calls and responses of a log with what they can tell.

    `first_s`, `second_s`: (n_calls,) float64, arrivals by `stages.clock`, NaN where not known. `resolution_s`: by mark
    or duration, what the values show, of the incident file and of the responses. `said`: what had to be assumed, in
    words.
    """

    calls: Calls
    responses: Responses
    stages: Stages
    first_s: Floats
    second_s: Floats
    resolution_s: tuple[Mapping[str, float], Mapping[str, float]]
    said: tuple[str, ...]

    def first(self, chosen: NDArray[Any], *, seed: int = 0, is_second: bool = False) -> Observed:
        """Return the first (or second) arrivals of the chosen calls as the records write them."""
        value = (self.second_s if is_second else self.first_s)[chosen]
        return self.as_written(value, self.calls.rows(chosen), seed=seed)

    def as_written(self, value_s: Floats, calls: Calls, *, seed: int = 0) -> Observed:
        """Return arrivals at any calls (n,) with the rounding that these records have."""
        begin = "call" if self.stages.clock is Clock.CALL else "dispatch"
        name = "call_to_arrival" if self.stages.clock is Clock.CALL else "dispatch_to_arrival"
        own = self.resolution_s[1 if self.stages.has_every_unit else 0]
        known = {**self.resolution_s[0], **own}
        at_s = calls.local_ms / 1000.0
        return stage_observed(value_s, begin, "arrival", name, known, at_s, calls.identity, seed)


def stage_observed(
    value_s: Floats,
    begin: str,
    end: str,
    duration: str,
    resolution_s: Mapping[str, float],
    begin_at_s: Floats,
    identity: NDArray[np.uint64],
    seed: int = 0,
) -> Observed:
    """Return durations between two marks with how they were rounded.

    `begin_at_s`: (n,) clock reading of the first mark, of which the phase is taken where only the second is coarse.
    """
    first, second = resolution_s.get(begin, 0.0), resolution_s.get(end, 0.0)
    if begin not in resolution_s or end not in resolution_s:  # given as a duration, not as two stamps
        cell = resolution_s.get(duration, 0.0)
        cell = cell if cell > 1.0 else 0.0
        return observed(value_s, resolution_s=cell, rounding=Rounding.NEAREST, identity=identity, seed=seed)
    if max(first, second) <= 1.0:
        return observed(value_s, identity=identity, seed=seed)
    if first > 1.0:
        rounding, cell = Rounding.STAMPS, max(first, second)
        return observed(value_s, resolution_s=cell, rounding=rounding, identity=identity, seed=seed)
    phase = np.mod(begin_at_s, second)
    return observed(value_s, resolution_s=second, phase_s=phase, rounding=Rounding.DOWN, identity=identity, seed=seed)


def take_samples(
    records: Records, ground: Ground, zones: Zones, zone: Ints, said_before: Sequence[str] = ()
) -> Samples:
    """Return what the records hold; `zone` (n_incidents,) is where each incident is, -1 unknown."""
    frame, said = records.incidents, list(said_before)
    calls = _calls(frame, zone, said)
    has_responses = bool(len(records.responses))
    rows = records.responses if has_responses else _first_units(frame)
    responses = _responses(rows, calls, ground, zones, said, has_every_unit=has_responses)
    first_s, second_s, clock = _arrivals(frame, responses, has_responses, len(calls))
    arrived = np.isfinite(responses.arrival_s) | np.isfinite(responses.to_arrival_s)
    stages = Stages(
        clock,
        has_handling=clock is Clock.CALL and _is_shown(responses.dispatch_s[arrived]),
        has_turnout=_is_shown(responses.turnout_s[arrived]) and _is_shown(responses.travel_s[arrived]),
        has_scene=_is_shown(responses.scene_s[arrived]),
        has_every_unit=has_responses,
    )
    _say_stages(stages, said)
    found = list(records.resolution_s.values())
    return Samples(calls, responses, stages, first_s, second_s, (found[0], found[-1]), tuple(said))


def _is_shown(values: Floats) -> bool:
    return len(values) > 0 and float(np.isfinite(values).mean()) >= _LEAST_SHARE


def _calls(frame: pd.DataFrame, zone: Ints, said: list[str]) -> Calls:
    local_ms = frame["call_ms"].to_numpy(np.int64) + 1000 * frame["offset_s"].to_numpy(np.int64)
    kind, kinds = _kinds(frame["kind"], said)
    excused = [frame[name].to_numpy(np.bool_) for name in ("is_cancelled", "is_walk_in")]
    day = local_ms // MS_PER_DAY
    return Calls(
        local_ms, day, local_ms % MS_PER_DAY // MS_PER_H, (day + 3) % 7 >= 5, kind, kinds, zone,
        np.arange(len(frame), dtype=np.uint64), excused[0], excused[1],
    )  # fmt: skip


def _kinds(labels: pd.Series, said: list[str]) -> tuple[Ints, tuple[str, ...]]:
    """Return the kind of each call: as recorded, those without one as `unknown`, the rarest together."""
    texts = labels.astype("object").where(labels.notna(), UNKNOWN_KIND).astype(str)
    counts = texts.value_counts()
    kept = [name for name, n in counts.items() if n >= _THIN_KIND][:_MOST_KINDS]
    rare = set(counts.index) - set(kept)
    if len(rare) > 1:
        n_rare = int(counts[list(rare)].sum())
        said.append(f"{len(rare)} kinds with fewer than {_THIN_KIND} calls ({n_rare} calls together) are taken as one")
        texts = texts.where(~texts.isin(rare), "rare")
    kinds = tuple(sorted(set(texts)))
    return np.asarray(pd.Categorical(texts, categories=list(kinds)).codes, dtype=np.int64), kinds


def _first_units(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the incidents as responses of the unit that arrived first, where anything is recorded of it."""
    n = len(frame)
    rows = frame.assign(
        incident=np.arange(n),
        type=pd.Categorical([None] * n),
        available_s=np.nan,
        arrival_s=frame["arrival_s"].fillna(frame["call_to_arrival_s"]),
        dispatch_s=frame["dispatch_s"].fillna(frame["handling_s"]),
    )
    return rows[rows["arrival_s"].notna() | rows["dispatch_to_arrival_s"].notna() | rows["station"].notna()]


def _responses(
    rows: pd.DataFrame, calls: Calls, ground: Ground, zones: Zones, said: list[str], *, has_every_unit: bool
) -> Responses:
    call = rows["incident"].to_numpy(np.int64)
    unit, units = _codes(rows["unit"])
    station = _stations(rows, ground, unit, units, said)
    is_unsaid = (station == _UNSAID) & (calls.zone[call] >= 0)
    is_imputed = np.zeros(len(rows), dtype=np.bool_)
    if is_unsaid.any():
        station[is_unsaid] = _nearest(ground, zones, calls, call[is_unsaid])
        is_imputed = is_unsaid
        said.append(f"{is_unsaid.mean():.1%} of the units have no station on record: the nearest one is taken")
    station = np.where(station == _UNSAID, -1, station)
    kind, types = (
        _unit_types(rows, ground, unit, units) if has_every_unit else (np.zeros(len(rows), np.int64), ("unit",))
    )
    arrival, dispatch = rows["arrival_s"].to_numpy(np.float64), rows["dispatch_s"].to_numpy(np.float64)
    to_arrival = rows["dispatch_to_arrival_s"].to_numpy(np.float64)
    to_arrival = np.where(np.isnan(to_arrival), arrival - dispatch, to_arrival)
    return Responses(
        call, station, is_imputed, unit, units, kind, types, dispatch,
        np.where(np.isnan(arrival), dispatch + to_arrival, arrival), rows["clear_s"].to_numpy(np.float64),
        rows["available_s"].to_numpy(np.float64), rows["turnout_s"].to_numpy(np.float64),
        rows["travel_s"].to_numpy(np.float64), to_arrival, rows["on_scene_s"].to_numpy(np.float64),
        rows["is_cancelled"].to_numpy(np.bool_),
    )  # fmt: skip


_UNSAID = -2


def _codes(labels: pd.Series) -> tuple[Ints, tuple[str, ...]]:
    codes = labels.cat.codes.to_numpy().astype(np.int64)
    return codes, tuple(str(name) for name in labels.cat.categories)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _stations(rows: pd.DataFrame, ground: Ground, unit: Ints, units: tuple[str, ...], said: list[str]) -> Ints:
    """Return the station of each row: -1 for one that the ground does not have, `_UNSAID` where none is recorded."""
    known = {_plain(name): i for i, name in enumerate(ground.station_name)}
    known |= {_plain(code): i for i, code in enumerate(ground.station)}
    code, labels = _codes(rows["station"])
    of_label = np.array([*(known.get(_plain(label), -1) for label in labels), _UNSAID], dtype=np.int64)
    station = of_label[code]
    lost = [label for label, at in zip(labels, of_label, strict=False) if at < 0]
    if lost:
        share = float((station == -1).mean())
        said.append(f"{share:.1%} of the units come from stations not in the city ({', '.join(lost[:8])}): left out")
    if (station == _UNSAID).any() and len(ground.unit):
        home = {_plain(name): int(at) for name, at in zip(ground.unit, ground.unit_station, strict=True)}
        of_unit = np.array([*(home.get(_plain(name), _UNSAID) for name in units), _UNSAID], dtype=np.int64)
        station = np.where(station == _UNSAID, of_unit[unit], station)
    return station


def _nearest(ground: Ground, zones: Zones, calls: Calls, call: Ints) -> Ints:
    """Return the nearest open station of each of the calls."""
    ways = zones.from_stations()[0]
    days, at = np.unique(calls.day[call], return_inverse=True)
    is_open = ground.is_open(days.astype("datetime64[D]"))
    out = np.empty(len(call), dtype=np.int64)
    regimes, regime = np.unique(is_open, axis=0, return_inverse=True)
    for number, opened in enumerate(regimes):
        order = np.where(opened[:, None], ways, np.inf).argmin(axis=0)
        of = regime.ravel()[at] == number
        out[of] = order[calls.zone[call[of]]]
    return out


def _unit_types(rows: pd.DataFrame, ground: Ground, unit: Ints, units: tuple[str, ...]) -> tuple[Ints, tuple[str, ...]]:
    """Return the type of each row's unit: the city's where it lists the unit, else as recorded, else one for all."""
    listed = {_plain(name): kind for name, kind in zip(ground.unit, ground.unit_type, strict=True)}
    of_unit = np.array([*(listed.get(_plain(name), "") for name in units), ""], dtype=object)
    recorded = rows["type"].astype("object").where(rows["type"].notna(), "").to_numpy()
    texts = np.where(of_unit[unit] != "", of_unit[unit], recorded).astype(str)
    types = tuple(sorted(set(texts.tolist()) - {""})) or ("unit",)
    return np.array([types.index(text) if text else 0 for text in texts], dtype=np.int64), types


def _arrivals(
    frame: pd.DataFrame, responses: Responses, has_responses: bool, n_calls: int
) -> tuple[Floats, Floats, Clock]:
    """Return first and second arrivals of each call, and what they are counted from."""
    of_call = frame["call_to_arrival_s"].fillna(frame["arrival_s"]).to_numpy(np.float64)
    is_counted = ~responses.is_cancelled
    clock = Clock.CALL
    arrival = responses.arrival_s
    if not (np.isfinite(of_call).any() or np.isfinite(arrival).any()):
        clock, of_call = Clock.DISPATCH, frame["dispatch_to_arrival_s"].to_numpy(np.float64)
        arrival = responses.to_arrival_s
    if not has_responses:
        return of_call, np.full(n_calls, np.nan), clock
    is_counted &= np.isfinite(arrival)
    order = np.lexsort((arrival[is_counted], responses.call[is_counted]))
    call, at = responses.call[is_counted][order], arrival[is_counted][order]
    place = np.arange(len(call)) - np.searchsorted(call, call)
    first, second = (np.full(n_calls, np.nan) for _ in range(2))
    first[call[place == 0]] = at[place == 0]
    second[call[place == 1]] = at[place == 1]
    return np.where(np.isnan(first), of_call, first), second, clock


def first_arrived(samples: Samples) -> Ints:
    """Return the station on record of the unit that arrived first at each call: (n_calls,), -1 where none is."""
    of = samples.responses
    rows = np.flatnonzero(np.isfinite(of.arrival_s) & ~of.is_cancelled & ~of.is_imputed)
    rows = rows[np.lexsort((of.arrival_s[rows], of.call[rows]))]
    call = of.call[rows]
    first = rows[np.concatenate([[True], call[1:] != call[:-1]])] if len(rows) else rows
    station = np.full(len(samples.calls), -1, dtype=np.int64)
    station[of.call[first]] = of.station[first]
    return station


def _say_stages(stages: Stages, said: list[str]) -> None:
    if stages.clock is Clock.DISPATCH:
        said.append("arrivals are recorded after the dispatch alone: responses are counted from there")
    elif not stages.has_handling:
        said.append("the dispatch is not recorded: call handling is part of what follows")
    if not stages.has_turnout:
        said.append("departures are not recorded: turnout is part of travel")
    if not stages.has_scene:
        said.append("nothing says how long units stay: 30 min on scene are assumed for every call")
    if not stages.has_every_unit:
        said.append("only the first arriving unit is on record: one unit per call is assumed")
