"""Everything one run needs, as frozen arrays with a digest: the door of the engine.

`RunInputs` is all an engine ever sees. Anyone may fill it by other means; the digest says whether two runs had the same
inputs, part by part.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.chance import Stream, slot_ranks
from sim.recorded import Effects, Recorded, Transport
from sim.units import Q16

if TYPE_CHECKING:
    from sim.city.types import City
    from sim.city.zones import NearestZone
    from sim.demand.calendar import Calendar
    from sim.demand.types import Demand, Durations, Kinds, RunCards
    from sim.fleet.parts import Fleet
    from sim.own_rule import OwnRule
    from sim.travel.source import TravelTables

_Made = TypeVar("_Made")
_STATION_BITS = 16
RUN_OUT_HOURS = 24 * 14
"""Hours after the window for which period and day or night are still told apart; later ones are like the last."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules a run is played by.

    `dispatch`: 0 nearest, 1 own town first, 2 keep cover, with `slack_ms` by which a unit may be later. `cover_ms`: the
    drive within which a station covers, with units that have the capability `cover_bit`. `move_up`: 0 never, 1 from the
    nearest, 2 for the best cover; `move_up_after_ms` after a station was emptied, from at most `move_up_most_ms` away.
    `help_wait_ms`: wait of a need after which other cities are asked whatever the grade, -1 never. `rest_after_ms`: a
    mission this long is followed by `rest_ms` of rest, 0 never. `home_factor_q16`: homeward driving time per outward
    driving time, in 1/65536. `make_ready_ms`: from HOME to AVAILABLE. `water_bit`: the capability that hydrants serve.
    `is_sent_on`: whether units on their way home may be sent from where they are; if not, once they are home.
    `air_tasks`, `boat_tasks`: for each kind the mask of capabilities for which aircraft and boats under way are asked;
    empty: for every one at any kind.
    """

    dispatch: int
    is_escalation_on: bool
    is_scene_delay_on: bool
    home_factor_q16: int
    make_ready_ms: int
    slack_ms: int = 0
    cover_ms: int = 0
    cover_bit: int = 0
    move_up: int = 0
    move_up_after_ms: int = 0
    move_up_most_ms: int = 0
    help_wait_ms: int = -1
    rest_after_ms: int = 0
    rest_ms: int = 0
    water_bit: int = 0
    air_tasks: tuple[int, ...] = ()
    boat_tasks: tuple[int, ...] = ()
    is_sent_on: bool = True


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is on duty from when on; no rows where people are posted by dated changes instead.

    `shift_ms`: (n_shifts,) int64, ascending, the first at 0. `people`: (n_shifts, n_stations) int16, on duty from then.
    `is_relief`: (n_shifts,) int8, whether all of a station's people change, so that crews still out are not theirs.
    """

    shift_ms: NDArray[np.int64]
    people: NDArray[np.int16]
    is_relief: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Sky:
    """What the weather does, by hour of the run: the same hours as `period_of_hour`.

    `road_q16`: (n_hours,) int32, driving time over that of dry roads, in 1/65536. `is_flyable`: (n_hours,) int8,
    daylight and weather to fly.
    """

    road_q16: NDArray[np.int32]
    is_flyable: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Scenes:
    """What the place of each incident adds to the way to its work; n_incidents rows.

    `portal_cell`: (n_incidents, 2) int32, cells from which it is reached along a track, -1 where there is none.
    `track_m`: (n_incidents, 2) int32, from there. `power_off_ms`: (n_incidents,) int64, after the call, until the power
    is confirmed off. `water_delay_ms`: (n_incidents,) int32, until water comes where no hydrant is near, from the grade
    `supply_grade` (n_kinds,) int8 of its kind on (0: never). `village_ms`: (n_incidents,) int64, after the call, until
    the unit's or village's own people are there; -1 never.
    """

    portal_cell: NDArray[np.int32]
    track_m: NDArray[np.int32]
    power_off_ms: NDArray[np.int64]
    water_delay_ms: NDArray[np.int32]
    village_ms: NDArray[np.int64]
    supply_grade: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Waterways:
    """How far it is by water from each quay to each cell.

    `station`: (n_quays,) int32, whose units lie there. `way_m`: (n_quays, n_cells) int32, -1 where no water leads.
    """

    station: NDArray[np.int32]
    way_m: NDArray[np.int32]


