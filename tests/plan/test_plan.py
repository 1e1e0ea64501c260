"""The plan as data: the committed tables say what the plan prints, and any other plan loads the same way."""

import csv
import math
from pathlib import Path

import pytest

from sim.errors import InputError
from sim.plan import load_plan, plan_files
from sim.tables import STANDINGS


@pytest.fixture
def owned(city: Path) -> list[Path]:
    return [city / file for file in plan_files().values()] + [city / "plan_checks.csv"]


def test_every_row_of_every_plan_table_says_where_it_comes_from_and_how_it_is_known(owned: list[Path]) -> None:
    for path in owned:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert rows, path.name
        for row in rows:
            assert len(row["source"]) >= 3, (path.name, row)
            assert row["standing"] in STANDINGS, (path.name, row)


def test_no_remembered_or_judged_figure_passes_for_a_standard(city: Path) -> None:
    with (city / "station_classes.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    known = {"read": {"standard", "plan"}, "remembered": {"assumed"}, "judged": {"assumed"}}
    assert {row["confidence"] for row in rows} == set(known)
    for row in rows:
        assert row["standing"] in known[row["confidence"]], row
    assert all("remembered" in row["source"] for row in rows if row["confidence"] == "remembered")


def test_the_committed_plan_has_the_towns_people_and_builds_it_prints(city: Path) -> None:
    plan = load_plan(city)
    assert plan.n_towns == 34
    assert plan.years == (2022, 2023, 2024, 2025)
    assert plan.builds.sum(axis=0).tolist() == [29, 33, 15, 7]
    assert (plan.builds.sum(axis=1) == plan.stations_gap).all()
    assert (int(plan.stations_now.sum()), int(plan.stations_needed.sum())) == (106, 190)
    assert plan.population.sum() == 10_466_600
    humen = plan.code.index("humen")
    assert (plan.name_zh[humen], int(plan.population[humen])) == ("虎门镇", 774_000)
    assert plan.builds[humen].tolist() == [2, 3, 2, 2]
    assert [plan.code[i] for i in range(34) if math.isnan(plan.new_hydrants[i])] == ["binhaiwan"]
    assert [code for code, status in zip(plan.code, plan.centre_station_status, strict=True) if status == "met"] == [
        "shilong",
        "songshanhu",
    ]
    assert [code for code, note in zip(plan.code, plan.note, strict=True) if "轨道" in note] == [
        "humen",
        "tangxia",
        "chashan",
    ]


def test_the_committed_indicators_classes_and_facts_are_found_by_name(city: Path) -> None:
    plan = load_plan(city)
    staff = [plan.indicator("staff_share", year).value for year in (2020, 2023, 2025)]
    assert staff == [0.26, 0.4, 0.45]
    assert [plan.indicator("stations_per_100k", year).value for year in (2020, 2023, 2025)] == [1.01, 1.6, 1.7]
    assert plan.indicator("fire_death_rate", 2025).relation == "<"
    assert math.isnan(plan.indicator("fire_death_rate", 2020).value)
    limits = {c.id: c.figures["area_km2"].high for c in plan.classes if "area_km2" in c.figures}
    assert limits == {"grade_1": 7, "grade_2": 4, "small": 2, "special": 7, "suburban": 15}
    duty = plan.station_class("grade_1").figures["on_duty"]
    assert (duty.low, duty.high, duty.middle, duty.standing) == (30, 45, 37.5, "standard")
    assert plan.station_class("grade_1").figures["area_km2"].middle == 7
    assert plan.facts["new_vehicles"].value == 189
    assert plan.facts["residents_2021"].standing == "published"
    with pytest.raises(InputError, match="did you mean 'grade_1'"):
        plan.station_class("grade1")
    with pytest.raises(InputError, match="did you mean 'staff_share 20"):
        plan.indicator("staff_share", 2024)


def test_a_plan_of_any_number_of_towns_and_years_loads(small: Path) -> None:
    plan = load_plan(small)
    assert plan.years == (2030, 2031, 2033)
    assert plan.builds.tolist() == [[1, 1, 0], [0, 1, 1]]
    assert plan.builds.flags.c_contiguous
    assert plan.population.tolist() == [100_001, 200_000]
    assert plan.note == ("", "水边")
    assert dict(plan.facts) == {}


def test_every_problem_of_every_table_is_told_at_once(small: Path) -> None:
    towns = (small / "plan_towns.csv").read_text(encoding="utf-8")
    towns = towns.replace("10.0001", "10.00012").replace("水边,a plan,plan", "水边,,guessed")
    (small / "plan_towns.csv").write_text(towns, encoding="utf-8")
    classes = (small / "station_classes.csv").read_text(encoding="utf-8").replace("10,20", "20,10")
    (small / "station_classes.csv").write_text(classes, encoding="utf-8")
    (small / "plan_totals.csv").write_text(
        "column,value,place,source,standing\nbuild_2032,3,x,a,plan\n", encoding="utf-8"
    )
    (small / "plan_indicators.csv").unlink()
    with pytest.raises(InputError) as caught:
        load_plan(small)
    told = str(caught.value)
    assert "plan_indicators.csv: does not exist" in told
    assert "plan_towns.csv row 3: '' (source) is empty" in told
    assert "plan_towns.csv row 3: 'guessed' (standing) must be one of plan, standard" in told
    assert "plan_towns.csv row 2: 10.00012 (resident_pop_10k) is no whole number of people" in told
    assert "station_classes.csv row 2: (20.0, 10.0) has no low that is at most its high" in told
    assert "plan_totals.csv row 2: 'build_2032' (column) is not in plan_towns.csv; did you mean 'build_20" in told
    assert len(caught.value.problems) == 6
