"""Reading worlds and lists of real stations, and what is said when they are wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.city import City
from sim.errors import InputError
from sim.siting import load_siting, load_station_coordinates

HEADER = "town,k,name,is_existing,crs,lat,lon,x_m,y_m\n"


def _spoil(folder: Path, line: int, column: int, value: str) -> None:
    """Replace one cell of world_00.csv, `line` as in messages."""
    path = folder / "siting" / "world_00.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = lines[line - 1].split(",")
    cells[column] = value
    lines[line - 1] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_sites_come_by_town_then_number_whatever_the_order_of_rows(city: City, copied_folder: Path) -> None:
    before = load_siting(copied_folder, "world_03", city)
    path = copied_folder / "siting" / "world_03.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *reversed(rows)]) + "\n")
    after = load_siting(copied_folder, "world_03", city)
    assert np.array_equal(before.cells, after.cells)
    assert np.array_equal(before.order_in_city, after.order_in_city)
    assert np.all(np.diff(before.town) >= 0)


def test_the_city_is_loaded_from_the_folder_when_not_given(city: City, city_folder: Path) -> None:
    assert np.array_equal(load_siting(city_folder, "world_05").cells, load_siting(city_folder, "world_05", city).cells)


def test_unknown_world_names_the_nearest(city: City, city_folder: Path) -> None:
    with pytest.raises(InputError, match=r"'wrld_03' is not one of the siting worlds; did you mean 'world_03'\?"):
        load_siting(city_folder, "wrld_03", city)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        (0, "world_01", "world_00.csv row 2: 'world_01' (world) is not the file's own"),
        (2, "nanchen", "'nanchen' (town) is not in towns.csv; did you mean 'nancheng'?"),
        (3, "9", "'nancheng' (k) must count a town's sites from 1; missing: [1]"),
        (4, "999999", "999999 (cell) is outside every cell: there are 2411"),
        (5, "0", "(x_m, y_m) is not the middle of cell"),
        (7, "false", "'nancheng' (is_existing) a standing site has a higher k than a new one"),
        (8, "224", "(order_in_city) must count from 0 without gaps"),
    ],
)
def test_wrong_rows_are_named(city: City, copied_folder: Path, column: int, value: str, expected: str) -> None:
    _spoil(copied_folder, 2, column, value)
    with pytest.raises(InputError) as caught:
        load_siting(copied_folder, "world_00", city)
    assert expected in str(caught.value)


def test_a_site_in_another_town_than_its_cell_is_named(city: City, copied_folder: Path) -> None:
    _spoil(copied_folder, 9, 2, "shilong")  # the eighth and last site of the first town
    with pytest.raises(InputError) as caught:
        load_siting(copied_folder, "world_00", city)
    assert "row 9: 'shilong' (town) is not the town of cell" in str(caught.value)
    assert "'shilong' (k) must count a town's sites from 1; missing: [4]" in str(caught.value)


def test_two_sites_in_one_cell_and_other_faults_are_reported_together(city: City, copied_folder: Path) -> None:
    lines = (copied_folder / "siting" / "world_00.csv").read_text().splitlines()
    for column in (4, 5, 6):
        _spoil(copied_folder, 3, column, lines[1].split(",")[column])
    _spoil(copied_folder, 9, 4, "4000")
    with pytest.raises(InputError) as caught:
        load_siting(copied_folder, "world_00", city)
    assert "row 3: " in str(caught.value)
    assert "(cell) holds a site already, in row 2" in str(caught.value)
    assert "row 9: 4000 (cell) is outside every cell" in str(caught.value)


def test_real_stations_by_degrees_or_by_metres_go_to_the_same_cells(city: City, tmp_path: Path) -> None:
    degrees, metres = tmp_path / "degrees.csv", tmp_path / "metres.csv"
    degrees.write_text(HEADER + "humen,1,虎门,true,wgs84,22.81899,113.67306,,\nhumen,2,,false,wgs84,22.84,113.70,,\n")
    x1, y1 = city.plane.xy_m(22.81899, 113.67306)
    x2, y2 = city.plane.xy_m(22.84, 113.70)
    text = HEADER + f"humen,1,虎门,true,plane,,,{x1},{y1}\nhumen,2,,false,plane,,,{x2},{y2}.2\n"
    metres.write_text(text, encoding="gb18030")
    a, b = load_station_coordinates(degrees, city), load_station_coordinates(metres, city)
    assert a.cells.tolist() == b.cells.tolist() == [city.cell_at(x1, y1), city.cell_at(x2, y2)]
    assert (a.x_m.tolist(), a.y_m.tolist()) == (b.x_m.tolist(), b.y_m.tolist())
    assert b.name == ("虎门", "")
    assert (b.method, b.world) == ("given", "metres")


def test_standing_stations_come_first_in_the_order_of_building(city: City, tmp_path: Path) -> None:
    path = tmp_path / "stations.csv"
    at = [(int(city.cells.x_m[c]), int(city.cells.y_m[c])) for c in (100, 200, 300)]
    rows = [
        f"humen,2,,false,plane,,,{at[0][0]},{at[0][1]}",
        f"humen,1,,true,plane,,,{at[1][0]},{at[1][1]}",
        f"dalang,1,,true,plane,,,{at[2][0]},{at[2][1]}",
    ]
    path.write_text(HEADER + "\n".join(rows) + "\n")
    siting = load_station_coordinates(path, city)
    assert [city.towns.code[t] for t in siting.town] == ["dalang", "humen", "humen"]
    assert siting.cells.tolist() == [300, 200, 100]
    assert siting.order_in_city.tolist() == [1, 0, 2]


def test_wrong_stations_are_named_all_at_once(city: City, tmp_path: Path) -> None:
    path = tmp_path / "stations.csv"
    path.write_text(
        HEADER
        + "humen,1,Swapped,true,wgs84,22.8,13.6,,\n"
        + "humen,3,,true,plane,,,-18000,-15000\n"
        + "dalang,1,,true,plane,,,900000,0\n"
    )
    with pytest.raises(InputError) as caught:
        load_station_coordinates(path, city)
    text = str(caught.value)
    assert "stations.csv row 2: 'Swapped' is outside every cell" in text
    assert "'humen' (k) must count a town's sites from 1; missing: [2]" in text
    assert "row 4: 'dalang 1' is outside every cell: x 900000 m, y 0 m" in text


def test_coordinates_must_be_those_of_the_declared_crs(city: City, tmp_path: Path) -> None:
    path = tmp_path / "stations.csv"
    path.write_text(HEADER + "humen,1,,true,plane,22.8,113.7,,\ndalang,1,,true,wgs84,22.8,,,\n")
    with pytest.raises(InputError) as caught:
        load_station_coordinates(path, city)
    assert "row 2: crs plane takes x_m and y_m and nothing else; look at lat, lon, x_m, y_m" in str(caught.value)
    assert "row 3: crs wgs84 takes lat and lon and nothing else; look at lon" in str(caught.value)
