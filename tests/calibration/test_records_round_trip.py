"""Whatever accepted form a log is written in, the same records come back."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.records import read_records

ZONE = "America/Sao_Paulo"
"""A zone without clock steps since 2019, so that its local times are as good as universal ones."""
FORMS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%dT%H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%Y%m%d%H%M%S",
    "epoch",
    "serial",
)
MARKS = ("dispatch", "en_route", "arrival", "clear")


def written(seconds: int, form: str) -> str:
    if form == "epoch":
        return str(seconds)
    local = datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(ZONE)).replace(tzinfo=None)
    if form == "serial":
        return repr((local - datetime(1899, 12, 30)).total_seconds() / 86400)
    return local.strftime(form)


ROWS = st.lists(
    st.tuples(
        st.integers(1_577_900_000, 1_735_600_000),
        st.lists(st.none() | st.integers(0, 900), min_size=4, max_size=4),
        st.floats(-23.9, -23.1),
    ),
    min_size=1,
    max_size=8,
)


def known_offsets(steps: list[int | None]) -> list[float]:
    """Return the marks as seconds after the call, NaN where the step to them is not known."""
    at = np.cumsum([step or 0 for step in steps])
    return [np.nan if step is None else float(second) for second, step in zip(at, steps, strict=True)]


@settings(max_examples=40)
@given(
    rows=ROWS,
    form=st.sampled_from(FORMS),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]),
    separator=st.sampled_from([",", ";", "\t"]),
    has_durations=st.booleans(),
)
def test_written_records_are_read_back(
    rows: list[tuple[int, list[int | None], float]], form: str, encoding: str, separator: str, has_durations: bool
) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    known = np.array([known_offsets(steps) for _, steps, _ in rows])
    lines = [separator.join(["id", "call", "lat", "lon", "zone", *MARKS, "travel_s"])]
    for i, (call, steps, lat) in enumerate(rows):
        marks = ["" if np.isnan(at) else written(call + int(at), form) for at in known[i]]
        travel = str(steps[2]) if has_durations and steps[2] is not None else ""
        lines.append(separator.join([f"n{i}", written(call, form), repr(lat), "-46.6", "虎门镇", *marks, travel]))
    order = {"%d": "day_first", "%m": "month_first"}.get(form[:2], "year_first")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "incidents.csv").write_bytes("\n".join(lines).encode(encoding))
        (folder / "records.yaml").write_text(f"time_zone: {ZONE}\ndate_order: {order}\n")
        records = read_records(folder)
    incidents = records.incidents
    assert incidents["id"].tolist() == [f"n{i}" for i in range(len(rows))]
    assert incidents["call_ms"].tolist() == [call * 1000 for call, _, _ in rows]
    assert incidents["lat"].tolist() == [lat for _, _, lat in rows]
    assert incidents["zone"].tolist() == ["虎门镇"] * len(rows)
    assert set(records.account.rows["code"]) <= {"never_arrives", "interval_disagrees"}
    for m, mark in enumerate(MARKS):
        found = incidents[f"{mark}_s"].to_numpy()
        is_known = np.isfinite(known[:, m])
        np.testing.assert_array_equal(found[is_known], known[is_known, m])
        assert has_durations or np.isnan(found[~is_known]).all()
