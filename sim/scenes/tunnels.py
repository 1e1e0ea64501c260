"""Incidents on a railway track: at a station or in the tunnel between two, and from where they are reached.

Ground units drive to a station (a *portal*), wait there until the power is confirmed off, and go along the track: on
foot, or as fast as their vehicle runs on it. An incident of the named kinds is at the metro station of its cell or,
once further lines are open, at any of their stations with equal chance; it lies in the station, or on the way to a
neighbouring one, which is the second portal. In a cell without a metro station it is at that cell (a railway hub).
The place on the track decides who comes how; the demand row keeps its cell and town.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isqrt
from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from sim.chance import Stream, ranks_of
from sim.city.load import nearest_cell_of_town
from sim.city.types import NO_SITE
from sim.errors import Problems, nearest_name
from sim.units import MS_PER_DAY, ms_from_min

if TYPE_CHECKING:
    from sim.city.types import City, Towns
    from sim.demand.calendar import Calendar
    from sim.demand.types import Demand, Kinds

METRO = "metro"
NOWHERE = -1
_RANK_BITS = 32


@dataclass
class RailSettings:
    """Whether incidents in tunnels are reached along the track, and how long that takes."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    name: str
    """ASCII name of the choice."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    kinds: list[str] = field(default_factory=list)
    """Kinds of incident that lie on a track; empty: all are reached by road."""
    between_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.5
    """Share of them between two stations; the rest are in a station."""
    station_track_m: Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)] = 140.0
    """Furthest way along the track from a station's entrance to an incident in it, m."""
    track_over_straight: Annotated[float, Field(ge=1, le=3, allow_inf_nan=False)] = 1.1
    """Length of track over the straight distance between two stations."""
    power_off_min: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 0.0
    """From the call until the power is confirmed off, min; nobody goes on the track before."""


@dataclass(frozen=True, slots=True)
class Tracks:
    """Where incidents lie on a track: arrays over incidents, -1 (0 for lengths) where they are reached by road.

    `portal_cell`, `track_m`: (n, 2) int32, cells of the portals and metres from there. `power_off_ms`: (n,) int64,
    after the call. `station`: (n, 2) int32, the portals' positions in the city's railway stations.
    """

    portal_cell: NDArray[np.int32]
    track_m: NDArray[np.int32]
    power_off_ms: NDArray[np.int64]
    station: NDArray[np.int32]


def place_on_tracks(
    city: City, calendar: Calendar, kinds: Kinds, demand: Demand, settings: RailSettings, chance: tuple[int, int]
) -> Tracks:
    """Return where on a track each incident of the settings' kinds lies; `chance`: seed and replication.

    Raises
    ------
    InputError
        If a kind is not in the city's register.
    """
    rows = demand.incidents
    n = len(rows)
    tracks = Tracks(
        np.full((n, 2), NOWHERE, np.int32), np.zeros((n, 2), np.int32), np.zeros(n, np.int64),
        np.full((n, 2), NOWHERE, np.int32),
    )  # fmt: skip
    chosen = np.flatnonzero(np.isin(rows["kind"], check_kinds(kinds, settings)))
    ranks = ranks_of(*chance, int(Stream.RAIL_TRACK), rows["identity"][chosen]).astype(np.int64)
    network = _Network(city, settings)
    for incident, its_ranks in zip(chosen.tolist(), ranks.tolist(), strict=True):
        day = np.datetime64(calendar.start, "D") + int(rows["call_ms"][incident]) // MS_PER_DAY
        network.place(tracks, incident, int(rows["cell"][incident]), day, its_ranks)
    tracks.power_off_ms[chosen] = ms_from_min(settings.power_off_min)
    return tracks


def check_kinds(kinds: Kinds, settings: RailSettings) -> list[int]:
    """Return the ids of the kinds that lie on a track, after raising an error for every one that is not known."""
    problems = Problems()
    for code in settings.kinds:
        if code not in kinds.code:
            problems.add(
                "settings", "(rail.kinds) is not in kinds.csv", value=code, mend=nearest_name(code, kinds.code)
            )
    problems.raise_if_any()
    return [kinds.code.index(code) for code in settings.kinds]


