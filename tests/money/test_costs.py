"""What a scenario costs, added up by hand in a city of two stations."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from sim.errors import Problems
from sim.fleet.parts import CHANGE_DTYPE, UNIT_TRAITS_DTYPE, ChangeKind, UnitMode
from sim.money import Levers, MoneySettings, Prices, Years, cost_lines, load_prices, measured_years
from sim.money.costs import annuity

DAY = 86_400_000
SETTINGS = MoneySettings("test", "", "", 2023, 0.1, 0.0, 50, 10, 10, 20)
PRICES = Prices(
    "CNY",
    {
        ("build", "*"): (10.0, 20.0, 30.0),
        ("build", "large"): (100.0, 200.0, 300.0),
        ("land", "*"): (2.0, 3.0, 8.0),
        ("land", "large"): (20.0, 30.0, 80.0),
        ("fit_out", "*"): (1.0, 2.0, 3.0),
        ("station_running", "*"): (4.0, 5.0, 6.0),
        ("vehicle", "*"): (7.0, 8.0, 9.0),
        ("vehicle_upkeep", "*"): (0.5, 0.5, 1.0),
        ("people", "*"): (1.0, 2.0, 4.0),
        ("pilots", "*"): (6.0, 7.0, 8.0),
        ("hydrant", "*"): (1.0, 2.0, 5.0),
        ("hydrant_upkeep", "*"): (0.5, 1.0, 2.0),
        ("air_field", "*"): (100.0, 200.0, 400.0),
        ("air_field_upkeep", "*"): (0.01, 0.02, 0.05),
        ("aircraft_contract", "*"): (5.0, 10.0, 20.0),
        ("aircraft_share", "*"): (0.1, 0.5, 1.0),
        ("flying_hour", "*"): (2.0, 3.0, 4.0),
        ("own_flying_hour", "*"): (1.0, 1.0, 1.0),
    },
)
YEARS = Years((2022, 2023), np.array([0, 365]), np.array([365, 730]))


def a_fleet(help_grade=(0, 0)):
    stations = SimpleNamespace(
        class_id=np.array([0, 0]), later_class_id=np.array([1, -1]), is_existing=np.array([True, False]),
        help_grade=np.array(help_grade),
    )  # fmt: skip
    traits = np.zeros(3, dtype=UNIT_TRAITS_DTYPE)
    units = SimpleNamespace(
        station=np.array([0, 0, 1]), type_id=np.array([0, 0, 0]), is_added=np.array([False, True, False]), traits=traits
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
    levers = Levers(**more)
    found = cost_lines(fleet or a_fleet(), the_changes(*rows, staff=staff), YEARS, PRICES, settings, levers)
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
    assert found[2022, "land", "small"].outlay == (0, 0, 0)
    assert found[2023, "land", "small"].outlay == (2, 3, 8)
    assert found[2023, "land", "small"].annual == pytest.approx((2 / 50, 3 / 50, 8 / 50))
    assert found[2023, "vehicle", "pumper"].outlay == (7, 8, 9)
    assert found[2023, "vehicle", "pumper"].annual == pytest.approx((0.56, 0.64, 0.72))  # a tenth of 0.8 years
    assert found[2023, "station_running", "small"].annual == pytest.approx((8, 10, 12))
    assert found[0, "station_running", "small"].annual == pytest.approx((6, 7.5, 9))
    assert found[0, "build", "small"].outlay == (10, 20, 30)


def test_an_upgrade_pays_the_larger_class_less_the_smaller_and_its_added_unit():
    found = lines(*STANDS, (365, ChangeKind.UNIT_IN_SERVICE, 1))
    assert found[2023, "build", "large"].outlay == (100, 200, 300)
    assert found[2023, "land", "large"].outlay == (20, 30, 80)
    assert found[2023, "land", "small"].outlay == (-8, -3, -2)
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


# --- teams, aircraft and what is in no dated change -------------------------------------------------------------------


def with_a_base(mode=UnitMode.ROAD):
    """Return the two stations, and a base of one unit behind them; a base has no class."""
    fleet = a_fleet()
    for name, value in {"class_id": -1, "later_class_id": -1, "is_existing": False, "help_grade": 0}.items():
        setattr(fleet.stations, name, np.append(getattr(fleet.stations, name), value))
    for name, value in {"station": 2, "type_id": 1, "is_added": False}.items():
        setattr(fleet.units, name, np.append(getattr(fleet.units, name), value))
    fleet.units.traits = np.zeros(4, dtype=UNIT_TRAITS_DTYPE)
    fleet.units.traits["mode"][3] = mode
    fleet.unit_types.code = ("pumper", "craft")
    return fleet


COMES = (*STANDS, (365, ChangeKind.STATION_OPEN, 2), (365, ChangeKind.UNIT_IN_SERVICE, 3))


def test_a_base_of_a_team_buys_its_vehicles_and_no_building():
    found = lines(*COMES, fleet=with_a_base())
    assert {item for _, item, _ in found} == {"people", "station_running", "vehicle", "vehicle_upkeep"}
    assert {of for _, item, of in found if item == "station_running"} == {"small"}
    assert found[2023, "vehicle", "craft"].outlay == (7, 8, 9)
    assert found[2023, "vehicle_upkeep", "craft"].annual == pytest.approx((3.5, 4.0, 9.0))


def test_a_boat_that_stands_from_before_the_plan_is_not_bought():
    found = lines(*COMES, fleet=with_a_base(UnitMode.WATER), paid_units=frozenset({3}))
    assert (2023, "vehicle", "craft") not in found
    assert found[2023, "vehicle_upkeep", "craft"].annual == pytest.approx((3.5, 4.0, 9.0))


def flying(aviation):
    flown_h = {"craft": np.array([0.0, 30.0])}
    found = lines(*COMES, fleet=with_a_base(UnitMode.AIR), aviation=aviation, flown_h=flown_h)
    return {item: line for (year, item, of), line in found.items() if year == 2023 and of in ("craft", "*")}


def test_an_aircraft_of_ones_own_is_bought_kept_up_given_a_field_and_paid_by_the_hour():
    found = flying("own")
    running = {"people", "pilots", "vehicle_upkeep", "air_field_upkeep", "own_flying_hour"}
    assert found.keys() == running | {"vehicle", "air_field"}
    assert found["vehicle"].outlay == (7, 8, 9)
    assert found["vehicle_upkeep"].annual == pytest.approx((3.5, 4.0, 9.0))
    assert found["air_field"].outlay == (100, 200, 400)
    assert found["air_field_upkeep"].annual == pytest.approx((1, 4, 20))
    assert found["pilots"].annual == pytest.approx((6, 7, 8))
    assert found["own_flying_hour"].outlay == (30, 30, 30)


def test_a_contractors_aircraft_costs_its_contract_and_the_contractors_hours():
    found, year = flying("buy_service"), 365 / 365.25
    assert found.keys() == {"people", "aircraft_contract", "flying_hour"}
    assert found["aircraft_contract"].outlay == pytest.approx((5 * year, 10 * year, 20 * year))
    assert found["flying_hour"].outlay == (60, 90, 120)


def test_a_shared_aircraft_costs_a_share_of_price_and_upkeep_a_year():
    found = flying("shared")
    assert found.keys() == {"people", "aircraft_share", "own_flying_hour"}
    # price (7, 8, 9) x (upkeep (0.5, 0.5, 1) + a tenth a year) x share (0.1, 0.5, 1)
    assert found["aircraft_share"].annual == pytest.approx((0.42, 2.4, 9.9))


def test_a_replaced_vehicle_is_paid_at_the_price_of_a_new_one_from_its_day_on():
    found = lines(*STANDS, replaced=((365.0 + 73, "pumper", 2.5),))
    assert found[2023, "replacement", "pumper"].outlay == pytest.approx((17.5, 20, 22.5))
    assert found[2023, "replacement", "pumper"].annual == pytest.approx((1.4, 1.6, 1.8))  # a tenth of 0.8 years
    assert found[2022, "replacement", "pumper"].outlay == (0, 0, 0)


def test_hydrants_are_paid_as_they_come_and_serve_twenty_years():
    found = lines(*STANDS, hydrants=((-100.0, 20.0), (365.0, 20.0), (900.0, 20.0)))
    assert found[2022, "hydrant", "*"].outlay == (20, 40, 100)  # what came before the window is paid in its first year
    assert found[2023, "hydrant", "*"].outlay == (20, 40, 100)
    assert found[2023, "hydrant", "*"].annual == pytest.approx((2, 4, 10))
    assert found[0, "hydrant", "*"].quantity == 40
    assert found[2022, "hydrant_upkeep", "*"].annual == pytest.approx((10, 20, 40))  # the twenty that have come
    assert found[2023, "hydrant_upkeep", "*"].annual == pytest.approx((20, 40, 80))


def test_people_on_top_of_the_staff_are_paid_from_their_day_on():
    found = lines(*STANDS, people=((0.0, 5.0), (365.0, 20.0)))
    assert found[2022, "people", "*"].annual == pytest.approx((15, 30, 60))
    assert found[2023, "people", "*"].annual == pytest.approx((30, 60, 120))


def test_a_line_tells_the_length_of_its_year():
    found = lines(*STANDS)
    assert found[2022, "people", "*"].length == pytest.approx(365 / 365.25)
    assert found[0, "people", "*"].length == pytest.approx(730 / 365.25)


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
hydrant,*,per hydrant,1,2,3,CNY,2023,test,assumed
air_field,*,per field,1,2,3,CNY,2023,test,assumed
aircraft_contract,*,per aircraft and year,1,2,3,CNY,2023,test,assumed
aircraft_share,*,share of the yearly cost,0.1,0.2,0.3,CNY,2021,test,assumed
flying_hour,*,per hour,1,2,3,CNY,2023,test,assumed
own_flying_hour,heli,per hour,1,2,3,CNY,2023,test,assumed
land,*,per station,1,2,3,CNY,2023,test,assumed
pilots,*,per aircraft and year,1,2,3,CNY,2023,test,assumed
hydrant_upkeep,*,per hydrant and year,1,2,3,CNY,2023,test,assumed
air_field_upkeep,*,share of the price a year,0.1,0.2,0.3,CNY,2021,test,assumed
"""


