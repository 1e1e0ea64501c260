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
from hypothesis import strategies as st

from sim import api
from sim.engine import simulate
from sim.engine.log import LOG_DTYPE, EventLog
from tests.engine import (
    test_aircraft,
    test_boats,
    test_breakdowns,
    test_changes,
    test_course_of_an_incident,
    test_cover_and_help,
    test_crews_over_time,
    test_dispatch,
    test_effects,
    test_mutual_aid,
    test_one_incident,
    test_passed_over,
    test_recorded_durations,
    test_scenes,
    test_sent_on,
    test_special_teams,
    test_transport,
    test_vehicles_and_120,
    test_ways,
    test_weather,
)  # fmt: skip
from tests.engine.conftest import TinyCity
from tests.engine.kept import city_of, hunt, keep, kept_cases
from tests.engine.naive import choice, cover, ways
from tests.engine.naive.codes import LOG, LOG_NAME
from tests.engine.naive.loop import interpret
from tests.engine.naive.needs import Needs
from tests.engine.naive.standing import Standing
from tests.engine.naive.units import Course
from tests.engine.random_cities import FOCI, LAWS, cities, cities_with_levers

BY_HAND = (
    test_aircraft, test_boats, test_breakdowns, test_changes, test_course_of_an_incident, test_cover_and_help,
    test_crews_over_time, test_dispatch, test_effects, test_mutual_aid, test_one_incident, test_passed_over,
    test_recorded_durations, test_scenes, test_sent_on, test_special_teams, test_transport,
    test_vehicles_and_120, test_ways, test_weather,
)  # fmt: skip


def told(row):
    time_ms, value, incident, unit, mission, slot, kind = row
    return f"{time_ms} ms {LOG_NAME[kind]} incident {incident} slot {slot} unit {unit} mission {mission} value {value}"


def rows_of(inputs, engine):
    return [tuple(int(field) for field in row) for row in simulate(inputs, engine).rows]


def check_same(city, *engines):
    """Return a city's inputs and the interpreter's rows, which each engine's have to be; the first other is told."""
    inputs = city.inputs()
    naive = interpret(inputs)
    for engine in engines:
        rows = rows_of(inputs, engine)
        if rows == naive:
            continue
        at = next((i for i, (a, b) in enumerate(zip(naive, rows, strict=False)) if a != b), min(len(naive), len(rows)))
        sides = [
            f"{side}: {told(of[at]) if at < len(of) else 'nothing'}" for side, of in (("naive", naive), (engine, rows))
        ]
        raise AssertionError("\n".join([*map(told, naive[max(0, at - 10) : at]), *sides]))
    return inputs, naive


# --- random cities ----------------------------------------------------------------------------------------------------


@st.composite
def spread_cities(draw, tiny, foci=FOCI):
    """Cities with every lever in play in which ranks tell, one of another, what is looked up at each stage."""
    city = draw(cities_with_levers(tiny, foci))
    for stage in draw(st.sets(st.sampled_from(["handling", "turnout", "access", "scene_by_air", "latent"]))):
        city.quantiles[stage] = LAWS["exponential, 200 s"]
    return city


def hunted(strategy, n_cases, seed_number, *engines):
    """Play random cities; return them with the log of the compiled loop, or fail with the smallest that differs."""
    cases = []

    def check(city):
        cases.append(check_same(city, *engines))

    found = hunt(strategy, check, n_cases=n_cases, seed_number=seed_number)
    if found is not None:
        path = keep(found.text, f"{type(found.error).__name__}: {found.error}")
        pytest.fail(f"kept as {path}, which is played again from now on:\n{found.text}\n{found.error}")
    return cases


def kinds_in(cases):
    return {row[-1] for _, rows in cases for row in rows}


def test_it_writes_the_log_of_both_engines(tiny):
    assert len(hunted(cities(tiny), 80, 1, "simpy", "kernel")) == 80


@pytest.fixture(scope="module")
def cases():
    """Random cities with every lever in play, whose logs are the same from all three; some rules are seldom met."""
    kinds = ((30, ("told too high",)), (20, ("by air alone",)), (60, ("craft",)), (120, FOCI))
    return [case for n, foci in kinds for case in hunted(spread_cities(TinyCity, foci), n, 1, "simpy", "kernel")]


def test_it_writes_the_log_of_both_engines_with_every_lever_in_play(cases):
    assert set(LOG_NAME) - kinds_in(cases) <= {LOG["RECALL"]}  # rare: of the cities by hand many have it


