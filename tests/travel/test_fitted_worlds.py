"""Fitted numbers are found again, a fit recovers what made its figures, and time lost on every trip is exact."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from calibration.travel_worlds import (
    FREE,
    DriveTimes,
    cruise_kmh,
    drive_times,
    fit_world,
    main,
    misfits,
    published_times,
    standing_stations,
    with_numbers,
)
from sim.compose import compose
from sim.errors import InputError, Problems
from sim.tables import read_table
from sim.travel.benchmarks import (
    PUBLISHED,
    chance_within,
    dense_and_other,
    five_minute_share,
    mean_drive_min,
    station_area_km2,
)
from sim.travel.durations import durations_from, nearest_from
from sim.travel.graph import build_graph
from sim.travel.settings import Period, load_travel_world
from sim.travel.source import build_travel


@pytest.fixture(scope="module")
def worlds(configs):
    return {name: load_travel_world(configs / "travel" / f"{name}.yaml").settings for name in ("norm", "measured")}


@pytest.fixture(scope="module")
def congested(configs):
    return load_travel_world(configs / "travel" / "congested.yaml").settings


@pytest.fixture(scope="module")
def nanjing(configs) -> DriveTimes:
    return published_times(configs / "travel" / "published.csv", "Nanjing")


@pytest.fixture(scope="module")
def noise_sigma() -> float:
    times = compose().settings.times
    return math.hypot(times.travel_common_sigma, times.travel_own_sigma)


@pytest.fixture(scope="module")
def standing(configs, committed_city) -> list[np.ndarray]:
    return standing_stations(configs / "city" / "dongguan", committed_city)


# --- the closed form --------------------------------------------------------------------------------------------------


def test_speeds_of_norm_and_measured_follow_from_the_published_station_areas(worlds, configs):
    table = read_table(configs / "travel" / "published.csv", PUBLISHED, Problems())
    areas = {
        place: value
        for figure, place, value in zip(table["figure"], table["place"], table["value"], strict=True)
        if figure == "station_area_km2"
    }
    for name, area_km2 in (("norm", areas["China (norm)"]), ("measured", areas["Changsha"])):
        assert worlds[name].local_kmh == round(cruise_kmh(area_km2, worlds[name].acceleration_ms2), 1)
        assert station_area_km2(worlds[name]) == pytest.approx(area_km2, rel=0.01)


def test_speeds_implied_over_the_range_of_detour_are_the_published_ones():
    # 7 km2 in four minutes is 36-42 km/h on average, 3.27 km2 is 25-29; cruising is faster because of the start.
    averages = [detour * (area / 2) ** 0.5 * 15 for area in (7, 3.27) for detour in (1.3, 1.5)]
    assert [round(average) for average in averages] == [36, 42, 25, 29]
    for area, detour, average in zip((7, 7, 3.27, 3.27), (1.3, 1.5, 1.3, 1.5), averages, strict=True):
        assert cruise_kmh(area, 1e9, detour) == pytest.approx(average, rel=1e-6)
        assert cruise_kmh(area, 0.4, detour) > average
    with pytest.raises(ValueError, match="whatever the speed"):
        cruise_kmh(50.0, 0.4)


# --- the congested world ----------------------------------------------------------------------------------------------


def test_the_congested_world_meets_all_three_published_figures_within_two_percent(
    congested, committed_city, committed_roads, standing, nanjing, noise_sigma
):
    assert nanjing == DriveTimes(10.0, 16.0, 0.082)
    found = drive_times(committed_city, committed_roads, congested, standing, noise_sigma)
    assert np.abs(misfits(found, nanjing)).max() < 0.02
    assert congested.arterial_kmh == pytest.approx(1.25 * congested.local_kmh, abs=0.05)


def test_no_speed_meets_both_means_when_no_time_is_lost_besides(
    congested, committed_city, committed_roads, standing, nanjing
):
    """Outside the built-up area the model's way is about 2.2 times as long as inside, the published time 1.6 times."""
    for local_kmh in (8.0, 14.0, 25.0):
        tried = with_numbers(congested, (local_kmh, 0.0))
        found = drive_times(committed_city, committed_roads, tried, standing[::5])
        assert 1.9 < found.mean_drive_other_min / found.mean_drive_dense_min < 2.4
    assert nanjing.mean_drive_other_min / nanjing.mean_drive_dense_min == 1.6


@pytest.mark.slow
def test_the_fit_finds_the_committed_congested_numbers_again(
    congested, committed_city, committed_roads, standing, nanjing, noise_sigma
):
    begin = replace(congested, local_kmh=16.0, arterial_kmh=20.0, start_s=200.0)
    found = fit_world(committed_city, committed_roads, begin, standing, nanjing, noise_sigma)
    assert found.local_kmh == pytest.approx(congested.local_kmh, abs=0.3)
    assert found.start_s == pytest.approx(congested.start_s, abs=6)


# --- the fit itself ---------------------------------------------------------------------------------------------------


