"""What a scenario costs, added up by hand in a city of two stations."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from sim.errors import Problems
from sim.fleet.parts import CHANGE_DTYPE, ChangeKind
from sim.money import MoneySettings, Prices, Years, cost_lines, load_prices, measured_years
from sim.money.costs import annuity

DAY = 86_400_000
SETTINGS = MoneySettings("test", "", "", 2023, 0.1, 0.0, 50, 10, 10)
PRICES = Prices(
    "CNY",
    {
        ("build", "*"): (10.0, 20.0, 30.0),
        ("build", "large"): (100.0, 200.0, 300.0),
        ("fit_out", "*"): (1.0, 2.0, 3.0),
        ("station_running", "*"): (4.0, 5.0, 6.0),
        ("vehicle", "*"): (7.0, 8.0, 9.0),
        ("vehicle_upkeep", "*"): (0.5, 0.5, 1.0),
        ("people", "*"): (1.0, 2.0, 4.0),
        ("flying_hour", "*"): (1.0, 1.0, 1.0),
    },
)
YEARS = Years((2022, 2023), np.array([0, 365]), np.array([365, 730]))


def a_fleet(help_grade=(0, 0)):
    stations = SimpleNamespace(
        class_id=np.array([0, 0]), later_class_id=np.array([1, -1]), is_existing=np.array([True, False]),
        help_grade=np.array(help_grade),
    )  # fmt: skip
    units = SimpleNamespace(
        station=np.array([0, 0, 1]), type_id=np.array([0, 0, 0]), is_added=np.array([False, True, False])
    )
    classes, types = SimpleNamespace(code=("small", "large")), SimpleNamespace(code=("pumper",))
    return SimpleNamespace(stations=stations, units=units, classes=classes, unit_types=types)


def the_changes(*rows, staff=((0, 10),)):
    array = np.array([(day * DAY, int(kind), entity, 0) for day, kind, entity in rows], dtype=CHANGE_DTYPE)
    steps = tuple(SimpleNamespace(time_ms=day * DAY, staff=n, day=date(2022, 1, 1)) for day, n in staff)
    return SimpleNamespace(rows=np.sort(array, order=["time_ms", "kind", "entity"]), staff_steps=steps)


STANDS = ((0, ChangeKind.STATION_OPEN, 0), (0, ChangeKind.UNIT_IN_SERVICE, 0))


def lines(*rows, fleet=None, settings=SETTINGS, **more):
    staff = more.pop("staff", ((0, 10),))
    found = cost_lines(fleet or a_fleet(), the_changes(*rows, staff=staff), YEARS, PRICES, settings, **more)
    return {(line.year, line.item, line.of): line for line in found}


def test_what_stands_only_runs():
    found = lines(*STANDS)
    assert {item for _, item, _ in found} == {"people", "station_running", "vehicle_upkeep"}
    year = 365 / 365.25
    assert found[2022, "people", "*"].outlay == pytest.approx((10 * year, 20 * year, 40 * year))
    assert found[2022, "people", "*"].annual == pytest.approx((10, 20, 40))
    assert found[2022, "vehicle_upkeep", "pumper"].annual == pytest.approx((3.5, 4.0, 9.0))


def test_a_new_station_is_paid_in_its_year_and_runs_for_the_rest_of_it():
    found = lines(*STANDS, (365, ChangeKind.STATION_OPEN, 1), (365 + 73, ChangeKind.UNIT_IN_SERVICE, 2))
    assert found[2022, "build", "small"].outlay == (0, 0, 0)
    assert found[2023, "build", "small"].outlay == (10, 20, 30)
    assert found[2023, "build", "small"].annual == pytest.approx((10 / 50, 20 / 50, 30 / 50))
    assert found[2023, "vehicle", "pumper"].outlay == (7, 8, 9)
    assert found[2023, "vehicle", "pumper"].annual == pytest.approx((0.56, 0.64, 0.72))  # a tenth of 0.8 years
    assert found[2023, "station_running", "small"].annual == pytest.approx((8, 10, 12))
    assert found[0, "station_running", "small"].annual == pytest.approx((6, 7.5, 9))
    assert found[0, "build", "small"].outlay == (10, 20, 30)


def test_an_upgrade_pays_the_larger_class_less_the_smaller_and_its_added_unit():
    found = lines(*STANDS, (365, ChangeKind.UNIT_IN_SERVICE, 1))
    assert found[2023, "build", "large"].outlay == (100, 200, 300)
    assert found[2023, "build", "small"].outlay == (-30, -20, -10)
    assert found[2023, "vehicle", "pumper"].quantity == 1
    assert found[2023, "station_running", "large"].annual == pytest.approx((4, 5, 6))
    assert (2022, "station_running", "large") not in found or found[2022, "station_running", "large"].quantity == 0


def test_a_closed_station_and_a_withdrawn_unit_stop_running():
    found = lines(*STANDS, (365, ChangeKind.STATION_CLOSE, 0), (365, ChangeKind.UNIT_WITHDRAW, 0))
    assert found[2023, "station_running", "small"].quantity == 0
    assert found[2023, "vehicle_upkeep", "pumper"].quantity == 0


def test_what_is_built_before_the_window_is_paid_in_its_first_year_and_after_it_never():
    begun = Years((2023,), np.array([365]), np.array([730]))
    rows = the_changes(*STANDS, (100, ChangeKind.STATION_OPEN, 1))
    found = {(line.year, line.item): line for line in cost_lines(a_fleet(), rows, begun, PRICES, SETTINGS)}
    assert found[2023, "build"].outlay == (10, 20, 30)
    rows = the_changes(*STANDS, (800, ChangeKind.STATION_OPEN, 1))
    found = {(line.year, line.item): line for line in cost_lines(a_fleet(), rows, begun, PRICES, SETTINGS)}
    assert (2023, "build") not in found


def test_stations_of_other_cities_cost_this_city_nothing():
    rows = (*STANDS, (0, ChangeKind.STATION_OPEN, 1), (0, ChangeKind.UNIT_IN_SERVICE, 2))
    with_, without = lines(*rows, fleet=a_fleet(help_grade=(0, 3))), lines(*STANDS)
    assert with_ == without


def test_hours_flown_are_paid_by_the_hour():
    found = lines(*STANDS, flown_h={"helicopter": np.array([0.0, 30.0])})
    assert found[2023, "flying_hour", "helicopter"].outlay == (30, 30, 30)


def test_an_annuity_repays_its_loan():
    rate, owed = 0.08, 1.0
    for _ in range(25):
        owed = owed * (1 + rate) - annuity(rate, 25)
    assert owed == pytest.approx(0.0, abs=1e-12)
    assert annuity(0.0, 4) == 0.25


def test_years_are_those_of_the_measured_window():
    year = np.repeat(np.array([2021, 2022, 2023], dtype=np.int16), [14, 365, 100])
    years = measured_years(year, 14 * DAY, 479 * DAY)
    assert years.year == (2022, 2023)
    assert years.begin.tolist() == [14, 379]
    assert years.end.tolist() == [379, 479]


# --- prices -----------------------------------------------------------------------------------------------------------

HEAD = "item,of,unit,low,likely,high,currency,price_year,source,standing\n"
GOOD = """build,*,per station,10,20,30,CNY,2021,test,assumed
fit_out,*,per station,1,2,3,CNY,2023,test,assumed
station_running,*,per station and year,1,2,3,CNY,2023,test,assumed
vehicle,pumper,per unit,1,2,3,CNY,2023,test,assumed
vehicle_upkeep,*,share of the price a year,0.1,0.2,0.3,CNY,2021,test,assumed
people,*,per person and year,1,2,3,CNY,2023,test,assumed
flying_hour,*,per hour,1,2,3,CNY,2023,test,assumed
"""


def read(folder, text):
    (folder / "prices.csv").write_text(HEAD + text, encoding="utf-8")
    problems = Problems()
    return load_prices(folder, SETTINGS, ["small", "large"], ["pumper"], problems), [str(p) for p in problems.found]


def test_prices_are_carried_to_the_price_level_and_shares_are_not(tmp_path):
    prices, problems = read(tmp_path, GOOD)
    assert problems == []
    assert prices.price("build", "large") == pytest.approx((12.1, 24.2, 36.3))
    assert prices.price("fit_out", "small") == (1, 2, 3)
    assert prices.price("vehicle_upkeep", "pumper") == (0.1, 0.2, 0.3)


def test_a_city_without_prices_has_no_money(tmp_path):
    problems = Problems()
    assert load_prices(tmp_path, SETTINGS, ["small"], ["pumper"], problems) is None
    assert problems.found == []


def test_everything_wrong_with_prices_is_said_at_once(tmp_path):
    wrong = GOOD.replace("build,*,per station,10,20,30,CNY,2021", "build,*,per station,10,20,30,,")
    wrong = wrong.replace("vehicle,pumper", "vehicle,pumpr").replace("per hour,1,2,3,CNY", "per unit,1,2,3,USD")
    prices, problems = read(tmp_path, wrong)
    assert prices is None
    assert problems == [
        "prices.csv row 2: '' (currency) is empty; give a value",
        "prices.csv row 2: '' (price_year) is empty; give a value",
        "prices.csv row 8: 'per unit' (unit) does not go with the item; flying_hour is priced 'per hour'",
        "prices.csv row 8: 'USD' (currency) differs from that of the first row; give all prices in CNY",
        "prices.csv row 5: 'pumpr' (of) is nothing that has a vehicle; did you mean 'pumper'?",
    ]


def test_a_class_or_type_without_a_price_is_named(tmp_path):
    _, problems = read(tmp_path, GOOD.replace("vehicle,pumper", "vehicle,*").replace("build,*", "build,small"))
    mend = "give each a row, or one with of=*"
    assert problems == [f"prices.csv: has no price of build for large; {mend}"]


def test_a_price_range_must_ascend(tmp_path):
    _, problems = read(tmp_path, GOOD.replace("per station,10,20,30", "per station,10,5,30"))
    assert problems == ["prices.csv row 2: '10, 5, 30' (low, likely, high) do not ascend; give them in ascending order"]
