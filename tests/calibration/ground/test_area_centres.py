"""Areas of a city folder, as far as records that name them need them."""

from __future__ import annotations

from pathlib import Path

import pytest

from calibration.ground import read_ground
from sim.errors import InputError

STATIONS = "station,lat,lon\nA,40.0,10.0\n"


def city(folder: Path, areas: str) -> Path:
    (folder / "stations.csv").write_text(STATIONS, encoding="utf-8")
    (folder / "areas.csv").write_text(areas, encoding="utf-8")
    return folder


def test_centres_of_areas_are_enough_without_size_or_residents(tmp_path):
    ground = read_ground(city(tmp_path, "area,name_en,lat,lon\nN,North,40.01,10.0\nM,,40.0,10.0\n"))
    north = (0, round(0.01 * ground.plane.m_per_deg_lat))
    assert ground.area_xy == {"N": north, "North": north, "M": (0, 0)}
    assert len(ground.cell_xy) == 0


def test_areas_that_share_a_centre_need_no_layout(tmp_path):
    ground = read_ground(city(tmp_path, "area,lat,lon,area_km2,residents\nN,40.0,10.0,1,5\nM,40.0,10.0,1,5\n"))
    assert ground.area_xy == {"N": (0, 0), "M": (0, 0)}


def test_an_area_without_centre_is_told_with_its_row(tmp_path):
    with pytest.raises(InputError, match=r"areas\.csv row 3"):
        read_ground(city(tmp_path, "area,lat,lon\nN,40.0,10.0\nM,,\n"))
