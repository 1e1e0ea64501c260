"""What a schedule makes of the plan's building table: other years, other towns, the same number of stations."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from sim.errors import InputError, Problems
from sim.fleet import ScheduleSettings
from sim.fleet.builds import by_demand, planned_builds

TOWN = np.array([0, 0, 0, 1, 1, 1, 2], dtype=np.int16)
EXISTING = np.array([True, False, False, True, True, False, False])
PLANNED = np.array([0, 2022, -1, 0, 0, 2022, 2023], dtype=np.int16)


def builds(weight=(1.0, 1.0, 1.0), **schedule):
    stations = SimpleNamespace(town=TOWN, is_existing=EXISTING, planned_year=PLANNED, n_stations=len(TOWN))
    settings = ScheduleSettings("test", "", "", is_plan_built=True, **schedule)
    problems = Problems()
    found = planned_builds(SimpleNamespace(stations=stations), settings, np.array(weight), problems)
    problems.raise_if_any()
    return sorted((b.year, b.town, b.site, b.station) for b in found)


def test_the_plan_opens_its_stations_in_its_years_and_leaves_spare_sites():
    assert builds() == [(2022, 0, 2, 1), (2022, 1, 3, 5), (2023, 2, 1, 6)]


def test_a_year_of_the_table_opens_in_the_year_it_is_given_and_the_others_in_their_own():
    assert builds(plan_year_opens_in={2022: 2024}) == [(2023, 2, 1, 6), (2024, 0, 2, 1), (2024, 1, 3, 5)]


def test_a_year_that_the_table_does_not_have_is_named():
    with pytest.raises(InputError, match=r"2021 \(plan_year_opens_in\) is no year of the plan's building table"):
        builds(plan_year_opens_in={2021: 2022})


def test_by_demand_as_many_open_a_year_each_where_a_station_has_most_to_do():
    # per station, the next one counted: 60/2, 50/3, 9/1 -> town 0; then 60/3, 50/3, 9 -> town 0; then 50/3, 9 -> town 1
    assert builds(allocation="by_demand", weight=(60.0, 50.0, 9.0)) == [
        (2022, 0, 2, 1),
        (2022, 0, 3, 2),
        (2023, 1, 3, 5),
    ]


def test_a_town_without_a_free_site_is_passed_over_and_no_site_is_built_twice():
    found = by_demand(TOWN, EXISTING, [(2022, 9)], np.array([1000.0, 1.0, 1.0]))
    assert [station for _, station in found] == [1, 2, 6, 5]


def test_in_the_committed_city_as_many_stations_stand_at_each_year_s_end_by_demand_as_planned(dongguan_open_stations):
    plan, demand = (dongguan_open_stations(allocation) for allocation in ("plan", "by_demand"))
    ends = [date(year, 12, 31) for year in (2022, 2023, 2024, 2025)]
    assert [plan(day) for day in ends] == [demand(day) for day in ends] == [135, 168, 183, 190]


@pytest.fixture
def dongguan_open_stations():
    from sim.api import settings
    from sim.assemble import InputsBuilder

    builder = InputsBuilder()

    def of(allocation):
        changes = builder.changes(settings(f"schedule={allocation}"), 0)
        return lambda day: [step.n_open for step in changes.staff_steps if step.day <= day][-1]

    return of
