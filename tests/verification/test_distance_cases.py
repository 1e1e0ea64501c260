"""The nearest of random stations and the square root law: the counts behind them, and that what is wrong is seen."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from sim.city import load_city
from sim.engine.log import LOG_DTYPE, EventLog, LogKind
from sim.verification import nearest, square_root
from sim.verification.checks import KERNEL, Check
from sim.verification.hypercube import solve
from sim.verification.nearest import Driven, Layouts, between_cells_m, expected_nearest, straight_m, streets_m
from sim.verification.played import Played, play, prepared
from sim.verification.square_root import ByFree


def test_the_mean_distance_to_the_nearest_is_that_of_all_layouts_counted_one_by_one() -> None:
    distance = np.array([[3.0, 1.0, 2.0], [0.5, 4.0, 4.0]])
    for n in (1, 2, 3):
        layouts = [min(row[cell] for cell in cells) for row in distance for cells in product(range(3), repeat=n)]
        assert expected_nearest(distance, n) == pytest.approx(np.mean(layouts), rel=1e-12)


@pytest.mark.parametrize(("metric", "constant"), [(straight_m, 0.5), (streets_m, math.sqrt(math.pi / 8.0))])
def test_the_constants_are_the_limit_of_ever_finer_closed_grids(metric: nearest.Metric, constant: float) -> None:
    off = [
        abs(nearest.closed_grid_constant(metric, n, n_stations) / constant - 1.0)
        for n, n_stations in ((50, 25), (200, 100), (800, 400))
    ]
    assert off[0] > 2.0 * off[1] > 4.0 * off[2]
    assert off[1] > nearest.LIMIT_SHARE  # what `nearest_constants` would refuse
    assert off[2] < 0.002


def test_edges_make_the_mean_distance_longer_and_less_so_with_more_stations() -> None:
    """A finer grid than the engines', so that cells do not count beside the edges."""
    middle = (np.arange(40) + 0.5) / 40.0
    x, y = (axis.ravel() for axis in np.meshgrid(middle, middle))
    distance = np.hypot(x[:, None] - x, y[:, None] - y)
    constants = [expected_nearest(distance, n) * math.sqrt(n) for n in (4, 16, 64)]
    assert constants[0] > constants[1] > constants[2] > 0.5


@pytest.fixture(scope="module")
def driven() -> tuple[Layouts, Driven]:
    layouts = nearest.drawn_layouts(nearest.N_LAYOUTS["short"])
    with prepared("a name", nearest.grid_city(layouts), "travel=distance", *nearest.WAYS) as ready:
        return layouts, nearest.drives(play(ready.inputs(0), KERNEL))


def checks_of(layouts: Layouts, metric: nearest.Metric, driven: Driven) -> dict[str, Check]:
    checks = nearest.compared(layouts, between_cells_m(metric), driven, 0.5, KERNEL)
    return {check.name: check for check in checks}


def test_streets_in_place_of_straight_lines_are_seen(driven: tuple[Layouts, Driven]) -> None:
    wrong = checks_of(driven[0], streets_m, driven[1])
    assert not any(wrong[name].holds for name in ("not_nearest", "constant_64", "slope"))


def test_straight_lines_in_place_of_streets_are_seen(tmp_path: Path) -> None:
    layouts, path = nearest.drawn_layouts(nearest.N_LAYOUTS["short"]), tmp_path / "streets.graphml"
    nearest.street_grid(path, nearest.N_SIDE, nearest.SIDE_M)
    with prepared("a name", nearest.grid_city(layouts), *nearest.streets_world(path), *nearest.WAYS) as ready:
        driven = nearest.drives(play(ready.inputs(0), KERNEL))
    right, wrong = checks_of(layouts, streets_m, driven), checks_of(layouts, straight_m, driven)
    assert all(right[name].holds for name in ("not_nearest", "slope"))
    assert not any(wrong[name].holds for name in ("not_nearest", "slope"))


def test_one_drive_to_the_second_nearest_station_is_seen(driven: tuple[Layouts, Driven]) -> None:
    layouts, right = driven
    of_cells = between_cells_m(straight_m)[:, layouts.cells[right.layout[0]]]
    metres = right.metres.copy()
    metres[0] = np.unique(of_cells[right.cell[0]])[1]
    wrong = checks_of(layouts, straight_m, replace(right, metres=metres))
    assert (wrong["not_nearest"].found, wrong["not_nearest"].holds) == (1.0, False)


def test_stations_that_are_counted_but_not_there_are_seen(driven: tuple[Layouts, Driven]) -> None:
    """A fifth fewer stations than the law reckons with make drives longer by an eighth."""
    layouts, right = driven
    longer = replace(right, metres=right.metres * math.sqrt(1.25))
    assert not checks_of(layouts, straight_m, longer)["slope"].holds


