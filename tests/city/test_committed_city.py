"""The committed city: made again it is the same, sums are exact, and it lies as docs/city.md says."""

from __future__ import annotations

import filecmp
import math
from pathlib import Path

import numpy as np

from sim.city import City, load_city
from sim.city.build import main
from sim.city.diagram import n_pieces
from sim.city.load import nearest_cell_of_town
from sim.plan import load_plan


def _touching_towns(city: City) -> set[tuple[int, int]]:
    """Return the town pairs whose cells share a side."""
    at = {place: i for i, place in enumerate(zip(city.cells.x_m.tolist(), city.cells.y_m.tolist(), strict=True))}
    found = set()
    for (x, y), cell in at.items():
        for beside in ((x + city.cell_m, y), (x, y + city.cell_m)):
            if beside in at:
                a, b = sorted((int(city.cells.town[cell]), int(city.cells.town[at[beside]])))
                found |= {(a, b)} if a != b else set()
    return found


def test_rebuilt_cells_are_the_committed_ones_byte_for_byte(city_folder: Path, copied_folder: Path) -> None:
    (copied_folder / "cells.csv").unlink()
    assert main([str(copied_folder)]) == 0
    assert filecmp.cmp(copied_folder / "cells.csv", city_folder / "cells.csv", shallow=False)


def test_residents_of_the_cells_sum_to_the_plan_exactly_town_by_town(city: City, city_folder: Path) -> None:
    plan = load_plan(city_folder)
    sums = np.bincount(city.cells.town, weights=city.cells.population, minlength=city.towns.n_towns)
    for t, code in enumerate(city.towns.code):
        assert int(sums[t]) == plan.population[plan.code.index(code)], code
    assert int(city.cells.population.sum()) == 10_466_600


def test_each_town_has_its_area_in_cells_and_is_one_piece(city: City) -> None:
    assert city.cells.n_cells == math.floor(math.fsum(city.towns.area_km2) + 0.5)
    for t, code in enumerate(city.towns.code):
        own = city.cells.town == t
        assert abs(int(own.sum()) - city.towns.area_km2[t]) < 1, code
        assert n_pieces(city.cells.x_m[own].astype(int), city.cells.y_m[own].astype(int), city.cell_m) == 1, code


def test_built_up_cells_are_those_nearest_the_seat_and_as_many_as_the_plan_says(city: City) -> None:
    for t in range(city.towns.n_towns):
        own = city.cells.town == t
        dist = np.hypot(city.cells.x_m - city.towns.seat_x_m[t], city.cells.y_m - city.towns.seat_y_m[t])
        is_built_up = city.cells.is_built_up
        assert int((own & is_built_up).sum()) == math.floor(city.towns.built_up_km2[t] + 0.5)
        assert dist[own & is_built_up].max() <= dist[own & ~is_built_up].min()


def test_density_falls_with_distance_from_the_seat(city: City) -> None:
    for t in range(city.towns.n_towns):
        own = np.flatnonzero((city.cells.town == t) & city.cells.is_built_up)
        dist = np.hypot(city.cells.x_m[own] - city.towns.seat_x_m[t], city.cells.y_m[own] - city.towns.seat_y_m[t])
        people = city.cells.population[own][np.argsort(dist, kind="stable")].astype(int)
        assert np.all(np.diff(people) <= 1)  # whole people: equal shares may differ by one


def test_the_new_area_comes_out_of_the_two_towns_it_was_carved_from(city: City) -> None:
    area = dict(zip(city.towns.code, city.towns.area_km2, strict=True))
    assert math.isclose(area["humen"] + area["changan"] + area["binhaiwan"], 171.81 + 94.54, abs_tol=1e-9)


def test_agreement_with_the_listed_borders_is_the_one_in_the_docs(city: City, root: Path) -> None:
    listed = {(int(a), int(b)) for a, b in city.adjacent_pairs}
    touching = _touching_towns(city)
    shown = (
        f"{len(touching & listed)} of the {len(listed)} listed pairs touch, and {len(touching - listed)} pairs touch"
    )
    assert shown in (root / "docs" / "city.md").read_text(encoding="utf-8").replace("\n", " ")
    assert len(touching & listed) >= 0.85 * len(listed)


