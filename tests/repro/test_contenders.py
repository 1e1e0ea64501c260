"""Models of the same work stand against the engine only if they do the same work: the same rows, or a refusal."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CROWDED = ("staffing.initial_permille=0.04", "window.measure_to=2022-01-12", "schedule.is_outside_run_allowed=true")
"""So few people that needs wait, are served in order of priority and are left unfilled."""


def test_all_contenders_write_the_rows_of_the_kernel_where_needs_wait(run_python: Callable[[str], None]) -> None:
    run_python(
        f"""
from benchmarks.engines import check_same_rows
from benchmarks.workload import common
from sim.engine.log import LogKind
kinds = check_same_rows(common(0, *{CROWDED})).rows["kind"].tolist()
assert kinds.count(LogKind.WAIT) > 50 and kinds.count(LogKind.UNFILLED) > 0, len(kinds)
assert kinds.count(LogKind.DISPATCH) > 1_000 and kinds.count(LogKind.MET) > 500
""",
    )


@pytest.mark.slow
def test_all_contenders_write_the_rows_of_the_kernel_on_the_common_workload(run_python: Callable[[str], None]) -> None:
    run_python(
        """
from benchmarks.engines import check_same_rows
from benchmarks.workload import common, sizes
inputs = common()
found = sizes(inputs, check_same_rows(inputs))
assert 39_000 < found["incidents"] < 41_000, found
opened = inputs.changes[inputs.changes["kind"] == 1]["time_ms"]
assert (opened == 0).sum() == 106 and len(opened) == 190
""",
    )


@pytest.mark.slow
def test_a_contender_that_writes_other_rows_is_told(run_python: Callable[[str], None]) -> None:
    run_python(
        f"""
import dataclasses
from benchmarks import engines
from benchmarks.workload import common
from sim.errors import EngineError
kernel = engines.contenders()[engines.KERNEL]
def with_another_last_row(prepared):
    log = kernel.run(prepared)
    log.rows["value"][-1] += 1
    return log
engines.contenders = lambda: {{"forger": dataclasses.replace(kernel, run=with_another_last_row)}}
try:
    engines.check_same_rows(common(0, *{CROWDED}))
except EngineError as error:
    assert "forger writes other rows" in str(error)
else:
    raise AssertionError("not told")
""",
    )


@pytest.mark.slow
def test_contenders_refuse_what_they_do_not_know_and_name_all_of_it(run_python: Callable[[str], None]) -> None:
    run_python(
        """
from benchmarks.contenders.plain import check_plain, more_than_plain
from benchmarks.workload import common
from sim.engine.build import build_world
short = ("window.measure_to=2022-01-04", "schedule.is_outside_run_allowed=true")
assert more_than_plain(build_world(common(0, *short))) == []
more = ("dispatch.is_sent_on=true", "demand.is_report_exact=false", "roster=two_shift")
world = build_world(common(0, *short, *more))
assert more_than_plain(world) == ["units sent on from their way home", "reports that are not exact", "a roster"]
try:
    check_plain(world)
except ValueError as error:
    assert "sent on from their way home, reports that are not exact, a roster" in str(error)
else:
    raise AssertionError("not refused")
""",
    )


def test_without_a_c_compiler_the_lines_of_the_c_loop_say_so_and_the_others_stand(
    run_python: Callable[[str], None],
) -> None:
    run_python(
        """
from benchmarks.contenders import c_loop
from benchmarks.engines import C_FETCHING, C_LOOP, IDIOMATIC, KERNEL, contenders, table_lines
from benchmarks.lines import Measured
c_loop.COMPILERS = ("no-such-compiler",)
assert not {C_LOOP, C_FETCHING} & set(contenders()) and KERNEL in contenders()
variants = [f"{KERNEL} {what}" for what in ("2 x", "4 x", "twice", "cells")]
names = [*contenders(), *variants, "world", "one after another", "two threads"]
rounds = dict.fromkeys(names, [0.5, 1.0]) | {IDIOMATIC: [100.0, 400.0]}
measured = Measured({}, rounds, table_lines(rounds, [100, 200, 400]))
shown = {line.name: line for line in measured.lines}
assert shown["idiomatic"].spread.median == 300.0 and shown["kernel_2"].spread.median == 0.5
assert shown["c_loop"].told == "kernel over the plain C loop: no C compiler" and "nan" not in measured.table()
""",
    )


@pytest.mark.slow
def test_the_contenders_tables_of_the_kernels_log_are_the_programs_where_needs_wait(
    run_python: Callable[[str], None],
) -> None:
    run_python(
        f"""
