"""Stations, units and areas of a city folder, as far as records need them.

`stations.csv` is enough. `city.yaml` says what its coordinates are in (without it: WGS84, on a plane round the middle
of the stations), `units.csv` who stands where (without it the records say), areas and cells where the zones lie that
records name. A folder that chooses a matrix or a road graph for travel is loaded whole, and its driving times are kept.
A folder that derives its stations from a plan has no place in which a record could be found, and is told so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.city.crs import GEOGRAPHIC, WGS84
from sim.city.forms import AREAS, CELLS, POLYGONS, STATIONS, UNITS
from sim.city.points import points_of
from sim.city.schemas import CitySettings, PlaneSettings
from sim.city.settings import metres_per_degree, plane_of, read_settings
from sim.city.stated import AREAS_SPEC
from sim.city.stated import Ground as Places
from sim.city.stated import read_ground as read_places
from sim.city.types import Cells, Plane
from sim.config import read_yaml
from sim.errors import InputError, Problem, Problems
from sim.fleet.stated import STATED_STATIONS, STATED_UNITS
from sim.tables import Table, check_references, read_table

if TYPE_CHECKING:
    from sim.travel.source import TravelTables

Days = NDArray[np.datetime64]
CHOICES = "choices.yaml"


@dataclass(frozen=True, slots=True)
class Ground:
    """Who stands where.

    `station`, `station_name`: (n_stations,) codes and names. `x_m`, `y_m`: (n_stations,) int64, metres of `plane`.
    `opens`, `closes`: (n_stations,) datetime64[D], NaT where nothing is said. `unit`, `unit_type`: (n_units,) texts,
    none where the folder lists no units; `unit_station`: (n_units,) int64; `since`, `until`: (n_units,) datetime64[D].
    `crs`: what coordinates are in where nothing else is said. `area_xy`, `cell_xy`: middles of areas and cells by
    label, m; zones of a given matrix count as areas where no area has their label. `tables`, `cell_of_station`: driving
    times between the city's cells and the stations' cells, None where ways are straight lines.
    """

    folder: Path
    plane: Plane
    crs: str
    station: tuple[str, ...]
    station_name: tuple[str, ...]
    x_m: NDArray[np.int64]
    y_m: NDArray[np.int64]
    opens: Days
    closes: Days
    unit: tuple[str, ...]
    unit_type: tuple[str, ...]
    unit_station: NDArray[np.int64]
    since: Days
    until: Days
    area_xy: Mapping[str, tuple[int, int]]
    cell_xy: NDArray[np.int64]
    tables: TravelTables | None = None
    cell_of_station: NDArray[np.int64] | None = None

    @property
    def n_stations(self) -> int:
        """Number of stations."""
        return len(self.station)

    def is_open(self, day: Days) -> NDArray[np.bool_]:
        """Return which stations are open on each day: (n_days, n_stations)."""
        at = np.asarray(day, dtype="datetime64[D]")[:, None]
        return (np.isnat(self.opens) | (self.opens <= at)) & (np.isnat(self.closes) | (at < self.closes))

    def without(self, codes: Sequence[str]) -> Ground:
        """Return the ground with the stations of these codes closed for ever."""
        closed = np.isin(np.array(self.station), np.array(codes, dtype=str))
        return replace(self, closes=np.where(closed, np.datetime64("1000-01-01", "D"), self.closes))


def read_ground(folder: Path, overrides: Sequence[str] = ()) -> Ground:
    """Return what the city folder says of stations, units and areas.

    Raises
    ------
    InputError
        With everything wrong with its tables.
    """
    problems = Problems()
    if not (folder / STATIONS).is_file():
        rule = f"holds no {STATIONS}, so that no record can be told its station"
        mend = "list the stations with their coordinates; docs/your-city.md says how"
        raise InputError([Problem(str(folder), rule, mend=mend)])
    stations = read_table(folder / STATIONS, STATED_STATIONS, problems)
    units = read_table(folder / UNITS, STATED_UNITS, problems) if (folder / UNITS).is_file() else None
    if units is not None:
        check_references(units, "station", stations.names("station"), STATIONS, problems)
    problems.raise_if_any()
    settings = _settings(folder, stations, problems)
    problems.raise_if_any()
    assert settings is not None
    plane = plane_of(settings)
    x_m, y_m = points_of(stations, settings.crs, plane, problems)
    is_laid_out = any((folder / name).is_file() for name in (POLYGONS, CELLS))
    places = read_places(folder, settings, plane, problems) if is_laid_out else None
    area_xy = _area_middles(places)
    if not is_laid_out and (folder / AREAS).is_file():
        area_xy = _stated_middles(folder, settings, plane, problems)
    problems.raise_if_any()
    codes = tuple(str(code) for code in stations["station"])
    of_unit = [codes.index(str(code)) for code in units["station"]] if units is not None else []
    tables, cells, zone_xy = _tables(folder, overrides) if _has_ways(folder, overrides) else (None, None, {})
    return Ground(
        folder, plane, settings.crs, codes,
        tuple(str(name or code) for name, code in zip(stations["name_en"], codes, strict=True)),
        x_m.astype(np.int64), y_m.astype(np.int64), _days(stations, "opens"), _days(stations, "closes"),
        tuple(str(code) for code in units["unit"]) if units is not None else (),
        tuple(str(code) for code in units["type"]) if units is not None else (),
        np.array(of_unit, dtype=np.int64), _days(units, "from"), _days(units, "until"),
        {**zone_xy, **area_xy}, _cell_middles(places), tables,
        None if cells is None else np.array([cells[code] for code in codes], dtype=np.int64),
    )  # fmt: skip


def _days(table: Table | None, column: str) -> Days:
    days: list[Any] = [] if table is None else list(table[column])
    return np.array([np.datetime64("NaT") if d is None else np.datetime64(d) for d in days], dtype="datetime64[D]")


def _settings(folder: Path, stations: Table, problems: Problems) -> CitySettings | None:
    """Return the settings of `city.yaml`; without one, of a plane round the middle of WGS84 stations."""
    if (folder / "city.yaml").is_file():
        return read_settings(folder, problems)
    lat, lon = (np.asarray(stations[name], dtype=np.float64) for name in ("lat", "lon"))
    stated = {str(crs).lower() for crs in stations["crs"] if crs is not None}
    if np.isnan(lat).any() or np.isnan(lon).any() or stated - set(GEOGRAPHIC):
        mend = "add city.yaml with its plane and crs, or give lat and lon of every station"
        problems.add(str(folder), "holds no city.yaml, and its stations have no latitudes and longitudes", mend=mend)
        return None
    lat0 = round(float(np.clip(np.median(lat), -89, 89)), 3)
    lon0 = round(float(np.clip(np.median(lon), -180, 180)), 3)
    along, across = metres_per_degree(lat0)
    return CitySettings(
        "city", "", "", PlaneSettings(lat0, lon0, along, across), "2000-01-01", 0.0, "", 2000, crs=WGS84
    )


def _area_middles(places: Places | None) -> dict[str, tuple[int, int]]:
    if places is None:
        return {}
    towns = places.towns
    middles = list(zip(towns.seat_x_m.tolist(), towns.seat_y_m.tolist(), strict=True))
    names = [*zip(towns.name_zh, middles, strict=True), *zip(towns.name_en, middles, strict=True)]
    return {**dict(names), **dict(zip(towns.code, middles, strict=True))}


def _stated_middles(
    folder: Path, settings: CitySettings, plane: Plane, problems: Problems
) -> dict[str, tuple[int, int]]:
    """Return the centres that `areas.csv` states, by code and names; who lives there and their size are not needed."""
    table = read_table(folder / AREAS, AREAS_SPEC, problems)
    if problems.found:
        return {}
    x_m, y_m = points_of(table, settings.crs, plane, problems)
    if problems.found:
        return {}
    middles = list(zip(x_m.astype(np.int64).tolist(), y_m.astype(np.int64).tolist(), strict=True))
    named = [
        (str(name), middle)
        for column in ("name_zh", "name_en", "area")
        for name, middle in zip(table[column], middles, strict=True)
        if name
    ]
    return dict(named)


def _cell_middles(places: Places | None) -> NDArray[np.int64]:
    if places is None:
        return np.zeros((0, 2), np.int64)
    return np.column_stack([places.cells.x_m, places.cells.y_m]).astype(np.int64)


def _has_ways(folder: Path, overrides: Sequence[str]) -> bool:
    """Return whether travel is something else than a straight line: by the command line, or the folder's choices."""
    said = [text.partition("=")[2] for text in overrides if text.startswith("travel=")]
    if said:
        return said[-1] != "distance"
    if not (folder / CHOICES).is_file():
        return False
    problems = Problems()
    content = read_yaml(folder / CHOICES, problems)
    problems.raise_if_any()
    travel = content.get("travel", "distance") if isinstance(content, Mapping) else "distance"
    return str(travel.get("choice", "distance") if isinstance(travel, Mapping) else travel) != "distance"


