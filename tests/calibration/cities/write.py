"""Writes what the public would see: the folder of the city (docs/your-city.md) and of the records (docs/records.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .chance import Purpose, generator
from .clock import Clock, Ints
from .dispatch import NEVER, opening_ms
from .truth import Truth
from .worlds import TYPES, Floats, Shape, World

Words = NDArray[np.str_]
_M_PER_DEGREE = 111_194.93
_SOURCE = "invented: a synthetic city of the tests"
_PLANE = {Shape.COMPACT: (30.0539, 112.0623), Shape.SPRAWL: (52.5208, 13.5265)}
"""Latitude and longitude near the middle of each city."""
_CREW = {"engine": (4, 6, "water"), "ladder": (2, 3, "aerial")}


def write_city(truth: Truth, folder: Path) -> None:
    """Write stations.csv, units.csv and city.yaml."""
    world = truth.world
    folder.mkdir(parents=True, exist_ok=True)
    station = station_names(world)
    opens = np.full(world.n_stations, "", dtype="<U10")
    if truth.options.opens_late:
        local_ms = truth.clock.local_ms(np.array([opening_ms(truth.clock)]))[0]
        opens[world.late_station] = str(np.datetime64(int(local_ms), "ms").astype("datetime64[D]"))
    known = {"source": _all(_SOURCE, world.n_stations), "standing": _all("assumed", world.n_stations)}
    table = {"station": station, **_point_columns(world, world.xy_m, "x_m", "y_m"), "opens": opens, **known}
    _write(folder / "stations.csv", table)
    units = truth.fleet
    kind = np.array(TYPES)[units.type]
    n = len(kind)
    crew = {
        "crew_min": np.array([str(_CREW[each][0]) for each in kind]),
        "crew_preferred": np.array([str(_CREW[each][1]) for each in kind]),
        "capabilities": np.array([_CREW[each][2] for each in kind]),
    }
    known = {"source": _all(_SOURCE, n), "standing": _all("assumed", n)}
    table = {"unit": unit_names(truth), "station": station[units.station], "type": kind, **crew, **known}
    _write(folder / "units.csv", table)
    (folder / "city.yaml").write_text(_city_yaml(truth), encoding="utf-8")


def _city_yaml(truth: Truth) -> str:
    lat0, lon0 = _PLANE[truth.world.shape]
    offset_h = 8 if truth.world.shape is Shape.COMPACT else 1
    country = "CN" if truth.world.shape is Shape.COMPACT else "DE"
    return (
        f"# A synthetic city of the tests: all of it is invented.\nid: {truth.world.name}\n"
        f"name_zh: {truth.world.name}\nname_en: {truth.world.name}\n"
        f"plane:\n  lat0: {lat0}\n  lon0: {lon0}\ncrs: {truth.world.crs}\n"
        f'epoch: "2020-01-01"\nutc_offset_h: {offset_h}\nholidays_country: {country}\npopulation_year: 2022\n'
    )


def write_records(truth: Truth, folder: Path) -> None:
    """Write incidents.csv, responses.csv where units are recorded, and records.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    is_written = generator(truth.seed, Purpose.CLERK).random(len(truth.calls)) >= truth.options.unrecorded
    _write(folder / "incidents.csv", _incident_table(truth, is_written))
    world = truth.world
    yaml = f"time_zone: {world.time_zone}\n"
    if world.shape is Shape.SPRAWL:
        yaml += f"crs: {world.crs.upper()}\n"
    yaml += "kinds: {" + ", ".join(f"{each.code}: {each.code}" for each in world.kinds) + "}\n"
    (folder / "records.yaml").write_text(yaml, encoding="utf-8")
    if truth.options.has_responses:
        _write(folder / "responses.csv", _response_table(truth))


