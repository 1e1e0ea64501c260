"""Claims about `sim.api`: the page's own examples run, and data frames say what the files say."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from sim import api
from sim.compare import write_tables
from sim.engine.log import LogKind
from sim.errors import InputError, RunDirectoryError
from sim.run.compared import work_in
from sim.run.gather import tables_of

SHORT = (
    "window=one_week",
    "window.measure_to='2026-06-03'",
    "window.warm_up_days=0",
    "window.run_out_days=1",
    "schedule.is_outside_run_allowed=true",
)


def test_every_example_of_the_page_runs(root: Path, finished_copy: Path) -> None:
    page = (root / "docs" / "api.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) >= 5
    work = work_in(finished_copy)
    write_tables(tables_of(work), finished_copy / "tables")
    names: dict[str, object] = {"FOLDER": finished_copy}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for block in blocks:
            exec(compile(block, "docs/api.md", "exec"), names)
    assert "fires and rescues, median" in printed.getvalue()


def test_a_replication_in_memory_is_the_one_on_disk(finished: Path) -> None:
    played = api.run_replication(*SHORT, "schedule=plan", replication=1)
    results = api.load(finished)
    on_disk = results.incidents("plan", 1)
    assert played.incidents[list(on_disk.columns)].equals(on_disk)
    assert results.log("plan", 1).digest() == played.log.digest()


def test_the_log_as_a_frame_has_names_of_kinds_and_local_times(finished: Path) -> None:
    played = api.run_replication(*SHORT)
    frame = played.log_frame()
    assert set(frame.kind) <= {kind.name for kind in LogKind}
    assert frame.time.is_monotonic_increasing
    assert frame.time.iloc[0].isoformat() == "2026-06-01T00:00:00"
    first_call = frame[frame.kind == "CALL"].iloc[0]
    due = played.inputs.calendar.date_of(int(first_call.time_ms))
    assert first_call.time.date() == due


def test_what_is_not_there_is_named(finished: Path, tmp_path: Path) -> None:
    results = api.load(finished)
    with pytest.raises(InputError, match="is not one of its arms; did you mean 'plan'"):
        results.incidents("plam")
    with pytest.raises(InputError, match="is not there; this replication has no tables"):
        results.incidents("plan", 8)
    with pytest.raises(InputError, match="is not one of its tables"):
        results.table("headlin")
    with pytest.raises(RunDirectoryError, match="there is no such run directory"):
        api.load(tmp_path / "nowhere")
