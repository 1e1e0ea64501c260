"""What became of planted incidents, and what a day of stress did to the city."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.demand.types import EVENT, PROCESS_BIT
from sim.engine.log import LogKind
from sim.metrics.readiness import readiness
from sim.metrics.rows import LogIndex
from sim.units import MS_PER_DAY, MS_PER_H, MS_PER_MIN, MS_PER_S

if TYPE_CHECKING:
    from sim.inputs import RunInputs

RESERVE_AFTER_MS = 30 * MS_PER_MIN
"""After the call of a planted incident, when its units are out and the reserve is what is left."""
STEP_MS = 5 * MS_PER_MIN
HORIZON_MS = 3 * MS_PER_DAY
"""How far a day of stress is followed."""
BACK_PPM = 5_000
"""Cover is back when it misses at most this of what was kept the day before, and stays so for an hour."""
_NEVER = -1

Columns = dict[str, NDArray[Any]]


def planted_table(inputs: RunInputs, log: LogIndex, incidents: Columns) -> Columns:
    """Return one row per planted incident, in order of call.

    Columns: identity; cause (name of what planted it); per_year; kind, grade, town, cell, call_ms; the milestones of
    the incident table; n_dispatched, n_unfilled, n_escalations; n_help, units of other cities sent; is_alone, whether
    no incident planted at another instant was still open at its call; closed_ms, after the call; n_ready and kept_ppm
    (`Readiness`) just before its call and half an hour after it.
    """
    at, place = _rows_of_planted(inputs, incidents)
    planted = inputs.demand.planted[place]
    call_ms = incidents["call_ms"][at]
    shown = ("first_arrival_ms", "first_critical_ms", "full_alarm_ms", "n_dispatched", "n_unfilled", "n_escalations")
    table: Columns = {"identity": incidents["identity"][at], "cause": _names(inputs, planted["cause"])}
    table["per_year"] = planted["per_year"].astype(np.float64)
    table |= {name: incidents[name][at] for name in ("kind", "grade", "town", "cell", "call_ms", *shown)}
    row = _row_by_identity(inputs, table["identity"])
    table["n_help"] = _help_sent(inputs, log)[row]
    closed_ms = _closed_ms(inputs, log)[row]
    table["closed_ms"] = closed_ms - call_ms
    table["is_alone"] = _is_alone(call_ms, closed_ms)
    instants = np.unique(np.concatenate([call_ms - 1, call_ms + RESERVE_AFTER_MS]))
    ready = readiness(inputs, log, instants)
    for name, time_ms in (("before", call_ms - 1), ("after", call_ms + RESERVE_AFTER_MS)):
        found = np.searchsorted(instants, time_ms)
        table[f"n_ready_{name}"] = ready.n_units[found]
        table[f"kept_{name}_ppm"] = ready.kept_ppm[found]
    return table


def stress_table(inputs: RunInputs, log: LogIndex, incidents: Columns) -> Columns:
    """Return one row per day on which events were planted, in order of time.

    Columns: causes (names, joined by +); begin_ms, end_ms, first and last planted call; n_planted; of all incidents
    called from the first to the last: n_incidents, n_waited (had to wait for their first unit), longest_wait_ms,
    n_never_met, n_unfilled (needs nobody ever filled), n_dispatched, n_help (units of other cities sent), n_headline,
    n_within_300, n_arrived, sum_arrival_ms (of fires and rescues). Then readiness: means of the day before
    (n_ready_before, kept_before_ppm), the worst until the horizon (n_ready_lowest, kept_lowest_ppm, lowest_ms after
    begin), and back_ms, after begin, until cover is back (0: it never left, -1: not within the horizon).
    """
    at, place = _rows_of_planted(inputs, incidents)
    cause = inputs.demand.planted["cause"][place]
    is_event = incidents["identity"][at] >> np.uint64(PROCESS_BIT) == EVENT
    call_ms = incidents["call_ms"][at]
    first_of = np.array([call_ms[is_event & (cause == c)].min() for c in np.unique(cause[is_event])], dtype=np.int64)
    day_of = dict(zip(np.unique(cause[is_event]).tolist(), (first_of // MS_PER_DAY).tolist(), strict=True))
    day = np.array([day_of.get(c, _NEVER) for c in cause.tolist()], dtype=np.int64)
    help_sent = _help_sent(inputs, log)
    rows: list[dict[str, Any]] = []
    for one in np.unique(day[is_event]).tolist():
        mine = is_event & (day == one)
        window = (int(call_ms[mine].min()), int(call_ms[mine].max()))
        row: dict[str, Any] = {"causes": "+".join(dict.fromkeys(_names(inputs, np.sort(cause[mine])).tolist()))}
        row |= {"begin_ms": window[0], "end_ms": window[1], "n_planted": int(mine.sum())}
        rows.append(row | _met_within(inputs, incidents, window, help_sent) | _cover_after(inputs, log, window[0]))
    if not rows:
        return {}
    return {
        name: np.array([row[name] for row in rows], dtype=object if name == "causes" else np.int64) for name in rows[0]
    }


def _met_within(
    inputs: RunInputs, incidents: Columns, window: tuple[int, int], help_sent: NDArray[np.int64]
) -> dict[str, int]:
    """Return what the incidents called within a window (both ends in it) met with, those planted among them."""
    own = (incidents["call_ms"] >= window[0]) & (incidents["call_ms"] <= window[1])
    queue, arrival = incidents["queue_ms"][own], incidents["first_arrival_ms"][own]
    asked = arrival[incidents["is_headline"][own].astype(bool)]
    came = asked[asked >= 0]
    return {
        "n_incidents": int(own.sum()),
        "n_waited": int((queue > 0).sum()),
        "longest_wait_ms": int(queue.max(initial=0)),
        "n_never_met": int((arrival < 0).sum()),
        "n_unfilled": int(incidents["n_unfilled"][own].sum()),
        "n_dispatched": int(incidents["n_dispatched"][own].sum()),
        "n_help": int(help_sent[_row_by_identity(inputs, incidents["identity"][own])].sum()),
        "n_headline": len(asked),
        "n_within_300": int((came <= 300 * MS_PER_S).sum()),
        "n_arrived": len(came),
        "sum_arrival_ms": int(came.sum()),
    }


def _cover_after(inputs: RunInputs, log: LogIndex, begin_ms: int) -> dict[str, int]:
    """Return readiness the day before, at its worst after, and how long it took to come back."""
    before = np.arange(begin_ms - MS_PER_DAY, begin_ms, STEP_MS)
    after = np.arange(begin_ms, begin_ms + HORIZON_MS, STEP_MS)
    found = readiness(inputs, log, np.concatenate([before[before >= 0], after]))
    n_before = int((before >= 0).sum())
    usual = int(found.kept_ppm[:n_before].mean()) if n_before else int(found.kept_ppm[0])
    kept = found.kept_ppm[n_before:]
    back = instants_until_back(kept, usual - BACK_PPM, MS_PER_H // STEP_MS)
    return {
        "n_ready_before": int(found.n_units[:n_before].mean()) if n_before else int(found.n_units[0]),
        "n_ready_lowest": int(found.n_units[n_before:].min()),
        "kept_before_ppm": usual,
        "kept_lowest_ppm": int(kept.min()),
        "lowest_ms": int(kept.argmin()) * STEP_MS,
        "back_ms": back * STEP_MS if back >= 0 else _NEVER,
    }


def instants_until_back(cover: NDArray[np.int64], enough: int, n_steady: int) -> int:
    """Return the first instant from the worst on at which cover is enough and stays so for `n_steady` instants.

    0 where it was never less than enough; -1 where it is not back before the instants end.
    """
    if (cover >= enough).all():
        return 0
    is_enough = (cover >= enough).astype(np.int64)
    running = np.concatenate([[0], np.cumsum(is_enough)])
    steady = running[n_steady:] - running[:-n_steady] == n_steady
    worst = int(cover.argmin())
    later = np.flatnonzero(steady[worst:])
    return worst + int(later[0]) if len(later) else _NEVER


# --- parts ------------------------------------------------------------------------------------------------------------


def _names(inputs: RunInputs, cause: NDArray[Any]) -> NDArray[Any]:
    return np.array([inputs.demand.causes[c] for c in cause.tolist()], dtype=object)


def _rows_of_planted(inputs: RunInputs, incidents: Columns) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where planted incidents stand in the incident table, and each one's place among the planted."""
    identity = inputs.demand.planted["identity"]
    order = np.argsort(identity)
    found = np.minimum(np.searchsorted(identity[order], incidents["identity"]), len(identity) - 1)
    at = np.flatnonzero(identity[order][found] == incidents["identity"])
    return at, order[found[at]]


