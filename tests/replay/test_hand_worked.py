"""The replay of docs/replay.md, worked out by hand there: every row of its log, and what each change makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from calibration.commands.replay import command
from calibration.replay.edits import Place, UnitChange, UnitCount
from calibration.replay.play import inputs_of
from sim.engine import simulate
from sim.engine.log import LogKind

from .conftest import FOLDER, MATRIX

EIGHT_S = 8 * 3600
COMMAND = [str(FOLDER / "city"), str(FOLDER / "records"), "--durations", "recorded", "--home-speed", "0.8", *MATRIX]


def arrivals(side) -> list[tuple[float, float]]:
    played = side.played
    return [(float(a), float(b)) for a, b in zip(played.first_s[:, 0], played.second_s[:, 0], strict=True)]


NONE = pytest.approx(float("nan"), nan_ok=True)


def test_every_row_is_as_worked_out_by_hand(replayed) -> None:
    found = replayed()
    rows = simulate(inputs_of(found.before.cast, found.given, found.passed), "both").rows
    rows = rows[rows["kind"] != LogKind.CHANGE]
    told = [
        (int(r["time_ms"]) / 1000 - EIGHT_S, LogKind(int(r["kind"])).name, *(int(r[n]) for n in ("incident", "unit")))
        for r in rows
        if LogKind(int(r["kind"])).name not in ("CALL", "REVEAL", "MET", "CLOSED", "AVAILABLE", "END")
    ]
    e1, a1, e2 = 0, 1, 2
    assert told == [
        (60, "DISPATCH", 0, e1),
        (120, "ENROUTE", 0, e1),
        (130, "DISPATCH", 1, a1),
        (190, "ENROUTE", 1, a1),
        (260, "DISPATCH", 2, e2),
        (320, "ENROUTE", 2, e2),
        (365, "ARRIVE", 0, e1),
        (550, "ARRIVE", 2, e2),
        (700, "ARRIVE", 1, a1),
        (850, "CLEAR", 2, e2),
        (965, "CLEAR", 0, e1),
        (1100, "TRANSPORT", 1, a1),
        (1125, "HOME", -1, e2),
        (1277.5, "HOME", -1, e1),
        (1570, "DELIVER", 1, a1),
        (1870, "HANDED_OVER", 1, a1),
        (1870, "CLEAR", 1, a1),
        (1920, "DISPATCH", 3, a1),
        (1920, "ENROUTE", 3, a1),
        (2150, "ARRIVE", 3, a1),
        (2250, "CLEAR", 3, a1),
        (2560, "DISPATCH", 4, e2),
        (2560, "DISPATCH", 4, a1),
        (2560, "ENROUTE", 4, a1),
        (2575, "ARRIVE", 4, a1),
        (2620, "ENROUTE", 4, e2),
        (2675, "CLEAR", 4, a1),
        (2850, "ARRIVE", 4, e2),
        (3050, "CLEAR", 4, e2),
        (3312.5, "HOME", -1, a1),
        (3343.75, "HOME", -1, e2),
    ]


def test_without_a_change_one_side_is_played_and_every_duration_is_on_record(replayed) -> None:
    found = replayed()
    assert found.after is None
    assert found.is_exact
    assert {stage.value: (it.n, it.n_recorded) for stage, it in found.given.shares.items()} == {
        "handling": (5, 5), "turnout": (6, 6), "travel": (6, 6), "scene": (6, 6), "transport": (1, 1),
        "hand_over": (1, 1),
    }  # fmt: skip
    assert arrivals(found.before) == [(365, NONE), (600, NONE), (350, NONE), (250, NONE), (75, 350)]
    assert found.before.played.busy_s.tolist() == [905, 2185, 590 + 490]


def test_without_station_s_the_third_call_waits_and_the_fifth_gets_its_engine_from_the_way_home(replayed) -> None:
    after = replayed(close=("S",)).after
    assert arrivals(after) == [(365, NONE), (600, NONE), (1470, NONE), (250, NONE), (75, 565)]
    assert after.played.unit[:, 0].tolist() == [0, 1, 0, 1, 1]
    assert after.played.busy_s.tolist() == [2110 + 505, 2185, 0]  # E1 has two calls in one go, then the fifth


def test_a_recorded_travel_is_not_that_of_a_station_which_has_moved(replayed, prepared) -> None:
    lat, lon = prepared.ground.plane.lat_lon(16_000, 0)
    after = replayed(move=(Place("S", lat, lon),)).after
    # in zone E at once (60 of turnout); to C in 460, sooner than the 500 of station N
    assert arrivals(after) == [(365, NONE), (600, NONE), (120, NONE), (250, NONE), (75, 580)]


def test_an_added_station_sends_where_it_is_nearest_and_changes_no_other_call(replayed, prepared) -> None:
    lat, lon = prepared.ground.plane.lat_lon(8_000, 0)
    found = replayed(add=(Place("X", lat, lon, (UnitCount(1, "engine"),)),))
    assert arrivals(found.after) == [(365, NONE), (600, NONE), (350, NONE), (250, NONE), (75, 120)]  # in zone C at once
    assert found.after.cast.resources.unit[int(found.after.played.unit[4, 0])] == "A1"
    assert found.after.played.busy_s.tolist() == [905, 2185, 590, 60 + 200]


def test_an_added_unit_serves_the_call_that_waited(replayed) -> None:
    one = (UnitChange("N", 1, (UnitCount(1, "engine"),)),)
    found = replayed(close=("S",), units=one)
    assert found.after.cast.resources.unit == ("E1", "A1", "N+1", "E2")
    assert arrivals(found.after)[2] == (60 + 60 + 960, NONE)


def test_homeward_speed_moves_units_on_their_way_and_nothing_that_was_in_its_bay(replayed) -> None:
    # four times as fast: A1 is 16 km x 50 / 242.5 on its way at 1920, in zone D, where the record still says 230
    found = replayed({"home_speed": 4.0})
    assert arrivals(found.before) == [(365, NONE), (600, NONE), (350, NONE), (250, NONE), (75, 350)]
    rows = simulate(inputs_of(found.before.cast, found.given, found.passed)).rows
    home = rows[rows["kind"] == LogKind.HOME]
    assert (home["time_ms"] / 1000 - EIGHT_S).tolist() == [850 + 55, 965 + 62.5, 2250 + 185, 2675 + 127.5, 3050 + 58.75]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What the command wrote, twice."""
    made = [tmp_path_factory.mktemp("replay") / name for name in ("one", "two")]
    for folder in made:
        assert command([*COMMAND, "--close", "S", "--out", str(folder)]) == 0
    return made


