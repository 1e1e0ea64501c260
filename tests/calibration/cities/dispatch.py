"""Who goes when: an event loop over calls and units, written for these cities alone.

1. When a call has been handled, each unit it wants is looked for in the order of the district map, among stations with
   a free unit of the type. A few calls pass over the first. Where none is free the need waits, first come first served.
2. The unit turns out, drives, works, drives home, is made ready, and is free again: from home alone.
3. A call that is called off turns its units back half-way.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from .calls import MOST_UNITS, Calls
from .chance import Purpose, generator
from .clock import HOUR_MS, Clock, Ints
from .travel import Ways, congestion, road_m
from .worlds import Floats, Options, World

NEVER = -1
_MOST_NOISE = 2.5
"""No log factor of noise is beyond this, so that heavy tails stay a log that somebody might have kept."""
_RETURN_SD = 0.15
_HEAVY_SCALE = 0.6
"""S.d. that Student's t of two degrees is scaled by: it has none of its own."""


@dataclass(frozen=True, slots=True)
class Chance:
    """What is drawn for each call (n,) and each unit it wants (n, 4), before anything happens."""

    handling_ms: Ints
    turnout: Floats
    travel: Floats
    scene: Floats
    home: Floats
    passes: NDArray[np.bool_]
    is_wrong: NDArray[np.bool_]
    wrong: Ints
    is_off: NDArray[np.bool_]
    factor: Floats


def draw_chance(world: World, calls: Calls, clock: Clock, options: Options, seed: int) -> Chance:
    """Return the chance of a seed: standard scores of the durations, errors of dispatch, the congestion of hours."""
    n = len(calls)
    median = np.array([kind.handling_s for kind in world.kinds])[calls.kind]
    sd = np.array([kind.handling_sd for kind in world.kinds])[calls.kind]
    handling_s = median * np.exp(sd * generator(seed, Purpose.HANDLING).normal(size=n))
    rng = generator(seed, Purpose.DISPATCH)
    return Chance(
        handling_ms=np.rint(handling_s * 1000.0).astype(np.int64),
        turnout=generator(seed, Purpose.TURNOUT).normal(size=(n, MOST_UNITS)),
        travel=_travel_noise(n, world.common_share, options.noise, seed),
        scene=_shared(n, 0.6, generator(seed, Purpose.SCENE)),
        home=generator(seed, Purpose.RETURN).normal(size=(n, MOST_UNITS)),
        passes=rng.random(n) < world.passed_over,
        is_wrong=rng.random((n, MOST_UNITS)) < options.wrong_station,
        wrong=rng.integers(0, world.n_stations, (n, MOST_UNITS)),
        is_off=rng.random(n) < options.cancelled,
        factor=congestion(clock, options.congestion_sd, seed),
    )


def _shared(n: int, share: float, rng: np.random.Generator) -> Floats:
    """Return standard normal scores (n, 4) of which units of a call have this share of the variance in common."""
    return np.sqrt(share) * rng.normal(size=(n, 1)) + np.sqrt(1.0 - share) * rng.normal(size=(n, MOST_UNITS))


def _travel_noise(n: int, share: float, noise: str, seed: int) -> Floats:
    rng = generator(seed, Purpose.TRAVEL)
    if noise == "heavy":
        return _HEAVY_SCALE * rng.standard_t(2, size=(n, MOST_UNITS))
    return _shared(n, share, rng)


