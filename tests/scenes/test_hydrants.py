"""Where water has to be brought: densities by hand, and that more hydrants never make it worse for anybody."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from sim.scenes.hydrants import WaterSupplySettings, density_per_km2, new_hydrants, supply_grades, water_delays

CHANCE = (7, 3)
DELAY_MS = 360_000


@pytest.fixture
def plan():
    """West: 30 km2 built up and 60 new hydrants; east: 10 km2 and none printed."""
    return SimpleNamespace(
        code=("west", "east"), built_up_km2=np.array([30.0, 10.0]), new_hydrants=np.array([60.0, np.nan]),
        years=(2022, 2023),
    )  # fmt: skip


@pytest.fixture
def today():
    return WaterSupplySettings(
        name="test", label_zh="", label_en="", is_limited=True, hydrants_now=400, reach_m=150, delay_min=6
    )


def test_the_city_s_hydrants_are_spread_by_built_up_area_and_the_plan_s_come_in_yearly_parts(plan, today):
    densities = [density_per_km2(plan, town, parts, today) for town in ("west", "east") for parts in (0, 1, 2)]
    assert [float(d) for d in densities] == [10, 11, 12, 10, 10, 10]  # 400 / 40, and 30 more on 30 km2 a year


def test_the_plan_s_hydrants_come_in_equal_parts_and_only_where_they_are_built(plan, today):
    assert new_hydrants(plan, replace(today, is_plan_built=True)) == ((date(2022, 7, 1), 30), (date(2023, 7, 1), 30))
    assert new_hydrants(plan, today) == ()
    assert new_hydrants(plan, replace(today, is_plan_built=True, is_limited=False)) == ()


def test_as_many_incidents_are_far_as_a_random_scatter_leaves(city, plan, calendar, today, demand_of):
    n = 40_000
    delays = water_delays(city, plan, calendar, demand_of(n), today, CHANCE)
    assert set(delays.tolist()) == {0, DELAY_MS}
    expected = math.exp(-10 * math.pi * 0.15**2)  # 0.4932
    error = math.sqrt(expected * (1 - expected) / n)
    assert abs((delays > 0).mean() - expected) < 4 * error


def test_new_hydrants_take_the_delay_from_some_in_their_town_and_year_and_give_it_to_none(
    city, plan, calendar, today, demand_of
):
    with_plan = replace(today, is_plan_built=True)
    for cell, day, may_change in ((0, 180, False), (0, 181, True), (4, 700, False)):  # 30 June, 1 July 2022; east
        demand = demand_of(5_000, cell=cell, day=day)
        before, after = (water_delays(city, plan, calendar, demand, s, CHANCE) for s in (today, with_plan))
        assert np.all(after <= before)
        assert bool(np.any(after < before)) == may_change


def test_there_is_no_hydrant_off_the_built_up_land(city, plan, calendar, today, demand_of):
    delays = water_delays(city, plan, calendar, demand_of(100, cell=3), today, CHANCE)
    assert set(delays.tolist()) == {DELAY_MS}


def test_only_fires_need_a_supply_and_nobody_where_water_is_not_limited(city, plan, calendar, today, demand_of):
    kinds = SimpleNamespace(family=("fire", "rescue", "fire"))
    assert supply_grades(kinds, today).tolist() == [2, 0, 2]
    off = replace(today, is_limited=False)
    assert supply_grades(kinds, off).tolist() == [0, 0, 0]
    assert not water_delays(city, plan, calendar, demand_of(50), off, CHANCE).any()
