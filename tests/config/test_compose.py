"""Claims about overrides: everything wrong is said together before anything runs, and what is right has its effect."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree

import pytest

from sim.commands.new_city import TEMPLATE
from sim.compose import compose, compose_to_run
from sim.compose.overrides import choices_of
from sim.compose.study import key_of, single_work, study_names, study_work
from sim.compose.sweep import read_sweep
from sim.config import configs_root
from sim.errors import InputError
from sim.run.work import Work, config_text
from sim.settings import GROUPS, load_settings, what_key
from sim.siting import siting_worlds


def messages(*overrides: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        compose(overrides)
    return str(caught.value).splitlines()


def test_all_kinds_of_fault_are_reported_together() -> None:
    told = messages(
        "travle=norm",
        "travel=nrom",
        "travel.local_kmhh=3",
        "travel.arterial_kmh=abc",
        "run.workers=-1",
        "seed=-3",
        "demand.town_factor.humn=2",
        "siting.world=99",
        "fleet.roles=rolls.csv",
        "fleet.crew_min_for_all=1,2",
        "~demand",
        "a b",
    )
    wanted = [
        "command line: 'travle' is not a setting; did you mean 'travel'?",
        "command line: 'nrom' (travel) is not a choice of configs/travel; did you mean 'norm'?",
        "command line: 'travel.local_kmhh' is not a setting; did you mean 'travel.local_kmh'?",
        "command line: 'fleet.crew_min_for_all=1,2' names several values; add -m to run one after the other",
        "command line: '~demand' adds or removes a group; write demand=choice",
        "command line: 'abc' (travel.arterial_kmh) must be a valid number",
        "command line: -1 (run.workers) must be greater than or equal to 0",
        "command line: -3 (seed) must be a whole number",
        "command line: 99 (siting.world) is not a siting world; the city has 20",
        "command line: 'rolls.csv' (fleet.roles) is not in the city folder",
        "command line: 'humn' (demand.town_factor.humn) is not in towns.csv; did you mean 'humen'?",
    ]
    for text in wanted:
        assert any(line.startswith(text) or text in line for line in told), f"{text!r} not in\n" + "\n".join(told)
    assert len(told) == len(wanted) + 1  # and 'a b'


def test_a_bare_key_is_told_to_which_group_it_belongs() -> None:
    assert messages("n_replications=3") == [
        "command line: 'n_replications' is not a setting; did you mean 'run.n_replications'?"
    ]


def test_chinese_outside_quotes_and_a_missing_city_are_clear_messages(tmp_path: Path) -> None:
    assert "ASCII only outside quotes" in messages("siting.coordinates=站.csv")[0]
    assert "holds no city.yaml; did you mean 'dongguan'?" in messages("city.folder=donguan")[0]


@pytest.mark.parametrize(
    ("group", "choice"), [(group.name, choice) for group in GROUPS for choice in choices_of(group.name)]
)
def test_every_choice_composes(group: str, choice: str, tmp_path: Path) -> None:
    times, roads = tmp_path / "times.npz", tmp_path / "roads.osm"
    for path in (times, roads):
        path.touch()
    files = {
        "travel=matrix": [f"travel.matrix='{times}'", "travel.matrix_unit=s"],
        "travel=network": [f"travel.graph='{roads}'"],
        "city=own": [f"city.folder='{TEMPLATE}'"],
        "siting=stated": [f"city.folder='{TEMPLATE}'"],
    }
    composed = compose([f"{group}={choice}", *files.get(f"{group}={choice}", [])])
    assert composed.choices[group] == choice


def test_a_value_says_who_gave_it_and_how_it_is_known() -> None:
    composed = compose(["travel.local_kmh=31", "travel=norm"])
    assert composed.given_by("travel.local_kmh") == "command line"
    assert composed.known("travel.local_kmh").standing == "assumed"
    assert composed.given_by("travel.ramp_s") == "configs/travel/norm.yaml"
    assert composed.known("travel.ramp_s").standing == "assumed"


def test_a_key_absent_from_the_yaml_and_an_entry_of_a_map_can_be_given() -> None:
    settings = compose(["demand.town_factor.humen=2", "siting.coordinates=''"]).settings
    assert settings.demand.town_factor == {"humen": 2.0}
    assert settings.siting.coordinates == ""


def test_the_stored_configuration_gives_the_same_settings(tmp_path: Path) -> None:
    work = single_work(compose(["travel=norm", "seed=5"]))
    (tmp_path / "config.yaml").write_text(config_text(work.arms[0]), encoding="utf-8")
    assert load_settings(tmp_path / "config.yaml") == work.arms[0].settings


def test_only_what_keys_a_run() -> None:
    base = compose([])
    how = compose(["run=quick", "run.workers=1", "run.engine=simpy", "run.language=en", "run.outputs=elsewhere"])
    what = compose(["travel.local_kmh=31"])
    assert key_of(how) == key_of(base)
    assert key_of(what) != key_of(base)
    assert what_key(base.settings, "city", "source") != what_key(base.settings, "other city", "source")
    assert what_key(base.settings, "city", "source") != what_key(base.settings, "city", "other source")


def test_a_city_counts_by_its_contents_and_not_by_its_path(root: Path) -> None:
    by_path = compose([f"city.folder='{root / 'configs' / 'city' / 'dongguan'}'"])
    assert key_of(by_path) == key_of(compose([]))


# --- sweeps -----------------------------------------------------------------------------------------------------------


def test_a_sweep_is_the_product_of_its_values_in_order() -> None:
    sweep = read_sweep(["travel=norm,measured", "staffing.present_share=range(0.5,0.7,0.1)", "window=one_week"])
    assert [arm.label_en for arm in sweep.work.arms] == [
        "travel=norm, staffing.present_share=0.5",
        "travel=norm, staffing.present_share=0.6",
        "travel=measured, staffing.present_share=0.5",
        "travel=measured, staffing.present_share=0.6",
    ]
    assert len({job.folder for job in sweep.jobs}) == 4


def test_every_job_of_a_sweep_is_checked_and_each_fault_said_once() -> None:
    with pytest.raises(InputError) as caught:
        read_sweep(["staffing.present_share=0.5,1.5,2.5", "seed=1,2", "hydra.run.dir=x"])
    told = str(caught.value).splitlines()
    assert [line.split(" must")[0] for line in told if "present_share" in line] == [
        "command line: 1.5 (staffing.present_share)",
        "command line: 2.5 (staffing.present_share)",
    ]
    assert sum("only hydra/launcher" in line for line in told) == 1
    assert len(told) == 3


# --- studies ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def build_schedule() -> Work:
    return study_work("build_schedule")


@pytest.mark.parametrize("study", study_names())
def test_every_study_composes_and_declares_contrasts_between_its_arms(study: str) -> None:
    work = study_work(study)
    names = [arm.name for arm in work.arms]
    assert work.study["base"] in names
    assert work.study["contrasts"], "a study declares its primary contrasts"
    assert {arm.base for arm in work.arms} <= {"", *names}
    assert json.dumps(work.study)


def test_every_arm_of_the_building_study_has_the_same_staff_path_but_those_that_show_it_constant(
    build_schedule: Work,
) -> None:
    work = build_schedule
    path = work.arm("nothing").settings.staffing
    constant = work.arm("nothing_staff_026").settings.staffing
    assert [step.permille for step in path.steps] == [0.40, 0.45]
    assert (constant.initial_permille, constant.steps) == (0.26, [])
    for arm in work.arms:
        assert arm.settings.staffing == (constant if arm.purpose == "staffing" else path)


def test_an_arm_and_its_base_differ_in_one_thing_and_planned_builds_in_the_schedule(build_schedule: Work) -> None:
    for arm in build_schedule.arms:
        if arm.base:
            ours, theirs = arm.settings.what(), build_schedule.arm(arm.base).settings.what()
            differs = [group for group in ours if ours[group] != theirs[group]]
            assert len(differs) == 1
            assert differs == ["schedule"] or not arm.name.startswith("plan")


def test_the_main_arms_meet_every_siting_world_and_some_twice(build_schedule: Work) -> None:
    n_worlds = len(siting_worlds(build_schedule.arms[0].settings.city_folder()))
    assert n_worlds >= 20
    assert all(arm.n_replications > n_worlds for arm in build_schedule.arms if arm.purpose == "main")


def test_faults_of_all_arms_of_a_study_are_reported_together_with_the_arm(tmp_path: Path) -> None:
    text = (configs_root() / "study" / "build_schedule.yaml").read_text(encoding="utf-8")
    text = text.replace("overrides: [schedule=none]", "overrides: [schedule=nothing]", 1)
    text = text.replace("overrides: [schedule=plan_january]", "overrides: [schedule.opening_mont=1]")
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        study_work(str(tmp_path / "bad.yaml"))
    told = str(caught.value)
    assert "bad.yaml arm nothing: 'nothing' (schedule) is not a choice of configs/schedule" in told
    assert "bad.yaml arm plan_january: 'schedule.opening_mont' is not a setting" in told


def test_a_study_whose_names_do_not_fit_together_is_refused(tmp_path: Path) -> None:
    text = (configs_root() / "study" / "build_schedule.yaml").read_text(encoding="utf-8")
    text = text.replace("base: nothing\n", "base: nothng\n", 1).replace("metric: p90,", "metric: p99, of_arm: plam,")
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        study_work(str(tmp_path / "bad.yaml"))
    assert "(base) is not an arm; did you mean 'nothing'?" in str(caught.value)
    assert "(contrasts.2.metric) is not a metric; did you mean 'p95'?" in str(caught.value)
    assert "'plam' (contrasts.2.of_arm) is not an arm; did you mean 'plan'?" in str(caught.value)
    assert "(contrasts.2.of_base) is not an arm" in str(caught.value), "an interaction names both"


def test_faults_of_settings_and_of_tables_come_together_and_a_doubted_group_is_not_followed(
    root: Path, tmp_path: Path
) -> None:
    folder = copytree(root / "configs" / "city" / "dongguan", tmp_path / "city")
    classes = folder / "road_classes.csv"
    classes.write_text(classes.read_text(encoding="utf-8").replace("\nlocal,", "\nlocall,"), encoding="utf-8")
    texts = [f"city.folder='{folder}'", "seed=-1", "schedule=plan", "window=one_week", "travel.local_khm=3"]
    with pytest.raises(InputError) as caught:
        compose_to_run(texts)
    told = [str(problem) for problem in caught.value.problems]
    assert len(told) == 5
    assert "did you mean 'travel.local_kmh'?" in told[0]
    assert "(seed) must be a whole number from 0" in told[1]
    assert told[2].startswith("road_classes.csv row 2: 'locall' (road_class) must be one of")
    assert told[3].startswith("schedule plan: plans 84 builds before the run")
    assert told[4].startswith("schedule plan: rows.0: '2025-07-01' is before the run")
    with pytest.raises(InputError) as caught:
        compose_to_run(["schedule=plan", "window=one_week", "is_outside_run_alowed=true"])
    (only,) = caught.value.problems
    assert only.value == "is_outside_run_alowed", "what the builds would say hangs on the key that was meant"
