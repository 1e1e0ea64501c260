"""`dgsim compare RUN_DIR RUN_DIR …`: finished runs side by side, the first being the base."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sim.commands.options import add_tables, parser_of


def command(argv: Sequence[str]) -> int:
    """Compare finished runs, or arms of studies named RUN_DIR:ARM, into `outputs/compare/<key>`."""
    parser = parser_of("compare", "Compare finished runs; the first is the base. An arm of a study is RUN_DIR:ARM.")
    parser.add_argument(
        "run_dirs", nargs="+", metavar="RUN_DIR[:ARM]", help="finished runs, or arms of finished studies"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where the comparison goes (default: outputs/compare/KEY)"
    )
    add_tables(parser)
    given = parser.parse_args(list(argv))
    from sim.run.compared import comparison_work
    from sim.run.execute import gather_only
    from sim.run.gather import formats_of, gather

    work = comparison_work(given.run_dirs, given.out)
    outcome = gather_only(work, gather=gather, formats=formats_of(given))
    print(f"compared {len(work.arms)} runs: {outcome.folder}")
    if outcome.report is not None:
        print(f"report: {outcome.report}")
    return 0
