"""Distance with a detour at one speed: milliseconds by hand, and what goes with a detour and what does not."""

from __future__ import annotations

import pytest

from sim.city import load_city
from sim.compose import compose
from sim.errors import InputError
from sim.travel import travel_of
from sim.travel.settings import Period, checked

TWO_CELLS = "cell_id,crs,x_m,y_m,area_m2,population\n0,plane,0,0,1000000,10\n1,plane,3000,0,{area},10\n"
SPEEDS = {
    "name": "hand", "label_zh": "", "label_en": "", "local_kmh": 36.0, "arterial_kmh": None, "expressway_kmh": None,
    "night_factor": 1.0, "peak_factor": 0.5, "acceleration_ms2": 0.4, "start_s": 0.0, "ramp_s": None, "detour": 1.4,
}  # fmt: skip


def driven(make_city, tmp_path, area=1_000_000, **speeds):
    folder = make_city(areas__csv=None, cells__csv=TWO_CELLS.format(area=area))
    city = load_city(folder)
    return travel_of(city, checked({**SPEEDS, **speeds}, "hand"), folder, tmp_path / "cache").duration_ms


def test_a_trip_is_the_line_times_the_detour_with_a_slow_start_to_the_millisecond(make_city, tmp_path):
    ms = driven(make_city, tmp_path)
    # 3 km x 1.4 at 10 m/s: 420,000 ms; a cell's side 140,000 ms: 140,000^2 / 12 / 420,000 = 3,888.9; v / a = 25,000.
    assert ms[Period.DAY, 0, 1] == ms[Period.DAY, 1, 0] == 448_889
    # In the own cell 0.521405 x 140,000 + 25,000. At rush hour 840,000 + 280,000^2 / 12 / 840,000 + 12,500.
    assert ms[Period.DAY, 0, 0] == 97_997
    assert ms[Period.PEAK, 0, 1] == 860_278


def test_cells_of_different_size_spread_their_addresses_by_the_mean_of_their_squares(make_city, tmp_path):
    ms = driven(make_city, tmp_path, area=4_000_000)
    # Sides 1 and 2 km: the mean square is 2.5 km2, (2.5e6 x 140^2) / 12 / 420,000 = 9,722.2.
    assert ms[Period.DAY, 0, 1] == ms[Period.DAY, 1, 0] == 454_722
    assert ms[Period.DAY, 1, 1] == round(0.521405433164720678 * 280_000) + 25_000


def test_lost_time_at_the_start_is_on_every_trip(make_city, tmp_path):
    assert driven(make_city, tmp_path, start_s=30.0)[Period.DAY, 0, 1] == 448_889 + 30_000


def test_numbers_that_say_nothing_beside_a_detour_are_refused_and_those_it_needs_are_asked_for():
    with pytest.raises(InputError) as raised:
        checked({**SPEEDS, "ramp_s": 90.0, "night_factor": None}, "hand")
    assert [str(problem) for problem in raised.value.problems] == [
        "hand: (night_factor) is missing; give it a value, or give a matrix instead of roads",
        "hand: 90.0 (ramp_s) says nothing beside a detour; set it to null, or set detour to null to drive on roads",
    ]


def test_a_detour_beside_a_matrix_says_nothing():
    with pytest.raises(InputError, match=r"\(travel.detour\)|\(detour\) says nothing beside a given matrix"):
        compose(["travel=matrix", "travel.matrix=pyproject.toml", "travel.matrix_unit=s", "travel.detour=1.3"])
