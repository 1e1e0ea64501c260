"""The common workload as one would write it in SimPy: a process for every unit and every incident.

A unit is a process that waits for an order in its store and then goes through its mission, one timeout a step. An
incident is a process that asks for its units, waits until the last has left and closes. The nearest unit is found by
`min()` over all that have the capability, or, with presorted candidates, by going through the stations in order of
driving time to the place. Rows are tuples in a list.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy

from benchmarks.contenders.plain import check_plain
from sim.chance import LEVEL_BITS, LEVEL_SIZE
from sim.engine import world as wd
from sim.engine.log import LOG_DTYPE, EventLog, LogKind
from sim.engine.world import WorldArrays
from sim.fleet.parts import ChangeKind
from sim.units import MS_PER_H

_LAST_BIN = LEVEL_SIZE - 1

Process = Generator[simpy.Event, Any, None]


@dataclass(slots=True)
class Station:
    """A station: how many of its people are in, and its units."""

    id: int
    cell: int
    is_open: bool = False
    people_on_duty: int = 0
    people_out: int = 0
    units: list[Unit] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Unit:
    """A vehicle; `orders` is what its process waits for."""

    id: int
    station: Station
    capabilities: int
    crew_min: int
    crew_preferred: int
    callout_ms: int
    ready_ms: int
    access_ms: int
    orders: simpy.Store
    is_in_bay: bool = True
    is_in_service: bool = False
    mission: int = 0
    crew: int = 0

    def is_ready(self) -> bool:
        """Return whether the unit can leave with its crew."""
        station = self.station
        if not (self.is_in_bay and self.is_in_service and station.is_open):
            return False
        return self.crew_min <= station.people_on_duty - station.people_out


@dataclass(slots=True, eq=False)
class Incident:
    """An incident; `over` happens when its last unit leaves."""

    id: int
    call_ms: int
    due_ms: int
    cell: int
    kind: int
    grade: int
    priority: int
    travel_factor: int
    over: simpy.Event
    needs: list[Need] = field(default_factory=list)
    n_active: int = 0
    is_revealed: bool = False
    met_ms: int | None = None


@dataclass(slots=True, eq=False)
class Need:
    """One unit's place at an incident; needs that wait stand in the order of priority, call and place."""

    incident: Incident
    slot: int
    number: int
    capability: int
    is_critical: bool
    ranks: list[int]
    working_ms: int = -1

    def __lt__(self, other: Need) -> bool:
        mine, its = self.incident, other.incident
        return (mine.priority, mine.call_ms, self.slot) < (its.priority, its.call_ms, other.slot)


