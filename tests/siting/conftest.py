"""The committed city and its siting worlds, and driving times made without a cache of the project's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sim.city import City, load_city
from sim.siting import Siting, load_siting, siting_worlds
from sim.travel import TravelTables, build_travel
from sim.travel.roads import load_roads
from sim.travel.settings import load_travel_world


@pytest.fixture(scope="session")
def city_folder(root: Path) -> Path:
    """The committed city folder."""
    return root / "configs" / "city" / "dongguan"


@pytest.fixture(scope="session")
def city(city_folder: Path) -> City:
    """The committed city."""
    return load_city(city_folder)


@pytest.fixture(scope="session")
def worlds(city_folder: Path, city: City) -> dict[str, Siting]:
    """All committed worlds by name."""
    return {row.world: load_siting(city_folder, row.world, city) for row in siting_worlds(city_folder)}


@pytest.fixture(scope="session")
def measured(root: Path, city_folder: Path, city: City, tmp_path_factory: pytest.TempPathFactory) -> TravelTables:
    """Driving times of the travel world that siting used."""
    settings = load_travel_world(root / "configs" / "travel" / "measured.yaml").settings
    return build_travel(city, settings, load_roads(city_folder, city), tmp_path_factory.mktemp("travel"))


@pytest.fixture
def copied_folder(city_folder: Path, tmp_path: Path) -> Path:
    """A copy of the committed city folder, to be spoilt."""
    return Path(shutil.copytree(city_folder, tmp_path / "copy"))
