"""Where the engines differ, `engine=both` stops at the first event that does and shows the state around it."""

from __future__ import annotations

import re

import pytest

from sim.engine.model import CityModel, Happening
from sim.engine.world import N_WAITING
from sim.errors import EngineError
from tests.engine.conftest import TinyCity

S = 1000


def two_calls() -> TinyCity:
    """One unit and two calls: the second waits until the unit clears at 885 s, which sends it on."""
    city = TinyCity()
    city.unit(city.station(0))
    city.incident(0, cell=3)
    city.incident(30, cell=6)
    return city


def difference(city: TinyCity) -> list[str]:
    with pytest.raises(EngineError) as raised:
        city.run("both")
    return str(raised.value).splitlines()


def fields(lines: list[str], heading: str, moment: str, engine: str) -> dict[str, str]:
    """The fields of one thing at one moment on one engine, as the text gives them."""
    start = lines.index(heading)
    line = next(line for line in lines[start:] if line.split()[:2] == [moment, engine])
    return dict(field.split("=") for field in line.split()[2:])


@pytest.fixture
def late_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A SimPy engine in which a unit that comes home is a millisecond longer made ready."""
    home = CityModel._home

    def broken(self: CityModel, event: Happening) -> None:
        if event.mission == self.arrays.units["mission"][event.entity]:
            self.arrays.units["ready_ms"][event.entity] = 300 * S + 1
        home(self, event)

    monkeypatch.setattr(CityModel, "_home", broken)


@pytest.mark.usefixtures("late_home")
def test_both_stops_at_the_event_whose_state_differs_though_the_rows_differ_later() -> None:
    lines = difference(two_calls())
    at = next(place for place, line in enumerate(lines) if line.startswith("the first event that differs"))
    assert lines[0] == "the engines differ from row 21 on"
    assert [line for line in lines[:at] if line.startswith("->")] == [
        f"-> 21 t={2_325 * S + 1} AVAILABLE incident=-1 slot=-1 unit=0 mission=2 value=-1",
        f"-> 21 t={2_325 * S} AVAILABLE incident=-1 slot=-1 unit=0 mission=2 value=-1",
    ]
    told = f"t={2_025 * S} HOME entity=0 mission=2; rows written: HOME"
    assert lines[at + 1 : at + 3] == [f"event   SimPy  {told}", f"event   kernel {told}"]
    assert fields(lines, "unit 0", "after", "SimPy")["ready_ms"] == "300001*"
    assert fields(lines, "unit 0", "after", "kernel")["ready_ms"] == "-1*"
    assert "ready_ms" in fields(lines, "unit 0", "before", "kernel"), "a field apart is shown at both moments"
    marked = [line for line in lines[at:] if "*" in line]
    assert [line.split()[:2] for line in marked] == [["after", "SimPy"], ["after", "kernel"]]


def test_both_tells_incident_slots_station_and_queue_of_the_event_that_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    clear = CityModel._clear

    def broken(self: CityModel, event: Happening) -> None:
        n_waiting, self.arrays.counts[N_WAITING] = int(self.arrays.counts[N_WAITING]), 0
        clear(self, event)
        self.arrays.counts[N_WAITING] = n_waiting

    monkeypatch.setattr(CityModel, "_clear", broken)
    lines = difference(two_calls())
    assert f"event   SimPy  t={885 * S} CLEAR entity=0 mission=1; rows written: CLEAR, CLOSED" in lines
    assert (
        f"event   kernel t={885 * S} CLEAR entity=0 mission=1; rows written: CLEAR, CLOSED, DISPATCH, ENROUTE" in lines
    )
    assert fields(lines, "unit 0", "before", "SimPy")["status"] == "ON_SCENE"
    assert fields(lines, "unit 0", "after", "SimPy")["status"] == "RETURNING*"
    assert fields(lines, "unit 0", "after", "kernel")["status"] == "EN_ROUTE*"
    assert fields(lines, "station 0", "after", "kernel")["people_on_duty"] == "12"
    assert fields(lines, "station 0", "after", "kernel")["people_out"] == "6"
    assert fields(lines, "incident 1", "after", "SimPy")["n_waiting"] == "1*"
    assert fields(lines, "incident 1", "after", "kernel")["n_active"] == "1*"
    assert fields(lines, "slot 1", "after", "SimPy")["status"] == "WAITING*"
    assert fields(lines, "slot 1", "after", "kernel")["unit"] == "0*"
    queue = lines[lines.index("needs that wait (incident/number of the slot)") + 1 :]
    assert queue == ["  before SimPy  1/0", "  before kernel 1/0", "  after  SimPy  1/0*", "  after  kernel none*"]


def test_both_says_which_engine_stopped_at_a_fault_and_shows_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    enroute = CityModel._enroute

    def broken(self: CityModel, event: Happening) -> None:
        self.arrays.units["status"][event.entity] = 0
        enroute(self, event)

    monkeypatch.setattr(CityModel, "_enroute", broken)
    lines = difference(two_calls())
    fault = f"the engine stopped at {105 * S} ms (en route): unit 0 met an event that its status 0 does not allow"
    assert lines[:3] == ["an engine did not run to its end", f"SimPy: {fault}", "kernel: ran to its end"]
    assert f"event   SimPy  t={105 * S} ENROUTE entity=0 mission=1; rows written: none; {fault}" in lines
    assert fields(lines, "unit 0", "after", "kernel")["status"] == "EN_ROUTE*"


def test_both_shows_the_end_of_the_run_where_only_that_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    finish = CityModel.finish

    def broken(self: CityModel):
        self.arrays.counts[N_WAITING] = 0
        return finish(self)

    monkeypatch.setattr(CityModel, "finish", broken)
    city = TinyCity()
    city.unit(city.station(0, people=0))
    city.incident(0, cell=3)
    lines = difference(city)
    assert "event   SimPy  end of run, 1 rows" in lines
    assert "event   kernel end of run, 2 rows" in lines
    assert fields(lines, "slot 0", "after", "kernel")["status"] == "UNFILLED*"


def test_a_shift_of_a_large_city_is_told_in_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    shift = CityModel._shift

    def broken(self: CityModel, event: Happening) -> None:
        shift(self, event)
        self.arrays.stations["people_on_duty"][:] = 1

    monkeypatch.setattr(CityModel, "_shift", broken)
    city = TinyCity()
    for _ in range(50):
        city.unit(city.station(0))
    city.roster = [(0, [12] * 50, False), (10, [11] * 50, False)]
    city.incident(30, cell=3)
    lines = difference(city)
    assert [line for line in lines if line.startswith("…")] == ["… and 44 stations more"]
    assert sum(bool(re.match(r"station \d", line)) for line in lines) == 6
