"""What a quantile, a share and a denominator are, and that pooling and sorting say the same."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.compare.cells import TOWN_GROUPS, Frame, main_cells, main_sums, responses
from sim.compare.cube import Cube, bins_of, metrics_of_histogram, metrics_of_sorted, sort_cells
from sim.compare.parts import GROUPS, METRICS, Labels

P50, P80, P90, P95, MEAN, S300, S480, S600 = range(len(METRICS))


def metrics(*responses_ms):
    ms = np.array(responses_ms, dtype=np.int64)
    cell = np.zeros(len(ms), dtype=np.int32)
    cells = sort_cells(cell, bins_of(ms), 1)
    return metrics_of_sorted(cells, cells.sum_ms(cell, np.arange(len(ms)), ms), cells.n_served())[0]


def test_a_quantile_is_interpolated_in_the_second_in_which_the_count_is_reached():
    # bins 11, 12, 12, 20: target 2 of 4 is reached in bin 12, which has one before it and holds two: 11 + (2 - 1) / 2
    assert metrics(10_500, 11_001, 12_000, 19_999)[P50] == 11.5
    # target 3.6 is reached in bin 20: 19 + (3.6 - 3) / 1
    assert metrics(10_500, 11_001, 12_000, 19_999)[P90] == 19 + (0.9 * 4 - 3) / 1


def test_shares_are_exact_at_whole_seconds():
    values = metrics(300_000, 300_001, 480_000, 600_000, 600_001)
    assert values[[S300, S480, S600]].tolist() == [1 / 5, 3 / 5, 4 / 5]


def test_what_never_came_is_above_every_threshold_and_stays_in_the_denominator():
    values = metrics(100_000, 200_000, -1, -1)
    assert values[S600] == 0.5
    assert values[P50] == 200.0
    assert values[P90] == np.inf
    assert values[MEAN] == 150.0  # the mean is of those who were served


def test_beyond_an_hour_no_quantile_is_told_but_the_mean_knows_it():
    values = metrics(7_200_000)
    assert values[P50] == np.inf
    assert values[MEAN] == 7200.0


def test_an_answer_in_no_time_and_a_group_without_incidents():
    assert metrics(0)[P50] == 0.0
    assert np.isnan(metrics()).all()


@given(st.lists(st.integers(-1, 4_000_000), min_size=1, max_size=60), st.integers(1, 3))
def test_sorted_and_pooled_counts_agree_and_lie_within_a_second_of_the_order_statistics(raw, n_cells):
    ms = np.array(raw, dtype=np.int64)
    cell = (np.arange(len(ms)) % n_cells).astype(np.int32)
    row = np.arange(len(ms))
    with TemporaryDirectory() as folder:
        cube = Cube(1, n_cells, Path(folder))
        cube.add(cell, row, ms[None], bins_of(ms)[None])
        np.testing.assert_array_equal(cube.values[0][0], cube.pooled(0))
    for one in range(min(n_cells, len(ms))):
        own = np.sort(np.where(ms[cell == one] < 0, 1 << 60, ms[cell == one]))
        for place, p in ((P50, 0.5), (P90, 0.9)):
            exact = own[int(np.ceil(p * len(own))) - 1] / 1000
            told = cube.pooled(0)[one, place]
            assert told == np.inf if exact > 3600 else abs(told - exact) <= 1.0
    shares = cube.pooled(0)[:, S300:]
    known = ~np.isnan(shares)
    assert ((shares[known] >= 0) & (shares[known] <= 1)).all()


def test_pooling_two_replications_is_the_same_as_one_with_both(tmp_path):
    rng = np.random.default_rng(1)
    first, second = rng.integers(-1, 900_000, (2, 500))
    cube, whole = Cube(1, 2, tmp_path, "both"), Cube(1, 2, tmp_path, "whole")
    cell = (np.arange(500) % 2).astype(np.int32)
    for ms in (first, second):
        cube.add(cell, np.arange(500), ms[None], bins_of(ms)[None])
    both = np.concatenate([first, second])
    whole.add(np.tile(cell, 2), np.arange(1000), both[None], bins_of(both)[None])
    np.testing.assert_array_equal(cube.pooled(0), whole.pooled(0))
    assert cube.n_pooled().tolist() == [500, 500]


LABELS = Labels(("a", "b"), ("", ""), ("", ""), (1, 1), ("f", "r", "o"), ("fire", "rescue", "social"))


def test_each_incident_counts_once_in_its_town_and_city_year_and_window_group_and_all():
    table = {
        "year": np.array([2022, 2023, 2023]), "town": np.array([0, 1, 1]), "kind": np.array([0, 1, 2]),
        "is_headline": np.array([True, True, False]),
    }  # fmt: skip
    frame = Frame((2022, 2023), LABELS)
    cell, _ = main_cells(frame, table)
    n = np.bincount(cell, minlength=frame.n_main)
    told = {
        (year, group, town): int(n[frame.main_cell(year, group, town)])
        for year in (0, 2022, 2023) for group in GROUPS for town in ((0, 1, None) if group in TOWN_GROUPS else (None,))
    }  # fmt: skip
    assert [told[0, group, None] for group in GROUPS] == [2, 1, 1, 3]
    assert [told[2022, group, None] for group in GROUPS] == [1, 1, 0, 1]
    assert [told[2023, group, 1] for group in TOWN_GROUPS] == [1, 2]
    assert n.sum() == 2 * (2 * 2 + 1 + 1 + 2 * 3)  # fires and rescues are told for the city only


def test_sums_over_parts_are_the_sums_over_pairs_of_cell_and_incident():
    rng = np.random.default_rng(3)
    n = 300
    table = {
        "year": rng.integers(2022, 2024, n), "town": rng.integers(0, 2, n), "kind": rng.integers(0, 3, n),
        "is_headline": rng.random(n) < 0.6,
    }  # fmt: skip
    frame, weights = Frame((2022, 2023), LABELS), rng.integers(0, 9, (2, n)).astype(float)
    cell, row = main_cells(frame, table)
    for own, summed in zip(weights, main_sums(frame, table, weights), strict=True):
        np.testing.assert_array_equal(summed, np.bincount(cell, weights=own[row], minlength=frame.n_main))


def test_call_to_arrival_adds_the_handling_of_the_call_and_keeps_what_is_censored():
    table = {
        "call_ms": np.array([0, 0]), "dispatch_due_ms": np.array([60_000, 60_000]),
        "first_arrival_ms": np.array([200_000, -1]), "first_critical_ms": np.array([-1, -1]),
        "full_alarm_ms": np.array([-1, -1]), "static_arrival_ms": np.array([-1, 150_000]),
    }  # fmt: skip
    ms, _ = responses(table)
    assert ms[3].tolist() == [260_000, -1]
    assert ms[4:].tolist() == [[-1, 150_000], [-1, 210_000]]


def test_histograms_with_weights_follow_the_same_definition():
    counts = np.zeros((1, 4096))
    counts[0, [100, 200]] = [3.0, 1.0]
    values = metrics_of_histogram(counts, np.array([0.0]), np.array([0.0]))[0]
    assert values[P50] == pytest.approx(99 + 2 / 3)
    assert np.isnan(values[MEAN])
