"""Claims about gathering: arms in their order, what describes them beside what was simulated, sweeps as one table."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim import api
from sim.compose.sweep import read_sweep, run_sweep
from sim.config import leaves
from sim.errors import DgsimError
from sim.provenance import check_files, is_sealed
from sim.run.compared import comparison_work, work_in
from sim.run.described import city_rows, setting_rows
from sim.run.execute import execute, gather_again, gather_only
from sim.run.gather import Formats, contrasts_of, gather, pairs_of, tables_of
from sim.run.verify import verify
from sim.run.work import Work, state_of

MakeWork = Callable[..., Work]


def write_tables_only(work: Work, formats: Formats) -> Path | None:
    """Gather without the report, which has tests of its own."""
    from sim.compare import write_tables

    write_tables(tables_of(work), work.folder / "tables", csv=formats.is_csv)
    return None


@pytest.fixture(scope="module")
def gathered(finished: Path) -> dict[str, pd.DataFrame]:
    return {name: pd.DataFrame(columns) for name, columns in tables_of(work_in(finished)).items()}


def test_the_arms_keep_their_order_and_each_is_paired_with_its_base(gathered: dict[str, pd.DataFrame]) -> None:
    assert gathered["arms"].arm.tolist() == ["nothing", "plan"]
    pairs = gathered["contrasts"][["arm", "base"]].drop_duplicates()
    assert pairs.values.tolist() == [["plan", "nothing"]]


def test_the_plans_indicators_are_those_of_open_stations_and_staff(gathered: dict[str, pd.DataFrame]) -> None:
    table = gathered["indicators"].set_index(["arm", "year", "indicator"])
    plan, nothing = table.loc["plan", 2026], table.loc["nothing", 2026]
    residents = 10_466_600
    assert plan.value["stations_per_100k"] == pytest.approx(190 / residents * 100_000, rel=1e-4)
    assert nothing.value["stations_per_100k"] == pytest.approx(106 / residents * 100_000, rel=1e-4)
    assert (plan.target["stations_per_100k"], plan.met["stations_per_100k"]) == (1.7, True)
    assert not nothing.met["stations_per_100k"]
    assert plan.value["staff_share"] == nothing.value["staff_share"] == 0.45


def test_each_travel_world_stands_beside_the_published_figures(gathered: dict[str, pd.DataFrame]) -> None:
    table = gathered["travel_worlds"]
    assert set(table.travel) == {"measured"}
    assert {"station_area_km2", "five_minute_share"} <= set(table.benchmark)
    assert np.isfinite(table.model_value).all()


def test_every_setting_that_states_a_fact_is_in_the_list_of_assumptions(finished: Path) -> None:
    work = work_in(finished)
    rows = setting_rows(work)
    listed = {row["key"]: row for row in rows}
    for arm in work.arms:
        for key, entry in arm.about.items():
            if not key.startswith("run."):
                assert listed[key]["standing"] in ("plan", "standard", "published", "assumed", "fitted")
                assert entry.source
    assert float(listed["demand.alarms_per_year"]["value"]) == work.arms[0].settings.demand.alarms_per_year
    values = work.arms[0].settings.as_map()
    is_off = {group for group, found in values.items() if isinstance(found, dict) and found.get("name") == "none"}
    numbers = [k for k, v in leaves(values) if type(v) in (int, float) and k.split(".")[0] not in is_off]
    unexplained = [
        key
        for key in numbers
        if not key.startswith("run.") and not any(key == k or key.startswith(f"{k}.") for k in listed)
    ]
    assert unexplained == []


def test_every_row_of_the_citys_tables_is_counted_under_its_standing(root: Path) -> None:
    folder = root / "configs" / "city" / "dongguan"
    rows = city_rows(folder)
    with (folder / "kinds.csv").open(encoding="utf-8-sig", newline="") as file:
        n_kinds = len(list(csv.DictReader(file)))
    assert sum(int(row["value"].split()[0]) for row in rows if row["key"] == "kinds.csv") == n_kinds
    assert any(row["key"] == "towns.csv: seat" for row in rows)


def test_declared_contrasts_are_primary_and_all_others_exploratory(make_work: MakeWork) -> None:
    from dataclasses import replace

    declared = {"contrast": "c", "arm": "plan", "base": "nothing", "metric": "p50", "year": 0}
    declared |= {"group": "headline", "clock": "arrival"}
    work = replace(make_work(), study={"base": "nothing", "contrasts": [declared]})
    assert [contrast.id for contrast in contrasts_of(work)] == ["c"]
    assert pairs_of(work) == [("plan", "nothing")]
    execute(work)
    table = tables_of(work)["contrasts"]
    primary = table["is_primary"].astype(bool)
    assert primary.sum() == 1
    assert table["metric"][primary].tolist() == ["p50"]


@pytest.mark.slow
def test_a_run_is_gathered_into_tables_and_a_report_and_again_in_another_language(make_work: MakeWork) -> None:
    work = make_work()
    outcome = execute(work, gather=gather, formats=Formats(is_csv=True, is_xlsx=True, language="en"))
    assert outcome.report is not None
    check_files(work.folder)
    tables = work.folder / "tables"
    assert (tables / "towns.xlsx").is_file()
    assert (tables / "headline.csv").read_bytes().startswith(b"\xef\xbb\xbf"), "Excel reads Chinese by this mark"
    before = outcome.report.read_bytes()
    again = gather_again(work_in(work.folder), gather=gather, formats=Formats(language="zh"))
    assert again.report is not None
    assert again.report.read_bytes() != before
    check_files(work.folder)


def test_finished_arms_are_compared_from_where_they_lie(finished: Path, tmp_path: Path) -> None:
    work = comparison_work([f"{finished}:nothing", f"{finished}:plan"], tmp_path / "compared")
    outcome = gather_only(work, gather=write_tables_only)
    results = api.load(outcome.folder)
    assert results.arms == ["run_00", "run_01"]
    assert results.table("arms").label_en.tolist() == ["nothing", "plan"]
    assert len(results.incidents("run_01", 1)) == len(api.load(finished).incidents("plan", 1))
    verdict = verify(outcome.folder, replications=[0], workers=1)
    assert verdict.is_same
    assert len(verdict.replications) == 2, "a comparison is verified down to the runs it was made from"
    with pytest.raises(DgsimError, match="is not one of its arms; did you mean 'plan'"):
        comparison_work([f"{finished}:plam"], None)


def sweep_overrides(folder: Path) -> list[str]:
    short = ["window=one_week", "window.measure_to='2026-06-03'", "window.warm_up_days=0", "window.run_out_days=1"]
    more = ["schedule.is_outside_run_allowed=true", "run.n_replications=2", "run.workers=1", f"run.outputs='{folder}'"]
    return [*short, *more, "travel=norm,congested", "staffing.present_share=0.5,0.68"]


@pytest.mark.parametrize("launcher", ["basic", pytest.param("joblib", marks=pytest.mark.slow)])
def test_a_sweep_runs_every_job_once_and_becomes_one_tidy_table(tmp_path: Path, launcher: str) -> None:
    overrides = [*sweep_overrides(tmp_path), f"hydra/launcher={launcher}"]
    said: list[str] = []
    outcome = run_sweep(read_sweep(overrides), gather=write_tables_only, say=said.append)
    jobs = api.load(outcome.folder).table("jobs")
    assert jobs[["job", "travel", "staffing.present_share"]].drop_duplicates().values.tolist() == [
        ["job_0000", "norm", "0.5"],
        ["job_0001", "norm", "0.68"],
        ["job_0002", "congested", "0.5"],
        ["job_0003", "congested", "0.68"],
    ]
    median = jobs[(jobs.metric == "p50") & (jobs.year == 0)].set_index("job").value
    assert median["job_0000"] < median["job_0002"], "congested roads are slower"
    assert {"low", "high", "n_incidents", "n_replications"} <= set(jobs.columns)
    runs = sorted((tmp_path / "run").iterdir())
    assert [state_of(run).word for run in runs] == ["complete"] * 4
    assert verify(outcome.folder, is_rerun=False).faults == ()
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("result.json")}
    run_sweep(read_sweep(overrides), gather=write_tables_only, say=said.append)
    assert {path: path.stat().st_mtime_ns for path in times} == times, "done jobs are skipped"


def test_nothing_of_a_sweep_starts_when_its_folder_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    read = read_sweep([*sweep_overrides(tmp_path)[:-2], "travel=norm,congested"], out=tmp_path / "out")
    with pytest.raises(DgsimError, match="out is a file, not a folder; name another folder"):
        run_sweep(read, gather=write_tables_only, say=lambda text: None)
    assert not (tmp_path / "run").exists()
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"


def test_nothing_of_a_sweep_starts_when_one_job_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(DgsimError, match=r"1.5 \(staffing.present_share\)"):
        read_sweep([*sweep_overrides(tmp_path)[:-1], "staffing.present_share=0.5,1.5"])
    assert not (tmp_path / "run").exists()
    assert not is_sealed(tmp_path)
