"""Everything one run needs, as frozen arrays with a digest: the door of the engine.

`RunInputs` is all an engine ever sees. Anyone may fill it by other means; the digest says whether two runs had the same
inputs, part by part.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.chance import Stream, slot_ranks

if TYPE_CHECKING:
    from sim.city.types import City
    from sim.demand.calendar import Calendar
    from sim.demand.types import Demand, Durations, Kinds, RunCards
    from sim.fleet.parts import Fleet
    from sim.travel.source import TravelTables

RUN_OUT_HOURS = 24 * 14
"""Hours after the window for which period and day or night are still told apart; later ones are like the last."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules a run is played by.

    `dispatch`: 0 nearest, 1 own town first. `home_factor_q16`: homeward driving time per outward driving time, in
    1/65536. `make_ready_ms`: from HOME to AVAILABLE.
    """

    dispatch: int
    is_escalation_on: bool
    is_scene_delay_on: bool
    home_factor_q16: int
    make_ready_ms: int


@dataclass(frozen=True, slots=True)
class RunInputs:
    """All inputs of one run.

    `changes`: `CHANGE_DTYPE` rows in order. `slot_ranks`: (n_slots, 4) uint32, incident by incident: turnout, own
    travel noise, access, scene. `station_order`: (n_periods, n_cells, n_stations) int16, stations by driving time to
    the cell, ties by id. `period_of_hour`, `is_night_of_hour`: (n_hours,) int8 from the run's start.
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
    seed: int
    replication: int

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 (hex) of each part, by name."""
        parts = {part.name: getattr(self, part.name) for part in dataclasses.fields(self)}
        return {name: digest_of(value) for name, value in parts.items()}

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


def order_stations(travel_ms: NDArray[np.int32], station_cell: NDArray[np.int32]) -> NDArray[np.int16]:
    """Return (n_periods, n_cells, n_stations) int16: stations by driving time to the cell, ties by station id."""
    by_station = travel_ms[:, np.asarray(station_cell), :]
    return np.ascontiguousarray(np.argsort(by_station, axis=1, kind="stable").transpose(0, 2, 1).astype(np.int16))


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
