"""The committed worlds stand on what they say: settings are checked, sourced, and fitted values are found again."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from time import process_time

import networkx as nx
import numpy as np
import pytest
from omegaconf import OmegaConf

from sim.errors import InputError
from sim.siting import load_siting, siting_worlds
from sim.travel.benchmarks import (
    benchmarks,
    dense_and_other,
    five_minute_share,
    hour_shares,
    mean_drive_min,
    reached_area_km2,
    share_within,
    station_area_km2,
)
from sim.travel.durations import durations_from
from sim.travel.graph import build_graph
from sim.travel.settings import Period, TravelSettings, checked, load_travel_world
from sim.travel.source import TravelTables, build_travel

WORLDS = ("norm", "measured", "congested")
STRAIGHT = "distance"


@pytest.fixture(scope="module")
def worlds(configs) -> dict[str, TravelSettings]:
    return {name: load_travel_world(configs / "travel" / f"{name}.yaml").settings for name in WORLDS}


@pytest.fixture(scope="module")
def standing(configs, committed_city) -> list[np.ndarray]:
    """Cells of the stations that stand today, in each stored siting world."""
    folder = configs / "city" / "dongguan"
    sitings = [load_siting(folder, row.world, committed_city) for row in siting_worlds(folder)]
    return [siting.cells[siting.is_existing] for siting in sitings]


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*WORLDS, STRAIGHT])
def test_every_number_of_a_world_has_source_and_standing(configs, name):
    world = load_travel_world(configs / "travel" / f"{name}.yaml")
    assert world.settings.name == name
    values = asdict(world.settings).items()
    assert sorted(world.about) == sorted(k for k, v in values if not isinstance(v, str | bool | None) and v != {})


def test_settings_are_a_structured_schema_that_takes_overrides(make_settings):
    schema = OmegaConf.structured(make_settings())
    merged = OmegaConf.merge(schema, OmegaConf.from_dotlist(["peak_factor=0.6", "night_hours=[1,2]"]))
    assert checked(OmegaConf.to_container(merged), "x") == make_settings(peak_factor=0.6, night_hours=[1, 2])


def test_all_faults_of_a_world_are_reported_at_once(make_settings):
    values = asdict(make_settings(local_kmh=-3.0, night_hours=[1, 1, 25], workday_peak_hours=[1]))
    values |= {"peek_factor": 1.0, "arterial_kmh": "quick"}
    del values["ramp_s"]
    with pytest.raises(InputError) as caught:
        checked(values, "w.yaml")
    message = str(caught.value)
    assert "w.yaml: 'peek_factor' is not a travel setting; did you mean 'peak_factor'?" in message
    assert "w.yaml: -3.0 (local_kmh) Input should be greater than 0" in message
    assert "w.yaml: 'quick' (arterial_kmh)" in message
    assert "(ramp_s)" in message


def test_hours_must_be_hours_and_stand_in_one_list(make_settings):
    with pytest.raises(InputError) as caught:
        checked(asdict(make_settings(night_hours=[1, 1, 25], workday_peak_hours=[1, 8], weekend_peak_hours=[-1])), "w")
    assert str(caught.value).splitlines() == [
        "w: 25 (night_hours) is not an hour of the day; hours run from 0 to 23",
        "w: [1, 1, 25] (night_hours) names an hour twice; name each hour once",
        "w: [1] (workday_peak_hours) holds hours that are night hours too; keep each in one list",
        "w: -1 (weekend_peak_hours) is not an hour of the day; hours run from 0 to 23",
    ]


def test_a_number_without_source_or_standing_is_an_error(configs, tmp_path):
    text = (configs / "travel" / "norm.yaml").read_text(encoding="utf-8")
    spoilt = text.replace("  ramp_s: {standing: assumed", "  ramps: {standing: assumed").replace(
        "night_hours: {standing: assumed", "night_hours: {standing: guessed"
    )
    (tmp_path / "w.yaml").write_text(spoilt, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_travel_world(tmp_path / "w.yaml")
    message = str(caught.value)
    assert "'ramps' (about) is not a setting; did you mean 'ramp_s'?" in message
    assert "(about.ramp_s) has no source" in message
    assert "'guessed' (about.night_hours) has no known standing" in message


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [1\n", ""])
def test_files_that_are_no_world_are_errors(tmp_path, text):
    (tmp_path / "w.yaml").write_text(text)
    with pytest.raises(InputError, match=r"w\.yaml"):
        load_travel_world(tmp_path / "w.yaml")
    with pytest.raises(InputError, match="cannot be read as YAML"):
        load_travel_world(tmp_path / "none.yaml")


# --- benchmarks on a city worked out by hand --------------------------------------------------------------------------


def tables_of(*minutes_by_period) -> TravelTables:
    hours = np.ones((2, 24), dtype=np.int8)
    hours[:, :6] = 0
    hours[0, 6:12] = 2
    return TravelTables("t", (np.array(minutes_by_period) * 60_000).astype(np.int32), hours, "")


LINE = np.array([[1.0, 4, 6], [4, 1, 3], [6, 3, 1]])


def test_the_share_within_five_minutes_counts_the_nearest_station_and_mixes_periods_by_hours_of_the_week():
    # 42 hours of night, 30 of rush (6 on 5 workdays), 96 of day; cell 1 is 2, 4 or 8 min off, cell 2 is 3, 6 or 12.
    tables = tables_of(LINE / 2, LINE, LINE * 2)
    assert (hour_shares(tables) * 168).tolist() == [42, 96, 30]
    weights = np.array([1, 2, 7])
    by_period = {0: 1.0, 1: 0.3, 2: 0.1}
    expected = (42 * by_period[0] + 96 * by_period[1] + 30 * by_period[2]) / 168
    assert five_minute_share(tables, [0], weights) == pytest.approx(expected)
    assert five_minute_share(tables, [0, 2], weights) == pytest.approx(1.0 - 30 / 168 * 0.2)
    assert share_within(tables, [0], weights, 6 * 60_000, np.array([0.0, 1.0, 0.0])) == 1.0


def test_the_mean_drive_is_weighted_and_nan_without_weight():
    tables = tables_of(LINE, LINE, LINE)
    assert mean_drive_min(tables, [0], np.array([1, 1, 2])) == pytest.approx((1 + 4 + 12) / 4)
    assert np.isnan(mean_drive_min(tables, [0], np.zeros(3)))


def test_the_area_reached_is_that_of_cells_within_four_minutes():
    tables = tables_of(LINE, LINE, LINE)
    assert reached_area_km2(tables, [0, 1], np.array([1_000_000, 500_000, 250_000], dtype=np.int32)) == 1.625


# --- what the committed worlds stand on -------------------------------------------------------------------------------


def test_worlds_and_periods_are_ordered_and_roads_run_both_ways(worlds, committed_city, committed_roads):
    some = np.arange(0, committed_city.cells.n_cells, 30)
    found = {}
    for name in WORLDS:
        graph = build_graph(committed_city, committed_roads, worlds[name])
        found[name] = np.array([durations_from(graph, worlds[name], period, some) for period in Period])
        night, day, peak = found[name]
        assert (night < day).all()
        assert (day < peak).all()
        assert (found[name][:, :, some] == found[name][:, :, some].transpose(0, 2, 1)).all()
    assert (found["norm"] < found["measured"]).all()
    assert (found["measured"] < found["congested"]).all()


def test_every_published_figure_stands_beside_one_of_the_model(
    make_city, make_settings, plain_roads, configs, tmp_path
):
    city = make_city(["A" * 6] * 6)
    tables = build_travel(city, make_settings(), plain_roads, tmp_path)
    rows = benchmarks(tables, city, [7], configs / "travel" / "published.csv", make_settings())
    dense, other = dense_and_other(city)
    assert [(row.figure, row.place, row.published, row.modelled) for row in rows] == [
        ("station_area_km2", "China (norm)", 7.0, station_area_km2(make_settings())),
        ("station_area_km2", "Changsha", 3.27, station_area_km2(make_settings())),
        ("mean_drive_dense_min", "Nanjing", 10.0, mean_drive_min(tables, [7], dense)),
        ("mean_drive_other_min", "Nanjing", 16.0, mean_drive_min(tables, [7], other)),
        ("five_minute_share", "Nanjing", 0.082, five_minute_share(tables, [7], city.cells.population)),
    ]
    # 10 m/s, reached after 10 s: 240 s drive 2300 m, half a diagonal of 2.3 / 1.4 km.
    assert rows[0].modelled == pytest.approx(2 * (2.3 / 1.4) ** 2)
    bare = benchmarks(tables, city, [7], configs / "travel" / "published.csv")
    assert np.isnan(bare[0].modelled)


def test_streets_of_the_committed_city_are_as_crooked_as_the_norm_says(committed_city, committed_roads, worlds):
    """Road over straight line, all pairs 2-4 km apart of one town, streets only: lambda of 1.3-1.5, about 1.4."""
    graph = build_graph(committed_city, replace(committed_roads, links=()), worlds["measured"])
    cells, ratios = committed_city.cells, []
    for start in range(0, cells.n_cells, 40):
        road_m = nx.single_source_dijkstra_path_length(graph, start, cutoff=6000, weight="length_m")
        straight = np.hypot(cells.x_m - float(cells.x_m[start]), cells.y_m - float(cells.y_m[start]))
        ratios += [
            road_m[end] / straight[end]
            for end in road_m
            if 2000 <= straight[end] <= 4000 and cells.town[end] == cells.town[start]
        ]
    assert np.mean(ratios) == pytest.approx(1.4, abs=0.03)


def test_the_committed_river_is_crossed_by_bridges_only(committed_city, committed_roads, worlds):
    graph = build_graph(committed_city, committed_roads, worlds["measured"])
    town, n_cells = committed_city.cells.town, committed_city.cells.n_cells
    water = {tuple(sorted(pair)) for pair in committed_city.water_pairs.tolist()}
    touching = {tuple(sorted(pair)) for pair in committed_city.adjacent_pairs.tolist()}
    bridges = {tuple(sorted(pair)) for pair in committed_city.bridges.tolist()}
    crossed = 0
    for a, b in graph.edges:
        if max(a, b) >= n_cells or town[a] == town[b]:
            continue
        pair = tuple(sorted((int(town[a]), int(town[b]))))
        assert pair in touching
        if pair in water:
            crossed += 1
            assert tuple(sorted((a, b))) in bridges
    assert crossed > len(water) / 2


@pytest.mark.slow
def test_tables_of_the_committed_city_take_less_than_fifteen_seconds(
    worlds, committed_city, committed_roads, tmp_path: Path
):
    start = process_time()
    build_travel(committed_city, worlds["measured"], committed_roads, tmp_path)
    assert process_time() - start < 15
