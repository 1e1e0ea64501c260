"""Special teams as bases behind the city's stations: where, from when on, with whom, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.errors import InputError
from sim.fleet import ChangeKind, build_changes
from sim.fleet.bases import is_base, on_duty_in_all, with_bases, with_bases_open
from sim.fleet.teams import TeamDates, TeamsSettings, check, load_team_bases
from sim.units import MS_PER_DAY
from tests.fleet.conftest import BITS, UNIT_TYPES, TinyWorld, make_schedule, make_staffing, people_at

BITS_TOO = BITS | {"forest": 10, "search": 12}
_PLACE = "town,group,number,place_source,place_standing"
BASES = f"""base,name_zh,name_en,{_PLACE},people_crewed,people_complete,source,standing
hill,山,Hill base,east,new,2,test,assumed,10,21,test,assumed
yard,场,Yard base,west,existing,1,test,assumed,12,12,test,assumed
"""
UNITS = """team,base,unit_type,stage,number,source,standing
forest,hill,brush_truck,crewed,1,test,assumed
forest,hill,brush_truck,complete,2,test,assumed
search,yard,search_truck,crewed,1,test,assumed
"""
TYPES = f"""{UNIT_TYPES.splitlines()[0]}
brush_truck,林,brush,true,forest water,4,6,test,assumed,road,10,,,,3,,,t,assumed
search_truck,搜,search,true,search,5,8,test,assumed,road,15,,,,3,,,t,assumed
"""
FOREST = {"forest": TeamDates("2022-03-01", "2023-01-01")}
BOTH = FOREST | {"search": TeamDates("2022-07-01", "2022-07-01")}


def settings(teams: dict[str, TeamDates], people: str = "of_the_city") -> TeamsSettings:
    return TeamsSettings("test", "", "", True, people, teams)  # type: ignore[arg-type]


def load(world: TinyWorld, chosen: TeamsSettings, share: float = 0.5, **texts: str) -> Any:
    for name, text in ({"team_bases": BASES, "team_units": UNITS, "team_unit_types": TYPES} | texts).items():
        (world.folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return load_team_bases(world.folder, world.city, world.fleet(), BITS_TOO, chosen, share)


def found(world: TinyWorld, chosen: TeamsSettings, **texts: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        load(world, chosen, **texts)
    return [f"{Path(p.where).name} {p.row} {p.value} {p.rule}" for p in caught.value.problems]


def test_bases_come_behind_the_city_s_stations_and_belong_to_no_town(tiny: TinyWorld) -> None:
    own = tiny.fleet()
    types, bases = load(tiny, settings(BOTH))
    fleet = with_bases(own, types, bases)
    assert fleet.stations.name[own.stations.n_stations :] == ("hill", "yard")
    assert is_base(fleet.stations).tolist() == [False] * own.stations.n_stations + [True, True]
    assert fleet.stations.town[-2:].tolist() == [-1, -1]
    # east has one standing station and two new ones: its second new one is the last station of all
    assert fleet.stations.cell[-2:].tolist() == [own.stations.cell[-1], own.stations.cell[0]]
    assert fleet.units.station[: own.units.n_units].tolist() == own.units.station.tolist()
    assert [types.code[t] for t in fleet.units.type_id[own.units.n_units :]] == ["brush_truck"] * 3 + ["search_truck"]
    assert fleet.units.traits["callout_ms"][-4:].tolist() == [600_000] * 3 + [900_000]


def test_a_team_without_dates_is_not_there(tiny: TinyWorld) -> None:
    assert load(tiny, settings({}))[1] == ()
    assert [base.code for base in load(tiny, settings(FOREST))[1]] == ["hill"]


def test_units_and_people_come_on_the_team_s_two_days(tiny: TinyWorld) -> None:
    own = tiny.fleet()
    types, bases = load(tiny, settings(FOREST))
    fleet = with_bases(own, types, bases)
    before = build_changes(own, tiny.city, make_schedule(), make_staffing(), tiny.calendar)
    rows = with_bases_open(before, fleet, bases, tiny.calendar).rows
    hill, first = own.stations.n_stations, own.units.n_units
    crewed, complete = 59 * MS_PER_DAY, 365 * MS_PER_DAY  # 1 March 2022 and 1 January 2023 in a run from 1 January 2022
    added = [tuple(row) for row in rows.tolist() if tuple(row) not in {tuple(r) for r in before.rows.tolist()}]
    assert added == [
        (crewed, ChangeKind.STATION_OPEN, hill, 0),
        (crewed, ChangeKind.UNIT_IN_SERVICE, first, 0),
        (crewed, ChangeKind.STATION_PEOPLE, hill, 5),  # half of 10
        (complete, ChangeKind.UNIT_IN_SERVICE, first + 1, 0),
        (complete, ChangeKind.UNIT_IN_SERVICE, first + 2, 0),
        (complete, ChangeKind.STATION_PEOPLE, hill, 10),  # half of 21, rounded down
    ]


@pytest.mark.parametrize(("start", "n_rows"), [(date(2024, 1, 1), 5), (date(2020, 1, 1), 0)])
def test_what_lies_before_the_run_holds_at_its_start_and_what_lies_after_it_is_left_out(
    tiny: TinyWorld, start: date, n_rows: int
) -> None:
    world = replace(tiny, start=start, n_days=100)
    own = world.fleet()
    types, bases = load(world, settings(FOREST))
    changes = build_changes(own, world.city, make_schedule(is_plan_built=False), make_staffing(), world.calendar)
    rows = with_bases_open(changes, with_bases(own, types, bases), bases, world.calendar).rows
    assert len(rows) - len(changes.rows) == n_rows
    assert set(rows["time_ms"].tolist()) == {0}
    if n_rows:
        assert people_at(replace(changes, rows=rows), 0, own.stations.n_stations + 1)[-1] == 10


def test_people_of_teams_are_missing_in_the_stations_from_their_day_on_and_nobody_is_lost(tiny: TinyWorld) -> None:
    _, bases = load(tiny, settings(BOTH))
    posted = on_duty_in_all(bases)
    assert posted == ((date(2022, 3, 1), 5), (date(2022, 7, 1), 11), (date(2023, 1, 1), 16))
    made = [
        build_changes(tiny.fleet(), tiny.city, make_schedule(), make_staffing(), tiny.calendar, posted=given)
        for given in ((), posted)
    ]
    n = tiny.fleet().stations.n_stations
    for day, away in ((58, 0), (59, 5), (181, 11), (365, 16)):
        without, beside = (people_at(changes, day * MS_PER_DAY, n).sum() for changes in made)
        assert without - beside == away


def test_a_team_that_is_complete_before_it_is_crewed_is_refused_with_every_other_one() -> None:
    teams = {
        "forest": {"crewed": "2024-01-01", "complete": "2023-12-31"},
        "water": {"crewed": "2023-01-01", "complete": "2023-01-01"},
        "search": {"crewed": "2023-02-30", "complete": "2024-01-01"},
    }
    with pytest.raises(InputError) as caught:
        check({"teams": teams}, "here")
    assert [(p.value, p.rule.split(")")[0]) for p in caught.value.problems] == [
        ("2023-12-31", "(teams.teams.forest"),
        ("2023-02-30", "(teams.teams.search.crewed"),
    ]


def test_names_that_point_nowhere_are_told_all_at_once(tiny: TinyWorld) -> None:
    told = found(
        tiny,
        settings(FOREST | {"forrest": TeamDates("2022-07-01", "2022-07-01")}),
        team_bases=BASES.replace("west,existing", "vest,existing"),
        team_units=UNITS.replace("forest,hill,brush_truck,complete", "forest,hil,brush_trok,complete"),
        team_unit_types=TYPES.replace("forest water", "forrest water"),
    )
    assert told == [
        "team_unit_types.csv 2 forrest (capabilities) is not in the city's register of capabilities",
        "team_bases.csv 3 vest (town) is not in towns.csv",
        "team_units.csv 3 hil (base) is not in team_bases.csv",
        "teams test None forrest (teams.teams) has dates for a team without units in team_units.csv",
    ]


def test_a_base_without_its_station_and_a_unit_without_its_crew_are_refused(tiny: TinyWorld) -> None:
    told = found(tiny, settings(BOTH), team_bases=BASES.replace("east,new,2", "east,new,3").replace("12,12", "9,12"))
    assert told == [
        "team_bases.csv 2 3 (number) 'east' has only 2 new stations",
    ]
    # half of 9 people are 4 on duty, the search truck leaves with 5; the base is full on the day it comes
    late = BOTH | {"search": TeamDates("2022-07-01", "2022-08-01")}
    told = found(tiny, settings(late), team_bases=BASES.replace("12,12", "9,12"))
    assert told == [
        "team_units.csv 4 search_truck (unit_type) needs a smallest crew of 5; 'yard' has 4 on duty then",
    ]


def test_a_base_has_the_place_of_a_station_or_one_of_its_own_and_not_both(tiny: TinyWorld) -> None:
    head, hill, yard = BASES.splitlines()
    head = head.replace("number,", "number,lat,lon,")
    both, neither = hill.replace("east,new,2,", "east,new,2,1.0,1.0,"), yard.replace("west,existing,1,", "west,,,,,")
    told = found(tiny, settings(FOREST), team_bases=f"{head}\n{both}\n{neither}\n")
    rule = "needs the place of a station (town, group, number) or one of its own (lat, lon), and not both"
    assert told == [f"team_bases.csv 2 hill {rule}", f"team_bases.csv 3 yard {rule}"]


def test_missing_tables_are_told_and_a_city_without_teams_needs_none(tiny: TinyWorld) -> None:
    fleet = tiny.fleet()
    assert load_team_bases(tiny.folder, tiny.city, fleet, BITS, settings({}), 1.0) == (fleet.unit_types, ())
    with pytest.raises(InputError) as caught:
        load_team_bases(tiny.folder, tiny.city, fleet, BITS, settings(FOREST), 1.0)
    assert sorted({Path(p.where).name for p in caught.value.problems}) == [
        "team_bases.csv", "team_unit_types.csv", "team_units.csv",
    ]  # fmt: skip


def test_the_committed_teams_have_the_sizes_of_boxes_3_and_14(dongguan: Any) -> None:
    from tests.fleet.conftest import DONGGUAN

    # the quays, whose places are points, have no team with dates here
    teams = {name: TeamDates("2022-12-31", "2024-12-31") for name in ("earthquake", "petrochemical", "forest", "water")}
    types, bases = load_team_bases(DONGGUAN, dongguan.city, dongguan.fleet, dongguan.bits, settings(teams), 1.0)
    assert {base.code: base.people[1][1] for base in bases} == {
        "special_brigade": 60, "binhaiwan_brigade": 40, "dalingshan_brigade": 50, "binhaiwan_large": 60,
    }  # fmt: skip
    assert np.all(types.crew_min <= types.crew_preferred)
