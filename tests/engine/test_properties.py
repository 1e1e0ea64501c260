"""What must hold of any log, and the same log from both engines, over random small cities under pressure."""

from __future__ import annotations

import os
from collections import Counter

import numpy as np
import pytest

from sim.engine.log import LogKind
from tests.engine.happenings import MEETINGS, OF_LEVERS, RULES, happenings
from tests.engine.kept import city_of, hunt, keep, kept_cases
from tests.engine.random_cities import cities, cities_with_levers

K = LogKind

LEGAL = {
    K.DISPATCH: {"bay", "road home", "moving up", "post"}, K.ENROUTE: {"called", "called at post"}, K.ARRIVE: {"out"},
    K.CLEAR: {"scene", "handed over"}, K.HOME: {"road home"}, K.AVAILABLE: {"home"},
    K.TURN_BACK: {"called", "called at post", "out"}, K.TRANSPORT: {"scene"}, K.DELIVER: {"with patient"},
    K.HANDED_OVER: {"handing over"}, K.MOVE_UP: {"bay"}, K.STAND_BY: {"moving up"}, K.RECALL: {"moving up", "post"},
}  # fmt: skip
AFTER = {
    K.ENROUTE: "out", K.ARRIVE: "scene", K.TRANSPORT: "with patient", K.DELIVER: "handing over",
    K.HANDED_OVER: "handed over", K.CLEAR: "road home", K.HOME: "home", K.AVAILABLE: "bay",
    K.MOVE_UP: "moving up", K.STAND_BY: "post", K.RECALL: "road home",
}  # fmt: skip
STOOD_DOWN = {"called": "bay", "called at post": "post", "out": "road home"}


def check_log(city, log):
    """No unit is in two places, no crew leaves twice, every crew comes home."""
    rows = log.rows
    assert np.all(np.diff(rows["time_ms"]) >= 0)
    aboard: Counter[int] = Counter()
    crews: dict[int, int] = {}
    where: dict[int, str] = {}
    for row in rows:
        kind, unit = K(int(row["kind"])), int(row["unit"])
        if kind not in LEGAL:
            continue
        was = where.get(unit, "bay")
        assert was in LEGAL[kind], (kind, was)
        station = city.units[unit][0]
        if kind == K.DISPATCH:
            where[unit] = "called at post" if was == "post" else "called"
        elif kind == K.TURN_BACK:
            where[unit] = STOOD_DOWN[was]
        else:
            where[unit] = AFTER[kind]
        if kind == K.ENROUTE and unit not in crews:
            crews[unit] = int(row["value"])
            assert crews[unit] >= city.units[unit][2], "left with less than its smallest crew"
            aboard[station] += crews[unit]
        if kind == K.HOME:
            aboard[station] -= crews.pop(unit, 0)  # 0: it was moved up and called home without an incident
        assert aboard[station] >= 0
    assert not crews, "a crew never came home"


def check_needs(log):
    """Every need ends filled, released or counted as unfilled; every revealed incident closes once."""
    opened: set[tuple[int, int]] = set()
    unfilled = []
    for row in log.rows:
        kind, need = K(int(row["kind"])), (int(row["incident"]), int(row["slot"]))
        if kind == K.WAIT:
            opened.add(need)
        elif kind == K.DISPATCH:
            opened.discard(need)
        elif kind == K.UNFILLED:
            assert need in opened, "unfilled without having waited"
            opened.discard(need)
            unfilled.append(need)
    assert len(unfilled) == len(set(unfilled))
    calls = log.rows["incident"][log.rows["kind"] == K.CALL]
    closed = log.rows["incident"][log.rows["kind"] == K.CLOSED]
    revealed = log.rows["incident"][log.rows["kind"] == K.REVEAL]
    assert len(calls) == len(set(calls.tolist()))
    assert sorted(closed.tolist()) == sorted(revealed.tolist())
    assert int(log.rows["value"][-1]) == len(calls) - len(closed)


def check_city(city):
    """Play a city with both engines and check whatever must hold of any log."""
    log = city.run("both")
    check_log(city, log)
    check_needs(log)


def played(strategy, n_cases, seed_number):
    """Play random cities and count in how many each thing happens; a counterexample is kept and fails the test."""
    in_cases: Counter[str] = Counter()

    def check(city):
        check_city(city)
        in_cases.update(happenings(city).keys())

    found = hunt(strategy, check, n_cases=n_cases, seed_number=seed_number)
    if found is not None:
        path = keep(found.text, f"{type(found.error).__name__}: {found.error}")
        pytest.fail(f"kept as {path}, which is played again from now on:\n{found.text}\n{found.error}")
    return in_cases


def rare(in_cases, expected, least):
    return {name: in_cases[name] for name in expected if in_cases[name] < least}


def test_both_engines_agree_and_no_unit_crew_or_need_is_used_twice_or_lost(tiny):
    in_cases = played(cities(tiny), 200, 1)
    of_kinds = [f"row {kind.name}" for kind in K if kind not in OF_LEVERS]
    assert rare(in_cases, [*of_kinds, "dispatch 0", "dispatch 1"], 10) == {}


def test_both_engines_agree_with_every_lever_in_play(tiny):
    in_cases = played(cities_with_levers(tiny), 300, 1)
    assert rare(in_cases, [f"row {kind.name}" for kind in K], 3) == {}
    assert rare(in_cases, RULES, 30) == {}


@pytest.mark.slow
@pytest.mark.parametrize("part", range(2))
def test_both_engines_agree_with_every_lever_on_thousands_of_small_cities(tiny, part):
    """`PARITY_SEED` and `PARITY_CASES` look elsewhere and longer (CONTRIBUTING.md)."""
    n_cases, seed_number = int(os.environ.get("PARITY_CASES", "2000")), int(os.environ.get("PARITY_SEED", "2"))
    in_cases = played(cities_with_levers(tiny), n_cases, 2 * seed_number + part)
    assert rare(in_cases, [f"row {kind.name}" for kind in K], n_cases // 200) == {}
    assert rare(in_cases, RULES, n_cases // 10) == {}
    assert rare(in_cases, MEETINGS, 1) == {}


@pytest.mark.slow
def test_both_engines_agree_on_thousands_of_small_cities(tiny):
    played(cities(tiny), 2000, 3)


@pytest.mark.parametrize("name", kept_cases())
def test_a_case_once_kept_is_played_again(name):
    """Those put there for what seldom happens (`# holds: …`) must hold it still."""
    text = kept_cases()[name]
    check_city(city_of(text))
    if text.startswith("# holds: "):
        assert happenings(city_of(text))[text.splitlines()[0].removeprefix("# holds: ")] > 0


def test_the_digest_depends_on_every_column(tiny):
    city = tiny()
    city.unit(city.station(0))
    city.incident(0, cell=3)
    log = city.run()
    first = log.digest()
    for name in log.rows.dtype.names:
        log.rows[name][-2] += 1
        assert log.digest() != first
        log.rows[name][-2] -= 1
    assert log.digest() == first
