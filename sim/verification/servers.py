"""Cases in which nobody waits: as many units as are ever asked for, at a steady rate and at one that follows the day.

And what a Poisson arrival finds: Poisson arrivals see time averages.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.chance import bin_weights
from sim.verification import formulas
from sim.verification.checks import Case, Check, Size, Told
from sim.verification.estimates import mean_of
from sim.verification.played import Played, busy_shares, found_busy, play, prepared, replications
from sim.verification.queues import DELAY_UNITS, LAWS, delay_city
from sim.verification.sizes import by_errors, exactly, n_replications
from sim.verification.small_city import CallClass, Law, SmallCity

ENOUGH, STEADY_PER_H, STEADY_S, AT_MOST = 60, 80.0, 360.0, 5
MOST_SHOWN = 120


def enough_city(law: Law, scv: float) -> SmallCity:
    """Return more units than are ever asked for, at 8 erlang."""
    return SmallCity((CallClass(STEADY_PER_H, STEADY_S),), (ENOUGH,), law=law, scv=scv)


def nobody_waits(engine: str, size: Size) -> list[Check]:
    """Hold the number of units out against the Poisson law, whose mean is rate x mean service whatever its law.

    Of the start only services longer than the warm-up of 240 mean services are missing.
    """
    load = STEADY_PER_H * STEADY_S / 3_600.0
    few = formulas.poisson_at_most(load, AT_MOST)
    source = "Erlang 1917; Takács 1962: M/G/infinity"
    checks = []
    for law, scv, told in LAWS:
        mean, below, pairs, waited = [], [], [], 0
        for it in replications(f"infinite servers, {law}", enough_city(law, scv), engine, n_replications(size, engine)):
            shares = busy_shares(it.from_ms, it.to_ms, it.window_ms, MOST_SHOWN)
            number = np.arange(MOST_SHOWN + 1)
            mean.append(float(shares @ number))
            below.append(float(shares[: AT_MOST + 1].sum()))
            pairs.append(float(shares @ (number * (number - 1))))
            waited += it.n_waiting_rows()
        pair = Told(f"mean of n (n - 1), {told.en}: Poisson if its mean squared", f"n(n-1) 的均值，{told.zh}")
        checks += [
            by_errors(
                f"mean_{law}", Told(f"mean units out, {told.en}", f"平均出动车辆数，{told.zh}"), source, "",
                load, mean_of(mean), engine, 0.0035,
            ),
            by_errors(
                f"few_{law}", Told(f"time with at most 5 out, {told.en}", f"至多 5 车在外的时间，{told.zh}"),
                source, "", few, mean_of(below), engine, 0.018,
            ),
            by_errors(f"pairs_{law}", pair, source, "", load * load, mean_of(pairs), engine, 0.008),
            exactly(
                f"nobody_waited_{law}", Told("calls that waited", "等待的呼叫数"), "more units than are ever out", "",
                0.0, float(waited), engine, len(mean),
            ),
        ]  # fmt: skip
    return checks


DAY_WEIGHTS = (
    0.4, 0.3, 0.3, 0.2, 0.2, 0.3, 0.5, 0.8, 1.1, 1.2, 1.3, 1.4, 1.3, 1.2, 1.3, 1.4,
    1.5, 1.7, 2.0, 2.1, 1.6, 1.1, 0.7, 0.5,
)  # fmt: skip
DAY_PER_H, DAY_S, DAY_HOURS = 10.0, 7_200.0, (0, 4, 8, 12, 16, 20)


def day_city() -> SmallCity:
    """Return more units than are ever asked for, calls by the hour of the day, work of two hours."""
    calls = CallClass(DAY_PER_H, DAY_S)
    return SmallCity((calls,), (90,), law="lognormal", scv=1.0, hour_weights=DAY_WEIGHTS, n_days=12)


def calls_until(weights: NDArray[np.float64], per_h: float, time_h: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the expected calls from the run's start until each time, none before it; the rate steps by the hour."""
    by_hour = per_h * weights / weights.mean()
    until = np.concatenate([[0.0], np.cumsum(by_hour)])
    inside = np.clip(time_h, 0.0, None)
    day, hour = np.divmod(inside, 24.0)
    whole = hour.astype(np.int64)
    expected: NDArray[np.float64] = day * until[-1] + until[whole] + (hour - whole) * by_hour[whole]
    return expected