def test_the_fit_recovers_the_numbers_that_made_the_figures(make_city, make_settings, plain_roads):
    city = make_city(["A" * 12] * 12)
    stations = [np.array([0, 60, 100], dtype=np.int32), np.array([5, 130], dtype=np.int32)]
    truth = with_numbers(make_settings(), (23.4, 75.0))
    assert truth.arterial_kmh == pytest.approx(46.8)
    figures = drive_times(city, plain_roads, truth, stations, 0.25)
    found = fit_world(city, plain_roads, make_settings(start_s=30.0), stations, figures, 0.25)
    assert [found.of_roads(name) for name in FREE] == pytest.approx([23.4, 75.0], abs=1e-9)


def test_drive_times_of_the_fit_are_those_of_the_tables(make_city, make_settings, plain_roads, tmp_path):
    city, settings = make_city(["AAAAAA", "AAAAAA"]), make_settings(start_s=40.0)
    stations = np.array([0, 9], dtype=np.int32)
    tables = build_travel(city, settings, plain_roads, tmp_path)
    dense, other = dense_and_other(city)
    for noise_sigma in (0.0, 0.3):
        found = drive_times(city, plain_roads, settings, [stations], noise_sigma)
        assert found.mean_drive_dense_min == pytest.approx(mean_drive_min(tables, stations, dense))
        assert found.mean_drive_other_min == pytest.approx(mean_drive_min(tables, stations, other))
        share = five_minute_share(tables, stations, city.cells.population, noise_sigma)
        assert found.five_minute_share == pytest.approx(share)


def test_the_nearest_of_some_cells_is_the_least_of_their_rows(congested, committed_city, committed_roads, standing):
    graph, cells = build_graph(committed_city, committed_roads, congested), standing[0].astype(np.int64)
    for period in Period:
        rows = durations_from(graph, congested, period, cells)
        assert (nearest_from(graph, congested, period, cells) == rows.min(axis=0)).all()


def test_a_place_without_all_three_figures_is_an_error_that_names_one_that_has_them(configs):
    with pytest.raises(InputError) as caught:
        published_times(configs / "travel" / "published.csv", "Nanking")
    assert [(p.value, p.rule, p.mend) for p in caught.value.problems] == [
        ("Nanking", f"has no {name} of this place", "did you mean 'Nanjing'?") for name in DriveTimes.__slots__
    ]


def test_the_command_of_the_fit_names_what_it_cannot_use(configs, tmp_path, capsys):
    assert main(["x"]) == 2
    city, world = str(configs / "city" / "dongguan"), configs / "travel" / "matrix.yaml"
    text = world.read_text(encoding="utf-8").replace('matrix: ""\nmatrix_unit: ""', "matrix: m.npz\nmatrix_unit: s")
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    assert main([city, str(tmp_path / "own.yaml"), "Nanjing"]) == 2
    assert "own.yaml: has a matrix and no roads; name a world that has roads" in capsys.readouterr().err


# --- time lost on every trip, and noise -------------------------------------------------------------------------------


def test_time_lost_on_every_trip_is_added_whole_and_stretched_by_the_period(make_city, make_settings, plain_roads):
    city, cells = make_city(["AAA"]), np.arange(3)
    plain, slow = make_settings(), make_settings(start_s=100.0)
    # Speed by night is twice that by day and half of it in rush hours: 50 s, 100 s and 200 s, within a cell too.
    for period, lost_ms in ((Period.NIGHT, 50_000), (Period.DAY, 100_000), (Period.PEAK, 200_000)):
        without, with_loss = (
            durations_from(build_graph(city, plain_roads, s), s, period, cells) for s in (plain, slow)
        )
        assert (with_loss - without == lost_ms).all()


def test_the_area_of_a_station_shrinks_by_the_time_lost_and_is_nothing_where_four_minutes_are_gone(make_settings):
    # 10 m/s after 10 s: 200 s drive 1900 m.
    assert station_area_km2(make_settings(start_s=40.0)) == pytest.approx(2 * (1.9 / 1.4) ** 2)
    assert station_area_km2(make_settings(start_s=300.0)) == 0.0


def test_the_chance_of_a_noisy_trip_is_that_of_a_log_normal_factor_of_mean_one():
    """Against 200,000 draws of numpy: within five standard errors of 0.0011."""
    expected_ms, sigma = np.array([200_000, 300_000, 400_000], dtype=np.int32), 0.25
    draws = np.exp(sigma * np.random.default_rng(1).standard_normal(200_000) - sigma * sigma / 2)
    assert draws.mean() == pytest.approx(1.0, abs=0.003)
    for expected, chance in zip(expected_ms, chance_within(expected_ms, 300_000, sigma), strict=True):
        assert chance == pytest.approx(np.mean(expected * draws <= 300_000), abs=0.0056)
    assert chance_within(expected_ms, 300_000, 0.0).tolist() == [1.0, 1.0, 0.0]
