"""Synthetic cities: records say what was true, an option changes one thing, nothing is known of the program."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from calibration.records import read_records
from tests.calibration.cities import compact, sprawl
from tests.calibration.cities.dispatch import NEVER
from tests.calibration.cities.travel import bank_of, road_m
from tests.calibration.cities.worlds import BRIDGES_Y_M, ENGINE, Shape, world_of

CITIES = Path(__file__).parent / "cities"


def by_id(truth, frame):
    """Gives positions of the frame's incidents among the truth's calls: a reader may order equal stamps otherwise."""
    return frame["id"].str[1:].astype(int).to_numpy() - 1


def test_they_import_neither_the_program_nor_what_is_tested_with_them():
    for file in CITIES.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not {name.split(".")[0] for name in names} & {"sim", "calibration", "scipy", "pandas"}, file


def test_a_seed_gives_the_same_bytes_and_another_seed_another_city(tmp_path):
    texts = []
    for number, seed in enumerate((1, 1, 2)):
        truth = compact(tmp_path / str(number), 300, seed)
        files = sorted([*truth.city_folder.iterdir(), *truth.records_folder.iterdir()])
        texts.append([file.read_bytes() for file in files])
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_the_records_of_the_compact_town_are_kept_whole_and_cut_to_the_second(tmp_path):
    truth = compact(tmp_path, 2_000)
    records = read_records(truth.records_folder)
    at = by_id(truth, records.incidents)
    assert len(records.incidents) == len(truth.calls)
    assert len(records.responses) == len(truth.history)
    assert len(records.account.rows) == 0
    assert np.abs(records.incidents["arrival_s"].to_numpy() - truth.first_arrival_s[at]).max() < 1.0
    assert set(records.responses["station"]) <= {f"S{number:02d}" for number in range(1, 17)}


def test_the_sprawling_records_have_first_arrivals_in_minutes_across_a_clock_step(tmp_path):
    truth = sprawl(tmp_path, 3_000)
    assert sorted(file.name for file in truth.records_folder.iterdir()) == ["incidents.csv", "records.yaml"]
    frame = read_records(truth.records_folder).incidents
    at = by_id(truth, frame)
    is_seen = frame["arrival_s"].notna().to_numpy()
    error = (frame["arrival_s"].to_numpy() - truth.first_arrival_s[at])[is_seen]
    assert np.abs(error).max() < 60.0
    assert set(np.unique(frame["offset_s"])) == {3600, 7200}
    assert frame["is_cancelled"].mean() == pytest.approx(0.03, abs=4 * np.sqrt(0.03 / 3_000))
    assert (~is_seen & ~frame["is_cancelled"]).mean() == pytest.approx(0.04, abs=4 * np.sqrt(0.04 / 3_000))
    assert frame["en_route_s"].isna().all()


def test_no_unit_is_in_two_places_and_each_leaves_from_where_it_is_free():
    history = compact(None, 20_000, days=60).history
    order = np.lexsort((history.dispatch_ms, history.unit))
    same = history.unit[order][1:] == history.unit[order][:-1]
    assert (history.dispatch_ms[order][1:] >= history.available_ms[order][:-1])[same].all()
    assert (history.dispatch_ms <= history.en_route_ms).all()
    assert (history.en_route_ms < history.arrival_ms).all()


def test_the_first_free_station_of_the_district_map_goes_but_for_four_in_a_hundred():
    truth = compact(None, 4_000)
    history = truth.history
    first = np.flatnonzero(history.slot == 0)
    assert history.was_passed[first].mean() == pytest.approx(0.04, abs=3 * np.sqrt(0.04 / 4_000))
    nearest = truth.ways.median_s.argmin(axis=1)[history.call[first]]
    assert 0.7 < (history.station[first] == nearest).mean() < 0.9


def test_a_way_between_two_banks_goes_over_a_bridge():
    world = world_of(Shape.SPRAWL, 1)
    begin, end = np.array([[25_000.0, 22_000.0]]), np.array([[35_000.0, 22_000.0], [26_000.0, 22_000.0]])
    assert bank_of(begin).tolist() == [0]
    assert bank_of(end).tolist() == [1, 0]
    ways = road_m(world, begin, end)[0]
    assert ways[1] == 1.25 * 1_000.0
    by_bridge = []
    for y in BRIDGES_Y_M[0]:
        x = 30_500.0 + 2_000.0 * np.sin(y / 5_000.0)
        by_bridge.append(1.25 * (np.hypot(x - 25_000.0, y - 22_000.0) + np.hypot(35_000.0 - x, y - 22_000.0)))
    assert ways[0] == pytest.approx(min(by_bridge))
    assert ways[0] > 1.3 * 12_500.0


def test_rivers_make_another_station_the_nearest_of_one_call_in_ten():
    truth = sprawl(None, 3_000)
    by_line, by_time = truth.ways.straight_m.argmin(axis=1), truth.ways.median_s.argmin(axis=1)
    assert 0.08 < (by_line != by_time).mean() < 0.2
    every = np.arange(len(truth.calls))
    lost_s = truth.ways.median_s[every, by_line] - truth.ways.median_s[every, by_time]
    assert lost_s[by_line != by_time].mean() > 120.0


def test_each_option_leave_the_calls_as_they_were():
    usual = compact(None, 1_500)
    for otherwise in (
        {"noise": "heavy"},
        {"wrong_station": 0.15},
        {"congestion_sd": 0.25},
        {"opens_late": True},
        {"one_way": False},
    ):
        other = compact(None, 1_500, **otherwise)
        np.testing.assert_array_equal(other.calls.call_ms, usual.calls.call_ms)
        np.testing.assert_array_equal(other.calls.xy_m, usual.calls.xy_m)
        assert not np.array_equal(other.history.arrival_ms, usual.history.arrival_ms)


def test_a_station_that_opens_late_sends_nobody_before_and_is_said_to(tmp_path):
    truth = compact(tmp_path, 2_000, opens_late=True)
    late = truth.world.late_station
    of_late = truth.history.dispatch_ms[truth.history.station == late]
    opens = [line.split(",")[3] for line in (truth.city_folder / "stations.csv").read_text().splitlines()[1:]]
    assert [day for day in opens if day] == [opens[late]] == ["2021-07-03"]
    assert len(of_late) > 50
    assert of_late.min() >= np.datetime64("2021-07-02T16:00", "ms").astype(np.int64)  # midnight at UTC+8


def test_records_may_hold_the_response_alone(tmp_path):
    truth = sprawl(tmp_path, 500, marks="call_to_arrival", resolution_s=1)
    frame = read_records(truth.records_folder).incidents
    is_seen = frame["call_to_arrival_s"].notna().to_numpy()
    error = frame["call_to_arrival_s"].to_numpy() - truth.first_arrival_s[by_id(truth, frame)]
    assert np.abs(error[is_seen]).max() < 1.0
    assert frame["station"].isna().all()


def test_other_chance_leaves_the_response_what_it_was_on_the_average():
    truth = compact(None, 8_000)
    again = truth.again(5).arrivals_s(truth.calls.call_ms, 0)[0]
    draws = truth.draws_s(4)
    assert not np.array_equal(again, truth.first_arrival_s)
    se = np.std(truth.first_arrival_s) * np.sqrt(2.0 / len(truth.calls))
    assert np.mean(again) == pytest.approx(np.mean(truth.first_arrival_s), abs=3 * se)
    assert np.mean(draws) == pytest.approx(np.mean(truth.first_arrival_s), abs=3 * se)


def test_a_busier_town_has_more_units_so_that_few_calls_wait():
    usual, busy = (compact(None, n, days=60) for n in (3_000, 18_000))
    assert len(busy.fleet.type) - len(usual.fleet.type) == 16 + usual.world.ladders.sum()
    history = busy.history
    waited_s = (history.dispatch_ms - busy.calls.call_ms[history.call]) / 1000.0
    assert (waited_s > 600.0).mean() < 0.005


def test_in_a_starved_town_needs_wait_and_are_served_in_the_order_they_came():
    truth = compact(None, 9_000, days=60, engines=np.ones(16, dtype=np.int64))
    history = truth.history
    own = np.flatnonzero(history.type == ENGINE)
    handled = truth.calls.call_ms[history.call[own]]
    waited_s = (history.dispatch_ms[own] - handled) / 1000.0
    late = own[waited_s > 900.0]  # longer than anybody handles a call
    assert len(late) > 200
    units = np.sort(history.available_ms[own])
    assert np.isin(history.dispatch_ms[late], units).all()  # the moment a unit is home
    came = np.argsort(history.dispatch_ms[late], kind="stable")
    due = truth.calls.call_ms[history.call[late]][came]
    assert (np.diff(due) > -900_000).all()
    assert len(history) == sum(
        len(truth.world.kinds[k].patterns[p][1]) for k, p in zip(truth.calls.kind, truth.calls.pattern, strict=True)
    )


def test_calls_that_were_called_off_are_so_in_every_history():
    truth = sprawl(None, 2_000)
    again = truth.again(5).arrivals_s(truth.calls.call_ms, 0)[0]
    np.testing.assert_array_equal(np.isnan(again), np.isnan(truth.first_arrival_s))
    assert np.isnan(again).sum() > 20


def test_true_noise_is_what_the_world_says_it_is():
    truth = compact(None, 20_000)
    history = truth.history
    score = np.log(history.travel_s / truth.median_travel_s) / truth.world.noise_sd_of(truth.median_travel_s)
    assert score.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * len(score)))
    pair = {slot: score[history.slot == slot] for slot in (0, 1)}
    call = {slot: history.call[history.slot == slot] for slot in (0, 1)}
    _, of_first, of_second = np.intersect1d(call[0], call[1], return_indices=True)
    common = np.corrcoef(pair[0][of_first], pair[1][of_second])[0, 1]
    assert common == pytest.approx(0.2, abs=3 / np.sqrt(len(of_first)))
    assert (history.type == ENGINE).mean() > 0.8
    assert (history.arrival_ms != NEVER).all()


def test_the_command_writes_a_city_and_refuses_a_folder_that_is_not_empty(tmp_path):
    command = [sys.executable, str(CITIES), "sprawl", str(tmp_path / "out"), "--calls", "200"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "30 stations" in said
    assert (tmp_path / "out" / "records" / "incidents.csv").is_file()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "not empty" in again.stderr
