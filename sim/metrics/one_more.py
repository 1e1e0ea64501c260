"""What one further station in each town would do to the static response of this replication's own incidents.

The further station is the town's next site in the nested list (the lowest k not open at the end of the window), taken
as open, staffed and able from the start of the window. It answers an incident when it is expected there before every
station that can send anybody; turnout and noise of the trip are what the incident's own ranks give its first slot.

This is a lower bound of what a station gives: it sends one vehicle, a real one mostly two with noise of their own, the
earlier of which counts. Opening the station in the model gains more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.inputs import slot_starts
from sim.metrics.states import States, YearWindows, build_states, can_send, year_windows
from sim.units import MS_PER_H

if TYPE_CHECKING:
    from sim.inputs import RunInputs

NO_STATION = -1
_FAR = np.iinfo(np.int64).max // 4
_GAINS = {"n_gain_300": "N_GAIN_300", "n_gain_600": "N_GAIN_600", "n_faster": "N_FASTER", "saved_ms": "SAVED_MS"}
"""Column of the table -> name in `gains.py` of the column it is added up in."""


def one_more_table(
    inputs: RunInputs, incidents: dict[str, NDArray[Any]], static_ms: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    """Return one row per town and year of the measured window.

    Columns: town, year, station (its next site, -1: the town has none left), planned_year (0: not in the plan),
    plan_order (text: stations the plan builds in the town by year, "2022:1 2024:2"), n_headline (headline incidents
    of the whole city), n_gain_300, n_gain_600 (those newly within 300 s and 600 s), n_faster, saved_ms (sum over
    incidents that were served before).

    Parameters
    ----------
    incidents : this replication's incident table. static_ms : (n_incidents,) as for the incident table.
    """
    from sim.metrics import gains  # brings numba, which reading tables must not wait for

    windows, states = year_windows(inputs.calendar), build_states(inputs)
    first = np.searchsorted(inputs.demand.incidents["call_ms"], inputs.calendar.measure_from_ms)
    chosen = np.flatnonzero(incidents["is_headline"]) + int(first)
    trip = _Trips(inputs, chosen, incidents["dispatch_due_ms"][incidents["is_headline"]])
    nearest, before = _nearest_ms(inputs, states, trip), np.asarray(static_ms, dtype=np.int64)[chosen]
    year = np.searchsorted(windows.year, incidents["year"][incidents["is_headline"]])
    station = _next_station(inputs, states, windows)
    out = _empty(inputs, station, windows)
    out["n_headline"][:] = np.bincount(year, minlength=len(windows.year))
    for town in np.flatnonzero(station >= 0).tolist():
        found = np.zeros((len(windows.year), gains.SAVED_MS + 1), dtype=np.int64)
        drive_ms = np.asarray(inputs.travel.duration_ms[:, int(inputs.fleet.stations.cell[station[town]]), :])
        gains.add_gains(
            drive_ms, trip.period, trip.cell, nearest, trip.turnout_ms, trip.common, trip.own, before, year, found
        )
        for name, column in _GAINS.items():
            out[name][town] = found[:, getattr(gains, column)]
    return {name: values.reshape(-1) for name, values in out.items()}


class _Trips:
    """The chance of each incident's first slot: turnout, noise and the tables of its hour."""

    def __init__(self, inputs: RunInputs, chosen: NDArray[np.int64], due_ms: NDArray[np.int64]) -> None:
        rows, durations = inputs.demand.incidents, inputs.durations
        self.cell = rows["cell"][chosen].astype(np.int64)
        self.due_ms = due_ms
        hour = np.minimum(due_ms // MS_PER_H, len(inputs.period_of_hour) - 1)
        self.period = inputs.period_of_hour[hour].astype(np.int64)
        is_night = inputs.is_night_of_hour[hour].astype(np.int64)
        ranks = inputs.slot_ranks[_first_slot(inputs)[chosen]]
        values, turnout = durations.values.reshape(-1, durations.values.shape[-1]), np.asarray(durations.turnout)
        n = len(chosen)
        self.turnout_ms = _look_up(values, turnout[is_night].astype(np.int64), ranks[:, 0])
        common = np.full(n, durations.travel_common, dtype=np.int64)
        self.common = _look_up(values, common, rows["rank_travel"][chosen])
        self.own = _look_up(values, np.full(n, durations.travel_own, dtype=np.int64), ranks[:, 1])


def _look_up(values: NDArray[Any], table: NDArray[np.int64], ranks: NDArray[Any]) -> NDArray[np.int64]:
    from sim.engine.build import look_up_all  # brings numba, which reading tables must not wait for

    out = np.empty(len(ranks), dtype=np.int64)
    look_up_all(values, table, np.ascontiguousarray(ranks), out)
    return out


def _first_slot(inputs: RunInputs) -> NDArray[np.int64]:
    """Return the row in `slot_ranks` of the slot that each incident's first dispatched need has: (n_incidents,)."""
    rows = inputs.demand.incidents
    n_true = np.diff(inputs.cards.start).astype(np.int64)[rows["kind"]]
    start = slot_starts(inputs.demand, inputs.cards)[:-1]
    return start + np.where(rows["kind"] != rows["reported_kind"], n_true, 0)


def _nearest_ms(inputs: RunInputs, states: States, trip: _Trips) -> NDArray[np.int64]:
    """Return the expected drive from the nearest station that can send anybody at that moment: (n,) int64 ms."""
    from sim.metrics.gains import fill_nearest

    step_of = np.searchsorted(states.from_ms, trip.due_ms, side="right") - 1
    steps, group = np.unique(step_of, return_inverse=True)
    is_able = np.zeros((len(steps), len(inputs.fleet.stations.cell)), dtype=bool)
    for at, step in enumerate(steps.tolist()):
        is_able[at] = can_send(inputs, states, step)
    nearest = np.full(len(step_of), _FAR, dtype=np.int64)
    station_cell, travel_ms = np.asarray(inputs.fleet.stations.cell, dtype=np.int64), inputs.travel.duration_ms
    fill_nearest(inputs.station_order, travel_ms, station_cell, is_able, group, trip.period, trip.cell, nearest)
    return nearest


def _next_station(inputs: RunInputs, states: States, windows: YearWindows) -> NDArray[np.int64]:
    """Return each town's first station, by k, that is not open at the end of the window: (n_towns,), -1 none."""
    stations = inputs.fleet.stations
    is_open = states.is_open[states.step_at(int(windows.to_ms[-1]) - 1)]
    town, k = np.asarray(stations.town), np.asarray(stations.k)
    out = np.full(_n_towns(inputs), NO_STATION, dtype=np.int64)
    waiting = np.flatnonzero(~is_open & (town >= 0))
    for station in waiting[np.argsort(-k[waiting].astype(np.int64), kind="stable")]:
        out[town[station]] = station
    return out


def _n_towns(inputs: RunInputs) -> int:
    return len(inputs.city.towns.code)


def _empty(inputs: RunInputs, station: NDArray[np.int64], windows: YearWindows) -> dict[str, NDArray[Any]]:
    n_towns, n_years = len(station), len(windows.year)
    planned = np.append(np.asarray(inputs.fleet.stations.planned_year), 0)[station]
    table: dict[str, NDArray[Any]] = {
        "town": np.repeat(np.arange(n_towns, dtype=np.int16), n_years).reshape(n_towns, n_years),
        "year": np.tile(windows.year, (n_towns, 1)),
        "station": np.repeat(station, n_years).reshape(n_towns, n_years).astype(np.int32),
        "planned_year": np.repeat(np.maximum(planned, 0), n_years).reshape(n_towns, n_years).astype(np.int16),
    }
    orders = _plan_orders(inputs, n_towns)
    table["plan_order"] = np.repeat(orders, n_years).reshape(n_towns, n_years)
    for name in ("n_headline", "n_gain_300", "n_gain_600", "n_faster", "saved_ms"):
        table[name] = np.zeros((n_towns, n_years), dtype=np.int64)
    return table


def _plan_orders(inputs: RunInputs, n_towns: int) -> NDArray[np.object_]:
    stations = inputs.fleet.stations
    town, year = np.asarray(stations.town), np.asarray(stations.planned_year)
    out = np.empty(n_towns, dtype=object)
    for place in range(n_towns):
        years, counts = np.unique(year[(town == place) & (year > 0)], return_counts=True)
        out[place] = " ".join(f"{y}:{n}" for y, n in zip(years, counts, strict=True))
    return out
