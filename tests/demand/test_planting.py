"""Planted incidents: exact numbers at stated dates, rare ones by turns, and nothing else moved."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sim.demand.draw import draw_demand, split_identity
from sim.demand.planted_settings import PlantedEvent, PlantedSeries, PlantedSettings
from sim.demand.planting import Planting, prepare_planting, whole_shares
from sim.demand.types import EVENT, SERIES, Demand
from sim.errors import InputError
from sim.units import MS_PER_DAY, MS_PER_H

SEED = 11
FLOOD = PlantedEvent(
    "flood", "2023-05-22", 5, 8, 30, {"flood_rescue": 0.5, "road_rescue": 0.3, "social_other": 0.2},
    town="guancheng", range_km=12, storm="rainstorm",
)  # fmt: skip
FIRE = PlantedEvent("fire", "2023-05-22", 9, 0, 1, {"factory_fire": 1.0}, grade=4, town="changan")


def _settings(*events: PlantedEvent, series: tuple[PlantedSeries, ...] = (), every_days: int = 2) -> PlantedSettings:
    return PlantedSettings("tiny", "小", "tiny", list(events), list(series), every_days)


def _prepared(world, calendar, settings: PlantedSettings) -> tuple[Planting, object]:
    intensity = world.intensity(calendar)
    surges = tuple(world.settings.surges)
    return prepare_planting(world.city, world.tables, settings, calendar, intensity, surges), intensity


def _drawn(world, calendar, settings: PlantedSettings, replication: int = 0) -> Demand:
    planting, intensity = _prepared(world, calendar, settings)
    return draw_demand(intensity, SEED, replication, planting)


def _planted(demand: Demand) -> np.ndarray:
    return demand.incidents[np.isin(demand.incidents["identity"], demand.planted["identity"])]


def test_planting_leaves_every_other_incident_as_it_was_to_the_last_bit(world, year):
    plain = world.draw(year, seed=SEED)
    with_it = _drawn(world, year, _settings(FLOOD, FIRE))
    is_planted = np.isin(with_it.incidents["identity"], with_it.planted["identity"])
    assert is_planted.sum() == 31
    assert np.array_equal(with_it.incidents[~is_planted], plain.incidents)
    assert np.array_equal(with_it.surge_days[:-1], plain.surge_days)


def test_an_event_has_exactly_its_incidents_by_kind_within_its_hours(world, year):
    demand = _drawn(world, year, _settings(FLOOD))
    rows = _planted(demand)
    begin = year.ms_of(np.datetime64("2023-05-22").item()) + 5 * MS_PER_H
    assert rows["call_ms"].min() >= begin
    assert rows["call_ms"].max() < begin + 8 * MS_PER_H
    codes = [world.tables.kinds.code[kind] for kind in rows["kind"]]
    assert {code: codes.count(code) for code in set(codes)} == {"flood_rescue": 15, "road_rescue": 9, "social_other": 6}
    assert set(split_identity(rows["identity"]).process.tolist()) == {EVENT}
    assert set(demand.planted["per_year"].tolist()) == {0.0}


def test_the_storm_of_an_event_is_a_surge_day_of_its_hours(world, year):
    storm = _drawn(world, year, _settings(FLOOD)).surge_days[-1]
    begin = year.ms_of(np.datetime64("2023-05-22").item()) + 5 * MS_PER_H
    assert (int(storm["begin_ms"]), int(storm["end_ms"])) == (begin, begin + 8 * MS_PER_H)
    assert list(world.settings.surges)[int(storm["surge_type"])] == "rainstorm"


def test_an_event_of_no_hours_happens_at_its_instant_in_its_town_with_its_grade(world, year):
    (row,) = _planted(_drawn(world, year, _settings(FIRE)))
    assert row["call_ms"] == year.ms_of(np.datetime64("2023-05-22").item()) + 9 * MS_PER_H
    assert world.city.towns.code[row["town"]] == "changan"
    assert world.city.cells.town[row["cell"]] == row["town"]
    assert row["grade"] == 4
    assert abs(int(row["reported_grade"]) - 4) <= 1


def test_changing_one_event_moves_none_of_another(world, year):
    more = dataclasses.replace(FIRE, from_h=11)
    first, second = (_drawn(world, year, _settings(FLOOD, fire)) for fire in (FIRE, more))
    of_flood = [d.planted["identity"][d.planted["cause"] == 0] for d in (first, second)]
    assert np.array_equal(*of_flood)
    rows = [d.incidents[np.isin(d.incidents["identity"], of_flood[0])] for d in (first, second)]
    assert np.array_equal(*rows)


def test_a_date_has_the_same_planted_incidents_whatever_the_window(world, year):
    shorter = world.calendar("2023-05-01", "2023-06-01")
    whole, part = (_planted(_drawn(world, calendar, _settings(FLOOD))) for calendar in (year, shorter))
    moved = whole.copy()
    moved["call_ms"] -= shorter.start.toordinal() * MS_PER_DAY - year.start.toordinal() * MS_PER_DAY
    assert np.array_equal(moved, part)


def test_whole_shares_make_the_total_by_the_largest_remainder():
    assert whole_shares([0.5, 0.3, 0.2], 10).tolist() == [5, 3, 2]
    assert whole_shares([1 / 3, 1 / 3, 1 / 3], 10).tolist() == [4, 3, 3]
    assert whole_shares([0.05, 0.95], 3).tolist() == [0, 3]


SERIES_OF_TWO = (
    PlantedSeries("tunnel", ["rail_tunnel_rescue"]),
    PlantedSeries("big", ["home_fire", "factory_fire"], 4),
)


def test_series_take_turns_two_days_apart_and_the_turn_moves_on_with_the_replication(world, year):
    for replication in (0, 1):
        demand = _drawn(world, year, _settings(series=SERIES_OF_TWO), replication)
        rows = _planted(demand)
        days = rows["call_ms"] // MS_PER_DAY
        assert set(np.diff(days).tolist()) == {2}
        assert np.diff(rows["call_ms"]).min() > MS_PER_DAY
        cause = {int(p["identity"]): int(p["cause"]) for p in demand.planted}
        turn = np.array([cause[int(identity)] for identity in rows["identity"]])
        assert set(np.abs(np.diff(turn)).tolist()) == {1}
        first = (int(days[0]) + (year.start - np.datetime64(world.city.epoch, "D").item()).days) // 2
        assert turn[0] == (first + replication) % 2
        assert set(split_identity(rows["identity"]).process.tolist()) == {SERIES}


def test_a_class_of_grades_has_those_grades_only_in_proportion_to_their_yearly_numbers(world, year):
    """Of 4-5 grades: home 4,800 x (180, 20) and factory 1,500 x (1,200, 100) hundred-thousandths of kinds.csv."""
    series = (PlantedSeries("big", ["home_fire", "factory_fire"], 4),)
    demands = [_drawn(world, year, _settings(series=series, every_days=1), replication) for replication in range(6)]
    rows = np.concatenate([_planted(demand) for demand in demands])
    n = len(rows)
    assert set(rows["grade"].tolist()) == {4, 5}
    is_factory = rows["kind"] == world.tables.kinds.code.index("factory_fire")
    share = 1_500 * 1_300 / (1_500 * 1_300 + 4_800 * 200)
    assert is_factory.mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / n))
    assert (rows["grade"][is_factory] == 5).mean() == pytest.approx(100 / 1_300, abs=0.04)


def test_the_planted_of_a_class_stand_together_for_what_a_year_brings_by_chance(world, year):
    """Sixteen thousand alarms times 10 in 100,000 tunnel rescues: 1.6 a year of 365 days."""
    demand = _drawn(world, year, _settings(series=SERIES_OF_TWO[:1]))
    assert len(demand.planted) == 183
    assert demand.planted["per_year"].sum() == pytest.approx(1.6 * 365.25 / 365, rel=1e-6)


def test_incidents_at_once_share_their_instant_and_have_places_of_their_own(world, year):
    series = (PlantedSeries("two", ["home_fire"], 3, 3, at_once=2),)
    demand = _drawn(world, year, _settings(series=series))
    call = _planted(demand)["call_ms"].reshape(-1, 2)
    assert (call[:, 0] == call[:, 1]).all()
    assert len(np.unique(call[:, 0])) == len(call)
    cell = _planted(demand)["cell"].reshape(-1, 2)
    assert (cell[:, 0] != cell[:, 1]).mean() > 0.95
    assert set(demand.planted["per_year"].tolist()) == {0.0}


def test_every_fault_of_the_planted_is_told_together(world, year):
    events = (
        dataclasses.replace(FLOOD, date="2024-01-01"),
        dataclasses.replace(FIRE, name="b", town="chagnan", kind_share={"factory_fir": 1.0}),
        dataclasses.replace(FIRE, name="c", kind_share={"wasp_nest": 1.0}, storm="typhon"),
        dataclasses.replace(FIRE, name="d", kind_share={"petrochemical_fire": 1.0}, town="xiegang"),
    )
    with pytest.raises(InputError) as caught:
        _prepared(world, year, _settings(*events))
    told = [(problem.where.removeprefix("planted.events: "), problem.value) for problem in caught.value.problems]
    assert told == [
        ("flood: date", "2024-01-01"), ("b: kind_share", "factory_fir"), ("b: town", "chagnan"),
        ("c: storm", "typhon"), ("c: grade", 4), ("d: town", "xiegang"),
    ]  # fmt: skip


def test_a_class_that_nothing_belongs_to_is_refused(world, year):
    with pytest.raises(InputError, match="no incident of its kinds and grades"):
        _prepared(world, year, _settings(series=(PlantedSeries("none", ["wasp_nest"], 4),)))
