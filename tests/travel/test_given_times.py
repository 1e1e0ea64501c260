"""Claims about a user's own driving times: what the file says is what the city drives, and faults are named at once."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.assemble import InputsBuilder
from sim.cli import main
from sim.compose import compose
from sim.config import configs_root
from sim.engine import simulate
from sim.engine.log import LogKind
from sim.errors import InputError
from sim.settings import given_digests, what_key
from sim.travel import travel_of
from sim.travel.given import given_matrix, read_zones
from sim.travel.settings import ROAD_NUMBERS, TravelSettings

WEEK = ("window=one_week", "schedule.is_outside_run_allowed=true", "schedule=none")
N_CELLS = 4
SECONDS = 60.0 + 90.0 * np.abs(np.subtract.outer(np.arange(N_CELLS), np.arange(N_CELLS))) + 0.125


def write_long(path: Path, square: np.ndarray, labels: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["from", "to", "duration"])
        rows.writerows(
            (a, b, square[i, j]) for i, a in enumerate(labels) for j, b in enumerate(labels) if square[i, j] >= -999
        )
    return path


def cells_csv(path: Path, square: np.ndarray) -> Path:
    return write_long(path, square, [str(cell) for cell in range(len(square))])


@pytest.fixture
def world(make_settings, tmp_path) -> TravelSettings:
    """A world of given times between the four cells of a line, 1 km apart."""
    path = cells_csv(tmp_path / "m.csv", SECONDS)
    return replace(make_settings(), **dict.fromkeys(ROAD_NUMBERS), matrix=str(path), matrix_unit="s")


def test_given_seconds_between_cells_are_the_milliseconds_of_every_period(make_city, world, tmp_path):
    tables = travel_of(make_city(["AAAA"]), world, tmp_path, tmp_path / "cache")
    assert tables.name == world.name
    assert tables.period_of_hour.tolist() == world.period_of_hour().tolist()
    for period in range(3):
        assert tables.duration_ms[period].tolist()[0] == [60_125, 150_125, 240_125, 330_125]
    assert (tables.duration_ms[0] == tables.duration_ms[0].T).all()


def test_cells_of_a_zone_share_the_times_of_its_label(make_city, world, tmp_path):
    zones = tmp_path / "zones.csv"
    zones.write_text("cell,zone\n3,east\n0,west\n1,west\n2,east\n", encoding="utf-8")
    write_long(tmp_path / "z.csv", np.array([[50.0, 200.0], [210.0, 70.0]]), ["east", "west"])
    own = replace(world, matrix=str(tmp_path / "z.csv"), matrix_zones=str(zones))
    rows = travel_of(make_city(["AAAA"]), own, tmp_path, tmp_path / "cache").duration_ms[1].tolist()
    assert rows[0] == [70_000, 70_000, 210_000, 210_000]
    assert rows[2] == [200_000, 200_000, 50_000, 50_000]


def test_every_fault_of_a_table_of_zones_is_reported_at_once(tmp_path):
    path = tmp_path / "zones.csv"
    path.write_text("cell,zone\n0,a\n0,b\n9,a\n2,\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_zones(path, 4)
    message = str(caught.value)
    assert "zones.csv row 3: '0' (cell) stands already in row 2" in message
    assert "zones.csv row 5: '' (zone)" in message
    assert "zones.csv row 4: 9 (cell) is not a cell of the city; cells are 0 to 3" in message
    assert "'1, 2, 3' (3 cells) have no zone; give each cell one" in message


@pytest.mark.parametrize(
    ("scale", "unit", "speed"), [(1.0, "min", "0.45"), (1 / 60, "s", "1.62e+03"), (1.0, "ms", "2.7e+04")]
)
def test_a_wrong_unit_is_told_by_the_speed_that_it_makes(make_city, world, tmp_path, scale, unit, speed):
    # Of six pairs three are 1 km apart in 150.125 s (23.98 km/h), two 2 km in 240.125 s (29.98), one 3 km in 330.125 s:
    # the median is 26.98 km/h, and the same by 60, times 60, or times 1000 where the unit is wrong.
    path = cells_csv(tmp_path / "u.csv", SECONDS * scale)
    with pytest.raises(InputError, match="declare another unit: ms, s or min") as caught:
        given_matrix(make_city(["AAAA"]), replace(world, matrix=str(path), matrix_unit=unit)).durations()
    assert f" s at {speed} km/h as the crow flies" in str(caught.value)


def test_pairs_that_are_absent_negative_or_of_no_cell_are_named_together(make_city, world, tmp_path):
    square = SECONDS.copy()
    square[0, 1], square[2, 1] = -1000, -4.0
    path = cells_csv(tmp_path / "f.csv", square)
    with pytest.raises(InputError) as caught:
        given_matrix(make_city(["AAAA"]), replace(world, matrix=str(path))).durations()
    assert "f.csv (all periods): '0 -> 1' has no duration" in str(caught.value)
    assert "f.csv (all periods): '2 -> 1' is negative" in str(caught.value)
    with pytest.raises(InputError) as caught:
        given_matrix(make_city(["AAA"]), replace(world, matrix=str(path))).durations()
    assert "'3' is not a zone" in str(caught.value)


def test_a_changed_file_or_place_of_zones_is_another_key(make_city, world, tmp_path):
    city = make_city(["AAAA"])
    first = given_matrix(city, world).key()
    assert given_matrix(make_city(["AA.AA"]), world).key() != first
    assert given_matrix(city, replace(world, is_matrix_one_way=True)).key() != first
    cells_csv(Path(world.matrix), SECONDS + 1)
    assert given_matrix(city, world).key() != first


# --- through the settings ---------------------------------------------------------------------------------------------


@pytest.fixture
def towns_files(tmp_path) -> tuple[Path, Path, dict[tuple[str, str], int]]:
    """Whole seconds between the towns of the committed city, and its cells' towns as zones."""
    with (configs_root() / "city" / "dongguan" / "cells.csv").open(encoding="utf-8") as file:
        town_of = [(row["cell_id"], row["town"]) for row in csv.DictReader(file)]
    zones = tmp_path / "zones.csv"
    zones.write_text("cell,zone\n" + "".join(f"{cell},{town}\n" for cell, town in town_of), encoding="utf-8")
    towns = sorted({town for _, town in town_of})
    n = len(towns)
    square = 1900.0 + 7 * np.add.outer(np.arange(n), np.arange(n)) + np.arange(n)[:, None]
    np.fill_diagonal(square, 240 + 3 * np.arange(n))
    path = write_long(tmp_path / "towns.csv", square, towns)
    return path, zones, {(a, b): int(square[i, j]) for i, a in enumerate(towns) for j, b in enumerate(towns)}


