"""Stations and units as tables state them: days, people and crews, worked out by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from sim.city import load_city
from sim.city.forms import is_stated
from sim.demand.kinds import load_demand_tables
from sim.errors import InputError
from sim.fleet import ScheduleSettings, StaffingSettings, build_changes
from sim.fleet.parts import ChangeKind
from sim.fleet.settings import FleetSettings, ScheduleRow
from sim.fleet.stated import load_stated_fleet, station_cells

DAY_MS = 86_400_000
STATIONS = """station,lat,lon,opens,closes,people_on_duty
old,30.0,110.0,2019-05-01,2021-01-01,5
first,30.0,110.001,,,
later,30.01,110.001,2025-01-03,,7
leaves,30.01,110.011,,2025-01-05,4
"""
UNITS = """unit,station,type,crew_min,crew_preferred,capabilities,from,until
O,old,pumper,4,6,water,,
F1,first,pumper,4,6,water,,
F2,first,ladder,3,4,aerial rescue,2025-01-04,2025-01-06
L,later,pumper,4,6,water,,
E,leaves,pumper,4,6,water,,
"""


class Days:
    start, n_days = date(2025, 1, 1), 10


def stated(folder):
    city = load_city(folder)
    bits = load_demand_tables(folder, with_ceilings=False).capability_bit
    return city, load_stated_fleet(folder, city, bits, FleetSettings("default", "", ""))


def test_a_station_stands_in_its_nearest_cell_even_where_no_square_of_the_grid_is_that_cells(make_city):
    # Squares of 1000 m: the one round (1000, 0) is cell 1's and holds the places of cells 3 and 4 too. At (1500, 0), as
    # near to cell 2 as to 1 before there were others, it is 200 m from cell 4.
    places = [(0, 0), (1000, 0), (2000, 0), (1000, 300), (1300, 0)]
    cells = "".join(f"{i},plane,{x},{y},10\n" for i, (x, y) in enumerate(places))
    stations = "".join(f"s{i},plane,{x},{y}\n" for i, (x, y) in enumerate([*places, (1500, 0), (1740, 0), (500, 0)]))
    folder = make_city(
        areas__csv=None, cells__csv=f"cell_id,crs,x_m,y_m,population\n{cells}",
        stations__csv=f"station,crs,x_m,y_m\n{stations}",
    )  # fmt: skip
    city = load_city(folder)
    assert city.cell_m == 1000
    # Half-way between cells 0 and 1 the square that holds it decides: [500, 1500) is cell 1's.
    assert list(station_cells(folder, city).values()) == [0, 1, 2, 3, 4, 4, 2, 1]


def changes_of(folder, rows=(), rule="stated", **staffing):
    city, found = stated(folder)
    schedule = ScheduleSettings("none", "", "", rows=list(rows))
    people = StaffingSettings("test", "", "", rule=rule, present_share=1.0, **staffing)
    return found, build_changes(found.fleet, city, schedule, people, Days(), dated=found.dated)


def rows_of(changes):
    names = {int(kind): kind.name for kind in ChangeKind}
    rows = changes.rows
    return [(row["time_ms"] // DAY_MS, names[int(row["kind"])], int(row["entity"]), int(row["value"])) for row in rows]


def test_stations_and_units_come_and_go_on_the_days_their_rows_say_and_history_is_over(make_city):
    folder = make_city(stations__csv=STATIONS, units__csv=UNITS, unit_types__csv=None)
    found, changes = changes_of(folder)
    assert found.fleet.stations.name == ("old", "first", "later", "leaves")
    # Day 0: first with six for its pumper, leaves with the four of its row. F2 brings four more people on day 3.
    assert rows_of(changes) == [
        (0, "STATION_OPEN", 1, 0),
        (0, "STATION_OPEN", 3, 0),
        (0, "UNIT_IN_SERVICE", 1, 0),
        (0, "UNIT_IN_SERVICE", 4, 0),
        (0, "STATION_PEOPLE", 1, 6),
        (0, "STATION_PEOPLE", 3, 4),
        (0, "HANDLING_REGIME", -1, 0),
        (2, "STATION_OPEN", 2, 0),
        (2, "UNIT_IN_SERVICE", 3, 0),
        (2, "STATION_PEOPLE", 2, 7),
        (3, "UNIT_IN_SERVICE", 2, 0),
        (3, "STATION_PEOPLE", 1, 10),
        (4, "STATION_CLOSE", 3, 0),
        (4, "UNIT_WITHDRAW", 4, 0),
        (4, "STATION_PEOPLE", 3, 0),
        (5, "UNIT_WITHDRAW", 2, 0),
        (5, "STATION_PEOPLE", 1, 6),
    ]
    assert [step.on_duty for step in changes.staff_steps] == [10, 17, 21, 17, 13]


def test_a_schedule_closes_a_stated_station_and_the_tables_days_do_not_open_it_again(make_city):
    folder = make_city(stations__csv=STATIONS, units__csv=UNITS, unit_types__csv=None)
    city, _ = stated(folder)
    site = ScheduleRow("2025-01-02", "close", city.towns.code[1], 2)  # the second station of the east: first
    _, changes = changes_of(folder, [site])
    of_first = [row for row in rows_of(changes) if row[1] in ("STATION_OPEN", "STATION_CLOSE") and row[2] == 1]
    assert of_first == [(0, "STATION_OPEN", 1, 0), (1, "STATION_CLOSE", 1, 0)]


def test_a_unit_and_a_station_of_a_day_far_off_are_there_once_a_schedule_brings_them_in(make_city):
    stations = STATIONS + "thought,30.0,110.001,2099-01-01,,\n"
    units = UNITS + "F3,first,pumper,4,6,water,2099-01-01,\nT,thought,pumper,4,6,water,,\n"
    folder = make_city(stations__csv=stations, units__csv=units, unit_types__csv=None)
    found, changes = changes_of(folder)
    names, of_unit = found.fleet.stations.name, found.fleet.units.station.tolist()
    place, unit, bay = names.index("thought"), len(of_unit) - 1, of_unit.index(names.index("first")) + 2
    assert not {(row[1], row[2]) for row in rows_of(changes)} & {("STATION_OPEN", place), ("UNIT_IN_SERVICE", bay)}
    town = load_city(folder).towns.code[found.fleet.stations.town[place]]
    number = int(found.fleet.stations.k[place])
    rows = [
        ScheduleRow("2025-01-03", "return_unit", town, 2, unit=3),
        ScheduleRow("2025-01-07", "open", town, number),
    ]
    told = rows_of(changes_of(folder, rows)[1])
    assert (2, "UNIT_IN_SERVICE", bay, 0) in told
    assert [row for row in told if row[0] == 6] == [
        (6, "STATION_OPEN", place, 0), (6, "UNIT_IN_SERVICE", unit, 0), (6, "STATION_PEOPLE", place, 6),
    ]  # fmt: skip


def test_a_ratio_of_staff_is_shared_over_stated_stations_too(make_city):
    folder = make_city(stations__csv=STATIONS, units__csv=UNITS, unit_types__csv=None)
    _, changes = changes_of(folder, rule="ratio", initial_permille=0.1)
    # 213,600 residents: 21.36 people, 21 on duty for two stations on day 0, by class (all are one class) 11 and 10.
    people = [row[2:] for row in rows_of(changes) if row[:2] == (0, "STATION_PEOPLE")]
    assert people == [(1, 11), (3, 10)]


def test_a_units_own_crew_and_capabilities_hold_over_those_of_its_type(make_city):
    units = "unit,station,type,crew_min,crew_preferred,capabilities\nA,central,pumper,2,3,water\nB,west,pumper,,,\n"
    _, found = stated(make_city(units__csv=units))
    own = found.fleet.units
    by_station = {found.fleet.stations.name[s]: i for i, s in enumerate(own.station)}
    central, west = by_station["central"], by_station["west"]
    assert (own.crew_min[central], own.crew_preferred[central], own.capabilities[central]) == (2, 3, 0b001)
    assert (own.crew_min[west], own.crew_preferred[west], own.capabilities[west]) == (4, 6, 0b011)


def test_everything_wrong_with_stations_and_units_is_told_at_once(make_city):
    stations = """station,lat,lon,crs,opens,closes,class
