"""The city and records worked out by hand in docs/replay.md, and one synthetic town with a fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calibration.backtest.run import Prepared
from calibration.replay.edits import Edits
from calibration.replay.given import Durations
from calibration.replay.run import Replay, Wish, prepare_for, replay

FOLDER = Path(__file__).parent / "hand_worked"
MATRIX = ("travel=matrix", f"travel.matrix={FOLDER / 'city' / 'drive_s.csv'}", "travel.matrix_unit=s")
HAND = Wish(FOLDER / "city", FOLDER / "records", MATRIX, durations=Durations.RECORDED, home_speed=0.8, n_draws=1)
Replayed = Callable[..., Replay]


@pytest.fixture(scope="session")
def prepared() -> Prepared:
    return prepare_for(HAND, lambda _: None)


@pytest.fixture
def replayed(prepared: Prepared) -> Replayed:
    """Replays the calls worked out by hand with these changes (fields of `Edits`)."""

    def play(wish: dict[str, Any] | None = None, **edits: Any) -> Replay:
        return replay(replace(HAND, edits=Edits(**edits), **(wish or {})), prepared, lambda _: None)

    return play
