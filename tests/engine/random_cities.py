"""Random small cities under pressure: hypothesis strategies for the tests that hold of any log.

`cities` knows crews, changes, escalation and calls told wrong; `cities_with_levers` everything else besides. Both make
`TinyCity`s (`conftest.py`), so a case is as readable as a city made by hand. Nothing here imports the engine.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from sim.chance import quantile_table
from sim.fleet.parts import ChangeKind

WATER, AERIAL, RESCUE = 0, 1, 2
CARDS = [
    [(WATER, 1, True), (WATER, 2, False), (AERIAL, 2, True), (RESCUE, 3, False), (WATER, 3, False)],
    [(RESCUE, 1, True), (WATER, 2, False)],
    [(WATER, 1, True)],
]
cells = st.integers(0, 5)
instants = st.integers(0, 40).map(lambda step: step * 30)  # a coarse grid of times makes ties the rule


@st.composite
def cities(draw, tiny):
    city = tiny(
        n_cells=6,
        minute_per_cell_s=draw(st.sampled_from([0, 30, 60])),
        handling_s=(draw(st.sampled_from([0, 60])), 30),
        turnout_s=(draw(st.sampled_from([0, 30])), 60),
        scene_s=draw(st.sampled_from([0, 300])),
        access_s=draw(st.sampled_from([0, 30])),
        make_ready_s=draw(st.sampled_from([0, 120])),
        dispatch=draw(st.sampled_from([0, 1])),
        latent_s={(0, 1): 90, (0, 2): 150, (1, 1): 120},
        scene_by_grade_s={3: 600},
        scene_slope_q16={0: 3000},
        cards=CARDS,
        priority=[1, 1, 2],
        town_of_cell=[0, 0, 0, 1, 1, 1],
        travel_common_q16=draw(st.sampled_from([65536, 50000])),
        seed=draw(st.integers(0, 5)),
    )
    for _ in range(draw(st.integers(1, 4))):
        station = city.station(draw(cells), people=draw(st.integers(0, 14)), is_open=draw(st.booleans()))
        for _ in range(draw(st.integers(0, 3))):
            city.unit(station, *draw(st.sets(st.sampled_from([WATER, AERIAL, RESCUE]), min_size=1)), crew_min=3, crew=5)
    if not city.units:
        city.unit(0)
    kinds = (ChangeKind.STATION_OPEN, ChangeKind.STATION_CLOSE, ChangeKind.STATION_PEOPLE)
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(kinds))
        city.change(draw(instants), kind, draw(st.integers(0, len(city.stations) - 1)), draw(st.integers(0, 10)))
    unit_kinds = (ChangeKind.UNIT_WITHDRAW, ChangeKind.UNIT_IN_SERVICE)
    for _ in range(draw(st.integers(0, 3))):
        city.change(draw(instants), draw(st.sampled_from(unit_kinds)), draw(st.integers(0, len(city.units) - 1)), 0)
    for _ in range(draw(st.integers(1, 12))):
        grade = draw(st.integers(1, 3))
        kind = draw(st.integers(0, 2))
        city.incident(
            draw(instants), draw(cells), kind=kind, grade=grade,
            reported_kind=draw(st.sampled_from([kind, 0])), reported_grade=draw(st.integers(1, 3)),
        )  # fmt: skip
    if draw(st.booleans()):
        city.quantiles["scene"] = quantile_table(lambda p: -200_000 * np.log1p(-p), 200_000.0)
        city.quantiles["travel_own"] = quantile_table(lambda p: 131072 * p, 65536.0)
    return city


def _add_craft(draw, city):
    """Add an aircraft and boats or neither; return what each is asked for by kind, empty where for everything."""
    if draw(st.booleans()):
        base = city.station(draw(cells), people=draw(st.integers(0, 4)))
        city.unit(
            base, *draw(st.sets(st.sampled_from([WATER, RESCUE]), min_size=1)), crew_min=2, crew=2, mode=1,
            speed_mm_s=50_000, access_ms=60_000, callout_ms=draw(st.sampled_from([0, 120_000])),
            range_m=draw(st.sampled_from([0, 2500])), duty_ms=draw(st.sampled_from([0, 100_000])),
        )  # fmt: skip
        city.scene_by_air_s = draw(st.sampled_from([{}, {0: 0, 1: 120}]))
        city.flying_hours = draw(st.sampled_from([(), (0,), (0, 1, 2), (1,), (1, 3)]))
    if draw(st.booleans()):
        quay = city.station(draw(cells), people=draw(st.integers(0, 6)))
        ways = st.sampled_from([-1, 0, 3000])
        city.way_m = {quay: draw(st.lists(ways, min_size=6, max_size=6))}
        city.way_m[quay][city.stations[quay][0]] = 0
        for _ in range(draw(st.integers(1, 2))):
            city.unit(
                quay, *draw(st.sets(st.sampled_from([WATER, RESCUE]), min_size=1)), crew_min=2, crew=3, mode=2,
                speed_mm_s=10_000, access_ms=draw(st.sampled_from([-1, 0])),
                callout_ms=draw(st.sampled_from([0, 60_000])),
            )  # fmt: skip
    tasks = st.sampled_from([0, 1 << WATER, 1 << RESCUE, 1 << WATER | 1 << RESCUE])
    asked = {}
    for craft in ("air_tasks", "boat_tasks"):
        if draw(st.booleans()):
            asked[craft] = tuple(draw(tasks) for _ in CARDS)
    return asked


def _add_records(draw, city):
    """Let records say how long some stages took of some incidents, of needs of the reported kind among them."""
    for place, incident in enumerate(city.incidents):
        if draw(st.integers(0, 3)) > 0:
            continue
        if draw(st.booleans()):
            city.recorded_handling_s[place] = draw(st.sampled_from([0, 45]))
        n_slots = len(CARDS[incident["kind"]])
        if incident["reported_kind"] != incident["kind"]:
            n_slots += len(CARDS[incident["reported_kind"]])
        for number in range(n_slots):
            stages = draw(st.sets(st.sampled_from(["turnout", "travel", "access", "scene"])))
            given = {name: draw(st.sampled_from([0, 15, 240])) for name in sorted(stages)}
            city.recorded_s[place, number] = given | {"of": draw(st.integers(-1, len(city.stations) - 1))}
            if draw(st.booleans()):
                leg = {"cell": draw(cells), "hand_over": draw(st.sampled_from([0, 90]))}
                city.transport[place, number] = leg | draw(st.sampled_from([{}, {"drive": 0}, {"drive": 75}]))


def _add_effects(draw, city):
    """Tell stations and hours apart, and short trips from long ones."""
    n = len(city.stations)
    if draw(st.booleans()):
        places = st.tuples(st.integers(0, 3), st.integers(0, n - 1))
        city.turnout_of_s = draw(st.dictionaries(places, st.sampled_from([0, 20, 200]), max_size=6))
    if draw(st.booleans()):
        city.drive_q16 = draw(st.dictionaries(st.integers(0, n - 1), st.sampled_from([30_000, 65_537, 150_000])))
    if draw(st.booleans()):
        wide = quantile_table(lambda p: 131072 * p, 65536.0)
        city.noise = [(0, 65536), (draw(st.sampled_from([1, 60])), wide), (120, 40_000)]
    of_calls = st.dictionaries(st.integers(0, len(city.incidents) - 1), st.sampled_from([0, 40_000, 65_537, 150_000]))
    city.drive_of_call_q16, city.turnout_of_call_q16 = draw(of_calls), draw(of_calls)


@st.composite
def cities_with_levers(draw, tiny):
    """Small cities with rosters, breakdowns, craft, tracks, help, move-up, rest, weather, villages and hydrants."""
    city = draw(cities(tiny))
    for unit in range(len(city.units)):
        city.traits[unit] = {
            "callout_ms": draw(st.sampled_from([0, 60_000])),
            "ready_ms": draw(st.sampled_from([-1, 0, 240_000])),
            "track_mm_s": draw(st.sampled_from([1000, 5000])),
        }
    craft_tasks = _add_craft(draw, city)
    for station in range(len(city.stations)):
        if draw(st.integers(0, 4)) == 0:
            city.help_grade[station] = draw(st.integers(1, 3))
    city.policy = {
        "slack_ms": draw(st.sampled_from([0, 60_000, 300_000])),
        "cover_ms": draw(st.sampled_from([0, 60_000, 120_000])),
        "cover_bit": WATER, "move_up": draw(st.integers(0, 2)),
        "move_up_after_ms": draw(st.sampled_from([0, 120_000])),
        "move_up_most_ms": draw(st.sampled_from([0, 300_000])),
        "help_wait_ms": draw(st.sampled_from([-1, 0, 90_000])),
        "rest_after_ms": draw(st.sampled_from([0, 60_000, 600_000])), "rest_ms": draw(st.sampled_from([0, 300_000])),
        **craft_tasks,
    }  # fmt: skip
    city.dispatch = draw(st.integers(0, 2))
    if draw(st.booleans()):
        times = sorted({0, *draw(st.lists(instants, max_size=3))})
        duty = st.lists(st.integers(0, 12), min_size=len(city.stations), max_size=len(city.stations))
        city.roster = [(at_s, draw(duty), draw(st.booleans())) for at_s in times]
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from((ChangeKind.UNIT_FAILS, ChangeKind.UNIT_MENDED)))
        city.change(draw(instants), kind, draw(st.integers(0, len(city.units) - 1)), 0)
    city.road_q16 = {0: draw(st.sampled_from([65536, 90_000]))}
    city.supply_grade = {0: draw(st.integers(0, 2))}
    for place in range(len(city.incidents)):
        if draw(st.integers(0, 2)) == 0:
            city.scenes[place] = {
                "portal_cell": [draw(cells), draw(st.one_of(st.just(-1), cells))],
                "track_m": [draw(st.sampled_from([0, 500])), draw(st.sampled_from([0, 500]))],
                "power_off_ms": draw(st.sampled_from([0, 300_000])), "water_delay_ms": 60_000,
                "village_ms": draw(st.sampled_from([-1, 240_000])),
            }  # fmt: skip
    _add_records(draw, city)
    _add_effects(draw, city)
    if draw(st.integers(0, 2)) == 0:
        city.n_passed = draw(st.dictionaries(st.integers(0, len(city.incidents) - 1), st.integers(1, 3)))
    if draw(st.booleans()):
        city.xy_m = draw(st.lists(st.tuples(st.integers(0, 9), st.integers(-40, 900)), min_size=6, max_size=6))
    return city
