"""Changes that cannot be made are one clear error each, all at once, before anything is fitted."""

from __future__ import annotations

import pytest

from calibration.commands.replay import command
from calibration.replay.edits import Edits, Place, UnitChange, UnitCount, read_edits
from calibration.replay.given import Durations
from sim.cli import main
from sim.errors import InputError, Problems

from .test_hand_worked import COMMAND

NORTH = 23.0


def faults(**given: list[str]) -> list[str]:
    problems = Problems()
    read_edits(*(given.get(name, []) for name in ("close", "add", "move", "units")), problems)
    return [str(problem) for problem in problems.found]


def raised(replayed, wish=None, **edits) -> list[str]:
    with pytest.raises(InputError) as error:
        replayed(wish, **edits)
    return [str(problem) for problem in error.value.problems]


def test_texts_become_changes() -> None:
    problems = Problems()
    found = read_edits(
        ["A, B", "C"], ["N1,30.1,112.1", "N2,30.2,112.2,1:engine+2:ladder"], ["D,30.3,112.3"], ["E=-2", "F=+1:ladder"],
        problems,
    )  # fmt: skip
    assert problems.found == []
    assert found == Edits(
        ("A", "B", "C"),
        (
            Place("N1", 30.1, 112.1, (UnitCount(1, ""),)),
            Place("N2", 30.2, 112.2, (UnitCount(1, "engine"), UnitCount(2, "ladder"))),
        ),
        (Place("D", 30.3, 112.3),),
        (UnitChange("E", -1, (UnitCount(2, ""),)), UnitChange("F", 1, (UnitCount(1, "ladder"),))),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"add": ["N1,30.1"]}, "--add: 'N1,30.1' cannot be read; write CODE,lat,lon[,UNITS]"),
        ({"move": ["A,north,1"]}, "--move: 'north,1' (lat, lon) are no numbers; write CODE,lat,lon"),
        ({"units": ["A=3"]}, "--units: 'A=3' cannot be read; write STATION=+1, STATION=-1 or STATION=+1:TYPE"),
        ({"units": ["A=+0"]}, "--units: '0' (units) cannot be read; write a number from 1 to 50"),
        ({"close": [" , "]}, "--close: names no station; name one or more, separated by commas"),
    ],
)
def test_a_text_that_cannot_be_read_is_told_with_its_form(given, told) -> None:
    assert [text[: len(told)] for text in faults(**given)] == [told]


def test_all_that_is_wrong_is_told_at_once(replayed) -> None:
    told = raised(
        replayed, close=("M",), add=(Place("S", NORTH, 113.8, (UnitCount(1, ""),)),),
        units=(UnitChange("T", 1, (UnitCount(1, ""),)),),
    )  # fmt: skip
    assert [text.partition(";")[0] for text in told] == [
        "--close: 'M' is not a station of the city",
        "--units: 'T' is not a station of the city",
        "--add: 'S' is a station already",
    ]


def test_closing_every_station_is_an_error_unless_another_opens(replayed, prepared) -> None:
    assert raised(replayed, close=("N", "S"))[0].startswith("--close: closes every station of the city (2)")
    lat, lon = prepared.ground.plane.lat_lon(4_000, 0)
    units = (UnitCount(1, "engine"), UnitCount(1, "ambulance"))
    assert replayed(close=("N", "S"), add=(Place("X", lat, lon, units),)).after.played.unit[:, 0].min() >= 0


def test_a_type_that_calls_need_and_nobody_has_is_an_error(replayed) -> None:
    assert raised(replayed, close=("N",)) == [
        "--close, --units: leave no unit of type ambulance, and calls need 3;"
        " keep one, or add one with --add or --units"
    ]


def test_more_units_than_a_station_has_cannot_be_taken_and_no_unknown_type_given(replayed) -> None:
    assert "takes 2 of type engine from S, which has 1" in raised(
        replayed, units=(UnitChange("S", -1, (UnitCount(2, "engine"),)),)
    )[0]  # fmt: skip
    told = raised(replayed, units=(UnitChange("S", 1, (UnitCount(1, "engin"),)),))[0]
    assert told == "--units: 'engin' is no type of unit in the city; did you mean 'engine'?"


def test_a_place_outside_the_city_or_swapped_is_told_as_that(replayed) -> None:
    assert "(lat, lon) are swapped" in raised(replayed, move=(Place("S", 113.8, NORTH),))[0]
    told = raised(replayed, add=(Place("X", NORTH + 0.2, 113.8, (UnitCount(1, ""),)),))[0]
    assert "(X) lies 22 km from the nearest call or station: outside the city" in told


def test_days_outside_the_log_are_told_with_its_span(replayed) -> None:
    from datetime import date

    assert raised(replayed, {"first": date(2030, 1, 1)}) == [
        "--from: '2030-01-01' lies after the last call; the log runs from 2024-03-04 to 2024-03-04"
    ]


def test_durations_that_have_to_be_recorded_and_are_not_are_counted(tmp_path, capsys) -> None:
    from pathlib import Path
    from shutil import copytree

    records = tmp_path / "records"
    copytree(Path(COMMAND[1]), records)
    path = records / "responses.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("2024-03-04T08:14:10", ""), encoding="utf-8")
    arguments = [COMMAND[0], str(records), *COMMAND[2:]]
    assert main(["replay", *arguments, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert "records: not every duration is on record: scene is missing 1 times of 6; --durations both fits" in told
    assert not (tmp_path / "out").exists()


def test_an_option_that_would_change_nothing_is_an_error() -> None:
    with pytest.raises(InputError) as error:
        command([*COMMAND, "--draws", "3", "--seed", "1"])
    assert [str(problem)[:44] for problem in error.value.problems] == [
        "--draws: 3 says nothing with --durations rec",
        "--seed: 1 says nothing with --durations reco",
    ]


def test_without_a_matrix_nothing_can_be_replayed_from_records_alone(replayed, prepared) -> None:
    from dataclasses import replace

    from calibration.replay.run import replay

    from .conftest import HAND

    bare = replace(prepared, ground=replace(prepared.ground, tables=None))
    assert HAND.durations is Durations.RECORDED
    with pytest.raises(InputError, match="has no driving times"):
        replay(HAND, bare, lambda _: None)
