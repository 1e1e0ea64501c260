"""Claims about making runs: the same files however they are made, nothing finished is lost, nothing foreign touched."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sim import provenance
from sim.cli import main
from sim.errors import InputError, RunDirectoryError
from sim.provenance import (
    only_writer,
    read_manifest,
    sha256_of_file,
    sha256_of_tree,
    whole_folder,
)  # fmt: skip
from sim.run import estimate as estimating
from sim.run.estimate import Overhead, Rate
from sim.run.execute import execute, foretell
from sim.run.pool import batches_of, map_in_processes, run_jobs
from sim.run.replication import make_batch
from sim.run.work import RESULT, Work, jobs_of, read_note, replication_folder, results_of, state_of

MakeWork = Callable[..., Work]


def log_digests(folder: Path) -> dict[tuple[str, int], str]:
    return {(arm, r): result["log_digest"] for arm, r, result in results_of(folder)}


def table_digests(folder: Path) -> dict[str, str]:
    whole = [path for path in sorted(folder.rglob("*.parquet")) if ".part-" not in path.as_posix()]
    return {path.relative_to(folder).as_posix(): sha256_of_file(path) for path in whole}


def test_one_worker_or_two_make_the_same_bytes(make_work: MakeWork) -> None:
    one, two = make_work(name="one"), make_work("run.workers=2", name="two")
    assert execute(one).n_made == 4
    assert execute(two).n_made == 4
    assert log_digests(one.folder) == log_digests(two.folder)
    assert table_digests(one.folder) == table_digests(two.folder)
    assert len(set(log_digests(one.folder).values())) == 4, "arms and replications differ"


def test_the_last_words_and_the_manifest_tell_the_most_memory_held(make_work: MakeWork) -> None:
    said: list[str] = []
    execute(make_work(), say=said.append)
    told = re.fullmatch(
        r"memory held at most: (\d+) MB in a process that makes replications, (\d+) MB in this one", said[-1]
    )
    assert told is not None
    results = [result["peak_mb"] for _, _, result in results_of(make_work().folder)]
    memory = read_manifest(make_work().folder)["memory"]
    assert memory["replications_peak_mb"] == max(results) > 20
    assert float(told[1]) == pytest.approx(max(results), abs=1)
    assert float(told[2]) == pytest.approx(memory["gathering_peak_mb"], abs=20)


def test_the_order_of_replications_changes_nothing(make_work: MakeWork) -> None:
    forward, backward = make_work(name="forward"), make_work(name="backward")
    execute(forward)
    run_jobs(jobs_of(backward)[::-1], make_batch, 1)
    assert table_digests(forward.folder) == table_digests(backward.folder)


def test_going_from_two_replications_to_three_makes_one_more_of_each_arm(make_work: MakeWork) -> None:
    execute(make_work())
    folder = make_work().folder
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}
    outcome = execute(make_work(n_replications=3))
    assert (outcome.n_made, outcome.n_kept) == (2, 4)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert state_of(folder).word == "complete"


def test_a_finished_run_is_left_as_it_is(make_work: MakeWork) -> None:
    execute(make_work())
    before = {path: path.stat().st_mtime_ns for path in make_work().folder.rglob("*") if path.name != ".lock"}
    assert execute(make_work()).n_made == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_arms_of_one_replication_share_their_incidents(make_work: MakeWork) -> None:
    execute(make_work())
    parts = {(arm, r): result["inputs"] for arm, r, result in results_of(make_work().folder)}
    for r in (0, 1):
        differs = {part for part, digest in parts["plan", r].items() if digest != parts["nothing", r][part]}
        assert differs == {"changes"}
    assert parts["plan", 0]["demand"] != parts["plan", 1]["demand"]
    assert parts["plan", 0]["fleet"] != parts["plan", 1]["fleet"], "the next replication has the next siting world"


def test_batches_hold_the_arms_of_a_replication_and_are_cut_when_there_are_too_few() -> None:
    class Fake:
        def __init__(self, arm: str, replication: int) -> None:
            self.arm, self.replication = arm, replication

    jobs = [Fake(arm, r) for r in range(4) for arm in "ab"]
    assert [len(batch) for batch in batches_of(jobs, 2)] == [2, 2, 2, 2]  # type: ignore[arg-type]
    assert [len(batch) for batch in batches_of(jobs[:4], 2)] == [1, 1, 1, 1]  # type: ignore[arg-type]


# --- what is there already --------------------------------------------------------------------------------------------


def test_a_folder_that_holds_another_run_is_refused_and_untouched(make_work: MakeWork) -> None:
    execute(make_work())
    before = table_digests(make_work().folder)
    with pytest.raises(
        RunDirectoryError, match="already holds another run: arm 'nothing' was made with other settings"
    ):
        execute(make_work("seed=7"))
    assert table_digests(make_work().folder) == before
    assert state_of(make_work().folder).word == "complete"


def test_fresh_moves_the_old_run_aside(make_work: MakeWork) -> None:
    execute(make_work())
    before = table_digests(make_work().folder)
    said: list[str] = []
    execute(make_work("seed=7"), say=said.append, is_fresh=True)
    aside = make_work().folder.with_name("pair~1")
    assert f"the old run is now {aside}" in said
    assert table_digests(aside) == before
    assert table_digests(make_work().folder) != before


def test_a_folder_with_files_of_no_run_is_refused(make_work: MakeWork) -> None:
    folder = make_work().folder
    folder.mkdir()
    (folder / "thesis.docx").write_text("mine", encoding="utf-8")
    with pytest.raises(RunDirectoryError, match=r"holds files of no run \(thesis.docx\); nothing is overwritten"):
        execute(make_work())
    assert state_of(folder).word == "foreign"


def test_a_half_written_replication_is_named_with_its_mend(make_work: MakeWork) -> None:
    execute(make_work())
    (replication_folder(make_work().folder / "arms" / "plan", 1) / RESULT).unlink()
    with pytest.raises(RunDirectoryError, match=r"plan/replications/r0001: is half-written.*delete the folder"):
        execute(make_work(n_replications=3))


def test_a_corrupted_replication_is_named_with_its_mend(make_work: MakeWork) -> None:
    execute(make_work())
    path = replication_folder(make_work().folder / "arms" / "plan", 1) / "incidents.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(
        RunDirectoryError, match=r"incidents.parquet: was changed after it was written; delete the folder"
    ):
        execute(make_work(n_replications=3))


def test_a_damaged_note_is_a_clear_message(make_work: MakeWork) -> None:
    execute(make_work())
    (make_work().folder / "run.json").write_text("{", encoding="utf-8")
    with pytest.raises(RunDirectoryError, match=r"run.json: cannot be read .* move the folder away"):
        execute(make_work())
    assert state_of(make_work().folder).word == "damaged"


def test_a_replication_of_another_run_is_not_taken_for_ours(make_work: MakeWork) -> None:
    execute(make_work())
    note = read_note(make_work().folder)
    path = replication_folder(make_work().folder / "arms" / "plan", 0) / RESULT
    path.write_text(json.dumps(json.loads(path.read_text()) | {"key": "other"}), encoding="utf-8")
    with pytest.raises(RunDirectoryError, match="belongs to another run"):
        execute(make_work(n_replications=3))
    assert note["arms"]["plan"]["key"] != "other"


def test_two_processes_never_write_one_folder(make_work: MakeWork) -> None:
    work = make_work()
    with only_writer(work.folder):
        code = (
            "import sys; from pathlib import Path\n"
            "from sim.errors import DgsimError; from sim.provenance import only_writer\n"
            "try:\n with only_writer(Path(sys.argv[1])): pass\nexcept DgsimError as error: print(error); sys.exit(2)"
        )
        done = subprocess.run([sys.executable, "-c", code, str(work.folder)], capture_output=True, text=True)
    assert done.returncode == 2
    assert "another process is writing this run directory" in done.stdout
    execute(work)


def test_inputs_of_every_arm_are_checked_before_the_first_replication(make_work: MakeWork) -> None:
    work = make_work("schedule.is_outside_run_allowed=false")
    with pytest.raises(InputError) as caught:
        execute(work)
    assert "outside" in str(caught.value) or "before the run" in str(caught.value)
    assert not list(work.folder.rglob("result.json"))


@pytest.mark.slow
def test_a_worker_that_holds_what_its_jobs_share_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """400 MB more than after the first job is more than loky allows: it would end the worker and begin another."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    holding = importlib.import_module("holding")
    with map_in_processes(2) as run:
        assert len(set(run(holding.hold, [1, 1, 400, 400, 1, 1]))) == 2