@dataclass(frozen=True, slots=True)
class History:
    """One row per unit sent, in the order of dispatch; (n,) int64 each, ms UTC since 1970, -1 where it never was.

    call, slot: which unit of which call. was_passed: whether a free station was passed over on purpose.
    """

    call: Ints
    slot: Ints
    unit: Ints
    station: Ints
    type: Ints
    dispatch_ms: Ints
    en_route_ms: Ints
    arrival_ms: Ints
    clear_ms: Ints
    available_ms: Ints
    was_passed: Ints

    def __len__(self) -> int:
        return len(self.call)

    @property
    def turnout_s(self) -> Floats:
        """Exact seconds from dispatch to leaving."""
        return (self.en_route_ms - self.dispatch_ms) / 1000.0

    @property
    def travel_s(self) -> Floats:
        """Exact seconds from leaving to arrival, NaN if it turned back."""
        return np.where(self.arrival_ms == NEVER, np.nan, (self.arrival_ms - self.en_route_ms) / 1000.0)

    def arrivals_s(self, call_ms: Ints, rank: int) -> tuple[Floats, Ints]:
        """Return exact seconds from call to the rank-th arrival (n_calls,), NaN if none, and its row, -1 if none."""
        rows = np.flatnonzero(self.arrival_ms != NEVER)
        rows = rows[np.lexsort((rows, self.arrival_ms[rows], self.call[rows]))]
        call = self.call[rows]
        place = np.arange(len(rows)) - np.searchsorted(call, call, side="left")
        chosen = rows[place == rank]
        out, row = np.full(len(call_ms), np.nan), np.full(len(call_ms), -1, dtype=np.int64)
        row[self.call[chosen]] = chosen
        out[self.call[chosen]] = (self.arrival_ms[chosen] - call_ms[self.call[chosen]]) / 1000.0
        return out, row


@dataclass(frozen=True, slots=True)
class Fleet:
    """Units in the order of stations, engines first: type, station (n_units,), and first day of service (ms)."""

    type: Ints
    station: Ints
    from_ms: Ints


def fleet_of(world: World, clock: Clock, options: Options) -> Fleet:
    """Return the units; those of the late station come in the middle of the log, if it opens late."""
    counts = np.column_stack([world.engines, world.ladders])
    station, kind = np.repeat(np.indices(counts.shape).reshape(2, -1), counts.ravel(), axis=1)
    from_ms = np.full(len(station), clock.begin_ms)
    if options.opens_late:
        from_ms[station == world.late_station] = opening_ms(clock)
    return Fleet(kind, station, from_ms)


