"""Cases held against Ciw, an independent simulator of queueing networks, for models that no closed form solves.

Ciw draws its own chance (Python's and numpy's generators, seeded) and has code of its own; it is a development
dependency, so that these cases are no part of `dgsim selftest`. Both sides start empty, leave a first day out, and have
a standard error from replications; the difference is held against both together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import ciw
import numpy as np

from sim.verification.checks import KERNEL, SIMPY, Case, Check, Rule, Size, Told
from sim.verification.estimates import Estimate, ratio_of
from sim.verification.played import replications
from sim.verification.small_city import CallClass, SmallCity

N_REPLICATIONS: dict[tuple[Size, str], int] = {
    ("short", SIMPY): 10, ("short", KERNEL): 20, ("full", SIMPY): 10, ("full", KERNEL): 40,
}  # fmt: skip
DAY_S, N_DAYS = 86_400.0, 4
SOURCE = f"Ciw {ciw.__version__}, simulated"
Rows = list[tuple[float, float]]
"""(total, count) of each replication."""


def lognormal(mean_s: float, scv: float) -> ciw.dists.Lognormal:
    sigma = math.sqrt(math.log1p(scv))
    return ciw.dists.Lognormal(math.log(mean_s) - sigma**2 / 2.0, sigma)


def ciw_records(network: ciw.network.Network, n: int) -> Iterator[list[ciw.data_record.DataRecord]]:
    """Yield the records of n replications whose call came in the measured days."""
    for replication in range(n):
        ciw.seed(replication)
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_time(DAY_S * (N_DAYS + 2))
        records = simulation.get_all_records()
        yield [it for it in records if DAY_S <= it.arrival_date < DAY_S * (N_DAYS + 1)]


def beside(name: str, told: Told, unit: str, ours: Rows, theirs: Rows, engine: str, widest: float) -> Check:
    """Return the check that two ratios agree within four standard errors of their difference."""
    a, b = (ratio_of(*zip(*rows, strict=True)) for rows in (ours, theirs))
    made = Estimate(a.value, math.hypot(a.standard_error, b.standard_error), a.n)
    rule = Rule.within(widest * (60 / a.n) ** 0.5)
    return Check(name, told, SOURCE, name, unit, b.value, made.value, made.standard_error, engine, a.n, rule)


# --- two units, two classes, log-normal work: M/G/2 with priorities ---------------------------------------------------

CLASSES, SCV, BEYOND_S = (CallClass(8.0, 240.0, 1), CallClass(12.0, 180.0, 2)), 2.0, 300.0


def waits_by_class(engine: str, size: Size) -> list[Check]:
    """Mean wait, share that waits, and share that waits over five minutes, of each class."""
    n = N_REPLICATIONS[size, engine]
    city = SmallCity(CLASSES, (2,), law="lognormal", scv=SCV, n_days=N_DAYS)
    network = ciw.create_network(
        arrival_distributions={f"C{k}": [ciw.dists.Exponential(it.per_h / 3_600.0)] for k, it in enumerate(CLASSES)},
        service_distributions={f"C{k}": [lognormal(it.mean_s, SCV)] for k, it in enumerate(CLASSES)},
        priority_classes={f"C{k}": k for k in range(len(CLASSES))}, number_of_servers=[2],
    )  # fmt: skip
    ours = [[it.wait_s[it.kind == k] for k in range(2)] for it in replications("ciw, priorities", city, engine, n)]
    theirs = [
        [np.array([it.waiting_time for it in records if it.customer_class == f"C{k}"]) for k in range(2)]
        for records in ciw_records(network, n)
    ]
    measures: tuple[tuple[str, Told, str, Callable[[np.ndarray], float], tuple[float, float]], ...] = (
        ("mean", Told("mean wait", "平均等待"), "s", lambda w: float(w.sum()), (4.0, 13.0)),
        ("waits", Told("share that waits", "需等待的比例"), "", lambda w: float((w > 0).sum()), (0.01, 0.01)),
        ("beyond", Told("share that waits over 300 s", "等待超过 300 秒的比例"), "",
         lambda w: float((w > BEYOND_S).sum()), (0.005, 0.01)),
    )  # fmt: skip
    return [
        beside(
            f"{name}_class_{k + 1}", Told(f"{told.en}, class {k + 1}", f"第 {k + 1} 级{told.zh}"), unit,
            [(total(waits[k]), len(waits[k])) for waits in ours],
            [(total(waits[k]), len(waits[k])) for waits in theirs], engine, widest[k],
        )
        for k in range(2)
        for name, told, unit, total, widest in measures
    ]  # fmt: skip


# --- two stations that help each other, log-normal work, and the rest lost --------------------------------------------

PER_H, SCENE_S, OWN_S, CROSS_S, FAR_S = (14.0, 8.0), 420.0, 60.0, 180.0, 900.0
DRIVE_S = ((OWN_S, CROSS_S, FAR_S), (CROSS_S, OWN_S, FAR_S), (FAR_S, FAR_S, OWN_S))
PREFERENCE = ((0, 1, 2), (1, 0, 2))
"""Stations in the order in which they are asked, for calls of each place."""


class FirstFree(ciw.routing.NodeRouting):
    """Sends a call to the first of its place's stations that has a unit free."""

    def next_node(self, ind: ciw.Individual) -> ciw.Node:
        place = int(ind.customer_class[1])
        for station in PREFERENCE[place]:
            node = self.simulation.nodes[station + 2]
            if node.number_of_individuals < node.c:
                return node
        raise AssertionError("the third station is without a unit")


