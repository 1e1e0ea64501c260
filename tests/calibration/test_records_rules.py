"""Each rule of cleaning on a log of a few rows, with the whole account worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from calibration.records import RULES, Account, Records, read_records
from sim.errors import InputError

Reader = Callable[..., Records]
Told = Callable[[Account], list[tuple[int, str, str, str]]]
GOOD = "2025-03-04 05:06:07"


def test_rows_that_cannot_be_used_are_rejected_each_with_one_reason(read: Reader, told: Told) -> None:
    records = read(
        "id,call,lat,lon\n"
        f"a,{GOOD},23.0,113.7\n"
        f"a,{GOOD},23.0,113.7\n"
        f"a,{GOOD},23.1,113.7\n"
        "b,,23.0,113.7\n"
        "c,2025-02-30 05:06:07,23.0,113.7\n"
        f"d,{GOOD},,\n"
        f"e,{GOOD},0,0\n"
        f"f,{GOOD},23.0,213.7\n"
        f"g,{GOOD},40.0,116.4\n"
        f"h,{GOOD},23.0\n"
        f"i,{GOOD},23.01,113.71\n"
    )
    assert told(records.account) == [
        (11, "ragged_row", "", f"h | {GOOD} | 23.0"),
        (3, "duplicate_row", "id", "a"),
        (4, "duplicate_id", "id", "a"),
        (5, "call_missing", "call", ""),
        (6, "call_unreadable", "call", "2025-02-30 05:06:07"),
        (7, "place_missing", "", ""),
        (8, "place_impossible", "lat", "0"),
        (9, "place_impossible", "lat", "23.0"),
        (10, "place_far", "lat", "40.0"),
    ]
    assert records.incidents["id"].tolist() == ["a", "i"]
    assert (records.account.n_read, records.account.n_kept) == ({"incidents.csv": 11}, {"incidents.csv": 2})
    shares = dict(zip(records.account.counts["code"], records.account.counts["share"], strict=True))
    assert shares["place_impossible"] == 2 / 11


def test_a_call_of_another_century_is_rejected_and_a_log_with_a_gap_of_years_is_kept(read: Reader, told: Told) -> None:
    near = "".join(f"{day},2025-03-{day:02d} 05:06:07,23.0,113.7\n" for day in range(1, 30))
    records = read(f"id,call,lat,lon\n{near}x,1900-01-01 00:00:00,23.0,113.7\ny,2099-01-01 00:00:00,23.0,113.7\n")
    assert told(records.account) == [
        (31, "call_far", "call", "1900-01-01 00:00:00"),
        (32, "call_far", "call", "2099-01-01 00:00:00"),
    ]
    assert len(records.incidents) == 29
    early = near.replace("2025-", "2018-").replace("\n", "\ne")
    assert len(read(f"id,call,lat,lon\n{near}e{early}"[:-1]).incidents) == 58


def test_every_row_read_is_kept_or_rejected_once(read: Reader) -> None:
    rows = "".join(f"{i % 7},{'' if i % 5 == 0 else GOOD},{23 + i / 100},{113 if i % 3 else 0}\n" for i in range(40))
    account = read("id,call,lat,lon\n" + rows).account
    assert len(account.rejected) + account.n_kept["incidents.csv"] == account.n_read["incidents.csv"] == 40
    assert account.rejected["row"].is_unique


def test_one_row_with_latitude_and_longitude_exchanged_is_turned_round(read: Reader, told: Told) -> None:
    near = "".join(f"{GOOD},52.5{i},13.4{i}\n" for i in range(5))
    records = read(f"call,lat,lon\n{near}{GOOD},13.45,52.55\n")
    assert told(records.account) == [(7, "swapped_row", "lat", "13.45")]
    assert records.incidents[["lat", "lon"]].iloc[5].tolist() == [52.55, 13.45]


def test_columns_of_latitude_and_longitude_exchanged_beyond_the_pole_are_turned_round(read: Reader) -> None:
    records = read(f"call,lat,lon\n{GOOD},113.7,23.0\n{GOOD},113.8,23.1\n")
    assert records.incidents["lat"].tolist() == [23.0, 23.1]
    assert records.account.counts[["code", "n"]].values.tolist() == [["swapped_columns", 2]]


def test_bounds_tell_exchanged_columns_where_the_globe_does_not(read: Reader) -> None:
    log = f"call,lat,lon\n{GOOD},13.4,52.5\n{GOOD},13.3,52.4\n"
    berlin = "time_zone: Europe/Berlin\nbounds: {lat: [52, 53], lon: [13, 14]}"
    assert read(log, yaml=berlin).incidents["lat"].tolist() == [52.5, 52.4]
    untold = read(log, yaml="time_zone: Europe/Berlin")
    assert untold.incidents["lat"].tolist() == [13.4, 13.3]
    assert any("would not be seen" in note for note in untold.account.notes)


def test_bad_coordinates_beside_a_zone_are_let_go_and_the_row_stays(read: Reader, told: Told) -> None:
    records = read(f"call,lat,lon,zone\n{GOOD},0,0,north\n")
    assert told(records.account) == [(2, "place_by_label", "lat", "0")]
    assert records.incidents["zone"].tolist() == ["north"]
    assert records.incidents["lat"].isna().all()


@pytest.mark.parametrize(
    ("log", "yaml", "said"),
    [
        (f"call,lat,lon\n{GOOD},5820000,391000\n", "", "hold metres, not degrees"),
        (f"call,x,y\n{GOOD},113.7,23.0\n", "crs: EPSG:25833", "hold degrees, not metres"),
        (f"call,x,y\n{GOOD},391000,5820000\n", "", "does not say in which projection"),
        (f"call,lat,lon\n{GOOD},23,113\n", "crs: EPSG:25833", "is not one of degrees"),
    ],
)
def test_coordinates_that_contradict_the_declared_reference_are_an_error(
    read: Reader, log: str, yaml: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        read(log, yaml=f"time_zone: Asia/Shanghai\n{yaml}")


def test_projected_coordinates_with_their_reference_are_kept_as_given(read: Reader) -> None:
    records = read(f"call,x,y\n{GOOD},391000.5,5820000\n", yaml="time_zone: Europe/Berlin\ncrs: EPSG:25833")
    assert records.crs == "EPSG:25833"
    assert records.incidents[["x", "y"]].iloc[0].tolist() == [391000.5, 5820000.0]


HEADER = "call,zone,dispatch,en_route,arrival,clear\n"


def test_marks_become_seconds_after_the_call_and_intervals(read: Reader, told: Told) -> None:
    day = "2025-03-04 "
    row = read(f"{HEADER}{day}08:00:00,n,{day}08:01:10,{day}08:02:00,{day}08:09:30,{day}08:40:00\n").incidents.iloc[0]
    assert row[["dispatch_s", "en_route_s", "arrival_s", "clear_s"]].tolist() == [70, 120, 570, 2400]
    names = ["handling_s", "turnout_s", "travel_s", "dispatch_to_arrival_s", "call_to_arrival_s", "on_scene_s"]
    assert row[names].tolist() == [70, 50, 450, 500, 570, 1830]


def test_a_time_of_day_alone_is_carried_over_midnight(read: Reader, told: Told) -> None:
    records = read(
        "call_date,call,zone,dispatch,arrival\n2025-03-04,23:58:00,n,23:59:00,00:06:00\n2025-03-05,08:00:00,n,08:01:00,08:06:00\n"
    )
    assert records.incidents["arrival_s"].tolist() == [480, 360]
    assert told(records.account) == [(2, "midnight_wrap", "arrival", "00:06:00")]


def test_a_clock_a_little_behind_at_midnight_costs_one_mark_and_moves_no_other_by_a_day(
    read: Reader, told: Told
) -> None:
    records = read("call_date,call,zone,dispatch,arrival\n2025-03-04,00:00:10,n,23:59:50,00:06:00\n")
    assert told(records.account) == [(2, "order_broken", "dispatch", "23:59:50")]
    assert records.incidents["arrival_s"].tolist() == [350]


def test_a_date_not_carried_over_midnight_is_mended_up_to_six_hours(read: Reader, told: Told) -> None:
    records = read(
        "call,zone,arrival,clear\n"
        "2025-03-04 23:58:00,n,2025-03-04 00:06:00,2025-03-05 01:00:00\n"
        "2025-03-04 12:00:00,n,2025-03-04 11:00:00,2025-03-04 13:00:00\n"
    )
    assert told(records.account) == [
        (2, "midnight_wrap", "arrival", "2025-03-04 00:06:00"),
        (3, "order_broken", "arrival", "2025-03-04 11:00:00"),
        (3, "never_arrives", "arrival", "2025-03-04 11:00:00"),
    ]
    np.testing.assert_array_equal(records.incidents.sort_values("row")["arrival_s"], [480, np.nan])
    assert records.incidents.sort_values("row")["clear_s"].tolist() == [3720, 3600]


def test_order_lost_by_rounding_to_minutes_is_no_error(read: Reader, told: Told) -> None:
    records = read(
        "call,zone,dispatch\n2025-03-04 08:05:40,n,2025-03-04 08:05\n2025-03-04 09:05:40,n,2025-03-04 09:07\n"
    )
    assert told(records.account) == [(2, "rounded_order", "dispatch", "2025-03-04 08:05")]
    assert records.incidents["dispatch_s"].tolist() == [0, 80]
    assert records.resolution_s == {"incidents.csv": {"call": 1.0, "dispatch": 60.0}}


def test_absurd_and_negative_durations_are_taken_as_missing(read: Reader, told: Told) -> None:
    records = read(
        "call,zone,turnout_s,travel_min\n2025-03-04 08:05:40,n,-5,4.5\n2025-03-04 09:05:40,n,80,500\n",
    )
    assert told(records.account) == [
        (2, "interval_negative", "turnout", "-5"),
        (3, "interval_absurd", "travel", "500"),
        (3, "never_arrives", "arrival", ""),
    ]
    np.testing.assert_array_equal(records.incidents["turnout_s"], [np.nan, 80])
    np.testing.assert_array_equal(records.incidents["travel_s"], [270, np.nan])


def test_a_limit_of_ones_own_decides_what_is_absurd(read: Reader) -> None:
    log = "call,zone,arrival\n2025-03-04 08:00:00,n,2025-03-04 09:00:00\n2025-03-04 08:00:00,m,2025-03-04 08:10:00\n"
    assert read(log).account.rows.empty
    strict = read(log, yaml="time_zone: Asia/Shanghai\nincidents: {limits_h: {call_to_arrival: 0.5}}").account
    assert strict.rows["code"].tolist() == ["interval_absurd", "never_arrives"]


def test_a_duration_that_contradicts_its_marks_is_flagged_and_fills_what_is_missing(read: Reader, told: Told) -> None:
    records = read(
        "call,zone,dispatch,arrival,dispatch_to_arrival_s\n"
        "2025-03-04 08:00:00,n,2025-03-04 08:01:00,2025-03-04 08:06:00,200\n"
        "2025-03-04 09:00:00,n,2025-03-04 09:01:00,,333\n"
    )
    assert told(records.account) == [(2, "interval_disagrees", "dispatch_to_arrival", "200")]
    assert records.incidents["arrival_s"].tolist() == [360, 393]
    assert records.incidents["dispatch_to_arrival_s"].tolist() == [200, 333]


def test_cancelled_walk_in_and_never_arriving_rows_stay_and_are_flagged(read: Reader, told: Told) -> None:
    records = read(
        f"call,zone,cancelled,walk_in,kind,arrival\n{GOOD},n,是,,fire,\n{GOOD},n,,yes,smoke,\n{GOOD},n,,,cat,\n"
        f"{GOOD},n,,perhaps,fire,2025-03-04 05:10:07\n",
        yaml="time_zone: Asia/Shanghai\nkinds: {fire: fire, smoke: fire}",
    )
    assert told(records.account) == [
        (5, "cell_unreadable", "walk_in", "perhaps"),
        (4, "kind_unknown", "kind", "cat"),
        (2, "cancelled", "cancelled", "是"),
        (3, "walk_in", "walk_in", "yes"),
        (4, "never_arrives", "arrival", ""),
    ]
    assert records.incidents["is_cancelled"].tolist() == [True, False, False, False]
    assert records.incidents["kind"].tolist() == ["fire", "fire", "cat", "fire"]


def test_responses_are_counted_from_their_incidents_call_and_orphans_rejected(read: Reader, told: Told) -> None:
    records = read(
        "id,call,zone\na,2025-03-04 08:00:00,n\nb,2025-03-04 09:00:00,\n",
        "incident_id,unit,station,dispatch,en_route,arrival\n"
        "a,E2,S2,2025-03-04 08:01:00,2025-03-04 08:02:00,2025-03-04 08:09:00\n"
        "a,E1,S1,2025-03-04 08:01:30,2025-03-04 08:02:30,2025-03-04 08:07:00\n"
        ",E1,S1,2025-03-04 08:01:30,,\nb,E1,S1,2025-03-04 09:01:30,,\nz,E1,S1,2025-03-04 09:01:30,,\n",
    )
    assert told(records.account) == [
        (3, "place_missing", "", ""),
        (4, "incident_missing", "incident_id", ""),
        (6, "incident_unknown", "incident_id", "z"),
        (5, "incident_rejected", "incident_id", "b"),
    ]
    assert records.responses[["unit", "arrival_s", "travel_s"]].values.tolist() == [["E2", 540, 420], ["E1", 420, 270]]
    first = records.incidents.iloc[0]
    assert first[["n_units", "unit", "station", "handling_s", "call_to_arrival_s"]].tolist() == [2, "E1", "S1", 90, 420]


def test_a_unit_ordered_out_before_it_was_clear_is_flagged(read: Reader, told: Told) -> None:
    records = read(
        "id,call,zone\na,2025-03-04 08:00,n\nb,2025-03-04 08:20,n\nc,2025-03-04 08:50,n\n",
        "incident_id,unit,dispatch,clear\n"
        "c,E1,2025-03-04 08:50,2025-03-04 09:00\n"
        "b,E1,2025-03-04 08:21,2025-03-04 08:50\n"
        "a,E1,2025-03-04 08:01,2025-03-04 08:30\n"
        "b,E2,2025-03-04 08:21,2025-03-04 08:50\n",
    )
    assert told(records.account) == [(3, "unit_twice", "unit", "E1")]


def test_one_file_with_a_row_per_unit_gives_incidents_and_responses(read: Reader, told: Told) -> None:
    log = (
        "id,call,zone,unit,dispatch,arrival\n"
        "a,2025-03-04 08:00:00,n,E1,2025-03-04 08:01:00,2025-03-04 08:07:00\n"
        "a,2025-03-04 08:00:00,n,E2,2025-03-04 08:01:00,2025-03-04 08:05:00\n"
        "b,2025-03-04 09:00:00,n,E1,2025-03-04 09:01:00,2025-03-04 09:09:00\n"
        "b,2025-03-04 09:00:30,n,E3,2025-03-04 09:01:00,2025-03-04 09:08:00\n"
    )
    shared = "incidents: {file: incidents.csv}\nresponses: {file: incidents.csv, columns: {id: incident_id}}"
    records = read(log, yaml=f"time_zone: Asia/Shanghai\n{shared}")
    assert records.incidents[["id", "n_units", "unit", "arrival_s"]].values.tolist() == [
        ["a", 2, "E2", 300],
        ["b", 2, "E3", 480],
    ]
    assert told(records.account) == [(5, "duplicate_id", "id", "b")]
    assert dict(records.account.n_read) == {"incidents.csv (incidents)": 3, "incidents.csv": 4}


def test_equal_rows_without_ids_may_be_two_incidents_and_stay(read: Reader, told: Told) -> None:
    records = read(f"call,zone\n{GOOD},n\n{GOOD},n\n{GOOD},m\n")
    assert len(records.incidents) == 3
    assert told(records.account) == [(3, "duplicate_unsure", "id", "")]


def test_a_day_given_with_a_midnight_or_any_hour_is_only_a_day(read: Reader) -> None:
    records = read("call_date,call,zone\n2025-03-04 10:00:00,08:00:00,n\n2025-03-04,09:00:00,n\n")
    assert records.incidents["hour"].tolist() == [8, 9]


def test_an_ambulance_log_gives_transport_and_hand_over(read: Reader) -> None:
    responses = read(
        "id,call,zone\na,2025-03-04 08:00:00,n\n",
        "incident_id,unit,destination,arrival,left_scene,at_hospital,clear,available\n"
        "a,A1,General,2025-03-04 08:10,2025-03-04 08:30,2025-03-04 08:45,2025-03-04 09:15,2025-03-04 09:30\n",
    ).responses
    row = responses.iloc[0]
    assert row[["transporting_s", "hand_over_s", "returning_s", "on_scene_s"]].tolist() == [900, 1800, 900, 3900]
    assert row["destination"] == "General"


def test_one_row_and_one_day_are_said(read: Reader) -> None:
    notes = read(f"call,zone\n{GOOD},n\n").account.notes
    assert any("one incident only" in note for note in notes)
    assert any("of one day (2025-03-04)" in note for note in notes)


def test_a_log_without_a_usable_row_is_an_error_that_counts_the_reasons(read: Reader) -> None:
    with pytest.raises(InputError, match="no row left: place_missing 2"):
        read(f"call,zone,kind\n{GOOD},,fire\n{GOOD},,cat\n")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_account_is_written_as_it_is(read: Reader, tmp_path: Path, ending: str) -> None:
    account = read(f"call,zone\n{GOOD},n\n{GOOD},\n").account
    path = tmp_path / f"account.{ending}"
    account.write(path, only_rejected=True)
    back = pd.read_csv(path, keep_default_na=False) if ending == "csv" else pd.read_parquet(path)
    expected = [["incidents.csv", 3, "place_missing", "reject", "", ""]]
    assert back.values.tolist() == expected
    with pytest.raises(InputError, match=r"\.csv or \.parquet"):
        account.write(tmp_path / "account.doc")


def test_the_account_reads_in_both_languages(read: Reader) -> None:
    account = read(f"call,zone\n{GOOD},n\n{GOOD},\n").account
    assert account.table() == [
        ("incidents.csv", "kept", "", "1", "50.0 %"),
        ("incidents.csv", "no place", "reject", "1", "50.0 %"),
    ]
    assert account.text("zh").splitlines()[:2] == [
        "incidents.csv  保留  1  50.0 %",
        "incidents.csv  缺地点  剔除  1  50.0 %",
    ]


def test_the_digest_holds_files_and_how_they_are_read(tmp_path: Path) -> None:
    log, yaml = tmp_path / "incidents.csv", tmp_path / "records.yaml"
    log.write_text(f"call,zone\n{GOOD},n\n")
    digests = [read_records(tmp_path, "Asia/Shanghai").digest for _ in range(2)]
    yaml.write_text("date_order: day_first")
    digests.append(read_records(tmp_path, "Asia/Shanghai").digest)
    digests.append(read_records(tmp_path, "Asia/Tokyo").digest)
    log.write_text(f"call,zone\n{GOOD},m\n")
    digests.append(read_records(tmp_path, "Asia/Tokyo").digest)
    assert len(digests[0]) == 64
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


def test_every_rule_is_used_and_has_both_labels(root: Path) -> None:
    code = "\n".join(
        path.read_text() for path in (root / "calibration" / "records").glob("*.py") if path.name != "rules.py"
    )
    unused = [name for name in RULES if f'"{name}"' not in code]
    assert unused == []
    assert all(rule.label_en and rule.label_zh and rule.what and rule.why for rule in RULES.values())
