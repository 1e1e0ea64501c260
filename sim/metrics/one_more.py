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
THRESHOLDS_S = (300, 600)


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
    windows, states = year_windows(inputs.calendar), build_states(inputs)
    rows = inputs.demand.incidents
    is_measured = (rows["call_ms"] >= inputs.calendar.measure_from_ms) & (
        rows["call_ms"] < inputs.calendar.measure_to_ms
    )
    chosen = np.flatnonzero(is_measured)[incidents["is_headline"]]
    year = incidents["year"][incidents["is_headline"]]
    trip = _Trips(inputs, chosen, incidents["dispatch_due_ms"][incidents["is_headline"]])
    nearest = _nearest_ms(inputs, states, trip)
    before = np.asarray(static_ms, dtype=np.int64)[chosen]
    station = _next_station(inputs, states, windows)
    out = _empty(inputs, station, windows)
    out["n_headline"][:] = np.array([np.sum(year == y) for y in windows.year])
    for town in np.flatnonzero(station >= 0).tolist():
        expected = trip.drive_ms(int(inputs.fleet.stations.cell[station[town]]))
        after = np.where(expected < nearest, trip.arrival_ms(expected), _FAR)
        after = np.minimum(after, np.where(before < 0, _FAR, before))
        for at, one_year in enumerate(windows.year):
            _count(out, town, at, before[year == one_year], after[year == one_year])
    return {name: values.reshape(-1) for name, values in out.items()}


class _Trips:
    """The chance of each incident's first slot: turnout, noise and the tables of its hour."""

    def __init__(self, inputs: RunInputs, chosen: NDArray[np.int64], due_ms: NDArray[np.int64]) -> None:
        rows, durations = inputs.demand.incidents[chosen], inputs.durations
        self._travel = inputs.travel.duration_ms
        self.cell = rows["cell"].astype(np.int64)
        self.due_ms = due_ms
        hour = np.minimum(due_ms // MS_PER_H, len(inputs.period_of_hour) - 1)
        self.period = inputs.period_of_hour[hour].astype(np.int64)
        self.is_night = inputs.is_night_of_hour[hour].astype(np.int64)
        ranks = inputs.slot_ranks[_first_slot(inputs)[chosen]]
        values, turnout = durations.values.reshape(-1, durations.values.shape[-1]), np.asarray(durations.turnout)
        n = len(chosen)
        self._turnout_ms = _look_up(values, turnout[self.is_night].astype(np.int64), ranks[:, 0])
        self._common = _look_up(values, np.full(n, durations.travel_common, dtype=np.int64), rows["rank_travel"])
        self._own = _look_up(values, np.full(n, durations.travel_own, dtype=np.int64), ranks[:, 1])

    def drive_ms(self, from_cell: int) -> NDArray[np.int64]:
        """Return the expected drive from a cell to each incident: (n,) int64 ms."""
        return np.asarray(self._travel[:, from_cell, :])[self.period, self.cell].astype(np.int64)

    def arrival_ms(self, expected: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return turnout plus the drive with the noise of this incident's first slot: (n,) int64 ms."""
        return self._turnout_ms + ((((expected * self._common) >> 16) * self._own) >> 16)


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
    step_of = np.searchsorted(states.from_ms, trip.due_ms, side="right") - 1
    nearest = np.full(len(step_of), _FAR, dtype=np.int64)
    if not len(step_of):  # nothing was ever due, as may be in a few days of a small city
        return nearest
    by_step = np.argsort(step_of, kind="stable")
    steps, first = np.unique(step_of[by_step], return_index=True)
    groups: dict[bytes, list[NDArray[np.int64]]] = {}
    for step, incidents in zip(steps.tolist(), np.split(by_step, first[1:]), strict=True):
        groups.setdefault(can_send(inputs, states, step).tobytes(), []).append(incidents)
    station_cell, travel_ms = np.asarray(inputs.fleet.stations.cell), inputs.travel.duration_ms
    for able, parts in groups.items():
        cells = np.unique(station_cell[np.frombuffer(able, dtype=np.bool_)])
        at = np.concatenate(parts)
        if not len(cells):
            continue
        if len(at) < travel_ms.shape[2]:  # a roster makes many groups of a few incidents
            nearest[at] = travel_ms[trip.period[at], cells[:, None], trip.cell[at]].min(axis=0)
        else:
            nearest[at] = travel_ms[:, cells, :].min(axis=1)[trip.period[at], trip.cell[at]]
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


def _count(
    out: dict[str, NDArray[Any]], town: int, at: int, before: NDArray[np.int64], after: NDArray[np.int64]
) -> None:
    for limit in THRESHOLDS_S:
        was_late = (before < 0) | (before > limit * 1000)
        out[f"n_gain_{limit}"][town, at] = np.sum(was_late & (after <= limit * 1000))
    was_served = before >= 0
    saved = (before - after)[was_served]
    out["n_faster"][town, at] = np.sum(saved > 0) + np.sum(~was_served & (after < _FAR))
    out["saved_ms"][town, at] = saved.sum()