def helping_network() -> ciw.network.Network:
    """Return a node where calls arrive and take no time, and one for each station: way there, work, way home."""
    arrivals = {
        f"P{place}": [ciw.dists.Exponential(per_h / 3_600.0), None, None, None] for place, per_h in enumerate(PER_H)
    }
    services = {
        f"P{place}": [
            ciw.dists.Deterministic(0.0),
            *(lognormal(SCENE_S, SCV) + ciw.dists.Deterministic(2.0 * DRIVE_S[station][place]) for station in range(3)),
        ]
        for place in range(2)
    }
    leave = [ciw.routing.Leave() for _ in range(3)]
    routing = {f"P{place}": ciw.routing.NetworkRouting([FirstFree(), *leave]) for place in range(2)}
    return ciw.create_network(
        arrival_distributions=arrivals, service_distributions=services, routing=routing,
        number_of_servers=[math.inf, 2, 2, 40],
    )  # fmt: skip


def stations_that_help(engine: str, size: Size) -> list[Check]:
    """Which station serves the calls of each place, and the mean drive: two units each, the rest goes far away."""
    n = N_REPLICATIONS[size, engine]
    city = SmallCity(
        (CallClass(sum(PER_H), SCENE_S),), (2, 2, 40), (0, 1, 2), DRIVE_S, (1_400, 800, 0), "lognormal", SCV,
        n_days=N_DAYS,
    )  # fmt: skip
    ours, theirs = [], []
    for it in replications("ciw, helping", city, engine, n):
        cells, calls = it.inputs.demand.incidents["cell"], it.inputs.demand.incidents["call_ms"]
        begin, end = it.window_ms
        place = cells[(calls >= begin) & (calls < end)]
        assert it.n_waiting_rows() == 0
        ours.append(_served(place, it.station))
    for records in ciw_records(helping_network(), n):
        of_station = [it for it in records if it.node > 1]
        places = np.array([int(it.customer_class[1]) for it in of_station])
        theirs.append(_served(places, np.array([it.node - 2 for it in of_station])))
    checks = []
    for place in range(2):
        for station, widest in enumerate((0.006, 0.006, 0.005)):
            told = Told(f"share of place {place} served by station {station}", f"{place} 处由 {station} 站出动的比例")
            rows = ([(float(t[place, station]), float(t[place].sum())) for t in tables] for tables in (ours, theirs))
            checks.append(beside(f"place_{place}_station_{station}", told, "", *rows, engine, widest))
    drive = np.array(DRIVE_S)[:, :2].T
    rows = ([(float((t * drive).sum()), float(t.sum())) for t in tables] for tables in (ours, theirs))
    checks.append(beside("mean_drive", Told("mean drive", "平均行车时间"), "s", *rows, engine, 5.0))
    return checks


def _served(place: np.ndarray, station: np.ndarray) -> np.ndarray:
    """Return (2, 3) calls by place and serving station."""
    table = np.zeros((2, 3))
    np.add.at(table, (place, station), 1.0)
    return table


CASES = (
    Case("ciw_priorities", Told("Two units, two classes, log-normal work: M/G/2 with priorities",
                                "两车、两级、对数正态服务：带优先级的 M/G/2"), SOURCE, waits_by_class),
    Case("ciw_helping", Told("Two stations that help each other, log-normal work, the rest lost",
                             "两站互助、对数正态服务、其余损失"), SOURCE, stations_that_help),
)  # fmt: skip
"""Cases of this module."""
