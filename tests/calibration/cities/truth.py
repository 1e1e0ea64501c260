"""What a test may ask of a synthetic city: everything that is true in it, and what other chance would have brought."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .calls import MOST_UNITS, Calls
from .chance import Purpose, generator
from .clock import Clock, Ints
from .dispatch import NEVER, Fleet, History, draw_chance, simulate
from .travel import Ways
from .worlds import Floats, Options, World


@dataclass(frozen=True)
class Truth:
    """A city, its calls and what became of them; make one with `compact` or `sprawl`.

    city_folder, records_folder: None where nothing was written. calls and ways as they are; history as it happened.
    """

    world: World
    options: Options
    clock: Clock
    calls: Calls
    ways: Ways
    fleet: Fleet
    history: History
    seed: int
    city_folder: Path | None = None
    records_folder: Path | None = None

    @cached_property
    def first_row(self) -> Ints:
        """(n_calls,) row of the history that arrived first, -1 if none."""
        return self.history.arrivals_s(self.calls.call_ms, 0)[1]

    @cached_property
    def first_arrival_s(self) -> Floats:
        """(n_calls,) exact seconds from call to the first arrival, NaN if none."""
        return self.history.arrivals_s(self.calls.call_ms, 0)[0]

    @cached_property
    def second_arrival_s(self) -> Floats:
        """(n_calls,) exact seconds from call to the second arrival, NaN if none."""
        return self.history.arrivals_s(self.calls.call_ms, 1)[0]

    @cached_property
    def first_station(self) -> Ints:
        """(n_calls,) station that arrived first, -1 if none."""
        return np.where(self.first_row == NEVER, -1, self.history.station[self.first_row])

    @cached_property
    def call_day(self) -> Ints:
        """(n_calls,) local day of each call, since 1970."""
        return self.clock.day[self.clock.hour_of(self.calls.call_ms)]

    @cached_property
    def call_hour(self) -> Ints:
        """(n_calls,) local hour of each call, 24 more on days off: the hours that `World.hour_drive` tells apart."""
        hour = self.clock.hour_of(self.calls.call_ms)
        return self.clock.hour[hour] + 24 * (self.clock.weekday[hour] >= 5)

    @property
    def median_travel_s(self) -> Floats:
        """(n_responses,) true median of each unit's way at its call's hour, without noise and congestion."""
        return self.ways.median_s[self.history.call, self.history.station]

    @property
    def expected_travel_s(self) -> Floats:
        """(n_responses,) true mean of the same: noise is log-normal, so the median times exp(sd^2 / 2)."""
        return self.median_travel_s * np.exp(0.5 * self.world.noise_sd_of(self.median_travel_s) ** 2)

    def is_free(self, kind: int) -> NDArray[np.bool_]:
        """Return whether each station had a free unit of a type just before a call's first unit was sent.

        (n_calls, n_stations); all false where no unit was sent.
        """
        history = self.history
        first = np.flatnonzero(history.slot == 0)
        at_ms = np.full(len(self.calls), -1, dtype=np.int64)
        at_ms[history.call[first]] = history.dispatch_ms[first]
        free = np.zeros((len(self.calls), self.world.n_stations), dtype=np.bool_)
        for unit in np.flatnonzero(self.fleet.type == kind):
            own = np.flatnonzero(history.unit == unit)
            back_ms = np.concatenate([[self.fleet.from_ms[unit]], history.available_ms[own]])
            is_back = back_ms[np.searchsorted(history.dispatch_ms[own], at_ms, side="left")] <= at_ms
            free[:, self.fleet.station[unit]] |= is_back
        return free

    def again(self, seed: int) -> History:
        """Return the same calls with other chance in all that follows them: a history a perfect model might draw.

        Which calls are called off stays, as those who play given calls know it.
        """
        parts = (self.world, self.calls, self.clock, self.options)
        chance = replace(draw_chance(*parts, seed + 1_000_003), is_off=draw_chance(*parts, self.seed).is_off)
        return simulate(self.world, self.calls, self.clock, self.ways, self.fleet, self.options, chance)

    def draws_s(self, n_draws: int, seed: int = 0) -> Floats:
        """Return other first arrivals, (n_calls, n_draws) s from the call, by the same units as were really sent.

        Handling, turnout and noise of the ways are new, waiting for a free unit and congestion are as they were. NaN
        where nobody came. For normal noise only.
        """
        if self.options.noise != "normal":
            raise ValueError("draws_s knows normal noise only; use `again`")
        rng = generator(self.seed + seed, Purpose.FLOOR)
        world, rows = self.world, np.flatnonzero(self.history.arrival_ms != NEVER)
        call, slot = self.history.call[rows], self.history.slot[rows]
        kind = self.calls.kind
        handling = np.array([each.handling_s for each in world.kinds])[kind]
        handling_sd = np.array([each.handling_sd for each in world.kinds])[kind]
        chance = draw_chance(world, self.calls, self.clock, self.options, self.seed)
        due_ms = self.calls.call_ms[call] + chance.handling_ms[call]
        waited_s = (self.history.dispatch_ms[rows] - due_ms) / 1000.0
        hour = self.clock.hour_of(self.history.dispatch_ms[rows])
        station = self.history.station[rows]
        turnout = world.turnout_s * np.exp(world.hour_turnout[self.clock.hour[hour]] + world.turnout_effect[station])
        median = self.median_travel_s[rows]
        sd = world.noise_sd_of(median)
        out = np.full((len(self.calls), n_draws), np.inf)
        for number in range(n_draws):
            common = rng.normal(size=len(self.calls))[call]
            own = rng.normal(size=(len(self.calls), MOST_UNITS))[call, slot]
            score = np.sqrt(world.common_share) * common + np.sqrt(1.0 - world.common_share) * own
            travel = median * chance.factor[hour] * np.exp(sd * score)
            leave = waited_s + turnout * np.exp(world.turnout_sd * rng.normal(size=len(rows)))
            handled = (handling * np.exp(handling_sd * rng.normal(size=len(self.calls))))[call]
            np.minimum.at(out[:, number], call, handled + leave + travel)
        return np.where(np.isinf(out), np.nan, out)
