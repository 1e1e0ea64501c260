"""`dgsim new-city` and `dgsim check-city`: the template runs as it is, and a spoilt one says all that is wrong."""

from __future__ import annotations

import json

import pytest

from sim.cli import main
from sim.compose import compose
from sim.errors import InputError
from sim.provenance import city_digest

SHORT = (
    "window.measure_from='2026-06-01'", "window.measure_to='2026-06-15'", "run.n_replications=2", "run.workers=1",
)  # fmt: skip


def test_a_new_city_is_written_checked_run_to_a_report_and_verified_where_it_was_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new-city", "my city"]) == 0
    assert "dgsim run \"city.folder='my city'\"\n" in capsys.readouterr().out
    assert main(["check-city", "my city"]) == 0
    said = capsys.readouterr().out
    assert "my city: nothing is wrong" in said
    assert "2 areas, 48 cells of 1000 m, 213,600 residents" in said
    assert "3 stations, 6 units; on 2025-12-30 3 are open with 5 vehicles and 32 people on duty" in said
    assert main(["run", "city.folder='my city'", "run.outputs=out", *SHORT]) == 0
    (run,) = (tmp_path / "out" / "run").iterdir()
    report = (run / "report.html").read_text(encoding="utf-8")
    assert "Example city" in report
    assert "Dongguan" not in report
    assert "东莞" not in report
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    capsys.readouterr()
    for command in (["verify", str(run)], ["report", str(run)], ["explain", str(run), "0"]):
        assert main(command) == 2
        assert (
            "config.yaml: 'my city' (city.folder) is not there: paths count from the folder" in capsys.readouterr().err
        )
    assert (run / "COMPLETE").is_file()
    monkeypatch.chdir(tmp_path)
    assert main(["verify", str(run)]) == 0


def test_the_templates_own_study_is_told_in_the_citys_own_names(tmp_path, capsys):
    folder, out = tmp_path / "mine", tmp_path / "out"
    assert main(["new-city", str(folder)]) == 0
    study = folder / "studies" / "west_closed.yaml"
    short = [*SHORT, "window.measure_from='2026-01-01'", "window.measure_to='2026-01-15'"]
    assert main(["study", str(study), f"city.folder='{folder}'", f"run.outputs='{out}'", *short]) == 0
    report = (out / "study" / "west_closed" / "report.html").read_text(encoding="utf-8")
    assert "West station" in report
    assert "no. 1" not in report  # stations are called by their names, not by town and number
    assert "Dongguan" not in report
    assert "money." not in report  # nothing has a price here
    assert "no coordinates are published" not in report
    assert "assumed cells" not in report
    assert "chance and siting together" not in report
    assert "so square and round ones are the same" in report
    assert "citywide path of professional staff" not in report  # each station has people of its own
    assert main(["report", str(out / "study" / "west_closed"), "--study", str(study)]) == 0
    choices = json.loads((out / "study" / "west_closed" / "run.json").read_text(encoding="utf-8"))["arms"]
    assert {arm["choices"]["city"] for arm in choices.values()} == {"own"}


def test_a_study_beside_the_tables_is_no_part_of_the_city(make_city):
    folder = make_city()
    before = city_digest(folder)
    (folder / "studies" / "west_closed.yaml").unlink()
    assert city_digest(folder) == before
    (folder / "units.csv").write_text("unit\n")
    assert city_digest(folder) != before


def test_a_folder_given_by_path_is_no_city_of_configs_and_one_given_by_name_is(make_city):
    folder = make_city()
    assert compose([f"city.folder='{folder}'"]).choices["city"] == "own"
    assert compose([f"city.folder='{folder}'", "city=dongguan"]).choices["city"] == "dongguan"
    assert compose(["city.folder=dongguan"]).choices["city"] == "dongguan"


def test_stated_siting_needs_stated_stations():
    with pytest.raises(InputError, match=r"'stated' \(siting\) needs stations that the city states in stations.csv"):
        compose(["siting=stated"])


