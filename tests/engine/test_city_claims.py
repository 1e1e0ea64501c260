"""What must hold of the engine in the real city: each test changes one thing and says what else may differ."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import simpy

from sim.assemble import InputsBuilder
from sim.compose import compose
from sim.engine import model, simulate
from sim.engine.build import build_world
from sim.engine.kernel import run_kernel
from sim.engine.log import LogKind
from sim.engine.static import static_responses
from sim.fleet.parts import ChangeKind
from sim.inputs import order_stations
from sim.units import MS_PER_H

WATER, AERIAL, RESCUE = 0, 1, 2
S = 1000
WEEK = ("window=one_week", "seed=1", "schedule.is_outside_run_allowed=true")
STATION_KINDS = (ChangeKind.STATION_CLOSE, ChangeKind.STATION_OPEN, ChangeKind.STATION_PEOPLE)
UNIT_KINDS = (ChangeKind.UNIT_WITHDRAW, ChangeKind.UNIT_IN_SERVICE)


def made(*overrides, replication=0):
    """The inputs of one run, made from nothing: no two calls share an object."""
    return InputsBuilder().build(compose((*WEEK, *overrides)).settings, replication)


@pytest.fixture(scope="module")
def nothing():
    return made("schedule=none")


@pytest.fixture(scope="module")
def plan():
    return made("schedule=plan")


def bytes_of(array):
    return array.dtype, array.shape, np.ascontiguousarray(array).tobytes()


def rows_of_kind(log, kind):
    return log.rows[log.rows["kind"] == kind]


def first_arrivals(inputs, log):
    """Dispatch to first arrival of each incident in the log, ms; -1 where nobody came."""
    arrivals, calls = rows_of_kind(log, LogKind.ARRIVE), rows_of_kind(log, LogKind.CALL)
    first = np.full(len(inputs.demand.incidents), np.iinfo(np.int64).max)
    np.minimum.at(first, arrivals["incident"], arrivals["time_ms"])
    due = np.empty_like(first)
    due[calls["incident"]] = calls["time_ms"]
    return np.where(first == np.iinfo(np.int64).max, -1, first - due), due


# --- what arms share ------------------------------------------------------------------------------------------------


def test_arms_share_every_incident_and_every_rank_bit_for_bit(nothing, plan):
    others = [plan, made("schedule=none", "dispatch=own_town_first", "travel=norm", "staffing=constant_026")]
    for other in others:
        assert bytes_of(other.demand.incidents) == bytes_of(nothing.demand.incidents)
        assert bytes_of(other.demand.surge_days) == bytes_of(nothing.demand.surge_days)
        assert bytes_of(other.slot_ranks) == bytes_of(nothing.slot_ranks)
        assert bytes_of(other.fleet.stations.cell) == bytes_of(nothing.fleet.stations.cell)
    assert bytes_of(plan.changes) != bytes_of(nothing.changes)
    assert bytes_of(others[1].travel.duration_ms) != bytes_of(nothing.travel.duration_ms)


def test_replications_share_no_incident_and_no_rank(nothing):
    other = made("schedule=none", replication=1)
    ranks = [run.slot_ranks[: min(len(nothing.slot_ranks), len(other.slot_ranks))] for run in (nothing, other)]
    assert (ranks[0] == ranks[1]).mean() < 1e-3
    pairs = [set(zip(*(run.demand.incidents[n].tolist() for n in ("identity", "call_ms")), strict=True))
             for run in (nothing, other)]  # fmt: skip
    assert not pairs[0] & pairs[1]


# --- one more station -----------------------------------------------------------------------------------------------


def opened(base, source, station):
    """`base` with one more station: the rows that `source` has for it and its units, and nothing else."""
    rows = source.changes
    its_units = np.flatnonzero(base.fleet.units.station == station)
    is_its_own = (rows["entity"] == station) & np.isin(rows["kind"], STATION_KINDS)
    is_its_own |= np.isin(rows["entity"], its_units) & np.isin(rows["kind"], UNIT_KINDS)
    both = np.concatenate([base.changes, rows[is_its_own]])
    return replace(base, changes=np.sort(both, order=["time_ms", "kind", "entity"]))


def n_reported_needs(inputs):
    rows, cards = inputs.demand.incidents, inputs.cards
    return np.array([
        (cards.from_grade[cards.start[kind] : cards.start[kind + 1]] <= grade).sum()
        for kind, grade in zip(rows["reported_kind"], rows["reported_grade"], strict=True)
    ])  # fmt: skip


def may_meet_a_new_hour(due_ms, within_ms=15 * 60 * S):
    """Whether the hour, and so the period of traffic, may change between the dispatch and the departure."""
    return due_ms // MS_PER_H != (due_ms + within_ms) // MS_PER_H


def test_one_more_station_never_slows_the_static_response_to_a_single_need():
    """The theorem. Nearest dispatch, one need, idle city, one period of traffic: the new choice has the smaller (or the
    same) expected drive, turnout and both factors belong to the slot, and a product rounded down keeps the order.

    Not a theorem: a change of period between dispatch and departure; several needs, where the new station frees people
    of another one whom an earlier need of the same incident then takes (both shown below in a tiny city).
    """
    summer = "window.measure_to=2026-09-01"
    nothing, plan = made("schedule=none", summer), made("schedule=plan", summer)
    before = static_responses(nothing)
    _, due_ms = first_arrivals(nothing, run_kernel(nothing))
    is_single = n_reported_needs(nothing) == 1
    is_in_scope = is_single & ~may_meet_a_new_hour(due_ms)
    n_worse, n_better, n_better_in_scope = 0, 0, 0
    for station in np.flatnonzero(nothing.fleet.stations.planned_year > 0):
        after = static_responses(opened(nothing, plan, station))
        is_worse = ((after < 0) | (after > before)) & (before >= 0)
        is_better = ((before < 0) | (after < before)) & (after >= 0)
        assert not (is_worse & is_in_scope).any(), station
        assert is_better.any(), station
        n_worse += is_worse.sum()
        n_better += is_better.sum()
        n_better_in_scope += (is_better & is_in_scope).sum()
    assert n_better_in_scope > 500
    assert n_worse < 0.01 * n_better


def test_one_more_station_leaves_every_call_as_it_was(nothing, plan):
    station = int(np.flatnonzero(nothing.fleet.stations.planned_year > 0)[0])
    more = opened(nothing, plan, station)
    logs = run_kernel(nothing), run_kernel(more)
    calls = [rows_of_kind(log, LogKind.CALL) for log in logs]
    for name in ("time_ms", "incident", "value"):
        assert (calls[0][name] == calls[1][name]).all()
    its_units = np.flatnonzero(more.fleet.units.station == station)
    assert np.isin(rows_of_kind(logs[1], LogKind.DISPATCH)["unit"], its_units).any()
    assert not np.isin(rows_of_kind(logs[0], LogKind.DISPATCH)["unit"], its_units).any()
    parts = [part for part, digest in nothing.digests().items() if more.digests()[part] != digest]
    assert parts == ["changes"]


def test_with_several_needs_a_new_station_can_slow_one_through_the_people_it_frees(tiny):
    def city(is_new_open):
        made = tiny(cards=[[(WATER, 1, True), (AERIAL, 1, True), (RESCUE, 1, True)]], minute_per_cell_s=60)
        old = made.station(cell=2, people=9)
        made.unit(old, WATER, crew_min=4, crew=6)
        made.unit(old, AERIAL, crew_min=7, crew=9)
        made.unit(old, RESCUE, crew_min=3, crew=3)
        made.unit(made.station(cell=9), AERIAL)
        made.unit(made.station(cell=8), RESCUE)
        made.unit(made.station(cell=1, is_open=is_new_open), WATER)
        made.incident(at_s=0, cell=0)
        return made

    def rescue_arrival_s(is_new_open):
        log = city(is_new_open).run()
        arrivals = rows_of_kind(log, LogKind.ARRIVE)
        return arrivals["time_ms"][np.isin(arrivals["unit"], [2, 4])].tolist()[0] / S - 60

    assert rescue_arrival_s(is_new_open=False) == 45 + 2 * 60
    assert rescue_arrival_s(is_new_open=True) == 45 + 8 * 60
    # the first arrival is another unit's, and sooner; only a long turnout of that unit could have made it later
    assert static_responses(city(False).inputs()).tolist() == [(45 + 120) * S]
    assert static_responses(city(True).inputs()).tolist() == [(45 + 60) * S]


def test_a_change_of_period_between_dispatch_and_departure_can_make_the_new_station_the_slower_one(tiny):
    def static_s(is_new_open):
        city = tiny(handling_s=(0, 0), turnout_s=(60, 60))
        city.unit(city.station(cell=3))
        city.unit(city.station(cell=5, is_open=is_new_open))
        city.incident(at_s=3570, cell=0)
        inputs = city.inputs()
        before_eight, after_eight = inputs.travel.duration_ms[0], inputs.travel.duration_ms[0].copy()
        before_eight = before_eight.copy()
        before_eight[5, 0] = 100 * S  # the new station is the nearer one until the hour strikes
        inputs.travel.duration_ms = np.stack([before_eight, after_eight])
        inputs.station_order = order_stations(inputs.travel.duration_ms, inputs.fleet.stations.cell)
        inputs.period_of_hour = np.minimum(np.arange(24 * 40), 1).astype(np.int8)
        return (static_responses(inputs) / S).tolist()

    assert static_s(is_new_open=False) == [60 + 180]
    assert static_s(is_new_open=True) == [60 + 300]


# --- call handling --------------------------------------------------------------------------------------------------


def with_handling_doubled(inputs):
    values = inputs.durations.values.copy()
    values[np.asarray(inputs.durations.handling)] *= 2
    return replace(inputs, durations=replace(inputs.durations, values=values))


def test_doubled_call_handling_delays_every_dispatch_by_its_own_length_and_no_idle_response(nothing):
    slow = with_handling_doubled(nothing)
    call_ms = nothing.demand.incidents["call_ms"]
    response, due = first_arrivals(nothing, run_kernel(nothing))
    slow_response, slow_due = first_arrivals(slow, run_kernel(slow))
    assert (slow_due - call_ms == 2 * (due - call_ms)).all()
    is_same_hour = (due // MS_PER_H == slow_due // MS_PER_H) & ~may_meet_a_new_hour(slow_due)
    static, slow_static = static_responses(nothing), static_responses(slow)
    assert is_same_hour.mean() > 0.5
    assert (static == slow_static)[is_same_hour].all()
    is_idle = is_same_hour & (response == static) & (slow_response == slow_static) & (response >= 0)
    assert is_idle.mean() > 0.4
    from_call = due + response - call_ms, slow_due + slow_response - call_ms
    assert (from_call[1] - from_call[0] == due - call_ms)[is_idle].all()


# --- the clock and the two engines ----------------------------------------------------------------------------------


def test_the_calendar_of_simpy_never_goes_back_and_counts_whole_milliseconds(plan, monkeypatch):
    instants = []

    class Watched(simpy.Environment):
        def schedule(self, event, priority, delay):
            assert isinstance(delay, int)
            assert delay >= 0
            super().schedule(event, priority, delay)

        def step(self):
            super().step()
            instants.append(self.now)

    monkeypatch.setattr(model.simpy, "Environment", Watched)
    city = model.CityModel(build_world(plan))
    log = city.run()
    assert len(instants) > len(plan.demand.incidents)
    assert all(isinstance(instant, int) for instant in instants)
    assert (np.diff(instants) >= 0).all()
    assert (np.diff(log.rows["time_ms"]) >= 0).all()


def test_what_is_still_to_come_does_not_touch_what_has_been(plan):
    whole = run_kernel(plan).rows
    until_ms = int(plan.demand.incidents["call_ms"][len(plan.demand.incidents) // 2])
    n = int((plan.demand.incidents["call_ms"] < until_ms).sum())
    kinds, cards = plan.demand.incidents, np.diff(plan.cards.start)
    is_other = kinds["kind"] != kinds["reported_kind"]
    n_slots = cards[kinds["kind"]] + np.where(is_other, cards[kinds["reported_kind"]], 0)
    kept = {f.name: getattr(plan.scenes, f.name)[:n] for f in fields(plan.scenes) if f.name != "supply_grade"}
    half = replace(
        plan, demand=replace(plan.demand, incidents=kinds[:n]), slot_ranks=plan.slot_ranks[: int(n_slots[:n].sum())],
        scenes=replace(plan.scenes, **kept),
    )  # fmt: skip
    cut = run_kernel(half).rows
    assert (whole[whole["time_ms"] < until_ms] == cut[cut["time_ms"] < until_ms]).all()
    assert (whole["time_ms"] < until_ms).sum() > 4 * n


A_MONTH = ("window.measure_from=2023-06-16", "window.measure_to=2023-07-16")


@pytest.mark.parametrize("rule", ["nearest", "own_town_first"])
def test_both_engines_agree_on_a_month_in_which_stations_open(rule):
    inputs = made("schedule=plan", f"dispatch={rule}", *A_MONTH)
    log = simulate(inputs, "both")
    opens = inputs.changes[(inputs.changes["kind"] == ChangeKind.STATION_OPEN) & (inputs.changes["time_ms"] > 0)]
    assert len(opens) > 20
    assert len(rows_of_kind(log, LogKind.CALL)) > 1000


@pytest.mark.slow
def test_both_engines_agree_on_the_whole_window():
    inputs = InputsBuilder().build(compose(("window=plan_period", "schedule=plan")).settings, 3)
    assert len(rows_of_kind(simulate(inputs, "both"), LogKind.CALL)) > 50_000
