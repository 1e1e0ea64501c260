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
    HANDING_OVER,
    MAKING_READY,
    MOVING_UP,
    ON_SCENE,
    RETURNING,
    ROAD,
    STANDING_BY,
    TRANSPORTING,
    TURNING_OUT,
    WATER,
)
from sim.engine.world import (
    DISPATCH_KEEP_COVER,
    DISPATCH_OWN_TOWN_FIRST,
    DISPATCH_POLICY,
    HELP_WAIT_MS,
    IS_SENT_ON,
    SLACK_MS,
)
from sim.run.phrases import phrase
from sim.units import M_PER_KM, MS_PER_DAY, MS_PER_MIN, MS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.engine.world import WorldArrays
    from sim.report.texts import Bi

NEVER = -1


@dataclass(frozen=True, slots=True)
class Candidate:
    """One unit that has the capability of a need.

    Attributes
    ----------
    expected_ms, work_ms : until it is there, and until it is at work, as the dispatcher reckons; -1 where no way leads.
    place : where it is, in words; is_in_bay : at home in its station.
    is_own_town : it belongs to the incident's town.
    why_not : why it cannot go; None for one that can.
    why_behind : of one that can go, why another goes before it; None for the first.
    """

    unit: int
    station: int
    expected_ms: int
    work_ms: int
    place: Bi
    is_in_bay: bool
    is_own_town: bool
    is_craft: bool
    why_not: Bi | None
    why_behind: Bi | None = None


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
        self.mean_access_ms = int(world.access_mean_ms[self.known_kind])

    # --- one unit ---------------------------------------------------------------------------------------------------

    def candidate(self, number: int) -> Candidate:
        """Return a unit with its times, the reason against it among them."""
        unit = self.world.units[number]
        station = self.world.stations[int(unit["station"])]
        is_craft = int(unit["mode"]) != ROAD
        arrival, work = self._craft_times(number, unit, station) if is_craft else self._road_times(number, unit)
        return Candidate(
            unit=number, station=int(unit["station"]), expected_ms=arrival, work_ms=work,
            place=phrase(f"place.{_PLACES.get(int(unit['status']), _IN_BAY)}"),
            is_in_bay=int(unit["status"]) not in _PLACES,
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
        arrival = lead + int(approach.expected_travel_ms(w, now, number, from_cell, int(self.it["cell"])))
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

    def _why_not(self, number: int, unit: Any, station: Any, is_craft: bool) -> Bi | None:
        """Return why a unit that has the capability cannot go, or None."""
        reason = self._not_asked(unit) if is_craft else None
        reason = reason or why_busy(unit, is_craft, bool(self.world.params[IS_SENT_ON]))
        if not reason and int(unit["away_at"]) < 0:
            reason = why_not_ready(unit, station)
        reason = reason or self._not_released(station)
        return reason or (self._grounded(number, unit, station) if is_craft else None)

    def _not_asked(self, unit: Any) -> Bi | None:
        if self.is_on_track:
            return phrase("why_not.on_track")
        if not int(self.world.tasks[int(unit["mode"]), self.known_kind]) >> self.capability & 1:
            return phrase("why_not.not_asked", craft=_craft(unit))
        return None

    def _not_released(self, station: Any) -> Bi | None:
        from_grade, wait_ms = int(station["help_grade"]), int(self.world.params[HELP_WAIT_MS])
        if from_grade == 0 or self.known_grade >= from_grade or self.waited_ms >= wait_ms:
            return None
        grades = {"from_grade": from_grade, "known": self.known_grade}
        if wait_ms == rules.NEVER_MS:
            return phrase("why_not.by_grade", **grades)
        waits = {"wait": wait_ms / MS_PER_MIN, "waited": self.waited_ms / MS_PER_MIN}
        return phrase("why_not.by_grade_or_wait", **grades, **waits)

    def _grounded(self, number: int, unit: Any, station: Any) -> Bi | None:
        """Return what keeps a craft that is ready from setting out for the incident, or None."""
        w, goal, home = self.handle, int(self.it["cell"]), int(station["cell"])
        if int(unit["mode"]) == WATER:
            quay = int(station["quay"])
            return phrase("why_not.no_water") if quay < 0 or int(self.world.way_m[quay, goal]) < 0 else None
        if not self.world.is_flyable[self.hour]:
            return phrase("why_not.cannot_fly")
        away_m, range_m = int(approach.distance_m(w, home, goal)), int(unit["range_m"])
        if 0 < range_m < away_m:
            return phrase("why_not.out_of_range", away=away_m / M_PER_KM, range=range_m / M_PER_KM)
        flight = int(approach.flight_ms(w, number, home, goal))
        arrival = self.now + int(rules.lead_ms(w, self.now, number)) + flight
        if not self.world.is_flyable[int(rules.hour_index(w, arrival))]:
            return phrase("why_not.could_not_fly")
        flown = int(unit["flown_ms"]) if int(unit["flown_day"]) == self.now // MS_PER_DAY else 0
        if 0 < int(unit["duty_ms"]) < flown + 2 * flight:
            return phrase("why_not.no_flying_time")
        return None

    # --- all that can go --------------------------------------------------------------------------------------------

    def in_order(self, able: Sequence[Candidate]) -> list[Candidate]:
        """Return the units that can go, the one that is sent first; each other with what puts it behind.

        Those of stations that are passed over come last.
        """
        ranked, passed = self._by_rule(able), list[int]()
        for _ in range(int(self.it["n_passed"])):
            without = [*passed, *(c.station for c in ranked[:1])]
            rest = self._by_rule([c for c in able if c.station not in without])
            if not rest:
                break
            ranked, passed = rest, without
        told = phrase("why_behind.passed")
        return ranked + [replace(c, why_behind=told) for c in able if c.station in passed]

    def _by_rule(self, able: Sequence[Candidate]) -> list[Candidate]:
        """Return the units that can go in the order of the dispatch rule."""
        ranked = self._on_road([c for c in able if not c.is_craft])
        craft = sorted((c for c in able if c.is_craft), key=lambda c: (c.work_ms, c.unit))
        for one in reversed(craft):
            is_sooner = not ranked or ranked[0].is_craft or one.work_ms < ranked[0].work_ms
            if not is_sooner:
                ranked.append(replace(one, why_behind=phrase("why_behind.work_later")))
                continue
            if ranked:
                sooner = phrase("why_behind.craft_sooner", craft=_craft(self.world.units[one.unit]))
                ranked[0] = replace(ranked[0], why_behind=ranked[0].why_behind or sooner)
            ranked.insert(0, replace(one, why_behind=None))
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
        told = phrase("why_behind.work_later" if self.is_on_track else "why_behind.not_sooner")
        stranger = phrase("why_behind.stranger")
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
            if c.is_in_bay:
                soonest.setdefault(c.station, c.unit)
        asked = [c for c in nearly if soonest.get(c.station) == c.unit or not c.is_in_bay]
        asked.sort(key=lambda c: (lost[c.unit], c.expected_ms, c.unit))
        first, behind = asked[0], []
        for c in [*asked[1:], *(c for c in ranked if c not in asked)]:
            if c.unit not in lost:
                told = phrase("why_behind.too_late", slack=int(self.world.params[SLACK_MS]) / MS_PER_S)
            elif lost[c.unit] > lost[first.unit]:
                told = phrase("why_behind.cover")
            else:
                told = phrase("why_behind.not_sooner")
            behind.append(replace(c, why_behind=told))
        return [first, *behind]


_IN_BAY = "in_bay"
_PLACES = {RETURNING: "returning", MOVING_UP: "moving_up", STANDING_BY: "standing_by"}
_AT_WORK = {
    TURNING_OUT: "turning_out", EN_ROUTE: "en_route", ON_SCENE: "on_scene", TRANSPORTING: "transporting",
    HANDING_OVER: "handing_over",
}  # fmt: skip


def _craft(unit: Any) -> Bi:
    return phrase("craft.aircraft" if int(unit["mode"]) == AIR else "craft.boats")


def why_busy(unit: Any, is_craft: bool, is_sent_on: bool = True) -> Bi | None:
    """Return what a unit is at that keeps it from being sent, or None where it can be asked from where it is."""
    status = int(unit["status"])
    if status in _AT_WORK:
        return phrase(f"why_not.{_AT_WORK[status]}", incident=int(unit["incident"]))
    if status == MAKING_READY:
        return phrase("why_not.making_ready")
    if is_craft and status == RETURNING:
        return phrase("why_not.craft_returning", craft=_craft(unit))
    return phrase("why_not.not_sent_on") if status == RETURNING and not is_sent_on else None


def why_not_ready(unit: Any, station: Any) -> Bi | None:
    """Return why a unit in its bay cannot leave it, or None."""
    if not int(station["is_open"]):
        return phrase("why_not.closed")
    if not int(unit["is_in_service"]):
        return phrase("why_not.not_in_service")
    if int(unit["is_failed"]):
        return phrase("why_not.broken_down")
    crew_min, on_duty = int(unit["crew_min"]), int(station["people_on_duty"])
    free = on_duty - int(station["people_out"])
    if crew_min > free:
        return phrase("why_not.no_crew", crew_min=crew_min, free=max(free, 0), on_duty=on_duty)
    return None
