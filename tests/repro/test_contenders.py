"""Models of the same work stand against the engine only if they do the same work: the same rows, or a refusal."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CROWDED = ("staffing.initial_permille=0.04", "window.measure_to=2022-01-12", "schedule.is_outside_run_allowed=true")
"""So few people that needs wait, are served in order of priority and are left unfilled."""


def test_all_contenders_write_the_rows_of_the_kernel_where_needs_wait(run_python: Callable[[str], None]) -> None:
    run_python(
        f"""
from benchmarks.engines import C_LOOP, check_same_rows, contenders
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


def test_a_contender_that_writes_other_rows_is_told(run_python: Callable[[str], None]) -> None:
    run_python(
        f"""
import dataclasses
from benchmarks import engines
from benchmarks.workload import common
from sim.engine.log import EventLog
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
