"""Spare sites, beyond the plan's: they follow all others, move none, and as long as they are closed change no run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.assemble import InputsBuilder
from sim.city import City
from sim.compose import compose
from sim.engine import simulate
from sim.inputs import RunInputs
from sim.plan import load_plan
from sim.siting import Siting, SitingWorld, siting_worlds
from sim.siting.build import choose_world, needs
from sim.travel import TravelTables
from sim.travel.settings import Period

ONE_WEEK = ("window=one_week", "schedule.is_outside_run_allowed=true")

Choose = Callable[[SitingWorld, int], tuple[list[list[int]], list[int]]]


@pytest.fixture(scope="session")
def choose(city: City, city_folder: Path, measured: TravelTables) -> Choose:
    """Return the sites of a world with so many spare ones per town, by the driving times the world is made with."""
    plan = load_plan(city_folder)

    def chosen(row: SitingWorld, n_spare: int) -> tuple[list[list[int]], list[int]]:
        period = Period[row.distance.split()[1].upper()] if row.distance else Period.DAY
        return choose_world(city, needs(city, plan, n_spare), measured.duration_ms[period], row)

    return chosen


def test_every_stored_world_has_one_spare_site_per_town_and_without_it_the_same_other_sites(
    city: City, city_folder: Path, worlds: dict[str, Siting], choose: Choose
) -> None:
    for row in siting_worlds(city_folder):
        assert row.n_spare_per_town == 1
        sites, new = choose(row, 0)
        siting = worlds[row.world]
        is_planned = siting.order_in_city < 190
        assert siting.cells[is_planned].tolist() == [cell for own in sites for cell in own], row.world
        in_order = np.argsort(siting.order_in_city)
        assert siting.cells[in_order][106:190].tolist() == new, row.world
        assert siting.town[in_order][190:].tolist() == list(range(city.towns.n_towns)), row.world


@pytest.mark.parametrize("world", ["world_05", "world_13", "world_19"])
def test_spare_sites_move_no_other_however_little_land_there_is(city_folder: Path, choose: Choose, world: str) -> None:
    """With one cell in a hundred to be had, the plan's sites take all the land, and spare ones need more of it."""
    row = replace(next(row for row in siting_worlds(city_folder) if row.world == world), land_percent=1)
    sites, new = choose(row, 0)
    more, longer = choose(row, 3)
    assert [own[:-3] for own in more] == sites
    assert longer[: len(new)] == new
    assert len(longer) == len(new) + 3 * len(sites)
    assert len({cell for own in more for cell in own}) == 190 + 3 * len(sites)


def _without_spare_sites(folder: Path) -> Path:
    """Take the spare sites out of the tables of a copied city folder."""
    for path in sorted((folder / "siting").glob("world_*.csv")):
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        kept = [row for row in rows if int(row.split(",")[-1]) < 190]
        path.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    return folder


def _units_of_planned(inputs: RunInputs) -> NDArray[np.int64]:
    """Return the ids of the units of all stations but the spare ones, ascending."""
    return np.flatnonzero(inputs.fleet.stations.planned_year[inputs.fleet.units.station] >= 0)


@pytest.mark.parametrize("schedule", ["none", "plan"])
def test_closed_spare_sites_change_nothing_in_the_log_but_the_numbers_of_units(
    copied_folder: Path, schedule: str
) -> None:
    builder = InputsBuilder()
    folders = ("dongguan", str(_without_spare_sites(copied_folder)))
    inputs = [
        builder.build(compose([*ONE_WEEK, f"schedule={schedule}", f"city.folder={folder}"]).settings, 1)
        for folder in folders
    ]
    n_stations = [len(one.fleet.stations.cell) for one in inputs]
    assert n_stations == [224, 190]
    rows, without = (simulate(one).rows.copy() for one in inputs)
    has_unit = without["unit"] >= 0
    without["unit"][has_unit] = _units_of_planned(inputs[0])[without["unit"][has_unit]]
    assert len(rows) > 1000
    assert np.array_equal(rows, without)