def chosen(path: Path, zones: Path, *more: str) -> list[str]:
    return [*WEEK, "travel=matrix", f"travel.matrix='{path}'", f"travel.matrix_zones='{zones}'", *more]


def test_given_seconds_decide_every_drive_from_a_station_to_the_millisecond(towns_files):
    path, zones, seconds = towns_files
    still = ["times.travel_common_sigma=0", "times.travel_own_sigma=0", "travel.matrix_unit=s"]
    inputs = InputsBuilder().build(compose(chosen(path, zones, *still)).settings, 0)
    rows = simulate(inputs).rows
    codes, town = inputs.city.towns.code, inputs.city.cells.town
    cell_of = inputs.demand.incidents["cell"]
    home_of = inputs.fleet.stations.cell[inputs.fleet.units.station]
    at_home, left, n_checked = dict.fromkeys(range(len(home_of)), True), {}, 0
    for row in rows:
        unit, kind, now = int(row["unit"]), int(row["kind"]), int(row["time_ms"])
        if kind == LogKind.ENROUTE:
            left[unit] = now if at_home[unit] else None
            at_home[unit] = False
        elif kind == LogKind.HOME:
            at_home[unit] = True
        elif kind == LogKind.ARRIVE and left.get(unit) is not None:
            ends = codes[town[home_of[unit]]], codes[town[cell_of[row["incident"]]]]
            assert now - left[unit] == 1000 * seconds[ends]
            n_checked += 1
    assert n_checked > 500


