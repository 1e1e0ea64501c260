"""Cases of one station: Erlang's lost and delayed calls, Pollaczek and Khinchine's single server, Cobham's priorities.

Lost calls are those that a second station serves, so large that it is never without a unit (which is checked): to the
first station a call that finds all its units taken is lost. Its own units are nearer, so they always go first.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from sim.verification import formulas
from sim.verification.checks import Case, Check, Size, Told
from sim.verification.estimates import mean_of, ratio_of
from sim.verification.played import busy_shares, replications
from sim.verification.sizes import by_errors, exactly, n_replications
from sim.verification.small_city import CallClass, Law, SmallCity

_TO_OVERFLOW = ((0.0, 60.0), (60.0, 0.0))
LAWS: tuple[tuple[Law, float, Told], ...] = (
    ("exponential", 1.0, Told("exponential service", "指数服务时间")),
    ("lognormal", 2.0, Told("log-normal service, SCV 2", "对数正态服务时间，变异系数平方 2")),
    ("constant", 0.0, Told("constant service", "定长服务时间")),
)
ERLANG_1917 = "Erlang 1917; Kleinrock 1975, 3.6"
LOSS_UNITS, LOSS_PER_H, LOSS_S = 3, 50.0, 180.0


def loss_city(law: Law, scv: float) -> SmallCity:
    """Return three units at 2.5 erlang, and a second station that takes what they cannot."""
    calls = CallClass(LOSS_PER_H, LOSS_S)
    return SmallCity((calls,), (LOSS_UNITS, 40), (0, 1), _TO_OVERFLOW, (1_000, 0), law, scv, n_days=2)


def lost_calls(engine: str, size: Size) -> list[Check]:
    """Hold the share of calls sent on, and the units busy, against Erlang B for three laws of service.

    The start is forgotten at a rate of at least one per service time, and the warm-up is 480 of them.
    """
    load = LOSS_PER_H * LOSS_S / 3_600.0
    blocked = formulas.erlang_b(LOSS_UNITS, load)
    checks = []
    for law, scv, told in LAWS:
        lost, calls, busy, waited = [], [], [], 0
        for it in replications(f"erlang b, {law}", loss_city(law, scv), engine, n_replications(size, engine)):
            lost.append(float((it.station == 1).sum()))
            calls.append(float(len(it.station)))
            own = it.mission_station == 0
            shares = busy_shares(it.from_ms[own], it.to_ms[own], it.window_ms, LOSS_UNITS)
            busy.append(float(shares @ np.arange(LOSS_UNITS + 1)))
            waited += it.n_waiting_rows()
        checks += [
            by_errors(
                f"lost_{law}", Told(f"share of calls lost, {told.en}", f"损失率，{told.zh}"), ERLANG_1917, "",
                blocked, ratio_of(lost, calls), engine, 0.007,
            ),
            by_errors(
                f"busy_{law}", Told(f"mean units busy, {told.en}", f"平均占用车辆数，{told.zh}"), ERLANG_1917, "",
                load * (1.0 - blocked), mean_of(busy), engine, 0.005,
            ),
            exactly(
                f"overflow_never_full_{law}", Told("calls that nobody could take", "无车可派的呼叫数"),
                "the second station stands for an unlimited one", "", 0.0, float(waited), engine, len(calls),
            ),
        ]  # fmt: skip
    return checks


DELAY_UNITS, DELAY_PER_H, DELAY_S, BEYOND_S = 4, 56.0, 180.0, 90.0


def delay_city(n_units: int = DELAY_UNITS) -> SmallCity:
    """Return four units at 2.8 erlang, whom calls wait for."""
    return SmallCity((CallClass(DELAY_PER_H, DELAY_S),), (n_units,), n_days=2)


def delayed_calls(engine: str, size: Size) -> list[Check]:
    """Hold who waits, how long, and the length of the queue against M/M/4.

    The start is forgotten at the rate c (1 - sqrt(rho))^2 / s (Morse 1958): the warm-up is 51 times its reciprocal.
    """
    load = DELAY_PER_H * DELAY_S / 3_600.0
    waits, waited, beyond, calls, queue = [], [], [], [], []
    for it in replications("erlang c", delay_city(), engine, n_replications(size, engine)):
        calls.append(float(len(it.wait_s)))
        waits.append(float(it.wait_s.sum()))
        waited.append(float((it.wait_s > 0).sum()))
        beyond.append(float((it.wait_s > BEYOND_S).sum()))
        shares = busy_shares(it.call_ms, it.dispatch_ms, it.window_ms, 200)
        queue.append(float(shares @ np.arange(201)))
    mean = formulas.mmc_mean_wait(DELAY_UNITS, load, DELAY_S)
    late = formulas.mmc_wait_beyond(DELAY_UNITS, load, DELAY_S, BEYOND_S)
    made = partial(by_errors, source="Erlang 1917; Kleinrock 1975, 3.5", engine=engine)
    waiting = Told("mean number of calls waiting (Little: rate x wait)", "平均排队数（李特尔公式：到达率×等待）")
    return [
        made("waiting_share", Told("share of calls that wait", "需等待的呼叫比例"), unit="",
             expected=formulas.erlang_c(DELAY_UNITS, load), found=ratio_of(waited, calls), share=0.01),
        made("mean_wait", Told("mean wait, all calls", "平均等待（全部呼叫）"), unit="s",
             expected=mean, found=ratio_of(waits, calls), share=0.02),
        made("wait_beyond", Told("share that waits more than 90 s", "等待超过 90 秒的比例"), unit="",
             expected=late, found=ratio_of(beyond, calls), share=0.02),
        made("queue_length", waiting, unit="",
             expected=DELAY_PER_H / 3_600.0 * mean, found=mean_of(queue), share=0.022),
    ]  # fmt: skip


SINGLE_PER_H, SINGLE_S = 12.0, 180.0


def single_city(law: Law, scv: float) -> SmallCity:
    """Return one unit, busy 60 % of the time."""
    return SmallCity((CallClass(SINGLE_PER_H, SINGLE_S),), (1,), law=law, scv=scv, n_days=9)


def single_server(engine: str, size: Size) -> list[Check]:
    """Hold the mean wait for one unit against Pollaczek and Khinchine, for services that vary little, so, and much.

    The second moment is that of the law; the quantile table's own is within 0.1 % of it (`tests/verification`). The
    start is forgotten within some 20 to 40 services, and the warm-up is 480 of them.
    """
    rate = SINGLE_PER_H / 3_600.0
    checks = []
    for law, scv, told in LAWS:
        waits, waited, calls = [], [], []
        for it in replications(f"single server, {law}", single_city(law, scv), engine, n_replications(size, engine)):
            waits.append(float(it.wait_s.sum()))
            waited.append(float((it.wait_s > 0).sum()))
            calls.append(float(len(it.wait_s)))
        expected = formulas.mg1_mean_wait(rate, SINGLE_S, SINGLE_S**2 * (1.0 + scv))
        source = "Pollaczek 1930, Khinchine 1932; Kleinrock 1975, 5.6"
        checks += [
            by_errors(
                f"mean_wait_{law}", Told(f"mean wait, {told.en}", f"平均等待，{told.zh}"), source, "s",
                expected, ratio_of(waits, calls), engine, 0.018 * (1.0 + scv),
            ),
            by_errors(
                f"waiting_share_{law}", Told(f"share of calls that wait, {told.en}", f"需等待的比例，{told.zh}"),
                source, "", rate * SINGLE_S, ratio_of(waited, calls), engine, 0.005,
            ),
        ]  # fmt: skip
    return checks


ONE_UNIT_CLASSES = (CallClass(5.0, 120.0, 1), CallClass(5.0, 180.0, 2), CallClass(10.0, 102.0, 3))
THREE_UNIT_CLASSES = (CallClass(10.0, 180.0, 1), CallClass(10.0, 180.0, 2), CallClass(20.0, 180.0, 3))


def priority_city(classes: tuple[CallClass, ...], n_units: int) -> SmallCity:
    """Return a station whose calls wait by class."""
    return SmallCity(classes, (n_units,), n_days=4)


def priorities(engine: str, size: Size) -> list[Check]:
    """Hold the mean wait of each class against Cobham: one unit with classes that differ, three with one service.

    The start is forgotten as in M/M/1 at 70 % and M/M/3 at 67 %: the warm-up is 18 and 48 times as long.
    """
    one, three = ONE_UNIT_CLASSES, THREE_UNIT_CLASSES
    residual = sum(it.per_h / 3_600.0 * 2.0 * it.mean_s**2 for it in one) / 2.0
    load = sum(it.per_h * it.mean_s for it in three) / 3_600.0
    shared = formulas.erlang_c(3, load) * three[0].mean_s / 3.0
    checks = []
    for name, classes, n_units, first in (("one_unit", one, 1, residual), ("three_units", three, 3, shared)):
        loads = [it.per_h * it.mean_s / 3_600.0 / n_units for it in classes]
        expected = formulas.priority_waits(first, loads)
        waits: list[list[float]] = [[] for _ in classes]
        calls: list[list[float]] = [[] for _ in classes]
        for it in replications(
            f"priorities, {name}", priority_city(classes, n_units), engine, n_replications(size, engine)
        ):
            for k in range(len(classes)):
                of_class = it.wait_s[it.kind == k]
                waits[k].append(float(of_class.sum()))
                calls[k].append(float(len(of_class)))
        units = Told("one unit" if n_units == 1 else "three units", "1 车" if n_units == 1 else "3 车")
        checks += [
            by_errors(
                f"{name}_class_{k + 1}",
                Told(f"mean wait of class {k + 1}, {units.en}", f"第 {k + 1} 级平均等待，{units.zh}"),
                "Cobham 1954; Kleinrock 1976, vol. 2, 3.6", "s", expected[k], ratio_of(waits[k], calls[k]), engine,
                (0.015, 0.02, 0.04)[k],
            )
            for k in range(len(classes))
        ]  # fmt: skip
    return checks


CASES = (
    Case("erlang_b", Told("Lost calls: Erlang B, whatever the law of service", "损失制：爱尔朗 B，与服务分布无关"),
         ERLANG_1917, lost_calls),
    Case("erlang_c", Told("Waiting for four units: M/M/c", "四车等待制：M/M/c"), "Erlang 1917", delayed_calls),
    Case("pollaczek_khinchine", Told("Waiting for one unit: M/G/1", "单车等待制：M/G/1"),
         "Pollaczek 1930, Khinchine 1932", single_server),
    Case("priorities", Told("Who waits least: non-preemptive priorities", "非抢占优先级"), "Cobham 1954", priorities),
)  # fmt: skip
"""Cases of this module."""
