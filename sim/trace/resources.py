"""The stations and units of a trace as a fleet, and their state from the start on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.fleet.parts import (
    CHANGE_DTYPE,
    UNIT_TRAITS_DTYPE,
    ChangeKind,
    Fleet,
    StationClasses,
    Stations,
    Units,
    UnitTypes,
)
from sim.trace.types import Station, Unit


def _people(stations: Sequence[Station], units: Sequence[Unit]) -> list[int]:
    crews = [0] * len(stations)
    for unit in units:
        crews[unit.station] += unit.crew
    return [crew if it.people is None else it.people for it, crew in zip(stations, crews, strict=True)]


def fleet_of(stations: Sequence[Station], units: Sequence[Unit]) -> Fleet:
    """Return who responds: road vehicles that go with their whole crew, all of one type and in one town."""
    n, names = len(stations), tuple(it.name or f"station {at}" for at, it in enumerate(stations))
    zeros, station = np.zeros(n, np.int16), np.array([unit.station for unit in units], np.int32)
    crew = np.array([unit.crew for unit in units], np.int16)
    traits = np.zeros(len(units), UNIT_TRAITS_DTYPE)
    traits["ready_ms"] = traits["access_ms"] = -1
    traits["track_mm_s"] = 1000
    masks = np.array([sum(1 << bit for bit in unit.capabilities) for unit in units], np.uint64)
    none, nobody = np.zeros(0, np.int64), np.zeros(len(units), np.int16)
    first = np.searchsorted(station, station, side="left")
    return Fleet(
        Stations(
            town=zeros, k=np.arange(n, dtype=np.int16), cell=np.array([it.zone for it in stations], np.int32),
            class_id=np.full(n, -1, np.int8), is_existing=np.ones(n, np.bool_), name=names, name_zh=names,
            name_en=names, brigade=("",) * n, later_class_id=np.full(n, -1, np.int8), planned_year=zeros,
            help_grade=np.zeros(n, np.int8),
        ),
        Units(
            station=station, type_id=nobody, capabilities=masks, crew_min=crew, crew_preferred=crew,
            bay=(np.arange(len(units)) - first + 1).astype(np.int16), is_added=np.zeros(len(units), np.bool_),
            traits=traits,
        ),
        StationClasses((), (), (), none, none),
        UnitTypes(
            ("unit",), ("车辆",), ("unit",), np.ones(1, np.bool_), np.zeros(1, np.uint64), np.ones(1, np.int16),
            np.ones(1, np.int16), traits[:1],
        ),
    )  # fmt: skip


def changes_of(stations: Sequence[Station], units: Sequence[Unit], later: NDArray[np.void] | None) -> NDArray[np.void]:
    """Return the state at the start and what is given of later changes: `CHANGE_DTYPE` rows in order."""
    people = _people(stations, units)
    rows = [(0, int(ChangeKind.STATION_OPEN), at, 1) for at, it in enumerate(stations) if it.is_open]
    rows += [(0, int(ChangeKind.STATION_PEOPLE), at, n) for at, n in enumerate(people)]
    rows += [(0, int(ChangeKind.UNIT_IN_SERVICE), at, 1) for at in range(len(units))]
    whole = np.array(rows, dtype=CHANGE_DTYPE)
    if later is not None:
        whole = np.concatenate([whole, later])
    return np.sort(whole, order=["time_ms", "kind", "entity"], kind="stable")
