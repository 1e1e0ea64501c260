"""What a log gives of each call, from a few rows: waves, gaps, destinations, calls without a unit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from calibration.backtest.run import Prepared
from calibration.replay.given import Durations, Given, Stage, take_calls
from calibration.replay.run import prepare_for

from .conftest import FOLDER, HAND

ENGINE, AMBULANCE = 1, 0
Take = Callable[..., Given]
DRAWN = (np.array([1, 1, 1, 1, 1]), ((ENGINE,), (AMBULANCE, ENGINE)))


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Takes the five calls after replacing texts in responses.csv."""

    def taken(*changes: tuple[str, str], durations: Durations = Durations.BOTH, drawn=None) -> Given:
        from dataclasses import replace

        folder = tmp_path / "records"
        copytree(FOLDER / "records", folder)
        path = folder / "responses.csv"
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
        found: Prepared = prepare_for(replace(HAND, records=folder), lambda _: None)
        chosen = np.flatnonzero(found.samples.calls.is_response)
        return take_calls(
            found.samples, found.records, found.ground, found.zones, chosen, durations, drawn, np.array([1, 2])
        )

    return taken


def test_units_ordered_out_together_are_one_wave_and_a_later_order_is_its_own(take) -> None:
    found = take(
        (
            "5,A1,N,ambulance,,2024-03-04T08:42:40,2024-03-04T08:42:40",
            "5,A1,N,ambulance,,2024-03-04T08:42:50,2024-03-04T08:42:50",
        )
    )
    assert found.call.tolist() == [0, 1, 2, 3, 4, 4]
    assert found.trace.calls["handling_ms"].tolist() == [60_000, 30_000, 60_000, 20_000, 60_000, 70_000]
    assert found.trace.calls["time_ms"][4:].tolist() == [(8 * 3600 + 2500) * 1000] * 2
    assert found.n_needs.tolist() == [1, 1, 1, 1, 2]
    assert found.said == ("1 later orders to calls that had units already come when they came",)


def test_a_stage_without_a_mark_is_left_open_and_counted(take) -> None:
    found = take(("2024-03-04T08:14:10", ""), ("2024-03-04T08:05:20", ""))  # call 3: neither clear nor en route
    third = found.trace.needs[2]
    assert (third["turnout_ms"], third["travel_ms"], third["scene_ms"]) == (-1, -1, -1)
    shares = {stage: (it.n, it.n_recorded) for stage, it in found.shares.items()}
    assert shares[Stage.TURNOUT] == shares[Stage.TRAVEL] == shares[Stage.SCENE] == (6, 5)
    assert shares[Stage.HANDLING] == (5, 5)


def test_the_leg_with_a_patient_comes_from_its_marks(take) -> None:
    second = take().trace.needs[1]
    assert (second["to_zone"], second["scene_ms"]) == (4, 400_000)
    assert (second["transport_ms"], second["hand_over_ms"]) == (470_000, 300_000)


def test_a_destination_that_the_city_does_not_have_leaves_the_times_and_the_unit_at_the_scene(take) -> None:
    found = take(("Elm Hospital", "Oak Clinic"))
    second = found.trace.needs[1]
    assert second["to_zone"] == 2
    assert (second["scene_ms"], second["transport_ms"], second["hand_over_ms"]) == (400_000, 470_000, 300_000)
    assert "1 of 1 destinations are no area or cell of the city" in found.said[0]


def test_a_destination_may_be_the_number_of_a_cell(take) -> None:
    assert take(("Elm Hospital", "3")).trace.needs["to_zone"][1] == 3


def test_a_call_without_a_unit_is_left_out_or_drawn(take) -> None:
    gone = ("3,E2,S,engine,,", "2,E2,S,engine,,")
    found = take(gone, durations=Durations.BOTH)
    assert len(found.calls) == 4
    assert found.said[0] == "1 of 5 calls have no unit on record and are left out"


def test_units_that_are_drawn_have_nothing_on_record(take) -> None:
    found = take(("3,E2,S,engine,,", "2,E2,S,engine,,"), drawn=DRAWN)
    mine = found.trace.needs[np.repeat(found.call, found.trace.calls["n_needs"]) == 2]
    assert mine["capability"].tolist() == [AMBULANCE, ENGINE]
    for name in ("turnout_ms", "travel_ms", "scene_ms", "station", "to_zone"):
        assert mine[name].tolist() == [-1, -1]
    assert found.trace.calls["handling_ms"][found.call == 2].tolist() == [-1]


def test_fitted_durations_keep_calls_and_units_and_nothing_else(take) -> None:
    found = take(durations=Durations.FITTED)
    assert found.n_needs.tolist() == [1, 1, 1, 1, 2]
    assert found.trace.needs["capability"].tolist() == [ENGINE, AMBULANCE, ENGINE, AMBULANCE, ENGINE, AMBULANCE]
    assert set(found.trace.calls["handling_ms"].tolist()) == {-1}
    assert {stage.value: it.n_recorded for stage, it in found.shares.items()} == {
        "handling": 0, "turnout": 0, "travel": 0, "scene": 0,
    }  # fmt: skip
    assert found.said == ("1 ways with patients are part of the time on scene that is fitted",)
    assert found.first_s.tolist() == [365, 600, 350, 250, 75]


def test_a_unit_that_was_turned_back_is_not_sent(take) -> None:
    clear = ("08:16:05", "08:31:10", "08:14:10", "08:37:30", "08:44:35")
    columns = [("delivered,clear", "delivered,clear,cancelled"), *((mark, f"{mark},") for mark in clear)]
    found = take(*columns, ("08:55:25", "08:55:25,yes"))
    assert found.n_needs.tolist() == [1, 1, 1, 1, 1]
    assert found.said == ("1 units were turned back before they arrived and are not played",)
