"""The runs that are measured: the plan arm of the real city over windows of several lengths, and variants of it."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, TypeVar

import numpy as np

from sim.assemble import InputsBuilder
from sim.compose import compose
from sim.fleet.parts import ChangeKind
from sim.inputs import RunInputs, order_stations
from sim.settings import Settings

FIRST_DAY = date(2022, 1, 1)
_Part = TypeVar("_Part")


def plan_arm(n_days: int, *overrides: str) -> Settings:
    """Return the settings of the plan arm, measured for `n_days` from the first day of the plan, with `overrides`."""
    return compose(
        [
            "schedule=plan",
            "schedule.is_outside_run_allowed=true",
            f"window.measure_from={FIRST_DAY}",
            f"window.measure_to={FIRST_DAY + timedelta(days=n_days)}",
            *overrides,
        ]
    ).settings


def made_from_nothing(settings: Settings, replication: int) -> RunInputs:
    """Return the inputs of a run, made by a builder that keeps nothing from before."""
    return InputsBuilder().build(settings, replication)


def twice_the_fleet(inputs: RunInputs) -> RunInputs:
    """Return inputs in which every station, with its units and people, stands twice in its place."""
    stations, units = inputs.fleet.stations, inputs.fleet.units
    n_stations = len(stations.cell)
    of_station = np.repeat(np.arange(n_stations), 2)
    old_unit = [np.flatnonzero(units.station == station) for station in of_station]
    new_station = np.repeat(np.arange(2 * n_stations), [len(some) for some in old_unit])
    old_unit_of_new = np.concatenate(old_unit)
    fleet = replace(
        inputs.fleet,
        stations=_picked(stations, of_station),
        units=replace(_picked(units, old_unit_of_new), station=new_station.astype(units.station.dtype)),
    )
    order = order_stations(inputs.travel.duration_ms, fleet.stations.cell)
    return replace(inputs, fleet=fleet, changes=_changes_twice(inputs.changes, old_unit_of_new), station_order=order)


def _picked(part: _Part, places: Any) -> _Part:
    """Return a table with the given rows of another."""
    columns: dict[str, Any] = {}
    for field in dataclasses.fields(part):  # type: ignore[arg-type]
        values = getattr(part, field.name)
        columns[field.name] = tuple(values[i] for i in places) if isinstance(values, tuple) else values[places]
    return replace(part, **columns)  # type: ignore[type-var]


def _changes_twice(rows: Any, old_unit_of_new: Any) -> Any:
    """Return the dated changes, each once per copy of its station or unit."""
    copies = []
    for row in rows:
        entity = int(row["entity"])
        if row["kind"] in (ChangeKind.UNIT_WITHDRAW, ChangeKind.UNIT_IN_SERVICE):
            entities = np.flatnonzero(old_unit_of_new == entity).tolist()
        else:
            entities = [2 * entity, 2 * entity + 1] if entity >= 0 else [entity]
        for copy in entities:
            new = row.copy()
            new["entity"] = copy
            copies.append(new)
    return np.sort(np.array(copies, dtype=rows.dtype), order=["time_ms", "kind", "entity"])


def on_fewer_cells(inputs: RunInputs, n_cells: int) -> RunInputs:
    """Return inputs in which the city has every so-maniest of its cells only; all else moves to the nearest of them."""
    cells, travel = inputs.city.cells, inputs.travel
    kept = np.linspace(0, cells.n_cells - 1, n_cells).astype(np.int64)
    dx = cells.x_m[:, None].astype(np.int64) - cells.x_m[kept]
    dy = cells.y_m[:, None].astype(np.int64) - cells.y_m[kept]
    nearest = np.argmin(dx * dx + dy * dy, axis=1).astype(np.int32)
    city = replace(inputs.city, cells=_picked(cells, kept), grid=nearest[inputs.city.grid])
    incidents = inputs.demand.incidents.copy()
    incidents["cell"] = nearest[incidents["cell"]]
    stations = replace(inputs.fleet.stations, cell=nearest[inputs.fleet.stations.cell])
    duration_ms = np.ascontiguousarray(travel.duration_ms[:, kept][:, :, kept])
    return replace(
        inputs,
        city=city,
        demand=replace(inputs.demand, incidents=incidents),
        fleet=replace(inputs.fleet, stations=stations),
        travel=replace(travel, duration_ms=duration_ms),
        station_order=order_stations(duration_ms, stations.cell),
        waterways=replace(inputs.waterways, way_m=inputs.waterways.way_m[:, kept]),
        cell_weight=np.bincount(nearest, inputs.cell_weight, n_cells).astype(np.int64),
    )
