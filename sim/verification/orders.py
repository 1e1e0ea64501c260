"""Cases of direction: what theory proves can never be worse, call by call, on the same calls and the same work.

Only what is proved is asked. For calls of one class, served first come first served by equal units, each call's wait is
no longer with one more unit, nor with shorter work (Kiefer & Wolfowitz 1955; Jacobs & Schach 1972): calls keep their
instants and their ranks in every arm, so that the comparison is path by path. The nearest of more stations is no
further. With several classes, several units a call, or travel, none of this holds in a queue.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sim.engine.static import static_responses
from sim.verification.chance import COMMON_UNITS, common_city
from sim.verification.checks import AT_LEAST, Case, Check, Rule, Size, Told
from sim.verification.played import prepared, replications
from sim.verification.sizes import exactly, n_replications
from sim.verification.small_city import CallClass, SmallCity

NEVER_WORSE = "Kiefer & Wolfowitz 1955; Jacobs & Schach 1972"


def no_call_waits_longer(engine: str, size: Size) -> list[Check]:
    """Count the calls that wait longer with one more unit and with shorter work, which must be none, and shorter."""
    n = max(2, n_replications(size, engine) // 4)
    base = _waits(common_city(), engine, n)
    arms = (
        ("one_more", Told("with one more unit", "增加一车后"), _waits(common_city(COMMON_UNITS + 1), engine, n)),
        ("shorter", Told("with work 10 % shorter", "作业缩短 10% 后"),
         _waits(common_city(), engine, n, "times.scene_factor=0.9")),
    )  # fmt: skip
    checks = []
    for name, told, waits in arms:
        checks += [
            exactly(f"{name}_longer", Told(f"calls that wait longer {told.en}", f"{told.zh}等待更久的呼叫数"),
                    NEVER_WORSE, "", 0.0, float((waits > base).sum()), engine, n),
            Check(f"{name}_sooner", Told(f"share that waits less {told.en}", f"{told.zh}等待更短的比例"), NEVER_WORSE,
                  f"{name}_sooner", "", 0.1, float((waits < base).mean()), 0.0, engine, n, AT_LEAST),
        ]  # fmt: skip
    return checks


def _waits(city: SmallCity, engine: str, n: int, *overrides: str) -> NDArray[np.float64]:
    """Return (n_calls,) the waits of all replications, s, in the order of the calls."""
    return np.concatenate([it.wait_s for it in replications("orders", city, engine, n, *overrides)])


N_CELLS = 24
STATIONS = (3, 20, 11, 7, 15)
"""Cells of the stations, in the order in which they are added."""


def street(n_stations: int) -> SmallCity:
    """Return cells along a street, a kilometre and two minutes apart, with the first so many stations."""
    at = np.arange(N_CELLS)
    drive_s = 120.0 * np.abs(at[:, None] - at) + 60.0
    return SmallCity(
        (CallClass(6.0, 60.0),), (1,) * n_stations, STATIONS[:n_stations], tuple(map(tuple, drive_s.tolist())),
        (1_000,) * N_CELLS,
    )  # fmt: skip


def no_call_is_further(engine: str, size: Size) -> list[Check]:
    """Count the calls whose nearest station is further after one more was added, which must be none; and nearer ones.

    `static_responses` gives the response of each call in the idle city of its moment.
    """
    n = 2 if size == "short" else 20
    found = [_static_s(n_stations, n) for n_stations in range(1, len(STATIONS) + 1)]
    told = Told("calls further away after a station was added", "增站后变远的呼叫数")
    worse = sum(int((after > before).sum()) for before, after in pairwise(found))
    exact = [float(np.mean(_street_drive_s(n_stations))) for n_stations in (1, len(STATIONS))]
    better = min(float((after < before).mean()) for before, after in pairwise(found))
    nearer = Told("least share of calls that a station brings nearer", "每增一站至少变近的呼叫比例")
    checks = [
        exactly("further", told, "minimum over a larger set", "", 0.0, float(worse), engine, n),
        Check("nearer", nearer, "enumeration of the cells", "nearer", "", 0.05, better, 0.0, engine, n, AT_LEAST),
    ]
    for name, number, expected, times in (("one", 1, exact[0], found[0]), ("all", 5, exact[1], found[-1])):
        words = Told(f"mean response in the idle city, {number} stations", f"空闲城市平均响应，{number} 站")
        checks.append(_mean_check(f"mean_{name}", words, expected, times, engine, n))
    return checks


def _mean_check(name: str, told: Told, expected: float, times: NDArray[np.float64], engine: str, n: int) -> Check:
    """Return the check of a mean over calls, whose cells are independent draws."""
    error = float(times.std(ddof=1)) / len(times) ** 0.5
    rule = Rule.within(0.03 * expected * (20 / n) ** 0.5)
    source, found = "enumeration of the cells", float(times.mean())
    return Check(name, told, source, name, "s", expected, found, error, engine, len(times), rule)


def _static_s(n_stations: int, n: int) -> NDArray[np.float64]:
    """Return (n_calls,) seconds from dispatch to first arrival of each call alone."""
    with prepared("street", street(n_stations)) as ready:
        return np.concatenate([static_responses(ready.inputs(i)) for i in range(n)]) / 1_000.0


def _street_drive_s(n_stations: int) -> NDArray[np.float64]:
    """Return (n_cells,) seconds from the nearest station: calls are spread evenly over the cells."""
    city = street(n_stations)
    drive: NDArray[np.float64] = np.array(city.drive_s)[list(city.station_cell)].min(axis=0)
    return drive


CASES = (
    Case("never_longer", Told("More units or shorter work: no call waits longer", "车更多或作业更短：无人等得更久"),
         NEVER_WORSE, no_call_waits_longer),
    Case("never_further", Told("More stations: no call is further", "站更多：无人更远"),
         "enumeration", no_call_is_further, uses_engine=False),
)  # fmt: skip
"""Cases of this module."""
