"""Posts of help from outside: where they stand, what they bring, and what is wrong with a table of them."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from sim.errors import InputError
from sim.fleet import load_fleet_tables
from sim.fleet.mutual_aid import MutualAidSettings, border_cell, load_posts, with_posts, with_posts_open
from sim.fleet.parts import ChangeKind
from tests.fleet.conftest import BITS, DONGGUAN, make_schedule, make_staffing

HEAD = "code,name_zh,name_en,tier,town,towards_deg,fleet,from_grade,lead_min,ready_min,source,standing\n"
ROWS = """north,北,North,city,east,0,big,3,25,60,test,assumed
state,省,State,province,west,180,little,4,90,240,test,assumed
"""


def asked(senders: str) -> MutualAidSettings:
    return MutualAidSettings(name="test", label_zh="", label_en="", senders=senders)


@pytest.fixture
def city() -> SimpleNamespace:
    """Two towns of 20 cells, each a square of 4 by 5 kilometres, side by side."""
    cell = np.arange(40)
    cells = SimpleNamespace(
        town=(cell // 20).astype(np.int16), x_m=1000 * (4 * (cell // 20) + cell % 4), y_m=1000 * (cell % 20 // 4)
    )
    return SimpleNamespace(towns=SimpleNamespace(code=("west", "east")), cells=cells)


def posts_of(tiny, city, senders="neighbours_and_province", rows=ROWS):
    (tiny.folder / "mutual_aid.csv").write_text(HEAD + rows, encoding="utf-8")
    return load_posts(tiny.folder, city, load_fleet_tables(tiny.folder, BITS), asked(senders))


@pytest.mark.parametrize(
    ("towards_deg", "column", "row"), [(0, 0, 4), (90, 3, 0), (180, 0, 0), (270, 0, 0), (45, 3, 4), (135, 3, 0)]
)
def test_the_border_is_the_town_s_furthest_cell_in_the_direction(city, towards_deg, column, row):
    assert border_cell(city.cells, 0, towards_deg) == 4 * row + column


def test_posts_stand_behind_the_city_s_stations_with_their_lead_and_belong_to_no_town(tiny, city):
    own = tiny.fleet()
    fleet = with_posts(own, posts_of(tiny, city))
    n, n_units = own.stations.n_stations, own.units.n_units
    assert fleet.stations.name[n:] == ("north", "state")
    assert fleet.stations.cell[n:].tolist() == [20 + 16, 0]
    assert (fleet.stations.town[n:].tolist(), fleet.stations.help_grade[n:].tolist()) == ([-1, -1], [3, 4])
    assert fleet.units.station[n_units:].tolist() == [n, n, n + 1]
    traits = fleet.units.traits[n_units:]
    assert traits["callout_ms"].tolist() == [1_500_000, 1_590_000, 5_400_000]  # the ladder's own 90 s on top
    assert traits["ready_ms"].tolist() == [3_600_000, 3_600_000, 14_400_000]
    for name in ("cell", "town", "help_grade"):
        assert np.array_equal(getattr(fleet.stations, name)[:n], getattr(own.stations, name))
    assert np.array_equal(fleet.units.traits[:n_units], own.units.traits)


def test_the_settings_say_who_sends(tiny, city):
    assert posts_of(tiny, city, "none") == ()
    assert [post.code for post in posts_of(tiny, city, "neighbours")] == ["north"]
    assert with_posts(tiny.fleet(), ()).stations.n_stations == tiny.fleet().stations.n_stations


def test_posts_are_open_with_all_crews_and_take_nobody_from_the_city(tiny, city):
    fleet = with_posts(tiny.fleet(), posts_of(tiny, city))
    own = tiny.changes(make_schedule(), make_staffing())
    changes = with_posts_open(own, fleet)
    n = tiny.fleet().stations.n_stations
    is_people = changes.rows["kind"] == ChangeKind.STATION_PEOPLE
    people = {int(row["entity"]): int(row["value"]) for row in changes.rows[is_people] if row["entity"] >= n}
    assert people == {n: 6 + 5, n + 1: 6}
    kept = [row for row in changes.rows.tolist() if row in own.rows.tolist()]
    assert kept == own.rows.tolist()
    assert changes.rows.tolist() == sorted(changes.rows.tolist())
    assert with_posts_open(own, tiny.fleet()) is own


def test_all_that_is_wrong_with_the_table_is_told_together(tiny, city):
    wrong = (
        ROWS.replace("city,east", "city,eats").replace("little", "litl")
        + "third,三,T,town,east,0,big,3,1,1,t,assumed\n"
    )
    with pytest.raises(InputError) as caught:
        posts_of(tiny, city, rows=wrong)
    text = str(caught.value)
    assert "mutual_aid.csv row 2: 'eats' (town) is not in towns.csv; did you mean 'east'?" in text
    assert "mutual_aid.csv row 3: 'litl' (fleet) is not in fleets.csv; did you mean 'little'?" in text
    assert "mutual_aid.csv row 4: 'town' (tier)" in text


def test_dongguan_s_posts_bring_the_42_vehicles_and_the_boat_of_the_zhongtang_fire(dongguan):
    cells = SimpleNamespace(town=dongguan.city.cells.town, x_m=np.zeros(len(dongguan.city.cells.town)), y_m=None)
    cells.y_m = cells.x_m
    city = SimpleNamespace(towns=dongguan.city.towns, cells=cells)
    posts = load_posts(DONGGUAN, city, dongguan.tables, asked("neighbours_and_province"))
    codes = Counter(dongguan.tables.unit_types.code[bay] for post in posts for bay in post.bays)
    assert (codes.total(), codes["water_rescue_truck"]) == (42, 1)