def _tables(folder: Path, overrides: Sequence[str]) -> tuple[TravelTables, dict[str, int], dict[str, tuple[int, int]]]:
    """Return the driving times of a whole city folder, the cell of each station, and middles of a matrix's zones."""
    from sim.assemble import InputsBuilder
    from sim.compose import compose
    from sim.fleet.stated import station_cells

    settings = compose([f"city.folder='{folder}'", *overrides]).settings
    builder = InputsBuilder()
    city = builder.city(settings)
    named = settings.travel.matrix_zones
    zones = _zone_middles(Path(named), city.cells) if named else {}
    return builder.travel(settings), station_cells(folder, city), zones


def _zone_middles(path: Path, cells: Cells) -> dict[str, tuple[int, int]]:
    """Return by label the cell of each zone that is nearest to the mean of its cells."""
    from sim.travel.given import read_zones

    labels, zone_of_cell = read_zones(path, cells.n_cells)
    xy = np.column_stack([cells.x_m, cells.y_m]).astype(np.float64)
    middles = {}
    for zone, label in enumerate(labels):
        own = xy[zone_of_cell == zone]
        middle = own[((own - own.mean(axis=0)) ** 2).sum(axis=1).argmin()]
        middles[label] = (int(middle[0]), int(middle[1]))
    return middles
