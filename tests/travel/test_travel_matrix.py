"""Given matrices: every form of file gives the same tables, and every fault is named before anything runs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sim.errors import InputError
from sim.travel.matrix import GivenMatrix, cells_as_zones
from sim.travel.source import travel_tables

HOURS = np.ones((2, 24), dtype=np.int8)
SECONDS = np.array([[60.0, 300.5, 400.0], [310.0, 60.0, 200.0], [400.0, 210.0, 60.0]])


def given(path, unit="s", zones=None, zone_of_cell=None, **more):
    labels, own = cells_as_zones(3)
    return GivenMatrix(
        "given", path, unit, zones or labels, own if zone_of_cell is None else zone_of_cell, HOURS, **more
    )


def long_rows(square):
    return pd.DataFrame(
        [(str(i), str(j), square[i, j]) for i in range(3) for j in range(3)], columns=["from", "to", "duration"]
    )


def write(path, square, form):
    if form == "npz":
        np.savez(path, duration=square)
    elif form == "long.csv":
        long_rows(square).to_csv(path, index=False)
    elif form == "long.parquet":
        long_rows(square).to_parquet(path)
    elif form == "square.csv":
        names = ["2", "0", "1"]
        order = [int(name) for name in names]
        pd.DataFrame(square[order][:, order], index=names, columns=names).to_csv(path, index_label="zone")
    return path


FORMS = ["npz", "long.csv", "long.parquet", "square.csv"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("unit", "scale"), [("s", 1.0), ("min", 1 / 60), ("ms", 1000.0)])
def test_every_form_and_unit_gives_the_same_milliseconds(tmp_path, form, unit, scale):
    path = write(tmp_path / f"m.{form}", SECONDS * scale, form)
    tables = travel_tables(given(path, unit), tmp_path / "cache")
    assert tables.duration_ms.shape == (3, 3, 3)
    assert tables.duration_ms.dtype == np.int32
    for period in range(3):
        assert tables.duration_ms[period].tolist() == [
            [60000, 300500, 400000],
            [310000, 60000, 200000],
            [400000, 210000, 60000],
        ]


def test_periods_may_differ(tmp_path):
    np.savez(tmp_path / "m.npz", night=SECONDS, day=SECONDS * 2, peak=SECONDS * 3)
    assert given(tmp_path / "m.npz").durations()[:, 0, 2].tolist() == [400_000, 800_000, 1_200_000]
    parts = [long_rows(SECONDS * k).assign(period=name) for k, name in ((1, "night"), (2, "day"), (3, "peak"))]
    pd.concat(parts).to_csv(tmp_path / "m.csv", index=False)
    assert given(tmp_path / "m.csv").durations()[:, 0, 2].tolist() == [400_000, 800_000, 1_200_000]


def test_cells_of_one_zone_share_its_times(tmp_path):
    path = write(tmp_path / "m.npz", SECONDS, "npz")
    tables = given(path, zone_of_cell=np.array([0, 0, 2, 1], dtype=np.int32)).durations()
    assert tables[1].tolist()[0] == [60_000, 60_000, 400_000, 300_500]
    assert tables[1].tolist()[3] == [310_000, 310_000, 200_000, 60_000]


def faults(tmp_path, square, form="long.csv", **declared):
    path = write(tmp_path / f"m.{form}", square, form)
    with pytest.raises(InputError) as caught:
        given(path, **declared).durations()
    return str(caught.value)


def changed(*changes):
    square = SECONDS.copy()
    for i, j, value in changes:
        square[i, j] = value
    return square


@pytest.mark.parametrize("form", FORMS)
def test_holes_are_named(tmp_path, form):
    message = faults(tmp_path, changed((0, 1, np.nan), (2, 1, np.nan)), form)
    assert "'0 -> 1, 2 -> 1' has no duration" in message


def test_a_pair_that_is_absent_is_a_hole(tmp_path):
    long_rows(SECONDS).drop(index=5).to_csv(tmp_path / "m.csv", index=False)
    with pytest.raises(InputError, match="'1 -> 2' has no duration"):
        given(tmp_path / "m.csv").durations()


def test_negative_and_zero_durations_are_reported_together(tmp_path):
    message = faults(tmp_path, changed((0, 1, -5.0), (1, 2, 0.0)))
    assert "'0 -> 1' is negative" in message
    assert "'1 -> 2' is zero between two zones" in message


def test_ways_there_and_back_that_differ_much_must_be_declared(tmp_path):
    square = changed((0, 2, 1000.0))
    assert "'0 -> 2' differs much from the way back" in faults(tmp_path, square)
    path = write(tmp_path / "m.npz", square, "npz")
    assert given(path, is_one_way_meant=True).durations()[0, 0, 2] == 1_000_000


def test_the_most_lopsided_pair_is_named_with_its_factor(tmp_path):
    square = changed((0, 2, 500.0), (1, 2, 1000.0))
    worst = 1000.0 / square[2, 1]
    message = faults(tmp_path, square)
    assert f"(most of all, 1 -> 2 takes {worst:.1f} times as long)" in message
    assert "set travel.is_matrix_one_way=true" in message


def test_a_way_of_more_than_five_times_the_way_back_is_an_error_even_where_one_way_is_meant(tmp_path):
    back = SECONDS[2, 0]
    kept = write(tmp_path / "m.npz", changed((0, 2, 5 * back)), "npz")
    assert given(kept, is_one_way_meant=True).durations()[0, 0, 2] == round(5000 * back)
    message = faults(tmp_path, changed((0, 2, 5 * back + 300.0)), is_one_way_meant=True)
    assert "'0 -> 2' takes more than 5 times as long as the way back; mend one of the two values" in message


def test_one_pair_that_nobody_drives_so_fast_is_an_error_though_the_typical_trip_is_right(tmp_path):
    centre_m = np.stack([np.arange(len(SECONDS)) * 2_000.0, np.zeros(len(SECONDS))], axis=1)
    fair, flight = (36.0 * 2, 36.0 * 2 - 0.1)  # 4 km from 0 to 2 at 200 km/h take 72 s
    kept = write(tmp_path / "m.npz", changed((0, 2, fair), (2, 0, fair)), "npz")
    assert given(kept, is_one_way_meant=True, centre_m=centre_m).durations()[0, 0, 2] == 72_000
    message = faults(tmp_path, changed((0, 2, flight), (2, 0, fair)), is_one_way_meant=True, centre_m=centre_m)
    assert "'0 -> 2' goes at more than 200 km/h as the crow flies" in message


@pytest.mark.parametrize(
    ("unit", "scale", "rule"),
    [
        ("ms", 1, "(all periods): 305.25 (median between zones, in ms) makes a typical trip of 0.30525 s"),
        ("min", 10, "makes a typical trip of 183150 s"),
        ("min", 1000, "is longer than 24 days"),
    ],
)
def test_a_unit_that_makes_trips_absurd_is_an_error(tmp_path, unit, scale, rule):
    assert rule in faults(tmp_path, SECONDS * scale, unit=unit, is_one_way_meant=True)


def test_an_unknown_unit_is_an_error(tmp_path):
    assert "'h' is not a unit of duration; one of ms, s, min" in faults(tmp_path, SECONDS, unit="h")


def test_a_matrix_of_another_size_is_an_error(tmp_path):
    assert "'2x2' (array 'duration') must have a row and a column for each of 3 zones" in faults(
        tmp_path, SECONDS[:2, :2], "npz"
    )


def test_unknown_zones_pairs_given_twice_and_texts_are_reported_together(tmp_path):
    rows = long_rows(SECONDS).astype(str)
    rows.loc[1, "duration"] = "five"
    rows.loc[4, "to"] = "7"
    rows.loc[9] = ["0", "0", "60"]
    rows.to_csv(tmp_path / "m.csv", index=False)
    with pytest.raises(InputError) as caught:
        given(tmp_path / "m.csv").durations()
    message = str(caught.value)
    assert "m.csv row 6: '7' is not a zone" in message
    assert "m.csv row 3: 'five' is not a number" in message
    assert "'0 -> 0' is given twice" in message


def test_a_square_without_one_zone_is_an_error(tmp_path):
    names = ["0", "1"]
    pd.DataFrame(SECONDS[:2, :2], index=names, columns=names).to_csv(tmp_path / "m.csv", index_label="zone")
    with pytest.raises(InputError, match="'2' must have exactly one row of this zone"):
        given(tmp_path / "m.csv").durations()


def test_a_period_without_durations_is_an_error(tmp_path):
    np.savez(tmp_path / "m.npz", night=SECONDS, dya=SECONDS)
    with pytest.raises(InputError, match="'dya' is not the name of a period; did you mean 'day'\\?"):
        given(tmp_path / "m.npz").durations()
    np.savez(tmp_path / "m.npz", night=SECONDS, day=SECONDS)
    with pytest.raises(InputError, match="'peak' is a period without durations"):
        given(tmp_path / "m.npz").durations()


def test_files_that_are_missing_torn_or_of_another_kind_are_errors(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        travel_tables(given(tmp_path / "none.npz"), tmp_path)
    for name, rule in (
        ("torn.npz", "cannot be read as .npz"),
        ("torn.parquet", "cannot be read"),
        ("m.xls", "no known form"),
    ):
        (tmp_path / name).write_bytes(b"PK\x03\x04 torn")
        with pytest.raises(InputError, match=rule):
            given(tmp_path / name).durations()


def test_labels_in_gb18030_are_read(tmp_path):
    text = "from,to,duration\n" + "\n".join(f"{a},{b},{60 if a == b else 300}" for a in "东西南" for b in "东西南")
    (tmp_path / "m.csv").write_bytes(text.encode("gb18030"))
    assert given(tmp_path / "m.csv", zones=("东", "西", "南")).durations()[0, 0].tolist() == [60_000, 300_000, 300_000]


def test_a_cell_without_a_zone_is_an_error(tmp_path):
    path = write(tmp_path / "m.npz", SECONDS, "npz")
    with pytest.raises(InputError, match="'cell 1' \\(1 cells\\) have no zone"):
        given(path, zone_of_cell=np.array([0, 3, 1], dtype=np.int32)).durations()


def test_another_file_or_unit_is_another_key(tmp_path):
    path = write(tmp_path / "m.npz", SECONDS, "npz")
    first = given(path).key()
    assert given(path, "min").key() != first
    write(path, SECONDS + 1, "npz")
    assert given(path).key() != first
