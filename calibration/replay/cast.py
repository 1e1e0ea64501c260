"""What all replications of a replay share: resources, driving times, tables; from a fit, or from a matrix alone.

Without a fit nothing is drawn: every duration is on record, and who drives without one takes the matrix. With a fit the
stations that were added or moved drive as its curve says, at no effect of a station; a station that moves keeps its
turnout, one that is added has that of the average station.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from calibration.model.fitted import Fitted
from calibration.model.passing import MOST_PASSED
from calibration.model.samples import Calls, Samples
from calibration.model.trace import openings, player_of, standing
from calibration.model.who import first_sent, open_and_free
from calibration.replay.given import Given
from calibration.replay.resources import Resources
from sim.demand.types import Durations as Tables
from sim.errors import InputError, Problem
from sim.inputs import Policy
from sim.recorded import Effects
from sim.trace import NEAREST, Station, Unit
from sim.units import q16

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cast:
    """Arguments of `trace_inputs` that no call changes.

    `is_open`: (n_days, n_stations) from the first day played. `fitted`: None where nothing is drawn.
    """

    resources: Resources
    fitted: Fitted | None
    stations: Sequence[Station]
    units: Sequence[Unit]
    changes: NDArray[np.void]
    travel_ms: NDArray[np.int32]
    xy_m: Ints
    period_of_hour: NDArray[np.int8]
    tables: Tables | None
    effects: Effects | None
    policy: Policy
    kinds: tuple[str, ...]
    start: date
    is_open: NDArray[np.bool_]


def cast_of(resources: Resources, given: Given, fitted: Fitted | None, home_speed: float | None) -> Cast:
    """Return the cast of a replay on the resources.

    `home_speed`: speed homeward over speed outward; None: as fitted, and as fast without a fit.

    Raises
    ------
    InputError
        If nothing is fitted and the city has no driving times, or a type that is needed stands at no open station.
    """
    calls = given.calls
    days = np.arange(calls.day.min(), calls.day.max() + 2).astype("datetime64[D]")
    is_open = resources.ground.is_open(days)
    check_types(resources, given.trace.needs["capability"].astype(np.int64), is_open)
    if fitted is None:
        return _of_matrix(resources, calls, is_open, _homeward(NEAREST, home_speed))
    own = refitted(fitted, resources)
    player = player_of(own, given.wave_calls)
    policy = _homeward(player.policy, home_speed)
    return Cast(
        resources, own, player.stations, player.units, player.changes, player.travel_ms, player.xy_m,
        own.zones.period_of_hour, player.durations, player.effects, policy, calls.kinds, player.start, is_open,
    )  # fmt: skip


def _homeward(policy: Policy, speed: float | None) -> Policy:
    return policy if speed is None else replace(policy, home_factor_q16=q16(1.0 / speed))


def _of_matrix(resources: Resources, calls: Calls, is_open: NDArray[np.bool_], policy: Policy) -> Cast:
    ground, zones = resources.ground, resources.zones
    if ground.tables is None:
        rule = "has no driving times, and without a fit only a matrix says how long units drive that are not on record"
        mend = "give travel=matrix travel.matrix=FILE travel.matrix_unit=s, or --durations both"
        raise InputError([Problem(str(ground.folder), rule, mend=mend)])
    stations, units = standing(ground, zones, resources.fleet, is_open[0])
    start = date(1970, 1, 1) + timedelta(days=int(calls.day.min()))
    return Cast(
        resources, None, stations, units, openings(is_open), ground.tables.duration_ms,
        np.column_stack([zones.x_m, zones.y_m]), zones.period_of_hour, None, None, policy, calls.kinds, start, is_open,
    )  # fmt: skip


def check_types(resources: Resources, kind: Ints, is_open: NDArray[np.bool_]) -> None:
    """Raise an error for a type of unit that calls need and no station that is ever open has; `kind`: of each need."""
    fleet = resources.fleet
    is_ever: NDArray[np.bool_] = is_open.sum(axis=0) > 0
    there = set(fleet.type[is_ever[fleet.station]].tolist())
    needed, n = np.unique(kind, return_counts=True)
    mend = "keep one, or add one with --add or --units"
    problems = [
        Problem("--close, --units", f"leave no unit of type {fleet.types[each]}, and calls need {count}", mend=mend)
        for each, count in zip(needed.tolist(), n.tolist(), strict=True)
        if each not in there
    ]
    if problems:
        raise InputError(problems)


def refitted(fitted: Fitted, resources: Resources) -> Fitted:
    """Return the model with these stations, zones and units in the place of those that it was fitted to."""
    travel, zones, old = fitted.travel, resources.zones, fitted.zones
    is_known = ~resources.is_elsewhere
    station = np.where(is_known, np.arange(len(is_known)), -1)
    ways = zones.from_stations().astype(np.float64)
    log_s = travel.curve.log_s(travel.parameters, ways.ravel()).reshape(ways.shape)
    log_s = log_s + travel.effects["station"].of(station)[:, None] + travel.effects["patch"].of(zones.patch)[None, :]
    drive_s = np.exp(log_s)
    kept = np.flatnonzero(is_known)
    drive_s[:, kept, : old.n_zones] = fitted.drive_s[:, kept]
    return replace(fitted, ground=resources.ground, zones=zones, fleet=resources.fleet, drive_s=drive_s)


def passed_on_record(fitted: Fitted, samples: Samples, chosen: Ints) -> NDArray[np.int8]:
    """Return how many stations that could send were passed over at each chosen call: (n,), -1 where no record tells.

    Counted in the order of stations that the fit revealed, as `calibration.fit.choice` does; given to the replay, so
    that the station on record goes again.
    """
    if fitted.order is None:
        return np.full(len(chosen), -1, dtype=np.int8)
    cost, is_sent_on = fitted.order.raised_s, fitted.returning.is_sent_on
    station, kind = (each[chosen] for each in first_sent(samples, cost))
    is_open, is_free = open_and_free(samples, fitted.ground, fitted.fleet, chosen, kind, is_sent_on=is_sent_on)
    own = cost[samples.calls.zone[chosen]]
    of_station = np.take_along_axis(own, np.maximum(station, 0)[:, None], axis=1)
    passed = np.minimum(((own < of_station) & is_open & is_free).sum(axis=1), MOST_PASSED)
    return np.where(station >= 0, passed, -1).astype(np.int8)
