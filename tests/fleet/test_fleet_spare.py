"""The 34 spare sites, one per town, beyond the plan's 190: closed in every schedule until a row opens one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from sim.assemble import InputsBuilder
from sim.compose import compose
from sim.engine import simulate
from sim.engine.log import LogKind
from sim.errors import InputError
from sim.fleet import ChangeKind, ScheduleRow, ScheduleSettings, load_schedule, load_staffing
from tests.fleet.conftest import CONFIGS, people_at

SCHEDULES = sorted(path.stem for path in (CONFIGS / "schedule").glob("*.yaml") if path.stem != "by_demand")
"""Every schedule that builds where the plan's table says."""
WITHOUT_BUILDS = ("shilong", "songshanhu", "zhangmutou", "wangniudun")


def spare_of(dongguan: SimpleNamespace) -> np.ndarray:
    return np.flatnonzero(dongguan.fleet.stations.planned_year == -1)


def plan_with(*rows: ScheduleRow, schedule: str = "plan") -> ScheduleSettings:
    settings, _ = load_schedule(CONFIGS / "schedule" / f"{schedule}.yaml")
    return replace(settings, rows=[*settings.rows, *rows])


def changes_of(dongguan: SimpleNamespace, schedule: ScheduleSettings):
    return dongguan.changes(schedule, load_staffing(CONFIGS / "staffing" / "plan_path.yaml")[0])


def opened(dongguan: SimpleNamespace, schedule: ScheduleSettings) -> list[int]:
    rows = changes_of(dongguan, schedule).rows
    return rows["entity"][rows["kind"] == ChangeKind.STATION_OPEN].tolist()


def test_there_are_190_planned_stations_and_34_spare_ones_the_last_of_each_town(dongguan: SimpleNamespace) -> None:
    stations = dongguan.fleet.stations
    assert Counter(np.sign(stations.planned_year).tolist()) == {0: 106, 1: 84, -1: 34}
    spare = spare_of(dongguan)
    assert stations.town[spare].tolist() == list(range(34))
    last = np.append(stations.town[1:] != stations.town[:-1], True)
    assert np.flatnonzero(last).tolist() == spare.tolist()


def test_spare_stations_are_small_with_two_vehicles_apart_from_the_plan_s(dongguan: SimpleNamespace) -> None:
    fleet, spare = dongguan.fleet, spare_of(dongguan)
    assert {fleet.classes.code[c] for c in fleet.stations.class_id[spare]} == {"small"}
    assert fleet.stations.later_class_id[spare].tolist() == [-1] * 34
    is_spare = np.isin(fleet.units.station, spare)
    assert fleet.unit_types.is_vehicle[fleet.units.type_id].all()
    assert (int(np.sum(~is_spare)), int(np.sum(is_spare))) == (569, 68)
    assert not fleet.units.is_added[is_spare].any()


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_no_schedule_of_the_plan_s_towns_opens_a_spare_station_mans_it_or_puts_its_vehicles_in_service(
    dongguan: SimpleNamespace, schedule: str
) -> None:
    changes = changes_of(dongguan, plan_with(schedule=schedule))
    spare, rows = spare_of(dongguan), changes.rows
    of_station = np.isin(rows["kind"], [ChangeKind.STATION_OPEN, ChangeKind.STATION_CLOSE, ChangeKind.STATION_PEOPLE])
    assert not np.isin(rows["entity"][of_station], spare).any()
    of_unit = np.isin(rows["kind"], [ChangeKind.UNIT_IN_SERVICE, ChangeKind.UNIT_WITHDRAW])
    assert not np.isin(dongguan.fleet.units.station[rows["entity"][of_unit]], spare).any()
    last = changes.staff_steps[-1]
    # plan_in_one_year opens the plan's stations by rows of its own, which upgrade none that is there already
    others = {"none": (106, 377), "plan_in_one_year": (190, 566)}
    assert (last.n_open, last.n_vehicles) == others.get(schedule, (190, 569))


@pytest.mark.parametrize("town", WITHOUT_BUILDS)
@pytest.mark.parametrize("is_named", [True, False])
def test_a_row_may_open_the_spare_station_of_a_town_in_which_the_plan_builds_nothing(
    dongguan: SimpleNamespace, town: str, is_named: bool
) -> None:
    t = dongguan.plan.code.index(town)
    site = int(np.sum(dongguan.fleet.stations.town == t)) if is_named else 0
    schedule = plan_with(ScheduleRow("2024-03-01", "open", town, site))
    found = set(opened(dongguan, schedule)) - set(opened(dongguan, plan_with()))
    assert found == {int(spare_of(dongguan)[t])}
    changes = changes_of(dongguan, schedule)
    at = changes.staff_steps[-1]
    assert (at.n_open, at.n_vehicles, at.n_empty) == (191, 571, 0)
    people = people_at(changes, at.time_ms, dongguan.fleet.stations.n_stations)
    assert people.sum() == at.on_duty
    assert people[spare_of(dongguan)[t]] >= 4


def test_the_next_site_of_a_town_is_the_plan_s_while_one_is_closed_then_the_spare_one_then_none(
    dongguan: SimpleNamespace,
) -> None:
    """Chashan has three standing stations, one to build and a spare site; nothing else is built."""
    chashan = dongguan.plan.code.index("chashan")
    own = np.flatnonzero(dongguan.fleet.stations.town == chashan).tolist()
    days = ("2024-03-01", "2024-04-01", "2024-05-01")
    rows = [ScheduleRow(day, "open", "chashan", 0) for day in days]
    base = set(opened(dongguan, plan_with(schedule="none")))
    assert set(opened(dongguan, plan_with(*rows[:1], schedule="none"))) - base == {own[-2]}
    assert set(opened(dongguan, plan_with(*rows[:2], schedule="none"))) - base == set(own[-2:])
    with pytest.raises(InputError, match=rf"all {len(own)} sites of 'chashan' are open"):
        changes_of(dongguan, plan_with(*rows, schedule="none"))


def test_an_open_spare_station_sends_its_vehicles_in_the_real_city() -> None:
    builder = InputsBuilder()
    settings = compose(["window=one_week", "schedule=plan", "schedule.is_outside_run_allowed=true"]).settings
    rows = [*settings.schedule.rows, ScheduleRow("2026-06-01", "open", "zhangmutou", 0)]
    changed = replace(settings, schedule=replace(settings.schedule, rows=rows))
    n_sent = []
    for one in (settings, changed):
        inputs = builder.build(one, 1)
        town = inputs.city.towns.code.index("zhangmutou")
        stations, units = inputs.fleet.stations, inputs.fleet.units
        spare = int(np.flatnonzero((stations.town == town) & (stations.planned_year == -1))[0])
        log = simulate(inputs).rows
        sent = log["unit"][log["kind"] == LogKind.DISPATCH]
        n_sent.append(int(np.sum(units.station[sent] == spare)))
    assert n_sent[0] == 0
    assert n_sent[1] > 0
