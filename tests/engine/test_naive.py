"""The naive interpreter against both engines, row by row, and against the milliseconds worked out by hand.

The rules are shared by the SimPy model and the compiled loop, so a wrong rule is the same in both. `tests/engine/naive`
is written from the documentation (`docs/rules.md`) in lists and sorts, imports nothing of the engine, and leaves out no
lever. It stands in for the engine in the tests of the neighbouring files that work a log out by hand.
"""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.engine import simulate
from sim.engine.log import LOG_DTYPE, EventLog
from tests.engine import (
    test_aircraft,
    test_boats,
    test_breakdowns,
    test_changes,
    test_city_claims,
    test_course_of_an_incident,
    test_cover_and_help,
    test_crews_over_time,
    test_dispatch,
    test_effects,
    test_mutual_aid,
    test_one_incident,
    test_passed_over,
    test_recorded_durations,
    test_roster_lever,
    test_scenes,
    test_sent_on,
    test_transport,
    test_ways,
    test_weather,
)  # fmt: skip
from tests.engine.conftest import TinyCity
from tests.engine.naive.codes import LOG_NAME
from tests.engine.naive.loop import interpret
from tests.engine.random_cities import cities, cities_with_levers

BY_HAND = (
    test_breakdowns, test_changes, test_city_claims, test_course_of_an_incident, test_cover_and_help,
    test_crews_over_time, test_dispatch, test_effects, test_mutual_aid, test_one_incident, test_passed_over,
    test_recorded_durations, test_roster_lever, test_scenes, test_sent_on, test_transport, test_ways, test_weather,
)  # fmt: skip


def told(row):
    time_ms, value, incident, unit, mission, slot, kind = row
    return f"{time_ms} ms {LOG_NAME[kind]} incident {incident} slot {slot} unit {unit} mission {mission} value {value}"


def check_same(city, *engines):
    """Compare the interpreter's rows with those of each engine; the first that differs is told with those before it."""
    inputs = city.inputs()
    naive = interpret(inputs)
    for engine in engines:
        rows = [tuple(int(field) for field in row) for row in simulate(inputs, engine).rows]
        if rows == naive:
            continue
        at = next((i for i, (a, b) in enumerate(zip(naive, rows, strict=False)) if a != b), min(len(naive), len(rows)))
        sides = [
            f"{side}: {told(of[at]) if at < len(of) else 'nothing'}" for side, of in (("naive", naive), (engine, rows))
        ]
        pytest.fail("\n".join([*map(told, naive[max(0, at - 10) : at]), *sides]))


# --- random cities ----------------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(data=st.data())
def test_it_writes_the_log_of_both_engines(tiny, data):
    check_same(data.draw(cities(tiny)), "simpy", "kernel")


@settings(max_examples=150)
@given(data=st.data())
def test_it_writes_the_log_of_both_engines_with_every_lever_in_play(tiny, data):
    check_same(data.draw(cities_with_levers(tiny)), "simpy", "kernel")


@pytest.mark.slow
@settings(max_examples=1500)
@given(data=st.data())
def test_it_writes_their_log_on_thousands_of_small_cities(tiny, data):
    check_same(data.draw(cities_with_levers(tiny)), "kernel")


# --- cities worked out by hand ----------------------------------------------------------------------------------------


class Interpreted(TinyCity):
    """A tiny city whose log is the interpreter's, once it is found to be that of both engines."""

    def run(self, engine: str = "both") -> EventLog:
        check_same(self, "simpy", "kernel")
        return EventLog(np.array(interpret(self.inputs()), dtype=LOG_DTYPE))


@pytest.fixture(scope="module")
def tiny() -> type[TinyCity]:
    return Interpreted


def claims_of(modules):
    """Return the tests of some files that ask for nothing but a city and a look at its rows, by a name of their own."""
    claims = {}
    for module in modules:
        for name, claim in vars(module).items():
            if name.startswith("test_") and inspect.isfunction(claim) and "tiny" in inspect.signature(claim).parameters:
                claims[f"{name}__of_{module.__name__.rsplit('.')[-1]}"] = claim
    return claims


globals().update(claims_of(BY_HAND))


@pytest.mark.parametrize("given", [test_aircraft.hill_rescue, test_boats.river_rescue])
def test_it_knows_aircraft_and_boats(given):
    check_same(given(), "simpy", "kernel")


# --- what it may know -------------------------------------------------------------------------------------------------


def imported_by(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module


def test_it_imports_nothing_of_the_program(root):
    files = sorted(Path(root, "tests/engine/naive").glob("*.py"))
    assert {path.name for path in files} >= {"loop.py", "choice.py", "ways.py"}
    names = {name.split(".")[0] for path in files for name in imported_by(path)}
    assert names <= {"__future__", "collections", "dataclasses", "math", "typing"}
