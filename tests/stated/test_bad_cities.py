"""What is wrong with a city of one's own comes through the command line as clear errors, and exit code 2."""

from __future__ import annotations

import json

import pytest

from sim.cli import main

STATIONS = "station,lat,lon,opens,closes\n"
WEST = [[109.96, 29.97], [110.0, 29.97], [110.0, 30.03], [109.96, 30.03], [109.96, 29.97]]
EAST = [[lon + 0.04, lat] for lon, lat in WEST]


@pytest.fixture
def told(capsys):
    """Return what `check-city` says of a folder, line by line; it leaves with 2 if that is an error."""

    def tell(folder, *overrides):
        code = main(["check-city", str(folder), *overrides])
        out, err = capsys.readouterr()
        assert (code, bool(err)) in ((0, False), (2, True))
        return [line.strip().removeprefix("dgsim: ") for line in (err or out).splitlines() if line.strip() != "dgsim:"]

    return tell


def geojson(*areas):
    features = [
        {"type": "Feature", "properties": {"area": code, "residents": 900, "name_zh": "西区"}, "geometry": shape}
        for code, shape in areas
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def polygon(ring):
    return {"type": "Polygon", "coordinates": [ring]}


def of_areas(make_city, content, encoding="utf-8"):
    folder = make_city(areas__csv=None, cells__csv=None)
    (folder / "areas.geojson").write_bytes(content.encode(encoding))
    return folder


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_polygons_may_be_in_the_encodings_of_the_other_tables(make_city, told, encoding):
    folder = of_areas(make_city, geojson(("west", polygon(WEST)), (7, polygon(EAST))), encoding)
    assert told(folder)[1] == "2 areas, 48 cells of 1000 m, 1,800 residents"


@pytest.mark.parametrize(
    ("shape", "rule"),
    [
        (polygon([corner[::-1] for corner in WEST]), "'109.96, 29.97' (lat, lon) are swapped; exchange lat and lon"),
        ({"type": "Polygon"}, "has no rings in its coordinates; give the area's outline"),
        ({"type": "MultiPolygon", "coordinates": 5}, "has no rings in its coordinates; give the area's outline"),
        ({"type": "MultiPolygon", "coordinates": [[]]}, "has no rings in its coordinates; give the area's outline"),
        (polygon([WEST[0]] * 4), "has an outline that holds no area; give it corners that lie apart"),
        (polygon([[float("nan"), 30.0]] * 4), "has a corner that is no finite number; write [[lon, lat], …]"),
    ],
)
def test_a_shape_that_is_none_is_told_as_what_it_is(make_city, told, shape, rule):
    folder = of_areas(make_city, geojson(("west", shape), ("east", polygon(EAST))))
    assert told(folder) == [f"areas.geojson feature 1: {rule}"]


def test_an_area_that_lies_in_another_is_told_and_not_moved_aside(make_city, told):
    folder = of_areas(make_city, geojson(("west", polygon(WEST)), ("again", polygon(WEST))))
    assert told(folder) == [
        "areas.geojson: 'again' (area) lies wholly within areas that stand before it, 'west' for one; mend the "
        "polygons: they must not overlap"
    ]


def test_days_as_spreadsheets_write_them_are_told_with_the_day_to_write(make_city, told):
    rows = "central,30.0,109.99,45292,2026/7/1\nwest,29.99,109.97,2024年3月9日,1/7/2026\neast,30.0,110.02,,\n"
    assert told(make_city(stations__csv=STATIONS + rows)) == [
        "stations.csv row 2: '45292' (opens) must be a date; a spreadsheet's number of a day looks like this, it would "
        "be 2024-01-01; write dates as YYYY-MM-DD",
        "stations.csv row 2: '2026/7/1' (closes) must be a date; write 2026-07-01",
        "stations.csv row 3: '2024年3月9日' (opens) must be a date; write 2024-03-09",
        "stations.csv row 3: '1/7/2026' (closes) must be a date; write it as YYYY-MM-DD, for example 2022-01-31",
    ]


def test_a_decimal_comma_is_told_with_the_number_to_write(make_city, told):
    rows = 'central,"30,0045",109.99,,\nwest,29.99,109.97,,\neast,30.0,110.02,,\n'
    assert told(make_city(stations__csv=STATIONS + rows)) == [
        "stations.csv row 2: '30,0045' (lat) must be a number; write 30.0045"
    ]


def test_choices_that_cannot_be_read_are_told_without_what_another_citys_defaults_would_say(make_city, told):
    (line,) = told(make_city(choices__yaml="- schedule: none\n"))
    assert line.endswith("choices.yaml: is not a map of settings; write one 'key: value' a line")


def test_a_kind_without_a_card_a_grade_or_a_place_is_told_in_each_table(make_city, told):
    folder = make_city()
    for name in ("run_cards.csv", "grades.csv", "exposure.csv"):
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not line.startswith("social_help")]
        (folder / name).write_text("\n".join([*kept, ""]), encoding="utf-8")
    lines = told(folder)
    assert any(
        line.startswith("run_cards.csv: kind 'social_help' needs a critical first row (need_no 0)") for line in lines
    )
    assert "grades.csv: 0 (share) of kind 'social_help' must sum to 100000" in lines
    assert "exposure.csv: 0 (share) of kind 'social_help' must sum to 1000" in lines


def test_a_need_that_no_unit_meets_is_told(make_city, told):
    folder = make_city(
        stations__csv="station,lat,lon\nonly,30.0,110.0\n", units__csv="unit,station,type\nC1,only,pumper\n"
    )
    assert told(folder) == [
        "run_cards.csv: building_fire: 'aerial' needs a capability that no unit has (need 3); give it to a unit in "
        "units.csv, or take the need off the card"
    ]


def test_one_cell_one_station_and_one_unit_are_a_city_that_runs(make_city, tmp_path, capsys):
    folder = make_city(
        areas__csv=None,
        cells__csv="cell_id,lat,lon,population\n0,30.0,110.0,50000\n",
        stations__csv="station,lat,lon\nonly,30.0,110.0\n",
        units__csv="unit,station,type,capabilities\nC1,only,pumper,water rescue aerial\n",
    )
    short = ("window.measure_from='2026-06-01'", "window.measure_to='2026-06-08'", "run.n_replications=1")
    out = tmp_path / "out"
    given = [f"city.folder='{folder}'", f"run.outputs='{out}'", "run.workers=1", *short]
    assert main(["run", *given]) == 0
    assert main(["verify", str(next(out.glob("run/*")))]) == 0
