"""`dgsim run`: one scenario, or with `-m` every combination of the values given."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.commands.options import add_making, add_overrides, parser_of

if TYPE_CHECKING:
    from sim.run.work import Work


def command(argv: Sequence[str]) -> int:
    """Run one scenario into `outputs/run/<key>`, or a sweep into `outputs/sweep/<key>`."""
    parser = parser_of("run", "Run one scenario; with -m, one after the other every combination of the values given.")
    add_overrides(parser)
    parser.add_argument("-m", "--multirun", action="store_true", help="values may be lists: travel=norm,measured")
    add_making(parser)
    given = parser.parse_intermixed_args(list(argv))
    if given.multirun and (given.fresh or given.reuse):
        parser.error("--fresh and --reuse do not go with -m: jobs are kept by their keys in outputs/run")
    return _sweep(given) if given.multirun else _single(given)


def _single(given: argparse.Namespace) -> int:
    from sim.compose import compose_to_run
    from sim.compose.study import single_work

    work = single_work(compose_to_run(given.overrides), out=given.out)
    return do_work(work, given)


def _sweep(given: argparse.Namespace) -> int:
    from sim.compose.sweep import read_sweep, run_sweep
    from sim.run.check import check_all
    from sim.run.execute import expected_of
    from sim.run.gather import formats_of, gather

    read = read_sweep(given.overrides, out=given.out)
    if given.dry_run:
        check_all([read.work, *read.jobs])
        for work, arm in zip(read.jobs, read.work.arms, strict=True):
            print(f"{arm.name} {arm.label_en}: {expected_of(work).text()}  {work.folder}")
        return 0
    outcome = run_sweep(read, gather=gather, formats=formats_of(given), say=print)
    print(f"gathered: {outcome.folder}")
    if outcome.report is not None:
        print(f"report: {outcome.report}")
    return 0


def do_work(work: Work, given: argparse.Namespace) -> int:
    """Make a run or study and say where its result lies; with --dry-run only say what it would take."""
    from sim.run.execute import execute, foretell, held_text
    from sim.run.gather import formats_of, gather

    if given.dry_run:
        print(f"{work.folder}: {foretell(work, is_fresh=given.fresh, reuse=given.reuse).text()}")
        if given.reuse:
            print(f"  {held_text(work, given.reuse, is_fresh=given.fresh)}")
        for arm in work.arms:
            print(
                f"  {arm.name}: {arm.n_replications} replications, {' '.join(arm.overrides) or 'the default choices'}"
            )
        return 0
    outcome = execute(
        work, gather=gather, formats=formats_of(given), say=print, is_fresh=given.fresh, reuse=given.reuse
    )
    print(f"{outcome.n_made} replications made, {outcome.n_kept} kept: {outcome.folder}")
    if outcome.report is not None:
        print(f"report: {outcome.report}")
    return 0
