"""Whose residents the ratio counts: the plan's, those of each year, or a growing number; people worked out by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from sim.errors import InputError
from sim.fleet import StaffingSettings, build_changes, load_staffing
from sim.fleet.residents import Denominator, ResidentsByYear, load_residents
from sim.units import MS_PER_DAY
from tests.fleet.conftest import CONFIGS, DONGGUAN, TinyWorld, make_city, make_schedule, make_staffing, people_at

HEAD = "year,town,residents,source,standing\n"
STANDING = [0, 1, 3]  # west 1 (large), west 2 (little), east 1 (large)
TOWNS = ("west", "east")


def residents_in(folder: Path, *rows: str) -> ResidentsByYear:
    (folder / "residents.csv").write_text(HEAD + "".join(f"{row},test,assumed\n" for row in rows), encoding="utf-8")
    return load_residents(folder, TOWNS)


def steps_of(tiny: TinyWorld, staffing: StaffingSettings, given: ResidentsByYear | None) -> list[tuple[str, int, int]]:
    changes = tiny.changes(make_schedule(), staffing, residents=given)
    return [(step.day.isoformat(), step.residents, step.staff) for step in changes.staff_steps]


def test_the_residents_of_each_year_count_from_its_first_day(tiny: TinyWorld, tmp_path: Path) -> None:
    # 0.5 permille: of 110,000 they are 55, of 90,100 are 45.05, of 90,900 are 45.45; 2020's are not asked for
    given = residents_in(tmp_path, "2020,,5", "2023,,90100", "2022,,110000", "2024,,90900")
    assert steps_of(tiny, make_staffing(0.5, residents="by_year"), given) == [
        ("2022-01-01", 110_000, 55),
        ("2023-01-01", 90_100, 45),
        ("2024-01-01", 90_900, 45),
    ]


def test_the_plan_s_residents_stay_what_they_are_whatever_the_table_says(tiny: TinyWorld, tmp_path: Path) -> None:
    given = residents_in(tmp_path, *(f"{year},,1" for year in (2022, 2023, 2024)))
    assert steps_of(tiny, make_staffing(0.5), given) == [("2022-01-01", 100_000, 50)]


def test_figures_of_every_year_like_the_plan_s_change_no_row(tiny: TinyWorld, tmp_path: Path) -> None:
    given = residents_in(tmp_path, *(f"{year},,100000" for year in (2022, 2023, 2024)))
    by_plan = tiny.changes(make_schedule(("2022-06-01", "open", "west", 3)), make_staffing(0.5))
    by_year = tiny.changes(
        make_schedule(("2022-06-01", "open", "west", 3)), make_staffing(0.5, residents="by_year"), residents=given
    )
    assert by_year.rows.tolist() == by_plan.rows.tolist()


def test_towns_share_by_their_own_residents_of_the_year_that_has_them(tiny: TinyWorld, tmp_path: Path) -> None:
    # 20 people: 3 + 4 + 3 first. 2022: west's 75,000 by 75 : 30 are 53,571 and 21,428, east has 25,000; the 10 left are
    # 5.36, 2.14, 2.50: 5, 2, 3. 2023 has no towns, so the city's own 50,000 each share: 3.57, 1.43, 5.00: 4, 1, 5
    given = residents_in(tmp_path, "2022,west,75000", "2022,east,25000", "2023,,100000", "2024,,100000")
    staffing = make_staffing(0.2, residents="by_year", sharing="town")
    changes = tiny.changes(make_schedule(), staffing, residents=given)
    assert people_at(changes, 0, 6)[STANDING].tolist() == [3 + 5, 4 + 2, 3 + 3]
    assert people_at(changes, 365 * MS_PER_DAY, 6)[STANDING].tolist() == [3 + 4, 4 + 1, 3 + 5]


def test_residents_grow_by_the_year_from_the_year_of_the_figures() -> None:
    staffing = make_staffing(1.0, residents="growth", residents_growth_per_year=0.1)
    denominator = Denominator(staffing, make_city(TOWNS, [4_000, 6_000]))
    assert [denominator.residents(date(year, 5, 1)) for year in (2020, 2021, 2022)] == [10_000, 11_000, 12_100]


def test_years_of_the_run_without_a_figure_are_named_with_an_unused_rate(tiny: TinyWorld, tmp_path: Path) -> None:
    given = residents_in(tmp_path, "2021,,100000", "2023,,100000", "2030,,100000")
    staffing = make_staffing(0.5, residents="by_year", residents_growth_per_year=0.01)
    with pytest.raises(InputError) as caught:
        tiny.changes(make_schedule(), staffing, residents=given)
    assert [str(problem) for problem in caught.value.problems] == [
        "test: 0.01 (residents_growth_per_year) changes nothing while residents is 'by_year'; "
        "set staffing.residents=growth, or the rate to 0",
        "residents.csv: '2022, 2024' (year) has no row of the whole city for years of the run, which is from "
        "2022-01-01 to 2024-12-30; give each of them one, change the window, or set staffing.residents=plan",
    ]


def test_all_that_is_wrong_with_the_table_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        residents_in(tmp_path, "2022,wst,5", "2022,,0", "2023,,7", "2023,,8")
    told = "\n".join(str(problem) for problem in caught.value.problems)
    assert "residents.csv row 2: 'wst' (town) is not in towns.csv; did you mean 'west'?" in told
    assert "residents.csv row 3: '0' (residents) must be between 1 and 1e+09 people" in told
    assert "row 5" in told
    with pytest.raises(InputError) as caught:
        residents_in(tmp_path, "2022,west,5", "2023,,11", "2023,west,5", "2023,east,5")
    assert [str(problem) for problem in caught.value.problems] == [
        "residents.csv: 'east' (town) 2022 lacks 1 of 2 towns; give every town of that year a row, or none",
        "residents.csv: 11 (residents) of the whole city in 2023 is not the sum of its towns, 10; "
        "mend either, or leave the city's row out",
    ]


def test_a_city_without_the_table_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"residents\.csv: \(staffing\.residents\) 'by_year' needs this table"):
        load_residents(tmp_path, TOWNS)


def test_dongguan_s_ratios_of_each_year_s_residents(dongguan: SimpleNamespace) -> None:
    """0.26 permille of 10,536,800, 10,437,000 and 10,485,000; 0.40 of 10,485,000 … ; 0.45 of 10,611,300 is 4,775.1."""
    staffing, _ = load_staffing(CONFIGS / "staffing" / "plan_path_residents_by_year.yaml")
    given = load_residents(DONGGUAN, dongguan.city.towns.code)
    changes = build_changes(
        dongguan.fleet, dongguan.city, make_schedule(), staffing, dongguan.calendar, residents=given
    )
    assert [(step.day.isoformat(), step.staff) for step in changes.staff_steps] == [
        ("2021-12-01", 2740),
        ("2022-01-01", 2714),
        ("2023-01-01", 2726),
        ("2023-12-31", 4194),
        ("2024-01-01", 4211),
        ("2025-01-01", 4228),
        ("2025-12-31", 4756),
        ("2026-01-01", 4775),
        ("2027-01-01", 4794),
    ]
    assert given.city[2020] == dongguan.city.towns.population.sum()
