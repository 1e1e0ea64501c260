"""Areas of a city folder, as far as records that name them need them."""

from __future__ import annotations

from pathlib import Path

import pytest

from calibration.ground import read_ground
from sim.cli import main
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


def test_zones_of_a_matrix_are_places_by_the_cell_nearest_to_their_middle_unless_an_area_has_the_label(
    tmp_path, capsys
):
    folder = tmp_path / "city"
    assert main(["new-city", str(folder)]) == 0
    # zone N is three cells in a row, of which 1 is the middle; "west" is an area's label as well
    label = {0: "N", 1: "N", 2: "N", 3: "west"}
    rows = "".join(f"{cell},{label.get(cell, 'rest')}\n" for cell in range(48))
    (tmp_path / "zones.csv").write_text("cell,zone\n" + rows, encoding="utf-8")
    zones = ("N", "rest", "west")
    table = "".join(f"{a},{','.join('300' for _ in zones)}\n" for a in zones)
    (tmp_path / "od.csv").write_text(f"from,{','.join(zones)}\n{table}", encoding="utf-8")
    matrix = [
        "travel=matrix", f"travel.matrix='{tmp_path / 'od.csv'}'", "travel.matrix_unit=s",
        f"travel.matrix_zones='{tmp_path / 'zones.csv'}'",
    ]  # fmt: skip
    plain, given = read_ground(folder), read_ground(folder, matrix)
    assert set(given.area_xy) - set(plain.area_xy) == {"N", "rest"}
    assert given.area_xy["N"] == tuple(plain.cell_xy[1].tolist())
    assert given.area_xy["west"] == plain.area_xy["west"]