def _row_by_identity(inputs: RunInputs, identity: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Return the rows of the run's incidents that have the identities."""
    all_of_them = inputs.demand.incidents["identity"]
    order = np.argsort(all_of_them)
    return order[np.searchsorted(all_of_them[order], identity)]


def _help_sent(inputs: RunInputs, log: LogIndex) -> NDArray[np.int64]:
    """Return how many units of other cities were sent to each incident of the run: (n_incidents,) int64."""
    rows = log.of(LogKind.DISPATCH)
    is_help = np.asarray(inputs.fleet.stations.help_grade)[np.asarray(inputs.fleet.units.station)][rows["unit"]] > 0
    return np.bincount(rows["incident"][is_help], minlength=len(inputs.demand.incidents))


def _closed_ms(inputs: RunInputs, log: LogIndex) -> NDArray[np.int64]:
    """Return when each incident of the run was over: (n_incidents,) int64, the run's end where it never was."""
    out = np.full(len(inputs.demand.incidents), log.last_ms + 1, dtype=np.int64)
    rows = log.of(LogKind.CLOSED)
    out[rows["incident"]] = rows["time_ms"]
    return out


def _is_alone(call_ms: NDArray[np.int64], closed_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether every incident called before was over by each call; the rows are in order of call."""
    over = np.maximum.accumulate(closed_ms)
    before = np.searchsorted(call_ms, call_ms, side="left")  # how many were called strictly earlier
    return np.where(before > 0, over[np.maximum(before - 1, 0)] <= call_ms, True)
