"""A special team gathers, drives and serves the need that nobody else can; all other rows stay as they are."""

from __future__ import annotations

from sim.engine.log import LogKind
from tests.engine.conftest import WATER, TinyCity, told

FOREST = 4


def hill_fire(*, is_team_there: bool) -> TinyCity:
    """A fire in cell 2 that asks for an engine and the forest team; the team stands in cell 8 and gathers for 600 s."""
    city = TinyCity(cards=[[(WATER, 1, True), (FOREST, 1, False)]])
    city.unit(city.station(cell=0), WATER)
    base = city.station(cell=8, is_open=is_team_there)
    city.unit(base, FOREST, crew_min=5, crew=10, callout_ms=600_000)
    city.incident(0, cell=2)
    return city


def test_a_team_comes_after_its_call_out_and_nothing_else_moves() -> None:
    rows = {is_there: told(hill_fire(is_team_there=is_there).run()) for is_there in (True, False)}
    team = [row for row in rows[True] if row[4] == 1 and row[1] != "CHANGE"]
    # dispatch order 60 s; turnout 45 s + call-out 600 s; six cells of a minute; ten minutes of work
    assert [(row[0], row[1]) for row in team][:4] == [
        (60.0, "DISPATCH"), (705.0, "ENROUTE"), (1065.0, "ARRIVE"), (1665.0, "CLEAR"),
    ]  # fmt: skip
    engine = {is_there: [row for row in of if row[4] == 0 and row[1] != "CHANGE"] for is_there, of in rows.items()}
    assert engine[True] == engine[False]
    waits = [row[:2] for row in rows[False] if row[1] in (LogKind.WAIT.name, LogKind.UNFILLED.name)]
    # the engine is there at 225 s and clears at 825 s: the incident is over, the need was never filled
    assert waits == [(60.0, "WAIT"), (825.0, "UNFILLED")]
    assert not any(row[1] in ("WAIT", "UNFILLED") for row in rows[True])
