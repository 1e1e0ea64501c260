"""The rank of a trip's own noise that a recorded travel amounts to, for whoever drives in that unit's place.

A recorded travel over the expected one, over what units of the call share, is the trip's own noise; the rank that gives
it in the engine's table becomes the rank of that need. So a call that was slow to reach stays slow for a unit of
another station, as one rank belongs to (call, need) in every run, and single calls do not change by luck alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.replay.cast import Cast
from calibration.replay.given import Given
from sim.chance import LEVEL_SIZE
from sim.engine.build import look_up_all
from sim.inputs import RunInputs
from sim.trace.parts import in_order
from sim.units import Q16

Ints = NDArray[np.int64]
_TRAVEL = 1
"""Column of a slot's ranks."""


def with_recorded_ranks(ranks: NDArray[np.uint32], inputs: RunInputs, given: Given, before: Cast) -> NDArray[np.uint32]:
    """Return the ranks of slots, (n_slots, 4) as drawn, with those of travels on record in the place of theirs.

    `before`: the cast in which the recorded stations stand where they stood.
    """
    assert before.tables is not None
    assert before.effects is not None
    rows = inputs.demand.incidents
    order = rows["identity"].astype(np.int64)
    trace = in_order(given.trace, order)
    wave = np.repeat(np.arange(len(order)), trace.calls["n_needs"])
    known = np.flatnonzero((trace.needs["travel_ms"] > 0) & (trace.needs["station"] >= 0))
    calls, call = given.calls, given.call[order[wave[known]]]
    period = before.period_of_hour[calls.is_off[call].astype(np.int64), calls.hour[call]].astype(np.int64)
    of_station = before.resources.zones.of_station[trace.needs["station"][known]]
    expected = before.travel_ms[period, of_station, calls.zone[call]].astype(np.int64)
    tables, effects = before.tables, before.effects
    common = np.empty(len(order), dtype=np.int64)
    of_row = np.full(len(order), tables.travel_common, dtype=np.int64)
    look_up_all(tables.values, of_row, np.ascontiguousarray(rows["rank_travel"]), common)
    factor = np.ones(len(order)) if effects.drive_of_call_q16 is None else effects.drive_of_call_q16[order] / Q16
    usual = expected * (common / Q16 * factor)[wave[known]]
    own_q16 = trace.needs["travel_ms"][known] * Q16 / np.maximum(usual, 1.0)
    out = ranks.copy()
    out[known, _TRAVEL] = _ranks(before, expected, own_q16)
    return out


def _ranks(cast: Cast, expected_ms: Ints, own_q16: NDArray[np.float64]) -> NDArray[np.uint32]:
    assert cast.tables is not None
    assert cast.effects is not None
    tables, effects = cast.tables, cast.effects
    if effects.noise_from_ms is None or effects.noise_table is None:
        return rank_of(tables.values[tables.travel_own], own_q16)
    band = np.searchsorted(effects.noise_from_ms, expected_ms, side="right") - 1
    out = np.zeros(len(own_q16), dtype=np.uint32)
    for number, table in enumerate(effects.noise_table):
        of = band == number
        out[of] = rank_of(tables.values[table], own_q16[of])
    return out


def rank_of(table: NDArray[np.int32], value: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Return ranks (n,) at which a quantile table gives the values (n,), as near as its bins are fine."""
    last = LEVEL_SIZE - 1
    first = np.searchsorted(table[:last], value, side="left")
    second = np.minimum(np.searchsorted(table[LEVEL_SIZE : LEVEL_SIZE + last], value, side="left"), last - 1)
    whole = np.where(first < last, (first << 22) + (1 << 21), (last << 22) + (second << 12) + (1 << 11))
    return whole.astype(np.uint32)
