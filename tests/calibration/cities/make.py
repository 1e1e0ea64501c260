"""Makes a city and its records, from a seed and keywords."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from .calls import draw_calls
from .clock import clock_of
from .dispatch import draw_chance, fleet_of, simulate
from .travel import ways_of
from .truth import Truth
from .worlds import Options, Shape, World, world_of
from .write import write_city, write_records

FIRST_DAY = "2021-01-01"
_MOST_CALLS = 2_000_000
_CALLS_PER_ENGINE = 200.0
_COMPACT = Options(1, True, True, "all", "normal", 0.0, 0.0, False, True, 0.0, 0.0)
_SPRAWL = Options(60, False, True, "arrival", "normal", 0.0, 0.0, False, True, 0.03, 0.04)


def compact(folder: Path | None, n_calls: int = 20_000, seed: int = 1, **otherwise: Any) -> Truth:
    """Return a dense town with rush hours and a record of every unit in seconds; folder None writes nothing.

    n_calls: expected number. otherwise: `days` (365, 730 or 1096 by the number of calls), any field of `Options`, and
    any field of `World` (`common_share=0.0`). More calls a day have more units.
    """
    return _make(Shape.COMPACT, _COMPACT, folder, n_calls, seed, otherwise)


def sprawl(folder: Path | None, n_calls: int = 20_000, seed: int = 1, **otherwise: Any) -> Truth:
    """Return towns on two rivers, of which only the first arrival is recorded, in minutes; keywords as `compact`."""
    return _make(Shape.SPRAWL, _SPRAWL, folder, n_calls, seed, otherwise)


def _manned(world: World, calls_per_day: float) -> World:
    """Return the city with another engine at every station, and ladder where there is one, for each 200 calls a day."""
    more = int(calls_per_day / _CALLS_PER_ENGINE)
    return replace(world, engines=world.engines + more, ladders=world.ladders * (1 + more))


def _make(
    shape: Shape, usual: Options, folder: Path | None, n_calls: int, seed: int, otherwise: dict[str, Any]
) -> Truth:
    if not 1 <= n_calls <= _MOST_CALLS:
        raise ValueError(f"{n_calls} calls: from 1 to {_MOST_CALLS}")
    days = otherwise.pop("days", 365 if n_calls <= 20_000 else 730 if n_calls <= 100_000 else 1096)
    of_options = {key: value for key, value in otherwise.items() if key in Options.__dataclass_fields__}
    options = replace(usual, **of_options)
    of_world = {key: value for key, value in otherwise.items() if key not in of_options}
    world = replace(_manned(world_of(shape, seed), n_calls / days), **of_world)
    clock = clock_of(FIRST_DAY, days, world.time_zone)
    calls = draw_calls(world, clock, n_calls, seed)
    ways = ways_of(world, calls, clock, options)
    fleet = fleet_of(world, clock, options)
    chance = draw_chance(world, calls, clock, options, seed)
    history = simulate(world, calls, clock, ways, fleet, options, chance)
    truth = Truth(world, options, clock, calls, ways, fleet, history, seed)
    if folder is None:
        return truth
    write_city(truth, folder / "city")
    write_records(truth, folder / "records")
    return replace(truth, city_folder=folder / "city", records_folder=folder / "records")