# --- estimates --------------------------------------------------------------------------------------------------------


def test_a_folder_that_another_process_finished_first_is_left_to_it(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "r0000") as part:
        (part / "mine").write_text("late", encoding="utf-8")
        (tmp_path / "r0000").mkdir()
        (tmp_path / "r0000" / "theirs").write_text("early", encoding="utf-8")
    assert [path.name for path in (tmp_path / "r0000").iterdir()] == ["theirs"]
    assert [path.name for path in tmp_path.iterdir()] == ["r0000"], "nothing half-written is left"


def test_a_dry_run_counts_what_is_missing_and_touches_nothing(make_work: MakeWork) -> None:
    assert foretell(make_work(n_replications=5)).n_replications == 10
    assert not make_work().folder.exists()
    execute(make_work())
    assert foretell(make_work(n_replications=5)).n_replications == 6
    assert foretell(make_work()).text() == "nothing to run: every replication is there"


def rate(n: float, engine: str = "kernel", log: str = "digest", make_s: float = 2.0) -> Rate:
    return Rate(n, engine, log, make_s, 1e6, f"measured over {n:g} incidents")


def note(monkeypatch: pytest.MonkeyPatch, rates: list[Rate], overheads: list[Overhead]) -> None:
    monkeypatch.setattr(estimating, "_read", lambda: estimating._Noted(tuple(rates), tuple(overheads)))


