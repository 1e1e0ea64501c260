"""Which vehicles stood idle for want of people, by year and hour of the day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.metrics.states import year_windows
from sim.units import MS_PER_DAY, MS_PER_H

if TYPE_CHECKING:
    from sim.engine.log import EventLog
    from sim.inputs import RunInputs

_HOURS = MS_PER_DAY // MS_PER_H


def manning_table(inputs: RunInputs, log: EventLog) -> dict[str, NDArray[Any]]:
    """Return one row per unit, year and hour of the day in which the unit was ever in service, in that order.

    Columns: unit, station, town, k, type_id, year, hour; in_service_ms (in service, not broken down, its station open);
    unmanned_ms of it: with everybody on duty at home, the units before it in the bays and it cannot all have their
    smallest crews (a unit whose crew does not fit is passed over); stranded_ms of it: it stood ready in its bay and
    fewer people were free than its smallest crew.
    """
    windows, units, stations = year_windows(inputs.calendar), inputs.fleet.units, inputs.fleet.stations
    found, _ = replayed(inputs, log)
    unit, year, hour = np.nonzero(found[..., 0])
    of = np.asarray(units.station)[unit]
    return {
        "unit": unit.astype(np.int32),
        "station": of.astype(np.int32),
        "town": np.asarray(stations.town)[of].astype(np.int16),
        "k": np.asarray(stations.k)[of].astype(np.int16),
        "type_id": np.asarray(units.type_id)[unit].astype(np.int16),
        "year": windows.year[year].astype(np.int16),
        "hour": hour.astype(np.int8),
        "in_service_ms": found[unit, year, hour, 0],
        "unmanned_ms": found[unit, year, hour, 1],
        "stranded_ms": found[unit, year, hour, 2],
    }


def replayed(inputs: RunInputs, log: EventLog) -> tuple[NDArray[np.int64], int]:
    """Return what `sim.metrics.replay.replay` finds in a run's log."""
    from sim.metrics.replay import replay  # brings numba, which reading tables must not wait for

    windows, units = year_windows(inputs.calendar), inputs.fleet.units
    station = np.asarray(units.station, dtype=np.int64)
    span = np.searchsorted(station, np.arange(len(inputs.fleet.stations.cell) + 1)).astype(np.int64)
    crew = np.stack([units.crew_min, units.crew_preferred], axis=1).astype(np.int64)
    return replay(
        log.rows, inputs.changes, inputs.roster.people, inputs.roster.is_relief, station, span, crew,
        inputs.policy.rest_after_ms, np.append(windows.from_ms, windows.to_ms[-1:]),
    )  # fmt: skip