def read(folder, text):
    (folder / "prices.csv").write_text(HEAD + text, encoding="utf-8")
    problems = Problems()
    prices = load_prices(folder, SETTINGS, ["small", "large"], ["pumper"], problems, ["heli"])
    return prices, [str(p) for p in problems.found]


def test_prices_are_carried_to_the_price_level_and_shares_are_not(tmp_path):
    prices, problems = read(tmp_path, GOOD)
    assert problems == []
    assert prices.price("build", "large") == pytest.approx((12.1, 24.2, 36.3))
    assert prices.price("fit_out", "small") == (1, 2, 3)
    assert prices.price("vehicle_upkeep", "pumper") == (0.1, 0.2, 0.3)
    assert prices.price("aircraft_share", "heli") == (0.1, 0.2, 0.3)


def test_a_city_without_prices_has_no_money(tmp_path):
    problems = Problems()
    assert load_prices(tmp_path, SETTINGS, ["small"], ["pumper"], problems) is None
    assert problems.found == []


def test_everything_wrong_with_prices_is_said_at_once(tmp_path):
    wrong = GOOD.replace("build,*,per station,10,20,30,CNY,2021", "build,*,per station,10,20,30,,")
    wrong = wrong.replace("vehicle,pumper", "vehicle,pumpr")
    wrong = wrong.replace("\nflying_hour,*,per hour,1,2,3,CNY", "\nflying_hour,*,per unit,1,2,3,USD")
    prices, problems = read(tmp_path, wrong)
    assert prices is None
    assert problems == [
        "prices.csv row 2: '' (currency) is empty; give a value",
        "prices.csv row 2: '' (price_year) is empty; give a value",
        "prices.csv row 12: 'per unit' (unit) does not go with the item; flying_hour is priced 'per hour'",
        "prices.csv row 12: 'USD' (currency) differs from that of the first row; give all prices in CNY",
        "prices.csv row 5: 'pumpr' (of) is nothing that has a vehicle; did you mean 'pumper'?",
    ]


