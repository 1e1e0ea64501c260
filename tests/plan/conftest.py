"""A city of two towns with three checks, and copies of the committed city's plan to be edited."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

TOWNS = """\
code,name_zh,built_up_km2,resident_pop_10k,stations_now,stations_needed,stations_gap,new_hydrants,volunteers_10k,build_2030,build_2031,build_2033,centre_station_status,note,source,standing
east,东镇,14,10.0001,1,3,2,5,,1,1,0,met,,a plan,plan
west,西镇,7,20,0,2,2,,1.5,0,1,1,none,水边,a plan,plan
"""
INDICATORS = """\
indicator,name_zh,name_en,role,year,relation,value,unit,place,source,standing
ratio,站比,stations per 100k,base,2029,=,,per_100k,1,a plan,plan
ratio,站比,stations per 100k,target,2033,>=,1.5,per_100k,1,a plan,plan
"""
CLASSES = """\
class,name_zh,name_en,figure,low,high,unit,confidence,note,source,standing
full,全,full,on_duty,10,20,people,read,,a norm,standard
full,全,full,area_km2,,7,km2,read,,a norm,standard
"""
CHECKS_HEADER = (
    "item,check,kind,subject_zh,subject_en,printed,relation,recomputed,tolerance,digits,unit,unit_zh,"
    "stated_verdict,stated_value,use_zh,use_en,why_zh,why_en,source,standing\n"
)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Folder of a city with two towns, three building years and the tables that a plan cannot do without."""
    for name, text in (("plan_towns", TOWNS), ("plan_indicators", INDICATORS), ("station_classes", CLASSES)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="session")
def checks_header() -> str:
    """Header line of plan_checks.csv."""
    return CHECKS_HEADER


@pytest.fixture(scope="session")
def city(root: Path) -> Path:
    """The committed city folder."""
    return root / "configs" / "city" / "dongguan"


@pytest.fixture
def copy(city: Path, tmp_path: Path) -> Path:
    """A copy of the committed plan tables."""
    for path in [*city.glob("plan_*.csv"), city / "station_classes.csv", city / "teams.csv"]:
        shutil.copy(path, tmp_path / path.name)
    return tmp_path


Edit = Callable[[str, dict[str, str], str, str], None]


@pytest.fixture
def edit(copy: Path) -> Edit:
    """Change one cell of the copy: edit(file, {column: value of the row}, column, new text)."""

    def change(file: str, where: dict[str, str], column: str, text: str) -> None:
        with (copy / file).open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        hits = [row for row in rows if all(row[name] == value for name, value in where.items())]
        assert len(hits) == 1
        hits[0][column] = text
        with (copy / file).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    return change
