"""Claims about making runs: the same files however they are made, nothing finished is lost, nothing foreign touched."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sim.errors import InputError, RunDirectoryError
from sim.provenance import DiskFullError, only_writer, sha256_of_file, whole_folder
from sim.run.execute import execute, foretell
from sim.run.pool import batches_of, run_jobs
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


# --- interrupted ------------------------------------------------------------------------------------------------------


def many_replications(folder: Path, n: int) -> list[str]:
    """A command that makes a run of `n` replications in `folder`, on one process."""
    short = ["window=one_week", "window.measure_to=2026-06-03", "window.warm_up_days=0", "window.run_out_days=1"]
    more = ["schedule.is_outside_run_allowed=true", "run.workers=1", f"run.n_replications={n}"]
    code = (
        "import sys; from pathlib import Path; from sim.compose import compose;"
        "from sim.compose.study import single_work;"
        "from sim.run.execute import execute; execute(single_work(compose(sys.argv[2:]), out=Path(sys.argv[1])))"
    )
    return [sys.executable, "-c", code, str(folder), *short, *more]


def wait_for(path: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.02)


@pytest.mark.parametrize(
    "how",
    [pytest.param(signal.SIGKILL, id="kill -9"), pytest.param(signal.SIGINT, id="Ctrl-C", marks=pytest.mark.slow)],
)
def test_an_interrupted_run_keeps_what_is_finished_and_goes_on(tmp_path: Path, how: signal.Signals) -> None:
    folder = tmp_path / "run"
    running = subprocess.Popen(many_replications(folder, 200), stderr=subprocess.DEVNULL)
    try:
        wait_for(replication_folder(folder, 2) / RESULT, 120)
        running.send_signal(how)
        assert running.wait(20) != 0
    finally:
        running.kill()
    kept = {r: result["log_digest"] for _, r, result in results_of(folder)}
    assert 3 <= len(kept) < 200
    assert not (folder / "COMPLETE").exists()
    assert state_of(folder).word == "unfinished"
    times = {r: (replication_folder(folder, r) / RESULT).stat().st_mtime_ns for r in kept}
    n = len(kept) + 2
    subprocess.run(many_replications(folder, n), check=True)
    after = {r: result["log_digest"] for _, r, result in results_of(folder)}
    assert len(after) == n
    assert {r: after[r] for r in kept} == kept
    assert {r: (replication_folder(folder, r) / RESULT).stat().st_mtime_ns for r in kept} == times
    assert state_of(folder).word == "complete"
    assert not list(folder.rglob(".part-*")), "nothing half-written is left"


def test_a_full_disk_is_one_clear_message_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: the first table that passes it fails."""
    folder = tmp_path / "run"
    command = many_replications(folder, 2)
    code = (
        "import resource, sys; from sim.errors import DgsimError; import sim.run.execute as making\n"
        "run_jobs = making.run_jobs\n"
        "def run_with_little_room(*given):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))\n"
        "    return run_jobs(*given)\n"
        "making.run_jobs = run_with_little_room\n"
        f"try:\n exec({command[2]!r})\n"
        "except DgsimError as error:\n print(error); sys.exit(error.exit_code)"
    )
    done = subprocess.run([command[0], "-c", code, *command[3:]], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr[-2000:]
    assert "the disk is full; finished replications are kept" in done.stdout
    assert not list(folder.rglob(".part-*"))
    assert not replication_folder(folder, 0).exists()


def test_too_little_room_is_said_before_anything_runs(make_work: MakeWork, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    usage = shutil.disk_usage("/")._replace(free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(DiskFullError, match="MB are free"):
        execute(make_work())
    assert not list(make_work().folder.rglob("result.json"))


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


# --- workers ----------------------------------------------------------------------------------------------------------


DIE_ONCE = """
import os, pickle, signal, sys
from pathlib import Path

from sim.run.pool import run_jobs
from sim.run.replication import make_batch


def die_once(batch):
    for job in batch:
        mark = Path(sys.argv[2] if len(sys.argv) > 2 else os.environ["MARK"])
        if job.replication == 1 and job.arm == "plan" and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return make_batch(batch)


if __name__ == "__main__":
    import die_once as importable

    jobs = pickle.loads(Path(sys.argv[1]).read_bytes())
    results = run_jobs(jobs, importable.die_once, 2)
    assert [(r["arm"], r["replication"]) for r in results] == [(job.arm, job.replication) for job in jobs]
"""


@pytest.mark.slow
def test_a_killed_worker_costs_only_what_it_was_doing(make_work: MakeWork, tmp_path: Path) -> None:
    whole, hurt = make_work(name="whole"), make_work(name="hurt")
    execute(whole)
    (tmp_path / "die_once.py").write_text(DIE_ONCE, encoding="utf-8")
    (tmp_path / "jobs").write_bytes(pickle.dumps(jobs_of(hurt)))
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "MARK": str(tmp_path / "died")}
    command = [sys.executable, "-W", "ignore", str(tmp_path / "die_once.py"), str(tmp_path / "jobs")]
    subprocess.run(command, env=environment, check=True, timeout=120)
    assert (tmp_path / "died").exists()
    assert table_digests(hurt.folder) == table_digests(whole.folder)


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


def test_minutes_and_disk_come_from_the_rates_measured_here(
    make_work: MakeWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sim.run import estimate

    rate = estimate.Rate(1_000.0, 2.0, 0.5, 1e6, "measured yesterday")
    monkeypatch.setattr(estimate, "read_rates", lambda: [rate])
    job = jobs_of(make_work("run.workers=2"))[0]
    n = estimate.nominal_incidents(job.settings)
    assert n == pytest.approx(16_000 * 3 / 365.25)
    told = estimate.estimate([job] * 10, 2)
    assert told.seconds == pytest.approx(10 * n / 1_000 * (2.0 / 2 + 0.5))
    assert told.n_bytes == pytest.approx(10 * n / 1_000 * 1e6 * 1.25 + 20e6, rel=1e-3)
    assert "measured yesterday" in told.text()


def test_two_rates_give_a_line_and_it_never_goes_below_zero() -> None:
    from sim.run.estimate import Rate, predict

    rates = [Rate(100.0, 0.1, 0, 0, ""), Rate(10_000.0, 2.08, 0, 0, "")]
    assert predict(rates, 5_000, "make_s") == pytest.approx(0.08 + 0.0002 * 5_000)
    steep = [Rate(100.0, 0.1, 0, 0, ""), Rate(200.0, 1.0, 0, 0, "")]
    assert predict(steep, 10, "make_s") == pytest.approx(0.01)


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


def test_the_month_that_times_a_study_has_none_of_its_planted_days() -> None:
    from sim.compose import compose
    from sim.run.estimate import _first_month

    settings = compose(["window=first_full_year", "schedule.is_outside_run_allowed=true", "planted=typhoon"]).settings
    month = _first_month(settings)
    assert (month.window.measure_to, month.planted.events) == ("2026-01-31", [])
    assert settings.planted.events