def expected_out(hour: int, day: int, service_s: NDArray[np.float64], chance: NDArray[np.float64]) -> float:
    """Return the expected units out at a whole hour of a day of the run: E[calls in (t - S, t)].

    Eick, Massey & Whitt, The physics of the Mt/G/infinity queue, Operations Research 41 (1993), theorem 1. The start is
    in it: nobody calls before the run begins.
    """
    weights, now = np.array(DAY_WEIGHTS), np.array([24.0 * day + hour])
    before = calls_until(weights, DAY_PER_H, now - service_s / 3_600.0)
    return float(chance @ (calls_until(weights, DAY_PER_H, now) - before))


def nobody_waits_through_the_day(engine: str, size: Size) -> list[Check]:
    """Hold the units out at six hours of the day against the offered load of that hour, which lags behind the rate."""
    city = day_city()
    out: list[list[float]] = [[] for _ in DAY_HOURS]
    with prepared("time-varying servers", city) as ready:
        first = ready.inputs(0).durations
        service_s = first.values[first.scene[0, 1]] / 1_000.0
        for replication in range(n_replications(size, engine)):
            it = play(ready.inputs(replication), engine)
            for place, hour in enumerate(DAY_HOURS):
                out[place].append(_mean_out(it, hour, city.n_warm_up, city.n_days))
    days = range(city.n_warm_up, city.n_warm_up + city.n_days)
    checks = []
    for place, hour in enumerate(DAY_HOURS):
        expected = float(np.mean([expected_out(hour, day, service_s, bin_weights()) for day in days]))
        told = Told(f"mean units out at {hour:02d}:00", f"{hour:02d}:00 平均在外车辆数")
        source = "Eick, Massey & Whitt 1993, theorem 1"
        checks.append(by_errors(f"out_at_{hour:02d}", told, source, "", expected, mean_of(out[place]), engine, 0.01))
    return checks


def _mean_out(it: Played, hour: int, first_day: int, n_days: int) -> float:
    """Return the mean number of units out at an hour over the measured days."""
    at_ms = (24 * np.arange(first_day, first_day + n_days) + hour) * 3_600_000
    n_sent = np.searchsorted(np.sort(it.from_ms), at_ms, side="right")
    n_back = np.searchsorted(np.sort(it.to_ms), at_ms, side="right")
    return float((n_sent - n_back).mean())


def arrivals_see_averages(engine: str, size: Size) -> list[Check]:
    """Hold what calls find against what the time average says of the same replications, for four units and a queue.

    The difference of the two has mean zero: Poisson arrivals see time averages (Wolff 1982). Both are of one
    replication, so most of their noise is common and cancels.
    """
    found: list[list[float]] = [[] for _ in range(DELAY_UNITS + 1)]
    for it in replications("pasta", delay_city(), engine, n_replications(size, engine)):
        seen = np.bincount(found_busy(it), minlength=DELAY_UNITS + 1) / len(it.call_ms)
        shares = busy_shares(it.from_ms, it.to_ms, it.window_ms, DELAY_UNITS)
        for number in range(DELAY_UNITS + 1):
            found[number].append(float(seen[number] - shares[number]))
    checks = []
    for number in (0, 2, DELAY_UNITS):
        told = Told(
            f"calls that find {number} units out, less time with {number} out", f"到达所见 {number} 车在外 − 时间占比"
        )
        made = by_errors(
            f"see_{number}", told, "Wolff 1982: PASTA", "", 0.0, mean_of(found[number]), engine, most=0.0015
        )
        checks.append(made)
    return checks


CASES = (
    Case("infinite_servers", Told("Nobody waits: M/G/infinity", "无限服务台：M/G/∞"), "Erlang 1917", nobody_waits),
    Case("time_varying_servers", Told("Nobody waits, calls by the hour: Mt/G/infinity", "随时刻变化：Mt/G/∞"),
         "Eick, Massey & Whitt 1993", nobody_waits_through_the_day),
    Case("pasta", Told("What calls find: PASTA", "到达所见即时间平均：PASTA"), "Wolff 1982", arrivals_see_averages),
)  # fmt: skip
"""Cases of this module."""
