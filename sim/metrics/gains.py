"""Walks through the incidents and adds up what one further station would gain each; compiled, for `one_more.py`."""

from __future__ import annotations

from sim.compiled import compiled_borrowing

N_GAIN_300, N_GAIN_600, N_FASTER, SAVED_MS = range(4)
"""Columns of what is added up."""
_LIMITS_MS = (300_000, 600_000)


@compiled_borrowing
def fill_nearest(order, travel_ms, station_cell, can_send, group, period, cell, nearest):  # type: ignore[no-untyped-def]
    """Fill in the expected drive from the nearest station that can send; it stays as it is where there is none.

    Parameters
    ----------
    order : (n_periods, n_cells, n_stations), nearest first. can_send : (n_groups, n_stations) bool.
    group, period, cell, nearest : (n,) of each incident; `group` is its row of `can_send`.
    """
    for i in range(len(cell)):
        for place in range(order.shape[2]):
            station = order[period[i], cell[i], place]
            if can_send[group[i], station]:
                nearest[i] = travel_ms[period[i], station_cell[station], cell[i]]
                break


@compiled_borrowing
def add_gains(drive_ms, period, cell, nearest, turnout_ms, common_q16, own_q16, before_ms, year, out):  # type: ignore[no-untyped-def]
    """Add up one station's gains by year: `out` (n_years, 4) int64.

    Parameters
    ----------
    drive_ms : (n_periods, n_cells) expected drive from the station.
    period … year : (n,) of each incident; `before_ms` is its static response, -1 for none.
    """
    for i in range(len(cell)):
        expected = drive_ms[period[i], cell[i]]
        if expected >= nearest[i]:
            continue
        after = turnout_ms[i] + ((((expected * common_q16[i]) >> 16) * own_q16[i]) >> 16)
        before = before_ms[i]
        if before >= 0:
            after = min(after, before)
            out[year[i], SAVED_MS] += before - after
        is_late = before < 0
        out[year[i], N_FASTER] += is_late or after < before
        for column in (N_GAIN_300, N_GAIN_600):
            limit = _LIMITS_MS[column]
            out[year[i], column] += after <= limit and (is_late or before > limit)
