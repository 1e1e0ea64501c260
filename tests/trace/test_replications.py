"""Replications of one trace: what is made quickly is what would be made anew, part by part."""

from __future__ import annotations

import numpy as np
import pytest

from sim.chance import constant_table, quantile_table
from sim.demand.types import Durations
from sim.engine import simulate
from sim.errors import InputError
from sim.recorded import Effects
from sim.trace import CALL_DTYPE, NEED_DTYPE, Station, Trace, Unit, trace_inputs, with_replication

S = 1000
XY = [(0, 0), (3000, 4000), (-2000, 7000)]
DRIVE_MS = np.array([[0, 100, 200], [110, 0, 130], [210, 120, 0]]) * S
N_CALLS = 40
HALF = 32768


def random_trace(seed=0, is_whole=False):
    """Return calls that are the same for every seed, in no order, with records that are not."""
    fixed, drawn = np.random.default_rng(7), np.random.default_rng(seed)
    calls = np.zeros(N_CALLS, CALL_DTYPE)
    calls["time_ms"], calls["zone"] = fixed.integers(0, 200_000 * S, N_CALLS), fixed.integers(0, 3, N_CALLS)
    calls["kind"], calls["n_needs"] = fixed.integers(0, 2, N_CALLS), fixed.integers(1, 4, N_CALLS)
    needs = np.zeros(int(calls["n_needs"].sum()), NEED_DTYPE)
    needs["capability"] = fixed.integers(0, 2, len(needs))
    least = 0 if is_whole else -1
    calls["handling_ms"] = drawn.integers(least, 2, N_CALLS) * 20 * S
    calls["handling_ms"][calls["handling_ms"] < 0] = -1
    for name in ("turnout_ms", "access_ms", "scene_ms", "travel_ms", "transport_ms"):
        known = drawn.integers(least, 3, len(needs)) * 100 * S
        needs[name] = np.where(known < 0, -1, known)
    needs["station"], needs["to_zone"] = drawn.integers(-1, 2, len(needs)), drawn.integers(-1, 3, len(needs))
    needs["hand_over_ms"] = drawn.integers(0, 9, len(needs)) * 60 * S
    return Trace(calls, needs)


def tables():
    wide = quantile_table(lambda p: 200_000 * p, 100_000.0)
    values = np.stack([wide, wide, quantile_table(lambda p: 131072 * p, 65536.0), constant_table(65536), wide])
    pair, scene = np.zeros(2, np.int16), np.full((2, 6), 4, np.int16)
    return Durations(
        values, tuple("abcde"), pair, pair + 1, 2, 2, np.array([0, 1], np.int16), scene, np.full((2, 6), -1, np.int16),
        np.zeros(2, np.int32), 0,
    )  # fmt: skip


def effects(seed):
    """Return effects whose stations are the same for every seed, and whose calls are not."""
    drawn = np.random.default_rng(seed)
    drive, turnout = (drawn.integers(40_000, 100_000, N_CALLS).astype(np.int32) for _ in range(2))
    return Effects(drive_q16=np.array([65536, HALF], np.int32), drive_of_call_q16=drive, turnout_of_call_q16=turnout)


def anew(replication=0, trace=None, durations=None, **given):
    units = [Unit(0, (0, 1)), Unit(0, (0,)), Unit(1, (1,))]
    return trace_inputs(
        [Station(0), Station(2)], units, random_trace() if trace is None else trace, DRIVE_MS, XY,
        tables() if durations is None else durations, kinds=("lift", "fire"), seed=5, replication=replication, **given,
    )  # fmt: skip


def digest_of_log(inputs):
    return simulate(inputs, "both").digest()


def test_another_replication_is_what_it_would_be_made_anew():
    first = anew()
    second = with_replication(first, 1)
    assert second.digests() == anew(1).digests()
    assert digest_of_log(second) == digest_of_log(anew(1)) != digest_of_log(first)


