"""Cases of several stations: who is busy, who is sent where and how far, against Larson's exact hypercube.

`bias` holds what driving adds to the mean number of units busy, beside the time on scene, against a quarter of that
number's standard error. Cities start empty; a start is forgotten at a rate of about one per service, and the warm-up
is 72 services.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sim.engine.log import LogKind
from sim.inputs import RunInputs
from sim.verification.checks import AT_MOST, KERNEL, N_STANDARD_ERRORS, SIMPY, Case, Check, Size, Told
from sim.verification.estimates import Estimate, mean_of, ratio_of
from sim.verification.formulas import priority_waits
from sim.verification.hypercube import Steady, solve
from sim.verification.larson import SOURCE as BOOK
from sim.verification.played import Played, play, prepared
from sim.verification.sizes import by_errors, widest
from sim.verification.spatial_cities import SERVICE_H, SpatialCity, larson_city, loss_city, sent_on_city

COBHAM = "Cobham 1954, with the share that waits of the hypercube"
LARSON = "Larson 1974; Larson & Odoni 1981, 5.4; solved exactly by sim/verification/hypercube.py"
REPLICATIONS: dict[tuple[Size, str], int] = {
    ("short", SIMPY): 20,
    ("short", KERNEL): 40,
    ("full", SIMPY): 40,
    ("full", KERNEL): 240,
}
"""Replications of a city by size and engine."""
WIDEST_FRACTION = 0.001
"""Widest standard error of a dispatch fraction in as many replications as `sizes.widest` counts by."""
MOST_BIAS = 0.25
"""Most that driving may add to the mean number of units busy, in its standard errors."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one replication's log says of its measured window.

    `workload`: (n_units,) share of the window in which each unit is taken. `sent`: (n_units, n_atoms) dispatches of the
    city's own units; `travel_s`: the sum of their driving. `n_calls`, and of them `n_met_all_busy`. (n_classes,) of the
    calls of each priority: `n_of_class`, and `wait_s`, the sum of their waits.
    """

    workload: NDArray[np.float64]
    sent: NDArray[np.float64]
    travel_s: NDArray[np.float64]
    n_calls: int
    n_met_all_busy: int
    n_of_class: NDArray[np.float64]
    wait_s: NDArray[np.float64]


def see(played: Played, spatial: SpatialCity) -> Seen:
    """Return what a replication's log says, from its rows alone."""
    rows, (begin, end) = played.log.rows, played.window_ms
    n_units, shape = spatial.n_units, (spatial.n_units, spatial.n_atoms)
    over = LogKind.CLEAR if spatial.city.is_sent_on else LogKind.AVAILABLE
    sent = rows[(rows["kind"] == LogKind.DISPATCH) & (rows["unit"] < n_units)]
    taken = [_taken_ms(rows, unit, over, begin, end) for unit in range(n_units)]
    there = rows[(rows["kind"] == LogKind.ARRIVE) & (rows["unit"] < n_units)]
    sent, there = (part[np.lexsort((part["mission"], part["unit"]))] for part in (sent, there))
    is_measured = (sent["time_ms"] >= begin) & (sent["time_ms"] < end)
    cell = played.inputs.demand.incidents["cell"][sent["incident"]]
    place = (sent["unit"] * spatial.n_atoms + cell)[is_measured]
    driven_s = ((there["time_ms"] - sent["time_ms"]) / 1_000.0)[is_measured]
    calls = rows["incident"][(rows["kind"] == LogKind.CALL) & (rows["time_ms"] >= begin) & (rows["time_ms"] < end)]
    is_vain = (rows["kind"] == LogKind.WAIT) | ((rows["kind"] == LogKind.DISPATCH) & (rows["unit"] >= n_units))
    n_cells, n_classes = n_units * spatial.n_atoms, len(spatial.city.classes)
    return Seen(
        workload=np.array(taken) / float(end - begin),
        sent=np.bincount(place, minlength=n_cells).reshape(shape).astype(np.float64),
        travel_s=np.bincount(place, driven_s, minlength=n_cells).reshape(shape).astype(np.float64),
        n_calls=len(calls),
        n_met_all_busy=int(np.isin(calls, rows["incident"][is_vain]).sum()),
        n_of_class=np.bincount(played.kind, minlength=n_classes).astype(np.float64),
        wait_s=np.bincount(played.kind, played.wait_s, minlength=n_classes).astype(np.float64),
    )


