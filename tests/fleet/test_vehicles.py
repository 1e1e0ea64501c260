"""Vehicles grow old and break down: the same bad days in every scenario, more of them with age, and nothing else."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest

from sim.assemble import InputsBuilder
from sim.compose import compose
from sim.errors import InputError
from sim.fleet.parts import ChangeKind, Changes
from sim.fleet.vehicle_settings import VehicleSettings
from sim.fleet.vehicles import replaced_vehicles, with_breakdowns
from sim.units import MS_PER_DAY

YEAR = ("window=first_full_year", "schedule.is_outside_run_allowed=true")
NEW = VehicleSettings(
    "tiny", "小", "tiny", "aging", age_share=[1.0], failures_per_year=2.0, repair_from_days=1, repair_to_days=3
)


@pytest.fixture(scope="module")
def builder() -> InputsBuilder:
    return InputsBuilder()


def _made(builder: InputsBuilder, settings: VehicleSettings, schedule: str = "plan", replication: int = 0) -> Changes:
    chosen = compose([*YEAR, f"schedule={schedule}"]).settings
    fleet, calendar = builder.fleet(chosen, replication), builder.calendar(chosen)
    return with_breakdowns(builder.changes(chosen, replication), fleet, settings, calendar, chosen.seed, replication)


def _of(changes: Changes, kind: ChangeKind) -> np.ndarray:
    return changes.rows[changes.rows["kind"] == kind]


def test_every_vehicle_that_fails_is_mended_before_it_fails_again_and_within_the_bounds(builder):
    changes = _made(builder, NEW)
    fails, mended = _of(changes, ChangeKind.UNIT_FAILS), _of(changes, ChangeKind.UNIT_MENDED)
    assert len(fails) > 500
    for unit in np.unique(fails["entity"]).tolist():
        begin = fails["time_ms"][fails["entity"] == unit]
        end = mended["time_ms"][mended["entity"] == unit]
        assert len(begin) - len(end) in (0, 1)
        lasts = end - begin[: len(end)]
        assert ((lasts > MS_PER_DAY) & (lasts <= 3 * MS_PER_DAY + 1)).all()
        assert (begin[1 : len(end) + 1] >= end[: len(begin) - 1]).all()


def test_vehicles_fail_as_often_as_their_age_says(builder):
    """About 575 vehicles over 393 days at two a year, 3 standard errors; two days in 365 are spent in repair."""
    chosen = compose([*YEAR, "schedule=plan"]).settings
    n_days = builder.calendar(chosen).n_days
    fleet = builder.fleet(chosen, 0)
    in_service = np.unique(_of(builder.changes(chosen, 0), ChangeKind.UNIT_IN_SERVICE)["entity"])
    n_vehicles = int(fleet.unit_types.is_vehicle[fleet.units.type_id[in_service]].sum())
    expected = n_vehicles * n_days / 365.25 * 2 / (1 + 2 * 2 / 365.25)
    assert len(_of(_made(builder, NEW), ChangeKind.UNIT_FAILS)) == pytest.approx(expected, abs=3 * expected**0.5)
    old = dataclasses.replace(NEW, age_share=[0.0] * 10 + [1.0], growth_per_year=0.1)
    assert len(_of(_made(builder, old), ChangeKind.UNIT_FAILS)) > 1.6 * expected


def test_a_vehicle_has_the_same_bad_days_under_every_schedule(builder):
    settings = dataclasses.replace(NEW, age_share=[0.5, 0.5])
    none, plan = (_of(_made(builder, settings, schedule), ChangeKind.UNIT_FAILS) for schedule in ("none", "plan"))
    assert len(none) < len(plan)
    assert np.array_equal(none, plan[np.isin(plan["entity"], none["entity"])])


def test_a_higher_rate_keeps_every_first_breakdown_or_brings_it_forward(builder):
    low, high = (_made(builder, dataclasses.replace(NEW, failures_per_year=rate)) for rate in (1.0, 2.0))
    first = []
    for changes in (low, high):
        fails = _of(changes, ChangeKind.UNIT_FAILS)
        unit, at = np.unique(fails["entity"], return_index=True)
        first.append(dict(zip(unit.tolist(), fails["time_ms"][at].tolist(), strict=True)))
    assert set(first[0]) <= set(first[1])
    assert all(first[1][unit] <= time for unit, time in first[0].items())


def test_replacement_leaves_no_vehicle_beyond_its_age_by_more_than_a_year(builder):
    old = dataclasses.replace(NEW, age_share=[0.0] * 8 + [0.5, 0.5])
    kept, replaced = (
        _of(_made(builder, dataclasses.replace(old, replace_at_years=n)), ChangeKind.UNIT_FAILS) for n in (0, 10)
    )
    assert kept["value"].max() > 14 * 365
    assert replaced["value"].max() < 11.1 * 365.25
    a_few = dataclasses.replace(old, replace_at_years=10, replace_most=5)
    assert _of(_made(builder, a_few), ChangeKind.UNIT_FAILS)["value"].max() > 11.1 * 365.25


def test_as_many_vehicles_are_bought_anew_as_are_due_and_none_where_none_is_replaced(builder):
    """All of 8.0 to 9.99 years at the end of 2020: each is past ten on one of 1 July 2021 to 2023, and none again."""
    chosen = compose([*YEAR, "schedule=none"]).settings
    fleet, calendar, changes = builder.fleet(chosen, 0), builder.calendar(chosen), builder.changes(chosen, 0)
    old = dataclasses.replace(NEW, age_share=[0.0] * 8 + [0.5, 0.5], ages_on="2020-12-31")
    given = (calendar, chosen.seed, 0)
    assert replaced_vehicles(changes, fleet, old, *given) == []
    due = replaced_vehicles(changes, fleet, dataclasses.replace(old, replace_at_years=10), *given)
    in_service = np.unique(_of(changes, ChangeKind.UNIT_IN_SERVICE)["entity"])
    assert (
        sorted(unit for _, unit in due)
        == in_service[fleet.unit_types.is_vehicle[fleet.units.type_id[in_service]]].tolist()
    )
    days = {(date(year, 7, 1) - calendar.start).days for year in (2021, 2022, 2023)}
    assert {day for day, _ in due} == days
    five = replaced_vehicles(changes, fleet, dataclasses.replace(old, replace_at_years=10, replace_most=5), *given)
    by_day = np.unique([day for day, _ in five], return_counts=True)[1]
    assert by_day.tolist() == [5] * 6  # 1 July of 2021 to 2026


def test_a_vehicle_withdrawn_earlier_is_not_replaced_and_takes_no_other_s_turn(builder):
    """The five whose turn is the 1 July within the run, withdrawn before: the five next in age are bought anew."""
    chosen = compose([*YEAR, "schedule=none"]).settings
    fleet, calendar, changes = builder.fleet(chosen, 0), builder.calendar(chosen), builder.changes(chosen, 0)
    settings = dataclasses.replace(
        NEW, age_share=[0.0] * 8 + [0.5, 0.5], ages_on="2020-12-31", replace_at_years=10, replace_most=5
    )
    given = (fleet, settings, calendar, chosen.seed, 0)
    turn = [unit for day, unit in replaced_vehicles(changes, *given) if day > 0]
    gone = np.zeros(5, dtype=changes.rows.dtype)
    gone["time_ms"], gone["kind"], gone["entity"] = 1, ChangeKind.UNIT_WITHDRAW, turn
    rows = np.concatenate([changes.rows, gone])
    withdrawn = dataclasses.replace(changes, rows=rows[np.lexsort((rows["entity"], rows["kind"], rows["time_ms"]))])
    next_turn = [unit for day, unit in replaced_vehicles(withdrawn, *given) if day > 0]
    assert len(next_turn) == 5
    assert not set(next_turn) & set(turn)


def test_breakdowns_change_the_dated_changes_and_no_other_part_of_the_inputs(builder):
    off, on = (builder.build(compose([*YEAR, f"vehicles={name}"]).settings, 2).digests() for name in ("none", "aging"))
    assert {part for part in on if on[part] != off[part]} == {"changes"}


def test_every_fault_of_the_vehicles_is_told_together():
    with pytest.raises(InputError) as caught:
        compose(
            ["vehicles=aging", "vehicles.age_share=[0.5]", "vehicles.repair_to_days=0.5", "vehicles.ages_on=2020-13-31"]
        )
    assert [problem.value for problem in caught.value.problems] == [0.5, 0.5, "2020-13-31"]