def test_it_shares_all_but_its_chance_and_leaves_the_first_as_it_was():
    first = anew()
    before = first.digests()
    second = with_replication(first, 1)
    assert first.digests() == before
    moved = {name for name, digest in second.digests().items() if digest != before[name]}
    assert moved == {"demand", "slot_ranks", "replication"}
    shared = ("city", "fleet", "travel", "station_order", "cards", "durations", "recorded", "transport", "scenes")
    assert all(getattr(second, name) is getattr(first, name) for name in shared)


def test_its_records_may_be_others():
    other = random_trace(1)
    quick, fresh = with_replication(anew(), 2, other), anew(2, other)
    assert quick.digests() == fresh.digests()
    assert digest_of_log(quick) != digest_of_log(anew(2))


def test_without_tables_the_dispatcher_reckons_with_the_turnouts_of_its_own_records():
    units, stations = [Unit(0, (0, 1)), Unit(0, (0,))], [Station(0), Station(1)]
    made = [
        trace_inputs(stations, units, random_trace(seed, True), DRIVE_MS, XY, kinds=("a", "b"), replication=seed)
        for seed in (0, 1)
    ]
    assert not np.array_equal(made[0].durations.values, made[1].durations.values)
    assert with_replication(made[0], 1, random_trace(1, True)).digests() == made[1].digests()


@pytest.mark.parametrize("before", [None, effects(0)])
def test_its_effects_may_be_others_in_the_order_of_the_trace(before):
    quick = with_replication(anew(effects=before), 3, effects=effects(1))
    assert quick.digests() == anew(3, effects=effects(1)).digests()
    without = Effects(turnout_of_call_q16=effects(2).turnout_of_call_q16)
    assert with_replication(quick, 4, effects=without).digests() == anew(4, effects=without).digests()


def test_effects_stay_if_none_are_given_and_the_order_of_stations_with_their_factors():
    first = anew(effects=effects(0))
    assert with_replication(first, 3).digests() == anew(3, effects=effects(0)).digests()
    assert with_replication(first, 3, effects=effects(1)).station_order is first.station_order


def test_shares_passed_over_are_drawn_anew_and_have_to_be_said_again():
    first = anew(shares_passed_over=(0.3, 0.2))
    quick = with_replication(first, 6, shares_passed_over=(0.3, 0.2))
    assert quick.digests() == anew(6, shares_passed_over=(0.3, 0.2)).digests()
    assert not np.array_equal(quick.n_passed, first.n_passed)
    with pytest.raises(InputError, match="shares_passed_over: are not given, though stations were passed over"):
        with_replication(first, 6)


def changed(column, of="calls"):
    trace = random_trace()
    rows = getattr(trace, of)
    rows[column][3] = 1 - rows[column][3] if of == "needs" else rows[column][3] + 1
    return trace


@pytest.mark.parametrize(
    "trace",
    [
        changed("time_ms"), changed("zone"), changed("n_needs"), changed("capability", "needs"),
        Trace(random_trace().calls[:-1], random_trace().needs), Trace(random_trace().calls, random_trace().needs[:-1]),
    ],
)  # fmt: skip
def test_a_trace_of_other_calls_is_refused(trace):
    with pytest.raises(InputError, match="trace: has other calls or needs than the inputs"):
        with_replication(anew(), 1, trace)


def test_everything_wrong_with_records_and_factors_is_told_at_once():
    trace = random_trace()
    trace.needs["station"][2], trace.calls["handling_ms"][1] = 2, -2
    with pytest.raises(InputError) as caught:
        with_replication(anew(), 1, trace, effects=Effects(drive_of_call_q16=np.full(N_CALLS, -1, np.int32)))
    assert str(caught.value).splitlines() == [
        f"effects row 0: -1 (drive_of_call_q16) is not 0 to 2147483647 ({N_CALLS} such rows)",
        "need row 2: 2 (station) is not -1 to 1",
        "call row 1: -2 (handling_ms) is not -1 to 4503599627370496",
    ]
