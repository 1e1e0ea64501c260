"""A small city by files alone, and what is said when its files are wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim.city import load_city
from sim.city.build import main
from sim.errors import InputError


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def built(threeton: Path) -> Path:
    """The small city with its cells."""
    assert main([str(threeton)]) == 0
    return threeton


def test_a_city_of_three_towns_is_made_and_loaded_by_files_alone(built: Path) -> None:
    city = load_city(built)
    assert city.towns.code == ("west", "mid", "east")
    assert np.bincount(city.cells.town).tolist() == [12, 9, 16]
    sums = np.bincount(city.cells.town, weights=city.cells.population)
    assert sums.tolist() == [20_000, 12_345, 30_001]  # in the order of towns.csv, not of the plan
    assert [int((city.cells.is_built_up & (city.cells.town == t)).sum()) for t in range(3)] == [5, 4, 6]
    assert city.adjacent_pairs.tolist() == [[0, 1], [1, 2]]
    assert city.water_pairs.tolist() == [[1, 2]]
    assert city.cells.town[city.bridges[0]].tolist() == [1, 2]


def test_where_sites_share_a_cell_the_first_kind_of_the_settings_wins(built: Path) -> None:
    city = load_city(built)
    shared = city.sites.cell[city.sites.name_en.index("Port")]
    assert shared == city.sites.cell[city.sites.name_en.index("Hill")]
    assert city.site_kinds[city.cells.site_kind[shared]] == "port"


def test_a_site_without_a_point_stands_at_the_seat(built: Path) -> None:
    city = load_city(built)
    cell = city.sites.cell[city.sites.name_en.index("Knoll")]
    seat = np.hypot(city.cells.x_m - city.towns.seat_x_m[2], city.cells.y_m - city.towns.seat_y_m[2])
    assert seat[cell] == seat[city.cells.town == 2].min()


def test_a_bridge_with_coordinates_joins_the_cells_nearest_to_it(built: Path) -> None:
    evenly = load_city(built).bridges[0]
    _edit(built / "bridges.csv", "mid,east,1,,,,", "mid,east,1,,0.02,10.06,")
    city = load_city(built)
    north = city.bridges[0]
    assert city.cells.y_m[north].mean() > city.cells.y_m[evenly].mean()
    assert city.cells.town[north].tolist() == [1, 2]


def test_sites_bridges_and_rail_may_be_left_out(threeton: Path) -> None:
    for name in ("bridges.csv", "sites.csv"):
        (threeton / name).unlink()
    assert main([str(threeton)]) == 0
    city = load_city(threeton)
    assert len(city.sites.cell) == 0
    assert city.bridges.shape == (0, 2)
    assert len(city.rail_stations.cell) == 0


SPOILT: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "town of a cell unknown": (
        lambda f: _edit(f / "cells.csv", ",mid,", ",mit,"),
        ["cells.csv row", "'mit'", "is not in towns.csv", "did you mean 'mid'?"],
    ),
    "residents off by one": (
        lambda f: _edit(f / "plan_towns.csv", "3.0001", "3.0002"),
        ["cells.csv: 'east' has 30001 residents in its cells, the plan says 30002"],
    ),
    "town in plan only": (
        lambda f: _edit(f / "plan_towns.csv", "mid,", "mod,"),
        ["plan_towns.csv: 'mod'", "did you mean 'mid'?", "towns.csv: 'mid' (code) is not in plan_towns.csv"],
    ),
    "seat swapped": (
        lambda f: _edit(f / "towns.csv", "made up,assumed,0.0,10.08,", "made up,assumed,10.08,0.0,"),
        ["towns.csv: 'east' has its seat at", "far outside the cells", "swapped"],
    ),
    "bridge between towns that do not touch": (
        lambda f: _edit(f / "bridges.csv", "mid,east", "west,east"),
        ["bridges.csv row 2: 'east - west' is not a pair of adjacency.csv"],
    ),
    "crossings not counted from one": (
        lambda f: _edit(f / "bridges.csv", "mid,east,1", "mid,east,2"),
        ["'east - mid' (crossing) must count from 1, found [2]"],
    ),
    "pair twice": (
        lambda f: _edit(f / "adjacency.csv", "east,mid", "mid,west"),
        ["adjacency.csv row 3: 'mid - west' stands already in row 2"],
    ),
    "town beside itself": (
        lambda f: _edit(f / "adjacency.csv", "east,mid", "mid,mid"),
        ["adjacency.csv row 3: 'mid' cannot touch itself"],
    ),
    "kind of site unknown": (
        lambda f: _edit(f / "sites.csv", "port,", "prot,"),
        ["sites.csv row 3: 'prot' (site_kind) is not in city.yaml", "did you mean 'port'?"],
    ),
    "site far from its town": (
        lambda f: _edit(f / "sites.csv", "Port,west,0.0,10.0", "Port,west,10.0,0.0"),
        ["sites.csv row 3: '港'", "km from the nearest cell of west", "swapped"],
    ),
    "half a point": (
        lambda f: _edit(f / "sites.csv", "Port,west,0.0,10.0", "Port,west,0.0,"),
        ["sites.csv row 3:", "gives only one of lat and lon"],
    ),
    "unknown key": (
        lambda f: _edit(f / "city.yaml", "utc_offset_h", "utc_ofset_h"),
        ["city.yaml: (utc_ofset_h) is not a setting; did you mean 'utc_offset_h'?"],
    ),
    "unknown nested key": (
        lambda f: _edit(f / "city.yaml", "lat0: 0.0", "lat0: 0.0, lat1: 1"),
        ["(plane.lat1)"],
    ),
    "length of a degree": (
        lambda f: _edit(f / "city.yaml", "111319.5", "101319.5"),
        ["city.yaml: 101319.5 (plane.m_per_deg_lon) is not the length of a degree at lat0; write 111319.5"],
    ),
    "standing unknown": (
        lambda f: _edit(
            f / "city.yaml", "source: made up, standing: assumed}\nbuild", "source: x, standing: sure}\nbuild"
        ),
        ["city.yaml: 'sure' (standing) must be one of plan, standard, published, assumed, fitted"],
    ),
    "not yaml": (
        lambda f: _edit(f / "city.yaml", "id: threeton", "id: {"),
        ["city.yaml: cannot be read as YAML (", "line "],
    ),
    "epoch": (lambda f: _edit(f / "city.yaml", '"2020-01-01"', '"2020-13-01"'), ["(epoch) must be a day"]),
    "no settings": (lambda f: (f / "city.yaml").unlink(), ["city.yaml", "does not exist"]),
}


@pytest.mark.parametrize("name", SPOILT)
def test_wrong_files_are_named_with_row_value_rule_and_mend(built: Path, name: str) -> None:
    spoil, expected = SPOILT[name]
    spoil(built)
    with pytest.raises(InputError) as caught:
        load_city(built)
    for text in expected:
        assert text in str(caught.value)


def test_a_town_without_cells_and_two_cells_at_one_place_are_told_apart(built: Path) -> None:
    path = built / "cells.csv"
    lines = path.read_text().splitlines()
    header, rows = lines[0], [line for line in lines[1:] if ",mid," not in line]
    renumbered = [",".join([str(i), *row.split(",")[1:]]) for i, row in enumerate(rows)]
    path.write_text("\n".join([header, *renumbered]) + "\n")
    with pytest.raises(InputError, match="'mid' is a town without cells"):
        load_city(built)
    doubled = [*lines, ",".join([str(len(lines) - 1), *lines[1].split(",")[1:]])]
    path.write_text("\n".join(doubled) + "\n")
    with pytest.raises(InputError, match=r"\(x_m, y_m\) stands already in row 2"):
        load_city(built)


def test_all_faults_of_the_side_tables_are_reported_together(built: Path) -> None:
    _edit(built / "sites.csv", "port,", "prot,")
    _edit(built / "adjacency.csv", "east,mid", "eats,mid")
    _edit(built / "city.yaml", "cell_m: 1000", "cell_m: -5")
    with pytest.raises(InputError) as caught:
        load_city(built)
    assert {problem.where for problem in caught.value.problems} >= {"city.yaml", "adjacency.csv"}


def test_build_says_what_it_lacks_and_leaves_the_folder_alone(
    threeton: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _edit(threeton / "plan_towns.csv", "mid,中,4,", "mid,中,40,")
    assert main([str(threeton)]) == 2
    assert "'mid' has 40 built-up cells wanted but only 9 cells" in capsys.readouterr().err
    assert not (threeton / "cells.csv").exists()
    assert main([]) == 2


def test_build_needs_its_settings(threeton: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (threeton / "city.yaml").read_text()
    (threeton / "city.yaml").write_text(text[: text.index("build:")])
    assert main([str(threeton)]) == 2
    assert "has no section build" in capsys.readouterr().err
