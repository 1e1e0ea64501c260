"""Many replications of one trace: what they share is made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems
from sim.inputs import RunInputs, draw_slot_ranks, slot_starts, with_effects
from sim.recorded import Effects
from sim.trace.checks import check_factors, check_records
from sim.trace.parts import (
    durations_of_records,
    effects_in_order,
    in_order,
    is_of_records,
    passed_over,
    put_ranks,
    recorded_of,
    transport_of,
)
from sim.trace.types import UNKNOWN, Trace
from sim.units import Q16


def with_replication(
    inputs: RunInputs,
    replication: int,
    trace: Trace | None = None,
    *,
    effects: Effects | None = None,
    shares_passed_over: Sequence[float] = (),
) -> RunInputs:
    """Return another replication of a run of a trace: equal to what `trace_inputs` makes, but quickly.

    City, fleet, matrix, order of stations and cards are those of `inputs`, the same objects; chance is drawn anew.

    Parameters
    ----------
    inputs
        Of `trace_inputs`.
    trace
        The same calls and needs in the same order with other records: handling, stages, stations and patients' ways.
        None: the same records.
    effects
        In the place of those of `inputs`, factors of calls in the order of the trace. None: the same effects.
    shares_passed_over
        As in `trace_inputs`; they are to be said again, as inputs hold no shares.

    Raises
    ------
    InputError
        With everything that is wrong with the records and factors, if the trace has other calls, or if stations were
        passed over in `inputs` and the shares are not said again.
    """
    order = inputs.demand.incidents["identity"].astype(np.int64)
    moved = None if trace is None else _moved(inputs, trace, order)
    _check(inputs, trace, moved, effects, shares_passed_over)
    rows = inputs.demand.incidents.copy()
    put_ranks(rows, inputs.seed, replication)
    demand = replace(inputs.demand, incidents=rows)
    out = replace(
        inputs, demand=demand, replication=replication,
        slot_ranks=draw_slot_ranks(demand, inputs.cards, inputs.seed, replication),
        n_passed=passed_over(rows, shares_passed_over, inputs.seed, replication),
    )  # fmt: skip
    if moved is not None:
        out = _with_records(out, moved)
    return out if effects is None else _with_effects(out, effects_in_order(effects, order))


def _with_records(inputs: RunInputs, trace: Trace) -> RunInputs:
    """Return inputs with what is recorded in a trace that stands in the order of the run."""
    factor_q16 = Q16 if inputs.transport is None else inputs.transport.factor_q16
    durations = inputs.durations
    if is_of_records(durations):
        durations = durations_of_records(trace, len(inputs.cards.start) - 1)
    return replace(
        inputs, durations=durations, recorded=recorded_of(trace), transport=transport_of(trace, factor_q16)
    )  # fmt: skip


def _with_effects(inputs: RunInputs, effects: Effects) -> RunInputs:
    """Return inputs with other effects; stations are put in order again only if their own factors are others."""
    n = len(inputs.fleet.stations.cell)
    is_same = np.array_equal(_drive_factors(inputs.effects, n), _drive_factors(effects, n))
    return replace(inputs, effects=effects) if is_same else with_effects(inputs, effects)


def _drive_factors(effects: Effects | None, n_stations: int) -> NDArray[np.int32]:
    if effects is None or effects.drive_q16 is None:
        return np.full(n_stations, Q16, np.int32)
    return effects.drive_q16


def _check(
    inputs: RunInputs,
    trace: Trace | None,
    moved: Trace | None,
    effects: Effects | None,
    shares_passed_over: Sequence[float],
) -> None:
    """Raise one `InputError` for everything that is not as the calls of `inputs` are, or out of bounds."""
    problems = Problems()
    check_factors(problems, effects, len(inputs.demand.incidents))
    if inputs.n_passed is not None and not len(shares_passed_over):
        problems.add("shares_passed_over", "are not given, though stations were passed over", mend="say them again")
    if trace is not None:
        if moved is None:
            problems.add(
                "trace", "has other calls or needs than the inputs", mend="keep order, times, zones and capabilities"
            )
        least = 0 if is_of_records(inputs.durations) else UNKNOWN
        check_records(problems, trace, least, len(inputs.city.cells.x_m), len(inputs.fleet.stations.cell))
    problems.raise_if_any()


def _moved(inputs: RunInputs, trace: Trace, order: NDArray[Any]) -> Trace | None:
    """Return the calls in the order of the run; None if they are other calls, or have other needs, than the inputs."""
    rows, cards = inputs.demand.incidents, inputs.cards
    first_row, n_needs = cards.start.astype(np.int64)[rows["kind"]], np.diff(slot_starts(inputs.demand, cards))
    if trace.calls.shape != rows.shape or not np.array_equal(trace.calls["n_needs"][order], n_needs):
        return None
    if len(trace.needs) != int(n_needs.sum()):
        return None
    moved = in_order(trace, order)
    row = np.repeat(first_row + n_needs - np.cumsum(n_needs), n_needs) + np.arange(len(moved.needs))
    pairs = (
        (moved.calls["time_ms"], rows["call_ms"]), (moved.calls["zone"], rows["cell"]),
        (moved.needs["capability"], cards.capability[row]),
    )  # fmt: skip
    return moved if all(np.array_equal(mine, its) for mine, its in pairs) else None
