"""Times from stations to cells: taken as they are, the way home alike, all other ways by the line fitted to them."""

from __future__ import annotations

import pytest

from sim.city import load_city
from sim.errors import InputError
from sim.travel import travel_of
from sim.travel.settings import ROAD_NUMBERS, Period, checked

CELLS = "cell_id,crs,x_m,y_m,area_m2,population\n" + "".join(f"{i},plane,{1000 * i},0,1000000,10\n" for i in range(4))
STATIONS = "station,crs,x_m,y_m\nA,plane,0,0\n"
WORLD = {"name": "hand", "label_zh": "", "label_en": "", **dict.fromkeys(ROAD_NUMBERS), "matrix_from": "stations"}
# 60 s and 100 s a km: at 0, 1, 2, 3 km.
TIMES = "from,to,duration\nA,0,60\nA,1,160\nA,2,260\nA,3,360\n"


def driven(make_city, tmp_path, times, stations=STATIONS, unit="s"):
    folder = make_city(areas__csv=None, cells__csv=CELLS, stations__csv=stations)
    (folder / "times.csv").write_text(times, encoding="utf-8")
    settings = checked({**WORLD, "matrix": str(folder / "times.csv"), "matrix_unit": unit}, "hand")
    return travel_of(load_city(folder), settings, folder, tmp_path / "cache").duration_ms


def test_given_times_hold_both_ways_and_the_line_through_them_holds_elsewhere(make_city, tmp_path):
    ms = driven(make_city, tmp_path, TIMES)[Period.DAY]
    assert ms[0].tolist() == ms[:, 0].tolist() == [60_000, 160_000, 260_000, 360_000]
    assert ms[1, 3] == ms[3, 1] == 60_000 + 200_000
    assert ms[2, 2] == round(60_000 + 100 * 0.521405433164720678 * 1000)


def test_periods_have_times_of_their_own(make_city, tmp_path):
    lines = [f"A,{cell},{factor * (60 + 100 * cell)},{period}" for period, factor in
             (("night", 1), ("day", 2), ("peak", 3)) for cell in range(4)]  # fmt: skip
    ms = driven(make_city, tmp_path, "\n".join(["from,to,duration,period", *lines, ""]))
    assert ms[:, 0, 2].tolist() == [260_000, 520_000, 780_000]
    assert ms[:, 1, 3].tolist() == [260_000, 520_000, 780_000]


def test_holes_repeats_negative_times_unknown_names_and_a_wrong_unit_are_told(make_city, tmp_path):
    with pytest.raises(InputError) as raised:
        driven(make_city, tmp_path, "from,to,duration\nA,0,60\nA,0,61\nA,1,-5\nA,2,\nB,3,1\nA,9,1\n")
    assert [str(problem) for problem in raised.value.problems] == [
        "times.csv row 6: 'B' is not a station of stations.csv; known: A",
        "times.csv row 7: '9' is not a zone; known: 0, 1, 2, 3",
        "times.csv (all periods): 'A -> 0' is given twice; keep one row per station, zone and period",
        "times.csv (all periods): 'A -> 2' has no duration; fill the hole",
        "times.csv (all periods): 'A -> 3' has no row; give every station a time to every zone",
        "times.csv (all periods): 'A -> 1' is negative; durations are zero or more",
    ]


def test_a_wrong_unit_makes_an_absurd_speed(make_city, tmp_path):
    with pytest.raises(InputError, match=r"makes a typical trip go at .* km/h as the crow flies; declare another unit"):
        driven(make_city, tmp_path, TIMES, unit="min")


def test_a_trip_of_three_km_in_54_seconds_is_just_possible(make_city, tmp_path):
    assert driven(make_city, tmp_path, TIMES.replace("A,3,360", "A,3,54"))[Period.DAY, 0, 3] == 54_000  # 200 km/h


def test_a_trip_of_three_km_in_53_seconds_is_an_error(make_city, tmp_path):
    with pytest.raises(InputError, match=r"'A -> 3' goes at more than 200 km/h as the crow flies; mend the value"):
        driven(make_city, tmp_path, TIMES.replace("A,3,360", "A,3,53"))


def test_two_stations_of_one_cell_cannot_have_different_times(make_city, tmp_path):
    times = TIMES + "B,0,60\nB,1,160\nB,2,260\nB,3,361\n"
    with pytest.raises(InputError, match=r"'B' stands in one cell with 'A' and has other times"):
        driven(make_city, tmp_path, times, STATIONS + "B,plane,100,100\n")
