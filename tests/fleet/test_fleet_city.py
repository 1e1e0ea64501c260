"""The committed fleet and schedules of the city folder against the numbers of its plan."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sim.city import load_city
from sim.config import about_of, leaves, states_number
from sim.errors import InputError
from sim.fleet import ChangeKind, Changes, build_fleet, load_fleet_settings, load_schedule, load_staffing
from sim.siting import load_siting
from sim.tables import STANDINGS
from tests.fleet.conftest import CONFIGS, DONGGUAN, make_city, make_siting, people_at

SCHEDULES = sorted(path.stem for path in (CONFIGS / "schedule").glob("*.yaml"))
STAFFINGS = sorted(path.stem for path in (CONFIGS / "staffing").glob("*.yaml"))
END = 10**15


def scenario(dongguan: SimpleNamespace, schedule: str, staffing: str) -> Changes:
    return dongguan.changes(
        load_schedule(CONFIGS / "schedule" / f"{schedule}.yaml")[0],
        load_staffing(CONFIGS / "staffing" / f"{staffing}.yaml")[0],
    )


def test_the_84_new_stations_bring_the_plan_s_189_vehicles(dongguan: SimpleNamespace) -> None:
    stations, units, types = dongguan.fleet.stations, dongguan.fleet.units, dongguan.fleet.unit_types
    is_vehicle = types.is_vehicle[units.type_id]
    n_vehicles = np.bincount(units.station[is_vehicle], minlength=stations.n_stations)[stations.planned_year > 0]
    assert len(n_vehicles) == 84
    assert n_vehicles.sum() == 189
    # 3 rail stations and the large one with 5, nine grade-2 stations with 3, the other 71 with 2: 15 + 5 + 27 + 142
    assert Counter(n_vehicles.tolist()) == {5: 4, 3: 9, 2: 71}


def test_every_town_with_a_station_has_one_centre_station_and_two_are_up_to_norm(dongguan: SimpleNamespace) -> None:
    fleet, plan = dongguan.fleet, dongguan.plan
    stations = fleet.stations
    grade_1 = fleet.classes.code.index("grade_1")
    centres = np.flatnonzero(stations.class_id == grade_1)
    assert stations.is_existing[centres].all()
    assert sorted(stations.town[centres].tolist()) == np.flatnonzero(plan.stations_now > 0).tolist()
    norm = ["pumper", "foam_tanker", "foam_tanker", "rescue_truck", "aerial"]
    bays = {
        plan.code[stations.town[c]]: [fleet.unit_types.code[t] for t in fleet.units.type_id[fleet.units.station == c]]
        for c in centres
    }
    assert sorted(town for town, types in bays.items() if types == norm) == ["shilong", "songshanhu"]
    assert Counter(len(types) for types in bays.values()) == {6: 31, 5: 2}
    assert Counter(stations.brigade[c] for c in centres) == {"national": 15, "government": 18}


def test_the_3_plus_2_fleet_is_the_plan_s(dongguan: SimpleNamespace) -> None:
    with (DONGGUAN / "plan_vehicles.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for norm, fleet in (("centre_3_plus_2", "centre_3_plus_2"), ("rail_station", "rail")):
        asked = {r["vehicle"]: int(r["number"]) for r in rows if r["norm"] == norm and r["is_optional"] == "false"}
        given = Counter(dongguan.fleet.unit_types.code[t] for t in dongguan.tables.bays[fleet])
        assert given == asked


def test_rail_water_and_large_stations_open_in_the_plan_s_years(dongguan: SimpleNamespace) -> None:
    stations, codes = dongguan.fleet.stations, dongguan.fleet.classes.code
    special = {
        (codes[c], dongguan.plan.code[t]): int(y)
        for c, t, y, e in zip(
            stations.class_id, stations.town, stations.planned_year, stations.is_existing, strict=True
        )
        if codes[c] in ("rail", "water", "large", "special") and not e
    }
    assert special == {
        ("rail", "humen"): 2022,
        ("rail", "tangxia"): 2023,
        ("rail", "chashan"): 2023,
        ("water", "shatian"): 2024,
        ("large", "binhaiwan"): 2022,
    }
    assert Counter(codes[c] for c in stations.class_id[stations.is_existing]) == {
        "grade_1": 33,
        "grade_2": 31,
        "small": 41,
        "special": 1,
    }


@pytest.mark.parametrize("schedule", ["plan", "plan_january", "plan_december"])
def test_the_plan_opens_29_33_15_and_7_stations(dongguan: SimpleNamespace, schedule: str) -> None:
    changes = scenario(dongguan, schedule, "plan_path")
    opened = changes.rows[(changes.rows["kind"] == ChangeKind.STATION_OPEN) & (changes.rows["time_ms"] > 0)]
    years = [(dongguan.calendar.start.toordinal() + int(t) // 86_400_000, 0)[0] for t in opened["time_ms"]]
    by_year = Counter(str(np.datetime64("0001-01-01") + ordinal - 1)[:4] for ordinal in years)
    assert by_year == {"2022": 29, "2023": 33, "2024": 15, "2025": 7}
    at_year_end = {step.day.year: step.n_open for step in changes.staff_steps}
    assert at_year_end == {2021: 106, 2022: 135, 2023: 168, 2024: 183, 2025: 190}


def test_the_staff_path_is_the_plan_s_in_every_schedule(dongguan: SimpleNamespace) -> None:
    for schedule in SCHEDULES:
        steps = scenario(dongguan, schedule, "plan_path").staff_steps
        assert {(step.staff, step.on_duty) for step in steps} == {(2721, 1850), (4187, 2847), (4710, 3202)}
        flat = scenario(dongguan, schedule, "constant_026").staff_steps
        assert {(step.staff, step.on_duty) for step in flat} == {(2721, 1850)}


@pytest.mark.parametrize("staffing", STAFFINGS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_people_add_up_at_every_date_and_nobody_opens_empty(
    dongguan: SimpleNamespace, schedule: str, staffing: str
) -> None:
    changes = scenario(dongguan, schedule, staffing)
    for step in changes.staff_steps:
        assert people_at(changes, step.time_ms, dongguan.fleet.stations.n_stations).sum() == step.on_duty
    assert [note.code for note in changes.notes] == []
    assert changes.staff_steps[-1].n_empty == 0


def test_few_people_for_many_stations_leave_stations_empty_and_say_so(dongguan: SimpleNamespace) -> None:
    schedule, _ = load_schedule(CONFIGS / "schedule" / "plan.yaml")
    staffing, _ = load_staffing(CONFIGS / "staffing" / "constant_026.yaml")
    staffing.initial_permille = 0.05
    changes = dongguan.changes(schedule, staffing)
    last = changes.staff_steps[-1]
    assert last.on_duty == 355  # 523 staff; every crew is 2, 3 or 4: not enough for 190 stations
    assert last.n_empty > 0
    empty = [note for note in changes.notes if note.code in ("opens_empty", "falls_empty")]
    assert len(empty) - sum(note.code == "is_manned_again" for note in changes.notes) == last.n_empty


def test_ids_do_not_shift_between_schedules_and_a_later_opening_moves_only_that_station(
    dongguan: SimpleNamespace,
) -> None:
    """The k-th station of a town is the same in every schedule: what differs are dates, never ids."""
    july, january = (scenario(dongguan, name, "plan_path").rows for name in ("plan", "plan_january"))
    for kind in (ChangeKind.STATION_OPEN, ChangeKind.UNIT_IN_SERVICE):
        assert sorted(july["entity"][july["kind"] == kind]) == sorted(january["entity"][january["kind"] == kind])
    assert july[july["time_ms"] == 0].tolist() == january[january["time_ms"] == 0].tolist()


def test_every_stored_siting_world_has_the_same_stations_and_units_in_other_cells(dongguan: SimpleNamespace) -> None:
    city = load_city(DONGGUAN)
    fleets = []
    for path in sorted((DONGGUAN / "siting").glob("world_*.csv")):
        siting = load_siting(DONGGUAN, path.stem, city)
        fleets.append(build_fleet(city, dongguan.plan, siting, dongguan.tables))
    assert len(fleets) >= 20
    for fleet in fleets:
        assert fleet.stations.name == dongguan.fleet.stations.name
        assert fleet.stations.class_id.tolist() == dongguan.fleet.stations.class_id.tolist()
        assert fleet.units.type_id.tolist() == dongguan.fleet.units.type_id.tolist()
        assert city.cells.town[fleet.stations.cell].tolist() == fleet.stations.town.tolist()
    assert len({tuple(fleet.stations.cell.tolist()) for fleet in fleets}) == len(fleets)


def test_a_site_more_in_one_town_leaves_every_other_station_s_role_and_units_alone(dongguan: SimpleNamespace) -> None:
    plan = dongguan.plan
    new = plan.builds.sum(axis=1) + 1
    new[-1] += 1
    city = make_city(plan.code, plan.population.tolist())
    more = build_fleet(city, plan, make_siting(plan.stations_now.tolist(), new.tolist()), dongguan.tables)
    fleet = dongguan.fleet
    assert more.stations.name[:-1] == fleet.stations.name
    assert more.stations.class_id[:-1].tolist() == fleet.stations.class_id.tolist()
    assert more.units.type_id[: fleet.units.n_units].tolist() == fleet.units.type_id.tolist()
    assert more.stations.planned_year[-1] == -1


def test_every_capability_of_the_run_cards_is_on_some_vehicle(dongguan: SimpleNamespace) -> None:
    path = DONGGUAN / "run_cards.csv"
    if not path.exists():
        pytest.fail("run_cards.csv is not in the city folder")
    with path.open(encoding="utf-8") as file:
        needed = {row["capability"] for row in csv.DictReader(file)}
    mask = int(np.bitwise_or.reduce(dongguan.fleet.units.capabilities))
    assert {code for code in needed if not mask >> dongguan.bits[code] & 1} == set()


@pytest.mark.parametrize("folder", ["fleet", "schedule", "staffing"])
def test_every_number_of_the_configs_has_standing_and_source(folder: str) -> None:
    load = {"fleet": load_fleet_settings, "schedule": load_schedule, "staffing": load_staffing}[folder]
    for path in sorted((CONFIGS / folder).glob("*.yaml")):
        settings, about = load(path)
        assert settings.name == path.stem
        assert settings.label_zh
        assert settings.label_en
        numbers = [key for key, value in leaves(asdict(settings)) if states_number(value)]
        assert all(about_of(key, about).standing in STANDINGS for key in numbers)
        assert all(about_of(key, about).source for key in numbers)


def test_bad_settings_are_all_reported_at_once_with_the_nearest_key(tmp_path: Path) -> None:
    path = tmp_path / "staffing.yaml"
    path.write_text(
        "name: x\nlabel_zh: ''\ninitial_permile: 0.3\npresent_share: 1.2\noperational_share: -0.1\n"
        "steps: [{from_date: 2024-1-1, permille: -0.4}, {from_date: 2024-01-01, permil: 1}]\n",
        "utf-8",
    )
    with pytest.raises(InputError) as raised:
        load_staffing(path)
    text = str(raised.value)
    for part in (
        "(staffing.initial_permile) is not a setting; did you mean 'initial_permille'?",
        "(staffing.label_en) is missing",
        "1.2 (staffing.present_share) must be less than or equal to 1",
        "-0.1 (staffing.operational_share) must be greater than or equal to 0",
        "'2024-1-1' (staffing.steps.0.from_date) ",
        "-0.4 (staffing.steps.0.permille) must be greater than or equal to 0",
        "(staffing.steps.1.permille) is missing",
        "(staffing.steps.1.permil) is not a setting; did you mean 'permille'?",
        "(about.present_share) has no source",
    ):
        assert part in text


def test_a_number_without_a_source_and_a_missing_file_are_errors(tmp_path: Path) -> None:
    text = (CONFIGS / "staffing" / "constant_026.yaml").read_text(encoding="utf-8")
    path = tmp_path / "constant_026.yaml"
    path.write_text(text.replace("  present_share: {standing: assumed", "  presentshare: {standing: guessed"), "utf-8")
    with pytest.raises(InputError, match=r"'guessed'(.|\n)*'presentshare'(.|\n)*about.present_share\) has no source"):
        load_staffing(path)
    with pytest.raises(InputError, match=r"did you mean 'constant_026.yaml'"):
        load_staffing(tmp_path / "constant_26.yaml")
    (tmp_path / "list.yaml").write_text("- a\n- b\n", "utf-8")
    with pytest.raises(InputError, match=r"not a map"):
        load_schedule(tmp_path / "list.yaml")