def _incident_table(truth: Truth, is_written: NDArray[np.bool_]) -> dict[str, Words]:
    world, calls, options, history = truth.world, truth.calls, truth.options, truth.history
    codes = np.array([kind.code for kind in world.kinds])
    table = {
        "id": call_names(truth),
        "call": stamps(calls.call_ms, truth.clock, options.resolution_s),
        **_point_columns(world, calls.xy_m, "x", "y"),
        "kind": codes[calls.kind],
    }
    first = truth.first_row
    has_come = (first != NEVER) & is_written
    if options.cancelled:
        table["cancelled"] = np.where(first == NEVER, "yes", "no")
    if options.marks == "call_to_arrival":
        name = "call_to_arrival_s" if options.resolution_s == 1 else "call_to_arrival_min"
        table[name] = _whole_units(truth, has_come)
        return table
    if options.has_stations:
        table["station"] = np.where(first != NEVER, station_names(world)[history.station[first]], "")
    marks = ("arrival",) if options.marks == "arrival" else ("dispatch", "en_route", "arrival", "clear")
    for mark in marks:
        time_ms = getattr(history, f"{mark}_ms")[first]
        is_seen = has_come if mark in ("arrival", "clear") else first != NEVER
        table[mark] = np.where(is_seen, stamps(time_ms, truth.clock, options.resolution_s), "")
    return table


def _whole_units(truth: Truth, has_come: NDArray[np.bool_]) -> Words:
    """Return whole seconds or minutes from call to first arrival, of two stamps that were cut."""
    unit_ms = truth.options.resolution_s * 1000
    arrival = truth.history.arrival_ms[truth.first_row]
    return np.where(has_come, (arrival // unit_ms - truth.calls.call_ms // unit_ms).astype(str), "")


def _response_table(truth: Truth) -> dict[str, Words]:
    history, options = truth.history, truth.options
    table = {"incident_id": call_names(truth)[history.call], "unit": unit_names(truth)[history.unit]}
    if options.has_stations:
        table["station"] = station_names(truth.world)[history.station]
    table["type"] = np.array(TYPES)[history.type]
    if options.cancelled:
        table["cancelled"] = np.where(history.arrival_ms == NEVER, "yes", "no")
    for mark in ("dispatch", "en_route", "arrival", "clear", "available"):
        time_ms: Ints = getattr(history, f"{mark}_ms")
        table[mark] = np.where(time_ms != NEVER, stamps(time_ms, truth.clock, options.resolution_s), "")
    return table


def station_names(world: World) -> Words:
    """Return the code of each station: (n_stations,)."""
    return np.array([f"S{number:02d}" for number in range(1, world.n_stations + 1)])


def unit_names(truth: Truth) -> Words:
    """Return the code of each unit, such as S03E1: (n_units,)."""
    place = np.arange(len(truth.fleet.type))
    group = truth.fleet.station * 2 + truth.fleet.type
    number = place - np.searchsorted(group, group, side="left") + 1
    letter = np.array(["E", "L"])[truth.fleet.type]
    return _joined(station_names(truth.world)[truth.fleet.station], letter, number.astype(str))


def call_names(truth: Truth) -> Words:
    """Return the id of each call: (n_calls,)."""
    return np.array([f"C{number:07d}" for number in range(1, len(truth.calls) + 1)])


def stamps(time_ms: Ints, clock: Clock, resolution_s: int) -> Words:
    """Return local times cut to whole seconds or minutes, such as 2021-03-28T14:05."""
    unit_ms = resolution_s * 1000
    local = clock.local_ms(time_ms // unit_ms * unit_ms)
    return np.datetime_as_string(local.astype("datetime64[ms]"), unit="s" if resolution_s == 1 else "m")


def _point_columns(world: World, xy_m: Floats, x: str, y: str) -> dict[str, Words]:
    """Return lat and lon of the compact town, whole metres of the projection of the sprawling one."""
    if world.shape is Shape.SPRAWL:
        return {x: _fixed(world.origin[0] + xy_m[:, 0], 0), y: _fixed(world.origin[1] + xy_m[:, 1], 0)}
    lat = world.origin[0] + xy_m[:, 1] / _M_PER_DEGREE
    lon = world.origin[1] + xy_m[:, 0] / (_M_PER_DEGREE * np.cos(np.radians(_PLANE[world.shape][0])))
    return {"lat": _fixed(lat, 6), "lon": _fixed(lon, 6)}


def _fixed(values: Floats, digits: int) -> Words:
    return np.array([f"{value:.{digits}f}" for value in values.tolist()])


def _all(word: str, n: int) -> Words:
    return np.full(n, word)


def _joined(*parts: Words) -> Words:
    out = parts[0]
    for part in parts[1:]:
        out = np.char.add(out, part)
    return out


def _write(path: Path, table: Mapping[str, Sequence[str] | Words]) -> None:
    rows = zip(*(np.asarray(column).tolist() for column in table.values()), strict=True)
    lines = [",".join(table), *(",".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
