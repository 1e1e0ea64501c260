"""What "3+2" takes from "2+2+2", and what a medical call takes from the fire after it, in milliseconds by hand."""

from __future__ import annotations

from sim.engine.log import LogKind
from tests.engine.conftest import AERIAL, FOAM, RESCUE, WATER, TinyCity, told

TWO_TWO_TWO = ((WATER,), (WATER,), (WATER, FOAM), (WATER, FOAM), (RESCUE,), (AERIAL,))
THREE_TWO = ((RESCUE,), (AERIAL,), (WATER,), (WATER, FOAM), (WATER, FOAM))


def centre(vehicles: tuple[tuple[int, ...], ...]) -> TinyCity:
    """A centre station at cell 2 with people for all, and four engines at cell 8: five minutes from cell 3."""
    city = TinyCity(cards=[[(WATER, 1, True)] * 4])
    station = city.station(cell=2, people=36)
    for capabilities in vehicles:
        city.unit(station, *capabilities)
    far = city.station(cell=8, people=24)
    for _ in range(4):
        city.unit(far)
    city.incident(0, cell=3)
    return city


def arrivals(city: TinyCity, incident: int = 0) -> list[float]:
    return [row[0] for row in told(city.run(), LogKind.ARRIVE, incident=incident)]


def test_the_fourth_engine_of_a_first_alarm_comes_four_minutes_later_where_the_centre_has_one_pump_less() -> None:
    # order 60 s, turnout 45 s; a minute from the centre, five from the next station
    assert arrivals(centre(TWO_TWO_TWO)) == [165.0] * 4
    assert arrivals(centre(THREE_TWO)) == [165.0, 165.0, 165.0, 405.0]


def medical(*, is_answered: bool) -> TinyCity:
    """A rescue truck at cell 2 and one at cell 7; a medical call in cell 2, then a crash in cell 3 while it is away."""
    city = TinyCity(cards=[[(RESCUE, 1, True)], [(RESCUE, 1, True)]], priority=[1, 3])
    for cell in (2, 7):
        city.unit(city.station(cell=cell), RESCUE)
    city.incident(300, cell=3)
    city.incident(2000, cell=3)
    if is_answered:
        city.incident(0, cell=2, kind=1)
    return city


def test_a_rescue_call_beside_a_medical_one_is_met_from_the_next_station_and_a_later_one_as_ever() -> None:
    without, with_ = (
        [(row[0], row[4]) for row in told(medical(is_answered=answered).run(), LogKind.ARRIVE)]
        for answered in (False, True)
    )
    # 300 + 60 + 45 s and one minute from cell 2; from cell 7 four: three minutes later
    assert without == [(465.0, 0), (2165.0, 0)]
    # the medical call is met at 60 + 45 s and keeps the near truck until 705 s
    assert with_ == [(105.0, 0), (645.0, 1), (2165.0, 0)]
