"""Who stood ready when: by hand on a line of cells, and on a day of stress in the city."""

from __future__ import annotations

import numpy as np
import pytest

from sim.assemble import InputsBuilder
from sim.compose import compose
from sim.engine import simulate
from sim.fleet.parts import ChangeKind
from sim.metrics.incidents import incident_table
from sim.metrics.planted import instants_until_back, planted_table, stress_table
from sim.metrics.readiness import PPM, readiness
from sim.metrics.rows import LogIndex

S = 1000
FOUR_MINUTES = {"cover_ms": 240 * S, "cover_bit": 0}


def _at(city, *seconds: float):
    inputs = city.inputs()
    return readiness(
        inputs, LogIndex(simulate(inputs, "simpy")), np.array([round(s * S) for s in seconds], dtype=np.int64)
    )


def test_a_unit_is_away_from_its_dispatch_until_it_is_ready_again_and_its_cover_with_it(engine_city):
    city = engine_city(policy=FOUR_MINUTES)
    for cell in (0, 5):
        city.unit(city.station(cell))
    city.incident(1_000, cell=0)  # dispatched 1060, there 1105, clear and home 1705, ready 2005
    found = _at(city, 1_059.999, 1_060, 1_705, 2_004.999, 2_005)
    assert found.n_units.tolist() == [2, 1, 1, 1, 2]
    assert found.cover_ppm.tolist() == [PPM, 900_000, 900_000, 900_000, PPM]  # cells 1 to 9 lie within 4 min of cell 5
    assert found.kept_ppm.tolist() == found.cover_ppm.tolist()


def test_a_second_vehicle_without_a_crew_is_not_ready(engine_city):
    city = engine_city(policy=FOUR_MINUTES)
    station = city.station(0, people=9)
    city.unit(station)
    city.unit(station)  # 9 people are two crews of 4 at least; the first leaves with 5, so that the second can follow
    city.incident(1_000, cell=0)
    city.incident(1_010, cell=0)
    found = _at(city, 0, 1_060, 1_070, 3_000)
    assert found.n_units.tolist() == [2, 1, 0, 2]
    alone = engine_city(policy=FOUR_MINUTES)
    station = alone.station(0, people=7)
    alone.unit(station)
    alone.unit(station)
    assert _at(alone, 0).n_units.tolist() == [1]


def test_a_unit_that_has_failed_is_lost_cover_until_it_is_mended_and_one_withdrawn_is_none(engine_city):
    city = engine_city(policy=FOUR_MINUTES)
    for cell in (0, 9):
        city.unit(city.station(cell))
    city.change(100, ChangeKind.UNIT_FAILS, 0, 0)
    city.change(500, ChangeKind.UNIT_MENDED, 0, 0)
    city.change(900, ChangeKind.UNIT_WITHDRAW, 0, 0)
    city.incident(5_000, cell=9)
    found = _at(city, 99, 100, 500, 900)
    assert found.n_units.tolist() == [2, 1, 2, 1]
    assert found.cover_ppm.tolist() == [PPM, 500_000, PPM, 500_000]
    assert found.kept_ppm.tolist() == [PPM, 500_000, PPM, PPM]


def test_cover_counts_by_the_incidents_to_be_expected_of_each_cell(engine_city):
    city = engine_city(policy=FOUR_MINUTES, cell_weight=[7, 1, 0, 0, 0, 0, 0, 0, 0, 2])
    city.unit(city.station(5))
    city.incident(1_000, cell=5)
    assert _at(city, 0).cover_ppm.tolist() == [300_000]  # cells 1 to 9


def test_cover_is_back_when_it_stays_so_and_not_before_the_worst():
    cover = np.array([9, 9, 5, 9, 4, 9, 9, 8, 9, 9, 9])
    assert instants_until_back(cover, 9, 3) == 8
    assert instants_until_back(cover, 9, 2) == 5
    assert instants_until_back(cover, 9, 4) == -1
    assert instants_until_back(cover, 4, 3) == 0


@pytest.fixture(scope="module")
def stressed() -> dict[str, tuple]:
    """A week with New Year's Eve planted in it, under two schedules."""
    builder, found = InputsBuilder(), {}
    for schedule in ("none", "plan"):
        choices = ["window=one_week", "schedule.is_outside_run_allowed=true", f"schedule={schedule}"]
        choices += ["planted=holiday", "planted.events.0.date=2026-06-03"]
        inputs = builder.build(compose(choices).settings, 0)
        log = simulate(inputs, "kernel")
        index = LogIndex(log)
        incidents = incident_table(inputs, log, np.full(len(inputs.demand.incidents), -1))
        found[schedule] = (planted_table(inputs, index, incidents), stress_table(inputs, index, incidents), incidents)
    return found


def test_every_scenario_meets_the_same_planted_incidents(stressed):
    for name in ("identity", "call_ms", "kind", "grade", "cell"):
        assert np.array_equal(stressed["none"][0][name], stressed["plan"][0][name])
    assert len(stressed["none"][0]["identity"]) == 200


def test_the_row_of_a_day_of_stress_adds_up_what_its_incidents_met_with(stressed):
    for planted, stress, incidents in stressed.values():
        own = (incidents["call_ms"] >= stress["begin_ms"][0]) & (incidents["call_ms"] <= stress["end_ms"][0])
        assert stress["causes"].tolist() == ["new_years_eve"]
        assert stress["n_planted"].tolist() == [200]
        assert stress["n_incidents"][0] == own.sum() > 200
        assert stress["n_dispatched"][0] == incidents["n_dispatched"][own].sum() >= planted["n_dispatched"].sum()
        assert 0 <= stress["n_ready_lowest"][0] < stress["n_ready_before"][0]
        assert stress["kept_lowest_ppm"][0] < stress["kept_before_ppm"][0] - 5_000
        assert stress["back_ms"][0] > stress["lowest_ms"][0]
        assert stress["n_help"].tolist() == [0]


def test_more_stations_and_people_keep_more_units_ready_at_the_worst(stressed):
    worst = {name: int(found[1]["n_ready_lowest"][0]) for name, found in stressed.items()}
    assert worst["plan"] > worst["none"]