def test_the_command_writes_the_same_bytes_twice_and_does_nothing_a_third_time(folders, capsys) -> None:
    names = sorted(path.name for path in folders[0].iterdir())
    assert names == sorted(
        ["account.csv", "account_summary.csv", "calls.parquet", "record.json", "report.html", "stages.json",
         "timings.json", "units.parquet"]
    )  # fmt: skip
    for name in set(names) - {"timings.json"}:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name
    assert command([*COMMAND, "--close", "S", "--out", str(folders[0])]) == 0
    assert "nothing done" in capsys.readouterr().out


def test_a_row_of_the_table_of_calls_holds_record_before_and_after(folders) -> None:
    calls = pd.read_parquet(folders[0] / "calls.parquet").set_index("id")
    third = calls.loc["3"]
    names = ("recorded", "before", "after")
    assert [third[f"{name}_first_s"] for name in names] == [350, 350, 1470]
    assert [third[f"{name}_unit"] for name in names] == ["E2", "E2", "E1"]
    assert [third[f"{name}_station"] for name in names] == ["S", "S", "N"]
    assert third["change_first_s"] == 1120
    assert calls["recorded_second_s"].tolist()[-1] == 625
    units = pd.read_parquet(folders[0] / "units.parquet").set_index("unit")
    assert np.allclose(units["after_busy_share"][["E1", "A1", "E2"]] * 86_400, [2615, 2185, 0])
    stages = json.loads((folders[0] / "stages.json").read_text(encoding="utf-8"))
    assert stages["stages"]["travel"] == {"needed": 6, "recorded": 6, "assumed": ""}
    page = (folders[0] / "report.html").read_text(encoding="utf-8")
    assert "The first unit arrives 224.0 s later on average" in page
    assert "首车到场平均晚 224.0 秒" in page
