"""A walk through bad input, from the command line: each fault one message, all of them at once, nothing touched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sim.cli import main

ONE_WORLD = ("window=one_week", "schedule.is_outside_run_allowed=true", "siting=one_world", "run.n_replications=1")
Edit = tuple[str, str, str]
"""File, text in it, and what the first of these texts becomes."""


def spoilt(root: Path, folder: Path, edits: list[Edit]) -> None:
    """Copy the committed city to `folder` and change texts in it; an old text of nothing is a new file."""
    shutil.copytree(root / "configs" / "city" / "dongguan", folder)
    for name, old, new in edits:
        text = (folder / name).read_text(encoding="utf-8") if old else ""
        assert old in text, f"{name} holds no {old!r}"
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")


CASES: dict[str, tuple[list[Edit], list[str], list[str]]] = {
    "faults of many tables and settings": (
        [
            ("towns.csv", ",56.48,", ",-56.48,"),
            ("kinds.csv", "fire,1,5,4800,", "fire,1,5,-4800,"),
            ("fleets.csv", ",pumper,", ",pumpr,"),
            ("plan_towns.csv", "\nhumen,", "\nhumem,"),
            ("rail.csv", ",humen,", ",humenn,"),
        ],
        ["dispatch.rul=nearest", "staffing.present_share=lots", "demand.alarms_per_year=-5", "move_up=nearst"],
        [
            "command line: 'dispatch.rul' is not a setting; did you mean 'dispatch.rule'?",
            "command line: 'nearst' (move_up) is not a choice of configs/move_up; did you mean 'nearest'?",
            "command line: -5 (demand.alarms_per_year) must be greater than or equal to 0; it is: ",
            "command line: 'lots' (staffing.present_share) must be a valid number, unable to parse string as a number",
            "towns.csv row 2: '-56.48' (area_km2) must be between 0.01 and 1e+06 km2",
            "rail.csv row 16: 'humenn' (town) is not in towns.csv; did you mean 'humen'?",
            "plan_towns.csv: 'humem' (code) is not in towns.csv; did you mean 'humen'?",
            "towns.csv: 'humen' (code) is not in plan_towns.csv; did you mean 'humem'?",
            "kinds.csv row 2: '-4800' (share) must be between 0 and 100000",
        ],
    ),
    "a town whose name is changed everywhere else but in one table": (
        [("towns.csv", ",humen,", ",hu_men,")],
        [],
        [
            "adjacency.csv row 38: 'humen' (town_a) is not in towns.csv, nor in 3 more rows; did you mean 'hu_men'?",
            "adjacency.csv row 33: 'humen' (town_b) is not in towns.csv; did you mean 'hu_men'?",
            "sites.csv row 17: 'humen' (town) is not in towns.csv, nor in 4 more rows; did you mean 'hu_men'?",
            "rail.csv row 16: 'humen' (town) is not in towns.csv, nor in 3 more rows; did you mean 'hu_men'?",
            "plan_towns.csv: 'humen' (code) is not in towns.csv; did you mean 'hu_men'?",
            "towns.csv: 'hu_men' (code) is not in plan_towns.csv; did you mean 'humen'?",
            "cells.csv row 273: 'humen' (town) is not in towns.csv, nor in 117 more rows; did you mean 'hu_men'?",
        ],
    ),
    "a siting world and a capability that the city does not have": (
        [],
        ["siting.world=20", "dispatch.cover_capability=wather"],
        [
            "command line: 20 (siting.world) is not a siting world; the city has 20, numbered from 0",
            "settings: 'wather' (dispatch.cover_capability) is not in the city's register of capabilities; did you",
        ],
    ),
    "faults of every lever": (
        [
            (
                "prices.csv",
                "hydrant,*,per hydrant,5000,10000,20000,CNY,2023,",
                "hydrant,*,per hydrant,5000,10000,20000,,,",
            ),
            ("flying_windows.csv", "\n1,8,17,", "\n1,17,8,"),
        ],
        [
            "mutual_aid.wait_min=-5",
            "water_supply.reach_m=0",
            "dispatch.rule=keep_covr",
            "aviation=own",
            "micro_stations.families=[fires]",
            "rail.kinds=[rail_tunnel]",
            "weather=timeline",
            "weather.storms={hurricane: {rain_mm_h: 1, wind_m_s: 1, visibility_km: 1, speed_lost: 0.1}}",
            "planted.series=[{name: tunnel, kinds: [rail_tunel_rescue]}]",
            "staffing.enterprise_staff=5000",
            "relief=afterwards",
        ],
        [
            "command line: 'afterwards' (relief) is not a choice of configs/relief; known: after_long_jobs, none",
            "command line: 'keep_covr' (dispatch.rule) must be 'nearest', 'own_town_first' or 'keep_cover'; it is: ",
            "command line: -5 (mutual_aid.wait_min) must be greater than or equal to -1; it is: ",
            "command line: 0 (water_supply.reach_m) must be greater than 0; it is: ",
            "command line: 'rail_tunnel' (rail.kinds.0) is not in kinds.csv; did you mean 'rail_tunnel_rescue'?",
            "command line: 'rail_tunel_rescue' (planted.series.0.kinds.0) is not in kinds.csv; did you mean 'rail_tunn",
            "settings: 'fires' (micro_stations.families) is no family of kinds.csv; did you mean 'fire'?",
            "settings: 'hurricane' (weather.storms.hurricane) is no type of surge day in demand.surges; known: rainst",
            "flying_windows.csv row 2: 8 (to_h) is not after from_h, 17; lower from_h",
            "prices.csv row 48: '' (currency) is empty; give a value",
            "prices.csv row 48: '' (price_year) is empty; give a value",
            "plan_path: 5000 (enterprise_staff) is more than the staff of 2026-05-30, 4710: fewer than no people would",
        ],
    ),
    "levers that contradict themselves": (
        [
            (
                "prices.csv",
                "hydrant,*,per hydrant,5000,10000,20000,CNY,2023,",
                "hydrant,*,per hydrant,5000,10000,20000,,,",
            )
        ],
        [
            'teams.teams={forest: {crewed: "2024-01-01", complete: "2023-01-01"}}',
            "aviation.base=nantou",
            "roster=two_shift",
            "roster.shifts=[{crew: 1, day: 1, from_h: 8, hours: 12}, {crew: 2, day: 2, from_h: 8, hours: 24}]",
            "staffing.enterprise_staff=5000",
            "dispatch=keep_covr",
        ],
        [
            "command line: 'keep_covr' (dispatch) is not a choice of configs/dispatch; did you mean 'keep_cover'?",
            "command line: 'day 1 20-24 h, day 2 0-8 h' (shifts) nobody is on duty in; let the shifts cover every hour",
            "command line: '2023-01-01' (teams.teams.forest) is complete before it is crewed on 2024-01-01; give",
            "command line: 'nantou' (aviation.base) is given, but aviation.mode is none: nobody would fly; choose",
            "prices.csv row 48: '' (currency) is empty; give a value",
            "prices.csv row 48: '' (price_year) is empty; give a value",
            "plan_path: 5000 (enterprise_staff) is more than the staff of 2026-05-30, 4710: fewer than no people would",
        ],
    ),
    "planted incidents that the city and the window do not have": (
        [],
        ["planted=compound", "planted.events.0.town=humenn", "planted.events.1.date='2026-06-31'"],
        [
            "command line: '2026-06-31' (planted.events.1.date) is not a day; give a day that the calendar has",
            "command line: 'humenn' (planted.events.0.town) is not in towns.csv; did you mean 'humen'?",
        ],
    ),
    "a day of stress outside the window": (
        [],
        ["planted=holiday"],
        ["planted.events: new_years_eve: date: '2026-02-16' lies outside the measured days; the measured days are 2"],
    ),
    "a unit no crew can man": (
        [("unit_types.csv", ",water,4,6,", ",water,90,95,")],
        [],
        [
            f"unit_types.csv: 'pumper: crew_min 90' no crew can man it at {where} has at most {most} on duty; lower"
            for where, most in (
                ("'nancheng-01' nor at 32 more: grade_1", 45),
                ("'nancheng-02' nor at 39 more: grade_2", 25),
                ("'shatian-02': special", 60),
                ("'binhaiwan-01': large", 60),
            )
        ],
    ),
    "a capability nobody has": (
        [("unit_types.csv", ",water rescue tunnel,", ",water rescue,"), ("unit_types.csv", ",tunnel,", ",rescue,")],
        [],
        ["run_cards.csv: rail_tunnel_rescue: 'tunnel' needs a capability that no unit type has (need 2, 6); "],
    ),
    "builds after the run": (
        [],
        [
            "schedule=plan",
            "schedule.is_outside_run_allowed=false",
            "window.measure_from='2021-01-05'",
            "window.measure_to='2021-01-06'",
        ],
        [
            "schedule plan: plans 84 builds after the run, which is from 2021-01-",
            "schedule plan: rows.0: '2025-07-01' is after the run, which is from 2021-01-",
        ],
    ),
    "a station outside every cell": (
        [("stations.csv", "", "town,k,name,is_existing,crs,lat,lon,x_m,y_m\nnancheng,1,,true,plane,,,900000,0\n")],
        ["siting.coordinates=city/stations.csv"],
        ["stations.csv row 2: 'nancheng 1' is outside every cell: x 900000 m, y 0 m of the plane; look at crs, and"],
    ),
    "a site outside every cell": (
        [("siting/world_00.csv", "nancheng,1,1784,", "nancheng,1,99999,")],
        [],
        ["world_00.csv row 2: 99999 (cell) is outside every cell: there are 2411; make the siting worlds anew"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_told_whole_and_once(
    case: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    edits, overrides, expected = CASES[case]
    spoilt(root, tmp_path / "city", edits)
    monkeypatch.chdir(tmp_path)
    assert main(["run", *ONE_WORLD, "city.folder=city", *overrides]) == 2
    told = [line.removeprefix("dgsim: ") for line in capsys.readouterr().err.splitlines() if line != "dgsim:"]
    assert [line[: len(start)] for line, start in zip(told, expected, strict=False)] == expected
    assert len(told) == len(expected), told[len(expected) :]
    assert [path.name for path in tmp_path.iterdir()] == ["city"]