def _taken_ms(rows: NDArray[np.void], unit: int, over: LogKind, begin: int, end: int) -> int:
    """Return how long a unit is taken in a window: from each dispatch until the row that ends it, in turn."""
    of_unit = rows[rows["unit"] == unit]
    since, until = (of_unit["time_ms"][of_unit["kind"] == kind] for kind in (LogKind.DISPATCH, over))
    return int((np.clip(until, begin, end) - np.clip(since, begin, end)).sum())


def against_hypercube(make: Callable[[], SpatialCity], engine: str, size: Size) -> list[Check]:
    """Return the checks of a city against its model."""
    spatial = make()
    inputs, seen = watched(spatial, engine, REPLICATIONS[size, engine])
    return compared(spatial, solve(spatial.model), inputs, seen, engine)


def watched(spatial: SpatialCity, engine: str, n: int) -> tuple[RunInputs, list[Seen]]:
    """Return the inputs of the first of `n` replications of a city, and what was seen of each."""
    with prepared(spatial.name, spatial.city, *spatial.overrides) as ready:
        first = ready.inputs(0)
        rest = (ready.inputs(number) for number in range(1, n))
        return first, [see(play(inputs, engine), spatial) for inputs in (first, *rest)]


def compared(spatial: SpatialCity, steady: Steady, inputs: RunInputs, seen: Sequence[Seen], engine: str) -> list[Check]:
    """Return the checks that replications are as the model's steady state says."""
    made = partial(by_errors, source=LARSON, engine=engine)
    from_home_s, between_s = ways_s(spatial, inputs)
    busy, n_sent = mean_of([float(it.workload.sum()) for it in seen]), [float(it.sent.sum()) for it in seen]
    n_calls, n_vain = [float(it.n_calls) for it in seen], [float(it.n_met_all_busy) for it in seen]
    driven = ratio_of([float(it.travel_s.sum()) for it in seen], n_sent)
    if spatial.city.is_sent_on:
        travel_s = steady.mean_travel_sent_on(from_home_s, between_s)
    else:
        travel_s = steady.mean_travel(from_home_s)
    vain = LOST if spatial.model.line == "loss" else WAITING
    checks = [
        made(f"workload_{unit + 1}", Told(f"workload of unit {unit + 1}", f"第 {unit + 1} 辆车的占用率"), unit="",
             expected=float(load), found=mean_of([float(it.workload[unit]) for it in seen]), share=0.008)
        for unit, load in enumerate(steady.workload)
    ]  # fmt: skip
    checks += [
        made("busy", BUSY, unit="", expected=float(steady.workload.sum()), found=busy, share=0.005),
        made("met_all_busy", vain, unit="", expected=steady.met_all_busy, found=ratio_of(n_vain, n_calls), share=0.03),
        made("travel", TRAVEL, unit="s", expected=travel_s, found=driven, share=0.003),
    ]
    if not spatial.city.is_sent_on:
        checks += _travel_of_units(steady, from_home_s, seen, engine)
    if spatial.model.line == "queue":
        checks += _waits(spatial, steady, seen, engine)
    trips = 1.0 if spatial.city.is_sent_on else 2.0
    return [*checks, *_fractions(steady, seen, engine), _bias(busy, trips * travel_s, engine)]


LOST, WAITING = Told("share of calls lost", "损失率"), Told("share of calls that wait", "需等待的呼叫比例")
BUSY, WAIT = Told("mean units busy", "平均占用车辆数"), Told("mean wait, all calls", "平均等待（全部呼叫）")
TRAVEL = Told("mean drive, all dispatches", "平均行车时间（全部派车）")


def _travel_of_units(
    steady: Steady, from_home_s: NDArray[np.float64], seen: Sequence[Seen], engine: str
) -> list[Check]:
    """Return the check of each unit's mean drive from home."""
    share = steady.dispatches
    checks = []
    for unit, mean_s in enumerate((share * from_home_s).sum(axis=1) / share.sum(axis=1)):
        told = Told(f"mean drive of unit {unit + 1}", f"第 {unit + 1} 辆车的平均行车时间")
        driven_s = [float(it.travel_s[unit].sum()) for it in seen]
        found = ratio_of(driven_s, [float(it.sent[unit].sum()) for it in seen])
        checks.append(by_errors(f"travel_{unit + 1}", told, LARSON, "s", float(mean_s), found, engine, 0.004))
    return checks


