"""Plays small cities by the path that every run takes: folder -> composed settings -> inputs -> engine -> event log.

What happened is read from the log alone. A run starts empty; its first day is not measured. Every case says by which
rate its model forgets that start; the warm-up is at least ten times as long, so what is left is below exp(-10).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from sim.engine.log import EventLog, LogKind
from sim.inputs import RunInputs
from sim.verification.small_city import SmallCity, write_city

if TYPE_CHECKING:
    from sim.assemble import InputsBuilder
    from sim.settings import Settings

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A city on disk with its settings; `builder` keeps what its replications share."""

    settings: Settings
    builder: InputsBuilder

    def inputs(self, replication: int) -> RunInputs:
        """Return the inputs of one replication."""
        return self.builder.build(self.settings, replication)


@contextmanager
def prepared(name: str, city: SmallCity, *overrides: str) -> Iterator[Prepared]:
    """Write the city into a temporary folder and yield it with its settings; the folder is gone afterwards.

    `name` makes the seed, so that models of different names share no chance, and those of one name share all.
    """
    from sim.assemble import InputsBuilder
    from sim.compose import compose

    with TemporaryDirectory(prefix="dgsim-verification-") as place:
        folder = Path(place) / "city"
        write_city(folder, city)
        given = [f"city.folder='{folder.as_posix()}'", f"seed={crc32(name.encode()) >> 1}", *overrides]
        yield Prepared(compose(given).settings, InputsBuilder())


@dataclass(frozen=True, slots=True)
class Played:
    """One replication: its inputs and what its log says, for cities in which one unit serves each call.

    `call_ms`, `dispatch_ms`, `kind`, `station`: (n_calls,) of calls in the measured window, in their order; `station`
    is that of the unit sent. `mission_station`, `from_ms`, `to_ms`: (n_missions,) of all missions of the run: the
    unit's station, and from when until when it is taken.
    """

    inputs: RunInputs
    log: EventLog
    call_ms: Ints
    dispatch_ms: Ints
    kind: Ints
    station: Ints
    mission_station: Ints
    from_ms: Ints
    to_ms: Ints

    @property
    def window_ms(self) -> tuple[int, int]:
        """Begin and end of the measured window."""
        return self.inputs.calendar.measure_from_ms, self.inputs.calendar.measure_to_ms

    @property
    def wait_s(self) -> NDArray[np.float64]:
        """Seconds from call to dispatch, (n_calls,)."""
        waits: NDArray[np.float64] = (self.dispatch_ms - self.call_ms) / 1_000.0
        return waits

    def n_waiting_rows(self) -> int:
        """Return how many needs of the whole run found no unit."""
        return int((self.log.column("kind") == LogKind.WAIT).sum())


def play(inputs: RunInputs, engine: str) -> Played:
    """Simulate one replication and read its log."""
    from sim.engine import simulate

    log = simulate(inputs, engine)
    kinds, times, units = log.column("kind"), log.column("time_ms"), log.column("unit")
    sent, back = kinds == LogKind.DISPATCH, kinds == LogKind.AVAILABLE
    n_calls = len(inputs.demand.incidents)
    dispatch_ms, unit = np.full(n_calls, -1, dtype=np.int64), np.full(n_calls, -1, dtype=np.int64)
    incident = log.column("incident")[sent]
    dispatch_ms[incident], unit[incident] = times[sent], units[sent]
    call_ms = np.asarray(inputs.demand.incidents["call_ms"], dtype=np.int64)
    begin, end = inputs.calendar.measure_from_ms, inputs.calendar.measure_to_ms
    of_window = (call_ms >= begin) & (call_ms < end)
    if (dispatch_ms[of_window] < 0).any():
        raise AssertionError("a call of the measured window was never served: the run-out is too short")
    station = np.asarray(inputs.fleet.units.station, dtype=np.int64)
    mission, at_ms, to_ms = _missions(log, sent, back)
    return Played(
        inputs, log, call_ms[of_window], dispatch_ms[of_window],
        np.asarray(inputs.demand.incidents["kind"], dtype=np.int64)[of_window], station[unit[of_window]],
        station[mission], at_ms, to_ms,
    )  # fmt: skip


def _missions(log: EventLog, sent: NDArray[np.bool_], back: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
    """Return (unit, from, to) of each mission; the end of the run stands for what is not over then."""
    units, times = log.column("unit").astype(np.int64), log.column("time_ms")
    out = np.flatnonzero(sent)[np.argsort(units[sent], kind="stable")]
    home = np.flatnonzero(back)[np.argsort(units[back], kind="stable")]
    last_ms = int(times[-1])
    n_units = int(units[out].max(initial=-1)) + 1
    n_out, n_home = np.bincount(units[out], minlength=n_units), np.bincount(units[home], minlength=n_units)
    to_ms = np.full(len(out), last_ms, dtype=np.int64)
    first_out = np.concatenate([[0], np.cumsum(n_out)])
    place = np.arange(len(home)) - np.repeat(np.concatenate([[0], np.cumsum(n_home)])[:-1], n_home)
    to_ms[first_out[units[home]] + place] = times[home]
    return units[out], times[out], to_ms


def replications(name: str, city: SmallCity, engine: str, n: int, *overrides: str) -> Iterator[Played]:
    """Yield `n` independent replications of the city; `name` as in `prepared`."""
    with prepared(name, city, *overrides) as ready:
        for replication in range(n):
            yield play(ready.inputs(replication), engine)


def busy_shares(from_ms: Ints, to_ms: Ints, window_ms: Sequence[int], n_most: int) -> NDArray[np.float64]:
    """Return (n_most + 1,) share of the window's time with 0, 1, … units taken; what is above counts as `n_most`."""
    begin, end = window_ms
    start, stop = np.clip(from_ms, begin, end), np.clip(to_ms, begin, end)
    at = np.concatenate([start, stop, [begin, end]])
    step = np.concatenate([np.ones(len(start)), -np.ones(len(stop)), [0.0, 0.0]])
    order = np.argsort(at, kind="stable")
    level = np.minimum(np.cumsum(step[order]), n_most).astype(np.int64)[:-1]
    lasted = np.diff(at[order]).astype(np.float64)
    return np.bincount(level, weights=lasted, minlength=n_most + 1) / float(end - begin)


def found_busy(played: Played) -> Ints:
    """Return (n_calls,) how many units each call of the window found taken, in the log's order of events."""
    kinds, incident = played.log.column("kind"), played.log.column("incident")
    step = (kinds == LogKind.DISPATCH).astype(np.int64) - (kinds == LogKind.AVAILABLE)
    level = np.cumsum(step)
    calls = np.flatnonzero(kinds == LogKind.CALL)
    call_ms = played.inputs.demand.incidents["call_ms"][incident[calls]]
    begin, end = played.window_ms
    found: Ints = level[calls[(call_ms >= begin) & (call_ms < end)]]
    return found
