"""Who could have gone for a need, in the order of the run's dispatch rule, and why each of the others did not.

Ranked by plain loops of their own, with the ways and the cover of `sim/engine/approach.py` and `cover.py`. Who was sent
is told by the log, so a disagreement with `sim/engine/choice.py` would show. Changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.engine import approach, cover, rules
from sim.engine.codes import (
    AIR,
    EN_ROUTE,
    MAKING_READY,
    MOVING_UP,
    ON_SCENE,
    RETURNING,
    ROAD,
    STANDING_BY,
    TURNING_OUT,
    WATER,
)
from sim.engine.world import DISPATCH_KEEP_COVER, DISPATCH_OWN_TOWN_FIRST, DISPATCH_POLICY, HELP_WAIT_MS, SLACK_MS
from sim.units import MS_PER_DAY, MS_PER_MIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.engine.world import WorldArrays

NEVER = -1


@dataclass(frozen=True, slots=True)
class Candidate:
    """One unit that has the capability of a need.

    Attributes
    ----------
    expected_ms, work_ms : until it is there, and until it is at work, as the dispatcher reckons; -1 where no way leads.
    place : where it is: "in its bay", "on its way home", "being moved up", "standing by".
    is_own_town : it belongs to the incident's town.
    why_not : why it cannot go; "" for one that can.
    why_behind : of one that can go, why another goes before it; "" for the first.
    """

    unit: int
    station: int
    expected_ms: int
    work_ms: int
    place: str
    is_own_town: bool
    is_craft: bool
    why_not: str
    why_behind: str = ""


def rank_candidates(
    world: WorldArrays, now: int, incident: int, capability: int, waited_ms: int = 0
) -> tuple[Candidate, ...]:
    """Return every unit that has the capability: those that can go, in the order of the rule, then the others.

    Parameters
    ----------
    world : the state that the decision finds; it is not changed.
    waited_ms : how long the need has waited, which may release help from other cities.
    """
    asked = _Asked(world, now, incident, capability, waited_ms)
    found = [asked.candidate(unit) for unit in np.flatnonzero(world.units["capabilities"] >> capability & 1).tolist()]
    able = asked.in_order([c for c in found if not c.why_not])
    last = [c for c in found if c.why_not]
    last.sort(key=lambda c: (c.expected_ms == NEVER, c.expected_ms, c.unit))
    return (*able, *last)


class _Asked:
    """A need at the instant it is looked after: what any candidate is weighed by."""

    def __init__(self, world: WorldArrays, now: int, incident: int, capability: int, waited_ms: int) -> None:

        self.world, self.now, self.incident, self.capability = world, now, incident, capability
        self.waited_ms, self.handle = waited_ms, world.struct()
        self.it = it = world.incidents[incident]
        self.hour = int(rules.hour_index(self.handle, now))
        self.is_on_track = bool(approach.is_on_track(self.handle, incident))
        self.known_kind = int(it["kind"] if it["is_revealed"] else it["reported_kind"])
        self.known_grade = int(it["grade"] if it["is_revealed"] else it["reported_grade"])
        self.mean_access_ms = int(world.access_mean_ms[int(it["kind"])])

    # --- one unit ---------------------------------------------------------------------------------------------------

    def candidate(self, number: int) -> Candidate:
        """Return a unit with its times, the reason against it among them."""

        unit = self.world.units[number]
        station = self.world.stations[int(unit["station"])]
        is_craft = int(unit["mode"]) != ROAD
        arrival, work = self._craft_times(number, unit, station) if is_craft else self._road_times(number, unit)
        return Candidate(
            unit=number, station=int(unit["station"]), expected_ms=arrival, work_ms=work, place=_place(unit),
            is_own_town=int(station["town"]) == int(self.it["town"]), is_craft=is_craft,
            why_not=self._why_not(number, unit, station, is_craft),
        )  # fmt: skip

    def _road_times(self, number: int, unit: Any) -> tuple[int, int]:
        """Return (until it is there, until it works), ms: from where it is, or as if it stood in its bay."""

        w, now = self.handle, self.now
        status, from_cell = int(unit["status"]), int(self.world.stations["cell"][int(unit["station"])])
        if status in (RETURNING, MOVING_UP, STANDING_BY):
            from_cell = int(approach.position_cell(w, number, now))
        lead = 0 if status in (RETURNING, MOVING_UP) else int(rules.lead_ms(w, now, number))
        if self.is_on_track:
            ways = [approach.track_arrival(w, now, number, self.incident, lead, from_cell, False)]
            if int(self.it["portal_b"]) >= 0:
                ways.append(approach.track_arrival(w, now, number, self.incident, lead, from_cell, True))
            arrival, work = min(ways, key=lambda way: int(way[1]))
            return int(arrival), int(work)
        arrival = lead + int(approach.expected_travel_ms(w, now, from_cell, int(self.it["cell"])))
        return arrival, arrival + self.mean_access_ms

    def _craft_times(self, number: int, unit: Any, station: Any) -> tuple[int, int]:
        """Return the times of an aircraft or a boat from its base; (-1, -1) where no water leads."""

        goal, home = int(self.it["cell"]), int(station["cell"])
        quay = int(station["quay"])
        if int(unit["mode"]) == WATER and (quay < 0 or int(self.world.way_m[quay, goal]) < 0):
            return NEVER, NEVER
        arrival = int(rules.lead_ms(self.handle, self.now, number))
        arrival += int(approach.flight_ms(self.handle, number, home, goal))
        access = int(unit["access_ms"])
        return arrival, arrival + (access if access >= 0 else self.mean_access_ms)

    def _why_not(self, number: int, unit: Any, station: Any, is_craft: bool) -> str:
        """Return why a unit that has the capability cannot go, or ""."""
        reason = self._not_asked(unit) if is_craft else ""
        reason = reason or why_busy(unit, is_craft)
        if not reason and int(unit["away_at"]) < 0:
            reason = why_not_ready(unit, station)
        reason = reason or self._not_released(station)
        return reason or (self._grounded(number, unit, station) if is_craft else "")

    def _not_asked(self, unit: Any) -> str:
        if self.is_on_track:
            return "aircraft and boats are not asked to a railway track"
        if not int(self.world.tasks[int(unit["mode"]), self.known_kind]) >> self.capability & 1:
            return f"{_craft(unit)} are not asked for this at what the incident is known to be"
        return ""

    def _not_released(self, station: Any) -> str:

        from_grade, wait_ms = int(station["help_grade"]), int(self.world.params[HELP_WAIT_MS])
        if from_grade == 0 or self.known_grade >= from_grade or self.waited_ms >= wait_ms:
            return ""
        told = f"another city's, released from grade {from_grade} on (known: {self.known_grade})"
        if wait_ms == rules.NEVER_MS:
            return told
        return f"{told} or once the need has waited {wait_ms / MS_PER_MIN:g} min ({self.waited_ms / MS_PER_MIN:.1f})"

    def _grounded(self, number: int, unit: Any, station: Any) -> str:
        """Return what keeps a craft that is ready from setting out for the incident, or ""."""

        w, goal, home = self.handle, int(self.it["cell"]), int(station["cell"])
        if int(unit["mode"]) == WATER:
            quay = int(station["quay"])
            return "no water leads there" if quay < 0 or int(self.world.way_m[quay, goal]) < 0 else ""
        if not self.world.is_flyable[self.hour]:
            return "cannot fly now: darkness or weather"
        away_m, range_m = int(approach.distance_m(w, home, goal)), int(unit["range_m"])
        if 0 < range_m < away_m:
            return f"out of its range: {away_m / 1000:.1f} km, at most {range_m / 1000:.1f} km"
        flight = int(approach.flight_ms(w, number, home, goal))
        arrival = self.now + int(rules.lead_ms(w, self.now, number)) + flight
        if not self.world.is_flyable[int(rules.hour_index(w, arrival))]:
            return "could not fly any more when it arrives: darkness or weather"
        flown = int(unit["flown_ms"]) if int(unit["flown_day"]) == self.now // MS_PER_DAY else 0
        if 0 < int(unit["duty_ms"]) < flown + 2 * flight:
            return "not enough flying time left today for the way out and back"
        return ""

    # --- all that can go --------------------------------------------------------------------------------------------

    def in_order(self, able: Sequence[Candidate]) -> list[Candidate]:
        """Return the units that can go, the one that the rule sends first; each other with what puts it behind."""
        ranked = self._on_road([c for c in able if not c.is_craft])
        craft = sorted((c for c in able if c.is_craft), key=lambda c: (c.work_ms, c.unit))
        for one in reversed(craft):
            is_sooner = not ranked or ranked[0].is_craft or one.work_ms < ranked[0].work_ms
            if not is_sooner:
                ranked.append(replace(one, why_behind="can go, but would not be at work sooner"))
                continue
            if ranked:
                by = _craft(self.world.units[one.unit])
                behind = ranked[0].why_behind or f"can go, but {by} are expected at work sooner"
                ranked[0] = replace(ranked[0], why_behind=behind)
            ranked.insert(0, replace(one, why_behind=""))
        return ranked

    def _on_road(self, able: list[Candidate]) -> list[Candidate]:
        """Return those that go by road in the order of the dispatch rule."""

        policy = int(self.world.params[DISPATCH_POLICY])
        if self.is_on_track:
            ranked = sorted(able, key=lambda c: (c.work_ms, c.unit))
        else:
            ranked = sorted(able, key=lambda c: (c.expected_ms, c.unit))
        if policy == DISPATCH_KEEP_COVER and ranked and not self.is_on_track:
            return self._keeping_cover(ranked)
        is_own_first = policy == DISPATCH_OWN_TOWN_FIRST and any(c.is_own_town for c in ranked)
        if is_own_first:
            ranked.sort(key=lambda c: not c.is_own_town)
        told = "can go, but would not be at work sooner" if self.is_on_track else "can go, but not sooner"
        stranger = "belongs to another town, whose own go first"
        return ranked[:1] + [
            replace(c, why_behind=stranger if is_own_first and not c.is_own_town else told) for c in ranked[1:]
        ]

    def _keeping_cover(self, ranked: list[Candidate]) -> list[Candidate]:
        """Return units by the cover that their leaving costs, those nearly as early as the earliest first."""

        last_ms = ranked[0].expected_ms + int(self.world.params[SLACK_MS])
        nearly = [c for c in ranked if c.expected_ms <= last_ms]
        lost = {c.unit: int(cover.cover_lost(self.handle, self.now, c.unit)) for c in nearly}
        soonest: dict[int, int] = {}  # of each station, the vehicle that leaves soonest is the one that is asked
        for c in nearly:
            if c.place == _IN_BAY:
                soonest.setdefault(c.station, c.unit)
        asked = [c for c in nearly if soonest.get(c.station) == c.unit or c.place != _IN_BAY]
        asked.sort(key=lambda c: (lost[c.unit], c.expected_ms, c.unit))
        first, behind = asked[0], []
        for c in [*asked[1:], *(c for c in ranked if c not in asked)]:
            if c.unit not in lost:
                told = f"can go, but later than the earliest by more than {int(self.world.params[SLACK_MS]) / 1000:g} s"
            elif lost[c.unit] > lost[first.unit]:
                told = "can go, but more expected incidents would lose their cover"
            else:
                told = "can go, but not sooner"
            behind.append(replace(c, why_behind=told))
        return [first, *behind]


_IN_BAY = "in its bay"


def _place(unit: Any) -> str:

    told = {RETURNING: "on its way home", MOVING_UP: "being moved up", STANDING_BY: "standing by"}
    return told.get(int(unit["status"]), _IN_BAY)


def _craft(unit: Any) -> str:

    return "aircraft" if int(unit["mode"]) == AIR else "boats"


def why_busy(unit: Any, is_craft: bool) -> str:
    """Return what a unit is at that keeps it from being sent, or "" where it can be asked from where it is."""

    status = int(unit["status"])
    told = {TURNING_OUT: "turning out for", EN_ROUTE: "on its way to", ON_SCENE: "at work at"}.get(status)
    if told:
        return f"busy: {told} incident {int(unit['incident'])}"
    if status == MAKING_READY:
        return "busy: being made ready"
    if is_craft and status == RETURNING:
        return f"busy: on its way back; {_craft(unit)} are sent from their base only"
    return ""


def why_not_ready(unit: Any, station: Any) -> str:
    """Return why a unit in its bay cannot leave it, or ""."""
    if not int(station["is_open"]):
        return "its station is not open"
    if not int(unit["is_in_service"]):
        return "not in service"
    if int(unit["is_failed"]):
        return "broken down"
    free, on_duty = int(station["people_on_duty"]) - int(station["people_out"]), int(station["people_on_duty"])
    if int(unit["crew_min"]) > free:
        return f"no crew: needs {int(unit['crew_min'])}, {max(free, 0)} of {on_duty} on duty are free"
    return ""
