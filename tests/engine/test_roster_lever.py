"""A pattern of shifts, through the roster it makes, moves an arrival by the drive it costs and nothing else."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np

from sim.engine.log import LogKind
from sim.engine.static import static_responses
from sim.fleet.duty import RosterSettings, ShiftSettings
from sim.fleet.rosters import build_roster

K = LogKind
H, DAY = 3600, 86_400
ALL_DAY = ShiftSettings(crew=1, day=1, from_h=0, hours=24)
HALF_AT_NIGHT = (ShiftSettings(1, 1, 8, 12), ShiftSettings(1, 1, 20, 12, share=0.5))
DAY_CREW_NIGHT_CREW = (ShiftSettings(1, 1, 8, 12), ShiftSettings(2, 1, 20, 12))


def duty(*shifts, **fields):
    return RosterSettings("test", "", "", n_crews=max(s.crew for s in shifts), shifts=list(shifts), **fields)


def city_with(tiny, roster, posts, **fields):
    """Two pumpers in a station at cell 5 and one in a station at cell 0, whose posts are on duty by the pattern."""
    city = tiny(handling_s=(0, 0), **fields)
    near, far = city.station(5, people=99), city.station(0, people=99)
    city.unit(near)
    city.unit(near)
    city.unit(far)
    stations = SimpleNamespace(n_stations=2, brigade=("government", "government"))
    changes = SimpleNamespace(staff_steps=[SimpleNamespace(time_ms=0)], posts=np.array([posts]))
    calendar = SimpleNamespace(start=date(2022, 1, 3), n_days=3)
    rows = build_roster(SimpleNamespace(stations=stations), changes, roster, calendar, 1, 0)
    city.roster = [
        (int(ms) // 1000, people, flag) for ms, people, flag in zip(*(r.tolist() for r in rows), strict=True)
    ]
    return city


def test_a_night_with_half_the_people_sends_the_farther_unit_five_minutes_later(tiny, rows_of):
    told = []
    for roster in (duty(ALL_DAY), duty(*HALF_AT_NIGHT)):
        city = city_with(tiny, roster, posts=(6, 12))
        city.incident(2 * H, cell=5)  # three of six are at the near station: no crew; six of twelve at the far one
        city.incident(14 * H, cell=5)
        city.incident(22 * H, cell=0)
        told.append(city)
    even, half = (rows_of(city.run(), K.ARRIVE) for city in told)
    assert half[0][0] - even[0][0] == 5 * 60
    assert half[1:] == even[1:]
    static = [static_responses(city.inputs()).tolist() for city in told]
    assert [b - a for a, b in zip(*static, strict=True)] == [5 * 60_000, 0, 0]


def test_one_absent_person_leaves_the_second_pumper_without_its_crew(tiny, rows_of):
    """Two calls at once, crews of six: of twelve people two crews ride; of nine one, and three are left."""
    arrivals = []
    for people in (12, 9):
        city = city_with(tiny, duty(ALL_DAY), posts=(people, 6))
        city.units = [(station, bits, 6, 6) for station, bits, _, _ in city.units]
        city.incident(10 * H, cell=5)
        city.incident(10 * H + 1, cell=5)
        arrivals.append(rows_of(city.run(), K.ARRIVE))
    (first, second), (first_short, second_short) = arrivals
    assert first == first_short
    assert second_short[0] - second[0] == 5 * 60


def test_a_relieved_crew_still_out_does_not_hold_up_the_new_shift(tiny, rows_of):
    """At eight the six of the night are at an incident: under a full relief six others man the second pumper."""
    dispatched = []
    for roster in (duty(*HALF_AT_NIGHT), duty(*DAY_CREW_NIGHT_CREW)):
        city = city_with(tiny, roster, posts=(12, 0), scene_s=3 * H)
        city.incident(7 * H, cell=5)
        city.incident(8 * H + 1, cell=5)
        dispatched.append([row[0] for row in rows_of(city.run(), K.DISPATCH)])
    assert dispatched == [[7 * H, 8 * H + 1], [7 * H, 8 * H + 1]]
    city = city_with(tiny, duty(ALL_DAY), posts=(6, 0), scene_s=3 * H)
    city.incident(7 * H, cell=5)
    city.incident(8 * H + 1, cell=5)
    log = city.run()
    clear = next(row[0] for row in rows_of(log, K.CLEAR))
    assert [row[0] for row in rows_of(log, K.DISPATCH)] == [7 * H, clear]  # nobody relieves them: the call waits


def test_after_a_full_relief_the_static_part_still_finds_every_crew_at_home(tiny):
    """Six of each crew man one pumper at a time; each incident is alone, so the near station goes to every one."""
    city = city_with(tiny, duty(*DAY_CREW_NIGHT_CREW), posts=(12, 0))
    for hour in (9, 10, 11, 21, 22):
        city.incident(hour * H, cell=5)
    assert static_responses(city.inputs()).tolist() == [45_000] * 5