def test_time_and_disk_grow_with_years_arms_and_replications_at_the_rates_measured_here(
    make_work: MakeWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(monkeypatch, [rate(100.0)], [Overhead(2, 500.0, 5.0, 10.0)])
    short, long = make_work("run.workers=2"), make_work("run.workers=2", "window.measure_to='2026-06-05'")
    n, n_long = (estimating.nominal_incidents(work.arms[0].settings) for work in (short, long))
    assert (n, n_long) == (pytest.approx(16_000 * 3 / 365.25), pytest.approx(16_000 * 5 / 365.25))
    told = estimating.estimate(jobs_of(short), 2)
    assert told.make_s == pytest.approx(4 * n / 100 * 2.0 / 2)
    assert told.once_s == pytest.approx(5.0 + 10.0)
    assert told.n_bytes == pytest.approx(4 * n / 100 * 1e6 * 1.25 + 20e6, rel=1e-3)
    assert "measured over 100 incidents" in told.text()
    assert estimating.estimate(jobs_of(long), 2).make_s == pytest.approx(told.make_s * 5 / 3)
    assert estimating.estimate(jobs_of(make_work(n_replications=4)), 1).make_s == pytest.approx(told.make_s * 4)


def test_a_rate_of_another_engine_log_or_length_is_not_taken_and_one_is_measured(
    make_work: MakeWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [rate(131, engine="simpy"), rate(131, log="full"), rate(131 * 7), rate(131 / 7)]
    note(monkeypatch, others, [])
    kept: list[Rate] = []
    monkeypatch.setattr(estimating, "_keep", lambda rates: kept.extend(rates))
    told = estimating.estimate(jobs_of(make_work()), 1)
    assert told.once_s is None
    assert "no run like it has shown here yet how long checks, tables and report take on top" in told.text()
    assert [(r.engine, r.log, round(r.n_incidents)) for r in kept] == [("kernel", "digest", 131)]
    assert told.make_s == pytest.approx(4 * kept[0].make_s)
    assert "made just now" in told.text()


def test_what_a_longer_replication_takes_lies_on_the_line_through_a_day_and_a_year() -> None:
    """10 incidents in 2 s and 110 in 3 s: a second for every hundred, and 1.9 s however few there are."""
    short, long = estimating._Trial(10.0, 9, 2.0, 1e3), estimating._Trial(110.0, 104, 3.0, 2e3)
    assert estimating._longer(short, long, "make_s", 510.0) == pytest.approx(7.0)
    assert estimating._longer(short, long, "n_bytes", 510.0) == pytest.approx(6e3)
    assert estimating._longer(long, long, "make_s", 110.0) == 3.0, "no longer than a day: as timed"
    assert estimating._longer(replace(short, make_s=4.0), long, "make_s", 220.0) == 6.0, "a slow day tells nothing"


def test_what_comes_once_grows_with_the_arms_from_the_nearest_run_and_never_shrinks() -> None:
    runs = [Overhead(1, 1e3, 5.0, 10.0), Overhead(12, 1e3, 6.0, 60.0)]
    assert estimating.predict_once(runs, 1, 1e3) == 15.0
    assert estimating.predict_once(runs, 2, 1e3) == 5.0 + 20.0
    assert estimating.predict_once(runs, 24, 1e4) == 6.0 + 120.0
    assert estimating.predict_once(runs, 8, 1e2) == 6.0 + 60.0
    assert estimating.predict_once(runs, 8, 1e6) is None, "a thousand times the incidents tell of another run"
    assert estimating.predict_once([*runs, Overhead(12, 1e6, 6.0, 300.0)], 8, 5e5) == 6.0 + 300.0
    assert estimating.predict_once([], 8, 1e3) is None


def test_a_run_notes_what_it_took_unless_its_workers_made_too_few(
    make_work: MakeWork, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(estimating, "cache_root", lambda: tmp_path)
    jobs = jobs_of(make_work())
    results = [{"seconds": {"engine": second, "tables": 1.0}} for second in (9.0, 1.0, 2.0, 3.0)]
    seconds_of = {"check": 4.0, "make": 20.0, "gather": 7.0}
    estimating.note_run(jobs, results, 2, seconds_of)
    assert not list(tmp_path.iterdir()), "with two replications each, compiling tells in the median"
    estimating.note_run(jobs, results, 1, seconds_of)
    noted = estimating._read()
    assert [(r.make_s, r.engine, r.log) for r in noted.rates] == [(3.5, "kernel", "digest")]
    n_all = sum(estimating.nominal_incidents(job.settings) for job in jobs)
    assert noted.overheads == (Overhead(2, n_all, 4.0 + (20.0 - 19.0), 7.0),)
    estimating.note_run(jobs, results, 1, {"check": 1.0, "make": 15.0})
    assert estimating._read().overheads == noted.overheads, "nothing was gathered, so it says nothing of gathering"


def test_the_engine_that_was_chosen_changes_no_byte(make_work: MakeWork) -> None:
    kernel, simpy = make_work("run.engine=kernel", name="kernel"), make_work("run.engine=simpy", name="simpy")
    execute(kernel)
    execute(simpy)
    assert table_digests(kernel.folder) == table_digests(simpy.folder)
    assert [arm.key for arm in kernel.arms] == [arm.key for arm in simpy.arms]


def test_an_arm_of_another_name_makes_the_folder_another_run(make_work: MakeWork) -> None:
    execute(make_work())
    work = make_work()
    with pytest.raises(RunDirectoryError, match="holds an arm 'plan' that study 'pair' does not have now"):
        execute(replace(work, arms=work.arms[:1]))


@pytest.mark.slow
@pytest.mark.parametrize("n_bytes", [100, 3_000, 20_000])
def test_a_disk_that_is_full_at_whatever_step_is_one_message_and_no_result(tmp_path: Path, n_bytes: int) -> None:
    """A limit on the size of files stands for the full disk: note, configuration or tables are the first to pass it."""
    choices = ["window=one_week", "schedule.is_outside_run_allowed=true", "siting=one_world", "run.n_replications=1"]
    code = (
        "import resource, sys; from sim.cli import main\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({n_bytes}, {n_bytes}))\n"
        "sys.exit(main())"
    )
    command = [sys.executable, "-c", code, "run", "--out", str(tmp_path / "run"), "run.workers=1", *choices]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr[-2000:]
    assert done.stderr.startswith(f"dgsim: {tmp_path / 'run'}: the disk is full; finished replications are kept")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "run" / "COMPLETE").exists()


# --- what is named ----------------------------------------------------------------------------------------------------


def test_a_file_is_no_run_directory(make_work: MakeWork, capsys: pytest.CaptureFixture[str]) -> None:
    work = make_work()
    work.folder.write_text("mine", encoding="utf-8")
    with pytest.raises(RunDirectoryError, match="pair is a file, not a folder; name another"):
        execute(work)
    with pytest.raises(RunDirectoryError, match="pair is a file, not a folder; name another"):
        execute(work, is_fresh=True)
    inside = replace(work, folder=work.folder / "below")
    with pytest.raises(RunDirectoryError, match=r"below: .*pair is a file, not a folder"):
        execute(inside)
    assert main(["verify", str(work.folder)]) == 2
    assert "is a file" in capsys.readouterr().err
    assert work.folder.read_text(encoding="utf-8") == "mine"


def test_a_foreign_folder_keeps_even_what_looks_half_written(make_work: MakeWork) -> None:
    folder = make_work().folder
    (folder / "mine").mkdir(parents=True)
    (folder / "mine" / ".part-one").write_text("mine", encoding="utf-8")
    with pytest.raises(RunDirectoryError, match="holds files of no run"):
        execute(make_work())
    assert (folder / "mine" / ".part-one").exists()


@pytest.mark.parametrize("suffix", ["py", "yaml", "j2", "js", "css", "sql", "csv", "npz", "otf", "txt"])
def test_the_source_digest_counts_every_kind_of_file_that_is_shipped(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / f"part.{suffix}").write_text("one", encoding="utf-8")
    before = sha256_of_tree(tmp_path)
    (tmp_path / "__pycache__" / "part.pyc").write_text("cached", encoding="utf-8")
    assert sha256_of_tree(tmp_path) == before
    (tmp_path / f"part.{suffix}").write_text("two", encoding="utf-8")
    assert sha256_of_tree(tmp_path) != before


def test_the_source_digest_leaves_out_no_kind_of_file_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[Path] = []
    monkeypatch.setattr(provenance, "sha256_of_file", lambda path: counted.append(path) or "")  # type: ignore[func-returns-value]
    provenance.source_digest(is_result_only=False)
    package = Path(provenance.__file__).parent
    shipped = {path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {path.suffix for path in counted} >= {".py", ".yaml", ".j2", ".js", ".css", ".sql", ".otf"}
    assert {path for path in shipped if "_configs" not in path.parts} == set(counted)


def test_the_month_that_times_a_study_has_none_of_its_planted_days() -> None:
    from sim.compose import compose
    from sim.run.estimate import first_days

    settings = compose(["window=first_full_year", "schedule.is_outside_run_allowed=true", "planted=typhoon"]).settings
    month = first_days(settings, 30)
    assert (month.window.measure_to, month.planted.events) == ("2026-01-31", [])
    assert settings.planted.events
