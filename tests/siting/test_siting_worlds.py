"""The committed worlds: rebuilt they are the same, nested, one site per cell; and what their draws depend on.

Each holds the 190 sites of the plan and, after them, one spare site per town: 224.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.city import City
from sim.plan import load_plan
from sim.siting import Siting, siting_worlds
from sim.siting import schemas as siting_schemas
from sim.siting.build import cell_weights, choose_world, main, needs, seat_cell, world_columns
from sim.tables import write_table
from sim.travel import TravelTables
from sim.travel.benchmarks import five_minute_share, mean_drive_min
from sim.travel.settings import Period

NONE = np.zeros((0, 0), dtype=np.int32)


def test_there_are_at_least_twenty_worlds_of_three_methods(city_folder: Path) -> None:
    rows = siting_worlds(city_folder)
    methods = [row.method for row in rows]
    assert len(rows) >= 20
    assert min(methods.count(m) for m in siting_schemas.METHODS) >= 6
    assert {row.standing for row in rows} == {"assumed"}
    assert len({row.seed for row in rows}) == len(rows)


def test_each_world_has_the_stations_of_the_plan_and_one_spare_site_town_by_town(
    city: City, city_folder: Path, worlds: dict[str, Siting]
) -> None:
    plan = load_plan(city_folder)
    for world, siting in worlds.items():
        assert siting.n_sites == 224, world
        assert int(siting.is_existing.sum()) == 106, world
        is_planned = siting.order_in_city < 190
        for t, code in enumerate(city.towns.code):
            row = plan.code.index(code)
            own = siting.town == t
            assert int((own & siting.is_existing).sum()) == plan.stations_now[row]
            assert int((own & is_planned).sum()) == plan.stations_needed[row]
            assert siting.k[own & ~is_planned].tolist() == [plan.stations_needed[row] + 1]


def test_no_cell_holds_two_sites_and_all_are_built_up(city: City, worlds: dict[str, Siting]) -> None:
    for siting in worlds.values():
        assert len(set(siting.cells.tolist())) == siting.n_sites
        assert city.cells.is_built_up[siting.cells].all()
        assert np.array_equal(city.cells.town[siting.cells], siting.town)


def test_the_first_standing_site_is_the_centre_station(city: City, worlds: dict[str, Siting]) -> None:
    for siting in worlds.values():
        for t in range(city.towns.n_towns):
            own = np.flatnonzero((siting.town == t) & siting.is_existing)
            if len(own) == 0:
                continue
            dist = np.hypot(siting.x_m[own] - city.towns.seat_x_m[t], siting.y_m[own] - city.towns.seat_y_m[t])
            assert dist[0] == dist.min()
            assert siting.k[own[0]] == 1
            if siting.method != "random":
                assert siting.cells[own[0]] == seat_cell(city, t)


def test_new_sites_come_in_the_order_in_which_the_plan_builds(
    city: City, city_folder: Path, worlds: dict[str, Siting]
) -> None:
    need = needs(city, load_plan(city_folder), 1)
    for siting in worlds.values():
        new = np.flatnonzero(~siting.is_existing)
        in_order = new[np.argsort(siting.order_in_city[new])]
        assert tuple(siting.town[in_order].tolist()) == need.order
        assert siting.order_in_city[siting.is_existing].max() == 105
        for t in range(city.towns.n_towns):
            own = in_order[siting.town[in_order] == t]
            assert np.all(np.diff(siting.k[own]) == 1)


def test_turns_go_year_by_year_then_town_by_town(city: City, city_folder: Path) -> None:
    plan = load_plan(city_folder)
    order = needs(city, plan).order
    assert len(order) == int(plan.builds.sum()) == 84
    first_year = order[: int(plan.builds[:, 0].sum())]
    counts = np.bincount(first_year, minlength=city.towns.n_towns)
    assert [int(counts[city.towns.code.index(code)]) for code in plan.code] == plan.builds[:, 0].tolist()
    assert first_year[0] == 0
    assert first_year.index(0, 1) > first_year.index(2)  # nobody gets a second one before everybody's first


def test_random_worlds_rebuilt_are_the_committed_ones(city: City, city_folder: Path, tmp_path: Path) -> None:
    for row in [row for row in siting_worlds(city_folder) if row.method == "random"]:
        path, need = tmp_path / f"{row.world}.csv", needs(city, load_plan(city_folder), row.n_spare_per_town)
        write_table(path, siting_schemas.SITES, world_columns(city, need, NONE, row))
        assert path.read_bytes() == (city_folder / "siting" / path.name).read_bytes(), row.world


def test_one_world_of_each_criterion_rebuilt_is_the_committed_one(
    city: City, city_folder: Path, measured: TravelTables, tmp_path: Path
) -> None:
    rows = {row.world: row for row in siting_worlds(city_folder)}
    for name in ("world_00", "world_09"):
        period = Period[rows[name].distance.split()[1].upper()]
        path, need = tmp_path / f"{name}.csv", needs(city, load_plan(city_folder), rows[name].n_spare_per_town)
        write_table(path, siting_schemas.SITES, world_columns(city, need, measured.duration_ms[period], rows[name]))
        assert path.read_bytes() == (city_folder / "siting" / path.name).read_bytes(), name


@pytest.mark.slow
def test_all_worlds_rebuilt_by_the_command_are_the_committed_ones(
    city_folder: Path, copied_folder: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (copied_folder / "siting").glob("world_*.csv"):
        path.unlink()
    monkeypatch.chdir(tmp_path)
    assert main([str(copied_folder), str(root / "configs" / "travel" / "measured.yaml")]) == 0
    for row in siting_worlds(city_folder):
        name = f"{row.world}.csv"
        assert (copied_folder / "siting" / name).read_bytes() == (city_folder / "siting" / name).read_bytes(), name


def test_a_world_depends_on_its_own_seed_alone(city: City, city_folder: Path) -> None:
    need = needs(city, load_plan(city_folder))
    row = siting_worlds(city_folder)[-1]
    same, _ = choose_world(city, need, NONE, replace(row, world="renamed"))
    other, _ = choose_world(city, need, NONE, replace(row, seed=row.seed + 1))
    assert choose_world(city, need, NONE, row)[0] == same != other


def test_drawn_weights_stay_in_their_range_and_keep_the_mean(city: City) -> None:
    plain = cell_weights(city, 7, 0)
    assert int(plain.sum()) == 100 * (int(city.cells.population.sum()) + int(city.site_people[city.sites.kind].sum()))
    factor = cell_weights(city, 7, 75) / (plain / 100)
    assert factor.min() == 25
    assert factor.max() == 175
    standard_error = np.sqrt((151**2 - 1) / 12 / city.cells.n_cells)  # of the mean of whole percents 25 to 175
    assert abs(factor.mean() - 100) < 4 * standard_error
    assert np.array_equal(cell_weights(city, 7, 75), cell_weights(city, 7, 75))


def test_people_within_five_minutes_are_those_in_the_docs_and_random_sites_reach_fewer(
    root: Path, city_folder: Path, city: City, worlds: dict[str, Siting], measured: TravelTables
) -> None:
    docs = (root / "docs" / "city.md").read_text(encoding="utf-8")
    people = city.cells.population
    now: dict[str, list[float]] = {}
    about = {row.world: row for row in siting_worlds(city_folder)}
    lines: list[str] = []
    for world, siting in worlds.items():
        standing = siting.cells[siting.is_existing]
        planned = siting.cells[siting.order_in_city < 190]  # without the spare sites
        shares = [five_minute_share(measured, cells, people) for cells in (standing, planned)]
        means = [mean_drive_min(measured, cells, people) for cells in (standing, planned)]
        now.setdefault(siting.method, []).append(shares[0])
        found = f"{100 * shares[0]:.1f} % | {100 * shares[1]:.1f} % | {means[0]:.2f} | {means[1]:.2f} |"
        lines.append(f"| {world} | {siting.method} | {about[world].land_percent} % | {about[world].distance} | {found}")
        assert shares[1] > shares[0]
    table = "\n".join(lines)
    assert table in docs, table
    assert min(now["p_median"]) > max(now["random"]) + 0.1
    assert min(now["p_centre"]) > max(now["random"]) + 0.1


def test_build_says_when_the_travel_world_is_not_the_one_of_the_table(
    copied_folder: Path, root: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = copied_folder / "siting" / "worlds.csv"
    path.write_text(path.read_text().replace("measured day", "measured dusk"))
    before = (copied_folder / "siting" / "world_00.csv").read_bytes()
    assert main([str(copied_folder), str(root / "configs" / "travel" / "measured.yaml")]) == 2
    error = capsys.readouterr().err
    assert "'measured dusk' (distance) must be one of measured night, measured day, measured peak" in error
    assert (copied_folder / "siting" / "world_00.csv").read_bytes() == before
    assert main([]) == 2