def _waits(spatial: SpatialCity, steady: Steady, seen: Sequence[Seen], engine: str) -> list[Check]:
    """Return the check of the mean wait of each priority: Cobham's, since as many are busy as in M/M/c."""
    model, classes = spatial.model, spatial.city.classes
    loads = [model.load * it.per_h / spatial.city.per_h for it in classes]
    expected = priority_waits(steady.met_all_busy / float(model.service_rate.sum()), loads)
    checks = []
    for place, mean_h in enumerate(expected):
        is_only = len(classes) == 1
        told = WAIT if is_only else Told(f"mean wait, priority {place + 1}", f"平均等待，优先级 {place + 1}")
        waited_h = [float(it.wait_s[place]) / 3_600.0 for it in seen]
        found = ratio_of(waited_h, [float(it.n_of_class[place]) for it in seen])
        checks.append(by_errors(f"wait_{place + 1}", told, COBHAM, "h", mean_h, found, engine, 0.05))
    return checks


def fractions(seen: Sequence[Seen]) -> list[list[Estimate]]:
    """Return the share of all dispatches that sent each unit (row) to each atom (column)."""
    total = [float(it.sent.sum()) for it in seen]
    n_units, n_atoms = seen[0].sent.shape
    return [
        [ratio_of([float(it.sent[unit, atom]) for it in seen], total) for atom in range(n_atoms)]
        for unit in range(n_units)
    ]


def _fractions(steady: Steady, seen: Sequence[Seen], engine: str) -> list[Check]:
    """Return two checks of all dispatch fractions: how far the worst of them is off, and that none is blind."""
    found = fractions(seen)
    off = [
        abs(estimate.value - expected) / estimate.standard_error
        for row, expected_row in zip(found, steady.dispatches.tolist(), strict=True)
        for estimate, expected in zip(row, expected_row, strict=True)
    ]
    widest_seen, n = max(estimate.standard_error for row in found for estimate in row), len(seen)
    far = Told(
        f"largest difference of {len(off)} dispatch fractions, in standard errors",
        f"{len(off)} 个派车比例的最大偏差（以标准误计）",
    )
    wide = Told("largest standard error of a dispatch fraction", "派车比例的最大标准误")
    most = widest(WIDEST_FRACTION, n).widest
    return [
        Check("fractions", far, LARSON, "fractions", "", N_STANDARD_ERRORS, max(off), 0.0, engine, n, AT_MOST),
        Check("fractions_seen", wide, LARSON, "fractions", "", most, widest_seen, 0.0, engine, n, AT_MOST),
    ]


def _bias(busy: Estimate, way_s: float, engine: str) -> Check:
    """Return the check that driving adds little to a service, beside what chance does to the number of units busy."""
    added = busy.value * way_s / (3_600.0 * SERVICE_H)
    told = Told(
        "units busy for the drive alone, at most a quarter of a standard error",
        "仅因行车而占用的车辆数（不超过标准误的四分之一）",
    )
    most = MOST_BIAS * busy.standard_error
    return Check("bias", told, "upper bound: drive over service", "busy", "", most, added, 0.0, engine, busy.n, AT_MOST)


def ways_s(spatial: SpatialCity, inputs: RunInputs) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the travel tables' (n_units, n_atoms) from homes and (n_atoms, n_atoms) from scene to scene, s.

    Raises
    ------
    AssertionError
        If the tables' order of units is not the model's for some atom: the city is not the one that was meant.
    """
    table_s = inputs.travel.duration_ms[0].astype(np.float64) / 1_000.0
    homes, atoms = inputs.fleet.stations.cell[: spatial.n_units], np.arange(spatial.n_atoms)
    from_home_s = table_s[np.ix_(homes, atoms)]
    if not (np.argsort(from_home_s.T, axis=1, kind="stable") == spatial.model.order).all():
        raise AssertionError("the driving times of the city do not order its units as the model does")
    return from_home_s, table_s[np.ix_(atoms, atoms)]


CASES = (
    Case(
        "hypercube_three_servers",
        Told("Larson and Odoni's three servers, with a queue", "Larson 与 Odoni 的三服务台例（排队）"),
        BOOK, partial(against_hypercube, larson_city),
    ),
    Case(
        "hypercube_loss",
        Told("Hypercube of five stations, calls lost", "五站超立方（损失制）"),
        LARSON, partial(against_hypercube, loss_city),
    ),
    Case(
        "hypercube_sent_on",
        Told("Hypercube of four stations, units sent on from scenes", "四站超立方（由现场转派）"),
        LARSON, partial(against_hypercube, sent_on_city),
    ),
)  # fmt: skip
"""The spatial cases."""