swapped,110.0,30.0,,,,
metres,3320000,500000,,,,
far,30.5,110.0,,,,
unknown,30.0,110.0,wgs48,,,
days,30.0,110.0,,2025-02-01,2025-01-01,
"""
    units = """unit,station,type,crew_min,crew_preferred,capabilities
A,swappd,pumper,4,6,water
B,days,pumper,7,6,watr
C,far,pumper,,6,
"""
    with pytest.raises(InputError) as raised:
        stated(make_city(stations__csv=stations, units__csv=units, unit_types__csv=None))
    told = [str(problem) for problem in raised.value.problems]
    assert told == [
        "units.csv row 2: 'swappd' (station) is not in stations.csv; did you mean 'swapped'?",
        "stations.csv row 6: '2025-01-01' (closes) must come after opens, 2025-02-01; mend one of the days",
        "stations.csv row 2: '110, 30' (lat, lon) are swapped; exchange lat and lon",
        "stations.csv row 3: '3.32e+06, 500000' (lat, lon) are no degrees, as crs wgs84 wants them; they look like "
        "metres; declare plane or epsg:NUMBER and give x_m and y_m",
        "stations.csv row 5: 'wgs48' (crs) is not known; write wgs84, gcj02, bd09, plane or epsg:NUMBER",
        "stations.csv row 4: 'far' lies 52.9 km from the nearest cell; look at its coordinates and their crs, or add "
        "cells there",
        "units.csv row 3: 7 (crew_min) is above the preferred crew of 6; lower it",
        "units.csv row 3: 'watr' (capabilities) is not in the city's register of capabilities; did you mean 'water'?",
        "units.csv row 4: (crew_min) is empty, and there is no unit_types.csv; give it, or describe the type in "
        "unit_types.csv",
        "units.csv row 4: (capabilities) is empty, and there is no unit_types.csv; give them, or describe the type in "
        "unit_types.csv",
    ]


def test_a_table_of_a_plan_beside_stated_stations_is_an_error(make_city):
    folder = make_city(fleets__csv="fleet,bay,unit_type,source,standing\n")
    with pytest.raises(InputError, match=r"fleets.csv: stands beside stations.csv: a city either states its stations"):
        load_city(folder)
    folder.joinpath("fleets.csv").unlink()
    folder.joinpath("units.csv").unlink()
    with pytest.raises(InputError, match=r"units.csv: is missing beside stations.csv"):
        load_city(folder)


def test_stations_beside_a_plan_are_stated_unless_they_are_coordinates_for_a_siting_world(make_city):
    folder = make_city(areas__csv=None, units__csv=None)
    (folder / "plan_towns.csv").touch()
    assert is_stated(folder)
    with pytest.raises(InputError, match=r"plan_towns.csv: stands beside stations.csv"):
        load_city(folder)
    (folder / "stations.csv").write_text("town,k,name,is_existing,crs,lat,lon,x_m,y_m\n")
    assert not is_stated(folder)


def test_stations_stand_in_the_area_that_their_row_names_else_in_that_of_their_cell(make_city):
    stations = "station,area,lat,lon\na,east,30.0,109.99\nb,,30.0,109.99\nc,,30.0,110.01\n"
    units = "unit,station,type\nA,a,pumper\nB,b,pumper\nC,c,pumper\n"
    city, found = stated(make_city(stations__csv=stations, units__csv=units))
    own = found.fleet.stations
    assert own.name == ("b", "a", "c")
    assert [city.towns.code[town] for town in own.town] == ["west", "east", "east"]
    assert own.k.tolist() == [1, 1, 2]
    assert np.array_equal(own.cell[:2], [own.cell[0]] * 2)
