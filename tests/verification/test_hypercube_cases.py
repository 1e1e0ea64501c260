"""The engines against the exact hypercube: what is read from a log, and that a wrong model is seen.

That the cases hold is tested with all others, and at full length with the page of their results; here each is shown to
fail where it must.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim.engine.log import LOG_DTYPE, EventLog, LogKind
from sim.inputs import RunInputs
from sim.verification.checks import KERNEL, Check
from sim.verification.hypercube import Hypercube, solve
from sim.verification.played import Played
from sim.verification.spatial import REPLICATIONS, Seen, compared, see, watched, ways_s
from sim.verification.spatial_cities import SpatialCity, larson_city, loss_city, nearest_first, sent_on_city

Watched = tuple[RunInputs, list[Seen]]


@pytest.fixture(scope="module")
def of_larson() -> Watched:
    return watched(larson_city(), KERNEL, REPLICATIONS["short", KERNEL])


@pytest.fixture(scope="module")
def of_loss() -> Watched:
    return watched(loss_city(), KERNEL, REPLICATIONS["short", KERNEL])


def held_against(city: SpatialCity, model: Hypercube, seen: Watched) -> dict[str, Check]:
    """Return the checks of what was seen of a city, by name, against a model that need not be its own."""
    inputs, of_all = seen
    return {check.name: check for check in compared(city, solve(model), inputs, of_all, KERNEL)}


def with_orders(model: Hypercube, atom: int, order: tuple[int, ...]) -> Hypercube:
    orders = model.order.copy()
    orders[atom] = order
    return replace(model, order=orders)


def test_backups_of_one_atom_the_wrong_way_round_are_seen(of_larson: Watched) -> None:
    city = larson_city()
    wrong = held_against(city, with_orders(city.model, 0, (0, 2, 1)), of_larson)
    assert not wrong["fractions"].holds
    assert wrong["busy"].holds  # as many are busy, whoever they are


def test_areas_of_two_units_exchanged_are_seen_in_their_workloads(of_loss: Watched) -> None:
    city = loss_city()
    order = city.model.order.copy()
    order[order == 0], order[city.model.order == 3] = 3, 0
    wrong = held_against(city, replace(city.model, order=order), of_loss)
    assert not any(wrong[name].holds for name in ("workload_1", "workload_4", "travel", "fractions"))
    assert wrong["met_all_busy"].holds


def test_a_line_taken_for_a_loss_is_seen(of_larson: Watched) -> None:
    city = larson_city()
    wrong = held_against(city, replace(city.model, line="loss"), of_larson)
    assert not any(wrong[name].holds for name in ("met_all_busy", "busy", "workload_1", "workload_2", "workload_3"))


@pytest.mark.slow
def test_units_taken_to_start_from_home_and_priorities_taken_for_none_are_seen() -> None:
    city = sent_on_city()
    seen = watched(city, KERNEL, REPLICATIONS["short", KERNEL])
    right, steady = held_against(city, city.model, seen), solve(city.model)
    from_home = steady.mean_travel(ways_s(city, seen[0])[0])
    for name, wrong in (("travel", from_home), ("wait_1", steady.mean_wait), ("wait_2", steady.mean_wait)):
        assert right[name].holds
        assert not replace(right[name], expected=wrong).holds


@pytest.fixture(scope="module", params=[larson_city, loss_city, sent_on_city])
def at_full_length(request: pytest.FixtureRequest) -> tuple[SpatialCity, Watched]:
    city = request.param()
    return city, watched(city, KERNEL, REPLICATIONS["full", KERNEL])


@pytest.mark.slow
def test_the_model_holds_at_full_length(at_full_length: tuple[SpatialCity, Watched]) -> None:
    city, seen = at_full_length
    assert [check for check in held_against(city, city.model, seen).values() if not check.holds] == []


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.98, 1.02])
def test_two_percent_more_or_fewer_calls_are_seen(at_full_length: tuple[SpatialCity, Watched], factor: float) -> None:
    city, seen = at_full_length
    model = city.model
    wrong = held_against(city, replace(model, call_rate=model.call_rate * factor), seen)
    assert not wrong["busy"].holds
    assert not wrong["met_all_busy"].holds


def test_a_city_in_which_driving_counts_is_seen(of_loss: Watched) -> None:
    city, (inputs, seen) = loss_city(), of_loss
    slow = [replace(it, travel_s=it.travel_s * 10.0) for it in seen]
    table_ms = inputs.travel.duration_ms * 10
    slower = replace(inputs, travel=replace(inputs.travel, duration_ms=table_ms))
    checks = {check.name: check for check in compared(city, solve(city.model), slower, slow, KERNEL)}
    assert checks["travel"].holds
    assert not checks["bias"].holds


def test_too_few_replications_make_the_checks_blind(of_larson: Watched) -> None:
    city, (inputs, seen) = larson_city(), of_larson
    noisy = [replace(it, workload=it.workload * (0.1 if number % 2 else 1.9)) for number, it in enumerate(seen)]
    checks = {check.name: check for check in compared(city, solve(city.model), inputs, noisy, KERNEL)}
    assert checks["busy"].verdict == "blind"


def test_what_is_seen_of_a_log_worked_out_by_hand(of_larson: Watched) -> None:
    """Two calls in a window of 1,000 s: unit 1 goes at once; the other waits 50 s for unit 2, taken since before."""
    city, inputs = larson_city(), of_larson[0]
    begin = inputs.calendar.measure_from_ms
    cells = inputs.demand.incidents["cell"]
    first, second = int(np.flatnonzero(cells == 0)[0]), int(np.flatnonzero(cells == 5)[0])
    told = [
        (-100, LogKind.DISPATCH, first, 1, 0), (-95, LogKind.ARRIVE, first, 1, 0), (100, LogKind.CALL, first, -1, -1),
        (100, LogKind.DISPATCH, first, 0, 1), (104, LogKind.ARRIVE, first, 0, 1),
        (150, LogKind.CALL, second, -1, -1), (150, LogKind.WAIT, second, -1, -1), (200, LogKind.AVAILABLE, -1, 1, 0),
        (200, LogKind.DISPATCH, second, 1, 2), (209, LogKind.ARRIVE, second, 1, 2),
        (700, LogKind.AVAILABLE, -1, 0, 1), (1_300, LogKind.AVAILABLE, -1, 1, 2),
    ]  # fmt: skip
    rows = np.zeros(len(told), dtype=LOG_DTYPE)
    for row, (at_s, kind, incident, unit, mission) in zip(rows, told, strict=True):
        row["time_ms"], row["kind"], row["incident"] = begin + 1_000 * at_s, kind, incident
        row["unit"], row["mission"] = unit, mission
    calendar = replace(inputs.calendar, measure_to_ms=begin + 1_000_000)
    none, kind = np.zeros(0, dtype=np.int64), np.zeros(2, dtype=np.int64)
    call_ms, sent_ms = np.array([begin + 100_000, begin + 150_000]), np.array([begin + 100_000, begin + 200_000])
    played = Played(replace(inputs, calendar=calendar), EventLog(rows), call_ms, sent_ms, kind, none, none, none, none)
    seen = see(played, city)
    assert seen.workload.tolist() == [0.6, 1.0, 0.0]
    assert (seen.n_calls, seen.n_met_all_busy, seen.n_of_class.tolist(), seen.wait_s.tolist()) == (2, 1, [2], [50.0])
    assert seen.sent.sum() == 2
    assert (seen.sent[0, 0], seen.sent[1, 5]) == (1, 1)
    assert (seen.travel_s[0, 0], seen.travel_s[1, 5]) == (4.0, 9.0)


def test_driving_times_that_order_units_otherwise_are_refused(of_larson: Watched) -> None:
    city = larson_city()
    other = replace(city, model=with_orders(city.model, 0, (1, 0, 2)))
    with pytest.raises(AssertionError, match="do not order its units"):
        ways_s(other, of_larson[0])


def test_two_homes_as_far_from_an_atom_are_refused() -> None:
    with pytest.raises(ValueError, match="as far"):
        nearest_first([(0, 0)], [(1, 0), (0, 1)])
