"""Stations: dated changes, shifts and rests, and units that stand by where a station is empty."""

from __future__ import annotations

from . import choice, cover, ways
from .codes import CLOSE, FAILS, IN_SERVICE, MENDED, OPEN, PEOPLE, REGIME, ROAD, UP_FOR_COVER, WITHDRAW
from .parts import HOMEWARD, MOVING_UP, STANDING_BY, Station, Unit


class Standing:
    """What happens to stations; a part of `loop.City`."""

    def on_change(self, entity: int, _: int) -> None:
        kind, of, value = (int(self.inputs.changes[entity][name]) for name in ("kind", "entity", "value"))
        self.tell("CHANGE", incident=entity, value=value)
        if kind in (CLOSE, OPEN):
            self.stations[of].is_open = kind == OPEN
        elif kind in (WITHDRAW, IN_SERVICE):
            self.units[of].is_in_service = kind == IN_SERVICE
        elif kind in (FAILS, MENDED):
            self.units[of].is_broken = kind == FAILS
        elif kind == PEOPLE:
            self.stations[of].on_duty = value
        if kind != REGIME:
            self.review_changed(kind, of)
        self.serve_waiting()

    def review_changed(self, kind: int, of: int) -> None:
        """Call home whom a change takes off, and review the station that it touches."""
        station = self.stations[of if kind in (CLOSE, OPEN, PEOPLE) else self.units[of].station]
        if kind in (WITHDRAW, FAILS):
            self.recall_all([self.units[of]])
        elif kind == CLOSE:
            self.recall_all([unit for unit in self.units if unit.station == of])
        self.review(station)

    def on_shift(self, entity: int, mission: int) -> None:
        roster = self.inputs.roster
        if entity >= len(roster.shift_ms):
            self.on_rested(self.stations[entity - len(roster.shift_ms)], mission)
            return
        for station in self.stations:
            station.on_duty = int(roster.people[entity, station.id])
            if roster.is_relief[entity]:
                station.shift, station.resting = station.shift + 1, []
        self.tell("SHIFT", incident=entity, value=sum(station.on_duty for station in self.stations))
        if roster.is_relief[entity]:
            self.recall_all(self.units)
        for station in self.stations:
            self.review(station)
        self.serve_waiting()

    def on_rested(self, station: Station, people: int) -> None:
        if (self.now, people) not in station.resting:
            return
        station.resting.remove((self.now, people))
        self.tell("RESTED", incident=station.id, value=people)
        self.review(station)
        self.serve_waiting()

    def on_policy(self, entity: int, mission: int) -> None:
        if entity < len(self.stations):
            station = self.stations[entity]
            if station.is_emptied and station.look == mission and not cover.guests(self, station):
                self.look(station)
            return
        self.serve_waiting()
        if entity == len(self.stations) + len(self.incidents):
            self.await_flight()

    def recall_all(self, units: list[Unit]) -> None:
        for unit in units:
            if unit.status in (MOVING_UP, STANDING_BY):
                self.recall(unit)

    def review(self, station: Station) -> None:
        """Note whether a station is emptied or can send again, and look again for another if it has one more ready."""
        if self.policy.move_up == 0 or station.help_grade > 0:
            return
        n_ready = len(cover.ready_units(self, station))
        has_more, station.n_ready = n_ready > station.n_ready, n_ready
        if not station.is_open or n_ready > 0:
            station.is_emptied = station.is_in_vain = False
            for unit in cover.guests(self, station):
                self.recall(unit)
        elif not station.is_emptied:
            station.is_emptied = True
            self.plan_look(station, self.policy.move_up_after_ms)
        if has_more and (self.policy.move_up == UP_FOR_COVER or n_ready >= 2):
            for other in self.stations:
                if other.is_in_vain and cover.reach_ms(self, station, other.cell) <= self.policy.move_up_most_ms:
                    self.plan_look(other, 0)

    def plan_look(self, station: Station, wait_ms: int) -> None:
        station.is_in_vain = False
        station.look += 1
        self.plan(self.now + wait_ms, "POLICY", station.id, station.look)

    def look(self, station: Station) -> None:
        """Look for a unit that could stand by in a station that is still empty, and send it."""
        donor = cover.donor_of(self, station)
        if donor is None:
            station.is_in_vain = True
            return
        unit = self.last_to_move(donor)
        unit.people, unit.shift, unit.left_ms = choice.crew_for(self, unit), donor.shift, self.now
        unit.mission, unit.status, unit.post = unit.mission + 1, MOVING_UP, station.id
        unit.from_cell, unit.to_cell, unit.began_ms = donor.cell, station.cell, self.now
        unit.ends_ms = self.now + ways.home_ms(self, unit, donor.cell, station.cell, self.now)
        self.tell("MOVE_UP", incident=station.id, unit=unit.id, mission=unit.mission, value=unit.ends_ms - self.now)
        self.plan(unit.ends_ms, "HOME", unit.id, unit.mission)
        self.review(donor)

    def last_to_move(self, donor: Station) -> Unit:
        free = choice.people_free(self, donor.id)
        fit = [
            unit for unit in self.units
            if unit.station == donor.id and unit.mode == ROAD and unit.can(self.policy.cover_bit)
            and choice.is_ready_in_bay(self, unit) and unit.crew_min <= free
        ]  # fmt: skip
        return fit[-1]

    def leave_post(self, unit: Unit) -> None:
        """See to the post that a unit has left: empty again, it is looked at after the wait."""
        post = self.stations[unit.post]
        if post.is_emptied and not cover.guests(self, post):
            self.plan_look(post, self.policy.move_up_after_ms)

    def recall(self, unit: Unit) -> None:
        from_cell = ways.place_of(self, unit, self.now)
        unit.mission += 1
        self.tell("RECALL", incident=unit.post, unit=unit.id, mission=unit.mission)
        unit.status = HOMEWARD
        self.leave_post(unit)
        unit.post = -1
        self.start_home(unit, from_cell)
