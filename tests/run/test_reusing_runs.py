"""Claims about replications that another run directory holds already: taken over by key, whole, or made anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from sim.cli import main
from sim.demand import quantiles
from sim.errors import RunDirectoryError
from sim.provenance import COMPLETE, LOCK, DiskFullError, sha256_of_file, to_json
from sim.run.execute import execute, foretell, held_text
from sim.run.verify import verify
from sim.run.work import LOG, NOTE, RESULT, TABLES, Work, claim, move_aside, replication_folder, results_of, state_of

MakeWork = Callable[..., Work]


def with_changed_arm(make_work: MakeWork, *changes: str, name: str = "pair") -> Work:
    """Return the work of two arms of which the second has other settings."""
    before, after = make_work(name=name), make_work(*changes, name=name)
    return replace(before, arms=(before.arms[0], after.arms[1]))


def table_digests(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): sha256_of_file(path) for path in sorted(folder.rglob("*.parquet"))}


def inodes(folder: Path) -> set[int]:
    return {path.stat().st_ino for path in folder.rglob("*.parquet")}


def test_after_a_change_of_one_arm_that_arm_alone_is_made_and_all_is_as_if_made_anew(make_work: MakeWork) -> None:
    folder = make_work().folder
    execute(make_work())
    changed = with_changed_arm(make_work, "dispatch=own_town_first")
    said: list[str] = []
    outcome = execute(changed, is_fresh=True, reuse=[folder], say=said.append)
    assert (outcome.n_made, outcome.n_kept) == (2, 2)
    assert "2 of the 4 that are not there are taken over from other run directories" in said
    anew = with_changed_arm(make_work, "dispatch=own_town_first", name="anew")
    assert execute(anew).n_made == 4
    assert table_digests(folder) == table_digests(anew.folder)
    told = {(arm, r): (result["arm"], result["log_digest"]) for arm, r, result in results_of(folder)}
    assert told == {(arm, r): (result["arm"], result["log_digest"]) for arm, r, result in results_of(anew.folder)}
    assert verify(folder, workers=1).is_same
    aside = folder.with_name("pair~1")
    assert state_of(aside).word == "complete"
    assert not inodes(folder) & inodes(aside), "what is taken over is a copy: no change of one reaches the other"


def test_an_arm_of_another_name_and_a_longer_run_take_what_has_their_key(make_work: MakeWork) -> None:
    execute(make_work())
    longer = make_work(n_replications=3, name="longer")
    renamed = replace(longer, arms=(longer.arms[0], replace(longer.arms[1], name="renamed")))
    assert foretell(renamed, reuse=[make_work().folder]).n_replications == 2
    outcome = execute(renamed, reuse=[make_work().folder])
    assert (outcome.n_made, outcome.n_kept) == (2, 4)
    assert {(arm, result["arm"]) for arm, _, result in results_of(renamed.folder)} == {
        ("nothing", "nothing"),
        ("renamed", "renamed"),
    }
    assert verify(renamed.folder, replications=[1], workers=1).is_same


@pytest.mark.parametrize("left", ["a lock", "a claimed folder"])
def test_given_again_after_it_was_ended_the_command_still_finds_what_it_moved_aside(
    make_work: MakeWork, left: str
) -> None:
    folder = make_work().folder
    execute(make_work())
    changed = with_changed_arm(make_work, "dispatch=own_town_first")
    move_aside(folder)
    folder.mkdir()
    if left == "a claimed folder":
        claim(changed)
    (folder / LOCK).touch()
    assert foretell(changed, is_fresh=True, reuse=[folder]).n_replications == 2
    outcome = execute(changed, is_fresh=True, reuse=[folder])
    assert (outcome.n_made, outcome.n_kept) == (2, 2)
    assert verify(folder, replications=[0], workers=1).is_same


def test_what_was_moved_aside_is_found_without_moving_anything_more(make_work: MakeWork) -> None:
    folder = make_work().folder
    execute(make_work())
    changed = with_changed_arm(make_work, "dispatch=own_town_first")
    execute(changed, is_fresh=True, reuse=[folder])
    again = replace(changed, arms=(changed.arms[0], make_work().arms[1]))
    assert execute(again, is_fresh=True, reuse=[folder]).n_made == 0, "the arm as it was first lies in pair~1"
    assert sorted(path.name for path in folder.parent.iterdir()) == ["pair", "pair~1", "pair~2"]


def test_of_several_directories_each_gives_what_it_has(make_work: MakeWork) -> None:
    first, second = make_work(name="first"), make_work(n_replications=3, name="second")
    execute(replace(first, arms=first.arms[:1]))
    execute(replace(second, arms=(replace(second.arms[1], base=""),), study={"base": "plan", "contrasts": []}))
    both = make_work(n_replications=3)
    assert execute(both, reuse=[first.folder, second.folder]).n_made == 1


@pytest.mark.parametrize("fault", ["changed", "missing"])
def test_what_was_changed_or_lost_a_file_is_told_and_made_anew(make_work: MakeWork, fault: str) -> None:
    folder = make_work().folder
    execute(make_work())
    path = replication_folder(folder / "arms" / "plan", 1) / "units.parquet"
    if fault == "changed":
        path.write_bytes(path.read_bytes() + b"0")
    else:
        path.unlink()
    said: list[str] = []
    other = make_work(name="other")
    assert execute(other, reuse=[folder], say=said.append).n_made == 1
    (told,) = [text for text in said if text.startswith(str(path))]
    assert (
        told == f"{path}: {'was changed after it was written' if fault == 'changed' else 'is missing'}; not taken over"
    )
    assert verify(other.folder, workers=1).is_same
    assert state_of(other.folder).word == "complete"


def test_a_note_that_was_changed_after_the_source_was_sealed_is_told_and_made_anew(make_work: MakeWork) -> None:
    execute(make_work())
    path = replication_folder(make_work().folder / "arms" / "plan", 1) / RESULT
    result = json.loads(path.read_text(encoding="utf-8"))
    del result["files"]["units.parquet"]
    path.write_text(to_json(result), encoding="utf-8")
    said: list[str] = []
    other = make_work(name="other")
    assert execute(other, reuse=[make_work().folder], say=said.append).n_made == 1
    assert f"{path}: was changed after it was written; not taken over" in said
    assert verify(other.folder, workers=1).is_same


@pytest.mark.parametrize("content", ["{", "[]", '{"key": [1]}'])
def test_a_note_that_cannot_be_read_is_told_and_costs_that_replication_alone(make_work: MakeWork, content: str) -> None:
    execute(make_work())
    path = replication_folder(make_work().folder / "arms" / "plan", 1) / RESULT
    path.write_text(content, encoding="utf-8")
    said: list[str] = []
    assert foretell(make_work(name="other"), reuse=[make_work().folder]).n_replications == 1
    assert execute(make_work(name="other"), reuse=[make_work().folder], say=said.append).n_made == 1
    (told,) = [text for text in said if text.startswith(str(path))]
    assert "cannot be read" in told
    assert "delete" not in told, "the source stays as it is"


def test_where_one_directory_has_it_damaged_the_next_one_gives_it(make_work: MakeWork) -> None:
    first, second = make_work(name="first"), make_work("run.log=full", name="second")
    for work in (first, second):
        execute(work)
    path = replication_folder(first.folder / "arms" / "plan", 1) / "units.parquet"
    path.write_bytes(b"")
    assert execute(make_work(name="both"), reuse=[first.folder, second.folder]).n_made == 0
    logged, before = make_work("run.log=full", name="logged"), table_digests(second.folder)
    assert foretell(logged, reuse=[first.folder, second.folder]).n_replications == 0
    assert execute(logged, reuse=[first.folder, second.folder]).n_made == 0
    assert len(list(logged.folder.rglob(LOG))) == 4
    assert table_digests(second.folder) == before


def test_an_arms_own_tables_are_stored_before_anything_is_copied(
    make_work: MakeWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that is ended while it takes over must not leave a run that looks whole without them."""
    own = "times.turnout_day_s=50"
    execute(make_work(own))
    other = make_work(own, name="other")

    def is_ended(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("sim.run.execute.take_over", is_ended)
        with pytest.raises(KeyboardInterrupt):
            execute(other, reuse=[make_work().folder])
    assert len(list(other.folder.rglob(TABLES.name))) == 2


def test_quantile_tables_that_cannot_be_read_cost_their_arm_alone_and_are_told_once(make_work: MakeWork) -> None:
    own = "times.turnout_day_s=50"
    execute(make_work(own))
    path = make_work().folder / "arms" / "plan" / TABLES
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    said: list[str] = []
    assert execute(make_work(own, name="other"), reuse=[make_work().folder], say=said.append).n_made == 2
    assert len([text for text in said if text.startswith(str(path)) and "is damaged" in text]) == 1


def test_event_logs_are_taken_over_where_they_are_wanted_and_added_where_they_lack(make_work: MakeWork) -> None:
    execute(make_work("run.log=full", name="logged"))
    plain, logged = make_work(name="plain"), make_work("run.log=full", name="again")
    assert execute(plain, reuse=[make_work(name="logged").folder]).n_made == 0
    assert not list(plain.folder.rglob(LOG))
    assert foretell(logged, reuse=[make_work(name="logged").folder]).n_replications == 0
    assert execute(logged, reuse=[make_work(name="logged").folder]).n_made == 0
    assert len(list(logged.folder.rglob(LOG))) == 4
    later = make_work("run.log=full", name="later")
    assert foretell(later, reuse=[plain.folder]).n_replications == 4
    execute(later, reuse=[plain.folder])
    assert table_digests(later.folder) == table_digests(logged.folder)


def test_a_directory_that_is_none_is_refused_before_anything_is_touched(make_work: MakeWork, tmp_path: Path) -> None:
    execute(make_work())
    before = table_digests(make_work().folder)
    with pytest.raises(RunDirectoryError, match="there is no such run directory"):
        execute(make_work("seed=7"), is_fresh=True, reuse=[tmp_path / "none"])
    assert table_digests(make_work().folder) == before
    assert not make_work().folder.with_name("pair~1").exists()


def test_a_run_that_has_what_it_needs_takes_nothing(make_work: MakeWork) -> None:
    execute(make_work())
    (make_work().folder / COMPLETE).unlink()
    times = {path: path.stat().st_mtime_ns for path in make_work().folder.rglob("*.parquet")}
    said: list[str] = []
    assert execute(make_work(), reuse=[make_work().folder], say=said.append).n_made == 0
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert not [text for text in said if "taken over" in text]


def test_an_arm_with_quantile_tables_of_its_own_is_taken_with_the_same_ones_only(make_work: MakeWork) -> None:
    """Where two machines make a table otherwise, a run must not hold replications made with both."""
    own = "times.turnout_day_s=50"
    execute(make_work(own))
    same = make_work(own, name="same")
    assert execute(same, reuse=[make_work().folder]).n_made == 0
    assert sorted(path.relative_to(same.folder) for path in same.folder.rglob(TABLES.name)) == [
        Path("arms") / arm / TABLES for arm in ("nothing", "plan")
    ]
    assert verify(same.folder, workers=1).is_same
    path = make_work().folder / "arms" / "plan" / TABLES
    ((name, values),) = quantiles.read_tables(path).items()
    quantiles.write_tables(path, {name: np.where(np.arange(len(values)) == 500, values + 1, values)})
    said: list[str] = []
    assert execute(make_work(own, name="other"), reuse=[make_work().folder], say=said.append).n_made == 2
    assert f"{path}: holds other quantile tables than this machine makes; not taken over" in said


def test_the_refusal_of_a_changed_arm_names_the_way_to_keep_the_rest(make_work: MakeWork) -> None:
    execute(make_work())
    with pytest.raises(RunDirectoryError, match=rf"--reuse {make_work().folder} beside either takes over what stays"):
        execute(with_changed_arm(make_work, "seed=7"))


def test_what_is_taken_over_keeps_what_made_it(make_work: MakeWork) -> None:
    execute(make_work())
    path = replication_folder(make_work().folder / "arms" / "nothing", 0) / RESULT
    result = json.loads(path.read_text(encoding="utf-8"))
    result["software"]["platform"] = "another machine"
    path.write_text(json.dumps(result), encoding="utf-8")
    (make_work().folder / COMPLETE).unlink()
    other = make_work(name="other")
    execute(other, reuse=[make_work().folder])
    taken = {(arm, r): result for arm, r, result in results_of(other.folder)}["nothing", 0]
    assert taken["software"]["platform"] == "another machine"
    assert taken["seconds"] == result["seconds"]


def test_a_sweep_refuses_what_would_do_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for option in (["--fresh"], ["--reuse", "outputs/run/x"]):
        with pytest.raises(SystemExit) as left:
            main(["run", "-m", "seed=1,2", *option])
        assert left.value.code == 2
        assert "do not go with -m" in capsys.readouterr().err


def test_a_gap_among_what_was_moved_aside_hides_nothing_and_the_newest_has_the_highest_number(
    make_work: MakeWork,
) -> None:
    folder = make_work().folder
    execute(make_work())
    folder.rename(folder.with_name("pair~2"))
    assert foretell(make_work(), reuse=[folder]).n_replications == 0
    assert execute(make_work(), reuse=[folder]).n_made == 0
    assert move_aside(folder) == folder.with_name("pair~3")


def test_a_folder_aside_that_is_no_run_is_told_and_stops_nothing(make_work: MakeWork) -> None:
    folder = make_work().folder
    execute(make_work())
    folder.with_name("pair~1").mkdir()
    (folder.with_name("pair~1") / NOTE).write_text("{", encoding="utf-8")
    changed, said = with_changed_arm(make_work, "dispatch=own_town_first"), list[str]()
    assert execute(changed, is_fresh=True, reuse=[folder], say=said.append).n_made == 2
    assert [text for text in said if text.startswith(str(folder.with_name("pair~1"))) and "not taken over" in text]


def test_arms_of_a_run_that_is_moved_aside_are_found_through_a_comparison_of_it(
    make_work: MakeWork, tmp_path: Path
) -> None:
    folder = make_work().folder
    execute(make_work())
    arms = make_work().arms
    both = Work(
        "compare", "both", tmp_path / "both", arms, {"base": "nothing"}, tuple(folder / "arms" / a.name for a in arms)
    )
    both.folder.mkdir()
    claim(both)
    changed = with_changed_arm(make_work, "dispatch=own_town_first")
    assert foretell(changed, is_fresh=True, reuse=[both.folder]).n_replications == 2
    assert execute(changed, is_fresh=True, reuse=[both.folder]).n_made == 2


def test_a_replication_that_the_manifest_does_not_list_or_of_another_number_is_not_taken(make_work: MakeWork) -> None:
    execute(make_work())
    of_arm = make_work().folder / "arms" / "plan"
    copytree(replication_folder(of_arm, 1), replication_folder(of_arm, 2))
    for is_sealed in (True, False):
        if not is_sealed:
            (make_work().folder / COMPLETE).unlink()
        said: list[str] = []
        longer = make_work(n_replications=3, name=f"longer {is_sealed}")
        assert execute(longer, reuse=[make_work().folder], say=said.append).n_made == 2
        path = replication_folder(of_arm, 2) / RESULT
        assert f"{path}: is not the one that was written there; not taken over" in said


def test_a_name_that_leads_elsewhere_is_not_followed(make_work: MakeWork) -> None:
    execute(make_work())
    (make_work().folder / COMPLETE).unlink()
    path = replication_folder(make_work().folder / "arms" / "plan", 1) / RESULT
    result = json.loads(path.read_text(encoding="utf-8"))
    result["files"]["../../../../../elsewhere"] = "0" * 64
    path.write_text(to_json(result), encoding="utf-8")
    said: list[str] = []
    assert execute(make_work(name="other"), reuse=[make_work().folder], say=said.append).n_made == 1
    assert [text for text in said if "is no name of a file beside it" in text]


def test_copies_that_do_not_fit_are_refused_before_the_first(
    make_work: MakeWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(make_work())
    usage = shutil.disk_usage("/")._replace(free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(DiskFullError, match="MB are free"):
        execute(make_work(name="other"), reuse=[make_work().folder])
    assert not list(make_work(name="other").folder.rglob(RESULT))


def test_a_dry_run_tells_what_is_held_and_how_much_is_to_copy(make_work: MakeWork) -> None:
    execute(make_work())
    told = held_text(make_work(n_replications=3, name="other"), [make_work().folder])
    n_bytes = sum(path.stat().st_size for path in make_work().folder.rglob("r000*/*"))
    assert told.startswith("4 of the 6 replications that are not there are held by other run directories: ")
    assert told.endswith(f" {n_bytes / 1e6:.0f} MB to copy")
