"""What `check-city` says of a faultless city: conversions with their error, speeds by hand, ways and ways back."""

from __future__ import annotations

import numpy as np
import pytest

from sim.city import load_city
from sim.city.crs import wgs84_to_gcj02
from sim.cli import main
from sim.commands.city_facts import place_facts, travel_facts
from sim.travel.source import TravelTables

LINE = "cell_id,crs,x_m,y_m,area_m2,population\n" + "".join(
    f"{i},plane,{x},0,1000000,10\n" for i, x in enumerate((0, 500, 3000))
)
SECONDS = [[60, 100, 300], [100, 60, 250], [450, 250, 60]]


def tables(seconds):
    day = np.array(seconds, dtype=np.int32) * 1000
    return TravelTables("hand", np.stack([day * 2, day, day * 3]), np.zeros((2, 24), dtype=np.int8), "")


@pytest.fixture
def city(make_city):
    return load_city(make_city(areas__csv=None, cells__csv=LINE))


def test_speeds_are_those_of_the_day_as_the_crow_flies_between_places_a_kilometre_apart(city):
    # 3 km in 300 s and back in 450 s, 2.5 km in 250 s both ways; half a kilometre is too near to tell.
    assert travel_facts(tables(SECONDS), city, n_zones=3) == [
        "travel hand, 3 zones of the matrix",
        "by day, as the crow flies, 1 km apart or more: median 36.0 km/h, fastest 36.0 (cell 0 to 2), "
        "slowest 24.0 (cell 2 to 0)",
        "cell 2 to 0 takes 1.50 times as long as the way back, the most of all",
    ]


def test_ways_that_are_all_alike_are_told_as_such(city):
    alike = np.minimum(SECONDS, np.transpose(SECONDS))
    assert travel_facts(tables(alike), city)[2] == "every way takes as long as the way back"


def test_of_one_cell_no_speed_is_told(make_city):
    city = load_city(make_city(areas__csv=None, cells__csv="cell_id,lat,lon,population\n0,30.0,110.0,50\n"))
    assert travel_facts(tables([[60]]), city) == ["travel hand; no two cells lie 1 km apart"]


def test_conversions_are_counted_by_file_and_system_with_how_far_they_move_and_their_error(make_city):
    lat, lon = wgs84_to_gcj02(30.0, 110.0)
    stations = f"station,crs,lat,lon,x_m,y_m\nA,gcj02,{lat:.9f},{lon:.9f},,\nB,plane,,,500,0\nC,,30.0,110.0,,\n"
    folder = make_city(areas__csv=None, cells__csv=LINE, stations__csv=stations)
    away_m = np.hypot((lat - 30.0) * 110_852.4, (lon - 110.0) * 96_486.3)  # lengths of a degree at 30 north
    assert place_facts(folder, load_city(folder)) == [
        "coordinates in plane: 3 of cells.csv, error of the conversion: none",
        f"coordinates in gcj02: 1 of stations.csv, moved by {away_m:.0f} to {away_m:.0f} m; error of the conversion: a "
        "metre or two, as the formula is a public reconstruction; there and back meet within 1 mm",
        "coordinates in plane: 1 of stations.csv, error of the conversion: none",
        "coordinates in wgs84: 1 of stations.csv, error of the conversion: none",
        "plane round lat 30, lon 110: cells lie up to 3.0 km from there, lengths are off by up to 0.00%",
    ]


def test_the_plane_is_off_by_the_cosine_of_the_latitude(make_city):
    # 55 km north of 30 N: cos(30.5) / cos(30) is 0.99492 on a sphere; the ellipsoid adds little.
    cells = "cell_id,crs,x_m,y_m,population\n0,plane,0,0,10\n1,plane,0,55000,10\n"
    folder = make_city(areas__csv=None, cells__csv=cells)
    told = place_facts(folder, load_city(folder))[-1]
    assert told.endswith("cells lie up to 55.0 km from there, lengths are off by up to 0.50%")


def test_cells_that_are_nearest_to_the_middle_of_no_square_are_told(make_city):
    # Squares of 1000 m have their middles at 0, 1000, 2000 and 3000: 1100 is the nearest to none of them.
    cells = "cell_id,crs,x_m,y_m,population\n"
    cells += "".join(f"{i},plane,{x},0,10\n" for i, x in enumerate((0, 1000, 1100, 2100, 3100)))
    folder = make_city(areas__csv=None, cells__csv=cells)
    assert place_facts(folder, load_city(folder))[-2] == (
        "1 of 5 cells are nearest to the middle of no square of 1000 m (cell_m), cell 2 for one: a unit that is sent "
        "on while it passes there starts from a neighbour"
    )


def test_check_city_counts_the_zones_of_a_matrix(make_city, tmp_path, capsys):
    folder = make_city(areas__csv=None, cells__csv=LINE)
    (tmp_path / "zones.csv").write_text("cell,zone\n0,near\n1,near\n2,far\n")
    (tmp_path / "od.csv").write_text("zone,near,far\nnear,60,300\nfar,330,60\n")
    matrix = [f"travel.matrix='{tmp_path / 'od.csv'}'", f"travel.matrix_zones='{tmp_path / 'zones.csv'}'"]
    stations = "station,crs,x_m,y_m\ncentral,plane,0,0\nwest,plane,0,0\neast,plane,3000,0\n"
    (folder / "stations.csv").write_text(stations)
    assert main(["check-city", str(folder), "travel=matrix", "travel.matrix_unit=s", *matrix]) == 0
    told = capsys.readouterr().out
    assert "  travel matrix, 2 zones of the matrix\n" in told
    assert "  cell 2 to 0 takes 1.10 times as long as the way back, the most of all\n" in told
