"""Who is sent in the synthetic cities: shares, orders and patterns come back, and random dispatch is said to be so."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.fit.choice import choices, passed_over, revealed_order
from calibration.fit.sent import Responses, fit_ends, fit_sent
from calibration.fit.travel import fit_travel
from calibration.scores import Known, observed
from tests.calibration.cities import compact, sprawl
from tests.calibration.cities.dispatch import NEVER
from tests.calibration.cities.travel import road_m
from tests.calibration.cities.worlds import ENGINE, Shape, world_of


def planned_s(world):
    """Gives seconds from the middle of each patch to each station, as the city's dispatchers know them."""
    return world.curve_s(road_m(world, world.patch_middle_m(), world.xy_m))


def chosen(truth, expected_s, *, is_free_known=True):
    first = np.flatnonzero(truth.history.slot == 0)
    station = np.full(len(truth.calls), -1)
    station[truth.history.call[first]] = truth.history.station[first]
    is_free = truth.is_free(ENGINE) if is_free_known else None
    place = truth.world.patch_middle_m()
    return choices(expected_s, place, truth.calls.patch, station, truth.call_day, is_free=is_free)


def test_who_knows_the_district_map_counts_four_calls_in_a_hundred_passed_over_and_none_else():
    truth = compact(None, 6_000)
    seen = chosen(truth, planned_s(truth.world) * np.exp(truth.world.preference))
    order = revealed_order(seen)
    found = passed_over(seen, order)
    assert found.shares[1] == pytest.approx(0.04, abs=3 * found.se[1])
    assert found.shares[2:].tolist() == [0.0, 0.0]
    assert found.se[1] == pytest.approx(np.sqrt(0.04 * 0.96 / 6_000), rel=0.3)
    assert found.contradicted.value == 0.0
    assert found.reasons == ()


def test_the_district_map_is_revealed_by_who_was_sent():
    truth = compact(None, 20_000, preference=2.0 * world_of(Shape.COMPACT, 1).preference)
    seen = chosen(truth, planned_s(truth.world))
    order = revealed_order(seen)
    as_planned = np.argmin(planned_s(truth.world), axis=1)
    drawn = np.argmin(planned_s(truth.world) * np.exp(truth.world.preference), axis=1)
    by_records = np.argmin(order.raised_s, axis=1)
    n_calls = np.bincount(truth.calls.patch, minlength=len(drawn))
    assert np.average(as_planned == drawn, weights=n_calls) < 0.95
    assert np.average(by_records == drawn, weights=n_calls) > 0.99
    assert passed_over(seen, order).shares[1:].sum() == pytest.approx(0.04, abs=0.01)


def test_units_sent_from_anywhere_are_said_to_look_random():
    for wrong, is_said in ((0.0, False), (0.15, True)):
        truth = compact(None, 6_000, wrong_station=wrong)
        seen = chosen(truth, planned_s(truth.world))
        reasons = passed_over(seen, revealed_order(seen)).reasons
        assert any("random" in reason for reason in reasons) == is_said


def test_busy_or_passed_over_is_not_told_apart_without_records_of_units():
    truth = compact(None, 6_000, days=60)
    seen = chosen(truth, planned_s(truth.world), is_free_known=False)
    found = passed_over(seen, revealed_order(seen))
    assert not found.is_identified
    assert found.for_run == ()
    known = chosen(truth, planned_s(truth.world))
    assert passed_over(known, revealed_order(known)).nearest_busy.value > 0.05


def test_patterns_of_units_come_back_within_their_errors():
    truth = compact(None, 8_000)
    history, kinds = truth.history, truth.world.kinds
    sent = Responses(
        history.call,
        history.type,
        (history.dispatch_ms - truth.calls.call_ms[history.call]) / 1000.0,
        history.arrival_ms == NEVER,
        history.arrival_ms != NEVER,
    )
    found = fit_sent(truth.calls.kind, truth.call_day, len(kinds), sent)
    assert found.said == ()
    for number, kind in enumerate(kinds):
        n = found.count[number].sum()
        for p, types in kind.patterns:
            share = found.share[number, found.patterns.index(types)]
            assert share == pytest.approx(p, abs=3.5 * np.sqrt(p * (1 - p) / n) + 1e-12)
        wanted = sum(p * len(types) for p, types in kind.patterns)
        assert found.mean_units[number] == pytest.approx(wanted, abs=3.5 * found.mean_units_se[number] + 1e-12)


def test_shares_of_calls_called_off_and_never_written_down_come_back():
    truth = sprawl(None, 10_000, cancelled=0.05)
    is_off = truth.first_row == NEVER
    none = np.zeros(len(truth.calls), dtype=np.bool_)
    ends = fit_ends(truth.calls.kind, truth.call_day, 5, cancelled=is_off, walk_in=none, arrived=~is_off)
    z = [(share.value - 0.05) / share.se for share in ends.cancelled]
    assert np.max(np.abs(z)) < 3.5


def test_what_units_of_a_call_share_of_the_noise_comes_back():
    truth = compact(None, 8_000, one_way=False, place_effect=np.zeros(144), common_share=0.4)
    history, hour = truth.history, truth.call_hour[truth.history.call]
    seen = observed(history.arrival_ms // 1000 - history.en_route_ms // 1000, resolution_s=1.0)
    known = Known(truth.ways.road_m[history.call, history.station], {"station": history.station, "hour": hour})
    fit = fit_travel(seen, known, truth.call_day[history.call], curves=("switch",), call=history.call)
    assert fit.common.share == pytest.approx(0.4, abs=3 * fit.common.se)
    assert fit.common.se < 0.05
