"""Forms, encodings, separators and headers: what is read as the same, and what has to be told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from pathlib import Path

import pandas as pd
import pytest

from calibration.records import INCIDENT_COLUMNS, RESPONSE_COLUMNS, Records, read_records
from sim.errors import InputError

Reader = Callable[..., Records]
CALL_MS = int(datetime(2025, 3, 14, 5, 6, 7, tzinfo=UTC).timestamp() * 1000)
"""13:06:07 in Shanghai."""


@pytest.mark.parametrize(
    "text",
    [
        "2025-03-14 13:06:07",
        "2025-03-14T13:06:07",
        "2025-03-14T13:06:07+08:00",
        "2025-03-14 05:06:07Z",
        "2025-03-14 00:06:07-0500",
        "2025-03-14 13:06:07.000",
        "2025/3/14 13:06:07",
        "2025.03.14 13:06:07",
        "2025年3月14日 13时06分07秒",
        "2025年3月14日13:06:07",
        "2025-03-14 下午 1:06:07",
        "14/03/2025 13:06:07",
        "3/14/2025 1:06:07 PM",
        "14.03.2025, 13:06:07",
        "20250314130607",
        "20250314 130607",
        "45730.5459143518",
        str(CALL_MS),
        str(CALL_MS // 1000),
    ],
)
def test_one_instant_in_each_accepted_form(read: Reader, text: str) -> None:
    records = read(f'call,zone\n"{text}",n\n')
    assert records.incidents["call_ms"].tolist() == [CALL_MS]
    assert records.incidents["hour"].tolist() == [13]


@pytest.mark.parametrize("text", ["25:06:07", "2025-02-29 13:06", "2025-13-01 13:06", "noon", "12", "2025-03-14 13:61"])
def test_a_call_of_no_accepted_form_is_never_guessed(read: Reader, text: str) -> None:
    good = "2025-03-14 13:06:07,n\n"
    records = read(f"call,zone\n{good}{text},n\n{good.replace('n', 'm')}")
    assert records.account.rows[["row", "code", "value"]].values.tolist() == [[3, "call_unreadable", text]]


def test_a_date_without_time_is_no_call_time(read: Reader) -> None:
    assert read("call,zone\n2025-03-14,n\n2025-03-14 00:00,n\n").account.rejected["row"].tolist() == [2]


def test_day_and_month_that_cannot_be_told_apart_are_asked_for(read: Reader) -> None:
    log = "call,zone\n03/04/2025 13:06:07,n\n"
    with pytest.raises(InputError, match="cannot be told apart; write date_order"):
        read(log)
    for order, month in (("day_first", 4), ("month_first", 3)):
        assert read(log, yaml=f"time_zone: Asia/Shanghai\ndate_order: {order}").incidents["month"].tolist() == [month]


def test_any_column_of_the_file_may_tell_day_from_month(read: Reader) -> None:
    log = "call,zone,clear\n11/12/2025 23:06:07,n,11/12/2025 23:16:07\n12/12/2025 23:06:07,n,13/12/2025 00:16:07\n"
    assert read(log).incidents["month"].tolist() == [12, 12]
    with pytest.raises(InputError, match="some dates have the day first, others the month"):
        read(log + "12/13/2025 23:06:07,n,\n")


def test_a_declared_form_is_taken_instead_of_the_accepted_ones(read: Reader) -> None:
    yaml = "time_zone: Asia/Shanghai\ndate_format: '%d-%b-%y %H:%M:%S'"
    assert read("call,zone\n14-Mar-25 13:06:07,n\n", yaml=yaml).incidents["call_ms"].tolist() == [CALL_MS]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators_read_the_same(tmp_path: Path, encoding: str, separator: str) -> None:
    rows = [["报警时间", "纬度", "经度", "镇街"], ["2025-03-14 13:06:07", "23.02", "113.75", "虎门镇"]]
    text = "\r\n".join(separator.join(row) for row in rows)
    (tmp_path / "incidents.csv").write_bytes(text.encode(encoding))
    row = read_records(tmp_path, "Asia/Shanghai").incidents.iloc[0]
    assert row[["call_ms", "lat", "lon", "zone"]].tolist() == [CALL_MS, 23.02, 113.75, "虎门镇"]


def test_a_decimal_comma_is_read_where_semicolons_part_the_columns(read: Reader) -> None:
    records = read("call;lat;lon;travel_min\n2025-03-14 13:06:07;52,5;13,4;4,5\n")
    assert records.incidents[["lat", "lon", "travel_s"]].values.tolist() == [[52.5, 13.4, 270.0]]


def test_workbook_cells_of_dates_and_times_are_read_as_such(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "Call time": [datetime(2025, 3, 14, 13, 6, 7)],
            "Arrival": [time(13, 11, 7)],
            "Latitude": [23.0],
            "Longitude": [113],
        }
    )
    frame.to_excel(tmp_path / "incidents.xlsx", index=False)
    row = read_records(tmp_path, "Asia/Shanghai").incidents.iloc[0]
    assert row[["call_ms", "arrival_s", "lat", "lon", "row"]].tolist() == [CALL_MS, 300, 23.0, 113.0, 2]


def test_parquet_times_with_and_without_zone_are_read_as_such(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "call": [pd.Timestamp("2025-03-14 05:06:07", tz="UTC")],
            "arrival": [pd.Timestamp("2025-03-14 13:11:07")],
            "clear": [pd.NaT],
            "zone": [7.0],
            "travel_s": [240],
        }
    )
    frame.to_parquet(tmp_path / "incidents.parquet")
    row = read_records(tmp_path, "Asia/Shanghai").incidents.iloc[0]
    assert row[["call_ms", "arrival_s", "travel_s", "zone", "row"]].tolist() == [CALL_MS, 300, 240, "7", 1]
    assert pd.isna(row["clear_s"])


@pytest.mark.parametrize(
    ("header", "text", "units", "seconds"),
    [
        ("turnout_s", "90", "", 90.0),
        ("Turnout (min)", "1.5", "", 90.0),
        ("turnout", "0:01:30", "", 90.0),
        ("turnout", "01:30", "mm:ss", 90.0),
        ("turnout", "00:30", "hh:mm", 1800.0),
        ("turnout", "0.025", "h", 90.0),
    ],
)
def test_durations_in_each_unit(read: Reader, header: str, text: str, units: str, seconds: float) -> None:
    declared = f"\nincidents: {{units: {{turnout: '{units}'}}}}" if units else ""
    records = read(f"call,zone,{header}\n2025-03-14 13:06:07,n,{text}\n", yaml=f"time_zone: Asia/Shanghai{declared}")
    assert records.incidents["turnout_s"].tolist() == [seconds]


@pytest.mark.parametrize("text", ["90", "01:30"])
def test_a_duration_without_a_unit_is_asked_for(read: Reader, text: str) -> None:
    with pytest.raises(InputError, match=r"unit is not told; write 'turnout: …'"):
        read(f"call,zone,turnout\n2025-03-14 13:06:07,n,{text}\n")


def test_headers_of_ones_own_are_mapped_and_unused_ones_named(read: Reader) -> None:
    records = read(
        "T0,Wache,call time,zone\n2025-03-14 13:06:07,W1,x,n\n",
        yaml="time_zone: Asia/Shanghai\nincidents: {columns: {T0: call, Wache: station}}",
    )
    assert records.incidents["station"].tolist() == ["W1"]
    assert "incidents.csv: headers not used: call time" in records.account.notes


def test_everything_that_has_to_be_told_is_asked_for_at_once(read: Reader) -> None:
    with pytest.raises(InputError) as caught:
        read(
            "alarm,zone2,turnout\n03/04/2025,n,7\n", yaml="time_zone: Europe/Berln\nincidents: {columns: {Zeit: call}}"
        )
    text = str(caught.value)
    assert "'Europe/Berln' (time_zone) is no time zone of the IANA; did you mean 'Europe/Berlin'?" in text
    assert "'Zeit' (incidents.columns) is not a header of incidents.csv" in text
    assert "(call) column is missing" in text
    assert "has no place" in text
    assert "'7' (turnout) is a duration whose unit is not told" in text


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        ("", r"\(time_zone\) is missing; write the IANA name"),
        ("time_zon: Asia/Shanghai", "is not a setting; did you mean 'time_zone'"),
        ("incidents: {column: {zone: place}}", "is not a setting; did you mean 'columns'"),
        ("incidents: {columns: {zone: plce}}", "is not a column of the schema"),
        ("incidents: {units: {turnout: sec}}", "'sec' .* is not a unit; one of s, min, h, mm:ss, hh:mm"),
        ("incidents: {units: {arrival: s}}", "is not a duration of the schema"),
        ("incidents: {limits_h: {turnout: 0}}", "must be above zero"),
        ("incidents: {file: log.csv}", r"'log.csv' \(incidents.file\) does not exist; known: incidents.csv"),
        ("bounds: {lat: [1, 2]}", "needs lat and lon, or x and y"),
        ("bounds: {lat: [2, 1], lon: [1, 2]}", "must be low, high"),
    ],
)
def test_faults_of_the_declaration_name_the_mend(read: Reader, yaml: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read("call,zone\n2025-03-14 13:06:07,n\n", yaml=yaml)


def test_a_column_that_is_mostly_no_time_is_an_error_not_a_thousand_rejected_rows(read: Reader) -> None:
    with pytest.raises(InputError, match=r"incidents.csv row 2: 'soon' \(call\) is no time, nor are 2 of the 3 given"):
        read("call,zone\nsoon,n\nlater,n\n2025-03-14 13:06:07,n\n")


def test_files_that_are_missing_double_or_empty_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        read_records(tmp_path / "none")
    with pytest.raises(InputError, match="holds no incident file"):
        read_records(tmp_path, "Asia/Shanghai")
    (tmp_path / "incidents.csv").write_text("call,zone\n")
    with pytest.raises(InputError, match="has no rows"):
        read_records(tmp_path, "Asia/Shanghai")
    (tmp_path / "incidents.txt").write_text("call,zone\n")
    with pytest.raises(InputError, match=r"several files of incidents: incidents.csv, incidents.txt"):
        read_records(tmp_path, "Asia/Shanghai")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PAR1 and no more", "cannot be read as Parquet"),
        (b"PK\x03\x04 and no more", "cannot be read as a workbook"),
        ("call,zone\n".encode("utf-16"), "is UTF-16 text"),
        (b'call,zone\n"2025-03-14 13:06:07,n\n', "row 2: cannot be split into cells"),
        (b"", "is empty"),
    ],
)
def test_a_file_that_is_not_what_it_begins_as_is_one_clear_error(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "incidents.csv").write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read_records(tmp_path, "Asia/Shanghai")
    assert len(caught.value.problems) == 1


def test_responses_none_of_which_names_an_incident_are_an_error_that_shows_both_ids(read: Reader) -> None:
    with pytest.raises(InputError, match=r"responses.csv row 2: 'A-7' .* ids there look like '7'"):
        read("id,call,zone\n7,2025-03-14 13:06:07,n\n", "incident_id,unit\nA-7,E1\n")


def test_two_headers_for_one_column_are_an_error_that_says_how_to_drop_one(read: Reader) -> None:
    with pytest.raises(InputError, match="is a second column for call, beside 'call'"):
        read("call,alarm_time,zone\n2025-03-14 13:06:07,2025-03-14 13:06:07,n\n")


@pytest.mark.parametrize("has_responses", [True, False])
def test_frames_have_the_declared_columns_and_types_whatever_the_files_hold(read: Reader, has_responses: bool) -> None:
    log = "id,call,zone\na,2025-03-14 13:06:07,n\n"
    records = read(log, "incident_id,unit\na,E1\n" if has_responses else "")
    for frame, columns in ((records.incidents, INCIDENT_COLUMNS), (records.responses, RESPONSE_COLUMNS)):
        assert [(name, str(dtype)) for name, dtype in frame.dtypes.items()] == [(n, d) for n, d, _ in columns]
    assert len(records.responses) == int(has_responses)


@pytest.mark.parametrize(("seconds", "n", "resolution_s"), [(0, 3, 60.0), (7, 3, 1.0), (0, 20, 300.0), (0, 19, 60.0)])
def test_the_resolution_is_what_the_values_show(read: Reader, seconds: int, n: int, resolution_s: float) -> None:
    rows = "".join(f"2025-03-14 13:{5 * (i % 12):02}:{seconds:02},n{i}\n" for i in range(n))
    assert read(f"call,zone\n{rows}").resolution_s == {"incidents.csv": {"call": resolution_s}}