def no_waterways(n_cells: int) -> Waterways:
    """Return a city without quays."""
    return Waterways(np.zeros(0, np.int32), np.zeros((0, n_cells), np.int32))


def no_roster(n_stations: int) -> Roster:
    """Return a roster without rows: people are posted by dated changes."""
    return Roster(np.zeros(0, np.int64), np.zeros((0, n_stations), np.int16), np.zeros(0, np.int8))


def clear_sky(n_hours: int) -> Sky:
    """Return dry roads at all hours, and no hour to fly in."""
    return Sky(np.full(n_hours, Q16, np.int32), np.zeros(n_hours, np.int8))


def plain_scenes(n_incidents: int, n_kinds: int) -> Scenes:
    """Return incidents that are all reached by road, with water at hand and nobody in the village."""
    none = np.full((n_incidents, 2), -1, np.int32)
    zeros = np.zeros(n_incidents, np.int64)
    return Scenes(none, np.zeros_like(none), zeros, zeros.astype(np.int32), zeros - 1, np.zeros(n_kinds, np.int8))


@dataclass(frozen=True, slots=True)
class RunInputs:
    """All inputs of one run.

    `changes`: `CHANGE_DTYPE` rows in order. `slot_ranks`: (n_slots, 4) uint32, incident by incident: turnout, own
    travel noise, access, scene. `station_order`: (n_periods, n_cells, n_stations) int16, stations by driving time to
    the cell (each by its own factor), ties by id. `period_of_hour`, `is_night_of_hour`: (n_hours,) int8 from the run's
    start, a midnight. `cell_weight`: (n_cells,) int64, incidents to be expected of each cell, for rules that weigh
    cover.

    What a run need not have, None: `recorded`, durations known from records (all are looked up); `nearest_zone`, which
    cell is nearest to a point where cells lie anywhere (the city's grid says); `transport`, where patients are taken
    (nowhere); `effects`, what a fit to records tells apart (nothing), set by `with_effects`;
    `n_passed`: (n_incidents,) int8, how many stations that could send are passed over for each need (none);
    `own_rule`, a dispatch rule of one's own that decides in the place of `policy.dispatch`.
    """

    city: City
    fleet: Fleet
    changes: NDArray[Any]
    demand: Demand
    kinds: Kinds
    cards: RunCards
    durations: Durations
    travel: TravelTables
    calendar: Calendar
    policy: Policy
    slot_ranks: NDArray[np.uint32]
    station_order: NDArray[np.int16]
    period_of_hour: NDArray[np.int8]
    is_night_of_hour: NDArray[np.int8]
    roster: Roster
    sky: Sky
    scenes: Scenes
    waterways: Waterways
    cell_weight: NDArray[np.int64]
    seed: int
    replication: int
    recorded: Recorded | None = None
    nearest_zone: NearestZone | None = None
    transport: Transport | None = None
    effects: Effects | None = None
    n_passed: NDArray[np.int8] | None = None
    own_rule: OwnRule | None = None

    def digests(self, known: KnownDigests | None = None) -> dict[str, str]:
        """Return the SHA-256 (hex) of each part, by name, without the parts that this run does not have.

        `known` remembers those of parts that other runs were given too.
        """
        parts = {part.name: getattr(self, part.name) for part in dataclasses.fields(self)}
        of = digest_of if known is None else known.of
        return {name: of(value) for name, value in parts.items() if value is not None}

    def digest(self) -> str:
        """Return the SHA-256 (hex) over the digests of all parts."""
        return digest_of(self.digests())


