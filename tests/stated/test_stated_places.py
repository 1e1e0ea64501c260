"""Areas and cells as files state them: squares of polygons, layouts of centres, cells as they stand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sim.city import load_city
from sim.city.polygons import is_inside
from sim.city.stated import MOST_CELLS, side_for
from sim.errors import InputError

PLANE_AREAS = {"areas__csv": None, "cells__csv": None}


def square(x0, y0, x1, y1):
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]


def geojson(*features):
    made = []
    for code, rings, properties in features:
        shape = {"type": "Polygon", "coordinates": rings}
        made.append({"type": "Feature", "properties": {"area": code, **properties}, "geometry": shape})
    return json.dumps({"type": "FeatureCollection", "features": made})


def on_plane(folder, cell_m="1000"):
    text = (folder / "city.yaml").read_text(encoding="utf-8")
    text = text.replace("crs: wgs84", "crs: plane").replace("cell_m: 1000", f"cell_m: {cell_m}" if cell_m else "")
    (folder / "city.yaml").write_text(text, encoding="utf-8")
    return folder


def test_squares_whose_middles_lie_in_a_polygon_are_its_cells_and_holes_are_left_out(make_city):
    # 4 x 3 squares less a hole of one; beside it 2 x 3 squares; residents evenly, the remainder to the first cells.
    west = ("west", [square(0, 0, 4000, 3000), square(1000, 1000, 2000, 2000)], {"residents": 112})
    east = ("east", [square(4000, 0, 6000, 3000)], {"residents": 7, "built_up_km2": 2.0, "name_zh": "东"})
    city = load_city(on_plane(make_city(**PLANE_AREAS, areas__geojson=geojson(west, east))))
    assert (city.towns.code, city.towns.name_zh) == (("west", "east"), ("west", "东"))
    assert np.bincount(city.cells.town).tolist() == [11, 6]
    places = set(zip(city.cells.x_m.tolist(), city.cells.y_m.tolist(), strict=True))
    assert (1500, 1500) not in places
    assert {(500, 500), (5500, 2500)} <= places
    assert city.towns.population.tolist() == [112, 7]
    assert sorted(city.cells.population[city.cells.town == 0].tolist()) == [10] * 9 + [11] * 2
    assert sorted(city.cells.population[city.cells.town == 1].tolist()) == [0, 0, 0, 0, 3, 4]
    assert city.towns.area_km2.tolist() == [11.0, 6.0]


def test_an_area_too_small_for_any_middle_gets_the_free_square_nearest_to_it(make_city):
    wide = ("wide", [square(0, 0, 3000, 1000)], {"residents": 30})
    tiny = ("tiny", [square(3050, 50, 3150, 150)], {"residents": 5})
    city = load_city(on_plane(make_city(**PLANE_AREAS, areas__geojson=geojson(wide, tiny))))
    assert np.bincount(city.cells.town).tolist() == [3, 1]
    assert (city.cells.x_m[-1], city.cells.y_m[-1], city.cells.population[-1]) == (3500, 500, 5)


def test_the_side_of_a_cell_is_the_smallest_that_keeps_the_city_runnable_where_none_is_said(make_city):
    assert [side_for(area) for area in (1e6, 1.1e7, 2.4e9, 1e12)] == [50, 100, 1_000, 20_000]
    big = geojson(("a", [square(0, 0, 40_000, 30_000)], {"residents": 1000}))
    folder = on_plane(make_city(**PLANE_AREAS, areas__geojson=big), cell_m="")
    city = load_city(folder)
    assert (city.cell_m, city.cells.n_cells) == (1_000, 1_200)
    (folder / "city.yaml").write_text((folder / "city.yaml").read_text() + "cell_m: 500\n")
    with pytest.raises(InputError, match=rf"makes 4800 cells of 500 m.*{MOST_CELLS}.*cell_m: 1000"):
        load_city(folder)


def test_polygons_that_are_none_say_so_all_at_once(make_city):
    open_ring = ("open", [square(0, 0, 1, 1)[:-1]], {"residents": 1})
    twice = ("open", [square(0, 0, 4000, 4000)], {"residents": -1})
    nameless = ("", [square(0, 0, 4000, 4000)], {})
    far = ("far", [square(900_000, 0, 904_000, 4000)], {"residents": 1})
    with pytest.raises(InputError) as raised:
        load_city(on_plane(make_city(**PLANE_AREAS, areas__geojson=geojson(open_ring, twice, nameless, far))))
    told = "\n".join(str(problem) for problem in raised.value.problems)
    for part in (
        "areas.geojson feature 1: 4 has a ring that is not closed",
        "areas.geojson: 'open' (area) names two features",
        "areas.geojson feature 2: -1 (properties.residents) must be a whole number of people",
        "areas.geojson feature 3: has no property area",
        "areas.geojson feature 3: (properties.residents) must be a whole number of people",
        "areas.geojson feature 4: '900000, 0' (x_m, y_m) lies 900 km from the origin of the city's plane",
    ):
        assert part in told
    assert len(raised.value.problems) == 6


def test_a_point_is_inside_by_the_even_odd_rule_with_half_open_edges():
    ring = np.array(square(0, 0, 10, 10), dtype=np.float64)
    x, y = np.array([0, 10, 5, 5, -1]), np.array([5, 5, 0, 10, 5])
    assert is_inside(x, y, (ring,)).tolist() == [True, False, True, False, False]


def test_centres_areas_and_residents_alone_make_a_schematic_city(make_city):
    areas = "area,x_m,y_m,area_km2,built_up_km2,residents\nwest,-3000,0,20,10,1000\neast,3000,0,30,,900\n"
    city = load_city(on_plane(make_city(areas__csv=areas, cells__csv=None)))
    assert np.bincount(city.cells.town).tolist() == [20, 30]
    assert city.towns.population.tolist() == [1000, 900]
    assert city.towns.built_up_km2.tolist() == [10.0, 30.0]
    assert city.cells.x_m[city.cells.town == 0].mean() < city.cells.x_m[city.cells.town == 1].mean()
    assert (city.towns.seat_x_m.tolist(), city.towns.seat_y_m.tolist()) == ([-3000, 3000], [0, 0])


def test_areas_without_what_a_layout_needs_say_what_is_missing(make_city):
    with pytest.raises(InputError) as raised:
        load_city(make_city(areas__csv="area,lat,lon\nwest,30.0,110.0\neast,,\n", cells__csv=None))
    assert [str(problem) for problem in raised.value.problems] == [
        "areas.csv row 3: 'east' (lat, lon or x_m, y_m) is empty, and there is no cells.csv; give it",
        "areas.csv row 2: 'west' (area_km2) is empty, and there is no cells.csv; give it",
        "areas.csv row 3: 'east' (area_km2) is empty, and there is no cells.csv; give it",
        "areas.csv row 2: 'west' (residents) is empty, and there is no cells.csv; give it",
        "areas.csv row 3: 'east' (residents) is empty, and there is no cells.csv; give it",
    ]


def test_a_city_of_one_cell_is_a_city(make_city):
    folder = make_city(areas__csv=None, cells__csv="cell_id,lat,lon,population\n0,30.0,110.0,50\n")
    city = load_city(folder)
    assert (city.cells.n_cells, city.towns.code, city.towns.population.tolist()) == (1, ("city",), [50])
    assert city.nearest_cell(0, 0) == 0


def test_cells_must_agree_with_what_areas_say(make_city):
    cells = "cell_id,area,lat,lon,population\n0,west,30.0,110.0,50\n1,west,30.0,110.0,50\n2,wst,30.02,110.0,50\n"
    with pytest.raises(InputError, match=r"cells.csv row 4: 'wst' \(area\) is not in areas.csv; did you mean 'west'"):
        load_city(make_city(cells__csv=cells))


def test_cells_at_one_place_and_areas_without_cells_or_with_other_residents_are_told(make_city):
    cells = "cell_id,area,lat,lon,population\n0,west,30.0,110.0,50\n1,west,30.0,110.0,50\n"
    folder = make_city(cells__csv=cells)
    (folder / "areas.csv").write_text("area,residents\nwest,99\neast,\n")
    with pytest.raises(InputError) as raised:
        load_city(folder)
    assert [str(problem) for problem in raised.value.problems] == [
        "cells.csv row 3: lies where the cell of row 2 lies; each place may be one cell",
        "areas.csv: 'west' (residents) says 99, its cells hold 100; mend one, or leave residents empty",
        "areas.csv: 'east' is an area without cells; give it at least one cell in cells.csv",
    ]


def test_polygons_beside_areas_or_cells_are_given_twice(make_city):
    shape = geojson(("a", [square(0, 0, 4000, 4000)], {"residents": 1}))
    with pytest.raises(InputError) as raised:
        load_city(on_plane(make_city(areas__geojson=shape)))
    told = "\n".join(str(problem) for problem in raised.value.problems)
    assert "areas.geojson: stands beside areas.csv" in told
    assert "areas.geojson: stands beside cells.csv" in told


def test_more_built_up_than_there_is_of_an_area_is_told(make_city):
    areas = "area,x_m,y_m,area_km2,built_up_km2,residents\nwest,-3000,0,20,20.2,1000\neast,3000,0,30,3000,900\n"
    with pytest.raises(InputError) as raised:
        load_city(on_plane(make_city(areas__csv=areas, cells__csv=None)))
    assert [str(problem) for problem in raised.value.problems] == [
        "areas.csv: 'east' (built_up_km2) is 3000 km2 of an area of 30 km2; look at the units: both are km2"
    ]


def test_more_built_up_than_a_polygon_holds_is_told(make_city):
    shape = geojson(("a", [square(0, 0, 4000, 4000)], {"residents": 1, "built_up_km2": 1600}))
    with pytest.raises(InputError, match=r"areas.geojson: 'a' \(built_up_km2\) is 1600 km2 of an area of 16 km2"):
        load_city(on_plane(make_city(**PLANE_AREAS, areas__geojson=shape)))
