"""Random small cities under pressure: hypothesis strategies for the tests that hold of any log.

`cities` knows crews, changes, escalation, calls told wrong and both simple dispatch rules; `cities_with_levers`
everything else besides. Both make `TinyCity`s (`conftest.py`), so a case is as readable as a city made by hand. Times
lie on a coarse grid, so that ties are the rule; about one case in eight takes no time at all over anything. Each city
with levers has one of `FOCI`, which is turned up so that what is rare by chance comes often. The first of what can be
drawn is the plainest, and everything that there are several of is a list or a map of its own, so that a counterexample
shrinks. Nothing here imports the engine.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from sim.chance import quantile_table
from sim.fleet.parts import ChangeKind

WATER, AERIAL, RESCUE = 0, 1, 2
CARDS = [
    [(WATER, 1, True)],
    [(RESCUE, 1, True), (WATER, 2, False)],
    [(WATER, 1, True), (WATER, 2, False), (AERIAL, 2, True), (RESCUE, 3, False), (WATER, 3, False)],
]
N_CELLS = 6
GRID_S = 30
"""Seconds between the instants at which anything given can happen."""
CLOCKS_S = (0, 3_300, 86_100)
"""When a case begins: at midnight, five minutes before one, or before the next midnight; hours and days turn in it."""
LAWS = {
    "exponential, 200 s": quantile_table(lambda p: -200_000 * np.log1p(-p), 200_000.0),
    "even, 0 to 2": quantile_table(lambda p: 131072 * p, 65536.0),
}
FOCI = (
    "", "all at once", "changes", "move-up", "called home", "craft", "help", "shifts", "patients", "tracks",
    "keep cover", "called home", "told too high", "by air alone",
)  # fmt: skip
OF_STATIONS = (ChangeKind.STATION_PEOPLE, ChangeKind.STATION_CLOSE, ChangeKind.STATION_OPEN)
OF_UNITS = (ChangeKind.UNIT_WITHDRAW, ChangeKind.UNIT_IN_SERVICE, ChangeKind.UNIT_FAILS, ChangeKind.UNIT_MENDED)


def one_in(n: int) -> st.SearchStrategy[bool]:
    """Return whether something comes that does so once in `n` cases; it does not in the plainest."""
    return st.integers(1, n).map(lambda number: number == n)


def one_of(*values):
    """Return any of the values; the first is the plainest."""
    return st.sampled_from(values)


cells = st.integers(0, N_CELLS - 1)
steps = st.integers(0, 40)
any_place = st.integers(0, 99)
"""Stands for one of however many there are: its remainder counts, so that it holds while others are taken away."""
capability_sets = one_of((WATER,), (WATER, AERIAL, RESCUE), (WATER, RESCUE), (WATER,), (RESCUE,), (WATER, AERIAL))
units = st.tuples(capability_sets, one_of(3, 2, 4))
fire_engines = st.tuples(one_of((WATER,), (WATER, AERIAL, RESCUE)), one_of(3, 2, 4))
calls = st.tuples(steps, cells, one_of(0, 2, 1), st.integers(1, 3), one_of(-1, 2, -1, 0), one_of(0, 3, 1))
changes = st.tuples(
    one_of(*OF_UNITS, *OF_STATIONS), any_place, one_of(12, 4, 0), st.booleans(), any_place, steps
)  # fmt: skip
slow = {
    "latent_s": {(2, 1): 90, (2, 2): 150, (1, 1): 120}, "scene_by_grade_s": {3: 600}, "scene_slope_q16": {2: 3000},
    "access_of_kind_s": {0: 240, 1: 120},
}  # fmt: skip
durations = st.fixed_dictionaries({
    "minute_per_cell_s": one_of(60, 120, 30, 0), "handling_s": one_of((60, 30), (0, 30)),
    "turnout_s": one_of((30, 60), (0, 60)), "scene_s": one_of(300, 120, 0), "access_s": one_of(0, 30),
    "make_ready_s": one_of(120, 0), "travel_common_q16": one_of(65536, 50000),
}).map(lambda some: slow | some)  # fmt: skip
no_durations = {
    "handling_s": (0, 0), "turnout_s": (0, 0), "scene_s": 0, "access_s": 0, "make_ready_s": 0, "minute_per_cell_s": 0,
    "latent_s": {(2, 1): 0, (2, 2): 30},
}  # fmt: skip
craft_skills = one_of((RESCUE,), (WATER,), (WATER, RESCUE))
aircraft_traits = st.fixed_dictionaries({
    "callout_ms": one_of(0, 120_000), "range_m": one_of(0, 2500), "duty_ms": one_of(0, 100_000),
})  # fmt: skip
boat_traits = st.fixed_dictionaries({"access_ms": one_of(-1, 0), "callout_ms": one_of(0, 60_000)})
road_traits = st.fixed_dictionaries({
    "callout_ms": one_of(0, 60_000), "ready_ms": one_of(-1, 0, 240_000), "track_mm_s": one_of(1000, 5000),
})  # fmt: skip
tracks = st.fixed_dictionaries({
    "portal_cell": st.tuples(cells, one_of(-1, 0, 5)).map(list), "power_off_ms": one_of(0, 300_000),
    "track_m": st.tuples(one_of(0, 500), one_of(0, 500)).map(list),
})  # fmt: skip
villages = st.fixed_dictionaries({"water_delay_ms": st.just(60_000), "village_ms": one_of(-1, 240_000)})
stages = st.dictionaries(one_of("turnout", "travel", "access", "scene"), one_of(0, 15, 240))
legs = st.fixed_dictionaries({"cell": cells, "hand_over": one_of(90, 0, 300)}, optional={"drive": one_of(600, 75, 0)})
slots = st.tuples(any_place, any_place)
"""A call and a need of it."""


class _Case:
    """One case in the making: its city, its focus, the clock at which it begins."""

    def __init__(self, draw, tiny, focus: str) -> None:
        self.draw, self.focus = draw, focus
        self.clock_s = CLOCKS_S[-1] if focus == "by air alone" else draw(one_of(*CLOCKS_S))
        self.city = tiny(
            n_cells=N_CELLS, cards=CARDS, priority=[1, 1, 2], dispatch=draw(one_of(0, 1)),
            town_of_cell=draw(one_of([0] * 6, [0, 0, 0, 1, 1, 1], [2, 0, 1, 1, 0, 2])),
            is_escalation_on=not draw(one_in(6)), is_scene_delay_on=not draw(one_in(6)), seed=draw(st.integers(0, 5)),
            **(no_durations if draw(one_in(8)) else draw(durations)),
        )  # fmt: skip

    def is_on(self, focus: str, n: int) -> bool:
        """Return whether a lever is on: always if it is the focus, else once in `n` cases."""
        return self.focus == focus or self.draw(one_in(n))

    def add_fleet(self) -> None:
        is_deep = self.focus in ("move-up", "called home", "keep cover", "changes", "told too high")
        people = one_of(24, 12) if is_deep else one_of(12, 24, 6, 3, 0)
        least = 2 if is_deep else 1
        of_station = st.lists(fire_engines if is_deep else units, min_size=least - 1, max_size=3)
        station = st.tuples(cells, people, one_in(8), of_station)
        for cell, on_duty, is_closed, vehicles in self.draw(st.lists(station, min_size=least, max_size=4)):
            number = self.city.station(cell, people=on_duty, is_open=not is_closed)
            for skills, crew_min in vehicles if self.focus != "by air alone" else ():
                self.city.unit(number, *skills, crew_min=crew_min, crew=5)
        if not self.city.units:
            self.city.unit(0)

    def add_calls(self) -> None:
        is_burst = self.is_on("all at once", 4)
        least = 4 if self.focus in ("move-up", "called home", "patients", "by air alone") else 1
        for step, cell, kind, grade, told_kind, told_grade in self.draw(st.lists(calls, min_size=least, max_size=12)):
            if self.focus == "told too high":
                kind, told_kind, told_grade = 2, -1, 3
            elif self.focus == "by air alone":
                kind, told_kind = 1, -1
            self.city.incident(
                self.clock_s + GRID_S * (step % 2 if is_burst else step), cell, kind=kind, grade=grade,
                reported_kind=kind if told_kind < 0 else told_kind, reported_grade=told_grade or grade,
            )  # fmt: skip

    def add_changes(self) -> None:
        """Open, close, staff, withdraw, break and mend, half of it soon after a call, when units are out for it."""
        least, most = (6, 16) if self.focus in ("changes", "called home", "patients", "move-up") else (0, 5)
        calls_s = [incident["call_ms"] // 1000 for incident in self.city.incidents]
        for kind, place, people, is_after, call, step in self.draw(st.lists(changes, min_size=least, max_size=most)):
            at_s = GRID_S * (step % 24) + calls_s[call % len(calls_s)] if is_after else self.clock_s + GRID_S * step
            among = self.city.stations if kind in OF_STATIONS else self.city.units
            self.city.change(at_s, kind, place % len(among), people if kind == ChangeKind.STATION_PEOPLE else 1)

    def add_ways(self) -> None:
        if self.is_on("told too high", 3):
            self.city.quantiles = {"scene": LAWS["exponential, 200 s"], "travel_own": LAWS["even, 0 to 2"]}
        if self.draw(one_in(3)):
            self.city.period_of, self.city.period_q16 = {0: 1, 1: 2}, (98_304, self.draw(one_of(32_768, 0)))
        if self.draw(one_in(4)):
            self.city.way_s = self.draw(st.dictionaries(st.tuples(cells, cells), one_of(0, 200), max_size=4))

    # --- levers -----------------------------------------------------------------------------------------------------

    def by_call(self, of_call, n_most: int = 6):
        """Return a map from some calls, by their place, to what is drawn for each."""
        drawn = self.draw(st.dictionaries(any_place, of_call, max_size=n_most))
        return {place % len(self.city.incidents): of for place, of in drawn.items()}

    def add_aircraft(self) -> None:
        base = self.city.station(self.draw(cells), people=self.draw(one_of(4, 2, 0)))
        self.city.unit(
            base, *self.draw(craft_skills), crew_min=2, crew=2, mode=1, speed_mm_s=50_000, access_ms=60_000,
            **self.draw(aircraft_traits),
        )  # fmt: skip
        self.city.scene_by_air_s = self.draw(one_of({}, {0: 0, 1: 120}))
        self.city.flying_hours = self.draw(one_of(tuple(range(24)), (1, 3), (0,), (0, 23), ()))
        if self.focus == "by air alone":
            self._ground_aircraft(len(self.city.units) - 1)

    def _ground_aircraft(self, unit: int) -> None:
        """Let an aircraft that alone can do what it does, once a day, be mended while several wait for it."""
        self.city.units[unit] = (self.city.units[unit][0], 1 << RESCUE, 0, 2)
        self.city.traits[unit]["duty_ms"] = 200_000
        self.city.flying_hours = self.draw(one_of(tuple(range(24)), (0, 23)))
        self.city.change(self.clock_s, ChangeKind.UNIT_FAILS, unit, 1)
        self.city.change(self.clock_s + GRID_S * self.draw(steps), ChangeKind.UNIT_MENDED, unit, 1)

    def add_boats(self) -> None:
        quay = self.city.station(self.draw(cells), people=self.draw(one_of(6, 3, 0)))
        way_m = self.draw(st.lists(one_of(3000, 0, -1), min_size=N_CELLS, max_size=N_CELLS))
        way_m[self.city.stations[quay][0]] = 0
        self.city.way_m = {quay: way_m}
        for skills, traits in self.draw(st.lists(st.tuples(craft_skills, boat_traits), min_size=1, max_size=2)):
            self.city.unit(quay, *skills, crew_min=2, crew=3, mode=2, speed_mm_s=10_000, **traits)

    def add_traits(self) -> None:
        for place, traits in self.draw(st.dictionaries(any_place, road_traits, max_size=6)).items():
            self.city.traits[place % len(self.city.units)].update(traits)
        help_grades = st.dictionaries(any_place, st.integers(1, 3), min_size=1, max_size=3)
        for place, grade in self.draw(help_grades).items() if self.is_on("help", 6) else ():
            self.city.help_grade[place % len(self.city.stations)] = grade

    def add_roster(self) -> None:
        n = len(self.city.stations)
        shift = st.tuples(st.lists(one_of(12, 6, 3, 0), min_size=n, max_size=n), st.booleans())
        later = self.draw(st.dictionaries(steps, shift, max_size=4))
        first = {0: self.draw(shift)}
        rows = first | {self.clock_s + GRID_S * step: row for step, row in sorted(later.items())}
        self.city.roster = [(at_s, people, is_relief) for at_s, (people, is_relief) in rows.items()]

    def add_policy(self) -> None:
        draw, is_hasty = self.draw, self.focus == "called home"
        is_moved_up = is_hasty or self.is_on("move-up", 3)
        rests = self.is_on("shifts", 3)
        tasks = one_of(1 << WATER | 1 << RESCUE, 1 << WATER, 1 << RESCUE, 0)
        self.city.dispatch = 2 if self.focus == "keep cover" else draw(st.integers(0, 2))
        self.city.policy = {
            "slack_ms": draw(one_of(0, 60_000, 300_000)), "cover_ms": draw(one_of(60_000, 120_000, 0)),
            "cover_bit": WATER, "move_up": draw(st.integers(1, 2)) if is_moved_up else 0,
            "move_up_after_ms": 0 if is_hasty else draw(one_of(0, 30_000, 120_000)),
            "move_up_most_ms": draw(one_of(300_000, 120_000, 0)), "help_wait_ms": draw(one_of(-1, 0, 90_000)),
            "is_sent_on": not draw(one_in(4)), "rest_after_ms": draw(one_of(60_000, 600_000)) if rests else 0,
            "rest_ms": draw(one_of(300_000, 30_000, 0)),
        }  # fmt: skip
        for craft in ("air_tasks", "boat_tasks"):
            if draw(one_in(3)):
                self.city.policy[craft] = tuple(draw(tasks) for _ in CARDS)

    def add_scenes(self) -> None:
        city, draw = self.city, self.draw
        of_tracks = self.by_call(tracks) if self.is_on("tracks", 4) else {}
        of_villages = self.by_call(villages) if draw(one_in(3)) else {}
        places = sorted({*of_tracks, *of_villages})
        city.scenes = {place: of_tracks.get(place, {}) | of_villages.get(place, {}) for place in places}
        city.supply_grade = {kind: draw(st.integers(0, 2)) for kind in (0, 2)}
        city.night_hours = draw(one_of((), (0,), (23,)))
        city.road_q16 = draw(one_of({}, {self.clock_s // 3600: 90_000, 1: 80_000}))
        city.home_factor_q16 = draw(one_of(65_536, 262_144, 98_304, 0))
        city.cell_weight = draw(one_of(None, [1, 0, 5, 0, 2, 7]))
        if draw(one_in(3)):
            city.xy_m = draw(st.lists(st.tuples(st.integers(0, 9), st.integers(-40, 900)), min_size=6, max_size=6))

    def _slot(self, place: int, number: int) -> tuple[int, int]:
        """Return a call's place and one of its slots', those of the reported kind among them."""
        place %= len(self.city.incidents)
        kind, reported = self.city.incidents[place]["kind"], self.city.incidents[place]["reported_kind"]
        return place, number % (len(CARDS[kind]) + (len(CARDS[reported]) if reported != kind else 0))

    def add_records(self) -> None:
        """Let records say how long some stages took, and where patients are taken."""
        city, draw = self.city, self.draw
        if self.is_on("patients", 4):
            least = 6 if self.focus == "patients" else 1
            for slot, leg in draw(st.dictionaries(slots, legs, min_size=least, max_size=16)).items():
                city.transport[self._slot(*slot)] = leg
            city.transport_factor_q16 = draw(one_of(65_536, 40_000))
        if draw(one_in(3)):
            city.recorded_handling_s = self.by_call(one_of(0, 45))
            for slot, (given, of) in draw(st.dictionaries(slots, st.tuples(stages, any_place), max_size=12)).items():
                city.recorded_s[self._slot(*slot)] = given | {"of": of % (len(city.stations) + 1) - 1}

    def add_effects(self) -> None:
        """Tell stations and hours apart, and short trips from long ones; pass stations over."""
        city, draw, n = self.city, self.draw, len(self.city.stations)
        if draw(one_in(3)):
            places = st.tuples(one_of(0, 1, 23), st.integers(0, n - 1))
            city.turnout_of_s = draw(st.dictionaries(places, one_of(0, 20, 200), max_size=6))
        if draw(one_in(3)):
            city.drive_q16 = draw(st.dictionaries(st.integers(0, n - 1), one_of(30_000, 65_537, 150_000)))
        if draw(one_in(3)):
            city.noise = [(0, 65536), (draw(one_of(1, 60)), LAWS["even, 0 to 2"]), (120, 40_000)]
        if draw(one_in(3)):
            factors = one_of(65_537, 0, 40_000, 150_000)
            city.drive_of_call_q16, city.turnout_of_call_q16 = self.by_call(factors), self.by_call(factors)
        if draw(one_in(4)):
            city.n_passed = self.by_call(st.integers(1, 3))


def _plain(draw, tiny, focus: str) -> _Case:
    case = _Case(draw, tiny, focus)
    case.add_fleet()
    case.add_calls()
    case.add_changes()
    case.add_ways()
    return case


@st.composite
def cities(draw, tiny):
    """Small cities with crews, changes, escalation and calls told wrong."""
    return _plain(draw, tiny, "").city


@st.composite
def cities_with_levers(draw, tiny, foci=FOCI):
    """Small cities with rosters, breakdowns, craft, tracks, help, move-up, rest, weather, villages and hydrants."""
    case = _plain(draw, tiny, draw(one_of(*foci)))
    if case.focus == "by air alone" or case.is_on("craft", 5):
        case.add_aircraft()
    if draw(one_in(2 if case.focus == "craft" else 5)):
        case.add_boats()
    case.add_traits()
    case.add_policy()
    if case.is_on("shifts", 4):
        case.add_roster()
    case.add_scenes()
    case.add_records()
    case.add_effects()
    return case.city