def opening_ms(clock: Clock) -> int:
    """Return the local midnight in the middle of the log."""
    begins = np.flatnonzero(np.diff(clock.day, prepend=clock.day[0] - 1))
    middle = begins[np.searchsorted(begins, clock.n_hours // 2)]
    return clock.begin_ms + int(middle) * HOUR_MS


def simulate(
    world: World, calls: Calls, clock: Clock, ways: Ways, fleet: Fleet, options: Options, chance: Chance
) -> History:
    """Return what every unit did. Steps as told in the module's first lines."""
    return _City(world, calls, clock, ways, fleet, options, chance).run()


class _City:
    """The running city: which units are free where, who waits, and the rows written so far."""

    def __init__(
        self, world: World, calls: Calls, clock: Clock, ways: Ways, fleet: Fleet, options: Options, chance: Chance
    ) -> None:
        self.world, self.calls, self.clock, self.ways, self.chance = world, calls, clock, ways, chance
        self.order = station_order(world)
        self.type, self.station = fleet.type.tolist(), fleet.station.tolist()
        self.free: list[list[list[int]]] = [[[] for _ in range(world.n_stations)] for _ in range(2)]
        self.coming = list(zip(fleet.from_ms.tolist(), range(len(self.type)), strict=True))
        heapq.heapify(self.coming)
        self.waiting: tuple[deque[tuple[int, int]], ...] = (deque(), deque())
        self.rows: list[tuple[int, ...]] = []
        self.hour = clock.hour.tolist()
        self.turnout_s = world.turnout_s * np.exp(world.hour_turnout[:, None] + world.turnout_effect)

    def run(self) -> History:
        """Return the history of all calls, the waiting ones served after the last."""
        due = self.calls.call_ms + self.chance.handling_ms
        order = np.argsort(due, kind="stable")
        for call, at in zip(order.tolist(), due[order].tolist(), strict=True):
            self.let_come(at)
            pattern = self.world.kinds[self.calls.kind[call]].patterns[self.calls.pattern[call]][1]
            for slot, kind in enumerate(pattern):
                station, was_passed = self.choose(call, slot, kind)
                if station == NEVER:
                    self.waiting[kind].append((call, slot))
                else:
                    self.send(self.free[kind][station].pop(0), call, slot, at, was_passed)
        while self.coming and any(self.waiting):
            self.let_come(self.coming[0][0])
        columns = np.array(sorted(self.rows, key=lambda row: row[5]), dtype=np.int64).reshape(-1, len(fields(History)))
        return History(*(columns[:, place].copy() for place in range(columns.shape[1])))

    def let_come(self, until_ms: int) -> None:
        """Free every unit that is back by then; it goes to whoever waits longest."""
        while self.coming and self.coming[0][0] <= until_ms:
            at, unit = heapq.heappop(self.coming)
            kind = self.type[unit]
            if self.waiting[kind]:
                call, slot = self.waiting[kind].popleft()
                self.send(unit, call, slot, at, 0)
            else:
                self.free[kind][self.station[unit]].append(unit)

    def choose(self, call: int, slot: int, kind: int) -> tuple[int, int]:
        """Return the station that sends, -1 if none can, and whether a free one was passed over on purpose."""
        free = self.free[kind]
        if self.chance.is_wrong[call, slot]:
            n, begin = self.world.n_stations, int(self.chance.wrong[call, slot])
            return next((s % n for s in range(begin, begin + n) if free[s % n]), NEVER), 1
        able = (station for station in self.order[self.calls.patch[call]] if free[station])
        first = next(able, NEVER)
        if slot == 0 and self.chance.passes[call]:
            second = next(able, NEVER)
            return (first, 0) if second == NEVER else (second, 1)
        return first, 0

    def send(self, unit: int, call: int, slot: int, at: int, was_passed: int) -> None:
        """Write all that the unit will do, and when it is free again."""
        world, chance, station = self.world, self.chance, self.station[unit]
        hour = min((at - self.clock.begin_ms) // HOUR_MS, len(self.hour) - 1)
        turnout_s = self.turnout_s[self.hour[hour], station] * np.exp(world.turnout_sd * chance.turnout[call, slot])
        median_s = float(self.ways.median_s[call, station])
        travel_s = median_s * chance.factor[hour] * self.noise(median_s, chance.travel[call, slot])
        leaves = at + round(turnout_s * 1000)
        kind = world.kinds[self.calls.kind[call]]
        home_s = median_s * np.exp(_RETURN_SD * chance.home[call, slot]) + world.ready_s
        if chance.is_off[call]:
            arrival, clear, home_s = NEVER, leaves + round(travel_s * 500), 0.5 * home_s
        else:
            arrival = leaves + round(travel_s * 1000)
            clear = arrival + round(kind.scene_s * np.exp(kind.scene_sd * chance.scene[call, slot]) * 1000)
        back = clear + round(home_s * 1000)
        self.rows.append((call, slot, unit, station, self.type[unit], at, leaves, arrival, clear, back, was_passed))
        heapq.heappush(self.coming, (back, unit))

    def noise(self, median_s: float, score: float) -> float:
        """Return the factor of chance on one way."""
        sd = float(self.world.noise_sd_of(np.array(median_s)))
        return float(np.exp(min(max(sd * score, -_MOST_NOISE), _MOST_NOISE)))


def station_order(world: World) -> list[list[int]]:
    """Return the district map: stations of each patch by planned time from its middle, as somebody once drew it."""
    planned = world.curve_s(road_m(world, world.patch_middle_m(), world.xy_m)) * np.exp(world.preference)
    order: list[list[int]] = np.argsort(planned, axis=1, kind="stable").tolist()
    return order
