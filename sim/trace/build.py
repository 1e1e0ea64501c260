"""The inputs of a run from a trace: read `trace_inputs` first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.city.zones import index_zones
from sim.demand.types import INCIDENT_DTYPE, SURGE_DTYPE, Demand, Durations, Kinds, RunCards
from sim.errors import InputError, Problem
from sim.inputs import (
    Policy,
    RunInputs,
    clear_sky,
    digest_of,
    draw_slot_ranks,
    hours_of_run,
    no_roster,
    no_waterways,
    order_stations,
    plain_scenes,
)
from sim.recorded import Effects
from sim.trace.checks import check
from sim.trace.parts import (
    durations_of_records,
    effects_in_order,
    in_order,
    passed_over,
    put_ranks,
    recorded_of,
    transport_of,
)
from sim.trace.places import city_of_zones, days_of
from sim.trace.resources import changes_of, fleet_of
from sim.trace.types import Station, Trace, Unit
from sim.travel.source import TravelTables
from sim.units import Q16

NEAREST = Policy(0, is_escalation_on=False, is_scene_delay_on=False, home_factor_q16=Q16, make_ready_ms=0)
"""The earliest expected arrival goes; homeward as fast as outward; ready again as soon as home."""
_MOST_CARDS = np.iinfo(np.int16).max


def trace_inputs(
    stations: Sequence[Station],
    units: Sequence[Unit],
    trace: Trace,
    travel_ms: NDArray[Any],
    xy_m: NDArray[Any],
    durations: Durations | None = None,
    *,
    policy: Policy = NEAREST,
    changes: NDArray[np.void] | None = None,
    kinds: Sequence[str] = ("call",),
    priority: Sequence[int] | None = None,
    period_of_hour: NDArray[np.int8] | None = None,
    night_h: tuple[int, int] = (0, 0),
    transport_factor_q16: int = Q16,
    effects: Effects | None = None,
    shares_passed_over: Sequence[float] = (),
    start: date = date(2000, 1, 1),
    seed: int = 0,
    replication: int = 0,
) -> RunInputs:
    """Return the inputs of a run of given calls.

    Calls keep their place in the trace as `identity`, by which runs of the same trace on other resources are paired.

    Parameters
    ----------
    units
        In the order of their stations.
    travel_ms
        (n_zones, n_zones) or (n_periods, n_zones, n_zones) whole ms, row = from.
    xy_m
        (n_zones, 2) whole metres: units that are sent on are in the zone nearest to where they are.
    durations
        Tables for what is not recorded, by kind of `kinds`; None: every call has its handling and every need its
        turnout, access and time on scene. A travel that is not recorded is that of the matrix, without noise, and the
        dispatcher reckons with the mean of the recorded turnouts.
    changes
        `CHANGE_DTYPE` rows beside the state at the start: stations that close or open, units that leave.
    priority
        Of each kind, 1 is served first; None: all alike.
    period_of_hour
        (2, 24) int8, the matrix of each hour on workdays and on weekends; None: the first at all hours.
    effects
        What a fit tells apart by hour, station and length of trip, its tables being those of `durations`, and of single
        calls, in the order of the trace.
    shares_passed_over
        Of the calls, those at which 1, 2, ... stations that could send are passed over; drawn by call.
    night_h
        First hour of the night and the one after it, for turnout by tables.

    Raises
    ------
    InputError
        With everything that is wrong with the trace and the resources.
    """
    matrix = np.asarray(travel_ms)
    matrix = matrix[None] if matrix.ndim == 2 else matrix
    xy = np.asarray(xy_m, dtype=np.int64).reshape(-1, 2)
    hours = np.zeros((2, 24), np.int8) if period_of_hour is None else np.asarray(period_of_hour, np.int8)
    check(stations, units, trace, matrix, xy, durations, kinds, hours, effects)
    x_m, y_m = xy.T.astype(np.int32)
    index, order = index_zones(x_m, y_m), np.argsort(trace.calls["time_ms"], kind="stable")
    moved = in_order(trace, order)
    calls, needs = moved.calls, moved.needs
    card_of_call, kind_of_card, cards = _cards(calls, needs)
    demand = _demand(calls, card_of_call, order, seed, replication)
    calendar = days_of(start, calls)
    table = np.ascontiguousarray(matrix, dtype=np.int32)
    fleet = fleet_of(stations, units)
    period, is_night = hours_of_run(calendar, hours, *night_h)
    return RunInputs(
        city=city_of_zones(x_m, y_m, index, calendar), fleet=fleet, demand=demand,
        changes=changes_of(stations, units, changes),
        kinds=_kinds(kinds, priority, kind_of_card), cards=cards,
        durations=durations_of_records(moved, len(kind_of_card))
        if durations is None
        else _by_card(durations, kind_of_card),
        travel=TravelTables("given", table, hours, digest_of((table, hours))),
        calendar=calendar, policy=policy, slot_ranks=draw_slot_ranks(demand, cards, seed, replication),
        station_order=order_stations(table, fleet.stations.cell, None if effects is None else effects.drive_q16),
        period_of_hour=period, is_night_of_hour=is_night,
        roster=no_roster(len(stations)), sky=clear_sky(len(period)),
        scenes=plain_scenes(len(calls), len(kind_of_card)), waterways=no_waterways(len(xy)),
        cell_weight=np.bincount(calls["zone"], minlength=len(xy)).astype(np.int64), seed=seed, replication=replication,
        recorded=recorded_of(moved), nearest_zone=index, transport=transport_of(moved, transport_factor_q16),
        effects=None if effects is None else effects_in_order(effects, order),
        n_passed=passed_over(demand.incidents, shares_passed_over, seed, replication),
    )  # fmt: skip


def _cards(calls: NDArray[np.void], needs: NDArray[np.void]) -> tuple[NDArray[np.int16], NDArray[np.int64], RunCards]:
    """Return (card of each call, kind of each card, cards): one card for each kind with each list of needs."""
    known: dict[tuple[int, bytes], int] = {}
    capability = np.ascontiguousarray(needs["capability"]).tobytes()
    card_of_call, at = np.empty(len(calls), np.int64), 0
    for place, (kind, n) in enumerate(zip(calls["kind"].tolist(), calls["n_needs"].tolist(), strict=True)):
        card_of_call[place] = known.setdefault((kind, capability[at : at + n]), len(known))
        at += n
    if len(known) > _MOST_CARDS:
        rule = f"different lists of needs, more than the {_MOST_CARDS} that a run can tell apart"
        raise InputError([Problem("trace", rule, len(known))])
    lists = [listed for _, listed in known]
    of_needs = np.frombuffer(b"".join(lists), dtype=np.int8)
    start = np.concatenate([[0], np.cumsum([len(listed) for listed in lists])]).astype(np.int32)
    all_at_once, all_critical = np.ones(len(of_needs), np.int8), np.ones(len(of_needs), np.bool_)
    kinds = np.array([kind for kind, _ in known], dtype=np.int64)
    return card_of_call.astype(np.int16), kinds, RunCards(start, of_needs, all_at_once, all_critical)


def _demand(
    calls: NDArray[np.void], card: NDArray[np.int16], identity: NDArray[np.intp], seed: int, replication: int
) -> Demand:
    rows = np.zeros(len(calls), dtype=INCIDENT_DTYPE)
    rows["identity"], rows["call_ms"], rows["cell"] = identity, calls["time_ms"], calls["zone"]
    rows["kind"] = rows["reported_kind"] = card
    rows["grade"] = rows["reported_grade"] = 1
    put_ranks(rows, seed, replication)
    return Demand(rows, np.zeros(0, SURGE_DTYPE))


def _kinds(kinds: Sequence[str], priority: Sequence[int] | None, kind_of_card: NDArray[np.int64]) -> Kinds:
    n = len(kind_of_card)
    names = tuple(kinds[kind] for kind in kind_of_card)
    first = np.ones(len(kinds), np.int8) if priority is None else np.asarray(priority, np.int8)
    return Kinds(
        code=names, name_zh=names, name_en=names, family=names, priority=first[kind_of_card],
        is_headline=np.ones(n, np.bool_), max_grade=np.ones(n, np.int8), share=np.zeros(n, np.int64),
    )  # fmt: skip


def _by_card(given: Durations, kind_of_card: NDArray[np.int64]) -> Durations:
    """Return the tables of kinds as those of cards."""
    return replace(
        given, access=given.access[kind_of_card], scene=given.scene[kind_of_card], latent=given.latent[kind_of_card],
        scene_slope_q16=given.scene_slope_q16[kind_of_card],
    )  # fmt: skip
