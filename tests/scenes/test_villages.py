"""When a village's own people come: distances of a random scatter by hand, and who they go to."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from sim.errors import InputError
from sim.scenes.villages import MicroStationSettings, density_per_km2, village_instants

CHANCE = (7, 3)
KINDS = SimpleNamespace(family=("fire", "rescue"))
N = 40_000


@pytest.fixture
def city(city):
    """Three of four cells of each town are built up, 1 km2 each; three in four people live in the west."""
    city.cells.area_m2 = np.full(8, 1_000_000)
    city.towns.population = np.array([3000, 1000])
    return city


@pytest.fixture
def settings():
    """12 micro-stations: 9 on the west's 3 km2, 3 on the east's; a minute to start, 100 m in 36 s, up to 200 m."""
    return MicroStationSettings(
        name="test", label_zh="", label_en="", families=["fire"], stations=12, start_min=1, pace_kmh=10, reach_m=200
    )


def test_micro_stations_are_spread_by_residents_over_the_built_up_land(city, settings):
    assert [float(density_per_km2(city, town, settings)) for town in (0, 1)] == [3, 1]


@pytest.mark.parametrize(("cell", "density"), [(0, 3), (4, 1)])
def test_distances_are_those_of_a_random_scatter_and_the_reach_ends_them(city, settings, demand_of, cell, density):
    instants = village_instants(city, KINDS, demand_of(N, cell=cell), settings, CHANCE)
    comes = instants[instants >= 0]
    for metres in (50, 100, 200):
        expected = 1 - math.exp(-density * math.pi * (metres / 1000) ** 2)
        share = (comes <= 60_000 + metres * 360).sum() / N
        assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / N)
    assert len(comes) / N == (comes <= 60_000 + 200 * 360).sum() / N  # nobody comes from further
    assert set(((comes - 60_000) % 3600).tolist()) == {0}  # in steps of ten metres, 3.6 s each


def test_they_go_to_their_families_on_built_up_land_only(city, settings, demand_of):
    everywhere = replace(settings, stations=10**6)
    assert set(village_instants(city, KINDS, demand_of(50), everywhere, CHANCE).tolist()) == {63_600}
    for demand in (demand_of(50, kind=1), demand_of(50, cell=3)):
        assert set(village_instants(city, KINDS, demand, everywhere, CHANCE).tolist()) == {-1}
    assert set(village_instants(city, KINDS, demand_of(50), replace(settings, families=[]), CHANCE).tolist()) == {-1}


def test_a_smaller_able_share_takes_some_away_and_moves_nobody(city, settings, demand_of):
    demand, everywhere = demand_of(N), replace(settings, stations=10**6)
    half = village_instants(city, KINDS, demand, replace(everywhere, able_share=0.5), CHANCE)
    assert set(half.tolist()) == {-1, 63_600}
    assert abs((half >= 0).mean() - 0.5) < 4 * 0.5 / math.sqrt(N)


def test_a_family_that_no_kind_has_is_an_error(city, settings, demand_of):
    with pytest.raises(InputError, match=r"'fires' \(micro_stations.families\) is no family .* did you mean 'fire'\?"):
        village_instants(city, KINDS, demand_of(1), replace(settings, families=["fires"]), CHANCE)
