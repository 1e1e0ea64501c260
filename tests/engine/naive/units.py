"""A unit's course: sent, on its way, at the scene, with a patient, turned back, home, ready again."""

from __future__ import annotations

from . import choice, ways
from .codes import AIR, DAY_MS, WATER
from .parts import (
    AT_SCENE,
    BAY,
    HANDING_OVER,
    HOMEWARD,
    MADE_READY,
    MOVING_UP,
    STANDING_BY,
    TURNING_OUT,
    UNDER_WAY,
    WITH_PATIENT,
    Slot,
    Unit,
)


class Course:
    """What happens to units; a part of `loop.City`."""

    def send(self, unit: Unit, slot: Slot, expected_ms: int) -> None:
        slot.unit, unit.slot = unit, slot
        unit.mission += 1
        self.tell_of("DISPATCH", unit, slot, expected_ms)
        if unit.status == BAY:
            unit.people, unit.shift = choice.crew_for(self, unit), self.stations[unit.station].shift
            unit.left_ms = self.now
            self.note_flight(unit, slot, 1)
            unit.from_cell = self.stations[unit.station].cell
            unit.status = TURNING_OUT
            self.plan(self.now + ways.turnout_ms(self, unit, slot, self.now), "ENROUTE", unit.id, unit.mission)
            self.review(self.stations[unit.station])
        elif unit.status == HOMEWARD:
            unit.from_cell = ways.place_of(self, unit, self.now)
            self.on_enroute(unit)
        elif unit.status == MOVING_UP:
            unit.from_cell, unit.status = ways.place_of(self, unit, self.now), UNDER_WAY
            self.leave_post(unit)
            self.on_enroute(unit)
        else:
            unit.from_cell = unit.to_cell
            unit.status = TURNING_OUT
            self.leave_post(unit)
            self.plan(self.now + ways.turnout_ms(self, unit, slot, self.now), "ENROUTE", unit.id, unit.mission)

    def note_flight(self, unit: Unit, slot: Slot, sign: int) -> None:
        """Count the way out and back as flown on the day of the order, or take it back."""
        if unit.mode == AIR:
            day = unit.left_ms // DAY_MS
            flight_ms = ways.flight_ms(self, unit, self.stations[unit.station].cell, slot.incident.cell)
            unit.flown[day] = unit.flown.get(day, 0) + sign * 2 * flight_ms
            self.await_flight()

    def on_enroute(self, unit: Unit) -> None:
        slot = unit.slot
        assert slot is not None
        unit.status, unit.post = UNDER_WAY, -1
        self.tell_of("ENROUTE", unit, slot, unit.people)
        unit.to_cell = ways.goal_of(self, unit, slot.incident, unit.from_cell, self.now, self.now)
        unit.began_ms = self.now
        unit.ends_ms = self.now + ways.trip_ms(self, unit, slot, unit.from_cell, unit.to_cell, self.now)
        self.plan(unit.ends_ms, "ARRIVE", unit.id, unit.mission)

    def on_arrive(self, unit: Unit) -> None:
        came_for = unit.slot
        assert came_for is not None
        incident = came_for.incident
        unit.status, unit.began_ms = AT_SCENE, self.now
        is_first = not incident.is_revealed
        if is_first:
            self.hand_over(incident, came_for)
        assert unit.slot is not None
        access_ms = ways.access_ms(self, unit, came_for, unit.slot, self.now)
        unit.slot.works_from_ms = self.now + access_ms
        self.tell_of("ARRIVE", unit, came_for, access_ms)
        if is_first:
            self.reveal(unit, came_for)
        self.plan_clear(unit)
        self.tell_if_met(incident)
        self.serve_waiting()

    def plan_clear(self, unit: Unit) -> None:
        assert unit.slot is not None
        unit.ends_ms = max(self.now, unit.began_ms + ways.on_scene_ms(self, unit, unit.slot))
        self.plan(unit.ends_ms, "CLEAR", unit.id, unit.mission)

    def on_clear(self, unit: Unit) -> None:
        slot = unit.slot
        if unit.status != AT_SCENE or unit.ends_ms != self.now:
            return
        assert slot is not None
        slot.is_served = True
        if ways.has_transport(self, unit, slot):
            self.leave_with_patient(unit, slot)
            return
        self.tell_of("CLEAR", unit, slot, self.now - unit.began_ms)
        self.start_home(unit, unit.to_cell)
        self.close_if_over(slot.incident)
        self.serve_waiting()

    def leave_with_patient(self, unit: Unit, slot: Slot) -> None:
        unit.status, unit.stayed_ms = WITH_PATIENT, self.now - unit.began_ms
        self.tell_of("TRANSPORT", unit, slot, unit.stayed_ms)
        unit.from_cell, unit.to_cell = unit.to_cell, int(self.inputs.transport.cell[slot.place])
        unit.began_ms = self.now
        way_ms = ways.transport_ms(self, unit, slot, unit.from_cell, self.now)
        self.plan(self.now + way_ms, "DELIVER", unit.id, unit.mission)

    def on_deliver(self, unit: Unit) -> None:
        assert unit.slot is not None
        unit.status = HANDING_OVER
        hand_over_ms = int(self.inputs.transport.hand_over_ms[unit.slot.place])
        self.tell_of("DELIVER", unit, unit.slot, hand_over_ms)
        self.plan(self.now + hand_over_ms, "HANDED_OVER", unit.id, unit.mission)

    def on_handed_over(self, unit: Unit) -> None:
        slot = unit.slot
        assert slot is not None
        self.tell_of("HANDED_OVER", unit, slot, self.now - unit.began_ms)
        self.tell_of("CLEAR", unit, slot, unit.stayed_ms)
        self.start_home(unit, unit.to_cell)
        self.serve_waiting()
        self.close_if_over(slot.incident)

    def turn_back(self, unit: Unit) -> None:
        slot = unit.slot
        assert slot is not None
        self.tell_of("TURN_BACK", unit, slot)
        unit.slot = slot.unit = None
        unit.mission += 1
        if unit.status == TURNING_OUT:
            self.stand_down(unit, slot)
        elif unit.mode == WATER:
            self.start_home(unit, unit.to_cell, self.now - unit.began_ms)
        else:
            self.start_home(unit, ways.place_of(self, unit, self.now))

    def stand_down(self, unit: Unit, slot: Slot) -> None:
        """Let a unit that has not left stay in its bay, or at its post if nothing calls it home from there."""
        self.note_flight(unit, slot, -1)
        if unit.post < 0:
            unit.status, unit.people = BAY, 0
            self.review(self.stations[unit.station])
            return
        unit.status, home = STANDING_BY, self.stations[unit.station]
        is_fit = unit.is_in_service and not unit.is_broken and home.is_open and unit.shift == home.shift
        if not is_fit or not self.stations[unit.post].is_emptied:
            self.recall(unit)

    def start_home(self, unit: Unit, from_cell: int, way_ms: int = -1) -> None:
        unit.status, unit.slot = HOMEWARD, None
        unit.from_cell, unit.to_cell, unit.began_ms = from_cell, self.stations[unit.station].cell, self.now
        unit.ends_ms = self.now + (
            way_ms if way_ms >= 0 else ways.home_ms(self, unit, from_cell, unit.to_cell, self.now)
        )
        self.plan(unit.ends_ms, "HOME", unit.id, unit.mission)

    def on_home(self, unit: Unit) -> None:
        if unit.status == MOVING_UP:
            unit.status = STANDING_BY
            self.tell("STAND_BY", incident=unit.post, unit=unit.id, mission=unit.mission)
            return
        self.tell("HOME", unit=unit.id, mission=unit.mission)
        self.rest(unit)
        unit.status, unit.people = MADE_READY, 0
        ready_ms = unit.ready_ms if unit.ready_ms >= 0 else self.policy.make_ready_ms
        self.plan(self.now + ready_ms, "AVAILABLE", unit.id, unit.mission)
        self.review(self.stations[unit.station])
        self.serve_waiting()

    def rest(self, unit: Unit) -> None:
        """Let a crew rest whose shift goes on after long work."""
        station, policy = self.stations[unit.station], self.policy
        if 0 < policy.rest_after_ms <= self.now - unit.left_ms and unit.shift == station.shift:
            until_ms = self.now + policy.rest_ms
            station.resting.append((until_ms, unit.people))
            self.plan(until_ms, "SHIFT", len(self.inputs.roster.shift_ms) + station.id, unit.people)

    def on_available(self, unit: Unit) -> None:
        self.tell("AVAILABLE", unit=unit.id, mission=unit.mission)
        unit.status = BAY
        self.review(self.stations[unit.station])
        self.serve_waiting()
