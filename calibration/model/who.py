"""Which station is sent, and which units: the order that choices reveal, what is passed over, patterns of types."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.fit.choice import PassedOver, RevealedOrder, choices, passed_over, revealed_order
from calibration.fit.sent import Ends, Sent, fit_ends, fit_sent
from calibration.fit.sent import Responses as SentUnits
from calibration.ground import Ground, Zones
from calibration.model.fleet import Fleet, free_at
from calibration.model.passing import Passing, fit_passing, never_passed
from calibration.model.samples import Samples
from calibration.model.stages import LEAST_JOURNEYS
from calibration.model.waits import sent_late_for_want

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
AT_ONCE_S = 60.0
"""Assumed: units dispatched within a minute of the first were sent together."""


def order_of(
    samples: Samples, ground: Ground, zones: Zones, fleet: Fleet, drive_s: Floats, turnout_s: Floats,
    is_used: NDArray[np.bool_],
    *,
    is_sent_on: bool,
) -> tuple[RevealedOrder | None, PassedOver | None, Passing, Floats]:  # fmt: skip
    """Return the order of stations as chosen, what is passed over beyond it, and the drives with that order."""
    calls = samples.calls
    chosen = np.flatnonzero(is_used & calls.is_response)
    expected = (drive_s.mean(axis=0) + turnout_s[:, None]).T
    station, kind = first_sent(samples, expected)
    is_open, is_free = open_and_free(samples, ground, fleet, chosen, kind[chosen], is_sent_on=is_sent_on)
    xy_m = np.column_stack([zones.x_m, zones.y_m]).astype(np.float64)
    at = (expected, xy_m, calls.zone[chosen], station[chosen], calls.day[chosen])
    if int((station[chosen] >= 0).sum()) < LEAST_JOURNEYS:
        return None, None, never_passed(zones.n_zones), drive_s
    # Without a record of every unit the outs of those on record are only what the model itself will play.
    played = choices(*at, is_open=is_open, is_free=is_free)
    seen = played if samples.stages.has_every_unit else choices(*at, is_open=is_open)
    order = revealed_order(seen)
    raised = (order.raised_s.T / expected.T)[None] * (drive_s + turnout_s[None, :, None]) - turnout_s[None, :, None]
    drive_s = np.where(order.raised_s.T[None] > expected.T[None], raised, drive_s)
    return order, passed_over(seen, order), fit_passing(played, order), drive_s


def open_and_free(
    samples: Samples, ground: Ground, fleet: Fleet, chosen: Ints, kind: Ints, *, is_sent_on: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which stations were open, and which had a unit of the type asked for that no record has out.

    Two (n, n_stations), of the chosen calls (n,), as their first unit was sent; `kind`: (n,) types.
    """
    calls, of = samples.calls, samples.responses
    call_s = calls.local_ms / 1000.0
    sent = np.full(len(calls), np.inf)
    np.minimum.at(sent, of.call, np.where(np.isnan(of.dispatch_s), 0.0, of.dispatch_s))
    at_s = call_s[chosen] + np.where(np.isfinite(sent[chosen]), sent[chosen], 0.0)
    days, code = np.unique(calls.day[chosen], return_inverse=True)
    is_open = ground.is_open(days.astype("datetime64[D]"))[code]
    return is_open, free_at(fleet, of, call_s, at_s, kind, ground.n_stations, is_sent_on=is_sent_on)


def first_sent(samples: Samples, expected_s: Floats) -> tuple[Ints, Ints]:
    """Return station (-1: not on record) and type of the unit that was the first choice for each call: two (n_calls,).

    Of the units sent at once that is the one expected first, `expected_s` (n_zones, n_stations): that another of them
    arrived before it is chance, not choice.
    """
    of, calls = samples.responses, samples.calls
    station, kind = np.full(len(calls), -1, dtype=np.int64), np.zeros(len(calls), dtype=np.int64)
    sent_s = np.nan_to_num(of.dispatch_s, nan=0.0)
    first = np.full(len(calls), np.inf)
    rows = np.flatnonzero(~of.is_imputed & (of.station >= 0) & (calls.zone[of.call] >= 0))
    np.minimum.at(first, of.call[rows], sent_s[rows])
    rows = rows[sent_s[rows] <= first[of.call[rows]] + AT_ONCE_S]
    order = np.lexsort((expected_s[calls.zone[of.call[rows]], of.station[rows]], of.call[rows]))
    rows = rows[order]
    call = of.call[rows]
    rows = rows[np.concatenate([[True], call[1:] != call[:-1]])] if len(rows) else rows
    station[of.call[rows]], kind[of.call[rows]] = of.station[rows], of.type[rows]
    return station, kind


def units_sent(samples: Samples, is_used: NDArray[np.bool_], fleet: Fleet, n_stations: int) -> tuple[Sent, Ends]:
    """Return the units that calls of each kind get, of types that the fleet has, and how calls end."""
    calls, of = samples.calls, samples.responses
    used = np.flatnonzero(is_used)
    kind, day, n_kinds = calls.kind[used], calls.day[used], len(calls.kinds)
    arrived = np.isfinite(samples.first_s[used])
    ends = fit_ends(
        kind, day, n_kinds, cancelled=calls.is_cancelled[used], walk_in=calls.is_walk_in[used], arrived=arrived
    )
    if not samples.stages.has_every_unit:
        return fit_sent(kind, day, n_kinds), ends
    place = np.full(len(calls), -1, dtype=np.int64)
    place[used] = np.arange(len(used))
    rows = np.flatnonzero((place[of.call] >= 0) & calls.is_response[of.call] & (of.station >= 0))
    has = np.zeros(len(fleet.types), dtype=np.bool_)
    has[fleet.type] = True
    common = int(np.bincount(fleet.type).argmax())
    kinds_sent = np.where(has[of.type[rows]], of.type[rows], common)
    # A unit that had to come free first was asked for with the others.
    is_late = sent_late_for_want(samples, fleet, n_stations)[rows]
    first_s = np.full(len(calls), np.inf)
    np.fmin.at(first_s, of.call[rows], of.dispatch_s[rows])
    asked_s = np.where(is_late, first_s[of.call[rows]], of.dispatch_s[rows])
    units = SentUnits(place[of.call[rows]], kinds_sent, asked_s, of.is_cancelled[rows], np.isfinite(of.arrival_s[rows]))
    return fit_sent(kind, day, n_kinds, units), ends
