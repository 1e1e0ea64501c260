"""Cases of chance itself: calls as a Poisson process through its changing rate, and what common chance removes.

The expected rate is reckoned here from the city's own statement (rates and profiles), not by the program's intensity.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sim.verification import formulas
from sim.verification.checks import AT_LEAST, AT_MOST, Case, Check, Rule, Size, Told
from sim.verification.estimates import Estimate, mean_of, variance_of
from sim.verification.played import prepared, replications
from sim.verification.servers import DAY_WEIGHTS
from sim.verification.sizes import by_errors, n_replications
from sim.verification.small_city import CallClass, SmallCity

LEAST_P = 0.001
"""Least p-value of a test by rank; the chance that one of a right program falls below it."""
WEEKDAY_WEIGHTS = (1.0, 0.9, 0.95, 1.0, 1.1, 1.3, 1.2)
MONTH_WEIGHTS = (1.4, 1.5, 1.0, 0.8, 0.8, 1.2, 1.3, 1.1, 0.9, 0.8, 0.9, 1.2)
FLOW_DAYS, FLOW_PER_H = 120, 1.6


def flow_city() -> SmallCity:
    """Return calls of two kinds whose rate follows hour, weekday and month, without a factor of the day."""
    classes = (CallClass(FLOW_PER_H / 4, 60.0), CallClass(FLOW_PER_H * 3 / 4, 60.0))
    return SmallCity(
        classes, (9,), hour_weights=DAY_WEIGHTS, weekday_weights=WEEKDAY_WEIGHTS, month_weights=MONTH_WEIGHTS,
        n_days=FLOW_DAYS,
    )  # fmt: skip


def hourly_rate(city: SmallCity, first: date, n_days: int) -> NDArray[np.float64]:
    """Return (n_days * 24,) calls per hour, all kinds, as the city states them.

    Weekday times month has mean one over 2025, the year of the rate; the hours have mean one over the day.
    """
    year = [date(2025, 1, 1) + timedelta(days=i) for i in range(365)]
    mean = np.mean([city.weekday_weights[day.weekday()] * city.month_weights[day.month - 1] for day in year])
    days = [first + timedelta(days=i) for i in range(n_days)]
    by_day = np.array([city.weekday_weights[d.weekday()] * city.month_weights[d.month - 1] for d in days]) / mean
    hours = np.array(city.hour_weights)
    rates: NDArray[np.float64] = city.per_h * (by_day[:, None] * (hours / hours.mean())[None, :])
    return rates.reshape(-1)


def poisson_calls(engine: str, size: Size) -> list[Check]:
    """Rescale the calls' times by the expected number until then: gaps must be exponential with mean one, one by one.

    Daley & Vere-Jones, An Introduction to the Theory of Point Processes (2003), 7.4. Kolmogorov and Smirnov's test of
    all gaps, the number of calls, its variance over its mean by spans of ten expected calls, and the correlation of
    neighbouring gaps.
    """
    from scipy import stats

    city, n = flow_city(), 3 if size == "short" else 30
    gaps: list[NDArray[np.float64]] = []
    spans: list[NDArray[np.int64]] = []
    counts, neighbours = [], []
    with prepared("poisson calls", city) as ready:
        calendar = ready.builder.calendar(ready.settings)
        rate = hourly_rate(city, calendar.start, calendar.n_days)
        until = np.concatenate([[0.0], np.cumsum(rate)])
        for replication in range(n):
            call_h = ready.builder.demand(ready.settings, replication).incidents["call_ms"] / 3_600_000.0
            whole = call_h.astype(np.int64)
            scaled = until[whole] + (call_h - whole) * rate[whole]
            own = np.diff(scaled, prepend=0.0)
            gaps.append(own)
            counts.append(len(scaled) / until[-1])
            spans.append(np.bincount((scaled // 10.0).astype(np.int64), minlength=int(until[-1] // 10.0) + 1)[:-1])
            neighbours.append(float(np.mean((own[1:] - 1.0) * (own[:-1] - 1.0))))
    pooled, by_span = np.concatenate(gaps), np.concatenate(spans)
    p_value = float(stats.kstest(pooled, "expon").pvalue)
    source = "Daley & Vere-Jones 2003, 7.4"
    fits = Told("rescaled gaps are exponential: Kolmogorov-Smirnov p-value", "时间变换后间隔服从指数分布：KS 检验 p 值")
    total = Estimate(float(np.mean(counts)), (until[-1] * n) ** -0.5, n)
    over = Estimate(float(by_span.var(ddof=1) / by_span.mean()), _error_of_dispersion(len(by_span)), n)
    corr = Estimate(float(np.mean(neighbours)), len(pooled) ** -0.5, n)
    made = partial(_by_errors, source=source, engine=engine)
    return [
        Check("gaps", fits, source, "gaps", "", LEAST_P, p_value, 0.0, engine, n, AT_LEAST),
        made("number", Told("calls over expected calls", "呼叫数与期望之比"), 1.0, total, most=0.005),
        made("dispersion", Told("variance over mean of calls", "呼叫数方差与均值之比"), 1.0, over, most=0.02),
        made("independence", Told("correlation of neighbouring gaps", "相邻间隔的相关系数"), 0.0, corr, most=0.005),
    ]


def _by_errors(
    name: str, told: Told, expected: float, found: Estimate, *, source: str, engine: str, most: float
) -> Check:
    """Return the check by standard errors, the widest being `most` with 30 replications."""
    rule = Rule.within(most * (30 / found.n) ** 0.5)
    return Check(name, told, source, name, "", expected, found.value, found.standard_error, engine, found.n, rule)


def _error_of_dispersion(n: int, mean: float = 10.0) -> float:
    """Return the standard error of variance over mean of n Poisson numbers: Var = (2 + 1 / mean) / n, nearly."""
    error: float = ((2.0 + 1.0 / mean) / n) ** 0.5
    return error


COMMON_UNITS, COMMON_PER_H, COMMON_S = 4, 28.0, 360.0


def common_city(n_units: int = COMMON_UNITS) -> SmallCity:
    """Return four units, or more, at 2.8 erlang."""
    return SmallCity((CallClass(COMMON_PER_H, COMMON_S),), (n_units,), n_days=2)


def common_chance(engine: str, size: Size) -> list[Check]:
    """Hold what common chance does to the difference of two arms against theory, for one more unit and shorter work.

    The difference of the mean waits has its own closed form, and its standard error is that of the pairs. How much
    smaller the variance is than that of unrelated arms is measured: Var(a - b) over Var(a) + Var(b), of the same
    replications, and beside it the variance of differences across them (a of one, b of the next), which theory puts
    at Var(a) + Var(b) as replications share nothing. Where nobody waits and all work takes c times as long, the means
    of work are a and c a in every replication, so that the factor is (1 + c^2) / (1 - c)^2 itself.
    """
    n = 2 * n_replications(size, engine)
    load = COMMON_PER_H * COMMON_S / 3_600.0
    base = _mean_waits(common_city(), engine, n)
    arms = (
        ("one_more", Told("one more unit", "增加一车"), _mean_waits(common_city(COMMON_UNITS + 1), engine, n),
         formulas.mmc_mean_wait(COMMON_UNITS + 1, load, COMMON_S), 1.2, 0.03),
        ("shorter", Told("work 5 % shorter", "作业时间缩短 5%"),
         _mean_waits(common_city(), engine, n, "times.scene_factor=0.95"),
         formulas.mmc_mean_wait(COMMON_UNITS, load * 0.95, COMMON_S * 0.95), 5.0, 0.04),
    )  # fmt: skip
    before = formulas.mmc_mean_wait(COMMON_UNITS, load, COMMON_S)
    source = "Law 2015, Simulation Modeling and Analysis, 11.2"
    checks = []
    for name, told, waits, after, factor, share in arms:
        unrelated = float(base.var(ddof=1) + waits.var(ddof=1))
        ratio = unrelated / float((waits - base).var(ddof=1))
        across = waits - np.roll(base, 1)
        checks += [
            by_errors(f"{name}_difference", Told(f"change of the mean wait, {told.en}", f"平均等待的变化，{told.zh}"),
                      "Erlang 1917", "s", after - before, mean_of(waits - base), engine, share),
            Check(f"{name}_factor", Told(f"variance, unrelated over paired, {told.en}", f"方差缩减倍数，{told.zh}"),
                  source, f"{name}_factor", "", factor, ratio, 0.0, engine, n, AT_LEAST),
            _by_ratio(f"{name}_across", told, source, unrelated, across, engine),
        ]  # fmt: skip
    return [*checks, _scaled_work(engine, source)]


MANY_UNITS, SCALE, N_SCALED = 40, 0.95, 10
_SCALED_SHARE = 0.001
"""Room for rounding to milliseconds: half of one in the 18 s by which calls differ, over a thousand calls."""


def _scaled_work(engine: str, source: str) -> Check:
    """Return the check of the factor where every call of one arm is that of the other, scaled."""
    whole, scaled = (
        _mean_work(common_city(MANY_UNITS), engine, N_SCALED, f"times.scene_factor={factor}") for factor in (1.0, SCALE)
    )
    exact = (1.0 + SCALE**2) / (1.0 - SCALE) ** 2
    factor = float((whole.var(ddof=1) + scaled.var(ddof=1)) / (scaled - whole).var(ddof=1))
    told = Told(
        f"variance, unrelated over paired, all work {SCALE} times as long, relative distance from {exact:.0f}",
        f"方差缩减倍数，全部作业时间乘以 {SCALE}，与 {exact:.0f} 的相对偏差",
    )
    off = abs(factor / exact - 1.0)
    return Check("scaled_factor", told, source, "scaled_factor", "", _SCALED_SHARE, off, 0.0, engine, N_SCALED, AT_MOST)


def _mean_work(city: SmallCity, engine: str, n: int, *overrides: str) -> NDArray[np.float64]:
    """Return (n,) the mean time for which a unit is taken in each replication, s, nobody having waited."""
    found = []
    for it in replications("common chance", city, engine, n, *overrides):
        if it.n_waiting_rows():
            raise AssertionError("a call waited: there are too few units")
        found.append(float(np.mean(it.to_ms - it.from_ms)) / 1_000.0)
    return np.array(found)


def _by_ratio(name: str, told: Told, source: str, expected: float, across: NDArray[np.float64], engine: str) -> Check:
    """Return the check that the variance of `across` over the expected one is 1."""
    words = Told(f"variance across replications over the sum of both, {told.en}", f"跨样本方差与方差和之比，{told.zh}")
    found = variance_of(across)
    made = Estimate(found.value / expected, found.standard_error / expected, found.n)
    return by_errors(name, words, source, "", 1.0, made, engine, most=0.14)


def _mean_waits(city: SmallCity, engine: str, n: int, *overrides: str) -> NDArray[np.float64]:
    """Return (n,) the mean wait of each replication, s; the same chance for every arm."""
    return np.array([it.wait_s.mean() for it in replications("common chance", city, engine, n, *overrides)])


CASES = (
    Case("poisson", Told("Calls: a Poisson process through hours, weekdays and months", "呼叫过程：非齐次泊松"),
         "Daley & Vere-Jones 2003", poisson_calls, uses_engine=False),
    Case("common_chance", Told("What common random numbers remove", "公共随机数的方差缩减"),
         "Law 2015, 11.2", common_chance),
)  # fmt: skip
"""Cases of this module."""
