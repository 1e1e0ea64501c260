"""Who stands where: orders, roles, bays and the checks of the fleet's tables."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sim.errors import InputError
from sim.fleet import FleetSettings, build_fleet, load_fleet_tables
from tests.fleet.conftest import (
    BITS,
    FLEETS,
    ROLES,
    UNIT_TYPES,
    TinyWorld,
    make_city,
    make_plan,
    make_siting,
    write_tables,
)


def test_stations_stand_by_town_and_number_with_the_most_particular_role(tiny: TinyWorld) -> None:
    stations = tiny.fleet().stations
    assert stations.name == ("west-01", "west-02", "west-03", "east-01", "east-02", "east-03")
    assert stations.town.tolist() == [0, 0, 0, 1, 1, 1]
    assert stations.is_existing.tolist() == [True, True, False, True, False, False]
    assert stations.planned_year.tolist() == [0, 0, 2022, 0, 2022, 2023]
    # large: the first standing one of each town by number, and east's first new one by town and number
    assert stations.class_id.tolist() == [0, 1, 1, 0, 0, 1]
    assert stations.later_class_id.tolist() == [-1, 0, -1, -1, -1, -1]
    assert stations.name_en[4] == "East station"
    assert stations.name_en[5] == "East 3"


def test_units_ascend_with_their_station_and_those_of_an_upgrade_come_last(tiny: TinyWorld) -> None:
    units = tiny.fleet().units
    assert units.station.tolist() == [0, 0, 1, 1, 1, 2, 3, 3, 4, 4, 5]
    assert units.type_id.tolist() == [0, 1, 0, 1, 2, 0, 0, 1, 0, 1, 0]
    assert units.bay.tolist() == [1, 2, 1, 2, 3, 1, 1, 2, 1, 2, 1]
    assert np.flatnonzero(units.is_added).tolist() == [3, 4]
    assert units.capabilities.tolist()[:5] == [0b1, 0b101, 0b1, 0b101, 0b100000]
    assert units.crew_min.tolist()[:5] == [4, 3, 4, 3, 5]
    assert units.crew_preferred.tolist()[:5] == [6, 5, 6, 5, 5]


def test_the_order_of_the_siting_table_does_not_matter(tiny: TinyWorld) -> None:
    siting = make_siting(tiny.now, tiny.new)
    order = np.array([5, 2, 0, 4, 1, 3])
    shuffled = SimpleNamespace(**{name: values[order] for name, values in vars(siting).items()})
    plan = make_plan(tiny.codes, tiny.now, tiny.builds, tiny.years)
    tables = load_fleet_tables(tiny.folder, BITS)
    one, other = (build_fleet(tiny.city, plan, s, tables) for s in (siting, shuffled))
    assert one.stations.cell.tolist() == other.stations.cell.tolist() == [0, 1, 2, 20, 21, 22]
    assert one.units.station.tolist() == other.units.station.tolist()


def test_a_common_smallest_crew_holds_for_all_but_never_above_the_preferred_one(tiny: TinyWorld) -> None:
    settings = FleetSettings(name="x", label_zh="", label_en="", crew_min_for_all=6)
    assert load_fleet_tables(tiny.folder, BITS, settings).unit_types.crew_min.tolist() == [6, 5, 5]


def test_every_fault_of_the_tables_is_reported_at_once(tmp_path: Path) -> None:
    types = UNIT_TYPES.replace("aerial water,3,5", "arial water,6,5")
    fleets = FLEETS.replace("big,2,ladder", "big,3,lader")
    roles = ROLES.replace(",little,little,government,large,more", ",little,lttle,government,large,")
    with pytest.raises(InputError) as raised:
        load_fleet_tables(write_tables(tmp_path, types, fleets, roles), BITS)
    text = str(raised.value)
    assert "unit_types.csv row 3: 'arial'" in text
    assert "did you mean 'aerial'?" in text
    assert "unit_types.csv row 3: 6 (crew_min)" in text
    assert "(crew_min) is above the preferred crew of 5" in text
    assert "fleets.csv row 3: 'lader' (unit_type) is not in unit_types.csv; did you mean 'ladder'?" in text
    assert "bays of 'big' are not numbered 1 to 2" in text
    assert "station_roles.csv row 3: 'lttle' (fleet) is not in fleets.csv; did you mean 'little'?" in text
    assert "needs both later_class and added_fleet" in text
    assert len(raised.value.problems) == 6


def test_a_unit_that_no_crew_of_its_class_can_man_is_an_error(tmp_path: Path) -> None:
    write_tables(tmp_path, UNIT_TYPES.replace("water,4,6", "water,16,20"))
    with pytest.raises(InputError) as raised:
        TinyWorld(tmp_path).fleet()
    assert [str(problem) for problem in raised.value.problems] == [
        "unit_types.csv: 'pumper: crew_min 16' no crew can man it at 'west-02' nor at 2 more: "
        "little has at most 15 on duty; lower crew_min or house it elsewhere"
    ], "little stations: west-02, west-03, east-03; large ones have up to 45"


def test_counts_that_disagree_with_the_plan_are_reported_town_by_town(tiny: TinyWorld) -> None:
    plan = make_plan(("west", "eastt"), [3, 1], [[2, 0], [1, 1]], (2022, 2023))
    with pytest.raises(InputError) as raised:
        build_fleet(tiny.city, plan, make_siting(tiny.now, tiny.new), load_fleet_tables(tiny.folder, BITS))
    text = str(raised.value)
    assert "town 'west' has 2 standing sites, the plan counts 3" in text
    assert "the plan builds 2 stations in 'west', the siting has 1 new sites" in text
    assert "'eastt' town is not in the city; did you mean 'east'?" in text


def test_sites_outside_the_city_or_out_of_order_are_reported(tiny: TinyWorld) -> None:
    tables = load_fleet_tables(tiny.folder, BITS)
    plan = make_plan(tiny.codes, tiny.now, tiny.builds, tiny.years)
    siting = make_siting(tiny.now, tiny.new)
    siting.cells[0], siting.town[5] = 40, 2
    with pytest.raises(InputError, match=r"cell is not one of the city's 40(.|\n)*town is not one of the city's 2"):
        build_fleet(tiny.city, plan, siting, tables)
    siting = make_siting(tiny.now, tiny.new)
    siting.k[1] = 0
    siting.is_existing[:3] = [False, False, True]
    with pytest.raises(InputError, match=r"two sites of this number(.|\n)*a standing site comes after a new one"):
        build_fleet(tiny.city, plan, siting, tables)


def test_roles_that_fit_nothing_and_stations_without_a_role_are_reported(tmp_path: Path) -> None:
    roles = ROLES.replace("east,new,1,large", "east,new,3,huge").replace(",new,,little", "eas,new,,little")
    with pytest.raises(InputError) as raised:
        TinyWorld(write_tables(tmp_path, roles=roles)).fleet()
    text = str(raised.value)
    assert "row 4: 'eas' (town) is not in towns.csv; did you mean 'east'?" in text
    assert "row 5: 3 (number) there are only 2 new stations in 'east'" in text
    assert "row 5: 'huge' (station_class)" in text
    assert "no rule fits station 1 of the new ones of 'west'" in text


def test_a_city_needs_no_builds_at_all(tiny: TinyWorld, tmp_path: Path) -> None:
    write_tables(tmp_path, roles="\n".join(ROLES.splitlines()[:3]) + "\n")
    city = make_city(("solo",), [1000])
    plan = make_plan(("solo",), [1], [[]], ())
    fleet = build_fleet(city, plan, make_siting([1], [0]), load_fleet_tables(tmp_path, BITS))
    assert fleet.stations.planned_year.tolist() == [0]
    assert Counter(fleet.units.station.tolist()) == {0: 2}


def test_a_rule_for_a_town_beats_a_rule_for_a_number(tmp_path: Path) -> None:
    roles = ROLES + "west,existing,,little,little,government,,,,,test,assumed\n"
    stations = TinyWorld(write_tables(tmp_path, roles=roles)).fleet().stations
    assert stations.class_id.tolist() == [1, 1, 1, 0, 0, 1]
    assert stations.later_class_id.tolist() == [-1] * 6


def test_stations_of_a_class_left_out_are_what_the_more_general_rule_says(tmp_path: Path) -> None:
    roles = ROLES + "east,existing,1,little,little,government,,,,,test,assumed\n"
    world = TinyWorld(write_tables(tmp_path, roles=roles))
    settings = FleetSettings(name="x", label_zh="", label_en="", classes_left_out=["large"])
    plan = make_plan(world.codes, world.now, world.builds, world.years)
    tables = load_fleet_tables(tmp_path, BITS, settings)
    fleet = build_fleet(world.city, plan, make_siting(world.now, world.new), tables)
    assert set(fleet.stations.class_id.tolist()) == {1}  # little, all of them
    with pytest.raises(InputError, match=r"'lage' \(fleet.classes_left_out\) is in no rule of station_roles.csv"):
        load_fleet_tables(tmp_path, BITS, FleetSettings(name="x", label_zh="", label_en="", classes_left_out=["lage"]))
