"""Where calls come from, where stations and units stand, and how long the ways are: tables of a city folder.

The zones that had calls and those of the stations become cells. Zones of one place become one cell; of stations that
share it the shorter way holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from calibration.city.areas import Areas
from calibration.city.source import ASSUMED, FITTED, Source, codes_of, write_table
from calibration.city.times import Times
from calibration.model.fitted import Fitted
from calibration.model.generate import Generator
from sim.city.people import largest_remainder
from sim.travel.settings import PERIODS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TRAVEL_FILE = "travel.parquet"
_WEIGHT_WHOLE = 1_000_000
"""What the column `population` adds up to: calls of a cell in millionths of all."""


@dataclass(frozen=True, slots=True)
class Places:
    """Cells of a folder: `zone` (n_cells,) of each, `cell_of_zone` (n_zones,), -1 where a zone is left out;
    `weight` (n_cells,) int64, how calls spread over them."""

    zone: Ints
    cell_of_zone: Ints
    weight: Ints


def places_of(fitted: Fitted, generator: Generator) -> Places:
    """Return the cells of a folder with their weights by the fitted calls of all kinds; all cells of a whole city."""
    zones = fitted.zones
    calls = _by_zone(generator, zones.n_zones)
    is_kept = (calls > 0.0) | zones.is_time
    is_kept[zones.of_station] = True
    kept = np.flatnonzero(is_kept)
    xy = np.column_stack([zones.x_m, zones.y_m])[kept]
    _, first, at = np.unique(xy, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(first), dtype=np.int64)
    place[order] = np.arange(len(first))
    cell_of_zone = np.full(zones.n_zones, -1, dtype=np.int64)
    cell_of_zone[kept] = place[at.ravel()]
    weight = np.bincount(cell_of_zone[kept], weights=calls[kept], minlength=len(first))
    return Places(kept[first[order]], cell_of_zone, largest_remainder(_WEIGHT_WHOLE, weight.astype(np.float64)))


def _by_zone(generator: Generator, n_zones: int) -> Floats:
    """Return the responses to be expected of each zone, all kinds together, up to a factor."""
    demand = generator.demand
    rate = np.array([demand.own[kind].n_calls for kind in demand.kinds], dtype=np.float64)
    rate *= 1.0 - generator.excused[generator.kind_of].sum(axis=1)
    of_place = rate @ demand.shares.share
    calls = np.zeros(n_zones)
    for share, (zone, cumulative) in zip(of_place, generator.within, strict=True):
        calls[zone] += share * np.diff(cumulative, prepend=0.0)
    return calls


def write_cells(folder: Path, fitted: Fitted, places: Places, areas: Areas | None, source: Source) -> None:
    """Write `cells.csv`; its column `population` holds calls, because that is what spreads calls."""
    zones = fitted.zones
    why = source.row(FITTED, "weight of calls in millionths of all, not residents, because it is what spreads calls")
    rows = []
    for cell, zone in enumerate(places.zone):
        of = {} if areas is None else {"area": areas.code[areas.of_cell[cell]]}
        at = {"cell_id": cell, **of, "x_m": int(zones.x_m[zone]), "y_m": int(zones.y_m[zone])}
        rows.append({**at, "population": int(places.weight[cell]), **why})
    write_table(folder / "cells.csv", rows)


def write_stations(folder: Path, fitted: Fitted, source: Source) -> None:
    """Write `stations.csv` with the days on which stations open and close."""
    ground, rows = fitted.ground, []
    for i, code in enumerate(ground.station):
        at = fitted.zones.of_station[i]
        rows.append({
            "station": code, "name_en": ground.station_name[i], "x_m": int(fitted.zones.x_m[at]),
            "y_m": int(fitted.zones.y_m[at]), "opens": _day(ground.opens[i]), "closes": _day(ground.closes[i]),
            "source": f"as given in {ground.folder.name}/stations.csv", "standing": ASSUMED,
        })  # fmt: skip
    write_table(folder / "stations.csv", rows)


def _day(day: Any) -> str:
    return "" if np.isnat(day) else str(day)


def type_codes(fitted: Fitted) -> tuple[str, ...]:
    """Return an ASCII code for each type of unit; each is a capability too."""
    return codes_of(fitted.fleet.types, "type")


def write_units(folder: Path, fitted: Fitted, source: Source) -> None:
    """Write `units.csv` and `capabilities.csv`: a unit can do what its type is sent for."""
    fleet, ground, codes = fitted.fleet, fitted.ground, type_codes(fitted)
    is_listed = fleet.source == "units.csv"
    order = np.argsort(ground.unit_station, kind="stable")
    rows = []
    for number, (station, kind) in enumerate(zip(fleet.station, fleet.type, strict=True)):
        at = order[number] if is_listed else -1
        rows.append({
            "unit": ground.unit[at] if is_listed else f"{ground.station[station]}-{number + 1}",
            "station": ground.station[station], "type": codes[kind], "crew_min": 1, "crew_preferred": 1,
            "capabilities": codes[kind], "from": _day(ground.since[at]) if is_listed else "",
            "until": _day(ground.until[at]) if is_listed else "",
            **source.row(ASSUMED if is_listed else FITTED, f"{fleet.source}; a crew of one, as records tell of none"),
        })  # fmt: skip
    write_table(folder / "units.csv", rows)
    why = source.row(FITTED, "a type of unit, as the records or units.csv call it")
    known = [
        {"bit": bit, "code": code, "name_zh": name, "name_en": name, "meaning": f"units of the type {name}", **why}
        for bit, (code, name) in enumerate(zip(codes, fitted.fleet.types, strict=True))
    ]
    write_table(folder / "capabilities.csv", known)


def driving_s(fitted: Fitted, places: Places, times: Times) -> Floats:
    """Return driving times (3, n_stations, n_cells), s: night, day and rush hour."""
    n_cells = len(places.zone)
    by_cell = np.full((len(fitted.drive_s), fitted.ground.n_stations, n_cells), np.inf)
    zones = np.flatnonzero(places.cell_of_zone >= 0)
    for zone in zones:
        cell = places.cell_of_zone[zone]
        np.minimum(by_cell[:, :, cell], fitted.drive_s[:, :, zone], out=by_cell[:, :, cell])
    own = places.cell_of_zone[fitted.zones.of_station]
    for cell in np.unique(own):
        same = own == cell
        by_cell[:, same] = by_cell[:, same].min(axis=1, keepdims=True)
    factor = times.travel_level * times.hours.factor
    whole = by_cell if len(by_cell) == len(PERIODS) else np.repeat(by_cell[:1], len(PERIODS), axis=0)
    return np.asarray(np.maximum(whole * factor[:, None, None], 1.0), dtype=np.float64)


def write_driving(folder: Path, fitted: Fitted, driving: Floats) -> None:
    """Write the driving times from stations to cells in the long form, s to the millisecond."""
    n_stations, n_cells = driving.shape[1:]
    frames = [
        pd.DataFrame({
            "from": np.repeat(np.array(fitted.ground.station, dtype=object), n_cells),
            "to": np.tile(np.arange(n_cells).astype(str).astype(object), n_stations),
            "period": name,
            "duration": np.round(driving[number].ravel(), 3),
        })
        for number, name in enumerate(PERIODS)
    ]  # fmt: skip
    pd.concat(frames, ignore_index=True).to_parquet(folder / TRAVEL_FILE, index=False)