from dataclasses import replace
from benchmarks.contenders.framed import known_of
from benchmarks.replication import check_same_tables
from benchmarks.workload import common
from sim.engine.kernel import run_kernel
from sim.errors import EngineError
from sim.fleet.parts import ChangeKind
inputs = common(0, *{CROWDED})
log, known = run_kernel(inputs), known_of(inputs, inputs.changes[["time_ms", "value", "kind", "entity"]].tolist())
check_same_tables(inputs, log, known)
others = {{
    "is_headline": replace(known, is_headline=~known.is_headline),
    "first_critical_ms": replace(known, critical=known.critical.assign(n_wanted=1)),
    "busy_ms": replace(known, end_ms=known.end_ms - 1),
    "in_service_ms": replace(known, changes=[row for row in known.changes if row[2] != ChangeKind.STATION_OPEN]),
}}
for column, other in others.items():
    try:
        check_same_tables(inputs, log, other)
    except EngineError as error:
        assert column in str(error), error
    else:
        raise AssertionError(f"{{column}} is not told")
""",
    )


def test_both_sides_of_a_whole_replication_have_to_come_to_the_same_within_what_is_told(
    run_python: Callable[[str], None],
) -> None:
    run_python(
        """
from dataclasses import replace
from benchmarks.replication import FULL, Figures, check_agreement
from sim.errors import EngineError
def tables(n_dispatched, first_arrival_ms, busy_ms):
    incidents = {"n_dispatched": n_dispatched, "first_arrival_ms": first_arrival_ms}
    return {"incidents": incidents, "units": {"busy_ms": busy_ms}}
ours = Figures.of([tables([2, 1], [100, -1], [3_600_000]), tables([3], [300], [0, 7_200_000])])
assert ours == Figures(incidents=1.5, dispatches=3.0, busy_h=1.5, mean_response_ms=200.0, p90_response_ms=280.0), ours
check_agreement(ours, replace(ours, incidents=1.45, mean_response_ms=204.0), FULL)
def refused(**changed):
    try:
        check_agreement(ours, replace(ours, **changed), FULL)
    except EngineError as error:
        return str(error)
    raise AssertionError("not refused")
told = refused(dispatches=3.13, mean_response_ms=195.9)
assert "dispatches 3 and 3" in told and "mean_response_ms 200 and 196" in told and "busy_h" not in told, told
assert "p90_response_ms" in refused(p90_response_ms=float("nan"))
""",
    )


def test_the_contenders_chance_follows_the_laws_that_are_written_down(run_python: Callable[[str], None]) -> None:
    run_python(
        """
import numpy as np
from benchmarks.contenders.drawn import draw_calls
from benchmarks.contenders.laws import Laws, Surge
sure = np.ones(1)
laws = Laws(
    priority=[1, 1], per_h=np.tile([[2.0, 1.0]] * 12 + [[0.0, 0.0]] * 12, (50, 1)), day_cv=0.0,
    town_p=[np.array([1.0, 0.0]), np.array([0.25, 0.75])], cells=[np.array([4]), np.array([7, 9])],
    cell_p=[[sure, np.array([0.5, 0.5])], [sure, np.array([0.0, 1.0])]], grade_p=[sure, np.array([0.0, 1.0])],
    surges=[], seat_m=np.zeros((2, 2), int), cell_m=np.zeros((1, 2), int), growth=np.ones(50), handling_ms=60_000.0,
    turnout_ms=(1.0, 1.0), access_ms=[1.0, 1.0], scene_ms=[[1.0], [1.0, 1.0]],
    sigma={"handling": 0.0, "travel_common": 0.0},
)
calls = draw_calls(laws, np.random.default_rng(1))
assert abs(len(calls) - 1_800) < 4 * 1_800 ** 0.5, len(calls)  # 50 days x 12 h x 3, Poisson
assert all(call["call_ms"] % 86_400_000 < 12 * 3_600_000 for call in calls)
first = [call for call in calls if call["kind"] == 0]
assert abs(len(first) - 1_200) < 4 * 1_200 ** 0.5 and {(c["town"], c["cell"], c["grade"]) for c in first} == {(0, 4, 1)}
second = [call for call in calls if call["kind"] == 1]
assert {(c["town"], c["cell"], c["grade"]) for c in second} == {(0, 4, 2), (1, 9, 2)}
assert all((c["handling_ms"], c["travel_factor"]) == (60_000, 65_536) for c in calls)
assert [c["call_ms"] for c in calls] == sorted(c["call_ms"] for c in calls)
from dataclasses import replace
surge = Surge(probability=np.eye(1, 50, 7)[0], hours=6.0, range_m=1_000.0, size_cv=0.0, alarms=np.array([0.0, 400.0]))
more = draw_calls(replace(laws, per_h=laws.per_h * 1e-9, surges=[surge]), np.random.default_rng(2))
assert abs(len(more) - 400) < 80 and {call["kind"] for call in more} == {1}
day = [call["call_ms"] / 3_600_000 - 7 * 24 for call in more]
assert 0 <= min(day) and max(day) < 24 and max(day) - min(day) < 6
assert abs(sum(call["town"] for call in more) / len(more) - 0.75) < 0.1
""",
    )