class IdiomaticModel:
    """One run of the model; what it needs is laid out when it is made, `run` is the work alone.

    Parameters
    ----------
    arrays
        A world in which nothing has happened yet; it is only read.
    is_presorted
        Whether the nearest unit is looked for station by station, in order of driving time.
    """

    def __init__(self, arrays: WorldArrays, is_presorted: bool = False) -> None:
        check_plain(arrays)
        self.env = simpy.Environment(initial_time=0)
        self.rows: list[tuple[float, ...]] = []  # SimPy's clock is a whole number here, and typed as any
        self.waiting: list[Need] = []
        self.n_open = 0
        self.nearest = self._nearest_presorted if is_presorted else self._nearest_of_all
        self._read_tables(arrays)
        self._read_fleet(arrays)
        self._read_incidents(arrays)

    def _read_tables(self, arrays: WorldArrays) -> None:
        cells = arrays.stations["cell"]
        self.drive_from = arrays.travel_ms[:, cells, :].tolist()  # [period][station][cell]
        self.drive_home = np.ascontiguousarray(arrays.travel_ms[:, :, cells].transpose(0, 2, 1)).tolist()
        self.order = arrays.roads["station"].tolist()  # [period][cell][place]
        self.period_of_hour = arrays.period_of_hour.tolist()
        self.turnout_row = arrays.turnout_row.tolist()
        self.turnout_table = arrays.turnout_table.tolist()
        self.turnout_mean_ms = arrays.turnout_mean_ms.tolist()
        self.turnout_least_ms = arrays.turnout_least_ms.tolist()
        self.quantiles = arrays.quantiles.tolist()
        self.noise_table = int(arrays.noise_table[0])
        self.access_table = arrays.access_table.tolist()
        self.scene_table = arrays.scene_table.tolist()
        self.home_factor = int(arrays.params[wd.HOME_FACTOR_Q16])
        self.make_ready_ms = int(arrays.params[wd.MAKE_READY_MS])
        self.change_rows = arrays.changes.tolist()

    def _read_fleet(self, arrays: WorldArrays) -> None:
        self.stations = [Station(id, cell) for id, cell in enumerate(arrays.stations["cell"].tolist())]
        self.units: list[Unit] = []
        self.able: dict[int, list[Unit]] = defaultdict(list)  # units by capability
        names = ["station", "capabilities", "crew_min", "crew_preferred", "callout_ms", "ready_ms", "access_ms"]
        for id, (station, *traits) in enumerate(arrays.units[names].tolist()):
            unit = Unit(id, self.stations[station], *traits, orders=simpy.Store(self.env))  # type: ignore[misc]
            unit.mission = int(arrays.units["mission"][id])
            self.units.append(unit)
            unit.station.units.append(unit)
            for capability in range(64):
                if unit.capabilities >> capability & 1:
                    self.able[capability].append(unit)

    def _read_incidents(self, arrays: WorldArrays) -> None:
        self.incidents: list[Incident] = []
        cards = arrays.needs[["capability", "from_grade", "is_critical"]].tolist()
        names = ["call_ms", "due_ms", "cell", "kind", "grade", "priority", "travel_factor_q16"]
        rows, first_slots = arrays.incidents[names].tolist(), arrays.incidents["first_slot"].tolist()
        for id in arrays.call_order.tolist():
            incident = Incident(id, *rows[id], over=self.env.event())  # type: ignore[misc]
            begin, end = arrays.card_start[incident.kind : incident.kind + 2].tolist()
            for number, (capability, from_grade, is_critical) in enumerate(cards[begin:end]):
                if from_grade <= incident.grade:
                    slot = first_slots[id] + number
                    ranks = arrays.slot_ranks[slot].tolist()
                    incident.needs.append(Need(incident, slot, number, capability, bool(is_critical), ranks))
            self.incidents.append(incident)

    def run(self) -> EventLog:
        """Run until nothing is left to happen and return the log; rows of one instant stand as SimPy had them."""
        self.env.process(self.changes())
        for unit in self.units:
            self.env.process(self.life_of(unit))
        self.env.process(self.calls())
        self.env.run()
        for need in self.waiting:
            self.write(LogKind.UNFILLED, need.incident.id, need.number, None, need.capability)
        self.write(LogKind.END, -1, -1, None, self.n_open)
        return EventLog(np.array(self.rows, dtype=LOG_DTYPE))

    def write(self, kind: LogKind, incident: int, number: int, unit: Unit | None, value: int) -> None:
        """Write one row."""
        if unit is None:
            self.rows.append((self.env.now, value, incident, -1, -1, number, kind))
        else:
            self.rows.append((self.env.now, value, incident, unit.id, unit.mission, number, kind))

    # --- processes ------------------------------------------------------------------------------------------------

    def calls(self) -> Process:
        """Let every incident begin when its call has been handled."""
        for incident in self.incidents:
            yield self.env.timeout(incident.due_ms - self.env.now)
            self.env.process(self.course_of(incident))

    def course_of(self, incident: Incident) -> Process:
        """Ask for the units of an incident and close it when the last has left."""
        self.n_open += 1
        self.write(LogKind.CALL, incident.id, -1, None, incident.call_ms)
        for need in incident.needs:
            if not self.send_nearest(need):
                self.write(LogKind.WAIT, incident.id, need.number, None, need.capability)
                insort(self.waiting, need)
        yield incident.over
        for need in [need for need in self.waiting if need.incident is incident]:
            self.waiting.remove(need)
            self.write(LogKind.UNFILLED, incident.id, need.number, None, need.capability)
        self.n_open -= 1
        self.write(LogKind.CLOSED, incident.id, -1, None, -1)

    def life_of(self, unit: Unit) -> Process:
        """Go through one mission after another."""
        while True:
            need = yield unit.orders.get()
            incident = need.incident
            yield self.env.timeout(self.turnout_ms(unit, need))
            self.write(LogKind.ENROUTE, incident.id, need.number, unit, unit.crew)
            yield self.env.timeout(self.trip_ms(unit, need))
            arrive_ms = self.env.now
            self.arrive(unit, need)
            yield self.env.timeout(self.look_up(self.scene_table[incident.kind][incident.grade], need.ranks[3]))
            self.write(LogKind.CLEAR, incident.id, need.number, unit, int(self.env.now - arrive_ms))
            incident.n_active -= 1
            if incident.n_active == 0:
                incident.over.succeed()
            yield self.env.timeout(self.home_ms(unit, incident.cell))
            unit.station.people_out -= unit.crew
            self.write(LogKind.HOME, -1, -1, unit, -1)
            self.serve_waiting()
            yield self.env.timeout(self.make_ready_ms if unit.ready_ms < 0 else unit.ready_ms)
            unit.is_in_bay = True
            self.write(LogKind.AVAILABLE, -1, -1, unit, -1)
            self.serve_waiting()

    def changes(self) -> Process:
        """Carry out the dated changes."""
        for number, (time_ms, value, kind, entity) in enumerate(self.change_rows):
            if time_ms > self.env.now:
                yield self.env.timeout(time_ms - self.env.now)
            if kind in (ChangeKind.STATION_OPEN, ChangeKind.STATION_CLOSE):
                self.stations[entity].is_open = kind == ChangeKind.STATION_OPEN
            elif kind in (ChangeKind.UNIT_IN_SERVICE, ChangeKind.UNIT_WITHDRAW):
                self.units[entity].is_in_service = kind == ChangeKind.UNIT_IN_SERVICE
            elif kind == ChangeKind.STATION_PEOPLE:
                self.stations[entity].people_on_duty = value
            self.write(LogKind.CHANGE, number, -1, None, value)
            self.serve_waiting()

    # --- what happens in them ---------------------------------------------------------------------------------------

    def arrive(self, unit: Unit, need: Need) -> None:
        """Note an arrival: the first one shows what it is, enough of them meet the critical task."""
        incident = need.incident
        access_ms = unit.access_ms
        if access_ms < 0:
            access_ms = self.look_up(self.access_table[incident.kind], need.ranks[2])
        need.working_ms = int(self.env.now) + access_ms
        self.write(LogKind.ARRIVE, incident.id, need.number, unit, access_ms)
        if not incident.is_revealed:
            incident.is_revealed = True
            self.write(LogKind.REVEAL, incident.id, need.number, unit, incident.kind * 8 + incident.grade)
        if incident.met_ms is None or incident.met_ms > self.env.now:
            met_ms = met_instant(incident)
            if met_ms is not None and (incident.met_ms is None or met_ms < incident.met_ms):
                incident.met_ms = met_ms
                self.write(LogKind.MET, incident.id, -1, None, met_ms)

    def send_nearest(self, need: Need) -> bool:
        """Send the nearest unit that can go, if there is one."""
        unit, expected_ms = self.nearest(need)
        if unit is None:
            return False
        station = unit.station
        others = sum(u.crew_min for u in station.units if u is not unit and u.is_in_bay and u.is_in_service)
        spare = station.people_on_duty - station.people_out - others
        unit.crew = max(unit.crew_min, min(unit.crew_preferred, spare))
        station.people_out += unit.crew
        unit.is_in_bay = False
        unit.mission += 1
        need.incident.n_active += 1
        self.write(LogKind.DISPATCH, need.incident.id, need.number, unit, expected_ms)
        unit.orders.put(need)
        return True

    def serve_waiting(self) -> None:
        """Offer whatever is free to the needs that wait."""
        for need in list(self.waiting):
            if self.send_nearest(need):
                self.waiting.remove(need)

    def _nearest_of_all(self, need: Need) -> tuple[Unit | None, int]:
        hour, cell = self.hour(), need.incident.cell
        drive_ms = self.drive_from[self.period_of_hour[hour]]
        turnout_ms = self.turnout_mean_ms[self.turnout_row[hour]]

        def arrival(unit: Unit) -> int:
            station = unit.station.id
            return turnout_ms[station] + unit.callout_ms + drive_ms[station][cell]  # type: ignore[no-any-return]

        ready = (unit for unit in self.able[need.capability] if unit.is_ready())
        nearest = min(ready, key=arrival, default=None)  # of several as near the first
        return nearest, 0 if nearest is None else arrival(nearest)

    def _nearest_presorted(self, need: Need) -> tuple[Unit | None, int]:
        hour, cell, capability = self.hour(), need.incident.cell, need.capability
        period, row = self.period_of_hour[hour], self.turnout_row[hour]
        drive_ms, turnout_ms, least_ms = self.drive_from[period], self.turnout_mean_ms[row], self.turnout_least_ms[row]
        nearest, soonest_ms = None, 1 << 62
        for place in self.order[period][cell]:
            drive = drive_ms[place][cell]
            if least_ms + drive > soonest_ms:
                break
            station = self.stations[place]
            if not station.is_open:
                continue
            for unit in station.units:
                if unit.capabilities >> capability & 1 and unit.is_ready():
                    arrival = turnout_ms[place] + unit.callout_ms + drive
                    if arrival < soonest_ms or (nearest and arrival == soonest_ms and unit.id < nearest.id):
                        nearest, soonest_ms = unit, arrival
        return nearest, soonest_ms

    # --- how long things take ---------------------------------------------------------------------------------------

    def hour(self) -> int:
        """Return the place of now in the tables by hour."""
        return min(int(self.env.now) // MS_PER_H, len(self.period_of_hour) - 1)

    def look_up(self, table: int, rank: int) -> int:
        """Return the value of a quantile table at a rank; the last bin of a level is opened by the next ten bits."""
        values, bin = self.quantiles[table], rank >> 32 - LEVEL_BITS
        if bin < _LAST_BIN:
            return values[bin]  # type: ignore[no-any-return]
        bin = rank >> 32 - 2 * LEVEL_BITS & _LAST_BIN
        if bin < _LAST_BIN:
            return values[LEVEL_SIZE + bin]  # type: ignore[no-any-return]
        return values[2 * LEVEL_SIZE + (rank >> 32 - 3 * LEVEL_BITS & _LAST_BIN)]  # type: ignore[no-any-return]

    def turnout_ms(self, unit: Unit, need: Need) -> int:
        """Return the time until a unit leaves its bay."""
        table = self.turnout_table[self.turnout_row[self.hour()]][unit.station.id]
        return self.look_up(table, need.ranks[0]) + unit.callout_ms

    def trip_ms(self, unit: Unit, need: Need) -> int:
        """Return the time of the way to the incident: the expected drive times both factors of its noise."""
        drive = self.drive_from[self.period_of_hour[self.hour()]][unit.station.id][need.incident.cell]
        own = self.look_up(self.noise_table, need.ranks[1])
        return ((drive * need.incident.travel_factor >> 16) * own) >> 16  # type: ignore[no-any-return]

    def home_ms(self, unit: Unit, cell: int) -> int:
        """Return the time of the way home."""
        drive = self.drive_home[self.period_of_hour[self.hour()]][unit.station.id][cell]
        return (drive * self.home_factor) >> 16  # type: ignore[no-any-return]


def met_instant(incident: Incident) -> int | None:
    """Return when the last critical need is at work, counted by capability; None while units for it are missing."""
    latest = 0
    wanted: dict[int, int] = {}
    for need in incident.needs:
        if need.is_critical:
            wanted[need.capability] = wanted.get(need.capability, 0) + 1
    for capability, n in wanted.items():
        working = sorted(it.working_ms for it in incident.needs if it.capability == capability and it.working_ms >= 0)
        if len(working) < n:
            return None
        latest = max(latest, working[n - 1])
    return latest