class _Network:
    """The metro's stations by line, those that are open on a day, and the choice of a place among them."""

    def __init__(self, city: City, settings: RailSettings) -> None:
        self._city, self._rail, self._settings = city, city.rail_stations, settings
        self._cell = station_cells(city)
        order = sorted(range(len(self._rail.line)), key=lambda s: (self._rail.line[s], int(self._rail.order[s]), s))
        self._in_order = [s for s in order if self._rail.mode[s] == METRO]
        self._between = int(settings.between_share * 2**_RANK_BITS)

    def place(self, tracks: Tracks, incident: int, cell: int, day: np.datetime64, ranks: list[int]) -> None:
        """Write the place of one incident; `ranks`: of its station, of lying between two, of which way, of how far."""
        is_open = [s for s in self._in_order if not self._rail.opens[s] > day]  # no day: open from before
        station = self._station(cell, is_open, ranks[0])
        if station == NOWHERE:
            tracks.portal_cell[incident, 0] = cell
            tracks.track_m[incident, 0] = self._within_station_m(ranks[3])
            return
        tracks.station[incident, 0] = station
        tracks.portal_cell[incident, 0] = self._cell[station]
        line = [s for s in is_open if self._rail.line[s] == self._rail.line[station]]
        at = line.index(station)
        beside = line[max(at - 1, 0) : at] + line[at + 1 : at + 2]
        if ranks[1] >= self._between or not beside:
            tracks.track_m[incident, 0] = self._within_station_m(ranks[3])
            return
        other = beside[(ranks[2] * len(beside)) >> _RANK_BITS]
        length_m = self.section_m(station, other)
        from_first = (ranks[3] * length_m) >> _RANK_BITS
        tracks.station[incident, 1] = other
        tracks.portal_cell[incident, 1] = self._cell[other]
        tracks.track_m[incident] = from_first, length_m - from_first

    def _station(self, cell: int, is_open: list[int], rank: int) -> int:
        """Return the station of an incident in a cell: one of the cell's, or with its share one of another line."""
        here = [s for s in is_open if self._cell[s] == cell]
        if not here:
            return NOWHERE
        elsewhere = [s for s in is_open if self._rail.line[s] not in {self._rail.line[h] for h in here}]
        place = (rank * len(is_open)) >> _RANK_BITS
        if place < len(elsewhere):
            return elsewhere[place]
        return here[(place - len(elsewhere)) % len(here)]

    def _within_station_m(self, rank: int) -> int:
        return (rank * int(self._settings.station_track_m)) >> _RANK_BITS

    def section_m(self, one: int, other: int) -> int:
        """Return the length of track between two neighbouring stations; half a cell where they share one."""
        cells, a, b = self._city.cells, self._cell[one], self._cell[other]
        dx, dy = int(cells.x_m[a]) - int(cells.x_m[b]), int(cells.y_m[a]) - int(cells.y_m[b])
        straight_m = isqrt(dx * dx + dy * dy) or self._city.cell_m // 2
        return int(straight_m * self._settings.track_over_straight)


def station_cells(city: City) -> list[int]:
    """Return the cell of every railway station; one whose place is not known is put down schematically.

    Stations of a line that follow each other in one town without a known place stand evenly between the middles of the
    ways to the seats of the line's town before and of its town after (the seat itself at either end), each in the
    nearest cell of its town. Where a line has no order its stations stand at the seat.
    """
    rail, towns = city.rail_stations, city.towns
    cells = [int(cell) for cell in rail.cell]
    for run, before, after in _unknown_runs(city):
        town = int(rail.town[run[0]])
        begin, end = (_halfway(towns, town, other) for other in (before, after))
        for place, station in enumerate(run):
            share = (2 * place + 1, 2 * len(run))
            x, y = (begin[axis] + (end[axis] - begin[axis]) * share[0] // share[1] for axis in (0, 1))
            cells[station] = nearest_cell_of_town(city.cells, town, x, y)[0]
    return cells


def _unknown_runs(city: City) -> list[tuple[list[int], int, int]]:
    """Return runs of stations without a place: (stations, town of the line before them, town after them)."""
    rail = city.rail_stations
    order = sorted(range(len(rail.line)), key=lambda s: (rail.line[s], int(rail.order[s]), s))
    runs: list[tuple[list[int], int, int]] = []
    for line in sorted(set(rail.line)):
        on_line = [s for s in order if rail.line[s] == line]
        is_ordered = any(rail.order[s] > 0 for s in on_line)
        at = 0
        while at < len(on_line):
            town, end = rail.town[on_line[at]], at + 1
            while is_ordered and end < len(on_line) and rail.town[on_line[end]] == town:
                end += 1
            run = [s for s in on_line[at:end] if rail.cell[s] == NO_SITE]
            before = int(rail.town[on_line[at - 1]]) if is_ordered and at else int(town)
            after = int(rail.town[on_line[end]]) if is_ordered and end < len(on_line) else int(town)
            if run:
                runs.append((run, before, after))
            at = end
    return runs


def _halfway(towns: Towns, town: int, other: int) -> tuple[int, int]:
    """Return the middle of the way between the seats of two towns, m."""
    x, y = towns.seat_x_m, towns.seat_y_m
    return (int(x[town]) + int(x[other])) // 2, (int(y[town]) + int(y[other])) // 2
