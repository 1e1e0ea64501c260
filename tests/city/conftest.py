"""A tiny city of three towns in a folder, and the committed one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sim.city import City, load_city

CITY_YAML = """\
id: threeton
name_zh: 三镇
name_en: Threeton
plane: {lat0: 0.0, lon0: 10.0, m_per_deg_lat: 110574.3, m_per_deg_lon: 111319.5}
cell_m: 1000
epoch: "2020-01-01"
utc_offset_h: 0
holidays_country: GB
population_year: 2020
site_kinds:
  - {code: port, name_zh: 港, name_en: port, siting_people: 100, source: made up, standing: assumed}
  - {code: hill, name_zh: 山, name_en: hill, siting_people: 0, source: made up, standing: assumed}
build:
  outline_spread: {value: 0.8, source: made up, standing: assumed}
  density_scale_m: {value: 2000, unit: m, source: made up, standing: assumed}
  rural_share: {value: 0.1, source: made up, standing: assumed}
"""
TOWNS = """\
town_id,code,name_zh,name_en,centre_lat,centre_lon,centre_source,centre_standing,seat_lat,seat_lon,seat_source,seat_standing,area_km2,area_source,area_standing
0,west,西,West,0.0,10.00,made up,assumed,0.0,10.00,made up,assumed,12,made up,assumed
1,mid,中,Mid,0.0,10.04,made up,assumed,0.0,10.04,made up,assumed,9.4,made up,assumed
2,east,东,East,0.0,10.08,made up,assumed,0.0,10.08,made up,assumed,15.6,made up,assumed
"""
ADJACENCY = "town_a,town_b,source,standing\nwest,mid,made up,assumed\neast,mid,made up,assumed\n"
BRIDGES = "town_a,town_b,crossing,name,lat,lon,source,standing\nmid,east,1,,,,made up,assumed\n"
SITES = """\
site_kind,name_zh,name_en,town,lat,lon,fact,source,standing
hill,山,Hill,west,0.0,10.0,,made up,assumed
port,港,Port,west,0.0,10.0,,made up,assumed
hill,丘,Knoll,east,,,,made up,assumed
"""
PLAN_TOWNS = """\
code,name_zh,built_up_km2,resident_pop_10k,stations_now,stations_needed,stations_gap,new_hydrants,volunteers_10k,build_2022,build_2023,centre_station_status,note,source,standing
east,东,6,3.0001,1,3,2,,,1,1,met,,made up,assumed
west,西,5,2,2,3,1,,,0,1,met,,made up,assumed
mid,中,4,1.2345,1,1,0,,,0,0,met,,made up,assumed
"""
INDICATORS = """\
indicator,name_zh,name_en,role,year,relation,value,unit,place,source,standing
staff,人,Staff,base,2020,=,1,permille,here,made up,assumed
"""
CLASSES = """\
class,name_zh,name_en,figure,low,high,unit,confidence,note,source,standing
one,一,One,on_duty,10,12,people,judged,,made up,assumed
"""
FILES = {
    "city.yaml": CITY_YAML,
    "towns.csv": TOWNS,
    "adjacency.csv": ADJACENCY,
    "bridges.csv": BRIDGES,
    "sites.csv": SITES,
    "plan_towns.csv": PLAN_TOWNS,
    "plan_indicators.csv": INDICATORS,
    "station_classes.csv": CLASSES,
}


@pytest.fixture
def threeton(tmp_path: Path) -> Path:
    """A city folder of three towns in a row, without cells: west - mid by land, mid - east over one bridge."""
    folder = tmp_path / "threeton"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def city_folder() -> Path:
    """The committed city folder."""
    return Path(__file__).resolve().parents[2] / "configs" / "city" / "dongguan"


@pytest.fixture(scope="session")
def city(city_folder: Path) -> City:
    """The committed city."""
    return load_city(city_folder)


@pytest.fixture
def copied_folder(city_folder: Path, tmp_path: Path) -> Path:
    """A copy of the committed city folder, to be spoilt."""
    return Path(shutil.copytree(city_folder, tmp_path / "copy"))
