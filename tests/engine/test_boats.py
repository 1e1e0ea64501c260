"""A boat goes along the water from its quay, at any hour, where water leads and boats are asked for."""

from __future__ import annotations

import pytest

from tests.engine.conftest import RESCUE, WATER, TinyCity, told

NO_WATER = -1


def river_rescue(*, has_boat: bool = True, leads: bool = True, is_asked: bool = True) -> TinyCity:
    """Somebody in the water off cell 4, five minutes from the bank; the quay in cell 9 is 6 km away by water."""
    city = TinyCity(cards=[[(RESCUE, 1, True), (WATER, 1, False)]], access_s=300)
    city.unit(city.station(cell=0), RESCUE)
    city.unit(city.station(cell=1), WATER)
    quay = city.station(cell=9, is_open=has_boat)
    city.unit(quay, RESCUE, mode=2, access_ms=0, speed_mm_s=20_000, callout_ms=30_000)
    city.way_m = {quay: [NO_WATER] * 4 + [6_000 if leads else NO_WATER] + [NO_WATER] * 4 + [0]}
    city.policy["boat_tasks"] = (1 << RESCUE if is_asked else 1 << WATER,)
    city.policy["air_tasks"] = (0,)
    city.incident(0, cell=4)
    return city


def moves(city: TinyCity) -> list[tuple[object, ...]]:
    return [row for row in told(city.run()) if row[1] not in ("CHANGE", "CLOSED", "END")]


def test_it_is_at_work_before_the_rescuers_from_the_bank() -> None:
    # order 60 s, turnout 45 s, cast off 30 s, 6 km at 20 m/s; ten minutes there, 300 s back, 300 s to make ready
    assert [row[:2] for row in moves(river_rescue()) if row[4] == 2] == [
        (60.0, "DISPATCH"), (135.0, "ENROUTE"), (435.0, "ARRIVE"), (1035.0, "CLEAR"), (1335.0, "HOME"),
        (1635.0, "AVAILABLE"),
    ]  # fmt: skip
    # the rescue truck would be at the bank at 60 + 45 + 240 = 345 s and at work at 645 s
    assert not [row for row in moves(river_rescue()) if row[4] == 0]


@pytest.mark.parametrize("given", [{"leads": False}, {"is_asked": False}])
def test_where_no_water_leads_or_nobody_asks_for_boats_all_is_as_without_it(given: dict[str, bool]) -> None:
    assert moves(river_rescue(**given)) == moves(river_rescue(has_boat=False))


def test_a_boat_that_is_turned_back_goes_back_as_long_as_it_has_come() -> None:
    city = river_rescue()
    city.cards = [[(RESCUE, 1, True), (WATER, 1, False)], [(WATER, 1, True)]]
    city.priority = [1, 1]
    city.policy["boat_tasks"] = (1 << RESCUE, 0)
    city.policy["air_tasks"] = (0, 0)
    city.incidents[0] |= {"kind": 1, "reported_kind": 0}
    rows = [row[:2] for row in moves(city) if row[4] == 2]
    # the engine finds at 60 + 45 + 180 = 285 s that nobody is in the water: the boat left at 135 s, 150 s before
    assert rows == [
        (60.0, "DISPATCH"), (135.0, "ENROUTE"), (285.0, "TURN_BACK"), (435.0, "HOME"), (735.0, "AVAILABLE"),
    ]  # fmt: skip
