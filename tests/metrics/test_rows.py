"""The few rows of a log that some tables need."""

from __future__ import annotations

import numpy as np

from sim.engine.log import LogKind
from sim.metrics.rows import LogIndex
from tests.metrics.conftest import make_log

LOG = make_log(
    (0, LogKind.CHANGE, 7, -1, -1, -1, 1),
    (60, LogKind.CALL, 0, -1, -1, -1, 0),
    (60, LogKind.DISPATCH, 0, 0, 2, 1, 0),
    (70, LogKind.CALL, 1, -1, -1, -1, 0),
    (70, LogKind.DISPATCH, 1, 0, 1, 1, 0),
    (99, LogKind.END, -1, -1, -1, -1, 0),
)


def _seconds(log: LogIndex) -> list[int]:
    return [int(ms) // 1000 for ms in log.rows["time_ms"]]


def test_rows_of_units_are_theirs_and_the_last_one_which_says_when_the_log_ended() -> None:
    of_two = LogIndex(LOG).of_units(np.array([False, False, True]))
    assert _seconds(of_two) == [60, 99]
    assert of_two.of(LogKind.DISPATCH)["unit"].tolist() == [2]
    assert of_two.last_ms == LogIndex(LOG).last_ms == 99_000


def test_rows_about_incidents_leave_out_numbers_beyond_the_incidents() -> None:
    """Change 7 is no incident of two, -1 is none at all."""
    assert _seconds(LogIndex(LOG).about(np.array([False, True]))) == [70, 70, 99]


def test_a_log_without_rows_has_no_part() -> None:
    assert len(LogIndex(make_log()).of_units(np.array([True])).rows) == 0
