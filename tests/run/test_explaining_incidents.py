"""Claims about `explain`: the state is the one the rules saw, and each candidate's reason is the true one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sim.assemble import InputsBuilder, build_inputs
from sim.commands.explain import command
from sim.engine import simulate
from sim.engine.build import build_world
from sim.engine.log import LogKind
from sim.engine.world import UnitStatus
from sim.errors import DgsimError
from sim.fleet.parts import UnitMode
from sim.inputs import RunInputs
from sim.provenance import to_json
from sim.report.texts import Bi
from sim.run.candidates import rank_candidates, why_busy, why_not_ready
from sim.run.explain import decisions_of, explain, find_arm
from sim.run.work import CONFIG, RESULT, replication_folder
from sim.settings import load_settings


@dataclass(frozen=True)
class Case:
    inputs: RunInputs
    folder: Path


@pytest.fixture(scope="module")
def case(finished: Path) -> Case:
    folder = finished / "arms" / "plan"
    return Case(build_inputs(load_settings(folder / CONFIG), 0, InputsBuilder()), folder)


def test_the_unit_of_the_log_is_the_first_candidate_with_the_expected_arrival_of_the_log(case: Case) -> None:
    log = simulate(case.inputs, "simpy")
    incidents = range(0, len(case.inputs.demand.incidents), 4)
    n = 0
    for incident in incidents:
        is_ours = (log.rows["incident"] == incident) & (log.rows["kind"] != LogKind.CHANGE)
        for decision in decisions_of(case.inputs, log, np.flatnonzero(is_ours)):
            first = decision.candidates[0]
            assert (first.unit, first.expected_ms, first.why_not) == (decision.chosen, decision.expected_ms, None)
            n += 1
    assert n > 30


def test_candidates_that_can_go_come_first_by_expected_arrival_and_all_have_the_capability(case: Case) -> None:
    story = explain(case.folder, 0, "0")
    units = case.inputs.fleet.units
    for decision in story.decisions:
        able = [c for c in decision.candidates if not c.why_not]
        assert [c.expected_ms for c in able] == sorted(c.expected_ms for c in able)
        assert not any(c.why_not for c in decision.candidates[: len(able)])
        able_to = np.flatnonzero(units.capabilities >> np.uint64(decision.capability) & np.uint64(1))
        assert sorted(c.unit for c in decision.candidates) == able_to.tolist()


def test_identity_and_row_lead_to_the_same_incident(case: Case) -> None:
    story = explain(case.folder, 0, "5")
    identity = int(case.inputs.demand.incidents["identity"][story.incident])
    assert explain(case.folder, 0, str(identity)).incident == story.incident
    assert explain(case.folder, 0, hex(identity)).incident == story.incident


def test_what_is_not_there_is_a_clear_message(case: Case, finished: Path) -> None:
    for incident, told in (("x", "is not a number"), ("99999999", "is neither an identity"), ("-1", "is neither")):
        with pytest.raises(DgsimError, match=told):
            explain(case.folder, 0, incident)
    with pytest.raises(DgsimError, match="is not one of its arms; did you mean 'plan'"):
        find_arm(finished, "plann", 0)
    with pytest.raises(DgsimError, match="has no replication 7"):
        find_arm(finished, "plan", 7)


def test_a_run_that_comes_out_otherwise_now_is_not_told_as_the_stored_one(
    finished_copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = replication_folder(finished_copy / "arms" / "plan", 0) / RESULT
    stored = json.loads(path.read_text(encoding="utf-8"))
    asked = [str(finished_copy), "0", "--arm", "plan"]
    assert command(asked) == 0
    assert "NOT the stored run" not in capsys.readouterr().out
    path.write_text(to_json(stored | {"log_digest": "0" * 64}), encoding="utf-8")
    assert command(asked) == 2
    assert "NOT the stored run: made again, this replication has another event log" in capsys.readouterr().out
    path.write_text(to_json(stored | {"inputs": stored["inputs"] | {"policy": "0" * 64}}), encoding="utf-8")
    assert command(asked) == 2
    assert "has other inputs (policy) than result.json says" in capsys.readouterr().out


def text_of(reason: Bi | None) -> str:
    return "" if reason is None else reason.en


def unit_of(**given: int) -> dict[str, int]:
    return {
        "status": UnitStatus.AT_STATION,
        "is_in_service": 1,
        "is_failed": 0,
        "mode": UnitMode.ROAD,
        "crew_min": 4,
        "incident": 3,
    } | given


def station_of(**given: int) -> dict[str, int]:
    return {"is_open": 1, "people_on_duty": 8, "people_out": 0} | given


@pytest.mark.parametrize(
    ("unit", "station", "reason"),
    [
        (unit_of(), station_of(), ""),
        (unit_of(status=UnitStatus.TURNING_OUT), station_of(), "busy: turning out for incident 3"),
        (unit_of(status=UnitStatus.EN_ROUTE), station_of(), "busy: on its way to incident 3"),
        (unit_of(status=UnitStatus.ON_SCENE), station_of(is_open=0), "busy: at work at incident 3"),
        (unit_of(status=UnitStatus.MAKING_READY), station_of(), "busy: being made ready"),
        (unit_of(), station_of(is_open=0), "its station is not open"),
        (unit_of(is_in_service=0), station_of(), "not in service"),
        (unit_of(is_failed=1), station_of(), "broken down"),
        (unit_of(), station_of(people_out=5), "no crew: needs 4, 3 of 8 on duty are free"),
        (unit_of(), station_of(people_out=9), "no crew: needs 4, 0 of 8 on duty are free"),
    ],
)
def test_each_reason_is_told_by_the_state(unit: dict[str, int], station: dict[str, int], reason: str) -> None:
    assert text_of(why_busy(unit, is_craft=False) or why_not_ready(unit, station)) == reason


def test_an_aircraft_on_its_way_back_is_not_sent_and_a_vehicle_is() -> None:
    back = unit_of(status=UnitStatus.RETURNING)
    assert why_busy(back, is_craft=False) is None
    told = "busy: on its way back; boats are sent from their base only"
    assert text_of(why_busy(back | {"mode": UnitMode.WATER}, is_craft=True)) == told


def test_own_town_first_ranks_the_town_before_a_nearer_stranger(case: Case) -> None:
    from sim.engine.world import DISPATCH_OWN_TOWN_FIRST, DISPATCH_POLICY

    world = build_world(case.inputs)
    params = world.arrays["params"].copy()
    params[DISPATCH_POLICY] = DISPATCH_OWN_TOWN_FIRST
    params.flags.writeable = False
    world.arrays["params"] = params
    world.stations["is_open"] = 1
    world.stations["people_on_duty"] = 30
    world.units["is_in_service"] = 1
    towns = world.incidents["town"]
    strangers_nearer = 0
    for incident in range(0, len(towns), 10):
        ranked = rank_candidates(world, int(world.incidents["due_ms"][incident]), incident, 0)
        n_own = sum(c.is_own_town for c in ranked)
        assert n_own, "every town has an engine"
        assert all(c.is_own_town for c in ranked[:n_own])
        strangers_nearer += ranked[n_own].expected_ms < ranked[n_own - 1].expected_ms
    assert strangers_nearer > 0, "the case is one where the policies differ"