def _feed(digest: Any, value: Any) -> None:
    """Feed one value into a hash, with its type, so that no two different values read the same."""
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise TypeError("arrays of objects have no stable bytes")
        little = np.ascontiguousarray(value)
        digest.update(f"array:{little.dtype.descr}:{little.shape}:".encode())
        digest.update(little.tobytes() if little.dtype.names else little.view(np.uint8).reshape(-1).data)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        known = getattr(value, "digest", None)
        if isinstance(known, str):  # large tables carry the digest they were stored under
            digest.update(f"digest:{known}".encode())
            return
        digest.update(f"{type(value).__name__}(".encode())
        for part in dataclasses.fields(value):
            digest.update(f"{part.name}=".encode())
            _feed(digest, getattr(value, part.name))
        digest.update(b")")
    elif isinstance(value, Mapping):
        digest.update(b"{")
        for key in sorted(value):
            digest.update(f"{key}:".encode())
            _feed(digest, value[key])
        digest.update(b"}")
    elif isinstance(value, list | tuple):
        digest.update(b"[")
        for item in value:
            _feed(digest, item)
            digest.update(b",")
        digest.update(b"]")
    elif isinstance(value, Enum):
        digest.update(f"{value.name};".encode())
    elif value is None or isinstance(value, bool | int | float | str | np.generic) or hasattr(value, "isoformat"):
        plain = value.item() if isinstance(value, np.generic) else value
        digest.update(f"{type(plain).__name__}:{plain!r};".encode())
    else:
        raise TypeError(f"no stable bytes for {type(value).__name__}")


def digest_of(value: Any) -> str:
    """Return the SHA-256 (hex) of arrays, numbers, texts, dates and any nesting of them, order of keys aside."""
    digest = hashlib.sha256()
    _feed(digest, value)
    return digest.hexdigest()


class Kept:
    """The last few results, known again by the very objects they were made of.

    Those are held here, so that no other can take their place; they are frozen.
    """

    def __init__(self, n_most: int) -> None:
        self._n_most = n_most
        self._known: OrderedDict[tuple[Any, ...], tuple[tuple[Any, ...], Any]] = OrderedDict()

    def get(self, objects: tuple[Any, ...], rest: tuple[Any, ...], make: Callable[[], _Made]) -> _Made:
        """Return what was made of `objects` and the plain values `rest`, made anew only if it is not known."""
        key = (*(id(one) for one in objects), *rest)
        if key not in self._known:
            self._known[key] = objects, make()
        self._known.move_to_end(key)
        while len(self._known) > self._n_most:
            self._known.popitem(last=False)
        made: _Made = self._known[key][1]
        return made


class KnownDigests:
    """Digests of the parts of inputs asked for last: arms of one replication share the greater part of them."""

    def __init__(self, n_most: int = 32) -> None:
        self._kept = Kept(n_most)

    def of(self, part: Any) -> str:
        """Return the digest of a part, made anew only if it is not known."""
        return self._kept.get((part,), (), lambda: digest_of(part))


def slot_starts(demand: Demand, cards: RunCards) -> NDArray[np.int64]:
    """Return the first slot of every incident, and the number of slots: (n_incidents + 1,) int64.

    An incident has one slot per need of its true kind's whole card, and after those one per need of the reported kind's
    card where that is another.
    """
    kind, reported = demand.incidents["kind"], demand.incidents["reported_kind"]
    n_needs = np.diff(cards.start).astype(np.int64)
    n_slots = n_needs[kind] + np.where(kind == reported, 0, n_needs[reported])
    return np.concatenate([[0], np.cumsum(n_slots)]).astype(np.int64)


def draw_slot_ranks(demand: Demand, cards: RunCards, seed: int, replication: int) -> NDArray[np.uint32]:
    """Return the ranks of every slot of every incident: (n_slots, 4) uint32.

    Slots lie as `slot_starts` says. Ranks are keyed by (identity, slot), so they follow the incident into any scenario.
    """
    start = slot_starts(demand, cards)
    out = np.empty((int(start[-1]), 4), dtype=np.uint32)
    identities = np.ascontiguousarray(demand.incidents["identity"])
    slot_ranks(seed, replication, int(Stream.SLOT), identities, start, out)
    return out


