"""An aircraft is sent where it is asked for and at work sooner; elsewhere and at night everything stays as it was."""

from __future__ import annotations

import pytest

from sim.chance import look_up, quantile_table
from sim.engine import simulate
from sim.engine.log import LogKind
from tests.engine.conftest import RESCUE, WATER, TinyCity, told

HILL, HOME = 0, 1
EVERY_HOUR = tuple(range(24))


def hill_rescue(kind: int = HILL, *, has_aircraft: bool = True, hours: tuple[int, ...] = EVERY_HOUR) -> TinyCity:
    """Somebody on the hill in cell 4, half an hour's walk from the road; an aircraft in cell 9 hovers for a minute."""
    city = TinyCity(cards=[[(RESCUE, 1, True), (WATER, 1, False)]] * 2, priority=[1, 1], access_s=1800)
    city.unit(city.station(cell=0), RESCUE)
    city.unit(city.station(cell=1), WATER)
    field = city.station(cell=9, is_open=has_aircraft)
    city.unit(field, RESCUE, WATER, mode=1, callout_ms=300_000, access_ms=60_000, speed_mm_s=50_000, ready_ms=1_200_000)
    city.flying_hours = hours
    city.policy["air_tasks"] = (1 << RESCUE, 0)
    city.incident(0, cell=4, kind=kind)
    return city


def moves(city: TinyCity) -> list[tuple[object, ...]]:
    return [row for row in told(city.run()) if row[1] not in ("CHANGE", "CLOSED", "END")]


def test_it_hovers_over_the_hill_before_anybody_has_walked_up() -> None:
    rows = moves(hill_rescue())
    # order 60 s, turnout 45 s, launch 300 s, 5 km at 50 m/s: over the hill at 505 s; ten minutes there, 100 s back
    assert [row[:2] for row in rows if row[4] == 2] == [
        (60.0, "DISPATCH"), (405.0, "ENROUTE"), (505.0, "ARRIVE"), (1105.0, "CLEAR"), (1205.0, "HOME"),
        (2405.0, "AVAILABLE"),
    ]  # fmt: skip
    # the engine is at the address at 60 + 45 + 3 x 60 = 285 s, first of all, and shows what it is
    assert [row[:2] for row in rows if row[4] == 1][:3] == [(60.0, "DISPATCH"), (105.0, "ENROUTE"), (285.0, "ARRIVE")]
    assert not [row for row in rows if row[4] == 0]  # the rescue truck, at work at 2145 s, is not sent


def test_with_a_time_of_its_own_on_scene_it_leaves_by_the_difference_sooner_and_the_vehicle_as_before() -> None:
    without, own, elsewhere = hill_rescue(), hill_rescue(), hill_rescue()
    own.scene_by_air_s[HILL], elsewhere.scene_by_air_s[HOME] = 200, 200
    before, after = moves(without), moves(own)
    moved = [(b[1], b[4], a[0] - b[0]) for a, b in zip(sorted(after, key=_who), sorted(before, key=_who), strict=True)]
    assert [row for row in moved if row[2]] == [("AVAILABLE", 2, -400), ("CLEAR", 2, -400), ("HOME", 2, -400)]
    assert moves(elsewhere) == before


def test_neither_grade_nor_a_late_arrival_lengthens_an_aircraft_s_own_time() -> None:
    city = hill_rescue()
    city.scene_by_air_s, city.scene_slope_q16, city.scene_by_grade_s = {HILL: 200}, {HILL: 65536}, {2: 9000}
    city.incidents[0] |= {"grade": 2, "reported_grade": 2}
    rows = moves(city)
    assert [row[0] for row in rows if row[1] == "CLEAR" and row[4] == 2] == [505 + 200]


def test_its_time_is_looked_up_by_the_rank_of_the_slot_it_fills() -> None:
    city = hill_rescue()
    city.scene_by_air_s = {HILL: 0}
    city.quantiles["scene_by_air"] = quantile_table(lambda p: 600_000 * p, 300_000.0)
    inputs = city.inputs()
    rows = simulate(inputs, "both").rows
    stay = rows["value"][(rows["kind"] == LogKind.CLEAR) & (rows["unit"] == 2)]
    assert stay.tolist() == [look_up(city.quantiles["scene_by_air"], inputs.slot_ranks[0, 3])]


def _who(row: tuple[object, ...]) -> tuple[object, ...]:
    return row[1:]


def test_it_is_met_by_the_aircraft_sooner_than_on_foot_by_the_difference_of_the_two_ways() -> None:
    met = {}
    for has_aircraft in (True, False):
        log = hill_rescue(has_aircraft=has_aircraft).run()
        met[has_aircraft] = int(log.rows["value"][log.rows["kind"] == 14][0])
    # by road 60 + 45 + 240 + 1800 s; by air 505 + 60 s
    assert met == {True: 565_000, False: 2_145_000}


@pytest.mark.parametrize(("kind", "hours"), [(HOME, EVERY_HOUR), (HILL, ()), (HILL, tuple(range(1, 24)))])
def test_where_it_is_not_asked_or_may_not_fly_all_is_as_without_it(kind: int, hours: tuple[int, ...]) -> None:
    assert moves(hill_rescue(kind, hours=hours)) == moves(hill_rescue(kind, has_aircraft=False, hours=hours))


def test_what_counts_is_the_kind_the_caller_told_until_somebody_is_there() -> None:
    told_as_home = hill_rescue()
    told_as_home.incidents[0]["reported_kind"] = HOME
    assert not [row for row in moves(told_as_home) if row[4] == 2]


@pytest.mark.parametrize(("kind", "told_kind", "who"), [(HILL, HOME, 0), (HOME, HILL, 2)])
def test_it_saves_the_walk_of_the_kind_the_caller_told(kind: int, told_kind: int, who: int) -> None:
    city = hill_rescue(kind)
    city.policy["air_tasks"] = (1 << RESCUE, 1 << RESCUE)
    city.access_of_kind_s = {HOME: 0}
    city.incidents[0]["reported_kind"] = told_kind
    # ordered at 60 s: by air at work 45 + 300 + 100 + 60 = 505 s later; by road 45 + 240 s, on the hill 1800 s more
    sent = [row for row in moves(city) if row[1] == "DISPATCH"]
    assert sent[0] == (60.0, "DISPATCH", 0, 2, who)


@pytest.mark.parametrize(("duty_ms", "n_sent"), [(199_999, 0), (200_000, 2)])
def test_a_flight_called_off_in_the_hangar_takes_nothing_from_the_flying_time_of_the_day(
    duty_ms: int, n_sent: int
) -> None:
    city = hill_rescue(HOME)
    city.cards[HOME] = [(WATER, 1, True)]
    city.traits[2]["duty_ms"] = duty_ms  # 100 s out and 100 s back
    city.incidents[0]["reported_kind"] = HILL  # the engine finds at 285 s that no one is on the hill
    city.incident(1000, cell=4, kind=HILL)
    assert sum(row[1] == "DISPATCH" for row in moves(city) if row[4] == 2) == n_sent
