"""A town of a thousand calls, fitted and replayed: slow, as every form and curve is tried."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration.replay.compare import change_of
from calibration.replay.edits import Edits
from calibration.replay.given import Durations
from calibration.replay.run import Wish, prepare_for, replay

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wish(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Wish:
    sys.path.insert(0, str(root / "tests" / "calibration"))
    try:
        from cities import compact
    finally:
        sys.path.pop(0)
    folder = tmp_path_factory.mktemp("town")
    compact(folder, n_calls=1_200, seed=1)
    return Wish(folder / "city", folder / "records", edits=Edits(close=("S07",)), n_draws=2)


@pytest.fixture(scope="module")
def found(wish):
    return replay(wish, prepare_for(wish, lambda _: None), lambda _: None)


def test_most_calls_get_the_station_on_record_and_then_the_arrival_on_record(found) -> None:
    side, given = found.before, found.given
    is_same = side.played.station(side.cast) == given.station[:, None]
    assert is_same.mean() > 0.95
    late_s = (side.played.first_s - given.first_s[:, None])[is_same]
    assert (np.abs(late_s) < 0.001).mean() > 0.95


def test_calls_that_the_closed_station_did_not_serve_first_are_reached_as_before(found) -> None:
    before, after = found.before.played, found.after.played
    seventh = found.before.cast.resources.ground.station.index("S07")
    is_other = (before.station(found.before.cast) != seventh).all(axis=1)
    assert (before.first_s[is_other] == after.first_s[is_other]).mean() > 0.97
    assert (after.station(found.after.cast) != seventh).all()


def test_closing_a_station_hardly_makes_any_call_sooner_as_a_slow_trip_stays_slow(found) -> None:
    change = change_of(found.before.played.first_s, found.after.played.first_s, found.given.calls.day)
    assert change.mean.low > 0
    assert change.later[60].value > 0.05
    assert change.sooner[60].value < 0.005


def test_the_same_wish_gives_the_same_arrivals_and_fitted_durations_the_same_answer(wish, found) -> None:
    prepared = prepare_for(wish, lambda _: None)
    fitted = replay(replace(wish, durations=Durations.FITTED), prepared, lambda _: None)
    of = [
        change_of(it.before.played.first_s, it.after.played.first_s, it.given.calls.day).mean for it in (found, fitted)
    ]
    assert of[0].low < of[1].value < of[0].high
