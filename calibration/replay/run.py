"""From records and a wish to replayed calls: read, place, change, fit what is missing, play before and after.

Steps of `replay`, after `prepare` (records, ground, zones, samples): the calls of the days asked for -> what is changed
(`edits.py`, `resources.py`) -> `fit_model` on the whole log, unless everything is on record -> `take_calls` -> a cast
for each side -> `play`. The comparison is `compare.py`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.backtest.run import Prepared, prepare
from calibration.model.fitted import Fitted, fit_model
from calibration.model.fleet import Fleet, fleet_of
from calibration.model.trace import Draw
from calibration.replay.cast import Cast, cast_of, check_types, passed_on_record
from calibration.replay.edits import Edits
from calibration.replay.given import Durations, Given, take_calls
from calibration.replay.play import Played, play
from calibration.replay.resources import Resources, edited, resources_of
from calibration.scores.keyed import Purpose, uniforms
from sim.errors import InputError, Problem, Problems

Ints = NDArray[np.int64]
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for; days None: from the first, to the last of the log; `home_speed` None: as fitted."""

    city: Path
    records: Path
    overrides: tuple[str, ...] = ()
    time_zone: str = ""
    durations: Durations = Durations.BOTH
    edits: Edits = field(default_factory=Edits)
    first: date | None = None
    last: date | None = None
    home_speed: float | None = None
    n_draws: int = 20
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the comparison: who stood where, and what the calls got."""

    cast: Cast
    played: Played


@dataclass(frozen=True, slots=True)
class Replay:
    """What was played; `after` None where nothing is changed. `passed`: stations passed over by call, -1 drawn."""

    wish: Wish
    prepared: Prepared
    given: Given
    passed: NDArray[np.int8] | None
    before: Side
    after: Side | None

    @property
    def is_exact(self) -> bool:
        """Whether nothing was drawn."""
        return self.before.cast.fitted is None


def prepare_for(wish: Wish, told: Told = print) -> Prepared:
    """Return the records with the city that the wish names."""
    return prepare(wish.city, wish.records, wish.overrides, wish.time_zone, told)


def replay(wish: Wish, prepared: Prepared, told: Told = print, drawn: Callable[[int], None] = lambda _: None) -> Replay:
    """Return the calls of the log as replayed on the resources that there were, and on the changed ones.

    Raises
    ------
    InputError
        With everything wrong with the folders, the days or the changes.
    """
    samples, ground = prepared.samples, prepared.ground
    chosen = _chosen(prepared, wish)
    call_s = samples.calls.local_ms / 1000.0
    fleet = fleet_of(ground, samples.responses, call_s, has_every_unit=samples.stages.has_every_unit)
    before, after = edited(resources_of(ground, prepared.zones, fleet), wish.edits, Problems())
    _check_before_fit(prepared, before, after, chosen)
    fitted = _fit(prepared, wish, told)
    given = _given(prepared, wish, fitted, fleet, chosen)
    is_passed = fitted is not None and wish.durations is Durations.BOTH
    passed = passed_on_record(fitted, samples, _positions(given)) if fitted and is_passed else None
    if fitted is not None and passed is None:
        passed = np.full(len(given.calls), -1, dtype=np.int8)
    sides: list[Side] = []
    for name, resources in (("before", before), ("after", after)):
        if name == "after" and not wish.edits.is_any:
            break
        told(f"playing {len(given.calls)} calls {wish.n_draws} times, {name}")
        cast = cast_of(resources, given, fitted, wish.home_speed)
        origin = sides[0].cast if sides else None
        played = play(cast, given, passed, wish.n_draws, origin=origin, seed=wish.seed, told=drawn)
        sides.append(Side(cast, played))
    return Replay(wish, prepared, given, passed, sides[0], sides[1] if len(sides) > 1 else None)


def _positions(given: Given) -> Ints:
    """Return the positions of the calls given among all of the log: their identity."""
    return given.calls.identity.astype(np.int64)


def _chosen(prepared: Prepared, wish: Wish) -> Ints:
    """Return the responses among the calls of the days asked for."""
    calls, problems = prepared.samples.calls, Problems()
    span = [date.fromordinal(date(1970, 1, 1).toordinal() + int(day)) for day in (calls.day[0], calls.day[-1])]
    mend = f"the log runs from {span[0]} to {span[1]}"
    if wish.first is not None and wish.first > span[1]:
        problems.add("--from", "lies after the last call", value=str(wish.first), mend=mend)
    if wish.last is not None and wish.last < span[0]:
        problems.add("--until", "lies before the first call", value=str(wish.last), mend=mend)
    if wish.first and wish.last and wish.first > wish.last:
        problems.add("--from", f"lies after --until {wish.last}", value=str(wish.first), mend="exchange them")
    problems.raise_if_any()
    day = calls.day.astype("datetime64[D]")
    is_in = calls.is_response
    is_in &= np.ones(len(calls), bool) if wish.first is None else day >= np.datetime64(wish.first)
    is_in &= np.ones(len(calls), bool) if wish.last is None else day <= np.datetime64(wish.last)
    if not is_in.any():
        raise InputError([Problem("records", "no call to which somebody was to drive lies in these days", mend=mend)])
    return np.flatnonzero(is_in)


def _check_before_fit(prepared: Prepared, before: Resources, after: Resources, chosen: Ints) -> None:
    """Raise at once what a fit of minutes would only put off: types that no open station has any more."""
    of, calls = prepared.samples.responses, prepared.samples.calls
    is_chosen = np.zeros(len(calls), dtype=np.bool_)
    is_chosen[chosen] = True
    kind = of.type[is_chosen[of.call] & ~of.is_cancelled]
    kind = kind[np.isin(kind, before.fleet.type)]  # of others the commonest is sent
    days = np.unique(calls.day[chosen]).astype("datetime64[D]")
    check_types(after, kind, after.ground.is_open(days))


def _fit(prepared: Prepared, wish: Wish, told: Told) -> Fitted | None:
    if wish.durations is Durations.RECORDED:
        return None
    samples = prepared.samples
    is_used = np.ones(len(samples.calls), dtype=np.bool_)
    return fit_model(samples, prepared.ground, prepared.zones, is_used, seed=wish.seed, told=told)


def _given(prepared: Prepared, wish: Wish, fitted: Fitted | None, fleet: Fleet, chosen: Ints) -> Given:
    samples, drawn = prepared.samples, None
    if fitted is not None:
        calls = samples.calls.rows(chosen)
        u = uniforms(Purpose.PLAY, wish.seed * 10_007, calls.identity, Draw.SCENE)
        drawn = fitted.sent.draw_patterns(calls.kind, u[:, Draw.PATTERN])
    n_of_type = np.bincount(fleet.type, minlength=len(fleet.types))
    return take_calls(
        samples, prepared.records, prepared.ground, prepared.zones, chosen, wish.durations, drawn, n_of_type
    )