def test_the_contents_of_a_given_file_key_a_run_and_a_kept_table(towns_files):
    path, zones, _ = towns_files
    settings = compose(chosen(path, zones, "travel.matrix_unit=s")).settings
    builder = InputsBuilder()
    before, key = builder.travel(settings), what_key(settings, "city", "source")
    assert sorted(given_digests(settings)) == ["travel.matrix", "travel.matrix_zones"]
    assert given_digests(settings, "siting") == {}
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(",240.0", ",241.0"), encoding="utf-8")
    assert what_key(settings, "city", "source") != key
    assert builder.travel(settings).digest != before.digest
    path.unlink()
    with pytest.raises(InputError, match=r"towns\.csv: \(travel\.matrix\) cannot be read \(No such file"):
        what_key(settings, "city", "source")


def test_a_matrix_beside_roads_and_half_a_choice_of_it_are_errors(towns_files):
    path, zones, _ = towns_files

    def told(*overrides: str) -> list[str]:
        with pytest.raises(InputError) as caught:
            compose([*WEEK, *overrides])
        return [str(problem) for problem in caught.value.problems]

    beside = told(f"travel.matrix='{path}'", "travel.matrix_unit=s")
    assert len(beside) == len(ROAD_NUMBERS)
    assert beside[0].startswith("configs/travel/measured.yaml: 29.3 (local_kmh) says nothing beside a given matrix")
    assert told("travel=matrix") == [
        "configs/travel/matrix.yaml: (matrix) names no file of driving times; "
        "give travel.matrix=FILE and travel.matrix_unit, or choose a world that has roads"
    ]
    assert told("travel=matrix", "travel.matrix=none.csv", "travel.matrix_zones=none.csv") == [
        "configs/travel/matrix.yaml: (matrix_unit) is missing; declare the file's unit: ms, s or min",
        "command line: 'none.csv' (travel.matrix) does not exist; name a file",
        "command line: 'none.csv' (travel.matrix_zones) does not exist; name a file",
    ]
    assert "(ramp_s) is missing" in told("travel.ramp_s=null")[0]
    idle = told(f"travel.matrix_zones='{zones}'", "travel.is_matrix_one_way=true", "travel.matrix_unit=s")
    assert [line.partition("(")[2].partition(")")[0] for line in idle] == [
        "matrix_unit", "matrix_zones", "is_matrix_one_way",
    ]  # fmt: skip


def test_faults_of_a_given_matrix_leave_the_command_with_code_two_before_anything_runs(towns_files, tmp_path, capsys):
    path, zones, _ = towns_files
    lines = path.read_text(encoding="utf-8").splitlines()
    first, second = lines[1].split(","), lines[2].split(",")
    lines[2] = f"{second[0]},{second[1]},-3"
    lines[3] = "nowhere," + lines[3].partition(",")[2]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    arguments = ["run", *chosen(path, zones, "travel.matrix_unit=s"), f"run.outputs='{tmp_path / 'out'}'"]
    assert main([*arguments, "run.workers=1"]) == 2
    told = capsys.readouterr().err
    assert "towns.csv row 4: 'nowhere' is not a zone" in told
    assert "Traceback" not in told
    lines[3] = lines[3].replace("nowhere", first[0])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert main([*arguments, "run.workers=1"]) == 2
    assert f"'{second[0]} -> {second[1]}' is negative" in capsys.readouterr().err