def test_a_folder_that_holds_something_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    assert main(["new-city", str(tmp_path / "mine")]) == 2
    assert "holds something already" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_check_city_tells_faults_of_all_tables_and_choices_at_once(make_city, capsys):
    folder = make_city(
        stations__csv="station,lat,lon\ncentral,30.0,110.0\n",
        run_cards__csv="kind,need_no,capability,from_grade,is_critical,source,standing\nfir,0,water,1,true,test,assumed\n",
        choices__yaml="staffing: stated\ntravel: distanc\ndemand: {alarms: 3}\n",
    )
    assert main(["check-city", str(folder)]) == 2
    said = capsys.readouterr().err
    assert "choices.yaml: 'distanc' (travel) is not a choice of configs/travel; did you mean 'distance'?" in said
    assert "choices.yaml: 'demand.alarms' (demand) is not a setting; did you mean" in said
    assert "run_cards.csv row 2: 'fir' (kind) is not in kinds.csv" in said


def test_choices_that_need_a_plan_are_one_clear_error_each(make_city):
    folder = make_city()
    asked = ["schedule=plan", "water_supply=plan", "siting.world=3", "travel=measured"]
    with pytest.raises(InputError) as raised:
        compose([f"city.folder='{folder}'", *asked])
    told = "\n".join(str(problem) for problem in raised.value.problems)
    assert "(schedule.is_plan_built) needs the plan's building table, which a city that states its stations in" in told
    assert "(water_supply.is_plan_built) needs the plan's hydrants" in told
    assert "(siting.world) needs siting worlds" in told
    assert "(travel) drives on roads, and the city folder has no road_classes.csv; choose travel=distance" in told
    assert len(raised.value.problems) == 4


def test_the_command_line_goes_before_the_citys_own_choices_key_by_key(make_city):
    folder = make_city()
    plain = compose([f"city.folder='{folder}'"])
    assert (plain.settings.demand.alarms_per_year, plain.settings.staffing.name) == (320, "stated")
    assert plain.settings.times.scene_min["building_fire"] == [60, 90, 180]
    assert "home_fire" not in plain.settings.times.scene_min
    assert plain.given_by("demand.alarms_per_year") == "choices.yaml"
    given = compose(
        [f"city.folder='{folder}'", "demand.alarms_per_year=99", "times.scene_min.false_alarm=[7]", "staffing=constant"]
    )
    assert given.settings.demand.alarms_per_year == 99
    assert given.settings.demand.reference_year == 2025
    assert given.settings.times.scene_min["false_alarm"] == [7]
    assert given.settings.times.scene_min["building_fire"] == [60, 90, 180]
    assert given.settings.staffing.name == "constant"
    assert given.given_by("demand.alarms_per_year") == "command line"


def test_a_scenario_goes_before_the_citys_own_choices(make_city):
    composed = compose([f"city.folder='{make_city()}'", "scenario=staff_020", "schedule=none"])
    assert composed.settings.staffing.rule == "ratio"


def test_files_that_the_citys_own_choices_name_lie_in_its_folder_and_those_of_the_command_line_here(
    make_city, tmp_path, monkeypatch
):
    folder = make_city()
    text = (folder / "choices.yaml").read_text(encoding="utf-8")
    own_matrix = "travel: {choice: matrix, matrix: ways/od.csv, matrix_unit: s}\n"
    (folder / "choices.yaml").write_text(text.replace("travel: distance\n", own_matrix), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    own = [f"city.folder='{folder}'"]
    with pytest.raises(InputError, match=r"mine/ways/od.csv' \(travel.matrix\) does not exist"):
        compose(own)
    (folder / "ways").mkdir()
    for path in (folder / "ways" / "od.csv", tmp_path / "here.csv"):
        path.touch()
    assert compose(own).settings.travel.matrix == str(folder / "ways" / "od.csv")
    assert compose([*own, "travel.matrix=here.csv"]).settings.travel.matrix == "here.csv"


def test_the_default_city_has_no_choices_of_its_own():
    assert compose([]).settings.travel.name == "measured"