def with_added_ranks(
    base_ranks: NDArray[np.uint32],
    demand: Demand,
    cards: RunCards,
    is_added: NDArray[np.bool_],
    seed: int,
    replication: int,
) -> NDArray[np.uint32]:
    """Return the ranks of every slot where run cards have needs added to them: (n_slots, 4) uint32.

    `is_added`: (n_needs,) bool, which rows of `cards` are; the others stand in their old order and keep the ranks
    `base_ranks` they have without the added ones, whose ranks are keyed by a stream of their own.
    """
    start, kind = slot_starts(demand, cards), demand.incidents["kind"].astype(np.int64)
    reported = demand.incidents["reported_kind"].astype(np.int64)
    first, n_needs = cards.start.astype(np.int64), np.diff(cards.start).astype(np.int64)
    incident = np.repeat(np.arange(len(kind)), np.diff(start))
    number = np.arange(start[-1]) - start[incident]
    after_true = number - n_needs[kind[incident]]
    of_kind = np.where(after_true < 0, first[kind[incident]] + number, first[reported[incident]] + after_true)
    is_new = is_added[of_kind]
    out = np.empty((len(is_new), 4), dtype=np.uint32)
    out[~is_new] = base_ranks
    n_new = np.bincount(incident[is_new], minlength=len(kind))
    new_start = np.concatenate([[0], np.cumsum(n_new)]).astype(np.int64)
    ranks = np.empty((int(new_start[-1]), 4), dtype=np.uint32)
    identities = np.ascontiguousarray(demand.incidents["identity"])
    slot_ranks(seed, replication, int(Stream.ADDED_SLOT), identities, new_start, ranks)
    out[is_new] = ranks
    return out


def station_drives(
    travel_ms: NDArray[np.int32], station_cell: NDArray[np.int32], drive_q16: NDArray[np.int32] | None = None
) -> NDArray[Any]:
    """Return (n_periods, n_stations, n_cells) ms: driving times from the stations, by their factors if given."""
    by_station = travel_ms[:, np.asarray(station_cell), :]
    if drive_q16 is None:
        return by_station
    return (by_station.astype(np.int64) * np.asarray(drive_q16, np.int64)[:, None]) >> 16


def order_stations(
    travel_ms: NDArray[np.int32], station_cell: NDArray[np.int32], drive_q16: NDArray[np.int32] | None = None
) -> NDArray[np.int16]:
    """Return (n_periods, n_cells, n_stations) int16: stations by driving time to the cell, ties by station id.

    `drive_q16`: (n_stations,) factor of each in 1/65536; None: all the same.
    """
    cells, n_stations = np.asarray(station_cell), len(station_cell)
    order = np.empty((travel_ms.shape[0], travel_ms.shape[2], n_stations), dtype=np.int16)
    for period in range(len(travel_ms)):
        drives = station_drives(travel_ms[period : period + 1], cells, drive_q16)[0]
        key = np.ascontiguousarray(drives.T).astype(np.int64)
        key <<= _STATION_BITS
        key |= np.arange(n_stations)  # each key once: whatever the sort, the order is one
        key.sort(axis=1)
        order[period] = key & ((1 << _STATION_BITS) - 1)
    return order


def with_effects(inputs: RunInputs, effects: Effects) -> RunInputs:
    """Return inputs in which what a fit tells apart holds; the order of the stations follows their factors."""
    order = order_stations(inputs.travel.duration_ms, inputs.fleet.stations.cell, effects.drive_q16)
    return dataclasses.replace(inputs, effects=effects, station_order=order)


def hours_of_run(
    calendar: Calendar, period_of_hour: NDArray[np.int8], night_from_h: int, night_to_h: int
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return (period, is_night) of every hour of the run and its run-out: two (n_hours,) int8.

    `period_of_hour` is (2, 24): workdays, then weekends and holidays. Night runs from `night_from_h` (inclusive) to
    `night_to_h` (exclusive), over midnight if the first is the later.
    """
    day_type = np.asarray(calendar.day_type, dtype=np.int64)
    period = period_of_hour[day_type].reshape(-1)
    hour = np.arange(24)
    if night_from_h > night_to_h:
        night = (hour >= night_from_h) | (hour < night_to_h)
    else:
        night = (hour >= night_from_h) & (hour < night_to_h)
    tail = np.arange(RUN_OUT_HOURS) % 24
    period = np.concatenate([period, period_of_hour[0][tail]]).astype(np.int8)
    return period, np.concatenate([np.tile(night, len(day_type)), night[tail]]).astype(np.int8)


def months_of_run(calendar: Calendar, n_days: int) -> NDArray[np.int8]:
    """Return the month of each day of the run and its run-out: (n_days,) int8, 1 to 12."""
    first = np.datetime64(calendar.start, "D")
    return ((first + np.arange(n_days)).astype("datetime64[M]").astype(np.int64) % 12 + 1).astype(np.int8)