def test_the_streets_of_the_graph_are_as_long_as_their_crossings_are_apart(tmp_path: Path) -> None:
    layouts = Layouts((1,), (np.array([0]),))
    path = tmp_path / "streets.graphml"
    nearest.street_grid(path, nearest.N_SIDE, nearest.SIDE_M)
    world = nearest.streets_world(path)
    with prepared("a name", nearest.grid_city(layouts), *world, *nearest.WAYS) as ready:
        city, inputs = load_city(ready.settings.city_folder()), ready.inputs(0)
    assert (city.cells.x_m[21], city.cells.y_m[21]) == (100, 100)
    seconds = inputs.travel.duration_ms[0] / 1_000.0
    metres = (seconds - nearest.START_S) * nearest.KMH / 3.6
    assert np.abs(metres - between_cells_m(streets_m)).max() < nearest.MOST_ROUNDING_M


def test_the_mean_by_units_free_of_two_units_by_hand() -> None:
    """Both free: the nearer one, 1 m and 2 m; one free: whichever it is, as often as the other is busy alone."""
    model = replace(
        square_root.city_of_layout(0).model,
        call_rate=np.ones(2), service_rate=np.ones(2), order=np.array([[0, 1], [1, 0]]),
    )  # fmt: skip
    away_m = np.array([[1.0, 5.0], [9.0, 2.0]])
    expected = square_root.expected_by_free(model, solve(model), away_m)
    assert expected == pytest.approx([((5.0 + 2.0) / 2.0 + (1.0 + 9.0) / 2.0) / 2.0, 1.5])


def seen_of_layout(number: int, n: int) -> list[ByFree]:
    spatial = square_root.city_of_layout(number)
    away_m = between_cells_m(straight_m, square_root.SIDE_M)[:, square_root.homes_of(spatial)]
    with prepared(spatial.name, spatial.city, *spatial.overrides) as ready:
        return [square_root.see_by_free(play(ready.inputs(k), KERNEL), spatial, away_m) for k in range(n)]


@pytest.mark.slow
def test_the_law_in_place_of_the_exact_means_and_one_layout_for_another_are_seen() -> None:
    spatial, other = square_root.city_of_layout(0), square_root.city_of_layout(1)
    means = [_exact(spatial), _exact(other)]
    seen = [seen_of_layout(0, square_root.REPLICATIONS["short", KERNEL])]
    right = {check.name: check for check in square_root.compared(means[0], seen, KERNEL)}
    assert all(right[f"free_{n}"].holds for n in range(1, 9))
    roots = 1.0 / np.sqrt(np.arange(1, 9))
    law = roots * float((means[0] / roots).mean())
    by_law = {check.name: check for check in square_root.compared(law, seen, KERNEL)}
    assert sum(not by_law[f"free_{n}"].holds for n in range(1, 9)) >= 4
    swapped = {check.name: check for check in square_root.compared(means[1], seen, KERNEL)}
    assert not swapped["slope"].holds


def _exact(spatial: square_root.SpatialCity) -> np.ndarray:
    away_m = between_cells_m(straight_m, square_root.SIDE_M)[:, square_root.homes_of(spatial)]
    return square_root.expected_by_free(spatial.model, solve(spatial.model), away_m)


def test_what_is_seen_by_units_free_worked_out_by_hand() -> None:
    """Unit 2 is sent with eight free, unit 0 with seven, and again with eight once both are back."""
    spatial = square_root.city_of_layout(0)
    with prepared(spatial.name, spatial.city, *spatial.overrides) as ready:
        inputs = ready.inputs(0)
    begin = inputs.calendar.measure_from_ms
    told = [
        (1, LogKind.DISPATCH, 0, 2), (2, LogKind.DISPATCH, 1, 0), (3, LogKind.DISPATCH, 2, 8),
        (4, LogKind.AVAILABLE, -1, 2), (5, LogKind.AVAILABLE, -1, 0), (6, LogKind.DISPATCH, 3, 0),
    ]  # fmt: skip
    rows = np.zeros(len(told), dtype=LOG_DTYPE)
    for row, (at_s, kind, incident, unit) in zip(rows, told, strict=True):
        row["time_ms"], row["kind"], row["incident"], row["unit"] = begin + 1_000 * at_s, kind, incident, unit
    away_m = np.arange(nearest.N_SIDE**2 * 8, dtype=np.float64).reshape(-1, 8)
    none = np.zeros(0, dtype=np.int64)
    played = Played(inputs, EventLog(rows), none, none, none, none, none, none, none)
    seen = square_root.see_by_free(played, spatial, away_m)
    cell = inputs.demand.incidents["cell"]
    assert seen.n_calls.tolist() == [0, 0, 0, 0, 0, 0, 1, 2]
    assert seen.metres[6:].tolist() == [away_m[cell[1], 0], away_m[cell[0], 2] + away_m[cell[3], 0]]