def test_bridges_join_the_towns_of_their_pair_and_stand_on_every_water_border(city: City) -> None:
    found = {tuple(sorted(city.cells.town[pair].tolist())) for pair in city.bridges}
    assert found == {tuple(pair) for pair in city.water_pairs.tolist()}
    listed = {tuple(pair) for pair in city.adjacent_pairs.tolist()}
    assert found <= listed


def test_special_sites_stand_in_the_nearest_cell_of_their_town(city: City) -> None:
    kinds = dict(zip(city.sites.name_en, city.sites.kind, strict=True))
    island = city.sites.name_en.index("Lisha Island fine-chemical park")
    x_m, y_m = city.plane.xy_m(22.9121, 113.5821)
    own = np.flatnonzero(city.cells.town == city.sites.town[island])
    dist = np.hypot(city.cells.x_m[own] - x_m, city.cells.y_m[own] - y_m)
    assert city.sites.cell[island] == own[np.argmin(dist)]
    assert city.towns.code[city.sites.town[island]] == "shatian"
    assert city.site_kinds[kinds["Lisha Island fine-chemical park"]] == "petrochemical"
    assert np.array_equal(city.cells.town[city.sites.cell], city.sites.town)


def test_the_cell_of_several_sites_counts_as_the_first_kind(city: City) -> None:
    for cell in sorted(set(city.sites.cell.tolist())):
        assert city.cells.site_kind[cell] == city.sites.kind[city.sites.cell == cell].min()
    assert int((city.cells.site_kind >= 0).sum()) == len(set(city.sites.cell.tolist()))


def test_rail_stations_without_a_coordinate_have_no_cell_and_line_one_opens_at_the_end_of_2025(city: City) -> None:
    rail = city.rail_stations
    line_2 = [i for i, line in enumerate(rail.line) if line == "metro_2"]
    line_1 = [i for i, line in enumerate(rail.line) if line == "metro_1"]
    assert [int(rail.order[i]) for i in line_2] == list(range(1, 16))
    assert np.all(rail.cell[line_2] >= 0)
    assert np.all(rail.opens[line_1] == np.datetime64("2025-12-31"))
    assert len(line_1) == 25
    assert int((rail.cell[line_1] < 0).sum()) == 24  # only the interchange has a coordinate


def test_grid_names_the_nearest_cell_and_nothing_beyond_it(city: City) -> None:
    cells = city.cells
    for x_m, y_m in ((0, 0), (-12_345, 6_789), (20_000, -20_000), (35_499, -28_501)):
        column, row = (x_m - city.grid_x0_m) // city.cell_m, (y_m - city.grid_y0_m) // city.cell_m
        mid_x = city.grid_x0_m + column * city.cell_m + city.cell_m // 2
        mid_y = city.grid_y0_m + row * city.cell_m + city.cell_m // 2
        squares = (cells.x_m.astype(np.int64) - mid_x) ** 2 + (cells.y_m.astype(np.int64) - mid_y) ** 2
        assert city.nearest_cell(x_m, y_m) == int(np.argmin(squares))
    assert city.nearest_cell(city.grid_x0_m - 1, 0) == -1
    assert city.cell_at(city.grid_x0_m + 1, city.grid_y0_m + 1) == -1  # a corner of the rectangle outside the city
    for cell in (0, 1000, cells.n_cells - 1):
        assert city.cell_at(int(cells.x_m[cell]) + 499, int(cells.y_m[cell]) - 499) == cell
        assert nearest_cell_of_town(cells, int(cells.town[cell]), int(cells.x_m[cell]), int(cells.y_m[cell])) == (
            cell,
            0,
        )


def test_loading_twice_gives_the_same_arrays(city: City, city_folder: Path) -> None:
    again = load_city(city_folder)
    assert np.array_equal(again.grid, city.grid)
    assert np.array_equal(again.bridges, city.bridges)
    assert np.array_equal(again.cells.population, city.cells.population)
