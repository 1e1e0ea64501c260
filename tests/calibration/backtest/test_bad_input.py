"""Records and options that cannot be used end with one clear message, exit code 2 and nothing written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from calibration.backtest.run import prepare
from sim.cli import main

Change = Callable[[Path], object]


def incidents(folder: Path) -> Path:
    return folder / "records" / "incidents.csv"


def responses(folder: Path) -> Path:
    return folder / "records" / "responses.csv"


def keep(folder: Path, chosen: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Keeps some incidents, with their responses."""
    frame = chosen(pd.read_csv(incidents(folder), dtype=str))
    frame.to_csv(incidents(folder), index=False)
    units = pd.read_csv(responses(folder), dtype=str)
    units[units["incident_id"].isin(frame["id"])].to_csv(responses(folder), index=False)


def edit(change: Callable[[pd.DataFrame], pd.DataFrame], *files: Callable[[Path], Path]) -> Change:
    def changed(folder: Path) -> None:
        for file in files or (incidents, responses):
            change(pd.read_csv(file(folder), dtype=str)).to_csv(file(folder), index=False)

    return changed


def metres(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(
        lat=(frame["lat"].astype(float) * 111_000).astype(str), lon=(frame["lon"].astype(float) * 96_000).astype(str)
    )


def never_arrived(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{name: "" for name in ("arrival", "clear", "available") if name in frame})


def renamed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(station="North " + frame["station"])


def nothing(folder: Path) -> None:
    pass


CASES: list[tuple[str, Change, tuple[str, ...], str]] = [
    ("empty", lambda f: incidents(f).write_text(""), (), "incidents.csv: is empty; give it a header and rows"),
    ("no rows", lambda f: keep(f, lambda d: d.head(0)), (), "incidents.csv: has no rows"),
    ("one row", lambda f: keep(f, lambda d: d.head(1)), (), "records: cover 1 days: nothing can be held out by date"),
    (
        "one day", lambda f: keep(f, lambda d: d[d["call"].str[:10] == d["call"][40][:10]]), (),
        "nothing can be held out by date; give a longer log",
    ),
    ("few", lambda f: keep(f, lambda d: d.head(40)), (), "held-out calls have a recorded arrival; 20 are needed"),
    ("no stations.csv", lambda f: (f / "city" / "stations.csv").unlink(), (), "holds no stations.csv"),
    ("no records", lambda f: shutil.rmtree(f / "records"), (), "records: is no folder"),
    (
        "two zones", nothing, ("--time-zone", "Europe/Berlin"),
        "--time-zone: 'Europe/Berlin' contradicts time_zone of records.yaml, which is Asia/Shanghai; leave one",
    ),
    ("no zone", lambda f: (f / "records" / "records.yaml").unlink(), (), "records.yaml: (time_zone) is missing"),
    (
        "split after", nothing, ("--split", "2030-01-01"),
        "--split: '2030-01-01' no call lies after the day of the split; the log runs from 2021-01-01 to 2021-02-09",
    ),
    ("split before", nothing, ("--split", "2021-01-01"), "no call lies before the day of the split"),
    ("no day", nothing, ("--split", "1/2/2021"), "--split: '1/2/2021' is no day; write YYYY-MM-DD"),
    ("both", nothing, ("--split", "2021-01-20", "--by", "place"), "--by place holds out no days; give one of them"),
    ("draws", nothing, ("--draws", "3"), "--draws: 3 must lie between 20 and 2000"),
    ("seed", nothing, ("--seed", "-1"), "--seed: -1 must lie between"),
    ("override", nothing, ("demand.scale=2",), "overrides: 'demand.scale=2' changes nothing of a fit"),
    ("travel", nothing, ("travel.noise=1",), "overrides: 'travel.noise=1' changes nothing: ways are straight lines"),
    ("metres", edit(metres, incidents), (), "(lat, lon) hold metres, not degrees"),
    ("no arrivals", edit(never_arrived), (), "records: hold no arrival, so that there is no response time"),
    (
        "foreign stations", edit(renamed), (),
        "records: 'North S01, North S02, North S03, North S04, North S05, ...' name no station that the city has;"
        " write codes or names of stations.csv",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "options", "told"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_it_is_told_in_one_message(own, change, options, told, capsys):
    folder = own()
    change(folder)
    given = ["backtest", str(folder / "city"), str(folder / "records"), "--out", str(folder / "out"), *options]
    assert main(given) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error
    assert not (folder / "out").exists()


def test_days_without_a_call_cannot_be_calibrated(own, capsys):
    folder = own()
    given = ["calibrate", str(folder / "city"), str(folder / "records"), "--out", str(folder / "out")]
    assert main([*given, "--from", "2022-01-01"]) == 2
    assert (
        "have no call between --from and --until; the log runs from 2021-01-01 to 2021-02-09" in capsys.readouterr().err
    )
    assert main([*given, "--from", "2021-02-01", "--until", "2021-01-01"]) == 2
    assert "--from: '2021-02-01' lies after --until" in capsys.readouterr().err
    assert main([*given, "--until", "2021-01-02"]) == 2
    assert "journeys from known stations to known places are on record; 50 are needed" in capsys.readouterr().err


def read(folder: Path):
    return prepare(folder / "city", folder / "records", told=lambda _: None)


def serial(frame: pd.DataFrame) -> pd.DataFrame:
    """Writes stamps as Excel's days since 1899-12-30, to the hundredth of a second."""
    marks = [name for name in ("call", "dispatch", "en_route", "arrival", "clear", "available") if name in frame]
    days = {name: (pd.to_datetime(frame[name]) - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1) for name in marks}
    return frame.assign(**{name: of.round(9).astype(str).replace("nan", "") for name, of in days.items()})


def test_excels_serial_dates_are_the_same_calls(small, own):
    folder = own()
    edit(serial)(folder)
    one, other = read(small).samples, read(folder).samples
    np.testing.assert_array_equal(one.calls.local_ms, other.calls.local_ms)
    np.testing.assert_allclose(one.first_s, other.first_s, atol=1.0)


def test_a_file_in_gb18030_is_read(small, own):
    folder = own()
    for file in (incidents(folder), responses(folder)):
        text = file.read_text(encoding="utf-8").replace("alarm", "误报")
        file.write_bytes(text.encode("gb18030"))
    (folder / "records" / "records.yaml").write_text("time_zone: Asia/Shanghai\n", encoding="utf-8")
    kinds = read(folder).samples.calls.kinds
    assert "误报" in kinds
    assert len(kinds) == len(read(small).samples.calls.kinds)


def test_latitude_and_longitude_exchanged_in_every_row_are_put_right_and_said(small, own):
    folder = own()
    edit(lambda frame: frame.rename(columns={"lat": "lon", "lon": "lat"}), incidents)(folder)
    found = read(folder)
    np.testing.assert_array_equal(found.samples.calls.zone, read(small).samples.calls.zone)
    counts = found.records.account.counts
    assert counts[counts["code"] == "swapped_columns"]["share"].tolist() == [1.0]


def test_units_of_stations_that_the_city_does_not_have_are_left_out_and_said(own):
    folder = own()
    edit(lambda frame: frame.assign(station=frame["station"].replace("S03", "S93")))(folder)
    samples = read(folder).samples
    units = pd.read_csv(responses(folder), dtype=str)
    share = (units["station"] == "S93").mean()
    assert (samples.responses.station == -1).mean() == pytest.approx(share, abs=0.002)
    assert any("come from stations not in the city (S93): left out" in text for text in samples.said)


def test_kinds_that_hardly_ever_come_are_taken_as_one_and_said(own):
    folder = own()
    edit(lambda frame: frame.assign(kind=[f"kind {n % 90}" for n in range(len(frame))]), incidents)(folder)
    samples = read(folder).samples
    assert samples.calls.kinds == ("rare",)
    assert any(text.startswith("90 kinds with fewer than 30 calls") for text in samples.said)
