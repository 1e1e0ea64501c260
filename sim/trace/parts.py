"""What belongs to single calls and needs of a trace, in the order of the run: the parts in which replications differ.

`build.py` puts them beside what all replications share; `replication.py` puts them in the place of another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.chance import Stream, constant_table, ranks_of
from sim.demand.types import Durations
from sim.recorded import FACTORS_OF_CALLS, Effects, Recorded, Transport, draw_passed_over
from sim.trace.types import Trace
from sim.units import Q16

_NAMES_OF_RECORDS = ("mean turnout", "one")


def in_order(trace: Trace, order: NDArray[Any]) -> Trace:
    """Return the calls in another order, each with its needs: `order` (n_calls,) are their places in the trace."""
    n_needs = trace.calls["n_needs"].astype(np.int64)
    first = np.concatenate([[0], np.cumsum(n_needs)])[:-1]
    n_moved = n_needs[order]
    begin = np.concatenate([[0], np.cumsum(n_moved)])[:-1]
    rows = np.repeat(first[order] - begin, n_moved) + np.arange(int(n_moved.sum()))
    return Trace(trace.calls.take(order), trace.needs.take(rows))  # moves whole rows; indexing goes field by field


def put_ranks(incidents: NDArray[np.void], seed: int, replication: int) -> None:
    """Put into rows of incidents the ranks of their handling and of what is common to their trips, by identity."""
    ranks = ranks_of(seed, replication, int(Stream.INCIDENT_RESPONSE), np.ascontiguousarray(incidents["identity"]))
    incidents["rank_handling"], incidents["rank_travel"] = ranks[:, 0], ranks[:, 1]


def recorded_of(trace: Trace) -> Recorded:
    """Return the recorded durations of calls that stand in the order of the run."""
    stages = [trace.needs[name] for name in ("turnout_ms", "travel_ms", "access_ms", "scene_ms")]
    return Recorded(trace.calls["handling_ms"].copy(), np.stack(stages, axis=1), trace.needs["station"].copy())


def transport_of(trace: Trace, factor_q16: int) -> Transport:
    """Return where patients are taken by the needs of calls that stand in the order of the run."""
    needs = trace.needs
    return Transport(needs["to_zone"].copy(), needs["transport_ms"].copy(), needs["hand_over_ms"].copy(), factor_q16)


def durations_of_records(trace: Trace, n_cards: int) -> Durations:
    """Return tables for a trace of which everything is recorded but the turnout that the dispatcher reckons with.

    That is the mean of those recorded, to the next whole ms.
    """
    pair, zeros = np.zeros(2, np.int16), np.zeros(n_cards, np.int16)
    latent, scene = np.full((n_cards, 6), -1, np.int16), np.zeros((n_cards, 6), np.int16)
    values = np.stack([constant_table(int(trace.needs["turnout_ms"].mean() + 0.5)), constant_table(Q16)])
    slope = np.zeros(n_cards, np.int32)
    return Durations(values, _NAMES_OF_RECORDS, pair, pair, 1, 1, zeros, scene, latent, slope, 0)


def is_of_records(durations: Durations) -> bool:
    """Return whether tables are those of `durations_of_records`."""
    return tuple(durations.names) == _NAMES_OF_RECORDS


def effects_in_order(effects: Effects, order: NDArray[Any]) -> Effects:
    """Return effects whose factors of single calls stand in another order of the calls."""
    given = {name: getattr(effects, name) for name in FACTORS_OF_CALLS}
    return replace(effects, **{name: factors[order] for name, factors in given.items() if factors is not None})


def passed_over(
    incidents: NDArray[np.void], shares: Sequence[float], seed: int, replication: int
) -> NDArray[np.int8] | None:
    """Return how many stations are passed over at each incident, as `draw_passed_over`; None without shares."""
    return draw_passed_over(incidents["identity"], shares, seed, replication) if len(shares) else None