def test_a_class_or_type_without_a_price_is_named(tmp_path):
    _, problems = read(tmp_path, GOOD.replace("vehicle,pumper", "vehicle,*").replace("build,*", "build,small"))
    mend = "give each a row, or one with of=*"
    assert problems == [f"prices.csv: has no price of build for large; {mend}"]


def test_a_price_range_must_ascend(tmp_path):
    _, problems = read(tmp_path, GOOD.replace("per station,10,20,30", "per station,10,5,30"))
    assert problems == ["prices.csv row 2: '10, 5, 30' (low, likely, high) do not ascend; give them in ascending order"]


def test_a_share_above_one_and_an_aircraft_without_a_price_are_told(tmp_path):
    wrong = GOOD.replace("0.1,0.2,0.3,CNY,2021,test,assumed\nflying", "0.1,0.2,30,CNY,2021,test,assumed\nflying")
    _, problems = read(tmp_path, wrong.replace("own_flying_hour,heli", "own_flying_hour,hely"))
    assert problems == [
        "prices.csv row 11: '30' (high) is a share and above 1; write 10 % as 0.1",
        "prices.csv row 13: 'hely' (of) is nothing that has a own_flying_hour; did you mean 'heli'?",
        "prices.csv: has no price of own_flying_hour for heli; give each a row, or one with of=*",
    ]