@pytest.mark.parametrize("name", kept_cases())
def test_a_case_once_kept_is_played_by_all_three(name):
    check_same(city_of(kept_cases()[name]), "simpy", "kernel")


@pytest.mark.slow
def test_it_writes_their_log_on_thousands_of_small_cities():
    assert kinds_in(hunted(spread_cities(TinyCity), 2000, 2, "kernel")) == set(LOG_NAME)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["plan", "everything"])
def test_it_writes_the_log_of_a_week_of_the_city_that_comes_with_the_program(scenario):
    week = ("window=one_week", "schedule.is_outside_run_allowed=true")
    played = api.run_replication(*week, f"scenario={scenario}")
    assert interpret(played.inputs) == [tuple(int(field) for field in row) for row in played.log.rows]


# --- cities worked out by hand ----------------------------------------------------------------------------------------


def run_by_hand(city, engine="both"):
    """Return the interpreter's log of a tiny city, once it is found to be that of both engines."""
    _, rows = check_same(city, "simpy", "kernel")
    return EventLog(np.array(rows, dtype=LOG_DTYPE))


@pytest.fixture(scope="module", autouse=True)
def _interpreted():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TinyCity, "run", run_by_hand)
        yield


def claims_of(modules):
    """Return the tests of some files by a name that says which file they are of."""
    return {
        f"{name}__of_{module.__name__.rsplit('.')[-1]}": claim
        for module in modules for name, claim in vars(module).items()
        if name.startswith("test_") and inspect.isfunction(claim)
    }  # fmt: skip


globals().update(claims_of(BY_HAND))


# --- a wrong rule is seen ---------------------------------------------------------------------------------------------


def does_nothing(*_):
    return None


def _without_windows(city, unit, slot, sign):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Needs, "await_flight", does_nothing)
        _NOTES(city, unit, slot, sign)


_NOTES = Course.note_flight
_TELLS = Needs.tell_if_met
WRONG = {
    "all who are free ride": (choice, "crew_for", lambda city, unit: choice.people_free(city, unit.station)),
    "help is always released": (choice, "is_released", lambda *_: True),
    "the road is where it leads": (ways, "place_of", lambda city, unit, now: unit.to_cell),
    "half a millisecond counts": (ways, "times_q16", lambda ms, factor_q16: (ms * factor_q16 + 32768) >> 16),
    "all hours are for flying": (ways, "may_fly", lambda *_: True),
    "the queue goes by slot alone": (
        Needs, "waiting", lambda city: [slot for incident in city.incidents for slot in incident.slots if slot.waits]
    ),
    "the queue knows the truth": (
        Needs, "waiting", lambda city: sorted(
            (slot for incident in city.incidents for slot in incident.slots if slot.waits),
            key=lambda s: (int(city.inputs.kinds.priority[s.incident.true_kind]), s.incident.call_ms, s.incident.id),
        )
    ),
    "a craft is weighed by the truth": (
        choice, "mean_access_ms",
        lambda city, incident: ways.table_mean(city, int(city.inputs.durations.access[incident.true_kind])),
    ),
    "once told is told": (
        Needs, "tell_if_met", lambda city, incident: incident.met_ms < 0 and _TELLS(city, incident)
    ),
    "who came for no need takes none": (Needs, "take_need", does_nothing),
    "an incident outgrows no grade": (Needs, "plan_escalation", does_nothing),
    "nobody rests": (Course, "rest", does_nothing),
    "leaving costs no cover": (cover, "cover_lost", lambda *_: 0),
    "any station may give its last": (cover, "sole_cover", lambda *_: 0),
    "nobody moves up": (Standing, "look", does_nothing),
    "tracks are no way": (ways, "wait_and_walk_ms", lambda *_: 0),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_rule_that_is_wrong_on_one_side_is_seen_by_random_cities(cases, monkeypatch, wrong):
    monkeypatch.setattr(*WRONG[wrong])
    assert any(interpret(inputs) != rows for inputs, rows in cases)


def test_windows_that_stay_as_they_were_are_seen_by_a_city_worked_out_by_hand(tiny, rows_of, monkeypatch):
    claim = test_ways.test_flying_time_that_is_booked_opens_a_window_at_midnight_for_the_next_that_waits
    claim(tiny, rows_of)
    monkeypatch.setattr(Course, "note_flight", _without_windows)  # random cities meet it seldom
    with pytest.raises(AssertionError):
        claim(tiny, rows_of)


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
