"""Claims about a complete run that is asked for more: what is missing is made, what stands is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.engine.log import read_log
from sim.errors import RunDirectoryError
from sim.provenance import (
    MANIFEST,
    check_files,
    to_json,
    whole_folder,
)  # fmt: skip
from sim.run.execute import execute, foretell
from sim.run.gather import Formats
from sim.run.verify import verify
from sim.run.work import LOG, RESULT, Work, replication_folder, results_of

MakeWork = Callable[..., Work]


def gathers(work: Work, formats: Formats) -> Path | None:
    """Stand for tables and report: one file per format that is wanted."""
    with whole_folder(work.folder / "tables", is_replacing=True) as part:
        (part / "headline.parquet").write_text(f"{work.arms[0].n_replications}", encoding="utf-8")
        if formats.is_csv:
            (part / "headline.csv").write_text(f"{work.arms[0].n_replications}", encoding="utf-8")
    report = work.folder / "report.html"
    report.write_text(formats.language, encoding="utf-8")
    return report


def contents(folder: Path) -> dict[str, str]:
    lying = [*(folder / "tables").iterdir(), folder / "report.html"]
    return {path.name: path.read_text(encoding="utf-8") for path in lying}


def test_a_complete_run_takes_later_formats_and_keeps_those_it_has(make_work: MakeWork) -> None:
    folder = make_work().folder
    execute(make_work(), gather=gathers)
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet") if "replications" in path.parts}
    assert contents(folder) == {"headline.parquet": "2", "report.html": "zh"}
    assert execute(make_work(), gather=gathers, formats=Formats(is_csv=True)).n_made == 0
    assert contents(folder) == {"headline.parquet": "2", "headline.csv": "2", "report.html": "zh"}
    assert execute(make_work(), gather=gathers, formats=Formats(language="en")).n_made == 0
    assert contents(folder) == {"headline.parquet": "2", "headline.csv": "2", "report.html": "en"}
    before = (folder / MANIFEST).stat().st_mtime_ns
    execute(make_work(), gather=gathers, formats=Formats(is_csv=True))
    assert (folder / MANIFEST).stat().st_mtime_ns == before, "what is there is not made again"
    assert {path: path.stat().st_mtime_ns for path in times} == times
    execute(make_work(n_replications=3), gather=gathers)
    assert contents(folder) == {"headline.parquet": "3", "headline.csv": "3", "report.html": "en"}
    check_files(folder)


def test_a_comparison_of_fewer_replications_is_taken_away_when_none_is_asked_for(make_work: MakeWork) -> None:
    folder = make_work().folder
    execute(make_work(), gather=gathers)
    execute(make_work())
    assert contents(folder) == {"headline.parquet": "2", "report.html": "zh"}
    execute(make_work(n_replications=3))
    assert not (folder / "tables").exists()
    assert not (folder / "report.html").exists()
    assert check_files(folder)["gathered"] == {}


def test_a_damaged_table_of_a_complete_run_is_told_and_made_again(make_work: MakeWork) -> None:
    folder = make_work().folder
    execute(make_work(), gather=gathers)
    (folder / "tables" / "headline.parquet").write_text("7", encoding="utf-8")
    (folder / "report.html").unlink()
    said: list[str] = []
    assert execute(make_work(), gather=gathers, say=said.append).n_made == 0
    assert [text.partition(": ")[0] for text in said[:2]] == [
        str(folder / name) for name in ("report.html", "tables/headline.parquet")
    ]
    assert contents(folder) == {"headline.parquet": "2", "report.html": "zh"}


def test_event_logs_wanted_later_are_added_to_what_stands(make_work: MakeWork) -> None:
    folder = make_work().folder
    execute(make_work())
    assert not list(folder.rglob(LOG))
    before = {path: path.read_bytes() for path in folder.rglob("*.parquet")}
    noted = {(arm, r): result for arm, r, result in results_of(folder)}
    assert foretell(make_work("run.log=full")).n_replications == 4
    assert execute(make_work("run.log=full")).n_made == 0
    assert {path: path.read_bytes() for path in before} == before
    for arm, r, result in results_of(folder):
        log = replication_folder(folder / "arms" / arm, r) / LOG
        assert read_log(log).digest() == result["log_digest"] == noted[arm, r]["log_digest"]
        assert set(result["files"]) - set(noted[arm, r]["files"]) == {LOG}
        assert result["software"] == noted[arm, r]["software"]
    assert verify(folder, replications=[0], workers=1).is_same
    times = {path: path.stat().st_mtime_ns for path in folder.rglob(LOG)}
    execute(make_work("run.log=full"))
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_an_event_log_that_comes_out_otherwise_is_not_put_beside_the_old_tables(make_work: MakeWork) -> None:
    folder = make_work().folder
    execute(make_work())
    path = replication_folder(folder / "arms" / "plan", 1) / RESULT
    path.write_text(to_json(json.loads(path.read_text(encoding="utf-8")) | {"log_digest": "0" * 64}), encoding="utf-8")
    with pytest.raises(RunDirectoryError, match=r"plan/replications/r0001: made again .* comes out otherwise"):
        execute(make_work("run.log=full"))
    assert not (path.parent / LOG).exists()
