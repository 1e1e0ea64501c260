"""What a trace and its resources have to be: everything that is wrong with them, at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.demand.types import Durations
from sim.errors import Problems
from sim.recorded import FACTORS_OF_CALLS, Effects
from sim.trace.types import UNKNOWN, Station, Trace, Unit

_MOST_MATRIX_MS = np.iinfo(np.int32).max
_MOST_MS = 1 << 52


def check(
    stations: Sequence[Station],
    units: Sequence[Unit],
    trace: Trace,
    matrix: NDArray[Any],
    xy: NDArray[np.int64],
    durations: Durations | None,
    kinds: Sequence[str],
    hours: NDArray[np.int8],
    effects: Effects | None,
) -> None:
    """Raise one `InputError` for everything that is wrong."""
    problems, n_zones = Problems(), len(xy)
    _check_matrix(problems, matrix, n_zones, hours)
    calls, needs = trace.calls, trace.needs
    if not len(calls):
        problems.add("trace", "has no calls", mend="give one at least")
    if int(calls["n_needs"].sum()) != len(needs):
        problems.add("trace", f"its calls have {int(calls['n_needs'].sum())} needs together", value=len(needs))
    _bounded(problems, "call", "time_ms", calls["time_ms"], 0, _MOST_MS)
    _bounded(problems, "call", "zone", calls["zone"], 0, n_zones - 1)
    _bounded(problems, "call", "kind", calls["kind"], 0, len(kinds) - 1)
    _bounded(problems, "call", "n_needs", calls["n_needs"], 1, 1000)
    _bounded(problems, "need", "capability", needs["capability"], 0, 62)
    check_records(problems, trace, UNKNOWN if durations is not None else 0, n_zones, len(stations))
    _bounded(problems, "station", "zone", np.array([it.zone for it in stations], np.int64), 0, n_zones - 1)
    of = np.array([unit.station for unit in units], np.int64)
    _bounded(problems, "unit", "station", of, 0, len(stations) - 1)
    if (np.diff(of) < 0).any():
        row = int(np.argmax(np.diff(of) < 0)) + 1
        problems.add("unit", "comes after a unit of a later station", row=row, mend="sort units by station")
    check_factors(problems, effects, len(calls))
    problems.raise_if_any()


def check_records(problems: Problems, trace: Trace, least_ms: int, n_zones: int, n_stations: int) -> None:
    """Note what is out of bounds of that which is recorded; `least_ms`: -1 if handling and stages may be unknown."""
    needs = trace.needs
    _bounded(problems, "need", "to_zone", needs["to_zone"], UNKNOWN, n_zones - 1)
    _bounded(problems, "need", "station", needs["station"], UNKNOWN, n_stations - 1)
    _bounded(problems, "need", "hand_over_ms", needs["hand_over_ms"], 0, _MOST_MS)
    _bounded(problems, "call", "handling_ms", trace.calls["handling_ms"], least_ms, _MOST_MS)
    for name in ("turnout_ms", "access_ms", "scene_ms"):
        _bounded(problems, "need", name, needs[name], least_ms, _MOST_MS)
    for name in ("travel_ms", "transport_ms"):
        _bounded(problems, "need", name, needs[name], UNKNOWN, _MOST_MS)


def check_factors(problems: Problems, effects: Effects | None, n_calls: int) -> None:
    """Note factors of calls that are not one for each call, or out of bounds."""
    for name in FACTORS_OF_CALLS:
        factors = None if effects is None else getattr(effects, name)
        if factors is not None and factors.shape != (n_calls,):
            problems.add("effects", f"({name}) has not one factor for each of {n_calls} calls", value=factors.shape)
        elif factors is not None:
            _bounded(problems, "effects", name, factors, 0, np.iinfo(np.int32).max)


def _check_matrix(problems: Problems, matrix: NDArray[Any], n_zones: int, hours: NDArray[np.int8]) -> None:
    if matrix.shape[1:] != (n_zones, n_zones) or not matrix.shape[0]:
        problems.add("travel_ms", f"is not {n_zones} x {n_zones}, as there are zones", value=matrix.shape)
        return
    if not np.issubdtype(matrix.dtype, np.integer):
        problems.add("travel_ms", "is not of whole milliseconds", value=str(matrix.dtype), mend="round it to integers")
        return
    if matrix.min() < 0 or matrix.max() > _MOST_MATRIX_MS:
        at = np.unravel_index(int(np.argmax((matrix < 0) | (matrix > _MOST_MATRIX_MS))), matrix.shape)
        where = "period {}, from zone {} to zone {}".format(*(int(place) for place in at))
        problems.add("travel_ms", f"({where}) is not 0 to {_MOST_MATRIX_MS} ms", value=int(matrix[at]))
    if hours.shape != (2, 24) or hours.min() < 0 or hours.max() >= matrix.shape[0]:
        problems.add("period_of_hour", f"is not (2, 24) of periods 0 to {matrix.shape[0] - 1}", value=hours.shape)


def _bounded(problems: Problems, of: str, name: str, values: NDArray[Any], least: int, most: int) -> None:
    """Note the first value outside its bounds, and how many there are."""
    wrong = np.flatnonzero((values < least) | (values > most))
    if len(wrong):
        more = f" ({len(wrong)} such rows)" if len(wrong) > 1 else ""
        problems.add(of, f"({name}) is not {least} to {most}{more}", value=int(values[wrong[0]]), row=int(wrong[0]))
