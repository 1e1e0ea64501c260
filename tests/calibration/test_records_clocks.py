"""Days on which clocks are put back or forward, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from calibration.records import Records
from calibration.records.clocks import universal

Reader = Callable[..., Records]
BERLIN, NEW_YORK = "time_zone: Europe/Berlin", "time_zone: America/New_York"


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "local", "first", "second", "is_skipped"),
    [
        ("Europe/Berlin", "2025-10-26T01:59:59", "2025-10-25T23:59:59", "2025-10-25T23:59:59", False),
        ("Europe/Berlin", "2025-10-26T02:00:00", "2025-10-26T00:00:00", "2025-10-26T01:00:00", False),
        ("Europe/Berlin", "2025-10-26T02:59:59", "2025-10-26T00:59:59", "2025-10-26T01:59:59", False),
        ("Europe/Berlin", "2025-10-26T03:00:00", "2025-10-26T02:00:00", "2025-10-26T02:00:00", False),
        ("Europe/Berlin", "2025-03-30T02:30:00", "2025-03-30T01:30:00", "2025-03-30T01:30:00", True),
        ("Europe/Berlin", "2025-03-30T03:00:00", "2025-03-30T01:00:00", "2025-03-30T01:00:00", False),
        ("America/New_York", "2025-11-02T01:30:00", "2025-11-02T05:30:00", "2025-11-02T06:30:00", False),
        ("America/New_York", "2025-03-09T02:30:00", "2025-03-09T07:30:00", "2025-03-09T07:30:00", True),
        ("Australia/Lord_Howe", "2025-04-06T01:45:00", "2025-04-05T14:45:00", "2025-04-05T15:15:00", False),
        ("Asia/Shanghai", "2025-03-30T02:30:00", "2025-03-29T18:30:00", "2025-03-29T18:30:00", False),
    ],
)
def test_local_times_pass_never_once_or_twice(zone: str, local: str, first: str, second: str, is_skipped: bool) -> None:
    passed = universal(np.array([ms(local)]), zone)
    assert (passed.first_ms[0], passed.second_ms[0], passed.is_skipped[0]) == (ms(first), ms(second), is_skipped)


def test_a_mark_in_the_repeated_hour_is_put_behind_the_call(read: Reader) -> None:
    records = read("call,zone,arrival\n2025-10-26 02:50:00,n,2025-10-26 02:05:00\n", yaml=BERLIN)
    assert records.incidents["call_ms"].tolist() == [ms("2025-10-26T00:50:00")]
    assert records.incidents["arrival_s"].tolist() == [900]
    assert records.account.rows[["code", "column"]].values.tolist() == [
        ["ambiguous_hour", "call"],
        ["ambiguous_hour", "arrival"],
    ]


def test_a_call_in_the_repeated_hour_stays_near_the_next_mark(read: Reader) -> None:
    log = "id,call,zone,arrival\na,2025-11-02 01:55:00,n,2025-11-02 02:01:00\nb,2025-11-02 01:55:00,n,\n"
    incidents = read(log, yaml=NEW_YORK).incidents.set_index("id")
    assert incidents["call_ms"].to_dict() == {"a": ms("2025-11-02T06:55:00"), "b": ms("2025-11-02T05:55:00")}
    assert incidents.loc["a", "arrival_s"] == 360
    assert incidents["hour"].to_dict() == {"a": 1, "b": 1}


def test_an_interval_across_the_step_is_what_a_stop_watch_shows(read: Reader) -> None:
    spring = read("call,zone,clear\n2025-03-30 01:50:00,n,2025-03-30 03:10:00\n", yaml=BERLIN)
    assert spring.incidents["clear_s"].tolist() == [1200]
    autumn = read("call,zone,clear\n2025-10-26 01:50:00,n,2025-10-26 03:10:00\n", yaml=BERLIN)
    assert autumn.incidents["clear_s"].tolist() == [8400]


def test_a_time_that_never_was_is_counted_as_if_the_clock_stood(read: Reader) -> None:
    records = read("call,zone\n2025-03-30 02:30:00,n\n", yaml=BERLIN)
    assert records.incidents["call_ms"].tolist() == [ms("2025-03-30T01:30:00")]
    assert records.incidents["hour"].tolist() == [3]
    assert records.account.rows["code"].tolist() == ["nonexistent_hour"]


def test_a_stated_offset_leaves_no_doubt(read: Reader) -> None:
    records = read("call,zone,arrival\n2025-10-26T02:50:00+02:00,n,2025-10-26T02:05:00+01:00\n", yaml=BERLIN)
    assert records.incidents["arrival_s"].tolist() == [900]
    assert records.account.rows.empty


def test_hour_weekday_month_and_date_are_those_of_the_zone(read: Reader) -> None:
    row = read("call,zone\n2024-12-31T23:30:00Z,n\n", yaml=BERLIN).incidents.iloc[0]
    assert row[["hour", "weekday", "month", "offset_s"]].tolist() == [0, 2, 1, 3600]
    assert str(row["date"].date()) == "2025-01-01"
