"""Claims about checks: what is wrong is found, all of it and each fault once, before anything on disk is touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from sim.assemble import InputsBuilder
from sim.compose import compose
from sim.errors import InputError, RunDirectoryError
from sim.run.check import _STEPS, ALL_GROUPS, check_before
from sim.run.execute import execute, foretell
from sim.run.work import NOTE, RESULT, Work, claim, jobs_of, move_aside, replication_folder, state_of

MakeWork = Callable[..., Work]


@pytest.fixture
def spoilt_city(root: Path, tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Return a function that spoils a file of a copy of the committed city: (file, old text, new text) -> folder."""
    folder = copytree(root / "configs" / "city" / "dongguan", tmp_path / "city")

    def spoil(name: str, old: str, new: str) -> Path:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        return Path(folder)

    return spoil


def told_by(work: Work) -> list[str]:
    with pytest.raises(InputError) as caught:
        check_before(work)
    return [str(problem) for problem in caught.value.problems]


def test_late_faults_are_found_before_the_folder_is_made_and_before_the_old_run_is_moved(make_work: MakeWork) -> None:
    bad = make_work("schedule.is_outside_run_allowed=false")
    with pytest.raises(InputError, match="before the run"):
        execute(bad)
    assert not bad.folder.exists()
    with pytest.raises(InputError, match="before the run"):
        foretell(bad)
    claim_without_making(make_work())
    before = {path: path.read_bytes() for path in bad.folder.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="before the run"):
        execute(bad, is_fresh=True)
    assert {path: path.read_bytes() for path in bad.folder.rglob("*") if path.is_file()} == before
    assert not bad.folder.with_name("pair~1").exists()


def claim_without_making(work: Work) -> None:
    work.folder.mkdir()
    claim(work)


def test_faults_of_tables_settings_and_builds_come_together_and_each_once(
    make_work: MakeWork, spoilt_city: Callable[[str, str, str], Path]
) -> None:
    spoilt_city("fleets.csv", "\ncentre_2_2_2,1,", "\ncentre_2_2_2,9,")
    folder = spoilt_city("road_classes.csv", "arterial", "artery")
    work = make_work(f"city.folder='{folder}'", "dispatch.cover_capability=wather", "demand.alarms_per_year=90000")
    told = told_by(work)
    assert len(told) == len(set(told))
    for part in ("fleets.csv: ", "road_classes.csv row ", "(dispatch.cover_capability)", "ceilings.csv ordinary"):
        assert [text for text in told if part in text], f"{part} in {told}"
    assert not work.folder.exists()


def test_a_fault_in_the_world_of_a_later_replication_is_found_before_the_first(
    make_work: MakeWork, spoilt_city: Callable[[str, str, str], Path]
) -> None:
    from sim.assemble import InputsBuilder

    folder = spoilt_city("towns.csv", "town_id", "town_id")
    builder = InputsBuilder()
    last = make_work(f"city.folder='{folder}'", n_replications=3).arms[0].settings
    world = builder.world_name(last, 2)
    spoilt_city(f"siting/{world}.csv", f"{world},", "elsewhere,")
    assert told_by(make_work(f"city.folder='{folder}'", n_replications=3)) == [
        f"{world}.csv row 2: 'elsewhere' (world) is not the file's own; write {world}"
    ]
    check_before(make_work(f"city.folder='{folder}'", n_replications=2))


def test_a_corrupted_replication_leaves_the_mark_and_every_file(make_work: MakeWork) -> None:
    execute(make_work())
    path = replication_folder(make_work().folder / "arms" / "plan", 1) / RESULT
    path.write_text("{", encoding="utf-8")
    before = {path: path.stat().st_mtime_ns for path in make_work().folder.rglob("*") if path.name != ".lock"}
    with pytest.raises(RunDirectoryError, match=r"result.json: cannot be read .* delete the folder"):
        execute(make_work(n_replications=3))
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert (make_work().folder / "COMPLETE").exists()


def test_a_folder_claimed_and_left_before_its_configuration_was_written_is_gone_on_with(make_work: MakeWork) -> None:
    claim_without_making(make_work())
    for path in make_work().folder.rglob("config.yaml"):
        path.unlink()
    assert (make_work().folder / NOTE).exists()
    check_before(make_work())
    claim(make_work())
    assert len(list(make_work().folder.rglob("config.yaml"))) == 3


def test_fresh_moves_runs_only_and_a_file_in_the_way_is_said(make_work: MakeWork, tmp_path: Path) -> None:
    work = make_work()
    work.folder.mkdir()
    (work.folder / "thesis.docx").write_text("mine", encoding="utf-8")
    with pytest.raises(RunDirectoryError, match=r"holds files of no run \(thesis.docx\)"):
        execute(work, is_fresh=True)
    with pytest.raises(RunDirectoryError, match="holds files of no run"):
        move_aside(work.folder)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunDirectoryError, match="file is a file, not a folder"):
        move_aside(tmp_path / "file" / "run")
    assert jobs_of(work)


def test_a_note_that_lacks_what_readers_ask_for_is_a_clear_message(make_work: MakeWork) -> None:
    claim_without_making(make_work())
    path = make_work().folder / NOTE
    for text in ('{"kind": "study", "name": "pair", "arms": {"plan": {}}}', "[]", '{"kind": "study"}', "\x00"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(RunDirectoryError, match=r"run.json: cannot be read .* move the folder away"):
            check_before(make_work())
        assert state_of(make_work().folder).word == "damaged"


@pytest.fixture(scope="module")
def builder() -> InputsBuilder:
    return InputsBuilder()


@pytest.mark.parametrize("step", _STEPS, ids=lambda step: step.name.replace(" ", "_"))
def test_a_step_asks_for_no_group_of_settings_but_its_own_and_those_of_the_steps_before(
    step: object, builder: InputsBuilder
) -> None:
    """Beside a faulty group only steps without it are tried; one that reads it all the same would crash."""
    by_name, named = {one.name: one for one in _STEPS}, set[str]()
    todo = [step.name]  # type: ignore[attr-defined]
    while todo:
        one = by_name[todo.pop()]
        named |= set(one.groups)
        todo += one.after
    levers = ("aviation=shared", "weather=timeline", "teams=plan", "rail=along_the_track", "roster=with_absences")
    settings = compose(
        ["window=one_week", "schedule.is_outside_run_allowed=true", "siting=one_world", *levers]
    ).settings
    blank = dict.fromkeys(ALL_GROUPS - named)
    assert blank
    step.build(builder, replace(settings, **blank), 0)  # type: ignore[attr-defined]
